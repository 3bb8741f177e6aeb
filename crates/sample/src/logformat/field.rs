//! Values of aliases, and how logs write them.

use super::Flags;
use crate::date;
use bytes::Bytes;
use std::net::IpAddr;

/// How a date is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum DateForm {
    /// `14/Nov/2023:22:13:20 +0000`.
    Utc,
    /// The same, local.
    Local,
    /// `14/Nov/2023:22:13:20.123`, local.
    LocalMillis,
    /// The milliseconds alone.
    Millis,
}

/// Which characters are written `#XX` (manual 8.6), besides those that cannot be printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unsafe {
    /// None at all: the text is the proxy's own.
    None,
    /// `"` and `#`.
    Uri,
    /// `"`, `#`, `{`, `|` and `}`.
    Header,
}

/// The value of an item.
#[derive(Debug)]
pub(super) enum Field<'a> {
    /// There is none.
    Missing,
    /// Text, quoted on demand.
    Text(&'a [u8], Unsafe),
    /// The name of a frontend that uses TLS.
    Secure(&'a [u8]),
    /// A date in microseconds since 1970, never quoted.
    Date(i64, DateForm),
    /// Letters of a state, never quoted: so many of them count.
    Letters([u8; 4], usize),
    /// A number.
    Int(i64),
    /// A number that is incomplete: written with a `+`.
    Partial(i64),
    /// A number that `X` writes in hexadecimal.
    Hexable(i64),
    Bool(bool),
    Bin(&'a [u8]),
    Ip(IpAddr),
    /// Captured fields in braces, separated by bars.
    Braces(&'a [Option<Bytes>]),
    /// Captured fields one by one.
    List(&'a [Option<Bytes>]),
}

impl Field<'_> {
    /// Writes it for a log line.
    pub(super) fn write(&self, flags: Flags, out: &mut Vec<u8>) {
        match self {
            Self::Missing => empty(flags, out),
            Self::Text(t, class) => text(t, *class, flags, out),
            Self::Secure(name) => {
                quote(flags, out);
                encoded(name, Unsafe::None, flags.escape, out);
                out.push(b'~');
                quote(flags, out);
            }
            Self::Date(us, form) => date(*us, *form, out),
            Self::Letters(l, n) => out.extend_from_slice(&l[..*n]),
            Self::Hexable(i) if flags.hexa => hex(*i, out),
            Self::Int(i) | Self::Hexable(i) => int(*i, out),
            Self::Partial(i) => {
                out.push(b'+');
                int(*i, out);
            }
            Self::Bool(b) => out.push(b'0' + u8::from(*b)),
            Self::Bin(b) => text(b, Unsafe::None, flags, out),
            Self::Ip(a) if flags.hexa => hex_ip(*a, out),
            Self::Ip(a) => {
                quote(flags, out);
                crate::Value::ip(*a).write_str(out);
                quote(flags, out);
            }
            // Without any slot there are no braces either.
            Self::Braces([]) | Self::List([]) => {}
            Self::Braces(slots) => {
                quote(flags, out);
                braces(slots, flags, out);
                quote(flags, out);
            }
            Self::List(slots) => {
                for (i, s) in slots.iter().enumerate() {
                    if i > 0 {
                        out.push(b' ');
                    }
                    text(s.as_deref().unwrap_or_default(), Unsafe::Header, flags, out);
                }
            }
        }
    }

    /// Writes the value of a sample expression. In HTTP fields it is encoded, and never quoted.
    pub(super) fn write_sample(&self, flags: Flags, out: &mut Vec<u8>) {
        let mut number = itoa::Buffer::new();
        let bytes: &[u8] = match self {
            Self::Text(t, _) => t,
            Self::Bin(b) if flags.bin => b,
            // Without `bin` it is a string, which ends at a NUL.
            Self::Bin(b) => &b[..memchr::memchr(0, b).unwrap_or(b.len())],
            Self::Int(i) => number.format(*i).as_bytes(),
            Self::Bool(b) => {
                if *b {
                    b"1"
                } else {
                    b"0"
                }
            }
            _ => b"",
        };
        if flags.http {
            if bytes.is_empty() && flags.dash {
                out.push(b'-');
            }
            return http_text(bytes, flags.escape, out);
        }
        text(bytes, Unsafe::None, flags, out);
    }
}

/// Writes a date; nothing when the calendar has no such date.
pub(super) fn date(us: i64, form: DateForm, out: &mut Vec<u8>) {
    let secs = us.div_euclid(1_000_000);
    let tm = match form {
        DateForm::Millis => return three(us, out),
        DateForm::Utc => date::utc(secs),
        DateForm::Local | DateForm::LocalMillis => date::local(secs),
    };
    let Some(tm) = tm else { return };
    tm.write_log(out);
    if form == DateForm::LocalMillis {
        out.push(b'.');
        three(us, out);
    } else {
        tm.write_zone(out);
    }
}

/// The milliseconds of a date, on three digits.
fn three(micros: i64, out: &mut Vec<u8>) {
    let ms = u16::try_from(micros.rem_euclid(1_000_000) / 1000).unwrap_or(0);
    let digit = |n: u16| b'0' + u8::try_from(n % 10).unwrap_or(0);
    out.extend([digit(ms / 100), digit(ms / 10), digit(ms)]);
}

/// Writes nothing: quotes around it, or a dash, or really nothing.
fn empty(flags: Flags, out: &mut Vec<u8>) {
    if flags.quote {
        out.extend_from_slice(b"\"\"");
    } else if flags.dash {
        out.push(b'-');
    }
}

fn quote(flags: Flags, out: &mut Vec<u8>) {
    if flags.quote {
        out.push(b'"');
    }
}

/// Writes text with what its class and the flags ask for.
fn text(t: &[u8], class: Unsafe, flags: Flags, out: &mut Vec<u8>) {
    if t.is_empty() {
        return empty(flags, out);
    }
    quote(flags, out);
    encoded(t, class, flags.escape, out);
    quote(flags, out);
}

fn braces(slots: &[Option<Bytes>], flags: Flags, out: &mut Vec<u8>) {
    out.push(b'{');
    for (i, s) in slots.iter().enumerate() {
        if i > 0 {
            out.push(b'|');
        }
        encoded(s.as_deref().unwrap_or_default(), Unsafe::Header, flags.escape, out);
    }
    out.push(b'}');
}

/// What a log writes for captured fields in braces, as bytes, for encodings.
pub(super) fn braces_text(slots: &[Option<Bytes>]) -> Vec<u8> {
    let mut out = Vec::new();
    if !slots.is_empty() {
        braces(slots, Flags::default(), &mut out);
    }
    out
}

/// Whether a byte is written `#XX`.
fn is_unsafe(c: u8, class: Unsafe) -> bool {
    match class {
        Unsafe::None => false,
        Unsafe::Uri => !matches!(c, b' '..=b'~') || matches!(c, b'"' | b'#'),
        Unsafe::Header => !matches!(c, b' '..=b'~') || matches!(c, b'"' | b'#' | b'{' | b'|' | b'}'),
    }
}

/// Appends text with unsafe bytes as `#XX` and, if `escape`, a backslash before `"`, `\` and `]`.
pub(super) fn encoded(t: &[u8], class: Unsafe, escape: bool, out: &mut Vec<u8>) {
    let special = |c: &u8| is_unsafe(*c, class) || (escape && matches!(c, b'"' | b'\\' | b']'));
    let mut rest = t;
    while let Some(i) = rest.iter().position(special) {
        out.extend_from_slice(&rest[..i]);
        let c = rest[i];
        if is_unsafe(c, class) {
            out.push(b'#');
            crate::conv::hex_into(&[c], out);
        } else {
            out.extend([b'\\', c]);
        }
        rest = &rest[i + 1..];
    }
    out.extend_from_slice(rest);
}

/// Appends text for an HTTP field: controls other than tabs as `%XX`.
fn http_text(t: &[u8], escape: bool, out: &mut Vec<u8>) {
    let forbidden = |c: u8| (c < b' ' && c != b'\t') || c == 0x7f;
    let special = |c: &u8| forbidden(*c) || (escape && matches!(c, b'"' | b'\\' | b']'));
    let mut rest = t;
    while let Some(i) = rest.iter().position(special) {
        out.extend_from_slice(&rest[..i]);
        let c = rest[i];
        if forbidden(c) {
            out.push(b'%');
            crate::conv::hex_into(&[c], out);
        } else {
            out.extend([b'\\', c]);
        }
        rest = &rest[i + 1..];
    }
    out.extend_from_slice(rest);
}

pub(super) fn int(i: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(i).as_bytes());
}

/// At least four hexadecimal digits.
fn hex(i: i64, out: &mut Vec<u8>) {
    let bytes = i.to_be_bytes();
    let skip = bytes.iter().take(6).take_while(|b| **b == 0).count();
    crate::conv::hex_into(&bytes[skip..], out);
}

fn hex_ip(a: IpAddr, out: &mut Vec<u8>) {
    match a {
        IpAddr::V4(a) => crate::conv::hex_into(&a.octets(), out),
        IpAddr::V6(a) => crate::conv::hex_into(&a.octets(), out),
    }
}
