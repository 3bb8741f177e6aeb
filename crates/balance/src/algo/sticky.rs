//! `balance sticky`: one server takes everything until it goes down; servers that come back queue up behind.

use super::{Algo, Choice, Made, Member, Pick, Words};
use crate::server::Server;
use arc_swap::ArcSwap;
use std::sync::Arc;

#[derive(Debug, Default)]
pub(super) struct Sticky {
    order: ArcSwap<Vec<u32>>,
}

pub(super) fn make(_: &mut Words<'_, '_>) -> Made {
    Ok(Box::<Sticky>::default())
}

impl Algo for Sticky {
    fn rebuild(&self, members: &[Member], _: &[Arc<Server>]) {
        let old = self.order.load();
        let stays = |i: &u32| members.iter().any(|m| m.index == *i);
        let mut order: Vec<u32> = old.iter().copied().filter(stays).collect();
        order.extend(members.iter().map(|m| m.index).filter(|i| !old.contains(i)));
        self.order.store(Arc::new(order));
    }

    fn pick(&self, p: &Pick<'_>) -> Option<Choice> {
        p.first_with_room(self.order.load().iter().copied()).map(Choice::free)
    }
}
