//! Heads and trailers: from `h2`'s messages to the model and back.

mod receive;
mod send;
mod spare;

pub(crate) use receive::{Limits, misplaced, request, response, trailers};
pub(crate) use send::{outgoing_request, outgoing_response, outgoing_trailers};
pub(crate) use spare::{give, take};

use hawser_http::KnownName;

/// Does the field speak about an HTTP/1 connection (RFC 9113 section 8.2.2)? Such fields have no place in HTTP/2.
pub(crate) fn is_connection_field(name: KnownName) -> bool {
    matches!(
        name,
        KnownName::Connection
            | KnownName::KeepAlive
            | KnownName::ProxyConnection
            | KnownName::TransferEncoding
            | KnownName::Upgrade
            | KnownName::Http2Settings
    )
}
