//! `regsub`: substitution by regular expression.

use super::string::string;
use crate::args::{Arg, ArgType, args};
use crate::compile::{CompileCx, Error};
use crate::ctx::Ctx;
use crate::pattern;
use crate::row::{Converter, conv};
use crate::types::Type;
use crate::value::Value;
use regex::bytes::{Captures, Regex};
use std::borrow::Cow;
use std::sync::Arc;

/// Rows.
pub(super) static CONVERTERS: &[Converter] = &[conv(
    "regsub",
    args(2, &[ArgType::Regex, ArgType::Str, ArgType::Str]),
    Type::Str,
    Type::Str,
    regsub,
    "Replaces what a regular expression matches.",
)
.check(check)];

/// A compiled substitution.
#[derive(Debug)]
pub(crate) struct Substitution {
    regex: Regex,
    parts: Box<[Part]>,
    all: bool,
    /// The result never grows beyond this (bytes): back references could multiply the input.
    limit: usize,
}

/// One piece of a replacement.
#[derive(Debug, PartialEq)]
pub(crate) enum Part {
    Text(Vec<u8>),
    Group(usize),
}

/// Splits a replacement: `\1` is a group, `\xNN` a byte, another escaped character itself.
pub(crate) fn parts(text: &[u8]) -> Box<[Part]> {
    let mut out = Vec::new();
    let mut lit = Vec::new();
    let mut i = 0;
    while let Some(&c) = text.get(i) {
        i += 1;
        if c != b'\\' {
            lit.push(c);
            continue;
        }
        let hex = |i: usize| text.get(i).and_then(|c| char::from(*c).to_digit(16));
        match (text.get(i), hex(i + 1), hex(i + 2)) {
            (Some(d @ b'0'..=b'9'), ..) => {
                if !lit.is_empty() {
                    out.push(Part::Text(std::mem::take(&mut lit)));
                }
                out.push(Part::Group(usize::from(d - b'0')));
                i += 1;
            }
            (Some(b'x'), Some(hi), Some(lo)) => {
                lit.push(u8::try_from(hi << 4 | lo).unwrap_or(b'?'));
                i += 3;
            }
            (Some(c), ..) => {
                lit.push(*c);
                i += 1;
            }
            (None, ..) => lit.push(b'\\'),
        }
    }
    if !lit.is_empty() {
        out.push(Part::Text(lit));
    }
    out.into()
}

/// Appends a replacement for a match.
pub(crate) fn expand(parts: &[Part], caps: &Captures<'_>, out: &mut Vec<u8>) {
    for p in parts {
        match p {
            Part::Text(t) => out.extend_from_slice(t),
            Part::Group(n) => out.extend_from_slice(caps.get(*n).map_or(b"", |m| m.as_bytes())),
        }
    }
}

fn check(cx: &mut CompileCx<'_>, a: &mut [Arg]) -> Result<(), Error> {
    let flags = a[2].word();
    if let Some(c) = flags.chars().find(|c| !matches!(c, 'i' | 'g')) {
        return Err(Error::new(format!("invalid regex flag '{c}', only 'i' and 'g' are supported")));
    }
    let text = a[0].word();
    if text.is_empty() {
        return Err(Error::new("missing regex"));
    }
    let s = Substitution {
        regex: pattern::regex(text, flags.contains('i'))?,
        parts: parts(a[1].text()),
        all: flags.contains('g'),
        limit: cx.config.global.bufsize.unwrap_or(16384) as usize,
    };
    a[0] = Arg::Own(Arc::new(s));
    Ok(())
}

fn regsub<'a>(a: &'a [Arg], v: Value<'a>, _: &Ctx<'a>) -> Option<Value<'a>> {
    let sub = a.first()?.own::<Substitution>()?;
    let s = string(v);
    let mut out = Vec::new();
    let mut last = 0;
    for caps in sub.regex.captures_iter(&s) {
        let whole = caps.get(0)?;
        out.extend_from_slice(&s[last..whole.start()]);
        expand(&sub.parts, &caps, &mut out);
        if out.len() > sub.limit {
            return None;
        }
        last = whole.end();
        if !sub.all {
            break;
        }
    }
    if last == 0 && out.is_empty() {
        return Some(Value::Str(s));
    }
    out.extend_from_slice(&s[last..]);
    (out.len() <= sub.limit).then_some(Value::Str(Cow::Owned(out)))
}
