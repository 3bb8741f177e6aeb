//! Requests that wait for a place on a server.
//!
//! One lock per backend guards its queues: one lane for each server that somebody waits for by name, and one
//! for those whom any server suits. Nobody takes the lock as long as nobody waits. The rule that keeps wake-ups
//! from being lost: who queues first raises [`Queue::waiting`] and then looks for room; who releases a place
//! first gives it back and then looks at `waiting` (all sequentially consistent), so one of the two sees the
//! other.

use crate::assign::Slot;
use crate::backend::Backend;
use crate::server::Server;
use crate::time::{self, Ms};
use parking_lot::{Mutex, MutexGuard};
use smallvec::SmallVec;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{
    AtomicU32,
    Ordering::{Relaxed, SeqCst},
};
use std::task::{Context, Poll, ready};
use tokio::sync::oneshot;

/// The lane of requests that any server suits.
pub(crate) const ANY: u32 = u32::MAX;

/// Rank of a waiter within a lane: class, then arrival shifted by the offset, then arrival order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Rank {
    pub(crate) class: i32,
    pub(crate) at: i64,
    pub(crate) seq: u64,
}

impl Rank {
    const FIRST: Self = Self { class: i32::MIN, at: i64::MIN, seq: 0 };
}

type Place = (u32, Rank);

/// What a waiter is told.
#[derive(Debug)]
pub enum Granted {
    /// A place on a server.
    Slot(Slot),
    /// The server it waited for went away: call [`Backend::assign`] again.
    Requeue,
    /// No server is left: 503.
    NoServer,
}

/// Where a request stood (`%sq` and `%bq`): one more than were served before it from the queue that it waited in, 0
/// where it did not wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct QueuePos {
    /// In the queue of the server.
    pub server: u32,
    /// In the queue of the backend.
    pub backend: u32,
}

#[derive(Debug)]
struct Waiter {
    tx: oneshot::Sender<Granted>,
    /// The lane's count of grants when it joined.
    start: u32,
}

#[derive(Debug, Default)]
pub(crate) struct Lanes {
    map: BTreeMap<Place, Waiter>,
    seq: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Queue {
    lanes: Mutex<Lanes>,
    /// Waiters in all lanes.
    pub(crate) waiting: AtomicU32,
    /// Waiters in the lane [`ANY`].
    pub(crate) any: AtomicU32,
    any_max: AtomicU32,
    /// Grants from the lane [`ANY`] so far.
    dequeued: AtomicU32,
}

/// Grants decided under the lock, to be sent after it.
#[derive(Default)]
pub(crate) struct Wakes(SmallVec<[(Waiter, Decision); 4]>);

enum Decision {
    Slot(u32, QueuePos),
    Requeue,
    NoServer,
}

impl Wakes {
    /// Tells everybody. A waiter that left meanwhile gives its place to the next one.
    pub(crate) fn send(self, backend: &Arc<Backend>) {
        for (waiter, decision) in self.0 {
            let granted = match decision {
                Decision::Slot(server, pos) => Granted::Slot(Slot::new(backend, server, pos)),
                Decision::Requeue => Granted::Requeue,
                Decision::NoServer => Granted::NoServer,
            };
            drop(waiter.tx.send(granted));
        }
    }

    /// How many waiters were told.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

impl Queue {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock()
    }

    /// Most waiters ever in the backend's own queue (`qmax`).
    pub(crate) fn any_max(&self) -> u32 {
        self.any_max.load(Relaxed)
    }

    /// Forgets that maximum.
    pub(crate) fn clear_max(&self) {
        self.any_max.store(self.any.load(Relaxed), Relaxed);
    }

    fn grants(&self, servers: &[Arc<Server>], lane: u32) -> u32 {
        servers.get(lane as usize).map_or(&self.dequeued, |s| &s.dequeued).load(Relaxed)
    }
}

impl Lanes {
    pub(crate) fn is_empty(&self, lane: u32) -> bool {
        self.first(lane).is_none()
    }

    fn first(&self, lane: u32) -> Option<Rank> {
        let next = self.map.range((lane, Rank::FIRST)..).next();
        next.filter(|(place, _)| place.0 == lane).map(|(place, _)| place.1)
    }

    /// The lane whose first waiter the server should take next.
    fn best(&self, server: u32, any_allowed: bool) -> Option<Place> {
        let own = self.first(server);
        let any = if any_allowed { self.first(ANY) } else { None };
        match (own, any) {
            (Some(o), Some(a)) if a < o => Some((ANY, a)),
            (Some(o), _) => Some((server, o)),
            (None, Some(a)) => Some((ANY, a)),
            (None, None) => None,
        }
    }
}

impl Backend {
    /// Adds a waiter. [`Queue::waiting`] was raised by the caller, before it looked for room.
    pub(crate) fn join(
        self: &Arc<Self>,
        lanes: &mut Lanes,
        lane: u32,
        (class, at): (i32, i64),
        thread: usize,
    ) -> QueueTicket {
        let rank = Rank { class, at, seq: lanes.seq };
        lanes.seq += 1;
        let (tx, rx) = oneshot::channel();
        let start = self.queue.grants(&self.servers, lane);
        lanes.map.insert((lane, rank), Waiter { tx, start });
        match self.servers.get(lane as usize) {
            Some(s) => {
                s.count_queued();
                self.load_changed(s);
            }
            None => {
                let n = self.queue.any.fetch_add(1, SeqCst) + 1;
                crate::counters::raise(&self.queue.any_max, n);
            }
        }
        QueueTicket { rx, place: (lane, rank), start, thread, backend: self.clone() }
    }

