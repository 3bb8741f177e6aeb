use crate::codec::testutil::{relaxed_request, relaxed_response, request, response, text};
use crate::codec::{Asked, Info, Opts, Reason, request_body_len, response_body_len};
use hawser_http::{BodyLen, Head, Version};

/// Outcome of a POST with these fields: its framing fields afterwards, its body, and whether it is dangerous.
fn post(version: &str, fields: &str) -> Result<(String, BodyLen, bool), (Reason, u16)> {
    let got = request(&format!("POST / HTTP/{version}\r\n{fields}\r\n\r\n"));
    let (head, info, _) = got.map_err(|e| (e.reason, e.status))?;
    assert_eq!(request_body_len(&head), Ok(info.body), "the repaired head says the same: {fields:?}");
    Ok((after(&head), info.body, info.insecure_framing))
}

/// Fields of a head, as text.
fn after(head: &Head) -> String {
    text(head).split_once('|').map(|t| t.1.to_owned()).unwrap_or_default()
}

#[test]
fn request_framing_that_is_right_or_repaired() {
    use BodyLen::{Chunked, Length, None};
    let cases = [
        ("1.1", "X: y", "X: y", None, false),
        ("1.1", "Content-Length: 5", "Content-Length: 5", Length(5), false),
        ("1.1", "Content-Length: 0", "Content-Length: 0", None, false),
        ("1.1", "Content-Length:  5 ", "Content-Length: 5", Length(5), false),
        ("1.1", "Content-Length: 05", "Content-Length: 5", Length(5), false),
        ("1.1", "Content-Length: 5, 5", "Content-Length: 5", Length(5), false),
        ("1.1", "Content-Length: 5\r\nContent-Length: 5", "Content-Length: 5", Length(5), false),
        (
            "1.1",
            "Content-Length: 5\r\nX: y\r\ncontent-length: 05",
            "Content-Length: 5|X: y",
            Length(5),
            false,
        ),
        (
            "1.1",
            "Content-Length: 9223372036854775807",
            "Content-Length: 9223372036854775807",
            Length(i64::MAX as u64),
            false,
        ),
        ("1.1", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked", Chunked, false),
        ("1.1", "Transfer-Encoding: CHUNKED", "Transfer-Encoding: chunked", Chunked, false),
        ("1.1", "Transfer-Encoding:\r\n chunked", "Transfer-Encoding: chunked", Chunked, false),
        // Transfer-Encoding wins, and the connection will be closed.
        (
            "1.1",
            "Content-Length: 5\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked",
            Chunked,
            true,
        ),
        (
            "1.1",
            "Transfer-Encoding: chunked\r\nContent-Length: 5",
            "Transfer-Encoding: chunked",
            Chunked,
            true,
        ),
        ("1.0", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked", Chunked, true),
        ("1.0", "Content-Length: 5", "Content-Length: 5", Length(5), false),
    ];
    for (version, fields, want, body, insecure) in cases {
        assert_eq!(post(version, fields), Ok((want.to_owned(), body, insecure)), "{fields:?}");
    }
}

#[test]
fn request_framing_that_is_refused() {
    let te = Reason::BadTransferEncoding;
    let cl = Reason::BadContentLength;
    let cases = [
        ("Transfer-Encoding: \u{b}chunked", Reason::BadFieldValue, 400),
        ("Transfer-Encoding: chunked, chunked", te, 400),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", te, 400),
        ("Transfer-Encoding: chunked, gzip", te, 400),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip", te, 400),
        ("Transfer-Encoding: chunked, gzip, chunked", te, 400),
        ("Transfer-Encoding: gzip", te, 400),
        ("Transfer-Encoding: identity", te, 400),
        ("Transfer-Encoding:", te, 400),
        ("Transfer-Encoding: ,chunked", te, 400),
        ("Transfer-Encoding: chunked,", te, 400),
        ("Transfer-Encoding: \r\nTransfer-Encoding: chunked", te, 400),
        ("Transfer-Encoding: chunked;a=b", te, 400),
        ("Transfer-Encoding: \"chunked\"", te, 400),
        ("Transfer-Encoding: xchunked", te, 400),
        ("Transfer-Encoding: chunkedx", te, 400),
        ("Transfer-Encoding: chunked\u{a0}", te, 400),
        ("Transfer-Encoding: chun\r\n ked", te, 400),
        ("Transfer-Encoding: chunked\r\n\u{85}", Reason::BadFieldName, 400),
        ("Transfer_Encoding: chunked\r\nTransfer-Encoding : chunked", Reason::BadFieldName, 400),
        ("Transfer-Encoding: gzip, chunked", te, 422),
        ("Transfer-Encoding: identity, chunked", te, 422),
        ("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked", te, 422),
        ("Content-Length:", cl, 400),
        ("Content-Length: +5", cl, 400),
        ("Content-Length: -5", cl, 400),
        ("Content-Length: 0x5", cl, 400),
        ("Content-Length: 5a", cl, 400),
        ("Content-Length: 5 5", cl, 400),
        ("Content-Length: 5.0", cl, 400),
        ("Content-Length: 5;", cl, 400),
        ("Content-Length: \"5\"", cl, 400),
        ("Content-Length: 1\r\n 2", cl, 400),
        ("Content-Length: 5,6", cl, 400),
        ("Content-Length: 5,", cl, 400),
        ("Content-Length: ,5", cl, 400),
        ("Content-Length: 5\r\nContent-Length: 6", cl, 400),
        ("Content-Length: 5\r\nContent-Length:", cl, 400),
        ("Content-Length: 9223372036854775808", cl, 400),
        ("Content-Length: 18446744073709551616", cl, 400),
        ("Content-Length: 99999999999999999999999999999999999999", cl, 400),
        ("Content-Length: \u{b2}", cl, 400),
        ("Transfer-Encoding: chunked\r\nContent-Length: x", cl, 400),
    ];
    for (fields, reason, status) in cases {
        assert_eq!(post("1.1", fields), Err((reason, status)), "{fields:?}");
    }
}

#[test]
fn bodies_that_some_servers_would_not_read_are_refused() {
    let run = |method: &str, version: &str, field: &str| {
        request(&format!("{method} HTTP/{version}\r\n{field}\r\n\r\n"))
            .map(|p| p.1.body)
            .map_err(|e| e.status)
    };
    for method in ["GET /", "HEAD /", "DELETE /"] {
        assert_eq!(run(method, "1.0", "Content-Length: 5"), Err(413), "{method}");
        assert_eq!(run(method, "1.0", "Transfer-Encoding: chunked"), Err(413), "{method}");
        assert_eq!(run(method, "1.0", "Content-Length: 0"), Ok(BodyLen::None), "{method}");
        assert_eq!(run(method, "1.1", "Content-Length: 5"), Ok(BodyLen::Length(5)), "{method}");
    }
    for method in ["POST /", "PUT /", "OPTIONS /", "FOO /"] {
        assert_eq!(run(method, "1.0", "Content-Length: 5"), Ok(BodyLen::Length(5)), "{method}");
    }
    assert_eq!(run("CONNECT a:80", "1.1", "Content-Length: 5"), Err(400));
    assert_eq!(run("CONNECT a:80", "1.1", "Transfer-Encoding: chunked"), Err(400));
    assert_eq!(run("CONNECT a:80", "1.1", "Content-Length: 0"), Ok(BodyLen::None));
    let opts = Opts { payload_with_any_method: true, ..Opts::default() };
    let t = b"GET / HTTP/1.0\r\nContent-Length: 5\r\n\r\n";
    let got = crate::codec::testutil::parse(t, &crate::codec::Limits::default(), opts, None);
    assert_eq!(got.map(|p| p.1.body), Ok(BodyLen::Length(5)));
}

#[test]
fn response_framing() {
    use Asked::{Connect, Head, Other};
    use BodyLen::{Chunked, Length, None, Tunnel, UntilClose};
    let cases = [
        (Other, "200", "Content-Length: 2", Length(2), "Content-Length: 2", false),
        (Other, "200", "Content-Length: 0", None, "Content-Length: 0", false),
        (Other, "200", "X: y", UntilClose, "X: y", false),
        (Other, "200", "Transfer-Encoding: chunked", Chunked, "Transfer-Encoding: chunked", false),
        (
            Other,
            "200",
            "Transfer-Encoding: chunked\r\nContent-Length: 2",
            Chunked,
            "Transfer-Encoding: chunked",
            true,
        ),
        (Other, "200", "Content-Length: 2, 2", Length(2), "Content-Length: 2", false),
        // Bodyless ones, whatever they announce.
        (Other, "100", "Content-Length: 2", None, "", false),
        (Other, "103", "Link: x", None, "Link: x", false),
        (Other, "204", "Content-Length: 2", None, "", false),
        (Other, "204", "Transfer-Encoding: chunked", None, "", false),
        (Other, "304", "Content-Length: 2", None, "Content-Length: 2", false),
        (Other, "304", "Transfer-Encoding: chunked", None, "Transfer-Encoding: chunked", false),
        (Head, "200", "Content-Length: 2", None, "Content-Length: 2", false),
        (Head, "200", "Transfer-Encoding: chunked", None, "Transfer-Encoding: chunked", false),
        (Head, "200", "X: y", None, "X: y", false),
        // CONNECT.
        (Connect, "200", "Content-Length: 2", Tunnel, "", false),
        (Connect, "204", "Transfer-Encoding: chunked", Tunnel, "", false),
        (Connect, "407", "Content-Length: 2", Length(2), "Content-Length: 2", false),
        (Connect, "302", "X: y", UntilClose, "X: y", false),
    ];
    for (asked, status, fields, body, want, insecure) in cases {
        let (head, info, _) = response(&format!("HTTP/1.1 {status} X\r\n{fields}\r\n\r\n"), asked).unwrap();
        let got = (info.body, after(&head), info.insecure_framing);
        assert_eq!(got, (body, want.to_owned(), insecure), "{asked:?} {status} {fields:?}");
        assert_eq!(response_body_len(asked, &head), Ok(body), "the repaired head says the same");
    }
    let (_, info, _) = response("HTTP/1.0 200 X\r\nTransfer-Encoding: chunked\r\n\r\n", Other).unwrap();
    assert_eq!((info.body, info.insecure_framing), (Chunked, true));
}

#[test]
fn response_framing_that_is_refused() {
    let cases = [
        "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: chunked, gzip",
        "Transfer-Encoding: chunked, gzip, chunked",
        "Transfer-Encoding: gzip",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding:",
        "Transfer-Encoding: \u{b}chunked",
        "Content-Length: x",
        "Content-Length:",
        "Content-Length: 2\r\nContent-Length: 3",
        "Content-Length: 3, 4",
    ];
    for fields in cases {
        for asked in [Asked::Other, Asked::Head] {
            let t = format!("HTTP/1.1 200 X\r\n{fields}\r\n\r\n");
            assert_eq!(response(&t, asked).map(|p| p.1.body).map_err(|e| e.status), Err(502), "{fields:?}");
        }
    }
    let relaxed =
        |f: &str| relaxed_response(&format!("HTTP/1.1 200 X\r\n{f}\r\n\r\n"), Asked::Other).map(|p| p.1.body);
    assert_eq!(relaxed("Transfer-Encoding: chunked, chunked"), Ok(BodyLen::Chunked));
    assert_eq!(relaxed("Transfer-Encoding:"), Ok(BodyLen::UntilClose));
    assert!(relaxed("Transfer-Encoding: chunked, gzip").is_err());
}

#[test]
fn body_lengths_of_heads_from_elsewhere() {
    let mut h = Head::request(b"POST", b"/", Version::H2);
    assert_eq!(request_body_len(&h), Ok(BodyLen::None));
    h.add(b"content-length", b"7");
    assert_eq!(request_body_len(&h), Ok(BodyLen::Length(7)));
    h.add(b"content-length", b"8");
    assert_eq!(request_body_len(&h).map_err(|e| e.status), Err(400));
    let h = Head::request(b"CONNECT", b"a:80", Version::H11);
    assert_eq!(request_body_len(&h), Ok(BodyLen::None));
    let mut h = Head::response(Version::H11, 200, b"");
    h.add(b"content-length", b"x");
    assert_eq!(response_body_len(Asked::Other, &h).map_err(|e| e.status), Err(502));
}

/// Fields of a GET after parsing, and what the head says.
fn get(version: &str, fields: &str) -> (String, Info) {
    let (head, info, _) = request(&format!("GET / HTTP/{version}\r\n{fields}\r\n\r\n")).unwrap();
    (after(&head), info)
}

#[test]
fn connection_options_that_end_here_are_taken_out() {
    let cases = [
        ("Connection: close", "", true, false),
        ("Connection: keep-alive", "", false, true),
        ("Connection: Keep-Alive, X-Foo, Close\r\nX-Foo: 1", "Connection: X-Foo|X-Foo: 1", true, true),
        ("Connection: foo\r\nConnection: bar, keep-alive", "Connection: foo|Connection: bar", false, true),
        ("Connection:\r\nX: y", "X: y", false, false),
        ("Connection: , close ,", "", true, false),
        ("Connection: closed", "Connection: closed", false, false),
        ("Keep-Alive: timeout=5", "Keep-Alive: timeout=5", false, false),
        ("Proxy-Connection: close", "Proxy-Connection: close", false, false),
    ];
    for (fields, want, close, keep_alive) in cases {
        let (got, info) = get("1.1", fields);
        assert_eq!((got.as_str(), info.close, info.keep_alive), (want, close, keep_alive), "{fields:?}");
    }
}

#[test]
fn upgrades_pass_only_if_announced_and_never_to_h2c() {
    let cases = [
        ("1.1", "Connection: upgrade\r\nUpgrade: foo", "Connection: upgrade|Upgrade: foo", true),
        (
            "1.1",
            "Connection: keep-alive, Upgrade\r\nUpgrade: foo/2",
            "Connection: Upgrade|Upgrade: foo/2",
            true,
        ),
        ("1.1", "Connection: close, upgrade\r\nUpgrade: foo", "Connection: upgrade|Upgrade: foo", true),
        ("1.1", "Upgrade: foo", "", false),
        ("1.1", "Connection: upgrade", "", false),
        ("1.1", "Connection: upgrade\r\nUpgrade:", "", false),
        ("1.0", "Connection: upgrade\r\nUpgrade: foo", "", false),
        ("1.1", "Connection: upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA", "", false),
        (
            "1.1",
            "Connection: upgrade, HTTP2-Settings\r\nUpgrade: H2C, foo\r\nHTTP2-Settings: AAA",
            "Connection: upgrade|Upgrade: foo",
            true,
        ),
        (
            "1.1",
            "Connection: upgrade\r\nUpgrade: foo\r\nUpgrade: h2c",
            "Connection: upgrade|Upgrade: foo",
            true,
        ),
        ("1.1", "Connection: upgrade\r\nUpgrade: h2,h2c", "", false),
        ("1.1", "HTTP2-Settings: AAA", "", false),
    ];
    for (version, fields, want, upgrade) in cases {
        let (got, info) = get(version, fields);
        assert_eq!((got.as_str(), info.upgrade), (want, upgrade), "{fields:?}");
    }
}

#[test]
fn websocket_handshakes_need_their_key() {
    let base = "GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n";
    let keyed = format!("{base}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    let (_, info, _) = request(&keyed).unwrap();
    assert!(info.upgrade && info.websocket);
    for t in [format!("{base}\r\n"), format!("{base}Sec-WebSocket-Key:\r\n\r\n")] {
        let e = request(&t).unwrap_err();
        assert_eq!((e.reason, e.status, e.relaxable), (Reason::BadUpgrade, 400, true));
        assert!(relaxed_request(&t).is_ok_and(|p| p.1.relaxed));
    }
}

#[test]
fn switching_protocols_needs_to_be_asked_for() {
    let up = "Connection: Upgrade\r\nUpgrade: foo\r\n";
    let ws = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    let answered = format!("{ws}Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n");
    let cases = [
        (Asked::Upgrade, up, Ok(BodyLen::Tunnel)),
        (Asked::Upgrade, &*answered, Ok(BodyLen::Tunnel)),
        (Asked::Upgrade, &*format!("{up}Content-Length: 4\r\n"), Ok(BodyLen::Tunnel)),
        (Asked::Upgrade, ws, Err(502)),
        (Asked::Upgrade, "Upgrade: foo\r\n", Err(502)),
        (Asked::Upgrade, "Connection: upgrade\r\n", Err(502)),
        (Asked::Upgrade, "", Err(502)),
        (Asked::Upgrade, "Connection: Upgrade\r\nUpgrade: h2c\r\n", Err(502)),
        (Asked::Other, up, Err(502)),
        (Asked::Head, up, Err(502)),
        (Asked::Connect, up, Err(502)),
    ];
    for (asked, fields, want) in cases {
        let got = response(&format!("HTTP/1.1 101 X\r\n{fields}\r\n"), asked).map(|p| p.1.body);
        assert_eq!(got.map_err(|e| e.status), want, "{asked:?} {fields:?}");
    }
    let (head, info, _) =
        response(&format!("HTTP/1.1 426 X\r\n{up}Content-Length: 0\r\n\r\n"), Asked::Other).unwrap();
    assert_eq!(after(&head), "Connection: Upgrade|Upgrade: foo|Content-Length: 0");
    assert!(!info.upgrade, "nothing is upgraded yet");
}

#[test]
fn te_is_reduced_to_trailers() {
    let cases = [
        ("TE: trailers", "TE: trailers"),
        ("TE: trailers, gzip", "TE: trailers"),
        ("TE: gzip", ""),
        ("TE: trailers;q=0.5", ""),
        ("TE: gzip\r\nTE: Trailers", "TE: Trailers"),
    ];
    for (fields, want) in cases {
        assert_eq!(get("1.1", fields).0, want, "{fields:?}");
    }
}

#[test]
fn expectations() {
    assert!(get("1.1", "Expect: 100-continue").1.expect_continue);
    assert!(get("1.1", "Expect: 100-Continue").1.expect_continue);
    assert!(!get("1.0", "Expect: 100-continue").1.expect_continue);
    assert!(!get("1.1", "Expect: 200-ok").1.expect_continue);
    assert_eq!(get("1.1", "Expect: 100-continue").0, "Expect: 100-continue", "it is passed on");
}
