//! HTTP/2 from clients, to servers of HTTP/1: requests, their ends, timeouts, stops, and what logs say.

use hawser_testkit::h2client::{END, H2, PREFACE, kind, request};
use hawser_testkit::{Client, Hawser, LogSink, Origin, binary, free_port, pause, tools, until};
use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

fn bin() -> &'static str {
    binary(env!("CARGO_BIN_EXE_hawser"))
}

/// A proxy with two listeners: one for HTTP/2, one that clients may talk either version to.
fn proxy(origin: u16, extra: &str) -> (Hawser, u16, u16) {
    let (h2, h1) = (free_port(), free_port());
    let cfg = format!(
        "global\n  nbthread 2\ndefaults\n  mode http\n  timeout connect 2s\n  timeout client 5s\n  timeout server 5s\n\
         listen l\n  bind 127.0.0.1:{h2} proto h2\n  bind 127.0.0.1:{h1}\n  {extra}\n  server s1 127.0.0.1:{origin}\n"
    );
    (Hawser::start(bin(), &cfg, &[h2, h1]), h2, h1)
}

/// An origin that sends back the head that it got, then the length of the body.
fn echo() -> Origin {
    Origin::http(|r| {
        let text = format!("{}body {}\n", r.head, r.body.len());
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len()).into_bytes()
    })
}

#[test]
fn curl_gets_posts_and_asks_for_heads() {
    let o = echo();
    let (_h, port, mixed) = proxy(o.port(), "");
    for (port, path) in [(port, "/a?b=1"), (mixed, "/c")] {
        let url = format!("http://127.0.0.1:{port}{path}");
        let Some(got) = tools::curl(&["--http2-prior-knowledge", "-w", "%{http_version} %{http_code}", &url])
        else {
            return;
        };
        assert!(got.starts_with(&format!("GET {path} HTTP/1.1\r\n")), "{got}");
        assert!(got.contains(&format!("127.0.0.1:{port}\r\n")), "the authority becomes Host: {got}");
        assert!(got.ends_with("body 0\n2 200"), "{got}");
        let body = "x".repeat(200_000);
        let data = hawser_testkit::process::temp_dir().join("body");
        std::fs::write(&data, body).unwrap();
        let post = format!("@{}", data.display());
        let got = tools::curl(&["--http2-prior-knowledge", "--data-binary", &post, &url]).unwrap();
        assert!(got.starts_with("POST ") && got.ends_with("body 200000\n"), "{got}");
        let got = tools::curl(&["--http2-prior-knowledge", "-I", &url]).unwrap();
        assert!(got.starts_with("HTTP/2 200") && !got.contains("body"), "{got}");
    }
}

#[test]
fn what_a_server_sent_before_it_broke_off_arrives() {
    let o = Origin::raw(|mut s, _| {
        let _ = s.read(&mut [0; 4096]);
        let body = "x".repeat(3000);
        let _ = s.write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{body}").as_bytes());
    });
    let (_h, port, _) = proxy(o.port(), "");
    let mut c = H2::connect(port);
    for i in 0..20 {
        c.get(2 * i + 1, "/");
        let r = c.outcome(2 * i + 1);
        assert_eq!((r.status(), r.body.len()), (200, 3000), "{r:?}");
        assert!(r.reset.is_some(), "{r:?}");
    }
}

#[test]
fn streams_run_side_by_side() {
    let turn = Arc::new(AtomicUsize::new(19));
    let whose = turn.clone();
    let o = Origin::http(move |r| {
        let n: usize = r.line().split(['/', ' ']).nth(2).unwrap().parse().unwrap();
        until(20_000, || whose.load(Ordering::Relaxed) == n);
        format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{n:02}").into_bytes()
    });
    let (_h, port, _) = proxy(o.port(), "timeout server 30s");
    let mut c = H2::connect(port);
    for n in 0..20 {
        c.get(2 * n + 1, &format!("/{n}"));
    }
    // The last is answered first, and each of the others only once the client has seen the one behind it.
    for n in (0..20).rev() {
        let f = std::iter::from_fn(|| c.next_frame()).find(|f| f.kind == kind::DATA && !f.payload.is_empty());
        let f = f.expect("a body that no other one holds up");
        assert_eq!((f.stream, f.payload), (2 * n + 1, format!("{n:02}").into_bytes()));
        turn.store(n.saturating_sub(1) as usize, Ordering::Relaxed);
    }
    assert!(o.connections() >= 20);
}

