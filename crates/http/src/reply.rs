//! Replies that the proxy makes by itself: the built-in error messages and the content of `errorfile`.

use crate::chars::{is_safe_value, is_token};
use crate::head::{Head, Version};
use crate::list::{trim, values};
use crate::name::KnownName;
use crate::status::reason;
use bytes::Bytes;
use std::fmt;

/// A complete response. Its head has no framing or connection fields but Content-Length.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Its head.
    pub head: Head,
    /// Its body; Content-Length in the head agrees with it. Without one the connection is closed.
    pub body: Bytes,
    /// The message says `Connection: close`, or has a body of which nothing else shows the end.
    pub close: bool,
}

/// The statuses that have a built-in message, in increasing order: those that `errorfile` may replace.
#[rustfmt::skip]
static MESSAGES: &[(u16, &str, bool, &str)] = &[
    // status  reason                          close  text
    (200, "OK",                              false, "Service ready."),
    (400, "Bad request",                     true,  "Your browser sent an invalid request."),
    (401, "Unauthorized",                    false, "You need a valid user and password to access this content."),
    (403, "Forbidden",                       false, "Request forbidden by administrative rules."),
    (404, "Not Found",                       false, "The resource could not be found."),
    (405, "Method Not Allowed",              false, "A request was made of a resource using a request method not supported by that resource."),
    (407, "Unauthorized",                    false, "You need a valid user and password to access this content."),
    (408, "Request Time-out",                true,  "Your browser didn't send a complete request in time."),
    (410, "Gone",                            false, "The resource is no longer available and will not be available again."),
    (413, "Payload Too Large",               false, "The request entity exceeds the maximum allowed."),
    (414, "URI Too Long",                    false, "The URI provided was too long for the server to process."),
    (421, "Misdirected Request",             false, "Request sent to a non-authoritative server."),
    (422, "Unprocessable Content",           false, "The server cannot process the contained instructions."),
    (425, "Too Early",                       false, "Your browser sent early data."),
    (429, "Too Many Requests",               false, "You have sent too many requests in a given amount of time."),
    (431, "Request Header Fields Too Large", false, "Request Header Fields Too Large."),
    (500, "Internal Server Error",           false, "An internal server error occurred."),
    (501, "Not Implemented",                 false, "The server does not support the functionality required to fulfill the request."),
    (502, "Bad Gateway",                     false, "The server returned an invalid or incomplete response."),
    (503, "Service Unavailable",             false, "No server is available to handle this request."),
    (504, "Gateway Time-out",                false, "The server didn't respond in time."),
];

/// The statuses that have a built-in message, in increasing order: those that `errorfile` may replace.
pub fn error_statuses() -> impl Iterator<Item = u16> {
    MESSAGES.iter().map(|m| m.0)
}

impl Reply {
    /// The built-in message of a status; `None` if it has none (callers then use that of 500).
    pub fn builtin(status: u16) -> Option<Self> {
        let i = MESSAGES.binary_search_by_key(&status, |m| m.0).ok()?;
        let (status, phrase, close, text) = MESSAGES[i];
        let body = format!("<html><body><h1>{status} {phrase}</h1>\n{text}\n</body></html>\n");
        let mut head = Head::response(Version::H11, status, phrase.as_bytes());
        head.add(b"content-length", body.len().to_string().as_bytes());
        head.add(b"cache-control", b"no-cache");
        head.add(b"content-type", b"text/html");
        Some(Self { head, body: body.into(), close })
    }

    /// Reads a raw HTTP/1 response: the content of an `errorfile`. `None` if it is empty, which means to close
    /// without a word.
    pub fn parse(raw: &[u8]) -> Result<Option<Self>, ReplyError> {
        if raw.is_empty() {
            return Ok(None);
        }
        let mut lines = Lines { raw, pos: 0 };
        let mut head = start_line(&mut lines)?;
        while let Some((at, line)) = lines.next_line() {
            if line.is_empty() {
                return finish(head, &raw[lines.pos..]).map(Some);
            }
            field_line(&mut head, at, line)?;
        }
        Err(ReplyError::Head(raw.len()))
    }
}

/// Why a file is no reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReplyError {
    /// Its head is malformed at this offset.
    Head(usize),
    /// It is not a final response.
    Status(u16),
    /// It uses a transfer coding.
    Chunked,
    /// Its status allows no body, but it has one.
    UnexpectedBody,
    /// Its body's length (first) is not the one announced.
    Length(u64, u64),
}

impl fmt::Display for ReplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head(at) => write!(f, "unable to parse headers (error offset: {at})"),
            Self::Status(s) => write!(f, "invalid http status code for an error message ({s})"),
            Self::Chunked => f.write_str("chunk-encoded payload not supported"),
            Self::UnexpectedBody => f.write_str("message payload not expected"),
            Self::Length(got, want) => {
                write!(f, "payload size does not match the announced content-length ({got} != {want})")
            }
        }
    }
}

