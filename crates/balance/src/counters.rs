//! Counters of backends and servers for the statistics (manual 9.1 of the management guide).

use crate::time::Ms;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

/// A cumulative counter; the comment is the column of `show stat`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Stat {
    /// `stot`.
    Sessions,
    /// `lbtot`: times the server was chosen by load balancing.
    LbTot,
    /// `bin`.
    BytesIn,
    /// `bout`.
    BytesOut,
    /// `dreq`.
    DeniedReq,
    /// `dresp`.
    DeniedResp,
    /// `econ`.
    FailedConns,
    /// `eresp`.
    FailedResp,
    /// `wretr`.
    Retries,
    /// `wredis`.
    Redispatches,
    /// `wrew`.
    FailedRewrites,
    /// `eint`.
    InternalErrors,
    /// `cli_abrt`.
    CliAborts,
    /// `srv_abrt`.
    SrvAborts,
    /// `connect`.
    Connects,
    /// `reuse`.
    Reuses,
    /// `req_tot`.
    Requests,
    /// `hrsp_1xx`.
    Hrsp1xx,
    /// `hrsp_2xx`.
    Hrsp2xx,
    /// `hrsp_3xx`.
    Hrsp3xx,
    /// `hrsp_4xx`.
    Hrsp4xx,
    /// `hrsp_5xx`.
    Hrsp5xx,
    /// `hrsp_other`.
    HrspOther,
}

impl Stat {
    const COUNT: usize = Self::HrspOther as usize + 1;

    /// The response class counter of a status.
    pub fn of_status(status: u16) -> Self {
        match status / 100 {
            1 => Self::Hrsp1xx,
            2 => Self::Hrsp2xx,
            3 => Self::Hrsp3xx,
            4 => Self::Hrsp4xx,
            5 => Self::Hrsp5xx,
            _ => Self::HrspOther,
        }
    }
}

/// A timer with a sliding average over the last 1024 requests and a maximum.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Timer {
    /// `qtime`, `qtime_max`.
    Queue,
    /// `ctime`, `ctime_max`.
    Connect,
    /// `rtime`, `rtime_max`.
    Response,
    /// `ttime`, `ttime_max`.
    Total,
}

/// Number of requests that an average remembers.
const WINDOW: u64 = 1024;

#[derive(Debug, Default)]
struct Avg {
    /// About `WINDOW` times the average, ms.
    sum: AtomicU64,
    max: AtomicU32,
}

impl Avg {
    fn add(&self, v: u32) {
        // Concurrent updates may lose one value of an average: no reason for a compare-and-swap loop.
        let sum = self.sum.load(Relaxed);
        self.sum.store(sum - sum.div_ceil(WINDOW) + u64::from(v), Relaxed);
        raise(&self.max, v);
    }
}

/// One thread's counters, alone on its cache lines.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Shard {
    stats: [AtomicU64; Stat::COUNT],
    timers: [Avg; 4],
    timed: AtomicU64,
    last: AtomicU64,
}

/// Counters that several threads write; readers add the parts up.
#[derive(Debug)]
pub struct Counters {
    shards: Box<[Shard]>,
    /// Each thread has a part for itself.
    own: bool,
}

impl Counters {
    /// Counters for threads with numbers below `threads`, each of which writes to a part of its own: no other thread
    /// may count under its number.
    pub fn new(threads: usize) -> Self {
        Self { shards: (0..threads.max(1)).map(|_| Shard::default()).collect(), own: true }
    }

    /// Counters of which all threads share one part: correct for any of them, and slower.
    pub fn common() -> Self {
        Self { own: false, ..Self::new(1) }
    }

    fn shard(&self, thread: usize) -> &Shard {
        // `new` makes at least one.
        &self.shards[thread % self.shards.len()]
    }

    /// Adds to a counter.
    pub fn add(&self, thread: usize, stat: Stat, n: u64) {
        add_to(&self.shard(thread).stats[stat as usize], n, self.own);
    }

    /// Adds one to a counter.
    pub fn inc(&self, thread: usize, stat: Stat) {
        self.add(thread, stat, 1);
    }

    /// Counts a session and remembers when (`stot`, `lastsess`).
    pub fn session(&self, thread: usize, now: Ms) {
        self.inc(thread, Stat::Sessions);
        self.shard(thread).last.store(now, Relaxed);
    }

    /// Records the timers of a finished request, ms: queue, connect, response, total.
    pub fn timers(&self, thread: usize, queue: u32, connect: u32, response: u32, total: u32) {
        let s = self.shard(thread);
        add_to(&s.timed, 1, self.own);
        for (avg, v) in s.timers.iter().zip([queue, connect, response, total]) {
            avg.add(v);
        }
    }

