//! Connections to servers that are used again: `http-reuse`.

mod lend;

pub use lend::Loan;

use crate::client::Client;
use crate::link::{Hold, Link};
use crate::snapshot::Back;
use crate::stream::Stream;
use crate::target::Target;
use crate::worker::Worker;
use hawser_balance::{Berth, Conn, Idle, Scope, Server, Shared};
use hawser_cfg::model::{ConnMode, Reuse};
use hawser_proto::mux::{BackConn, BackStream};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

/// A connection in use, as it is counted.
pub(crate) type Seat = Conn<()>;

/// An idle connection to a server.
pub(crate) struct Wire {
    line: Line,
    /// Of the task that throws dead connections out of the pool.
    reaper: Waker,
}

enum Line {
    /// One request after the other.
    Single(Box<dyn BackStream + Send>),
    /// Many at once.
    Multi(Lane),
}

/// Ends its connection unless it is taken out.
struct Lane(Option<Arc<dyn BackConn>>);

impl Drop for Lane {
    fn drop(&mut self) {
        if let Some(conn) = &self.0 {
            conn.drain();
        }
    }
}

impl Wire {
    /// A connection of many streams that carries none.
    pub(crate) fn multi(conn: Arc<dyn BackConn>, reaper: Waker) -> Self {
        Self { line: Line::Multi(Lane(Some(conn))), reaper }
    }
}

impl Idle for Wire {
    fn is_proven(&self) -> bool {
        matches!(self.line, Line::Multi(_))
    }

    fn is_dead(&mut self) -> bool {
        let cx = &mut Context::from_waker(&self.reaper);
        match &mut self.line {
            Line::Single(stream) => stream.poll_dead(cx).is_ready(),
            Line::Multi(Lane(Some(conn))) => !conn.is_usable() || conn.poll_closed(cx).is_ready(),
            Line::Multi(Lane(None)) => true,
        }
    }

    fn ping(&mut self, timeout: Duration) -> bool {
        let Line::Multi(Lane(Some(conn))) = &self.line else { return false };
        conn.ping(timeout);
        true
    }
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wire").finish_non_exhaustive()
    }
}

/// One stream of a connection that carries many.
pub(crate) struct Ride {
    shared: Rc<Shared>,
    server: Arc<Server>,
    worker: Worker,
}

impl Ride {
    /// The server.
    pub(crate) fn server(&self) -> &Arc<Server> {
        &self.server
    }
}

impl Drop for Ride {
    fn drop(&mut self) {
        let left = self.worker.sharing().leave(&self.shared);
        if let Some((seat, conn)) = left {
            let ((), conn) = seat.swap(Wire::multi(conn, self.worker.reaper()));
            self.worker.park(conn);
        }
    }
}

/// A connection to a server, if `http-reuse` allows one that is there. `multi` tells that they carry many streams.
pub(crate) fn take(
    cl: &mut Client,
    server: &Arc<Server>,
    target: &Target,
    back: &Back,
    multi: bool,
) -> Option<Link> {
    if multi {
        return join(cl, server, target.hash, back);
    }
    let hash = target.hash;
    let conn = match take_own(cl, server, hash) {
        Some(own) => own,
        None => take_pooled(&cl.worker, server, &Wish::of(cl, hash, back))?,
    };
    let (Wire { line: Line::Single(stream), .. }, seat) = conn.swap(()) else { return None };
    Some(Link::new(stream, Hold::Alone(seat), true))
}

/// A stream on a connection that carries many.
fn join(cl: &mut Client, server: &Arc<Server>, hash: u64, back: &Back) -> Option<Link> {
    let link = |shared: Rc<Shared>, stream| {
        let ride = Ride { shared, server: server.clone(), worker: cl.worker.clone() };
        Some(Link::new(stream, Hold::Shared(ride), true))
    };
    if let Some((shared, stream)) = join_own(cl, server, hash) {
        return link(shared, stream);
    }
    let mode = back.reuse;
    if mode == Reuse::Never {
        return None;
    }
    if let Some((shared, stream)) = cl.worker.sharing().join(server, hash) {
        return link(shared, stream);
    }
    let (Wire { line: Line::Multi(mut lane), .. }, seat) =
        take_pooled(&cl.worker, server, &Wish::of(cl, hash, back))?.swap(())
    else {
        return None;
    };
    let stream = lane.0.as_ref()?.open()?;
    let conn = lane.0.take()?;
    link(share(cl, seat, conn, proven_scope(mode)), stream)
}

