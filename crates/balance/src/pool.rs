//! Idle connections to servers, kept for the next request (manual 4.2 `http-reuse`, 5.2 `pool-*`).
//!
//! Each worker thread has its own pool. A thread that finds nothing in its own may take a connection over from another
//! one's ([`IdlePool::give_away`], `tune.idle-pool.shared`). Limits per server (`pool-max-conn`) count the connections of
//! all threads; the estimate of how many are needed is per thread.

use crate::server::{Admin, Place, Server};
use crate::time::Ms;
use hawser_cfg::model::Reuse;
use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

mod attached;
#[cfg(test)]
mod fake;
mod keys;
mod ping;
mod shared;
mod strict;
mod usage;

pub use attached::{Agent, Attached, Attachment};
use keys::KeyMap;
pub use shared::{Scope, Shared, Sharing};
pub use strict::Berth;
pub use usage::FdPressure;
use usage::Usage;

/// `pool-purge-delay` by default, ms.
const PURGE_DELAY: u32 = 5000;

/// What the pool asks of a connection.
pub trait Idle {
    /// A first request runs no risk on it, even if it was never reused: its protocol tells what was not processed.
    fn is_proven(&self) -> bool {
        false
    }

    /// The peer closed it, or sent something nobody asked for. Must not make a system call: readiness that the
    /// runtime already knows of is enough, since a request that fails on a connection that died meanwhile is
    /// retried anyhow.
    fn is_dead(&mut self) -> bool;

    /// Asks the peer for a sign of life, without which the connection ends after `timeout`, where the protocol has
    /// such a thing; false where it has not.
    fn ping(&mut self, timeout: Duration) -> bool {
        let _ = timeout;
        false
    }
}

/// A connection to a server, counted as used or idle wherever it is.
#[derive(Debug)]
pub struct Conn<C> {
    /// The connection.
    pub io: C,
    /// Bound to one client (NTLM, a source address taken from the client, ...): never shared.
    pub private: bool,
    hash: u64,
    uses: u32,
    lease: Lease,
}

impl<C> Conn<C> {
    /// The server.
    pub fn server(&self) -> &Arc<Server> {
        &self.lease.server
    }

    /// Puts something else in its place: what carries a connection in use is not what waits in the pool.
    pub fn swap<D>(self, io: D) -> (C, Conn<D>) {
        let Self { io: old, private, hash, uses, lease } = self;
        (old, Conn { io, private, hash, uses, lease })
    }

    /// Hash of the properties that a request must share to use it.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// How often it was reused.
    pub fn uses(&self) -> u32 {
        self.uses
    }

    /// Whether `max-reuse` lets another request use it, and how it was marked since.
    pub fn may_be_reused(&self) -> bool {
        // -1 is no limit.
        self.lease
            .server
            .opts
            .max_reuse
            .is_none_or(|max| u32::try_from(max).is_err() || self.uses < max as u32)
    }

    /// Counts another request on it by the client that owns it, without passing through the pool.
    pub fn reuse_by_owner(&mut self) {
        self.uses += 1;
    }
}

/// The counted side of a connection.
#[derive(Debug)]
struct Lease {
    server: Arc<Server>,
    usage: Arc<Usage>,
    place: Place,
    /// Of a server that is strict about its number of connections.
    berth: Option<Berth>,
}

impl Lease {
    fn enter(&mut self, place: Place) {
        self.server.idle.moves(Some(self.place), Some(place));
        self.usage.leave(self.place);
        self.usage.enter(place, &self.server);
        self.place = place;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.server.idle.moves(Some(self.place), None);
        self.usage.leave(self.place);
    }
}

#[derive(Debug)]
struct Entry<C> {
    conn: Conn<C>,
    since: Ms,
    /// When the next sign of life is asked for (`idle-ping`).
    ping_at: Option<Ms>,
}

