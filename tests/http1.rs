//! HTTP/1 as clients and origins see it: framing, persistence, order and case of fields.

use hawser_testkit::wire::{ask, get};
use hawser_testkit::{Client, Hawser, Origin, binary, free_port};
use std::io::{Read, Write};

fn bin() -> &'static str {
    binary(env!("CARGO_BIN_EXE_hawser"))
}

fn proxy(origin: u16, extra: &str) -> (Hawser, u16) {
    let port = free_port();
    let cfg = format!(
        "global\n  nbthread 2\ndefaults\n  mode http\n  timeout connect 2s\n  timeout client 5s\n  timeout server 5s\n\
         listen l\n  bind 127.0.0.1:{port}\n  {extra}\n  server s1 127.0.0.1:{origin}\n"
    );
    (Hawser::start(bin(), &cfg, &[port]), port)
}

/// An origin that sends back the request head it got, as the body.
fn echo() -> Origin {
    Origin::http(|r| {
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", r.head.len() + r.body.len(), r.head)
            .into_bytes()
            .into_iter()
            .chain(r.body.iter().copied())
            .collect()
    })
}

#[test]
fn case_and_order_of_fields_are_kept() {
    let o = echo();
    let (_h, port) = proxy(o.port(), "");
    let r = ask(port, "GET /p?q=1 HTTP/1.1\r\nhOsT: a.example\r\nX-b: 2\r\nx-A: 1\r\nX-b: 3\r\n\r\n");
    assert_eq!(r.status, 200);
    let names: Vec<&str> =
        r.text().leak().lines().skip(1).filter_map(|l| l.split_once(':')).map(|x| x.0).collect();
    let pos =
        |n: &str| names.iter().position(|x| *x == n).unwrap_or_else(|| panic!("{n} missing in {names:?}"));
    assert!(pos("hOsT") < pos("X-b") && pos("X-b") < pos("x-A"), "{names:?}");
    assert!(r.text().starts_with("GET /p?q=1 HTTP/1.1\r\n"), "{}", r.text());
}

#[test]
fn keep_alive_uses_one_connection_on_each_side() {
    let o = Origin::fixed("a", "hello");
    let (_h, port) = proxy(o.port(), "");
    let before = o.connections();
    let mut c = Client::connect(port);
    for _ in 0..20 {
        let r = c.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_eq!((r.status, r.text().as_str()), (200, "hello"));
    }
    assert_eq!(o.connections() - before, 1);
}

