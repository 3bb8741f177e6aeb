//! Answers for [`hawser_sample::Runtime`]: what fetches ask about backends and servers.

use crate::backend::Backend;
use crate::server::Server;
use crate::time::Ms;
use hawser_sample::ctx::ServerFacts;
use std::sync::atomic::Ordering::Relaxed;

impl Backend {
    /// Answer of `Runtime::server`.
    pub fn server_facts(&self, server: usize, now: Ms) -> Option<ServerFacts> {
        let s = self.servers.get(server)?;
        Some(ServerFacts {
            up: s.is_usable(),
            conn: s.served(),
            queued: s.queued(),
            maxconn: s.maxconn(),
            weight: s.effective_weight().div_ceil(crate::server::WEIGHT_SCALE),
            user_weight: s.weight(),
            init_weight: s.initial_weight(),
            sess_rate: s.sess_rate.read(now),
            idle: s.idle.pooled(),
        })
    }

    /// Answer of `Runtime::be_sess_rate`.
    pub fn session_rate(&self, now: Ms) -> u32 {
        self.sess_rate.read(now)
    }

    /// Answer of `Runtime::conn_free`: connections that usable servers can still take; -1 when one of them has
    /// no `maxconn`.
    pub fn connections_free(&self) -> i64 {
        self.free(|s| (s.maxconn() != 0).then(|| i64::from(s.maxconn()) - i64::from(s.served())))
    }

    /// Answer of `Runtime::conn_slots`: the same with free places in the servers' queues; -1 when one of them
    /// has no `maxconn` or no `maxqueue`.
    pub fn connection_slots(&self) -> i64 {
        self.free(|s| {
            let limited = s.maxconn() != 0 && s.maxqueue() != 0;
            let slots = i64::from(s.maxconn()) + i64::from(s.maxqueue());
            limited.then(|| slots - i64::from(s.served()) - i64::from(s.queued()))
        })
    }

    fn free(&self, of: impl Fn(&Server) -> Option<i64>) -> i64 {
        let usable = self.servers.iter().filter(|s| s.is_usable());
        usable.map(|s| of(s)).sum::<Option<i64>>().map_or(-1, |n| n.max(0))
    }

    /// Active servers that take load (`act`).
    pub fn active_servers(&self) -> u32 {
        self.farm.active.load(Relaxed)
    }

    /// Backup servers that take load (`bck`).
    pub fn backup_servers(&self) -> u32 {
        self.farm.backup.load(Relaxed)
    }

    /// Sum of the weights of the servers that load balancing may choose (`weight`).
    pub fn total_weight(&self) -> u32 {
        self.farm.weight.load(Relaxed)
    }

    /// Times that the last server was lost (`chkdown`).
    pub fn downs(&self) -> u32 {
        self.farm.downs.load(Relaxed)
    }

    /// When the backend last lost or regained its servers (`lastchg`).
    pub fn last_change(&self) -> Ms {
        self.farm.last_change.load(Relaxed)
    }

    /// Milliseconds without any server (`downtime`).
    pub fn downtime(&self, now: Ms) -> u64 {
        let down = if self.usable_servers() == 0 { now.saturating_sub(self.last_change()) } else { 0 };
        self.farm.downtime.load(Relaxed) + down
    }
}
