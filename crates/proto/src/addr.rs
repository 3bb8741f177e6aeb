//! Addresses of connections.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

/// One end of a connection.
#[derive(Clone, PartialEq, Eq, Debug, Default, Hash)]
pub enum Address {
    /// Unknown (a closed peer, a PROXY header with UNKNOWN).
    #[default]
    Unknown,
    /// IPv4 or IPv6; IPv4-mapped IPv6 stays as it is.
    Ip(SocketAddr),
    /// A UNIX socket; the path is empty for an unnamed peer.
    Unix(PathBuf),
    /// An abstract UNIX socket.
    Abns(Vec<u8>),
}

impl Address {
    /// The IP address, if it has one.
    pub fn ip(&self) -> Option<IpAddr> {
        if let Self::Ip(a) = self { Some(a.ip()) } else { None }
    }

    /// The port, 0 if it has none.
    pub fn port(&self) -> u16 {
        if let Self::Ip(a) = self { a.port() } else { 0 }
    }
}
