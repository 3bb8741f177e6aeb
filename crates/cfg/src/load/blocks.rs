//! The directives that start with a dot (manual 2.4): conditional blocks and messages.

use super::LineCx;
use crate::cond::{self, CondCx};
use crate::diag::{Diag, Excerpt, Layout, Severity};
use crate::pos::Word;

/// `.if` cannot nest deeper.
const MAX_NESTED: usize = 99;

/// What became of a conditional block so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Branch {
    /// The lines that follow are read.
    Active,
    /// No branch was taken yet.
    Waiting,
    /// A branch was taken before, the outer block is skipped, or the condition has an error.
    Done,
}

#[derive(Clone, Copy, Debug)]
struct Block {
    branch: Branch,
    /// `.else` was seen.
    last: bool,
}

/// The conditional blocks that are open.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    open: Vec<Block>,
}

impl Blocks {
    /// Whether lines are read here.
    pub(super) fn active(&self) -> bool {
        self.open.last().is_none_or(|b| b.branch == Branch::Active)
    }

    /// Handles a line whose first word starts with a dot.
    pub(super) fn directive(&mut self, cx: &mut LineCx<'_>, words: &[Word], conditions: &CondCx<'_>) {
        let Some(name) = words.first() else { return };
        match name.as_str() {
            ".if" => self.open_block(cx, words, conditions),
            ".elif" => self.elif(cx, words, conditions),
            ".else" => self.otherwise(cx, words),
            ".endif" => self.close(cx, words),
            _ if !self.active() => {}
            ".diag" => message(cx, words, Severity::Diag),
            ".notice" => message(cx, words, Severity::Notice),
            ".warning" => message(cx, words, Severity::Warning),
            ".alert" => message(cx, words, Severity::Alert),
            _ => alert(cx, name, format!("unknown directive '{name}'.")).last = false,
        }
    }

    /// Reports blocks that the end of a file leaves open, and closes them.
    pub(super) fn end_of_file(&mut self, cx: &mut LineCx<'_>) {
        if !self.open.is_empty() {
            self.open.clear();
            let diag = cx.diags.alert(cx.pos, "non-terminated '.if' block.");
            diag.layout = Layout::Tight;
            diag.last = true;
        }
    }

    fn open_block(&mut self, cx: &mut LineCx<'_>, words: &[Word], conditions: &CondCx<'_>) {
        let branch = if !self.active() {
            Branch::Done
        } else if self.open.len() >= MAX_NESTED {
            alert(cx, &words[0], format!("too many nested '.if', max is {}.", MAX_NESTED + 1));
            Branch::Done
        } else {
            condition(cx, words, conditions)
        };
        self.open.push(Block { branch, last: false });
    }

    fn elif(&mut self, cx: &mut LineCx<'_>, words: &[Word], conditions: &CondCx<'_>) {
        if let Some(block) = self.next_branch(cx, &words[0]) {
            block.branch = match block.branch {
                Branch::Waiting => condition(cx, words, conditions),
                Branch::Active | Branch::Done => Branch::Done,
            };
        }
    }

    fn otherwise(&mut self, cx: &mut LineCx<'_>, words: &[Word]) {
        no_argument(cx, words);
        if let Some(block) = self.next_branch(cx, &words[0]) {
            block.last = true;
            block.branch = match block.branch {
                Branch::Waiting => Branch::Active,
                Branch::Active | Branch::Done => Branch::Done,
            };
        }
    }

    fn close(&mut self, cx: &mut LineCx<'_>, words: &[Word]) {
        no_argument(cx, words);
        if self.open.pop().is_none() {
            alert(cx, &words[0], "lone '.endif' with no matching '.if'.".to_owned());
        }
    }

    /// The block that `.elif` or `.else` continues, if it may.
    fn next_branch(&mut self, cx: &mut LineCx<'_>, name: &Word) -> Option<&mut Block> {
        match self.open.last_mut() {
            None => {
                alert(cx, name, format!("lone '{name}' with no matching '.if'."));
                None
            }
            Some(block) if block.last => {
                alert(cx, name, format!("'{name}' after '.else' is not permitted."));
                block.branch = Branch::Done;
                None
            }
            block => block,
        }
    }
}

/// Evaluates the condition of `.if` or `.elif`: its words, joined again.
fn condition(cx: &mut LineCx<'_>, words: &[Word], conditions: &CondCx<'_>) -> Branch {
    let (name, rest) = (&words[0], &words[1..]);
    let text = rest.iter().map(Word::as_str).collect::<Vec<_>>().join(" ");
    match cond::evaluate(&text, cx.env, conditions) {
        Ok(true) => Branch::Active,
        Ok(false) => Branch::Waiting,
        Err(error) => {
            let text_at = format!("{} in '{name}' at position {}:", error.text, error.caret + 1);
            let diag = cx.diags.alert(cx.pos, text_at);
            diag.layout = Layout::Excerpt;
            diag.last = true;
            diag.span = Some(source_span(rest, error.caret));
            let line = format!("{name} {text}");
            diag.excerpt = Some(Box::new(Excerpt { caret: line.len() - text.len() + error.caret, line }));
            Branch::Done
        }
    }
}

/// Where a place in the joined condition stands in the source line, as well as that can be told: exactly, unless
/// quotes or variables come before it in its word.
fn source_span(words: &[Word], caret: usize) -> (u32, u32) {
    let mut start = 0;
    for word in words {
        let len = word.text.len();
        if caret <= start + len {
            let within = u32::try_from(caret - start).unwrap_or(0);
            let last = word.end.saturating_sub(1).max(word.col);
            return ((word.col + within).min(last), 1);
        }
        start += len + 1;
    }
    words.last().map_or((0, 1), |w| (w.end.saturating_sub(1), 1))
}

fn message(cx: &mut LineCx<'_>, words: &[Word], severity: Severity) {
    if let Some(extra) = words.get(2).filter(|w| !w.is_empty()) {
        let hint = "Use quotes if the message should contain spaces.";
        alert(cx, extra, format!("Unexpected argument '{extra}' for '{}'. {hint}", words[0])).last = false;
        return;
    }
    let text = words.get(1).map_or("", Word::as_str);
    let diag = cx.diags.push(severity, Some(cx.pos), format!("'{text}'."));
    diag.layout = Layout::Tight;
    diag.last = severity == Severity::Alert;
}

fn no_argument(cx: &mut LineCx<'_>, words: &[Word]) {
    if let Some(extra) = words.get(1).filter(|w| !w.is_empty()) {
        alert(cx, extra, format!("Unexpected argument '{extra}' for '{}'.", words[0]));
    }
}

/// An alert after which HAProxy says nothing more.
fn alert<'a>(cx: &'a mut LineCx<'_>, word: &Word, text: String) -> &'a mut Diag {
    let diag = cx.diags.alert_at(cx.pos, word, text);
    diag.layout = Layout::Tight;
    diag.last = true;
    diag
}
