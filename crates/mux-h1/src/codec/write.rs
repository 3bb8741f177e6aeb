//! Writing of request and response heads.

use super::CaseMap;
use hawser_http::{BodyLen, Head};

/// What to say in the Connection field.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ConnField {
    /// The default of the version: nothing is said.
    #[default]
    Silent,
    /// `connection: close`.
    Close,
    /// `connection: keep-alive`.
    KeepAlive,
}

/// How a head is written.
#[derive(Clone, Copy, Debug, Default)]
pub struct WriteOpts<'a> {
    /// What to say about the connection (an upgrade is kept whatever it says).
    pub conn: ConnField,
    /// `option http-use-proxy-header`: say it in Proxy-Connection.
    pub proxy_header: bool,
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
    let _ = (head, body, opts, out);
    Encoding::Empty
}

/// Appends a response head. `asked_head` tells that the request was HEAD, `h10` that the client speaks HTTP/1.0
/// and so understands no chunks.
pub fn write_response(
    head: &Head,
    body: BodyLen,
    asked_head: bool,
    h10: bool,
    opts: &WriteOpts<'_>,
    out: &mut Vec<u8>,
) -> Encoding {
    let _ = (head, body, asked_head, h10, opts, out);
    Encoding::Empty
}