#[test]
fn http_server_close_opens_one_server_connection_a_request() {
    let o = Origin::fixed("a", "hello");
    let (_h, port) = proxy(o.port(), "option http-server-close");
    let before = o.connections();
    let mut c = Client::connect(port);
    for _ in 0..5 {
        assert_eq!(c.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n").status, 200);
    }
    assert_eq!(o.connections() - before, 5);
}

#[test]
fn httpclose_closes_the_client_side_too() {
    let o = Origin::fixed("a", "hello");
    let (_h, port) = proxy(o.port(), "option httpclose");
    let mut c = Client::connect(port);
    let r = c.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(r.field("connection"), Some("close"));
    assert!(c.closed_within(20_000));
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let o = Origin::http(|r| {
        let p = r.line().split(' ').nth(1).unwrap().to_owned();
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{p}", p.len()).into_bytes()
    });
    let (_h, port) = proxy(o.port(), "");
    let mut c = Client::connect(port);
    let all: String = (0..50).map(|i| format!("GET /{i} HTTP/1.1\r\nHost: x\r\n\r\n")).collect();
    c.send(all);
    for i in 0..50 {
        assert_eq!(c.recv().text(), format!("/{i}"));
    }
}

#[test]
fn a_head_that_arrives_byte_by_byte_is_understood() {
    let o = echo();
    let (_h, port) = proxy(o.port(), "");
    let mut c = Client::connect(port);
    for b in b"POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc" {
        c.send([*b]);
    }
    let r = c.recv();
    assert_eq!(r.status, 200);
    assert!(r.text().ends_with("\r\n\r\nabc"), "{}", r.text());
}

/// Chunks that go through the kernel are framed anew, whatever pieces arrive.
#[test]
fn spliced_chunks_arrive_whole() {
    let pattern = |n: usize| (0..n).map(|i| (i % 251) as u8).collect::<Vec<_>>();
    let chunks = |sizes: &[usize]| {
        let mut out = Vec::new();
        let whole = pattern(sizes.iter().sum());
        let mut at = 0;
        for n in sizes {
            out.extend_from_slice(format!("{n:x}\r\n").as_bytes());
            out.extend_from_slice(&whole[at..at + n]);
            out.extend_from_slice(b"\r\n");
            at += n;
        }
        out.extend_from_slice(b"0\r\nX-End: 1\r\n\r\n");
        out
    };
    const UP: &[usize] = &[1, 70_000, 3, 200_000, 16_384];
    const DOWN: &[usize] = &[300_000, 1, 100_000];
    let answer = chunks(DOWN);
    let o = Origin::http(move |r| {
        let expected = r.body == pattern(UP.iter().sum());
        let mut out = format!("HTTP/1.1 200 OK\r\nX-Whole: {expected}\r\nTransfer-Encoding: chunked\r\n\r\n")
            .into_bytes();
        out.extend_from_slice(&answer);
        out
    });
    let (_h, p) = proxy(o.port(), "option splice-request\n  option splice-response");
    let mut c = Client::connect(p);
    for _ in 0..2 {
        let mut request = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        request.extend_from_slice(&chunks(UP));
        let r = c.ask(request);
        assert_eq!((r.status, r.field("x-whole")), (200, Some("true")), "{}", r.head);
        assert_eq!(r.body, pattern(DOWN.iter().sum()));
    }
}

#[test]
fn chunked_bodies_and_trailers_pass_both_ways() {
    let o = Origin::http(|r| {
        assert_eq!(r.body, b"hello world");
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4;ext=1\r\ndefg\r\n0\r\nX-Sum: 7\r\n\r\n"
            .to_vec()
    });
    let (_h, port) = proxy(o.port(), "");
    let mut c = Client::connect(port);
    for _ in 0..3 {
        let r = c.ask(
            "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
        );
        assert_eq!((r.status, r.text().as_str(), r.complete), (200, "abcdefg", true));
        assert!(r.trailers.to_ascii_lowercase().contains("x-sum: 7"), "{:?}", r.trailers);
    }
}

#[test]
fn large_bodies_pass_unchanged_both_ways() {
    let o = Origin::http(|r| {
        let mut v = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", r.body.len()).into_bytes();
        v.extend(&r.body);
        v
    });
    let (_h, port) = proxy(o.port(), "");
    let body: Vec<u8> = (0..5_000_000u32).map(|i| (i * 7 % 251) as u8).collect();
    let mut req =
        format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
    req.extend(&body);
    let mut c = Client::connect(port);
    for _ in 0..2 {
        let r = c.ask(&req);
        assert!(r.status == 200 && r.body == body, "{} {}", r.status, r.body.len());
    }
}

#[test]
fn head_and_bodyless_statuses_have_no_body() {
    let o = Origin::http(|r| match r.line().split(' ').nth(1).unwrap() {
        "/204" => b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(),
        "/304" => b"HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n".to_vec(),
        _ => b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n".to_vec(),
    });
    let (_h, port) = proxy(o.port(), "");
    let mut c = Client::connect(port);
    for (method, path, status) in
        [("HEAD", "/", 200), ("GET", "/204", 204), ("GET", "/304", 304), ("HEAD", "/", 200)]
    {
        c.send(format!("{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert_eq!(c.recv_for(method).status, status, "{method} {path}");
    }
}

#[test]
fn expect_100_continue_reaches_the_client_before_the_body() {
    let o = Origin::raw(|mut s, _| {
        let mut b = [0; 4096];
        let n = s.read(&mut b).unwrap();
        if n == 0 {
            return;
        }
        assert!(b[..n].to_ascii_lowercase().windows(12).any(|w| w == b"100-continue"));
        s.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").unwrap();
        let n = s.read(&mut b).unwrap();
        assert_eq!(&b[..n], b"12345");
        s.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
    });
    let (_h, port) = proxy(o.port(), "");
    let mut c = Client::connect(port);
    c.send("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    assert_eq!(c.recv().status, 100);
    let r = c.ask("12345");
    assert_eq!((r.status, r.text().as_str()), (200, "ok"));
}

#[test]
fn interim_responses_are_forwarded() {
    let o = Origin::http(|_| {
        b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
            .to_vec()
    });
    let (_h, port) = proxy(o.port(), "");
    let mut c = Client::connect(port);
    let r = c.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!((r.status, r.field("link")), (103, Some("</a.css>")));
    assert_eq!(c.recv().text(), "ok");
}

#[test]
fn upgrade_becomes_a_tunnel_in_both_directions() {
    let o = Origin::raw(|mut s, _| {
        let mut b = [0; 4096];
        let n = s.read(&mut b).unwrap();
        if n == 0 {
            return;
        }
        let head = String::from_utf8_lossy(&b[..n]).to_ascii_lowercase();
        assert!(head.contains("upgrade: echo") && head.contains("connection: upgrade"), "{head}");
        s.write_all(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n")
            .unwrap();
        while let Ok(n) = s.read(&mut b) {
            if n == 0 || s.write_all(&b[..n]).is_err() {
                return;
            }
        }
    });
    let (_h, port) = proxy(o.port(), "");
    let mut c = Client::connect(port);
    let r = c.ask("GET /chat HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
    assert_eq!(r.status, 101);
    for msg in ["one", "two\r\n\r\n", "\0three"] {
        c.send(msg);
        assert_eq!(c.take(msg.len()), msg.as_bytes());
    }
    c.finish();
    assert!(c.closed_within(20_000));
}

#[test]
fn upgrade_h2c_is_not_forwarded() {
    let o = echo();
    let (_h, port) = proxy(o.port(), "");
    let r = ask(
        port,
        "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
    );
    let seen = r.text().to_ascii_lowercase();
    assert!(!seen.contains("h2c") && !seen.contains("http2-settings"), "{seen}");
}

#[test]
fn http_1_0_clients_get_what_they_ask_for() {
    let o = Origin::http(|_| {
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n".to_vec()
    });
    let (_h, port) = proxy(o.port(), "");
    let mut c = Client::connect(port);
    let r = c.ask("GET / HTTP/1.0\r\nHost: x\r\n\r\n");
    assert_eq!(r.status, 200);
    assert_eq!(r.field("transfer-encoding"), None, "HTTP/1.0 knows no chunks: {}", r.head);
    assert_eq!(r.text(), "abc");
    assert!(c.closed_within(20_000));

    let o = Origin::fixed("a", "hello");
    let (_h, port) = proxy(o.port(), "");
    let mut c = Client::connect(port);
    for _ in 0..2 {
        let r = c.ask("GET / HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n");
        assert_eq!((r.status, r.text().as_str()), (200, "hello"));
        assert!(r.field("connection").is_some_and(|v| v.eq_ignore_ascii_case("keep-alive")), "{}", r.head);
    }
}

#[test]
fn a_response_until_close_ends_with_the_connection() {
    let o = Origin::raw(|mut s, _| {
        let mut b = [0; 4096];
        if s.read(&mut b).unwrap() == 0 {
            return;
        }
        s.write_all(b"HTTP/1.1 200 OK\r\n\r\nuntil the end").unwrap();
    });
    let (_h, port) = proxy(o.port(), "");
    let mut c = Client::connect(port);
    let r = c.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(r.text(), "until the end");
}

#[test]
fn a_truncated_response_is_not_passed_off_as_complete() {
    let o = Origin::raw(|mut s, _| {
        let mut b = [0; 4096];
        if s.read(&mut b).unwrap() == 0 {
            return;
        }
        s.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this").unwrap();
    });
    let (_h, port) = proxy(o.port(), "");
    assert!(!get(port, "/").complete);
}

#[test]
fn early_responses_do_not_wait_for_the_body() {
    let o = Origin::raw(|mut s, _| {
        let mut b = [0; 1024];
        if s.read(&mut b).unwrap() == 0 {
            return;
        }
        s.write_all(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut rest = Vec::new();
        let _ = s.read_to_end(&mut rest);
    });
    let (_h, port) = proxy(o.port(), "");
    let mut c = Client::connect(port);
    c.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nsome");
    assert_eq!(c.recv().status, 413);
}

#[test]
fn rules_rewrite_both_ways() {
    let o = echo();
    let (_h, port) = proxy(
        o.port(),
        "http-request set-header X-New %[path]\n  http-request del-header X-Old\n  \
         http-response set-header X-Res %[status]\n  http-after-response add-header X-After yes\n  \
         http-request set-var(txn.a) str(kept)\n  http-response set-header X-Var %[var(txn.a)]\n  \
         http-request deny deny_status 429 if { path /teapot }\n  http-request return status 200 content-type text/plain lf-string \"%[method]\" if { path /me }\n  \
         http-request redirect location /there code 302 if { path /move }\n  http-request set-path /new%[path]",
    );
    let r = ask(port, "GET /x HTTP/1.1\r\nHost: a\r\nX-Old: 1\r\nConnection: close\r\n\r\n");
    assert!(r.text().starts_with("GET /new/x HTTP/1.1\r\n"), "{}", r.text());
    assert!(
        r.text().to_ascii_lowercase().contains("x-new: /x\r\n") && !r.text().contains("X-Old"),
        "{}",
        r.text()
    );
    assert_eq!(r.field("x-res"), Some("200"));
    assert_eq!(r.field("x-after"), Some("yes"));
    assert_eq!(r.field("x-var"), Some("kept"));
    assert_eq!(get(port, "/me").text(), "GET");
    let r = get(port, "/move");
    assert_eq!((r.status, r.field("location"), r.field("x-after")), (302, Some("/there"), Some("yes")));
}

#[test]
fn monitor_uri_answers_without_a_server() {
    let (_h, port) = proxy(free_port(), "monitor-uri /alive");
    assert_eq!(get(port, "/alive").status, 200);
    assert_eq!(get(port, "/other").status, 503);
}

#[test]
fn forwarded_for_names_the_client() {
    let o = echo();
    let (_h, port) = proxy(o.port(), "option forwardfor");
    let r = ask(port, "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n");
    let xff: Vec<String> = r
        .text()
        .lines()
        .filter(|l| l.to_ascii_lowercase().starts_with("x-forwarded-for:"))
        .map(str::to_owned)
        .collect();
    assert_eq!(xff.len(), 2, "{}", r.text());
    assert!(xff[1].ends_with("127.0.0.1"), "{xff:?}");
}

#[test]
fn httpclose_is_about_the_side_that_it_stands_on() {
    let (fe, be) = ("option httpclose", "option http-server-close");
    // (lines of the frontend, of the backend, connections to the server are shared, the client's is closed)
    let cases = [
        ("", "", true, false),
        (fe, "", true, true),
        (be, "", false, false),
        ("", be, false, false),
        ("", fe, false, false),
    ];
    for (front, back, shares, closes) in cases {
        let o = Origin::fixed("a", "hello");
        let port = free_port();
        let cfg = format!(
            "defaults\n  mode http\n  timeout connect 2s\n  timeout client 5s\n  timeout server 5s\n\
             frontend f\n  bind 127.0.0.1:{port}\n  {front}\n  default_backend b\n\
             backend b\n  http-reuse always\n  {back}\n  server s1 127.0.0.1:{}\n",
            o.port()
        );
        let _h = Hawser::start(bin(), &cfg, &[port]);
        for _ in 0..3 {
            let mut c = Client::connect(port);
            let r = c.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            assert_eq!(r.field("connection"), closes.then_some("close"), "{front} | {back}");
        }
        assert_eq!(o.connections() < 3, shares, "{front} | {back}");
    }
}

#[test]
fn the_local_end_of_a_server_connection_is_known() {
    let o = Origin::raw(|mut s, _| {
        let peer = s.peer_addr().unwrap();
        let mut buf = [0; 4096];
        while s.read(&mut buf).is_ok_and(|n| n > 0) {
            let text = format!("HTTP/1.1 200 OK\r\nX-Peer: {peer}\r\nContent-Length: 0\r\n\r\n");
            let _ = s.write_all(text.as_bytes());
        }
    });
    let (_h, port) = proxy(o.port(), "http-response set-header x-local %[bc_src]:%[bc_src_port]");
    let mut c = Client::connect(port);
    for _ in 0..2 {
        let r = c.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        assert!(r.field("x-peer").is_some());
        assert_eq!(r.field("x-local"), r.field("x-peer"));
    }
    assert_eq!(o.connections(), 1);
}

/// A refusal reaches a client that has not stopped sending: nothing it says makes the kernel throw the answer away.
/// (HAProxy 3.4 takes no such care of invalid requests.)
#[test]
fn refusals_reach_clients_that_are_still_sending() {
    let o = Origin::fixed("a", "hello");
    let (_h, port) = proxy(o.port(), "http-request deny if { path /no }");
    let long = "POST /no HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n";
    for (request, status) in [("GET / HTTP/1.1 bad\r\n\r\n", "400"), (long, "403")] {
        let mut s = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        s.write_all(request.as_bytes()).unwrap();
        for _ in 0..20 {
            hawser_testkit::pause(5);
            s.write_all(&[b'x'; 4096]).unwrap();
        }
        let mut answer = Vec::new();
        let read = s.read_to_end(&mut answer);
        let text = String::from_utf8_lossy(&answer);
        assert!(text.starts_with(&format!("HTTP/1.1 {status} ")), "{read:?} {text}");
        assert!(read.is_ok(), "{read:?} {text}");
    }
}

#[test]
fn a_connection_that_was_authenticated_belongs_to_its_client() {
    let o = Origin::http(|r| {
        let auth = if r.line().contains("/login") { "401 No\r\nWWW-Authenticate: NTLM" } else { "200 OK" };
        format!("HTTP/1.1 {auth}\r\nX-Conn: {}\r\nContent-Length: 0\r\n\r\n", r.conn).into_bytes()
    });
    let (_h, port) = proxy(o.port(), "http-reuse always");
    let conn = |c: &mut Client, path: &str| {
        c.ask(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")).field("x-conn").unwrap().to_owned()
    };
    let (mut one, mut two) = (Client::connect(port), Client::connect(port));
    assert_eq!(conn(&mut one, "/login"), "0");
    assert_eq!(conn(&mut two, "/"), "1");
    assert_eq!(conn(&mut one, "/"), "0");
    assert_eq!(conn(&mut Client::connect(port), "/"), "1");
    assert_eq!(conn(&mut one, "/"), "0");
}

#[test]
fn glitches_are_counted_and_wear_a_connection_out() {
    let o = echo();
    let port = free_port();
    let cfg = format!(
        "global\n  tune.h1.fe.glitches-threshold 4\ndefaults\n  mode http\n  timeout connect 2s\n  timeout client 5s\n  \
         timeout server 5s\nlisten l\n  bind 127.0.0.1:{port}\n  option accept-unsafe-violations-in-http-request\n  \
         http-response set-header x-glitches %[fc_glitches]\n  server s1 127.0.0.1:{}\n",
        o.port()
    );
    let _h = Hawser::start(bin(), &cfg, &[port]);
    let mut c = Client::connect(port);
    // A clean request is none.
    assert_eq!(c.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n").field("x-glitches"), Some("0"));
    for n in 1..=3 {
        let r = c.ask("GET / HTTP/1.1\r\nHost: x\r\nX[1]: y\r\n\r\n");
        assert_eq!((r.status, r.field("x-glitches")), (200, Some(n.to_string().as_str())));
        assert_eq!(r.field("connection"), (n == 3).then_some("close"), "polite at three quarters");
    }
    assert!(c.closed_within(20_000));
}

#[test]
fn a_server_of_port_zero_is_reached_on_the_clients_port() {
    let (one, two) = (Origin::fixed("a", "one"), Origin::fixed("b", "two"));
    let port = free_port();
    let cfg = format!(
        "defaults\n  mode http\n  timeout connect 2s\n  timeout client 5s\n  timeout server 5s\n\
         listen l\n  bind 127.0.0.1:{port}\n  http-request set-dst-port hdr(x-port)\n  server s1 127.0.0.1:0\n"
    );
    let _h = Hawser::start(bin(), &cfg, &[port]);
    let mut c = Client::connect(port);
    for (o, body) in [(&one, "one"), (&two, "two"), (&one, "one")] {
        let r = c.ask(format!("GET / HTTP/1.1\r\nHost: x\r\nX-Port: {}\r\n\r\n", o.port()));
        assert_eq!((r.status, r.text().as_str()), (200, body));
    }
    assert!(one.connections() <= 2 && two.connections() == 1);
}
