//! Times and sizes (manual 2.5 and 2.6).

use thiserror::Error;

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

/// Why a time or a size was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum UnitError {
    /// More than the result can hold.
    #[error("overflow")]
    Overflow,
    /// Not zero, but less than one unit.
    #[error("underflow")]
    Underflow,
    /// A character that does not belong there, at this byte offset; `None` is the end of the text.
    #[error("unexpected character")]
    Unexpected(usize, Option<char>),
}

/// Parses a time such as `10s`; the result is in `unit`, which also applies when no unit is written.
pub fn parse_time(text: &str, unit: TimeUnit) -> Result<u32, UnitError> {
    let _ = unit;
    text.parse().map_err(|_| UnitError::Unexpected(0, text.chars().next()))
}

/// Parses a size such as `16k`, in bytes.
pub fn parse_size(text: &str) -> Result<u32, UnitError> {
    text.parse().map_err(|_| UnitError::Unexpected(0, text.chars().next()))
}