#[test]
fn bodies_without_length_and_trailers_pass_both_ways() {
    let o = Origin::raw(|mut s, _| {
        let mut all = Vec::new();
        let mut chunk = [0; 4096];
        while !all.ends_with(b"7\r\n\r\n") {
            let n = s.read(&mut chunk).unwrap();
            assert!(n > 0, "{}", String::from_utf8_lossy(&all));
            all.extend_from_slice(&chunk[..n]);
        }
        let text = String::from_utf8_lossy(&all).to_lowercase();
        assert!(text.contains("transfer-encoding: chunked") && text.contains("\r\nhello"), "{text}");
        s.write_all(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-End: 1\r\n\r\n",
        )
        .unwrap();
    });
    let (_h, port, _) = proxy(o.port(), "");
    let mut c = H2::connect(port);
    c.headers(1, &request("POST", "/"), false);
    c.data(1, b"hello", false);
    c.headers(1, &[("x-sum", "7")], true);
    let r = c.outcome(1);
    assert_eq!((r.status(), r.body.as_slice(), r.trailers), (200, &b"abcde"[..], true));
}

#[test]
fn interim_responses_and_bodyless_ones() {
    let o = Origin::http(|r| match r.line().split(' ').nth(1) {
        Some("/early") => {
            b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
                .to_vec()
        }
        Some("/none") => b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(),
        _ => b"HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n".to_vec(),
    });
    let (_h, port, _) = proxy(o.port(), "");
    let mut c = H2::connect(port);
    c.get(1, "/early");
    let r = c.outcome(1);
    assert_eq!((r.statuses.as_slice(), r.body.as_slice()), (&[103, 200][..], &b"ok"[..]));
    for (stream, path, status) in [(3, "/none", 204), (5, "/same", 304)] {
        c.get(stream, path);
        let r = c.outcome(stream);
        assert_eq!((r.status(), r.body.len(), r.reset), (status, 0, None), "{path}");
    }
}

#[test]
fn a_stream_that_the_client_takes_back_ends_alone() {
    let gone = Arc::new(AtomicUsize::new(0));
    let g = gone.clone();
    let o = Origin::raw(move |mut s, _| {
        let mut b = [0; 4096];
        let n = s.read(&mut b).unwrap();
        if b[..n].starts_with(b"GET /wait") {
            // The end of the connection.
            while s.read(&mut b).is_ok_and(|n| n > 0) {}
            g.fetch_add(1, Ordering::Relaxed);
            return;
        }
        s.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
    });
    let log = LogSink::new();
    let extra = format!("log 127.0.0.1:{} local0\n  option httplog", log.port());
    let (_h, port, _) = proxy(o.port(), &extra);
    let mut c = H2::connect(port);
    c.get(1, "/wait");
    c.get(3, "/ok");
    assert_eq!(c.outcome(3).status(), 200);
    c.frame(kind::RST_STREAM, 0, 1, &8u32.to_be_bytes());
    assert!(until(20_000, || gone.load(Ordering::Relaxed) == 1), "the server is let go");
    let line = log.wait_for("/wait");
    assert!(line.contains(" CD-- ") && line.contains("GET http://x.example/wait HTTP/2.0\""), "{line}");
    c.get(5, "/ok");
    assert_eq!(c.outcome(5).status(), 200, "the connection lives on");
    log.wait_for("GET http://x.example/ok HTTP/2.0");
}

