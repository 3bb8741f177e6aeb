//! Idle connections to servers: `http-reuse`.

use crate::client::Client;
use crate::connect::{Link, Target};
use crate::stream::Stream;
use hawser_balance::{Conn, Idle, Server, time};
use hawser_cfg::model::{ConnMode, Reuse};
use hawser_proto::mux::{BackStream, MessageInfo};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::task::{Context, Waker};

/// Most idle connections that one client keeps for itself (`max-session-srv-conns` by default).
const OWN_MAX: usize = 5;

/// A connection to a server, in use or idle.
pub(crate) struct Wire {
    pub(crate) stream: Box<dyn BackStream>,
    /// Of the task that throws dead connections out of the pool.
    reaper: Waker,
}

impl Idle for Wire {
    fn is_dead(&mut self) -> bool {
        self.stream.poll_dead(&mut Context::from_waker(&self.reaper)).is_ready()
    }
}

/// Connections whose properties are equal may be shared: those that a server's options leave to the request.
fn hash(st: &Stream, target: &Target) -> u64 {
    let (mark, tos) = (st.asks.bc_mark, st.asks.bc_tos);
    if mark.is_none() && tos.is_none() && !target.from_client {
        return 0;
    }
    let mut h = DefaultHasher::new();
    (mark, tos).hash(&mut h);
    if target.from_client {
        target.addr.hash(&mut h);
    }
    h.finish()
}

/// An idle connection to a server, if `http-reuse` allows one.
pub(crate) fn take(
    cl: &mut Client,
    st: &Stream,
    server: &Arc<Server>,
    target: &Target,
    mode: Reuse,
) -> Option<Link> {
    let hash = hash(st, target);
    let conn = match take_own(cl, server, hash) {
        Some(own) => own,
        None => cl.worker.pool().take(server, hash, mode, cl.sess.request_index == 0)?,
    };
    Some(Link { conn, info: MessageInfo::default(), reused: true })
}

/// A connection that belongs to this client alone and leads to the server.
fn take_own(cl: &mut Client, server: &Arc<Server>, hash: u64) -> Option<Conn<Wire>> {
    let conns = &mut cl.kept.as_mut()?.conns;
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
    st: &Stream,
    server: &Arc<Server>,
    target: &Target,
    stream: Box<dyn BackStream>,
) -> Link {
    let wire = Wire { stream, reaper: cl.worker.reaper() };
    let conn: Conn<Wire> = cl.worker.pool().opened(server, hash(st, target), wire);
    Link { conn, info: MessageInfo::default(), reused: false }
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
    let mode = st.be.as_ref().and_then(|b| b.back.as_ref()).map(|b| b.reuse);
    if mode == Some(Reuse::Never) || link.conn.private {
        let conns = &mut cl.keep().conns;
        if conns.len() >= OWN_MAX {
            conns.remove(0);
        }
        conns.push(link.conn);
        return;
    }
    let mut pool = cl.worker.pool();
    let asleep = pool.next_purge().is_none();
    // What the pool does not want is closed.
    let kept = pool.put(link.conn, time::ms(cl.now())).is_ok();
    drop(pool);
    if asleep && kept {
        cl.worker.reaper().wake();
    }
}
