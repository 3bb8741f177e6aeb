//! Cuts a line into words: quotes, escapes, comments, environment variables (manual 2.2 and 2.3).
//!
//! The language is the one that HAProxy 3.4 implements. It differs from the manual's table in two cells, and the
//! program wins over its manual, since regular expressions in real files depend on it: outside of quotes `\$`
//! keeps its backslash, and a backslash before a tab protects nothing. There is no continuation of lines.
//!
//! Most words need no treatment at all; they are found with one table look-up per byte and shared with the
//! file's text. Only a word with a quote, a backslash or a variable is assembled in a buffer.

mod expand;
#[cfg(test)]
mod props;
#[cfg(test)]
mod tests;

use crate::env::Env;
use crate::octets;
use crate::pos::Word;
use crate::text::Text;
use std::ops::Range;
use std::sync::Arc;

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
    /// `${NAME[` without `*]`.
    BadExpansion,
    /// `\x` without two hexadecimal digits.
    BadHex,
    /// More than [`MAX_WORDS`] words.
    TooManyWords,
}

impl LexErrorKind {
    /// HAProxy's message, without the position that it adds.
    pub fn message(self) -> &'static str {
        match self {
            Self::UnmatchedQuote => "unmatched quote",
            Self::UnmatchedBrace => "unmatched brace in environment variable name",
            Self::BadVariable => "forbidden first char in environment variable name",
            Self::BadExpansion => "truncated or invalid word expansion sequence",
            Self::BadHex => "truncated or invalid hexadecimal sequence",
            Self::TooManyWords => "too many words",
        }
    }
}

/// An error in a line, with the byte column (from 0) that it points at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LexError {
    /// Byte column in the line, from 0.
    pub col: u32,
    /// HAProxy's message, without the position that it adds.
    pub text: String,
    /// What it is.
    pub kind: LexErrorKind,
}

/// Cuts `raw`, one line without its line feed, into words. A comment or an empty line gives none.
///
/// Words can be empty (`""`); it is the caller who knows whether that is an error. A word ends at a NUL that an
/// escape put into it; there should be no NUL in `raw` itself.
///
/// # Errors
/// The first thing that is wrong with the line.
pub fn split_line(raw: &str, env: &Env, pseudo: &Pseudo<'_>) -> Result<Vec<Word>, LexError> {
    let mut words = Words::default();
    split_range(&raw.into(), 0..raw.len(), env, pseudo, &mut words)?;
    words.slots.truncate(words.len);
    Ok(words.slots)
}

/// As [`split_line`] for the line at `range` of a file's text, into words that are cleared first: those that need
/// no treatment are ranges of the text. After an error, `words` holds those before it.
pub(crate) fn split_range(
    text: &Arc<str>,
    range: Range<usize>,
    env: &Env,
    pseudo: &Pseudo<'_>,
    words: &mut Words,
) -> Result<(), LexError> {
    words.len = 0;
    let raw = text.get(range.clone()).unwrap_or_default();
    let lexer = Lexer::new(text, range.start, raw, env, pseudo, words);
    if memchr::memchr(b'\r', raw.as_bytes()).is_some() { lexer.line_with_returns() } else { lexer.line() }
}

/// The words of a line, in slots that the next line uses again: a slot that refers to the same file already is
/// moved on without counting references, which is most of what a word costs.
#[derive(Debug, Default)]
pub(crate) struct Words {
    slots: Vec<Word>,
    len: usize,
}

impl Words {
    fn push(&mut self, col: u32, end: u32, set: impl FnOnce(&mut Text)) {
        if self.len == self.slots.len() {
            self.slots.push(Word::synthetic(""));
        }
        if let Some(slot) = self.slots.get_mut(self.len) {
            set(&mut slot.text);
            (slot.col, slot.end) = (col, end);
            self.len += 1;
        }
    }
}

impl std::ops::Deref for Words {
    type Target = [Word];
    fn deref(&self) -> &[Word] {
        self.slots.get(..self.len).unwrap_or_default()
    }
}

