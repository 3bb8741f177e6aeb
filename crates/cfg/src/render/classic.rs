//! HAProxy's format: what scripts and people have been reading for years.

use super::{label, source_column};
use crate::diag::{Diag, Layout, Severity};
use crate::load::Files;
use std::fmt::Write;

/// Excerpts are at most this wide.
const WIDTH: usize = 80;

/// What stands for the parts of a line that are left out.
const DOTS: &str = "...";

/// Renders messages as HAProxy 3.4 prints them.
#[derive(Debug)]
pub struct Classic<'a> {
    files: &'a Files,
    pid: u32,
}

impl<'a> Classic<'a> {
    /// For the process `pid`.
    pub fn new(files: &'a Files, pid: u32) -> Self {
        Self { files, pid }
    }

    /// The start of each message: `[ALERT]    (123) : `.
    pub fn prefix(&self, severity: Severity) -> String {
        format!("{:<10} ({}) : ", format!("[{}]", label(severity)), self.pid)
    }

    /// One message with all its lines.
    pub fn message(&self, d: &Diag) -> String {
        let mut out = String::new();
        out.push_str(&self.prefix(d.severity));
        self.place(d, &mut out);
        match &d.suggestion {
            Some(meant) => {
                let text = d.text.strip_suffix('.').unwrap_or(&d.text);
                // Writing to a string cannot fail.
                let _ = write!(out, "{text}; did you mean '{meant}' maybe ?");
            }
            None => out.push_str(&d.text),
        }
        let excerpt = d.layout == Layout::Excerpt && self.excerpt(d, &mut out).is_some();
        if !excerpt {
            out.push('\n');
        }
        for line in d.note.iter().flat_map(|n| n.lines()) {
            let _ = writeln!(out, "{}{line}", if excerpt { "" } else { "   | " });
        }
        out
    }

    /// What comes between the prefix and the text.
    fn place(&self, d: &Diag, out: &mut String) {
        let place = d.pos.map(|pos| format!("[{}:{}]", self.files.name(pos.file), pos.line));
        let (before, behind) = match d.layout {
            Layout::Spaced => ("config : parsing ", " : "),
            Layout::Tight | Layout::Excerpt => ("config : parsing ", ": "),
            Layout::Located => ("config : ", " : "),
            Layout::Bare => ("", " : "),
            Layout::Late => ("Parsing ", ": "),
            Layout::Plain => return,
            Layout::Summary | Layout::Unplaced => return out.push_str("config : "),
        };
        // Writing to a string cannot fail.
        let _ = match place {
            Some(place) => write!(out, "{before}{place}{behind}"),
            None if d.layout == Layout::Bare => Ok(()),
            None => write!(out, "config : "),
        };
    }

    /// The position, the source line and a caret.
    fn excerpt(&self, d: &Diag, out: &mut String) -> Option<()> {
        let (line, caret) = match &d.excerpt {
            Some(e) => (e.line.as_str(), e.caret),
            None => (self.files.line(d.pos?)?, d.span.map_or(0, |s| s.0 as usize)),
        };
        if !d.text.ends_with(':') {
            let column = source_column(line, u32::try_from(caret).unwrap_or(u32::MAX));
            let _ = write!(out, " at position {column}:");
        }
        let (shown, caret) = window(&printable(line, caret));
        let _ = writeln!(out, "\n  {shown}\n  {:>1$}", '^', caret + 1);
        Some(())
    }
}

/// The line as one column per byte, without its indentation, and where the caret is in it. Blanks become spaces;
/// what is not printable ASCII becomes question marks.
fn printable(line: &str, caret: usize) -> (String, usize) {
    let mut out = String::with_capacity(line.len());
    let mut column = None;
    for (at, c) in line.char_indices() {
        if at >= caret && column.is_none() {
            column = Some(out.len());
        }
        let blank = c.is_ascii_whitespace() || c == '\x0b';
        if blank && out.is_empty() {
            continue;
        }
        match c {
            _ if blank => out.push(' '),
            ' '..='~' => out.push(c),
            _ if crate::octets::byte_of(c).is_some() => out.push('?'),
            _ => out.extend(std::iter::repeat_n('?', c.len_utf8())),
        }
    }
    let column = column.unwrap_or(out.len());
    (out, column)
}

/// The part of the line around the caret that fits.
fn window((line, caret): &(String, usize)) -> (String, usize) {
    let caret = *caret;
    if caret < WIDTH {
        return (line.chars().take(WIDTH).collect(), caret);
    }
    let from = caret - (WIDTH / 2 - DOTS.len());
    let part: String = line.chars().skip(from).take(WIDTH - 2 * DOTS.len()).collect();
    (format!("{DOTS}{part}{DOTS}"), WIDTH / 2)
}
