//! Reads configuration files and feeds their lines to a sink.
//!
//! All sources are opened first; if one cannot be read, nothing is parsed. Then every line goes through the
//! lexer, the conditional blocks, and, if it is active, to the [`LineSink`]. Errors are collected: a line that
//! cannot be cut into words is skipped, and reading goes on, until a file has 50 lines with alerts.

mod blocks;
mod files;
#[cfg(test)]
mod tests;

pub use files::{Files, Source, SourceFile};

use crate::cond::CondCx;
use crate::diag::{Diag, Diags, Layout, Severity};
use crate::env::Env;
use crate::lexer::{self, LexError, LexErrorKind, Pseudo, Words};
use crate::pos::{FileId, Pos, Word};
use crate::suggest;
use blocks::Blocks;
use std::ops::Range;

/// Reading stops after this many lines with alerts in one file.
const MAX_FATAL_LINES: u32 = 50;

/// What a sink gets with every line.
#[derive(Debug)]
pub struct LineCx<'a> {
    /// Where the line is.
    pub pos: Pos,
    /// Name of the file.
    pub file: &'a str,
    /// All files, to name places that were seen before.
    pub files: &'a Files,
    /// Where messages go.
    pub diags: &'a mut Diags,
    /// What `setenv` and relatives change; lines that follow see the change.
    pub env: &'a mut Env,
    /// Value of `.SECTION`: the sink sets it at each section line, to the section's name, or to its type when it
    /// has none. It is empty at the start of each file.
    pub section: &'a mut String,
    /// Set by the sink to stop loading at once, as HAProxy does after some errors.
    pub abort: bool,
}

/// Takes the lines of a configuration.
pub trait LineSink {
    /// One line; `words` has at least one word, and none is empty. Directives that start with a dot (`.if`,
    /// `.notice`, …) and lines in skipped blocks never get here.
    fn line(&mut self, cx: &mut LineCx<'_>, words: &[Word]);

    /// The end of a file, which ends the current section.
    fn end_of_file(&mut self, _cx: &mut LineCx<'_>) {}
}

/// Reads and parses all sources: every line goes to `sink`, every message to `diags`. Returns the files for
/// rendering; none means that there was nothing to load. `HAPROXY_CFGFILES` is set in `env`, and the default log
/// formats are removed from it.
pub fn load(
    sources: &[Source],
    conditions: &CondCx<'_>,
    env: &mut Env,
    diags: &mut Diags,
    sink: &mut dyn LineSink,
) -> Files {
    let files = Files::read(sources, diags);
    if !diags.has_alert() {
        parse(&files, conditions, env, diags, sink);
    }
    files
}

/// Parses files that were read before.
pub fn parse(
    files: &Files,
    conditions: &CondCx<'_>,
    env: &mut Env,
    diags: &mut Diags,
    sink: &mut dyn LineSink,
) {
    env.set("HAPROXY_CFGFILES", &files.names());
    let state = State { files, diags, env, section: String::new() };
    let mut reader =
        Reader { state, conditions, sink, words: Words::default(), abort: false, explained: false };
    for (id, file) in (0..=u16::MAX).zip(&files.list) {
        reader.file(FileId(id), file);
        if reader.abort {
            break;
        }
    }
    env.forget_formats();
}

/// What a [`LineCx`] lends out.
struct State<'a> {
    files: &'a Files,
    diags: &'a mut Diags,
    env: &'a mut Env,
    section: String,
}

impl<'a> State<'a> {
    fn context(&mut self, pos: Pos, file: &'a str) -> LineCx<'_> {
        let Self { files, diags, env, section } = self;
        LineCx { pos, file, files, diags, env, section, abort: false }
    }

    fn tight(&mut self, pos: Pos, text: String) {
        self.diags.alert(pos, text).layout = Layout::Tight;
    }

    fn fatal_since(&self, before: usize) -> bool {
        self.diags.list.get(before..).unwrap_or_default().iter().any(Diag::fatal)
    }
}

struct Reader<'a> {
    state: State<'a>,
    conditions: &'a CondCx<'a>,
    sink: &'a mut dyn LineSink,
    /// Words of the current line; kept to be used again.
    words: Words,
    abort: bool,
    /// The long text about empty arguments was given.
    explained: bool,
}

impl<'a> Reader<'a> {
    fn file(&mut self, id: FileId, file: &'a SourceFile) {
        self.state.section.clear();
        let mut blocks = Blocks::default();
        let mut pos = Pos { file: id, line: 0 };
        let mut fatal_lines = 0;
        let text = &*file.text;
        let has_nul = memchr::memchr(0, text.as_bytes()).is_some();
        let mut start = 0;
        while start < text.len() {
            pos.line = pos.line.saturating_add(1);
            if fatal_lines >= MAX_FATAL_LINES {
                self.state.tight(pos, format!("too many fatal errors ({MAX_FATAL_LINES}), stopping now."));
                self.abort = true;
                return;
            }
            let rest = &text.as_bytes()[start..];
            let end = memchr::memchr(b'\n', rest);
            let line = &text[start..start + end.unwrap_or(rest.len())];
            let before = self.state.diags.list.len();
            if has_nul && let Some(col) = memchr::memchr(0, line.as_bytes()) {
                self.state.tight(pos, format!("Stray NUL character at position {}.", col + 1));
            } else {
                self.line(pos, file, start..start + line.len(), &mut blocks);
            }
            if end.is_none() {
                let col = line.len() + 1;
                let text = "Missing LF on last line, file might have been truncated at position";
                self.state.tight(pos, format!("{text} {col}."));
            }
            fatal_lines += u32::from(self.state.fatal_since(before));
            start += line.len() + 1;
            if self.abort {
                return;
            }
        }
        let mut cx = self.state.context(pos, &file.name);
        blocks.end_of_file(&mut cx);
        self.sink.end_of_file(&mut cx);
        self.abort |= cx.abort;
    }

