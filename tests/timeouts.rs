//! Every timeout fires on time, for its own reason, with its own status and termination code.

use hawser_testkit::net::now;
use hawser_testkit::{Client, Hawser, LogSink, Origin, binary, free_port, pause};
use std::io::{Read, Write};

fn bin() -> &'static str {
    binary(env!("CARGO_BIN_EXE_hawser"))
}

struct World {
    _h: Hawser,
    port: u16,
    log: LogSink,
}

fn world(origin: u16, extra: &str) -> World {
    let (port, log) = (free_port(), LogSink::new());
    let cfg = format!(
        "global\n  log 127.0.0.1:{} local0\ndefaults\n  mode http\n  log global\n  option httplog\n  option dontlognull\n  timeout connect 5s\n  timeout client 5s\n  timeout server 5s\n  retries 0\n\
         listen l\n  bind 127.0.0.1:{port}\n  {extra}\n  server s 127.0.0.1:{origin}\n",
        log.port()
    );
    World { _h: Hawser::start(bin(), &cfg, &[port]), port, log }
}

fn timed<T>(f: impl FnOnce() -> T) -> (T, u128) {
    let t = now();
    let r = f();
    (r, t.elapsed().as_millis())
}

#[test]
fn a_slow_head_is_408_after_timeout_http_request() {
    let w = world(free_port(), "timeout http-request 300");
    let mut c = Client::connect(w.port);
    let (r, ms) = timed(|| c.ask("GET / HTTP/1.1\r\nHost: slow"));
    assert_eq!(r.status, 408);
    assert!((250..2000).contains(&ms), "{ms}");
    assert!(c.closed_within(20_000));
    assert!(w.log.wait_for(" 408 ").contains(" cR-- "), "{:#?}", w.log.lines());
}

#[test]
fn dripping_bytes_do_not_extend_timeout_http_request() {
    let w = world(free_port(), "timeout http-request 400");
    let mut c = Client::connect(w.port);
    let (n, ms) = timed(|| {
        for i in 0..40 {
            c.send(if i == 0 { "GET / HTTP/1.1\r\nX: " } else { "x" });
            // Either the 408 or the end is to be seen.
            let t = now();
            if c.closed_within(50) || t.elapsed().as_millis() < 40 {
                return i;
            }
        }
        40
    });
    assert!(n < 40 && ms < 3000, "still open after {ms} ms");
}

