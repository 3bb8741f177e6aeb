//! What a head may hold (RFC 9113 section 8), as strictly as HAProxy has it: what breaks HTTP/2 has the stream reset,
//! what is merely no valid request of HTTP is answered.

use crate::carry;
use crate::head::{Limits, is_connection_field};
use hawser_http::KnownName;
use hawser_http::chars::{is_safe_value, is_token, value_len};

/// Longest name of a field (bytes), as in HAProxy.
const NAME: usize = 255;

/// How many times too large a head may be and still be refused alone.
const BOMB: usize = 8;

/// Pseudo-header fields that a head may have beside its fields.
const PSEUDO: usize = 6;

/// What a field block is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Request,
    Response,
    Trailers,
}

/// What is to happen with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    Fine,
    /// The client is told so (400).
    Invalid,
    /// The stream is reset.
    Malformed,
}

/// The pseudo-header fields.
mod pseudo {
    pub(super) const METHOD: u8 = 1;
    pub(super) const SCHEME: u8 = 2;
    pub(super) const PATH: u8 = 4;
    pub(super) const AUTHORITY: u8 = 8;
    pub(super) const PROTOCOL: u8 = 16;
    pub(super) const STATUS: u8 = 32;
}

/// Gathers the fields of a block and judges them.
pub(crate) struct Gather<'a> {
    kind: Kind,
    limits: Limits,
    /// `accept-unsafe-violations-in-http-…`.
    relaxed: bool,
    /// As [`carry::put`] makes them.
    out: &'a mut Vec<u8>,
    pseudo: u8,
    /// Pseudo-header fields are over.
    begun: bool,
    connect: bool,
    count: usize,
    bytes: usize,
    verdict: Verdict,
    pub(crate) status: u16,
    pub(crate) length: Option<u64>,
}

impl<'a> Gather<'a> {
    pub(crate) fn new(kind: Kind, limits: Limits, relaxed: bool, out: &'a mut Vec<u8>) -> Self {
        Self {
            kind,
            limits,
            relaxed,
            out,
            pseudo: 0,
            begun: false,
            connect: false,
            count: 0,
            bytes: 0,
            verdict: Verdict::Fine,
            status: 0,
            length: None,
        }
    }

    /// Takes the next field.
    pub(crate) fn field(&mut self, name: &[u8], value: &[u8]) {
        self.count += 1;
        self.bytes = self.bytes.saturating_add(name.len() + value.len());
        if self.verdict == Verdict::Malformed {
            return;
        }
        let plain = value_len(value) == value.len();
        let fine = self.bytes <= self.limits.bytes
            && self.count <= self.limits.fields + PSEUDO
            && (plain || is_safe_value(value))
            && match name.first() {
                Some(b':') => self.pseudo(name, value, plain),
                _ => self.plain(name, value, plain),
            };
        if !fine {
            self.verdict = Verdict::Malformed;
        }
    }

    /// `plain` tells that the value has no controls.
    fn pseudo(&mut self, name: &[u8], value: &[u8], plain: bool) -> bool {
        let bit = match (self.kind, name) {
            (Kind::Request, b":method") => pseudo::METHOD,
            (Kind::Request, b":scheme") => pseudo::SCHEME,
            (Kind::Request, b":path") => pseudo::PATH,
            (Kind::Request, b":authority") => pseudo::AUTHORITY,
            (Kind::Request, b":protocol") => pseudo::PROTOCOL,
            (Kind::Response, b":status") => pseudo::STATUS,
            _ => return false,
        };
        if self.begun || self.pseudo & bit != 0 {
            return false;
        }
        self.pseudo |= bit;
        let fine = match bit {
            pseudo::METHOD => self.method(value),
            pseudo::SCHEME => {
                self.expect(is_scheme(value));
                true
            }
            pseudo::PATH => self.path(value),
            pseudo::AUTHORITY => is_authority(value),
            pseudo::STATUS => {
                self.status = status(value).unwrap_or_default();
                self.status != 0
            }
            _ => !value.eq_ignore_ascii_case(b"h2c") && !value.eq_ignore_ascii_case(b"h2"),
        };
        carry::put(self.out, KnownName::Other, name, value, plain);
        fine
    }

    /// What is not so makes an invalid request.
    fn expect(&mut self, fine: bool) {
        if !fine && self.verdict == Verdict::Fine {
            self.verdict = Verdict::Invalid;
        }
    }

    fn method(&mut self, method: &[u8]) -> bool {
        self.connect = method == b"CONNECT";
        self.expect(method.iter().all(|b| is_token(*b)));
        !method.is_empty()
    }

    fn path(&mut self, path: &[u8]) -> bool {
        let relaxed = self.relaxed;
        self.expect(!path.contains(&0x7f));
        (path.first() == Some(&b'/') || path == b"*")
            && path.iter().all(|b| *b > b' ' && (*b != b'#' || relaxed))
    }

