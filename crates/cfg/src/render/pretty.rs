//! Messages for people: the source line with what is meant underlined, and what was probably meant.

use super::{plain_text, source_column};
use crate::diag::{Diag, Diags, Severity};
use crate::load::Files;
use crate::octets;
use std::fmt::Write;

/// Source lines are cut to this many columns around what is meant.
const WIDTH: usize = 100;

/// A tab goes to the next multiple of this.
const TAB: usize = 4;

/// Renders messages in the manner of rustc.
#[derive(Debug)]
pub struct Pretty<'a> {
    files: &'a Files,
    color: bool,
}

/// ANSI colours.
#[derive(Clone, Copy)]
enum Paint {
    Alert,
    Warning,
    Note,
    Gutter,
    Strong,
}

impl<'a> Pretty<'a> {
    /// With ANSI colours or without.
    pub fn new(files: &'a Files, color: bool) -> Self {
        Self { files, color }
    }

    /// One message with its excerpt.
    pub fn message(&self, d: &Diag) -> String {
        let (paint, name) = match d.severity {
            Severity::Alert => (Paint::Alert, "alert"),
            Severity::Warning => (Paint::Warning, "warning"),
            Severity::Notice => (Paint::Note, "notice"),
            Severity::Diag => (Paint::Note, "diag"),
        };
        let mut text = plain_text(d).split('\n');
        let first = text.next().unwrap_or_default();
        let mut out =
            format!("{}{}\n", self.paint(paint, name), self.paint(Paint::Strong, &format!(": {first}")));
        let source = d.pos.and_then(|pos| Some((pos, self.files.line(pos)?)));
        let number = d.pos.map_or(String::new(), |p| p.line.to_string());
        let gutter = " ".repeat(number.len());
        // Writing to a string cannot fail.
        if let Some(pos) = d.pos {
            let column = match (d.span, source) {
                (Some((col, _)), Some((_, line))) => format!(":{}", source_column(line, col)),
                _ => String::new(),
            };
            let arrow = self.paint(Paint::Gutter, "-->");
            let _ = writeln!(out, "{gutter}{arrow} {}:{}{column}", self.files.name(pos.file), pos.line);
        }
        let help = d.suggestion.as_ref().map(|s| format!("help: did you mean '{s}'?"));
        let mut help = help.as_deref();
        if let Some((_, line)) = source.filter(|(_, line)| !line.trim().is_empty()) {
            let bar = self.paint(Paint::Gutter, "|");
            let number = self.paint(Paint::Gutter, &number);
            let _ = writeln!(out, "{gutter} {bar}");
            let (shown, from, len) = excerpt(line, d.span);
            let _ = writeln!(out, "{number} {bar} {shown}");
            if d.span.is_some() {
                let label = help.take().map_or(String::new(), |h| format!(" {h}"));
                let mark = self.paint(paint, &format!("{}{label}", "^".repeat(len)));
                let _ = writeln!(out, "{gutter} {bar} {:from$}{mark}", "");
            }
        }
        let notes = text.chain(d.note.iter().flat_map(|n| n.lines())).map(|n| ("note: ", n));
        for (label, line) in notes.chain(help.map(|h| ("", h))) {
            let _ = writeln!(out, "{gutter} {} {label}{line}", self.paint(Paint::Gutter, "="));
        }
        out
    }

    /// How many messages of which kind there were; empty when there were none that count.
    pub fn summary(&self, diags: &Diags) -> String {
        let count =
            |severity| diags.list.iter().filter(|d| d.severity == severity && !super::is_summary(d)).count();
        let plural = |n, word| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
        match (count(Severity::Alert), count(Severity::Warning)) {
            (0, 0) => String::new(),
            (0, w) => format!("{}\n", self.paint(Paint::Warning, &plural(w, "warning"))),
            (a, 0) => format!("{}\n", self.paint(Paint::Alert, &plural(a, "alert"))),
            (a, w) => {
                let text = format!("{}, {}", plural(a, "alert"), plural(w, "warning"));
                format!("{}\n", self.paint(Paint::Alert, &text))
            }
        }
    }

    fn paint(&self, paint: Paint, text: &str) -> String {
        if !self.color {
            return text.to_owned();
        }
        let code = match paint {
            Paint::Alert => "1;31",
            Paint::Warning => "1;33",
            Paint::Note => "1;36",
            Paint::Gutter => "1;34",
            Paint::Strong => "1",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

/// The line as it is shown, and where in it, in columns, what is meant starts and how long it is.
fn excerpt(line: &str, span: Option<(u32, u32)>) -> (String, usize, usize) {
    let (col, len) = span.unwrap_or((0, 0));
    let (col, end) = (col as usize, (col as usize).saturating_add(len as usize));
    let mut shown = Vec::with_capacity(line.len());
    let (mut from, mut to) = (None, None);
    for (at, c) in line.char_indices() {
        if at >= col {
            from.get_or_insert(shown.len());
        }
        if at >= end {
            to.get_or_insert(shown.len());
        }
        match c {
            '\t' => shown.resize(shown.len() / TAB * TAB + TAB, ' '),
            c if c.is_control() || octets::byte_of(c).is_some() => shown.push('\u{fffd}'),
            c => shown.push(c),
        }
    }
    while shown.last() == Some(&' ') {
        shown.pop();
    }
    let from = from.unwrap_or(shown.len());
    let len = to.unwrap_or(shown.len()).saturating_sub(from).max(1);
    cut(shown, from, len)
}

/// Cuts a line that is too wide.
fn cut(shown: Vec<char>, from: usize, len: usize) -> (String, usize, usize) {
    if shown.len() <= WIDTH {
        return (shown.into_iter().collect(), from, len);
    }
    let start = if from < WIDTH * 3 / 4 { 0 } else { from - WIDTH / 2 };
    let end = (start + WIDTH).min(shown.len());
    let (before, behind) = (if start > 0 { "…" } else { "" }, if end < shown.len() { "…" } else { "" });
    let part: String = shown.get(start..end).unwrap_or_default().iter().collect();
    let from = from - start + usize::from(start > 0);
    (format!("{before}{part}{behind}"), from, len.min(WIDTH.saturating_sub(from)).max(1))
}
