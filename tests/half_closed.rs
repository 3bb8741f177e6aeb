//! A side of a connection that says nothing for too long is taken for closed: the other one hears the end of the
//! stream, may still say what it has to, and ends by a timeout of its own.

use hawser_testkit::net::now;
use hawser_testkit::{Client, Hawser, LogSink, Origin, binary, free_port, pause, until};
use parking_lot::Mutex;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;

fn bin() -> &'static str {
    binary(env!("CARGO_BIN_EXE_hawser"))
}

/// `origin` gets connections after the head of the tunnel, if there is one, was exchanged.
fn world(
    connect: bool,
    times: &str,
    origin: impl Fn(TcpStream) + Send + Sync + 'static,
) -> (Hawser, Client, LogSink, Origin) {
    let origin = Origin::raw(move |mut s, _| {
        if connect {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut b = [0; 512];
                match s.read(&mut b) {
                    Ok(n) if n > 0 => head.extend_from_slice(&b[..n]),
                    _ => return,
                }
            }
            let _ = s.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        }
        origin(s);
    });
    let (port, log) = (free_port(), LogSink::new());
    let mode = if connect { "mode http\n  option httplog" } else { "mode tcp\n  option tcplog" };
    let cfg = format!(
        "global\n  log 127.0.0.1:{} local0\ndefaults\n  {mode}\n  log global\n  option dontlognull\n  timeout connect 5s\n  {times}\nlisten l\n  bind 127.0.0.1:{port}\n  server s 127.0.0.1:{}\n",
        log.port(),
        origin.port()
    );
    let h = Hawser::start(bin(), &cfg, &[port]);
    let mut c = Client::connect(port);
    if connect {
        assert_eq!(c.send("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n").recv_for("CONNECT").status, 200);
    }
    (h, c, log, origin)
}

#[test]
fn a_silent_client_is_told_what_the_server_says_in_its_own_time() {
    for connect in [false, true] {
        let (_h, mut c, log, _o) = world(connect, "timeout client 300\n  timeout server 8s", |mut s| {
            let mut said = Vec::new();
            let _ = s.read_to_end(&mut said);
            let _ = s.write_all(b"heard ");
            let _ = s.write_all(&said);
        });
        c.send("it");
        assert_eq!(c.rest(), b"heard it", "{connect}");
        let line = log.wait_for(" l l/s ");
        assert!(line.contains(" cD"), "{line}");
    }
}

#[test]
fn a_silent_server_is_told_what_the_client_says_in_its_own_time() {
    for connect in [false, true] {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let all = heard.clone();
        let (_h, mut c, log, _o) = world(connect, "timeout client 8s\n  timeout server 300", move |mut s| {
            let mut said = Vec::new();
            let _ = s.read_to_end(&mut said);
            *all.lock() = said;
        });
        c.send("one ");
        assert!(c.closed_within(7000), "{connect}");
        c.send("two").finish();
        let line = log.wait_for(" l l/s ");
        assert!(line.contains(" sD"), "{line}");
        assert!(until(20_000, || *heard.lock() == b"one two"), "{connect}: {:?}", heard.lock());
    }
}

/// The side that is not late has its usual timeout, or the one of those who were told the end.
#[test]
fn the_other_side_has_a_timeout_of_its_own() {
    for (times, told_client) in [
        ("timeout client 200\n  timeout server 2s", false),
        ("timeout client 200\n  timeout server 20s\n  timeout server-fin 2s", false),
        ("timeout client 2s\n  timeout server 200", true),
        ("timeout client 20s\n  timeout server 200\n  timeout client-fin 2s", true),
    ] {
        let (_h, mut c, log, _o) = world(false, times, |mut s| {
            let _ = s.read_to_end(&mut Vec::new());
            pause(8000);
        });
        let t = now();
        c.send("x");
        if told_client {
            assert!(c.closed_within(1500), "{times}");
        } else {
            assert!(c.silent_for(1000), "{times}");
        }
        assert_eq!(log.lines().len(), 0, "{times}: {:#?}", log.lines());
        let line = log.wait_for(" l l/s ");
        assert!(line.contains(if told_client { " sD " } else { " cD " }), "{times}: {line}");
        assert!((1900..7000).contains(&t.elapsed().as_millis()), "{times}: {:?}", t.elapsed());
    }
}

/// `timeout tunnel` stays in force after a half-close for which there is no timeout of its own.
#[test]
fn timeout_tunnel_rules_half_closed_tunnels_too() {
    for by_client in [true, false] {
        let times = "timeout client 200\n  timeout server 200\n  timeout tunnel 1s";
        let (_h, mut c, log, _o) = world(false, times, move |mut s| {
            if !by_client {
                let _ = s.shutdown(Shutdown::Write);
            }
            let _ = s.read_to_end(&mut Vec::new());
            pause(3000);
        });
        c.send("x");
        if by_client {
            c.finish();
        }
        let t = now();
        let line = log.wait_for(" l l/s ");
        assert!(line.contains(if by_client { " sD " } else { " cD " }), "{line}");
        assert!((800..3500).contains(&t.elapsed().as_millis()), "{by_client}: {:?}", t.elapsed());
    }
}

/// What a side says does not excuse that it takes nothing.
#[test]
fn a_side_that_takes_nothing_ends_the_connection_though_it_talks() {
    let (_h, c, log, _o) = world(false, "timeout client 20s\n  timeout server 500", |mut s| {
        for _ in 0..60 {
            if s.write_all(b"x").is_err() {
                return;
            }
            pause(100);
        }
    });
    let mut socket = c.socket().try_clone().unwrap();
    std::thread::spawn(move || while socket.write_all(&[b'z'; 65536]).is_ok() {});
    let t = now();
    let line = log.wait_for(" l l/s ");
    assert!(line.contains(" sD "), "{line}");
    assert!(t.elapsed().as_millis() < 4500, "{:?}", t.elapsed());
}
