//! What becomes of both connections of an exchange that does not go by the book.

use hawser_testkit::{Client, Hawser, LogSink, Origin, binary, free_port, pause};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

fn bin() -> &'static str {
    binary(env!("CARGO_BIN_EXE_hawser"))
}

fn proxy(origin: u16, extra: &str) -> (Hawser, u16) {
    let port = free_port();
    let cfg = format!(
        "global\n  nbthread 1\ndefaults\n  mode http\n  timeout connect 2s\n  timeout client 5s\n  timeout server 5s\n\
         listen l\n  bind 127.0.0.1:{port}\n  {extra}\n  server s1 127.0.0.1:{origin}\n"
    );
    (Hawser::start(bin(), &cfg, &[port]), port)
}

/// Reads until the text is there; all that came.
fn read_until(s: &mut TcpStream, text: &str) -> String {
    let (mut all, mut piece) = (Vec::new(), [0; 4096]);
    while !String::from_utf8_lossy(&all).to_ascii_lowercase().contains(&text.to_ascii_lowercase()) {
        match s.read(&mut piece) {
            Ok(n) if n > 0 => all.extend_from_slice(&piece[..n]),
            _ => break,
        }
    }
    String::from_utf8_lossy(&all).into_owned()
}

/// An origin that sends what it read, and how its connection ended, to the test.
fn observed(
    f: impl Fn(&mut TcpStream) -> String + Send + Sync + 'static,
) -> (Origin, Receiver<(String, String)>) {
    let (tx, rx) = channel();
    let tx = parking_lot::Mutex::new(tx);
    let origin = Origin::raw(move |mut s, _| {
        let _ = s.set_read_timeout(Some(Duration::from_secs(8)));
        let mut got = f(&mut s);
        let mut piece = [0; 4096];
        let end = loop {
            match s.read(&mut piece) {
                Ok(0) => break "closed",
                Ok(n) => got.push_str(&String::from_utf8_lossy(&piece[..n])),
                Err(e) if e.kind() == ErrorKind::ConnectionReset => break "reset",
                Err(_) => break "silent",
            }
        };
        let _ = tx.lock().send((got, end.to_owned()));
    });
    (origin, rx)
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[test]
fn a_response_before_the_whole_request_costs_no_connection() {
    let (o, seen) = observed(|s| {
        let first = read_until(s, "abc");
        let _ = s.write_all(OK);
        let second = read_until(s, "/next HTTP/1.1\r\nHost: x\r\n\r\n");
        let _ = s.write_all(OK);
        first + &second
    });
    let (h, port) = proxy(o.port(), "");
    let mut c = Client::connect(port);
    assert_eq!(c.ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc").status, 200);
    c.send("defghij");
    pause(50);
    assert_eq!(c.ask("GET /next HTTP/1.1\r\nHost: x\r\n\r\n").text(), "ok");
    drop(c);
    drop(h);
    let (got, _) = seen.recv_timeout(Duration::from_secs(8)).unwrap();
    assert!(got.contains("abcdefghijGET /next"), "one connection carried both: {got:?}");
}

#[test]
fn what_a_server_does_not_take_any_more_is_thrown_away() {
    let o = Origin::raw(|mut s, n| {
        if n < 2 {
            read_until(&mut s, "abc");
            let _ = s.write_all(b"HTTP/1.1 413 Too much\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno");
        } else {
            read_until(&mut s, "\r\n\r\n");
            let _ = s.write_all(OK);
        }
    });
    let (_h, port) = proxy(o.port(), "");
    for late in ["defghij", ""] {
        let mut c = Client::connect(port);
        let head = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\nabc", 3 + late.len());
        assert_eq!(c.ask(head).text(), "no");
        pause(50);
        c.send(late);
        if late.is_empty() {
            assert_eq!(c.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n").text(), "ok");
        } else {
            assert!(c.silent_for(100), "the rest of the body is taken");
        }
    }
}

#[test]
fn a_refused_tunnel_leaves_both_connections_in_use() {
    let (o, seen) = observed(|s| {
        let first = read_until(s, "\r\n\r\n");
        let _ = s.write_all(b"HTTP/1.1 407 Who\r\nProxy-Authenticate: NTLM\r\nContent-Length: 2\r\n\r\nno");
        let second = read_until(s, "Authorization: me\r\n\r\n");
        let _ = s.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        first + &second
    });
    let (_h, port) = proxy(o.port(), "");
    let mut c = Client::connect(port);
    c.send("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n");
    assert_eq!(c.recv_for("CONNECT").status, 407);
    c.send("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nProxy-Authorization: me\r\n\r\n");
    assert_eq!(c.recv_for("CONNECT").status, 200);
    c.send("through").finish();
    let (got, end) = seen.recv_timeout(Duration::from_secs(8)).unwrap();
    assert_eq!(got.matches("CONNECT a:1").count(), 2, "{got:?}");
    assert!(got.ends_with("through") && end == "closed", "{got:?} {end}");
}

/// What comes behind a CONNECT goes to the server only once there is a tunnel: it may be another request.
#[test]
fn early_bytes_wait_for_the_tunnel() {
    let (o, seen) = observed(|s| {
        let first = read_until(s, "\r\n\r\n");
        let _ = s.set_read_timeout(Some(Duration::from_millis(200)));
        let more = read_until(s, "GET");
        let _ = s.set_read_timeout(Some(Duration::from_secs(8)));
        assert_eq!(more, "");
        let _ = s.write_all(b"HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno");
        let second = read_until(s, "\r\n\r\n");
        let _ = s.write_all(OK);
        format!("{first}<403>{second}")
    });
    let (h, port) = proxy(o.port(), "");
    let mut c = Client::connect(port);
    c.send("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(c.recv_for("CONNECT").status, 403);
    assert_eq!(c.recv().text(), "ok");
    drop((c, h));
    let (got, _) = seen.recv_timeout(Duration::from_secs(8)).unwrap();
    assert!(got.contains("<403>GET /2"), "{got:?}");
}

/// Connections that the proxy is the first to close would keep their ports in TIME_WAIT.
#[test]
fn server_connections_that_the_proxy_ends_are_reset() {
    let (o, seen) = observed(|s| {
        let got = read_until(s, "\r\n\r\n");
        let _ = s.write_all(OK);
        got
    });
    let (_h, port) = proxy(o.port(), "option http-server-close");
    let mut c = Client::connect(port);
    assert_eq!(c.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n").status, 200);
    let (_, end) = seen.recv_timeout(Duration::from_secs(8)).unwrap();
    assert_eq!(end, "reset");
    // A server that was told the end and has closed too gets an ordinary close.
    let (o, seen) = observed(|s| read_until(s, "bye"));
    let (_h, port) = proxy(o.port(), "mode tcp");
    Client::connect(port).send("bye").finish();
    let (_, end) = std::iter::repeat_with(|| seen.recv_timeout(Duration::from_secs(8)).unwrap())
        .find(|(got, _)| got == "bye")
        .unwrap();
    assert_eq!(end, "closed");
}

/// A body that is broken in the bytes that came with its head reaches nobody.
#[test]
fn broken_chunks_next_to_the_head_are_refused_at_once() {
    let o = Origin::http(|r| match r.line().contains("/bad") {
        true => b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc!".to_vec(),
        false => OK.to_vec(),
    });
    let (_h, port) = proxy(o.port(), "");
    let before = o.connections();
    for chunks in
        ["g\r\n", "3\r\nabcd\r\n0\r\n\r\n", "3\r\nabc\r\n0\r\nX : y\r\n\r\n", "3;\"\r\nabc\r\n0\r\n\r\n"]
    {
        let head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(Client::connect(port).ask(format!("{head}{chunks}")).status, 400, "{chunks:?}");
    }
    assert_eq!(o.connections(), before, "no server heard of it");
    assert_eq!(Client::connect(port).ask("GET /bad HTTP/1.1\r\nHost: x\r\n\r\n").status, 502);
}

#[test]
fn a_client_that_closes_its_side_gets_a_400() {
    let o = Origin::raw(|mut s, _| {
        read_until(&mut s, "\r\n\r\n");
        read_until(&mut s, "never");
    });
    let (_h, port) = proxy(o.port(), "");
    let mut c = Client::connect(port);
    c.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").finish();
    assert_eq!(c.recv().status, 400);
}

#[test]
fn relaxed_parsing_takes_other_protocols_as_they_are() {
    let (o, seen) = observed(|s| {
        let got = read_until(s, "\r\n\r\n");
        let _ = s.write_all(b"ICY 200 OK\r\nContent-Length: 2\r\n\r\nok");
        got
    });
    let options =
        "option accept-unsafe-violations-in-http-request\n  option accept-unsafe-violations-in-http-response";
    let (_h, port) = proxy(o.port(), options);
    for (sent, want) in
        [("GET /a RTSP/1.0\r\nHost: x\r\n\r\n", "GET /a RTSP/1.0\r\n"), ("GET /b\r\n", "GET /b HTTP/1.0\r\n")]
    {
        let mut c = Client::connect(port);
        c.send(sent);
        let answer = String::from_utf8_lossy(&c.rest()).into_owned();
        assert!(answer.starts_with("ICY 200 OK\r\n") && answer.ends_with("ok"), "{answer:?}");
        drop(c);
        let (got, _) = std::iter::repeat_with(|| seen.recv_timeout(Duration::from_secs(8)).unwrap())
            .find(|(got, _)| !got.is_empty())
            .unwrap();
        assert!(got.starts_with(want), "{got:?}");
    }
}

/// An answer of the proxy does not wait for the request's body, and the connection lives on behind it.
#[test]
fn answers_of_the_proxy_leave_the_connection_to_the_next_request() {
    let o = Origin::fixed("a", "ok");
    let extra = "http-request redirect location /n if { path /r }\n  http-request deny if { path /d }\n  \
                 http-request return status 200 if { path /l }";
    let (_h, port) = proxy(o.port(), extra);
    for (path, status) in [("/r", 302), ("/d", 403), ("/l", 200)] {
        let mut c = Client::connect(port);
        let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 50000\r\n\r\nabc");
        let r = c.ask(head);
        assert_eq!((r.status, r.field("connection")), (status, None), "{path}");
        c.send(vec![b'x'; 49_997]);
        assert_eq!(c.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n").text(), "ok", "{path}");
    }
}

/// Logs tell the status that was meant, not the one that its replacement shows to the client, and who answered.
#[test]
fn logs_tell_what_was_meant() {
    let log = LogSink::new();
    let (port, o) = (free_port(), Origin::fixed("a", "ok"));
    let cfg = format!(
        "global\n  log 127.0.0.1:{} local0\ndefaults\n  mode http\n  log global\n  timeout connect 2s\n  timeout client 5s\n  timeout server 5s\n\
         listen l\n  bind 127.0.0.1:{port}\n  log-format \"%HP %ST %tsc %[var(req.x)]-%[var(txn.x)]\"\n  errorloc 403 /sorry\n  \
         http-request set-var(req.x) str(a)\n  http-request set-var(txn.x) str(b)\n  \
         http-request deny if {{ path /d }}\n  http-request auth if {{ path /a }}\n  \
         http-response set-header v %[var(req.x)]%[var(txn.x)]\n  server s 127.0.0.1:{}\n",
        log.port(),
        o.port()
    );
    let _h = Hawser::start(bin(), &cfg, &[port]);
    let ask = |path: &str| Client::connect(port).ask(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_eq!(ask("/d").status, 302);
    log.wait_for("/d 403 PR-- ");
    assert_eq!(ask("/a").status, 401);
    log.wait_for("/a 401 LR-- ");
    // What a rule set for the request is gone when there is a response.
    assert_eq!(ask("/s").field("v"), Some("b"));
    log.wait_for("/s 200 ---- --b");
}