    fn line(&mut self, pos: Pos, file: &'a SourceFile, range: Range<usize>, blocks: &mut Blocks) {
        let pseudo = Pseudo { file: &file.name, line: pos.line, section: &self.state.section };
        if let Err(error) =
            lexer::split_range(&file.text, range.clone(), self.state.env, &pseudo, &mut self.words)
        {
            return self.lex_error(pos, error);
        }
        let Some(first) = self.words.first() else { return };
        if first.starts_with('.') {
            return blocks.directive(&mut self.state.context(pos, &file.name), &self.words, self.conditions);
        }
        if !blocks.active() {
            return;
        }
        if first.is_empty() {
            let text = "this line is ignored, since its first word is empty.";
            self.state.diags.push(Severity::Diag, Some(pos), text).layout = Layout::Tight;
            return;
        }
        if let Some(i) = self.words.iter().position(|w| w.is_empty()) {
            return self.empty_argument(pos, file.text.get(range).unwrap_or_default(), i);
        }
        let mut cx = self.state.context(pos, &file.name);
        self.sink.line(&mut cx, &self.words);
        self.abort |= cx.abort;
    }

    fn lex_error(&mut self, pos: Pos, error: LexError) {
        let diag = self.state.diags.alert(pos, error.text);
        diag.span = Some((error.col, 1));
        diag.layout = match error.kind {
            LexErrorKind::TooManyWords => Layout::Tight,
            _ => Layout::Excerpt,
        };
    }

    /// HAProxy would take an empty argument for the end of the line, and drop what follows.
    fn empty_argument(&mut self, pos: Pos, line: &str, i: usize) {
        let word = &self.words[i];
        let source = line.get(word.col as usize..word.end as usize).unwrap_or_default();
        // HAProxy points behind what opens the word: at the closing quote, or at the variable's name.
        let name = source.trim_start_matches(['"', '\'', '$', '{']);
        let col = if name.is_empty() { word.col + 1 } else { word.end - column(name.len()) };
        let name = name.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
        let meant = match source.contains('$') && self.state.env.get(name).is_none() {
            true => suggest::near(name, self.state.env.iter().map(|(name, _)| name)),
            false => None,
        };
        let meant = meant.map(str::to_owned);
        let text = format!(
            "argument number {i} at position {} is empty and marks the end of the argument list:",
            col + 1
        );
        let diag = self.state.diags.alert(pos, text);
        diag.span = Some((col, 1));
        diag.layout = Layout::Excerpt;
        if !std::mem::replace(&mut self.explained, true) {
            diag.note = Some(
                "Arguments behind an empty one would be dropped silently. If a variable is empty here, \
                 \"${NAME[*]}\" makes no argument of it (manual, section 2.3)."
                    .to_owned(),
            );
        }
        if let Some(meant) = meant {
            let text = format!("Hint: maybe you meant {meant} instead ?");
            self.state.diags.push(Severity::Notice, None, text);
        }
    }
}

fn column(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
