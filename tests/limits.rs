//! Many clients, few descriptors, little memory: nothing crashes, spins or leaks.

use hawser_testkit::wire::get;
use hawser_testkit::{Client, Hawser, Origin, binary, free_port, pause, until};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;

const DEFAULTS: &str =
    "defaults\n  mode http\n  timeout connect 2s\n  timeout client 20s\n  timeout server 20s\n";

fn bin() -> &'static str {
    binary(env!("CARGO_BIN_EXE_hawser"))
}

#[test]
fn clients_above_maxconn_wait_in_the_backlog() {
    let o = Origin::fixed("a", "ok");
    let p = free_port();
    let cfg = format!(
        "{DEFAULTS}frontend f\n  bind 127.0.0.1:{p}\n  maxconn 5\n  default_backend b\nbackend b\n  server s 127.0.0.1:{}\n",
        o.port()
    );
    let h = Hawser::start(bin(), &cfg, &[p]);
    let mut held: Vec<Client> = (0..5).map(|_| Client::connect(p)).collect();
    for c in &mut held {
        assert_eq!(c.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n").status, 200);
    }
    let mut waiting = Client::connect(p);
    waiting.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(waiting.silent_for(400), "the sixth client was served or cut");
    let cpu = h.cpu_ms();
    pause(500);
    assert!(h.cpu_ms() - cpu < 200, "spinning while full");
    drop(held.pop());
    assert_eq!(waiting.recv().status, 200);
}

/// The answer of the runtime API, nothing while there is none.
fn command(h: &Hawser, line: &str) -> String {
    let mut answer = String::new();
    if let Ok(mut s) = UnixStream::connect(h.dir().join("st")) {
        let _ = s.write_all(format!("{line}\n").as_bytes()).and_then(|()| s.read_to_string(&mut answer));
    }
    answer
}

#[test]
fn running_out_of_descriptors_is_survived() {
    let o = Origin::fixed("a", "ok");
    let p = free_port();
    let cfg = format!(
        "global\n  maxconn 4000\n  nbthread 1\n  stats socket {{dir}}/st\n{DEFAULTS}  timeout client 3s\nlisten l\n  bind 127.0.0.1:{p}\n  server s 127.0.0.1:{}\n",
        o.port()
    );
    let h = Hawser::start(bin(), &cfg, &[p]);
    // Whoever serves it has all the descriptors that a start takes.
    assert!(until(20_000, || command(&h, "show version").contains("3.4.0")));
    let limit = libc::rlimit { rlim_cur: 60, rlim_max: 60 };
    // SAFETY: prlimit(2) on our own child with a valid rlimit and no output pointer.
    let rc = unsafe { libc::prlimit(h.pid() as i32, libc::RLIMIT_NOFILE, &limit, std::ptr::null_mut()) };
    assert_eq!(rc, 0);
    let crowd: Vec<TcpStream> = (0..150).filter_map(|_| TcpStream::connect(("127.0.0.1", p)).ok()).collect();
    pause(500);
    let cpu = h.cpu_ms();
    pause(1000);
    assert!(h.cpu_ms() - cpu < 500, "spinning without descriptors: {} ms of CPU in 1 s", h.cpu_ms() - cpu);
    drop(crowd);
    assert!(until(20_000, || get(p, "/").status == 200), "no recovery");
}

#[test]
fn idle_connections_are_cheap() {
    let o = Origin::fixed("a", "ok");
    let p = free_port();
    let cfg = format!(
        "global\n  maxconn 3000\n  nbthread 1\n{DEFAULTS}  timeout http-keep-alive 60s\nlisten l\n  bind 127.0.0.1:{p}\n  http-request return status 200 if {{ path /local }}\n  server s 127.0.0.1:{}\n",
        o.port()
    );
    let h = Hawser::start(bin(), &cfg, &[p]);
    let open = |n: usize| -> Vec<Client> {
        (0..n)
            .map(|_| {
                let mut c = Client::connect(p);
                assert_eq!(c.ask("GET /local HTTP/1.1\r\nHost: x\r\n\r\n").status, 200);
                c
            })
            .collect()
    };
    let warm = open(100);
    let before = h.rss_kib();
    let held = open(400);
    pause(300);
    let each = (h.rss_kib() - before) as f64 / held.len() as f64;
    assert!(each < 6.0, "{each:.1} KiB for each idle connection");
    drop((warm, held));
}

#[test]
fn connections_come_and_go_without_leaking() {
    let o = Origin::fixed("a", "ok");
    let p = free_port();
    let cfg = format!("{DEFAULTS}listen l\n  bind 127.0.0.1:{p}\n  server s 127.0.0.1:{}\n", o.port());
    let h = Hawser::start(bin(), &cfg, &[p]);
    let round = |n: usize| {
        for i in 0..n {
            match i % 4 {
                0 => assert_eq!(get(p, "/").status, 200),
                1 => drop(Client::connect(p)),
                2 => drop(Client::connect(p).send("GET / HTTP/1.1\r\nHo")),
                _ => drop(Client::connect(p).send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")),
            }
        }
    };
    round(400);
    pause(1000);
    let rss = h.rss_kib();
    round(4000);
    // idle server connections may stay for the purge delay
    assert!(until(20_000, || h.fds() < 60), "{} descriptors", h.fds());
    assert!(h.rss_kib().saturating_sub(rss) < 4096, "RSS {} then {}", rss, h.rss_kib());
}

#[test]
fn heads_above_the_buffer_are_refused() {
    let o = Origin::fixed("a", "ok");
    let p = free_port();
    let cfg = format!("{DEFAULTS}listen l\n  bind 127.0.0.1:{p}\n  server s 127.0.0.1:{}\n", o.port());
    let _h = Hawser::start(bin(), &cfg, &[p]);
    let huge = format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "a".repeat(40_000));
    let s = Client::connect(p).ask(huge).status;
    assert!(s == 400 || s == 431 || s == 414, "{s}");
    let many: String = (0..200).map(|i| format!("X-{i}: 1\r\n")).collect();
    let s = Client::connect(p).ask(format!("GET / HTTP/1.1\r\nHost: x\r\n{many}\r\n")).status;
    assert!(s == 400 || s == 431, "{s}");
    let ok: String = (0..80).map(|i| format!("X-{i}: 1\r\n")).collect();
    assert_eq!(Client::connect(p).ask(format!("GET / HTTP/1.1\r\nHost: x\r\n{ok}\r\n")).status, 200);
}

#[test]
fn a_slow_reader_holds_bounded_memory() {
    let o = Origin::http(|_| {
        let mut v = b"HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n".to_vec();
        v.resize(v.len() + 50_000_000, b'x');
        v
    });
    let p = free_port();
    let cfg = format!(
        "global\n  nbthread 1\n{DEFAULTS}listen l\n  bind 127.0.0.1:{p}\n  server s 127.0.0.1:{}\n",
        o.port()
    );
    let h = Hawser::start(bin(), &cfg, &[p]);
    get(p, "/");
    let before = h.rss_kib();
    let mut slow: Vec<Client> = (0..4).map(|_| Client::connect(p)).collect();
    for c in &mut slow {
        c.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        c.take(100);
    }
    pause(800);
    let grown = h.rss_kib().saturating_sub(before);
    assert!(grown < 6000, "RSS grew by {grown} KiB for four slow readers");
}
