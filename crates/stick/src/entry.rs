//! One entry: its key, its data, who uses it.

use crate::cells::{self, Rate, low};
use crate::layout::{Field, Layout};
use hawser_cfg::model::{DataType, Form};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

/// An entry of a table.
#[derive(Debug)]
pub struct Entry {
    key: Box<[u8]>,
    cells: Box<[AtomicU64]>,
    /// The server that clients with this key go to (`server_key`), in tables that remember servers.
    server: Option<Box<Mutex<Option<Arc<str>>>>>,
    /// How many track it: while there are any, it stays.
    users: AtomicU32,
    /// When it was last refreshed (ms).
    refreshed: AtomicU64,
    /// Where it stands in the queue of those to be forgotten; belongs to its shard's lock.
    pub(crate) queued: AtomicU64,
    /// Tells entries of one shard apart that were refreshed at once.
    pub(crate) number: u32,
}

impl Entry {
    pub(crate) fn new(key: &[u8], layout: &Layout, number: u32, now: u64) -> Self {
        Self {
            key: key.into(),
            cells: (0..layout.cells).map(|_| AtomicU64::new(0)).collect(),
            server: layout.stores(DataType::ServerKey).then(Box::default),
            users: AtomicU32::new(0),
            refreshed: AtomicU64::new(now),
            queued: AtomicU64::new(now),
            number,
        }
    }

    /// Its key.
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// How many track it.
    pub fn users(&self) -> u32 {
        self.users.load(Relaxed)
    }

    pub(crate) fn enter(&self) {
        self.users.fetch_add(1, Relaxed);
    }

    pub(crate) fn leave(&self) {
        self.users.fetch_sub(1, Relaxed);
    }

    /// When it was last refreshed (ms).
    pub(crate) fn refreshed(&self) -> u64 {
        self.refreshed.load(Relaxed)
    }

    /// Postpones its end.
    pub(crate) fn refresh(&self, now: u64) {
        // Most updates come in the millisecond of another one: no write, no traffic between caches.
        if self.refreshed() != now {
            self.refreshed.store(now, Relaxed);
        }
    }

    /// The server that clients with this key go to.
    pub(crate) fn server(&self) -> Option<Arc<str>> {
        self.server.as_ref()?.lock().clone()
    }

    pub(crate) fn set_server(&self, server: Arc<str>) {
        let Some(slot) = &self.server else { return };
        let mut known = slot.lock();
        if known.as_deref() != Some(&*server) {
            *known = Some(server);
        }
    }

    fn cell(&self, field: &Field, index: u32) -> Option<&AtomicU64> {
        self.cells.get(field.cell(index)?)
    }

    fn rate(&self, field: &Field, index: u32) -> Option<Rate<'_>> {
        let at = field.cell(index)?;
        Some(Rate { current: self.cells.get(at)?, previous: self.cells.get(at + 1)?, period: field.period })
    }

    /// An element; 0 for texts.
    pub(crate) fn read(&self, field: &Field, index: u32, now: u64) -> Option<i64> {
        Some(match field.data.form() {
            Form::Rate => self.rate(field, index)?.read(low(now)).into(),
            Form::Bytes => i64::try_from(self.cell(field, index)?.load(Relaxed)).unwrap_or(i64::MAX),
            Form::Count => low(self.cell(field, index)?.load(Relaxed)).into(),
            Form::Signed => low(self.cell(field, index)?.load(Relaxed)).cast_signed().into(),
            Form::Text => 0,
        })
    }

    /// Adds to an element; returns what it is then, for a rate the events of the period under way.
    pub(crate) fn add(&self, field: &Field, index: u32, n: u64, now: u64) -> Option<i64> {
        Some(match field.data.form() {
            Form::Rate => self.rate(field, index)?.add(low(now), low(n.min(u32::MAX.into()))).into(),
            Form::Bytes => {
                let before = self.cell(field, index)?.fetch_add(n, Relaxed);
                i64::try_from(before.wrapping_add(n)).unwrap_or(i64::MAX)
            }
            Form::Count | Form::Signed => cells::add32(self.cell(field, index)?, low(n)).into(),
            Form::Text => return None,
        })
    }

    /// Takes one from a counter, not below zero.
    pub(crate) fn take(&self, field: &Field) {
        if let Some(cell) = self.cell(field, 0) {
            cells::take32(cell);
        }
    }

    /// Sets an element; false where there is none.
    pub(crate) fn set(&self, field: &Field, index: u32, value: i64, now: u64) -> bool {
        let value = value.cast_unsigned();
        let Some(cell) = self.cell(field, index) else { return field.data.form() == Form::Text };
        match field.data.form() {
            Form::Rate => {
                if let Some(rate) = self.rate(field, index) {
                    rate.set(low(now), low(value));
                }
            }
            Form::Bytes => cell.store(value, Relaxed),
            Form::Count | Form::Signed => cell.store(low(value).into(), Relaxed),
            Form::Text => {}
        }
        true
    }

    /// Sets a counter to zero; returns what it was.
    pub(crate) fn clear(&self, field: &Field, index: u32) -> Option<i64> {
        Some(low(self.cell(field, index)?.swap(0, Relaxed)).into())
    }
}
