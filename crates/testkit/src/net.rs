//! Ports and time.

use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::time::{Duration, Instant};

/// As many neighbouring ports are claimed at once.
const BLOCK: u16 = 50;

/// Ports that are this process's alone.
struct Claim {
    next: u16,
    end: u16,
    /// Locked as long as the process lives.
    locks: Vec<File>,
}

static CLAIM: Mutex<Claim> = Mutex::new(Claim { next: 0, end: 0, locks: Vec::new() });

/// A TCP and UDP port that nobody listens on. No test gets it a second time while this process lives, whichever
/// process asks, and the kernel gives it to no connection that leaves.
pub fn free_port() -> u16 {
    let mut claim = CLAIM.lock();
    loop {
        if claim.next == claim.end {
            claim.another_block();
        }
        let port = claim.next;
        claim.next += 1;
        // No socket is bound to find out: a process that another test starts at this moment would inherit it.
        if listeners(port).is_empty() && sockets(&["udp", "udp6"], port, |_| true).is_empty() {
            return port;
        }
    }
}

impl Claim {
    /// Claims ports by a lock, which ends with the process however it ends.
    fn another_block(&mut self) {
        let dir = std::env::temp_dir().join("hawser-test-ports");
        std::fs::create_dir_all(&dir).unwrap();
        let (first, last) = below_ephemeral();
        let blocks = (last - first) / BLOCK;
        // Started at different places, so that a port that was in use a moment ago has some rest.
        let start = std::process::id().wrapping_mul(131);
        for n in 0..u32::from(blocks) {
            let block = first + (start.wrapping_add(n) % u32::from(blocks)) as u16 * BLOCK;
            let lock = File::create(dir.join(block.to_string())).unwrap();
            match lock.try_lock() {
                Ok(()) => {
                    (self.next, self.end) = (block, block + BLOCK);
                    return self.locks.push(lock);
                }
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(e)) => panic!("{}: {e}", dir.display()),
            }
        }
        panic!("every port is taken: {}", dir.display());
    }
}

/// A range of ports that the kernel does not hand out by itself, if there is one.
fn below_ephemeral() -> (u16, u16) {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let low = range.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(32_000u16);
    let last = if low < 8_000 { 32_000 } else { 32_000.min(low) };
    (2_000.max(last.saturating_sub(12_000)), last)
}

/// The kernel's numbers of the sockets that listen on a TCP port. Nobody who listens notices that somebody asks.
pub fn listeners(port: u16) -> BTreeSet<String> {
    const LISTEN: &str = "0A";
    sockets(&["tcp", "tcp6"], port, |state| state == LISTEN)
}

/// Those of the tables of `/proc/net` with that local port, and a state that is asked for.
fn sockets(tables: &[&str], port: u16, state: fn(&str) -> bool) -> BTreeSet<String> {
    let at = format!(":{port:04X}");
    let number = |line: &str| {
        let f: Vec<&str> = line.split_whitespace().collect();
        let found = f.get(1)?.ends_with(&at) && state(f.get(3)?);
        found.then(|| f.get(9).map_or_else(String::new, |n| (*n).to_owned()))
    };
    let read = |table: &&str| std::fs::read_to_string(format!("/proc/net/{table}")).unwrap_or_default();
    tables.iter().map(read).flat_map(|t| t.lines().filter_map(number).collect::<Vec<_>>()).collect()
}

/// Sleeps.
#[expect(clippy::disallowed_methods, reason = "tests run on threads of their own")]
pub fn pause(ms: u64) {
    std::thread::sleep(Duration::from_millis(ms));
}

/// The time since some start, for tests that check timeouts.
#[expect(clippy::disallowed_methods, reason = "tests measure real time")]
pub fn now() -> Instant {
    Instant::now()
}

/// Polls `cond` every 10 ms until it holds; false when `ms` have passed.
pub fn until(ms: u64, mut cond: impl FnMut() -> bool) -> bool {
    let end = now() + Duration::from_millis(ms);
    loop {
        if cond() {
            return true;
        }
        if now() > end {
            return false;
        }
        pause(10);
    }
}
