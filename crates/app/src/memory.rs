//! `-m`: tells `hawser_proto::memory` what the system says about the memory in use.

use crate::alloc;
use hawser_proto::memory;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::Duration;

/// Between two looks at the memory in use.
const PERIOD: Duration = Duration::from_millis(50);

/// Least memory that must be left when the process starts to serve (bytes).
const LEAST: u64 = 1 << 20;

/// Keeps the process within its memory limit.
pub(crate) struct Brake {
    /// `/proc/self/statm`, opened while it is reachable.
    statm: File,
    page: u64,
}

impl Brake {
    /// For a limit in bytes; `None` when there is none.
    ///
    /// # Errors
    /// The system does not tell how much memory is in use, or there is nothing left to serve with.
    pub(crate) fn new(limit: u64) -> std::io::Result<Option<Self>> {
        if limit == 0 {
            return Ok(None);
        }
        let statm = File::open("/proc/self/statm")?;
        let brake = Self { statm, page: rustix::param::page_size() as u64 };
        let used = brake.used().ok_or(std::io::ErrorKind::InvalidData)?;
        if used + LEAST > limit {
            return Err(std::io::ErrorKind::OutOfMemory.into());
        }
        memory::set_limit(limit, used);
        Ok(Some(brake))
    }

    /// Watches for as long as the process lives.
    pub(crate) async fn run(self) {
        alloc::reserve();
        loop {
            tokio::time::sleep(PERIOD).await;
            let failed = alloc::exhausted() || !alloc::reserve();
            if memory::measured(self.used().unwrap_or(0), failed) {
                // What was freed lately may be all that is in the way.
                alloc::purge();
            }
        }
    }

    /// Private memory in use (bytes).
    fn used(&self) -> Option<u64> {
        let mut buf = [0_u8; 128];
        let n = self.statm.read_at(&mut buf, 0).ok()?;
        private_pages(&buf[..n]).map(|pages| pages * self.page)
    }
}

/// Resident pages that are not shared with a file: the second field of `statm` less the third.
fn private_pages(text: &[u8]) -> Option<u64> {
    let mut fields = std::str::from_utf8(text).ok()?.split_ascii_whitespace().skip(1);
    let mut next = || fields.next()?.parse::<u64>().ok();
    let (resident, shared) = (next()?, next()?);
    Some(resident.saturating_sub(shared))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_memory_in_use() {
        assert_eq!(private_pages(b"90 60 20 4 5 6 7\n"), Some(40));
        assert_eq!(private_pages(b"1 2"), None);
        assert_eq!(private_pages(b""), None);
    }

    #[test]
    fn a_limit_needs_room_to_serve() {
        assert!(Brake::new(0).unwrap().is_none());
        let refused = Brake::new(1000).err().map(|e| e.kind());
        assert_eq!(refused, Some(std::io::ErrorKind::OutOfMemory));
        assert!(!memory::is_limited());
    }
}
