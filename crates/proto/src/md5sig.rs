//! TCP MD5 signatures (RFC 2385). One of the few places with `unsafe`: nobody else knows this option.

use crate::Address;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

/// Longest password (bytes).
pub const KEY_MAX: usize = 80;

const TCP_MD5SIG: i32 = 14;
const TCP_MD5SIG_EXT: i32 = 32;
/// The key is for all addresses that share a prefix.
const FLAG_PREFIX: u8 = 1;

/// `struct tcp_md5sig` of linux/tcp.h.
#[repr(C)]
struct Md5Sig {
    addr: [u8; size_of::<libc::sockaddr_storage>()],
    flags: u8,
    prefixlen: u8,
    keylen: u16,
    ifindex: i32,
    key: [u8; KEY_MAX],
}

/// Signs and verifies the segments exchanged with one peer; to be called before `connect`.
///
/// # Errors
/// What the kernel says; `InvalidInput` for a password that is too long or a peer that does not speak TCP.
pub fn for_peer(fd: BorrowedFd<'_>, peer: &Address, password: &str) -> io::Result<()> {
    let Address::Ip(peer) = peer else { return Err(io::ErrorKind::InvalidInput.into()) };
    set(fd, TCP_MD5SIG, *peer, 0, password)
}

/// Signs and verifies the segments of every connection that a listening socket accepts.
///
/// # Errors
/// As for [`for_peer`].
pub fn for_all(fd: BorrowedFd<'_>, family: crate::sysopt::Family, password: &str) -> io::Result<()> {
    let any = |ip: std::net::IpAddr| SocketAddr::new(ip, 0);
    if family == crate::sysopt::Family::V4 {
        return set(fd, TCP_MD5SIG_EXT, any(Ipv4Addr::UNSPECIFIED.into()), FLAG_PREFIX, password);
    }
    // IPv4 clients of an IPv6 socket have a key of their own, where the socket takes any.
    let mapped = any(Ipv4Addr::UNSPECIFIED.to_ipv6_mapped().into());
    let _ = set(fd, TCP_MD5SIG_EXT, mapped, FLAG_PREFIX, password);
    set(fd, TCP_MD5SIG_EXT, any(Ipv6Addr::UNSPECIFIED.into()), FLAG_PREFIX, password)
}

/// Whether the running kernel has them.
pub fn works() -> bool {
    let peer = Address::Ip((Ipv4Addr::LOCALHOST, 0).into());
    let sock = rustix::net::socket(rustix::net::AddressFamily::INET, rustix::net::SocketType::STREAM, None);
    sock.is_ok_and(|s| for_peer(s.as_fd(), &peer, "x").is_ok())
}

fn set(fd: BorrowedFd<'_>, option: i32, peer: SocketAddr, flags: u8, password: &str) -> io::Result<()> {
    let mut sig = Md5Sig {
        addr: [0; size_of::<libc::sockaddr_storage>()],
        flags,
        prefixlen: 0,
        keylen: u16::try_from(password.len()).map_err(|_| io::ErrorKind::InvalidInput)?,
        ifindex: 0,
        key: [0; KEY_MAX],
    };
    let key = sig.key.get_mut(..password.len()).ok_or(io::ErrorKind::InvalidInput)?;
    key.copy_from_slice(password.as_bytes());
    write_sockaddr(&mut sig.addr, peer);
    // SAFETY: the descriptor is open while it is borrowed; the kernel reads `size_of::<Md5Sig>()` bytes from
    // `sig`, which lives across the call and has no padding: every field is aligned where the last one ends.
    let rc = unsafe {
        libc::setsockopt(
            fd.as_raw_fd(),
            libc::IPPROTO_TCP,
            option,
            (&raw const sig).cast(),
            size_of::<Md5Sig>() as libc::socklen_t,
        )
    };
    if rc == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// A `sockaddr_in` or `sockaddr_in6`; the port plays no role.
fn write_sockaddr(out: &mut [u8], peer: SocketAddr) {
    let mut put = |at: usize, bytes: &[u8]| {
        for (slot, b) in out.iter_mut().skip(at).zip(bytes) {
            *slot = *b;
        }
    };
    match peer {
        SocketAddr::V4(a) => {
            put(0, &(libc::AF_INET as u16).to_ne_bytes());
            put(4, &a.ip().octets());
        }
        SocketAddr::V6(a) => {
            put(0, &(libc::AF_INET6 as u16).to_ne_bytes());
            put(8, &a.ip().octets());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sysopt::Family;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn layout() {
        assert_eq!(size_of::<Md5Sig>(), 128 + 1 + 1 + 2 + 4 + 80);
    }

    #[test]
    fn a_signing_listener_refuses_unsigned_clients() {
        for (at, family) in [("127.0.0.1:0", Family::V4), ("[::1]:0", Family::V6)] {
            let Ok(listener) = TcpListener::bind(at) else { continue };
            if for_all(listener.as_fd(), family, "secret").is_err() {
                eprintln!("skipped: the kernel has no TCP MD5 signatures");
                return;
            }
            let peer = listener.local_addr().unwrap();
            let patience = std::time::Duration::from_millis(100);
            assert!(TcpStream::connect_timeout(&peer, patience).is_err(), "{at}: unsigned");
            let domain = if peer.is_ipv4() { socket2::Domain::IPV4 } else { socket2::Domain::IPV6 };
            for (password, ok) in [("wrong", false), ("secret", true)] {
                let sock = socket2::Socket::new(domain, socket2::Type::STREAM, None).unwrap();
                for_peer(sock.as_fd(), &Address::Ip(peer), password).unwrap();
                let connected = sock.connect_timeout(&peer.into(), patience);
                assert_eq!(connected.is_ok(), ok, "{at}: {password}");
            }
        }
        let s = TcpListener::bind("127.0.0.1:0").unwrap();
        assert!(for_all(s.as_fd(), Family::V4, &"x".repeat(81)).is_err());
    }
}
