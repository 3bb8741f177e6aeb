//! Connections in use that carry several streams at once (HTTP/2).
//!
//! While it carries streams, such a connection is counted as one in use. Who may add a stream depends on `http-reuse`
//! (manual 4.2): everybody, or only the client that it carries streams of, since a slow stream holds up its neighbours.
//! Once it carries none it goes to the pool as any other.

use super::keys::KeyMap;
use super::{Conn, Server};
use hawser_proto::mux::{BackConn, BackStream};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

/// Who may add streams to a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// Everybody.
    All,
    /// Everybody, once it has carried a stream to its end.
    Proven,
    /// The client whose stream it carries; everybody once it carries none.
    Client,
    /// One client for as long as that lives.
    Private,
}

/// A connection in use.
pub struct Shared {
    conn: Arc<dyn BackConn>,
    /// Its place among the server's connections, as long as it does not wait in the pool.
    seat: RefCell<Option<Conn<()>>>,
    scope: Cell<Scope>,
    streams: Cell<u32>,
    /// It is among those that everybody may use.
    listed: Cell<bool>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("scope", &self.scope)
            .field("streams", &self.streams)
            .finish_non_exhaustive()
    }
}

impl Shared {
    /// It is counted as in use, by whoever holds it: not in the pool.
    pub fn is_live(&self) -> bool {
        self.seat.borrow().is_some()
    }

    /// Whether it leads to that server and has these properties.
    pub fn is_for(&self, server: &Server, hash: u64) -> bool {
        self.seat.borrow().as_ref().is_some_and(|s| s.server().uid == server.uid && s.hash() == hash)
    }

    /// Leaves it to the client whose streams it carries for good; false where it may carry streams of others.
    pub fn make_private(&self) -> bool {
        if self.scope.get() == Scope::Client {
            self.scope.set(Scope::Private);
        }
        self.scope.get() == Scope::Private
    }

    /// Streams under way.
    pub fn streams(&self) -> u32 {
        self.streams.get()
    }

    /// Whether it may ever carry another stream.
    pub fn is_usable(&self) -> bool {
        self.conn.is_usable() && self.seat.borrow().as_ref().is_some_and(Conn::may_be_reused)
    }

    /// Another stream, if there is room.
    pub fn add(&self) -> Option<Box<dyn BackStream>> {
        if !self.is_usable() {
            return None;
        }
        let stream = self.conn.open()?;
        self.streams.set(self.streams.get() + 1);
        if let Some(seat) = &mut *self.seat.borrow_mut() {
            seat.reuse_by_owner();
        }
        Some(stream)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // Nobody can use it any more.
        if self.seat.get_mut().is_some() {
            self.conn.drain();
        }
    }
}

type Key = (u64, u64);

/// The connections of one thread that have room for streams of everybody.
#[derive(Debug, Default)]
pub struct Sharing {
    /// By server and hash.
    open: KeyMap<KeyMap<Vec<Rc<Shared>>>>,
}

impl Sharing {
    /// A connection that carries its first stream.
    pub fn share(&mut self, seat: Conn<()>, conn: Arc<dyn BackConn>, scope: Scope) -> Rc<Shared> {
        let shared = Rc::new(Shared {
            conn,
            seat: RefCell::new(Some(seat)),
            scope: Cell::new(scope),
            streams: Cell::new(1),
            listed: Cell::new(false),
        });
        if scope == Scope::All {
            self.list(&shared);
        }
        shared
    }

    /// Another stream on a connection that everybody may use.
    pub fn join(&mut self, server: &Server, hash: u64) -> Option<(Rc<Shared>, Box<dyn BackStream>)> {
        let list = self.open.get_mut(&server.uid)?.get_mut(&hash)?;
        while let Some(shared) = list.last() {
            if let Some(stream) = shared.add() {
                return Some((shared.clone(), stream));
            }
            // Full, or of no use any more. It comes back when one of its streams ends.
            shared.listed.set(false);
            list.pop();
        }
        None
    }

    /// A stream of a connection ended. What carries none any more, and belongs to nobody, comes back for the pool.
    pub fn leave(&mut self, shared: &Rc<Shared>) -> Option<(Conn<()>, Arc<dyn BackConn>)> {
        let left = shared.streams.get().saturating_sub(1);
        shared.streams.set(left);
        if shared.scope.get() == Scope::Private {
            return None;
        }
        if left > 0 {
            if !shared.listed.get() && shared.scope.get() != Scope::Client && shared.is_usable() {
                self.list(shared);
            }
            return None;
        }
        self.unlist(shared);
        let seat = shared.seat.borrow_mut().take()?;
        Some((seat, shared.conn.clone()))
    }

