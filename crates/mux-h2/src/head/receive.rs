//! What arrives: `h2`'s messages as heads.
//!
//! `h2` has checked the pseudo-header fields, the case of names, and that no field of an HTTP/1 connection is
//! there (RFC 9113 section 8.2 and 8.3). What is left are the rules of a proxy that speaks HTTP/1 elsewhere.

use crate::conf::Side;
use h2::ext::Protocol;
use hawser_http::{BodyLen, Head, Start, Version};
use hawser_proto::mux::MessageInfo;
use http::header::{CONTENT_LENGTH, COOKIE, EXPECT, HOST, TE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

/// How large a head may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) fields: usize,
    pub(crate) bytes: usize,
}

impl Limits {
    pub(crate) fn of(side: &Side) -> Self {
        Self { fields: side.max_fields, bytes: side.max_bytes }
    }

    fn check(self, head: &Head) -> Result<(), &'static str> {
        match () {
            () if head.fields.len() >= self.fields => Err("too many fields"),
            () if head.wire_len() > self.bytes => Err("head too large"),
            () => Ok(()),
        }
    }
}

/// Turns a request into its head. `ended` tells that no body follows.
///
/// The target becomes what HAProxy makes of the pseudo-header fields: `scheme://authority/path`, which is sent
/// to HTTP/1 servers in origin form ([`Head::normalized`]). `:authority` takes the place of any Host field.
/// Extended CONNECT (RFC 8441) becomes the upgrade request that it stands for.
///
/// # Errors
/// Why the request is malformed. What is only out of place is left to the session ([`misplaced`]).
pub(crate) fn request(
    parts: &http::request::Parts,
    ended: bool,
    side: &Side,
    head: &mut Head,
) -> Result<MessageInfo, &'static str> {
    head.clear();
    let protocol = parts.extensions.get::<Protocol>().map(|p| p.as_str().as_bytes());
    start(parts, protocol.is_some(), head)?;
    let authority = parts.uri.authority().is_some();
    for (name, value) in &parts.headers {
        match *name {
            HOST if authority => {}
            COOKIE | CONTENT_LENGTH => {}
            _ => add(head, name, value),
        }
    }
    let mut info = MessageInfo { keep_alive: true, ..MessageInfo::default() };
    let length = content_length(&parts.headers)?;
    if parts.method == Method::CONNECT {
        info.body = if protocol.is_some() { BodyLen::None } else { BodyLen::Tunnel };
    } else {
        info.body = body(length, ended);
        if let Some(n) = length {
            head.add(b"content-length", decimal(n).as_bytes());
        }
    }
    if let Some(p) = protocol {
        upgrade(p, &mut info, head)?;
    }
    cookies(&parts.headers, head);
    head.normalize_host(side.relaxed).map_err(|_| "bad host")?;
    info.expect_continue =
        parts.headers.get(EXPECT).is_some_and(|v| v.as_bytes().eq_ignore_ascii_case(b"100-continue"));
    Limits::of(side).check(head)?;
    Ok(info)
}

/// Whether a request, fine as HTTP/2 goes, deserves no more than an error: `PRI` is no method, but the start of
/// the preface, which must not reach an HTTP/1 server.
pub(crate) fn misplaced(head: &Head) -> bool {
    head.method() == b"PRI"
}

/// The start line.
fn start(parts: &http::request::Parts, extended: bool, head: &mut Head) -> Result<(), &'static str> {
    let uri = &parts.uri;
    let method = if extended { &b"GET"[..] } else { parts.method.as_str().as_bytes() };
    let method = head.append(method);
    let from = head.buf.len();
    let path = uri.path_and_query().map_or(&b""[..], |p| p.as_str().as_bytes());
    let asterisk = path == b"*";
    if !path.is_empty() && !asterisk && path.first() != Some(&b'/') {
        return Err("bad path");
    }
    if let (Some(s), Some(_)) = (uri.scheme_str(), uri.authority()) {
        head.append(s.as_bytes());
        head.append(b"://");
        head.normalized = matches!(s, "http" | "https");
    }
    if let Some(a) = uri.authority() {
        if a.as_str().bytes().any(|b| matches!(b, b'@' | b'/' | b'?' | b'#' | b',' | b'\\')) {
            return Err("bad authority");
        }
        head.append(a.as_str().as_bytes());
    }
    if !asterisk || uri.authority().is_none() {
        head.append(path);
    }
    let len = head.buf.len() - from;
    if len == 0 {
        return Err("no target");
    }
    // Lists of fields are bounded far below 4 GiB.
    let target = hawser_http::Span { off: from as u32, len: len as u32 };
    head.start = Start::Request { method, target, version: Version::H2 };
    Ok(())
}

