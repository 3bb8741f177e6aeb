//! Options of HTTP proxies that change a field, a body's end or an answer.

use hawser_testkit::wire::{Response, ask};
use hawser_testkit::{Client, Hawser, Origin, binary, free_port};

fn bin() -> &'static str {
    binary(env!("CARGO_BIN_EXE_hawser"))
}

/// A frontend and a backend with such lines, and one server.
fn proxy(origin: &Origin, fe: &str, be: &str, server: &str) -> (Hawser, u16) {
    let p = free_port();
    let cfg = format!(
        "defaults\n  mode http\n  timeout connect 2s\n  timeout client 5s\n  timeout server 5s\n\
         frontend f\n  bind 127.0.0.1:{p}\n  {fe}\n  default_backend b\n\
         backend b\n  {be}\n  server srv1 127.0.0.1:{} {server}\n",
        origin.port()
    );
    (Hawser::start(bin(), &cfg, &[p]), p)
}

/// An origin whose body is the head that it got.
fn echo() -> Origin {
    Origin::http(|r| {
        let body = r.head.to_ascii_lowercase();
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
    })
}

const GET: &str = "GET /a/b?c=1 HTTP/1.1\r\nHost: x\r\n\r\n";

#[test]
fn servers_learn_their_name() {
    let o = echo();
    let (_h, p) = proxy(&o, "", "http-send-name-header X-Target", "");
    let r = ask(p, "GET / HTTP/1.1\r\nHost: x\r\nx-target: forged\r\nX-Target: twice\r\n\r\n");
    assert_eq!(r.text().matches("x-target:").count(), 1, "{}", r.text());
    assert!(r.text().contains("x-target: srv1\r\n"), "{}", r.text());
}

#[test]
fn the_name_follows_a_redispatch() {
    let o = echo();
    let p = free_port();
    let cfg = format!(
        "defaults\n  mode http\n  timeout connect 1s\n  timeout client 5s\n  timeout server 5s\n  option redispatch 1\n\
         listen l\n  bind 127.0.0.1:{p}\n  balance first\n  http-send-name-header X-Target\n\
         \x20 server dead 127.0.0.1:{}\n  server alive 127.0.0.1:{}\n",
        free_port(),
        o.port()
    );
    let _h = Hawser::start(bin(), &cfg, &[p]);
    let r = ask(p, GET);
    assert!(r.text().contains("x-target: alive\r\n") && !r.text().contains("dead"), "{}", r.text());
}

#[test]
fn closing_may_be_kept_secret() {
    let o = echo();
    let asked = |be: &str| {
        let (_h, p) = proxy(&o, "", be, "");
        let before = o.connections();
        let mut c = Client::connect(p);
        let first = c.ask(GET);
        let second = c.ask(GET);
        assert_eq!((first.status, second.status), (200, 200));
        (first.text().contains("connection: close"), o.connections() - before)
    };
    assert_eq!(asked("option http-server-close"), (true, 2));
    assert_eq!(asked("option http-server-close\n  option http-pretend-keepalive"), (false, 2));
    assert_eq!(asked(""), (false, 1));
}

