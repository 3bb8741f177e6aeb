//! The memory budget of the process (`-m`): what needs memory for a client asks here before it allocates.
//!
//! An allocation that fails ends a Rust program, so nothing may come near the limit. The program's allocator
//! counts what it hands out ([`note`]), the control thread adds what the system says beyond that
//! ([`measured`]), and connections and buffers are refused while there is still room for everything that
//! cannot be refused.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

/// Share of the free memory (percent) from which on no connection is accepted.
const CONNECTIONS: i64 = 60;
/// Share of the free memory (percent) from which on no buffer is handed out.
const BUFFERS: i64 = 80;
/// What a thread counts for itself before it tells the others (bytes).
const BATCH: i64 = 64 * 1024;

/// What memory is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Need {
    /// A client's connection.
    Connection,
    /// A buffer for bytes from a peer.
    Buffer,
}

static LIMITED: AtomicBool = AtomicBool::new(false);
static BUDGET: Budget = Budget::new();

thread_local! {
    /// Counted on this thread and not in the budget yet.
    static PENDING: Cell<i64> = const { Cell::new(0) };
}

/// Whether there is a limit.
pub fn is_limited() -> bool {
    LIMITED.load(Ordering::Relaxed)
}

/// Sets the limit; `used` is what the process uses now (both in bytes).
pub fn set_limit(limit: u64, used: u64) {
    BUDGET.start(signed(limit), signed(used));
    LIMITED.store(true, Ordering::Release);
}

/// Whether there is room for one more.
pub fn allows(need: Need) -> bool {
    !is_limited() || BUDGET.allows(need)
}

/// Counts an allocation (positive) or the end of one (negative), in bytes. Never allocates.
#[inline]
pub fn note(bytes: i64) {
    if is_limited() {
        count(bytes);
    }
}

fn count(bytes: i64) {
    // A thread that ends may lose a batch; the next measurement finds it.
    let _ = PENDING.try_with(|p| {
        let n = p.get() + bytes;
        if n.abs() < BATCH {
            p.set(n);
        } else {
            p.set(0);
            BUDGET.counted.fetch_add(n, Ordering::Relaxed);
        }
    });
}

/// What the system says: private memory in use (bytes), and whether an allocation has failed. Returns whether
/// connections are refused from now on.
pub fn measured(used: u64, failed: bool) -> bool {
    BUDGET.measured(signed(used), failed);
    !BUDGET.allows(Need::Connection)
}

fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// All in bytes.
struct Budget {
    /// Live allocations.
    counted: AtomicI64,
    /// What the process uses beyond that: stacks, unused parts of pages.
    beyond: AtomicI64,
    /// No connections above.
    connections: AtomicI64,
    /// No buffers above.
    buffers: AtomicI64,
    failed: AtomicBool,
}

impl Budget {
    const fn new() -> Self {
        Self {
            counted: AtomicI64::new(0),
            beyond: AtomicI64::new(0),
            connections: AtomicI64::new(i64::MAX),
            buffers: AtomicI64::new(i64::MAX),
            failed: AtomicBool::new(false),
        }
    }

    fn start(&self, limit: i64, used: i64) {
        let free = (limit - used).max(0);
        self.counted.store(used, Ordering::Relaxed);
        self.connections.store(used + free / 100 * CONNECTIONS, Ordering::Relaxed);
        self.buffers.store(used + free / 100 * BUFFERS, Ordering::Relaxed);
    }

    /// Memory that was handed out and not touched yet is counted, not seen by the system: the larger figure is
    /// the one to go by.
    fn measured(&self, used: i64, failed: bool) {
        let beyond = (used - self.counted.load(Ordering::Relaxed)).max(0);
        self.beyond.store(beyond, Ordering::Relaxed);
        self.failed.store(failed, Ordering::Relaxed);
    }

    fn allows(&self, need: Need) -> bool {
        let used = self.counted.load(Ordering::Relaxed) + self.beyond.load(Ordering::Relaxed);
        let most = match need {
            Need::Connection => &self.connections,
            Need::Buffer => &self.buffers,
        };
        used < most.load(Ordering::Relaxed) && !self.failed.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_refused_before_buffers() {
        let b = Budget::new();
        b.start(11_000, 1_000);
        let allowed = |counted: i64, seen: i64, failed: bool| {
            b.counted.store(counted, Ordering::Relaxed);
            b.measured(seen, failed);
            (b.allows(Need::Connection), b.allows(Need::Buffer))
        };
        assert_eq!(allowed(1_000, 1_000, false), (true, true));
        assert_eq!(allowed(6_999, 0, false), (true, true), "untouched memory counts as counted");
        assert_eq!(allowed(7_000, 0, false), (false, true));
        assert_eq!(allowed(1_000, 7_000, false), (false, true), "what nobody counted counts too");
        assert_eq!(allowed(9_000, 0, false), (false, false));
        assert_eq!(allowed(1_000, 1_000, true), (false, false), "an allocation failed");
        assert_eq!(allowed(1_000, 1_000, false), (true, true), "recovered");
    }

    #[test]
    fn a_limit_below_what_is_in_use_allows_nothing() {
        let b = Budget::new();
        b.start(1_000, 2_000);
        assert!(!b.allows(Need::Connection) && !b.allows(Need::Buffer));
    }

    #[test]
    fn without_a_limit_everything_is_allowed() {
        note(1 << 40);
        assert!(!is_limited() && allows(Need::Connection) && allows(Need::Buffer));
    }
}
