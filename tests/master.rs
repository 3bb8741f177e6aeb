//! Master-worker mode: `-W`, `-Ws`, `-S`; reloading, ending, what systemd hears.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use hawser_testkit::load::Load;
use hawser_testkit::process::{run, temp_dir};
use hawser_testkit::wire::get;
use hawser_testkit::{Client, binary, free_port, pause, until};
use std::io::{Read, Write};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

fn bin() -> &'static str {
    binary(env!("CARGO_BIN_EXE_hawser"))
}

fn cfg(global: &str, port: u16, answer: u16) -> String {
    format!(
        "global\n  nbthread 2\n  {global}\ndefaults\n  mode http\n  timeout connect 2s\n  timeout client 20s\n  timeout server 8s\n\
         frontend f\n  bind 127.0.0.1:{port}\n  http-request return status {answer}\n"
    )
}

/// A master under a service manager of ours.
struct Master {
    child: Child,
    dir: PathBuf,
    manager: UnixDatagram,
}

impl Master {
    fn start(cfg: &str) -> Self {
        Self::start_with(cfg, "-Ws")
    }

    fn start_with(cfg: &str, mode: &str) -> Self {
        let dir = temp_dir();
        std::fs::write(dir.join("cfg"), cfg).unwrap();
        let manager = UnixDatagram::bind(dir.join("notify")).unwrap();
        manager.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let child = Command::new(bin())
            .args([mode, "-f", "cfg", "-p", "pid", "-S"])
            .arg(dir.join("master"))
            .current_dir(&dir)
            .env("NOTIFY_SOCKET", dir.join("notify"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(dir.join("err")).unwrap())
            .spawn()
            .unwrap();
        Self { child, dir, manager }
    }

    /// Started, and serving.
    fn serving(cfg: &str) -> Self {
        let me = Self::start(cfg);
        let ready = me.heard();
        assert!(ready.contains("READY=1\n") && ready.contains("STATUS=Ready.\n"), "{ready} {}", me.stderr());
        assert!(ready.contains(&format!("MAINPID={}\n", me.child.id())), "{ready}");
        me
    }

    /// The next thing that the service manager heard.
    fn heard(&self) -> String {
        let mut buf = [0; 1000];
        let n =
            self.manager.recv(&mut buf).unwrap_or_else(|e| panic!("nothing heard ({e}): {}", self.stderr()));
        String::from_utf8_lossy(&buf[..n]).into_owned()
    }

    fn write(&self, cfg: &str) {
        std::fs::write(self.dir.join("cfg"), cfg).unwrap();
    }

    fn signal(&self, signal: i32) {
        send(self.child.id(), signal);
    }

    fn stderr(&self) -> String {
        std::fs::read_to_string(self.dir.join("err")).unwrap_or_default()
    }

    /// Runs lines of commands on the master's command line.
    fn cli(&self, lines: &str) -> String {
        let mut s = UnixStream::connect(self.dir.join("master")).unwrap();
        s.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        s.write_all(lines.as_bytes()).unwrap();
        s.write_all(b"\n").unwrap();
        s.shutdown(std::net::Shutdown::Write).unwrap();
        let mut text = String::new();
        s.read_to_string(&mut text).unwrap();
        text
    }

    /// Pids of workers: the one that serves, those that leave.
    fn workers(&self) -> (Vec<u32>, Vec<u32>) {
        let text = self.cli("show proc");
        let (new, old) = text.split_once("# old workers").unwrap_or((&text, ""));
        let pids = |text: &str| {
            let rows = text.lines().filter(|l| l.contains(" worker "));
            rows.map(|l| l.split(' ').next().unwrap().parse().unwrap()).collect::<Vec<u32>>()
        };
        (pids(new), pids(old))
    }

    fn worker(&self) -> u32 {
        self.workers().0[0]
    }

    /// A client whose unfinished request the worker has.
    fn held(&self, port: u16) -> Client {
        let mut c = Client::connect(port);
        c.send("GET / HTTP/1.1\r\nHost: a\r\n");
        assert!(until(20_000, || {
            let info = self.cli("@1 show info");
            info.contains("\nCurrConns: ") && !info.contains("\nCurrConns: 0\n")
        }));
        c
    }

    fn wait(&mut self) -> Option<i32> {
        let mut status = None;
        until(20_000, || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.and_then(|s| s.code())
    }
}

impl Drop for Master {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- stderr ---\n{}", self.stderr());
        }
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

fn send(pid: u32, signal: i32) {
    // SAFETY: kill(2) on a process of this test; no memory is involved.
    unsafe { libc::kill(pid as libc::pid_t, signal) };
}

/// Whether a process is there and has not ended.
fn lives(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(" Z"))
}

/// The reference's own way to count and to word is not asked for.
fn is_reference() -> bool {
    std::env::var_os("HAWSER_TEST_BINARY").is_some()
}

#[test]
fn systemd_hears_of_the_start_and_of_the_end() {
    for (signal, status) in [(libc::SIGTERM, 0), (libc::SIGINT, 130), (libc::SIGUSR1, 0)] {
        let p = free_port();
        let mut m = Master::serving(&cfg("", p, 200));
        assert_eq!(get(p, "/").status, 200);
        let pid = std::fs::read_to_string(m.dir.join("pid")).unwrap();
        assert_eq!(pid.trim(), m.child.id().to_string());
        let worker = m.worker();
        // The master makes processes, the worker cannot.
        let limits = std::fs::read_to_string(format!("/proc/{worker}/limits")).unwrap();
        let processes = limits.lines().find(|l| l.starts_with("Max processes")).unwrap();
        assert_eq!(processes.split_whitespace().nth(2), Some("0"), "{processes}");
        m.signal(signal);
        assert_eq!(m.heard(), "STOPPING=1");
        assert_eq!(m.wait(), Some(status), "signal {signal}");
        assert!(!lives(worker));
        let log = m.stderr();
        for text in [
            "Initializing new worker (",
            "Loading success.",
            "Exiting Master process...",
            "All workers exited.",
        ] {
            assert!(log.contains(text), "{text}: {log}");
        }
    }
}

#[test]
fn a_reload_loses_no_request() {
    let p = free_port();
    let mut m = Master::serving(&cfg("", p, 200));
    let load = Load::start(2, move |_| matches!(get(p, "/").status, 200 | 204));
    assert!(load.goes_on(20));
    let first = m.worker();
    m.write(&cfg("", p, 204));
    for signal in [libc::SIGUSR2, libc::SIGHUP] {
        m.signal(signal);
        let reloading = m.heard();
        assert!(
            reloading.contains("RELOADING=1\n") && reloading.contains("\nMONOTONIC_USEC="),
            "{reloading}"
        );
        assert!(m.heard().contains("READY=1\n"));
        assert!(load.goes_on(20), "nobody is served any more");
    }
    assert!(until(20_000, || !lives(first)), "{}", m.stderr());
    let (good, bad) = load.end();
    assert_eq!(get(p, "/").status, 204);
    assert_eq!(bad, 0, "of {good}");
    assert!(m.stderr().contains(&format!("Former worker ({first}) exited with code 0 (Exit)")));
    assert!(m.cli("show proc").contains(" master          2 [failed: 0] "));
    m.signal(libc::SIGTERM);
    assert_eq!(m.wait(), Some(0));
}

#[test]
fn a_broken_configuration_changes_nothing() {
    let p = free_port();
    let mut m = Master::serving(&cfg("", p, 200));
    let worker = m.worker();
    m.write("frontend f\n  bnid :1\n");
    m.signal(libc::SIGUSR2);
    assert!(m.heard().contains("RELOADING=1"));
    assert_eq!(m.heard(), "READY=1\nSTATUS=Reload failed!\n");
    assert_eq!(get(p, "/").status, 200);
    assert!(lives(worker));
    assert!(m.stderr().contains("Failed to load worker ("), "{}", m.stderr());

    let answer = m.cli("reload");
    assert!(answer.starts_with("Success=0\n--\n[NOTICE]   ("), "{answer}");
    assert!(answer.contains("unknown keyword 'bnid'"), "{answer}");
    assert!(answer.contains(") exited with code 1 (Exit)\n"), "{answer}");
    assert!(m.cli("prompt").contains("master[ReloadFailed]> "));
    if !is_reference() {
        assert_eq!(m.worker(), worker);
    }

    m.write(&cfg("", p, 204));
    let answer = m.cli("reload");
    assert!(answer.starts_with("Success=1\n--\n[NOTICE]   ("), "{answer}");
    assert!(answer.contains(") : Loading success.\n"), "{answer}");
    assert!(until(20_000, || !lives(worker)));
    assert_eq!(get(p, "/").status, 204);

    // At the start, there is nobody to go on.
    m.write("frontend f\n  bnid :1\n");
    m.signal(libc::SIGTERM);
    assert_eq!(m.wait(), Some(0));
    let failed = run(bin(), &["-W", "-f", m.dir.join("cfg").to_str().unwrap()]);
    assert_eq!(failed.code, 1);
    assert!(failed.err.contains("Failed to load worker ("), "{}", failed.err);
}

#[test]
fn connections_outlive_a_reload_but_not_a_hard_one() {
    let p = free_port();
    let m = Master::serving(&cfg("mworker-max-reloads 1", p, 200));
    let first = m.worker();
    let mut c = m.held(p);
    assert!(m.cli("reload").starts_with("Success=1"));
    assert!(until(20_000, || m.workers().1 == [first]));
    // A worker that leaves is still there to be asked.
    let info = m.cli(&format!("@!{first} show info"));
    assert!(info.contains(&format!("\nPid: {first}\n")), "{info}");
    c.send("\r\n");
    assert_eq!(c.recv().status, 200);
    assert!(until(20_000, || !lives(first)), "{}", m.stderr());

    let _c = m.held(p);
    assert!(m.cli("hard-reload").starts_with("Success=1"));
    assert!(until(20_000, || m.workers().1.is_empty()), "{}", m.cli("show proc"));
    assert!(m.stderr().contains(" exited with code 143 (Terminated)"));

    // `mworker-max-reloads`
    let second = m.worker();
    let _c = m.held(p);
    assert!(m.cli("reload").starts_with("Success=1"));
    assert!(until(20_000, || m.workers().1 == [second]));
    assert!(m.cli("reload").starts_with("Success=1"));
    assert!(until(20_000, || !lives(second)), "{}", m.stderr());
}

#[test]
fn a_worker_that_dies_takes_all_with_it() {
    for (option, killed) in [("", true), ("master-worker no-exit-on-failure", false)] {
        let p = free_port();
        let mut m = Master::serving(&cfg(option, p, 200));
        let worker = m.worker();
        let mut c = m.held(p);
        assert!(m.cli("reload").starts_with("Success=1"));
        assert!(until(20_000, || m.workers().1 == [worker]));
        send(m.worker(), libc::SIGKILL);
        if !killed {
            pause(300);
            assert!(lives(worker) && m.child.try_wait().unwrap().is_none(), "{}", m.stderr());
            c.send("\r\n");
        }
        assert_eq!(m.wait(), Some(137));
        assert!(!lives(worker));
        let log = m.stderr();
        assert!(log.contains(") exited with code 137 (Killed)"), "{log}");
        assert_eq!(log.contains("exit-on-failure: killing every processes with SIGTERM"), killed, "{log}");
    }
}

#[test]
fn a_worker_that_was_leaving_may_die() {
    let p = free_port();
    let mut m = Master::serving(&cfg("", p, 200));
    let worker = m.worker();
    let _c = m.held(p);
    assert!(m.cli("reload").starts_with("Success=1"));
    assert!(until(20_000, || m.workers().1 == [worker]));
    send(worker, libc::SIGKILL);
    assert!(until(20_000, || m.workers().1.is_empty()));
    assert_eq!(get(p, "/").status, 200);
    assert!(m.stderr().contains(&format!("Former worker ({worker}) exited with code 137 (Killed)")));
    m.signal(libc::SIGTERM);
    assert_eq!(m.wait(), Some(0));
}

#[test]
fn no_worker_outlives_its_master() {
    let p = free_port();
    let m = Master::serving(&cfg("", p, 200));
    let worker = m.worker();
    let _c = m.held(p);
    m.signal(libc::SIGKILL);
    assert!(until(20_000, || !lives(worker)));
}

#[test]
fn commands_reach_workers() {
    let p = free_port();
    let m = Master::serving(&cfg("", p, 200));
    let worker = m.worker();
    for prefix in ["@1".to_owned(), format!("@!{worker}"), "@@1".to_owned()] {
        let info = m.cli(&format!("{prefix} show info"));
        assert!(
            info.contains("\nProcess_num: 1\n") && info.contains(&format!("\nPid: {worker}\n")),
            "{info}"
        );
    }
    let both = m.cli("@1; show info; @; show proc");
    assert!(both.contains(&format!("\nPid: {worker}\n")) && both.contains("\n# workers\n"), "{both}");
    assert_eq!(m.cli("@7 show info"), "Can't find the target PID matching the prefix '@7'\n");
    assert_eq!(m.cli("user; reload").trim(), "Permission denied");
    // The worker honours the rights of the master's client.
    assert!(m.cli("user; @1 show cli level").ends_with("user\n\n"));
    assert!(m.cli("@1 show cli level").ends_with("admin\n\n"));
    assert_eq!(m.cli("user; @1 set maxconn global 10").trim(), "Permission denied");
    let expert = m.cli("@1; expert-mode on; debug dev log hello; show cli level");
    assert_eq!(expert.trim(), "admin");
    assert!(m.cli("@1 debug dev log hello").contains("expert mode"));
    assert!(m.cli("help").contains("  reload "));
    assert!(m.cli("@1 show cli sockets").contains("sockpair@"));
    assert!(m.cli("@1 show env HAPROXY_MWORKER").contains("HAPROXY_MWORKER=1\n"));
    assert!(!m.cli("@1 show env").contains("HAWSER_WORKER"));
    // A conversation with a worker, until it ends.
    let talk = m.cli("prompt\n@@1\nshow version\nquit");
    assert!(talk.starts_with("master> ") && talk.contains("3.4.0"), "{talk}");
    assert!(m.cli("@@1\nshow info").contains(&format!("\nPid: {worker}\n")));
    let prompts = m.cli("prompt\nexpert-mode on\n@1\nshow version\n@\n");
    for prompt in ["master> ", "master(e)> ", &format!("{worker}(e)> ")] {
        assert!(prompts.contains(prompt), "{prompts}");
    }
}

#[test]
fn the_keyword_and_the_background() {
    let p = free_port();
    let dir = temp_dir();
    let file = dir.join("cfg");
    let pidfile = dir.join("pid");
    let global = format!("master-worker\n  daemon\n  pidfile {}", pidfile.display());
    std::fs::write(&file, cfg(&global, p, 200)).unwrap();
    let file = file.to_str().unwrap();
    assert_eq!(run(bin(), &["-f", file]).code, 0);
    assert!(until(20_000, || get(p, "/").status == 200));
    let master: u32 = std::fs::read_to_string(&pidfile).unwrap().trim().parse().unwrap();
    assert!(lives(master));
    send(master, libc::SIGTERM);
    assert!(until(20_000, || !lives(master)));

    // What cannot start says so to who started it.
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    std::fs::write(file, cfg(&global, taken.local_addr().unwrap().port(), 200)).unwrap();
    assert_eq!(run(bin(), &["-D", "-W", "-f", file]).code, 1);
    // Checking starts nobody.
    assert_eq!(run(bin(), &["-Ws", "-f", file, "-c", "-S", "/nowhere/x"]).code, 0);
    let _ = std::fs::remove_dir_all(&dir);
}

/// `-C` is done once, not once more by each worker.
#[test]
fn directories_are_changed_once() {
    let p = free_port();
    let dir = temp_dir();
    std::fs::create_dir(dir.join("sub")).unwrap();
    std::fs::write(dir.join("sub/cfg"), cfg("", p, 200)).unwrap();
    let mut child = Command::new(bin())
        .args(["-W", "-C", "sub", "-f", "cfg", "-p", "pid"])
        .current_dir(&dir)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let served = until(20_000, || std::net::TcpStream::connect(("127.0.0.1", p)).is_ok());
    send(child.id(), libc::SIGTERM);
    let _ = child.wait();
    assert!(served);
    assert!(Path::new(&dir.join("sub/pid")).exists());
    let _ = std::fs::remove_dir_all(&dir);
}
