//! How the end of a body is known, and what the head says about its connection (RFC 9112 sections 6 and 9).

use super::digits::Digits;
use super::{Opts, ParseError, Reason};
use hawser_http::host::HostError;
use hawser_http::list::values;
use hawser_http::{BodyLen, Head, KnownName, Version};

/// What the request was, as far as its response's framing depends on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Asked {
    /// HEAD: the response has no body, whatever it announces.
    Head,
    /// CONNECT: a 2xx response starts a tunnel.
    Connect,
    /// A request with `Connection: upgrade`: a 101 response starts a tunnel.
    Upgrade,
    /// Anything else.
    #[default]
    Other,
}

/// What a parsed head says about its body and its connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Info {
    /// How the end of the body is known.
    pub body: BodyLen,
    /// `Connection: close` was present.
    pub close: bool,
    /// `Connection: keep-alive` was present.
    pub keep_alive: bool,
    /// An upgrade is asked for (request) or granted (101 response).
    pub upgrade: bool,
    /// The upgrade is to WebSocket.
    pub websocket: bool,
    /// `Expect: 100-continue` was present in an HTTP/1.1 request.
    pub expect_continue: bool,
    /// The framing is dangerous (Transfer-Encoding beside Content-Length, or in HTTP/1.0): the connection must be
    /// closed after the exchange, unless `h1-do-not-close-on-insecure-transfer-encoding` is set.
    pub insecure_framing: bool,
    /// Something was let pass only by `option accept-unsafe-violations-in-http-...`: worth a `show errors` capture.
    pub relaxed: bool,
}

impl Default for Info {
    fn default() -> Self {
        Self {
            body: BodyLen::None,
            close: false,
            keep_alive: false,
            upgrade: false,
            websocket: false,
            expect_continue: false,
            insecure_framing: false,
            relaxed: false,
        }
    }
}

/// Longest Content-Length: beyond, sums of lengths would wrap somewhere.
const MAX_LENGTH: u64 = i64::MAX as u64;

/// Length of a request's body, from its fields (RFC 9112 section 6.3).
///
/// [`parse_request`](super::parse_request) has done this already; this is for heads that came from elsewhere.
pub fn request_body_len(head: &Head) -> Result<BodyLen, ParseError> {
    if head.method() == b"CONNECT" {
        return Ok(BodyLen::None);
    }
    Ok(Fields::read(head, false)?.body().unwrap_or(BodyLen::None))
}

/// Length of a response's body, from its status, its fields and the request (RFC 9112 section 6.3).
pub fn response_body_len(asked: Asked, head: &Head) -> Result<BodyLen, ParseError> {
    let fields = Fields::read(head, false).map_err(|e| ParseError { status: 502, ..e })?;
    Ok(response_body(asked, head.status(), fields))
}

fn response_body(asked: Asked, status: u16, fields: Fields) -> BodyLen {
    match (status, asked) {
        (101, Asked::Upgrade) | (200..=299, Asked::Connect) => BodyLen::Tunnel,
        (100..=199 | 204 | 304, _) | (_, Asked::Head) => BodyLen::None,
        _ => fields.body().unwrap_or(BodyLen::UntilClose),
    }
}

/// What the framing fields say.
#[derive(Clone, Copy, Default)]
struct Fields {
    chunked: bool,
    length: Option<u64>,
}

impl Fields {
    fn read(head: &Head, relaxed: bool) -> Result<Self, ParseError> {
        Ok(Self { chunked: transfer_encoding(head, relaxed)?, length: content_length(head)? })
    }

    fn body(self) -> Option<BodyLen> {
        match (self.chunked, self.length) {
            (true, _) => Some(BodyLen::Chunked),
            (false, Some(0)) => Some(BodyLen::None),
            (false, Some(n)) => Some(BodyLen::Length(n)),
            (false, None) => None,
        }
    }
}

