//! What a head may hold (RFC 9113 section 8), as strictly as HAProxy has it: what breaks HTTP/2 has the stream reset,
//! what is merely no valid request of HTTP is answered.

mod traits;

pub(crate) use traits::Traits;

use crate::head::Limits;
use hawser_http::KnownName;
use traits::{BAD, CONNECT, HASH, ODD};

/// How many times too large a head may be and still be refused alone.
const BOMB: usize = 8;

/// Digits of a number that is certainly not too large.
const MODEST: usize = 18;

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

    /// All of a request.
    pub(super) const REQUEST: u8 = METHOD | SCHEME | PATH | AUTHORITY | PROTOCOL;
}

/// Gathers the fields of a block and judges them.
pub(crate) struct Gather {
    kind: Kind,
    limits: Limits,
    /// `accept-unsafe-violations-in-http-…`.
    relaxed: bool,
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

impl Gather {
    pub(crate) fn new(kind: Kind, limits: Limits, relaxed: bool) -> Self {
        Self {
            kind,
            limits,
            relaxed,
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

    /// Takes the next field, of so many bytes; whether it goes on.
    pub(crate) fn field(&mut self, field: &Traits, size: usize) -> bool {
        self.count += 1;
        self.bytes = self.bytes.saturating_add(size);
        if self.verdict == Verdict::Malformed {
            return false;
        }
        let fits = self.bytes <= self.limits.bytes && self.count <= self.limits.fields + PSEUDO;
        let fate = match field.pseudo {
            _ if !fits || field.is(BAD) => None,
            0 => self.plain(field),
            _ => self.pseudo(field),
        };
        if fate.is_none() {
            self.verdict = Verdict::Malformed;
        }
        fate.unwrap_or_default()
    }

    /// Whether it goes on; `None` for what breaks a rule.
    fn pseudo(&mut self, field: &Traits) -> Option<bool> {
        let due = match self.kind {
            Kind::Request => pseudo::REQUEST,
            Kind::Response => pseudo::STATUS,
            Kind::Trailers => 0,
        };
        if self.begun || field.pseudo & due & !self.pseudo == 0 || (field.is(HASH) && !self.relaxed) {
            return None;
        }
        self.pseudo |= field.pseudo;
        self.expect(!field.is(ODD));
        match field.pseudo {
            pseudo::METHOD => self.connect = field.is(CONNECT),
            pseudo::STATUS => self.status = field.number as u16,
            _ => {}
        }
        Some(true)
    }

    /// What is not so makes an invalid request.
    fn expect(&mut self, fine: bool) {
        if !fine && self.verdict == Verdict::Fine {
            self.verdict = Verdict::Invalid;
        }
    }

    fn plain(&mut self, field: &Traits) -> Option<bool> {
        self.begun = true;
        match (field.known, self.kind) {
            (KnownName::Te | KnownName::Host | KnownName::ContentLength, Kind::Trailers) => None,
            (KnownName::Te, Kind::Request) if field.is(ODD) => None,
            (KnownName::Te, Kind::Response) if field.is(ODD) => Some(false),
            (KnownName::ContentLength, _) => match self.length.replace(field.number) {
                Some(other) => (other == field.number).then_some(false),
                None => Some(true),
            },
            _ => Some(true),
        }
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

/// The length that a Content-Length field tells, which is that of others before it. A list of the same number is one
/// (RFC 9110 section 8.6).
pub(crate) fn agreed(others: Option<u64>, text: &[u8]) -> Option<u64> {
    // Nearly all are a number alone, far from the largest.
    if (1..=MODEST).contains(&text.len()) && text.iter().all(u8::is_ascii_digit) {
        let n = text.iter().fold(0, |n, d| n * 10 + u64::from(d - b'0'));
        return Some(n).filter(|n| others.is_none_or(|o| o == *n));
    }
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
        let mut g = Gather::new(kind, LIMITS, false);
        for (n, v) in fields {
            g.field(&Traits::of(n.as_bytes(), v.as_bytes()), n.len() + v.len());
        }
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
