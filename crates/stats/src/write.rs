//! Rows as text: CSV, typed, JSON (management guide 9.1 to 9.3 `show stat`).

use crate::column::{COLUMNS, Col, FIRST_OF_MODULES, backend_tags};
use crate::row::{Object, Row, Value};
use hawser_cli::info::{json_item, quote};
use std::fmt::Write;

/// How to print.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Format {
    /// One line a row, for spreadsheets.
    #[default]
    Csv,
    /// One line a value, with everything that is known of its column.
    Typed {
        /// With the column's description.
        described: bool,
    },
    /// An array of arrays.
    Json,
}

/// All rows as text.
pub fn print(rows: &[Row], format: Format) -> String {
    let mut out = String::new();
    match format {
        Format::Csv => {
            csv_header(&mut out);
            rows.iter().for_each(|row| csv(row, &mut out));
        }
        Format::Typed { described } => rows.iter().for_each(|row| typed(row, described, &mut out)),
        Format::Json => {
            out.push('[');
            for (i, row) in rows.iter().enumerate() {
                out.push_str(if i == 0 { "" } else { "," });
                json(row, &mut out);
            }
            out.push_str("]\n");
        }
    }
    out
}

/// The line that names the columns.
pub fn csv_header(out: &mut String) {
    out.push_str("# ");
    for (i, c) in COLUMNS.iter().enumerate() {
        if i == FIRST_OF_MODULES as usize {
            out.push_str("-,");
        }
        out.push_str(c.name);
        out.push(',');
    }
    out.push('\n');
}

/// A row as a line of values.
pub fn csv(row: &Row, out: &mut String) {
    let mut values = row.values().peekable();
    for i in 0..COLUMNS.len() {
        if i == FIRST_OF_MODULES as usize {
            out.push_str("-,");
        }
        if let Some((_, _, value)) = values.next_if(|(col, ..)| *col as usize == i) {
            csv_value(value, out);
        }
        out.push(',');
    }
    out.push('\n');
}

/// Text with a comma, a quote or a line end is quoted, quotes in it doubled (RFC 4180).
fn csv_value(value: &Value, out: &mut String) {
    let mut text = String::new();
    plain(value, &mut text);
    if text.contains([',', '"', '\n', '\r']) {
        out.push('"');
        out.push_str(&text.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(&text);
    }
}

fn plain(value: &Value, out: &mut String) {
    match value {
        Value::Str(s) => out.push_str(s),
        Value::Name(s) => out.push_str(s),
        Value::Num(n) => out.push_str(itoa::Buffer::new().format(*n)),
        Value::Signed(n) => out.push_str(itoa::Buffer::new().format(*n)),
    }
}

fn tags(row: &Row, col: Col, tags: &'static str) -> &'static str {
    if row.object == Object::Backend { backend_tags(col).unwrap_or(tags) } else { tags }
}

pub(crate) fn typed(row: &Row, described: bool, out: &mut String) {
    for (col, c, value) in row.values() {
        let (letter, tags) = (row.object.letter(), tags(row, col, c.tags));
        let head = (row.iid, row.sid, col as u8, c.name);
        let _ =
            write!(out, "{letter}.{}.{}.{}.{}.1:{tags}:{}:", head.0, head.1, head.2, head.3, c.kind.word());
        plain(value, out);
        if described {
            let _ = write!(out, ":\"{}\"", c.help);
        }
        out.push('\n');
    }
}

pub(crate) fn json(row: &Row, out: &mut String) {
    out.push('[');
    for (i, (col, c, value)) in row.values().enumerate() {
        out.push_str(if i == 0 { "{" } else { ",{" });
        let (object, iid, sid) = (row.object.word(), row.iid, row.sid);
        let _ = write!(out, "\"objType\":\"{object}\",\"proxyId\":{iid},\"id\":{sid},");
        let mut text = String::new();
        plain(value, &mut text);
        if matches!(value, Value::Str(_) | Value::Name(_)) {
            text = quote(&text);
        }
        json_item(out, (col as usize, c.name), tags(row, col, c.tags), (c.kind.word(), &text));
        out.push('}');
    }
    out.push(']');
}

#[cfg(test)]
mod tests;
