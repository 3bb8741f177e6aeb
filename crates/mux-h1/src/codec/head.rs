//! Parsing of request and response heads.

use super::fields::{Flags, Rules, parse_fields, unfold};
use super::framing::{finish_request, finish_response};
use super::{Asked, Info, Limits, ParseError, Reason};
use hawser_http::chars::{is_target, is_token, value_len};
use hawser_http::{Head, Span, Start, Version};

/// Options that change what is accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Opts {
    /// `option accept-unsafe-violations-in-http-request` (or `-response`).
    pub relaxed: bool,
    /// `h1-accept-payload-with-any-method`: HTTP/1.0 GET, HEAD and DELETE may have a body.
    pub payload_with_any_method: bool,
}

/// How far a head has been read, so that the next call goes on there. Start each message with the default.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Progress {
    /// Start of the first line that is not parsed yet.
    pub(super) line: u32,
    /// No line feed ends that line before this offset.
    pub(super) scan: u32,
    /// [`KnownName::bit`](hawser_http::KnownName::bit) of every field so far.
    pub(super) seen: u64,
    pub(super) flags: Flags,
    /// The start line is parsed.
    started: bool,
}

impl Progress {
    /// Is it worth parsing: is there no incomplete line known, or has its end arrived?
    pub(super) fn has_line(&mut self, buf: &[u8]) -> bool {
        if self.scan <= self.line {
            return true;
        }
        let rest = buf.get(self.scan as usize..).unwrap_or_default();
        if memchr::memchr(b'\n', rest).is_some() {
            return true;
        }
        self.scan = buf.len() as u32;
        false
    }

    pub(super) fn next(&mut self, line: usize) {
        self.line = line as u32;
        self.scan = self.line;
    }
}

/// Outcome of a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// More bytes are needed. Call again with the same buffer, grown, and the same progress and head.
    Partial,
    /// The head is complete.
    Done {
        /// Bytes of the buffer that the head took; the body or the next message follows.
        consumed: usize,
        /// What it says about body and connection.
        info: Info,
    },
}

/// Parses a request head from the start of `buf`.
///
/// Bytes are copied to [`Head::buf`] once, when the head is complete. Between two calls that return
/// [`Status::Partial`], `buf` may only grow at its end.
///
/// A complete head is repaired where the RFC says so: `Content-Length` beside `Transfer-Encoding` is dropped,
/// equal ones are merged, hop-by-hop options that end here are taken out of `Connection`, `Upgrade: h2c` is
/// dropped, Host is made to agree with an absolute target ([`Head::normalize_host`]).
pub fn parse_request(
    buf: &[u8],
    progress: &mut Progress,
    head: &mut Head,
    lim: &Limits,
    opts: Opts,
) -> Result<Status, ParseError> {
    let rules = Rules { controls: false, relaxed: opts.relaxed };
    let Some(consumed) = section(buf, progress, head, lim, rules, request_line)? else {
        return Ok(Status::Partial);
    };
    let info = finish_request(head, progress.seen, progress.flags.relaxed, opts)?;
    Ok(Status::Done { consumed, info })
}

/// Parses a response head from the start of `buf`; see [`parse_request`]. `asked` tells what was requested.
///
/// Interim (1xx) responses come out like any other, with [`BodyLen::None`](hawser_http::BodyLen::None). Errors
/// have the status 502.
pub fn parse_response(
    buf: &[u8],
    progress: &mut Progress,
    head: &mut Head,
    lim: &Limits,
    opts: Opts,
    asked: Asked,
) -> Result<Status, ParseError> {
    let rules = Rules { controls: true, relaxed: opts.relaxed };
    let bad = |e| ParseError { status: 502, ..e };
    let Some(consumed) = section(buf, progress, head, lim, rules, status_line).map_err(bad)? else {
        return Ok(Status::Partial);
    };
    let info = finish_response(head, progress.seen, progress.flags.relaxed, asked, opts).map_err(bad)?;
    Ok(Status::Done { consumed, info })
}

/// A start line.
struct Line {
    start: Start,
    /// See [`Head::protocol`].
    protocol: Span,
    /// Nothing follows: HTTP/0.9.
    bare: bool,
    /// Where the next line begins.
    next: usize,
}

/// A start line; `None` if it is not complete.
type StartLine = Result<Option<Line>, ParseError>;

