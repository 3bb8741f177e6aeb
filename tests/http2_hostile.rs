//! Clients of HTTP/2 that break the rules: what reaches servers, and what it costs.

use hawser_testkit::h2client::{END_HEADERS, H2, block, kind, request};
use hawser_testkit::{Hawser, LogSink, Origin, binary, free_port, until};

use parking_lot::Mutex;
use std::sync::Arc;

fn bin() -> &'static str {
    binary(env!("CARGO_BIN_EXE_hawser"))
}

/// What an origin saw: heads and bodies of requests.
type Log = Arc<Mutex<Vec<String>>>;

fn recorder() -> (Origin, Log) {
    let log = Log::default();
    let l = log.clone();
    let o = Origin::http(move |r| {
        l.lock().push(format!("{}{}", r.head, String::from_utf8_lossy(&r.body)));
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec()
    });
    (o, log)
}

fn proxy(origin: u16, extra: &str) -> (Hawser, u16) {
    let port = free_port();
    let cfg = format!(
        "global\n  nbthread 1\ndefaults\n  mode http\n  timeout connect 2s\n  timeout client 5s\n  timeout server 5s\n\
         listen l\n  bind 127.0.0.1:{port} proto h2\n  {extra}\n  server s1 127.0.0.1:{origin}\n"
    );
    (Hawser::start(bin(), &cfg, &[port]), port)
}

/// A client that behaves is served.
fn still_serves(port: u16) {
    let mut c = H2::connect(port);
    c.get(1, "/well");
    assert_eq!(c.outcome(1).status(), 200);
}

type Fields = &'static [(&'static str, &'static str)];

#[rustfmt::skip]
const MALFORMED: &[(&str, Fields)] = &[
    ("LF in a value", &[(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "x"), ("a", "1\nb: 2")]),
    ("CR in a value", &[(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "x"), ("a", "1\rb: 2")]),
    ("NUL in a value", &[(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "x"), ("a", "1\0b")]),
    ("CRLF in a name", &[(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "x"), ("a\r\nb", "1")]),
    ("colon in a name", &[(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "x"), ("a:b", "1")]),
    ("space in a name", &[(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "x"), ("a b", "1")]),
    ("empty name", &[(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "x"), ("", "1")]),
    ("upper case", &[(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "x"), ("Abc", "1")]),
    ("space in the method", &[(":method", "GET / HTTP/1.1\r\nx: "), (":scheme", "http"), (":path", "/"), (":authority", "x")]),
    ("space in the path", &[(":method", "GET"), (":scheme", "http"), (":path", "/ HTTP/1.1\r\nx: 1"), (":authority", "x")]),
    ("plain space in the path", &[(":method", "GET"), (":scheme", "http"), (":path", "/a b"), (":authority", "x")]),
    ("scheme with a path", &[(":method", "GET"), (":scheme", "http://evil/"), (":path", "/"), (":authority", "x")]),
    ("authority with a path", &[(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "x/../y")]),
    ("authority with a space", &[(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "x y")]),
    ("empty path", &[(":method", "GET"), (":scheme", "http"), (":path", ""), (":authority", "x")]),
    ("no path", &[(":method", "GET"), (":scheme", "http"), (":authority", "x")]),
    ("no method", &[(":scheme", "http"), (":path", "/"), (":authority", "x")]),
    ("path twice", &[(":method", "GET"), (":scheme", "http"), (":path", "/"), (":path", "/b"), (":authority", "x")]),
    ("pseudo-field behind others", &[(":method", "GET"), (":scheme", "http"), (":path", "/"), ("a", "1"), (":authority", "x")]),
    ("response pseudo-field", &[(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "x"), (":status", "200")]),
    ("unknown pseudo-field", &[(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "x"), (":x", "1")]),
    ("chunked", &[(":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", "x"), ("transfer-encoding", "chunked")]),
    ("connection", &[(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "x"), ("connection", "close")]),
    ("upgrade", &[(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "x"), ("upgrade", "h2c")]),
    ("te", &[(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "x"), ("te", "gzip")]),
    ("lengths that differ", &[(":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", "x"), ("content-length", "5"), ("content-length", "6")]),
    ("signed length", &[(":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", "x"), ("content-length", "+5")]),
    ("empty length", &[(":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", "x"), ("content-length", "")]),
];