#[test]
fn what_rules_know_of_the_connection() {
    let o = echo();
    let rules = "http-request set-var(sess.n) var(sess.n),add(1) if { var(sess.n) -m found }\n  \
                 http-request set-var(sess.n) int(1) unless { var(sess.n) -m found }\n  \
                 http-request return status 200 content-type text/plain lf-string \"%[fc_http_major] %[req.ver] \
                 %[http_first_req] %[var(sess.n)] %[fc_settings_streams_limit]\" if { path /facts }";
    let (_h, port, mixed) = proxy(o.port(), rules);
    let mut c = H2::connect(port);
    for (stream, facts) in [(1, "2 2.0 0 1 100"), (3, "2 2.0 0 2 100")] {
        c.get(stream, "/facts");
        let body = c.outcome(stream).body;
        assert_eq!(String::from_utf8(body).unwrap(), facts, "session variables outlive streams");
    }
    assert_eq!(hawser_testkit::wire::get(mixed, "/facts").text(), "1 1.1 1 1 1");
}

#[test]
fn rules_that_end_streams() {
    let o = echo();
    let rules = "timeout tarpit 100ms\n  http-request deny if { path /deny }\n  http-request tarpit if { path /tarpit }\n  \
                 http-request reject if { path /reject }\n  http-request redirect location /x if { path /move }";
    let (_h, port, _) = proxy(o.port(), rules);
    let mut c = H2::connect(port);
    for (stream, path, status) in [(1, "/deny", 403), (3, "/tarpit", 500), (5, "/move", 302), (7, "/", 200)] {
        c.get(stream, path);
        assert_eq!(c.outcome(stream).status(), status, "{path}");
    }
    c.get(9, "/reject");
    let r = c.outcome(9);
    assert!(r.statuses.is_empty() && r.is_refused(), "{r:?}");
}

#[test]
fn a_client_that_does_not_read_is_not_read_for() {
    let sent = Arc::new(AtomicUsize::new(0));
    let n = sent.clone();
    let o = Origin::raw(move |mut s, _| {
        let mut b = [0; 4096];
        let _ = s.read(&mut b);
        let _ = s.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
        while s.write_all(&[b'x'; 65536]).is_ok() {
            n.fetch_add(65536, Ordering::Relaxed);
        }
    });
    let (h, port, _) = proxy(o.port(), "");
    let mut c = H2::connect(port);
    c.updates = false;
    for i in 0..10 {
        c.get(2 * i + 1, "/");
    }
    let before = h.rss_kib();
    let mut last = 0;
    let stopped = until(20_000, || {
        pause(200);
        let now = sent.load(Ordering::Relaxed);
        std::mem::replace(&mut last, now) == now && now > 0
    });
    assert!(stopped, "{last} bytes, and more to come");
    assert!(h.rss_kib() < before + 10 * 1024, "{} KiB, then {}", before, h.rss_kib());
    // Kernel buffers and what one stream may hold, ten times.
    assert!(last < 200 << 20, "{last} bytes were taken from servers");
}

#[test]
fn an_upload_stops_when_the_server_does_not_read() {
    let o = Origin::raw(|s, _| {
        pause(1500);
        drop(s);
    });
    let (h, port, _) = proxy(o.port(), "");
    let before = h.rss_kib();
    let mut c = H2::connect(port);
    c.headers(1, &request("POST", "/"), false);
    let mut sent = 0usize;
    let mut window = 65_535usize;
    // Windows that are given are used up to the end.
    let start = hawser_testkit::net::now();
    while start.elapsed().as_millis() < 800 && sent < 100 << 20 {
        let n = window.min(16_384);
        if n > 0 {
            c.data(1, &vec![b'x'; n], false);
            (sent, window) = (sent + n, window - n);
            continue;
        }
        let Some(f) = c.next_frame() else { break };
        if f.kind == kind::WINDOW_UPDATE && f.stream == 1 {
            window += u32::from_be_bytes(f.payload.try_into().unwrap()) as usize;
        }
        if f.kind == kind::HEADERS || f.kind == kind::RST_STREAM {
            break;
        }
    }
    assert!(sent < 64 << 20, "{sent} bytes taken for a server that reads none");
    assert!(h.rss_kib() < before + 10 * 1024);
}

