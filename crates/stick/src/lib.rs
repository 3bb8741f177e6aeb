//! Stick tables (manual chapter 11): entries by key, what they count, and who tracks them.
//!
//! A [`Table`] finds, makes and forgets entries; it is shared by all threads and its locks are held for the look-up
//! only. What an [`Entry`] counts are atomics, so that threads count without waiting for each other. Whoever tracks an
//! entry holds a [`Tracked`], which keeps it from being forgotten. The crate knows nothing of samples, rules or
//! sessions: keys are bytes, moments are milliseconds.

mod cells;
mod dump;
mod entry;
mod layout;
mod shard;
mod table;
mod track;

pub use dump::{Compare, Filter};
pub use entry::Entry;
pub use layout::Layout;
pub use table::Table;
pub use track::{Counters, Event, Tracked, count};

/// The bytes of a key; most are short.
pub type Key = smallvec::SmallVec<[u8; 32]>;
