//! Encodings of binary data and strings: base64, hexadecimal, decimal, URL.

use super::string::string;
use crate::args::{Arg, ArgSpec, ArgType, args};
use crate::compile::{CompileCx, Error};
use crate::ctx::Ctx;
use crate::row::{Converter, conv, conv0};
use crate::types::Type;
use crate::value::Value;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use std::borrow::Cow;

const CHUNKS: ArgSpec = args(1, &[ArgType::Str, ArgType::Sint, ArgType::Sint]);

/// Rows.
#[rustfmt::skip]
pub(super) static CONVERTERS: &[Converter] = &[
    conv0("b64dec", Type::Str, Type::Bin, |_, v, _| bin(STANDARD.decode(string(v)).ok()?), "Decodes base64."),
    conv0("base2", Type::Bin, Type::Str, base2, "Writes eight binary digits for each byte."),
    conv0("base64", Type::Bin, Type::Str, |_, v, _| str(STANDARD.encode(v.into_bin()).into_bytes()), "Encodes in base64."),
    conv("be2dec", CHUNKS, Type::Bin, Type::Str, |a, v, _| decimal(a, v, false), "Writes chunks as big-endian decimal numbers.").check(decimal_args),
    conv("be2hex", CHUNKS, Type::Bin, Type::Str, be2hex, "Writes chunks in hexadecimal, with a separator.").check(be2hex_args),
    conv0("hex", Type::Bin, Type::Str, |_, v, _| { let mut out = Vec::new(); hex_into(&v.into_bin(), &mut out); str(out) }, "Writes two hexadecimal digits for each byte."),
    conv0("hex2i", Type::Str, Type::Sint, hex2i, "Reads a hexadecimal number."),
    conv("le2dec", CHUNKS, Type::Bin, Type::Str, |a, v, _| decimal(a, v, true), "Writes chunks as little-endian decimal numbers.").check(decimal_args),
    conv0("ub64dec", Type::Str, Type::Bin, ub64dec, "Decodes base64url."),
    conv0("ub64enc", Type::Bin, Type::Str, |_, v, _| str(URL_SAFE_NO_PAD.encode(v.into_bin()).into_bytes()), "Encodes in base64url."),
    conv("url_dec", args(0, &[ArgType::Sint]), Type::Str, Type::Str, url_dec, "Decodes a URL or a form value."),
    conv("url_enc", args(1, &[ArgType::Str]), Type::Str, Type::Str, url_enc, "Encodes for a query string.").check(url_enc_args),
];

#[expect(clippy::unnecessary_wraps, reason = "the shape of a converter's result")]
fn bin<'a>(v: Vec<u8>) -> Option<Value<'a>> {
    Some(Value::Bin(Cow::Owned(v)))
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of a converter's result")]
fn str<'a>(v: Vec<u8>) -> Option<Value<'a>> {
    Some(Value::Str(Cow::Owned(v)))
}

/// Appends hexadecimal digits in upper case.
pub(crate) fn hex_into(data: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.reserve(data.len() * 2);
    for b in data {
        out.extend([DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]]);
    }
}

fn base2<'a>(_: &'a [Arg], v: Value<'a>, _: &Ctx<'a>) -> Option<Value<'a>> {
    let data = v.into_bin();
    str(data.iter().flat_map(|b| (0..8).rev().map(move |i| b'0' + (b >> i & 1))).collect())
}

fn be2hex<'a>(a: &'a [Arg], v: Value<'a>, _: &Ctx<'a>) -> Option<Value<'a>> {
    let data = v.into_bin();
    let mut out = Vec::with_capacity(data.len() * 2);
    let Some((sep, size, truncate)) = chunks(a) else {
        hex_into(&data, &mut out);
        return str(out);
    };
    for (i, c) in data.chunks(size).filter(|c| !truncate || c.len() == size).enumerate() {
        if i > 0 {
            out.extend_from_slice(sep);
        }
        hex_into(c, &mut out);
    }
    str(out)
}

fn be2hex_args(_: &mut CompileCx<'_>, a: &mut [Arg]) -> Result<(), Error> {
    let size = a[1].int().unwrap_or(if a[0].is_empty() { 1 } else { 0 });
    if size <= 0 {
        return Err(Error::new(format!("chunk_size needs to be positive ({size})")));
    }
    Ok(())
}