/// A client answers our PING at once, and sends only then what it had made ready before.
#[test]
fn requests_that_cross_a_goaway_are_served() {
    let origin = Origin::http(|_| b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec());
    let (h, port, _) = proxy(origin.port(), "");
    let mut c = H2::connect(port);
    c.get(1, "/");
    assert_eq!(c.outcome(1).status(), 200);
    h.signal(libc::SIGUSR1);
    let ping = loop {
        let f = c.next_frame().unwrap();
        if f.kind == kind::PING && f.flags & END == 0 {
            break f;
        }
    };
    c.frame(kind::PING, END, 0, &ping.payload);
    pause(20);
    c.headers(3, &request("POST", "/late"), false);
    c.data(3, b"body", true);
    let r = c.outcome(3);
    assert_eq!((r.status(), r.body.as_slice()), (200, &b"ok"[..]), "{:?} {:?}", r.reset, r.goaway);
}

#[test]
fn a_soft_stop_says_goaway_and_lets_streams_finish() {
    let (asked, told) = <(Arc<AtomicBool>, Arc<AtomicBool>)>::default();
    let (seen, go) = (asked.clone(), told.clone());
    let o = Origin::http(move |r| {
        if r.line().starts_with("GET /slow") {
            seen.store(true, Ordering::Relaxed);
            until(20_000, || go.load(Ordering::Relaxed));
        }
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec()
    });
    let (mut h, port, _) = proxy(o.port(), "timeout server 30s");
    let (mut busy, mut idle) = (H2::connect(port), H2::connect(port));
    for c in [&mut busy, &mut idle] {
        c.get(1, "/");
        assert_eq!(c.outcome(1).status(), 200);
    }
    busy.get(3, "/slow");
    assert!(until(20_000, || asked.load(Ordering::Relaxed)));
    h.signal(libc::SIGUSR1);
    let goaway = std::iter::from_fn(|| busy.next_frame()).find(|f| f.kind == kind::GOAWAY);
    assert_eq!(goaway.unwrap().payload[4..8], [0; 4], "no error");
    told.store(true, Ordering::Relaxed);
    let r = busy.outcome(3);
    assert_eq!((r.status(), r.body.as_slice()), (200, &b"ok"[..]));
    for mut c in [busy, idle] {
        while let Some(f) = c.next_frame() {
            if f.kind == kind::PING && f.flags & END == 0 {
                c.frame(kind::PING, END, 0, &f.payload);
            }
        }
    }
    assert!(h.wait(20_000).is_some_and(|s| s.success()), "the process ends once they are done");
}

#[test]
fn idle_connections_end_in_time_and_politely() {
    let o = echo();
    let extra = "timeout http-keep-alive 300ms\n  timeout http-request 900ms\n  timeout client-fin 100ms";
    let (_h, port, _) = proxy(o.port(), extra);
    let start = hawser_testkit::net::now();
    let mut c = H2::connect(port);
    c.get(1, "/");
    assert_eq!(c.outcome(1).status(), 200);
    let mut goaway = None;
    while let Some(f) = c.next_frame() {
        if f.kind == kind::GOAWAY {
            goaway = Some(f.payload[4..8].to_vec());
        }
    }
    assert_eq!(goaway, Some(vec![0; 4]));
    let after_use = start.elapsed().as_millis();
    let start = hawser_testkit::net::now();
    let mut c = H2::connect(port);
    while c.next_frame().is_some() {}
    let unused = start.elapsed().as_millis();
    assert!((300..5000).contains(&after_use) && (900..5000).contains(&unused), "{after_use} ms, {unused} ms");
}

#[test]
fn idle_ping_finds_dead_clients() {
    let o = echo();
    let port = free_port();
    let cfg = format!(
        "defaults\n  mode http\n  timeout connect 2s\n  timeout client 1500ms\n  timeout server 5s\n\
         listen l\n  bind 127.0.0.1:{port} proto h2 idle-ping 700ms\n  server s1 127.0.0.1:{}\n",
        o.port()
    );
    let _h = Hawser::start(bin(), &cfg, &[port]);
    // One that answers lives longer than its timeout, one that does not ends.
    for answers in [true, false] {
        let start = hawser_testkit::net::now();
        let mut c = H2::connect(port);
        c.get(1, "/");
        assert_eq!(c.outcome(1).status(), 200);
        let mut pings = 0;
        while let Some(f) = c.next_frame() {
            if f.kind == kind::PING && f.flags & END == 0 {
                pings += 1;
                if answers {
                    c.frame(kind::PING, END, 0, &f.payload);
                }
                if pings == 3 {
                    break;
                }
            }
        }
        assert_eq!((answers, pings == 3), (answers, answers), "{pings} pings");
        assert!(pings >= 1 && (!answers || start.elapsed().as_millis() > 2000));
    }
}

