//! Writing of request and response heads.
//!
//! The head decides about everything but framing and connection: those follow from the body that is going to
//! be sent and from what the caller wants, whatever rules left in the fields. Names keep the case of arrival;
//! what is added is in lower case. Stretches of the received head that nobody touched are copied in one piece.

use super::CaseMap;
use super::digits::Digits;
use hawser_http::list::{has_token, values};
use hawser_http::status::reason;
use hawser_http::{BodyLen, Field, Head, KnownName, Start, Version};

/// What to say in the Connection field.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ConnField {
    /// The connection is kept: said only in an HTTP/1.0 head, which would mean the contrary.
    #[default]
    Silent,
    /// The connection ends: `connection: close`, unless an HTTP/1.0 head means that already.
    Close,
    /// The connection is kept, and an HTTP/1.0 peer must be told: `connection: keep-alive`.
    KeepAlive,
}

/// How a head is written.
#[derive(Clone, Copy, Debug, Default)]
pub struct WriteOpts<'a> {
    /// What to say about the connection (an upgrade is kept whatever it says).
    pub conn: ConnField,
    /// Case adjustment, when its option is set for that side.
    pub case: Option<&'a CaseMap>,
}

/// How the body that follows a written head must be encoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    /// Nothing follows.
    Empty,
    /// Exactly that many bytes, as they are.
    Length(u64),
    /// Chunks.
    Chunked,
    /// Bytes as they are; the end is the end of the connection.
    UntilClose,
    /// Bytes as they are, both ways.
    Tunnel,
}

/// Appends a request head. `body` is what will follow; framing fields of `head` are corrected to agree with it.
pub fn write_request(head: &Head, body: BodyLen, opts: &WriteOpts<'_>, out: &mut Vec<u8>) -> Encoding {
    let encoding = match body {
        BodyLen::None => Encoding::Empty,
        BodyLen::Length(n) => Encoding::Length(n),
        // A request cannot end with the connection, and HTTP/1.0 has no chunks.
        BodyLen::Chunked | BodyLen::UntilClose => Encoding::Chunked,
        BodyLen::Tunnel => Encoding::Tunnel,
    };
    let version = version(head, encoding);
    out.reserve(head.buf.len() + MARGIN);
    out.extend_from_slice(head.method());
    out.push(b' ');
    out.extend_from_slice(if head.normalized { head.origin_target() } else { head.target() });
    out.push(b' ');
    protocol(head, version, out);
    out.extend_from_slice(b"\r\n");
    let framing = match encoding {
        Encoding::Empty => Framing::Absent { length: Length::IfZero },
        Encoding::Length(n) => Framing::Length(n),
        Encoding::Chunked => Framing::Chunked,
        Encoding::UntilClose | Encoding::Tunnel => Framing::Absent { length: Length::Drop },
    };
    fields(head, version, framing, Some(opts.conn), opts.case, out);
    encoding
}

