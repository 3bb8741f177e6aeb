//! Listening sockets handed from one process to the next, over a UNIX socket of the runtime API: the old process
//! answers `_getsocks` with all of its own, the new one asks for them with `-x` and binds nothing that it got.
//!
//! On the wire: the number of sockets as an `int`; then messages of at most [`BATCH`] descriptors, whose bytes tell for
//! each the namespace and the interface (a length byte and the name) and four bytes of zeroes. Four bytes acknowledge
//! each message.

use crate::{Address, RxConfig, Transport};
use parking_lot::Mutex;
use rustix::io::{Errno, FdFlags, fcntl_setfd};
use rustix::net::{
    self, AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, sockopt,
};
use std::future::poll_fn;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Most descriptors of a message.
const BATCH: usize = 252;
/// Longest description of one socket (bytes): two names and the zeroes.
const ABOUT_MAX: usize = 2 * 256 + 4;
/// How long the old process may take for each message.
const PATIENCE: Duration = Duration::from_secs(1);
/// Most sockets that are believed.
const COUNT_MAX: usize = 65_536;

/// A socket that listens, on its way from one process to another.
#[derive(Debug)]
pub struct Listening {
    /// It.
    pub fd: OwnedFd,
    /// The namespace that it was made in; empty for the process's.
    pub namespace: String,
    /// The interface that it is bound to; empty for all.
    pub interface: String,
}

/// Sends sockets to the process at the other end of a connection.
///
/// # Errors
/// The connection is no UNIX socket, or the other process left or was too slow.
pub async fn give(transport: &mut dyn Transport, sockets: &[Arc<Listening>]) -> io::Result<()> {
    let count = i32::try_from(sockets.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    send(transport, &count.to_ne_bytes(), &[]).await?;
    for batch in sockets.chunks(BATCH) {
        let mut about = Vec::new();
        for s in batch {
            for name in [&s.namespace, &s.interface] {
                about.push(u8::try_from(name.len()).map_err(|_| io::ErrorKind::InvalidInput)?);
                about.extend_from_slice(name.as_bytes());
            }
            about.extend([0; 4]);
        }
        let fds: Vec<BorrowedFd<'_>> = batch.iter().map(|s| s.fd.as_fd()).collect();
        send(transport, &about, &fds).await?;
        let mut ack = [0; 4];
        let heard = poll_fn(|cx| transport.poll_read(cx, &mut ack));
        match tokio::time::timeout(PATIENCE, heard).await {
            Ok(Ok(n)) if n > 0 => {}
            Ok(Err(e)) => return Err(e),
            _ => return Err(io::ErrorKind::TimedOut.into()),
        }
    }
    Ok(())
}

async fn send(transport: &mut dyn Transport, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(BATCH))];
    loop {
        let channel = transport.raw_fd().ok_or(io::ErrorKind::Unsupported)?;
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !fds.is_empty() {
            control.push(SendAncillaryMessage::ScmRights(fds));
        }
        match net::sendmsg(channel, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL) {
            Ok(n) if n == bytes.len() => return Ok(()),
            Ok(_) => return Err(io::ErrorKind::WriteZero.into()),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                transport.clear_ready(true);
                poll_fn(|cx| transport.poll_write_ready(cx)).await?;
            }
            Err(e) => return Err(e.into()),
        }
    }
}

/// Asks the process behind the socket at `path` for its listening sockets. Blocks, for a second a message at most.
///
/// # Errors
/// What a warning is to say.
pub fn ask(path: &Path) -> Result<Vec<Listening>, String> {
    let failed = || format!("Failed to connect to the old process socket '{}'", path.display());
    let channel = net::socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None);
    let channel = channel.map_err(|_| failed())?;
    let addr = Address::Unix(path.to_path_buf()).to_sys().map_err(|_| failed())?;
    net::connect(&channel, &addr).map_err(|_| failed())?;
    ask_over(channel.as_fd())
}

/// The same over a connection to the old process.
///
/// # Errors
/// What a warning is to say.
pub fn ask_over(channel: BorrowedFd<'_>) -> Result<Vec<Listening>, String> {
    let no_number = || "Failed to get the number of sockets to be transferred !".to_owned();
    sockopt::set_socket_timeout(channel, sockopt::Timeout::Recv, Some(PATIENCE)).map_err(|_| no_number())?;
    net::send(channel, b"_getsocks\n", SendFlags::NOSIGNAL).map_err(|_| no_number())?;
    let mut count = [0; 4];
    let (n, _) = net::recv(channel, &mut count, RecvFlags::WAITALL).map_err(|_| no_number())?;
    let count = usize::try_from(i32::from_ne_bytes(count)).ok().filter(|c| n == 4 && *c <= COUNT_MAX);
    receive(channel, count.ok_or_else(no_number)?)
}

