//! How heads pass through `h2`.
//!
//! A head that was decoded and found fine on the side of the wire is handed to `h2` as one that it cannot object to:
//! the pseudo-header fields that it needs for its own state, `content-length`, which it compares with the body,
//! and one field whose value holds all that was received. So a head waits where `h2` keeps it, and goes when the
//! stream goes.

use crate::frames;
use crate::hpack;
use crate::rules::Kind;
use hawser_http::KnownName;
use http::HeaderMap;
use http::header::AGE;
use std::borrow::Cow;

/// Bits of a number's byte: with the highest one set, it may stand in a field value.
const DIGIT: usize = 7;
const SET: u8 = 0x80;

/// A value with bytes that may not stand in a field value of the `http` crate: each is written as two.
const SPELLED: usize = 1 << (3 * DIGIT - 1);
const HALF: u8 = 0x40;

/// What stands before a name and a value: which name it is, and how long both are.
pub(crate) const MARK: usize = 6;

/// That of a field whose value is carried as it is.
pub(crate) fn mark(known: KnownName, name: usize, value: usize) -> [u8; MARK] {
    // The lowest bits of each part.
    let digit = |n: usize, at: usize| SET | (n >> (at * DIGIT)) as u8;
    [SET | known as u8, digit(name, 1), digit(name, 0), digit(value, 2), digit(value, 1), digit(value, 0)]
}

/// Puts a field behind others; `plain` tells that its value has no controls.
pub(crate) fn put(out: &mut Vec<u8>, known: KnownName, name: &[u8], value: &[u8], plain: bool) {
    let len = if plain { value.len() } else { (value.len() * 2) | SPELLED };
    out.extend(mark(known, name.len(), len));
    out.extend_from_slice(name);
    if plain {
        out.extend_from_slice(value);
    } else {
        out.extend(value.iter().flat_map(|b| [HALF | b >> 4, HALF | b & 15]));
    }
}

/// The fields that a message of `h2` carries.
pub(crate) fn fields(map: &HeaderMap) -> Fields<'_> {
    Fields { rest: map.get(AGE).map_or(&b""[..], |v| v.as_bytes()) }
}

/// Walks through them.
#[derive(Clone)]
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
}

/// A field.
pub(crate) struct Carried<'a> {
    pub(crate) known: KnownName,
    pub(crate) name: &'a [u8],
    pub(crate) value: Cow<'a, [u8]>,
}

impl<'a> Iterator for Fields<'a> {
    type Item = Carried<'a>;

    fn next(&mut self) -> Option<Carried<'a>> {
        let ([known, mark @ ..], rest) = self.rest.split_first_chunk::<MARK>()?;
        self.rest = rest;
        let [n1, n0, v2, v1, v0] = mark.map(|b| usize::from(b & !SET));
        let (name, len) = (n1 << DIGIT | n0, (v2 << DIGIT | v1) << DIGIT | v0);
        let name = self.take(name)?;
        let mut value = Cow::Borrowed(self.take(len & !SPELLED)?);
        if len & SPELLED != 0 {
            let byte = |pair: &[u8]| pair.iter().fold(0, |b, half| b << 4 | half & 15);
            value = value.chunks_exact(2).map(byte).collect();
        }
        Some(Carried { known: *KnownName::ALL.get(usize::from(known & !SET))?, name, value })
    }
}

impl<'a> Fields<'a> {
    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (part, rest) = self.rest.split_at_checked(n)?;
        self.rest = rest;
        Some(part)
    }
}

/// A message on its way to `h2`.
pub(crate) struct Message<'a> {
    pub(crate) kind: Kind,
    /// Of a response.
    pub(crate) status: u16,
    /// What `h2` is to compare the body with.
    pub(crate) length: Option<u64>,
    /// As [`put`] made them; `None` for what breaks a rule: `h2` is to reset the stream.
    pub(crate) fields: Option<&'a [u8]>,
}

impl Message<'_> {
    /// Its frames.
    pub(crate) fn frames(&self, stream: u32, end: bool, out: &mut Vec<u8>) {
        frames::headers(out, stream, end, |out| self.block(out));
    }

    fn block(&self, out: &mut Vec<u8>) {
        match self.kind {
            // The one request that needs nothing else.
            Kind::Request => out.extend(*b"\x02\x07CONNECT"),
            Kind::Response => self.status(out),
            Kind::Trailers => {}
        }
        let Some(fields) = self.fields else {
            // Of transfer-encoding, which no message of HTTP/2 may have.
            out.extend([0x0f, 0x2a, 1, b'x']);
            return;
        };
        if let Some(n) = self.length {
            let mut digits = [0; 20];
            let digits = digits_of(n, &mut digits);
            out.extend([0x0f, 0x0d]);
            hpack::string(out, digits);
        }
        out.extend([0x0f, 0x06]);
        hpack::string(out, fields);
    }

    fn status(&self, out: &mut Vec<u8>) {
        // Those of the static table.
        let index = match self.status {
            200 => 8,
            204 => 9,
            206 => 10,
            304 => 11,
            400 => 12,
            404 => 13,
            500 => 14,
            n => {
                let [hundreds, tens, ones] = [n / 100, n / 10, n].map(|n| b'0' + (n % 10) as u8);
                return out.extend([0x08, 3, hundreds, tens, ones]);
            }
        };
        out.push(SET | index);
    }
}

/// A number in text.
pub(crate) fn digits_of(mut n: u64, digits: &mut [u8; 20]) -> &[u8] {
    let mut from = digits.len();
    for (i, d) in digits.iter_mut().enumerate().rev() {
        *d = b'0' + (n % 10) as u8;
        n /= 10;
        from = i;
        if n == 0 {
            break;
        }
    }
    digits.get(from..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frames::{END_HEADERS, END_STREAM, kind};
    use http::HeaderValue;

    #[test]
    fn all_values_come_back() {
        let all: Vec<u8> = (0..=255).collect();
        let long = vec![b'x'; 20_000];
        let given: [(&[u8], &[u8]); 6] = [
            (b":path", b"/"),
            (b"host", b""),
            (b"x-all", &all),
            (b"x-long", &long),
            (&[b'n'; 255], b"\xff\t"),
            (b"x", b"\x7f"),
        ];
        let mut text = Vec::new();
        for (name, value) in given {
            let plain = hawser_http::chars::value_len(value) == value.len();
            put(&mut text, KnownName::of(name), name, value, plain);
        }
        let mut map = HeaderMap::new();
        map.insert(AGE, HeaderValue::from_bytes(&text).unwrap());
        let mut found = fields(&map);
        for (name, value) in given {
            let f = found.next().unwrap();
            assert_eq!((f.known, f.name, &*f.value), (KnownName::of(name), name, value));
        }
        assert!(found.next().is_none());
    }

    #[test]
    fn long_heads_are_several_frames() {
        let fields = vec![b'x'; 40_000];
        let mut out = Vec::new();
        let message = Message { kind: Kind::Trailers, status: 0, length: Some(12), fields: Some(&fields) };
        message.frames(5, true, &mut out);
        let mut found = Vec::new();
        frames::Scanner::new(false).scan(&out, |f, _| found.push((f.kind, f.len, f.flags, f.stream)));
        let whole = 3 + 2 + 2 + 4 + 40_000;
        assert_eq!(
            found,
            [
                (kind::HEADERS, 16384, END_STREAM, 5),
                (kind::CONTINUATION, 16384, 0, 5),
                (kind::CONTINUATION, whole - 32768, END_HEADERS, 5)
            ]
        );
    }
}
