//! Addresses of connections, and their translation to and from the kernel's.

use hawser_cfg::model::{Addr, AddrKind};
use rustix::net::{SocketAddrAny, SocketAddrUnix};
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::RawFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

/// Bytes of `sun_path` after the leading NUL of an abstract name.
const ABNS_LEN: usize = 107;

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
    /// An abstract UNIX socket, without the leading NUL. `abns@` names are padded with NULs to the full
    /// length of the kernel's field, `abnsz@` names are not: they are different sockets.
    Abns(Vec<u8>),
    /// A descriptor that stands for an address: the far end of `sockpair@`.
    Fd(RawFd),
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

    /// The address that a configured one stands for; [`Address::Unknown`] for host names and for kinds
    /// that are no address (logs, reverse HTTP).
    pub fn of(addr: &Addr) -> Self {
        match &addr.kind {
            AddrKind::Ip(a) | AddrKind::Quic(a) => Self::Ip(*a),
            AddrKind::Unix(p) => Self::Unix(p.clone()),
            AddrKind::Abns(name, zero_terminated) => {
                let mut name = name.clone();
                if !zero_terminated {
                    name.resize(ABNS_LEN.max(name.len()), 0);
                }
                Self::Abns(name)
            }
            AddrKind::Fd(n) | AddrKind::Sockpair(n) => Self::Fd(*n),
            AddrKind::Name(..) | AddrKind::Rhttp(_) | AddrKind::Other(_) => Self::Unknown,
        }
    }

    /// What the kernel calls it.
    ///
    /// # Errors
    /// `InvalidInput` for addresses that no socket can have, or for a UNIX path that is too long.
    pub fn to_sys(&self) -> io::Result<SocketAddrAny> {
        match self {
            Self::Ip(a) => Ok((*a).into()),
            Self::Unix(p) => Ok(SocketAddrUnix::new(p.as_path())?.into()),
            Self::Abns(name) => Ok(SocketAddrUnix::new_abstract_name(name)?.into()),
            Self::Unknown | Self::Fd(_) => Err(io::ErrorKind::InvalidInput.into()),
        }
    }

    /// The kernel's address as ours.
    pub fn from_sys(addr: &SocketAddrAny) -> Self {
        if let Ok(ip) = SocketAddr::try_from(addr.clone()) {
            return Self::Ip(ip);
        }
        let Ok(unix) = SocketAddrUnix::try_from(addr.clone()) else { return Self::Unknown };
        if let Some(name) = unix.abstract_name() {
            return Self::Abns(name.to_vec());
        }
        let path = unix.path_bytes().map_or_else(Vec::new, <[u8]>::to_vec);
        Self::Unix(PathBuf::from(std::ffi::OsString::from_vec(path)))
    }
}

impl fmt::Display for Address {
    /// As HAProxy prints addresses in messages: `127.0.0.1:80`, `[::1]:80`, a path, `abns@name`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("unknown"),
            Self::Ip(a) => a.fmt(f),
            Self::Unix(p) => f.write_str(&String::from_utf8_lossy(p.as_os_str().as_bytes())),
            Self::Abns(name) => {
                let end = name.iter().rposition(|b| *b != 0).map_or(0, |i| i + 1);
                write!(f, "abns@{}", String::from_utf8_lossy(&name[..end]))
            }
            Self::Fd(n) => write!(f, "sockpair@{n}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survives_the_way_through_the_kernel_s_form() {
        for a in [
            Address::Ip("127.0.0.1:80".parse().unwrap()),
            Address::Ip("[::1]:8080".parse().unwrap()),
            Address::Unix("/tmp/x".into()),
            Address::Abns(b"name".to_vec()),
        ] {
            assert_eq!(Address::from_sys(&a.to_sys().unwrap()), a);
        }
        assert!(Address::Unknown.to_sys().is_err());
        assert!(Address::Unix("x".repeat(200).into()).to_sys().is_err());
    }

    #[test]
    fn prints_like_haproxy() {
        let padded = Addr {
            kind: AddrKind::Abns(b"foo".to_vec(), false),
            port_offset: None,
            port_missing: false,
            port_high: 0,
            dgram: false,
            text: "abns@foo".into(),
        };
        let a = Address::of(&padded);
        assert_eq!(a.to_string(), "abns@foo");
        assert!(matches!(a, Address::Abns(n) if n.len() == ABNS_LEN));
        assert_eq!(Address::Ip("[::1]:7".parse().unwrap()).to_string(), "[::1]:7");
    }
}