#[test]
fn trailers_may_be_dropped() {
    let trailing = "3\r\nabc\r\n0\r\nX-Trailer: 1\r\n\r\n";
    // What the origin gets, with its trailers, up to the end.
    let o = Origin::raw(move |mut s, _| {
        use std::io::{Read, Write};
        let mut got = Vec::new();
        let mut buf = [0; 4096];
        let end = |got: &[u8]| {
            let text = String::from_utf8_lossy(got).into_owned();
            text.split_once("\r\n\r\n").is_some_and(|(_, b)| b.contains("0\r\n") && b.ends_with("\r\n\r\n"))
        };
        while !end(&got) {
            match s.read(&mut buf) {
                Ok(0) | Err(_) => return,
                Ok(n) => got.extend_from_slice(&buf[..n]),
            }
        }
        let seen = got.windows(9).any(|w| w.eq_ignore_ascii_case(b"x-trailer"));
        let head = "Transfer-Encoding: chunked\r\nConnection: close";
        let _ =
            s.write_all(format!("HTTP/1.1 200 OK\r\nX-Seen: {seen}\r\n{head}\r\n\r\n{trailing}").as_bytes());
    });
    let passed = |fe: &str, be: &str| {
        let (_h, p) = proxy(&o, fe, be, "");
        let mut c = Client::connect(p);
        c.send(format!(
            "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n{trailing}"
        ));
        let text = String::from_utf8(c.rest()).unwrap().to_ascii_lowercase();
        assert!(text.contains("abc"), "{text}");
        (text.contains("x-seen: true"), text.contains("x-trailer: 1"))
    };
    assert_eq!(passed("", ""), (true, true));
    assert_eq!(passed("", "option http-drop-request-trailers"), (false, true));
    assert_eq!(passed("option http-drop-response-trailers", ""), (true, false));
}

#[test]
fn unusual_names_are_treated_as_asked() {
    let o = echo();
    let request = "GET / HTTP/1.1\r\nHost: x\r\nX_Odd: 1\r\nX-Fine: 2\r\n\r\n";
    let with = |line: &str| -> Response {
        let (_h, p) = proxy(&o, "", line, "");
        ask(p, request)
    };
    assert!(with("option http-restrict-req-hdr-names preserve").text().contains("x_odd"));
    let cleaned = with("option http-restrict-req-hdr-names delete").text();
    assert!(!cleaned.contains("x_odd") && cleaned.contains("x-fine"), "{cleaned}");
    assert_eq!(with("option http-restrict-req-hdr-names reject").status, 403);
    // The rules come first.
    let line = "http-request del-header X_Odd\n  option http-restrict-req-hdr-names reject";
    assert_eq!(with(line).status, 200);
}

