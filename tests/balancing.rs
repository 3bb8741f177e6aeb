//! Which server gets a request, and what happens when it cannot.

use hawser_testkit::net::now;
use hawser_testkit::wire::{ask, get};
use hawser_testkit::{Client, Hawser, LogSink, Origin, binary, free_port, pause, until};
use std::collections::HashMap;
use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn bin() -> &'static str {
    binary(env!("CARGO_BIN_EXE_hawser"))
}
const DEFAULTS: &str =
    "defaults\n  mode http\n  timeout connect 5s\n  timeout client 10s\n  timeout server 10s\n";

fn spread(port: u16, n: usize) -> HashMap<String, usize> {
    let mut m = HashMap::new();
    for _ in 0..n {
        let r = get(port, "/");
        *m.entry(if r.status == 200 { r.text() } else { r.status.to_string() }).or_default() += 1;
    }
    m
}

#[test]
fn roundrobin_alternates_and_follows_weights() {
    let (a, b) = (Origin::fixed("a", "a"), Origin::fixed("b", "b"));
    let (p1, p2) = (free_port(), free_port());
    let cfg = format!(
        "global\n  nbthread 1\n{DEFAULTS}listen even\n  bind 127.0.0.1:{p1}\n  balance roundrobin\n  server a 127.0.0.1:{a}\n  server b 127.0.0.1:{b}\n\
         listen odd\n  bind 127.0.0.1:{p2}\n  server a 127.0.0.1:{a} weight 30\n  server b 127.0.0.1:{b} weight 10\n",
        a = a.port(),
        b = b.port()
    );
    let _h = Hawser::start(bin(), &cfg, &[p1, p2]);
    let m = spread(p1, 20);
    assert_eq!((m.get("a"), m.get("b")), (Some(&10), Some(&10)), "{m:?}");
    // HAProxy's own order of weights is smooth, not exact over a few requests.
    let m = spread(p2, 400);
    assert!(m["a"].abs_diff(300) <= 12 && m["a"] + m["b"] == 400, "{m:?}");
}

#[test]
fn threads_take_turns_together() {
    let (a, b) = (Origin::fixed("a", "a"), Origin::fixed("b", "b"));
    let cfg = format!(
        "global\n  nbthread 2\n{DEFAULTS}listen l\n  bind unix@{{dir}}/l\n  balance roundrobin\n\
         \x20 server a 127.0.0.1:{}\n  server b 127.0.0.1:{}\n",
        a.port(),
        b.port()
    );
    let h = Hawser::start(bin(), &cfg, &[]);
    let path = h.dir().join("l");
    let connect = || std::os::unix::net::UnixStream::connect(&path);
    assert!(until(20_000, || connect().is_ok()), "{}", h.stderr());
    let mut turns = String::new();
    for _ in 0..20 {
        let mut s = connect().unwrap();
        s.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
        s.read_to_string(&mut turns).unwrap();
    }
    let turns = turns.to_ascii_lowercase();
    let order: Vec<_> = turns.lines().filter_map(|l| l.strip_prefix("x-origin: ")).collect();
    assert_eq!(order.len(), 20, "{turns}");
    assert!(order.windows(2).all(|w| w[0] != w[1]), "{order:?}");
}