fn upgrade(protocol: &[u8], info: &mut MessageInfo, head: &mut Head) -> Result<(), &'static str> {
    if protocol.eq_ignore_ascii_case(b"h2c") || protocol.eq_ignore_ascii_case(b"h2") {
        return Err("bad protocol");
    }
    head.add(b"upgrade", protocol);
    head.add(b"connection", b"upgrade");
    info.upgrade = true;
    info.websocket = protocol.eq_ignore_ascii_case(b"websocket");
    Ok(())
}

/// Turns a response into its head. `bodyless` tells that the request was HEAD, `ended` that no body follows.
///
/// # Errors
/// Why it is malformed.
pub(crate) fn response(
    status: StatusCode,
    fields: &HeaderMap,
    ended: bool,
    limits: Limits,
    head: &mut Head,
) -> Result<BodyLen, &'static str> {
    head.clear();
    let reason = head.append(hawser_http::status::reason(status.as_u16()).as_bytes());
    head.start = Start::Response { version: Version::H2, status: status.as_u16(), reason };
    for (name, value) in fields.iter().filter(|(n, _)| **n != CONTENT_LENGTH) {
        add(head, name, value);
    }
    let length = content_length(fields)?;
    if let Some(n) = length {
        head.add(b"content-length", decimal(n).as_bytes());
    }
    limits.check(head)?;
    Ok(body(length, ended))
}

/// Turns a trailer section into its head. Fields that frame a message have no meaning there and are dropped.
pub(crate) fn trailers(fields: &HeaderMap, limits: Limits) -> Result<Box<Head>, &'static str> {
    let mut head = Box::<Head>::default();
    for (name, value) in fields.iter().filter(|(n, _)| **n != CONTENT_LENGTH && **n != HOST && **n != TE) {
        add(&mut head, name, value);
    }
    limits.check(&head)?;
    Ok(head)
}

/// A length of zero whose end has not come yet stays one: only a body that turns out to be empty makes that message
/// whole.
fn body(length: Option<u64>, ended: bool) -> BodyLen {
    match length {
        _ if ended => BodyLen::None,
        Some(n) => BodyLen::Length(n),
        None => BodyLen::Chunked,
    }
}

/// The one length that all Content-Length fields agree on.
fn content_length(fields: &HeaderMap) -> Result<Option<u64>, &'static str> {
    let mut length = None;
    for v in fields.get_all(CONTENT_LENGTH) {
        let text = v.to_str().unwrap_or_default();
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let n = text.parse::<u64>().ok().filter(|n| digits && i64::try_from(*n).is_ok());
        if n.is_none() || (length.is_some() && length != n) {
            return Err("bad content-length");
        }
        length = n;
    }
    Ok(length)
}

/// All cookies in one field, as HTTP/1 has them (RFC 9113 section 8.2.3).
fn cookies(fields: &HeaderMap, head: &mut Head) {
    let mut all = fields.get_all(COOKIE).iter();
    let Some(first) = all.next() else { return };
    let from = head.buf.len();
    head.append(trim(first.as_bytes()));
    for v in all {
        head.append(b"; ");
        head.append(trim(v.as_bytes()));
    }
    let value = hawser_http::Span { off: from as u32, len: (head.buf.len() - from) as u32 };
    let name = head.append(b"cookie");
    head.fields.push(hawser_http::Field { name, value, known: hawser_http::KnownName::Cookie });
}

fn add(head: &mut Head, name: &HeaderName, value: &HeaderValue) {
    head.add(name.as_str().as_bytes(), trim(value.as_bytes()));
}

fn trim(v: &[u8]) -> &[u8] {
    v.trim_ascii()
}

fn decimal(n: u64) -> String {
    n.to_string()
}
