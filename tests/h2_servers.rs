//! Servers that speak HTTP/2: sharing of connections, refusals, farewells, and deaths.

use hawser_testkit::h2::{END, END_HEADERS, Frame, H2Server, kind};
use hawser_testkit::tools::Nginx;
use hawser_testkit::wire::get;
use hawser_testkit::{Client, Hawser, LogSink, Origin, binary, free_port, pause, until};
use parking_lot::Mutex;
use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

const REFUSED_STREAM: u32 = 7;
const CANCEL: u32 = 8;
/// SETTINGS_MAX_CONCURRENT_STREAMS.
const STREAMS: u16 = 3;

fn bin() -> &'static str {
    binary(env!("CARGO_BIN_EXE_hawser"))
}

/// A proxy in front of one HTTP/2 server; `extra` are lines of its section, `opts` options of the server.
fn proxy(origin: u16, extra: &str, opts: &str) -> (Hawser, u16) {
    proxies(&[origin], extra, opts)
}

fn proxies(origins: &[u16], extra: &str, opts: &str) -> (Hawser, u16) {
    let port = free_port();
    let servers: String = origins
        .iter()
        .enumerate()
        .map(|(i, o)| format!("  server s{i} 127.0.0.1:{o} proto h2 {opts}\n"))
        .collect();
    let cfg = format!(
        "global\n  nbthread 2\ndefaults\n  mode http\n  timeout connect 2s\n  timeout client 10s\n  timeout server 10s\n\
         listen l\n  bind 127.0.0.1:{port}\n  {extra}\n{servers}"
    );
    (Hawser::start(bin(), &cfg, &[port]), port)
}

/// An origin of which each connection is played by `f(connection, its number)`.
fn origin(
    settings: &'static [(u16, u32)],
    f: impl Fn(&mut H2Server, usize) -> io::Result<()> + Send + Sync + 'static,
) -> Origin {
    Origin::raw(move |io, n| {
        let _ = H2Server::accept(io, settings).and_then(|mut c| f(&mut c, n));
    })
}

/// Serves requests on a connection until its client leaves.
fn serve(c: &mut H2Server, body: &str) -> io::Result<()> {
    loop {
        let (stream, _) = c.request()?;
        c.respond(stream, body.as_bytes())?;
    }
}

/// Sends a request, to look at its response later.
fn begin(port: u16) -> Client {
    let mut c = Client::connect(port);
    c.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    c
}

#[test]
fn requests_and_bodies_of_all_kinds() {
    let Some(nginx) = Nginx::start_h2(1_000_000) else { return };
    let big: Vec<u8> = (0..3_000_000u32).map(|i| (i * 7 + i / 251) as u8).collect();
    std::fs::write(nginx.files().join("big"), &big).unwrap();
    let (_h, port) = proxy(nginx.port, "", "");
    let text = format!("nginx {}\n", nginx.port);
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let (big, text) = (big.clone(), text.clone());
            std::thread::spawn(move || {
                let mut c = Client::connect(port);
                for _ in 0..5 {
                    let r = c.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
                    assert_eq!((r.status, r.text()), (200, text.clone()));
                    let r = c.ask("GET /files/big HTTP/1.1\r\nHost: x\r\n\r\n");
                    assert_eq!((r.status, r.body == big), (200, true));
                    c.send("HEAD /files/big HTTP/1.1\r\nHost: x\r\n\r\n");
                    let r = c.recv_for("HEAD");
                    assert_eq!((r.status, r.field("content-length")), (200, Some("3000000")));
                    let r = c.ask("GET /files/none HTTP/1.1\r\nHost: x\r\n\r\n");
                    assert_eq!(r.status, 404);
                }
                // It answers before it has seen the whole body.
                c.send(format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", big.len()));
                let r = c.ask(&big);
                assert_eq!((r.status, r.text()), (200, text));
            })
        })
        .collect();
    threads.into_iter().for_each(|t| t.join().unwrap());
}