#[test]
fn use_backend_follows_conditions_and_default_backend_takes_the_rest() {
    let (a, b, c) = (Origin::fixed("a", "a"), Origin::fixed("b", "b"), Origin::fixed("c", "c"));
    let p = free_port();
    let cfg = format!(
        "{DEFAULTS}frontend f\n  bind 127.0.0.1:{p}\n  acl api path_beg /api/\n  acl host_b hdr(host) -i B.example\n  \
         use_backend a if api !host_b\n  use_backend b if host_b\n  use_backend %[path,field(2,/)] if {{ path_beg /dyn }}\n  default_backend c\n\
         backend a\n  server s 127.0.0.1:{}\nbackend b\n  server s 127.0.0.1:{}\nbackend c\n  server s 127.0.0.1:{}\n",
        a.port(),
        b.port(),
        c.port()
    );
    let _h = Hawser::start(bin(), &cfg, &[p]);
    let via = |host: &str, path: &str| ask(p, format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")).text();
    assert_eq!(via("x", "/api/1"), "a");
    assert_eq!(via("b.EXAMPLE", "/api/1"), "b");
    assert_eq!(via("x", "/"), "c");
}

#[test]
fn no_server_left_is_503_at_once() {
    let p = free_port();
    let cfg = format!(
        "{DEFAULTS}  timeout connect 8s\nlisten l\n  bind 127.0.0.1:{p}\n  server s 127.0.0.1:{} disabled\n",
        free_port()
    );
    let _h = Hawser::start(bin(), &cfg, &[p]);
    let t = now();
    assert_eq!(get(p, "/").status, 503);
    assert!(t.elapsed().as_millis() < 4000, "it waited for a connection or in a queue");
}

#[test]
fn refused_connections_are_redispatched_and_the_client_sees_nothing() {
    let good = Origin::fixed("good", "good");
    let p = free_port();
    let log = LogSink::new();
    let cfg = format!(
        "global\n  log 127.0.0.1:{} local0\n  nbthread 1\n{DEFAULTS}  log global\n  option httplog\n  option redispatch 1\n  retries 3\n\
         listen l\n  bind 127.0.0.1:{p}\n  balance roundrobin\n  server dead 127.0.0.1:{}\n  server good 127.0.0.1:{}\n",
        log.port(),
        free_port(),
        good.port()
    );
    let _h = Hawser::start(bin(), &cfg, &[p]);
    for _ in 0..4 {
        assert_eq!(get(p, "/").text(), "good");
    }
    // retries count, with + for a redispatch
    assert!(until(20_000, || log.lines().iter().any(|l| l.contains("/+1 "))), "{:#?}", log.lines());
}

/// `retry-on`: a request that died with its server is repeated elsewhere, if it was asked for and can be.
#[test]
fn requests_that_die_with_a_server_are_repeated_as_retry_on_says() {
    const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood";
    const DEATHS: [(&str, &[u8]); 4] = [
        ("empty-response", b""),
        ("junk-response", b"junk\r\n\r\n"),
        ("503", b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"),
        ("conn-failure", b""),
    ];
    const GET: &str = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    const POST: &str = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc";
    for (event, death) in DEATHS {
        let bodies = Arc::new(AtomicUsize::new(0));
        let seen = bodies.clone();
        let o = Origin::raw(move |mut s, n| {
            let (mut b, mut got) = ([0; 2048], 0);
            let whole = |b: &[u8]| match b.starts_with(b"POST") {
                true => b.ends_with(b"abc"),
                false => b.ends_with(b"\r\n\r\n"),
            };
            while !whole(&b[..got]) {
                match s.read(&mut b[got..]) {
                    Ok(n) if n > 0 => got += n,
                    _ => return,
                }
            }
            seen.fetch_add(usize::from(b[..got].starts_with(b"POST")), Ordering::SeqCst);
            let _ = s.write_all(if n % 2 == 0 { death } else { OK });
        });
        let p = free_port();
        let cfg = format!(
            "global\n  nbthread 1\n{DEFAULTS}  retries 1\n  retry-on {event}\nlisten l\n  bind 127.0.0.1:{p}\n  \
             http-request disable-l7-retry if {{ path /once }}\n  http-reuse never\n  server s 127.0.0.1:{}\n",
            o.port()
        );
        let _h = Hawser::start(bin(), &cfg, &[p]);
        let (repeated, once) = (ask(p, GET), o.connections());
        if event == "conn-failure" {
            assert_eq!((repeated.status, once), (502, 1), "a request that was sent is not repeated for it");
            continue;
        }
        assert_eq!((repeated.text().as_str(), once), ("good", 2), "{event}");
        assert_eq!((ask(p, POST).text().as_str(), o.connections()), ("good", 4), "{event}");
        assert_eq!(bodies.load(Ordering::SeqCst), 2, "{event}: both attempts carry the body");
        let status = ask(p, "GET /once HTTP/1.1\r\nHost: x\r\n\r\n").status;
        assert_eq!((status / 100, o.connections()), (5, 5), "{event}: a rule can forbid it");
    }
}

/// When the last attempt is answered too, that answer is the client's, whatever its status.
#[test]
fn the_last_answer_is_passed_on_when_no_attempt_is_left() {
    let o = Origin::http(|r| {
        format!("HTTP/1.1 503 No\r\nConnection: close\r\nContent-Length: 1\r\n\r\n{}", r.conn % 10)
            .into_bytes()
    });
    let p = free_port();
    let cfg = format!(
        "global\n  nbthread 1\n{DEFAULTS}  retries 2\n  retry-on 503\n  http-reuse never\nlisten l\n  bind 127.0.0.1:{p}\n  server s 127.0.0.1:{}\n",
        o.port()
    );
    let _h = Hawser::start(bin(), &cfg, &[p]);
    let r = get(p, "/");
    assert_eq!((r.status, r.body.len(), o.connections()), (503, 1, 3), "{}", r.head);
}

#[test]
fn a_dead_server_without_redispatch_is_503_after_the_retries() {
    let p = free_port();
    let log = LogSink::new();
    let cfg = format!(
        "global\n  log 127.0.0.1:{} local0\n{DEFAULTS}  log global\n  option httplog\n  retries 1\nlisten l\n  bind 127.0.0.1:{p}\n  server dead 127.0.0.1:{}\n",
        log.port(),
        free_port()
    );
    let _h = Hawser::start(bin(), &cfg, &[p]);
    assert_eq!(get(p, "/").status, 503);
    let l = log.wait_for(" 503 ");
    assert!(l.contains(" SC-- "), "{l}");
}

#[test]
fn server_maxconn_is_never_exceeded_and_the_rest_waits() {
    let (cur, max) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (c, m) = (cur.clone(), max.clone());
    let o = Origin::http(move |_| {
        let n = c.fetch_add(1, Ordering::SeqCst) + 1;
        m.fetch_max(n, Ordering::SeqCst);
        pause(20);
        c.fetch_sub(1, Ordering::SeqCst);
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec()
    });
    let p = free_port();
    let cfg = format!(
        "global\n  nbthread 2\n{DEFAULTS}  timeout queue 9s\nlisten l\n  bind 127.0.0.1:{p}\n  server s 127.0.0.1:{} maxconn 3\n",
        o.port()
    );
    let _h = Hawser::start(bin(), &cfg, &[p]);
    let threads: Vec<_> = (0..24)
        .map(|_| {
            std::thread::spawn(move || {
                let mut c = Client::connect(p);
                (0..5).all(|_| c.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n").status == 200)
            })
        })
        .collect();
    assert!(threads.into_iter().all(|t| t.join().unwrap()), "a queued request was lost");
    assert_eq!(max.load(Ordering::SeqCst), 3, "requests at once: no more than allowed, and no fewer");
}

#[test]
fn timeout_queue_gives_503_and_sq() {
    let o = Origin::http(|_| {
        pause(3000);
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec()
    });
    let p = free_port();
    let log = LogSink::new();
    let cfg = format!(
        "global\n  log 127.0.0.1:{} local0\n{DEFAULTS}  log global\n  option httplog\n  timeout queue 300\nlisten l\n  bind 127.0.0.1:{p}\n  server s 127.0.0.1:{} maxconn 1\n",
        log.port(),
        o.port()
    );
    let _h = Hawser::start(bin(), &cfg, &[p]);
    let mut first = Client::connect(p);
    first.send("GET /first HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(until(20_000, || o.connections() == 1));
    let t = now();
    assert_eq!(get(p, "/second").status, 503);
    let ms = t.elapsed().as_millis();
    assert!((250..3000).contains(&ms), "{ms} ms");
    let line = log.wait_for("/second");
    // The queues' field tells that it was the first to wait.
    assert!(line.contains(" sQ-- ") && line.contains(" 0/1 "), "{line}");
    assert_eq!(first.recv().status, 200);
    let line = log.wait_for("/first");
    assert!(line.contains(" 0/0 "), "{line}");
}

#[test]
fn a_failing_check_takes_a_server_out_and_a_good_one_brings_it_back() {
    let (a, pb, p) = (Origin::fixed("a", "a"), free_port(), free_port());
    let b = Origin::raw_on(pb, |mut s, _| serve(&mut s));
    let cfg = format!(
        "{DEFAULTS}  retries 0\nlisten l\n  bind 127.0.0.1:{p}\n  default-server inter 100ms fall 2 rise 2\n  server a 127.0.0.1:{} check\n  server b 127.0.0.1:{pb} check\n",
        a.port()
    );
    let h = Hawser::start(bin(), &cfg, &[p]);
    let served = spread(p, 4);
    assert!(served.contains_key("b"), "{served:?}");
    drop(b);
    assert!(until(20_000, || h.stderr().contains("Server l/b is DOWN")), "{}", h.stderr());
    assert_eq!(spread(p, 6), HashMap::from([("a".to_owned(), 6)]));
    let _b = Origin::raw_on(pb, |mut s, _| serve(&mut s));
    assert!(until(20_000, || h.stderr().contains("Server l/b is UP")), "{}", h.stderr());
    assert!(spread(p, 6).contains_key("b"));
}

fn serve(s: &mut std::net::TcpStream) {
    let mut b = [0; 2048];
    while let Ok(n) = s.read(&mut b) {
        if n == 0 || s.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb").is_err() {
            return;
        }
    }
}

#[test]
fn httpchk_wants_a_good_status() {
    let o = Origin::http(|r| {
        let code = if r.line().starts_with("GET /health") { "500 No" } else { "200 OK" };
        format!("HTTP/1.1 {code}\r\nContent-Length: 0\r\n\r\n").into_bytes()
    });
    let p = free_port();
    let cfg = format!(
        "{DEFAULTS}listen l\n  bind 127.0.0.1:{p}\n  option httpchk GET /health\n  server s 127.0.0.1:{} check inter 100ms fall 2\n",
        o.port()
    );
    let h = Hawser::start(bin(), &cfg, &[p]);
    assert!(until(20_000, || h.stderr().contains("Server l/s is DOWN")), "{}", h.stderr());
    assert!(h.stderr().contains("Layer7 wrong status"), "{}", h.stderr());
    assert_eq!(get(p, "/").status, 503);
}

#[test]
fn reuse_modes_decide_who_shares_a_server_connection() {
    // Two client connections, two requests each: how many server connections are opened.
    for (mode, expected) in [("never", 2), ("safe", 2), ("always", 1)] {
        let o = Origin::fixed("a", "a");
        let p = free_port();
        let cfg = format!(
            "global\n  nbthread 1\n{DEFAULTS}  http-reuse {mode}\nlisten l\n  bind 127.0.0.1:{p}\n  server s 127.0.0.1:{}\n",
            o.port()
        );
        let _h = Hawser::start(bin(), &cfg, &[p]);
        let mut clients = [Client::connect(p), Client::connect(p)];
        for i in [0, 1, 0, 1] {
            assert_eq!(clients[i].ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n").text(), "a");
        }
        assert_eq!(o.connections(), expected, "http-reuse {mode}");
    }
}

#[test]
fn a_server_that_closes_an_idle_connection_costs_nobody_a_request() {
    let o = Origin::raw(|mut s, _| {
        let mut b = [0; 2048];
        if s.read(&mut b).unwrap_or(0) > 0 {
            let _ = s.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nk");
            pause(30);
        }
    });
    let p = free_port();
    let cfg = format!(
        "{DEFAULTS}  http-reuse always\nlisten l\n  bind 127.0.0.1:{p}\n  server s 127.0.0.1:{}\n",
        o.port()
    );
    let _h = Hawser::start(bin(), &cfg, &[p]);
    let mut c = Client::connect(p);
    for _ in 0..20 {
        assert_eq!(c.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n").status, 200);
        pause(60);
    }
}

#[test]
fn backup_servers_serve_only_when_no_other_can() {
    let (a, b) = (Origin::fixed("a", "a"), Origin::fixed("b", "b"));
    let (p1, p2) = (free_port(), free_port());
    let cfg = format!(
        "{DEFAULTS}listen l1\n  bind 127.0.0.1:{p1}\n  server a 127.0.0.1:{a}\n  server b 127.0.0.1:{b} backup\n\
         listen l2\n  bind 127.0.0.1:{p2}\n  server a 127.0.0.1:{a} disabled\n  server b 127.0.0.1:{b} backup\n",
        a = a.port(),
        b = b.port()
    );
    let _h = Hawser::start(bin(), &cfg, &[p1, p2]);
    assert_eq!(spread(p1, 5).get("a"), Some(&5));
    assert_eq!(spread(p2, 5).get("b"), Some(&5));
}
