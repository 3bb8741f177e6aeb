//! Event rates over the last second (manual 9.3 `rate`, `be_sess_rate`; `show stat` `rate`, `rate_max`).

use crate::time::Ms;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

/// Length of the measuring period, ms.
const PERIOD: u64 = 1000;

/// Counts events per second. The rate slides: the previous second is weighted by the part of it that still
/// lies within the last 1000 ms. Threads that rotate at the same moment may misplace a few events by one
/// second; a rate is not worth a lock.
#[derive(Debug, Default)]
pub struct FreqCtr {
    period: AtomicU64,
    current: AtomicU32,
    previous: AtomicU32,
}

impl FreqCtr {
    /// Counts one event and returns the events of the current second.
    pub fn tick(&self, now: Ms) -> u32 {
        self.rotate(now);
        self.current.fetch_add(1, Relaxed) + 1
    }

    /// Events over the last second.
    pub fn rate(&self, now: Ms) -> u32 {
        self.rotate(now);
        let remaining = PERIOD - now % PERIOD;
        let previous = u64::from(self.previous.load(Relaxed));
        let slid = u32::try_from(previous * remaining / PERIOD).unwrap_or(u32::MAX);
        self.current.load(Relaxed).saturating_add(slid)
    }

    fn rotate(&self, now: Ms) {
        let period = now / PERIOD;
        let seen = self.period.load(Relaxed);
        // A thread whose clock reading is older than the last rotation just adds to the current second.
        if seen < period && self.period.compare_exchange(seen, period, Relaxed, Relaxed).is_ok() {
            let ended = self.current.swap(0, Relaxed);
            self.previous.store(if seen + 1 == period { ended } else { 0 }, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates() {
        // (moments of events, moment of reading, rate)
        let cases: &[(&[Ms], Ms, u32)] = &[
            (&[], 5000, 0),
            (&[5000, 5100, 5900], 5999, 3),
            (&[5000, 5100, 5900, 5901], 6500, 2),
            (&[5000, 5100, 5900, 5901], 6999, 0),
            (&[5000, 5100, 6100], 6500, 2),
            (&[5000, 5100], 8000, 0),
            (&[6000, 5999, 6001], 6002, 3),
        ];
        for (events, at, want) in cases {
            let f = FreqCtr::default();
            for e in *events {
                f.tick(*e);
            }
            assert_eq!(f.rate(*at), *want, "{events:?} at {at}");
        }
    }
}
