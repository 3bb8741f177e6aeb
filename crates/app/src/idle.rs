//! `Idle_pct`: how much of the worker threads' time nothing was to be done.

use hawser_proto::clock;
use parking_lot::Mutex;
use rustix::time::{ClockId, clock_gettime};
use std::time::{Duration, Instant};

/// Shorter spans say little.
const SPAN: Duration = Duration::from_secs(1);

/// Measures from one look to the next: there is nothing to pay in between.
#[derive(Debug)]
pub(crate) struct Idle {
    threads: u32,
    last: Mutex<Look>,
}

#[derive(Debug)]
struct Look {
    at: Instant,
    cpu: Duration,
    percent: u32,
}

impl Idle {
    /// Starts to measure.
    pub(crate) fn new(threads: u32) -> Self {
        Self { threads, last: Mutex::new(Look { at: clock::now(), cpu: cpu(), percent: 100 }) }
    }

    /// The share of the time since the last look that lies a second back or more.
    pub(crate) fn percent(&self) -> u32 {
        let (now, cpu) = (clock::now(), cpu());
        let mut last = self.last.lock();
        let span = now.saturating_duration_since(last.at);
        if span >= SPAN {
            let percent = share(cpu.saturating_sub(last.cpu), span, self.threads);
            *last = Look { at: now, cpu, percent };
        }
        last.percent
    }
}

/// What the process has used of the processors so far.
fn cpu() -> Duration {
    clock_gettime(ClockId::ProcessCPUTime).try_into().unwrap_or_default()
}

fn share(used: Duration, span: Duration, threads: u32) -> u32 {
    let all = (span.as_micros() * u128::from(threads)).max(1);
    let busy = (used.as_micros() * 100).div_ceil(all).min(100);
    100 - u32::try_from(busy).unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_all_threads() {
        let ms = Duration::from_millis;
        assert_eq!(share(ms(0), ms(1000), 4), 100);
        assert_eq!(share(ms(1000), ms(1000), 4), 75);
        assert_eq!(share(ms(1), ms(1000), 1), 99);
        assert_eq!(share(ms(5000), ms(1000), 4), 0);
        assert_eq!(share(ms(1), ms(0), 0), 0);
        assert_eq!(Idle::new(2).percent(), 100);
    }
}
