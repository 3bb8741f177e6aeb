//! Integers and ranges of integers.

use crate::args::integer;
use crate::compile::Error;

/// A range with optional bounds, both included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Range {
    /// Lower bound.
    pub min: i64,
    /// Upper bound.
    pub max: i64,
}

impl Range {
    /// Whether it holds a number.
    pub fn has(self, i: i64) -> bool {
        self.min <= i && i <= self.max
    }
}

/// How numbers are written in patterns.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Notation {
    /// Decimal integers.
    #[default]
    Plain,
    /// Versions `3.1`: the first number counts 65536.
    Dotted,
}

/// Parses `5`, `1:5`, `:5`, `5:`; a dash separates too, so that `-5` is everything up to 5.
///
/// # Errors
/// HAProxy's text about what is not a number or not a range.
pub fn parse_range(text: &str, notation: Notation) -> Result<Range, Error> {
    let bad_range = || Error::new(format!("'{text}' is not a valid number range"));
    let Some((lo, hi)) = text.split_once([':', '-']) else {
        let n = number(text, notation).ok_or_else(|| Error::new(format!("'{text}' is not a number")))?;
        return Ok(Range { min: n, max: n });
    };
    if lo.is_empty() && hi.is_empty() {
        return Err(bad_range());
    }
    let min = if lo.is_empty() { i64::MIN } else { number(lo, notation).ok_or_else(bad_range)? };
    let max = if hi.is_empty() { i64::MAX } else { number(hi, notation).ok_or_else(bad_range)? };
    if min > max {
        return Err(bad_range());
    }
    Ok(Range { min, max })
}

/// Parses a non-negative integer, or a version of two.
fn number(text: &str, notation: Notation) -> Option<i64> {
    let plain = |t: &str| integer(t).filter(|_| t.as_bytes().first().is_some_and(u8::is_ascii_digit));
    match text.split_once('.') {
        Some((major, minor)) if notation == Notation::Dotted => {
            plain(major)?.checked_mul(65536)?.checked_add(plain(minor)?)
        }
        _ if notation == Notation::Dotted => plain(text)?.checked_mul(65536),
        _ => plain(text),
    }
}

/// The range that an operator makes of a number; on a range, operators have no effect.
///
/// # Errors
/// See [`parse_range`].
pub fn with_operator(op: &str, text: &str, notation: Notation) -> Result<Range, Error> {
    let r = parse_range(text, notation)?;
    if text.contains([':', '-']) {
        return Ok(r);
    }
    Ok(match op {
        "ge" => Range { min: r.min, max: i64::MAX },
        "gt" => Range { min: r.min.saturating_add(1), max: i64::MAX },
        "le" => Range { min: i64::MIN, max: r.max },
        "lt" => Range { min: i64::MIN, max: r.max.saturating_sub(1) },
        _ => r,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(op: &str, text: &str, expected: Option<(i64, i64)>) {
        let r = with_operator(op, text, Notation::Plain).ok().map(|r| (r.min, r.max));
        assert_eq!(r, expected, "{op} {text}");
    }

    #[test]
    fn ranges_and_operators() {
        check("", "5", Some((5, 5)));
        check("", "1:5", Some((1, 5)));
        check("", "1-5", Some((1, 5)));
        check("", ":5", Some((i64::MIN, 5)));
        check("", "-5", Some((i64::MIN, 5)));
        check("", "5:", Some((5, i64::MAX)));
        check("gt", "5", Some((6, i64::MAX)));
        check("le", "5", Some((i64::MIN, 5)));
        check("lt", "0", Some((i64::MIN, -1)));
        check("gt", "5:10", Some((5, 10)));
        for bad in ["", ":", "x", "5x", "5:1", "0x5", "3.1", "-5--1", "+5", "5:x"] {
            check("", bad, None);
        }
    }

    #[test]
    fn versions() {
        let r = |t| parse_range(t, Notation::Dotted).ok();
        assert_eq!(r("3.1"), Some(Range { min: 0x30001, max: 0x30001 }));
        assert_eq!(r("3:3.1"), Some(Range { min: 0x30000, max: 0x30001 }));
        assert_eq!(r("3."), None);
    }
}
