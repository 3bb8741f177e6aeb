//! HTTP/2: connections that carry many streams, over the `h2` crate.

use hawser_proto::mux::MuxRow;

/// HTTP/2 in the table of muxes.
pub static H2: MuxRow = MuxRow { token: "h2", alpn: "h2", front: None, back: None };
