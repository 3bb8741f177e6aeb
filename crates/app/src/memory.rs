//! `-m`: connections are what memory is spent on, so the limit is kept by not accepting more of them.

use crate::alloc;
use hawser_proto::ProcessInfo;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::Duration;

/// Between two looks at the memory in use.
const PERIOD: Duration = Duration::from_millis(50);
/// Share of the limit (percent) at which no more connections are accepted.
const HIGH: u64 = 85;
/// Share of the limit (percent) at which they are again.
const LOW: u64 = 75;

/// Keeps the process within its memory limit.
pub(crate) struct Brake {
    /// `/proc/self/statm`, opened while it is reachable.
    statm: File,
    limit: u64,
    page: u64,
    process: Arc<ProcessInfo>,
    /// The limit of connections to go back to, while braking.
    saved: Option<u32>,
}

impl Brake {
    /// For a limit in bytes; `None` when there is none.
    ///
    /// # Errors
    /// The system does not tell how much memory is in use.
    pub(crate) fn new(limit: u64, process: &Arc<ProcessInfo>) -> std::io::Result<Option<Self>> {
        if limit == 0 {
            return Ok(None);
        }
        let statm = File::open("/proc/self/statm")?;
        let page = rustix::param::page_size() as u64;
        Ok(Some(Self { statm, limit, page, process: Arc::clone(process), saved: None }))
    }

    /// Watches for as long as the process lives.
    pub(crate) async fn run(mut self) {
        alloc::reserve();
        loop {
            tokio::time::sleep(PERIOD).await;
            let short = alloc::exhausted();
            match self.used() {
                Some(used) => self.decide(used, short),
                None => self.decide(0, short),
            }
        }
    }

    fn decide(&mut self, used: u64, short: bool) {
        match self.saved {
            None if short || used > self.limit / 100 * HIGH => {
                self.saved = Some(self.process.conns.limit());
                self.process.conns.set_limit(self.process.conns.inside().max(1));
            }
            Some(saved) if !short && used < self.limit / 100 * LOW && alloc::reserve() => {
                self.saved = None;
                self.process.conns.set_limit(saved);
            }
            _ => {}
        }
    }

    /// Bytes that count towards the limit: private writable memory.
    fn used(&self) -> Option<u64> {
        let mut buf = [0_u8; 128];
        let n = self.statm.read_at(&mut buf, 0).ok()?;
        data_pages(&buf[..n]).map(|pages| pages * self.page)
    }
}

/// The sixth field of `statm`.
fn data_pages(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.split_ascii_whitespace().nth(5)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brakes_and_lets_go() {
        let process = Arc::new(ProcessInfo::new(100));
        let mut brake = Brake::new(1000, &process).unwrap().unwrap();
        process.conns.enter();
        process.conns.enter();
        for (used, short, limit) in [
            (800, false, 100),
            (860, false, 2),
            (800, false, 2),
            (740, true, 2),
            (740, false, 100),
            (0, true, 2),
        ] {
            brake.decide(used, short);
            assert_eq!(process.conns.limit(), limit, "{used}");
        }
        assert!(Brake::new(0, &process).unwrap().is_none());
    }

    #[test]
    fn reads_the_memory_in_use() {
        assert_eq!(data_pages(b"1 2 3 4 5 6 7\n"), Some(6));
        assert_eq!(data_pages(b""), None);
        let brake = Brake::new(1, &Arc::new(ProcessInfo::new(0))).unwrap().unwrap();
        assert!(brake.used().unwrap() > 4096);
    }
}
