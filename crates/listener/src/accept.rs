//! The accept loop of one receiver on one thread.

mod dgram;

use hawser_proto::freq::now_ms;
use hawser_proto::memory::{self, Need};
use hawser_proto::{AcceptSink, Accepted, ConnSlot, Incoming, ListenerInfo, ListenerState, Receiver};
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// How long a listener stays away from a kernel that has no descriptor or memory left.
const SHORTAGE_PAUSE: Duration = Duration::from_millis(100);

/// Connections that a closing listener still takes from the kernel's queue: they were completed, their
/// clients would see a reset.
const DRAIN_MAX: usize = 4096;

/// A receiver that accepts on this thread.
pub(crate) struct Acceptor {
    pub(crate) info: Arc<ListenerInfo>,
    /// `None` once closed.
    receiver: RefCell<Option<Box<dyn Receiver>>>,
    /// Of the task that runs the loop.
    waker: RefCell<Option<Waker>>,
    paused: Cell<bool>,
    /// A shortage was reported and has not ended.
    in_trouble: Cell<bool>,
}

/// Why the loop stopped polling.
enum Step {
    /// The receiver was closed.
    Closed,
    /// Nothing may be accepted for so long.
    Wait(Duration),
}

impl Acceptor {
    pub(crate) fn new(info: Arc<ListenerInfo>, receiver: Box<dyn Receiver>) -> Self {
        Self {
            info,
            receiver: RefCell::new(Some(receiver)),
            waker: RefCell::new(None),
            paused: Cell::new(false),
            in_trouble: Cell::new(false),
        }
    }

    /// Starts accepting on this thread's reactor.
    pub(crate) fn enable(&self) -> io::Result<()> {
        if let Some(r) = &mut *self.receiver.borrow_mut() {
            r.enable()?;
        }
        self.info.set_state(ListenerState::Ready);
        Ok(())
    }

    /// Accepts until closed; `max` connections (0 for no limit) before other tasks get a turn.
    pub(crate) async fn run(self: Rc<Self>, sink: Rc<dyn AcceptSink>, max: usize) {
        let mut buf = Vec::new();
        if self.takes_datagrams() {
            buf.resize(sink.datagram_max().max(1), 0);
        }
        loop {
            let step = poll_fn(|cx| {
                if buf.is_empty() {
                    self.poll(cx, &sink, max)
                } else {
                    self.poll_datagrams(cx, &sink, max, &mut buf)
                }
            });
            match step.await {
                Step::Closed => return,
                Step::Wait(time) => tokio::time::sleep(time).await,
            }
        }
    }