impl std::error::Error for ReplyError {}

/// Lines ended by LF or CR LF, without that end.
struct Lines<'a> {
    raw: &'a [u8],
    pos: usize,
}

impl<'a> Lines<'a> {
    /// The next line and its offset; `None` if there is no complete one.
    fn next_line(&mut self) -> Option<(usize, &'a [u8])> {
        let start = self.pos;
        let rest = &self.raw[start..];
        let n = memchr::memchr(b'\n', rest)?;
        self.pos = start + n + 1;
        Some((start, rest[..n].strip_suffix(b"\r").unwrap_or(&rest[..n])))
    }
}

fn start_line(lines: &mut Lines<'_>) -> Result<Head, ReplyError> {
    let (at, line) = loop {
        let (at, line) = lines.next_line().ok_or(ReplyError::Head(0))?;
        if !line.is_empty() {
            break (at, line);
        }
    };
    let version = match line.get(..8) {
        Some(b"HTTP/1.0") => Version::H10,
        Some([b'H', b'T', b'T', b'P', b'/', b'1'..=b'9', b'.', b'0'..=b'9']) => Version::H11,
        _ => return Err(ReplyError::Head(at)),
    };
    let digits = trim(&line[8..]);
    let (code, text) = digits.split_at(digits.len().min(3));
    let status = std::str::from_utf8(code).ok().filter(|c| c.bytes().all(|b| b.is_ascii_digit()));
    let status: u16 = status.and_then(|c| c.parse().ok()).ok_or(ReplyError::Head(at + 9))?;
    if line.get(8) != Some(&b' ') || !matches!(text, [] | [b' ' | b'\t', ..]) || !is_safe_value(text) {
        return Err(ReplyError::Head(at + 8));
    }
    if !(200..=999).contains(&status) {
        return Err(ReplyError::Status(status));
    }
    let text = trim(text);
    Ok(Head::response(version, status, if text.is_empty() { reason(status).as_bytes() } else { text }))
}

fn field_line(head: &mut Head, at: usize, line: &[u8]) -> Result<(), ReplyError> {
    if !is_safe_value(line) {
        let bad = line.iter().position(|b| matches!(b, b'\r' | 0)).unwrap_or(0);
        return Err(ReplyError::Head(at + bad));
    }
    if matches!(line[0], b' ' | b'\t') {
        let last = head.fields.len().checked_sub(1).ok_or(ReplyError::Head(at))?;
        let value = [head.get(head.fields[last].value), b" ", trim(line)].concat();
        head.set_value_at(last, &value);
        return Ok(());
    }
    let end = line.iter().position(|&b| !is_token(b)).unwrap_or(line.len());
    if end == 0 || line.get(end) != Some(&b':') {
        return Err(ReplyError::Head(at + end));
    }
    head.add(&line[..end], trim(&line[end + 1..]));
    Ok(())
}

/// Checks the framing and takes the connection's fields out.
fn finish(mut head: Head, body: &[u8]) -> Result<Reply, ReplyError> {
    if head.first(KnownName::TransferEncoding).is_some() {
        return Err(ReplyError::Chunked);
    }
    let bodyless = matches!(head.status(), 204 | 304);
    if bodyless && !body.is_empty() {
        return Err(ReplyError::UnexpectedBody);
    }
    let got = body.len() as u64;
    for v in head.known(KnownName::ContentLength).flat_map(values) {
        let n = std::str::from_utf8(v).ok().filter(|s| s.bytes().all(|b| b.is_ascii_digit()));
        let n: u64 = n.and_then(|s| s.parse().ok()).ok_or(ReplyError::Head(0))?;
        if n != got && !bodyless {
            return Err(ReplyError::Length(got, n));
        }
    }
    let lasts = |v: &&[u8]| !v.eq_ignore_ascii_case(b"close") && !v.eq_ignore_ascii_case(b"keep-alive");
    let tokens = |head: &Head| -> Vec<Vec<u8>> {
        head.known(KnownName::Connection).flat_map(values).map(<[u8]>::to_vec).collect()
    };
    let tokens = tokens(&head);
    let announced = head.known(KnownName::ContentLength).count();
    // A body of which the length is not said ends with the connection.
    let close = (announced == 0 && !bodyless) || tokens.iter().any(|t| t.eq_ignore_ascii_case(b"close"));
    let kept: Vec<&[u8]> = tokens.iter().map(Vec::as_slice).filter(lasts).filter(|t| !t.is_empty()).collect();
    head.remove_known(KnownName::Connection);
    if !kept.is_empty() {
        head.add(b"connection", &kept.join(&b", "[..]));
    }
    head.remove_known(KnownName::Upgrade);
    if announced > 1 || bodyless {
        head.remove_known(KnownName::ContentLength);
        if !bodyless {
            head.add(b"content-length", got.to_string().as_bytes());
        }
    }
    Ok(Reply { head, body: Bytes::copy_from_slice(body), close })
}

#[cfg(test)]
mod tests;