/// Is the body chunked? All fields count as one list whose last and only `chunked` ends the body. Other codings
/// could be forwarded but never seen through, and are refused like HAProxy does.
fn transfer_encoding(head: &Head, relaxed: bool) -> Result<bool, ParseError> {
    let (mut chunked, mut other, mut at) = (false, false, 0);
    for f in head.fields.iter().filter(|f| f.known == KnownName::TransferEncoding && f.name.len != 0) {
        at = f.value.off as usize;
        for coding in values(head.get(f.value)) {
            let bad = ParseError { relaxable: true, ..ParseError::new(at, Reason::BadTransferEncoding) };
            match coding {
                b"" if relaxed => {}
                b"" => return Err(bad),
                c if c.eq_ignore_ascii_case(b"chunked") => {
                    if chunked && !relaxed {
                        return Err(bad);
                    }
                    chunked = true;
                }
                _ if chunked => return Err(ParseError { relaxable: false, ..bad }),
                _ => other = true,
            }
        }
    }
    match (other, chunked) {
        (false, _) => Ok(chunked),
        // A coding below chunks is legal but not supported.
        (true, true) => Err(ParseError { status: 422, ..ParseError::new(at, Reason::BadTransferEncoding) }),
        (true, false) => Err(ParseError::new(at, Reason::BadTransferEncoding)),
    }
}

/// The one length that all Content-Length values agree on.
fn content_length(head: &Head) -> Result<Option<u64>, ParseError> {
    let mut found = None;
    for f in head.fields.iter().filter(|f| f.known == KnownName::ContentLength && f.name.len != 0) {
        for v in values(head.get(f.value)) {
            let n = number(v).filter(|n| found.is_none_or(|found| found == *n));
            found = Some(n.ok_or(ParseError::new(f.value.off as usize, Reason::BadContentLength))?);
        }
    }
    Ok(found)
}

/// Digits only, up to [`MAX_LENGTH`].
fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |n, b| {
        let d = b.is_ascii_digit().then(|| u64::from(b - b'0'))?;
        n.checked_mul(10)?.checked_add(d).filter(|n| *n <= MAX_LENGTH)
    })
}

const HOST: u64 = KnownName::Host.bit();
const FRAMING: u64 = KnownName::TransferEncoding.bit() | KnownName::ContentLength.bit();
const CONNECTION: u64 =
    KnownName::Connection.bit() | KnownName::Upgrade.bit() | KnownName::Http2Settings.bit();
const TE: u64 = KnownName::Te.bit();
const EXPECT: u64 = KnownName::Expect.bit();

/// Checks and repairs a request head whose lines are parsed. `seen` has the bits of its fields' names.
pub(super) fn finish_request(
    head: &mut Head,
    seen: u64,
    relaxed: bool,
    opts: Opts,
) -> Result<Info, ParseError> {
    let mut info = Info { relaxed, ..Info::default() };
    check_target(head)?;
    if seen & HOST != 0 || head.target().first() != Some(&b'/') {
        check_host(head, opts.relaxed)?;
    }
    let connect = head.method() == b"CONNECT";
    if seen & FRAMING != 0 {
        let fields = Fields::read(head, false)?;
        info.body = fields.body().unwrap_or(BodyLen::None);
        info.insecure_framing = repair(head, fields);
        check_body(head, info.body, connect, opts)?;
    }
    if connect {
        // What follows belongs to the tunnel, or is another request if there will be none.
        head.remove_known(KnownName::ContentLength);
    }
    let v11 = head.version() >= Version::H11;
    if seen & CONNECTION != 0 {
        connection_options(head, &mut info, v11);
        check_websocket(head, &mut info, KnownName::SecWebsocketKey, opts.relaxed)?;
    }
    if seen & TE != 0 {
        keep_trailers_only(head);
    }
    info.expect_continue = v11 && seen & EXPECT != 0 && has_token(head, KnownName::Expect, b"100-continue");
    Ok(info)
}

