//! `balance first`: fill one server after the other, in the order of their ids.

use super::{Algo, Choice, Made, Member, Pick, Words};
use crate::server::Server;
use arc_swap::ArcSwap;
use std::sync::Arc;

#[derive(Debug, Default)]
pub(super) struct First {
    order: ArcSwap<Vec<u32>>,
}

pub(super) fn make(_: &mut Words<'_, '_>) -> Made {
    Ok(Box::<First>::default())
}

impl Algo for First {
    fn rebuild(&self, members: &[Member], servers: &[Arc<Server>]) {
        let mut order: Vec<u32> = members.iter().map(|m| m.index).collect();
        order.sort_by_key(|i| servers.get(*i as usize).map(|s| s.id));
        self.order.store(Arc::new(order));
    }

    fn pick(&self, p: &Pick<'_>) -> Option<Choice> {
        p.first_with_room(self.order.load().iter().copied()).map(Choice::free)
    }
}