/// Separator, chunk size and whether an incomplete chunk is dropped.
fn chunks(a: &[Arg]) -> Option<(&[u8], usize, bool)> {
    let size = usize::try_from(a.get(1)?.int()?).ok().filter(|s| *s > 0)?;
    Some((a.first()?.text(), size, a.get(2).and_then(Arg::int).is_some_and(|t| t != 0)))
}

fn decimal<'a>(a: &'a [Arg], v: Value<'a>, little: bool) -> Option<Value<'a>> {
    let data = v.into_bin();
    let (sep, size, truncate) = chunks(a)?;
    let mut out = Vec::new();
    for (i, c) in data.chunks(size).filter(|c| !truncate || c.len() == size).enumerate() {
        if i > 0 {
            out.extend_from_slice(sep);
        }
        let add = |n: u64, b: &u8| n << 8 | u64::from(*b);
        let n = if little { c.iter().rev().fold(0, add) } else { c.iter().fold(0, add) };
        out.extend_from_slice(itoa::Buffer::new().format(n).as_bytes());
    }
    str(out)
}

fn decimal_args(_: &mut CompileCx<'_>, a: &mut [Arg]) -> Result<(), Error> {
    let size = a[1].int().unwrap_or(0);
    if !(1..=8).contains(&size) {
        return Err(Error::new(format!("chunk_size out of [1..8] range ({size})")));
    }
    Ok(())
}

fn hex2i<'a>(_: &'a [Arg], v: Value<'a>, _: &Ctx<'a>) -> Option<Value<'a>> {
    let mut n: u64 = 0;
    for c in string(v).iter() {
        // Of longer numbers the low 64 bits stay.
        n = n << 4 | u64::from(char::from(*c).to_digit(16)?);
    }
    Some(Value::Int(n.cast_signed()))
}

fn ub64dec<'a>(_: &'a [Arg], v: Value<'a>, _: &Ctx<'a>) -> Option<Value<'a>> {
    let s = string(v);
    let end = s.iter().rposition(|c| *c != b'=').map_or(0, |i| i + 1);
    bin(URL_SAFE_NO_PAD.decode(&s[..end]).ok()?)
}

fn url_dec<'a>(a: &'a [Arg], v: Value<'a>, _: &Ctx<'a>) -> Option<Value<'a>> {
    let s = string(v);
    let form = a.first().and_then(Arg::int).is_some_and(|i| i != 0);
    if !s.iter().any(|c| matches!(c, b'%' | b'+')) {
        return Some(Value::Str(s));
    }
    let mut query = form;
    let mut out = Vec::with_capacity(s.len());
    let mut i = 0;
    while let Some(&c) = s.get(i) {
        i += 1;
        match c {
            b'%' => {
                let digit = |i: usize| s.get(i).and_then(|c| char::from(*c).to_digit(16));
                let (hi, lo) = (digit(i)?, digit(i + 1)?);
                out.push(u8::try_from(hi << 4 | lo).ok()?);
                i += 2;
            }
            b'+' if query => out.push(b' '),
            b'?' => {
                query = true;
                out.push(c);
            }
            c => out.push(c),
        }
    }
    str(out)
}

fn url_enc<'a>(_: &'a [Arg], v: Value<'a>, _: &Ctx<'a>) -> Option<Value<'a>> {
    let s = string(v);
    let plain = |c: &u8| c.is_ascii_alphanumeric() || b"-._~".contains(c);
    if s.iter().all(plain) {
        return Some(Value::Str(s));
    }
    let mut out = Vec::with_capacity(s.len() * 2);
    for c in s.iter() {
        if plain(c) {
            out.push(*c);
        } else {
            out.push(b'%');
            hex_into(&[*c], &mut out);
        }
    }
    str(out)
}

fn url_enc_args(_: &mut CompileCx<'_>, a: &mut [Arg]) -> Result<(), Error> {
    match a[0].word() {
        "" | "query" => Ok(()),
        _ => Err(Error::new("Unexpected encode type. Allowed value is 'query'")),
    }
}