#[test]
fn bodies_arrive_whole() {
    let got = Arc::new(Mutex::new(Vec::new()));
    let sink = got.clone();
    let o = origin(&[], move |c, _| {
        loop {
            let (stream, body) = c.request()?;
            sink.lock().push(body.clone());
            c.respond(stream, format!("{}", body.len()).as_bytes())?;
        }
    });
    let (_h, port) = proxy(o.port(), "", "");
    let body: Vec<u8> = (0..500_000u32).map(|i| (i / 3) as u8).collect();
    let mut c = Client::connect(port);
    c.send(format!("PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.len()));
    assert_eq!(c.ask(&body).text(), "500000");
    c.send("PUT /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    assert_eq!(c.ask("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n").text(), "5");
    assert_eq!(*got.lock(), [body, b"abcde".to_vec()]);
}

#[test]
fn a_response_is_as_long_as_it_says() {
    // `:status: 200`, then content-length (28 of the static table) 0.
    const EMPTY: &[u8] = &[0x88, 0x0f, 0x0d, 1, b'0'];
    let o = origin(&[], |c, _| {
        loop {
            let (stream, _) = c.request()?;
            c.send(&Frame::new(kind::HEADERS, END_HEADERS, stream, EMPTY))?;
            let body: &[u8] = if stream % 4 == 1 { b"x" } else { b"" };
            c.send(&Frame::new(kind::DATA, END, stream, body))?;
        }
    });
    let (_h, port) = proxy(o.port(), "http-reuse always", "");
    let mut c = Client::connect(port);
    for status in [502, 200, 502, 200] {
        assert_eq!(c.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n").status, status);
    }
}

#[test]
fn a_body_that_goes_wrong_is_logged_as_cut() {
    // `:status: 200`, then content-length (28 of the static table) 5.
    const FIVE: &[u8] = &[0x88, 0x0f, 0x0d, 1, b'5'];
    let passed = Arc::new(AtomicBool::new(false));
    let go = passed.clone();
    let o = origin(&[], move |c, _| {
        loop {
            let (stream, _) = c.request()?;
            c.send(&Frame::new(kind::HEADERS, END_HEADERS, stream, FIVE))?;
            until(20_000, || go.load(SeqCst));
            c.send(&Frame::new(kind::DATA, END, stream, b"hi"))?;
        }
    });
    let log = LogSink::new();
    let logs = format!("log 127.0.0.1:{} local0\n  log-format \"%ST %ts\"", log.port());
    let (_h, port) = proxy(o.port(), &logs, "");
    let mut waiting = begin(port);
    assert_eq!(waiting.take(12), b"HTTP/1.1 200");
    passed.store(true, SeqCst);
    assert!(log.wait_for("200").trim_end().ends_with(" 200 SD"), "{:?}", log.lines());
}

#[test]
fn empty_data_of_a_server_ends_no_connection() {
    let o = origin(&[], |c, _| {
        loop {
            let (stream, _) = c.request()?;
            c.send(&Frame::new(kind::HEADERS, END_HEADERS, stream, &[0x88]))?;
            for _ in 0..20 {
                c.send(&Frame::new(kind::DATA, 0, stream, b""))?;
            }
            c.send(&Frame::new(kind::DATA, END, stream, b"ok"))?;
        }
    });
    let (_h, port) = proxy(o.port(), "http-reuse always", "");
    let mut c = Client::connect(port);
    for _ in 0..20 {
        assert_eq!(c.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n").text(), "ok");
    }
    assert_eq!(o.connections(), 1);
}

#[test]
fn a_hundred_requests_at_once_share_few_connections() {
    let arrived = Arc::new(AtomicUsize::new(0));
    let seen = arrived.clone();
    let o = origin(&[(STREAMS, 100)], move |c, _| {
        let mut waiting = Vec::new();
        loop {
            if let Some(f) = c.look(10)? {
                waiting.push(f.stream);
                seen.fetch_add(1, SeqCst);
            } else if seen.load(SeqCst) >= 100 {
                for s in waiting.drain(..) {
                    c.respond(s, b"ok")?;
                }
            }
        }
    });
    let (_h, port) = proxy(o.port(), "http-reuse always", "");
    let mut clients: Vec<_> = (0..100).map(|_| begin(port)).collect();
    let done = clients.iter_mut().filter_map(|c| (c.recv().text() == "ok").then_some(())).count();
    assert_eq!((done, arrived.load(SeqCst)), (100, 100));
    // Each thread of the proxy may have its own.
    assert!(o.connections() <= 4, "{} connections", o.connections());
}

#[test]
fn the_limit_of_the_server_is_kept() {
    let most = Arc::new(AtomicUsize::new(0));
    let seen = most.clone();
    let o = origin(&[(STREAMS, 2)], move |c, n| {
        let mut waiting = Vec::new();
        loop {
            let Some(Frame { stream, .. }) = c.look(50)? else {
                for s in waiting.drain(..) {
                    c.respond(s, b"ok")?;
                }
                continue;
            };
            if n == 0 {
                seen.fetch_max(waiting.len() + 1, SeqCst);
            }
            // What is sent before the limit was known may be refused.
            if waiting.len() < 2 { waiting.push(stream) } else { c.reset(stream, REFUSED_STREAM)? }
        }
    });
    let (_h, port) = proxy(o.port(), "http-reuse always", "");
    assert_eq!(get(port, "/").status, 200);
    let mut clients: Vec<_> = (0..12).map(|_| begin(port)).collect();
    let done = clients.iter_mut().filter_map(|c| (c.recv().status == 200).then_some(())).count();
    assert_eq!((done, most.load(SeqCst)), (12, 2));
    assert!(o.connections() > 2, "{} connections", o.connections());
}

#[test]
fn safe_mode_keeps_clients_apart_while_they_are_served() {
    let o = origin(&[], |c, _| {
        loop {
            let (stream, _) = c.request()?;
            pause(300);
            c.respond(stream, b"ok")?;
        }
    });
    let (_h, port) = proxy(o.port(), "http-reuse safe", "");
    let (mut one, mut two) = (begin(port), begin(port));
    assert_eq!((one.recv().status, two.recv().status), (200, 200));
    assert_eq!(o.connections(), 2);
    // Free again, they serve whoever asks for the second time.
    one.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    two.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!((one.recv().status, two.recv().status), (200, 200));
    assert_eq!(o.connections(), 2);
    // A first request goes nowhere else than to a connection of its own.
    assert_eq!(get(port, "/").status, 200);
    assert_eq!(o.connections(), 3);
}

#[test]
fn never_means_never() {
    let o = origin(&[], |c, _| serve(c, "ok"));
    let (_h, port) = proxy(o.port(), "http-reuse never", "");
    let (mut one, mut two) = (Client::connect(port), Client::connect(port));
    for _ in 0..3 {
        assert_eq!(one.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n").status, 200);
        assert_eq!(two.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n").status, 200);
    }
    assert_eq!(o.connections(), 2);
}

#[test]
fn a_worn_out_connection_is_replaced() {
    let o = origin(&[], |c, n| serve(c, &n.to_string()));
    let (_h, port) = proxy(o.port(), "", "max-reuse 2");
    let mut c = Client::connect(port);
    let served: String = (0..7).map(|_| c.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n").text()).collect();
    assert_eq!(served, "0001112");
}

#[test]
fn a_refused_stream_is_tried_again() {
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let seen = bodies.clone();
    let o = origin(&[], move |c, n| {
        let (stream, body) = c.request()?;
        seen.lock().push(body);
        match n {
            0 => c.reset(stream, REFUSED_STREAM)?,
            _ => c.respond(stream, b"ok")?,
        }
        loop {
            let (stream, body) = c.request()?;
            seen.lock().push(body);
            c.respond(stream, b"ok")?;
        }
    });
    let (_h, port) = proxy(o.port(), "", "");
    let mut c = Client::connect(port);
    let r = c.ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
    assert_eq!((r.status, r.text().as_str()), (200, "ok"));
    assert_eq!(*bodies.lock(), [b"hello", b"hello"]);
}

#[test]
fn what_is_refused_forever_fails() {
    let tries = Arc::new(AtomicUsize::new(0));
    let count = tries.clone();
    let o = origin(&[], move |c, _| {
        loop {
            let (stream, _) = c.request()?;
            count.fetch_add(1, SeqCst);
            c.reset(stream, REFUSED_STREAM)?;
        }
    });
    let (_h, port) = proxy(o.port(), "retries 2", "");
    assert_eq!(get(port, "/").status, 502);
    assert_eq!(tries.load(SeqCst), 3);
}

#[test]
fn a_cancelled_stream_is_not_tried_again() {
    let tries = Arc::new(AtomicUsize::new(0));
    let count = tries.clone();
    let o = origin(&[], move |c, _| {
        loop {
            let (stream, _) = c.request()?;
            count.fetch_add(1, SeqCst);
            c.reset(stream, CANCEL)?;
        }
    });
    let (_h, port) = proxy(o.port(), "", "");
    let mut c = Client::connect(port);
    assert_eq!(c.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n").status, 502);
    assert_eq!(tries.load(SeqCst), 1);
}

#[test]
fn a_connection_that_says_goodbye_finishes_its_streams_and_takes_no_more() {
    let (left, answered) = <(Arc<AtomicBool>, Arc<AtomicBool>)>::default();
    let (leaving, go) = (left.clone(), answered.clone());
    let o = origin(&[], move |c, n| {
        if n > 0 {
            return serve(c, "new");
        }
        let (first, _) = c.request()?;
        c.goaway(first, 0)?;
        leaving.store(true, SeqCst);
        until(20_000, || go.load(SeqCst));
        c.respond(first, b"old")?;
        // Nothing else comes here, and nobody waits for it.
        match c.request() {
            Ok(_) => panic!("a request after GOAWAY"),
            Err(_) => Ok(()),
        }
    });
    let (_h, port) = proxy(o.port(), "http-reuse always", "");
    let mut first = begin(port);
    assert!(until(20_000, || left.load(SeqCst)));
    // It has to be read, too.
    pause(200);
    assert_eq!(get(port, "/").text(), "new");
    answered.store(true, SeqCst);
    assert_eq!(first.recv().text(), "old");
    assert_eq!((get(port, "/").text().as_str(), o.connections()), ("new", 2));
}

#[test]
fn streams_beyond_a_goaway_are_tried_again() {
    let o = origin(&[], |c, n| {
        if n > 0 {
            return serve(c, "again");
        }
        let (first, _) = c.request()?;
        c.respond(first, b"first")?;
        let _second = c.request()?;
        c.goaway(first, 0)?;
        // The client closes what is of no use to it.
        assert!(c.closed_within(20_000));
        Ok(())
    });
    let (_h, port) = proxy(o.port(), "", "");
    let mut c = Client::connect(port);
    assert_eq!(c.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n").text(), "first");
    let r = c.ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
    assert_eq!((r.status, r.text().as_str()), (200, "again"));
}

#[test]
fn a_server_that_counts_requests_loses_none() {
    let Some(nginx) = Nginx::start_h2(50) else { return };
    let (_h, port) = proxy(nginx.port, "http-reuse always", "");
    let threads: Vec<_> = (0..8)
        .map(|_| {
            std::thread::spawn(move || {
                let mut c = Client::connect(port);
                (0..200).filter(|_| c.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n").status != 200).count()
            })
        })
        .collect();
    let failed: usize = threads.into_iter().map(|t| t.join().unwrap()).sum();
    assert_eq!(failed, 0);
}

#[test]
fn the_death_of_a_server_costs_no_client_anything() {
    let (Some(mut a), Some(b)) = (Nginx::start_h2(1_000_000), Nginx::start_h2(1_000_000)) else { return };
    let extra = "http-reuse always\n  retry-on all-retryable-errors\n  option redispatch 1";
    let (_h, port) = proxies(&[a.port, b.port], extra, "");
    let (over, served) = <(Arc<AtomicBool>, Arc<AtomicUsize>)>::default();
    let threads: Vec<_> = (0..6)
        .map(|_| {
            let (over, served) = (over.clone(), served.clone());
            std::thread::spawn(move || {
                let mut c = Client::connect(port);
                while !over.load(SeqCst) {
                    let r = c.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
                    assert_eq!(r.status, 200, "{}", r.text());
                    served.fetch_add(1, SeqCst);
                }
            })
        })
        .collect();
    let more = || {
        let enough = served.load(SeqCst) + 100;
        until(20_000, || served.load(SeqCst) > enough)
    };
    assert!(more());
    a.kill();
    let went_on = more();
    over.store(true, SeqCst);
    threads.into_iter().for_each(|t| t.join().unwrap());
    assert!(went_on, "{served:?}");
}

#[test]
fn websocket_may_speak_something_else() {
    let (h1, h2) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counts = (h1.clone(), h2.clone());
    let o = Origin::raw(move |mut io: TcpStream, _| {
        use std::io::{Read, Write};
        let mut peek = [0; 3];
        io.peek(&mut peek).unwrap();
        if &peek == b"PRI" {
            counts.1.fetch_add(1, SeqCst);
            let _ = H2Server::accept(io, &[]).and_then(|mut c| serve(&mut c, "two"));
            return;
        }
        counts.0.fetch_add(1, SeqCst);
        let mut head = vec![0; 4096];
        let n = io.read(&mut head).unwrap();
        let head = String::from_utf8_lossy(&head[..n]).to_ascii_lowercase();
        assert!(head.contains("upgrade: websocket"), "{head}");
        let _ = io.write_all(
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
              Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\nhi",
        );
    });
    let (_h, port) = proxy(o.port(), "", "ws h1");
    let mut c = Client::connect(port);
    assert_eq!(c.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n").text(), "two");
    c.send(
        "GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    let all = c.rest();
    assert!(
        all.starts_with(b"HTTP/1.1 101 ") && all.ends_with(b"\r\n\r\nhi"),
        "{}",
        String::from_utf8_lossy(&all)
    );
    assert_eq!((h1.load(SeqCst), h2.load(SeqCst)), (1, 1));
}

#[test]
fn a_client_that_leaves_takes_only_its_stream_along() {
    let (resets, arrived) = <(Arc<AtomicUsize>, Arc<AtomicBool>)>::default();
    let (count, there) = (resets.clone(), arrived.clone());
    let o = origin(&[], move |c, _| {
        let mut first = 0;
        loop {
            let f: Frame = c.frame()?;
            match f.kind {
                kind::HEADERS if first == 0 => {
                    first = f.stream;
                    there.store(true, SeqCst);
                }
                kind::HEADERS => c.respond(f.stream, b"ok")?,
                kind::RST_STREAM => {
                    assert_eq!(f.stream, first);
                    count.fetch_add(1, SeqCst);
                }
                _ => {}
            }
        }
    });
    let (_h, port) = proxy(o.port(), "http-reuse always", "");
    let slow = begin(port);
    assert!(until(20_000, || arrived.load(SeqCst)));
    drop(slow);
    assert!(until(20_000, || resets.load(SeqCst) == 1), "the server is told");
    let before = o.connections();
    for _ in 0..4 {
        assert_eq!(get(port, "/").text(), "ok");
    }
    assert!(before == 1 && o.connections() <= 2, "{}", o.connections());
}

#[test]
fn an_idle_connection_has_to_give_signs_of_life() {
    let (pings, dead) = <(Arc<AtomicUsize>, Arc<AtomicBool>)>::default();
    let (count, silent) = (pings.clone(), dead.clone());
    let unanswered = Arc::new(AtomicBool::new(false));
    let ignored = unanswered.clone();
    let o = origin(&[], move |c, n| {
        let (stream, _) = c.request()?;
        c.respond(stream, n.to_string().as_bytes())?;
        loop {
            let f = c.any()?;
            match f.kind {
                kind::PING if f.flags & END == 0 && silent.load(SeqCst) => ignored.store(true, SeqCst),
                kind::PING if f.flags & END == 0 => {
                    c.send(&Frame::new(kind::PING, END, 0, &f.payload))?;
                    count.fetch_add(1, SeqCst);
                }
                kind::HEADERS => c.respond(f.stream, n.to_string().as_bytes())?,
                _ => {}
            }
        }
    });
    let (_h, port) = proxy(o.port(), "http-reuse always", "idle-ping 1s");
    assert_eq!(get(port, "/").text(), "0");
    assert!(until(20_000, || pings.load(SeqCst) >= 2));
    assert_eq!(get(port, "/").text(), "0", "it is alive");
    dead.store(true, SeqCst);
    assert!(until(20_000, || unanswered.load(SeqCst)));
    // The answer has as long as the interval is.
    assert!(until(20_000, || get(port, "/").text() == "1"));
}

#[test]
fn checks_speak_what_the_server_speaks() {
    let Some(mut nginx) = Nginx::start_h2(1_000_000) else { return };
    std::fs::write(nginx.files().join("health"), "all is well").unwrap();
    let get_health = "option httpchk\n  http-check send meth GET uri /files/health hdr host x";
    let checks = [
        (get_health.to_owned(), true),
        (format!("{get_health}\n  http-check expect string well"), true),
        (format!("{get_health}\n  http-check expect string ill"), false),
        ("option httpchk\n  http-check send meth GET uri /files/none hdr host x".into(), false),
        ("option httpchk\n  http-check send meth POST uri / hdr host x body abc".into(), true),
    ];
    for (check, up) in &checks {
        // Patience with a machine that stalls is no part of what is checked.
        let check = &format!("timeout check 10s\n  {check}");
        let (_h, port) = proxy(nginx.port, check, "check inter 100ms fall 1 rise 1");
        let status = if *up { 200 } else { 503 };
        assert!(until(20_000, || get(port, "/").status == status), "{check}");
        pause(300);
        assert_eq!(get(port, "/").status, status, "{check}");
    }
    let (_h, port) = proxy(nginx.port, get_health, "check inter 100ms fall 1 rise 1");
    nginx.kill();
    assert!(until(20_000, || get(port, "/").status == 503));
}
