//! What can be said about a field by itself, whatever the message: it is found once, and kept with the entries of the
//! table of HPACK.

use super::{agreed, pseudo};
use crate::head::is_connection_field;
use hawser_http::KnownName;
use hawser_http::chars::{is_host, is_safe_value, is_target, is_token, value_len};

/// Longest name of a field (bytes), as in HAProxy.
const NAME: usize = 255;

/// No message may have it.
pub(super) const BAD: u8 = 1;
/// It makes an invalid request; of TE: it is not `trailers`.
pub(super) const ODD: u8 = 2;
/// A path with `#`.
pub(super) const HASH: u8 = 4;
/// The method.
pub(super) const CONNECT: u8 = 8;
/// There is white space around the value, which does not belong to it.
pub(super) const WIDE: u8 = 32;
/// No field has that name.
const MISNAMED: u8 = 64;

/// What is known of a field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traits {
    pub(crate) known: KnownName,
    /// The pseudo-header field that it is, 0 for any other.
    pub(super) pseudo: u8,
    flags: u8,
    /// The status, or the length of the content.
    pub(super) number: u64,
}

impl Traits {
    pub(crate) fn of(name: &[u8], value: &[u8]) -> Self {
        Self::named(name).valued(value)
    }

    /// What its name tells.
    pub(crate) fn named(name: &[u8]) -> Self {
        let (mut known, mut pseudo, mut fine) = (KnownName::Other, 0, true);
        if name.first() == Some(&b':') {
            pseudo = match name {
                b":method" => pseudo::METHOD,
                b":scheme" => pseudo::SCHEME,
                b":path" => pseudo::PATH,
                b":authority" => pseudo::AUTHORITY,
                b":protocol" => pseudo::PROTOCOL,
                b":status" => pseudo::STATUS,
                _ => 0,
            };
            fine = pseudo != 0;
        } else {
            known = KnownName::of(name);
            fine &= name.len() <= NAME && name.iter().all(|b| is_token(*b) && !b.is_ascii_uppercase());
            // The settings mean nothing here, nor do any harm.
            fine &= !is_connection_field(known) || known == KnownName::Http2Settings;
        }
        Self { known, pseudo, flags: if fine { 0 } else { MISNAMED | BAD }, number: 0 }
    }

    /// The same name with that value.
    pub(crate) fn valued(&self, value: &[u8]) -> Self {
        let named = Self { flags: if self.is(MISNAMED) { MISNAMED | BAD } else { 0 }, number: 0, ..*self };
        let (flags, number) = match (named.pseudo, named.known) {
            (pseudo::METHOD, _) => (method(value), 0),
            (pseudo::SCHEME, _) => (if is_scheme(value) { 0 } else { ODD }, 0),
            (pseudo::PATH, _) => (path(value), 0),
            (pseudo::AUTHORITY, _) => (if is_authority(value) { 0 } else { BAD }, 0),
            (pseudo::STATUS, _) => status(value).map_or((BAD, 0), |n| (0, u64::from(n))),
            (pseudo::PROTOCOL, _) => {
                let bad = value.eq_ignore_ascii_case(b"h2c") || value.eq_ignore_ascii_case(b"h2");
                (if bad { BAD } else { 0 }, 0)
            }
            (_, KnownName::Te) => (if value == b"trailers" { 0 } else { ODD }, 0),
            (_, KnownName::ContentLength) => agreed(None, value).map_or((BAD, 0), |n| (0, n)),
            _ => (0, 0),
        };
        let mut flags = named.flags | flags;
        if value_len(value) != value.len() && !is_safe_value(value) {
            flags |= BAD;
        }
        let space = |b: Option<&u8>| b.is_some_and(u8::is_ascii_whitespace);
        if named.pseudo == 0 && (space(value.first()) || space(value.last())) {
            flags |= WIDE;
        }
        Self { flags, number, ..named }
    }

    #[inline]
    pub(super) fn is(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// It is carried as it came.
    #[inline]
    pub(crate) fn is_simple(&self) -> bool {
        !self.is(WIDE)
    }

    /// Its value without what does not belong to it.
    pub(crate) fn trim<'a>(&self, value: &'a [u8]) -> &'a [u8] {
        if self.is(WIDE) { value.trim_ascii() } else { value }
    }
}

fn method(method: &[u8]) -> u8 {
    match method {
        b"CONNECT" => CONNECT,
        b"" => BAD,
        _ if method.iter().all(|b| is_token(*b)) => 0,
        _ => ODD,
    }
}

fn path(path: &[u8]) -> u8 {
    if path.first() != Some(&b'/') {
        return if path == b"*" { 0 } else { BAD };
    }
    path.iter().filter(|b| !is_target(**b)).fold(0, |flags, b| {
        flags
            | match b {
                0x7f => ODD,
                b'#' => HASH,
                ..=b' ' => BAD,
                _ => 0,
            }
    })
}

fn is_scheme(s: &[u8]) -> bool {
    s.first().is_some_and(u8::is_ascii_alphabetic)
        && s.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

/// Could it be an authority, without user information and without anything that ends one elsewhere?
fn is_authority(a: &[u8]) -> bool {
    // Most are no more than that.
    if a.iter().all(|b| is_host(*b) || *b == b':') {
        return true;
    }
    let odd = |b: &u8| !(0x21..0x7f).contains(b) || matches!(b, b'@' | b'/' | b'?' | b'#' | b',' | b'\\');
    if a.iter().any(odd) {
        return false;
    }
    let rest = match a.strip_prefix(b"[") {
        Some(inside) => match split(inside, b']') {
            Some((_, rest)) if rest.first().is_none_or(|b| *b == b':') => rest,
            _ => return false,
        },
        None => a,
    };
    !rest.iter().any(|b| matches!(b, b'[' | b']'))
}

fn split(text: &[u8], byte: u8) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|b| *b == byte)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

fn status(text: &[u8]) -> Option<u16> {
    let digits: &[u8; 3] = text.try_into().ok()?;
    let n = digits.iter().try_fold(0, |n, d| d.is_ascii_digit().then(|| n * 10 + u16::from(d - b'0')))?;
    (n >= 100).then_some(n)
}
