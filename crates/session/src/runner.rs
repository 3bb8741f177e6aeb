//! Tasks that do one job after the other: to wake a task costs a fraction of what it costs to make one, and its timer
//! knows it already.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

/// Tasks that are kept while there is nothing for them to do.
const SPARE: usize = 256;

/// The tasks of a thread that have nothing to do.
pub(crate) struct Runners<J>(RefCell<Vec<Rc<Runner<J>>>>);

impl<J> Default for Runners<J> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<J> Runners<J> {
    /// Gives a job to the task that worked last; where there is none, a task is to be made for what comes back.
    pub(crate) fn give(&self, job: J) -> Option<Rc<Runner<J>>> {
        let Some(runner) = self.0.borrow_mut().pop() else { return Some(Rc::new(Runner::new(job))) };
        runner.job.set(Some(job));
        if let Some(w) = &*runner.waker.borrow() {
            w.wake_by_ref();
        }
        None
    }

    /// Keeps a task that has done its job, unless there are enough of them.
    pub(crate) fn rest(&self, runner: &Rc<Runner<J>>) -> bool {
        let mut spare = self.0.borrow_mut();
        let keep = spare.len() < SPARE;
        if keep {
            spare.push(runner.clone());
        }
        keep
    }
}

/// A task, as those see it who have jobs for it.
pub(crate) struct Runner<J> {
    job: Cell<Option<J>>,
    waker: RefCell<Option<Waker>>,
}

impl<J> Runner<J> {
    fn new(job: J) -> Self {
        Self { job: Cell::new(Some(job)), waker: RefCell::default() }
    }

    /// Waits for the next job.
    pub(crate) async fn job(&self) -> J {
        poll_fn(|cx| {
            if let Some(job) = self.job.take() {
                return Poll::Ready(job);
            }
            let mut waker = self.waker.borrow_mut();
            if !waker.as_ref().is_some_and(|w| w.will_wake(cx.waker())) {
                *waker = Some(cx.waker().clone());
            }
            Poll::Pending
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::task::{LocalSet, spawn_local, yield_now};

    #[test]
    fn a_task_does_many_jobs() {
        let runners = Rc::<Runners<u32>>::default();
        let done = Rc::<RefCell<Vec<u32>>>::default();
        let tasks = Rc::new(Cell::new(0));
        let start = |job| {
            let Some(runner) = runners.give(job) else { return };
            tasks.set(tasks.get() + 1);
            let (runners, done) = (runners.clone(), done.clone());
            spawn_local(async move {
                loop {
                    let job = runner.job().await;
                    yield_now().await;
                    done.borrow_mut().push(job);
                    if !runners.rest(&runner) {
                        return;
                    }
                }
            });
        };
        let rt = tokio::runtime::Builder::new_current_thread().build().unwrap();
        rt.block_on(LocalSet::new().run_until(async {
            for round in 0..3 {
                (0..2).for_each(|i| start(10 * round + i));
                while done.borrow().len() < 2 * (round as usize + 1) {
                    yield_now().await;
                }
            }
        }));
        assert_eq!(tasks.get(), 2);
        done.borrow_mut().sort_unstable();
        assert_eq!(*done.borrow(), [0, 1, 10, 11, 20, 21]);
    }
}
