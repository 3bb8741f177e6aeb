//! TCP mode: bytes are bytes, and each direction ends by itself.

use hawser_testkit::net::now;
use hawser_testkit::{Client, Hawser, LogSink, Origin, binary, free_port, pause};
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
        "tcp-request inspect-delay 2s\n  tcp-request content reject if { req.payload(0,4) -m bin 65766969 }\n  tcp-request content accept if { req.len gt 3 }\n  tcp-request content reject",
    );
    assert_eq!(Client::connect(port).send("good").rest(), b"served");
    assert_eq!(Client::connect(port).send("evii").rest(), b"");
    let mut slow = Client::connect(port);
    slow.send("go");
    pause(100);
    slow.send("od");
    assert_eq!(slow.rest(), b"served");
    assert!(Client::connect(port).closed_within(20_000), "nothing within inspect-delay is rejected");
}

#[test]
fn connection_rules_refuse_before_anything_else() {
    let o = Origin::fixed("a", "a");
    let (_h, port) = proxy(o.port(), "tcp-request connection reject if { src 127.0.0.0/8 }");
    let before = o.connections();
    assert!(Client::connect(port).closed_within(20_000));
    assert_eq!(o.connections(), before);
}

#[test]
fn an_idle_connection_ends_after_its_timeout() {
    let o = Origin::raw(|mut s, _| {
        let _ = s.read_to_end(&mut Vec::new());
    });
    let (_h, port) = proxy(o.port(), "timeout client 400\n  timeout server 400");
    let (mut c, start) = (Client::connect(port), now());
    c.send("x");
    assert!(c.closed_within(20_000));
    assert!(start.elapsed().as_millis() >= 350, "before its time");
}

/// `dontlognull` is about connections on which nothing came, not about those that went nowhere.
#[test]
fn connections_that_went_nowhere_are_logged_unless_nothing_came() {
    let log = LogSink::new();
    let quiet = "option dontlognull\n  log-format \"%f %ts\"\n  mode tcp\n  timeout connect 2s\n  timeout client 3s\n  timeout server 3s";
    let ports: Vec<u16> = (0..4).map(|_| free_port()).collect();
    let o = Origin::raw(|mut s, _| {
        let _ = s.read(&mut [0; 16]);
        let _ = s.write_all(b"answer");
        let _ = s.read(&mut [0; 16]);
    });
    let cfg = format!(
        "global\n  log 127.0.0.1:{} local0\ndefaults\n  log global\n  {quiet}\n  retries 0\n\
         listen nowhere\n  bind 127.0.0.1:{}\n  tcp-request inspect-delay 2s\n  tcp-request content accept if {{ req.len gt 0 }}\n  server s 127.0.0.1:{o} disabled\n\
         listen refused\n  bind 127.0.0.1:{}\n  tcp-request inspect-delay 2s\n  tcp-request content reject if {{ req.len gt 0 }}\n  server s 127.0.0.1:{o}\n\
         listen answered\n  bind 127.0.0.1:{}\n  tcp-response inspect-delay 2s\n  tcp-response content reject if {{ res.len gt 3 }}\n  server s 127.0.0.1:{o}\n\
         listen asap\n  bind 127.0.0.1:{}\n  option logasap\n  server s 127.0.0.1:{o}\n",
        log.port(),
        ports[0],
        ports[1],
        ports[2],
        ports[3],
        o = o.port()
    );
    let _h = Hawser::start(bin(), &cfg, &ports);
    drop(Client::connect(ports[0]));
    drop(Client::connect(ports[1]));
    for (i, line) in ["nowhere SC", "refused PR", "answered PD"].into_iter().enumerate() {
        let mut c = Client::connect(ports[i]);
        c.send("hello");
        assert_eq!(c.rest(), b"", "{line}");
        log.wait_for(line);
    }
    let lines = log.lines().into_iter().filter(|l| !l.contains("asap"));
    assert_eq!(lines.count(), 3, "probes are not logged: {:#?}", log.lines());
    let mut c = Client::connect(ports[3]);
    c.send("hello");
    log.wait_for("asap --");
}

/// Rules on the response may wait for more than the server's first bytes, until their delay is over.
#[test]
fn response_rules_wait_for_data_within_inspect_delay() {
    let o = Origin::raw(|mut s, n| {
        let _ = s.read(&mut [0; 16]);
        let _ = s.write_all(b"ab");
        pause(150);
        let _ = s.write_all(if n % 2 == 0 { b"cdef" } else { b"" });
        let _ = s.read(&mut [0; 16]);
    });
    let port = free_port();
    let cfg = format!(
        "defaults\n  mode tcp\n  timeout connect 2s\n  timeout client 8s\n  timeout server 8s\nlisten l\n  bind 127.0.0.1:{port}\n  \
         tcp-response inspect-delay 2s\n  tcp-response content accept if {{ res.len gt 5 }}\n  tcp-response content reject if WAIT_END\n  server s 127.0.0.1:{}\n",
        o.port()
    );
    let _h = Hawser::start(bin(), &cfg, &[port]);
    let mut c = Client::connect(port);
    c.send("x");
    assert_eq!(c.take(6), b"abcdef");
    let (mut c, t) = (Client::connect(port), now());
    c.send("x");
    assert_eq!(c.rest(), b"");
    assert!(t.elapsed().as_millis() >= 1900, "refused before the delay was over");
}

/// A connection that became HTTP can go to no TCP backend.
#[test]
fn switched_connections_need_a_backend_of_http() {
    let o = Origin::fixed("a", "ok");
    let (tcp, http) = (free_port(), free_port());
    let frontend = |name: &str, port: u16| {
        format!(
            "frontend f{name}\n  mode tcp\n  bind 127.0.0.1:{port}\n  tcp-request inspect-delay 2s\n  \
             tcp-request content switch-mode http if HTTP\n  use_backend {name} if HTTP\n  default_backend tcp\n"
        )
    };
    let cfg = format!(
        "defaults\n  timeout connect 2s\n  timeout client 3s\n  timeout server 3s\n{}{}backend tcp\n  mode tcp\n  server s 127.0.0.1:{o}\n\
         backend http\n  mode http\n  server s 127.0.0.1:{o}\n",
        frontend("tcp", tcp),
        frontend("http", http),
        o = o.port()
    );
    let _h = Hawser::start(bin(), &cfg, &[tcp, http]);
    let ask = |port| Client::connect(port).ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n").status;
    assert_eq!(ask(http), 200);
    assert_eq!(ask(tcp), 0, "a response");
}
