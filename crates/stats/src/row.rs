//! A row: what is known of one frontend, listener, server or backend.

use crate::column::{COLUMNS, Col, Column};
use std::borrow::Cow;
use std::sync::Arc;

/// What a row is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Object {
    /// A frontend.
    Frontend = 0,
    /// A backend.
    Backend = 1,
    /// A server.
    Server = 2,
    /// A listener, with `option socket-stats`.
    Listener = 3,
}

impl Object {
    /// The letter of the typed format.
    pub fn letter(self) -> char {
        match self {
            Self::Frontend => 'F',
            Self::Backend => 'B',
            Self::Server => 'S',
            Self::Listener => 'L',
        }
    }

    /// The word of the JSON format.
    pub fn word(self) -> &'static str {
        match self {
            Self::Frontend => "Frontend",
            Self::Backend => "Backend",
            Self::Server => "Server",
            Self::Listener => "Listener",
        }
    }

    /// Its bit among the types that `show stat` can be asked for.
    pub fn bit(self) -> u32 {
        1 << self as u8
    }
}

/// A value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// Text.
    Str(Cow<'static, str>),
    /// A name that the configuration owns.
    Name(Arc<str>),
    /// A number.
    Num(u64),
    /// A number with a sign.
    Signed(i32),
}

impl From<u64> for Value {
    fn from(n: u64) -> Self {
        Self::Num(n)
    }
}

impl From<u32> for Value {
    fn from(n: u32) -> Self {
        Self::Num(n.into())
    }
}

impl From<i32> for Value {
    fn from(n: i32) -> Self {
        Self::Signed(n)
    }
}

impl From<&'static str> for Value {
    fn from(s: &'static str) -> Self {
        Self::Str(s.into())
    }
}

impl From<String> for Value {
    fn from(s: String) -> Self {
        Self::Str(s.into())
    }
}

impl From<&Arc<str>> for Value {
    fn from(s: &Arc<str>) -> Self {
        Self::Name(s.clone())
    }
}

/// How many of a backend's servers are in which state.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Census {
    /// By the words of [`crate::metrics::SERVER_STATES`].
    pub states: [u32; 5],
    /// Results of the last checks of those that are checked, by [`crate::metrics::CHECK_RESULTS`].
    pub checks: [u32; 16],
}

/// One row. Columns without a meaning for the object have no value.
#[derive(Clone, Debug)]
pub struct Row {
    /// What it is about.
    pub object: Object,
    /// Id of the proxy.
    pub iid: u32,
    /// Id of the server or listener within the proxy.
    pub sid: u32,
    /// Its state in the words of metrics: a server's `NOLB`, a backend's `UP`.
    pub state: &'static str,
    /// A backend's servers, where they were asked for.
    pub census: Option<Box<Census>>,
    /// `description` of the proxy, where it was asked for.
    pub description: Option<Arc<str>>,
    values: Vec<(Col, Value)>,
}

impl Row {
    /// A row with the columns that identify it.
    pub fn new(object: Object, proxy: &Arc<str>, iid: u32, name: impl Into<Value>, sid: u32) -> Self {
        let values = Vec::with_capacity(96);
        let mut row = Self { object, iid, sid, state: "", census: None, description: None, values };
        row.set(Col::Pxname, proxy);
        row.set(Col::Svname, name);
        row.set(Col::Pid, 1_u32);
        row.set(Col::Iid, iid);
        row.set(Col::Sid, sid);
        row.set(Col::Type, object as u32);
        row
    }

    /// Sets a column.
    pub fn set(&mut self, col: Col, value: impl Into<Value>) {
        self.values.push((col, value.into()));
    }

    /// Sets columns of numbers.
    pub fn numbers<N: Into<Value> + Copy>(&mut self, all: &[(Col, N)]) {
        all.iter().for_each(|(col, n)| self.set(*col, *n));
    }

    /// Puts the values into the order of the columns, which readers rely on.
    #[must_use]
    pub fn finish(mut self) -> Self {
        self.values.sort_by_key(|(col, _)| *col);
        debug_assert!(self.values.windows(2).all(|w| w[0].0 != w[1].0), "a column was set twice");
        self
    }

    /// The value of a column.
    pub fn get(&self, col: Col) -> Option<&Value> {
        self.values.iter().find(|(c, _)| *c == col).map(|(_, v)| v)
    }

    /// The text of a column; empty where there is none.
    pub fn text(&self, col: Col) -> &str {
        match self.get(col) {
            Some(Value::Str(s)) => s,
            Some(Value::Name(s)) => s,
            _ => "",
        }
    }

    /// The number of a column that counts.
    pub fn number(&self, col: Col) -> Option<u64> {
        match self.get(col)? {
            Value::Num(n) => Some(*n),
            Value::Signed(n) => u64::try_from(*n).ok(),
            Value::Str(_) | Value::Name(_) => None,
        }
    }

    /// The number of a column that may be negative.
    pub fn signed(&self, col: Col) -> Option<i64> {
        match self.get(col)? {
            Value::Num(n) => i64::try_from(*n).ok(),
            Value::Signed(n) => Some((*n).into()),
            Value::Str(_) | Value::Name(_) => None,
        }
    }

    /// The values there are, with their columns.
    pub fn values(&self) -> impl Iterator<Item = (Col, &'static Column, &Value)> {
        self.values.iter().filter_map(|(col, v)| Some((*col, COLUMNS.get(*col as usize)?, v)))
    }
}
