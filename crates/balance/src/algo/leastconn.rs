//! `balance leastconn`: the server with the least requests, queued ones included, for its weight; turns among
//! equals.

use super::{Algo, Choice, Made, Member, Pick, Words};
use crate::server::Server;
use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::sync::Arc;

#[derive(Debug, Default)]
pub(super) struct LeastConn {
    state: Mutex<Order>,
}

#[derive(Debug, Default)]
struct Order {
    /// (load, turn, server).
    set: BTreeSet<(u64, u64, u32)>,
    /// Weight (0 for non-members) and place in the set, by server.
    servers: Vec<(u32, u64, u64)>,
    turn: u64,
}

pub(super) fn make(_: &mut Words<'_, '_>) -> Made {
    Ok(Box::<LeastConn>::default())
}

/// Requests on a server and in its queue, per weight.
fn load(s: &Server, weight: u32) -> u64 {
    let n = u64::from(s.served()) + u64::from(s.queued());
    (n << 24) / u64::from(weight.max(1))
}

impl Algo for LeastConn {
    fn rebuild(&self, members: &[Member], servers: &[Arc<Server>]) {
        let mut o = self.state.lock();
        let old = std::mem::replace(&mut o.servers, vec![(0, 0, 0); servers.len()]);
        o.set.clear();
        for m in members {
            let Some(s) = servers.get(m.index as usize) else { continue };
            // Members that stay keep their turn; new ones come after them.
            let turn = match old.get(m.index as usize) {
                Some((weight, _, turn)) if *weight != 0 => *turn,
                _ => o.next_turn(),
            };
            let place = (load(s, m.weight), turn);
            o.servers[m.index as usize] = (m.weight, place.0, place.1);
            o.set.insert((place.0, place.1, m.index));
        }
    }

    fn pick(&self, p: &Pick<'_>) -> Option<Choice> {
        let mut o = self.state.lock();
        // A full server may be chosen all the same when its queue has an explicit size and is not full.
        let queues = |i: u32| p.server(i).is_some_and(|s| s.maxqueue() != 0 && !crate::assign::queue_full(s));
        let usable = |i: &u32| p.has_room(*i) || queues(*i);
        let others = o.set.iter().map(|e| e.2).filter(|i| p.avoid != Some(*i));
        let last_resort = o.set.iter().map(|e| e.2).filter(|i| p.avoid == Some(*i));
        let server = others.chain(last_resort).find(usable)?;
        o.pass(server);
        Some(Choice { server, bound: !p.has_room(server) })
    }

    fn load_changed(&self, s: &Server) {
        let mut o = self.state.lock();
        let Some(&(weight, old, turn)) = o.servers.get(s.index as usize) else { return };
        let new = load(s, weight);
        if weight != 0 && new != old {
            o.set.remove(&(old, turn, s.index));
            o.set.insert((new, turn, s.index));
            o.servers[s.index as usize].1 = new;
        }
    }
}

impl Order {
    fn next_turn(&mut self) -> u64 {
        self.turn += 1;
        self.turn
    }

    /// The server had its turn.
    fn pass(&mut self, server: u32) {
        let next = self.next_turn();
        let Some((_, load, turn)) = self.servers.get_mut(server as usize) else { return };
        let old = (*load, std::mem::replace(turn, next), server);
        let new = (*load, next, server);
        self.set.remove(&old);
        self.set.insert(new);
    }
}
