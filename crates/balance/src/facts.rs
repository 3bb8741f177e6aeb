//! Answers for [`hawser_sample::Runtime`]: what fetches ask about backends and servers.

use crate::backend::Backend;
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
            sess_rate: s.sess_rate.rate(now),
            idle: s.idle.idle.load(Relaxed) + s.idle.safe.load(Relaxed),
        })
    }

    /// Answer of `Runtime::be_sess_rate`.
    pub fn session_rate(&self, now: Ms) -> u32 {
        self.sess_rate.rate(now)
    }

    /// Answer of `Runtime::conn_free`: connections that usable servers can still take; `None` when one of them
    /// has no `maxconn`, which makes the number meaningless.
    pub fn connections_free(&self) -> Option<i64> {
        let usable = || self.servers.iter().filter(|s| s.is_usable());
        if usable().any(|s| s.maxconn() == 0) {
            return None;
        }
        Some(usable().map(|s| i64::from(s.maxconn()) - i64::from(s.served())).sum())
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
