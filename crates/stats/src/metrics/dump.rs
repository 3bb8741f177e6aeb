//! One scrape: from its query to the last line, piece by piece.

use super::object::{Entry, Metric, scope};
use super::process;
use super::query::{Query, Scope};
use super::text::Family;
use crate::row::{Object, Row};
use hawser_cli::info::Sheet;
use std::fmt;

/// A piece is not made longer than this by much (bytes).
const PIECE: usize = 32 * 1024;

/// Proxies whose rows are read in one go.
const PROXIES: usize = 64;

/// The kinds of objects, in the order of their metrics.
const OBJECTS: [Object; 4] = [Object::Frontend, Object::Listener, Object::Backend, Object::Server];

/// Where the numbers are.
pub trait Source {
    /// The state of the process.
    fn sheet(&self) -> Option<Sheet>;

    /// The rows of up to `most` proxies from the one at an index, and the index that goes on; `None` beyond the last.
    /// Servers in maintenance may be left out.
    fn rows(&self, from: usize, most: usize, no_maint: bool) -> Option<(usize, Vec<Row>)>;

    /// Metrics of stick tables.
    fn tables(&self) -> Vec<Family>;

    /// Metrics of the tunnels of reverse HTTP.
    fn rhttp(&self) -> Vec<Family>;
}

/// A scrape under way.
pub struct Dump {
    query: Query,
    source: Box<dyn Source>,
    stage: Stage,
    entries: [Vec<Entry>; 4],
}

#[derive(Debug)]
enum Stage {
    Process,
    /// Index of the proxy that is next.
    Rows(usize),
    Objects(Walk),
    /// Stick tables and tunnels.
    Families,
    Done,
}

/// Where among the metrics of the objects the dump is.
#[derive(Debug, Default)]
struct Walk {
    /// Index in [`OBJECTS`].
    kind: usize,
    metrics: Option<Vec<Metric>>,
    metric: usize,
    entry: usize,
    /// The metric has a series.
    begun: bool,
}

impl fmt::Debug for Dump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dump").field("query", &self.query).field("stage", &self.stage).finish_non_exhaustive()
    }
}

impl Dump {
    /// The answer to a query.
    pub fn new(query: Query, source: Box<dyn Source>) -> Self {
        Self { query, source, stage: Stage::Process, entries: Default::default() }
    }

    /// Adds the next piece, which may be empty; whether there is more.
    pub fn more(&mut self, out: &mut String) -> bool {
        match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Process => {
                if self.query.has(Scope::Global)
                    && let Some(sheet) = self.source.sheet()
                {
                    process::write(&sheet, &self.query, out);
                }
                let any = OBJECTS.iter().any(|o| self.query.has(scope(*o)));
                self.stage = if any { Stage::Rows(0) } else { Stage::Families };
            }
            Stage::Rows(from) => self.stage = self.read(from),
            Stage::Objects(walk) => self.stage = self.walk(walk, out),
            Stage::Families => {
                let mut families = Vec::new();
                if self.query.has(Scope::Sticktable) {
                    families.extend(self.source.tables());
                }
                if self.query.has(Scope::Rhttp) {
                    families.extend(self.source.rhttp());
                }
                families.iter().filter(|f| self.query.wants(f.name)).for_each(|f| f.write(out));
            }
            Stage::Done => {}
        }
        !matches!(self.stage, Stage::Done)
    }

    /// Reads some rows.
    fn read(&mut self, from: usize) -> Stage {
        let Some((next, rows)) = self.source.rows(from, PROXIES, self.query.no_maint) else {
            return Stage::Objects(Walk::default());
        };
        for row in rows.iter().filter(|r| self.query.has(scope(r.object))) {
            let entry = Entry::new(row, &self.query);
            let kind = OBJECTS.iter().position(|o| *o == entry.object());
            if let Some(list) = kind.and_then(|i| self.entries.get_mut(i)) {
                list.push(entry);
            }
        }
        Stage::Rows(next)
    }

    /// Writes the metrics of objects, until the piece is long enough.
    fn walk(&self, mut at: Walk, out: &mut String) -> Stage {
        while let (Some(object), Some(entries)) = (OBJECTS.get(at.kind), self.entries.get(at.kind)) {
            let metrics = at.metrics.take().unwrap_or_else(|| Metric::all(*object, &self.query));
            while let Some(metric) = metrics.get(at.metric) {
                while let Some(entry) = entries.get(at.entry) {
                    if out.len() >= PIECE {
                        at.metrics = Some(metrics);
                        return Stage::Objects(at);
                    }
                    let mut fresh = !at.begun;
                    metric.write(entry, &mut fresh, out);
                    at.begun = !fresh;
                    at.entry += 1;
                }
                (at.metric, at.entry, at.begun) = (at.metric + 1, 0, false);
            }
            at = Walk { kind: at.kind + 1, ..Walk::default() };
        }
        Stage::Families
    }
}
