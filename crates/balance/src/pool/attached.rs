//! Connections that a server opened itself: reverse HTTP (`server … rhttp@`, manual 4.4 `attach-srv`).
//!
//! Nothing is ever dialed for such a server. What serves its requests was attached to it by the other end, is known to
//! the whole process, and carries streams of every thread.

use hawser_proto::Address;
use hawser_proto::mux::{BackConn, BackStream};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
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
    /// The thread that moves it on, from 0.
    pub thread: usize,
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
    agents: Mutex<Agents>,
    /// Attachments so far.
    count: AtomicU64,
    changed: Arc<Notify>,
    /// Requests that wait for a change.
    waiting: AtomicU32,
}

/// Connections by name, each list oldest first.
#[derive(Debug, Default)]
struct Agents {
    count: usize,
    unnamed: Vec<Arc<Agent>>,
    named: HashMap<Box<[u8]>, Vec<Arc<Agent>>>,
}

impl Agents {
    fn of(&self, name: Option<&[u8]>) -> &[Arc<Agent>] {
        match name {
            None => &self.unnamed,
            Some(name) => self.named.get(name).map_or(&[], Vec::as_slice),
        }
    }

    fn all(&self) -> impl Iterator<Item = &Arc<Agent>> {
        self.unnamed.iter().chain(self.named.values().flatten())
    }

    fn add(&mut self, agent: Arc<Agent>) {
        self.count += 1;
        match agent.what.name.clone() {
            None => self.unnamed.push(agent),
            Some(name) => self.named.entry(name).or_default().push(agent),
        }
    }

    fn remove(&mut self, agent: &Agent) {
        let name = agent.what.name.as_deref();
        let list = match name {
            None => Some(&mut self.unnamed),
            Some(name) => self.named.get_mut(name),
        };
        let Some(list) = list else { return };
        let before = list.len();
        list.retain(|a| a.id != agent.id);
        self.count -= before - list.len();
        if let (Some(name), true) = (name, list.is_empty()) {
            self.named.remove(name);
        }
    }
}

impl Attached {
    /// Attaches a connection, unless there are `max` already (`pool-max-conn`), and wakes those who wait for one. Whoever
    /// attached it removes it when it is over.
    pub fn attach(&self, what: Attachment, max: Option<u32>) -> Option<Arc<Agent>> {
        let mut agents = self.agents.lock();
        if max.is_some_and(|max| agents.count >= max as usize) {
            return None;
        }
        let id = self.count.fetch_add(1, Relaxed) + 1;
        let agent = Arc::new(Agent { id, what });
        agents.add(agent.clone());
        drop(agents);
        self.changed.notify_waiters();
        Some(agent)
    }

    /// Forgets a connection; the streams on it go on.
    pub fn detach(&self, agent: &Agent) {
        self.agents.lock().remove(agent);
    }

    /// Opens a stream on the connection of that name which has the fewest.
    pub fn open(&self, name: Option<&[u8]>) -> Option<(Arc<Agent>, Box<dyn BackStream>)> {
        let least = {
            let agents = self.agents.lock();
            let usable = agents.of(name).iter().filter(|a| a.what.conn.is_usable());
            usable.min_by_key(|a| a.what.conn.streams()).cloned()?
        };
        if let Some(stream) = least.what.conn.open() {
            return Some((least, stream));
        }
        // It filled up meanwhile, or allows fewer streams than others do.
        let mut others = self.agents.lock().of(name).to_vec();
        others.retain(|a| a.id != least.id && a.what.conn.is_usable());
        others.sort_by_cached_key(|a| a.what.conn.streams());
        others.into_iter().find_map(|a| {
            let stream = a.what.conn.open()?;
            Some((a, stream))
        })
    }

    /// Whether one of that name takes streams, has it room at present or not.
    pub fn knows(&self, name: Option<&[u8]>) -> bool {
        self.agents.lock().of(name).iter().any(|a| a.what.conn.is_usable())
    }

