//! Frequency counters: how many events per second, over a sliding second.

use crate::clock;
use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Instant;

/// Milliseconds since the process asked for the first time; the time base of [`FreqCtr`].
pub fn now_ms() -> u64 {
    ms_at(clock::now())
}

/// The same for another moment; 0 for moments before the first question.
pub fn ms_at(at: Instant) -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    thread_local! {
        // One moment is asked for many times.
        static LAST: Cell<Option<(Instant, u64)>> = const { Cell::new(None) };
    }
    if let Some((_, ms)) = LAST.get().filter(|(last, _)| *last == at) {
        return ms;
    }
    let elapsed = at.saturating_duration_since(*START.get_or_init(clock::now));
    let ms = elapsed.as_secs().saturating_mul(1000).saturating_add(u64::from(elapsed.subsec_millis()));
    LAST.set(Some((at, ms)));
    ms
}

/// Counts events of the current and of the previous second, shared by threads without a lock. Two threads
/// that meet exactly when a second begins may lose an event; rates are estimates.
#[derive(Debug, Default)]
pub struct FreqCtr {
    /// Second (upper half) and its events (lower half).
    curr: AtomicU64,
    /// Events of the second before.
    prev: AtomicU32,
    /// Highest rate seen.
    max: AtomicU32,
}

impl FreqCtr {
    /// A counter at rest.
    pub const fn new() -> Self {
        Self { curr: AtomicU64::new(0), prev: AtomicU32::new(0), max: AtomicU32::new(0) }
    }

    /// Counts `n` events at `now` (ms) and returns the new number of events in this second.
    pub fn add(&self, now: u64, n: u32) -> u32 {
        self.rotate(now);
        let count = low(self.curr.fetch_add(u64::from(n), Ordering::Relaxed)).wrapping_add(n);
        if count > self.max.load(Ordering::Relaxed) {
            self.max.fetch_max(count, Ordering::Relaxed);
        }
        count
    }

    /// Events per second at `now` (ms): this second's, and the part of the previous second's that the sliding
    /// window still covers.
    pub fn read(&self, now: u64) -> u32 {
        self.rotate(now);
        let remaining = 1000 - now % 1000;
        let past = u64::from(self.prev.load(Ordering::Relaxed)) * remaining / 1000;
        low(self.curr.load(Ordering::Relaxed)).saturating_add(low(past))
    }

    /// Highest number of events in one second.
    pub fn max(&self) -> u32 {
        self.max.load(Ordering::Relaxed)
    }

    /// Forgets the maximum (`clear counters`).
    pub fn clear_max(&self) {
        self.max.store(0, Ordering::Relaxed);
    }

    /// How many more events fit under `limit` per second at `now` (ms).
    pub fn remaining(&self, now: u64, limit: u32) -> u32 {
        limit.saturating_sub(self.read(now))
    }

    /// Milliseconds until one more event fits under `limit` per second; 0 when it does now.
    pub fn next_event_delay(&self, now: u64, limit: u32) -> u64 {
        if limit == 0 || self.remaining(now, limit) > 0 {
            return 0;
        }
        // The past leaves the window linearly: wait for as long as the excess takes, one event at least.
        let excess = u64::from(self.read(now).saturating_sub(limit)) + 1;
        let past = u64::from(self.prev.load(Ordering::Relaxed)).max(1);
        (excess * 1000 / past).clamp(1, 1000 - now % 1000)
    }

    fn rotate(&self, now: u64) {
        let second = now / 1000;
        let mut seen = self.curr.load(Ordering::Relaxed);
        while seen >> 32 < second & 0xffff_ffff {
            let fresh = second << 32;
            match self.curr.compare_exchange_weak(seen, fresh, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => {
                    let follows = (seen >> 32) + 1 == second & 0xffff_ffff;
                    self.prev.store(if follows { low(seen) } else { 0 }, Ordering::Relaxed);
                    return;
                }
                Err(other) => seen = other,
            }
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is what is asked for")]
fn low(v: u64) -> u32 {
    v as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slides_over_a_second() {
        let f = FreqCtr::default();
        assert_eq!(f.add(5_000, 10), 10);
        assert_eq!(f.read(5_900), 10);
        // Half of the past second still counts half a second later.
        assert_eq!(f.read(6_500), 5);
        assert_eq!(f.add(6_500, 1), 1);
        assert_eq!(f.read(6_500), 6);
        assert_eq!(f.read(7_000), 1);
        assert_eq!(f.read(9_000), 0);
        assert_eq!(f.max(), 10);
    }

    #[test]
    fn delays_until_the_limit_allows_one_more() {
        let f = FreqCtr::default();
        assert_eq!(f.next_event_delay(1_000, 2), 0);
        f.add(1_000, 2);
        assert_eq!(f.remaining(1_000, 2), 0);
        let d = f.next_event_delay(1_000, 2);
        assert!((1..=1000).contains(&d), "{d}");
        f.add(1_000, 8);
        let mut now = 2_000;
        let mut steps = 0;
        while f.next_event_delay(now, 2) > 0 {
            now += f.next_event_delay(now, 2);
            steps += 1;
            assert!(steps < 20, "does not converge");
        }
        assert!((2_800..=3_000).contains(&now), "{now}");
        assert_eq!(f.next_event_delay(1_000, 0), 0, "no limit");
    }
}
