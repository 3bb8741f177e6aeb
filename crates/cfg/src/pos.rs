//! Where a piece of configuration stands, and its words.

use crate::text::Text;
use std::borrow::Cow;
use std::fmt;

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
///
/// Cloning is cheap: the text is shared.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Word {
    /// The resolved text. Bytes that are no valid UTF-8 are represented as [`crate::octets`] says; whoever
    /// puts a word on the wire or hands it to the kernel uses [`Word::octets`].
    pub text: Text,
    /// Byte column of the first character in the source line, from 0; a quote counts.
    pub col: u32,
    /// Byte column behind the last character in the source line.
    pub end: u32,
}

impl Word {
    /// A word that no file holds, for tests and synthesised configuration.
    pub fn synthetic(text: &str) -> Self {
        Self { text: text.into(), col: 0, end: 0 }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The bytes that the word stands for.
    pub fn octets(&self) -> Cow<'_, [u8]> {
        crate::octets::decode(&self.text)
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