fn receive(channel: BorrowedFd<'_>, count: usize) -> Result<Vec<Listening>, String> {
    let mut fds: Vec<OwnedFd> = Vec::new();
    let mut about: Vec<u8> = Vec::new();
    while fds.len() < count {
        let start = about.len();
        about.resize(start + BATCH * ABOUT_MAX, 0);
        let n = match message(channel, &mut about[start..], &mut fds) {
            Ok(n) => n,
            Err(Errno::INTR) => 0,
            Err(_) => break,
        };
        about.truncate(start + n);
        let ack = i32::try_from(fds.len()).unwrap_or(i32::MAX).to_ne_bytes();
        if n == 0 || net::send(channel, &ack, SendFlags::NOSIGNAL).is_err() {
            break;
        }
    }
    if fds.len() != count {
        let got = fds.len();
        return Err(format!("We didn't get the expected number of sockets (expecting {count} got {got})"));
    }
    let mut rest = about.as_slice();
    let mut name = || -> Option<String> {
        let (len, tail) = rest.split_first()?;
        let (name, tail) = tail.split_at_checked(usize::from(*len))?;
        rest = tail;
        Some(String::from_utf8_lossy(name).into_owned())
    };
    let mut out = Vec::with_capacity(count);
    for fd in fds {
        let inconsistent = || "Inconsistency while transferring sockets".to_owned();
        let (namespace, interface) = (name().ok_or_else(inconsistent)?, name().ok_or_else(inconsistent)?);
        // The zeroes: four empty names.
        for _ in 0..4 {
            name().ok_or_else(inconsistent)?;
        }
        out.push(Listening { fd, namespace, interface });
    }
    Ok(out)
}

fn message(channel: BorrowedFd<'_>, about: &mut [u8], fds: &mut Vec<OwnedFd>) -> rustix::io::Result<usize> {
    let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(BATCH))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let got = net::recvmsg(channel, &mut [IoSliceMut::new(about)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
    for m in control.drain() {
        if let RecvAncillaryMessage::ScmRights(received) = m {
            fds.extend(received);
        }
    }
    Ok(got.bytes)
}

/// Sockets of the old process that wait for a line that wants them.
#[derive(Debug, Default)]
pub struct Handed(Mutex<Vec<Listening>>);

impl Handed {
    /// Those that the old process gave.
    pub fn new(sockets: Vec<Listening>) -> Self {
        Self(Mutex::new(sockets))
    }

    /// Takes a socket that is what the line would make.
    pub(crate) fn take(&self, cfg: &RxConfig, addr: &Address) -> Option<OwnedFd> {
        let mut all = self.0.lock();
        let namespace = cfg.namespace.as_ref().map_or("", |n| n.name());
        let interface = cfg.opts.interface.as_deref().unwrap_or_default();
        let fits = |s: &Listening| {
            s.namespace == namespace && s.interface == interface && is_at(s.fd.as_fd(), cfg, addr)
        };
        let found = all.iter().position(fits)?;
        let fd = all.swap_remove(found).fd;
        let flags = rustix::fs::fcntl_getfl(&fd).ok()?;
        rustix::fs::fcntl_setfl(&fd, flags | rustix::fs::OFlags::NONBLOCK).ok()?;
        fcntl_setfd(&fd, FdFlags::CLOEXEC).ok()?;
        Some(fd)
    }

    /// Closes those that no line wanted; returns how many.
    pub fn close(&self) -> usize {
        std::mem::take(&mut *self.0.lock()).len()
    }
}

/// Whether a socket listens at an address in the way that a line says.
fn is_at(fd: BorrowedFd<'_>, cfg: &RxConfig, addr: &Address) -> bool {
    let Ok(local) = net::getsockname(fd) else { return false };
    let kind = if cfg.addr.dgram { SocketType::DGRAM } else { SocketType::STREAM };
    if sockopt::socket_type(fd) != Ok(kind) {
        return false;
    }
    match (Address::from_sys(&local), addr) {
        (Address::Ip(a), Address::Ip(b)) if a.is_ipv6() && a == *b => {
            let alone = sockopt::ipv6_v6only(fd).unwrap_or(false);
            if cfg.opts.v6only { alone } else { !cfg.opts.v4v6 || !alone }
        }
        (Address::Unix(a), Address::Unix(b)) => a == *b || is_temporary(&a, b),
        (a, b) => a == *b,
    }
}

/// A UNIX socket keeps the name under which it was bound: `path.PID.tmp`.
fn is_temporary(name: &Path, path: &Path) -> bool {
    let (Some(name), Some(path)) = (name.to_str(), path.to_str()) else { return false };
    let pid = name.strip_prefix(path).and_then(|r| r.strip_prefix('.')).and_then(|r| r.strip_suffix(".tmp"));
    pid.is_some_and(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
#[path = "handover_tests.rs"]
mod tests;
