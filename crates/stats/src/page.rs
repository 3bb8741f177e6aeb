//! The statistics page (manual 4.2 `stats`): what a request for it asks, what it shows, and in which formats.
//!
//! ```text
//!  target ──> Query ──┐
//!  Settings ──────────┤
//!                     ├──> Dump ──> pieces of text
//!  Source ────────────┘
//!  body of a POST ──> Form
//! ```
//!
//! Scripts read the HTML: which tables, rows, cells and classes there are, and the names in forms, are HAProxy's.

mod cells;
mod details;
mod dump;
mod form;
mod head;
mod outcome;
mod query;
mod tables;
mod text;

pub use dump::Dump;
pub use form::{Action, Form};
pub use outcome::Outcome;
pub use query::{Format, Query};

use crate::row::Row;
use crate::select::Selection;
use hawser_cli::info::Sheet;
use std::sync::Arc;

/// What the configuration says of a page.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// `stats uri`.
    pub uri: String,
    /// `stats refresh` (seconds); 0 for never.
    pub refresh: u32,
    /// `stats scope`: the proxies that are shown; all where there is none.
    pub scopes: Vec<String>,
    /// `stats show-version`.
    pub version: bool,
    /// `stats show-legends`.
    pub legends: bool,
    /// `stats show-modules`.
    pub modules: bool,
    /// `stats show-node`, with a name or that of the process.
    pub node: Option<Option<String>>,
    /// `stats show-desc`, with a text or that of the process.
    pub description: Option<Option<String>>,
}

impl Settings {
    /// Whether a proxy may be seen.
    pub fn has(&self, proxy: &str) -> bool {
        self.scopes.is_empty() || self.scopes.iter().any(|s| s == proxy)
    }
}

/// Where a page finds what it shows.
pub trait Source: std::fmt::Debug + Send + Sync {
    /// What `show info` tells; `None` while the process starts.
    fn sheet(&self) -> Option<Sheet>;

    /// What is asked for from a place on, up to about so many rows, and the place that goes on; `None` beyond the last
    /// proxy.
    fn sections(&self, from: Place, most: usize, ask: &Ask<'_>) -> Option<(Place, Vec<Section>)>;
}

/// How far an answer has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Place {
    /// Index of a proxy.
    pub proxy: usize,
    /// Index of a server of it; the rows before those of servers come with the first one.
    pub server: usize,
}

/// What is asked of the proxies.
pub struct Ask<'a> {
    /// Which servers.
    pub selection: &'a Selection,
    /// Which proxies, by name.
    pub wanted: &'a dyn Fn(&str) -> bool,
    /// Tell addresses and cookies.
    pub legends: bool,
}

/// A proxy, and its rows: all of them, or some of many.
#[derive(Clone, Debug)]
pub struct Section {
    /// Its first rows are among them, and its last ones.
    pub ends: [bool; 2],
    /// Its name.
    pub name: Arc<str>,
    /// Its id.
    pub id: u32,
    /// `frontend`, `backend`, or `proxy` for both.
    pub kind: &'static str,
    /// Its mode.
    pub mode: &'static str,
    /// Its description.
    pub description: Option<Arc<str>>,
    /// It has servers.
    pub servers: bool,
    /// Frontend, listeners, servers, backend.
    pub rows: Vec<Row>,
}

#[cfg(test)]
mod tests;