    /// The value of a counter.
    pub fn get(&self, stat: Stat) -> u64 {
        self.shards.iter().map(|s| s.stats[stat as usize].load(Relaxed)).sum()
    }

    /// When the last session was assigned; `None` if there was none.
    pub fn last_session(&self) -> Option<Ms> {
        self.shards.iter().map(|s| s.last.load(Relaxed)).max().filter(|t| *t != 0)
    }

    /// The average of a timer over about the last 1024 requests, ms.
    pub fn average(&self, timer: Timer) -> u32 {
        // Each part has its own window; parts that saw more requests weigh more.
        let (mut sum, mut n) = (0u128, 0u128);
        for s in &self.shards {
            let timed = u128::from(s.timed.load(Relaxed));
            sum += u128::from(s.timers[timer as usize].sum.load(Relaxed).div_ceil(WINDOW)) * timed;
            n += timed;
        }
        sum.checked_div(n).map_or(0, |avg| u32::try_from(avg).unwrap_or(u32::MAX))
    }

    /// The largest value of a timer, ms.
    pub fn maximum(&self, timer: Timer) -> u32 {
        self.shards.iter().map(|s| s.timers[timer as usize].max.load(Relaxed)).max().unwrap_or(0)
    }

    /// Forgets the maxima, or everything (`clear counters`, `clear counters all`).
    pub fn clear(&self, all: bool) {
        for s in &self.shards {
            s.timers.iter().for_each(|t| t.max.store(0, Relaxed));
            if all {
                s.stats.iter().for_each(|n| n.store(0, Relaxed));
                s.timers.iter().for_each(|t| t.sum.store(0, Relaxed));
                s.timed.store(0, Relaxed);
            }
        }
    }
}

/// Adds to a counter. Where the calling thread is the only one to write to it, that takes no more than a load and a
/// store.
pub(crate) fn add_to(counter: &AtomicU64, n: u64, own: bool) {
    if own {
        counter.store(counter.load(Relaxed).wrapping_add(n), Relaxed);
    } else {
        counter.fetch_add(n, Relaxed);
    }
}

/// Raises a maximum; a plain load when there is nothing to raise.
pub(crate) fn raise(max: &AtomicU32, v: u32) {
    if v > max.load(Relaxed) {
        max.fetch_max(v, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up() {
        for c in [Counters::new(2), Counters::common()] {
            for thread in 0..5 {
                c.inc(thread % 2, Stat::Connects);
            }
            c.add(1, Stat::BytesIn, 1000);
            assert_eq!((c.get(Stat::Connects), c.get(Stat::BytesIn), c.get(Stat::BytesOut)), (5, 1000, 0));
            assert_eq!(c.last_session(), None);
            c.session(0, 77);
            c.session(1, 55);
            assert_eq!(c.get(Stat::Sessions), 2);
            assert!(c.last_session().is_some());
        }
    }

    #[test]
    fn threads_count_side_by_side() {
        const EACH: u64 = 20_000;
        for c in [Counters::new(4), Counters::common()] {
            std::thread::scope(|s| {
                for thread in 0..4 {
                    let c = &c;
                    s.spawn(move || (0..EACH).for_each(|_| c.inc(thread, Stat::Requests)));
                }
            });
            assert_eq!(c.get(Stat::Requests), 4 * EACH);
        }
    }

    #[test]
    fn statuses_have_classes() {
        let cases = [
            (100, Stat::Hrsp1xx),
            (204, Stat::Hrsp2xx),
            (302, Stat::Hrsp3xx),
            (404, Stat::Hrsp4xx),
            (599, Stat::Hrsp5xx),
        ];
        for (status, want) in cases {
            assert_eq!(Stat::of_status(status), want);
        }
        assert_eq!(Stat::of_status(600), Stat::HrspOther);
    }

    #[test]
    fn averages_slide() {
        let c = Counters::new(1);
        for _ in 0..20_000 {
            c.timers(0, 0, 10, 20, 500);
        }
        assert_eq!((c.average(Timer::Queue), c.average(Timer::Connect)), (0, 10));
        assert_eq!((c.average(Timer::Response), c.average(Timer::Total)), (20, 500));
        c.timers(0, 7, 0, 0, 0);
        assert_eq!((c.maximum(Timer::Queue), c.maximum(Timer::Total)), (7, 500));
        // A window later, most of the old value is gone.
        for _ in 0..1024 {
            c.timers(0, 0, 0, 0, 0);
        }
        assert!(c.average(Timer::Total) < 200, "{}", c.average(Timer::Total));
    }
}
