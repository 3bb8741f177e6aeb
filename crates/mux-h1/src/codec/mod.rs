//! The HTTP/1 codec: pure functions between bytes and [`hawser_http`] messages.
//!
//! Nothing here knows sockets, tasks or time. The input side is strict (RFC 9112): whatever two agents could
//! read in two ways is refused or repaired before anybody else sees it, so the output side can trust a head.
//!
//! | to | use |
//! | --- | --- |
//! | read a head | [`parse_request`], [`parse_response`] |
//! | know how its body ends | [`Info::body`], [`request_body_len`], [`response_body_len`] |
//! | read a chunked body | [`ChunkDecoder`] |
//! | write a head | [`write_request`], [`write_response`] |
//! | write a chunked body | [`encode_chunk_header`], [`encode_last_chunk`], [`encode_trailers`] |
//! | know whether a connection lives on | [`client_wants_keepalive`], [`server_keeps_alive`], [`must_close`] |

pub mod case;
pub mod chunk;
pub mod conn;
mod digits;
pub mod error;
mod fields;
pub mod framing;
pub mod head;
#[cfg(test)]
mod testutil;
pub mod write;

pub use case::CaseMap;
pub use chunk::{ChunkDecoder, Step, encode_chunk_header, encode_last_chunk, encode_trailers};
pub use conn::{client_wants_keepalive, must_close, server_keeps_alive};
pub use error::{ParseError, Reason};
pub use framing::{Asked, Info, request_body_len, response_body_len};
pub use head::{Opts, Progress, Status, parse_request, parse_response};
pub use write::{ConnField, Encoding, WriteOpts, write_request, write_response};

/// Bounds of a head or a trailer section.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// A head has fewer fields than this (`tune.http.maxhdr`: with its default of 101, up to 100).
    pub max_fields: usize,
    /// Most bytes of a head, start line included (`tune.bufsize` minus `tune.maxrewrite`).
    pub max_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_fields: 101, max_bytes: 16384 - 1024 }
    }
}
