//! How many connections the load needs, and how many descriptors the process has left.

use crate::counters::raise;
use crate::server::{Place, Server};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Connections of one thread to one server. Only that thread lets them go into use and out of it; those that are idle
/// may be taken by another.
#[derive(Debug, Default)]
pub(super) struct Usage {
    /// Written by that thread alone.
    used: AtomicU32,
    idle: AtomicU32,
    /// Most used at once since the last period ended.
    peak: AtomicU32,
    /// Estimate of how many the load needs: follows peaks up at once and down by halves.
    need: AtomicU32,
}

impl Usage {
    /// Those that are idle.
    pub(super) fn idle(&self) -> u32 {
        self.idle.load(Relaxed)
    }

    /// A connection comes to a place.
    pub(super) fn enter(&self, place: Place, server: &Server) {
        match place {
            Place::Used => self.begin(server),
            Place::Idle | Place::Safe => {
                self.idle.fetch_add(1, Relaxed);
            }
        }
    }

    /// A connection leaves a place.
    pub(super) fn leave(&self, place: Place) {
        match place {
            Place::Used => self.used.store(self.used.load(Relaxed).wrapping_sub(1), Relaxed),
            Place::Idle | Place::Safe => {
                self.idle.fetch_sub(1, Relaxed);
            }
        }
    }

    /// A connection goes into use.
    fn begin(&self, server: &Server) {
        let used = self.used.load(Relaxed).wrapping_add(1);
        self.used.store(used, Relaxed);
        raise(&self.peak, used);
        if used > self.need.load(Relaxed) {
            self.set_need(used, server);
        }
    }

    /// One connection that is in use now may become idle: the total stays within the need, give or take `low`.
    pub(super) fn needs_idle(&self, low: u32) -> bool {
        let others = self.used.load(Relaxed).saturating_sub(1);
        self.idle.load(Relaxed) + 1 + others <= self.need.load(Relaxed).max(others) + low
    }

    /// Ends a measuring period; returns how many idle connections exceed the need.
    pub(super) fn end_period(&self, server: &Server) -> u32 {
        let used = self.used.load(Relaxed);
        let need = self.need.load(Relaxed).midpoint(self.peak.load(Relaxed)).max(used);
        self.set_need(need, server);
        self.peak.store(used, Relaxed);
        self.idle.load(Relaxed).saturating_sub(need - used)
    }

    fn set_need(&self, need: u32, server: &Server) {
        let old = self.need.swap(need, Relaxed);
        // Threads add up; the gauge wraps consistently in both directions.
        server.idle.needed.fetch_add(need.wrapping_sub(old), Relaxed);
    }
}

/// Descriptors in use by the process, against which pools decide (manual 3.2 `tune.pool-low-fd-ratio`,
/// `tune.pool-high-fd-ratio`).
#[derive(Debug)]
pub struct FdPressure {
    used: &'static AtomicU32,
    low: u32,
    high: u32,
}

static NOTHING: AtomicU32 = AtomicU32::new(0);

impl FdPressure {
    /// `max` is how many the process may have; the ratios are percentages (20 and 25 by default).
    pub fn new(used: &'static AtomicU32, max: u32, low_ratio: u32, high_ratio: u32) -> Self {
        let share =
            |pct: u32| u32::try_from((u64::from(max) * u64::from(pct)).div_ceil(100)).unwrap_or(u32::MAX);
        Self { used, low: share(low_ratio), high: share(high_ratio) }
    }

    /// Never any pressure.
    pub fn none() -> Self {
        Self { used: &NOTHING, low: u32::MAX, high: u32::MAX }
    }

    /// Connections should not be kept idle, beyond one of a thread and server.
    pub(super) fn is_low(&self) -> bool {
        self.used.load(Relaxed) >= self.low
    }

    /// None should be kept, and idle connections should be closed to make room.
    pub(super) fn is_high(&self) -> bool {
        self.used.load(Relaxed) >= self.high
    }
}