/// Takes the quotes and escapes off a text that is one argument of a command line, the condition of `-cc`: blanks
/// outside of quotes become single spaces, and `#` is an ordinary character.
///
/// # Errors
/// As for a line.
pub fn unquote(raw: &str, env: &Env) -> Result<String, LexError> {
    let (mut words, pseudo) = (Words::default(), Pseudo::default());
    let text = raw.into();
    let mut lexer = Lexer::new(&text, 0, raw, env, &pseudo, &mut words);
    loop {
        lexer.piece()?;
        match lexer.peek() {
            None => break,
            Some(b'#') => {
                lexer.word.text.push('#');
                lexer.at += 1;
            }
            Some(_) => {
                lexer.at = lexer.skip(lexer.at, Class::Blank);
                if !lexer.word.text.is_empty() && lexer.peek().is_some() {
                    lexer.word.text.push(' ');
                }
            }
        }
    }
    lexer.word.join_octets();
    Ok(lexer.word.text)
}

/// What a byte means outside of quotes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Plain,
    Blank,
    Hash,
    Special,
}

/// Classes of all bytes. Bytes from 0x80 on are plain, so every boundary is one of characters, too.
static CLASS: [Class; 256] = {
    let mut table = [Class::Plain; 256];
    let blanks = b" \t\n\x0b\x0c\r";
    let mut i = 0;
    while i < blanks.len() {
        table[blanks[i] as usize] = Class::Blank;
        i += 1;
    }
    table[b'#' as usize] = Class::Hash;
    table[b'"' as usize] = Class::Special;
    table[b'\'' as usize] = Class::Special;
    table[b'\\' as usize] = Class::Special;
    table
};

/// A word that is being assembled.
#[derive(Default)]
struct Buffer {
    text: String,
    /// A `[*]` expansion took part: if nothing is left, there is no word.
    expanded: bool,
    /// A `\xNN` escape gave a byte that is not ASCII.
    octets: bool,
}

impl Buffer {
    /// Makes characters of neighbouring escaped bytes that form some together.
    fn join_octets(&mut self) {
        if std::mem::take(&mut self.octets) {
            self.text = octets::encode(&octets::decode(&self.text)).into_owned();
        }
    }
}

struct Lexer<'a> {
    /// What `raw` is a part of, and where it starts in it.
    text: &'a Arc<str>,
    base: usize,
    raw: &'a str,
    bytes: &'a [u8],
    /// Next byte to look at.
    at: usize,
    /// Where the current word starts.
    start: usize,
    env: &'a Env,
    pseudo: &'a Pseudo<'a>,
    words: &'a mut Words,
    word: Buffer,
}

impl<'a> Lexer<'a> {
    fn new(
        text: &'a Arc<str>,
        base: usize,
        raw: &'a str,
        env: &'a Env,
        pseudo: &'a Pseudo<'a>,
        words: &'a mut Words,
    ) -> Self {
        let (bytes, word) = (raw.as_bytes(), Buffer::default());
        Self { text, base, raw, bytes, at: 0, start: 0, env, pseudo, words, word }
    }

    fn line(mut self) -> Result<(), LexError> {
        loop {
            self.at = self.skip(self.at, Class::Blank);
            match self.peek() {
                None => return Ok(()),
                Some(b'#') => return Ok(()),
                Some(_) => self.word()?,
            }
        }
    }