#[test]
fn malformed_requests_reach_no_server() {
    let (o, log) = recorder();
    let (_h, port) = proxy(o.port(), "");
    for (what, fields) in MALFORMED {
        let mut c = H2::connect(port);
        c.headers(1, fields, true);
        let r = c.outcome(1);
        assert!(r.is_refused() || r.status() == 400, "{what}: {r:?}");
        assert!(log.lock().is_empty(), "{what}: {:?}", log.lock());
    }
    still_serves(port);
}

/// What breaks HTTP/2 has its stream reset, what is merely no request of HTTP is answered; both are logged, and neither
/// hurts the connection.
#[test]
fn malformed_requests_are_told_from_invalid_ones() {
    let log = LogSink::new();
    let (o, seen) = recorder();
    let logs = format!(
        "log 127.0.0.1:{} local0\n  option dontlognull\n  log-format \"%ST %ts %{{+Q}}r\"",
        log.port()
    );
    let (_h, port) = proxy(o.port(), &logs);
    let answered = [
        (":method", "GET?"),
        (":method", "G T"),
        (":method", "G\u{e9}"),
        (":scheme", ""),
        (":scheme", "1http"),
        (":scheme", "http:"),
        (":scheme", "http://localhost/?"),
        (":path", "/a\x7f"),
    ];
    let reset = [
        (":method", ""),
        (":method", "GET\r\n"),
        (":path", "/a#b"),
        (":path", "#"),
        (":path", "a"),
        (":path", "/a b"),
        (":authority", "u@x"),
        (":authority", "x#y"),
        (":authority", "[x"),
        ("a\"b", "1"),
        ("Abc", "1"),
        ("a", "1\n"),
        ("te", "trailers, gzip"),
        ("content-length", "0, 1"),
        (":unknown", "1"),
    ];
    let mut c = H2::connect(port);
    let mut stream = 1;
    for (status, cases) in [(400, &answered[..]), (0, &reset)] {
        for (name, value) in cases {
            let mut fields = request("GET", "/").to_vec();
            match fields.iter_mut().find(|f| f.0 == *name) {
                Some(f) => f.1 = value,
                None => fields.push((name, value)),
            }
            c.headers(stream, &fields, true);
            let r = c.outcome(stream);
            let got = if r.is_refused() { 0 } else { r.status() };
            assert_eq!((got, r.goaway), (status, None), "{name}: {value:?}: {r:?}");
            stream += 2;
        }
    }
    c.get(stream, "/fine");
    assert_eq!(c.outcome(stream).status(), 200);
    assert_eq!(seen.lock().len(), 1, "{:?}", seen.lock());
    log.wait_for("/fine");
    let lines = log.lines();
    let bad = |status: &str| {
        lines.iter().filter(|l| l.trim_end().ends_with(&format!("{status} PR \"<BADREQ>\""))).count()
    };
    assert_eq!((bad(" 400"), bad(" 0")), (answered.len(), reset.len()), "{lines:?}");
}

/// What makes no sense as a whole is logged once, whoever found it.
#[test]
fn broken_connections_are_logged() {
    let log = LogSink::new();
    let (o, _) = recorder();
    let logs = format!(
        "log 127.0.0.1:{} local0\n  option dontlognull\n  log-format \"%ST %ts %{{+Q}}r %[fc_glitches]\"",
        log.port()
    );
    let (_h, port) = proxy(o.port(), &logs);
    // Nothing at all is what the option is for.
    drop(std::net::TcpStream::connect(("127.0.0.1", port)).unwrap());
    let mut cut = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    std::io::Write::write_all(&mut cut, b"PRI * HTTP").unwrap();
    drop(cut);
    assert!(log.wait_for("BADREQ").trim_end().ends_with("0 PR \"<BADREQ>\" 2"));
    let broken: [(u8, u8, u32, &[u8]); 4] = [
        (kind::PING, 0, 0, &[0; 7]),
        (kind::DATA, 0, 1, b"x"),
        (kind::HEADERS, END_HEADERS, 1, &[0x80]),
        (kind::SETTINGS, 0, 0, &[0, 4, 0xff, 0, 0, 0]),
    ];
    for (kind, flags, stream, payload) in broken {
        let mut c = H2::connect(port);
        c.frame(kind, flags, stream, payload);
        while c.next_frame().is_some() {}
    }
    assert!(until(20_000, || log.lines().len() > broken.len()), "{:?}", log.lines());
    let lines = log.lines();
    assert!(lines.iter().skip(1).all(|l| l.trim_end().ends_with("0 PR \"<BADREQ>\" 1")), "{lines:?}");
}

