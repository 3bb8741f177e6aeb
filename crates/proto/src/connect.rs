//! Outgoing connections.

use crate::announce::Announced;
use crate::sock::Sock;
use crate::socks4::Socks4;
use crate::sysopt::{self, Family};
use crate::tcp::MPTCP;
use crate::transport::{SockOpt, Transport};
use crate::vtable::{ConnectTo, Connecting};
use crate::{Address, md5sig, netns, protocol_of};
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, SocketFlags, SocketType, sockopt};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, ready};

/// A socket whose `connect` was called.
pub(crate) struct SockConnecting {
    /// `None` once the transport was handed over.
    sock: Option<Sock>,
    established: bool,
}

impl SockConnecting {
    fn take(&mut self) -> io::Result<Box<dyn Transport>> {
        match self.sock.take() {
            Some(s) => Ok(Box::new(s)),
            None => Err(ErrorKind::NotConnected.into()),
        }
    }
}

impl Connecting for SockConnecting {
    fn poll_connect(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Box<dyn Transport>>> {
        if let (Some(sock), false) = (&mut self.sock, self.established) {
            ready!(sock.poll_connected(cx))?;
        }
        Poll::Ready(self.take())
    }

    fn poll_connect_send(
        &mut self,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<(Box<dyn Transport>, usize)>> {
        let Some(sock) = &mut self.sock else { return Poll::Ready(Err(ErrorKind::NotConnected.into())) };
        // On a socket that is still connecting this is EAGAIN, on one that failed it is the failure: the
        // first bytes confirm the connection without asking for its state.
        let sent = ready!(sock.poll_write_vectored(cx, bufs, false))?;
        Poll::Ready(self.take().map(|t| (t, sent)))
    }
}

/// Ports that connections to a server may come from.
#[derive(Debug)]
pub struct PortRange {
    low: u16,
    count: u32,
    next: AtomicU32,
}

impl PortRange {
    /// From `low` to `high`, both included.
    pub fn new(low: u16, high: u16) -> Self {
        Self { low, count: u32::from(high.saturating_sub(low)) + 1, next: AtomicU32::new(0) }
    }

    /// The ports to try in turn, none more than once, starting behind those tried last.
    fn ports(&self) -> impl Iterator<Item = u16> + '_ {
        (0..self.count).map(|_| {
            let n = self.next.fetch_add(1, Ordering::Relaxed) % self.count;
            self.low.saturating_add(u16::try_from(n).unwrap_or(0))
        })
    }
}

/// Connects as `to` says, through a SOCKS4 proxy if need be, and sends `header` before anything else.
///
/// # Errors
/// Failures that need no waiting.
pub fn dial(to: &ConnectTo, header: Option<Vec<u8>>) -> io::Result<Box<dyn Connecting>> {
    let line = match (to.socks4, &to.dst) {
        (Some(proxy), Address::Ip(dst)) => {
            let to = ConnectTo { dst: Address::Ip(proxy), ..to.clone() };
            Box::new(Socks4::new(protocol_of(&to.dst).connect(&to)?, *dst)?)
        }
        _ => protocol_of(&to.dst).connect(to)?,
    };
    Ok(match header.filter(|h| !h.is_empty()) {
        Some(header) => Box::new(Announced::new(line, header)),
        None => line,
    })
}

/// Opens a socket to `to.dst` and starts connecting.
pub(crate) fn start(to: &ConnectTo) -> io::Result<Box<dyn Connecting>> {
    let (Some(range), Some(Address::Ip(src))) = (&to.src_ports, &to.src) else {
        return attempt(to, to.src.as_ref());
    };
    let mut failure = io::Error::from(Errno::ADDRNOTAVAIL);
    for port in range.ports() {
        match attempt(to, Some(&Address::Ip(SocketAddr::new(src.ip(), port)))) {
            // Another connection to the same server has it.
            Err(e) if matches!(e.kind(), ErrorKind::AddrInUse | ErrorKind::AddrNotAvailable) => failure = e,
            outcome => return outcome,
        }
    }
    Err(failure)
}

fn attempt(to: &ConnectTo, src: Option<&Address>) -> io::Result<Box<dyn Connecting>> {
    let family = Family::of(&to.dst);
    let dst = to.dst.to_sys()?;
    let domain = match family {
        Family::V4 => AddressFamily::INET,
        Family::V6 => AddressFamily::INET6,
        Family::Unix => AddressFamily::UNIX,
    };
    let protocol = (to.mptcp && family != Family::Unix).then_some(MPTCP);
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let fd = netns::within(to.namespace.as_deref(), || {
        net::socket_with(domain, SocketType::STREAM, flags, protocol)
    })?;
    if family != Family::Unix {
        prepare_tcp(fd.as_fd(), family, to)?;
        if let Some(src) = src {
            bind_source(fd.as_fd(), family, to, src)?;
        }
    }
    let established = match net::connect(&fd, &dst) {
        Ok(()) => true,
        Err(Errno::INPROGRESS) => false,
        Err(e) => return Err(e.into()),
    };
    finish(fd, family, to.dst.clone(), established)
}

/// Wraps a socket of which `connect` was called.
pub(crate) fn finish(
    fd: OwnedFd,
    family: Family,
    peer: Address,
    established: bool,
) -> io::Result<Box<dyn Connecting>> {
    let sock = Sock::connecting(fd, family, peer)?;
    Ok(Box::new(SockConnecting { sock: Some(sock), established }))
}

fn prepare_tcp(fd: BorrowedFd<'_>, family: Family, to: &ConnectTo) -> io::Result<()> {
    if let Some(mark) = to.mark {
        sysopt::apply(fd, family, SockOpt::Mark(mark))?;
    }
    if let Some(tos) = to.tos {
        sysopt::apply(fd, family, SockOpt::Tos(tos))?;
    }
    if let Some((cnt, idle, intvl)) = to.keepalive {
        sysopt::apply(fd, family, SockOpt::KeepAlive(cnt, idle, intvl))?;
    }
    if let Some(dev) = &to.interface {
        sysopt::bind_to_device(fd, dev)?;
    }
    if to.tcp_ut > 0 {
        sockopt::set_tcp_user_timeout(fd, to.tcp_ut)?;
    }
    if to.tfo {
        // Where the kernel does not know it, the connection is an ordinary one.
        let _ = sysopt::set_int(fd, libc::IPPROTO_TCP, libc::TCP_FASTOPEN_CONNECT, 1);
    }
    if to.rcvbuf > 0 {
        sockopt::set_socket_recv_buffer_size(fd, to.rcvbuf as usize)?;
    }
    if to.sndbuf > 0 {
        sockopt::set_socket_send_buffer_size(fd, to.sndbuf as usize)?;
    }
    if let Some(cc) = &to.cc {
        sockopt::set_tcp_congestion(fd, cc)?;
    }
    if let Some(password) = &to.md5sig {
        md5sig::for_peer(fd, &to.dst, password)?;
    }
    Ok(())
}

/// Binds the source address; without a port, that is chosen at `connect`, so that one address serves more connections
/// than it has ports.
fn bind_source(fd: BorrowedFd<'_>, family: Family, to: &ConnectTo, src: &Address) -> io::Result<()> {
    if to.transparent {
        sysopt::set_transparent(fd, family)?;
    }
    if src.port() == 0 {
        let _ = sysopt::set_int(fd, libc::IPPROTO_IP, libc::IP_BIND_ADDRESS_NO_PORT, 1);
    } else {
        sockopt::set_socket_reuseaddr(fd, true)?;
    }
    // An address of the other family says nothing about this connection.
    if Family::of(src) != family {
        return Ok(());
    }
    Ok(net::bind(fd, &src.to_sys()?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_port_of_a_range_is_tried_once() {
        let range = PortRange::new(65_534, 65_535);
        assert_eq!(range.ports().collect::<Vec<_>>(), [65_534, 65_535]);
        assert_eq!(range.ports().next(), Some(65_534));
        assert_eq!(range.ports().collect::<Vec<_>>(), [65_535, 65_534]);
    }
}
