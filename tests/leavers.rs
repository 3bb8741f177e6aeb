//! Clients that leave or fall silent: when that is noticed at each stage, what is logged and counted.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use hawser_testkit::net::now;
use hawser_testkit::{Client, Hawser, LogSink, Origin, binary, free_port, pause};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::AsRawFd;

fn bin() -> &'static str {
    binary(env!("CARGO_BIN_EXE_hawser"))
}

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const PART: &str = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc";

/// A port whose connections are neither accepted nor refused, for as long as the rest lives.
fn black_hole() -> (u16, TcpListener, Vec<TcpStream>) {
    let l = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = l.local_addr().unwrap();
    // SAFETY: shrinking the backlog of our own listening socket.
    unsafe { libc::listen(l.as_raw_fd(), 0) };
    let wait = std::time::Duration::from_millis(100);
    let fill = (0..4).filter_map(|_| TcpStream::connect_timeout(&addr, wait).ok()).collect();
    (addr.port(), l, fill)
}

struct World {
    _h: Hawser,
    port: u16,
    log: LogSink,
}

fn world(server: u16, extra: &str) -> World {
    let (port, log) = (free_port(), LogSink::new());
    let cfg = format!(
        "global\n  log 127.0.0.1:{} local0\ndefaults\n  mode http\n  log global\n  option httplog\n  timeout connect 4s\n  timeout client 20s\n  timeout server 4s\n  retries 0\n\
         listen l\n  bind 127.0.0.1:{port}\n  {extra}\n  server s 127.0.0.1:{server}\n",
        log.port()
    );
    World { _h: Hawser::start(bin(), &cfg, &[port]), port, log }
}

fn reset(c: &Client) {
    let linger = libc::linger { l_onoff: 1, l_linger: 0 };
    let len = u32::try_from(size_of::<libc::linger>()).unwrap();
    // SAFETY: the option's value is the structure that it wants.
    let done = unsafe {
        let value = std::ptr::from_ref(&linger).cast();
        libc::setsockopt(c.socket().as_raw_fd(), libc::SOL_SOCKET, libc::SO_LINGER, value, len)
    };
    assert_eq!(done, 0);
}

/// The client as log lines have it.
fn me(c: &Client) -> String {
    format!(" {} [", c.socket().local_addr().unwrap())
}

/// Sends, leaves, and waits for the line of the log; whether it came before any timeout of the server's side.
fn leave(w: &World, sent: &str, by_reset: bool) -> (String, bool) {
    let mut c = Client::connect(w.port);
    let me = me(&c);
    c.send(sent);
    pause(700);
    let t = now();
    if by_reset {
        reset(&c);
        drop(c);
    } else {
        let _ = c.socket().shutdown(Shutdown::Write);
        let _ = c.rest();
    }
    let line = w.log.wait_for(&me);
    (line, t.elapsed().as_millis() < 3000)
}

fn silent() -> Origin {
    Origin::raw(|mut s, _| while matches!(s.read(&mut [0; 512]), Ok(1..)) {})
}

#[test]
fn who_leaves_while_the_response_is_awaited() {
    let o = silent();
    let stay = "no option abortonclose";
    for (extra, sent, by_reset, expected, at_once) in [
        ("", GET, false, " 400 0 - - CH-- ", true),
        ("", GET, true, " 400 0 - - CD-- ", true),
        (stay, GET, false, " 504 ", false),
        (stay, GET, true, " 400 0 - - CD-- ", true),
        ("", PART, false, " 400 0 - - CH-- ", true),
        ("", PART, true, " 400 0 - - CH-- ", true),
    ] {
        let w = world(o.port(), extra);
        let (line, early) = leave(&w, sent, by_reset);
        assert!(line.contains(expected), "{extra} {by_reset} {sent}: {line}");
        assert_eq!(early, at_once, "{extra} {by_reset}: {line}");
    }
}

#[test]
fn who_leaves_while_the_server_is_being_reached() {
    let (hole, _l, _fill) = black_hole();
    let tcp = "mode tcp\n  option tcplog";
    for (extra, sent, by_reset, expected, at_once) in [
        ("", GET, false, " -1 0 - - CC-- ", true),
        ("", PART, false, " -1 0 - - CC-- ", true),
        ("", PART, true, " -1 0 - - CC-- ", true),
        (tcp, "", false, " 0 CC ", true),
        (tcp, "", true, " 0 CD ", true),
        // What was said is worth delivering.
        (tcp, "x", false, " 0 sC ", false),
    ] {
        let w = world(hole, extra);
        let (line, early) = leave(&w, sent, by_reset);
        assert!(line.contains(expected), "{extra} {by_reset} {sent}: {line}");
        assert_eq!(early, at_once, "{extra} {by_reset} {sent}: {line}");
    }
}

