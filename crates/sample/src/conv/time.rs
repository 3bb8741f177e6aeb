//! Dates out of numbers, and numbers out of dates.

use super::string::string;
use crate::args::{Arg, ArgSpec, ArgType, args};
use crate::compile::{CompileCx, Error};
use crate::ctx::Ctx;
use crate::date::{self, Tm};
use crate::row::{Converter, conv, conv0};
use crate::types::Type;
use crate::value::Value;
use std::borrow::Cow;

const FORMAT: ArgSpec = args(1, &[ArgType::Str, ArgType::Sint]);

/// Rows.
#[rustfmt::skip]
pub(super) static CONVERTERS: &[Converter] = &[
    conv0("date", Type::Str, Type::Sint, parse, "Reads a date of an HTTP field."),
    conv("http_date", args(0, &[ArgType::Sint, ArgType::Str]), Type::Sint, Type::Str, http_date, "Formats a date for an HTTP field.").check(unit_arg),
    conv("ltime", FORMAT, Type::Sint, Type::Str, |a, v, _| format(a, &v, 1, date::local), "Formats seconds as a local date."),
    conv("ms_ltime", FORMAT, Type::Sint, Type::Str, |a, v, _| format(a, &v, 1_000, date::local), "Formats milliseconds as a local date."),
    conv("ms_utime", FORMAT, Type::Sint, Type::Str, |a, v, _| format(a, &v, 1_000, date::utc), "Formats milliseconds as a UTC date."),
    conv("us_ltime", FORMAT, Type::Sint, Type::Str, |a, v, _| format(a, &v, 1_000_000, date::local), "Formats microseconds as a local date."),
    conv("us_utime", FORMAT, Type::Sint, Type::Str, |a, v, _| format(a, &v, 1_000_000, date::utc), "Formats microseconds as a UTC date."),
    conv("utime", FORMAT, Type::Sint, Type::Str, |a, v, _| format(a, &v, 1, date::utc), "Formats seconds as a UTC date."),
];

/// strftime of a count of 1/`unit` seconds; the offset is in seconds whatever the unit.
fn format<'a>(a: &'a [Arg], v: &Value<'a>, unit: i64, f: fn(i64) -> Option<Tm>) -> Option<Value<'a>> {
    let n = v.as_int()?;
    let secs = n.div_euclid(unit).checked_add(a.get(1).and_then(Arg::int).unwrap_or(0))?;
    let tm = f(secs)?;
    let nanos = n.rem_euclid(unit) * (1_000_000_000 / unit);
    let pattern = a.first()?.text();
    let mut out = Vec::new();
    let pattern = if unit > 1 { fractions(pattern, nanos) } else { Cow::Borrowed(pattern) };
    tm.strftime(&pattern, &mut out);
    Some(Value::Str(Cow::Owned(out)))
}

/// Replaces `%N` and `%1N` to `%9N` by the digits of the fraction of a second.
fn fractions(pattern: &[u8], nanos: i64) -> Cow<'_, [u8]> {
    if !pattern.contains(&b'N') {
        return Cow::Borrowed(pattern);
    }
    let mut out = Vec::with_capacity(pattern.len() + 8);
    let mut i = 0;
    while let Some(&c) = pattern.get(i) {
        i += 1;
        if c != b'%' {
            out.push(c);
            continue;
        }
        let width = match (pattern.get(i), pattern.get(i + 1)) {
            (Some(b'N'), _) => Some((9, 1)),
            (Some(d @ b'1'..=b'9'), Some(b'N')) => Some((usize::from(d - b'0'), 2)),
            _ => None,
        };
        match width {
            Some((digits, used)) => {
                let text = format!("{nanos:09}");
                out.extend_from_slice(&text.as_bytes()[..digits]);
                i += used;
            }
            None => {
                // The next character belongs to this one, so that `%%N` stays what it is.
                out.push(c);
                out.extend(pattern.get(i));
                i += 1;
            }
        }
    }
    Cow::Owned(out)
}