#[test]
fn the_preface_on_an_http1_listener() {
    let o = echo();
    let (_h, _, mixed) = proxy(o.port(), "");
    // In two pieces, as a slow network would have it.
    let mut c = H2::raw(mixed);
    c.send(&PREFACE[..10]);
    pause(100);
    c.send(&PREFACE[10..]);
    c.frame(kind::SETTINGS, 0, 0, b"");
    c.get(1, "/");
    assert_eq!(c.outcome(1).status(), 200);
    // Only a first request may be one.
    let mut c = Client::connect(mixed);
    assert_eq!(c.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n").status, 200);
    assert_eq!(c.ask(PREFACE).status, 405);
    let (_h, _, strict) = proxy(o.port(), "option disable-h2-upgrade");
    assert_eq!(Client::connect(strict).ask(PREFACE).status, 405);
    // What only starts like it is a request like others.
    assert_eq!(Client::connect(mixed).ask("PRIVATE / HTTP/1.1\r\nHost: x\r\n\r\n").status, 200);
}

#[test]
fn upgrades_to_h2c_are_not_passed_on() {
    let o = echo();
    let (_h, _, mixed) = proxy(o.port(), "");
    let r = hawser_testkit::wire::ask(
        mixed,
        "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
    );
    assert_eq!(r.status, 200);
    let seen = r.text().to_lowercase();
    assert!(!seen.contains("upgrade: h2c") && !seen.contains("http2-settings"), "{seen}");
}

#[test]
fn tcp_listeners_become_http2() {
    let o = echo();
    let (by_rule, by_backend) = (free_port(), free_port());
    let cfg = format!(
        "defaults\n  timeout connect 2s\n  timeout client 5s\n  timeout server 5s\n\
         frontend a\n  mode tcp\n  bind 127.0.0.1:{by_rule}\n  tcp-request inspect-delay 1s\n  \
         tcp-request content switch-mode http proto h2 if HTTP\n  tcp-request content reject\n  default_backend be\n\
         frontend b\n  mode tcp\n  bind 127.0.0.1:{by_backend}\n  default_backend be\n\
         backend be\n  mode http\n  server s1 127.0.0.1:{}\n",
        o.port()
    );
    let _h = Hawser::start(bin(), &cfg, &[by_rule, by_backend]);
    for port in [by_rule, by_backend] {
        let mut c = H2::connect(port);
        c.get(1, "/");
        assert_eq!(c.outcome(1).status(), 200);
    }
}

#[test]
fn one_request_that_goes_wrong_does_not_hurt_its_neighbours() {
    let broken = Arc::new(AtomicBool::new(false));
    let b = broken.clone();
    let o = Origin::raw(move |mut s, _| {
        let mut buf = [0; 4096];
        let n = s.read(&mut buf).unwrap_or(0);
        let text = match buf.get(..n) {
            Some(r) if r.starts_with(b"GET /junk") => &b"\x00\x01garbage\r\n\r\n"[..],
            Some(r) if r.starts_with(b"GET /short") => {
                b.store(true, Ordering::Relaxed);
                b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"
            }
            _ => b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        };
        let _ = s.write_all(text);
    });
    let (_h, port, _) = proxy(o.port(), "");
    let mut c = H2::connect(port);
    c.get(1, "/junk");
    assert_eq!(c.outcome(1).status(), 502);
    c.get(3, "/short");
    let r = c.outcome(3);
    assert!(r.reset.is_some() && b"abc".starts_with(&r.body), "a truncated body is no whole one: {r:?}");
    c.get(5, "/ok");
    assert_eq!(c.outcome(5).body, b"ok");
    assert!(broken.load(Ordering::Relaxed));
}