    /// A carriage return is a blank between words; at the end of a word, or inside quotes, it ends the line.
    fn line_with_returns(mut self) -> Result<(), LexError> {
        let whole = self.raw;
        loop {
            self.at = self.skip(self.at, Class::Blank);
            let Some(rest) = whole.get(self.at..).filter(|r| !r.is_empty() && !r.starts_with('#')) else {
                return Ok(());
            };
            let end = rest.find('\r').map_or(whole.len(), |len| self.at + len);
            self.raw = &whole[..end];
            self.bytes = self.raw.as_bytes();
            self.word()?;
            if self.at >= end {
                return Ok(());
            }
            self.raw = whole;
            self.bytes = whole.as_bytes();
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// The first position from `at` on whose byte is not of `class`.
    fn skip(&self, at: usize, class: Class) -> usize {
        let rest = self.bytes.get(at..).unwrap_or_default();
        at + rest.iter().position(|&b| CLASS[usize::from(b)] != class).unwrap_or(rest.len())
    }

    fn word(&mut self) -> Result<(), LexError> {
        self.start = self.at;
        let end = self.skip(self.at, Class::Plain);
        if self.bytes.get(end).is_none_or(|&b| CLASS[usize::from(b)] != Class::Special) {
            let (whole, from, to) = (self.text, self.base + self.at, self.base + end);
            self.at = end;
            return self.push(|text| text.set_slice(whole, from, to));
        }
        self.piece()?;
        self.finish()
    }

    /// Assembles up to the next unprotected blank, comment or end.
    fn piece(&mut self) -> Result<(), LexError> {
        loop {
            let end = self.skip(self.at, Class::Plain);
            self.word.text.push_str(&self.raw[self.at..end]);
            self.at = end;
            match self.peek() {
                Some(b'"') => self.weak()?,
                Some(b'\'') => self.strong()?,
                Some(b'\\') => self.escape(false)?,
                _ => return Ok(()),
            }
        }
    }

    /// `'…'`: nothing is interpreted.
    fn strong(&mut self) -> Result<(), LexError> {
        let open = self.at;
        let inside = &self.bytes[open + 1..];
        let Some(len) = memchr::memchr(b'\'', inside) else {
            return Err(self.error(open, LexErrorKind::UnmatchedQuote));
        };
        self.word.text.push_str(&self.raw[open + 1..open + 1 + len]);
        self.at = open + len + 2;
        Ok(())
    }

    /// `"…"`: escapes and variables are interpreted.
    fn weak(&mut self) -> Result<(), LexError> {
        let open = self.at;
        self.at += 1;
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let Some(len) = memchr::memchr3(b'"', b'\\', b'$', rest) else {
                return Err(self.error(open, LexErrorKind::UnmatchedQuote));
            };
            self.word.text.push_str(&self.raw[self.at..self.at + len]);
            self.at += len;
            match rest.get(len) {
                Some(b'\\') => self.escape(true)?,
                Some(b'$') => self.variable()?,
                _ => {
                    self.at += 1;
                    return Ok(());
                }
            }
        }
    }

    /// A backslash and what it protects. One that protects nothing stays.
    fn escape(&mut self, weak: bool) -> Result<(), LexError> {
        let backslash = self.at;
        self.at += 2;
        match self.bytes.get(backslash + 1) {
            Some(&b @ (b'\\' | b'"' | b'\'' | b' ' | b'#')) => self.word.text.push(char::from(b)),
            Some(b'n') => self.word.text.push('\n'),
            Some(b'r') => self.word.text.push('\r'),
            Some(b't') => self.word.text.push('\t'),
            Some(b'$') if weak => self.word.text.push('$'),
            Some(b'x') => {
                let digits = self.bytes.get(self.at..self.at + 2).and_then(hex);
                let Some(byte) = digits else {
                    return Err(self.error(backslash, LexErrorKind::BadHex));
                };
                self.at += 2;
                self.word.octets |= byte >= 0x80;
                self.word.text.push(octets::char_of(byte));
            }
            _ => {
                self.at = backslash + 1;
                self.word.text.push('\\');
            }
        }
        Ok(())
    }

    /// Ends the word that was assembled.
    fn finish(&mut self) -> Result<(), LexError> {
        self.word.join_octets();
        let word = &mut self.word;
        let skipped = word.expanded && word.text.is_empty();
        let text = Text::from(word.text.split('\0').next().unwrap_or_default());
        word.text.clear();
        word.expanded = false;
        if skipped { Ok(()) } else { self.push(|slot| *slot = text) }
    }

    fn push(&mut self, set: impl FnOnce(&mut Text)) -> Result<(), LexError> {
        if let Some(last) = self.words.get(MAX_WORDS - 1) {
            return Err(LexError {
                col: last.col,
                text: format!(
                    "too many words, truncating after word {MAX_WORDS}, position {}: <{last}>.",
                    last.col
                ),
                kind: LexErrorKind::TooManyWords,
            });
        }
        self.words.push(column(self.start), column(self.at), set);
        Ok(())
    }

    fn error(&self, at: usize, kind: LexErrorKind) -> LexError {
        LexError { col: column(at), text: kind.message().to_owned(), kind }
    }
}

fn hex(digits: &[u8]) -> Option<u8> {
    match digits {
        [a, b] => u8::try_from(char::from(*a).to_digit(16)? * 16 + char::from(*b).to_digit(16)?).ok(),
        _ => None,
    }
}

fn column(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