    fn plain(&mut self, name: &[u8], value: &[u8], plain: bool) -> bool {
        self.begun = true;
        let known = KnownName::of(name);
        let named = name.len() <= NAME && name.iter().all(|b| is_token(*b) && !b.is_ascii_uppercase());
        // The settings mean nothing here, nor do any harm.
        if !named || (is_connection_field(known) && known != KnownName::Http2Settings) {
            return false;
        }
        match (self.kind, known) {
            (Kind::Request, KnownName::Te) if value != b"trailers" => return false,
            (Kind::Response, KnownName::Te) if value != b"trailers" => return true,
            (Kind::Trailers, KnownName::Te | KnownName::Host | KnownName::ContentLength) => return false,
            (_, KnownName::ContentLength) => {
                let others = self.length;
                self.length = agreed(others, value);
                if self.length.is_none() || others.is_some() {
                    return self.length.is_some();
                }
            }
            _ => {}
        }
        carry::put(self.out, known, name, value.trim_ascii(), plain);
        true
    }

    /// Whether the block stands for far more than any head may have: nobody does that by mistake.
    pub(crate) fn is_bomb(&self) -> bool {
        self.bytes / BOMB > self.limits.bytes
    }

    /// The block is whole; `end` tells that nothing follows it.
    pub(crate) fn finish(&mut self, end: bool) -> Verdict {
        use pseudo::{AUTHORITY, METHOD, PATH, PROTOCOL, SCHEME};
        let fine = match (self.kind, self.pseudo) {
            (Kind::Request, p) if self.connect && p & PROTOCOL != 0 => {
                self.length = None;
                // Nothing could be sent through what is asked for.
                self.expect(!end);
                p == METHOD | SCHEME | PATH | AUTHORITY | PROTOCOL
            }
            (Kind::Request, p) if self.connect => {
                self.length = None;
                p == METHOD | AUTHORITY
            }
            (Kind::Request, p) => {
                p & !AUTHORITY == METHOD | SCHEME | PATH && !(end && self.length.is_some_and(|n| n > 0))
            }
            (Kind::Response, _) => match self.status {
                0 | 101 => false,
                100..=199 => !end,
                _ => true,
            },
            (Kind::Trailers, _) => true,
        };
        if !fine {
            self.verdict = Verdict::Malformed;
        }
        self.verdict
    }
}

