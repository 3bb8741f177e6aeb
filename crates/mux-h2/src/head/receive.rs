//! What arrives: fields ([`crate::carry`]) as heads. That they keep the rules of HTTP/2 was
//! seen before ([`crate::rules`]).

use crate::carry::{Carried, Fields, digits_of};
use crate::conf::Side;
use crate::rules::agreed;
use hawser_http::{BodyLen, Field, Head, KnownName, Span, Start, Version};
use hawser_proto::mux::MessageInfo;
use http::StatusCode;

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

/// Turns a request into its head; also told is whether it is an extended CONNECT (RFC 8441), which becomes the
/// upgrade request that it stands for. `ended` tells that no body follows.
///
/// The target becomes what HAProxy makes of the pseudo-header fields: `scheme://authority/path`, which is sent
/// to HTTP/1 servers in origin form ([`Head::normalized`]). `:authority` takes the place of any Host field.
///
/// # Errors
/// Why the request is malformed. What is only out of place is left to the session ([`misplaced`]).
pub(crate) fn request(
    fields: Fields<'_>,
    ended: bool,
    side: &Side,
    head: &mut Head,
) -> Result<(MessageInfo, bool), &'static str> {
    head.clear();
    let mut rest = fields.clone().peekable();
    let mut pseudo = Pseudo::default();
    while let Some(f) = rest.next_if(|f| f.name.first() == Some(&b':')) {
        pseudo.take(f);
    }
    let hosted = start(&pseudo, head)?;
    let mut info = MessageInfo { keep_alive: true, ..MessageInfo::default() };
    let (mut length, mut cookie) = (None, false);
    for Carried { known, name, value } in rest {
        match known {
            KnownName::Host if hosted => continue,
            KnownName::Cookie => {
                cookie = true;
                continue;
            }
            KnownName::ContentLength => {
                length = agreed(length, value);
                continue;
            }
            KnownName::Expect => info.expect_continue |= value.eq_ignore_ascii_case(b"100-continue"),
            _ => {}
        }
        head.push(known, name, value);
    }
    match pseudo.protocol {
        Some(p) => {
            info.body = BodyLen::None;
            upgrade(p, &mut info, head);
        }
        // What follows belongs to the tunnel, if there will be one.
        None if pseudo.method == b"CONNECT" => info.body = BodyLen::None,
        None => {
            info.body = body(length, ended);
            if let Some(n) = length {
                add_length(head, n);
            }
        }
    }
    if cookie {
        cookies(fields, head);
    }
    if !hosted {
        head.normalize_host(side.relaxed).map_err(|_| "bad host")?;
    }
    Limits::of(side).check(head)?;
    Ok((info, pseudo.protocol.is_some()))
}

/// The pseudo-header fields of a request.
#[derive(Default)]
struct Pseudo<'a> {
    method: &'a [u8],
    scheme: &'a [u8],
    path: &'a [u8],
    authority: Option<&'a [u8]>,
    protocol: Option<&'a [u8]>,
}

impl<'a> Pseudo<'a> {
    fn take(&mut self, f: Carried<'a>) {
        match f.name {
            b":method" => self.method = f.value,
            b":scheme" => self.scheme = f.value,
            b":path" => self.path = f.value,
            b":authority" => self.authority = Some(f.value),
            _ => self.protocol = Some(f.value),
        }
    }

    /// The authority without a port that the scheme implies.
    fn host(&self) -> Option<&'a [u8]> {
        let authority = self.authority?;
        let Some(at) = authority.iter().rposition(|b| *b == b':') else { return Some(authority) };
        let (host, port) = authority.split_at(at);
        let implied = match port {
            b":" => true,
            b":80" => self.scheme.eq_ignore_ascii_case(b"http"),
            b":443" => self.scheme.eq_ignore_ascii_case(b"https"),
            _ => false,
        };
        Some(if implied { host } else { authority })
    }
}

/// Whether a request, fine as HTTP/2 goes, deserves no more than an error: `PRI` is no method, but the start of
/// the preface, which must not reach an HTTP/1 server.
pub(crate) fn misplaced(head: &Head) -> bool {
    head.method() == b"PRI"
}

