//! Diagnostics: collected, never thrown.

use crate::pos::{Pos, Word};
use std::sync::Arc;

/// HAProxy's message levels.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub enum Severity {
    /// `[NOTICE]`.
    Notice,
    /// `[DIAG]`: printed with `-dD` only.
    Diag,
    /// `[WARNING]`: fatal with `-dW` and `zero-warning`.
    Warning,
    /// `[ALERT]`: the configuration is refused.
    Alert,
}

/// How HAProxy lays a message out. Without a position, the first four are `config : text`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Layout {
    /// `config : parsing [file:line] : text`: what keyword parsers use.
    #[default]
    Spaced,
    /// `config : parsing [file:line]: text`.
    Tight,
    /// As `Tight`, then ` at position N:` unless the text ends with a colon, the source line, and a caret under
    /// the first column of the span.
    Excerpt,
    /// `config : [file:line] : text`: checks after parsing.
    Located,
    /// `[file:line] : text`.
    Bare,
    /// `Parsing [file:line]: text`: formats, which are compiled after everything was read.
    Late,
    /// `config : text`, though it is about a line.
    Unplaced,
    /// The text alone, even if there is a position.
    Plain,
    /// `config : text` that only sums up messages before it; richer formats leave it out.
    Summary,
}

/// What is shown instead of the source line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Excerpt {
    /// The line.
    pub line: String,
    /// Byte column of the caret in it.
    pub caret: usize,
}

/// One message about the configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diag {
    /// How bad it is.
    pub severity: Severity,
    /// Where; `None` for messages about the whole configuration.
    pub pos: Option<Pos>,
    /// Byte column and length in the source line, where known.
    pub span: Option<(u32, u32)>,
    /// The text after HAProxy's `parsing [file:line] : ` (or after `config : ` when there is no position).
    pub text: String,
    /// A near miss: the keyword that was probably meant.
    pub suggestion: Option<String>,
    /// How the classic format prints it.
    pub layout: Layout,
    /// More text, on lines of its own.
    pub note: Option<String>,
    /// What the classic format shows instead of the source line.
    pub excerpt: Option<Box<Excerpt>>,
    /// An alert that HAProxy prints and goes on after.
    pub harmless: bool,
    /// An alert that is the last thing that HAProxy says.
    pub last: bool,
}

impl Diag {
    /// Whether HAProxy finds it after it has read everything.
    fn of_the_whole(&self) -> bool {
        let unplaced = self.pos.is_none() && self.layout == Layout::Spaced;
        matches!(self.layout, Layout::Plain | Layout::Bare | Layout::Late)
            || unplaced && self.severity > Severity::Notice
    }

    /// Whether the configuration is refused for it.
    pub fn fatal(&self) -> bool {
        self.severity == Severity::Alert && !self.harmless
    }
}

/// The messages of one run, in the order they were found.
#[derive(Default, Debug)]
pub struct Diags {
    /// All messages.
    pub list: Vec<Diag>,
}

impl Diags {
    /// Adds a message and returns it for refinement (`.span = ..`, `.suggestion = ..`).
    pub fn push(&mut self, severity: Severity, pos: Option<Pos>, text: impl Into<String>) -> &mut Diag {
        self.list.push(Diag {
            severity,
            pos,
            span: None,
            text: text.into(),
            suggestion: None,
            layout: Layout::Spaced,
            note: None,
            excerpt: None,
            harmless: false,
            last: false,
        });
        let last = self.list.len() - 1;
        &mut self.list[last]
    }

    /// Adds an alert at a line.
    pub fn alert(&mut self, pos: Pos, text: impl Into<String>) -> &mut Diag {
        self.push(Severity::Alert, Some(pos), text)
    }

    /// Adds an alert that points at a word.
    pub fn alert_at(&mut self, pos: Pos, word: &Word, text: impl Into<String>) -> &mut Diag {
        let d = self.push(Severity::Alert, Some(pos), text);
        d.span = Some((word.col, word.end.saturating_sub(word.col).max(1)));
        d
    }

    /// Adds a warning at a line.
    pub fn warning(&mut self, pos: Pos, text: impl Into<String>) -> &mut Diag {
        self.push(Severity::Warning, Some(pos), text)
    }

    /// Whether anything was found that the configuration is refused for.
    pub fn has_alert(&self) -> bool {
        self.list.iter().any(Diag::fatal)
    }

    /// Whether HAProxy ends the messages by saying that there were some: when it has read all lines, and not all of
    /// them are right.
    pub fn wants_summary(&self) -> bool {
        self.list.iter().any(|d| d.fatal() && !d.last && d.layout != Layout::Summary && !d.of_the_whole())
    }

    /// Brings the messages into the order that HAProxy has: those about lines as they stand in the files, which
    /// `files` names, with a summary under each file that has errors; then those about the whole configuration,
    /// which nobody needs while lines of it are not understood.
    pub fn settle(&mut self, files: &[Arc<str>]) {
        let (whole, mut lines): (Vec<Diag>, Vec<Diag>) =
            std::mem::take(&mut self.list).into_iter().partition(Diag::of_the_whole);
        lines.retain(|d| d.layout != Layout::Summary);
        let refused = lines.iter().any(Diag::fatal);
        let Some(first) = lines.iter().position(|d| d.pos.is_some()) else {
            self.list = lines;
            self.list.extend(whole);
            return;
        };
        // Messages without a place stay behind those that they follow.
        let mut last = lines[first].pos;
        let mut placed: Vec<(Option<Pos>, Diag)> = Vec::with_capacity(lines.len());
        for d in lines {
            last = d.pos.or(last);
            placed.push((last, d));
        }
        placed.sort_by_key(|(pos, _)| pos.map(|p| (p.file.0, p.line)));
        let mut placed = placed.into_iter().peekable();
        let mut errors = false;
        while let Some((pos, d)) = placed.next() {
            errors |= d.fatal();
            self.list.push(d);
            let file = |pos: Option<Pos>| pos.map(|p| p.file);
            if errors && placed.peek().is_none_or(|(next, _)| file(*next) != file(pos)) {
                errors = false;
                let name = file(pos).and_then(|f| files.get(usize::from(f.0))).map_or("", |n| n);
                let text = format!("Error(s) found in configuration file : {name}");
                self.push(Severity::Alert, None, text).layout = Layout::Summary;
            }
        }
        if !refused {
            self.list.extend(whole);
        }
    }

    /// Whether any warning was found.
    pub fn has_warning(&self) -> bool {
        self.list.iter().any(|d| d.severity == Severity::Warning)
    }
}
