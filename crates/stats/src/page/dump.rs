//! An answer, made in pieces.

use super::{Ask, Format, Place, Query, Settings, Source, head, tables};
use crate::write::{csv, csv_header, json, typed};
use std::sync::Arc;

/// About how many rows are made in one go.
const BATCH: usize = 50;

/// An answer in the making. Rows are read some at a time, as the client takes them.
#[derive(Debug)]
pub struct Dump {
    settings: Arc<Settings>,
    query: Query,
    source: Arc<dyn Source>,
    /// It is for an administrator.
    admin: bool,
    next: Next,
    /// A row was written.
    started: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Next {
    Head,
    Proxies(Place),
    End,
}

impl Dump {
    /// An answer to a query.
    pub fn new(settings: Arc<Settings>, query: Query, source: Arc<dyn Source>, admin: bool) -> Self {
        Self { settings, query, source, admin, next: Next::Head, started: false }
    }

    /// Adds the next piece, which may be empty; whether there is more.
    pub fn more(&mut self, out: &mut String) -> bool {
        match self.next {
            Next::Head => {
                self.head(out);
                self.next = if self.query.format == Format::Schema {
                    Next::End
                } else {
                    Next::Proxies(Place::default())
                };
            }
            Next::Proxies(from) => match self.proxies(from, out) {
                Some(next) => self.next = Next::Proxies(next),
                None => {
                    self.end(out);
                    self.next = Next::End;
                }
            },
            Next::End => {}
        }
        self.next != Next::End
    }

    fn head(&self, out: &mut String) {
        match self.query.format {
            Format::Html => {
                let sheet = self.source.sheet().unwrap_or_default();
                head::write(out, &self.settings, &self.query, &sheet);
            }
            Format::Csv => csv_header(out),
            Format::Json => out.push('['),
            Format::Schema => out.push_str(&hawser_cli::schema::schema()),
            Format::Typed => {}
        }
    }

    /// Writes some rows; the place that goes on.
    fn proxies(&mut self, from: Place, out: &mut String) -> Option<Place> {
        let wanted = |name: &str| self.settings.has(name) && self.query.wants(name);
        let selection = self.query.selection();
        let ask = Ask { selection: &selection, wanted: &wanted, legends: self.settings.legends };
        let (next, sections) = self.source.sections(from, BATCH, &ask)?;
        if self.query.format == Format::Html {
            sections.iter().for_each(|s| tables::write(out, s, &self.settings, self.admin));
            return Some(next);
        }
        for row in sections.iter().flat_map(|s| &s.rows) {
            match self.query.format {
                Format::Csv => csv(row, out),
                Format::Typed => typed(row, false, out),
                Format::Json => {
                    out.push_str(if std::mem::replace(&mut self.started, true) { "," } else { "" });
                    json(row, out);
                }
                Format::Html | Format::Schema => {}
            }
        }
        Some(next)
    }

    fn end(&self, out: &mut String) {
        match self.query.format {
            Format::Html => out.push_str("</body></html>\n"),
            Format::Json => out.push_str("]\n"),
            Format::Csv | Format::Typed | Format::Schema => {}
        }
    }
}
