//! Shared text: a piece of a file, without a copy of its own.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

/// A range of a shared string. Almost every word of a configuration is written exactly as it is meant, so it is a
/// range of its file's text: taking it costs a reference count, not an allocation and a copy.
#[derive(Clone)]
pub struct Text {
    whole: Arc<str>,
    start: u32,
    len: u32,
}

impl Text {
    /// The range `start..end` of `whole`; empty when that is no range of characters, or beyond 4 GiB.
    pub fn slice(whole: &Arc<str>, start: usize, end: usize) -> Self {
        let (start, len) = range(whole, start, end).unwrap_or_default();
        Self { whole: Arc::clone(whole), start, len }
    }

    /// Becomes [`Text::slice`]; no reference is counted when it is a range of `whole` already.
    pub(crate) fn set_slice(&mut self, whole: &Arc<str>, start: usize, end: usize) {
        if Arc::ptr_eq(&self.whole, whole) {
            (self.start, self.len) = range(whole, start, end).unwrap_or_default();
        } else {
            *self = Self::slice(whole, start, end);
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        let start = self.start as usize;
        self.whole.get(start..start + self.len as usize).unwrap_or_default()
    }
}

fn range(whole: &str, start: usize, end: usize) -> Option<(u32, u32)> {
    whole.get(start..end)?;
    Some((u32::try_from(start).ok()?, u32::try_from(end - start).ok()?))
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::slice(&text.into(), 0, text.len())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<Text> for Arc<str> {
    fn from(text: Text) -> Self {
        text.as_str().into()
    }
}

impl Deref for Text {
    type Target = str;
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self
    }
}

impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        self
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Text {}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        **self == *other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        **self == **other
    }
}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        str::hash(self, state);
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let whole: Arc<str> = "aé bc".into();
        for (start, end, expected) in
            [(0, 3, "aé"), (4, 6, "bc"), (6, 6, ""), (2, 3, ""), (4, 9, ""), (4, 3, "")]
        {
            assert_eq!(Text::slice(&whole, start, end), expected, "{start}..{end}");
        }
    }

    #[test]
    fn equal_texts_are_equal_wherever_they_are() {
        let (a, b) = (Text::slice(&"xyx".into(), 0, 1), Text::slice(&"xyx".into(), 2, 3));
        let set: std::collections::HashSet<Text> = [a, b, "y".into()].into();
        assert_eq!(set.len(), 2);
        assert!(set.contains("y"));
    }
}
