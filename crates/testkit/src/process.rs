//! The real binary, started on a configuration.

use crate::net::{listeners, until};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

static DIRS: AtomicU32 = AtomicU32::new(0);

/// A new empty directory below the system's temporary one.
pub fn temp_dir() -> PathBuf {
    let n = DIRS.fetch_add(1, Ordering::Relaxed);
    let dir = std::env::temp_dir().join(format!("hawser-test-{}-{n}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

/// What a command that ended by itself left.
#[derive(Debug)]
pub struct Run {
    /// Exit status; -1 when a signal ended it.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// Runs a binary to its end.
pub fn run(bin: &str, args: &[&str]) -> Run {
    let o = Command::new(bin).args(args).stdin(Stdio::null()).output().unwrap();
    Run {
        code: o.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&o.stdout).into_owned(),
        err: String::from_utf8_lossy(&o.stderr).into_owned(),
    }
}

/// Writes `cfg` to a file and checks it with `-c`.
pub fn check(bin: &str, cfg: &str, args: &[&str]) -> Run {
    let dir = temp_dir();
    let file = dir.join("haproxy.cfg");
    std::fs::write(&file, cfg).unwrap();
    let mut all = vec!["-c", "-f", file.to_str().unwrap()];
    all.extend_from_slice(args);
    let r = run(bin, &all);
    let _ = std::fs::remove_dir_all(dir);
    r
}

/// A running balancer. Killed, and its directory removed, on drop.
pub struct Hawser {
    child: Child,
    dir: PathBuf,
    cfg: PathBuf,
}

impl Hawser {
    /// Starts `bin -db -f CFG` and waits until every port of `ports` is listened on. No connection is made to find
    /// out: it would be counted, logged and served whenever its turn comes.
    pub fn start(bin: &str, cfg: &str, ports: &[u16]) -> Self {
        Self::start_with(bin, cfg, ports, &[])
    }

    /// The same with more arguments.
    pub fn start_with(bin: &str, cfg: &str, ports: &[u16], args: &[&str]) -> Self {
        let dir = temp_dir();
        let file = dir.join("haproxy.cfg");
        std::fs::write(&file, cfg.replace("{dir}", dir.to_str().unwrap())).unwrap();
        let out = std::fs::File::create(dir.join("out")).unwrap();
        let err = std::fs::File::create(dir.join("err")).unwrap();
        let child = Command::new(bin)
            .arg("-db")
            .args(args)
            .arg("-f")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .spawn()
            .unwrap();
        let mut me = Self { child, dir, cfg: file };
        for p in ports {
            let ok = until(30_000, || {
                assert!(me.exited().is_none(), "exited before listening:\n{}", me.stderr());
                !listeners(*p).is_empty()
            });
            assert!(ok, "port {p} was never listened on:\n{}", me.stderr());
        }
        me
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its directory: `{dir}` in the configuration.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Its configuration file.
    pub fn cfg(&self) -> &Path {
        &self.cfg
    }

    /// What it wrote to standard error so far.
    pub fn stderr(&self) -> String {
        read(&self.dir.join("err"))
    }

    /// What it wrote to standard output so far.
    pub fn stdout(&self) -> String {
        read(&self.dir.join("out"))
    }

    /// Sends it a signal.
    pub fn signal(&self, sig: i32) {
        // SAFETY: kill(2) on our own child, which was not reaped yet; no memory is involved.
        unsafe { libc::kill(self.child.id() as libc::pid_t, sig) };
    }

    /// Its exit status, if it has ended.
    pub fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Waits for its end.
    pub fn wait(&mut self, ms: u64) -> Option<ExitStatus> {
        let mut status = None;
        until(ms, || {
            status = self.exited();
            status.is_some()
        });
        status
    }

    /// Resident memory (KiB).
    pub fn rss_kib(&self) -> u64 {
        self.status_kib("VmRSS:")
    }

    /// Resident memory that is not part of a file (KiB).
    pub fn rss_anon_kib(&self) -> u64 {
        self.status_kib("RssAnon:")
    }

    fn status_kib(&self, field: &str) -> u64 {
        let s = read(Path::new(&format!("/proc/{}/status", self.pid())));
        let line = s.lines().find(|l| l.starts_with(field)).expect(field);
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Open descriptors.
    pub fn fds(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.pid())).unwrap().count()
    }

    /// CPU time used so far (ms).
    pub fn cpu_ms(&self) -> u64 {
        let s = read(Path::new(&format!("/proc/{}/stat", self.pid())));
        let rest = s.rsplit(')').next().unwrap();
        let f: Vec<u64> = rest.split_whitespace().skip(11).take(2).map(|x| x.parse().unwrap()).collect();
        (f[0] + f[1]) * 10
    }
}

fn read(p: &Path) -> String {
    let mut s = Vec::new();
    if let Ok(mut f) = std::fs::File::open(p) {
        let _ = f.read_to_end(&mut s);
    }
    String::from_utf8_lossy(&s).into_owned()
}

impl Drop for Hawser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- stderr of the balancer ---\n{}", self.stderr());
        }
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// The binary under test: `built`, unless `HAWSER_TEST_BINARY` names another one (the reference, say, to see
/// whether a test asks for what it should).
pub fn binary(built: &'static str) -> &'static str {
    static OTHER: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    OTHER
        .get_or_init(|| std::env::var_os("HAWSER_TEST_BINARY")?.into_string().ok())
        .as_deref()
        .unwrap_or(built)
}