/// Connections with equal hashes, each list oldest first.
#[derive(Debug)]
struct Lists<C> {
    /// Never reused yet: the server may not support it.
    idle: Vec<Entry<C>>,
    /// Reused at least once.
    safe: Vec<Entry<C>>,
}

impl<C> Default for Lists<C> {
    fn default() -> Self {
        Self { idle: Vec::new(), safe: Vec::new() }
    }
}

#[derive(Debug)]
struct ServerPool<C> {
    server: Arc<Server>,
    usage: Arc<Usage>,
    by_hash: KeyMap<Lists<C>>,
    next_purge: Ms,
}

/// The idle connections of one thread.
#[derive(Debug)]
pub struct IdlePool<C> {
    servers: KeyMap<ServerPool<C>>,
    pressure: Arc<FdPressure>,
    next_purge: Cell<Option<Ms>>,
    next_ping: Option<Ms>,
}

impl<C: Idle> IdlePool<C> {
    /// An empty pool.
    pub fn new(pressure: Arc<FdPressure>) -> Self {
        Self { servers: KeyMap::default(), pressure, next_purge: Cell::new(None), next_ping: None }
    }

    /// Registers a connection that was just established, in use.
    pub fn opened<T>(&mut self, server: &Arc<Server>, hash: u64, io: T) -> Conn<T> {
        let usage = self.of(server).usage.clone();
        server.idle.moves(None, Some(Place::Used));
        usage.enter(Place::Used, server);
        let lease = Lease { server: server.clone(), usage, place: Place::Used, berth: None };
        Conn { io, private: false, hash, uses: 0, lease }
    }

    /// Takes an idle connection for a request, the most recently used one first. `first` is the first request of
    /// a client connection, which modes below `always` protect from connections that may just be closing.
    pub fn take(&mut self, server: &Arc<Server>, hash: u64, mode: Reuse, first: bool) -> Option<Conn<C>> {
        let mut conn = self.pop(server, hash, mode, first)?;
        conn.lease.enter(Place::Used);
        Some(conn)
    }

    /// Whether other pools have idle connections to the server that this one lacks, and enough of them
    /// (`pool-low-conn`).
    pub fn misses(&self, server: &Arc<Server>) -> bool {
        let pooled = server.idle.pooled();
        let own = self.servers.get(&server.uid).map_or(0, |p| p.usage.idle());
        let low = server.opts.pool_low_conn.unwrap_or(0);
        pooled > own && (pooled >= low || self.pressure.is_low())
    }

    /// As [`IdlePool::take`], for another thread: [`IdlePool::receive`] puts the connection into use there.
    pub fn give_away(
        &mut self,
        server: &Arc<Server>,
        hash: u64,
        mode: Reuse,
        first: bool,
    ) -> Option<Conn<C>> {
        self.pop(server, hash, mode, first)
    }

    /// Puts a connection into use that another thread's pool gave away.
    pub fn receive(&mut self, mut conn: Conn<C>) -> Conn<C> {
        let lease = &mut conn.lease;
        lease.server.idle.moves(Some(lease.place), Some(Place::Used));
        lease.usage.leave(lease.place);
        lease.usage = self.of(&lease.server).usage.clone();
        lease.usage.enter(Place::Used, &lease.server);
        lease.place = Place::Used;
        conn
    }

    fn pop(&mut self, server: &Arc<Server>, hash: u64, mode: Reuse, first: bool) -> Option<Conn<C>> {
        if mode == Reuse::Never || (first && mode == Reuse::Safe) {
            return None;
        }
        let lists = self.servers.get_mut(&server.uid)?.by_hash.get_mut(&hash)?;
        let mut conn = lists.pop(mode, first)?;
        conn.uses += 1;
        Some(conn)
    }

