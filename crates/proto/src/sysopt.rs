//! Socket options that `rustix` does not know. One of the few places with `unsafe`.

use crate::transport::SockOpt;
use rustix::net::sockopt;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

/// Sets an integer option.
///
/// # Errors
/// What the kernel says.
pub fn set_int(fd: BorrowedFd<'_>, level: i32, name: i32, value: i32) -> io::Result<()> {
    // SAFETY: the descriptor is open while it is borrowed; the kernel reads `len` bytes from `value`, which
    // lives across the call.
    let rc = unsafe {
        libc::setsockopt(
            fd.as_raw_fd(),
            level,
            name,
            (&raw const value).cast(),
            size_of::<i32>() as libc::socklen_t,
        )
    };
    if rc == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Binds the socket to a network device.
///
/// # Errors
/// What the kernel says; a name with a NUL byte is `InvalidInput`.
pub fn bind_to_device(fd: BorrowedFd<'_>, name: &str) -> io::Result<()> {
    socket2::SockRef::from(&fd).bind_device(Some(name.as_bytes()))
}

/// Makes segments on a connection smaller than its peer allows, by `less`, which is below 0. A kernel that refuses is no
/// reason to refuse the connection.
pub fn lower_mss(fd: BorrowedFd<'_>, less: i32) {
    let sock = socket2::SockRef::from(&fd);
    let lower = sock.tcp_mss().ok().and_then(|mss| mss.checked_add_signed(less));
    if let Some(mss) = lower {
        let _ = sock.set_tcp_mss(mss);
    }
}

/// Lets the socket have an address that is not the machine's.
///
/// # Errors
/// What the kernel says: it takes `CAP_NET_ADMIN` or `CAP_NET_RAW`.
pub fn set_transparent(fd: BorrowedFd<'_>, family: Family) -> io::Result<()> {
    if family == Family::V6 {
        set_int(fd, libc::SOL_IPV6, libc::IPV6_TRANSPARENT, 1)
    } else {
        set_int(fd, libc::SOL_IP, libc::IP_TRANSPARENT, 1)
    }
}

/// The SYN packet that a connection began with, where its listener had the kernel keep it; the kernel gives it once.
pub fn saved_syn(fd: BorrowedFd<'_>) -> Option<Vec<u8>> {
    const TCP_SAVED_SYN: i32 = 28;
    let mut packet = vec![0_u8; 512];
    let mut len = packet.len() as libc::socklen_t;
    // SAFETY: the descriptor is open while it is borrowed; the kernel writes at most `len` bytes into `packet` and the
    // real length into `len`, and both live across the call.
    let rc = unsafe {
        libc::getsockopt(
            fd.as_raw_fd(),
            libc::IPPROTO_TCP,
            TCP_SAVED_SYN,
            packet.as_mut_ptr().cast(),
            &raw mut len,
        )
    };
    packet.truncate(len as usize);
    (rc == 0 && !packet.is_empty()).then_some(packet)
}

/// Applies an option that layers above may set; options that the socket's family does not have are ignored.
///
/// # Errors
/// What the kernel says about options that the family has.
pub fn apply(fd: BorrowedFd<'_>, family: Family, opt: SockOpt) -> io::Result<()> {
    match (opt, family) {
        (SockOpt::Mark(m), _) => set_int(fd, libc::SOL_SOCKET, libc::SO_MARK, m.cast_signed()),
        (_, Family::Unix) => Ok(()),
        (SockOpt::NoDelay(on), _) => Ok(sockopt::set_tcp_nodelay(fd, on)?),
        (SockOpt::QuickAck(on), _) => Ok(sockopt::set_tcp_quickack(fd, on)?),
        (SockOpt::Tos(t), Family::V4) => Ok(sockopt::set_ip_tos(fd, t)?),
        (SockOpt::Tos(t), Family::V6) => {
            // A mapped IPv4 connection on an IPv6 socket takes its TOS from the IPv4 option.
            let v4 = sockopt::set_ip_tos(fd, t);
            Ok(sockopt::set_ipv6_tclass(fd, u32::from(t)).or(v4)?)
        }
        (SockOpt::KeepAlive(cnt, idle, intvl), _) => set_keepalive(fd, cnt, idle, intvl),
        (SockOpt::Vanish(ttl), _) => vanish(fd, ttl),
    }
}

fn vanish(fd: BorrowedFd<'_>, ttl: Option<u8>) -> io::Result<()> {
    // Takes CAP_NET_ADMIN.
    if ttl.is_none() && set_int(fd, libc::IPPROTO_TCP, libc::TCP_REPAIR, 1).is_ok() {
        return Ok(());
    }
    let ttl = ttl.unwrap_or(1);
    // An IPv4-mapped connection has its own; a family that has neither has no hops.
    let _ = sockopt::set_ip_ttl(fd, u32::from(ttl));
    let _ = sockopt::set_ipv6_unicast_hops(fd, Some(ttl));
    Ok(sockopt::set_socket_linger(fd, Some(Duration::ZERO))?)
}

fn set_keepalive(fd: BorrowedFd<'_>, cnt: u32, idle: u32, intvl: u32) -> io::Result<()> {
    sockopt::set_socket_keepalive(fd, true)?;
    if cnt > 0 {
        sockopt::set_tcp_keepcnt(fd, cnt)?;
    }
    if idle > 0 {
        sockopt::set_tcp_keepidle(fd, Duration::from_secs(u64::from(idle)))?;
    }
    if intvl > 0 {
        sockopt::set_tcp_keepintvl(fd, Duration::from_secs(u64::from(intvl)))?;
    }
    Ok(())
}

/// Families that differ in their options.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    /// TCP over IPv4.
    V4,
    /// TCP over IPv6, IPv4-mapped included.
    V6,
    /// UNIX sockets, abstract or not.
    Unix,
}

impl Family {
    /// The family of an address; UNIX when it has none.
    pub fn of(addr: &crate::Address) -> Self {
        match addr {
            crate::Address::Ip(a) if a.is_ipv4() => Self::V4,
            crate::Address::Ip(_) => Self::V6,
            _ => Self::Unix,
        }
    }
}
