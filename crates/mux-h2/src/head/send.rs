//! What is sent: heads as `h2`'s messages. Names become lower case; what speaks about an HTTP/1 connection goes.

use super::is_connection_field;
use h2::ext::Protocol;
use hawser_http::{BodyLen, Head, KnownName};
use hawser_proto::mux::MessageInfo;
use http::header::CONTENT_LENGTH;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};

/// The fields of a head or of a trailer section.
pub(crate) fn fields_of(head: &Head) -> HeaderMap {
    let live = || head.fields.iter().filter(|f| f.name.len != 0);
    let mut map = HeaderMap::with_capacity(live().count());
    for f in live().filter(|f| !is_connection_field(f.known)) {
        let (name, text) = (head.get(f.name), head.get(f.value));
        if f.known == KnownName::Te && !text.eq_ignore_ascii_case(b"trailers") {
            continue;
        }
        let Ok(name) = HeaderName::from_bytes(name) else { continue };
        let Some(mut value) = value(text) else { continue };
        value.set_sensitive(is_secret(f.known));
        // A map that is full cannot be sent anyway.
        let _ = map.try_append(name, value);
    }
    map
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
    let mut fields = fields_of(head);
    match body {
        BodyLen::Length(n) => {
            fields.insert(CONTENT_LENGTH, n.into());
        }
        BodyLen::Chunked | BodyLen::UntilClose | BodyLen::Tunnel => {
            fields.remove(CONTENT_LENGTH);
        }
        // What a HEAD or a 304 response announces is what the GET would have had.
        BodyLen::None => {}
    }
    let mut status = head.status();
    if extended && status == 101 {
        status = 200;
        fields.remove("sec-websocket-accept");
    }
    let mut res = Response::new(());
    *res.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    *res.headers_mut() = fields;
    res
}

/// A request; `None` if there is no way to write it in HTTP/2.
///
/// `:authority` comes from the Host field. `:scheme` is the one of an absolute target, as every request of HTTP/2
/// has it, else `https`: what browsers send. An upgrade becomes extended CONNECT.
pub(crate) fn outgoing_request(head: &Head, info: &MessageInfo) -> Option<Request<()>> {
    let mut fields = fields_of(head);
    let host = head.first(KnownName::Host).filter(|h| !h.is_empty());
    fields.remove(http::header::HOST);
    let upgrade = head.first(KnownName::Upgrade).filter(|_| info.upgrade);
    let connect = head.method() == b"CONNECT";
    let mut uri = http::uri::Parts::default();
    if connect {
        uri.authority = Authority::try_from(head.target()).ok();
        uri.authority.as_ref()?;
    } else {
        if let Some(h) = host {
            uri.authority = Some(Authority::try_from(h).ok()?);
            // Without an authority, `h2` fills the scheme in.
            uri.scheme = Some(scheme(head));
        }
        uri.path_and_query = Some(PathAndQuery::try_from(head.origin_target()).ok()?);
    }
    match info.body {
        BodyLen::Length(n) => {
            fields.insert(CONTENT_LENGTH, n.into());
        }
        BodyLen::None => {
            if fields.get(CONTENT_LENGTH).is_some_and(|v| v != "0") {
                fields.remove(CONTENT_LENGTH);
            }
        }
        BodyLen::Chunked | BodyLen::UntilClose | BodyLen::Tunnel => {
            fields.remove(CONTENT_LENGTH);
        }
    }
    let mut req = Request::new(());
    *req.method_mut() =
        if upgrade.is_some() { Method::CONNECT } else { Method::from_bytes(head.method()).ok()? };
    if let Some(p) = upgrade {
        fields.remove("sec-websocket-key");
        req.extensions_mut().insert(Protocol::from(std::str::from_utf8(p).ok()?));
    }
    *req.uri_mut() = Uri::from_parts(uri).ok()?;
    *req.headers_mut() = fields;
    Some(req)
}

fn scheme(head: &Head) -> Scheme {
    let spelled = |t: hawser_http::uri::Target| {
        let text = head.target().get(t.scheme).filter(|s| !s.is_empty())?;
        Scheme::try_from(text).ok()
    };
    head.target_parts().and_then(spelled).unwrap_or(Scheme::HTTPS)
}
