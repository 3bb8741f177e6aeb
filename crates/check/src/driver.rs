//! Runs all checks on one thread.

use crate::check::{Checks, Job};
use crate::pool::Pool;
use crate::probe::Outcome;
use crate::schedule::{Schedule, spread};
use hawser_balance::{Ms, time};
use std::future::pending;
use std::hash::{BuildHasher, RandomState};
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// Steps of a slow start, ms; shorter ones for short slow starts.
const SLOW_STEP: u64 = 1000;

/// An observer wants a check to run earlier.
pub(crate) struct Wake {
    pub(crate) check: usize,
    pub(crate) at: Ms,
}

impl Checks {
    /// Number of checks.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// No server is checked.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Runs the checks until it is dropped, over connections of `pool` where they want that. Must be called within a
    /// `LocalSet`.
    pub async fn run(mut self, pool: Rc<dyn Pool>) {
        let intervals: Vec<u32> = self.list.iter().map(Job::inter).collect();
        let mut schedule = Schedule::new(&intervals, self.max_spread, time::now());
        let (tx, mut results) = unbounded_channel();
        let slow_step = self.slow_step();
        let mut slow_due = time::now();
        let random = RandomState::new();
        let mut runs = 0u64;
        loop {
            let now = time::now();
            while let Some(i) = schedule.take(now) {
                self.start(i, &pool, &tx);
            }
            if slow_step.is_some_and(|step| now >= slow_due + step) {
                slow_due = now;
                self.slow.iter().for_each(|b| _ = b.advance_slowstart(now));
            }
            let next = schedule.next_due().into_iter().chain(slow_step.map(|step| slow_due + step)).min();
            tokio::select! {
                () = sleep_until(next) => {}
                Some((i, outcome)) = results.recv() => {
                    runs += 1;
                    self.finish(i, outcome, &mut schedule, random.hash_one(runs));
                }
                Some(w) = self.wakes.recv() => schedule.hasten(w.check, w.at),
            }
        }
    }

    fn start(&self, i: usize, pool: &Rc<dyn Pool>, results: &UnboundedSender<(usize, Option<Outcome>)>) {
        let Some(check) = self.list.get(i).cloned() else { return };
        let (results, pool) = (results.clone(), pool.clone());
        if check.is_paused() {
            // Only the time of the next look passes.
            drop(results.send((i, None)));
            return;
        }
        tokio::task::spawn_local(async move {
            let outcome = check.probe(&*pool).await;
            drop(results.send((i, outcome)));
        });
    }

    fn finish(&self, i: usize, outcome: Option<Outcome>, schedule: &mut Schedule, random: u64) {
        let Some(check) = self.list.get(i) else { return };
        let now = time::now();
        if let Some(o) = outcome {
            check.finish(&o, now);
        }
        schedule.set(i, now + Ms::from(spread(check.interval(), self.spread, random)));
    }

    fn slow_step(&self) -> Option<Ms> {
        let all = self.slow.iter().flat_map(|b| &b.servers);
        let shortest = all.filter_map(|s| s.opts.slowstart).filter(|t| *t != 0).min()?;
        Some((Ms::from(shortest) / 20).clamp(10, SLOW_STEP))
    }
}

async fn sleep_until(at: Option<Ms>) {
    match at {
        None => pending().await,
        Some(at) => tokio::time::sleep(Duration::from_millis(at.saturating_sub(time::now()))).await,
    }
}
