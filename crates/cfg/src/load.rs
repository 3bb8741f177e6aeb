//! Reads configuration files and feeds their logical lines to a sink.

use crate::cond::CondCx;
use crate::diag::Diags;
use crate::env::Env;
use crate::lexer::{self, Pseudo};
use crate::pos::{FileId, Pos, Word};
use std::path::PathBuf;
use std::sync::Arc;

/// Something to load.
#[derive(Clone, Debug)]
pub enum Source {
    /// A file, or a directory whose `*.cfg` files are loaded in lexical order.
    Path(PathBuf),
    /// A text that is in memory already.
    Text {
        /// The name for messages and `.FILE`.
        name: String,
        /// The content.
        data: Vec<u8>,
    },
}

/// One file that was loaded, kept for messages that show its lines.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// The name as given.
    pub name: Arc<str>,
    /// Its content; see [`crate::octets`] for bytes that are not UTF-8.
    pub text: Arc<str>,
}

/// All files of a configuration, by [`FileId`].
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// In the order in which they were loaded.
    pub list: Vec<SourceFile>,
}

impl Files {
    /// The name of a file, for messages.
    pub fn name(&self, id: FileId) -> &str {
        self.list.get(usize::from(id.0)).map_or("", |f| &f.name)
    }
}

/// What a sink gets with every line.
#[derive(Debug)]
pub struct LineCx<'a> {
    /// Where the logical line starts (with continuations, its first source line).
    pub pos: Pos,
    /// Name of the file.
    pub file: &'a str,
    /// Where messages go.
    pub diags: &'a mut Diags,
    /// What `setenv` and relatives change; lines that follow see the change.
    pub env: &'a mut Env,
    /// Value of `.SECTION`: the sink sets it at each section line, to the section's name, or to its type when it has none.
    pub section: &'a mut String,
    /// Set by the sink to stop loading at once, as HAProxy does after some errors.
    pub abort: bool,
}

/// Takes the lines of a configuration.
pub trait LineSink {
    /// One logical line; `words` has at least one word, and the first is not empty. Conditional directives
    /// (`.if`, `.notice`, …) never get here.
    fn line(&mut self, cx: &mut LineCx<'_>, words: &[Word]);

    /// The end of a file, which ends the current section.
    fn end_of_file(&mut self, _cx: &mut LineCx<'_>) {}
}

/// Loads all sources: every line goes to `sink`, every message to `diags`. Returns the files for rendering.
pub fn load(
    sources: &[Source],
    cond: &CondCx<'_>,
    env: &mut Env,
    diags: &mut Diags,
    sink: &mut dyn LineSink,
) -> Files {
    let _ = cond;
    let mut files = Files::default();
    let mut section = String::new();
    for (i, source) in sources.iter().enumerate() {
        let (name, data) = match source {
            Source::Path(p) => (p.to_string_lossy().into_owned(), std::fs::read(p).unwrap_or_default()),
            Source::Text { name, data } => (name.clone(), data.clone()),
        };
        let text = crate::octets::encode(&data).into_owned();
        let mut words = Vec::new();
        let file = FileId(u16::try_from(i).unwrap_or(u16::MAX));
        for (n, line) in (1u32..).zip(text.lines()) {
            let pseudo = Pseudo { file: &name, line: n, section: &section };
            if lexer::split_into(line, env, &pseudo, &mut words).is_err() || words.is_empty() {
                continue;
            }
            let pos = Pos { file, line: n };
            let mut cx = LineCx { pos, file: &name, diags, env, section: &mut section, abort: false };
            sink.line(&mut cx, &words);
        }
        files.list.push(SourceFile { name: name.into(), text: text.into() });
    }
    files
}
