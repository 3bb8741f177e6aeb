//! `language`: content negotiation.

use super::string::string;
use crate::args::{Arg, ArgType, args};
use crate::ctx::Ctx;
use crate::row::{Converter, conv};
use crate::types::Type;
use crate::value::Value;

/// Rows.
pub(super) static CONVERTERS: &[Converter] = &[conv(
    "language",
    args(1, &[ArgType::Str, ArgType::Str]),
    Type::Str,
    Type::Str,
    language,
    "Chooses the preferred language among those offered.",
)];

fn language<'a>(a: &'a [Arg], v: Value<'a>, _: &Ctx<'a>) -> Option<Value<'a>> {
    let offered = a.first()?.text();
    let accept = string(v);
    let mut best: Option<(&[u8], u32)> = None;
    for item in accept.split(|c| *c == b',') {
        let (tag, params) = match memchr::memchr(b';', item) {
            Some(i) => (item[..i].trim_ascii(), &item[i + 1..]),
            None => (item.trim_ascii(), &b""[..]),
        };
        let q = quality(params);
        if tag.is_empty() || q == 0 || best.is_some_and(|b| q <= b.1) {
            continue;
        }
        if let Some(found) = choose(offered, tag) {
            best = Some((found, q));
        }
    }
    match best {
        Some((tag, _)) => Some(Value::str(tag)),
        None => a.get(1).filter(|d| !d.is_empty()).map(|d| Value::str(d.text())),
    }
}

/// The offered language for a tag: itself, or the language that it is a variant of.
fn choose<'a>(offered: &'a [u8], tag: &[u8]) -> Option<&'a [u8]> {
    let mut tag = tag;
    loop {
        if let Some(found) = offered.split(|c| *c == b';').find(|l| !l.is_empty() && *l == tag) {
            return Some(found);
        }
        tag = &tag[..memchr::memrchr(b'-', tag)?];
    }
}

/// The quality in thousandths; 1000 without one.
fn quality(params: &[u8]) -> u32 {
    let p = params.trim_ascii();
    let Some(q) = p.strip_prefix(b"q").map(<[u8]>::trim_ascii_start).and_then(|p| p.strip_prefix(b"="))
    else {
        return 1000;
    };
    let mut value = 0;
    let (whole, fraction) = match memchr::memchr(b'.', q) {
        Some(i) => (&q[..i], &q[i + 1..]),
        None => (q, &b""[..]),
    };
    match whole.trim_ascii() {
        b"0" | b"" => {}
        // Above one, or no number at all: as if it were one.
        _ => return 1000,
    }
    let mut unit = 100;
    for d in fraction.iter().take_while(|c| c.is_ascii_digit()).take(3) {
        value += u32::from(d - b'0') * unit;
        unit /= 10;
    }
    value
}
