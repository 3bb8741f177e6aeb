//! Real peers: nginx as the origin, curl as the client.

use hawser_testkit::tools::{Nginx, curl, installed};
use hawser_testkit::wire::get;
use hawser_testkit::{Client, Hawser, binary, free_port, until};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

const DEFAULTS: &str =
    "defaults\n  mode http\n  timeout connect 1s\n  timeout client 10s\n  timeout server 10s\n";

fn bin() -> &'static str {
    binary(env!("CARGO_BIN_EXE_hawser"))
}

#[test]
fn curl_gets_files_from_nginx() {
    let Some(nginx) = Nginx::start() else { return };
    let data: Vec<u8> = (0..3_000_000u32).map(|i| (i % 253) as u8).collect();
    std::fs::write(nginx.files().join("big"), &data).unwrap();
    let p = free_port();
    let _h = Hawser::start(
        bin(),
        &format!("{DEFAULTS}listen l\n  bind 127.0.0.1:{p}\n  server s 127.0.0.1:{}\n", nginx.port),
        &[p],
    );
    if installed("curl").is_none() {
        return;
    }
    let url = format!("http://127.0.0.1:{p}");
    assert_eq!(curl(&[&url]).unwrap(), format!("nginx {}\n", nginx.port));
    let out = nginx.files().join("got");
    curl(&["-o", out.to_str().unwrap(), &format!("{url}/files/big")]);
    assert!(std::fs::read(&out).unwrap() == data, "the file changed on its way");
    let range = curl(&[
        "-r",
        "10-19",
        "-o",
        out.to_str().unwrap(),
        "-w",
        "%{http_code}",
        &format!("{url}/files/big"),
    ]);
    assert_eq!(range.as_deref(), Some("206"));
    assert_eq!(std::fs::read(&out).unwrap(), data[10..20]);
    let two = curl(&["-w", "%{num_connects} ", "-o", "/dev/null", "-o", "/dev/null", &url, &url]);
    assert_eq!(two.as_deref(), Some("1 0 "), "curl reuses its connection");
}

/// `kill -9` of one of two origins under load: a request that was sent already may be lost (the manual's retry
/// rules say so), every other is retried on the other server.
#[test]
fn killing_an_origin_costs_no_more_than_the_requests_it_held() {
    let Some(mut a) = Nginx::start() else { return };
    let Some(b) = Nginx::start() else { return };
    let p = free_port();
    let cfg = format!(
        "{DEFAULTS}  retries 3\n  option redispatch 1\nlisten l\n  bind 127.0.0.1:{p}\n  server a 127.0.0.1:{} check inter 200ms\n  server b 127.0.0.1:{} check inter 200ms\n",
        a.port, b.port
    );
    let h = Hawser::start(bin(), &cfg, &[p]);
    let stop = Arc::new(AtomicBool::new(false));
    let (good, bad) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let (stop, good, bad) = (stop.clone(), good.clone(), bad.clone());
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let n = if get(p, "/").status == 200 { &good } else { &bad };
                    n.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let more = || {
        let enough = good.load(Ordering::Relaxed) + 100;
        until(30_000, || good.load(Ordering::Relaxed) > enough)
    };
    assert!(more());
    a.kill();
    // Until it is known to be down, and on.
    assert!(until(30_000, || h.stderr().contains("Server l/a is DOWN")), "{}", h.stderr());
    assert!(more());
    stop.store(true, Ordering::Relaxed);
    clients.into_iter().for_each(|c| c.join().unwrap());
    let (good, bad) = (good.load(Ordering::Relaxed), bad.load(Ordering::Relaxed));
    assert!(bad <= 8, "{bad} of {} requests failed: more than were in flight\n{}", good + bad, h.stderr());
}

#[test]
fn retry_on_repeats_requests_that_died_with_their_server() {
    let Some(b) = Nginx::start() else { return };
    let dead = hawser_testkit::Origin::raw(|mut s, _| {
        use std::io::Read;
        let _ = s.read(&mut [0; 4096]);
    });
    let p = free_port();
    let cfg = format!(
        "global\n  nbthread 1\n{DEFAULTS}  retries 2\n  option redispatch 1\n  retry-on conn-failure empty-response\nlisten l\n  bind 127.0.0.1:{p}\n  server dead 127.0.0.1:{}\n  server good 127.0.0.1:{}\n",
        dead.port(),
        b.port
    );
    let _h = Hawser::start(bin(), &cfg, &[p]);
    for _ in 0..6 {
        assert_eq!(get(p, "/").status, 200);
    }
    let r = Client::connect(p).ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
    assert!(matches!(r.status, 200 | 405), "{}", r.status);
}
