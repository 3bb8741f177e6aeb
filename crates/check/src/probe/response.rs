//! Reads the response to an HTTP check: enough of HTTP/1 to judge it, strict about what it reads.

use hawser_http::{Head, Version};

/// A response, as far as it came.
#[derive(Debug)]
pub(super) struct Response {
    head: Head,
    /// Where the response starts in the received bytes, after interim ones.
    base: usize,
    /// Where its body starts, once its head is complete.
    start: Option<usize>,
    framing: Framing,
    body: Vec<u8>,
    bodyless: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Framing {
    None,
    Length(usize),
    Chunked,
    UntilClose,
    /// All that there is has been taken apart already.
    Given,
}

/// How far a response has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Progress {
    /// The head is not complete.
    Partial,
    /// The head is complete, the body is not.
    Head,
    /// Everything is there, or all that will ever be looked at.
    Complete,
    /// It is no HTTP response.
    Invalid,
}

impl Response {
    /// A response to come; one to `HEAD` has no body.
    pub(super) fn new(to_head: bool) -> Self {
        Self {
            head: Head::default(),
            base: 0,
            start: None,
            framing: Framing::None,
            body: Vec::new(),
            bodyless: to_head,
        }
    }

    /// A response that was received whole.
    pub(super) fn whole(head: Head, body: Vec<u8>) -> Self {
        Self { head, start: Some(0), framing: Framing::Given, body, ..Self::new(false) }
    }

    /// The head; empty before it is complete.
    pub(super) fn head(&self) -> &Head {
        &self.head
    }

    /// The body as far as it came.
    pub(super) fn body(&self) -> &[u8] {
        &self.body
    }

    /// Looks at all bytes received so far; `last` when no more will come or be looked at.
    pub(super) fn feed(&mut self, data: &[u8], last: bool) -> Progress {
        loop {
            let start = match self.start {
                Some(s) => s,
                None => match self.parse_head(data) {
                    Ok(Some(s)) => s,
                    Ok(None) => return Progress::Partial,
                    Err(()) => return Progress::Invalid,
                },
            };
            // Interim responses announce another one.
            if (100..200).contains(&self.head.status()) && self.head.status() != 101 {
                self.base = start;
                self.start = None;
                continue;
            }
            return self.read_body(data.get(start..).unwrap_or_default(), last);
        }
    }

    fn parse_head(&mut self, data: &[u8]) -> Result<Option<usize>, ()> {
        let mut lines = Lines { data, at: self.base };
        // Wrong from the first byte is known without waiting for a line.
        let magic = b"HTTP/";
        if data.iter().skip(self.base).zip(magic).any(|(a, b)| a != b) {
            return Err(());
        }
        let Some(line) = lines.next() else { return Ok(None) };
        let mut head = status_line(line).ok_or(())?;
        loop {
            let Some(line) = lines.next() else { return Ok(None) };
            if line.is_empty() {
                break;
            }
            let colon = memchr::memchr(b':', line).ok_or(())?;
            let (name, value) = (&line[..colon], hawser_http::list::trim(&line[colon + 1..]));
            if !hawser_http::chars::is_name(name) {
                return Err(());
            }
            head.add(name, value);
        }
        self.framing = framing(&head, self.bodyless)?;
        self.head = head;
        self.start = Some(lines.at);
        Ok(self.start)
    }

    fn read_body(&mut self, data: &[u8], last: bool) -> Progress {
        let complete = match self.framing {
            Framing::None | Framing::Given => true,
            Framing::Length(n) => {
                self.body = data[..data.len().min(n)].to_vec();
                data.len() >= n
            }
            Framing::UntilClose => {
                self.body = data.to_vec();
                false
            }
            Framing::Chunked => match unchunk(data) {
                Some((body, complete)) => {
                    self.body = body;
                    complete
                }
                None => return Progress::Invalid,
            },
        };
        if complete || last { Progress::Complete } else { Progress::Head }
    }
}

struct Lines<'a> {
    data: &'a [u8],
    at: usize,
}

