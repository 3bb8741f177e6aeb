use super::*;
use crate::codec::Asked;
use crate::codec::testutil::{request, response};

fn show(out: &[u8]) -> String {
    String::from_utf8_lossy(out).replace("\r\n", "~")
}

/// A request as received, and as it goes to a server.
fn to_server(t: &str, conn: ConnField) -> (String, Encoding) {
    let (head, info, _) = request(&t.replace('~', "\r\n")).unwrap();
    let mut out = b"kept".to_vec();
    let enc = write_request(&head, info.body, &WriteOpts { conn, case: None }, &mut out);
    (show(out.strip_prefix(b"kept").unwrap()), enc)
}

/// A response as received, and as it goes to a client that asked with HTTP/1.0 or not.
fn to_client(t: &str, asked: Asked, h10: bool, conn: ConnField) -> (String, Encoding) {
    let (head, info, _) = response(&t.replace('~', "\r\n"), asked).unwrap();
    let mut out = Vec::new();
    let opts = WriteOpts { conn, case: None };
    let enc = write_response(&head, info.body, asked == Asked::Head, h10, &opts, &mut out);
    (show(&out), enc)
}

const SILENT: ConnField = ConnField::Silent;
const CLOSE: ConnField = ConnField::Close;
const KEEP: ConnField = ConnField::KeepAlive;

#[test]
fn requests_keep_order_case_and_version() {
    #[rustfmt::skip]
    let cases = [
        ("GET / HTTP/1.1~Host: a~~",                       SILENT, "GET / HTTP/1.1~Host: a~~", Encoding::Empty),
        ("GET / HTTP/1.1~Host: a~~",                       CLOSE,  "GET / HTTP/1.1~Host: a~connection: close~~", Encoding::Empty),
        ("GET / HTTP/1.0~Host: a~~",                       SILENT, "GET / HTTP/1.0~Host: a~connection: keep-alive~~", Encoding::Empty),
        ("GET / HTTP/1.0~Host: a~~",                       CLOSE,  "GET / HTTP/1.0~Host: a~~", Encoding::Empty),
        ("GET / HTTP/1.1~Connection: close~hOST: a~~",     SILENT, "GET / HTTP/1.1~hOST: a~~", Encoding::Empty),
        ("GET / HTTP/1.1~Connection: x, close~X:  y ~~",   CLOSE,  "GET / HTTP/1.1~Connection: x~X: y~connection: close~~", Encoding::Empty),
        ("GET / HTTP/1.1~A:b~C:~D: e~ f~~",                SILENT, "GET / HTTP/1.1~A: b~C: ~D: e   f~~", Encoding::Empty),
        ("GET / HTTP/1.1\nA: b\nC: d\n\n",                 SILENT, "GET / HTTP/1.1~A: b~C: d~~", Encoding::Empty),
        // Bodies.
        ("POST / HTTP/1.1~Content-Length: 5~X: y~~",       SILENT, "POST / HTTP/1.1~Content-Length: 5~X: y~~", Encoding::Length(5)),
        ("POST / HTTP/1.1~Content-Length: 0~~",            SILENT, "POST / HTTP/1.1~Content-Length: 0~~", Encoding::Empty),
        ("POST / HTTP/1.1~Transfer-Encoding: Chunked~X: y~~", SILENT, "POST / HTTP/1.1~Transfer-Encoding: chunked~X: y~~", Encoding::Chunked),
        ("POST / HTTP/1.1~Content-Length: 5~Transfer-Encoding: chunked~X: y~~", SILENT, "POST / HTTP/1.1~Transfer-Encoding: chunked~X: y~~", Encoding::Chunked),
        ("POST / HTTP/1.0~Transfer-Encoding: chunked~~",   SILENT, "POST / HTTP/1.1~Transfer-Encoding: chunked~~", Encoding::Chunked),
        // Upgrades and CONNECT.
        ("GET / HTTP/1.1~Connection: keep-alive, Upgrade~Upgrade: foo~~", CLOSE, "GET / HTTP/1.1~Connection: Upgrade~Upgrade: foo~~", Encoding::Empty),
        ("CONNECT a:80 HTTP/1.1~Host: a~~",                CLOSE,  "CONNECT a:80 HTTP/1.1~Host: a~connection: close~~", Encoding::Empty),
        // Absolute targets.
        ("GET http://u@h:80?q HTTP/1.1~X: y~~",            SILENT, "GET http://u@h/?q HTTP/1.1~host: h~X: y~~", Encoding::Empty),
    ];
    for (t, conn, want, enc) in cases {
        assert_eq!(to_server(t, conn), (want.to_owned(), enc), "{t}");
    }
}