/// Units of time in arguments: the number of them in a second.
pub(crate) fn unit(a: &Arg) -> Option<i64> {
    match a.text() {
        b"" | b"s" => Some(1),
        b"ms" => Some(1_000),
        b"us" => Some(1_000_000),
        _ => None,
    }
}

/// Checks the unit in the second argument.
pub(crate) fn unit_arg(_: &mut CompileCx<'_>, a: &mut [Arg]) -> Result<(), Error> {
    check_unit(a, 1)
}

/// Checks the unit in an argument.
pub(crate) fn check_unit(a: &[Arg], i: usize) -> Result<(), Error> {
    let arg = &a[i];
    unit(arg)
        .map(|_| ())
        .ok_or_else(|| Error::new(format!("expects 's', 'ms' or 'us', got '{}'", arg.word())))
}

fn http_date<'a>(a: &'a [Arg], v: Value<'a>, _: &Ctx<'a>) -> Option<Value<'a>> {
    let unit = unit(a.get(1)?)?;
    let n = v.as_int()?.checked_add(a.first().and_then(Arg::int).unwrap_or(0))?;
    let tm = date::utc(n.div_euclid(unit))?;
    let mut out = Vec::with_capacity(40);
    tm.write_http(&mut out);
    if unit > 1 {
        out.push(b'.');
        out.extend_from_slice(itoa::Buffer::new().format(n.rem_euclid(unit)).as_bytes());
    }
    out.extend_from_slice(b" GMT");
    Some(Value::Str(Cow::Owned(out)))
}

fn parse<'a>(_: &'a [Arg], v: Value<'a>, _: &Ctx<'a>) -> Option<Value<'a>> {
    parse_http_date(&string(v)).map(Value::Int)
}

/// The three date forms of RFC 9110 5.6.7, in seconds since 1970.
fn parse_http_date(s: &[u8]) -> Option<i64> {
    const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
    let text = std::str::from_utf8(s).ok()?;
    let known = |day: &str, len: usize| DAYS.iter().any(|d| d.get(..len.min(d.len())) == Some(day));
    let (day, rest) = match text.split_once(", ") {
        Some(x) => x,
        // asctime: `Sun Nov  6 08:49:37 1994`.
        None => {
            let (day, rest) = text.split_once(' ')?;
            let b = rest.as_bytes();
            if !known(day, 3)
                || b.len() != 20
                || !rest.is_ascii()
                || b[3] != b' '
                || b[6] != b' '
                || b[15] != b' '
            {
                return None;
            }
            return seconds(&rest[16..], &rest[..3], rest[4..6].trim_start(), &rest[7..15]);
        }
    };
    let b = rest.as_bytes();
    if !rest.is_ascii() {
        return None;
    }
    if known(day, 3)
        && b.len() == 24
        && b[2] == b' '
        && b[6] == b' '
        && b[11] == b' '
        && rest.ends_with(" GMT")
    {
        return seconds(&rest[7..11], &rest[3..6], &rest[..2], &rest[12..20]);
    }
    if known(day, 9)
        && b.len() == 22
        && b[2] == b'-'
        && b[6] == b'-'
        && b[9] == b' '
        && rest.ends_with(" GMT")
    {
        // Two digits of a year: up to 69 this century, then the last.
        let yy: i64 = number(&rest[7..9])?;
        let year = if yy < 70 { 2000 + yy } else { 1900 + yy };
        return seconds(&year.to_string(), &rest[3..6], &rest[..2], &rest[10..18]);
    }
    None
}

/// Seconds of a date whose parts were found.
fn seconds(year: &str, month: &str, day: &str, time: &str) -> Option<i64> {
    let t = time.as_bytes();
    if t.len() != 8 || t[2] != b':' || t[5] != b':' {
        return None;
    }
    let (h, m, s) = (number(&time[..2])?, number(&time[3..5])?, number(&time[6..])?);
    let days = date::days(number(year)?, date::month_of(month.as_bytes())?, number(day)?);
    Some(days * 86_400 + h * 3_600 + m * 60 + s)
}

/// Decimal digits only.
fn number(s: &str) -> Option<i64> {
    if s.is_empty() || !s.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    s.parse().ok()
}
