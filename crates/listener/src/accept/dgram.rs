//! Receivers of datagrams: no connections, no limits on their number, but a limit on what is taken in a turn.

use super::{Acceptor, DRAIN_MAX, Step};
use hawser_proto::{AcceptSink, ListenerState, Receiver};
use std::rc::Rc;
use std::task::{Context, Poll};

/// Datagrams of a turn where `tune.maxaccept` sets no limit: a flood must leave time for others.
const TURN_MAX: usize = 64;

impl Acceptor {
    /// Whether this is one of them.
    pub(super) fn takes_datagrams(&self) -> bool {
        self.receiver.borrow().as_ref().is_some_and(|r| r.info().dgram)
    }

    pub(super) fn poll_datagrams(
        &self,
        cx: &mut Context<'_>,
        sink: &Rc<dyn AcceptSink>,
        max: usize,
        buf: &mut [u8],
    ) -> Poll<Step> {
        self.remember(cx);
        if self.paused.get() {
            return Poll::Pending;
        }
        let max = if max == 0 { TURN_MAX } else { max.min(TURN_MAX) };
        for _ in 0..max {
            let outcome = match &mut *self.receiver.borrow_mut() {
                Some(r) => r.poll_receive(cx, buf),
                None => return Poll::Ready(Step::Closed),
            };
            match outcome {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok((n, from))) => {
                    self.in_trouble.set(false);
                    self.show(ListenerState::Ready);
                    sink.datagram(&self.info, &from, &buf[..n]);
                }
                Poll::Ready(Err(e)) => return Poll::Ready(self.shortage(&e, sink)),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// What waits in the queue of a socket that closes would be lost.
    pub(super) fn drain_datagrams(&self, receiver: &mut dyn Receiver, sink: &Rc<dyn AcceptSink>) {
        let mut buf = vec![0; sink.datagram_max().max(1)];
        for _ in 0..DRAIN_MAX {
            let Ok((n, from)) = receiver.receive(&mut buf) else { return };
            sink.datagram(&self.info, &from, &buf[..n]);
        }
    }
}
