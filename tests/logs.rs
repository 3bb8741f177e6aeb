//! Log lines that tools parse.

use hawser_testkit::wire::ask;
use hawser_testkit::{Client, Hawser, LogSink, Origin, binary, free_port, pause, until};
use std::io::{Read, Write};

fn bin() -> &'static str {
    binary(env!("CARGO_BIN_EXE_hawser"))
}

fn world(options: &str, origin: u16, mode: &str) -> (Hawser, u16, LogSink) {
    let (port, log) = (free_port(), LogSink::new());
    let cfg = format!(
        "global\n  log 127.0.0.1:{} local0\ndefaults\n  mode {mode}\n  log global\n  timeout connect 1s\n  timeout client 5s\n  timeout server 5s\n\
         frontend fe\n  bind 127.0.0.1:{port}\n  {options}\n  default_backend be\nbackend be\n  server s1 127.0.0.1:{origin}\n",
        log.port()
    );
    (Hawser::start(bin(), &cfg, &[port]), port, log)
}

/// The format of `option httplog` as log processors match it.
#[test]
fn httplog_has_haproxys_fields() {
    let o = Origin::fixed("a", "hello");
    let (_h, port, log) = world("option httplog\n  option dontlognull", o.port(), "http");
    let mut c = Client::connect(port);
    assert_eq!(c.ask("GET /path?x=1 HTTP/1.1\r\nHost: h\r\n\r\n").status, 200);
    let l = log.wait_for("GET /path");
    // <134>Nov 23 07:00:00 haproxy[1]: 127.0.0.1:1 [23/Nov/2026:07:00:00.000] fe be/s1 0/0/0/0/0 200 60 - - ---- 1/1/0/0/0 0/0 "GET /path?x=1 HTTP/1.1"
    assert!(l.starts_with("<134>"), "{l}");
    let rest = l.split_once("]: ").unwrap().1;
    let f: Vec<&str> = rest.trim_end().split(' ').collect();
    assert!(f[0].starts_with("127.0.0.1:"), "{l}");
    assert!(
        f[1].starts_with('[') && f[1].ends_with(']') && f[1].len() == "[23/Nov/2026:07:00:00.000]".len(),
        "{l}"
    );
    assert_eq!((f[2], f[3]), ("fe", "be/s1"), "{l}");
    assert_eq!(f[4].split('/').count(), 5, "{l}");
    assert!(f[4].split('/').all(|t| t.parse::<i64>().is_ok_and(|t| (0..20_000).contains(&t))), "{l}");
    assert_eq!((f[5], f[7], f[8], f[9]), ("200", "-", "-", "----"), "{l}");
    let head = "HTTP/1.1 200 OK\r\nX-Origin: a\r\nContent-Length: 5\r\n\r\n".len() + 5;
    assert!(f[6].parse::<usize>().is_ok_and(|n| n.abs_diff(head) < 40), "bytes: {l}");
    assert_eq!(f[10].split('/').count(), 5, "{l}");
    assert_eq!(f[11], "0/0", "{l}");
    assert_eq!(f[12..].join(" "), "\"GET /path?x=1 HTTP/1.1\"", "{l}");
}

#[test]
fn captures_appear_between_braces() {
    let o = Origin::fixed("a", "hello");
    let (_h, port, log) = world(
        "option httplog\n  capture request header Host len 20\n  capture request header X-Missing len 5\n  capture response header X-Origin len 20",
        o.port(),
        "http",
    );
    ask(port, "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n");
    let l = log.wait_for("GET / ");
    assert!(l.contains(" {example.org|} {a} \"GET"), "{l}");
}