fn is_scheme(s: &[u8]) -> bool {
    s.first().is_some_and(u8::is_ascii_alphabetic)
        && s.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

/// Could it be an authority, without user information and without anything that ends one elsewhere?
fn is_authority(a: &[u8]) -> bool {
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

/// The length that a Content-Length field tells, which is that of others before it. A list of the same number is one
/// (RFC 9110 section 8.6).
pub(crate) fn agreed(others: Option<u64>, text: &[u8]) -> Option<u64> {
    let mut length = others;
    for part in text.split(|b| *b == b',') {
        let part = part.trim_ascii();
        if part.is_empty() || !part.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let n: u64 = std::str::from_utf8(part).ok()?.parse().ok()?;
        if i64::try_from(n).is_err() || length.is_some_and(|l| l != n) {
            return None;
        }
        length = Some(n);
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { fields: 20, bytes: 1000 };

    fn judged(kind: Kind, fields: &[(&str, &str)], end: bool) -> Verdict {
        let mut out = Vec::new();
        let mut g = Gather::new(kind, LIMITS, false, &mut out);
        fields.iter().for_each(|(n, v)| g.field(n.as_bytes(), v.as_bytes()));
        g.finish(end)
    }

    fn request(method: &str, scheme: &str, path: &str, authority: &str) -> Verdict {
        let fields = [(":method", method), (":scheme", scheme), (":path", path), (":authority", authority)];
        judged(Kind::Request, &fields, true)
    }

    #[test]
    fn pseudo_fields_of_requests() {
        use Verdict::{Fine, Invalid, Malformed};
        for (method, due) in [
            ("GET", Fine),
            ("get", Fine),
            ("", Malformed),
            ("G T", Invalid),
            ("G/", Invalid),
            ("G\r", Malformed),
        ] {
            assert_eq!(request(method, "http", "/", "x"), due, "{method:?}");
        }
        for (scheme, due) in [
            ("https", Fine),
            ("a+b-c.d", Fine),
            ("", Invalid),
            ("1http", Invalid),
            ("http:", Invalid),
            ("http://x/?", Invalid),
            ("ht\0tp", Malformed),
        ] {
            assert_eq!(request("GET", scheme, "/", "x"), due, "{scheme:?}");
        }
        for (path, due) in [
            ("*", Fine),
            ("/\"<>\\^`{|}\u{e9}", Fine),
            ("/\x7f", Invalid),
            ("", Malformed),
            ("x", Malformed),
            ("*x", Malformed),
            ("/a b", Malformed),
            ("/a#b", Malformed),
            ("/\x01", Malformed),
        ] {
            assert_eq!(request("GET", "http", path, "x"), due, "{path:?}");
        }
        for fine in ["", "a", "a:80", "a:b:c", "[::1]", "[::1]:x", "a%b|c\"", "[]"] {
            assert_eq!(request("GET", "http", "/", fine), Fine, "{fine:?}");
        }
        for bad in [
            "a/b", "u@a", "a b", "a?b", "a#b", "a,b", "a\\b", "[::1", "a]", "[a]b", "[a][b]", "a[b]",
            "\u{e9}", "a\x7f",
        ] {
            assert_eq!(request("GET", "http", "/", bad), Malformed, "{bad:?}");
        }
    }

    #[test]
    fn combinations_of_requests() {
        use Verdict::{Fine, Invalid, Malformed};
        let all = [
            (":method", "CONNECT"),
            (":authority", "a:1"),
            (":scheme", "http"),
            (":path", "/"),
            (":protocol", "websocket"),
        ];
        assert_eq!(judged(Kind::Request, &all, false), Fine);
        assert_eq!(judged(Kind::Request, &all, true), Invalid);
        assert_eq!(judged(Kind::Request, &all[..2], false), Fine);
        assert_eq!(judged(Kind::Request, &all[..1], false), Malformed);
        assert_eq!(judged(Kind::Request, &all[..4], false), Malformed);
        assert_eq!(judged(Kind::Request, &[(":method", "GET"), all[2]], true), Malformed);
        assert_eq!(judged(Kind::Request, &[(":method", "GET"), all[2], all[3]], true), Fine);
        assert_eq!(judged(Kind::Request, &[(":method", "GET"), all[2], all[3], all[4]], true), Malformed);
        assert_eq!(judged(Kind::Request, &[], true), Malformed);
    }

    #[test]
    fn fields_of_requests() {
        use Verdict::{Fine, Malformed};
        let with = |more: &[(&str, &str)]| {
            let base = [(":method", "GET"), (":scheme", "http"), (":path", "/")];
            judged(Kind::Request, &[&base[..], more].concat(), true)
        };
        for fine in
            [("a", "x\x01\x7fy"), ("!#$%&'*+-.^_`|~", ""), ("te", "trailers"), ("content-length", "0, 0")]
        {
            assert_eq!(with(&[fine]), Fine, "{fine:?}");
        }
        let long = "n".repeat(256);
        for bad in [
            ("A", "1"),
            ("a b", "1"),
            ("a:b", "1"),
            ("a\"", "1"),
            ("\u{e9}", "1"),
            (&long, "1"),
            ("a", "1\n2"),
            ("a", "1\r2"),
            ("a", "1\x002"),
            ("connection", "x"),
            ("transfer-encoding", "x"),
            ("te", "Trailers"),
            ("content-length", "5"),
            ("content-length", ""),
            ("content-length", "+0"),
            ("content-length", "0, 1"),
            ("content-length", "18446744073709551616"),
            (":method", "GET"),
            (":status", "200"),
            (":x", "1"),
            (":", "1"),
        ] {
            assert_eq!(with(&[bad]), Malformed, "{bad:?}");
        }
        assert_eq!(with(&[("a", "1"), (":authority", "x")]), Malformed, "late");
        assert_eq!(with(&vec![("a", "1"); 24]), Malformed, "too many");
        assert_eq!(with(&[("a", &"v".repeat(1000))]), Malformed, "too large");
    }

    #[test]
    fn responses_and_trailers() {
        use Verdict::{Fine, Malformed};
        for (status, end, due) in [
            ("200", true, Fine),
            ("999", true, Fine),
            ("103", false, Fine),
            ("103", true, Malformed),
            ("101", false, Malformed),
            ("099", true, Malformed),
            ("20", true, Malformed),
            ("2000", true, Malformed),
            ("+20", true, Malformed),
        ] {
            assert_eq!(judged(Kind::Response, &[(":status", status)], end), due, "{status}");
        }
        assert_eq!(judged(Kind::Response, &[("a", "1")], true), Malformed);
        assert_eq!(judged(Kind::Response, &[(":status", "200"), (":path", "/")], true), Malformed);
        assert_eq!(judged(Kind::Trailers, &[("a", "1")], true), Fine);
        for bad in
            [(":path", "/"), ("host", "x"), ("content-length", "1"), ("te", "trailers"), ("upgrade", "x")]
        {
            assert_eq!(judged(Kind::Trailers, &[bad], true), Malformed, "{bad:?}");
        }
    }
}
