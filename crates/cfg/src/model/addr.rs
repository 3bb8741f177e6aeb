//! Addresses (manual 2.9).

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// An address of manual 2.9: anything that can follow `bind`, `server`, `log`, `source`.
#[derive(Debug, Clone, PartialEq)]
pub struct Addr {
    /// What it is.
    pub kind: AddrKind,
    /// Port offset for `server …:+port`: the client's port is added.
    pub port_offset: Option<i32>,
    /// No port was written (a server then uses the port of the client's connection).
    pub port_missing: bool,
    /// End of a port range, equal to the port when there is no range.
    pub port_high: u16,
    /// Stream or datagram as the prefix says, `stream` unless `udp@`, `dgram+…`, `quic…`.
    pub dgram: bool,
    /// As written.
    pub text: Arc<str>,
}

impl Addr {
    /// The address with its family, as `HAPROXY_CLI` tells it: `ipv4@127.0.0.1:80`, `unix@/path`.
    pub fn full_name(&self) -> String {
        match &self.kind {
            AddrKind::Ip(SocketAddr::V4(a)) => format!("ipv4@{a}"),
            AddrKind::Ip(SocketAddr::V6(a)) => format!("ipv6@{}:{}", a.ip(), a.port()),
            AddrKind::Unix(path) => format!("unix@{}", path.display()),
            AddrKind::Fd(n) => format!("sockfd@{n}"),
            AddrKind::Sockpair(n) => format!("sockpair@{n}"),
            _ => self.text.to_string(),
        }
    }

    /// Whether multipath TCP is asked for: `mptcp@`, `mptcp4@`, `mptcp6@`.
    pub fn is_mptcp(&self) -> bool {
        ["mptcp@", "mptcp4@", "mptcp6@"]
            .iter()
            .any(|prefix| self.text.strip_prefix("stream+").unwrap_or(&self.text).starts_with(prefix))
    }
}

/// See [`Addr`].
#[derive(Debug, Clone, PartialEq)]
pub enum AddrKind {
    /// IPv4 or IPv6; `*` is 0.0.0.0.
    Ip(SocketAddr),
    /// A host name that was not resolved while parsing (`server` only), and its port.
    Name(String, u16),
    /// `unix@PATH` or `/path`.
    Unix(PathBuf),
    /// `abns@NAME`; true for `abnsz@`.
    Abns(Vec<u8>, bool),
    /// `fd@N`.
    Fd(i32),
    /// `sockpair@N`.
    Sockpair(i32),
    /// `rhttp@BACKEND/SERVER`, `rev@…`, or bare `rhttp@` on a server. A missing part is an empty string.
    Rhttp(Option<(String, String)>),
    /// `quic4@`, `quic6@`.
    Quic(SocketAddr),
    /// `ring@NAME`, `backend@NAME`, as written (logs only).
    Other(String),
}
