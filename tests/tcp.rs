//! TCP mode: bytes are bytes, and each direction ends by itself.

use hawser_testkit::{Client, Hawser, Origin, binary, free_port, pause};
use std::io::{Read, Write};

fn bin() -> &'static str {
    binary(env!("CARGO_BIN_EXE_hawser"))
}

fn proxy(origin: u16, extra: &str) -> (Hawser, u16) {
    let port = free_port();
    let cfg = format!(
        "defaults\n  mode tcp\n  timeout connect 2s\n  timeout client 3s\n  timeout server 3s\nlisten l\n  bind 127.0.0.1:{port}\n  {extra}\n  server s 127.0.0.1:{origin}\n"
    );
    (Hawser::start(bin(), &cfg, &[port]), port)
}

/// Reads until end of stream, then answers with what it got: needs half-close to work in both directions.
fn reverse_echo() -> Origin {
    Origin::raw(|mut s, _| {
        let mut v = Vec::new();
        if s.read_to_end(&mut v).is_ok() {
            let _ = s.write_all(&v);
        }
    })
}

#[test]
fn half_close_passes_through() {
    let o = reverse_echo();
    for extra in ["", "option splice-auto", "option splice-request\n  option splice-response"] {
        let (_h, port) = proxy(o.port(), extra);
        let mut c = Client::connect(port);
        c.send("first ").send("second").finish();
        assert_eq!(c.rest(), b"first second", "{extra}");
    }
}

#[test]
fn megabytes_pass_unchanged_with_and_without_splicing() {
    let o = reverse_echo();
    let data: Vec<u8> = (0..8_000_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for extra in ["", "option splice-auto"] {
        let (_h, port) = proxy(o.port(), extra);
        let mut c = Client::connect(port);
        c.send(&data).finish();
        assert!(c.rest() == data, "{extra}");
    }
}

#[test]
fn a_server_that_speaks_first_is_heard() {
    let o = Origin::raw(|mut s, _| {
        let _ = s.write_all(b"220 hello\r\n");
        pause(300);
    });
    let (_h, port) = proxy(o.port(), "");
    assert_eq!(Client::connect(port).take(11), b"220 hello\r\n");
}

#[test]
fn content_rules_wait_for_data_within_inspect_delay() {
    let o = Origin::raw(|mut s, _| {
        let _ = s.read(&mut [0; 100]);
        let _ = s.write_all(b"served");
    });
    let (_h, port) = proxy(
        o.port(),
        "tcp-request inspect-delay 500ms\n  tcp-request content reject if { req.payload(0,4) -m bin 65766969 }\n  tcp-request content accept if { req.len gt 3 }\n  tcp-request content reject",
    );
    assert_eq!(Client::connect(port).send("good").rest(), b"served");
    assert_eq!(Client::connect(port).send("evii").rest(), b"");
    let mut slow = Client::connect(port);
    slow.send("go");
    pause(100);
    slow.send("od");
    assert_eq!(slow.rest(), b"served");
    assert!(Client::connect(port).closed_within(2500), "nothing within inspect-delay is rejected");
}

#[test]
fn connection_rules_refuse_before_anything_else() {
    let o = Origin::fixed("a", "a");
    let (_h, port) = proxy(o.port(), "tcp-request connection reject if { src 127.0.0.0/8 }");
    let before = o.connections();
    assert!(Client::connect(port).closed_within(2000));
    assert_eq!(o.connections(), before);
}

#[test]
fn an_idle_connection_ends_after_its_timeout() {
    let o = Origin::raw(|mut s, _| {
        let _ = s.read_to_end(&mut Vec::new());
    });
    let (_h, port) = proxy(o.port(), "timeout client 400\n  timeout server 400");
    let mut c = Client::connect(port);
    c.send("x");
    assert!(!c.closed_within(150));
    assert!(c.closed_within(3000));
}