#[test]
fn an_idle_client_is_closed_silently_after_timeout_http_keep_alive() {
    let o = Origin::fixed("a", "a");
    let w = world(o.port(), "timeout http-keep-alive 300");
    let mut c = Client::connect(w.port);
    assert_eq!(c.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n").status, 200);
    let (closed, ms) = timed(|| c.closed_within(20_000));
    assert!(closed && (250..2000).contains(&ms), "{closed} {ms}");
    pause(200);
    assert_eq!(w.log.lines().len(), 1, "{:#?}", w.log.lines());
}

#[test]
fn a_silent_server_is_504_after_timeout_server() {
    let o = Origin::raw(|mut s, _| {
        let mut b = [0; 1024];
        let _ = s.read(&mut b);
        pause(4000);
    });
    let w = world(o.port(), "timeout server 400");
    for request in [
        "GET /get HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
        "POST /chunks HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    ] {
        let (r, ms) = timed(|| Client::connect(w.port).ask(request));
        assert_eq!(r.status, 504, "{request:?}");
        assert!((350..2500).contains(&ms), "{ms}, {request:?}");
        let path = request.split(' ').nth(1).unwrap();
        let line = w.log.wait_for(path);
        assert!(line.contains(" sH-- "), "{line}");
    }
}

/// What a request's body moved once does not keep a silent server alive, nor does an interim response.
#[test]
fn a_server_that_is_silent_after_a_body_is_504_too() {
    for interim in ["", "HTTP/1.1 100 Continue\r\n\r\n"] {
        let o = Origin::raw(move |mut s, _| {
            let mut head = Vec::new();
            while !head.ends_with(b"abc") {
                let mut b = [0; 512];
                match s.read(&mut b) {
                    Ok(n) if n > 0 => head.extend_from_slice(&b[..n]),
                    _ => return,
                }
            }
            let _ = s.write_all(interim.as_bytes());
            pause(3000);
        });
        let w = world(o.port(), "timeout server 300");
        let mut c = Client::connect(w.port);
        c.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
        let l = w.log.wait_for(" 504 ");
        assert!(l.contains(" sH-- "), "{interim:?}: {l}");
    }
}

#[test]
fn a_server_that_stops_in_the_body_is_cut_with_sd() {
    let o = Origin::raw(|mut s, _| {
        let mut b = [0; 1024];
        let _ = s.read(&mut b);
        let _ = s.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc");
        pause(4000);
    });
    let w = world(o.port(), "timeout server 400");
    let (r, ms) = timed(|| Client::connect(w.port).ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert!(r.status == 200 && !r.complete && (350..2500).contains(&ms), "{ms}");
    assert!(w.log.wait_for(" 200 ").contains(" sD-- "), "{:#?}", w.log.lines());
}

#[test]
fn a_client_that_stops_in_the_body_is_told_so() {
    let o = Origin::raw(|mut s, _| {
        let mut v = Vec::new();
        let _ = s.read_to_end(&mut v);
    });
    let w = world(o.port(), "timeout client 400");
    let mut c = Client::connect(w.port);
    let (r, ms) = timed(|| {
        c.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc");
        c.recv()
    });
    assert!(r.status == 400 && (350..3000).contains(&ms), "{} after {ms} ms", r.status);
    assert!(w.log.wait_for("POST").contains(" cH-- "), "{:#?}", w.log.lines());
}

#[test]
fn what_is_sent_to_a_server_shows_nothing_with_independent_streams() {
    let o = Origin::raw(|mut s, _| while matches!(s.read(&mut [0; 512]), Ok(1..)) {});
    let w = world(o.port(), "mode tcp\n  option tcplog\n  option independent-streams\n  timeout server 400");
    let mut c = std::net::TcpStream::connect(("127.0.0.1", w.port)).unwrap();
    c.set_read_timeout(Some(std::time::Duration::from_millis(50))).unwrap();
    let mut closed = false;
    for _ in 0..100 {
        closed = c.write_all(b"x").is_err() || matches!(c.read(&mut [0]), Ok(0));
        if closed {
            break;
        }
    }
    assert!(closed, "it went on for ever");
    drop(c);
    let line = w.log.wait_for(" l l/s ");
    assert!(line.contains(" sD "), "{line}");
}

/// A side that was told the end has `client-fin` or `server-fin` left, not its usual timeout.
#[test]
fn half_closed_sides_have_timeouts_of_their_own() {
    for (told_client, option, flags) in
        [(true, "timeout client-fin 400", " cD "), (false, "timeout server-fin 400", " sD ")]
    {
        let o = Origin::raw(move |mut s, _| {
            let _ = s.read(&mut [0; 16]);
            if told_client {
                let _ = s.shutdown(std::net::Shutdown::Write);
            }
            let _ = s.read_to_end(&mut Vec::new());
            pause(3000);
        });
        let w = world(o.port(), &format!("mode tcp\n  option tcplog\n  {option}"));
        let mut c = Client::connect(w.port);
        c.send("x");
        if !told_client {
            c.finish();
        }
        let (line, ms) = timed(|| w.log.wait_for(" l l/s "));
        assert!(line.contains(flags) && (350..2500).contains(&ms), "{option}: {ms} ms, {line}");
    }
}

#[test]
fn an_unreachable_server_is_503_after_timeout_connect() {
    // A listening socket whose backlog is full accepts no further handshake.
    let l = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = l.local_addr().unwrap().port();
    // SAFETY: shrinking the backlog of our own listening socket.
    unsafe { libc::listen(std::os::fd::AsRawFd::as_raw_fd(&l), 0) };
    let _fill: Vec<_> = (0..4)
        .filter_map(|_| {
            std::net::TcpStream::connect_timeout(
                &format!("127.0.0.1:{port}").parse().unwrap(),
                std::time::Duration::from_millis(100),
            )
            .ok()
        })
        .collect();
    let w = world(port, "timeout connect 400");
    let (r, ms) = timed(|| Client::connect(w.port).ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_eq!(r.status, 503);
    assert!((350..3000).contains(&ms), "{ms}");
    assert!(w.log.wait_for(" 503 ").contains(" sC-- "), "{:#?}", w.log.lines());
}

#[test]
fn without_a_timeout_a_tarpit_holds_nobody() {
    let p = free_port();
    let cfg = format!(
        "frontend f\n  mode http\n  timeout client 30s\n  bind 127.0.0.1:{p}\n  http-request tarpit if TRUE\n"
    );
    let _h = Hawser::start(bin(), &cfg, &[p]);
    assert_eq!(Client::connect(p).ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n").status, 500);
}

#[test]
fn tarpit_holds_then_refuses() {
    let w = world(free_port(), "timeout tarpit 500\n  http-request tarpit deny_status 429 if TRUE");
    let (r, ms) = timed(|| Client::connect(w.port).ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_eq!(r.status, 429);
    assert!((450..2500).contains(&ms), "{ms}");
    assert!(w.log.wait_for(" 429 ").contains(" PT-- "), "{:#?}", w.log.lines());
}

#[test]
fn timeout_tunnel_rules_an_upgraded_connection() {
    let o = Origin::raw(|mut s, _| {
        let mut b = [0; 1024];
        let _ = s.read(&mut b);
        let _ = s.write_all(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n");
        let _ = s.read_to_end(&mut Vec::new());
    });
    let w = world(o.port(), "timeout client 300\n  timeout server 300\n  timeout tunnel 900");
    let mut c = Client::connect(w.port);
    assert_eq!(c.ask("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n").status, 101);
    let (closed, ms) = timed(|| c.closed_within(20_000));
    assert!(closed && (800..3500).contains(&ms), "{closed} {ms}");
}