    /// Number of connections that everybody may use.
    pub fn len(&self) -> usize {
        self.open.values().flat_map(KeyMap::values).map(Vec::len).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn list(&mut self, shared: &Rc<Shared>) {
        let Some((server, hash)) = key(shared) else { return };
        shared.listed.set(true);
        self.open.entry(server).or_default().entry(hash).or_default().push(shared.clone());
    }

    fn unlist(&mut self, shared: &Rc<Shared>) {
        if !shared.listed.replace(false) {
            return;
        }
        let Some((server, hash)) = key(shared) else { return };
        let Some(hashes) = self.open.get_mut(&server) else { return };
        if let Some(list) = hashes.get_mut(&hash) {
            list.retain(|s| !Rc::ptr_eq(s, shared));
            if list.is_empty() {
                hashes.remove(&hash);
            }
        }
        if hashes.is_empty() {
            self.open.remove(&server);
        }
    }
}

fn key(shared: &Shared) -> Option<Key> {
    let seat = shared.seat.borrow();
    let seat = seat.as_ref()?;
    Some((seat.server().uid, seat.hash()))
}

#[cfg(test)]
mod tests {
    use super::super::fake::Lines;
    use super::super::{FdPressure, Idle, IdlePool};
    use super::*;
    use crate::server::Place;
    use crate::tests::{backend, srv};
    use hawser_cfg::model::ServerOpts;
    use std::sync::atomic::Ordering::Relaxed;

    impl Idle for Arc<Lines> {
        fn is_dead(&mut self) -> bool {
            false
        }
    }

    struct Bench {
        server: Arc<Server>,
        pool: IdlePool<Arc<Lines>>,
        sharing: Sharing,
    }

    impl Bench {
        fn new(f: impl FnOnce(&mut ServerOpts)) -> Self {
            let server = backend("", vec![srv("s", f)]).servers[0].clone();
            Self { server, pool: IdlePool::new(Arc::new(FdPressure::none())), sharing: Sharing::default() }
        }

        /// A connection with room for so many streams that carries its first one.
        fn open(&mut self, max: u32, scope: Scope) -> (Rc<Shared>, Arc<Lines>) {
            let conn = Arc::new(Lines { max, ..Lines::default() });
            let seat = self.pool.opened(&self.server, 7, ());
            conn.open();
            (self.sharing.share(seat, conn.clone(), scope), conn)
        }

        fn join(&mut self) -> Option<Rc<Shared>> {
            self.sharing.join(&self.server, 7).map(|(shared, _)| shared)
        }

        /// A stream ends; whether the connection is free for the pool.
        fn leave(&mut self, shared: &Rc<Shared>, conn: &Lines) -> bool {
            conn.streams.fetch_sub(1, Relaxed);
            self.sharing.leave(shared).is_some()
        }

        fn used(&self) -> u32 {
            self.server.idle.at(Place::Used)
        }
    }

    #[test]
    fn who_may_join() {
        // (scope, at once, while another stream is left, free for the pool at the end)
        let cases = [
            (Scope::All, true, true, true),
            (Scope::Proven, false, true, true),
            (Scope::Client, false, false, true),
            (Scope::Private, false, false, false),
        ];
        for (scope, at_once, later, free) in cases {
            let mut b = Bench::new(|_| ());
            let (shared, conn) = b.open(9, scope);
            assert!(b.sharing.join(&b.server, 8).is_none(), "another hash");
            assert_eq!(b.join().is_some(), at_once, "{scope:?}");
            if !at_once {
                assert!(shared.add().is_some(), "its own client always may");
            }
            assert_eq!((shared.streams(), b.used()), (2, 1));
            assert!(!b.leave(&shared, &conn));
            assert_eq!(b.join().is_some(), later, "{scope:?}");
            while shared.streams() > 1 {
                assert!(!b.leave(&shared, &conn));
            }
            assert_eq!(b.leave(&shared, &conn), free, "{scope:?}");
            assert!(b.join().is_none(), "nothing is left on it");
            assert_eq!((shared.is_live(), b.sharing.len()), (!free, 0));
            drop(shared);
            assert_eq!((conn.drained.load(Relaxed), b.used()), (!free, 0), "{scope:?}");
        }
    }

    #[test]
    fn a_full_one_comes_back_when_a_stream_ends() {
        let mut b = Bench::new(|_| ());
        let (one, conn) = b.open(2, Scope::All);
        assert!(b.join().is_some_and(|s| Rc::ptr_eq(&s, &one)));
        assert!(b.join().is_none());
        let asked = conn.opened();
        assert!(b.join().is_none());
        assert_eq!(conn.opened(), asked, "it is not asked again");
        let (two, _) = b.open(2, Scope::All);
        assert!(b.join().is_some_and(|s| Rc::ptr_eq(&s, &two)));
        b.leave(&one, &conn);
        assert!(b.join().is_some_and(|s| Rc::ptr_eq(&s, &one)));
    }

    #[test]
    fn one_that_is_ending_is_left_alone() {
        let mut b = Bench::new(|_| ());
        let (shared, conn) = b.open(9, Scope::All);
        b.join().unwrap();
        conn.gone.store(true, Relaxed);
        assert!(b.join().is_none() && shared.add().is_none());
        assert!(!b.leave(&shared, &conn));
        assert_eq!(b.sharing.len(), 0, "it does not come back");
        let seat = b.sharing.leave(&shared);
        assert!(seat.is_some_and(|(s, _)| s.server().uid == b.server.uid));
    }

    #[test]
    fn wear_is_counted() {
        let mut b = Bench::new(|o| o.rare_mut().max_reuse = Some(2));
        let (shared, conn) = b.open(9, Scope::All);
        assert!(b.join().is_some() && b.join().is_some());
        assert!(b.join().is_none(), "three requests are two reuses");
        b.leave(&shared, &conn);
        assert!(b.join().is_none());
    }
}
