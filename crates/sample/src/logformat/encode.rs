//! JSON and CBOR (RFC 8949) encodings of items.

use super::field::{Field, Unsafe, braces_text, date, encoded, int};
use super::{Encoding, Forced};
use crate::value::{Value, parse_int};
use std::io::Write as _;

/// Writes one value on its own.
pub(super) fn single(e: Encoding, bin: bool, f: &Field<'_>, forced: Forced, out: &mut Vec<u8>) {
    let start = out.len();
    value(e, f, forced, out);
    if e == Encoding::Cbor && !bin {
        to_hex(start, out);
    }
}

/// Replaces what was written since `start` by its hexadecimal form.
fn to_hex(start: usize, out: &mut Vec<u8>) {
    let raw = out.split_off(start);
    crate::conv::hex_into(&raw, out);
}

/// An object under construction.
pub(super) struct Object<'o> {
    encoding: Encoding,
    bin: bool,
    start: usize,
    first: bool,
    out: &'o mut Vec<u8>,
}

impl<'o> Object<'o> {
    pub(super) fn new(encoding: Encoding, bin: bool, out: &'o mut Vec<u8>) -> Self {
        let start = out.len();
        // A CBOR map of indefinite length.
        out.push(if encoding == Encoding::Cbor { 0xbf } else { b'{' });
        Self { encoding, bin, start, first: true, out }
    }

    pub(super) fn key(&mut self, name: &str) {
        if self.encoding == Encoding::Cbor {
            return cbor_text(name.as_bytes(), self.out);
        }
        if !std::mem::take(&mut self.first) {
            self.out.extend_from_slice(b", ");
        }
        json_text(name.as_bytes(), self.out);
        self.out.extend_from_slice(b": ");
    }

    pub(super) fn value(&mut self, f: &Field<'_>, forced: Forced) {
        value(self.encoding, f, forced, self.out);
    }

    pub(super) fn end(self) {
        if self.encoding == Encoding::Json {
            self.out.push(b'}');
            return;
        }
        self.out.push(0xff);
        if !self.bin {
            to_hex(self.start, self.out);
        }
    }
}

/// A scalar in its simplest form.
enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    Text(Vec<u8>),
    Bytes(Vec<u8>),
    List(Vec<Vec<u8>>),
}

/// What a field is to encodings: escapes of log lines stay in captured text.
fn scalar(f: &Field<'_>) -> Scalar {
    let safe = |t: &[u8], class: Unsafe| {
        let mut v = Vec::with_capacity(t.len());
        encoded(t, class, false, &mut v);
        v
    };
    match f {
        Field::Missing => Scalar::Null,
        Field::Text(t, class) => Scalar::Text(safe(t, *class)),
        Field::Secure(name) => Scalar::Text([name, &b"~"[..]].concat()),
        Field::Date(us, form) => {
            let mut t = Vec::new();
            date(*us, *form, &mut t);
            Scalar::Text(t)
        }
        Field::Letters(l, n) => Scalar::Text(l[..*n].to_vec()),
        Field::Int(i) | Field::Partial(i) | Field::Hexable(i) => Scalar::Int(*i),
        Field::Bool(b) => Scalar::Bool(*b),
        Field::Bin(b) => Scalar::Bytes(b.to_vec()),
        Field::Ip(a) => Scalar::Text(Value::ip(*a).into_str().into_owned()),
        Field::Braces(s) => Scalar::Text(braces_text(s)),
        Field::List(s) => {
            let item = |s: &Option<bytes::Bytes>| match s {
                Some(s) => safe(s, Unsafe::Header),
                None => b"-".to_vec(),
            };
            Scalar::List(s.iter().map(item).collect())
        }
    }
}

/// Applies `:type`.
fn force(s: Scalar, forced: Forced) -> Scalar {
    let as_int = |s: &Scalar| match s {
        Scalar::Bool(b) => i64::from(*b),
        Scalar::Int(i) => *i,
        Scalar::Text(t) | Scalar::Bytes(t) => parse_int(t).unwrap_or(0),
        Scalar::Null | Scalar::List(_) => 0,
    };
    match (forced, s) {
        (Forced::Own | Forced::Raw, s) => s,
        (Forced::Int, s) => Scalar::Int(as_int(&s)),
        (Forced::Bool, s) => Scalar::Bool(as_int(&s) != 0),
        (Forced::Str, Scalar::Int(i)) => Scalar::Text(i.to_string().into_bytes()),
        (Forced::Str, Scalar::Bool(b)) => Scalar::Text(vec![b'0' + u8::from(b)]),
        (Forced::Str, s) => s,
    }
}

fn value(e: Encoding, f: &Field<'_>, forced: Forced, out: &mut Vec<u8>) {
    let s = force(scalar(f), forced);
    if e == Encoding::Cbor { cbor(&s, out) } else { json(&s, forced, out) }
}

fn json(s: &Scalar, forced: Forced, out: &mut Vec<u8>) {
    match s {
        Scalar::Null => out.extend_from_slice(b"\"\""),
        Scalar::Bool(b) => out.extend_from_slice(if *b { b"true" } else { b"false" }),
        Scalar::Int(i) => int(*i, out),
        Scalar::Text(t) if forced == Forced::Raw => out.extend_from_slice(t),
        Scalar::Text(t) => json_text(t, out),
        // JSON has no bytes: they are a string up to a NUL.
        Scalar::Bytes(b) => json_text(&b[..memchr::memchr(0, b).unwrap_or(b.len())], out),
        Scalar::List(l) => {
            out.push(b'[');
            for (i, t) in l.iter().enumerate() {
                if i > 0 {
                    out.extend_from_slice(b", ");
                }
                json_text(t, out);
            }
            out.push(b']');
        }
    }
}

fn json_text(t: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for c in t {
        match c {
            b'"' | b'\\' => out.extend([b'\\', *c]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            // Writing to a Vec cannot fail.
            c if *c < b' ' => drop(write!(out, "\\u{c:04x}")),
            c => out.push(*c),
        }
    }
    out.push(b'"');
}

fn cbor(s: &Scalar, out: &mut Vec<u8>) {
    match s {
        Scalar::Null => out.push(0xf6),
        Scalar::Bool(b) => out.push(0xf4 + u8::from(*b)),
        Scalar::Int(i) if *i >= 0 => cbor_head(0, i.unsigned_abs(), out),
        Scalar::Int(i) => cbor_head(1, i.unsigned_abs() - 1, out),
        Scalar::Text(t) => cbor_text(t, out),
        Scalar::Bytes(b) => {
            cbor_head(2, b.len() as u64, out);
            out.extend_from_slice(b);
        }
        Scalar::List(l) => {
            out.push(0x9f);
            for t in l {
                cbor_text(t, out);
            }
            out.push(0xff);
        }
    }
}

fn cbor_text(t: &[u8], out: &mut Vec<u8>) {
    cbor_head(3, t.len() as u64, out);
    out.extend_from_slice(t);
}

/// The initial byte of a major type, and its argument.
fn cbor_head(major: u8, n: u64, out: &mut Vec<u8>) {
    let b = n.to_be_bytes();
    let (info, from) = match n {
        0..=23 => return out.push(major << 5 | b[7]),
        24..=0xff => (24, 7),
        0x100..=0xffff => (25, 6),
        0x1_0000..=0xffff_ffff => (26, 4),
        _ => (27, 0),
    };
    out.push(major << 5 | info);
    out.extend_from_slice(&b[from..]);
}
