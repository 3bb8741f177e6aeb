//! Counters and rates on atomics.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Attempts at a consistent view of a rate that others are changing.
const TRIES: u32 = 8;

/// Adds to a counter of 32 bits, which wraps; returns the new value.
pub(crate) fn add32(cell: &AtomicU64, n: u32) -> u32 {
    low(cell.fetch_add(n.into(), Relaxed)).wrapping_add(n)
}

/// Takes one from a counter of 32 bits, not below zero.
pub(crate) fn take32(cell: &AtomicU64) {
    let less = |v: u64| low(v).checked_sub(1).map(u64::from);
    let _ = cell.fetch_update(Relaxed, Relaxed, less);
}

/// Events in a period (manual 11.1, the types that end with `_rate`): how many came in the period under way, and how
/// many in the one before, of which the sliding window still covers a part.
///
/// Both words hold the start of the period under way (ms, upper half), by which readers notice a change of period
/// that is only half done.
pub(crate) struct Rate<'a> {
    /// Lower half: events of this period.
    pub(crate) current: &'a AtomicU64,
    /// Lower half: events of the period before.
    pub(crate) previous: &'a AtomicU64,
    /// Its length (ms).
    pub(crate) period: u32,
}

impl Rate<'_> {
    /// Counts `n` events; returns the number of this period.
    pub(crate) fn add(&self, now: u32, n: u32) -> u32 {
        let period = self.period.max(1);
        let mut seen = self.current.load(Relaxed);
        loop {
            let (start, events) = halves(seen);
            // An unused rate starts its first period with its first event.
            if seen != 0 && now.wrapping_sub(start) < period {
                let new = join(start, events.wrapping_add(n));
                match self.current.compare_exchange_weak(seen, new, Relaxed, Relaxed) {
                    Ok(_) => return low(new),
                    Err(other) => seen = other,
                }
                continue;
            }
            let next = start.wrapping_add(period);
            let follows = seen != 0 && now.wrapping_sub(next) < period;
            let (start, past) = if follows { (next, events) } else { (now, 0) };
            let start = start.max(1);
            match self.current.compare_exchange_weak(seen, join(start, n), Relaxed, Relaxed) {
                Ok(_) => {
                    self.previous.store(join(start, past), Relaxed);
                    return n;
                }
                Err(other) => seen = other,
            }
        }
    }

    /// Events in a period that ends now.
    pub(crate) fn read(&self, now: u32) -> u32 {
        let period = u64::from(self.period.max(1));
        let (start, mut events, mut past) = self.look();
        let elapsed = u64::from(now.wrapping_sub(start));
        let mut remaining = period.saturating_sub(elapsed);
        if elapsed > period {
            past = if elapsed <= 2 * period { events } else { 0 };
            events = 0;
            remaining = (2 * period).saturating_sub(elapsed);
        }
        // A single event must not come and go while the next one is waited for.
        if events == 0 && past <= 1 {
            return past;
        }
        low(u64::from(past) * remaining / period).saturating_add(events)
    }

    /// Sets it: the reported rate stays for a period, then fades.
    pub(crate) fn set(&self, now: u32, value: u32) {
        let start = now.max(1);
        self.previous.store(join(start, 0), Relaxed);
        self.current.store(join(start, value), Relaxed);
    }

    /// The start of the period under way, its events, and those of the period before.
    fn look(&self) -> (u32, u32, u32) {
        let mut tries = 0;
        loop {
            let (start, events) = halves(self.current.load(Relaxed));
            let (of, past) = halves(self.previous.load(Relaxed));
            tries += 1;
            if of == start || tries == TRIES {
                return (start, events, past);
            }
            std::hint::spin_loop();
        }
    }
}

fn join(start: u32, events: u32) -> u64 {
    u64::from(start) << 32 | u64::from(events)
}

fn halves(v: u64) -> (u32, u32) {
    (low(v >> 32), low(v))
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is what is asked for")]
pub(crate) fn low(v: u64) -> u32 {
    v as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Default)]
    struct Cells(AtomicU64, AtomicU64);

    impl Cells {
        fn rate(&self, period: u32) -> Rate<'_> {
            Rate { current: &self.0, previous: &self.1, period }
        }
    }

    #[test]
    fn rates_slide_over_their_period() {
        let c = Cells::default();
        let r = c.rate(10_000);
        assert_eq!(r.read(0), 0);
        assert_eq!((r.add(500, 10), r.read(500), r.read(10_499)), (10, 10, 10));
        // The period is over: its events leave the window one by one.
        assert_eq!((r.read(10_500), r.read(15_500), r.read(19_500), r.read(20_501)), (10, 5, 1, 0));
        assert_eq!((r.add(15_500, 4), r.read(15_500)), (4, 9));
        // Two periods of silence: the next event starts anew.
        assert_eq!((r.add(90_000, 1), r.read(90_000)), (1, 1));
    }

    #[test]
    fn a_single_event_does_not_fade_before_its_time() {
        let c = Cells::default();
        let r = c.rate(1000);
        r.add(1, 1);
        assert_eq!([r.read(1001), r.read(1500), r.read(2001), r.read(2002)], [1, 1, 1, 0]);
    }

    #[test]
    fn set_rates_stay_for_a_period() {
        let c = Cells::default();
        let r = c.rate(1000);
        r.add(10, 77);
        r.set(500, 8);
        assert_eq!([r.read(500), r.read(1499), r.read(2000)], [8, 8, 4]);
    }

    #[test]
    fn time_may_wrap() {
        let c = Cells::default();
        let r = c.rate(1000);
        r.add(u32::MAX - 100, 6);
        assert_eq!([r.read(u32::MAX), r.read(500), r.read(1399)], [6, 6, 3]);
    }

    #[test]
    fn counters_do_not_go_below_zero() {
        let cell = AtomicU64::new(0);
        take32(&cell);
        assert_eq!((add32(&cell, 2), add32(&cell, u32::MAX)), (2, 1));
        take32(&cell);
        take32(&cell);
        assert_eq!(low(cell.load(Relaxed)), 0);
    }

    proptest! {
        #[test]
        fn a_rate_never_exceeds_what_was_counted(steps in prop::collection::vec((0u32..3000, 0u32..50), 1..60)) {
            let c = Cells::default();
            let r = c.rate(1000);
            let (mut now, mut sum) = (5, 0);
            for (pause, n) in steps {
                now += pause;
                r.add(now, n);
                sum += n;
                prop_assert!(r.read(now) <= sum);
                prop_assert!(r.read(now) >= n.min(1));
            }
        }
    }
}
