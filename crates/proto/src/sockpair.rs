//! `sockpair@N`: connections arrive as descriptors passed over a connected UNIX socket.

use crate::inherited::take;
use crate::receiver::errno_text;
use crate::sock::Sock;
use crate::sysopt::Family;
use crate::vtable::{Accepted, BindError, ConnectTo, Connecting, Protocol, ProtocolInfo, Receiver, RxConfig};
use crate::{Address, connect, reactor};
use hawser_cfg::model::AddrKind;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::{Errno, fcntl_dupfd_cloexec};
use rustix::net::{
    self, AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType,
};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::task::{Context, Poll, ready};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Connections passed as descriptors.
pub(crate) struct Sockpair;

/// The protocol behind `sockpair@N`.
pub(crate) static SOCKPAIR: Sockpair = Sockpair;

static INFO: ProtocolInfo = ProtocolInfo { name: "sockpair", reuseport: false, dgram: false };

impl Protocol for Sockpair {
    fn info(&self) -> &'static ProtocolInfo {
        &INFO
    }

    fn bind(&self, cfg: &RxConfig, _warnings: &mut Vec<String>) -> Result<Box<dyn Receiver>, BindError> {
        let AddrKind::Sockpair(n) = cfg.addr.kind else { return Err(refused(-1, Errno::INVAL)) };
        let fd = take(n).map_err(|e| refused(n, e))?;
        fcntl_getfl(&fd).and_then(|f| fcntl_setfl(&fd, f | OFlags::NONBLOCK)).map_err(|e| refused(n, e))?;
        Ok(Box::new(SockpairReceiver { state: State::Held(fd), number: n }))
    }

    fn connect(&self, to: &ConnectTo) -> io::Result<Box<dyn Connecting>> {
        let Address::Fd(n) = to.dst else { return Err(io::ErrorKind::InvalidInput.into()) };
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let (ours, theirs) = net::socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        // SAFETY: the number is that of a descriptor inherited from the parent, which nobody closes while
        // the configuration names it; a wrong number is answered with EBADF.
        let channel = unsafe { BorrowedFd::borrow_raw(n) };
        pass(channel, theirs.as_fd())?;
        connect::finish(ours, Family::Unix, to.dst.clone(), true)
    }
}

fn refused(n: RawFd, e: Errno) -> BindError {
    BindError { text: format!("cannot use socketpair '{n}' ({})", errno_text(e)), in_use: false }
}

/// Passes a connection to the process at the other end of `channel`; one byte carries it.
///
/// # Errors
/// Of sendmsg(2): the other process is gone, or does not take the connections that it got.
pub fn pass(channel: BorrowedFd<'_>, fd: BorrowedFd<'_>) -> rustix::io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let fds = [fd];
    control.push(SendAncillaryMessage::ScmRights(&fds));
    net::sendmsg(channel, &[io::IoSlice::new(b"F")], &mut control, SendFlags::NOSIGNAL).map(|_| ())
}

/// Receives one descriptor; `None` for a message that carried none.
fn receive(channel: BorrowedFd<'_>) -> rustix::io::Result<Option<OwnedFd>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0_u8; 1];
    let mut bufs = [io::IoSliceMut::new(&mut byte)];
    let got = net::recvmsg(channel, &mut bufs, &mut control, RecvFlags::CMSG_CLOEXEC)?;
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(mut fds) = message {
            return Ok(fds.next());
        }
    }
    // The other end is gone: no connection will ever come.
    if got.bytes == 0 { Err(Errno::CONNRESET) } else { Ok(None) }
}

fn wrap(fd: OwnedFd, src: Address) -> io::Result<Accepted> {
    fcntl_setfl(&fd, fcntl_getfl(&fd)? | OFlags::NONBLOCK)?;
    let sock = Sock::accepted(fd, Family::Unix, src.clone())?;
    Ok(Accepted { transport: Box::new(sock), src })
}

enum State {
    Held(OwnedFd),
    Enabled(AsyncFd<OwnedFd>),
    Gone,
}

struct SockpairReceiver {
    state: State,
    number: RawFd,
}

impl SockpairReceiver {
    fn borrow(&self) -> Option<BorrowedFd<'_>> {
        match &self.state {
            State::Held(fd) => Some(fd.as_fd()),
            State::Enabled(io) => Some(io.get_ref().as_fd()),
            State::Gone => None,
        }
    }
}

impl Receiver for SockpairReceiver {
    fn info(&self) -> &'static ProtocolInfo {
        &INFO
    }

    fn listen(&mut self) -> Result<(), String> {
        Ok(())
    }

    fn enable(&mut self) -> io::Result<()> {
        match std::mem::replace(&mut self.state, State::Gone) {
            State::Held(fd) => {
                self.state = State::Enabled(reactor::register(fd, Interest::READABLE).map_err(|(_, e)| e)?);
                Ok(())
            }
            State::Gone => Err(io::ErrorKind::NotConnected.into()),
            enabled @ State::Enabled(_) => {
                self.state = enabled;
                Ok(())
            }
        }
    }

    fn disable(&mut self) {
        self.state = match std::mem::replace(&mut self.state, State::Gone) {
            State::Enabled(io) => State::Held(io.into_inner()),
            other => other,
        };
    }

    fn suspend(&mut self) -> io::Result<bool> {
        self.disable();
        Ok(true)
    }

    fn resume(&mut self) -> io::Result<()> {
        self.enable()
    }

    fn unbind(mut self: Box<Self>) {
        self.state = State::Gone;
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        let src = self.local_addr();
        let State::Enabled(io) = &self.state else {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        };
        loop {
            let mut guard = ready!(io.poll_read_ready(cx))?;
            match receive(guard.get_inner().as_fd()) {
                Ok(Some(fd)) => return Poll::Ready(wrap(fd, src)),
                Ok(None) | Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => guard.clear_ready(),
                Err(e) => return Poll::Ready(Err(e.into())),
            }
        }
    }

    fn accept_conn(&mut self) -> io::Result<Accepted> {
        let Some(channel) = self.borrow() else { return Err(io::ErrorKind::NotConnected.into()) };
        match receive(channel)? {
            Some(fd) => wrap(fd, self.local_addr()),
            None => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    fn local_addr(&self) -> Address {
        Address::Fd(self.number)
    }

    fn fd(&self) -> Option<RawFd> {
        self.borrow().map(|fd| fd.as_raw_fd())
    }

    fn for_thread(&self, _shared: bool) -> Result<Box<dyn Receiver>, BindError> {
        let fd = self.borrow().ok_or(Errno::BADF).and_then(|fd| fcntl_dupfd_cloexec(fd, 3));
        let fd = fd.map_err(|e| refused(self.number, e))?;
        Ok(Box::new(Self { state: State::Held(fd), number: self.number }))
    }
}
