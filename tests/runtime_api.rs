//! The runtime API's sockets, and what only shows at run time: limits, memory, PROXY headers, `grace`.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use hawser_testkit::process::temp_dir;
use hawser_testkit::wire::{ask, get};
use hawser_testkit::{Client, Hawser, binary, free_port, pause, until};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

fn bin() -> &'static str {
    binary(env!("CARGO_BIN_EXE_hawser"))
}

const DEFAULTS: &str =
    "defaults\n  mode http\n  timeout connect 2s\n  timeout client 8s\n  timeout server 8s\n";

fn cfg(global: &str, frontend: &str) -> String {
    format!("global\n  {global}\n{DEFAULTS}frontend f\n  {frontend}\n  http-request return status 200\n")
}

fn talk(mut s: impl Read + Write, line: &str) -> String {
    s.write_all(line.as_bytes()).unwrap();
    let mut out = String::new();
    s.read_to_string(&mut out).unwrap();
    out
}

fn unix(h: &Hawser, line: &str) -> String {
    let path = h.dir().join("st");
    assert!(until(20_000, || UnixStream::connect(&path).is_ok()), "{}", h.stderr());
    talk(UnixStream::connect(&path).unwrap(), line)
}

#[test]
fn show_info_tells_what_happens() {
    let p = free_port();
    let global = "stats socket {dir}/st level admin\n  node n1\n  nbthread 2\n  maxconn 77";
    let h = Hawser::start(bin(), &cfg(global, &format!("bind 127.0.0.1:{p}")), &[p]);
    assert_eq!(get(p, "/").status, 200);
    let held = Client::connect(p);
    assert!(until(20_000, || unix(&h, "show info\n").contains("\nCurrConns: 1\n")));
    let text = unix(&h, "show info\n");
    let field = |name: &str| {
        let line = text.lines().find(|l| l.starts_with(&format!("{name}: ")));
        line.unwrap_or_else(|| panic!("no {name} in {text}")).split_once(": ").unwrap().1.to_owned()
    };
    assert_eq!(text.lines().filter(|l| !l.is_empty()).count(), 81);
    assert_eq!(
        (field("Name"), field("node"), field("Nbthread")),
        ("HAProxy".into(), "n1".into(), "2".into())
    );
    assert_eq!((field("Maxconn"), field("Pid")), ("77".into(), h.pid().to_string()));
    assert!(field("CumConns").parse::<u32>().unwrap() >= 2, "{text}");
    assert_eq!(field("CurrConns"), "1");
    assert!(field("Build info").contains("Hawser"));
    drop(held);
    assert!(unix(&h, "show startup-logs\n").contains("Started as root") || !is_root());
}

fn is_root() -> bool {
    // SAFETY: geteuid(2) has no preconditions.
    unsafe { libc::geteuid() == 0 }
}

#[test]
fn sockets_of_every_kind_have_their_own_level() {
    let (p, api) = (free_port(), free_port());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let inherited = listener.local_addr().unwrap();
    let dir = temp_dir();
    let file = dir.join("haproxy.cfg");
    let global = format!(
        "stats socket {}/st level user mode 600\n  stats socket ipv4@127.0.0.1:{api} level admin\n  stats socket fd@0 level operator",
        dir.display()
    );
    std::fs::write(&file, cfg(&global, &format!("bind 127.0.0.1:{p}"))).unwrap();
    let mut child = Command::new(bin())
        .args(["-db", "-f"])
        .arg(&file)
        .stdin(Stdio::from(OwnedFd::from(listener)))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    assert!(until(20_000, || TcpStream::connect(("127.0.0.1", api)).is_ok()));
    let level = "show cli level;set maxconn global 50\n";
    let user = talk(UnixStream::connect(dir.join("st")).unwrap(), level);
    let admin = talk(TcpStream::connect(("127.0.0.1", api)).unwrap(), level);
    let operator = talk(TcpStream::connect(inherited).unwrap(), level);
    let sockets = talk(TcpStream::connect(inherited).unwrap(), "show cli sockets\n");
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(dir.join("st")).unwrap().permissions());
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(user, "user\n\nPermission denied\n\n");
    assert_eq!(operator, "operator\n\nPermission denied\n\n");
    assert_eq!(admin, "admin\n\n\n");
    assert_eq!(mode & 0o777, 0o600);
    assert!(sockets.starts_with("# socket lvl processes\n"), "{sockets}");
    assert!(sockets.contains(&format!("unix@{}/st user all\n", dir.display())), "{sockets}");
    assert!(sockets.contains(&format!("ipv4@127.0.0.1:{api} admin all\n")), "{sockets}");
    let _ = std::fs::remove_dir_all(dir);
}