    fn leave(&self, lanes: &mut Lanes, place: Place) -> Option<Waiter> {
        let waiter = lanes.map.remove(&place)?;
        self.queue.waiting.fetch_sub(1, SeqCst);
        match self.servers.get(place.0 as usize) {
            Some(s) => {
                s.load.queued.fetch_sub(1, SeqCst);
                self.load_changed(s);
            }
            None => {
                self.queue.any.fetch_sub(1, SeqCst);
            }
        }
        Some(waiter)
    }

    /// Gives the free places of a server to those who wait, best rank first.
    pub(crate) fn serve(&self, lanes: &mut Lanes, server: u32, wakes: &mut Wakes) {
        let Some(s) = self.servers.get(server as usize) else { return };
        while let Some(place) = lanes.best(server, s.load.in_farm.load(SeqCst)) {
            if !s.try_take(self.limit(s)) {
                return;
            }
            let Some(waiter) = self.leave(lanes, place) else { return };
            let count = if place.0 == ANY { &self.queue.dequeued } else { &s.dequeued };
            let passed = count.fetch_add(1, Relaxed).wrapping_sub(waiter.start);
            wakes.0.push((waiter, Decision::Slot(server, position(place.0, passed))));
            self.load_changed(s);
        }
    }

    /// A place on the server became free: somebody may be waiting for it.
    pub(crate) fn offer(self: &Arc<Self>, server: u32) {
        if self.queue.waiting.load(SeqCst) != 0 {
            let mut wakes = Wakes::default();
            self.serve(&mut self.queue.lock(), server, &mut wakes);
            wakes.send(self);
        }
    }

    /// Tells everybody in a lane to choose again. Returns how many were told.
    pub(crate) fn requeue(self: &Arc<Self>, lane: u32) -> usize {
        self.dismiss(lane, || Decision::Requeue)
    }

    /// Tells everybody in every lane that no server is left. Returns how many were told.
    pub(crate) fn give_up(self: &Arc<Self>, lane: u32) -> usize {
        self.dismiss(lane, || Decision::NoServer)
    }

    fn dismiss(self: &Arc<Self>, lane: u32, decision: impl Fn() -> Decision) -> usize {
        if self.queue.waiting.load(SeqCst) == 0 {
            return 0;
        }
        let mut wakes = Wakes::default();
        let mut lanes = self.queue.lock();
        while let Some(rank) = lanes.first(lane) {
            let Some(waiter) = self.leave(&mut lanes, (lane, rank)) else { break };
            wakes.0.push((waiter, decision()));
        }
        drop(lanes);
        let told = wakes.len();
        wakes.send(self);
        told
    }
}

fn position(lane: u32, passed: u32) -> QueuePos {
    if lane == ANY {
        QueuePos { server: 0, backend: passed.saturating_add(1) }
    } else {
        QueuePos { server: passed.saturating_add(1), backend: 0 }
    }
}

/// A place in a queue. Await it, or poll it with [`QueueTicket::poll_slot`]; dropping it leaves the queue, and
/// a place that was granted in the same instant goes to the next waiter.
#[derive(Debug)]
#[must_use = "dropping a ticket leaves the queue"]
pub struct QueueTicket {
    rx: oneshot::Receiver<Granted>,
    place: Place,
    start: u32,
    /// The number of the thread that waits.
    thread: usize,
    backend: Arc<Backend>,
}

impl QueueTicket {
    /// Waits for the decision. Cancel safe.
    pub fn poll_slot(&mut self, cx: &mut Context<'_>) -> Poll<Granted> {
        // The sender is dropped unsent only with its whole backend.
        let granted = ready!(Pin::new(&mut self.rx).poll(cx)).unwrap_or(Granted::NoServer);
        Poll::Ready(self.received(granted))
    }

    /// The decision, if it was taken.
    pub(crate) fn try_slot(&mut self) -> Option<Granted> {
        let granted = self.rx.try_recv().ok()?;
        Some(self.received(granted))
    }

    fn received(&self, granted: Granted) -> Granted {
        match granted {
            Granted::Slot(slot) => Granted::Slot(slot.counted(self.thread, time::now())),
            other => other,
        }
    }

    /// The request and those that were served before it from its queue until now.
    pub fn position(&self) -> QueuePos {
        let now = self.backend.queue.grants(&self.backend.servers, self.place.0);
        position(self.place.0, now.wrapping_sub(self.start))
    }

    /// The server it waits for, if it is one by name.
    pub fn server(&self) -> Option<&Arc<Server>> {
        self.backend.servers.get(self.place.0 as usize)
    }
}

impl Future for QueueTicket {
    type Output = Granted;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Granted> {
        self.poll_slot(cx)
    }
}

impl Drop for QueueTicket {
    fn drop(&mut self) {
        // Not in the queue any more: either the decision was read, or it sits in the channel and goes with it.
        let waiter = self.backend.leave(&mut self.backend.queue.lock(), self.place);
        drop(waiter);
    }
}

/// Rank of a request that arrived at `at` with a priority offset, ms.
pub(crate) fn arrival(at: Ms, offset: i32) -> i64 {
    i64::try_from(at).unwrap_or(i64::MAX).saturating_add(offset.into())
}
