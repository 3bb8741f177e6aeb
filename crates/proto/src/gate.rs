//! Limits on what may exist at once, shared by threads; who does not get in waits without spinning.

use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::task::{Context, Waker};

/// A counter with a limit.
///
/// One waiter is woken per place that becomes free. A waiter that was woken and does not use its place (there
/// was no connection for it) leaves again, which wakes the next: no place is lost and nothing spins.
#[derive(Debug)]
pub struct Gate {
    limit: AtomicU32,
    inside: AtomicU32,
    peak: AtomicU32,
    total: AtomicU64,
    reached: AtomicU64,
    waiting: AtomicU32,
    waiters: Mutex<VecDeque<Waker>>,
}

impl Gate {
    /// A gate for `limit` at once, 0 for no limit.
    pub const fn new(limit: u32) -> Self {
        Self {
            limit: AtomicU32::new(limit),
            inside: AtomicU32::new(0),
            peak: AtomicU32::new(0),
            total: AtomicU64::new(0),
            reached: AtomicU64::new(0),
            waiting: AtomicU32::new(0),
            waiters: Mutex::new(VecDeque::new()),
        }
    }

    /// The limit, 0 for none.
    pub fn limit(&self) -> u32 {
        self.limit.load(Ordering::Relaxed)
    }

    /// Changes the limit; a higher one lets waiters in.
    pub fn set_limit(&self, limit: u32) {
        self.limit.store(limit, Ordering::SeqCst);
        self.wake_all();
    }

    /// How many are inside.
    pub fn inside(&self) -> u32 {
        self.inside.load(Ordering::Relaxed)
    }

    /// The most that were ever inside.
    pub fn peak(&self) -> u32 {
        self.peak.load(Ordering::Relaxed)
    }

    /// How many have been confirmed inside since the start ([`Gate::confirm`]).
    pub fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    /// How many times somebody found it full.
    pub fn reached(&self) -> u64 {
        self.reached.load(Ordering::Relaxed)
    }

    /// Forgets the maximum (`clear counters`).
    pub fn clear_peak(&self) {
        self.peak.store(self.inside(), Ordering::Relaxed);
    }

    /// Forgets how many there have been (`clear counters all`).
    pub fn clear_total(&self) {
        self.total.store(0, Ordering::Relaxed);
    }

    /// Takes a place if there is one.
    pub fn try_enter(&self) -> bool {
        let limit = self.limit.load(Ordering::SeqCst);
        let enter = |n| (limit == 0 || n < limit).then_some(n + 1);
        self.inside.fetch_update(Ordering::SeqCst, Ordering::SeqCst, enter).is_ok()
    }

    /// Takes a place, beyond the limit if need be (connections that no limit concerns).
    pub fn enter(&self) {
        self.inside.fetch_add(1, Ordering::SeqCst);
    }

    /// Takes a place, or arranges for the task to be woken when one is free.
    pub fn enter_or_wait(&self, cx: &Context<'_>) -> bool {
        if self.try_enter() {
            return true;
        }
        self.reached.fetch_add(1, Ordering::Relaxed);
        let mut waiters = self.waiters.lock();
        if !waiters.iter().any(|w| w.will_wake(cx.waker())) {
            waiters.push_back(cx.waker().clone());
            self.waiting.store(u32::try_from(waiters.len()).unwrap_or(u32::MAX), Ordering::SeqCst);
        }
        drop(waiters);
        // A place may have become free before the waiter was visible. If it was, the waiter that stays in the
        // queue costs a wake-up for nothing.
        self.try_enter()
    }

    /// Counts a place that was taken for good.
    pub fn confirm(&self) {
        self.total.fetch_add(1, Ordering::Relaxed);
        self.peak.fetch_max(self.inside(), Ordering::Relaxed);
    }

    /// Gives a place back.
    pub fn leave(&self) {
        self.inside.fetch_sub(1, Ordering::SeqCst);
        if self.waiting.load(Ordering::SeqCst) > 0 {
            self.wake(1);
        }
    }

    /// Wakes all waiters: after a change of the limit, or when a waiter ends for good and may take a wake-up
    /// with it.
    pub fn wake_all(&self) {
        self.wake(usize::MAX);
    }

    fn wake(&self, n: usize) {
        let mut waiters = self.waiters.lock();
        let n = n.min(waiters.len());
        let woken: Vec<Waker> = waiters.drain(..n).collect();
        self.waiting.store(u32::try_from(waiters.len()).unwrap_or(u32::MAX), Ordering::SeqCst);
        drop(waiters);
        woken.into_iter().for_each(Waker::wake);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;

    struct Count(AtomicUsize);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn never_lets_more_in_than_allowed() {
        let gate = Gate::new(3);
        let most = AtomicU32::new(0);
        std::thread::scope(|s| {
            for _ in 0..4 {
                s.spawn(|| {
                    for _ in 0..10_000 {
                        if gate.try_enter() {
                            most.fetch_max(gate.inside(), Ordering::SeqCst);
                            gate.leave();
                        }
                    }
                });
            }
        });
        assert!(most.load(Ordering::SeqCst) <= 3);
        assert_eq!(gate.inside(), 0);
    }

    #[test]
    fn wakes_one_waiter_for_each_place() {
        let gate = Gate::new(1);
        let (a, b) = (Arc::new(Count(AtomicUsize::new(0))), Arc::new(Count(AtomicUsize::new(0))));
        let (wa, wb) = (Waker::from(a.clone()), Waker::from(b.clone()));
        assert!(gate.try_enter());
        assert!(!gate.enter_or_wait(&Context::from_waker(&wa)));
        assert!(!gate.enter_or_wait(&Context::from_waker(&wa)), "waiting twice is waiting once");
        assert!(!gate.enter_or_wait(&Context::from_waker(&wb)));
        gate.leave();
        assert_eq!((a.0.load(Ordering::SeqCst), b.0.load(Ordering::SeqCst)), (1, 0));
        // The first has nothing to do with its place: the second gets it.
        assert!(gate.try_enter());
        gate.leave();
        assert_eq!((a.0.load(Ordering::SeqCst), b.0.load(Ordering::SeqCst)), (1, 1));
        assert_eq!(gate.reached(), 3);
    }

    #[test]
    fn a_raised_limit_lets_waiters_in() {
        let gate = Gate::new(1);
        let a = Arc::new(Count(AtomicUsize::new(0)));
        gate.enter();
        assert!(!gate.enter_or_wait(&Context::from_waker(&Waker::from(a.clone()))));
        gate.set_limit(0);
        assert_eq!(a.0.load(Ordering::SeqCst), 1);
        assert!(gate.try_enter());
    }
}
