//! Variables in every scope (manual 2.8).

use crate::value::Owned;
use parking_lot::RwLock;
use smallvec::SmallVec;

/// Where a variable lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Scope {
    /// The process.
    Proc,
    /// The client session.
    Sess,
    /// The transaction: request and response.
    Txn,
    /// Request processing.
    Req,
    /// Response processing.
    Res,
    /// A health check.
    Check,
}

/// A variable: scope and interned name. Equal names have equal ids in one process.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct VarId {
    /// Scope.
    pub scope: Scope,
    /// Interned name.
    pub name: u32,
}

/// The variables of one scope instance. Small, so a linear search beats a map.
#[derive(Default, Debug)]
pub struct Store {
    entries: SmallVec<[(u32, Owned); 0]>,
}

impl Store {
    /// The value, if set.
    pub fn get(&self, name: u32) -> Option<&Owned> {
        self.entries.iter().find(|e| e.0 == name).map(|e| &e.1)
    }

    /// Sets or replaces.
    pub fn set(&mut self, name: u32, value: Owned) {
        match self.entries.iter_mut().find(|e| e.0 == name) {
            Some(e) => e.1 = value,
            None => self.entries.push((name, value)),
        }
    }

    /// Unsets.
    pub fn unset(&mut self, name: u32) {
        self.entries.retain(|e| e.0 != name);
    }

    /// Unsets all.
    pub fn clear(&mut self) {
        self.entries.clear();
    }
}

/// The stores that a stream sees. `proc` is shared by all threads.
#[derive(Default, Debug)]
pub struct StreamVars {
    /// `txn.*`.
    pub txn: Store,
    /// `req.*`.
    pub req: Store,
    /// `res.*`.
    pub res: Store,
}

/// The process scope.
#[derive(Default, Debug)]
pub struct ProcVars(pub RwLock<Store>);