/// Checks and repairs a response head whose lines are parsed.
pub(super) fn finish_response(
    head: &mut Head,
    seen: u64,
    relaxed: bool,
    asked: Asked,
    opts: Opts,
) -> Result<Info, ParseError> {
    let mut info = Info { relaxed, ..Info::default() };
    let status = head.status();
    let fields = if seen & FRAMING != 0 { Fields::read(head, opts.relaxed)? } else { Fields::default() };
    info.body = response_body(asked, status, fields);
    if seen & FRAMING != 0 {
        info.insecure_framing = repair(head, fields);
        if info.body == BodyLen::Tunnel || matches!(status, 100..=199 | 204) {
            head.remove_known(KnownName::ContentLength);
            head.remove_known(KnownName::TransferEncoding);
            info.insecure_framing &= info.body != BodyLen::Tunnel;
        }
    }
    if seen & CONNECTION != 0 {
        connection_options(head, &mut info, status != 101 || asked == Asked::Upgrade);
    }
    if status == 101 {
        if !info.upgrade || asked != Asked::Upgrade {
            return Err(ParseError::new(0, Reason::BadUpgrade));
        }
        check_websocket(head, &mut info, KnownName::SecWebsocketAccept, opts.relaxed)?;
    } else {
        (info.upgrade, info.websocket) = (false, false);
    }
    Ok(info)
}

/// The target must have the form that its method needs (RFC 9112 section 3.2).
fn check_target(head: &Head) -> Result<(), ParseError> {
    let hawser_http::Start::Request { target, .. } = head.start else { return Ok(()) };
    let fine = match (head.method(), head.target()) {
        // Its authority is checked with Host.
        (b"CONNECT", _) => true,
        (_, [b'/', ..]) => true,
        // Meant for OPTIONS; methods that nobody has defined here may be of other protocols, like those of SSDP.
        (b"GET" | b"HEAD" | b"POST" | b"PUT" | b"DELETE" | b"TRACE", b"*") => false,
        (_, b"*") => true,
        _ => head.target_parts().is_some(),
    };
    if fine { Ok(()) } else { Err(ParseError::new(target.off as usize, Reason::BadTarget)) }
}

fn check_host(head: &mut Head, relaxed: bool) -> Result<(), ParseError> {
    head.normalize_host(relaxed).map_err(|e| {
        let field = head.fields.iter().rfind(|f| f.known == KnownName::Host);
        let (reason, at) = match (e, head.start) {
            (HostError::Authority, hawser_http::Start::Request { target, .. }) => {
                (Reason::BadTarget, target.off)
            }
            _ => (Reason::BadHost, field.map_or(0, |f| f.value.off)),
        };
        let connect = head.method() == b"CONNECT";
        let relaxable = e == HostError::Mismatch || (e == HostError::Authority && connect);
        ParseError { relaxable, ..ParseError::new(at as usize, reason) }
    })
}

/// Leaves one framing field at most, spelled in the normal way. True if the framing was dangerous.
fn repair(head: &mut Head, fields: Fields) -> bool {
    let both = fields.chunked && fields.length.is_some();
    if fields.chunked {
        keep_one(head, KnownName::TransferEncoding, b"chunked");
        head.remove_known(KnownName::ContentLength);
    } else {
        head.remove_known(KnownName::TransferEncoding);
        if let Some(n) = fields.length {
            keep_one(head, KnownName::ContentLength, Digits::of(n).as_bytes());
        }
    }
    both || (fields.chunked && head.version() == Version::H10)
}

/// Keeps the first field of that name, with that value.
fn keep_one(head: &mut Head, name: KnownName, value: &[u8]) {
    let mut first = true;
    for i in 0..head.fields.len() {
        let f = head.fields[i];
        if f.known != name || f.name.len == 0 {
            continue;
        }
        match std::mem::take(&mut first) {
            true if head.get(f.value) != value => head.set_value_at(i, value),
            true => {}
            false => head.delete_at(i),
        }
    }
}

/// Refuses bodies where some servers would not look for one.
fn check_body(head: &Head, body: BodyLen, connect: bool, opts: Opts) -> Result<(), ParseError> {
    if body == BodyLen::None {
        return Ok(());
    }
    let old = head.version() == Version::H10 && matches!(head.method(), b"GET" | b"HEAD" | b"DELETE");
    match (connect, old && !opts.payload_with_any_method) {
        (true, _) => Err(ParseError::new(0, Reason::UnexpectedBody)),
        (false, true) => Err(ParseError { status: 413, ..ParseError::new(0, Reason::UnexpectedBody) }),
        (false, false) => Ok(()),
    }
}