    /// Keeps a connection that has just become idle.
    ///
    /// # Errors
    /// Gives it back when it must not be shared or is not worth keeping: it is private, dead, worn out
    /// (`max-reuse`), the server's pools are full or off, more are idle than the load needs, or descriptors are
    /// scarce.
    pub fn put(&mut self, mut conn: Conn<C>, now: Ms) -> Result<(), Conn<C>> {
        let o = &conn.lease.server.opts;
        let delay = o.pool_purge_delay.unwrap_or(PURGE_DELAY);
        let pooled = conn.lease.server.idle.pooled();
        // -1 is no limit.
        let full = u32::try_from(o.pool_max_conn.unwrap_or(-1)).is_ok_and(|max| pooled >= max);
        // A thread keeps its first one even if the load does not seem to need it.
        let first = conn.lease.usage.idle() == 0;
        let needed = || conn.lease.usage.needs_idle(o.pool_low_conn.unwrap_or(0));
        let room = !self.pressure.is_high() && (first || (!self.pressure.is_low() && needed()));
        if conn.private || full || delay == 0 || !room || !conn.may_be_reused() {
            return Err(conn);
        }
        if conn.lease.server.state().admin.any(Admin::MAINT) || conn.io.is_dead() {
            return Err(conn);
        }
        let ping_at = self.ping_at(&conn.lease.server, now);
        let pool = self.of(&conn.lease.server);
        let lists = pool.by_hash.entry(conn.hash).or_default();
        if conn.uses == 0 && !conn.io.is_proven() {
            conn.lease.enter(Place::Idle);
            lists.idle.push(Entry { conn, since: now, ping_at });
        } else {
            conn.lease.enter(Place::Safe);
            lists.safe.push(Entry { conn, since: now, ping_at });
        }
        if pool.next_purge == 0 {
            pool.next_purge = now + Ms::from(delay);
        }
        let purge = pool.next_purge;
        self.next_purge.set(Some(self.next_purge.get().map_or(purge, |t| t.min(purge))));
        Ok(())
    }

    /// When [`IdlePool::purge`] has something to do next.
    pub fn next_purge(&self) -> Option<Ms> {
        self.next_purge.get()
    }

    /// When [`IdlePool::purge`] or [`IdlePool::ping`] has something to do next.
    pub fn next_due(&self) -> Option<Ms> {
        let (purge, ping) = (self.next_purge.get(), self.next_ping);
        purge.into_iter().chain(ping).min()
    }

    /// Closes the connections that died.
    pub fn sweep(&mut self) {
        for lists in self.servers.values_mut().flat_map(|p| p.by_hash.values_mut()) {
            lists.idle.retain_mut(|e| !e.conn.io.is_dead());
            lists.safe.retain_mut(|e| !e.conn.io.is_dead());
        }
    }

    /// Closes half of the idle connections that the recent load did not need, for each server whose
    /// `pool-purge-delay` has passed, and those that died or whose server is in maintenance.
    pub fn purge(&mut self, now: Ms) {
        let mut next = None;
        for p in self.servers.values_mut() {
            if p.next_purge != 0 && p.next_purge <= now {
                p.purge();
                let delay = p.server.opts.pool_purge_delay.unwrap_or(PURGE_DELAY);
                p.next_purge = if p.by_hash.is_empty() { 0 } else { now + Ms::from(delay) };
            }
            if p.next_purge != 0 {
                next = Some(next.map_or(p.next_purge, |n: Ms| n.min(p.next_purge)));
            }
        }
        // A server of a configuration that is gone lives on in its pool only as long as it has connections.
        self.servers.retain(|_, p| !p.by_hash.is_empty() || Arc::strong_count(&p.usage) > 1);
        self.next_purge.set(next);
    }

    /// To be called before a new connection is opened because none could be reused: when descriptors are
    /// scarce, closes the idle connection that was unused for longest.
    pub fn make_room(&mut self) {
        if self.pressure.is_high() {
            let oldest = self.servers.values().filter_map(|p| Some((p.oldest()?, p.server.uid))).min();
            if let Some((_, uid)) = oldest
                && let Some(p) = self.servers.get_mut(&uid)
            {
                p.close_oldest(1);
            }
        }
    }

