//! `balance static-rr`: a cursor over a static table.

use super::{Algo, Choice, Made, Member, Pick, Words, map};
use crate::server::Server;
use arc_swap::ArcSwap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

#[derive(Debug, Default)]
pub(super) struct StaticRr {
    table: ArcSwap<Vec<u32>>,
    cursor: AtomicU32,
}

pub(super) fn make(_: &mut Words<'_, '_>) -> Made {
    Ok(Box::<StaticRr>::default())
}

impl Algo for StaticRr {
    fn is_dynamic(&self) -> bool {
        false
    }

    fn rebuild(&self, members: &[Member], servers: &[Arc<Server>]) {
        self.table.store(Arc::new(map::build(members, servers)));
        self.cursor.store(0, Relaxed);
    }

    fn pick(&self, p: &Pick<'_>) -> Option<Choice> {
        next(&self.table.load(), &self.cursor, p)
    }
}

/// The next server of a table that has room.
pub(super) fn next(table: &[u32], cursor: &AtomicU32, p: &Pick<'_>) -> Option<Choice> {
    if table.is_empty() {
        return None;
    }
    // Wraps at the table's end, not at 2^32, which would break the turns once.
    let start =
        cursor.fetch_update(Relaxed, Relaxed, |c| Some((c + 1) % table.len() as u32)).unwrap_or(0) as usize;
    let start = start % table.len();
    let order = table[start..].iter().chain(&table[..start]).copied();
    let server = p.first_with_room(order)?;
    Some(Choice::free(server))
}
