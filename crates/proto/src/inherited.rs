//! `fd@N`: a listening socket that the parent process opened for us.

use crate::Address;
use crate::receiver::{SockReceiver, errno_text};
use crate::sysopt::Family;
use crate::tcp::{self, TCPV4, TCPV6};
use crate::unix::UNIX_INFO;
use crate::vtable::{BindError, ConnectTo, Connecting, Protocol, ProtocolInfo, Receiver, RxConfig};
use hawser_cfg::model::AddrKind;
use parking_lot::Mutex;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::{Errno, FdFlags, fcntl_dupfd_cloexec, fcntl_setfd};
use rustix::net::{AddressFamily, SocketType, sockopt};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// Inherited descriptors.
pub(crate) struct Inherited;

/// The protocol behind `fd@N`; what the descriptor really is shows in the receiver's own
/// [`Receiver::info`].
pub(crate) static INHERITED: Inherited = Inherited;

static INFO: ProtocolInfo = ProtocolInfo { name: "fd", reuseport: false, dgram: false };

/// Descriptors that already have an owner in this process.
static TAKEN: Mutex<Vec<RawFd>> = Mutex::new(Vec::new());

impl Protocol for Inherited {
    fn info(&self) -> &'static ProtocolInfo {
        &INFO
    }

    fn bind(&self, cfg: &RxConfig, warnings: &mut Vec<String>) -> Result<Box<dyn Receiver>, BindError> {
        let AddrKind::Fd(n) = cfg.addr.kind else { return Err(refused(-1, Errno::INVAL)) };
        let fd = take(n).map_err(|e| refused(n, e))?;
        let info = prepare(fd.as_fd()).map_err(|e| refused(n, e))?;
        let addr = rustix::net::getsockname(&fd).map_or(Address::Unknown, |a| Address::from_sys(&a));
        if let Address::Ip(_) = addr {
            tcp::forget(fd.as_fd());
            tcp::tune(fd.as_fd(), Family::of(&addr), cfg, &addr, warnings)?;
        }
        Ok(Box::new(SockReceiver::new(fd, info, cfg, None)))
    }

    fn connect(&self, _to: &ConnectTo) -> io::Result<Box<dyn Connecting>> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "fd@ cannot be connected to"))
    }
}

fn refused(n: RawFd, e: Errno) -> BindError {
    BindError { text: format!("cannot use file descriptor '{n}' ({})", errno_text(e)), in_use: false }
}

/// Whether a descriptor of the configuration is a socket.
///
/// # Errors
/// It is none, or is not open.
pub fn probe(n: RawFd) -> rustix::io::Result<()> {
    if n < 0 {
        return Err(Errno::BADF);
    }
    // SAFETY: as in `take`; the borrow ends with this call.
    let borrowed = unsafe { BorrowedFd::borrow_raw(n) };
    sockopt::socket_type(borrowed).map(|_| ())
}

/// Makes the descriptor ours: the first to ask owns it, so that stopping really closes the socket; others get
/// duplicates.
///
/// # Errors
/// The number is not that of an open descriptor, or there are no more descriptors.
pub fn take(n: RawFd) -> rustix::io::Result<OwnedFd> {
    if n < 0 {
        return Err(Errno::BADF);
    }
    // SAFETY: a descriptor named in the configuration was opened by the parent; nothing in this process
    // closes it before the receiver that we are about to make, and a number that is not open is answered
    // with EBADF by the calls below.
    let borrowed = unsafe { BorrowedFd::borrow_raw(n) };
    let copy = fcntl_dupfd_cloexec(borrowed, 3)?;
    let mut taken = TAKEN.lock();
    if taken.contains(&n) {
        return Ok(copy);
    }
    taken.push(n);
    // SAFETY: it is open, the duplication proved it, and `TAKEN` makes this the only owner.
    Ok(unsafe { OwnedFd::from_raw_fd(n) })
}

/// Makes an inherited datagram socket ours.
pub(crate) fn dgram(n: RawFd) -> Result<OwnedFd, BindError> {
    let fd = take(n).map_err(|e| refused(n, e))?;
    ready(fd.as_fd(), SocketType::DGRAM).map_err(|e| refused(n, e))?;
    Ok(fd)
}

/// Checks that it is a stream socket that can be polled here and says which protocol it speaks.
fn prepare(fd: BorrowedFd<'_>) -> rustix::io::Result<&'static ProtocolInfo> {
    let tcp: &dyn Protocol = match ready(fd, SocketType::STREAM)? {
        AddressFamily::INET => &TCPV4,
        AddressFamily::INET6 => &TCPV6,
        AddressFamily::UNIX => return Ok(&UNIX_INFO),
        _ => return Err(Errno::AFNOSUPPORT),
    };
    Ok(tcp.info())
}

/// Makes a socket of the kind fit for use here.
fn ready(fd: BorrowedFd<'_>, kind: SocketType) -> rustix::io::Result<AddressFamily> {
    let domain = sockopt::socket_domain(fd)?;
    if sockopt::socket_type(fd)? != kind {
        return Err(Errno::PROTOTYPE);
    }
    fcntl_setfd(fd, FdFlags::CLOEXEC)?;
    fcntl_setfl(fd, fcntl_getfl(fd)? | OFlags::NONBLOCK)?;
    Ok(domain)
}
