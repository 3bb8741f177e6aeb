//! Connections that a server opened itself: reverse HTTP (`server … rhttp@`, manual 4.4 `attach-srv`).
//!
//! Nothing is ever dialed for such a server. What serves its requests was attached to it by the other end, is known to
//! the whole process, and carries streams of every thread.

use hawser_proto::Address;
use hawser_proto::mux::{BackConn, BackStream};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

/// What is known of a connection that is to be attached.
pub struct Attachment {
    /// What `attach-srv … name` made of it; only requests with the same connection name use it.
    pub name: Option<Box<[u8]>>,
    /// The connection, its roles swapped.
    pub conn: Arc<dyn BackConn>,
    /// Where it came from.
    pub src: Address,
    /// Since when.
    pub since: Instant,
}

/// An attached connection.
pub struct Agent {
    /// Unique among the server's, counting up.
    pub id: u64,
    /// What it is.
    pub what: Attachment,
}

impl std::fmt::Debug for Agent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Agent").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The connections attached to one server.
#[derive(Debug, Default)]
pub struct Attached {
    agents: Mutex<Vec<Arc<Agent>>>,
    /// Attachments so far.
    count: AtomicU64,
    arrived: Arc<Notify>,
}

impl Attached {
    /// Attaches a connection, and wakes those who wait for one. Whoever attached it removes it when it is over.
    pub fn attach(&self, what: Attachment) -> Arc<Agent> {
        let mut agents = self.agents.lock();
        let id = self.count.fetch_add(1, Relaxed) + 1;
        let agent = Arc::new(Agent { id, what });
        agents.push(agent.clone());
        drop(agents);
        self.arrived.notify_waiters();
        agent
    }

    /// Forgets a connection; the streams on it go on.
    pub fn detach(&self, id: u64) {
        self.agents.lock().retain(|a| a.id != id);
    }

    /// Opens a stream on the connection of that name which has the fewest.
    pub fn open(&self, name: Option<&[u8]>) -> Option<(Arc<Agent>, Box<dyn BackStream>)> {
        let mut candidates: Vec<Arc<Agent>> = {
            let agents = self.agents.lock();
            let named = |a: &&Arc<Agent>| a.what.name.as_deref() == name && a.what.conn.is_usable();
            agents.iter().filter(named).cloned().collect()
        };
        // The order of those with equal load is that of their attachment, which the sort keeps.
        candidates.sort_by_cached_key(|a| a.what.conn.streams());
        candidates.into_iter().find_map(|a| {
            let stream = a.what.conn.open()?;
            Some((a, stream))
        })
    }

    /// All of them, oldest first.
    pub fn list(&self) -> Vec<Arc<Agent>> {
        self.agents.lock().clone()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.agents.lock().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.agents.lock().is_empty()
    }

    /// Completes when the next one is attached. To be made before [`Attached::open`] is tried, so that no arrival is
    /// missed.
    pub fn arrival(&self) -> OwnedNotified {
        self.arrived.clone().notified_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use std::pin::pin;
    use std::sync::atomic::{AtomicBool, AtomicU32};
    use std::task::{Context, Waker};
    use std::time::Duration;

    /// A connection with so many streams under way; it opens none, and counts who asks.
    #[derive(Default)]
    struct Fake {
        streams: u32,
        gone: AtomicBool,
        asked: AtomicU32,
    }

    impl BackConn for Fake {
        fn open(&self) -> Option<Box<dyn BackStream>> {
            self.asked.fetch_add(1, Relaxed);
            None
        }
        fn streams(&self) -> u32 {
            self.streams
        }
        fn opened(&self) -> u64 {
            0
        }
        fn is_usable(&self) -> bool {
            !self.gone.load(Relaxed)
        }
        fn drain(&self) {}
        fn close(&self) {}
        fn poll_closed(&self, _: &mut Context<'_>) -> std::task::Poll<()> {
            std::task::Poll::Pending
        }
        fn ping(&self, _: Duration) {}
        fn rtt(&self) -> Option<Duration> {
            None
        }
        fn bytes(&self) -> (u64, u64) {
            (0, 0)
        }
        fn glitches(&self) -> u32 {
            0
        }
        fn addresses(&self) -> (Address, Address) {
            Default::default()
        }
    }

    fn attach(list: &Attached, name: Option<&[u8]>, conn: &Arc<Fake>) -> u64 {
        let what = Attachment {
            name: name.map(Into::into),
            conn: conn.clone(),
            src: Address::Unknown,
            since: hawser_proto::clock::now(),
        };
        list.attach(what).id
    }

    #[test]
    fn names_must_be_the_same() {
        let list = Attached::default();
        let conns: [Arc<Fake>; 3] = Default::default();
        attach(&list, None, &conns[0]);
        attach(&list, Some(b"a"), &conns[1]);
        let last = attach(&list, Some(b"a"), &conns[2]);
        let asked = || conns.each_ref().map(|c| c.asked.load(Relaxed));
        assert!(list.open(Some(b"a")).is_none());
        assert_eq!(asked(), [0, 1, 1]);
        assert!(list.open(Some(b"b")).is_none() && list.open(None).is_none());
        assert_eq!(asked(), [1, 1, 1]);
        conns[1].gone.store(true, Relaxed);
        list.open(Some(b"a"));
        assert_eq!(asked(), [1, 1, 2], "a connection that is draining");
        list.detach(last);
        list.open(Some(b"a"));
        assert_eq!((asked(), list.len()), ([1, 1, 2], 2));
    }

    #[test]
    fn an_arrival_is_told() {
        let list = Attached::default();
        let mut cx = Context::from_waker(Waker::noop());
        let mut next = pin!(list.arrival());
        assert!(next.as_mut().poll(&mut cx).is_pending());
        attach(&list, None, &Arc::default());
        assert!(next.as_mut().poll(&mut cx).is_ready());
        let mut early = pin!(list.arrival());
        attach(&list, None, &Arc::default());
        assert!(early.as_mut().poll(&mut cx).is_ready(), "it came before the first poll");
    }
}