#[test]
fn a_server_may_be_somewhere_else() {
    let o = echo();
    let (_h, p) = proxy(&o, "", "", "redir http://other.example/pre");
    let r = ask(p, GET);
    assert_eq!(
        (r.status, r.field("location")),
        (302, Some("http://other.example/pre/a/b?c=1")),
        "{}",
        r.head
    );
    assert_eq!(r.field("content-length"), Some("0"));
    let absolute = ask(p, "GET http://x/y HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(absolute.field("location"), Some("http://other.example/pre/y"));
    let post = ask(p, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(post.status, 200);
}

/// HAProxy 3.4.0 lets most of these pass; the manual does not.
#[test]
fn cookies_do_not_get_into_caches() {
    let o = Origin::http(|r| {
        let control = r.field("x-control").unwrap_or_default();
        let field = if control.is_empty() { String::new() } else { format!("Cache-Control: {control}\r\n") };
        format!("HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\n{field}Content-Length: 0\r\n\r\n").into_bytes()
    });
    let (_h, p) = proxy(&o, "", "option checkcache", "");
    let status =
        |control: &str| ask(p, format!("GET / HTTP/1.1\r\nHost: x\r\nX-Control: {control}\r\n\r\n")).status;
    if !bin().contains("haproxy/") {
        assert_eq!((status(""), status("public"), status("max-age=10")), (502, 502, 502));
    }
    assert_eq!((status("private"), status("no-cache=\"set-cookie\"")), (200, 200));
}

#[test]
fn servers_are_told_about_the_client_as_rfc_7239_has_it() {
    let o = echo();
    let cases = [
        ("", "proto=http;for=127.0.0.1"),
        ("for by host proto", "proto=http;host=\"x\";by=127.0.0.1;for=127.0.0.1"),
        ("for-expr ipv6(::1) for_port-expr str(_x)", "for=\"[::1]:_x\""),
        ("host-expr str(h.example) by-expr str(lb) by_port-expr int(10)", "host=\"h.example\";by=\"_lb:10\""),
        ("for-expr req.hdr(nope)", "for=unknown"),
    ];
    for (words, want) in cases {
        let (_h, p) = proxy(&o, "", &format!("option forwarded {words}"), "");
        let r = ask(p, "GET / HTTP/1.1\r\nHost: x\r\nForwarded: for=1.2.3.4\r\n\r\n");
        // In fields of their own, or in one: a list is the same either way.
        let text = r.text();
        let list = text.lines().filter_map(|l| l.strip_prefix("forwarded: ")).collect::<Vec<_>>().join(",");
        assert_eq!(list, format!("for=1.2.3.4,{want}"), "{words}");
    }
}

/// Rules see of a body what came along with the head, whether somebody asked for all of it or not. Bytes as such are
/// nothing that HTTP proxies have, but there are some.
#[test]
fn rules_see_what_came_of_a_body_with_its_head() {
    let o = echo();
    let rules = "tcp-request content set-var(txn.early) req.body\n  http-request set-header X-Early %[var(txn.early)]\n  \
                 http-request set-header X-Body %[req.body]/%[req.body_len]/%[req.body_size]/%[req.body_param(a)]\n  \
                 http-request set-header X-Len %[req.payload(0,1)]/%[req.len]\n  \
                 tcp-request content reject if { req.len 0 }";
    let (_h, p) = proxy(&o, rules, "", "");
    let head = "POST /p HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    for (fields, now, then, want) in [
        ("Content-Length: 7", "a=1&b=2", "", "a=1&b=2/7/7/1"),
        ("Content-Length: 7", "a=1", "&b=2", "a=1/3/7/1"),
        ("Content-Length: 7", "", "a=1&b=2", "/0/7/"),
        ("Transfer-Encoding: chunked", "3\r\na=1\r\n4\r\n&b=2\r\n0\r\n\r\n", "", "a=1&b=2/7/7/1"),
        ("Transfer-Encoding: chunked", "3\r\na=1\r\n", "0\r\n\r\n", "a=1/3/3/1"),
    ] {
        let mut c = Client::connect(p);
        c.send(format!("{head}{fields}\r\n\r\n{now}"));
        if !then.is_empty() {
            hawser_testkit::pause(700);
            c.send(then);
        }
        let text = c.recv().text();
        let field =
            |name: &str| text.lines().find_map(|l| l.strip_prefix(name)).unwrap_or_default().to_owned();
        assert_eq!(field("x-body: "), want, "{fields} {now}: {text}");
        assert_eq!(field("x-early: "), want.split('/').next().unwrap_or_default(), "{fields} {now}");
        let len: usize = field("x-len: /").parse().unwrap();
        assert!(len > 100, "{text}");
    }
}

/// An error file without Content-Length ends with the connection.
#[test]
fn error_files_get_no_fields_that_they_do_not_have() {
    for (head, ends) in [
        ("HTTP/1.0 503 S\r\nX-File: 1", true),
        ("HTTP/1.1 503 S\r\nX-File: 1", true),
        ("HTTP/1.1 503 S\r\nContent-Length: 5", false),
        ("HTTP/1.1 503 S\r\nContent-Length: 5\r\nConnection: close", true),
    ] {
        let dir = hawser_testkit::process::temp_dir();
        let file = dir.join("503.http");
        std::fs::write(&file, format!("{head}\r\n\r\nhello")).unwrap();
        let p = free_port();
        let cfg = format!(
            "listen l\n  mode http\n  timeout connect 2s\n  timeout client 5s\n  timeout server 5s\n  bind 127.0.0.1:{p}\n  errorfile 503 {}\n",
            file.display()
        );
        let _h = Hawser::start(bin(), &cfg, &[p]);
        let mut c = Client::connect(p);
        let r = c.ask(GET);
        assert_eq!((r.status, r.text().as_str()), (503, "hello"), "{head}");
        assert_eq!(r.field("content-length").is_some(), head.contains("Length"), "{head}");
        assert_eq!(c.closed_within(700), ends, "{head}");
        std::fs::remove_dir_all(dir).unwrap();
    }
}