/// Small blocks that stand for large heads.
#[test]
fn what_blocks_stand_for_is_bounded() {
    let (o, log) = recorder();
    let (h, port) = proxy(o.port(), "");
    still_serves(port);
    let rss = h.rss_kib();
    let mut c = H2::connect(port);
    // An entry as large as the table takes, and then its index.
    let bomb = |times: usize| {
        let mut b = block(&request("GET", "/"));
        b.extend([0x40, 1, b'x', 0x7f, 0xa1, 0x1e]);
        b.extend([b'v'; 4000]);
        b.resize(b.len() + times, 0xbe);
        b
    };
    for i in 0..20 {
        c.frame(kind::HEADERS, END_HEADERS | 1, 2 * i + 1, &bomb(10));
        assert!(c.outcome(2 * i + 1).is_refused());
    }
    c.get(41, "/well");
    assert_eq!(c.outcome(41).status(), 200, "it hurts nobody else");
    c.frame(kind::HEADERS, END_HEADERS | 1, 43, &bomb(10_000));
    let r = c.outcome(43);
    assert!(r.goaway.is_some_and(|code| code != 0), "no accident: {r:?}");
    still_serves(port);
    assert!(h.rss_kib() < rss + 10 * 1024, "{rss} KiB, then {}", h.rss_kib());
    assert!(log.lock().iter().all(|r| r.starts_with("GET /well")));
}

/// Odd, and no business of a proxy's.
#[test]
fn odd_requests_pass_as_they_are() {
    let (o, seen) = recorder();
    let (_h, port) = proxy(o.port(), "");
    for (name, value, line) in [
        (":path", "/\"<>\\^`{|}\u{e9}", "GET /\"<>\\^`{|}\u{e9} HTTP/1.1"),
        (":authority", "a:b:c", "host: a:b:c"),
        (":authority", "a%b|c", "host: a%b|c"),
        (":authority", "x:80", "host: x"),
        (":authority", "x:080", "host: x:080"),
        (":authority", "", "host: "),
        (":scheme", "HTTP", "GET / HTTP/1.1"),
        ("x-odd", "a\x01\x7fb", "x-odd: a\x01\x7fb"),
        ("content-length", "0, 0", "content-length: 0"),
        ("http2-settings", "AAA", "http2-settings: AAA"),
    ] {
        let mut fields = vec![(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "x")];
        match fields.iter_mut().find(|f| f.0 == name) {
            Some(f) => f.1 = value,
            None => fields.push((name, value)),
        }
        let mut c = H2::connect(port);
        c.headers(1, &fields, true);
        assert_eq!(c.outcome(1).status(), 200, "{name}: {value:?}");
        let head = seen.lock().pop().unwrap_or_default();
        assert!(head.lines().any(|l| l == line), "{name}: {value:?}: {head:?}");
    }
}

