//! Variables in every scope (manual 2.8).

use crate::compile::Error;
use crate::value::Owned;
use parking_lot::RwLock;
use smallvec::SmallVec;
use std::sync::Arc;

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

    /// All variables, as number of the name and value.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Owned)> {
        self.entries.iter().map(|e| (e.0, &e.1))
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

impl Scope {
    /// The scope of that name.
    pub fn of(name: &str) -> Option<Self> {
        Some(match name {
            "proc" => Self::Proc,
            "sess" => Self::Sess,
            "txn" => Self::Txn,
            "req" => Self::Req,
            "res" => Self::Res,
            "check" => Self::Check,
            _ => return None,
        })
    }

    /// As written in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Proc => "proc",
            Self::Sess => "sess",
            Self::Txn => "txn",
            Self::Req => "req",
            Self::Res => "res",
            Self::Check => "check",
        }
    }
}

/// Names of variables seen in this process, by number. Grows with the configuration only: names never come from
/// peers.
static NAMES: RwLock<Vec<Arc<str>>> = RwLock::new(Vec::new());

/// The number of a name; equal names have equal numbers in the whole process.
pub fn intern(name: &str) -> u32 {
    let mut names = NAMES.write();
    let i = names.iter().position(|n| **n == *name).unwrap_or_else(|| {
        names.push(name.into());
        names.len() - 1
    });
    // Names are bounded by the size of the configuration.
    u32::try_from(i).unwrap_or(u32::MAX)
}

/// The name behind a number.
pub fn name_of(number: u32) -> Option<Arc<str>> {
    NAMES.read().get(number as usize).cloned()
}

impl VarId {
    /// Parses `scope.name`.
    ///
    /// # Errors
    /// HAProxy's text about the scope or the character at fault.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let bad = || {
            Error::new(format!(
                "invalid variable name '{text}'. A variable name must start with its scope. The scope can be 'proc', \
                 '(p)sess', '(p)txn', '(p)req', '(p)res' or 'check'"
            ))
        };
        let (scope, name) = text.split_once('.').ok_or_else(bad)?;
        let scope = Scope::of(scope).filter(|_| !name.is_empty()).ok_or_else(bad)?;
        // Dots belong to names too: agents and scripts group theirs that way.
        if let Some(c) = name.chars().find(|c| !c.is_ascii_alphanumeric() && !"_.".contains(*c)) {
            return Err(Error::new(format!("invalid syntax at char '{c}'")));
        }
        Ok(Self { scope, name: intern(name) })
    }

    /// Parses a name that may have a scope of the parent stream (`ptxn.x`): `None` then, since no stream has a parent
    /// here.
    ///
    /// # Errors
    /// See [`VarId::parse`].
    pub fn parse_with_parents(text: &str) -> Result<Option<Self>, Error> {
        match text.strip_prefix('p') {
            Some(t) if ["sess.", "txn.", "req.", "res."].iter().any(|s| t.starts_with(s)) => {
                Self::parse(t).map(|_| None)
            }
            _ => Self::parse(text).map(Some),
        }
    }
}

impl StreamVars {
    /// The store of a scope that belongs to the stream.
    pub fn store(&self, scope: Scope) -> Option<&Store> {
        match scope {
            Scope::Txn => Some(&self.txn),
            Scope::Req => Some(&self.req),
            Scope::Res => Some(&self.res),
            Scope::Proc | Scope::Sess | Scope::Check => None,
        }
    }

    /// The same, to change it.
    pub fn store_mut(&mut self, scope: Scope) -> Option<&mut Store> {
        match scope {
            Scope::Txn => Some(&mut self.txn),
            Scope::Req => Some(&mut self.req),
            Scope::Res => Some(&mut self.res),
            Scope::Proc | Scope::Sess | Scope::Check => None,
        }
    }
}
