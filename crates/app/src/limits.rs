//! Threads, connections, descriptors, memory: what the process may use (management guide 5 and 6).

use hawser_cfg::model::{Config, Global};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Most worker threads.
pub const MAX_THREADS: u32 = 64;
/// Descriptors that are not for connections: logs, reactors, the reserve for accepting and refusing.
const RESERVED_FDS: u64 = 10;
/// Descriptors of one worker thread's reactor.
const FDS_PER_THREAD: u64 = 3;
/// `stats maxconn` by default.
const STATS_MAXCONN: u32 = 10;
/// Memory that a connection may need beside its two buffers (bytes), as HAProxy reckons with `-m`.
const CONN_OVERHEAD: u64 = 4680;
/// Address space of a thread's stack (bytes): the standard library's 2 MiB, and its guard.
const STACK: u64 = (2 << 20) + (64 << 10);
/// Address space that the process has beside (bytes).
const SPARE: u64 = 16 << 20;
/// `tune.bufsize` by default.
const BUFSIZE: u64 = 16384;
/// Descriptors assumed where the system sets no limit.
const UNLIMITED_FDS: u64 = 1 << 20;

/// Threads by default: one for each CPU that the process may use.
pub fn default_threads() -> u32 {
    let cpus = rustix::thread::sched_getaffinity(None).map_or(1, |set| set.count());
    cpus.clamp(1, MAX_THREADS)
}

/// What was found and decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Worker threads.
    pub threads: u32,
    /// `maxconn` of the process.
    pub maxconn: u32,
    /// It was not configured.
    pub automatic: bool,
    /// Descriptors that the configuration may need.
    pub maxsock: u64,
    /// The soft limit of descriptors to ask for.
    pub nofile: u64,
    /// `ulimit-n` was written: the limit is what it says.
    pub forced: bool,
    /// Memory limit (bytes), 0 for none.
    pub memory: u64,
    /// `strict-limits`: limits that cannot be set are fatal.
    pub strict: bool,
}

/// What [`Limits::apply`] could not do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Shortfall {
    /// The process must not start.
    Fatal(String),
    /// It may, with less than it should have.
    Warning(String),
}

/// What the command line asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Wanted {
    /// `-n`.
    pub maxconn: Option<u32>,
    /// `-m` (MB).
    pub memory_mb: Option<u64>,
}

/// The process's limits of descriptors: soft and hard.
pub fn nofile() -> (u64, u64) {
    let l = getrlimit(Resource::Nofile);
    (l.current.unwrap_or(UNLIMITED_FDS), l.maximum.unwrap_or(UNLIMITED_FDS))
}

/// Decides. `sockets` are the sockets that will be bound; `fds` is [`nofile`].
pub fn decide(cfg: &Config, wanted: Wanted, sockets: u32, fds: (u64, u64)) -> Limits {
    let g = &cfg.global;
    let most = g.thread_hard_limit.unwrap_or(MAX_THREADS).clamp(1, MAX_THREADS);
    let threads = g.nbthread.unwrap_or_else(default_threads).clamp(1, most);
    let memory = wanted.memory_mb.unwrap_or(0) << 20;
    let fixed = fixed_fds(cfg, threads, sockets);
    let written = wanted.maxconn.or(g.maxconn).filter(|n| *n > 0);
    let maxconn = written.unwrap_or_else(|| automatic(g, memory, fixed, fds));
    let maxsock = fixed + 2 * u64::from(maxconn);
    let forced = g.ulimit_n.map(u64::from);
    Limits {
        threads,
        maxconn,
        automatic: written.is_none(),
        maxsock,
        nofile: forced.unwrap_or(maxsock),
        forced: forced.is_some(),
        memory,
        strict: g.strict_limits != Some(false),
    }
}

fn fixed_fds(cfg: &Config, threads: u32, sockets: u32) -> u64 {
    let checks = cfg.proxies.iter().flat_map(|p| &p.servers).filter(|s| s.opts.check).count() as u64;
    let stats = cfg.global.stats_maxconn.unwrap_or(STATS_MAXCONN);
    let per_thread = FDS_PER_THREAD * u64::from(threads);
    RESERVED_FDS + u64::from(stats) + u64::from(sockets) + per_thread + checks
}

/// A connection takes two descriptors, and with `-m` two buffers and a bit.
fn automatic(g: &Global, memory: u64, fixed: u64, (soft, hard): (u64, u64)) -> u32 {
    let fds = g.fd_hard_limit.map_or(soft.max(hard), |l| soft.max(hard).min(u64::from(l)));
    let mut n = fds.saturating_sub(fixed) / 2;
    if memory > 0 {
        let bufsize = g.bufsize.map_or(BUFSIZE, u64::from);
        n = n.min(memory / (2 * bufsize + CONN_OVERHEAD));
    }
    u32::try_from(n.max(1)).unwrap_or(u32::MAX)
}

