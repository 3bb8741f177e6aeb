//! Diagnostics: collected, never thrown.

use crate::pos::{Pos, Word};

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

    /// Whether any alert was found.
    pub fn has_alert(&self) -> bool {
        self.list.iter().any(|d| d.severity == Severity::Alert)
    }

    /// Whether any warning was found.
    pub fn has_warning(&self) -> bool {
        self.list.iter().any(|d| d.severity == Severity::Warning)
    }
}
