//! `json`: escaping for JSON strings.

use super::string::string;
use crate::args::{Arg, ArgType, args};
use crate::compile::{CompileCx, Error};
use crate::ctx::Ctx;
use crate::row::{Converter, conv};
use crate::types::Type;
use crate::value::Value;
use std::borrow::Cow;
use std::io::Write as _;
use std::sync::Arc;

/// Rows.
pub(super) static CONVERTERS: &[Converter] =
    &[conv("json", args(1, &[ArgType::Str]), Type::Str, Type::Str, json, "Escapes for a JSON string.")
        .check(check)];

/// How input bytes are decoded.
#[derive(Clone, Copy, Debug, Default)]
struct Input {
    /// UTF-8 rather than one character for each byte.
    utf8: bool,
    /// Errors are dropped rather than fatal.
    silent: bool,
    /// Overlong sequences are accepted.
    permissive: bool,
}

fn check(_: &mut CompileCx<'_>, a: &mut [Arg]) -> Result<(), Error> {
    let input = |silent, permissive| Input { utf8: true, silent, permissive };
    let i = match a[0].word() {
        "" | "ascii" => Input::default(),
        "utf8" => input(false, false),
        "utf8s" => input(true, false),
        "utf8p" => input(false, true),
        "utf8ps" => input(true, true),
        _ => {
            return Err(Error::new(
                "Unexpected input code type. Allowed value are 'ascii', 'utf8', 'utf8s', 'utf8p' and 'utf8ps'",
            ));
        }
    };
    a[0] = Arg::Own(Arc::new(i));
    Ok(())
}

fn json<'a>(a: &'a [Arg], v: Value<'a>, _: &Ctx<'a>) -> Option<Value<'a>> {
    let input = *a.first()?.own::<Input>()?;
    let s = string(v);
    if s.iter().all(|c| matches!(c, b' '..=b'~') && !matches!(c, b'"' | b'\\' | b'/')) {
        return Some(Value::Str(s));
    }
    let mut out = Vec::with_capacity(s.len() * 2);
    let mut rest = &*s;
    while !rest.is_empty() {
        let (used, code) = if input.utf8 { decode(rest) } else { (1, Decoded::Good(u32::from(rest[0]))) };
        rest = &rest[used..];
        let code = match code {
            Decoded::Good(c) => Some(c),
            Decoded::Overlong(c) => input.permissive.then_some(c),
            Decoded::Bad => None,
        };
        match code.filter(|c| *c <= 0xffff) {
            Some(c) => escape(c, &mut out),
            None if input.silent => {}
            None => return None,
        }
    }
    Some(Value::Str(Cow::Owned(out)))
}

/// Writes one character.
fn escape(c: u32, out: &mut Vec<u8>) {
    match u8::try_from(c) {
        Ok(b'"') => out.extend_from_slice(b"\\\""),
        Ok(b'\\') => out.extend_from_slice(b"\\\\"),
        Ok(b'/') => out.extend_from_slice(b"\\/"),
        Ok(8) => out.extend_from_slice(b"\\b"),
        Ok(12) => out.extend_from_slice(b"\\f"),
        Ok(b'\r') => out.extend_from_slice(b"\\r"),
        Ok(b'\n') => out.extend_from_slice(b"\\n"),
        Ok(b'\t') => out.extend_from_slice(b"\\t"),
        Ok(c @ b' '..=b'~') => out.push(c),
        // Writing to a Vec cannot fail.
        _ => drop(write!(out, "\\u{c:04x}")),
    }
}

/// What a sequence of bytes stands for.
enum Decoded {
    Good(u32),
    Overlong(u32),
    Bad,
}

/// Decodes the character at the start of a non-empty string; returns its length too.
fn decode(s: &[u8]) -> (usize, Decoded) {
    let (len, first, lowest) = match s[0] {
        c @ 0..=0x7f => return (1, Decoded::Good(u32::from(c))),
        c @ 0xc0..=0xdf => (2, u32::from(c & 0x1f), 0x80),
        c @ 0xe0..=0xef => (3, u32::from(c & 0x0f), 0x800),
        c @ 0xf0..=0xf7 => (4, u32::from(c & 0x07), 0x1_0000),
        _ => return (1, Decoded::Bad),
    };
    let mut code = first;
    for i in 1..len {
        match s.get(i) {
            Some(c) if c & 0xc0 == 0x80 => code = code << 6 | u32::from(c & 0x3f),
            _ => return (i, Decoded::Bad),
        }
    }
    let decoded = match code {
        0xd800..=0xdfff | 0xfffe | 0xffff | 0x11_0000.. => Decoded::Bad,
        c if c < lowest => Decoded::Overlong(c),
        c => Decoded::Good(c),
    };
    (len, decoded)
}
