//! Bodies: how long they are and the parts they arrive in.

use crate::head::Head;
use bytes::Bytes;

/// How the end of a body is known (RFC 9112 section 6.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BodyLen {
    /// There is none, or it has no bytes.
    None,
    /// Exactly this many bytes.
    Length(u64),
    /// Chunked on HTTP/1, DATA frames on HTTP/2; the end is explicit and trailers may follow.
    Chunked,
    /// Until the peer closes (responses only).
    UntilClose,
    /// The connection has become a tunnel: bytes in both directions until both sides are done.
    Tunnel,
}

/// One part of a body, in order of arrival.
#[derive(Debug)]
pub enum Part {
    /// Some bytes of it, never empty.
    Data(Bytes),
    /// The trailer section; the end follows.
    Trailers(Box<Head>),
    /// The end.
    End,
}
