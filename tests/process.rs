//! The process: exit statuses, messages, signals, privileges.

use hawser_testkit::net::now;
use hawser_testkit::process::{check, run, temp_dir};
use hawser_testkit::wire::get;
use hawser_testkit::{Client, Hawser, Origin, binary, free_port, pause, until};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

fn bin() -> &'static str {
    binary(env!("CARGO_BIN_EXE_hawser"))
}

fn cfg(port: u16, origin: u16, global: &str) -> String {
    format!(
        "global\n  {global}\ndefaults\n  mode http\n  timeout connect 2s\n  timeout client 8s\n  timeout server 8s\n\
         listen l\n  bind 127.0.0.1:{port}\n  server s 127.0.0.1:{origin}\n"
    )
}

#[test]
fn the_version_satisfies_parsers() {
    let r = run(bin(), &["-v"]);
    assert_eq!(r.code, 0);
    assert!(r.out.starts_with("HAProxy version 3.4.0"), "{}", r.out);
    let r = run(bin(), &["-vv"]);
    assert!(r.out.contains("\nFeature list : ") && r.out.contains("+THREAD"), "{}", r.out);
    assert!(r.out.contains("Available multiplexer protocols"), "{}", r.out);
}

#[test]
fn an_unknown_option_prints_the_usage_and_fails() {
    let r = run(bin(), &["--no-such-thing"]);
    assert_eq!(r.code, 1);
    assert!(r.err.contains("Usage :") && r.out.starts_with("HAProxy version"), "{r:?}");
}

#[test]
fn a_good_configuration_is_accepted_silently() {
    let r = check(bin(), &cfg(free_port(), 1, ""), &[]);
    assert_eq!((r.code, r.err.as_str()), (0, ""), "{r:?}");
}

#[test]
fn every_error_is_told_in_one_pass_with_file_and_line() {
    let text = "global\n  maxconnn 10\ndefaults\n  mode http\n  timeout client 5x\nfrontend f\n  bind :http:\n  default_backend nowhere\n\
                backend b\n  balance roundrobbin\n  server s\n  optoin httplog\n";
    let r = check(bin(), text, &[]);
    assert_eq!(r.code, 1);
    for line in [
        "haproxy.cfg:2]",
        "haproxy.cfg:5]",
        "haproxy.cfg:7]",
        "haproxy.cfg:10]",
        "haproxy.cfg:11]",
        "haproxy.cfg:12]",
    ] {
        assert!(r.err.contains(line), "{line} is missing:\n{}", r.err);
    }
    assert!(r.err.contains("[ALERT]") && r.err.contains("config : parsing ["), "{}", r.err);
    assert!(r.err.contains("maxconn") && r.err.contains("did you mean"), "{}", r.err);
}

#[test]
fn warnings_fail_only_with_dw() {
    let text = format!(
        "frontend f\n  mode http\n  bind 127.0.0.1:{}\n  default_backend b\nbackend b\n  mode http\n  server s 127.0.0.1:1\n",
        free_port()
    );
    let r = check(bin(), &text, &[]);
    assert_eq!(r.code, 0, "{r:?}");
    assert!(r.err.contains("[WARNING]") && r.err.contains("missing timeouts"), "{}", r.err);
    assert_eq!(check(bin(), &text, &["-dW"]).code, 1);
}

#[test]
fn a_taken_port_is_an_alert_and_status_1() {
    let l = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = l.local_addr().unwrap().port();
    let dir = temp_dir();
    let f = dir.join("haproxy.cfg");
    std::fs::write(&f, cfg(port, 1, "")).unwrap();
    let r = run(bin(), &["-db", "-f", f.to_str().unwrap()]);
    assert_eq!(r.code, 1, "{r:?}");
    assert!(r.err.contains("[ALERT]") && r.err.contains("Address already in use"), "{}", r.err);
    assert!(r.err.contains(&format!("127.0.0.1:{port}")), "{}", r.err);
}

#[test]
fn sigusr1_closes_listeners_lets_transfers_finish_and_exits_0() {
    let go = Arc::new(AtomicBool::new(false));
    let told = go.clone();
    let o = Origin::http(move |_| {
        until(20_000, || told.load(Ordering::Relaxed));
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone".to_vec()
    });
    let p = free_port();
    let mut h = Hawser::start(bin(), &cfg(p, o.port(), ""), &[p]);
    let mut c = asking(p, &o);
    h.signal(libc::SIGUSR1);
    assert!(until(5000, || TcpStream::connect(("127.0.0.1", p)).is_err()), "still listening");
    go.store(true, Ordering::Relaxed);
    let r = c.recv();
    assert_eq!((r.status, r.text().as_str()), (200, "done"));
    assert_eq!(r.field("connection").map(str::to_ascii_lowercase).as_deref(), Some("close"), "{}", r.head);
    assert_eq!(h.wait(20_000).and_then(|s| s.code()), Some(0));
}