/// The start line, and the Host field if there is an authority; whether there is.
fn start(pseudo: &Pseudo<'_>, head: &mut Head) -> Result<bool, &'static str> {
    let extended = pseudo.protocol.is_some();
    let connect = pseudo.method == b"CONNECT" && !extended;
    let method = head.append(if extended { b"GET" } else { pseudo.method });
    let from = head.buf.len();
    let asterisk = pseudo.path == b"*";
    let authority = if connect { pseudo.authority } else { pseudo.host() };
    if let Some(a) = authority {
        if !connect {
            head.append(pseudo.scheme);
            head.append(b"://");
            let scheme = pseudo.scheme;
            head.normalized = scheme.eq_ignore_ascii_case(b"http") || scheme.eq_ignore_ascii_case(b"https");
        }
        let value = head.append(a);
        match () {
            () if connect || (asterisk && pseudo.method == b"OPTIONS") => {}
            // Of any other method it is the root, as in HAProxy.
            () if asterisk => _ = head.append(b"/"),
            () => _ = head.append(pseudo.path),
        }
        let len = head.buf.len() - from;
        let name = head.append(b"host");
        head.fields.push(Field { name, value, known: KnownName::Host });
        return target(method, from, len, head).map(|()| true);
    }
    head.append(pseudo.path);
    let len = head.buf.len() - from;
    target(method, from, len, head).map(|()| false)
}

fn target(method: Span, from: usize, len: usize, head: &mut Head) -> Result<(), &'static str> {
    if len == 0 {
        return Err("no target");
    }
    // Lists of fields are bounded far below 4 GiB.
    let target = Span { off: from as u32, len: len as u32 };
    head.start = Start::Request { method, target, version: Version::H2 };
    Ok(())
}

fn upgrade(protocol: &[u8], info: &mut MessageInfo, head: &mut Head) {
    head.add(b"upgrade", protocol);
    head.add(b"connection", b"upgrade");
    info.upgrade = true;
    info.websocket = protocol.eq_ignore_ascii_case(b"websocket");
}

/// Turns a response into its head. `bodyless` tells that the request was HEAD, `ended` that no body follows.
///
/// # Errors
/// Why it is malformed.
pub(crate) fn response(
    status: StatusCode,
    fields: Fields<'_>,
    ended: bool,
    limits: Limits,
    head: &mut Head,
) -> Result<BodyLen, &'static str> {
    head.clear();
    let reason = head.append(hawser_http::status::reason(status.as_u16()).as_bytes());
    head.start = Start::Response { version: Version::H2, status: status.as_u16(), reason };
    let mut length = None;
    for Carried { known, name, value } in fields {
        match known {
            _ if name.first() == Some(&b':') => {}
            KnownName::ContentLength => length = agreed(length, value),
            _ => head.push(known, name, value),
        }
    }
    if let Some(n) = length {
        add_length(head, n);
    }
    limits.check(head)?;
    Ok(body(length, ended))
}

/// Turns a trailer section into its head.
pub(crate) fn trailers(fields: Fields<'_>, limits: Limits) -> Result<Box<Head>, &'static str> {
    let mut head = Box::<Head>::default();
    for f in fields {
        head.push(f.known, f.name, f.value);
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

/// All cookies in one field, as HTTP/1 has them (RFC 9113 section 8.2.3).
fn cookies(fields: Fields<'_>, head: &mut Head) {
    let from = head.buf.len();
    for f in fields.filter(|f| f.known == KnownName::Cookie) {
        if head.buf.len() > from {
            head.append(b"; ");
        }
        head.append(f.value);
    }
    let value = Span { off: from as u32, len: (head.buf.len() - from) as u32 };
    let name = head.append(b"cookie");
    head.fields.push(Field { name, value, known: KnownName::Cookie });
}

/// Appends a Content-Length field.
fn add_length(head: &mut Head, n: u64) {
    head.push(KnownName::ContentLength, b"content-length", digits_of(n, &mut [0; 20]));
}