#[test]
fn malformed_requests_are_logged() {
    let log = LogSink::new();
    let (o, _) = recorder();
    let (_h, port) = proxy(
        o.port(),
        &format!("log 127.0.0.1:{} local0\n  option httplog\n  option dontlognull", log.port()),
    );
    let mut c = H2::connect(port);
    let mut fields = request("GET", "/").to_vec();
    fields.push(("connection", "close"));
    c.headers(1, &fields, true);
    c.get(3, "/well");
    assert!(c.outcome(3).status() == 200);
    let line = log.wait_for("BADREQ");
    assert!(
        line.contains(" l l/<NOSRV> -1/-1/-1/-1/")
            && line.contains(" 0 0 - - PR-- ")
            && line.contains(" \"<BADREQ>\""),
        "{line}"
    );
    assert_eq!(log.wait_for("/well").matches(" 200 ").count(), 1);
    // One that the session saw is logged by it alone.
    let mut fields = request("POST", "/short").to_vec();
    fields.push(("content-length", "5"));
    c.headers(5, &fields, false);
    c.data(5, b"x", true);
    log.wait_for("/short");
    let bad = log.lines().iter().filter(|l| l.contains("BADREQ")).count();
    assert_eq!(bad, 1, "{:?}", log.lines());
}

#[test]
fn length_and_body_have_to_agree() {
    let (o, log) = recorder();
    let (_h, port) = proxy(o.port(), "");
    for (length, body) in
        [("5", "hello GET /smuggled HTTP/1.1\r\n\r\n"), ("5", "hell"), ("0", "x"), ("10", "")]
    {
        let mut c = H2::connect(port);
        let mut fields = request("POST", "/").to_vec();
        fields.push(("content-length", length));
        c.headers(1, &fields, false);
        c.data(1, body.as_bytes(), true);
        let r = c.outcome(1);
        assert!(r.is_refused() || r.status() >= 400, "{length} / {body}: {r:?}");
    }
    // A length without a body, and the end in the head.
    let mut c = H2::connect(port);
    let mut fields = request("POST", "/").to_vec();
    fields.push(("content-length", "7"));
    c.headers(1, &fields, true);
    let r = c.outcome(1);
    assert!(r.is_refused() || r.status() >= 400, "{r:?}");
    still_serves(port);
    let seen = log.lock();
    assert!(seen.iter().all(|r| r.starts_with("GET /well")), "only whole requests: {seen:?}");
}

#[test]
fn an_empty_body_is_waited_for() {
    let (o, log) = recorder();
    let (_h, port) = proxy(o.port(), "");
    let mut c = H2::connect(port);
    let mut fields = request("POST", "/").to_vec();
    fields.push(("content-length", "0"));
    c.headers(1, &fields, false);
    c.get(3, "/other");
    assert_eq!(c.outcome(3).status(), 200);
    assert_eq!(log.lock().len(), 1, "{:?}", log.lock());
    c.data(1, b"", true);
    assert_eq!(c.outcome(1).status(), 200);
    assert!(log.lock()[1].ends_with("content-length: 0\r\n\r\n"), "{:?}", log.lock());
}

#[test]
fn a_body_that_ends_early_breaks_the_servers_request_off() {
    let got = Arc::new(Mutex::new(None));
    let to = got.clone();
    let o = Origin::raw(move |mut s, _| {
        let mut all = Vec::new();
        let _ = std::io::Read::read_to_end(&mut s, &mut all);
        *to.lock() = Some(String::from_utf8_lossy(&all).into_owned());
    });
    let (_h, port) = proxy(o.port(), "");
    let mut c = H2::connect(port);
    let mut fields = request("POST", "/").to_vec();
    fields.push(("content-length", "5"));
    c.headers(1, &fields, false);
    c.data(1, b"he", false);
    assert!(until(20_000, || o.connections() == 1));
    c.data(1, b"", true);
    let r = c.outcome(1);
    assert!(r.is_refused() || r.status() == 400, "{r:?}");
    assert!(until(20_000, || got.lock().is_some()));
    let seen = got.lock().take().unwrap();
    let body = seen.split_once("\r\n\r\n").map_or("", |s| s.1);
    assert!(body.len() < 5 && "he".starts_with(body), "{seen:?}");
}

