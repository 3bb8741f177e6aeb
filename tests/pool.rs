//! Connections to servers that are used again: who may use them, and how many are kept.

use hawser_testkit::{Client, Hawser, Origin, api, binary, free_port, until};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

fn bin() -> &'static str {
    binary(env!("CARGO_BIN_EXE_hawser"))
}

const HEAD: &str = "global\n  nbthread 1\n  stats socket {dir}/cli level admin\n\
                    defaults\n  mode http\n  timeout connect 1s\n  timeout client 20s\n  timeout server 20s\n";

fn cli(h: &Hawser, command: &str) -> String {
    h.cli("cli", command)
}

/// A column of a proxy's or server's statistics.
fn stat(h: &Hawser, proxy: &str, name: &str, column: &str) -> String {
    api::column(&cli(h, "show stat"), &format!("{proxy},{name}"), column)
}

/// An origin that counts its requests for `/check`.
fn counting() -> (Origin, Arc<AtomicUsize>) {
    let checks = Arc::new(AtomicUsize::new(0));
    let seen = checks.clone();
    let origin = Origin::http(move |r| {
        seen.fetch_add(usize::from(r.line().contains("/check")), Relaxed);
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec()
    });
    (origin, checks)
}

/// A backend whose server is checked ten times a second.
fn checked(public: u16, origin: u16, options: &str, connection: &str) -> String {
    format!(
        "{HEAD}frontend pub\n  bind 127.0.0.1:{public}\n  default_backend b\n\
         backend b\n  http-reuse always\n  timeout check 10s\n  option httpchk\n\
         \x20 http-check send meth GET uri /check ver HTTP/1.1 hdr host a {connection}\n\
         \x20 server s 127.0.0.1:{origin} check inter 100 {options}\n"
    )
}

#[test]
fn checks_and_requests_share_connections() {
    // (options of the server, what the check says about its connection, whether one connection is enough)
    let alive = "hdr connection keep-alive";
    let cases = [
        ("check-reuse-pool", alive, true),
        ("check-reuse-pool", "", false),
        ("", alive, false),
        ("check-reuse-pool no-check-reuse-pool", alive, false),
        ("check-reuse-pool check-pool-conn-name x", alive, true),
        ("check-reuse-pool addr 127.0.0.1", alive, false),
    ];
    for (options, connection, shared) in cases {
        let (origin, checks) = counting();
        let public = free_port();
        let h = Hawser::start(bin(), &checked(public, origin.port(), options, connection), &[public]);
        assert!(until(20_000, || checks.load(Relaxed) >= 4), "{options}");
        assert_eq!(origin.connections() == 1, shared, "{options} {connection}");
        // It says when another one is under way.
        assert_eq!(stat(&h, "b", "s", "check_status").trim_start_matches("* "), "L7OK");
        assert_eq!((stat(&h, "b", "s", "connect"), stat(&h, "b", "s", "reuse")), ("0".into(), "0".into()));
    }
}

#[test]
fn requests_take_the_connections_of_checks() {
    let get = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
    let connections = |options: &str| {
        let (origin, checks) = counting();
        let public = free_port();
        let cfg = checked(public, origin.port(), options, "hdr connection keep-alive");
        let _h = Hawser::start(bin(), &cfg, &[public]);
        assert!(until(20_000, || checks.load(Relaxed) >= 2), "{options}");
        assert_eq!(Client::connect(public).ask(get).status, 200);
        origin.connections()
    };
    // Unless a check is under way just then.
    assert!((0..20).any(|_| connections("check-reuse-pool") == 1));
    // Those of that name are for checks only.
    assert_eq!(connections("check-reuse-pool check-pool-conn-name x"), 2);
}