/// Parses a start line, then fields, then copies them; returns the length of all that.
fn section(
    buf: &[u8],
    p: &mut Progress,
    head: &mut Head,
    lim: &Limits,
    rules: Rules,
    start_line: fn(&[u8], usize, bool) -> StartLine,
) -> Result<Option<usize>, ParseError> {
    if !p.started {
        if p.line == 0 {
            head.clear();
        }
        skip_empty_lines(buf, p)?;
        let found = if p.has_line(buf) { start_line(buf, p.line as usize, rules.relaxed)? } else { None };
        let Some(line) = found else {
            p.scan = buf.len() as u32;
            return too_large(buf.len(), lim, 414);
        };
        head.start = line.start;
        head.protocol = line.protocol;
        p.started = true;
        p.next(line.next);
        if line.bare {
            head.buf.extend_from_slice(&buf[..line.next]);
            return Ok(Some(line.next));
        }
    }
    let Some(consumed) = parse_fields(buf, p, head, lim, rules)? else {
        return too_large(buf.len(), lim, 431);
    };
    if consumed > lim.max_bytes {
        return too_large(consumed, lim, 431);
    }
    head.buf.extend_from_slice(&buf[..consumed]);
    unfold(head, p.flags);
    Ok(Some(consumed))
}

/// An incomplete head: an error if it fills what it may.
fn too_large(len: usize, lim: &Limits, status: u16) -> Result<Option<usize>, ParseError> {
    match len >= lim.max_bytes {
        true => Err(ParseError { status, ..ParseError::new(lim.max_bytes, Reason::TooLarge) }),
        false => Ok(None),
    }
}

/// Empty lines may come before a message (RFC 9112 section 2.2).
fn skip_empty_lines(buf: &[u8], p: &mut Progress) -> Result<(), ParseError> {
    loop {
        let at = p.line as usize;
        match (buf.get(at), buf.get(at + 1)) {
            (Some(b'\n'), _) => p.next(at + 1),
            (Some(b'\r'), Some(b'\n')) => p.next(at + 2),
            (Some(b'\r'), Some(_)) => return Err(ParseError::new(at + 1, Reason::BadLineEnd)),
            _ => return Ok(()),
        }
    }
}

/// Parses a request line. More than one space between its words is let pass: they leave as one.
fn request_line(buf: &[u8], start: usize, relaxed: bool) -> StartLine {
    let mut end = start;
    while buf.get(end).is_some_and(|&b| is_token(b)) {
        end += 1;
    }
    match buf.get(end) {
        Some(b' ') if end > start => {}
        None => return Ok(None),
        // Half of an empty line.
        Some(b'\r') if end == start && buf.len() == end + 1 => return Ok(None),
        Some(_) => return Err(ParseError::new(end, Reason::BadMethod)),
    }
    let from = skip_spaces(buf, end);
    let mut to = from;
    while buf.get(to).is_some_and(|&b| is_target(b) || (relaxed && (b == b'#' || b >= 0x80))) {
        to += 1;
    }
    match buf.get(to) {
        Some(b' ') if to > from => {}
        None => return Ok(None),
        // A request line without version is one of HTTP/0.9.
        Some(b'\r' | b'\n') if to > from => {
            let get = buf[start..end] == *b"GET";
            if relaxed && get {
                return Ok(line_end(buf, to)?.map(|next| Line {
                    start: request_start((start, end), (from, to), Version::H10),
                    protocol: Span::default(),
                    bare: true,
                    next,
                }));
            }
            return Err(ParseError { relaxable: get, ..ParseError::new(to, Reason::BadVersion) });
        }
        Some(&b) => {
            let e = ParseError::new(to, Reason::BadTarget);
            return Err(ParseError { relaxable: to > from && (b == b'#' || b >= 0x80), ..e });
        }
    }
    let Some(v) = version(buf, skip_spaces(buf, to), relaxed)? else { return Ok(None) };
    let Some(next) = line_end(buf, v.next)? else { return Ok(None) };
    let start = request_start((start, end), (from, to), v.version);
    Ok(Some(Line { start, protocol: v.verbatim, bare: false, next }))
}

fn request_start(method: (usize, usize), target: (usize, usize), version: Version) -> Start {
    let span = |(from, to): (usize, usize)| Span { off: from as u32, len: (to - from) as u32 };
    Start::Request { method: span(method), target: span(target), version }
}

/// Position of the first byte that is no space, from `at` on.
fn skip_spaces(buf: &[u8], at: usize) -> usize {
    at + buf.get(at..).unwrap_or_default().iter().take_while(|b| **b == b' ').count()
}

