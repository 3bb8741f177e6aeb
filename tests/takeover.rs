//! A new process takes over from an old one: `-sf`, `-st`, failures that must leave the old one alone.

use hawser_testkit::load::Load;
use hawser_testkit::process::{run, temp_dir};
use hawser_testkit::wire::get;
use hawser_testkit::{Client, Hawser, binary, free_port, pause, until};
use std::os::unix::net::UnixStream;
use std::path::Path;

fn bin() -> &'static str {
    binary(env!("CARGO_BIN_EXE_hawser"))
}

fn cfg(global: &str, bind: &str, answer: u16) -> String {
    format!(
        "global\n  nbthread 2\n  {global}\ndefaults\n  mode http\n  timeout connect 2s\n  timeout client 8s\n  timeout server 8s\n\
         frontend f\n  bind {bind}\n  http-request return status {answer}\n"
    )
}

/// Starts a process that takes over from `old`.
fn successor(cfg: &str, how: &str, old: &Hawser) -> Hawser {
    let pid = old.pid().to_string();
    // Nothing to wait for by its port: the old process still answers there.
    Hawser::start_with(bin(), cfg, &[], &[how, &pid])
}

#[test]
fn finishing_the_old_process_loses_no_request() {
    let p = free_port();
    let bind = format!("127.0.0.1:{p}");
    let mut old = Hawser::start(bin(), &cfg("", &bind, 200), &[p]);
    let load = Load::start(2, move |_| matches!(get(p, "/").status, 200 | 204));
    pause(200);
    let new = successor(&cfg("", &bind, 204), "-sf", &old);
    assert_eq!(old.wait(20_000).and_then(|s| s.code()), Some(0));
    assert!(load.goes_on(50), "nobody is served any more");
    let (good, bad) = load.end();
    assert_eq!(get(p, "/").status, 204);
    assert_eq!(bad, 0, "of {good}");
    drop(new);
}

#[test]
fn terminating_the_old_process_cuts_its_connections() {
    let p = free_port();
    let bind = format!("127.0.0.1:{p}");
    let mut old = Hawser::start(bin(), &cfg("", &bind, 200), &[p]);
    let mut c = Client::connect(p);
    c.send("GET / HTTP/1.1\r\n");
    pause(100);
    let _new = successor(&cfg("", &bind, 204), "-st", &old);
    assert!(old.wait(6000).is_some());
    assert!(c.closed_within(6000));
    assert_eq!(get(p, "/").status, 204);
}

#[test]
fn an_address_that_cannot_be_shared_is_handed_over() {
    let p = free_port();
    let bind = format!("127.0.0.1:{p}");
    let mut old = Hawser::start(bin(), &cfg("noreuseport", &bind, 200), &[p]);
    let _new = successor(&cfg("noreuseport", &bind, 204), "-sf", &old);
    assert_eq!(old.wait(20_000).and_then(|s| s.code()), Some(0));
    assert!(until(20_000, || get(p, "/").status == 204));
    assert!(old.stderr().contains("Paused frontend f."), "{}", old.stderr());
}

#[test]
fn a_failed_start_leaves_the_old_process_as_it_was() {
    let p = free_port();
    let bind = format!("127.0.0.1:{p}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut old = Hawser::start(bin(), &cfg("noreuseport", &bind, 200), &[p]);
    let also_taken = format!("127.0.0.1:{p},{}", taken.local_addr().unwrap());
    let mut new = successor(&cfg("noreuseport", &also_taken, 204), "-sf", &old);
    assert_eq!(new.wait(20_000).and_then(|s| s.code()), Some(1), "{}", new.stderr());
    assert!(old.exited().is_none());
    assert!(until(20_000, || get(p, "/").status == 200), "the old process did not resume: {}", old.stderr());
    assert!(old.stderr().contains("Resumed frontend f."), "{}", old.stderr());

    // A broken configuration does not even disturb it.
    let dir = temp_dir();
    let broken = dir.join("haproxy.cfg");
    std::fs::write(&broken, "frontend f\n  bnid :1\n").unwrap();
    let pid = old.pid().to_string();
    assert_eq!(run(bin(), &["-f", broken.to_str().unwrap(), "-sf", &pid]).code, 1);
    assert_eq!(get(p, "/").status, 200);
    let _ = std::fs::remove_dir_all(dir);
}

#[test]
fn a_unix_path_is_never_missing() {
    let dir = temp_dir();
    let path = dir.join("s");
    let bind = path.to_str().unwrap().to_owned();
    let connects = |p: &Path| UnixStream::connect(p).is_ok();
    let mut old = Hawser::start(bin(), &cfg("", &bind, 200), &[]);
    assert!(until(20_000, || connects(&path)), "{}", old.stderr());
    let load = {
        let path = path.clone();
        Load::start(1, move |_| connects(&path))
    };
    let new = successor(&cfg("", &bind, 204), "-sf", &old);
    assert_eq!(old.wait(20_000).and_then(|s| s.code()), Some(0));
    let (good, missed) = load.end();
    assert_eq!(missed, 0, "of {good}");
    assert!(connects(&path));
    assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 1, "a temporary name was left behind");
    drop(new);
    let _ = std::fs::remove_dir_all(dir);
}
