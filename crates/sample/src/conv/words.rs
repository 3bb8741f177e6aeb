//! `field` and `word`: parts of strings between delimiters.

use super::string::string;
use crate::args::{Arg, ArgSpec, ArgType, args};
use crate::compile::{CompileCx, Error};
use crate::ctx::Ctx;
use crate::row::{Converter, conv};
use crate::types::Type;
use crate::value::{Value, cut};

const SPEC: ArgSpec = args(2, &[ArgType::Sint, ArgType::Str, ArgType::Sint]);

/// Rows.
pub(super) static CONVERTERS: &[Converter] = &[
    conv("field", SPEC, Type::Str, Type::Str, field, "Extracts fields between single delimiters.")
        .check(check),
    conv("word", SPEC, Type::Str, Type::Str, word, "Extracts words between runs of delimiters.").check(check),
];

fn check(_: &mut CompileCx<'_>, a: &mut [Arg]) -> Result<(), Error> {
    if a[0].int() == Some(0) {
        return Err(Error::new("Unexpected value 0 for index"));
    }
    if a[1].text().is_empty() {
        return Err(Error::new("Empty separators list"));
    }
    Ok(())
}

/// Index (signed), delimiters and count (0 for all) of a call.
fn params(a: &[Arg]) -> Option<(i64, &[u8], i64)> {
    Some((a.first()?.int()?, a.get(1)?.text(), a.get(2).and_then(Arg::int).unwrap_or(1)))
}

fn field<'a>(a: &'a [Arg], v: Value<'a>, _: &Ctx<'a>) -> Option<Value<'a>> {
    let (index, delims, count) = params(a)?;
    let s = string(v);
    let (from, to) = if index > 0 {
        forward(&s, delims, index, count, false)?
    } else {
        backward(&s, delims, index.unsigned_abs(), count, false)?
    };
    Some(Value::Str(cut(s, from, to)))
}

fn word<'a>(a: &'a [Arg], v: Value<'a>, _: &Ctx<'a>) -> Option<Value<'a>> {
    let (index, delims, count) = params(a)?;
    let s = string(v);
    let (from, to) = if index > 0 {
        forward(&s, delims, index, count, true)?
    } else {
        backward(&s, delims, index.unsigned_abs(), count, true)?
    };
    Some(Value::Str(cut(s, from, to)))
}

/// From the beginning: range of `count` parts from the `index`-th. Parts between neighbouring delimiters do not count
/// as words.
fn forward(s: &[u8], delims: &[u8], index: i64, count: i64, words: bool) -> Option<(usize, usize)> {
    let (mut seen, mut start, mut taken) = (0, 0, 0);
    let mut from = None;
    for end in (0..=s.len()).filter(|i| *i == s.len() || delims.contains(&s[*i])) {
        if !(words && end == start) {
            seen += 1;
            if seen == index {
                from = Some(start);
                if count == 0 {
                    return Some((start, s.len()));
                }
            }
            if let Some(from) = from {
                taken += 1;
                if taken == count {
                    return Some((from, end));
                }
            }
        }
        start = end + 1;
    }
    // Fewer parts than asked for: up to the very end.
    from.map(|f| (f, s.len()))
}

/// The same from the end.
fn backward(s: &[u8], delims: &[u8], index: u64, count: i64, words: bool) -> Option<(usize, usize)> {
    let (mut seen, mut end, mut taken) = (0, s.len(), 0);
    let mut to = None;
    for i in (0..=s.len()).rev() {
        if i > 0 && !delims.contains(&s[i - 1]) {
            continue;
        }
        if !(words && end == i) {
            seen += 1;
            if seen == index {
                to = Some(end);
                if count == 0 {
                    return Some((0, end));
                }
            }
            if let Some(to) = to {
                taken += 1;
                if taken == count {
                    return Some((i, to));
                }
            }
        }
        end = i.saturating_sub(1);
    }
    to.map(|t| (0, t))
}