/// A connection of many streams that only this client may use.
fn join_own(cl: &Client, server: &Arc<Server>, hash: u64) -> Option<(Rc<Shared>, Box<dyn BackStream>)> {
    let mut kept = cl.kept.borrow_mut();
    let shared = &mut kept.as_mut()?.shared;
    shared.retain(|s| s.streams() > 0 || s.is_usable());
    trim(shared, most_own(cl));
    shared.iter().filter(|s| s.is_for(server, hash)).find_map(|s| Some((s.clone(), s.add()?)))
}

/// Makes a connection's first stream one of many.
fn share(cl: &Client, seat: Seat, conn: Arc<dyn BackConn>, scope: Scope) -> Rc<Shared> {
    let shared = cl.worker.sharing().share(seat, conn, scope);
    // A client that asks one thing after the other will find the connection in the pool.
    if scope == Scope::Private || (scope == Scope::Client && cl.multiplexes()) {
        let own = &mut cl.keep().shared;
        trim(own, most_own(cl).saturating_sub(1));
        own.push(shared.clone());
    }
    shared
}

/// Most idle connections that a client keeps for itself.
fn most_own(cl: &Client) -> usize {
    cl.fe.front.as_ref().map_or(0, |f| f.max_session_srv_conns)
}

/// Gives up those that are over, and the oldest idle ones beyond so many.
fn trim(own: &mut Vec<Rc<Shared>>, most: usize) {
    own.retain(|s| s.is_live());
    let mut excess = own.iter().filter(|s| s.streams() == 0).count().saturating_sub(most);
    own.retain(|s| {
        let goes = excess > 0 && s.streams() == 0;
        excess -= usize::from(goes);
        !goes
    });
}

/// What a request may use of the pools.
pub(crate) struct Wish {
    pub(crate) hash: u64,
    pub(crate) mode: Reuse,
    /// It is a client's first.
    pub(crate) first: bool,
    /// Connections of other threads will do (`tune.idle-pool.shared`).
    pub(crate) shared: bool,
}

impl Wish {
    fn of(cl: &Client, hash: u64, back: &Back) -> Self {
        // Where every failure is retried, a first request has nothing to fear.
        let first = cl.is_first() && !back.retry.repairs_reuse();
        Self { hash, mode: back.reuse, first, shared: cl.snapshot.idle_pool_shared }
    }
}

/// A connection of this thread's pool, or of another's.
fn take_pooled(worker: &Worker, server: &Arc<Server>, wish: &Wish) -> Option<Conn<Wire>> {
    let Wish { hash, mode, first, shared } = *wish;
    let mut own = worker.pool();
    if let Some(conn) = own.take(server, hash, mode, first) {
        return Some(conn);
    }
    if !shared || !own.misses(server) {
        return None;
    }
    drop(own);
    let mut conn = worker.other_pools().find_map(|p| p.lock().give_away(server, hash, mode, first))?;
    if let Line::Single(stream) = &mut conn.io.line {
        stream.migrate().ok()?;
    }
    Some(worker.pool().receive(conn))
}

/// A connection that belongs to this client alone and leads to the server.
fn take_own(cl: &Client, server: &Arc<Server>, hash: u64) -> Option<Conn<Wire>> {
    let mut kept = cl.kept.borrow_mut();
    let conns = &mut kept.as_mut()?.conns;
    conns.retain_mut(|c| !c.io.is_dead());
    let found = conns.iter().position(|c| c.server().uid == server.uid && c.hash() == hash)?;
    let mut own = conns.remove(found);
    if !own.may_be_reused() {
        return None;
    }
    own.reuse_by_owner();
    Some(own)
}