/// Reads the Connection and Upgrade fields, and takes out what ends at this proxy: `close` and `keep-alive`,
/// upgrades that cannot be (`upgradable` false), that nobody announced, or to h2c, with its HTTP2-Settings.
fn connection_options(head: &mut Head, info: &mut Info, upgradable: bool) {
    if single_option(head, info) {
        return;
    }
    let mut asked = false;
    for option in head.known(KnownName::Connection).flat_map(values) {
        info.close |= option.eq_ignore_ascii_case(b"close");
        info.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
        asked |= option.eq_ignore_ascii_case(b"upgrade");
    }
    if asked && upgradable {
        filter_list(head, KnownName::Upgrade, |t| {
            !t.eq_ignore_ascii_case(b"h2c") && !t.eq_ignore_ascii_case(b"h2")
        });
        info.upgrade = head.first(KnownName::Upgrade).is_some();
        info.websocket = has_token(head, KnownName::Upgrade, b"websocket");
    }
    let upgrade = info.upgrade;
    if !upgrade {
        head.remove_known(KnownName::Upgrade);
    }
    head.remove_known(KnownName::Http2Settings);
    filter_list(head, KnownName::Connection, |t| match t.len() {
        5 => !t.eq_ignore_ascii_case(b"close"),
        7 => upgrade || !t.eq_ignore_ascii_case(b"upgrade"),
        10 => !t.eq_ignore_ascii_case(b"keep-alive"),
        14 => !t.eq_ignore_ascii_case(b"http2-settings"),
        _ => true,
    });
}

/// The usual case: one Connection field of one word, which ends here, and nothing to upgrade.
fn single_option(head: &mut Head, info: &mut Info) -> bool {
    let mut found = None;
    for (i, f) in head.fields.iter().enumerate() {
        match f.known {
            KnownName::Connection if found.is_none() => found = Some(i),
            KnownName::Connection | KnownName::Upgrade | KnownName::Http2Settings => return false,
            _ => {}
        }
    }
    let Some(i) = found else { return false };
    let option = head.get(head.fields[i].value);
    if option.eq_ignore_ascii_case(b"keep-alive") {
        info.keep_alive = true;
    } else if option.eq_ignore_ascii_case(b"close") {
        info.close = true;
    } else {
        return false;
    }
    head.delete_at(i);
    true
}

/// Takes values out of a list field; lists that become empty go.
fn filter_list(head: &mut Head, name: KnownName, keep: impl Fn(&[u8]) -> bool) {
    for i in 0..head.fields.len() {
        let f = head.fields[i];
        if f.known != name || f.name.len == 0 {
            continue;
        }
        let list = head.get(f.value);
        let keep = |v: &&[u8]| !v.is_empty() && keep(v);
        let (kept, all) = (values(list).filter(keep).count(), values(list).count());
        if kept == 0 {
            head.delete_at(i);
        } else if kept < all {
            let joined = values(list).filter(keep).collect::<Vec<_>>().join(&b", "[..]);
            head.set_value_at(i, &joined);
        }
    }
}

/// WebSocket handshakes need their key or its answer (RFC 6455 section 4).
fn check_websocket(head: &Head, info: &mut Info, name: KnownName, relaxed: bool) -> Result<(), ParseError> {
    if !info.websocket || head.first(name).is_some_and(|v| !v.is_empty()) {
        return Ok(());
    }
    info.relaxed |= relaxed;
    match relaxed {
        true => Ok(()),
        false => Err(ParseError { relaxable: true, ..ParseError::new(0, Reason::BadUpgrade) }),
    }
}

/// Of what TE accepts, only trailers pass through a proxy that sees chunks (RFC 9110 section 10.1.4).
fn keep_trailers_only(head: &mut Head) {
    filter_list(head, KnownName::Te, |t| t.eq_ignore_ascii_case(b"trailers"));
}

fn has_token(head: &Head, name: KnownName, token: &[u8]) -> bool {
    head.known(name).any(|list| hawser_http::list::has_token(list, token))
}

#[cfg(test)]
mod tests;