/// Parses a status line. The reason phrase may be missing, with or without the space before it.
fn status_line(buf: &[u8], start: usize, relaxed: bool) -> StartLine {
    if buf[start..] == *b"\r" {
        return Ok(None);
    }
    let Some(v) = version(buf, start, relaxed)? else { return Ok(None) };
    let at = v.next;
    match buf.get(at) {
        Some(b' ') => {}
        None => return Ok(None),
        Some(_) => return Err(ParseError::new(at, Reason::BadVersion)),
    }
    let from = at + 1;
    let digits = buf[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut to = from + digits;
    let Some(after) = buf.get(to) else { return Ok(None) };
    let code = std::str::from_utf8(&buf[from..to]).ok().and_then(|s| s.parse::<u16>().ok());
    let status = match code {
        Some(code) if code >= 100 && (digits == 3 || (relaxed && digits > 3)) => code,
        _ => {
            let e = ParseError::new(from, Reason::BadStatus);
            return Err(ParseError { relaxable: digits > 3 && code.is_some(), ..e });
        }
    };
    if !matches!(after, b' ' | b'\t' | b'\r' | b'\n') {
        return Err(ParseError::new(to, Reason::BadStatus));
    }
    while matches!(buf.get(to), Some(b' ' | b'\t')) {
        to += 1;
    }
    let mut end = to;
    loop {
        end += value_len(&buf[end..]);
        match buf.get(end) {
            None => return Ok(None),
            Some(b'\r' | b'\n') => break,
            Some(0) => return Err(ParseError::new(end, Reason::BadByte)),
            Some(_) => end += 1,
        }
    }
    let Some(next) = line_end(buf, end)? else { return Ok(None) };
    let reason = Span { off: to as u32, len: (end - to) as u32 };
    let start = Start::Response { version: v.version, status, reason };
    Ok(Some(Line { start, protocol: v.verbatim, bare: false, next }))
}

/// Protocol and version of a start line.
struct Protocol {
    version: Version,
    /// As written, if it is none that [`Version`] knows.
    verbatim: Span,
    /// What follows.
    next: usize,
}

/// Parses `HTTP/1.x`, any minor version above 0 counting as 1 (RFC 9110 section 2.5).
///
/// The relaxed mode takes other protocols and versions too, and leaves them as they are.
fn version(buf: &[u8], at: usize, relaxed: bool) -> Result<Option<Protocol>, ParseError> {
    let rest = &buf[at..];
    let found = match rest.get(..8) {
        Some(b"HTTP/1.1") => Some(Version::H11),
        Some(b"HTTP/1.0") => Some(Version::H10),
        Some([b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'2'..=b'9']) => Some(Version::H11),
        Some(_) => None,
        None if b"HTTP/1.".starts_with(&rest[..rest.len().min(7)]) => return Ok(None),
        None => None,
    };
    match (found, rest.get(8)) {
        (Some(version), after) if !after.is_some_and(|b| is_protocol(*b)) => {
            Ok(Some(Protocol { version, verbatim: Span::default(), next: at + 8 }))
        }
        _ if relaxed => other_protocol(buf, at),
        _ => {
            let relaxable = matches!(other_protocol(buf, at), Ok(Some(_)));
            Err(ParseError { relaxable, ..ParseError::new(at, Reason::BadVersion) })
        }
    }
}

fn is_protocol(b: u8) -> bool {
    matches!(b, b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'/')
}

/// What may stand for a version when rules are relaxed.
fn other_protocol(buf: &[u8], at: usize) -> Result<Option<Protocol>, ParseError> {
    /// Longest one.
    const MAX: usize = 64;
    let rest = &buf[at..];
    let Some(len) = rest.iter().position(|b| !is_protocol(*b)).or((rest.len() > MAX).then_some(0)) else {
        return Ok(None);
    };
    if len == 0 || !matches!(rest[len], b' ' | b'\t' | b'\r' | b'\n') {
        return Err(ParseError::new(at, Reason::BadVersion));
    }
    let verbatim = Span { off: at as u32, len: len as u32 };
    Ok(Some(match rest[..len] {
        // Versions of HTTP that this proxy can speak for.
        [b'H', b'T', b'T', b'P', b'/', b'1'..=b'9', b'.', b'0'..=b'9'] => {
            Protocol { version: Version::H11, verbatim: Span::default(), next: at + len }
        }
        _ => Protocol { version: Version::H10, verbatim, next: at + len },
    }))
}

/// Expects LF or CR LF; returns what follows.
fn line_end(buf: &[u8], at: usize) -> Result<Option<usize>, ParseError> {
    match (buf.get(at), buf.get(at + 1)) {
        (Some(b'\n'), _) => Ok(Some(at + 1)),
        (Some(b'\r'), Some(b'\n')) => Ok(Some(at + 2)),
        (None, _) | (Some(b'\r'), None) => Ok(None),
        (Some(b'\r'), Some(_)) => Err(ParseError::new(at + 1, Reason::BadLineEnd)),
        (Some(_), _) => Err(ParseError::new(at, Reason::BadByte)),
    }
}

#[cfg(test)]
mod tests;