/// Appends a response head; one without reason phrase gets the usual one. `asked_head` tells that the request was HEAD, `h10` that the client speaks HTTP/1.0
/// and so understands no chunks.
pub fn write_response(
    head: &Head,
    body: BodyLen,
    asked_head: bool,
    h10: bool,
    opts: &WriteOpts<'_>,
    out: &mut Vec<u8>,
) -> Encoding {
    let status = head.status();
    let bodyless = matches!(status, 100..=199 | 204 | 304) || asked_head;
    let encoding = match body {
        BodyLen::Tunnel => Encoding::Tunnel,
        _ if bodyless => Encoding::Empty,
        BodyLen::None => Encoding::Empty,
        BodyLen::Length(n) => Encoding::Length(n),
        BodyLen::Chunked if !h10 => Encoding::Chunked,
        BodyLen::Chunked | BodyLen::UntilClose => Encoding::UntilClose,
    };
    // What a HEAD or 304 response announces is what the GET would have had.
    let framing = match (status, body) {
        (100..=199 | 204, _) | (_, BodyLen::Tunnel) => Framing::Absent { length: Length::Drop },
        (_, BodyLen::Length(n)) => Framing::Length(n),
        (_, BodyLen::Chunked) if !h10 => Framing::Chunked,
        _ if bodyless => Framing::Announced,
        (_, BodyLen::None) => Framing::Length(0),
        _ => Framing::Absent { length: Length::Drop },
    };
    let version = version(head, encoding);
    out.reserve(head.buf.len() + MARGIN);
    protocol(head, version, out);
    out.push(b' ');
    decimal(u64::from(status), out);
    out.push(b' ');
    let phrase = head.reason();
    out.extend_from_slice(if phrase.is_empty() { reason(status).as_bytes() } else { phrase });
    out.extend_from_slice(b"\r\n");
    let conn = match encoding {
        Encoding::UntilClose => Some(ConnField::Close),
        Encoding::Tunnel => None,
        _ if status < 200 => None,
        _ => Some(opts.conn),
    };
    fields(head, version, framing, conn, opts.case, out);
    encoding
}

/// Room for what a head gets beyond the bytes in its buffer.
const MARGIN: usize = 64;

/// The version to announce: the one received as far as HTTP/1 goes, but chunks need 1.1.
fn version(head: &Head, encoding: Encoding) -> Version {
    match head.version() {
        Version::H10 if encoding != Encoding::Chunked => Version::H10,
        _ => Version::H11,
    }
}

/// What is written for it.
fn protocol(head: &Head, version: Version, out: &mut Vec<u8>) {
    out.extend_from_slice(match version {
        Version::H10 if head.protocol.len != 0 => head.get(head.protocol),
        Version::H10 => b"HTTP/1.0",
        _ => b"HTTP/1.1",
    });
}

/// Names to write in another case.
type Case<'a> = Option<&'a CaseMap>;

/// What to write instead of the head's framing fields.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Framing {
    /// `content-length: n`.
    Length(u64),
    /// `transfer-encoding: chunked`.
    Chunked,
    /// None.
    Absent { length: Length },
    /// The head's own ones, as they were checked on arrival: nothing follows anyway.
    Announced,
}

/// What becomes of a Content-Length when there is no body.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Length {
    Drop,
    /// It stays if it is 0: some servers want one with every POST.
    IfZero,
}

/// Writes all fields and the empty line. Without `conn`, nothing is added about the connection.
fn fields(
    head: &Head,
    version: Version,
    framing: Framing,
    conn: Option<ConnField>,
    case: Case<'_>,
    out: &mut Vec<u8>,
) {
    let close = conn == Some(ConnField::Close);
    let mut w = Fields { head, case, framing, framed: false, close, upgrade: false, run: 0..0 };
    for f in head.fields.iter().filter(|f| f.name.len != 0) {
        match f.known {
            KnownName::ContentLength | KnownName::TransferEncoding => w.framing(f, out),
            KnownName::Connection => w.connection(f, out),
            _ => w.plain(f, out),
        }
    }
    w.flush(out);
    if !w.framed {
        match framing {
            Framing::Length(n) => length(b"content-length", n, case, out),
            Framing::Chunked => named(b"transfer-encoding", b"chunked", case, out),
            Framing::Absent { .. } | Framing::Announced => {}
        }
    }
    // A server that would close cannot upgrade.
    let upgrading = w.upgrade && matches!(head.start, Start::Request { .. });
    match (w.close, version) {
        _ if conn.is_none() || upgrading => {}
        (true, Version::H10) => {}
        (true, _) => named(b"connection", b"close", case, out),
        (false, Version::H10) => named(b"connection", b"keep-alive", case, out),
        (false, _) if conn == Some(ConnField::KeepAlive) => named(b"connection", b"keep-alive", case, out),
        (false, _) => {}
    }
    out.extend_from_slice(b"\r\n");
}

