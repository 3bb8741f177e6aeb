//! A table: finds, makes and forgets entries.

use crate::Key;
use crate::cells::low;
use crate::entry::Entry;
use crate::layout::Layout;
use crate::shard::Shard;
use crate::track::Tracked;
use hawser_cfg::model::{DataType, KeyType, StickTable};
use hawser_proto::memory::{self, Need};
use parking_lot::RwLock;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use twox_hash::{XxHash32, XxHash64};

/// Parts of a table, each with a lock of its own; small tables have one.
const SHARDS: usize = 16;
/// Parts of a table of HAProxy's.
const BUCKETS: u32 = 64;
/// Entries up to which a table is small.
const SMALL: u32 = 256;
/// Entries that the maker of a new one forgets because their time is over.
const FORGET_A_FEW: usize = 4;
/// Entries that are forgotten while others wait for the lock.
const FORGET_MANY: usize = 256;

/// A stick table, shared by all threads. `now` is always in ms, by [`hawser_proto::freq::now_ms`].
pub struct Table {
    name: Arc<str>,
    key: KeyType,
    size: u32,
    expire: Option<u32>,
    nopurge: bool,
    brates_factor: u32,
    by_address: bool,
    layout: Layout,
    hasher: RandomState,
    shards: Box<[Part]>,
    used: AtomicU32,
}