impl<'a> Lines<'a> {
    /// The next complete line, without its end.
    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.data.get(self.at..)?;
        let end = memchr::memchr(b'\n', rest)?;
        self.at += end + 1;
        let line = &rest[..end];
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

fn status_line(line: &[u8]) -> Option<Head> {
    let rest = line.strip_prefix(b"HTTP/")?;
    let (version, rest) = rest.split_at_checked(3)?;
    let (major, minor) = (version[0], version[2]);
    if !major.is_ascii_digit() || version[1] != b'.' || !minor.is_ascii_digit() {
        return None;
    }
    let rest = rest.strip_prefix(b" ")?;
    let (code, reason) = rest.split_at_checked(3)?;
    if !code.iter().all(u8::is_ascii_digit) || !(reason.is_empty() || reason[0] == b' ') {
        return None;
    }
    let code = code.iter().fold(0, |n, d| n * 10 + u16::from(d - b'0'));
    if code < 100 {
        return None;
    }
    let version = if version == b"1.1" { Version::H11 } else { Version::H10 };
    Some(Head::response(version, code, reason.get(1..).unwrap_or_default()))
}

fn framing(head: &Head, bodyless: bool) -> Result<Framing, ()> {
    let status = head.status();
    if bodyless || status < 200 || status == 204 || status == 304 {
        return Ok(Framing::None);
    }
    let mut lengths = head.values(b"content-length");
    if head.list_values(b"transfer-encoding").any(|v| v.eq_ignore_ascii_case(b"chunked")) {
        return Ok(Framing::Chunked);
    }
    let Some(first) = lengths.next() else { return Ok(Framing::UntilClose) };
    if lengths.any(|l| l != first) {
        return Err(());
    }
    let digits = std::str::from_utf8(first).ok().filter(|d| d.bytes().all(|b| b.is_ascii_digit()));
    let n = digits.and_then(|d| d.parse::<u64>().ok()).ok_or(())?;
    Ok(Framing::Length(usize::try_from(n).unwrap_or(usize::MAX)))
}

/// The data of the chunks so far, and whether the last one was there; `None` for wrong framing.
fn unchunk(data: &[u8]) -> Option<(Vec<u8>, bool)> {
    let mut lines = Lines { data, at: 0 };
    let mut body = Vec::new();
    loop {
        let Some(line) = lines.next() else { return Some((body, false)) };
        let digits = line.split(|b| matches!(b, b';' | b' ' | b'\t')).next().unwrap_or_default();
        let size = std::str::from_utf8(digits).ok().filter(|d| !d.is_empty() && !d.starts_with('+'))?;
        let size = usize::from_str_radix(size, 16).ok()?;
        if size == 0 {
            return Some((body, true));
        }
        let rest = data.get(lines.at..).unwrap_or_default();
        body.extend_from_slice(&rest[..rest.len().min(size)]);
        if rest.len() < size.saturating_add(2) {
            return Some((body, false));
        }
        if &rest[size..size + 2] != b"\r\n" {
            return None;
        }
        lines.at += size + 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Progress::{Complete, Invalid, Partial};

    #[test]
    fn responses() {
        // (bytes, stream ended, progress, status, body)
        let cases: &[(&str, bool, Progress, u16, &str)] = &[
            ("", false, Partial, 0, ""),
            ("HTTP/1.1 200 OK\r\ncontent-le", false, Partial, 0, ""),
            ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", false, Complete, 200, "hello"),
            ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel", false, Progress::Head, 200, "hel"),
            ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel", true, Complete, 200, "hel"),
            ("HTTP/1.0 200 OK\n\nhello", false, Progress::Head, 200, "hello"),
            ("HTTP/1.0 200 OK\r\n\r\nhello", true, Complete, 200, "hello"),
            ("HTTP/1.1 204 No Content\r\n\r\n", false, Complete, 204, ""),
            ("HTTP/1.1 503\r\n\r\n", true, Complete, 503, ""),
            ("HTTP/0.9 200 OK\r\n\r\n", true, Complete, 200, ""),
            (
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
                false,
                Complete,
                404,
                "",
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
                false,
                Complete,
                200,
                "hello world",
            ),
            ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhelloXX", false, Invalid, 200, ""),
            ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-5\r\n", false, Invalid, 200, ""),
            (
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\nx",
                false,
                Progress::Head,
                200,
                "x",
            ),
            ("hello world\r\n\r\n", false, Invalid, 0, ""),
            ("HTTX", false, Invalid, 0, ""),
            ("HTTP/1.1 20 OK\r\n\r\n", false, Invalid, 0, ""),
            ("HTTP/1.1 2000 OK\r\n\r\n", false, Invalid, 0, ""),
            ("HTTP/1.1 099 OK\r\n\r\n", false, Invalid, 0, ""),
            ("HTTP/1.1 200 OK\r\nbad header\r\n\r\n", false, Invalid, 0, ""),
            ("HTTP/1.1 200 OK\r\nbad name: x\r\n\r\n", false, Invalid, 0, ""),
            ("HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", false, Invalid, 0, ""),
            ("HTTP/1.1 200 OK\r\ncontent-length: +1\r\n\r\n", false, Invalid, 0, ""),
        ];
        for (bytes, ended, progress, status, body) in cases {
            let mut r = Response::new(false);
            assert_eq!(r.feed(bytes.as_bytes(), *ended), *progress, "{bytes:?}");
            assert_eq!((r.head().status(), r.body()), (*status, body.as_bytes()), "{bytes:?}");
        }
    }

    #[test]
    fn every_cut_ends_alike() {
        let whole = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nx: y\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        for cut in 0..whole.len() {
            let mut r = Response::new(false);
            assert_ne!(r.feed(&whole[..cut], false), Invalid, "{cut}");
            assert_eq!(r.feed(whole, false), Complete);
            assert_eq!(r.body(), b"abc");
        }
    }

    #[test]
    fn answers_to_head_have_no_body() {
        let mut r = Response::new(true);
        assert_eq!(r.feed(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", false), Complete);
    }
}
