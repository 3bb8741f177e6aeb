//! Where a piece of configuration stands, and its words.

use std::fmt;
use std::sync::Arc;

/// Index of a configuration file in [`crate::model::Config::files`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, PartialOrd, Ord, Hash)]
pub struct FileId(pub u16);

/// A line of a configuration file; line numbers start at 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, PartialOrd, Ord, Hash)]
pub struct Pos {
    /// The file.
    pub file: FileId,
    /// The line, from 1; 0 when the thing does not come from a file.
    pub line: u32,
}

/// One argument of a configuration line, after quotes, escapes and environment variables were resolved.
#[derive(Clone, PartialEq, Eq)]
pub struct Word {
    /// The resolved text. The language is bytes, but HAProxy's own words are UTF-8 compatible; `\xNN` escapes
    /// that are not valid UTF-8 are kept as the corresponding Latin-1 code points (see the lexer).
    pub text: Arc<str>,
    /// Byte column of the first character in the source line, from 0.
    pub col: u32,
}

impl Word {
    /// A word that no file holds, for tests and synthesised configuration.
    pub fn synthetic(text: &str) -> Self {
        Self { text: text.into(), col: 0 }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl std::ops::Deref for Word {
    type Target = str;
    fn deref(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}@{}", &*self.text, self.col)
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
