//! Connections of many streams while they are being established: who may use one once it is there waits for it, instead
//! of dialing too.

use crate::connect::Failure;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};

/// What became of an attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// The connection is there.
    Up,
    /// There is none.
    Failed(Failure),
    /// Whoever dialed has left.
    Abandoned,
}

/// An attempt to connect.
#[derive(Default)]
pub(crate) struct Dialing {
    outcome: Cell<Option<Outcome>>,
    /// Streams that will use the connection, the dialing one included.
    expected: Cell<u32>,
    waiting: RefCell<Vec<Waker>>,
}

impl Dialing {
    /// Waits for the outcome.
    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<Outcome> {
        if let Some(o) = self.outcome.get() {
            return Poll::Ready(o);
        }
        let mut waiting = self.waiting.borrow_mut();
        if !waiting.iter().any(|w| w.will_wake(cx.waker())) {
            waiting.push(cx.waker().clone());
        }
        Poll::Pending
    }

    fn end(&self, outcome: Outcome) {
        if self.outcome.get().is_none() {
            self.outcome.set(Some(outcome));
            self.waiting.take().into_iter().for_each(Waker::wake);
        }
    }
}

/// Attempts under way that others may join, by server and hash.
#[derive(Default)]
pub(crate) struct Dials(HashMap<(u64, u64), Weak<Dialing>>);

impl Dials {
    /// An attempt that has room for one more of `max` streams.
    pub(crate) fn find(&self, server: u64, hash: u64, max: u32) -> Option<Rc<Dialing>> {
        let dialing = self.0.get(&(server, hash))?.upgrade()?;
        let pending = dialing.outcome.get().is_none() && dialing.expected.get() < max;
        pending.then(|| {
            dialing.expected.set(dialing.expected.get() + 1);
            dialing
        })
    }

    /// Begins an attempt; the latest is the one that others join.
    pub(crate) fn begin(&mut self, server: u64, hash: u64) -> Attempt {
        let dialing = Rc::<Dialing>::default();
        dialing.expected.set(1);
        // Attempts that are over leave an entry, of which there is one for each server and hash.
        if self.0.len() >= 64 {
            self.0.retain(|_, d| d.strong_count() > 0);
        }
        self.0.insert((server, hash), Rc::downgrade(&dialing));
        Attempt(dialing)
    }
}

/// Held by who dials.
pub(crate) struct Attempt(Rc<Dialing>);

impl Attempt {
    /// Tells the others.
    pub(crate) fn end(self, outcome: Outcome) {
        self.0.end(outcome);
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        self.0.end(Outcome::Abandoned);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(d: &Dialing) -> Option<Outcome> {
        match d.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(o) => Some(o),
            Poll::Pending => None,
        }
    }

    #[test]
    fn others_wait_and_learn_the_outcome() {
        for outcome in [Outcome::Up, Outcome::Failed(Failure::Refused)] {
            let mut dials = Dials::default();
            let attempt = dials.begin(1, 7);
            assert!(dials.find(1, 8, 9).is_none() && dials.find(2, 7, 9).is_none());
            let waiter = dials.find(1, 7, 9).unwrap();
            assert_eq!(look(&waiter), None);
            attempt.end(outcome);
            assert_eq!(look(&waiter), Some(outcome));
            assert!(dials.find(1, 7, 9).is_none(), "it is over");
        }
    }

    #[test]
    fn an_attempt_may_be_given_up() {
        let mut dials = Dials::default();
        let attempt = dials.begin(1, 7);
        let waiter = dials.find(1, 7, 9).unwrap();
        drop(attempt);
        assert_eq!(look(&waiter), Some(Outcome::Abandoned));
    }

    #[test]
    fn no_more_wait_than_there_will_be_room_for() {
        let mut dials = Dials::default();
        let _first = dials.begin(1, 7);
        assert!(dials.find(1, 7, 3).is_some() && dials.find(1, 7, 3).is_some());
        assert!(dials.find(1, 7, 3).is_none());
        let _second = dials.begin(1, 7);
        assert!(dials.find(1, 7, 3).is_some());
    }

    #[test]
    fn what_is_over_is_forgotten() {
        let mut dials = Dials::default();
        for hash in 0..1000 {
            drop(dials.begin(1, hash));
        }
        assert!(dials.0.len() <= 64);
    }
}
