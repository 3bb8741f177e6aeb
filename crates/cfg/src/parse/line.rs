//! One logical line as keyword parsers see it: the keyword's words, then its arguments.

use crate::pos::{Pos, Word};
use std::sync::Arc;

/// `no` or `default` in front of a keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prefix {
    /// Neither.
    None,
    /// `no`.
    No,
    /// `default`.
    Default,
}

/// A line, seen from a keyword of one or more words.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'a> {
    /// Where it stands.
    pub(crate) pos: Pos,
    /// What stood before the keyword.
    pub(crate) prefix: Prefix,
    words: &'a [Word],
    depth: usize,
    /// It stood in the middle of a longer one.
    option: bool,
}

impl<'a> Line<'a> {
    /// The line seen from its first word.
    pub(crate) fn new(pos: Pos, words: &'a [Word]) -> Self {
        let (prefix, words) = match words.first().map(Word::as_str) {
            Some("no") => (Prefix::No, &words[1..]),
            Some("default") => (Prefix::Default, &words[1..]),
            _ => (Prefix::None, words),
        };
        Self { pos, prefix, words, depth: 1, option: false }
    }

    /// A line that is an option and its arguments.
    pub(crate) fn option(pos: Pos, words: &'a [Word]) -> Self {
        Self { pos, prefix: Prefix::None, words, depth: 1, option: true }
    }

    /// Whether it is an option in the middle of a line.
    pub(crate) fn is_option(&self) -> bool {
        self.option
    }

    /// All words from the keyword on.
    pub(crate) fn words(&self) -> &'a [Word] {
        self.words
    }

    /// The line seen from a keyword that is one word longer.
    pub(crate) fn deeper(self) -> Self {
        Self { depth: self.depth + 1, ..self }
    }

    /// The last word of the keyword, empty when the line has none.
    pub(crate) fn word(&self) -> &'a str {
        self.words.get(self.depth - 1).map_or("", Word::as_str)
    }

    /// The keyword, with single spaces.
    pub(crate) fn keyword(&self) -> String {
        let words: Vec<&str> = self.words.iter().take(self.depth).map(Word::as_str).collect();
        words.join(" ")
    }

    /// The last word of the keyword with its place, for messages.
    pub(crate) fn keyword_word(&self) -> Option<&'a Word> {
        self.words.get(self.depth - 1).or(self.words.last())
    }

    /// The arguments.
    pub(crate) fn args(&self) -> &'a [Word] {
        self.words.get(self.depth..).unwrap_or_default()
    }

    /// Number of arguments.
    pub(crate) fn len(&self) -> usize {
        self.args().len()
    }

    /// Argument `i`, from 0; empty when the line is shorter, as HAProxy sees it.
    pub(crate) fn arg(&self, i: usize) -> &'a str {
        self.args().get(i).map_or("", Word::as_str)
    }

    /// Argument `i` as an owned word.
    pub(crate) fn owned(&self, i: usize) -> Word {
        self.args().get(i).cloned().unwrap_or_else(|| Word::synthetic(""))
    }

    /// Copies of the arguments from `i` on.
    pub(crate) fn owned_from(&self, i: usize) -> Arc<[Word]> {
        self.args().get(i..).unwrap_or_default().into()
    }

    /// The same as a vector.
    pub(crate) fn owned_vec(&self, i: usize) -> Vec<Word> {
        self.args().get(i..).unwrap_or_default().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_of_several_words() {
        let words = ["no", "option", "httplog", "clf"].map(Word::synthetic);
        let line = Line::new(Pos::default(), &words);
        assert_eq!((line.prefix, line.word(), line.len()), (Prefix::No, "option", 2));
        let option = line.deeper();
        assert_eq!(
            (option.keyword().as_str(), option.word(), option.arg(0)),
            ("option httplog", "httplog", "clf")
        );
        assert_eq!((option.arg(1), option.deeper().deeper().len()), ("", 0));
        assert_eq!(option.deeper().deeper().word(), "");
    }
}
