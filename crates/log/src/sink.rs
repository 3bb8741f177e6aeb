//! Where lines go: datagram sockets of the thread, and inherited descriptors.

use parking_lot::Mutex;
use std::cell::OnceCell;
use std::io::{self, Write};
use std::mem::ManuallyDrop;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::{BorrowedFd, FromRawFd, RawFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr as UnixAddr, UnixDatagram};
use std::path::PathBuf;

/// Bytes of an abstract name that is padded.
const ABSTRACT_NAME: usize = 107;

/// A destination.
#[derive(Debug)]
pub(crate) enum Sink {
    /// Syslog over UDP.
    Udp(SocketAddr),
    /// A UNIX datagram socket.
    Unix(PathBuf),
    /// A UNIX datagram socket with an abstract name.
    Abns(UnixAddr),
    /// An inherited descriptor.
    Fd(FdSink),
}

impl Sink {
    /// The socket of an abstract name: as it is, or padded with NULs to the length of an address. `None` for a name that
    /// is too long, which the configuration cannot have.
    pub(crate) fn abstract_name(name: &[u8], exact: bool) -> Option<Self> {
        let mut name = name.to_vec();
        if !exact {
            name.resize(ABSTRACT_NAME, 0);
        }
        UnixAddr::from_abstract_name(name).ok().map(Self::Abns)
    }

    /// Sends one line in one system call. Never waits; an error means that the line is lost.
    pub(crate) fn send(&self, line: &[u8]) -> io::Result<()> {
        match self {
            Self::Udp(to) => send_udp(to, line),
            Self::Unix(path) => with_unix(|socket| socket.send_to(line, path)),
            Self::Abns(to) => with_unix(|socket| socket.send_to_addr(line, to)),
            Self::Fd(fd) => fd.send(line),
        }
    }
}

/// The sockets of a thread: made when first used, so that they belong to the worker and not to its parent.
#[derive(Default)]
struct Sockets {
    udp4: OnceCell<UdpSocket>,
    udp6: OnceCell<UdpSocket>,
    unix: OnceCell<UnixDatagram>,
}

thread_local! {
    static SOCKETS: Sockets = Sockets::default();
}

fn send_udp(to: &SocketAddr, line: &[u8]) -> io::Result<()> {
    SOCKETS.with(|s| {
        let (cell, any) = match to {
            SocketAddr::V4(_) => (&s.udp4, SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))),
            SocketAddr::V6(_) => (&s.udp6, SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0))),
        };
        let socket = open_once(cell, || {
            let socket = UdpSocket::bind(any)?;
            socket.set_nonblocking(true)?;
            // Nothing is ever read: what strangers send to this port must not pile up.
            rustix::net::sockopt::set_socket_recv_buffer_size(&socket, 0)?;
            Ok(socket)
        })?;
        match socket.send_to(line, to) {
            // The answer to an earlier line: nobody listened. This line has not been tried yet.
            Err(e) if e.kind() == io::ErrorKind::ConnectionRefused => socket.send_to(line, to).map(drop),
            r => r.map(drop),
        }
    })
}

fn with_unix(send: impl FnOnce(&UnixDatagram) -> io::Result<usize>) -> io::Result<()> {
    SOCKETS.with(|s| {
        let socket = open_once(&s.unix, || {
            let socket = UnixDatagram::unbound()?;
            socket.set_nonblocking(true)?;
            Ok(socket)
        })?;
        send(socket).map(drop)
    })
}

fn open_once<T>(cell: &OnceCell<T>, open: impl FnOnce() -> io::Result<T>) -> io::Result<&T> {
    match cell.get() {
        Some(s) => Ok(s),
        None => {
            let s = open()?;
            Ok(cell.get_or_init(|| s))
        }
    }
}

/// `stdout`, `stderr`, `fd@N`. Shared by all threads: lines must not mix.
#[derive(Debug)]
pub(crate) struct FdSink {
    fd: RawFd,
    state: Mutex<FdState>,
}

#[derive(Debug, Default)]
struct FdState {
    /// Made non-blocking.
    ready: bool,
    /// The last line was cut by a full pipe.
    torn: bool,
}

impl FdSink {
    /// A sink on a descriptor that the process inherited and nobody closes.
    pub(crate) fn new(fd: RawFd) -> Self {
        Self { fd, state: Mutex::default() }
    }

    fn send(&self, line: &[u8]) -> io::Result<()> {
        let mut state = self.state.lock();
        if !state.ready {
            self.prepare();
            state.ready = true;
        }
        // SAFETY: the descriptor is only used for the write below; `ManuallyDrop` leaves it open. Should it be
        // closed or be of the wrong kind, the write fails and nothing else happens.
        let mut file = ManuallyDrop::new(unsafe { std::fs::File::from_raw_fd(self.fd) });
        if state.torn {
            file.write_all(b"\n")?;
            state.torn = false;
        }
        let n = file.write(line)?;
        state.torn = n < line.len();
        if state.torn { Err(io::ErrorKind::WriteZero.into()) } else { Ok(()) }
    }

    /// Makes the descriptor non-blocking: a reader that stops reading must not stop the proxy. The flag is shared
    /// with whoever else has this open file, as with HAProxy.
    fn prepare(&self) {
        if self.fd < 0 {
            return;
        }
        // SAFETY: not -1, and used for fcntl only: a closed descriptor gives an error.
        let fd = unsafe { BorrowedFd::borrow_raw(self.fd) };
        if let Ok(flags) = rustix::fs::fcntl_getfl(fd) {
            let _ = rustix::fs::fcntl_setfl(fd, flags | rustix::fs::OFlags::NONBLOCK);
        }
    }
}

#[cfg(test)]
mod tests;
