//! Idle connections to servers: `http-reuse`.

use crate::client::Client;
use crate::connect::Target;
use crate::link::{Hold, Link};
use crate::snapshot::Back;
use crate::stream::Stream;
use hawser_balance::{Conn, Idle, Server, time};
use hawser_cfg::model::{ConnMode, Reuse};
use hawser_proto::mux::BackStream;
use std::sync::Arc;
use std::task::{Context, Waker};

/// Most idle connections that one client keeps for itself (`max-session-srv-conns` by default).
const OWN_MAX: usize = 5;

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wire").finish_non_exhaustive()
    }
}

/// A connection in use, as it is counted.
pub(crate) type Seat = Conn<()>;

/// An idle connection to a server.
pub(crate) struct Wire {
    stream: Box<dyn BackStream + Send>,
    /// Of the task that throws dead connections out of the pool.
    reaper: Waker,
}

impl Idle for Wire {
    fn is_dead(&mut self) -> bool {
        self.stream.poll_dead(&mut Context::from_waker(&self.reaper)).is_ready()
    }
}

/// An idle connection to a server, if `http-reuse` allows one.
pub(crate) fn take(cl: &mut Client, server: &Arc<Server>, target: &Target, back: &Back) -> Option<Link> {
    let hash = target.hash;
    let conn = match take_own(cl, server, hash) {
        Some(own) => own,
        None => take_shared(cl, server, hash, back)?,
    };
    let (wire, seat) = conn.swap(());
    Some(Link::new(wire.stream, Hold::Alone(seat), true))
}

/// A connection of this thread's pool, or of another's.
fn take_shared(cl: &Client, server: &Arc<Server>, hash: u64, back: &Back) -> Option<Conn<Wire>> {
    let mode = back.reuse;
    // Where every failure is retried, a first request has nothing to fear.
    let first = cl.is_first() && !back.retry.repairs_reuse();
    let mut own = cl.worker.pool();
    if let Some(conn) = own.take(server, hash, mode, first) {
        return Some(conn);
    }
    if !cl.snapshot.idle_pool_shared || !own.misses(server) {
        return None;
    }
    drop(own);
    let mut conn = cl.worker.other_pools().find_map(|p| p.lock().give_away(server, hash, mode, first))?;
    conn.io.stream.migrate().ok()?;
    Some(cl.worker.pool().receive(conn))
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

/// Counts a new connection.
pub(crate) fn opened(
    cl: &Client,
    server: &Arc<Server>,
    target: &Target,
    stream: Box<dyn BackStream>,
) -> Link {
    let seat = cl.worker.pool().opened(server, target.hash, ());
    Link::new(stream, Hold::Alone(seat), false)
}

/// Whether a connection may outlive the exchange, as the proxies' options say.
pub(crate) fn may_keep(cl: &Client, st: &Stream) -> bool {
    let keeps = |m: ConnMode| m == ConnMode::KeepAlive;
    keeps(cl.fe.conn_mode) && st.be.as_ref().is_none_or(|b| keeps(b.conn_mode))
}

/// Keeps a connection whose exchange is over, if it can carry another.
pub(crate) fn give_back(cl: &mut Client, st: &Stream, mut link: Link, whole: bool) {
    if !link.stream().next_request() || !whole {
        return;
    }
    let (stream, Hold::Alone(seat)) = link.into_parts() else { return };
    let Some(stream) = stream.into_send() else { return };
    let ((), conn) = seat.swap(Wire { stream, reaper: cl.worker.reaper() });
    let mode = st.be.as_ref().and_then(|b| b.back.as_ref()).map(|b| b.reuse);
    if mode == Some(Reuse::Never) || conn.private {
        let mut kept = cl.keep();
        let conns = &mut kept.conns;
        if conns.len() >= OWN_MAX {
            conns.remove(0);
        }
        conns.push(conn);
        return;
    }
    let mut pool = cl.worker.pool();
    let asleep = pool.next_purge().is_none();
    // What the pool does not want is closed.
    let kept = pool.put(conn, time::ms(cl.now())).is_ok();
    drop(pool);
    if asleep && kept {
        cl.worker.reaper().wake();
    }
}
