//! Servers that never have more connections than `maxconn` allows requests (manual 5.2 `strict-maxconn`).

use super::{Conn, Idle, IdlePool};
use crate::server::Server;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// A connection's place among those that its server may have, whether it is in use, idle, or still being established.
#[derive(Debug)]
pub struct Berth(Arc<Server>);

impl Berth {
    /// A place for one more.
    pub fn take(server: &Arc<Server>) -> Option<Self> {
        let max = server.load.maxconn.load(Relaxed);
        let one_more = |n: u32| (n < max).then_some(n + 1);
        server.conns.fetch_update(Relaxed, Relaxed, one_more).ok()?;
        Some(Self(server.clone()))
    }
}

impl Drop for Berth {
    fn drop(&mut self) {
        self.0.conns.fetch_sub(1, Relaxed);
    }
}

impl<C> Conn<C> {
    /// Gives it its place among the server's connections.
    pub fn moor(&mut self, berth: Option<Berth>) {
        self.lease.berth = berth;
    }
}

impl<C: Idle> IdlePool<C> {
    /// Closes an idle connection to a server, if there is one.
    pub fn close_one(&mut self, server: &Server) -> bool {
        let Some(p) = self.servers.get_mut(&server.uid).filter(|p| p.len() > 0) else { return false };
        p.close_oldest(1);
        true
    }
}
