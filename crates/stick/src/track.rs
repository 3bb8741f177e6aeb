//! Who tracks entries, and what is counted on them.

use crate::entry::Entry;
use crate::table::Table;
use hawser_cfg::model::DataType;
use hawser_proto::freq::now_ms;
use smallvec::SmallVec;
use std::sync::Arc;

/// A tracked entry: it stays as long as this lives, and its current connections are counted by it.
#[derive(Debug)]
pub struct Tracked {
    table: Arc<Table>,
    entry: Arc<Entry>,
    /// It was tracked by the rules of a backend that is not the frontend.
    pub backend: bool,
    /// It does not keep the entry any more.
    released: bool,
}

impl Tracked {
    /// Of an entry that was entered for this.
    pub(crate) fn new(table: Arc<Table>, entry: Arc<Entry>) -> Self {
        Self { table, entry, backend: false, released: false }
    }

    /// The table.
    pub fn table(&self) -> &Arc<Table> {
        &self.table
    }

    /// The entry.
    pub fn entry(&self) -> &Arc<Entry> {
        &self.entry
    }

    /// A connection or a stream begins to track it.
    pub fn begin(&self, now: u64) {
        for data in [DataType::ConnCur, DataType::ConnCnt, DataType::ConnRate] {
            self.table.add(&self.entry, data, 0, 1, now);
        }
        self.table.refresh(&self.entry, now);
    }

    /// Something happened.
    pub fn count(&self, event: Event, now: u64) {
        let (counter, rate, n) = event.data();
        for data in [counter, rate] {
            self.table.add(&self.entry, data, 0, n, now);
        }
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        let now = now_ms();
        if let Some(field) = self.table.layout().field(DataType::ConnCur) {
            self.entry.take(field);
            self.table.refresh(&self.entry, now);
        }
        if !self.released {
            self.table.left(&self.entry, now);
        }
    }
}

/// What is counted on tracked entries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// A session that the rules of connections let in.
    Session,
    /// An HTTP request.
    HttpRequest,
    /// A request that was wrong by the client's fault.
    HttpError,
    /// A response that failed by the server's fault.
    HttpFailure,
    /// Bytes from the client.
    BytesIn(u64),
    /// Bytes to the client.
    BytesOut(u64),
    /// Oddities of the client's connection.
    Glitches(u32),
}

impl Event {
    /// The counter, the rate, and by how much they grow.
    fn data(self) -> (DataType, DataType, u64) {
        match self {
            Self::Session => (DataType::SessCnt, DataType::SessRate, 1),
            Self::HttpRequest => (DataType::HttpReqCnt, DataType::HttpReqRate, 1),
            Self::HttpError => (DataType::HttpErrCnt, DataType::HttpErrRate, 1),
            Self::HttpFailure => (DataType::HttpFailCnt, DataType::HttpFailRate, 1),
            Self::BytesIn(n) => (DataType::BytesInCnt, DataType::BytesInRate, n),
            Self::BytesOut(n) => (DataType::BytesOutCnt, DataType::BytesOutRate, n),
            Self::Glitches(n) => (DataType::GlitchCnt, DataType::GlitchRate, n.into()),
        }
    }
}

/// The stick counters of a session or of a stream, by number. Without any it is a null pointer.
#[derive(Debug, Default)]
pub struct Counters(Option<Box<SmallVec<[Option<Tracked>; 3]>>>);

impl Counters {
    /// What a counter tracks.
    pub fn get(&self, number: usize) -> Option<&Tracked> {
        self.0.as_ref()?.get(number)?.as_ref()
    }

    /// Nothing is tracked.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Makes a counter track an entry.
    pub fn set(&mut self, number: usize, tracked: Tracked) {
        let slots = self.0.get_or_insert_default();
        if slots.len() <= number {
            slots.resize_with(number + 1, || None);
        }
        slots[number] = Some(tracked);
    }

    /// What tracks them is as good as over: the entries may be forgotten, and are counted on until the end.
    pub fn release(&mut self) {
        for tracked in self.0.iter_mut().flat_map(|s| s.iter_mut()).flatten().filter(|t| !t.released) {
            tracked.released = true;
            tracked.entry.leave();
        }
    }

    /// Counts on every entry that is tracked.
    pub fn count(&self, event: Event, now: u64) {
        for tracked in self.0.iter().flat_map(|s| s.iter()).flatten() {
            tracked.count(event, now);
        }
    }

    /// The same, on what the rules of a backend track.
    pub fn count_backend(&self, event: Event, now: u64) {
        for tracked in self.0.iter().flat_map(|s| s.iter()).flatten().filter(|t| t.backend) {
            tracked.count(event, now);
        }
    }

    fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |s| s.len())
    }
}

/// Counts on the entries that a stream tracks and, where it tracks none of that number, on those of its session.
pub fn count(stream: &Counters, session: &Counters, event: Event, now: u64) {
    for number in 0..stream.len().max(session.len()) {
        if let Some(tracked) = stream.get(number).or_else(|| session.get(number)) {
            tracked.count(event, now);
        }
    }
}
