//! Integers and ranges of integers.

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

/// Parses `5`, `1:5`, `:5`, `5:`; a bound may be a version `3.1`, which counts 65536 per unit.
///
/// # Errors
/// HAProxy's text about what is not a number or not a range.
pub fn parse_range(text: &str) -> Result<Range, Error> {
    let bad_range = || Error::new(format!("'{text}' is not a valid number range"));
    let Some((lo, hi)) = text.split_once(':') else {
        let n = number(text).ok_or_else(|| Error::new(format!("'{text}' is not a number")))?;
        return Ok(Range { min: n, max: n });
    };
    let min = if lo.is_empty() { i64::MIN } else { number(lo).ok_or_else(bad_range)? };
    let max = if hi.is_empty() { i64::MAX } else { number(hi).ok_or_else(bad_range)? };
    if min > max {
        return Err(bad_range());
    }
    Ok(Range { min, max })
}

/// Parses an integer or a version of two integers.
fn number(text: &str) -> Option<i64> {
    match text.split_once('.') {
        None => text.parse().ok(),
        Some((major, minor)) => {
            let (major, minor): (i64, i64) = (major.parse().ok()?, minor.parse().ok()?);
            major.checked_mul(65536)?.checked_add(minor)
        }
    }
}

/// The range that an operator makes of a number.
pub fn with_operator(op: &str, text: &str) -> Result<Range, Error> {
    let r = parse_range(text)?;
    Ok(match op {
        "ge" => Range { min: r.min, max: i64::MAX },
        "gt" => Range { min: r.min.saturating_add(1), max: i64::MAX },
        "le" => Range { min: i64::MIN, max: r.max },
        "lt" => Range { min: i64::MIN, max: r.max.saturating_sub(1) },
        _ => r,
    })
}
