//! Times and sizes (manual 2.5 and 2.6).

use nom::branch::alt;
use nom::character::complete::{char, digit0, one_of};
use nom::combinator::{map, opt, value};
use nom::error::Error;
use nom::{IResult, Parser, bytes::complete::tag};
use thiserror::Error as ThisError;

/// The largest time that fits, in any unit; in milliseconds these are 24.8 days.
pub const MAX_TIME: u32 = i32::MAX as u32;

/// The unit of a time without a suffix, and of the parsed result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TimeUnit {
    /// Microseconds.
    Us,
    /// Milliseconds: almost every keyword.
    Ms,
    /// Seconds.
    S,
    /// Minutes.
    M,
    /// Hours.
    H,
    /// Days.
    D,
}

impl TimeUnit {
    /// How many microseconds it has.
    fn micros(self) -> u64 {
        match self {
            Self::Us => 1,
            Self::Ms => 1_000,
            Self::S => 1_000_000,
            Self::M => 60_000_000,
            Self::H => 3_600_000_000,
            Self::D => 86_400_000_000,
        }
    }
}

/// Why a time or a size was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ThisError)]
pub enum UnitError {
    /// More than [`MAX_TIME`].
    #[error("overflow")]
    Overflow,
    /// A character that does not belong there, at this byte offset; `None` is the end of the text. A size that
    /// is too large ends at the character that makes it so.
    #[error("unexpected character")]
    Unexpected(usize, Option<char>),
}

/// Parses a time such as `10s`; the result is in `unit`, which also applies when no unit is written. Fractions of
/// a unit are rounded up. What follows a unit is not looked at, see [`trailing_character`].
///
/// # Errors
/// No number, an unknown unit, or a result above [`MAX_TIME`].
pub fn parse_time(text: &str, unit: TimeUnit) -> Result<u32, UnitError> {
    let (digits, rest) = number(text);
    if digits.is_empty() {
        return Err(unexpected(text, rest));
    }
    let written = match time_unit(rest) {
        Ok((_, written)) => written.unwrap_or(unit),
        Err(_) => return Err(unexpected(text, rest)),
    };
    let number: u64 = digits.parse().map_err(|_| UnitError::Overflow)?;
    let micros = number.checked_mul(written.micros()).ok_or(UnitError::Overflow)?;
    u32::try_from(micros.div_ceil(unit.micros())).ok().filter(|t| *t <= MAX_TIME).ok_or(UnitError::Overflow)
}

/// HAProxy's warning about what follows the unit of a time that [`parse_time`] took, such as the `ec` of `10sec`.
pub fn trailing_character(text: &str) -> Option<String> {
    let (_, rest) = number(text);
    let (rest, _) = time_unit(rest).ok()?;
    let c = rest.chars().next()?;
    Some(format!(
        "unexpected character '{c}' after the timer value '{text}', only (us=microseconds,ms=milliseconds,\
         s=seconds,m=minutes,h=hours,d=days) are supported. This will be reported as an error in next versions."
    ))
}

/// Parses a size such as `16k`, in bytes. Units are 1024, 1024² and 1024³, in either case.
///
/// # Errors
/// No number, anything behind it that is no unit, or more than 32 bits.
pub fn parse_size(text: &str) -> Result<u32, UnitError> {
    let (digits, rest) = number(text);
    if digits.is_empty() {
        return Err(unexpected(text, rest));
    }
    let mut size = 0u32;
    for (i, digit) in digits.bytes().enumerate() {
        let next = size.checked_mul(10).and_then(|s| s.checked_add(u32::from(digit - b'0')));
        size = next.ok_or_else(|| unexpected(text, &text[i..]))?;
    }
    let unit: IResult<_, _, Error<&str>> = opt(one_of("kKmMgG")).parse(rest);
    let (behind, shift) = match unit {
        Ok((behind, Some('k' | 'K'))) => (behind, 10),
        Ok((behind, Some('m' | 'M'))) => (behind, 20),
        Ok((behind, Some(_))) => (behind, 30),
        Ok((behind, None)) => (behind, 0),
        Err(_) => (rest, 0),
    };
    let size = size.checked_mul(1 << shift).ok_or_else(|| unexpected(text, rest))?;
    if behind.is_empty() { Ok(size) } else { Err(unexpected(text, behind)) }
}

/// The integer that a text starts with, with its sign, and what follows it: 0 if it starts with none, and `None` if it
/// does not fit.
pub fn leading_int(text: &str) -> (Option<i64>, &str) {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (digits, rest) = number(unsigned);
    if digits.is_empty() {
        return (Some(0), text);
    }
    (text[..text.len() - rest.len()].parse().ok(), rest)
}

fn number(text: &str) -> (&str, &str) {
    let digits: IResult<_, _, Error<&str>> = digit0(text);
    digits.map_or(("", text), |(rest, digits)| (digits, rest))
}