#[test]
fn responses_say_what_the_client_needs() {
    use Asked::{Connect, Head, Other, Upgrade};
    #[rustfmt::skip]
    let cases = [
        ("HTTP/1.1 200 OK~Content-Length: 2~~", Other, false, SILENT, "HTTP/1.1 200 OK~Content-Length: 2~~", Encoding::Length(2)),
        ("HTTP/1.1 200 OK~Content-Length: 2~~", Other, false, CLOSE,  "HTTP/1.1 200 OK~Content-Length: 2~connection: close~~", Encoding::Length(2)),
        ("HTTP/1.1 200 OK~Content-Length: 2~~", Other, true,  KEEP,   "HTTP/1.1 200 OK~Content-Length: 2~connection: keep-alive~~", Encoding::Length(2)),
        ("HTTP/1.0 200 OK~Content-Length: 2~~", Other, false, SILENT, "HTTP/1.0 200 OK~Content-Length: 2~connection: keep-alive~~", Encoding::Length(2)),
        ("HTTP/1.0 200 OK~Content-Length: 2~~", Other, false, CLOSE,  "HTTP/1.0 200 OK~Content-Length: 2~~", Encoding::Length(2)),
        ("HTTP/1.1 200~Content-Length: 0~~",    Other, false, SILENT, "HTTP/1.1 200 OK~Content-Length: 0~~", Encoding::Empty),
        ("HTTP/1.1 200 OK~X: y~~",              Other, false, SILENT, "HTTP/1.1 200 OK~X: y~connection: close~~", Encoding::UntilClose),
        // Chunks are for HTTP/1.1 only.
        ("HTTP/1.1 200 OK~Transfer-Encoding: chunked~X: y~~", Other, false, SILENT, "HTTP/1.1 200 OK~Transfer-Encoding: chunked~X: y~~", Encoding::Chunked),
        ("HTTP/1.0 200 OK~Transfer-Encoding: chunked~X: y~~", Other, false, CLOSE, "HTTP/1.1 200 OK~Transfer-Encoding: chunked~X: y~connection: close~~", Encoding::Chunked),
        ("HTTP/1.1 200 OK~Transfer-Encoding: chunked~X: y~~", Other, true,  KEEP,  "HTTP/1.1 200 OK~X: y~connection: close~~", Encoding::UntilClose),
        ("HTTP/1.1 200 OK~Transfer-Encoding: chunked~Content-Length: 9~~", Other, false, SILENT, "HTTP/1.1 200 OK~Transfer-Encoding: chunked~~", Encoding::Chunked),
        // Without body.
        ("HTTP/1.1 204 No~Content-Length: 2~X: y~~", Other, false, SILENT, "HTTP/1.1 204 No~X: y~~", Encoding::Empty),
        ("HTTP/1.1 304 Not~Content-Length: 2~~", Other, false, SILENT, "HTTP/1.1 304 Not~Content-Length: 2~~", Encoding::Empty),
        ("HTTP/1.1 304 Not~ETag: x~~",          Other, false, SILENT, "HTTP/1.1 304 Not~ETag: x~~", Encoding::Empty),
        ("HTTP/1.1 200 OK~Content-Length: 2~~", Head,  false, CLOSE,  "HTTP/1.1 200 OK~Content-Length: 2~connection: close~~", Encoding::Empty),
        ("HTTP/1.1 200 OK~Transfer-Encoding: chunked~~", Head, false, SILENT, "HTTP/1.1 200 OK~Transfer-Encoding: chunked~~", Encoding::Empty),
        ("HTTP/1.1 200 OK~X: y~~",              Head,  false, SILENT, "HTTP/1.1 200 OK~X: y~~", Encoding::Empty),
        // Interim responses and tunnels say nothing about the connection.
        ("HTTP/1.1 100 Continue~~",             Other, false, CLOSE,  "HTTP/1.1 100 Continue~~", Encoding::Empty),
        ("HTTP/1.0 103 Hints~Link: x~~",        Other, true,  SILENT, "HTTP/1.0 103 Hints~Link: x~~", Encoding::Empty),
        ("HTTP/1.1 101 S~Connection: Upgrade~Upgrade: foo~~", Upgrade, false, CLOSE, "HTTP/1.1 101 S~Connection: Upgrade~Upgrade: foo~~", Encoding::Tunnel),
        ("HTTP/1.1 200 OK~Content-Length: 2~~", Connect, false, CLOSE, "HTTP/1.1 200 OK~~", Encoding::Tunnel),
        ("HTTP/1.0 200 OK~~",                   Connect, true, KEEP,  "HTTP/1.0 200 OK~~", Encoding::Tunnel),
        ("HTTP/1.1 426 U~Connection: Upgrade~Upgrade: foo~Content-Length: 0~~", Other, false, CLOSE, "HTTP/1.1 426 U~Connection: Upgrade~Upgrade: foo~Content-Length: 0~connection: close~~", Encoding::Empty),
    ];
    for (t, asked, h10, conn, want, enc) in cases {
        assert_eq!(to_client(t, asked, h10, conn), (want.to_owned(), enc), "{t} {asked:?} {h10} {conn:?}");
    }
}

