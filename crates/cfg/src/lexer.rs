//! Cuts a logical line into words: quotes, escapes, comments, environment variables (manual 2.2 and 2.3).

use crate::env::Env;
use crate::pos::Word;

/// The most words that a line can have.
pub const MAX_WORDS: usize = 64;

/// Values of the pseudo-variables of manual 2.3.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pseudo<'a> {
    /// `.FILE`.
    pub file: &'a str,
    /// `.LINE`.
    pub line: u32,
    /// `.SECTION`.
    pub section: &'a str,
}

/// What is wrong with a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LexErrorKind {
    /// A quote without its partner.
    UnmatchedQuote,
    /// `${` without `}`.
    UnmatchedBrace,
    /// A variable name starts with a forbidden character.
    BadVariable,
    /// `\x` without two hexadecimal digits.
    BadHex,
    /// An empty argument, which would end the argument list.
    EmptyArgument,
    /// More than [`MAX_WORDS`] words.
    TooManyWords,
}

/// An error in a line, with the byte column (from 0) that it points at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LexError {
    /// Byte column in the line, from 0.
    pub col: u32,
    /// HAProxy's message.
    pub text: String,
    /// What it is.
    pub kind: LexErrorKind,
}

/// Cuts `raw`, one logical line without its line feed, into words. A comment or an empty line gives none.
///
/// # Errors
/// The first thing that is wrong with the line.
pub fn split_line(raw: &str, env: &Env, pseudo: &Pseudo<'_>) -> Result<Vec<Word>, LexError> {
    let mut words = Vec::new();
    split_into(raw, env, pseudo, &mut words)?;
    Ok(words)
}

/// As [`split_line`], into a vector that is cleared first and can be used again.
///
/// # Errors
/// The first thing that is wrong with the line.
pub fn split_into(
    raw: &str,
    _env: &Env,
    _pseudo: &Pseudo<'_>,
    words: &mut Vec<Word>,
) -> Result<(), LexError> {
    words.clear();
    let base = raw.as_ptr() as usize;
    words.extend(raw.split_ascii_whitespace().map(|w| {
        let col = u32::try_from(w.as_ptr() as usize - base).unwrap_or(u32::MAX);
        Word { text: w.into(), col, end: col + u32::try_from(w.len()).unwrap_or(0) }
    }));
    Ok(())
}
