//! Outgoing connections.

use crate::Address;
use crate::sock::Sock;
use crate::sysopt::{self, Family};
use crate::transport::{SockOpt, Transport};
use crate::vtable::{ConnectTo, Connecting};
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, SocketFlags, SocketType, sockopt};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
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
            None => Err(io::ErrorKind::NotConnected.into()),
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
        let Some(sock) = &mut self.sock else { return Poll::Ready(Err(io::ErrorKind::NotConnected.into())) };
        // On a socket that is still connecting this is EAGAIN, on one that failed it is the failure: the
        // first bytes confirm the connection without asking for its state.
        let sent = ready!(sock.poll_write_vectored(cx, bufs, false))?;
        Poll::Ready(self.take().map(|t| (t, sent)))
    }
}

/// Opens a socket to `to.dst` and starts connecting.
pub(crate) fn start(to: &ConnectTo) -> io::Result<Box<dyn Connecting>> {
    let family = Family::of(&to.dst);
    let dst = to.dst.to_sys()?;
    let fd = net::socket_with(
        match family {
            Family::V4 => AddressFamily::INET,
            Family::V6 => AddressFamily::INET6,
            Family::Unix => AddressFamily::UNIX,
        },
        SocketType::STREAM,
        SocketFlags::NONBLOCK | SocketFlags::CLOEXEC,
        None,
    )?;
    if family != Family::Unix {
        prepare_tcp(fd.as_fd(), family, to)?;
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
    if let Some(src) = &to.src {
        bind_source(fd, src)?;
    }
    Ok(())
}

/// Binds the source address; the port is chosen at `connect`, so that one address serves more connections
/// than it has ports.
fn bind_source(fd: BorrowedFd<'_>, src: &Address) -> io::Result<()> {
    if src.port() == 0 {
        let _ = sysopt::set_int(fd, libc::IPPROTO_IP, libc::IP_BIND_ADDRESS_NO_PORT, 1);
    } else {
        sockopt::set_socket_reuseaddr(fd, true)?;
    }
    Ok(net::bind(fd, &src.to_sys()?)?)
}