/// Counts a new connection. `main` tells that it speaks what other requests to the server expect.
pub(crate) fn opened(
    cl: &Client,
    server: &Arc<Server>,
    target: &Target,
    back: &Back,
    main: bool,
    stream: Box<dyn BackStream>,
    berth: Option<Berth>,
) -> Link {
    let mut seat = cl.worker.pool().opened(server, target.hash, ());
    seat.moor(berth);
    if !main {
        return Link::new(stream, Hold::Once(seat), false);
    }
    let Some(conn) = stream.conn() else { return Link::new(stream, Hold::Alone(seat), false) };
    let shared = share(cl, seat, conn, scope_of(back.reuse));
    let ride = Ride { shared, server: server.clone(), worker: cl.worker.clone() };
    Link::new(stream, Hold::Shared(ride), false)
}

/// Who may use a new connection that carries many streams.
fn scope_of(reuse: Reuse) -> Scope {
    match reuse {
        Reuse::Never => Scope::Private,
        Reuse::Safe => Scope::Client,
        Reuse::Aggressive => Scope::Proven,
        Reuse::Always => Scope::All,
    }
}

/// Who may use one that was idle before.
fn proven_scope(reuse: Reuse) -> Scope {
    if reuse == Reuse::Safe { Scope::Client } else { Scope::All }
}

/// Authentication that holds for a connection (NTLM) makes that its client's own, and the client stay with the server.
/// One that carries streams of several clients stays as it is.
pub(crate) fn authenticated(cl: &Client, st: &Stream, link: &mut Link) {
    let name: &[u8] = match st.res.status() {
        401 => b"www-authenticate",
        407 => b"proxy-authenticate",
        _ => return,
    };
    let bound = |v: &[u8]| {
        let scheme = v.trim_ascii_start().get(..4).unwrap_or_default();
        scheme.eq_ignore_ascii_case(b"nego") || scheme.eq_ignore_ascii_case(b"ntlm")
    };
    if !st.res.values(name).flat_map(|v| v.split(|b| *b == b',')).any(bound) {
        return;
    }
    match link.hold() {
        Hold::Alone(seat) => seat.private = true,
        Hold::Shared(ride) if ride.shared.make_private() => {
            let own = &mut cl.keep().shared;
            if !own.iter().any(|s| Rc::ptr_eq(s, &ride.shared)) {
                own.push(ride.shared.clone());
            }
        }
        Hold::Shared(_) | Hold::Once(_) | Hold::Attached(_) => return,
    }
    let server = st.be.as_ref().zip(st.slot.as_ref()).map(|(be, slot)| (be.facts.index, slot.index()));
    let mut kept = cl.keep();
    (kept.bound, kept.last) = (true, server.or(kept.last));
}

/// Whether a connection may outlive the exchange, as the proxies' options say. `option httpclose` of a frontend is
/// about its clients only.
pub(crate) fn may_keep(cl: &Client, st: &Stream) -> bool {
    let be = st.be.as_ref().map_or(ConnMode::KeepAlive, |b| b.conn_mode);
    be == ConnMode::KeepAlive && cl.fe.conn_mode != ConnMode::ServerClose
}

/// Keeps a connection whose exchange is over, if it can carry another.
pub(crate) fn give_back(cl: &mut Client, st: &Stream, mut link: Link, whole: bool) {
    if !link.stream().next_request() || !whole || !may_keep(cl, st) {
        return;
    }
    let Some(conn) = idle(&cl.worker, link) else { return };
    let mode = st.be.as_ref().and_then(|b| b.back.as_ref()).map(|b| b.reuse);
    if mode == Some(Reuse::Never) || conn.private {
        let most = most_own(cl);
        let conns = &mut cl.keep().conns;
        if conns.len() >= most {
            conns.retain_mut(|c| !c.io.is_dead());
        }
        if conns.len() < most {
            conns.push(conn);
        }
        return;
    }
    cl.worker.park(conn);
}

/// A connection that carries one request after the other, when it carries none.
fn idle(worker: &Worker, link: Link) -> Option<Conn<Wire>> {
    let (stream, Hold::Alone(seat)) = link.into_parts() else { return None };
    let line = Line::Single(stream.into_send()?);
    Some(seat.swap(Wire { line, reaper: worker.reaper() }).1)
}