#[test]
fn rules_cannot_break_the_framing() {
    type Edit = fn(&mut Head);
    let t = "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 2\r\nC: d\r\n\r\n";
    let cases: &[(Edit, BodyLen, &str)] = &[
        (|h| _ = h.remove(b"content-length"), BodyLen::Length(2), "A: b~C: d~content-length: 2~"),
        (|h| h.set(b"content-length", b"99"), BodyLen::Length(2), "A: b~C: d~content-length: 2~"),
        (|h| h.set_value_at(1, b"99"), BodyLen::Length(2), "A: b~Content-Length: 2~C: d~"),
        (|h| h.add(b"Content-Length", b"3"), BodyLen::Length(2), "A: b~Content-Length: 2~C: d~"),
        (|h| h.add(b"Transfer-Encoding", b"gzip"), BodyLen::Length(2), "A: b~Content-Length: 2~C: d~"),
        (|h| h.add(b"Transfer-Encoding", b"gzip"), BodyLen::Chunked, "A: b~C: d~Transfer-Encoding: chunked~"),
        (|_| {}, BodyLen::Chunked, "A: b~C: d~transfer-encoding: chunked~"),
        (|_| {}, BodyLen::None, "A: b~Content-Length: 0~C: d~"),
        (|_| {}, BodyLen::UntilClose, "A: b~C: d~connection: close~"),
        (
            |h| h.add(b"Connection", b"foo, close"),
            BodyLen::Length(2),
            "A: b~Content-Length: 2~C: d~Connection: foo~connection: close~",
        ),
        (|h| h.add(b"Connection", b"keep-alive"), BodyLen::Length(2), "A: b~Content-Length: 2~C: d~"),
        (|h| h.add(b"E", b"f"), BodyLen::Length(2), "A: b~Content-Length: 2~C: d~E: f~"),
        (|h| h.add(b"E", b"f\r\nG: h"), BodyLen::Length(2), "A: b~Content-Length: 2~C: d~E: f  G: h~"),
        (|h| h.delete_at(0), BodyLen::Length(2), "Content-Length: 2~C: d~"),
        (|h| _ = h.rename(b"c", b"Zed"), BodyLen::Length(2), "A: b~Content-Length: 2~Zed: d~"),
        (|h| h.set_value_at(0, b"new"), BodyLen::Length(2), "A: new~Content-Length: 2~C: d~"),
        (Head::compact, BodyLen::Length(2), "A: b~Content-Length: 2~C: d~"),
    ];
    for (i, (edit, body, want)) in cases.iter().enumerate() {
        let mut head = response(t, Asked::Other).unwrap().0;
        edit(&mut head);
        let mut out = Vec::new();
        write_response(&head, *body, false, false, &WriteOpts::default(), &mut out);
        assert_eq!(show(&out), format!("HTTP/1.1 200 OK~{want}~"), "case {i}");
    }
}

#[test]
fn generated_responses_get_their_length() {
    let mut head = Head::response(Version::H11, 200, b"OK");
    head.add(b"X", b"y");
    let write = |body, asked_head| {
        let mut out = Vec::new();
        let enc = write_response(&head, body, asked_head, false, &WriteOpts::default(), &mut out);
        (show(&out), enc)
    };
    let with = |f: &str| format!("HTTP/1.1 200 OK~X: y~{f}~");
    assert_eq!(write(BodyLen::None, false), (with("content-length: 0~"), Encoding::Empty));
    assert_eq!(write(BodyLen::Length(7), false), (with("content-length: 7~"), Encoding::Length(7)));
    assert_eq!(write(BodyLen::Length(7), true), (with("content-length: 7~"), Encoding::Empty));
    assert_eq!(write(BodyLen::Chunked, true), (with("transfer-encoding: chunked~"), Encoding::Empty));
}

#[test]
fn messages_of_other_versions_become_http_1_1() {
    let mut head = Head::request(b"POST", b"/", Version::H2);
    head.add(b"host", b"a");
    let mut out = Vec::new();
    let enc = write_request(&head, BodyLen::Chunked, &WriteOpts::default(), &mut out);
    assert_eq!(
        (show(&out).as_str(), enc),
        ("POST / HTTP/1.1~host: a~transfer-encoding: chunked~~", Encoding::Chunked)
    );
}

#[test]
fn names_are_written_in_the_case_asked_for() {
    let mut map = CaseMap::default();
    assert!(map.insert(b"x-a", b"X-A") && map.insert(b"content-length", b"Content-Length"));
    assert!(
        map.insert(b"connection", b"Connection") && map.insert(b"transfer-encoding", b"Transfer-Encoding")
    );
    let (head, info, _) =
        request("POST / HTTP/1.1\r\nx-A: 1\r\nHOST: a\r\nx-b: 2\r\ncontent-length: 3\r\n\r\n").unwrap();
    let mut out = Vec::new();
    let opts = WriteOpts { conn: CLOSE, case: Some(&map) };
    write_request(&head, info.body, &opts, &mut out);
    assert_eq!(show(&out), "POST / HTTP/1.1~X-A: 1~HOST: a~x-b: 2~Content-Length: 3~Connection: close~~");
    out.clear();
    write_request(&head, BodyLen::Chunked, &opts, &mut out);
    assert_eq!(
        show(&out),
        "POST / HTTP/1.1~X-A: 1~HOST: a~x-b: 2~Transfer-Encoding: chunked~Connection: close~~"
    );
}