/// A shard, and what can be known of it without its lock.
#[derive(Default)]
struct Part {
    shard: RwLock<Shard>,
    /// When the first of its queue was refreshed, as far as known.
    oldest: AtomicU64,
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Table {
    /// An empty table; `servers` when `stick` rules store in it.
    pub fn new(conf: &StickTable, servers: bool) -> Self {
        let shards = if conf.size <= SMALL { 1 } else { SHARDS };
        let empty = |_| Part { oldest: AtomicU64::new(u64::MAX), ..Part::default() };
        Self {
            name: conf.name.clone(),
            key: conf.key,
            size: conf.size,
            expire: conf.expire,
            nopurge: conf.nopurge,
            brates_factor: conf.brates_factor.max(1),
            by_address: conf.by_address,
            layout: Layout::new(conf, servers),
            hasher: RandomState::new(),
            shards: (0..shards).map(empty).collect(),
            used: AtomicU32::new(0),
        }
    }

    /// Its name.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// What its keys are.
    pub fn key_type(&self) -> KeyType {
        self.key
    }

    /// Most entries.
    pub fn size(&self) -> u32 {
        self.size
    }

    /// What its entries store.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// `srvkey addr`.
    pub fn by_address(&self) -> bool {
        self.by_address
    }

    /// Whether its entries expire.
    pub fn expires(&self) -> bool {
        self.expire.is_some()
    }

    /// Entries in it.
    pub fn used(&self, now: u64) -> u32 {
        self.forget(now);
        self.used.load(Relaxed)
    }

    /// Brings the bytes of a key to the form of the table's: cut at its length, or filled.
    pub fn fit(&self, mut key: Key) -> Key {
        match self.key {
            KeyType::String(len) => {
                let end = key.iter().position(|b| *b == 0).unwrap_or(key.len());
                key.truncate(end.min(len as usize));
            }
            other => key.resize(other.size() as usize, 0),
        }
        key
    }

    /// An entry, if there is one; it is not refreshed.
    pub fn find(&self, key: &[u8], now: u64) -> Option<Arc<Entry>> {
        let hash = self.hasher.hash_one(key);
        let entry = self.part(hash).shard.read().find(hash, key).cloned()?;
        (!self.is_over(&entry, now)).then_some(entry)
    }

    /// An entry, made if there is none. `None` where the table is full of entries that have to stay, or memory is
    /// short.
    pub fn find_or_make(&self, key: &[u8], now: u64) -> Option<Arc<Entry>> {
        self.find(key, now).or_else(|| self.make(key, now, false))
    }

    /// The same, for somebody who tracks it: it stays as long.
    pub fn track(self: &Arc<Self>, key: &[u8], now: u64) -> Option<Tracked> {
        let hash = self.hasher.hash_one(key);
        let known = {
            let shard = self.part(hash).shard.read();
            // Under the lock: nobody can be about to forget it.
            shard.find(hash, key).filter(|e| !self.is_over(e, now)).inspect(|e| e.enter()).cloned()
        };
        let entry = known.or_else(|| self.make(key, now, true))?;
        Some(Tracked::new(self.clone(), entry))
    }

    fn make(&self, key: &[u8], now: u64, enter: bool) -> Option<Arc<Entry>> {
        let hash = self.hasher.hash_one(key);
        let part = self.part(hash);
        self.forget_some(part, now, FORGET_A_FEW);
        if !memory::allows(Need::Buffer) || !self.reserve(now) {
            return None;
        }
        let mut shard = part.shard.write();
        let known = shard.find(hash, key).cloned();
        let entry = match known {
            // Another thread was faster.
            Some(entry) if !self.is_over(&entry, now) => {
                self.used.fetch_sub(1, Relaxed);
                entry
            }
            known => {
                if let Some(over) = known {
                    shard.remove(hash, &over);
                    self.used.fetch_sub(1, Relaxed);
                }
                let entry = Arc::new(Entry::new(key, &self.layout, shard.number(), now));
                shard.insert(hash, entry.clone());
                part.oldest.store(shard.oldest(), Relaxed);
                entry
            }
        };
        if enter {
            entry.enter();
        }
        Some(entry)
    }

    /// Takes a place for one more entry.
    fn reserve(&self, now: u64) -> bool {
        if self.used.fetch_add(1, Relaxed) < self.size {
            return true;
        }
        self.forget(now);
        if self.used.load(Relaxed) <= self.size || (!self.nopurge && self.evict(now)) {
            return true;
        }
        self.used.fetch_sub(1, Relaxed);
        false
    }

    /// Forgets the entry that was refreshed least recently; false when all are in use.
    fn evict(&self, now: u64) -> bool {
        // What the shards tell of their first entries may be out of date: the one that seems to have the oldest may
        // turn out to have none that is older than the next shard's.
        for _ in 0..2 * self.shards.len() {
            let Some((part, next)) = self.oldest_part() else { return false };
            if self.evict_from(part, next, now) {
                return true;
            }
        }
        self.shards.iter().any(|part| self.evict_from(part, u64::MAX, now))
    }

    /// The part that seems to have the oldest entry, and how old that of the next one is.
    fn oldest_part(&self) -> Option<(&Part, u64)> {
        let (mut first, mut next): (Option<(&Part, u64)>, u64) = (None, u64::MAX);
        for part in &self.shards {
            let oldest = part.oldest.load(Relaxed);
            match first {
                Some((_, least)) if oldest >= least => next = next.min(oldest),
                _ => {
                    next = first.map_or(next, |(_, least)| least);
                    first = Some((part, oldest));
                }
            }
        }
        first.map(|(part, _)| (part, next))
    }

    /// Forgets the first entry of a part that nobody uses, if it was not refreshed after `before`.
    fn evict_from(&self, part: &Part, before: u64, now: u64) -> bool {
        let mut shard = part.shard.write();
        let entry = shard.idlest(before, now);
        if let Some(entry) = &entry {
            shard.remove(self.hasher.hash_one(entry.key()), entry);
            self.used.fetch_sub(1, Relaxed);
        }
        part.oldest.store(shard.oldest(), Relaxed);
        entry.is_some()
    }

    /// Forgets entries whose time is over, a bounded number; whether there may be more. Cheap when there are none.
    pub fn forget(&self, now: u64) -> bool {
        let mut more = false;
        for part in &self.shards {
            more |= self.forget_some(part, now, FORGET_MANY);
        }
        more
    }

    /// Forgets some entries; whether there may be more.
    fn forget_some(&self, part: &Part, now: u64, most: usize) -> bool {
        let Some(before) = self.expire.and_then(|ms| now.checked_sub(ms.into())) else { return false };
        if part.oldest.load(Relaxed) > before {
            return false;
        }
        let mut shard = part.shard.write();
        let mut n = 0;
        while n < most
            && let Some(entry) = shard.idlest(before, now)
        {
            shard.remove(self.hasher.hash_one(entry.key()), &entry);
            self.used.fetch_sub(1, Relaxed);
            n += 1;
        }
        part.oldest.store(shard.oldest(), Relaxed);
        n == most
    }

    /// Forgets an entry unless somebody tracks it; false if so.
    pub fn remove(&self, entry: &Arc<Entry>) -> bool {
        let hash = self.hasher.hash_one(entry.key());
        let part = self.part(hash);
        let mut shard = part.shard.write();
        if entry.users() > 0 {
            return false;
        }
        if shard.remove(hash, entry) {
            self.used.fetch_sub(1, Relaxed);
            part.oldest.store(shard.oldest(), Relaxed);
        }
        true
    }

    /// Nobody tracks it any more: forgets it if its time was over meanwhile.
    pub(crate) fn left(&self, entry: &Arc<Entry>, now: u64) {
        entry.leave();
        if self.is_over(entry, now) {
            self.remove(entry);
        }
    }

    /// Postpones an entry's end.
    pub fn refresh(&self, entry: &Entry, now: u64) {
        entry.refresh(now);
    }

    fn is_over(&self, entry: &Entry, now: u64) -> bool {
        self.expire.is_some_and(|ms| entry.refreshed() + u64::from(ms) <= now) && entry.users() == 0
    }

    /// How long an entry stays if nothing refreshes it (ms), 0 where it does not expire.
    pub fn remaining(&self, entry: &Entry, now: u64) -> u64 {
        self.expire.map_or(0, |ms| (entry.refreshed() + u64::from(ms)).saturating_sub(now))
    }

    /// How long an entry was not refreshed (ms), 0 where entries do not expire.
    pub fn idle(&self, entry: &Entry, now: u64) -> u64 {
        self.expire.map_or(0, |ms| u64::from(ms).saturating_sub(self.remaining(entry, now)))
    }

    fn part(&self, hash: u64) -> &Part {
        // The hash tables use the other bits.
        let at = low(hash >> 24) as usize % self.shards.len();
        &self.shards[at]
    }

    /// All entries, in the order in which HAProxy shows them: by a hash, then by key.
    pub fn entries(&self, now: u64) -> Vec<Arc<Entry>> {
        let mut all: Vec<Arc<Entry>> = Vec::new();
        for part in &self.shards {
            all.extend(part.shard.read().iter().filter(|e| !self.is_over(e, now)).cloned());
        }
        // Of the hash, what fits a seed of 32 bits.
        let seed = low(XxHash64::oneshot(0, self.name.as_bytes()));
        all.sort_by_cached_key(|e| {
            let mut key = Key::from_slice(e.key());
            if self.key == KeyType::Integer {
                // There, integers are in the machine's order.
                key.reverse();
            }
            (XxHash32::oneshot(seed, &key) % BUCKETS, key)
        });
        all
    }

    /// The value of a data type, `None` where it is not stored. Rates of bytes are in bytes.
    pub fn read(&self, entry: &Entry, data: DataType, index: u32, now: u64) -> Option<i64> {
        let (field, index) = self.layout.resolve(data, index)?;
        entry.read(field, index, now).map(|v| v.saturating_mul(self.unit(data)))
    }

    /// Adds to a data type and refreshes the entry; returns what it is then, `None` where it is not stored.
    pub fn add(&self, entry: &Entry, data: DataType, index: u32, n: u64, now: u64) -> Option<i64> {
        let (field, index) = self.layout.resolve(data, index)?;
        let unit = self.unit(data).cast_unsigned();
        let value = entry.add(field, index, n.div_ceil(unit), now)?;
        entry.refresh(now);
        Some(value)
    }

    /// Sets a data type and refreshes the entry; false where it is not stored.
    pub fn set(&self, entry: &Entry, data: DataType, index: u32, value: i64, now: u64) -> bool {
        let Some((field, index)) = self.layout.resolve(data, index) else { return false };
        entry.refresh(now);
        entry.set(field, index, value, now)
    }

    /// Sets a counter to zero and refreshes the entry; returns what it was, `None` where it is not stored.
    pub fn clear(&self, entry: &Entry, data: DataType, index: u32, now: u64) -> Option<i64> {
        let (field, index) = self.layout.resolve(data, index)?;
        entry.refresh(now);
        entry.clear(field, index)
    }

    /// The server that an entry stands for: its id, and its name or address.
    pub fn server(&self, entry: &Entry) -> (i64, Option<Arc<str>>) {
        (self.read(entry, DataType::ServerId, 0, 0).unwrap_or(0), entry.server())
    }

    /// Makes an entry stand for a server, and refreshes it.
    pub fn set_server(&self, entry: &Entry, id: u32, key: Arc<str>, now: u64) {
        self.set(entry, DataType::ServerId, 0, id.into(), now);
        entry.set_server(key);
    }

    /// How many bytes one event of a rate stands for.
    fn unit(&self, data: DataType) -> i64 {
        match data {
            DataType::BytesInRate | DataType::BytesOutRate => self.brates_factor.into(),
            _ => 1,
        }
    }
}

#[cfg(test)]
mod tests;