/// The unit that `rest` starts with, `None` at its end.
fn time_unit(rest: &str) -> IResult<&str, Option<TimeUnit>, Error<&str>> {
    if rest.is_empty() {
        return Ok((rest, None));
    }
    let unit = alt((
        value(TimeUnit::Us, tag("us")),
        value(TimeUnit::Ms, tag("ms")),
        value(TimeUnit::S, char('s')),
        value(TimeUnit::M, char('m')),
        value(TimeUnit::H, char('h')),
        value(TimeUnit::D, char('d')),
    ));
    map(unit, Some).parse(rest)
}

fn unexpected(text: &str, rest: &str) -> UnitError {
    UnitError::Unexpected(text.len() - rest.len(), rest.chars().next())
}

#[cfg(test)]
mod tests {
    use super::*;
    use UnitError::*;

    #[test]
    fn times() {
        for (text, expected) in [
            ("10", Ok(10)),
            ("0", Ok(0)),
            ("10ms", Ok(10)),
            ("10s", Ok(10_000)),
            ("2m", Ok(120_000)),
            ("1h", Ok(3_600_000)),
            ("24d", Ok(2_073_600_000)),
            ("0us", Ok(0)),
            ("1us", Ok(1)),
            ("1500us", Ok(2)),
            ("2147483647", Ok(MAX_TIME)),
            ("2147483648", Err(Overflow)),
            ("25d", Err(Overflow)),
            ("597h", Err(Overflow)),
            ("2147483647000us", Ok(MAX_TIME)),
            ("99999999999999999999", Err(Overflow)),
            ("99999999999999999d", Err(Overflow)),
            ("10x", Err(Unexpected(2, Some('x')))),
            ("10u", Err(Unexpected(2, Some('u')))),
            ("10S", Err(Unexpected(2, Some('S')))),
            ("1.5s", Err(Unexpected(1, Some('.')))),
            ("-5", Err(Unexpected(0, Some('-')))),
            ("+5", Err(Unexpected(0, Some('+')))),
            ("s", Err(Unexpected(0, Some('s')))),
            ("é", Err(Unexpected(0, Some('é')))),
            ("", Err(Unexpected(0, None))),
            ("10sec", Ok(10_000)),
        ] {
            assert_eq!(parse_time(text, TimeUnit::Ms), expected, "{text:?}");
        }
    }

    #[test]
    fn times_in_other_units() {
        assert_eq!(parse_time("10", TimeUnit::S), Ok(10));
        assert_eq!(parse_time("1500ms", TimeUnit::S), Ok(2));
        assert_eq!(parse_time("25d", TimeUnit::S), Ok(2_160_000));
        assert_eq!(parse_time("1ms", TimeUnit::Us), Ok(1000));
        assert_eq!(parse_time("36h", TimeUnit::D), Ok(2));
        assert_eq!(parse_time("61s", TimeUnit::M), Ok(2));
        assert_eq!(parse_time("1d", TimeUnit::H), Ok(24));
    }

    #[test]
    fn what_follows_a_unit_is_a_warning() {
        for (text, c) in
            [("10sec", Some('e')), ("5d5h", Some('5')), ("10mss", Some('s')), ("10s", None), ("10", None)]
        {
            let warning = trailing_character(text);
            assert_eq!(warning.is_some(), c.is_some(), "{text}");
            if let (Some(w), Some(c)) = (warning, c) {
                assert!(
                    w.starts_with(&format!("unexpected character '{c}' after the timer value '{text}', ")),
                    "{w}"
                );
            }
        }
    }

    #[test]
    fn integers_end_where_digits_do() {
        for (text, expected) in [
            ("10", (Some(10), "")),
            ("-10x", (Some(-10), "x")),
            ("+5", (Some(5), "")),
            ("1e3", (Some(1), "e3")),
            ("abc", (Some(0), "abc")),
            ("-", (Some(0), "-")),
            ("99999999999999999999 ", (None, " ")),
        ] {
            assert_eq!(leading_int(text), expected, "{text:?}");
        }
    }

    #[test]
    fn sizes() {
        for (text, expected) in [
            ("16384", Ok(16384)),
            ("16k", Ok(16384)),
            ("16K", Ok(16384)),
            ("1m", Ok(1 << 20)),
            ("3G", Ok(3 << 30)),
            ("4294967295", Ok(u32::MAX)),
            ("4294967296", Err(Unexpected(9, Some('6')))),
            ("99999999999", Err(Unexpected(9, Some('9')))),
            ("4g", Err(Unexpected(1, Some('g')))),
            ("4194304k", Err(Unexpected(7, Some('k')))),
            ("10kb", Err(Unexpected(3, Some('b')))),
            ("10x", Err(Unexpected(2, Some('x')))),
            ("1.5k", Err(Unexpected(1, Some('.')))),
            ("-1", Err(Unexpected(0, Some('-')))),
            ("k", Err(Unexpected(0, Some('k')))),
            ("", Err(Unexpected(0, None))),
        ] {
            assert_eq!(parse_size(text), expected, "{text:?}");
        }
    }
}
