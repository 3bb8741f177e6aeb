//! Ports and time.

use std::net::{TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A TCP port below the ephemeral range that nobody listens on. Tests of one process never get it twice, and
/// processes start at different places.
pub fn free_port() -> u16 {
    let base = 20_000u32 + (std::process::id() * 131) % 12_000;
    loop {
        let n = u32::from(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = (20_000 + (base - 20_000 + n) % 12_000) as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() && UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
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