impl Limits {
    /// What the kernel lets the process map for the memory limit (bytes). `hawser_proto::memory` keeps the
    /// memory in use below the limit; this is the stop behind it. It leaves room for what is mapped and not in
    /// use: the threads' stacks and the allocator's free ranges.
    fn address_space(&self) -> u64 {
        self.memory + self.memory / 2 + u64::from(self.threads + 1) * STACK + SPARE
    }

    /// Applies the limits to the process.
    ///
    /// # Errors
    /// The descriptors that were asked for cannot be had, or memory cannot be limited.
    pub fn apply(&self) -> Result<(), Shortfall> {
        let verdict = |text| if self.strict { Shortfall::Fatal(text) } else { Shortfall::Warning(text) };
        if self.memory > 0 {
            let most = Some(self.address_space());
            let limit = Rlimit { current: most, maximum: most };
            setrlimit(Resource::Data, limit)
                .map_err(|e| verdict(format!("Cannot limit memory to {} bytes ({e}).", self.memory)))?;
        }
        let (soft, hard) = nofile();
        let raised = Rlimit { current: Some(self.nofile), maximum: Some(self.nofile.max(hard)) };
        let set = setrlimit(Resource::Nofile, raised);
        // More than the hard limit is for root only; enough is enough.
        if set.is_ok() || soft >= self.nofile || (self.automatic && !self.forced) {
            return Ok(());
        }
        let fixed = self.maxsock - 2 * u64::from(self.maxconn);
        Err(verdict(format!(
            "Cannot raise FD limit to {}, current limit is {soft} and hard limit is {hard}. Remove 'maxconn' and \
             'ulimit-n' from the configuration to have them adjusted, or use a 'maxconn' of at most {}.",
            self.nofile,
            hard.saturating_sub(fixed) / 2
        )))
    }
}

/// From now on no process and no thread can be made: what serves traffic has no business doing so.
pub fn forbid_processes() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    // Where the kernel refuses, the process is as safe as before.
    let _ = setrlimit(Resource::Nproc, none);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(f: impl FnOnce(&mut Global)) -> Config {
        let mut cfg = Config::default();
        cfg.global.nbthread = Some(1);
        f(&mut cfg.global);
        cfg
    }

    fn maxconn(f: impl FnOnce(&mut Global), wanted: Wanted, fds: (u64, u64)) -> (u32, u64) {
        let l = decide(&config(f), wanted, 2, fds);
        (l.maxconn, l.nofile)
    }

    /// The figures are those of HAProxy 3.4 for the same configurations.
    #[test]
    fn automatic_maxconn() {
        let none = Wanted::default();
        let m = |mb| Wanted { memory_mb: Some(mb), ..none };
        let n = |n| Wanted { maxconn: Some(n), ..none };
        assert_eq!(maxconn(|_| (), none, (20000, 20000)), (9987, 19999));
        assert_eq!(maxconn(|g| g.nbthread = Some(4), none, (20000, 20000)), (9983, 20000));
        assert_eq!(maxconn(|_| (), none, (1024, 4096)), (2035, 4095));
        assert_eq!(maxconn(|g| g.fd_hard_limit = Some(3000), none, (20000, 20000)), (1487, 2999));
        assert_eq!(maxconn(|g| g.maxconn = Some(100), none, (20000, 20000)), (100, 225));
        assert_eq!(maxconn(|g| g.maxconn = Some(100), n(50), (20000, 20000)), (50, 125));
        assert_eq!(maxconn(|g| g.stats_maxconn = Some(100), none, (20000, 20000)), (9942, 19999));
        assert_eq!(maxconn(|g| g.ulimit_n = Some(3000), none, (20000, 20000)), (9987, 3000));
        assert_eq!(maxconn(|_| (), m(100), (20000, 20000)).0, 2800);
        assert_eq!(maxconn(|_| (), none, (10, 10)).0, 1);
    }

    #[test]
    fn thread_hard_limit_wins() {
        let threads = |n, limit| {
            let cfg = config(|g| (g.nbthread, g.thread_hard_limit) = (Some(n), limit));
            decide(&cfg, Wanted::default(), 1, (1000, 1000)).threads
        };
        assert_eq!((threads(4, None), threads(4, Some(2)), threads(1, Some(2))), (4, 2, 1));
    }

    #[test]
    fn threads_follow_the_cpus() {
        let l = decide(&Config::default(), Wanted::default(), 1, (1000, 1000));
        assert_eq!(l.threads, default_threads());
        assert!(
            decide(&config(|g| g.nbthread = Some(9999)), Wanted::default(), 1, (1000, 1000)).threads
                <= MAX_THREADS
        );
    }
}
