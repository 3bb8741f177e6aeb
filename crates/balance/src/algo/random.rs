//! `balance random`: draw some servers by weight, take the least loaded one.

use super::{Algo, Choice, Made, Member, Pick, Words};
use crate::server::Server;
use arc_swap::ArcSwap;
use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

/// `random` without an argument.
pub(super) const DRAWS: u32 = 2;

#[derive(Debug)]
pub(super) struct Random {
    draws: u32,
    /// `hash-balance-factor`.
    factor: u32,
    lots: ArcSwap<Lots>,
}

/// The members, with the sums of the weights up to and including each.
#[derive(Debug, Default)]
struct Lots {
    sums: Vec<u64>,
    members: Vec<Member>,
}

pub(super) fn make(w: &mut Words<'_, '_>) -> Made {
    let draws = match w.argument() {
        Err(()) => return Err("balance random : missing closing parenthesis.".into()),
        Ok(None | Some("")) => DRAWS,
        Ok(Some(arg)) => match arg.find(|c: char| !c.is_ascii_digit()) {
            Some(at) => {
                let c = &arg[at..].chars().next().unwrap_or_default();
                return Err(format!("balance random : unexpected character '{c}' after argument."));
            }
            None => arg.parse().unwrap_or(u32::MAX),
        },
    };
    if draws == 0 {
        return Err("balance random : number of draws must be at least 1.".into());
    }
    Ok(Box::new(Random::new(draws, w.factor)))
}

impl Random {
    pub(super) fn new(draws: u32, factor: u32) -> Self {
        Self { draws, factor, lots: ArcSwap::default() }
    }
}

impl Algo for Random {
    fn rebuild(&self, members: &[Member], _: &[Arc<Server>]) {
        let mut sum = 0;
        let sums = members.iter().map(|m| {
            sum += u64::from(m.weight);
            sum
        });
        self.lots.store(Arc::new(Lots { sums: sums.collect(), members: members.to_vec() }));
    }

    fn pick(&self, p: &Pick<'_>) -> Option<Choice> {
        let lots = self.lots.load();
        let bound = Bound::new(self.factor, &lots.members, p);
        let usable = |m: &Member| p.avoid != Some(m.index) && p.has_room(m.index) && bound.allows(m, p);
        let mut best: Option<Member> = None;
        // The only one is drawn every time.
        let draws = if lots.members.len() == 1 { 1 } else { self.draws };
        for _ in 0..draws.min(lots.members.len() as u32 * 2) {
            let m = *lots.draw()?;
            if usable(&m) && best.is_none_or(|b| less_loaded(&m, &b, p)) {
                best = Some(m);
            }
        }
        if let Some(m) = best {
            return Some(Choice::free(m.index));
        }
        // Nobody that was drawn can: anybody who can, from a random place on.
        let start = random() as usize % lots.members.len().max(1);
        let order = lots.members[start..].iter().chain(&lots.members[..start]);
        let within = order.clone().find(|m| usable(m)).map(|m| m.index);
        within.or_else(|| p.first_with_room(order.map(|m| m.index))).map(Choice::free)
    }
}

impl Lots {
    fn draw(&self) -> Option<&Member> {
        let total = *self.sums.last()?;
        let lot = random() % total;
        self.members.get(self.sums.partition_point(|s| *s <= lot))
    }
}

/// Requests on the server and in its queue.
fn load(m: &Member, p: &Pick<'_>) -> u64 {
    p.server(m.index).map_or(0, |s| u64::from(s.served()) + u64::from(s.queued()))
}

/// `a` has less to do than `b` for its weight; equals are told apart by their recent request rates.
fn less_loaded(a: &Member, b: &Member, p: &Pick<'_>) -> bool {
    let (wa, wb) = (u64::from(a.weight), u64::from(b.weight));
    let (la, lb) = (load(a, p) * wb, load(b, p) * wa);
    let recent = |m: &Member| p.server(m.index).map_or(0, |s| u64::from(s.sess_rate.read(p.now)));
    la < lb || (la == lb && recent(a) * wb < recent(b) * wa)
}

/// `hash-balance-factor`: no server gets more than this share of the average load.
#[derive(Clone, Copy)]
pub(super) struct Bound {
    factor: u64,
    /// Requests on all members, the one to come included.
    total: u64,
    weight: u64,
}

impl Bound {
    pub(super) fn new(factor: u32, members: &[Member], p: &Pick<'_>) -> Self {
        let sum = |f: &dyn Fn(&Member) -> u64| if factor == 0 { 0 } else { members.iter().map(f).sum() };
        Self { factor: factor.into(), total: sum(&|m| load(m, p)) + 1, weight: sum(&|m| m.weight.into()) }
    }

    /// One more request leaves the server within its bound.
    pub(super) fn allows(&self, m: &Member, p: &Pick<'_>) -> bool {
        if self.factor == 0 {
            return true;
        }
        let share = (self.total * u64::from(m.weight) * self.factor).div_ceil(self.weight * 100);
        load(m, p) < share.max(1)
    }
}

/// Not for secrets: xorshift64*, seeded per thread.
fn random() -> u64 {
    thread_local! {
        static STATE: Cell<u64> = Cell::new(RandomState::new().hash_one(0) | 1);
    }
    STATE.with(|s| {
        let mut x = s.get();
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        s.set(x);
        x.wrapping_mul(0x2545_f491_4f6c_dd1d)
    })
}
