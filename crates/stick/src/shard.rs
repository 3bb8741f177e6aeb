//! A part of a table: entries by key and in the order in which they are to be forgotten.

use crate::entry::Entry;
use hashbrown::HashTable;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// Entries that were refreshed since they were queued, and how many of them are queued anew in search of one that can
/// go: others wait for the lock meanwhile.
const MOST_REQUEUED: usize = 64;

/// The entries whose keys have some hashes in common.
#[derive(Default)]
pub(crate) struct Shard {
    entries: HashTable<(u64, Arc<Entry>)>,
    /// By the moment at which they were last refreshed, as known when they were queued: a refresh does not need the
    /// lock, and is found out when an entry's turn comes.
    queue: BTreeMap<(u64, u32), Arc<Entry>>,
    numbers: u32,
}

impl Shard {
    pub(crate) fn find(&self, hash: u64, key: &[u8]) -> Option<&Arc<Entry>> {
        self.entries.find(hash, |(h, e)| *h == hash && e.key() == key).map(|(_, e)| e)
    }

    /// A number for a new entry.
    pub(crate) fn number(&mut self) -> u32 {
        self.numbers = self.numbers.wrapping_add(1);
        self.numbers
    }

    pub(crate) fn insert(&mut self, hash: u64, entry: Arc<Entry>) {
        self.entries.insert_unique(hash, (hash, entry.clone()), |(h, _)| *h);
        self.queue.insert((entry.queued.load(Relaxed), entry.number), entry);
    }

    /// Takes an entry out; false when it was not in.
    pub(crate) fn remove(&mut self, hash: u64, entry: &Arc<Entry>) -> bool {
        let same = |(h, e): &(u64, Arc<Entry>)| *h == hash && Arc::ptr_eq(e, entry);
        let Ok(found) = self.entries.find_entry(hash, same) else { return false };
        found.remove();
        self.queue.remove(&(entry.queued.load(Relaxed), entry.number));
        // A flood of keys that is over gives its memory back.
        if self.entries.len() < self.entries.capacity() / 8 {
            self.entries.shrink_to(self.entries.len() * 2, |(h, _)| *h);
        }
        true
    }

    /// When the first of the queue was refreshed, as far as known.
    pub(crate) fn oldest(&self) -> u64 {
        self.queue.first_key_value().map_or(u64::MAX, |((at, _), _)| *at)
    }

    /// The entry that was refreshed least recently among those that nobody uses, if it was not refreshed after
    /// `before`.
    pub(crate) fn idlest(&mut self, before: u64, now: u64) -> Option<Arc<Entry>> {
        for _ in 0..MOST_REQUEUED {
            let first = self.queue.first_entry()?;
            let (queued, _) = *first.key();
            if queued > before {
                return None;
            }
            let used = first.get().users() > 0;
            if used && queued >= now {
                // All others were asked.
                break;
            }
            // One in use is asked again only after all others.
            let at = if used { now } else { first.get().refreshed() };
            if at <= queued {
                return Some(first.get().clone());
            }
            let entry = first.remove();
            entry.queued.store(at, Relaxed);
            self.queue.insert((at, entry.number), entry);
        }
        let idle = |e: &&Arc<Entry>| e.users() == 0 && e.refreshed() <= before;
        self.queue.values().take(MOST_REQUEUED).filter(idle).min_by_key(|e| e.refreshed()).cloned()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.entries.iter().map(|(_, e)| e)
    }
}
