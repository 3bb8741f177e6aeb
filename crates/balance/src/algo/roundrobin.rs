//! `balance roundrobin`: weighted, dynamic.
//!
//! Every server has the moment at which its next turn is due, on a scale where a server of weight 1 has one
//! turn per [`TURN`]; the earliest one is next. Weight changes take effect at the next turn.

use super::{Algo, Choice, Made, Member, Pick, Words};
use crate::server::Server;
use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Distance between two turns of a server with the smallest effective weight.
const TURN: u64 = 1 << 36;

#[derive(Debug, Default)]
pub(super) struct RoundRobin {
    state: Mutex<Turns>,
}

pub(super) fn make(_: &mut Words<'_, '_>) -> Made {
    Ok(Box::<RoundRobin>::default())
}

#[derive(Debug, Default)]
struct Turns {
    /// (due, server): among equals, the order of the configuration.
    order: BTreeSet<(u64, u32)>,
    /// Weight and due moment by server, weight 0 for non-members.
    servers: Vec<(u32, u64)>,
    /// Due moment of the last turn taken.
    clock: u64,
}

impl Algo for RoundRobin {
    fn rebuild(&self, members: &[Member], servers: &[Arc<Server>]) {
        let mut t = self.state.lock();
        let now = t.clock;
        let mut old = std::mem::take(&mut t.servers);
        old.resize(servers.len(), (0, 0));
        t.servers = vec![(0, 0); servers.len()];
        t.order.clear();
        for m in members {
            let Some(&(weight, due)) = old.get(m.index as usize) else { continue };
            // Half a turn at first, so that heavy servers are spread between the turns of light ones. Members
            // that stay keep their place, as far as the new weight can have put them.
            let turn = TURN / u64::from(m.weight);
            let due = if weight == 0 { now + turn / 2 } else { due.min(now + turn) };
            t.servers[m.index as usize] = (m.weight, due);
            t.order.insert((due, m.index));
        }
    }

    fn pick(&self, p: &Pick<'_>) -> Option<Choice> {
        let mut t = self.state.lock();
        let server = p.first_with_room(t.order.iter().map(|o| o.1))?;
        t.advance(server);
        Some(Choice::free(server))
    }
}

impl Turns {
    fn advance(&mut self, server: u32) {
        let Some((weight, due)) = self.servers.get_mut(server as usize) else { return };
        self.order.remove(&(*due, server));
        // A server that was passed over while it was full does not make up for it.
        self.clock = self.clock.max(*due);
        *due = self.clock + TURN / u64::from((*weight).max(1));
        self.order.insert((*due, server));
    }
}