/// A client whose request is with the server.
fn asking(port: u16, origin: &Origin) -> Client {
    let mut c = Client::connect(port);
    c.send(KEPT);
    assert!(until(20_000, || origin.connections() > 0));
    c
}

/// A server that answers long after every other patience is over.
fn silent() -> Origin {
    Origin::http(|_| {
        pause(60_000);
        Vec::new()
    })
}

#[test]
fn an_idle_keep_alive_connection_does_not_hold_a_soft_stop() {
    let o = Origin::fixed("a", "ok");
    let p = free_port();
    let mut h = Hawser::start(bin(), &cfg(p, o.port(), ""), &[p]);
    let mut c = Client::connect(p);
    assert_eq!(c.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n").status, 200);
    h.signal(libc::SIGUSR1);
    assert_eq!(h.wait(20_000).and_then(|s| s.code()), Some(0));
}

#[test]
fn a_soft_stop_still_serves_a_client_that_was_just_served() {
    let o = Origin::fixed("a", "ok");
    // The client must be quick, which a machine that is busy elsewhere may not allow it to be at once.
    let served = (0..10).any(|_| {
        let p = free_port();
        let mut h = Hawser::start(bin(), &cfg(p, o.port(), ""), &[p]);
        let mut idle = Client::connect(p);
        assert_eq!(idle.ask(KEPT).status, 200);
        pause(700);
        let mut busy = Client::connect(p);
        let since = now();
        assert_eq!(busy.ask(KEPT).status, 200);
        h.signal(libc::SIGUSR1);
        assert!(idle.closed_within(20_000), "whoever has been idle is not waited for");
        // Its next request may have been on the way already.
        busy.send(KEPT);
        if since.elapsed() > Duration::from_millis(400) {
            return false;
        }
        let r = busy.recv();
        assert_eq!((r.status, r.field("connection")), (200, Some("close")), "{}", r.head);
        assert_eq!(h.wait(20_000).and_then(|s| s.code()), Some(0));
        true
    });
    assert!(served);
}

#[test]
fn hard_stop_after_bounds_a_soft_stop() {
    let (o, p) = (silent(), free_port());
    let mut h = Hawser::start(bin(), &cfg(p, o.port(), "hard-stop-after 500ms"), &[p]);
    let _c = asking(p, &o);
    let start = now();
    h.signal(libc::SIGUSR1);
    assert!(h.wait(6000).is_some(), "hard-stop-after did not end it");
    assert!(start.elapsed().as_millis() >= 500, "ended before hard-stop-after");
}

#[test]
fn sigterm_ends_at_once() {
    let (o, p) = (silent(), free_port());
    let mut h = Hawser::start(bin(), &cfg(p, o.port(), ""), &[p]);
    let _c = asking(p, &o);
    h.signal(libc::SIGTERM);
    assert!(h.wait(6000).is_some());
}

#[test]
fn sigpipe_and_sighup_do_not_end_it() {
    let o = Origin::fixed("a", "ok");
    let p = free_port();
    let h = Hawser::start(bin(), &cfg(p, o.port(), ""), &[p]);
    h.signal(libc::SIGPIPE);
    h.signal(libc::SIGHUP);
    pause(300);
    assert_eq!(get(p, "/").status, 200);
}

#[test]
fn daemon_mode_detaches_and_writes_its_pid() {
    let o = Origin::fixed("a", "ok");
    let (p, dir) = (free_port(), temp_dir());
    let (f, pid) = (dir.join("haproxy.cfg"), dir.join("pid"));
    std::fs::write(&f, cfg(p, o.port(), "")).unwrap();
    let r = run(bin(), &["-D", "-f", f.to_str().unwrap(), "-p", pid.to_str().unwrap()]);
    assert_eq!(r.code, 0, "{r:?}");
    let n: i32 = std::fs::read_to_string(&pid).unwrap().trim().parse().unwrap();
    let served = until(20_000, || get(p, "/").status == 200);
    // SAFETY: kill(2) on the daemon that wrote its pid for us; no memory is involved.
    unsafe { libc::kill(n, libc::SIGTERM) };
    assert!(served);
    assert!(until(20_000, || TcpStream::connect(("127.0.0.1", p)).is_err()));
    let _ = std::fs::remove_dir_all(dir);
}

#[test]
fn chroot_uid_and_gid_leave_nothing_of_root() {
    // SAFETY: geteuid(2) has no preconditions.
    if unsafe { libc::geteuid() } != 0 {
        println!("skipped: not root");
        return;
    }
    let o = Origin::fixed("a", "ok");
    let (p, jail) = (free_port(), temp_dir());
    let h = Hawser::start(
        bin(),
        &cfg(p, o.port(), &format!("chroot {}\n  uid 65534\n  gid 65534", jail.display())),
        &[p],
    );
    assert_eq!(get(p, "/").status, 200);
    for task in std::fs::read_dir(format!("/proc/{}/task", h.pid())).unwrap().flatten() {
        let s = std::fs::read_to_string(task.path().join("status")).unwrap();
        let line = |k: &str| s.lines().find(|l| l.starts_with(k)).unwrap().to_owned();
        assert_eq!(line("Uid:").split_whitespace().skip(1).collect::<Vec<_>>(), ["65534"; 4], "{s}");
        assert_eq!(line("Gid:").split_whitespace().skip(1).collect::<Vec<_>>(), ["65534"; 4], "{s}");
        assert_eq!(line("CapEff:").split_whitespace().nth(1), Some("0000000000000000"), "{s}");
        assert_eq!(line("CapPrm:").split_whitespace().nth(1), Some("0000000000000000"), "{s}");
    }
    let root = std::fs::read_link(format!("/proc/{}/root", h.pid())).unwrap();
    assert_eq!(root, jail);
    drop(h);
    let _ = std::fs::remove_dir_all(jail);
}

#[test]
fn conditions_can_be_evaluated_on_the_command_line() {
    assert_eq!(run(bin(), &["-cc", "version_atleast(2.5)"]).code, 0);
    assert_eq!(run(bin(), &["-cc", "version_before(2.5)"]).code, 1);
    assert_eq!(run(bin(), &["-cc", "feature(THREAD) && !streq(a,b)"]).code, 0);
}

#[test]
fn several_files_are_read_in_order() {
    let o = Origin::fixed("a", "ok");
    let (p, dir) = (free_port(), temp_dir());
    std::fs::write(
        dir.join("1.cfg"),
        "defaults\n  mode http\n  timeout connect 2s\n  timeout client 2s\n  timeout server 2s\n",
    )
    .unwrap();
    std::fs::write(
        dir.join("2.cfg"),
        format!("listen l\n  bind 127.0.0.1:{p}\n  server s 127.0.0.1:{}\n", o.port()),
    )
    .unwrap();
    std::fs::write(dir.join("ignored.txt"), "not a configuration\n").unwrap();
    let r = run(bin(), &["-c", "-f", dir.to_str().unwrap()]);
    assert_eq!((r.code, r.err.as_str()), (0, ""));
    let _ = std::fs::remove_dir_all(dir);
}

const KEPT: &str = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

#[test]
fn a_soft_stop_may_leave_clients_alone() {
    let (o, p) = (Origin::fixed("a", "ok"), free_port());
    let mut h = Hawser::start(bin(), &cfg(p, o.port(), "close-spread-time infinite"), &[p]);
    let mut c = Client::connect(p);
    assert_eq!(c.ask(KEPT).status, 200);
    h.signal(libc::SIGUSR1);
    assert!(until(20_000, || TcpStream::connect(("127.0.0.1", p)).is_err()), "it still listens");
    let r = c.ask(KEPT);
    assert_eq!((r.status, r.field("connection")), (200, None), "{}", r.head);
    assert!(c.silent_for(300));
    assert!(h.exited().is_none());
    drop(c);
    assert_eq!(h.wait(20_000).and_then(|s| s.code()), Some(0));
}

#[test]
fn a_soft_stop_may_take_its_time() {
    let (o, p) = (Origin::fixed("a", "ok"), free_port());
    let mut h = Hawser::start(bin(), &cfg(p, o.port(), "close-spread-time 4s"), &[p]);
    let mut clients: Vec<Client> = (0..40).map(|_| Client::connect(p)).collect();
    clients.iter_mut().for_each(|c| assert_eq!(c.ask(KEPT).status, 200));
    h.signal(libc::SIGUSR1);
    assert!(until(20_000, || TcpStream::connect(("127.0.0.1", p)).is_err()), "it still listens");
    assert!(h.exited().is_none(), "all clients were cut at once");
    assert_eq!(h.wait(20_000).and_then(|s| s.code()), Some(0), "some client was forgotten");
    drop(clients);
}

#[test]
fn rules_see_the_environment_and_the_command_sockets() {
    let (port, dir) = (free_port(), temp_dir());
    let socket = dir.join("api");
    let cfg = format!(
        "global\n  setenv COLOUR blue\n  stats socket {}\n  localpeer me\ndefaults\n  mode http\n  timeout client 5s\n\
         frontend f\n  bind 127.0.0.1:{port}\n  http-request return status 200 content-type text/plain lf-string \
         \"%[env(COLOUR)] %[env(HAPROXY_CLI)] %[env(HAPROXY_LOCALPEER)] %[env(NOT_SET)]\"\n",
        socket.display()
    );
    let _h = Hawser::start(bin(), &cfg, &[port]);
    assert_eq!(get(port, "/").text(), format!("blue unix@{} me ", socket.display()));
}

#[test]
fn verdicts_of_a_check() {
    let nothing = "Configuration file has no error but will not start (no listener) => exit(2).\n";
    let warned = format!("Warnings were found.\n{nothing}");
    let r = check(bin(), "backend b\n  server s 127.0.0.1:1\n", &[]);
    assert_eq!((r.code, r.out.as_str()), (2, warned.as_str()), "{r:?}");
    let r = check(bin(), "global\n  maxconn 5\n  maxconn 6\n", &[]);
    assert_eq!((r.code, r.out.as_str()), (2, nothing), "an alert that refuses nothing: {r:?}");
    assert!(r.err.contains("[ALERT]") && r.err.contains("already specified"), "{}", r.err);
    let good = format!("frontend f\n  bind 127.0.0.1:{}\n", free_port());
    let r = check(bin(), &good, &["-q", "-V"]);
    assert_eq!((r.code, r.out.as_str()), (0, "Warnings were found.\nConfiguration file is valid\n"), "{r:?}");
    let r = check(bin(), &good, &["-S", "127.0.0.1:0"]);
    assert!(r.code == 1 && r.err.contains("master-worker mode (-W) is not enabled"), "{r:?}");
}

/// Mistakes that used to be found only when something ran, or never.
#[test]
fn mistakes_that_a_check_finds() {
    for (line, text) in [
        ("log-format \"%[src\"", "failed to parse log-format"),
        ("error-log-format \"%nothing\"", "failed to parse error-log-format"),
        ("bind fd@9999", "cannot use file descriptor '9999'"),
        ("bind quic4@:4433", "QUIC"),
        ("default_backend b\nbackend b\n  mode http\n  server s udp@127.0.0.1:1", "unsupported transport"),
    ] {
        let cfg = format!(
            "frontend f\n  mode http\n  timeout client 5s\n  bind 127.0.0.1:{}\n  {line}\n",
            free_port()
        );
        let r = check(bin(), &cfg, &[]);
        assert!(r.code == 1 && r.err.contains(text), "{line}: {r:?}");
    }
}

#[test]
fn diagnostics_of_libraries_are_shown_on_demand() {
    let (port, dir) = (free_port(), temp_dir());
    let (cfg, err) = (dir.join("haproxy.cfg"), dir.join("stderr"));
    let text = format!(
        "defaults\n  mode http\n  timeout client 5s\nfrontend f\n  bind 127.0.0.1:{port}\n  \
         http-request set-var(txn.x) path,debug(here)\n  http-request return status 200\n"
    );
    std::fs::write(&cfg, text).unwrap();
    for (value, shown) in [("sample=debug", true), ("", false)] {
        let mut child = std::process::Command::new(bin())
            .args(["-db", "-f", cfg.to_str().unwrap()])
            .env("HAWSER_TRACE", value)
            .stderr(std::fs::File::create(&err).unwrap())
            .spawn()
            .unwrap();
        assert!(until(20_000, || TcpStream::connect(("127.0.0.1", port)).is_ok()));
        assert_eq!(get(port, "/path").status, 200);
        let found = || std::fs::read_to_string(&err).unwrap().contains("[debug] here: type=str </path>");
        assert!(!shown || until(20_000, found), "{value:?}");
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(found(), shown, "{value:?}");
    }
}

#[test]
fn the_configuration_and_the_libraries_can_be_printed() {
    let cfg =
        "global # x\n  setenv A 'b c'\ndefaults\n  mode http\nfrontend f\n    description 'b c'\n bind :1\n";
    // HAProxy reads the files twice, and prints them twice.
    let r = check(bin(), cfg, &["-dC"]);
    let want =
        "global \n\tsetenv A b c \ndefaults \n\tmode http \nfrontend f \n\tdescription b c \n\tbind :1 \n";
    assert!(r.out.contains(want), "{}", r.out);
    let r = check(bin(), cfg, &["-q", "-dL"]);
    let files: Vec<&str> = r.out.lines().take_while(|l| l.starts_with('/')).collect();
    assert!(files.len() > 1, "{}", r.out);
    assert!(files.iter().any(|f| f.contains("/libc.so")), "{files:?}");
}
