//! The PROXY protocol and NetScaler's client IP header, received and sent, alone and with other programs.

use hawser_testkit::net::listeners;
use hawser_testkit::process::temp_dir;
use hawser_testkit::tools::{curl, installed};
use hawser_testkit::{Client, Hawser, LogSink, Origin, binary, free_port, pause, until};
use parking_lot::Mutex;
use std::io::{Read, Write};
use std::sync::Arc;

fn bin() -> &'static str {
    binary(env!("CARGO_BIN_EXE_hawser"))
}

const DEFAULTS: &str =
    "defaults\n  mode http\n  timeout connect 2s\n  timeout client 2s\n  timeout server 2s\n";
const GET: &str = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

/// Version 2 of a header from 192.0.2.1:1000 to 192.0.2.2:80.
fn v2(command: u8, tlvs: &[u8]) -> Vec<u8> {
    let mut out = b"\r\n\r\n\0\r\nQUIT\n".to_vec();
    out.extend([command, 0x11]);
    out.extend(u16::try_from(12 + tlvs.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend([192, 0, 2, 1, 192, 0, 2, 2, 3, 232, 0, 80]);
    out.extend(tlvs);
    out
}

/// A frontend that answers with what it knows of the connection.
fn mirror(bind: &str, rules: &str) -> (Hawser, u16) {
    let port = free_port();
    let cfg = format!(
        "{DEFAULTS}frontend f\n  bind 127.0.0.1:{port} {bind}\n  {rules}\n  \
         http-request return status 200 hdr addrs \"%[src]:%[src_port] %[dst]:%[dst_port]\" \
         hdr conn \"%[fc_src] %[fc_dst] %[fc_rcvd_proxy]\" hdr tlvs \"%[fc_pp_authority]/%[fc_pp_unique_id]/%[fc_pp_tlv(0xE0)]\"\n"
    );
    (Hawser::start(bin(), &cfg, &[port]), port)
}

#[test]
fn a_header_replaces_the_addresses_but_not_those_of_the_connection() {
    let (_h, port) = mirror("accept-proxy", "");
    let ask = |header: &[u8]| Client::connect(port).send(header).ask(GET);
    let r = ask(b"PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\n");
    assert_eq!(r.field("addrs"), Some("192.0.2.1:1000 192.0.2.2:80"));
    assert_eq!(r.field("conn"), Some("127.0.0.1 127.0.0.1 1"));
    let r = ask(b"PROXY TCP6 2001:db8::1 ::2 1000 80\r\n");
    assert_eq!(r.field("addrs"), Some("2001:db8::1:1000 ::2:80"));
    let r = ask(&v2(0x21, b"\x02\0\x01a\x05\0\x02id\xe0\0\x01x"));
    assert_eq!(r.field("addrs"), Some("192.0.2.1:1000 192.0.2.2:80"));
    assert_eq!(r.field("tlvs"), Some("a/id/x"));
    for local in [b"PROXY UNKNOWN\r\n".as_slice(), b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"] {
        let r = ask(local);
        assert!(r.field("addrs").unwrap().starts_with("127.0.0.1:"), "{:?}", r.field("addrs"));
        assert_eq!(r.field("conn"), Some("127.0.0.1 127.0.0.1 1"));
    }
}

#[test]
fn garbage_forgeries_and_silence_are_dropped_and_logged() {
    let log = LogSink::new();
    let (_h, port) =
        mirror("accept-proxy", &format!("timeout client-hs 300ms\n  log 127.0.0.1:{} local0", log.port()));
    let with_bad_sum = v2(0x21, b"\x03\0\x04\0\0\0\0");
    let cases: [(&[u8], &str); 5] = [
        (GET.as_bytes(), "does not look like a PROXY protocol header"),
        (b"PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n", "invalid PROXY protocol header"),
        (&v2(0x31, b"")[..], "PROXY protocol header"),
        (&v2(0x21, b"\x02\0\x05ab"), "invalid PROXY protocol header"),
        (&with_bad_sum, "invalid PROXY protocol header"),
    ];
    for (bytes, why) in cases {
        let mut c = Client::connect(port);
        c.send(bytes);
        assert!(c.closed_within(20_000), "{bytes:?}");
        log.wait_for(why);
    }
    let mut c = Client::connect(port);
    assert!(c.closed_within(20_000), "a silent client");
    log.wait_for("Timeout while waiting for PROXY protocol header");
}

#[test]
fn it_is_not_believed_where_nobody_asked_for_it() {
    let (_h, port) = mirror("", "");
    let r = Client::connect(port).ask("PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\nGET / HTTP/1.1\r\n\r\n");
    assert_eq!(r.status, 400);
}

#[test]
fn rules_choose_who_must_send_a_header() {
    let (_h, port) = mirror("", "tcp-request connection expect-proxy layer4 if { src 127.0.0.2 }");
    assert!(Client::connect(port).ask(GET).field("conn").unwrap().ends_with(" 0"));
    let (_h, port) = mirror("", "tcp-request connection expect-proxy layer4 if { src 127.0.0.1 }");
    let r = Client::connect(port).send("PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\n").ask(GET);
    assert_eq!(r.field("addrs"), Some("192.0.2.1:1000 192.0.2.2:80"));
    assert!(Client::connect(port).send(GET).closed_within(20_000));
}

#[test]
fn rules_change_addresses_at_their_own_level() {
    let (_h, port) = mirror(
        "accept-proxy",
        "tcp-request connection set-src ipv4(10.0.0.1)\n  tcp-request session set-src-port int(7) if { src 192.0.2.1 }\n  \
         http-request set-dst ipv4(10.0.0.9)\n  http-request set-dst-port int(99)",
    );
    let r = Client::connect(port).send("PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\n").ask(GET);
    assert_eq!(r.field("conn"), Some("10.0.0.1 127.0.0.1 1"));
    assert_eq!(r.field("addrs"), Some("192.0.2.1:7 10.0.0.9:99"));
}

#[test]
fn netscaler_headers_in_both_forms() {
    let (_h, port) = mirror("accept-netscaler-cip 305419896", "");
    let mut copy = vec![0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, 3, 232, 0, 80];
    copy.resize(40, 0);
    let magic = 0x1234_5678_u32.to_be_bytes();
    let legacy = [&magic[..], &40_u32.to_be_bytes(), &copy].concat();
    let standard = [&magic[..], &52_u32.to_be_bytes(), &[0, 1], &40_u16.to_be_bytes(), &copy].concat();
    for header in [legacy, standard] {
        let (first, second) = header.split_at(20);
        let mut c = Client::connect(port);
        c.send(first);
        pause(30);
        let r = c.send(second).ask(GET);
        assert_eq!(r.field("addrs"), Some("192.0.2.1:1000 192.0.2.2:80"));
        assert_eq!(r.field("conn"), Some("127.0.0.1 127.0.0.1 0"));
    }
    assert!(Client::connect(port).send(GET).closed_within(20_000));
}

/// Half headers by the hundred cost their descriptors and little more, and only until time is up.
#[test]
fn a_storm_of_half_headers_is_bounded() {
    let (h, port) = mirror("accept-proxy", "timeout client-hs 1s");
    let half = &v2(0x21, &[0xe0; 4000])[..3000];
    let before = h.rss_kib();
    let mut clients: Vec<Client> = Vec::new();
    for _ in 0..400 {
        let mut c = Client::connect(port);
        c.send(half);
        clients.push(c);
    }
    let r = Client::connect(port).send("PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\n").ask(GET);
    assert_eq!(r.status, 200);
    let grown = h.rss_kib().saturating_sub(before);
    assert!(grown < 10_240, "{grown} KiB");
    let open = h.fds();
    assert!(until(20_000, || h.fds() + 300 < open), "{open} descriptors, then {}", h.fds());
}

/// Serves HTTP; notes each request together with what came before it, and tells the first line of its connection.
fn listening_server() -> (Origin, Arc<Mutex<Vec<String>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let list = seen.clone();
    let origin = Origin::raw(move |mut s, _| {
        let mut buf = [0; 4096];
        let (mut all, mut told) = (Vec::new(), String::new());
        while let Ok(n @ 1..) = s.read(&mut buf) {
            all.extend_from_slice(&buf[..n]);
            let text = String::from_utf8_lossy(&all).into_owned();
            if text.ends_with("\r\n\r\n") {
                if told.is_empty() {
                    told = text.lines().next().unwrap_or_default().to_owned();
                }
                list.lock().push(text);
                all.clear();
                let _ = s.write_all(
                    format!("HTTP/1.1 200 OK\r\nTold: {told}\r\nContent-Length: 0\r\n\r\n").as_bytes(),
                );
            }
        }
    });
    (origin, seen)
}

fn sender(server: u16, mode: &str, rules: &str, options: &str) -> (Hawser, u16) {
    let port = free_port();
    let cfg = format!(
        "{DEFAULTS}listen l\n  mode {mode}\n  bind 127.0.0.1:{port}\n  {rules}\n  server s 127.0.0.1:{server} {options}\n"
    );
    (Hawser::start(bin(), &cfg, &[port]), port)
}

#[test]
fn a_server_is_told_once_for_each_connection_and_never_another_client_s() {
    let (o, seen) = listening_server();
    let (_h, port) = sender(o.port(), "http", "http-reuse always", "send-proxy");
    let mut clients = [Client::connect(port), Client::connect(port)];
    for _ in 0..3 {
        for c in &mut clients {
            let from = c.socket().local_addr().unwrap().port();
            let r = c.ask(GET);
            assert_eq!(r.field("told"), Some(&*format!("PROXY TCP4 127.0.0.1 127.0.0.1 {from} {port}")));
        }
    }
    // An idle connection may be closed at any time, but not every one at once.
    let seen = seen.lock();
    assert!(seen.iter().any(|s| s.starts_with("GET ")), "{seen:?}");
}

/// Requests for which the header says the same share a connection.
#[test]
fn equal_headers_share_a_connection() {
    let (o, seen) = listening_server();
    let rules = "http-reuse always\n  http-request set-src hdr(x-src)\n  http-request set-src-port int(9)\n  \
                 http-request set-dst ipv4(10.0.0.2)\n  http-request set-dst-port int(8)";
    let (_h, port) = sender(o.port(), "http", rules, "send-proxy");
    for from in ["10.0.0.1", "10.0.0.1", "10.0.0.3", "10.0.0.1"] {
        assert_eq!(
            Client::connect(port).ask(format!("GET / HTTP/1.1\r\nHost: h\r\nX-Src: {from}\r\n\r\n")).status,
            200
        );
    }
    let seen = seen.lock();
    let of = |from: &str| {
        seen.iter().filter(|s| s.starts_with(&format!("PROXY TCP4 {from} 10.0.0.2 9 8\r\n"))).count()
    };
    // Idle connections belong to threads.
    assert!((1..=3).contains(&of("10.0.0.1")) && of("10.0.0.3") == 1, "{seen:?}");
}

#[test]
fn tcp_mode_and_retries_send_it_too() {
    let (o, seen) = listening_server();
    let (_h, port) = sender(o.port(), "tcp", "", "send-proxy");
    assert_eq!(Client::connect(port).ask(GET).status, 200);
    assert!(seen.lock()[0].starts_with("PROXY TCP4 127.0.0.1 127.0.0.1 "));
    // The first connection is closed under the request.
    let o = Origin::raw(|mut s, n| {
        let mut buf = [0; 4096];
        let got = s.read(&mut buf).unwrap_or(0);
        if n > 0 {
            let same = buf[..got].starts_with(b"PROXY TCP4 ");
            let _ = s.write_all(
                format!("HTTP/1.1 {} X\r\nContent-Length: 0\r\n\r\n", if same { 200 } else { 500 })
                    .as_bytes(),
            );
        }
    });
    let (_h, port) = sender(o.port(), "http", "retry-on all-retryable-errors", "send-proxy");
    let before = o.connections();
    assert_eq!(Client::connect(port).ask(GET).status, 200);
    assert_eq!(o.connections(), before + 2);
}

#[test]
fn unix_clients_and_checks_are_local() {
    let (o, seen) = listening_server();
    let cfg = format!(
        "{DEFAULTS}listen l\n  bind unix@{{dir}}/s\n  use-server b if {{ path /2 }}\n  use-server a if {{ path /1 }}\n  server a 127.0.0.1:{0} send-proxy\n  server b 127.0.0.1:{0} send-proxy-v2\n\
         backend checked\n  option httpchk\n  server c 127.0.0.1:{0} send-proxy-v2 check inter 100ms\n",
        o.port()
    );
    let h = Hawser::start(bin(), &cfg, &[]);
    let path = h.dir().join("s");
    assert!(until(20_000, || std::os::unix::net::UnixStream::connect(&path).is_ok()));
    for target in ["/1", "/2"] {
        let mut c = std::os::unix::net::UnixStream::connect(&path).unwrap();
        c.write_all(format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes()).unwrap();
        assert!(c.read(&mut [0; 100]).unwrap() > 0);
    }
    let local = "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";
    let has = |start: String| seen.lock().iter().any(|s| s.starts_with(&start));
    assert!(has("PROXY UNKNOWN\r\nGET /1".into()));
    assert!(has(format!("{local}GET /2")));
    assert!(until(20_000, || has(format!("{local}OPTIONS"))));
}

/// Another balancer believes what ours says, checksum and fields included, and the other way round.
#[test]
fn haproxy_at_either_end() {
    let Some(other) = installed("haproxy") else { return };
    let other = other.to_str().unwrap();
    for (front, back) in [(bin(), other), (other, bin())] {
        let (a, b) = (free_port(), free_port());
        let receiver = format!(
            "{DEFAULTS}frontend f\n  bind 127.0.0.1:{b} accept-proxy\n  http-request return status 200 hdr addrs \"%[src] %[dst_port] %[fc_pp_unique_id]\"\n"
        );
        let sender = format!(
            "{DEFAULTS}listen l\n  unique-id-format %[req.hdr(x-id)]\n  bind 127.0.0.1:{a}\n  http-request set-src hdr(x-src)\n  \
             use-server two if {{ path /2 }}\n  use-server one if {{ path /1 }}\n  server one 127.0.0.1:{b} send-proxy\n  \
             server two 127.0.0.1:{b} send-proxy-v2 proxy-v2-options crc32c,unique-id,authority\n"
        );
        let _b = Hawser::start(back, &receiver, &[b]);
        let _a = Hawser::start(front, &sender, &[a]);
        for (path, id) in [("/1", ""), ("/2", "the-id")] {
            for src in ["192.0.2.9", "2001:db8::9"] {
                let ask = format!("GET {path} HTTP/1.1\r\nHost: h\r\nX-Src: {src}\r\nX-Id: the-id\r\n\r\n");
                let r = Client::connect(a).ask(ask);
                assert_eq!(
                    r.field("addrs").map(str::trim),
                    Some(format!("{src} {a} {id}").trim()),
                    "{front} {path}"
                );
            }
        }
    }
}

#[test]
fn nginx_believes_us() {
    let Some(nginx) = installed("nginx") else { return };
    let dir = temp_dir();
    let port = free_port();
    let d = dir.display();
    let conf = format!(
        "daemon off; master_process off; pid {d}/pid; error_log /dev/null; events {{}}\nhttp {{ access_log off; \
         client_body_temp_path {d}/b; proxy_temp_path {d}/p; fastcgi_temp_path {d}/f; uwsgi_temp_path {d}/u; scgi_temp_path {d}/s;\n\
         server {{ listen 127.0.0.1:{port} proxy_protocol; location / {{ return 200 \"$proxy_protocol_addr $proxy_protocol_server_port\"; }} }} }}\n"
    );
    std::fs::write(dir.join("conf"), conf).unwrap();
    let mut child = std::process::Command::new(nginx)
        .arg("-c")
        .arg(dir.join("conf"))
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    assert!(until(20_000, || !listeners(port).is_empty()), "nginx did not start");
    for option in ["send-proxy", "send-proxy-v2 proxy-v2-options crc32c"] {
        let rules = "http-request set-src hdr(x-src)";
        let (_h, at) = sender(port, "http", rules, option);
        for src in ["192.0.2.9", "2001:db8::9"] {
            let r = Client::connect(at).ask(format!("GET / HTTP/1.1\r\nHost: h\r\nX-Src: {src}\r\n\r\n"));
            assert_eq!(r.text(), format!("{src} {at}"), "{option}");
        }
    }
    let _ = child.kill();
    let _ = child.wait();
    let _ = std::fs::remove_dir_all(dir);
}

#[test]
fn curl_is_believed() {
    let (_h, port) = mirror("accept-proxy", "");
    let url = format!("http://127.0.0.1:{port}/");
    let Some(out) = curl(&["-i", "--haproxy-protocol", &url]) else { return };
    assert!(out.contains("addrs: 127.0.0.1:") && out.contains("conn: 127.0.0.1 127.0.0.1 1"), "{out}");
    let ip = curl(&["-i", "--haproxy-clientip", "192.0.2.7", &url]).unwrap_or_default();
    // Only recent versions know it.
    assert!(ip.is_empty() || ip.contains("addrs: 192.0.2.7:"), "{ip}");
}

/// A SOCKS4 proxy that grants one request and echoes what it was asked for in a header.
#[test]
fn servers_behind_a_socks4_proxy() {
    let (target, _) = listening_server();
    let to = target.port();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let list = asked.clone();
    let socks = Origin::raw(move |mut s, n| {
        let mut ask = [0; 16];
        if s.read_exact(&mut ask).is_err() {
            return;
        }
        list.lock().push(ask.to_vec());
        if n == 0 {
            let _ = s.write_all(&[0, 91, 0, 0, 0, 0, 0, 0]);
            return;
        }
        let _ = s.write_all(&[0, 90, 0, 0, 0, 0, 0, 0]);
        let up = std::net::TcpStream::connect(("127.0.0.1", to)).unwrap();
        let (mut r, mut w) = (s.try_clone().unwrap(), up.try_clone().unwrap());
        std::thread::spawn(move || std::io::copy(&mut r, &mut w));
        let _ = std::io::copy(&mut &up, &mut s);
    });
    let option = format!("socks4 127.0.0.1:{} send-proxy", socks.port());
    let (_h, port) = sender(to, "http", "retries 1", &option);
    assert_eq!(Client::connect(port).ask(GET).status, 200, "the second attempt is granted");
    let asked = asked.lock();
    let p = to.to_be_bytes();
    let want = [&[4, 1, p[0], p[1], 127, 0, 0, 1], b"HAProxy\0".as_slice()].concat();
    assert_eq!(*asked, [want.clone(), want]);
}

#[test]
fn sources_of_connections() {
    let o = Origin::raw(|mut s, _| {
        let from = s.peer_addr().unwrap();
        let _ = s.read(&mut [0; 4096]);
        let _ = s.write_all(
            format!("HTTP/1.1 200 OK\r\nConnection: close\r\nFrom: {from}\r\nContent-Length: 0\r\n\r\n")
                .as_bytes(),
        );
    });
    let from = |source: &str, header: &str| {
        let (_h, port) = sender(o.port(), "http", "", source);
        let r = Client::connect(port).ask(format!("GET / HTTP/1.1\r\nHost: h\r\n{header}\r\n"));
        r.field("from").unwrap_or_default().to_owned()
    };
    assert!(from("source 127.0.0.9", "").starts_with("127.0.0.9:"));
    let low = free_port();
    let got = from(&format!("source 127.0.0.9:{low}-{}", low + 1), "");
    assert!(got == format!("127.0.0.9:{low}") || got == format!("127.0.0.9:{}", low + 1), "{got}");
    // An address that is nobody's takes rights.
    let as_client = from("source 0.0.0.0 usesrc clientip", "");
    if as_client.is_empty() {
        println!("skipped: no right to other addresses");
        return;
    }
    assert!(as_client.starts_with("127.0.0.1:"), "{as_client}");
    let by_header = |h: &str| from("source 127.0.0.9 usesrc hdr_ip(x-f)", h);
    assert!(by_header("X-F: 127.0.0.3, 127.0.0.4\r\n").starts_with("127.0.0.4:"));
    assert!(by_header("").starts_with("127.0.0.1:"), "no such header: nothing is bound");
    assert!(from("source 0.0.0.0 usesrc 127.0.0.7", "").starts_with("127.0.0.7:"));
}

/// Checks go the way that traffic does only where that was asked for.
#[test]
fn checks_through_a_socks4_proxy() {
    let (target, seen) = listening_server();
    let to = target.port();
    let socks = Origin::raw(move |mut s, _| {
        let mut ask = [0; 16];
        if s.read_exact(&mut ask).is_err() || s.write_all(&[0, 90, 0, 0, 0, 0, 0, 0]).is_err() {
            return;
        }
        let Ok(up) = std::net::TcpStream::connect(("127.0.0.1", to)) else { return };
        let (Ok(mut r), Ok(mut w)) = (s.try_clone(), up.try_clone()) else { return };
        std::thread::spawn(move || std::io::copy(&mut r, &mut w));
        let _ = std::io::copy(&mut &up, &mut s);
    });
    for (option, through) in [("", false), ("check-via-socks4", true)] {
        let before = (socks.connections(), seen.lock().len());
        let cfg = format!(
            "{DEFAULTS}backend b\n  option httpchk\n  server s 127.0.0.1:{to} socks4 127.0.0.1:{} check inter 100ms {option}\nfrontend f\n  bind 127.0.0.1:{}\n",
            socks.port(),
            free_port()
        );
        let _h = Hawser::start(bin(), &cfg, &[]);
        assert!(until(20_000, || seen.lock().len() > before.1 + 1), "no check came");
        assert_eq!(socks.connections() > before.0, through, "{option}");
    }
}
