//! The PROXY protocol and NetScaler's client IP header, received and sent, alone and with other programs.

use hawser_testkit::{Client, Hawser, LogSink, binary, free_port, pause, until};

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
    (Hawser::start(bin(), &cfg, &[]), port)
}

fn up(port: u16) {
    assert!(until(5000, || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()));
}

#[test]
fn a_header_replaces_the_addresses_but_not_those_of_the_connection() {
    let (_h, port) = mirror("accept-proxy", "");
    up(port);
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
    up(port);
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
        assert!(c.closed_within(2000), "{bytes:?}");
        log.wait_for(why);
    }
    let mut c = Client::connect(port);
    assert!(c.closed_within(3000), "a silent client");
    log.wait_for("Timeout while waiting for PROXY protocol header");
}

#[test]
fn it_is_not_believed_where_nobody_asked_for_it() {
    let (_h, port) = mirror("", "");
    up(port);
    let r = Client::connect(port).ask("PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\nGET / HTTP/1.1\r\n\r\n");
    assert_eq!(r.status, 400);
}

#[test]
fn rules_choose_who_must_send_a_header() {
    let (_h, port) = mirror("", "tcp-request connection expect-proxy layer4 if { src 127.0.0.2 }");
    up(port);
    assert!(Client::connect(port).ask(GET).field("conn").unwrap().ends_with(" 0"));
    let (_h, port) = mirror("", "tcp-request connection expect-proxy layer4 if { src 127.0.0.1 }");
    up(port);
    let r = Client::connect(port).send("PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\n").ask(GET);
    assert_eq!(r.field("addrs"), Some("192.0.2.1:1000 192.0.2.2:80"));
    assert!(Client::connect(port).send(GET).closed_within(3000));
}

#[test]
fn rules_change_addresses_at_their_own_level() {
    let (_h, port) = mirror(
        "accept-proxy",
        "tcp-request connection set-src ipv4(10.0.0.1)\n  tcp-request session set-src-port int(7) if { src 192.0.2.1 }\n  \
         http-request set-dst ipv4(10.0.0.9)\n  http-request set-dst-port int(99)",
    );
    up(port);
    let r = Client::connect(port).send("PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\n").ask(GET);
    assert_eq!(r.field("conn"), Some("10.0.0.1 127.0.0.1 1"));
    assert_eq!(r.field("addrs"), Some("192.0.2.1:7 10.0.0.9:99"));
}

#[test]
fn netscaler_headers_in_both_forms() {
    let (_h, port) = mirror("accept-netscaler-cip 305419896", "");
    up(port);
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
    assert!(Client::connect(port).send(GET).closed_within(2000));
}

/// Half headers by the hundred cost their descriptors and little more, and only until time is up.
#[test]
fn a_storm_of_half_headers_is_bounded() {
    let (h, port) = mirror("accept-proxy", "timeout client-hs 1s");
    up(port);
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
    assert!(until(8000, || h.fds() + 300 < open), "{open} descriptors, then {}", h.fds());
}