#[test]
fn checks_are_streams_of_http2_connections() {
    let (public, inner) = (free_port(), free_port());
    let cfg = checked(public, inner, "proto h2 check-reuse-pool", "")
        + &format!("frontend o\n  bind 127.0.0.1:{inner} proto h2\n  http-request return status 200\n");
    let h = Hawser::start(bin(), &cfg, &[public]);
    let asked = |n: usize| stat(&h, "o", "FRONTEND", "req_tot").parse().is_ok_and(|have: usize| have >= n);
    assert!(until(20_000, || asked(4)));
    let mut c = Client::connect(public);
    assert_eq!(c.ask("GET /a HTTP/1.1\r\nHost: a\r\n\r\n").status, 200);
    assert_eq!(stat(&h, "o", "FRONTEND", "h2_total_connections"), "1");
    assert_eq!(stat(&h, "b", "s", "connect"), "0");
}

/// Asks `n` times, each time as another client.
fn ask_as_many(port: u16, n: usize) {
    for _ in 0..n {
        assert_eq!(Client::connect(port).ask("GET /a HTTP/1.1\r\nHost: a\r\n\r\n").status, 200);
    }
}

#[test]
fn scarce_descriptors_keep_nothing_idle() {
    for (ratios, connections) in [("", 1), ("tune.pool-low-fd-ratio 0\n  tune.pool-high-fd-ratio 0", 3)] {
        let (origin, _) = counting();
        let public = free_port();
        let cfg = checked(public, origin.port(), "no-check", "")
            .replace("nbthread 1", &format!("nbthread 1\n  {ratios}"));
        let _h = Hawser::start(bin(), &cfg, &[public]);
        ask_as_many(public, 3);
        assert_eq!(origin.connections(), connections, "{ratios}");
    }
}

#[test]
fn clients_keep_so_many_connections_for_themselves() {
    for (line, connections) in [("", 1), ("max-session-srv-conns 1", 1), ("max-session-srv-conns 0", 3)] {
        let (origin, _) = counting();
        let public = free_port();
        let cfg = checked(public, origin.port(), "no-check", "")
            .replace("http-reuse always", "http-reuse never")
            .replace("frontend pub\n", &format!("frontend pub\n  {line}\n"));
        let _h = Hawser::start(bin(), &cfg, &[public]);
        let mut c = Client::connect(public);
        for _ in 0..3 {
            assert_eq!(c.ask("GET /a HTTP/1.1\r\nHost: a\r\n\r\n").status, 200);
        }
        assert_eq!(origin.connections(), connections, "{line}");
    }
}

/// HAProxy 3.4 closes the idle connection, but refuses the request that it did so for.
#[test]
fn strict_limits_count_idle_connections() {
    let get = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
    // (http-reuse, options, status of a second client while the first one is still there, idle connections after it)
    let cases = [
        ("safe", "maxconn 1 pool-low-conn 5", 200, "2"),
        ("safe", "maxconn 1 strict-maxconn pool-low-conn 5", 200, "1"),
        ("safe", "maxconn 2 strict-maxconn pool-low-conn 5", 200, "2"),
        ("always", "maxconn 1 strict-maxconn", 200, "1"),
        ("never", "maxconn 1", 200, "0"),
        ("never", "maxconn 1 strict-maxconn", 503, "0"),
        // No limit is one of nothing.
        ("safe", "strict-maxconn", 503, "0"),
    ];
    for (reuse, options, status, idle) in cases {
        let (origin, _) = counting();
        let public = free_port();
        let cfg = checked(public, origin.port(), &format!("no-check {options}"), "")
            .replace("http-reuse always", &format!("http-reuse {reuse}\n  retries 0"));
        let h = Hawser::start(bin(), &cfg, &[public]);
        let (mut one, mut two) = (Client::connect(public), Client::connect(public));
        let first = if options.contains("maxconn ") { 200 } else { 503 };
        assert_eq!(one.ask(get).status, first, "{reuse} {options}");
        assert_eq!(two.ask(get).status, status, "{reuse} {options}");
        let icur = || stat(&h, "b", "s", "srv_icur");
        assert!(until(20_000, || icur() == idle), "{reuse} {options}: {}", icur());
        drop(one);
        let free = || Client::connect(public).ask(get).status == 200;
        assert_eq!(until(if first == 200 { 20_000 } else { 300 }, free), first == 200, "{reuse} {options}");
    }
}
