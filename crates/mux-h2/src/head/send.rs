//! What is sent: heads as `h2`'s messages. Names become lower case; what speaks about an HTTP/1 connection goes.

use super::is_connection_field;
use h2::ext::Protocol;
use hawser_http::{BodyLen, Head, KnownName};
use hawser_proto::mux::MessageInfo;
use http::header::CONTENT_LENGTH;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use std::sync::LazyLock;

/// The names that the proxy knows, by the number of the variant.
static NAMES: LazyLock<Vec<HeaderName>> = LazyLock::new(|| {
    let name = |n: KnownName| HeaderName::from_static(if n == KnownName::Other { "x" } else { n.as_str() });
    KnownName::ALL.map(name).into()
});

/// What is to be said of a message's length.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Length {
    /// What the head says.
    Same,
    /// What the head says, if that is nothing.
    Zero,
    Is(u64),
    Unsaid,
}

/// The fields of a trailer section.
pub(crate) fn fields_of(head: &Head) -> HeaderMap {
    fields(head, Length::Same, &[])
}

/// The fields of a head, but those that are `left_out`.
fn fields(head: &Head, length: Length, left_out: &[KnownName]) -> HeaderMap {
    let live = || head.fields.iter().filter(|f| f.name.len != 0);
    let mut map = HeaderMap::with_capacity(live().count() + 1);
    let mut due = if let Length::Is(n) = length { Some(HeaderValue::from(n)) } else { None };
    for f in live().filter(|f| !is_connection_field(f.known) && !left_out.contains(&f.known)) {
        let text = head.get(f.value);
        let said = match f.known {
            KnownName::Te if !text.eq_ignore_ascii_case(b"trailers") => continue,
            KnownName::ContentLength => match length {
                Length::Same => value(text),
                Length::Zero if text != b"0" => continue,
                Length::Zero => value(text),
                Length::Is(_) => due.take(),
                Length::Unsaid => continue,
            },
            _ => value(text),
        };
        let (Some(name), Some(mut value)) = (name(f.known, head.get(f.name)), said) else { continue };
        if is_secret(f.known) {
            value.set_sensitive(true);
        }
        // A map that is full cannot be sent anyway.
        let _ = map.try_append(name, value);
    }
    if let Some(value) = due {
        map.insert(CONTENT_LENGTH, value);
    }
    map
}

fn name(known: KnownName, text: &[u8]) -> Option<HeaderName> {
    match known {
        KnownName::Other => HeaderName::from_bytes(text).ok(),
        _ => NAMES.get(known as usize).cloned(),
    }
}

/// Is it worth guessing? Such values stay out of the table that all streams of a connection compress with, or one
/// client could find out those of another by the size of its own (RFC 7541 section 7.1).
fn is_secret(name: KnownName) -> bool {
    use KnownName::{Authorization, Cookie, ProxyAuthorization, SetCookie};
    matches!(name, Cookie | SetCookie | Authorization | ProxyAuthorization)
}

/// A value without the controls that HTTP/2 forbids: servers of HTTP/1 send all sorts.
fn value(text: &[u8]) -> Option<HeaderValue> {
    if let Ok(v) = HeaderValue::from_bytes(text) {
        return Some(v);
    }
    let clean = |&b: &u8| if b == b'\t' || (b >= b' ' && b != 0x7f) { b } else { b' ' };
    HeaderValue::from_bytes(&text.iter().map(clean).collect::<Vec<_>>()).ok()
}

/// A response. `body` is what will follow, unless nothing can; `extended` tells that the request asked for an
/// upgrade, which HTTP/2 grants with 200 (RFC 8441 section 5).
pub(crate) fn outgoing_response(head: &Head, body: BodyLen, extended: bool) -> Response<()> {
    let length = match body {
        BodyLen::Length(n) => Length::Is(n),
        BodyLen::Chunked | BodyLen::UntilClose | BodyLen::Tunnel => Length::Unsaid,
        // What a HEAD or a 304 response announces is what the GET would have had.
        BodyLen::None => Length::Same,
    };
    let mut status = head.status();
    let mut left_out = &[][..];
    if extended && status == 101 {
        status = 200;
        left_out = &[KnownName::SecWebsocketAccept];
    }
    let mut res = Response::new(());
    *res.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    *res.headers_mut() = fields(head, length, left_out);
    res
}

/// A request; `None` if there is no way to write it in HTTP/2.
///
/// A target in absolute form, as most requests of HTTP/2 have it, gives its scheme, and the Host field makes
/// `:authority`. One in origin form stays that: the next proxy's rules and logs see it as it was. There, Host is a field,
/// and `h2` chooses the scheme. An upgrade becomes extended CONNECT, which always names an authority.
pub(crate) fn outgoing_request(head: &Head, info: &MessageInfo) -> Option<Request<()>> {
    let host = head.first(KnownName::Host).filter(|h| !h.is_empty());
    let upgrade = head.first(KnownName::Upgrade).filter(|_| info.upgrade);
    let connect = head.method() == b"CONNECT";
    let mut uri = http::uri::Parts::default();
    if connect {
        uri.authority = Authority::try_from(head.target()).ok();
        uri.authority.as_ref()?;
    } else {
        let scheme = scheme(head).or(upgrade.map(|_| Scheme::HTTPS));
        if let (Some(h), Some(scheme)) = (host, scheme) {
            uri.authority = Some(Authority::try_from(h).ok()?);
            uri.scheme = Some(scheme);
        }
        uri.path_and_query = Some(PathAndQuery::try_from(head.origin_target()).ok()?);
    }
    let length = match info.body {
        BodyLen::Length(n) => Length::Is(n),
        BodyLen::None => Length::Zero,
        BodyLen::Chunked | BodyLen::UntilClose | BodyLen::Tunnel => Length::Unsaid,
    };
    let mut req = Request::new(());
    *req.method_mut() =
        if upgrade.is_some() { Method::CONNECT } else { Method::from_bytes(head.method()).ok()? };
    let mut left_out = if uri.authority.is_some() { &[KnownName::Host][..] } else { &[] };
    if uri.authority.is_none() {
        // `h2` takes a request without an authority from such a client only.
        *req.version_mut() = http::Version::HTTP_11;
    }
    if let Some(p) = upgrade {
        left_out = &[KnownName::Host, KnownName::SecWebsocketKey];
        req.extensions_mut().insert(Protocol::from(std::str::from_utf8(p).ok()?));
    }
    *req.uri_mut() = Uri::from_parts(uri).ok()?;
    *req.headers_mut() = fields(head, length, left_out);
    Some(req)
}

/// Of a target in absolute form.
fn scheme(head: &Head) -> Option<Scheme> {
    if head.target().first() == Some(&b'/') {
        return None;
    }
    let text = head.target().get(head.target_parts()?.scheme).filter(|s| !s.is_empty())?;
    Scheme::try_from(text).ok()
}
