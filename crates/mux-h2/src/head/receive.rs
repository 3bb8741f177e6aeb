//! What arrives: `h2`'s messages as heads.
//!
//! `h2` has checked the pseudo-header fields, the case of names, and that no field of an HTTP/1 connection is
//! there (RFC 9113 section 8.2 and 8.3). What is left are the rules of a proxy that speaks HTTP/1 elsewhere.

use crate::conf::Side;
use h2::ext::Protocol;
use hawser_http::chars::is_host;
use hawser_http::uri::default_port;
use hawser_http::{BodyLen, Field, Head, KnownName, Span, Start, Version};
use hawser_proto::mux::MessageInfo;
use http::header::{CONTENT_LENGTH, COOKIE, HOST, TE};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri};

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
pub(crate) fn request<B>(
    request: &Request<B>,
    ended: bool,
    side: &Side,
    head: &mut Head,
) -> Result<MessageInfo, &'static str> {
    head.clear();
    let parts = Parts { method: request.method(), uri: request.uri(), fields: request.headers() };
    let protocol = request.extensions().get::<Protocol>().map(|p| p.as_str().as_bytes());
    let authority = start(&parts, protocol.is_some(), head)?;
    let hosted = authority.is_some_and(|a| plain_host(head, a, parts.uri));
    let mut info = MessageInfo { keep_alive: true, ..MessageInfo::default() };
    let (mut length, mut cookie) = (None, false);
    for (name, value) in parts.fields {
        let name = name.as_str().as_bytes();
        let known = KnownName::of(name);
        let text = trim(value.as_bytes());
        match known {
            KnownName::Host if authority.is_some() => continue,
            KnownName::Cookie => {
                cookie = true;
                continue;
            }
            KnownName::ContentLength => {
                length = Some(agreed(length, value)?);
                continue;
            }
            KnownName::Expect => info.expect_continue |= text.eq_ignore_ascii_case(b"100-continue"),
            _ => {}
        }
        head.push(known, name, text);
    }
    if *parts.method == Method::CONNECT {
        // What follows belongs to the tunnel, if there will be one.
        info.body = BodyLen::None;
    } else {
        info.body = body(length, ended);
        if let Some(n) = length {
            add_length(head, n);
        }
    }
    if let Some(p) = protocol {
        upgrade(p, &mut info, head)?;
    }
    if cookie {
        cookies(parts.fields, head);
    }
    if !hosted {
        head.normalize_host(side.relaxed).map_err(|_| "bad host")?;
    }
    Limits::of(side).check(head)?;
    Ok(info)
}

/// What a head is made of.
struct Parts<'a> {
    method: &'a Method,
    uri: &'a Uri,
    fields: &'a HeaderMap,
}

/// Adds the Host field that an authority stands for, if there is nothing about it to be normalised: a name, and at
/// most a port other than the scheme's own. All others are for [`Head::normalize_host`].
fn plain_host(head: &mut Head, authority: Span, uri: &Uri) -> bool {
    let text = head.get(authority);
    let name = text.iter().position(|&b| !is_host(b)).unwrap_or(text.len());
    let plain_port = match text.get(name..) {
        Some([]) => true,
        Some([b':', port @ ..]) if port.len() <= 5 && port.iter().all(u8::is_ascii_digit) => {
            let own = default_port(uri.scheme_str().unwrap_or_default().as_bytes());
            let port = port.iter().fold(0, |n, b| n * 10 + u32::from(b - b'0'));
            port > 0 && own.is_some_and(|own| u32::from(own) != port)
        }
        _ => false,
    };
    let plain = head.normalized && name > 0 && plain_port && uri.path_and_query().is_some_and(is_absolute);
    if plain {
        let name = head.append(b"host");
        head.fields.push(Field { name, value: authority, known: KnownName::Host });
    }
    plain
}

fn is_absolute(path: &PathAndQuery) -> bool {
    path.as_str().starts_with('/')
}

/// Whether a request, fine as HTTP/2 goes, deserves no more than an error: `PRI` is no method, but the start of
/// the preface, which must not reach an HTTP/1 server.
pub(crate) fn misplaced(head: &Head) -> bool {
    head.method() == b"PRI"
}

/// The start line; where the authority is, if there is one.
fn start(parts: &Parts<'_>, extended: bool, head: &mut Head) -> Result<Option<Span>, &'static str> {
    let uri = parts.uri;
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
    let mut authority = None;
    if let Some(a) = uri.authority() {
        if a.as_str().bytes().any(|b| matches!(b, b'@' | b'/' | b'?' | b'#' | b',' | b'\\')) {
            return Err("bad authority");
        }
        authority = Some(head.append(a.as_str().as_bytes()));
    }
    if !asterisk || authority.is_none() {
        head.append(path);
    }
    let len = head.buf.len() - from;
    if len == 0 {
        return Err("no target");
    }
    // Lists of fields are bounded far below 4 GiB.
    let target = Span { off: from as u32, len: len as u32 };
    head.start = Start::Request { method, target, version: Version::H2 };
    Ok(authority)
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
    let mut length = None;
    for (name, value) in fields {
        let name = name.as_str().as_bytes();
        match KnownName::of(name) {
            KnownName::ContentLength => length = Some(agreed(length, value)?),
            known => head.push(known, name, trim(value.as_bytes())),
        }
    }
    if let Some(n) = length {
        add_length(head, n);
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

/// The length that a Content-Length field tells, which is that of others before it.
fn agreed(others: Option<u64>, field: &HeaderValue) -> Result<u64, &'static str> {
    let text = field.to_str().unwrap_or_default();
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let n = text.parse::<u64>().ok().filter(|n| digits && i64::try_from(*n).is_ok());
    n.filter(|n| others.is_none_or(|o| o == *n)).ok_or("bad content-length")
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
    let value = Span { off: from as u32, len: (head.buf.len() - from) as u32 };
    let name = head.append(b"cookie");
    head.fields.push(Field { name, value, known: KnownName::Cookie });
}

fn add(head: &mut Head, name: &HeaderName, value: &HeaderValue) {
    let name = name.as_str().as_bytes();
    head.push(KnownName::of(name), name, trim(value.as_bytes()));
}

fn trim(v: &[u8]) -> &[u8] {
    v.trim_ascii()
}

/// Appends a Content-Length field.
fn add_length(head: &mut Head, mut n: u64) {
    let mut digits = [b'0'; 20];
    let mut from = digits.len();
    for (i, d) in digits.iter_mut().enumerate().rev() {
        // A digit of base ten.
        *d += (n % 10) as u8;
        n /= 10;
        from = i;
        if n == 0 {
            break;
        }
    }
    head.push(KnownName::ContentLength, b"content-length", digits.get(from..).unwrap_or_default());
}
