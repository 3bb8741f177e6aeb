//! One timer for each connection, armed lazily.
//!
//! Deadlines move with every byte, the timer only when a deadline comes before the one that it is armed for:
//! when it fires too early it is armed again. A request on a busy connection thus touches no timer at all.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::time::Sleep;

/// The timer of one task.
#[derive(Default)]
pub(crate) struct Timer {
    sleep: Option<Pin<Box<Sleep>>>,
    /// What the sleep is armed for, while it has not fired.
    armed: Option<Instant>,
    /// The sleep knows the task's waker, which never changes.
    registered: bool,
}

impl Timer {
    /// Ready when the deadline has passed. Without a deadline it never is.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, now: Instant, deadline: Option<Instant>) -> Poll<()> {
        let Some(deadline) = deadline else { return Poll::Pending };
        loop {
            if now >= deadline {
                return Poll::Ready(());
            }
            if self.armed.is_none_or(|a| a > deadline) {
                self.arm(deadline);
            } else if self.is_running(now) {
                return Poll::Pending;
            }
            let Some(sleep) = &mut self.sleep else { return Poll::Pending };
            if sleep.as_mut().poll(cx).is_pending() {
                self.registered = true;
                return Poll::Pending;
            }
            // It fired: for this deadline, or for an earlier one that has moved since.
            if self.armed.take().is_some_and(|a| a >= deadline) {
                return Poll::Ready(());
            }
        }
    }

    /// Whether the task will be woken for a deadline that it asked for, and has not been yet.
    pub(crate) fn is_running(&self, now: Instant) -> bool {
        self.registered && self.armed.is_some_and(|a| a > now)
    }

    fn arm(&mut self, at: Instant) {
        self.armed = Some(at);
        self.registered = false;
        match &mut self.sleep {
            Some(s) => s.as_mut().reset(at.into()),
            slot => *slot = Some(Box::pin(tokio::time::sleep_until(at.into()))),
        }
    }
}

/// The moment `after` later than `from`; none for an unlimited time.
pub(crate) fn later(from: Instant, after: Option<Duration>) -> Option<Instant> {
    from.checked_add(after?)
}

/// The earlier of two deadlines.
pub(crate) fn earlier(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hawser_proto::clock;
    use std::future::poll_fn;

    fn run(f: impl Future<Output = ()>) {
        let rt = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        rt.block_on(f);
    }

    #[test]
    fn fires_at_the_deadline_and_not_before() {
        run(async {
            let start = clock::now();
            let mut t = Timer::default();
            poll_fn(|cx| t.poll(cx, clock::now(), later(start, Some(Duration::from_millis(20))))).await;
            let took = clock::now() - start;
            assert!(took >= Duration::from_millis(20) && took < Duration::from_millis(500), "{took:?}");
        });
    }

    #[test]
    fn a_deadline_that_moves_away_is_followed() {
        run(async {
            let start = clock::now();
            let mut t = Timer::default();
            let mut polls = 0;
            poll_fn(|cx| {
                polls += 1;
                let ms = if polls == 1 { 5 } else { 40 };
                t.poll(cx, clock::now(), later(start, Some(Duration::from_millis(ms))))
            })
            .await;
            assert!(clock::now() - start >= Duration::from_millis(40));
            assert!(polls <= 4, "{polls} polls");
        });
    }

    #[test]
    fn a_nearer_deadline_re_arms() {
        run(async {
            let start = clock::now();
            let mut t = Timer::default();
            let mut polls = 0;
            poll_fn(|cx| {
                polls += 1;
                if polls == 1 {
                    cx.waker().wake_by_ref();
                }
                let ms = if polls == 1 { 60_000 } else { 10 };
                t.poll(cx, clock::now(), later(start, Some(Duration::from_millis(ms))))
            })
            .await;
            assert!(clock::now() - start < Duration::from_secs(5));
        });
    }

    #[test]
    fn no_deadline_never_fires() {
        let mut t = Timer::default();
        let mut cx = Context::from_waker(std::task::Waker::noop());
        assert!(t.poll(&mut cx, clock::now(), None).is_pending());
    }
}
