//! `-x`: a new process gets the listening sockets of the old one, whichever program either is.

use hawser_testkit::net::listeners;
use hawser_testkit::process::{run, temp_dir};
use hawser_testkit::tools::installed;
use hawser_testkit::wire::get;
use hawser_testkit::{Hawser, binary, free_port, until};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

fn bin() -> &'static str {
    binary(env!("CARGO_BIN_EXE_hawser"))
}

fn cfg(threads: u8, sock: &Path, options: &str, binds: &str, answer: u16) -> String {
    format!(
        "global\n  nbthread {threads}\n  stats socket {} mode 600 level admin {options}\n\
         defaults\n  mode http\n  timeout connect 2s\n  timeout client 8s\n  timeout server 8s\n\
         frontend f\n  {binds}\n  http-request return status {answer}\n",
        sock.display()
    )
}

fn take_over(old_bin: &str, new_bin: &str) {
    // Ours has a socket for each thread, others may want one only: the kernel resets who is on the way to the other one
    // when it closes.
    let threads = if old_bin == new_bin { 2 } else { 1 };
    let dir = temp_dir();
    let (sock, unix) = (dir.join("stats"), dir.join("web"));
    let port = free_port();
    let binds = format!("bind 127.0.0.1:{port}\n  bind unix@{}\n  bind abns@handover-{port}", unix.display());
    let mut old = Hawser::start(old_bin, &cfg(threads, &sock, "expose-fd listeners", &binds, 200), &[port]);
    let before = listeners(port);
    let (stop, good, bad) =
        (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let load = {
        let (stop, good, bad) = (stop.clone(), good.clone(), bad.clone());
        std::thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                let answered = std::panic::catch_unwind(|| get(port, "/").status).unwrap_or(0);
                let counter = if matches!(answered, 200 | 204) { &good } else { &bad };
                counter.fetch_add(1, Ordering::Relaxed);
            }
        })
    };
    let pid = old.pid().to_string();
    let args = ["-x", &*sock.to_string_lossy(), "-sf", &pid];
    let new =
        Hawser::start_with(new_bin, &cfg(threads, &sock, "expose-fd listeners", &binds, 204), &[], &args);
    assert_eq!(old.wait(20_000).and_then(|s| s.code()), Some(0), "{}\n{}", old.stderr(), new.stderr());
    let enough = good.load(Ordering::Relaxed) + 10;
    assert!(until(20_000, || good.load(Ordering::Relaxed) > enough), "nobody is served any more");
    stop.store(true, Ordering::Relaxed);
    assert!(load.join().is_ok());
    assert_eq!(get(port, "/").status, 204, "{}", new.stderr());
    assert_eq!(bad.load(Ordering::Relaxed), 0, "of {}", good.load(Ordering::Relaxed));
    // Programs differ in how many sockets they want of an address, not in whose they are.
    let after = listeners(port);
    assert!(!after.is_disjoint(&before), "{after:?}, {before:?}");
    assert!(old_bin != new_bin || after == before, "{after:?}, {before:?}");
    for path in [&sock, &unix] {
        assert!(UnixStream::connect(path).is_ok(), "{}", path.display());
    }
    drop(new);
    let _ = std::fs::remove_dir_all(dir);
}

#[test]
fn sockets_change_hands_and_no_request_is_lost() {
    take_over(bin(), bin());
}

#[test]
fn haproxy_gives_and_takes() {
    let Some(other) = installed("haproxy") else { return };
    let other = other.to_str().unwrap();
    take_over(other, bin());
    take_over(bin(), other);
}

#[test]
fn sockets_are_given_only_where_that_was_asked_for() {
    let dir = temp_dir();
    let sock = dir.join("stats");
    let port = free_port();
    let text = cfg(2, &sock, "", &format!("bind 127.0.0.1:{port}"), 200);
    let old = Hawser::start(bin(), &text, &[port]);
    assert!(until(20_000, || UnixStream::connect(&sock).is_ok()));
    let file = old.cfg().to_str().unwrap();
    let new = run(bin(), &["-f", file, "-x", sock.to_str().unwrap()]);
    assert_eq!(new.code, 1);
    assert!(new.err.contains("Failed to get the sockets from the old process!"), "{}", new.err);
    assert_eq!(get(port, "/").status, 200);
    let _ = std::fs::remove_dir_all(dir);
}