#[test]
fn a_raised_maxconn_lets_waiting_clients_in() {
    let p = free_port();
    // One thread, so that clients get in by their order.
    let global = "nbthread 1\n  stats socket {dir}/st level admin\n  maxconn 10";
    let h = Hawser::start(bin(), &cfg(global, &format!("bind 127.0.0.1:{p}\n  backlog 100")), &[]);
    assert_eq!(unix(&h, "set maxconn global 2\n"), "\n");
    let mut clients: Vec<Client> = (0..3).map(|_| Client::connect(p)).collect();
    clients.iter_mut().for_each(|c| {
        c.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    });
    assert_eq!((clients[0].recv().status, clients[1].recv().status), (200, 200));
    assert!(clients[2].silent_for(300), "the third client was served or cut");
    assert_eq!(unix(&h, "set maxconn global 3\n"), "\n");
    assert_eq!(clients[2].recv().status, 200);
    assert_eq!(unix(&h, "set maxconn global 11\n"), "Value out of range.\n\n");
}

#[test]
fn proxy_headers_give_the_client_s_address() {
    let p = free_port();
    let frontend = format!(
        "bind 127.0.0.1:{p} accept-proxy\n  http-request return status 200 content-type text/plain lf-string \"%[src]:%[src_port] %[dst]\""
    );
    let h = Hawser::start(bin(), &cfg("", &frontend), &[p]);
    let request = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let v1 = ask(p, format!("PROXY TCP4 192.0.2.7 192.0.2.8 4242 80\r\n{request}"));
    assert_eq!(v1.text(), "192.0.2.7:4242 192.0.2.8");
    let mut v2 =
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x09\xc0\x00\x02\x0a\x00\x50\x01\xbb".to_vec();
    v2.extend_from_slice(request.as_bytes());
    assert_eq!(ask(p, v2).text(), "192.0.2.9:80 192.0.2.10");
    let mut forged = Client::connect(p);
    forged.send(request);
    assert!(forged.closed_within(20_000), "a connection without a header was served");
    drop(h);
}

#[test]
fn grace_announces_the_stop_while_still_accepting() {
    let p = free_port();
    let frontend = format!("bind 127.0.0.1:{p}\n  http-request deny deny_status 503 if {{ stopping }}");
    let mut h = Hawser::start(bin(), &cfg("grace 3s", &frontend), &[p]);
    assert_eq!(get(p, "/").status, 200);
    h.signal(libc::SIGUSR1);
    assert!(until(20_000, || get(p, "/").status == 503), "the stop was never announced");
    assert!(h.exited().is_none());
    assert_eq!(h.wait(20_000).and_then(|s| s.code()), Some(0));
}

#[test]
fn an_anonymous_jail_has_no_name() {
    if !is_root() {
        println!("skipped: not root");
        return;
    }
    let p = free_port();
    let global = "chroot auto\n  uid 65534\n  gid 65534";
    let h = Hawser::start(bin(), &cfg(global, &format!("bind 127.0.0.1:{p}")), &[p]);
    assert_eq!(get(p, "/").status, 200);
    let root = std::fs::read_link(format!("/proc/{}/root", h.pid())).unwrap();
    assert!(root.to_string_lossy().ends_with("(deleted)"), "{}", root.display());
    let may_fork = || {
        let limits = std::fs::read_to_string(format!("/proc/{}/limits", h.pid())).unwrap();
        let processes = limits.lines().find(|l| l.starts_with("Max processes")).unwrap();
        processes.split_whitespace().nth(2) != Some("0")
    };
    assert!(until(20_000, || !may_fork()));
    let status = std::fs::read_to_string(format!("/proc/{}/status", h.pid())).unwrap();
    assert!(status.contains("NoNewPrivs:\t1"), "{status}");
}