    fn poll(&self, cx: &mut Context<'_>, sink: &Rc<dyn AcceptSink>, max: usize) -> Poll<Step> {
        self.remember(cx);
        let mut accepted = 0;
        loop {
            if self.paused.get() {
                return Poll::Pending;
            }
            if let Some(delay) = self.rate_delay() {
                self.show(ListenerState::Limited);
                return Poll::Ready(Step::Wait(delay));
            }
            if !self.info.is_api() && !memory::allows(Need::Connection) {
                self.show(ListenerState::Limited);
                return Poll::Ready(Step::Wait(SHORTAGE_PAUSE));
            }
            let Some(slot) = ConnSlot::enter_or_wait(&self.info, cx) else { return Poll::Pending };
            let outcome = match &mut *self.receiver.borrow_mut() {
                Some(r) => r.poll_accept(cx),
                None => return Poll::Ready(Step::Closed),
            };
            self.show(ListenerState::Ready);
            match outcome {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(conn)) => self.hand_up(conn, slot, sink),
                Poll::Ready(Err(e)) => {
                    drop(slot);
                    return Poll::Ready(self.shortage(&e, sink));
                }
            }
            accepted += 1;
            if accepted == max {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
    }

    fn hand_up(&self, conn: Accepted, slot: ConnSlot, sink: &Rc<dyn AcceptSink>) {
        slot.confirm();
        self.in_trouble.set(false);
        sink.accept(Incoming { transport: conn.transport, src: conn.src, slot });
    }

    /// Accepting failed for a reason that is not the connection's.
    fn shortage(&self, e: &io::Error, sink: &Rc<dyn AcceptSink>) -> Step {
        if !self.in_trouble.replace(true) {
            sink.trouble(&self.info, e);
        }
        self.show(ListenerState::Limited);
        Step::Wait(SHORTAGE_PAUSE)
    }

    /// Time until the rate limits let another connection in.
    fn rate_delay(&self) -> Option<Duration> {
        let (l, f) = (&self.info.process, &self.info.frontend);
        let limits = [
            (&l.conn_rate, l.max_conn_rate.load(Ordering::Relaxed)),
            (&l.sess_rate, l.max_sess_rate.load(Ordering::Relaxed)),
            (&f.sess_rate, f.max_sess_rate.load(Ordering::Relaxed)),
        ];
        let limited = limits.iter().filter(|(_, limit)| *limit > 0);
        let ms = limited.map(|(rate, limit)| rate.next_event_delay(now_ms(), *limit)).max()?;
        (ms > 0).then(|| Duration::from_millis(ms))
    }

    fn show(&self, state: ListenerState) {
        if self.info.state() != state {
            self.info.set_state(state);
        }
    }

    fn remember(&self, cx: &Context<'_>) {
        let mut waker = self.waker.borrow_mut();
        if !waker.as_ref().is_some_and(|w| w.will_wake(cx.waker())) {
            *waker = Some(cx.waker().clone());
        }
    }

    fn wake(&self) {
        if let Some(w) = &*self.waker.borrow() {
            w.wake_by_ref();
        }
    }

    /// Sends new clients to the sockets of a successor; returns whether those on their way here must be waited for.
    pub(crate) fn give_way(&self) -> bool {
        self.receiver.borrow().as_ref().is_some_and(|r| r.give_way())
    }

    /// Takes new clients again, though the process before this one gave way.
    pub(crate) fn claim(&self) {
        if let Some(r) = &*self.receiver.borrow() {
            r.claim();
        }
    }

    /// Closes the socket, once the connections that wait in the kernel's queue are handed up.
    pub(crate) fn close(&self, sink: &Rc<dyn AcceptSink>) {
        let Some(mut receiver) = self.receiver.borrow_mut().take() else { return };
        if receiver.info().dgram {
            self.drain_datagrams(&mut *receiver, sink);
        }
        let cx = Context::from_waker(Waker::noop());
        for _ in 0..DRAIN_MAX {
            let Some(slot) = ConnSlot::enter_or_wait(&self.info, &cx) else { break };
            match receiver.accept_conn() {
                Ok(conn) => self.hand_up(conn, slot, sink),
                Err(_) => break,
            }
        }
        receiver.unbind();
        self.paused.set(false);
        self.info.set_state(ListenerState::Assigned);
        self.wake();
        // This task may have swallowed the wake-up for a free place.
        self.info.conns.wake_all();
        self.info.frontend.conns.wake_all();
        self.info.process.conns.wake_all();
    }

    /// Stops accepting so that another process may try the address; returns whether that was possible.
    pub(crate) fn pause(&self) -> bool {
        let paused = match &mut *self.receiver.borrow_mut() {
            Some(r) => r.suspend().unwrap_or(false),
            None => false,
        };
        self.paused.set(paused);
        if paused {
            self.info.set_state(ListenerState::Paused);
        }
        paused
    }

    /// Undoes [`Acceptor::pause`].
    pub(crate) fn resume(&self) -> io::Result<()> {
        if !self.paused.replace(false) {
            return Ok(());
        }
        if let Some(r) = &mut *self.receiver.borrow_mut() {
            r.resume()?;
        }
        self.info.set_state(ListenerState::Ready);
        self.wake();
        Ok(())
    }
}