#[test]
fn empty_data_now_and_then_ends_no_connection() {
    const PADDED: u8 = 8;
    let (o, log) = recorder();
    let (_h, port) = proxy(o.port(), "");
    let mut c = H2::connect(port);
    for i in 0..20 {
        let stream = 2 * i + 1;
        c.headers(stream, &request("POST", "/"), false);
        for _ in 0..10 {
            c.data(stream, b"", false);
            c.frame(kind::DATA, PADDED, stream, &[&[255], &[0; 255][..]].concat());
        }
        c.data(stream, b"x", true);
        assert_eq!(c.outcome(stream).status(), 200, "request {i}");
    }
    assert_eq!(log.lock().len(), 20);
    assert!(log.lock().iter().all(|r| r.ends_with("\r\n\r\nx")), "{:?}", log.lock());
}

#[test]
fn fragments_are_refused_unless_asked_for() {
    let (o, log) = recorder();
    let (_h, port) = proxy(o.port(), "http-request deny if { path_end .secret }");
    for path in ["/a#b", "/x.secret#y", "/x#.secret"] {
        let mut c = H2::connect(port);
        c.get(1, path);
        assert!(c.outcome(1).is_refused(), "{path}");
    }
    assert!(log.lock().is_empty());
    let (_h, port) = proxy(o.port(), "option accept-unsafe-violations-in-http-request");
    let mut c = H2::connect(port);
    c.get(1, "/a#b");
    assert_eq!(c.outcome(1).status(), 200);
    assert!(log.lock()[0].starts_with("GET /a#b HTTP/1.1"), "{:?}", log.lock());
}

#[test]
fn authority_wins_over_host() {
    let (o, log) = recorder();
    let (_h, port) = proxy(o.port(), "");
    let mut c = H2::connect(port);
    let mut fields = request("GET", "/").to_vec();
    fields.push(("host", "other.example"));
    c.headers(1, &fields, true);
    let r = c.outcome(1);
    let seen = log.lock();
    if r.status() == 200 {
        let hosts: Vec<&str> =
            seen[0].lines().filter(|l| l.to_ascii_lowercase().starts_with("host:")).collect();
        assert_eq!(hosts.len(), 1, "{hosts:?}");
        assert!(hosts[0].ends_with("x.example"), "{hosts:?}");
    } else {
        assert!(seen.is_empty() && (r.is_refused() || r.status() == 400), "{r:?}");
    }
}

#[test]
fn trailers_bring_no_framing_along() {
    let (o, log) = recorder();
    let (_h, port) = proxy(o.port(), "");
    for trailer in [("content-length", "3"), ("transfer-encoding", "chunked"), ("host", "y"), (":path", "/x")]
    {
        let mut c = H2::connect(port);
        c.headers(1, &request("POST", "/"), false);
        c.data(1, b"abc", false);
        c.headers(1, &[trailer, ("x-sum", "1")], true);
        let _ = c.outcome(1);
    }
    still_serves(port);
    for r in log.lock().iter() {
        let (_, rest) = r.split_once("\r\n\r\n").unwrap();
        assert!(!rest.to_ascii_lowercase().contains("transfer-encoding"), "{r}");
    }
}

#[test]
fn rapid_resets_cost_little_and_hurt_nobody() {
    let (o, log) = recorder();
    let (h, port) = proxy(o.port(), "");
    still_serves(port);
    let (rss, cpu) = (h.rss_kib(), h.cpu_ms());
    let mut c = H2::connect(port);
    let head = block(&request("GET", "/"));
    let mut sent = 0u32;
    // Ten thousand requests, each taken back at once; whoever is sent away has lost.
    for i in 0..10_000u32 {
        let ok = c.frame(kind::HEADERS, END_HEADERS | 1, 2 * i + 1, &head)
            && c.frame(kind::RST_STREAM, 0, 2 * i + 1, &8u32.to_be_bytes());
        if !ok {
            break;
        }
        sent += 1;
        if i == 1000 {
            still_serves(port);
        }
    }
    drop(c);
    still_serves(port);
    let reached = log.lock().iter().filter(|r| r.starts_with("GET / ")).count();
    assert!(h.rss_kib() < rss + 10 * 1024, "{rss} KiB, then {}", h.rss_kib());
    assert!(reached <= sent as usize, "no request is made up");
    // A debug build on a slow machine, and still far from a request's price each.
    assert!(h.cpu_ms() - cpu < 20_000, "{} ms of CPU for {sent} resets", h.cpu_ms() - cpu);
}