#[test]
fn whose_client_is_late_before_the_server_is_reached() {
    let (hole, _l, _fill) = black_hole();
    for (sent, expected) in [("", " 0 cC "), ("x", " 0 sC ")] {
        let w = world(hole, "mode tcp\n  option tcplog\n  timeout client 300\n  timeout connect 2s");
        let mut c = Client::connect(w.port);
        c.send(sent);
        let line = w.log.wait_for(&me(&c));
        assert!(line.contains(expected), "{sent}: {line}");
    }
}

/// A body that stops coming is a bad request, unless somebody had asked for all of it first.
#[test]
fn who_stops_in_a_body_is_told_so() {
    let o = silent();
    for (extra, status, line) in [
        ("timeout client 300", 400, " - - cH-- "),
        ("timeout client 300\n  option http-buffer-request", 408, " -1/-1/-1/-1/"),
        ("http-request wait-for-body time 300", 408, " -1/-1/-1/-1/"),
    ] {
        let w = world(o.port(), extra);
        let mut c = Client::connect(w.port);
        assert_eq!(c.ask(PART).status, status, "{extra}");
        let logged = w.log.wait_for("POST");
        assert!(logged.contains(line), "{extra}: {logged}");
    }
}

/// The time that a body took belongs to the request where it was waited for.
#[test]
fn the_wait_for_a_body_is_part_of_the_request() {
    let o = Origin::fixed("a", "a");
    let w = world(o.port(), "option http-buffer-request");
    let mut c = Client::connect(w.port);
    c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc");
    pause(1500);
    assert_eq!(c.ask("def").status, 200);
    let line = w.log.wait_for("POST");
    let timers: Vec<u32> =
        line.split(" l l/s ").nth(1).unwrap().split([' ', '/']).take(2).map(|n| n.parse().unwrap()).collect();
    assert!(timers[0] >= 1400 && timers[1] < 1000, "{line}");
}

/// Between the end of a response and the end of its request.
#[test]
fn who_stops_after_the_answer_is_logged_as_the_last_to_end() {
    let o = Origin::raw(|mut s, _| {
        let _ = s.read(&mut [0; 512]);
        let _ = s.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na");
        pause(2000);
    });
    for (extra, letters) in [("timeout client 300", " cL-- "), ("", " CL-- ")] {
        let w = world(o.port(), extra);
        let mut c = Client::connect(w.port);
        assert_eq!(c.ask(PART).status, 200);
        if extra.is_empty() {
            c.finish();
        }
        let line = w.log.wait_for("POST");
        assert!(line.contains(letters), "{line}");
    }
}

#[test]
fn who_says_too_little_for_the_rules_of_tcp_ends_by_his_own_timeout() {
    let o = silent();
    let w = world(
        o.port(),
        "mode tcp\n  option tcplog\n  timeout client 300\n  tcp-request inspect-delay 4s\n  tcp-request content accept if { req.len gt 5 }",
    );
    let mut c = Client::connect(w.port);
    c.send("x");
    assert!(c.closed_within(3500));
    let line = w.log.wait_for(" l l/<NOSRV> ");
    assert!(line.contains(" 0 cR "), "{line}");
}

/// A reset is no end of the stream: the server does not take for complete what it has got.
#[test]
fn a_reset_of_the_client_reaches_the_server_of_a_tcp_connection() {
    let seen = std::sync::Arc::new(parking_lot::Mutex::new(None));
    let tell = seen.clone();
    let o = Origin::raw(move |mut s, _| *tell.lock() = Some(s.read_to_end(&mut Vec::new()).is_ok()));
    let w = world(o.port(), "mode tcp\n  option tcplog\n  timeout server 5s");
    let (line, _) = leave(&w, "x", true);
    assert!(line.contains(" CD "), "{line}");
    assert!(hawser_testkit::until(20_000, || seen.lock().is_some()));
    assert_eq!(*seen.lock(), Some(false));
}
