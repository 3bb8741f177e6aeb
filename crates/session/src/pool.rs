//! Idle connections to servers: `http-reuse`.

use crate::client::Client;
use crate::connect::Link;
use crate::stream::Stream;
use hawser_balance::{Conn, Idle, Server, time};
use hawser_cfg::model::{ConnMode, Reuse};
use hawser_proto::mux::{BackStream, MessageInfo};
use std::sync::Arc;
use std::task::{Context, Waker};

/// A connection to a server, in use or idle.
pub(crate) struct Wire(pub(crate) Box<dyn BackStream>);

impl Idle for Wire {
    fn is_dead(&mut self) -> bool {
        self.0.poll_dead(&mut Context::from_waker(Waker::noop())).is_ready()
    }
}

/// Connections whose properties are equal may be shared. Those of a server differ only in the marks that rules
/// ask for.
fn hash(st: &Stream) -> u64 {
    u64::from(st.asks.bc_mark.unwrap_or(0)) << 8 | u64::from(st.asks.bc_tos.unwrap_or(0))
}

/// An idle connection to a server, if `http-reuse` allows one.
pub(crate) fn take(cl: &Client, st: &Stream, server: &Arc<Server>, mode: Reuse) -> Option<Link> {
    let first = cl.sess.request_index == 0;
    let conn = cl.worker.pool().take(server, hash(st), mode, first)?;
    Some(Link { conn, info: MessageInfo::default(), reused: true })
}

/// Counts a new connection.
pub(crate) fn opened(cl: &Client, st: &Stream, server: &Arc<Server>, stream: Box<dyn BackStream>) -> Link {
    let conn: Conn<Wire> = cl.worker.pool().opened(server, hash(st), Wire(stream));
    Link { conn, info: MessageInfo::default(), reused: false }
}

/// Whether a connection may outlive the exchange, as the proxies' options say.
pub(crate) fn may_keep(cl: &Client, st: &Stream) -> bool {
    let keeps = |m: ConnMode| m == ConnMode::KeepAlive;
    keeps(cl.fe.conn_mode) && st.be.as_ref().is_none_or(|b| keeps(b.conn_mode))
}

/// Keeps a connection whose exchange is over, if it can carry another.
pub(crate) fn give_back(cl: &Client, mut link: Link, whole: bool) {
    if link.conn.io.0.next_request() && whole {
        // What the pool does not want is closed.
        drop(cl.worker.pool().put(link.conn, time::ms(cl.now())));
        cl.worker.pool_changed();
    }
}
