//! Parsing of request and response heads.

use super::{Asked, Info, ParseError};
use hawser_http::Head;

/// Bounds of a head.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Most fields of a head (`tune.http.maxhdr`).
    pub max_fields: usize,
    /// Most bytes of a head, start line included (`tune.bufsize` minus `tune.maxrewrite`).
    pub max_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_fields: 101, max_bytes: 16384 - 1024 }
    }
}

/// Options that change what is accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Opts {
    /// `option accept-unsafe-violations-in-http-request` (or `-response`).
    pub relaxed: bool,
    /// `h1-accept-payload-with-any-method`: HTTP/1.0 GET, HEAD and DELETE may have a body.
    pub payload_with_any_method: bool,
    /// `option http-use-proxy-header`: look at Proxy-Connection instead of Connection when the target is absolute.
    pub proxy_header: bool,
}

/// How far a head has been read, so that the next call goes on there. One per message; reset by a finished call.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Progress {
    /// Start of the first line that is not parsed yet.
    line: u32,
    /// Everything before was searched for the end of that line.
    scan: u32,
}

/// Outcome of a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// More bytes are needed. Call again with the same buffer, grown, and the same progress and head.
    Partial,
    /// The head is complete.
    Done {
        /// Bytes of the buffer that the head took; the body or the next message follows.
        consumed: usize,
        /// What it says about body and connection.
        info: Info,
    },
}

/// Parses a request head from the start of `buf`.
///
/// Bytes are copied to [`Head::buf`] once, when the head is complete. Between two calls that return
/// [`Status::Partial`], `buf` may only grow at its end.
pub fn parse_request(
    buf: &[u8],
    progress: &mut Progress,
    head: &mut Head,
    lim: &Limits,
    opts: Opts,
) -> Result<Status, ParseError> {
    let _ = (buf, progress, head, lim, opts);
    Ok(Status::Partial)
}

/// Parses a response head from the start of `buf`; see [`parse_request`]. `asked` tells what was requested.
///
/// Interim (1xx) responses come out like any other, with [`BodyLen::None`](hawser_http::BodyLen::None).
pub fn parse_response(
    buf: &[u8],
    progress: &mut Progress,
    head: &mut Head,
    lim: &Limits,
    opts: Opts,
    asked: Asked,
) -> Result<Status, ParseError> {
    let _ = (buf, progress, head, lim, opts, asked);
    Ok(Status::Partial)
}