#[test]
fn tcplog_has_haproxys_fields() {
    let o = Origin::fixed("a", "hello");
    let (_h, port, log) = world("option tcplog\n  option dontlognull", o.port(), "tcp");
    ask(port, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    let l = log.wait_for("be/s1");
    let rest = l.split_once("]: ").unwrap().1;
    let f: Vec<&str> = rest.trim_end().split(' ').collect();
    assert_eq!((f[2], f[3]), ("fe", "be/s1"), "{l}");
    assert_eq!(f[4].split('/').count(), 3, "{l}");
    assert!(f[5].parse::<u64>().unwrap() > 40, "{l}");
    assert_eq!(f[6].len(), 2, "{l}");
    assert_eq!((f[7].split('/').count(), f[8]), (5, "0/0"), "{l}");
}

#[test]
fn custom_formats_evaluate_aliases_and_expressions() {
    let o = Origin::fixed("a", "hello");
    let (_h, port, log) = world(
        "log-format \"%ci|%HM|%HP|%HV|%ST|%ft|%b|%s|%[var(txn.h),upper]|%{+Q}[var(txn.v)]|%tsc|%U\"\n  http-request set-var(txn.v) str(quoted)\n  http-request set-var(txn.h) req.hdr(host)",
        o.port(),
        "http",
    );
    ask(port, "GET /p?q HTTP/1.1\r\nHost: h.example\r\n\r\n");
    let l = log.wait_for("H.EXAMPLE");
    let rest = l.split_once("]: ").unwrap().1;
    assert!(rest.starts_with("127.0.0.1|GET|/p|HTTP/1.1|200|fe|be|s1|H.EXAMPLE|\"quoted\"|----|"), "{l}");
}

#[test]
fn refusals_and_bad_requests_are_told_apart() {
    let o = Origin::fixed("a", "hello");
    let (_h, port, log) = world(
        "option httplog\n  option dontlognull\n  http-request deny if { path /no }\n  http-request return status 200 if { path /local }",
        o.port(),
        "http",
    );
    ask(port, "GET /no HTTP/1.1\r\nHost: h\r\n\r\n");
    let l = log.wait_for("GET /no");
    assert!(l.contains(" fe/<NOSRV> ") || l.contains(" be/<NOSRV> "), "{l}");
    assert!(l.contains(" 403 ") && l.contains(" PR-- "), "{l}");
    ask(port, "GET /local HTTP/1.1\r\nHost: h\r\n\r\n");
    assert!(log.wait_for("GET /local").contains(" LR-- "), "{:#?}", log.lines());
    ask(port, "nonsense\r\n\r\n");
    assert!(log.wait_for(" 400 ").contains(" PR-- "), "{:#?}", log.lines());
}

#[test]
fn dontlognull_hides_connections_without_data() {
    let (_h, port, log) = world("option httplog\n  option dontlognull", free_port(), "http");
    for _ in 0..3 {
        drop(Client::connect(port));
    }
    pause(400);
    assert!(log.lines().iter().all(|l| !l.contains("BADREQ")), "{:#?}", log.lines());
}

#[test]
fn a_client_that_leaves_early_is_cd_or_ch() {
    let o = Origin::raw(|mut s, _| {
        let _ = s.read(&mut [0; 4096]);
        let _ = s.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
        while s.write_all(&[b'x'; 65_536]).is_ok() {}
    });
    let (_h, port, log) = world("option httplog", o.port(), "http");
    let mut c = Client::connect(port);
    c.send("GET /gone HTTP/1.1\r\nHost: h\r\n\r\n");
    assert!(!c.take(1000).is_empty());
    drop(c);
    let l = log.wait_for("GET /gone");
    assert!(l.contains(" CD-- "), "{l}");
}

/// The bytes that are logged come from the server: an answer of our own has none.
#[test]
fn answers_of_our_own_have_no_bytes() {
    let o = Origin::fixed("a", "hello");
    let rules = "http-request deny if { path /no }\n  http-request return status 200 content-type text/plain string own if { path /own }";
    let format = "log-format \"%HP bytes=%B status=%ST\"";
    let (_h, port, log) = world(&format!("{rules}\n  {format}"), o.port(), "http");
    for (path, status) in [("/no", 403), ("/own", 200)] {
        assert_eq!(ask(port, format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n")).status, status);
        let l = log.wait_for(path);
        assert!(l.contains(&format!("bytes=0 status={status}")), "{l}");
    }
}

#[test]
fn request_lines_are_cut_at_logurilen_and_cookies_at_their_end() {
    let o = Origin::http(|_| {
        b"HTTP/1.1 200 OK\r\nSet-Cookie: a=xyz; path=/\r\nContent-Length: 2\r\n\r\nok".to_vec()
    });
    let (port, log) = (free_port(), LogSink::new());
    let cfg = format!(
        "global\n  log 127.0.0.1:{} local0\n  tune.http.logurilen 50\ndefaults\n  mode http\n  log global\n  option httplog\n  \
         timeout connect 1s\n  timeout client 5s\n  timeout server 5s\nfrontend fe\n  bind 127.0.0.1:{port}\n  \
         capture cookie a= len 9\n  default_backend be\nbackend be\n  server s1 127.0.0.1:{}\n",
        log.port(),
        o.port()
    );
    let _h = Hawser::start(bin(), &cfg, &[port]);
    ask(port, format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", "x".repeat(300)));
    let l = log.wait_for("GET /x");
    assert!(l.contains(" - a=xyz ---- "), "{l}");
    assert!(l.trim_end().ends_with(&format!(" \"GET /{}\"", "x".repeat(44))), "{l}");
}

/// HAProxy counts the request itself.
#[test]
fn a_place_in_the_queue_is_counted_from_one() {
    let o = Origin::http(|_| {
        pause(2000);
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec()
    });
    let (port, log) = (free_port(), LogSink::new());
    let cfg = format!(
        "global\n  log 127.0.0.1:{} local0\ndefaults\n  mode http\n  log global\n  option httplog\n  timeout connect 9s\n  \
         timeout client 9s\n  timeout server 9s\nlisten l\n  bind 127.0.0.1:{port}\n  server s1 127.0.0.1:{} maxconn 1\n",
        log.port(),
        o.port()
    );
    let _h = Hawser::start(bin(), &cfg, &[port]);
    let mut first = Client::connect(port);
    first.send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\n");
    assert!(until(20_000, || o.connections() == 1));
    let mut second = Client::connect(port);
    assert_eq!(second.ask("GET /2 HTTP/1.1\r\nHost: h\r\n\r\n").status, 200);
    assert!(log.wait_for("GET /1").contains(" 0/0 \"GET"), "{:?}", log.lines());
    assert!(log.wait_for("GET /2").contains(" 0/1 \"GET"), "{:?}", log.lines());
}

/// `log global` in both `defaults` and a proxy is one target, and what is no request has the format of errors.
#[test]
fn error_formats_and_repeated_targets() {
    let o = Origin::fixed("a", "hello");
    let formats = "log global\n  log-format \"fine %ST\"\n  error-log-format \"wrong %ST\"";
    let (_h, port, log) = world(&format!("{formats}\n  option dontlognull"), o.port(), "http");
    assert_eq!(ask(port, "GET / HTTP/1.1\r\nHost: h\r\n\r\n").status, 200);
    log.wait_for("fine 200");
    assert_eq!(ask(port, "GET\r\n\r\n").status, 400);
    log.wait_for("wrong 400");
    let lines = log.lines();
    assert_eq!(lines.iter().filter(|l| l.contains("fine 200")).count(), 1, "{lines:?}");
}

#[test]
fn streams_and_lines_are_numbered() {
    let o = Origin::fixed("a", "hello");
    let format = "log-format \"n=%rt lc=%lc id=%ID\"\n  unique-id-format %{+X}o%rt\n  option http-ignore-probes\n  option dontlognull";
    let (_h, port, log) = world(format, o.port(), "http");
    let mut c = Client::connect(port);
    for n in 0..3 {
        assert_eq!(c.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n").status, 200);
        log.wait_for(&format!("n={n} lc={n} id=000{n}"));
    }
}

#[test]
fn logs_go_to_abstract_sockets() {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixDatagram};
    let o = Origin::fixed("a", "hello");
    for (family, padded) in [("abns", true), ("abnsz", false)] {
        let (port, name) = (free_port(), format!("hawser-logs-{}-{family}", std::process::id()));
        let mut bytes = name.clone().into_bytes();
        bytes.resize(if padded { 107 } else { bytes.len() }, 0);
        let sink = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(bytes).unwrap()).unwrap();
        sink.set_read_timeout(Some(std::time::Duration::from_secs(5))).unwrap();
        let cfg = format!(
            "defaults\n  mode http\n  log {family}@{name} local0\n  option httplog\n  option dontlognull\n  timeout connect 1s\n  \
             timeout client 5s\n  timeout server 5s\nlisten l\n  bind 127.0.0.1:{port}\n  server s 127.0.0.1:{}\n",
            o.port()
        );
        let _h = Hawser::start(bin(), &cfg, &[port]);
        ask(port, "GET /here HTTP/1.1\r\nHost: h\r\n\r\n");
        let mut b = [0; 2048];
        loop {
            let n = sink.recv(&mut b).unwrap();
            if String::from_utf8_lossy(&b[..n]).contains("GET /here") {
                break;
            }
        }
    }
}