    /// All of them, oldest first.
    pub fn list(&self) -> Vec<Arc<Agent>> {
        let mut all: Vec<_> = self.agents.lock().all().cloned().collect();
        all.sort_unstable_by_key(|a| a.id);
        all
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.agents.lock().count
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A stream on one of them has ended: there is room.
    pub fn freed(&self) {
        if self.waiting.load(Relaxed) > 0 {
            self.changed.notify_waiters();
        }
    }

    /// Counts a request that waits for a change.
    pub fn wait(&self) -> Waiting<'_> {
        self.waiting.fetch_add(1, Relaxed);
        Waiting(self)
    }
}

/// A request that waits for a connection, or for room on one.
#[derive(Debug)]
pub struct Waiting<'a>(&'a Attached);

impl Waiting<'_> {
    /// Completes at the next change. To be made before [`Attached::open`] is tried, so that none is missed.
    pub fn change(&self) -> OwnedNotified {
        self.0.changed.clone().notified_owned()
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::fake::Lines;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    fn attach(list: &Attached, name: Option<&[u8]>, conn: &Arc<Lines>) -> Arc<Agent> {
        let what = Attachment {
            name: name.map(Into::into),
            conn: conn.clone(),
            src: Address::Unknown,
            thread: 0,
            since: hawser_proto::clock::now(),
        };
        list.attach(what, None).unwrap()
    }

    #[test]
    fn no_more_than_the_pool_may_hold() {
        let list = Attached::default();
        let what = || Attachment {
            name: None,
            conn: Arc::<Lines>::default(),
            src: Address::Unknown,
            thread: 0,
            since: hawser_proto::clock::now(),
        };
        let first = list.attach(what(), Some(1)).unwrap();
        assert!(list.attach(what(), Some(1)).is_none());
        list.detach(&first);
        list.detach(&first);
        assert!(list.is_empty() && list.attach(what(), Some(0)).is_none());
        assert!(list.attach(what(), Some(1)).is_some());
    }

    #[test]
    fn names_must_be_the_same() {
        let list = Attached::default();
        let conns: [Arc<Lines>; 3] = Default::default();
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
        list.detach(&last);
        list.open(Some(b"a"));
        assert_eq!((asked(), list.len()), ([1, 1, 2], 2));
    }

    #[test]
    fn an_arrival_is_told() {
        let list = Attached::default();
        let mut cx = Context::from_waker(Waker::noop());
        list.freed();
        let waiting = list.wait();
        let mut next = pin!(waiting.change());
        assert!(next.as_mut().poll(&mut cx).is_pending());
        attach(&list, None, &Arc::default());
        assert!(next.as_mut().poll(&mut cx).is_ready());
        let mut early = pin!(waiting.change());
        attach(&list, None, &Arc::default());
        assert!(early.as_mut().poll(&mut cx).is_ready(), "it came before the first poll");
        let mut room = pin!(waiting.change());
        list.freed();
        assert!(room.as_mut().poll(&mut cx).is_ready());
        drop(waiting);
        assert_eq!(list.waiting.load(Relaxed), 0);
    }

    #[test]
    fn all_are_listed_until_they_are_detached() {
        let list = Attached::default();
        let conn = Arc::<Lines>::default();
        let (first, second) = (attach(&list, None, &conn), attach(&list, None, &conn));
        assert!(list.knows(None) && !list.knows(Some(b"x")));
        let ids: Vec<u64> = list.list().iter().map(|a| a.id).collect();
        assert_eq!(ids, [first.id, second.id]);
        list.detach(&first);
        list.detach(&second);
        assert!(list.is_empty());
    }

    #[test]
    fn the_least_loaded_comes_first() {
        let list = Attached::default();
        let conns = [5, 2, 3].map(|n| Arc::new(Lines { max: 9, streams: n.into(), ..Lines::default() }));
        for c in &conns {
            attach(&list, None, c);
        }
        let ids: Vec<u64> = (0..5).map(|_| list.open(None).unwrap().0.id).collect();
        assert_eq!(ids, [2, 2, 3, 2, 3]);
    }
}
