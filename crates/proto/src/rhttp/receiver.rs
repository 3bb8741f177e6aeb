//! The receiver of one thread and the task that it owns.

use super::attempt;
use super::plan::{Place, Plan};
use super::turned::Turned;
use crate::vtable::{Accepted, BindError, ProtocolInfo, Receiver};
use crate::{Address, Transport};
use std::cell::RefCell;
use std::collections::HashMap;
use std::future::poll_fn;
use std::io;
use std::os::fd::RawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};
use tokio::task::AbortHandle;

static NEXT_KEY: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// What the tasks of this thread offer to its accept loops, by receiver. A receiver is made on one thread and
    /// enabled on another; what it accepts never leaves the latter.
    static OFFERS: RefCell<HashMap<u64, Offer>> = RefCell::default();
}

/// A connection that waits to be accepted.
#[derive(Default)]
struct Offer {
    conn: Option<Turned>,
    /// Of the accept loop.
    acceptor: Option<Waker>,
    /// Of the task that made the connection.
    dialling: Option<Waker>,
}

/// A receiver without a socket.
pub(super) struct RhttpReceiver {
    plan: Arc<Plan>,
    member: usize,
    key: u64,
    task: Option<AbortHandle>,
}

impl RhttpReceiver {
    pub(super) fn new(plan: Arc<Plan>) -> Self {
        let member = plan.join();
        Self { plan, member, key: NEXT_KEY.fetch_add(1, Relaxed), task: None }
    }

    fn stop(&mut self) {
        self.plan.set_running(self.member, false);
        if let Some(task) = self.task.take() {
            task.abort();
        }
        // Outside the borrow: what is dropped may look here.
        let offer = OFFERS.with_borrow_mut(|o| o.remove(&self.key));
        drop(offer);
    }

    fn take(&self) -> Option<Accepted> {
        let (mut conn, dialling) = OFFERS.with_borrow_mut(|o| {
            let offer = o.get_mut(&self.key)?;
            Some((offer.conn.take()?, offer.dialling.take()))
        })?;
        conn.accept();
        if let Some(w) = dialling {
            w.wake();
        }
        let src = conn.get_src();
        Some(Accepted { transport: Box::new(conn), src })
    }
}

impl Receiver for RhttpReceiver {
    fn info(&self) -> &'static ProtocolInfo {
        &super::INFO
    }

    fn listen(&mut self) -> Result<(), String> {
        self.plan.dialer().find()
    }

    fn enable(&mut self) -> io::Result<()> {
        if self.task.is_none() {
            OFFERS.with_borrow_mut(|o| o.insert(self.key, Offer::default()));
            let task = tokio::task::spawn_local(run(self.plan.clone(), self.member, self.key));
            self.task = Some(task.abort_handle());
            self.plan.set_running(self.member, true);
        }
        Ok(())
    }

    fn disable(&mut self) {
        self.stop();
    }

    /// HAProxy cannot; here it opens no more connections and leaves those that are up alone.
    fn suspend(&mut self) -> io::Result<bool> {
        self.stop();
        Ok(true)
    }

    fn resume(&mut self) -> io::Result<()> {
        self.enable()
    }

    fn unbind(mut self: Box<Self>) {
        self.stop();
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        if let Some(accepted) = self.take() {
            return Poll::Ready(Ok(accepted));
        }
        OFFERS.with_borrow_mut(|o| {
            if let Some(offer) = o.get_mut(&self.key) {
                offer.acceptor = Some(cx.waker().clone());
            }
        });
        Poll::Pending
    }

    fn accept_conn(&mut self) -> io::Result<Accepted> {
        self.take().ok_or_else(|| io::ErrorKind::WouldBlock.into())
    }

    fn local_addr(&self) -> Address {
        Address::Unknown
    }

    fn fd(&self) -> Option<RawFd> {
        None
    }

    fn for_thread(&self, _shared: bool) -> Result<Box<dyn Receiver>, BindError> {
        Ok(Box::new(Self::new(self.plan.clone())))
    }
}

impl Drop for RhttpReceiver {
    fn drop(&mut self) {
        if self.task.is_some() {
            self.stop();
        }
    }
}

/// Opens connections, one after the other, when it is this receiver's turn.
async fn run(plan: Arc<Plan>, member: usize, key: u64) {
    loop {
        let (place, not_before) = poll_fn(|cx| plan.poll_turn(member, cx)).await;
        if let Some(at) = not_before {
            tokio::time::sleep_until(at.into()).await;
        }
        match tokio::time::timeout(plan.attempt_limit(), attempt::open(plan.dialer())).await {
            Err(_) => place.fail("timed out".into()),
            Ok(Err(e)) => place.fail(text(&e)),
            Ok(Ok(opened)) => offer(key, Turned::new(opened, place)).await,
        }
    }
}

/// An error without Rust's `(os error N)`.
fn text(e: &io::Error) -> String {
    e.to_string().split(" (os error").next().unwrap_or_default().to_owned()
}

/// Waits until the accept loop has taken the connection, or the peer has.
async fn offer(key: u64, conn: Turned) {
    OFFERS.with_borrow_mut(|o| {
        let offer = o.entry(key).or_default();
        offer.conn = Some(conn);
        if let Some(w) = offer.acceptor.take() {
            w.wake();
        }
    });
    let lost = poll_fn(|cx| OFFERS.with_borrow_mut(|o| poll_offer(o.get_mut(&key), cx))).await;
    if let Some(place) = lost {
        place.fail("the peer closed before the accept".into());
    }
}

/// The place of a connection that was lost; none for one that was accepted.
fn poll_offer(offer: Option<&mut Offer>, cx: &mut Context<'_>) -> Poll<Option<Place>> {
    let Some(offer) = offer else { return Poll::Ready(None) };
    let Some(conn) = &mut offer.conn else { return Poll::Ready(None) };
    if conn.poll_lost(cx).is_pending() {
        offer.dialling = Some(cx.waker().clone());
        return Poll::Pending;
    }
    Poll::Ready(offer.conn.take().map(Turned::into_place))
}