/// A process with 40 MB for clients whose heads never end.
fn limited(p: u16) -> Hawser {
    let global = "nbthread 2\n  maxconn 4000\n  stats socket {dir}/st";
    Hawser::start_with(bin(), &cfg(global, &format!("bind 127.0.0.1:{p}")), &[p], &["-m", "40"])
}

fn hoard(c: &mut TcpStream) {
    let _ = c.write_all(format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(9000)).as_bytes());
}

/// Connects until `n` are connected or one waits too long.
fn crowd(p: u16, n: usize, ms: u64, mut then: impl FnMut(&mut TcpStream)) -> Vec<TcpStream> {
    let patience = std::time::Duration::from_millis(ms);
    let connect = || TcpStream::connect_timeout(&([127, 0, 0, 1], p).into(), patience).ok();
    (0..n)
        .map_while(|_| {
            let mut c = connect()?;
            then(&mut c);
            Some(c)
        })
        .collect()
}

fn keeps_to_its_limit_and_recovers(mut h: Hawser, p: u16, crowd: Vec<TcpStream>) {
    for _ in 0..5 {
        pause(100);
        assert!(h.exited().is_none(), "it died with {} clients:\n{}", crowd.len(), h.stderr());
        assert!(h.rss_anon_kib() < 40 * 1024, "{} KiB", h.rss_anon_kib());
    }
    assert!(unix(&h, "show info\n").contains("Memmax_MB: 40"), "the runtime API is not reachable");
    drop(crowd);
    assert!(until(20_000, || get(p, "/").status == 200));
    assert!(h.exited().is_none());
}

#[test]
fn a_memory_limit_costs_connections_not_the_process() {
    let p = free_port();
    let h = limited(p);
    let crowd = crowd(p, 3500, 300, hoard);
    keeps_to_its_limit_and_recovers(h, p, crowd);
}

/// Idle clients cost little, so that many get in; then all of them want buffers at once.
#[test]
fn a_memory_limit_holds_for_clients_that_are_already_in() {
    let p = free_port();
    let h = limited(p);
    let mut crowd = crowd(p, 3500, 20_000, |_| ());
    assert_eq!(crowd.len(), 3500);
    pause(200);
    crowd.iter_mut().for_each(hoard);
    keeps_to_its_limit_and_recovers(h, p, crowd);
}

#[test]
fn a_memory_limit_below_what_the_configuration_takes_is_refused() {
    let p = free_port();
    let dir = temp_dir();
    let file = dir.join("haproxy.cfg");
    std::fs::write(&file, cfg("", &format!("bind 127.0.0.1:{p}"))).unwrap();
    let out = Command::new(bin()).args(["-db", "-m", "1", "-f"]).arg(&file).output().unwrap();
    let _ = std::fs::remove_dir_all(dir);
    assert_eq!(out.status.code(), Some(1), "{out:?}");
}

/// The worker never forks or executes, whoever it runs as.
#[test]
fn the_serving_process_cannot_make_processes() {
    let p = free_port();
    let processes = |global: &str, ms: u64| {
        let h = Hawser::start(bin(), &cfg(global, &format!("bind 127.0.0.1:{p}")), &[p]);
        assert_eq!(get(p, "/").status, 200);
        let limits = || std::fs::read_to_string(format!("/proc/{}/limits", h.pid())).unwrap();
        let most = || {
            let text = limits();
            let line = text.lines().find(|l| l.starts_with("Max processes")).unwrap().to_owned();
            line.split_whitespace().skip(2).take(2).map(str::to_owned).collect::<Vec<_>>()
        };
        until(ms, || most() == ["0", "0"]);
        let children = format!("/proc/{0}/task/{0}/children", h.pid());
        assert_eq!(std::fs::read_to_string(children).unwrap_or_default(), "");
        most()
    };
    assert_eq!(processes("nbthread 2", 20_000), ["0", "0"]);
    assert_ne!(processes("insecure-fork-wanted", 300), ["0", "0"]);
}
