//! Cookies inside Cookie and Set-Cookie values.

use crate::list::{trim, value_end};
use std::ops::Range;

/// One cookie.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cookie<'a> {
    /// Its name, never empty.
    pub name: &'a [u8],
    /// Its value, quotes included.
    pub value: &'a [u8],
    /// Where `name=value` is in the field's value.
    pub whole: Range<usize>,
    /// Where the value is in the field's value.
    pub at: Range<usize>,
}

/// Iterates over the cookies of a Cookie value. Both `;` and `,` separate them. What is not a cookie is skipped:
/// leading delimiters, empty names, names without `=`, and the `$Version` kind of old specifications.
pub fn cookies(value: &[u8]) -> Cookies<'_> {
    Cookies { value, pos: 0 }
}

/// Where the first cookie of a Cookie value ends, whatever it is; at the value's end at last.
pub fn cookie_end(value: &[u8]) -> usize {
    value_end(value, |b| matches!(b, b';' | b','))
}

/// The cookie that a Set-Cookie value sets; its attributes are ignored.
pub fn set_cookie(value: &[u8]) -> Option<Cookie<'_>> {
    let end = value_end(value, |b| b == b';');
    cookie_at(value, 0..end)
}

/// Iterator made by [`cookies`].
#[derive(Clone, Debug)]
pub struct Cookies<'a> {
    value: &'a [u8],
    pos: usize,
}

impl<'a> Iterator for Cookies<'a> {
    type Item = Cookie<'a>;

    fn next(&mut self) -> Option<Cookie<'a>> {
        // `pos` grows by at least one byte each turn, whatever the bytes are.
        while self.pos < self.value.len() {
            let start = self.pos;
            let end = start + cookie_end(&self.value[start..]);
            self.pos = end + 1;
            let found = cookie_at(self.value, start..end).filter(|c| c.name.first() != Some(&b'$'));
            if found.is_some() {
                return found;
            }
        }
        None
    }
}

/// The cookie in that part of the value.
fn cookie_at(value: &[u8], part: Range<usize>) -> Option<Cookie<'_>> {
    let eq = part.start + memchr::memchr(b'=', &value[part.clone()])?;
    let name = trimmed(value, part.start..eq);
    let at = trimmed(value, eq + 1..part.end);
    let whole = name.start..at.end;
    (!name.is_empty()).then(|| Cookie { name: &value[name], value: &value[at.clone()], whole, at })
}

/// The range without white space at its ends.
fn trimmed(s: &[u8], r: Range<usize>) -> Range<usize> {
    let part = &s[r.clone()];
    let kept = trim(part);
    // An empty remainder stands at the end of the part.
    let lead = part.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
    r.start + lead..r.start + lead + kept.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(v: &str) -> Vec<(&str, &str)> {
        let s = |b| std::str::from_utf8(b).unwrap();
        cookies(v.as_bytes())
            .inspect(|c| {
                assert_eq!(&v.as_bytes()[c.at.clone()], c.value);
                assert!(v.as_bytes()[c.whole.clone()].starts_with(c.name));
                assert!(v.as_bytes()[c.whole.clone()].ends_with(c.value));
            })
            .map(|c| (s(c.name), s(c.value)))
            .collect()
    }

    #[test]
    fn cookies_are_found_among_noise() {
        let cases: &[(&str, &[(&str, &str)])] = &[
            ("a=1; b=2", &[("a", "1"), ("b", "2")]),
            ("a=1;b=2;a=3", &[("a", "1"), ("b", "2"), ("a", "3")]),
            ("a=1,b=2", &[("a", "1"), ("b", "2")]),
            ("=1; a=2", &[("a", "2")]),
            (";a=1", &[("a", "1")]),
            (";;a=1;", &[("a", "1")]),
            (",,", &[]),
            ("a", &[]),
            ("a; b=1", &[("b", "1")]),
            ("a=", &[("a", "")]),
            ("a= ; b=1", &[("a", ""), ("b", "1")]),
            (" a = 1 ; b = 2 ", &[("a", "1"), ("b", "2")]),
            ("a=\"1;2\"; b=3", &[("a", "\"1;2\""), ("b", "3")]),
            ("a=\"1", &[("a", "\"1")]),
            ("a=b=c; b=4", &[("a", "b=c"), ("b", "4")]),
            ("$Version=1; a=2", &[("a", "2")]),
            ("a=1 2", &[("a", "1 2")]),
            ("; =", &[]),
            ("", &[]),
        ];
        for (v, want) in cases {
            assert_eq!(all(v), *want, "{v}");
        }
    }

    #[test]
    fn set_cookie_has_one_cookie() {
        let c = set_cookie(b"id=a,b; Path=/; HttpOnly").unwrap();
        assert_eq!((c.name, c.value, c.whole), (&b"id"[..], &b"a,b"[..], 0..6));
        assert_eq!(set_cookie(b"; Path=/"), None);
        assert_eq!(set_cookie(b"=x"), None);
        assert_eq!(set_cookie(b""), None);
    }
}