#[test]
fn floods_of_small_frames_grow_nothing() {
    let (o, _) = recorder();
    let (h, port) = proxy(o.port(), "");
    still_serves(port);
    let rss = h.rss_kib();
    let floods: [(&str, u8, u8, u32, &[u8]); 5] = [
        ("PING", kind::PING, 0, 0, &[0; 8]),
        ("SETTINGS", kind::SETTINGS, 0, 0, b""),
        ("empty DATA", kind::DATA, 0, 1, b""),
        ("WINDOW_UPDATE", kind::WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]),
        ("unknown", 0x42, 0, 0, b"x"),
    ];
    for (what, frame, flags, stream, payload) in floods {
        let mut c = H2::connect(port);
        c.headers(1, &request("POST", "/"), false);
        for _ in 0..20_000 {
            if !c.frame(frame, flags, stream, payload) {
                break;
            }
        }
        still_serves(port);
        assert!(h.rss_kib() < rss + 10 * 1024, "{what}: {rss} KiB, then {}", h.rss_kib());
    }
}

#[test]
fn heads_that_never_end_are_cut_off() {
    let (o, log) = recorder();
    let (h, port) = proxy(o.port(), "");
    still_serves(port);
    let rss = h.rss_kib();
    let mut c = H2::connect(port);
    c.frame(kind::HEADERS, 1, 1, &block(&request("GET", "/")));
    let more = block(&[("x-filler", &"f".repeat(8000))]);
    let mut cut = false;
    for _ in 0..2000 {
        if !c.frame(kind::CONTINUATION, 0, 1, &more) {
            cut = true;
            break;
        }
    }
    assert!(cut, "16 MB of one head were taken");
    assert!(h.rss_kib() < rss + 10 * 1024, "{rss} KiB, then {}", h.rss_kib());
    still_serves(port);
    assert!(log.lock().iter().all(|r| r.starts_with("GET /well")));
}

#[test]
fn heads_that_are_too_large_are_refused_alone() {
    let (o, log) = recorder();
    let (_h, port) = proxy(o.port(), "");
    let mut c = H2::connect(port);
    let big = "b".repeat(15_000);
    let mut fields = request("GET", "/big").to_vec();
    fields.extend([("x-a", big.as_str()), ("x-b", big.as_str())]);
    let all = block(&fields);
    let (first, rest) = all.split_at(16_000);
    c.frame(kind::HEADERS, 1, 1, first);
    c.frame(kind::CONTINUATION, END_HEADERS, 1, rest);
    let r = c.outcome(1);
    assert!(r.is_refused() || matches!(r.status(), 400 | 431), "{r:?}");
    still_serves(port);
    assert!(log.lock().iter().all(|r| r.starts_with("GET /well")));
}

#[test]
fn glitches_are_counted_and_may_end_a_connection() {
    const ENHANCE_YOUR_CALM: u32 = 11;
    let port = free_port();
    let cfg = format!(
        "global\n  nbthread 1\n  tune.h2.fe.glitches-threshold 8\ndefaults\n  mode http\n  timeout client 5s\n\
         frontend fe\n  bind 127.0.0.1:{port} proto h2\n  http-request return status 200 content-type text/plain \
         lf-string \"%[fc_glitches]\"\n"
    );
    let _h = Hawser::start(bin(), &cfg, &[port]);
    let mut c = H2::connect(port);
    c.get(1, "/");
    assert_eq!(c.outcome(1).body, b"0");
    for i in 0..3 {
        // A path that is none: the stream is refused, and it was no accident.
        c.get(3 + 2 * i, "no-slash");
        assert!(c.outcome(3 + 2 * i).is_refused());
    }
    c.get(21, "/");
    assert_eq!(c.outcome(21).body, b"3");
    let mut last = None;
    for i in 0..20 {
        c.get(23 + 2 * i, "no-slash");
        let r = c.outcome(23 + 2 * i);
        last = last.or(r.goaway.filter(|code| *code != 0));
        if r.closed {
            break;
        }
    }
    assert_eq!(last, Some(ENHANCE_YOUR_CALM));
}
