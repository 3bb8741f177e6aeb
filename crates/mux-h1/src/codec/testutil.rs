//! What the tests of the codec share: parsing in one piece and byte by byte, heads as text.

use super::{Asked, Info, Limits, Opts, ParseError, Progress, Status, parse_request, parse_response};
use hawser_http::{Head, Start};

/// A head, what it says, and the bytes it took.
pub(super) type Parsed = Result<(Head, Info, usize), ParseError>;

/// Parses, checking that the pieces in which the head arrives make no difference.
pub(super) fn parse(buf: &[u8], lim: &Limits, opts: Opts, asked: Option<Asked>) -> Parsed {
    let call = |buf: &[u8], p: &mut Progress, head: &mut Head| match asked {
        None => parse_request(buf, p, head, lim, opts),
        Some(asked) => parse_response(buf, p, head, lim, opts, asked),
    };
    let incomplete = || ParseError { status: 0, ..ParseError::new(buf.len(), super::Reason::BadByte) };
    let run = |step: usize| -> Parsed {
        let (mut p, mut head) = (Progress::default(), Head::default());
        head.add(b"stale", b"bytes");
        let mut end = 0;
        while end < buf.len() {
            end = (end + step).min(buf.len());
            if let Status::Done { consumed, info } = call(&buf[..end], &mut p, &mut head)? {
                return Ok((head, info, consumed));
            }
        }
        Err(incomplete())
    };
    let whole = run(buf.len().max(1));
    for step in [1, 2, 3, 7] {
        let key = |r: &Parsed| match r {
            Ok((h, i, n)) => Ok((text(h), *i, *n)),
            Err(e) => Err((e.reason, e.status)),
        };
        assert_eq!(key(&run(step)), key(&whole), "in pieces of {step}: {:?}", String::from_utf8_lossy(buf));
    }
    whole
}

pub(super) fn request(text: &str) -> Parsed {
    parse(&bytes(text), &Limits::default(), Opts::default(), None)
}

pub(super) fn response(text: &str, asked: Asked) -> Parsed {
    parse(&bytes(text), &Limits::default(), Opts::default(), Some(asked))
}

pub(super) const RELAXED: Opts = Opts { relaxed: true, payload_with_any_method: false };

pub(super) fn relaxed_request(text: &str) -> Parsed {
    parse(&bytes(text), &Limits::default(), RELAXED, None)
}

pub(super) fn relaxed_response(text: &str, asked: Asked) -> Parsed {
    parse(&bytes(text), &Limits::default(), RELAXED, Some(asked))
}

/// Characters up to U+00FF stand for one byte each.
pub(super) fn bytes(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).expect("a byte")).collect()
}

/// A head on one line: start line and fields, separated by `|`.
pub(super) fn text(h: &Head) -> String {
    let s = |b: &[u8]| b.iter().map(|&b| char::from(b)).collect::<String>();
    let version = match h.protocol.len {
        0 => h.version().as_str().to_owned(),
        _ => s(h.get(h.protocol)),
    };
    let mut out = match h.start {
        Start::Request { .. } => format!("{} {} {version}", s(h.method()), s(h.target())),
        Start::Response { .. } => format!("{version} {} {}", h.status(), s(h.reason())),
        Start::Trailers => String::new(),
    };
    for (n, v) in h.iter() {
        out += &format!("|{}: {}", s(n), s(v));
    }
    out
}
