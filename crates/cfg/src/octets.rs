//! Arbitrary bytes inside `str`: how a language of bytes lives in typed text.
//!
//! Configurations are bytes to HAProxy: `"\xe9"` is one byte on the wire, and files in Latin-1 exist. Here texts
//! are `str`, so a byte that is not part of valid UTF-8 becomes one code point of the private range
//! U+EF80..=U+EFFF (0xNN is U+EFNN). Code points of that very range in the input are not valid for this purpose: each of their
//! bytes is represented by itself, which makes [`decode`] the exact inverse of [`encode`] for every input.

use std::borrow::Cow;

/// Text for `bytes`; borrowed when they are plain UTF-8.
pub fn encode(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(s) if !holds_code(bytes) => Cow::Borrowed(s),
        _ => Cow::Owned(encode_slow(bytes)),
    }
}

/// The bytes that `text` stands for; borrowed when nothing is represented in it.
pub fn decode(text: &str) -> Cow<'_, [u8]> {
    if !holds_code(text.as_bytes()) {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut out = Vec::with_capacity(text.len());
    let mut buf = [0; 4];
    for c in text.chars() {
        match byte_of(c) {
            Some(b) => out.push(b),
            None => out.extend_from_slice(c.encode_utf8(&mut buf).as_bytes()),
        }
    }
    Cow::Owned(out)
}

/// The code point that stands for a byte from 0x80 on; lower bytes stand for themselves.
pub fn char_of(byte: u8) -> char {
    if byte < 0x80 {
        return char::from(byte);
    }
    char::from_u32(0xEF00 + u32::from(byte)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// The byte that a code point of the private range stands for.
pub fn byte_of(c: char) -> Option<u8> {
    match c {
        '\u{EF80}'..='\u{EFFF}' => u8::try_from(u32::from(c) - 0xEF00).ok(),
        _ => None,
    }
}

/// Whether a code point of the private range (EE BE 80 to EE BF BF) occurs in valid UTF-8.
pub(crate) fn holds_code(bytes: &[u8]) -> bool {
    memchr::memchr_iter(0xEE, bytes).any(|i| matches!(bytes.get(i + 1), Some(0xBE | 0xBF)))
}

fn encode_slow(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if byte_of(c).is_some() {
                let mut buf = [0; 4];
                out.extend(c.encode_utf8(&mut buf).bytes().map(char_of));
            } else {
                out.push(c);
            }
        }
        out.extend(chunk.invalid().iter().map(|&b| char_of(b)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        let cases: &[(&[u8], &str)] = &[
            (b"plain", "plain"),
            ("é".as_bytes(), "é"),
            (b"\xe9", "\u{efe9}"),
            (b"a\xffb", "a\u{efff}b"),
            (b"\xc3", "\u{efc3}"),
            ("\u{ef80}".as_bytes(), "\u{efee}\u{efbe}\u{ef80}"),
            ("\u{ef7f}".as_bytes(), "\u{ef7f}"),
        ];
        for (bytes, text) in cases {
            assert_eq!(encode(bytes), *text, "{bytes:?}");
            assert_eq!(&*decode(text), *bytes, "{text:?}");
        }
    }

    #[test]
    fn every_pair_of_bytes_survives() {
        for a in 0..=255u8 {
            for b in 0..=255u8 {
                let bytes = [a, b, 0xEE, a];
                assert_eq!(&*decode(&encode(&bytes)), bytes);
            }
        }
    }
}
