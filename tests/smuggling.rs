//! Requests and responses that two parties could read in two ways. Every row: what is sent, what the client gets,
//! and that the origin never saw a byte of what was refused.

use hawser_testkit::wire::ask;
use hawser_testkit::{Client, Hawser, Origin, binary, free_port};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn bin() -> &'static str {
    binary(env!("CARGO_BIN_EXE_hawser"))
}

fn proxy(origin: u16) -> (Hawser, u16) {
    let port = free_port();
    let cfg = format!(
        "global\n  nbthread 1\ndefaults\n  mode http\n  timeout connect 2s\n  timeout client 2s\n  timeout server 2s\n\
         listen l\n  bind 127.0.0.1:{port}\n  server s1 127.0.0.1:{origin}\n"
    );
    (Hawser::start(bin(), &cfg, &[port]), port)
}

/// Every one of these must be answered with 400 and never reach a server.
const BAD: &[(&str, &str)] = &[
    (
        "vertical tab before chunked (CVE-2019-18277)",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    ),
    ("empty field name (CVE-2023-25725)", "GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n"),
    ("empty Content-Length (CVE-2023-40225)", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n"),
    ("blank Content-Length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\n"),
    ("fragment in the path (CVE-2023-45539)", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"),
    (
        "different Content-Lengths",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    ),
    ("list of different lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 2\r\n\r\nab"),
    ("signed length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na"),
    ("negative length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\na"),
    ("hexadecimal length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\na"),
    ("huge length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\na"),
    ("length with a space inside", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1 1\r\n\r\na"),
    (
        "unknown last coding",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    ),
    ("chunked twice", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
    ("space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
    (
        "space before the colon of a framing field",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    ),
    ("bare CR in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n"),
    ("NUL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"),
    ("NUL in a name", "GET / HTTP/1.1\r\nHost: a\r\nX\0: a\r\n\r\n"),
    ("bad name", "GET / HTTP/1.1\r\nHost: a\r\nX(y): a\r\n\r\n"),
    ("no colon", "GET / HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n"),
    ("absolute target against Host", "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("two different Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
    ("HTTP/0.9 with a version", "GET / HTTP/0.9\r\nHost: a\r\n\r\n"),
    ("no version", "GET /\r\n\r\n"),
    ("long version", "GET / HTTP/1.10\r\nHost: a\r\n\r\n"),
    ("control byte in the target", "GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("relative target", "GET abc HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("first field starts with a space", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
    ("bad method", "G@T / HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("TLS on a clear port", "\x16\x03\x01\x02\x00\x01\x00\x01\x7c\x03\x03\r\n\r\n"),
];

#[test]
fn ambiguous_requests_are_refused_and_reach_no_server() {
    let seen = Arc::new(AtomicUsize::new(0));
    let s = seen.clone();
    let o = Origin::http(move |_| {
        s.fetch_add(1, Ordering::Relaxed);
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec()
    });
    let (_h, port) = proxy(o.port());
    let mut wrong = Vec::new();
    for (what, bytes) in BAD {
        let mut c = Client::connect(port);
        let r = c.ask(bytes);
        if r.status != 400 || !c.closed_within(2000) {
            wrong.push(format!("{what}: {}", r.status));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(seen.load(Ordering::Relaxed), 0, "the origin saw a refused request");
    assert_eq!(ask(port, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").status, 200);
}

#[test]
fn transfer_encoding_wins_over_content_length_and_the_connection_ends() {
    let o = Origin::http(|r| {
        assert!(r.field("content-length").is_none(), "both framings were forwarded: {}", r.head);
        assert_eq!(r.body, b"abc");
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec()
    });
    let (_h, port) = proxy(o.port());
    let mut c = Client::connect(port);
    let r = c.ask(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n\
         GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    );
    assert_eq!((r.status, r.text().as_str()), (200, "ok"));
    assert_eq!(c.recv().status, 0, "the second request must not be served on this connection");
}

#[test]
fn bad_chunks_are_refused() {
    let rows: &[(&str, &str)] = &[
        ("not a number", "zz\r\n"),
        ("too large", "fffffffffffffffff\r\n"),
        ("sign", "+3\r\nabc\r\n0\r\n\r\n"),
        ("hex prefix", "0x3\r\nabc\r\n0\r\n\r\n"),
        ("missing CRLF after data", "3\r\nabcd\r\n0\r\n\r\n"),
        ("bare CR after size", "3\rabc\r\n0\r\n\r\n"),
    ];
    for (what, chunks) in rows {
        let o = Origin::http(|_| b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec());
        let (_h, port) = proxy(o.port());
        let mut c = Client::connect(port);
        let r = c.ask(format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"));
        assert!(r.status == 400, "{what}: {}", r.status);
        assert!(c.closed_within(20_000), "{what}: connection left open");
    }
}

#[test]
fn bad_responses_become_502() {
    let rows: &[(&str, &[u8])] = &[
        ("not HTTP", b"hello there, this is no HTTP\r\n\r\n"),
        ("two-digit status", b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n"),
        ("different lengths", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
        ("empty length", b"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n"),
        ("NUL in a value", b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n"),
        ("space before the colon", b"HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n"),
        ("empty name", b"HTTP/1.1 200 OK\r\n: x\r\nContent-Length: 0\r\n\r\n"),
    ];
    for (what, bytes) in rows {
        let bytes: &'static [u8] = bytes;
        let o = Origin::http(move |_| bytes.to_vec());
        let (_h, port) = proxy(o.port());
        assert_eq!(ask(port, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").status, 502, "{what}");
    }
}

#[test]
fn a_response_nobody_asked_for_reaches_nobody() {
    let o = Origin::raw(|mut s, _| {
        use std::io::{Read, Write};
        let mut b = [0; 4096];
        while let Ok(n) = s.read(&mut b) {
            if n == 0 {
                return;
            }
            let two = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmineHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
            if s.write_all(two).is_err() {
                return;
            }
        }
    });
    let (_h, port) = proxy(o.port());
    let mut c = Client::connect(port);
    for _ in 0..5 {
        let r = c.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!((r.status, r.text().as_str()), (200, "mine"));
    }
    assert!(o.connections() >= 5, "a connection with an answer too many was used again");
}

/// Whatever way a request is written, rules judge what the server will see.
#[test]
fn rules_cannot_be_passed_by_writing_a_request_differently() {
    let seen = Arc::new(AtomicUsize::new(0));
    let s = seen.clone();
    let o = Origin::http(move |r| {
        let text = r.head.to_ascii_lowercase();
        s.fetch_add(usize::from(text.contains("admin") || text.contains("secret")), Ordering::Relaxed);
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec()
    });
    let port = free_port();
    let cfg = format!(
        "global\n  nbthread 1\ndefaults\n  mode http\n  timeout connect 2s\n  timeout client 2s\n  timeout server 2s\n\
         listen l\n  bind 127.0.0.1:{port}\n  http-request deny if {{ path,url_dec -m beg -i /admin }}\n  \
         http-request deny if {{ hdr(host),host_only -i secret }}\n  http-request deny if {{ hdr(x-role) -m str admin }}\n  \
         server s 127.0.0.1:{}\n",
        o.port()
    );
    let _h = Hawser::start(bin(), &cfg, &[port]);
    let denied = [
        "GET /admin HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /%61DMIN/x HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET http://a/admin HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET  /admin  HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nhOST:SECRET:80 \r\n\r\n",
        "GET / HTTP/1.1\r\nHost:\r\n secret\r\n\r\n",
        "GET http://secret/ HTTP/1.1\r\nHost: secret:80\r\n\r\n",
        "GET / HTTP/1.0\r\nHost: secret\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX-Role: user\r\nx-role: admin\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX-Role: user, admin\r\n\r\n",
        "GET / HTTP/1.1\nHost: a\nX-Role:\tadmin\t\n\n",
    ];
    for request in denied {
        assert_eq!(ask(port, request).status, 403, "{request:?}");
        let mut c = Client::connect(port);
        c.send(format!(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n{request}"
        ));
        assert_eq!((c.recv().status, c.recv().status), (200, 403), "behind another one: {request:?}");
    }
    // HAProxy lets this one pass its rule; here the target names the host for everybody.
    assert_eq!(ask(port, "GET http://secret/ HTTP/1.1\r\n\r\n").status, 403);
    assert_eq!(seen.load(Ordering::Relaxed), 0, "a server saw what is denied");
}

#[test]
fn a_rewrite_cannot_split_a_message() {
    let o = Origin::http(|r| {
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", r.head.len(), r.head).into_bytes()
    });
    let port = free_port();
    let cfg = format!(
        "defaults\n  mode http\n  timeout connect 2s\n  timeout client 2s\n  timeout server 2s\nlisten l\n  bind 127.0.0.1:{port}\n  \
         http-request set-header X-In %[urlp(v),url_dec]\n  http-response set-header X-Out %[capture.req.uri,url_dec]\n  server s1 127.0.0.1:{}\n",
        o.port()
    );
    let _h = Hawser::start(bin(), &cfg, &[port]);
    let r = ask(port, "GET /?v=a%0d%0aX-Evil:%201 HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(r.status, 200);
    assert!(r.text().to_ascii_lowercase().contains("x-in: a"), "the rule did nothing: {}", r.text());
    let lines = |t: &str| t.lines().any(|l| l.to_ascii_lowercase().starts_with("x-evil:"));
    assert!(!lines(&r.text()) && !lines(&r.head), "split:\n{}\n{}", r.head, r.text());
}

#[test]
fn ten_thousand_bad_requests_leave_memory_and_descriptors_where_they_were() {
    let o = Origin::http(|_| b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec());
    let (h, port) = proxy(o.port());
    let mut seed = 0x9e37_79b9_u32;
    let mut rnd = move || {
        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        seed
    };
    let mut round = |n: usize| {
        for i in 0..n {
            let mut bytes = BAD[i % BAD.len()].1.as_bytes().to_vec();
            for _ in 0..rnd() % 6 {
                let at = rnd() as usize % bytes.len();
                bytes[at] = rnd() as u8;
            }
            let mut c = Client::connect(port);
            c.send(&bytes).finish();
            if i % 3 == 0 {
                c.rest();
            }
        }
    };
    round(1000);
    hawser_testkit::pause(2500);
    let (rss, fds) = (h.rss_kib(), h.fds());
    round(10_000);
    assert!(hawser_testkit::until(20_000, || h.fds() <= fds + 2), "descriptors: {} then {}", fds, h.fds());
    let grown = h.rss_kib().saturating_sub(rss);
    assert!(grown < 4096, "RSS grew by {grown} KiB");
    assert_eq!(ask(port, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").status, 200);
}