struct Fields<'a> {
    head: &'a Head,
    case: Case<'a>,
    framing: Framing,
    /// The framing field is written.
    framed: bool,
    /// `close` is wanted, by the caller or by a rule.
    close: bool,
    /// The head asks for an upgrade, or grants it.
    upgrade: bool,
    /// Bytes of the head's buffer that are to be written as they are.
    run: std::ops::Range<usize>,
}

impl Fields<'_> {
    /// A field without a meaning here. If its line is in the buffer as it has to be written, it is only noted.
    fn plain(&mut self, f: &Field, out: &mut Vec<u8>) {
        let name_end = (f.name.off + f.name.len) as usize;
        let end = (f.value.off + f.value.len) as usize;
        let buf = &self.head.buf;
        let whole = f.value.off as usize == name_end + 2
            && buf.get(name_end..name_end + 2) == Some(b": ")
            && buf.get(end..end + 2) == Some(b"\r\n")
            && self.case.is_none();
        if !whole {
            self.flush(out);
            named(self.head.get(f.name), self.head.get(f.value), self.case, out);
        } else if self.run.end == f.name.off as usize {
            self.run.end = end + 2;
        } else {
            self.flush(out);
            self.run = f.name.off as usize..end + 2;
        }
    }

    fn flush(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.head.buf.get(self.run.clone()).unwrap_or_default());
        self.run = 0..0;
    }

    /// A framing field: the right one is written in its place, any other is dropped.
    fn framing(&mut self, f: &Field, out: &mut Vec<u8>) {
        let (name, value) = (self.head.get(f.name), self.head.get(f.value));
        let is_length = f.known == KnownName::ContentLength;
        if self.framed {
            return;
        }
        match self.framing {
            Framing::Length(n) if is_length => {
                self.framed = true;
                if value == Digits::of(n).as_bytes() {
                    return self.plain(f, out);
                }
                self.flush(out);
                length(name, n, self.case, out);
            }
            Framing::Chunked if !is_length => {
                self.framed = true;
                self.flush(out);
                named(name, b"chunked", self.case, out);
            }
            Framing::Absent { length: Length::IfZero } if is_length && value == b"0" => {
                self.framed = true;
                self.plain(f, out);
            }
            Framing::Announced => self.plain(f, out),
            _ => {}
        }
    }

    /// A Connection field: `close` and `keep-alive` are taken out, as the caller decides about them.
    fn connection(&mut self, f: &Field, out: &mut Vec<u8>) {
        let list = self.head.get(f.value);
        self.upgrade |= has_token(list, b"upgrade");
        let own = |v: &[u8]| v.eq_ignore_ascii_case(b"close") || v.eq_ignore_ascii_case(b"keep-alive");
        if !values(list).any(own) {
            return self.plain(f, out);
        }
        self.close |= has_token(list, b"close");
        self.flush(out);
        let mut sep: &[u8] = b"";
        for v in values(list).filter(|v| !own(v) && !v.is_empty()) {
            if sep.is_empty() {
                name(self.head.get(f.name), self.case, out);
            }
            out.extend_from_slice(sep);
            out.extend_from_slice(v);
            sep = b", ";
        }
        if !sep.is_empty() {
            out.extend_from_slice(b"\r\n");
        }
    }
}

fn name(name: &[u8], case: Case<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(case.map_or(name, |c| c.adjust(name)));
    out.extend_from_slice(b": ");
}

/// Writes a field in the case asked for.
fn named(field: &[u8], value: &[u8], case: Case<'_>, out: &mut Vec<u8>) {
    name(field, case, out);
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

fn length(field: &[u8], n: u64, case: Case<'_>, out: &mut Vec<u8>) {
    name(field, case, out);
    decimal(n, out);
    out.extend_from_slice(b"\r\n");
}

/// Writes a field as it is.
pub(super) fn field(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    named(name, value, None, out);
}

fn decimal(n: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(Digits::of(n).as_bytes());
}

#[cfg(test)]
mod tests;