    /// Closes all idle connections to a server.
    pub fn clear(&mut self, server: &Server) {
        if let Some(p) = self.servers.get_mut(&server.uid) {
            p.by_hash.clear();
        }
    }

    /// Number of idle connections in this pool.
    pub fn len(&self) -> usize {
        self.servers.values().map(ServerPool::len).sum()
    }

    /// Nothing is idle.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn of(&mut self, server: &Arc<Server>) -> &mut ServerPool<C> {
        self.servers.entry(server.uid).or_insert_with(|| ServerPool {
            server: server.clone(),
            usage: Arc::default(),
            by_hash: KeyMap::default(),
            next_purge: 0,
        })
    }
}

impl<C: Idle> Lists<C> {
    fn entries_mut(&mut self) -> impl Iterator<Item = &mut Entry<C>> {
        self.idle.iter_mut().chain(&mut self.safe)
    }

    fn pop(&mut self, mode: Reuse, first: bool) -> Option<Conn<C>> {
        while let Some(mut e) = self.pop_any(mode, first) {
            if !e.conn.io.is_dead() {
                return Some(e.conn);
            }
        }
        None
    }

    fn pop_any(&mut self, mode: Reuse, first: bool) -> Option<Entry<C>> {
        match (mode, first) {
            (Reuse::Aggressive, true) => self.safe.pop(),
            (_, true) => self.safe.pop().or_else(|| self.idle.pop()),
            // Leaves proven connections to first requests, which need them.
            (_, false) => self.idle.pop().or_else(|| self.safe.pop()),
        }
    }
}

impl<C: Idle> ServerPool<C> {
    fn purge(&mut self) {
        let excess = self.usage.end_period(&self.server);
        if self.server.state().admin.any(Admin::MAINT) {
            self.by_hash.clear();
            return;
        }
        let close = excess.div_ceil(2) as usize;
        let before = self.len();
        for lists in self.by_hash.values_mut() {
            lists.idle.retain_mut(|e| !e.conn.io.is_dead());
            lists.safe.retain_mut(|e| !e.conn.io.is_dead());
        }
        self.close_oldest(close.saturating_sub(before - self.len()));
    }
}

impl<C> ServerPool<C> {
    fn entries(&self) -> impl Iterator<Item = &Entry<C>> {
        self.by_hash.values().flat_map(|l| l.idle.iter().chain(&l.safe))
    }

    fn len(&self) -> usize {
        self.by_hash.values().map(|l| l.idle.len() + l.safe.len()).sum()
    }

    fn oldest(&self) -> Option<Ms> {
        // Lists are oldest first, but one server has many lists.
        self.by_hash
            .values()
            .flat_map(|l| l.idle.first().into_iter().chain(l.safe.first()))
            .map(|e| e.since)
            .min()
    }

    /// Closes those that were unused for longest.
    fn close_oldest(&mut self, n: usize) {
        let mut since: Vec<Ms> = self.entries().map(|e| e.since).collect();
        if n > 0 && !since.is_empty() {
            let n = n.min(since.len());
            let (_, limit, _) = since.select_nth_unstable(n - 1);
            let limit = *limit;
            // Those before the limit all go, and of those at the limit as many as are left to close.
            let mut left = n;
            for pass in [|s: Ms, limit: Ms| s < limit, |s: Ms, limit: Ms| s == limit] {
                for l in self.by_hash.values_mut() {
                    for list in [&mut l.idle, &mut l.safe] {
                        list.retain(|e| {
                            let close = left > 0 && pass(e.since, limit);
                            left -= usize::from(close);
                            !close
                        });
                    }
                }
            }
        }
        self.by_hash.retain(|_, l| !(l.idle.is_empty() && l.safe.is_empty()));
    }
}

#[cfg(test)]
mod tests;
