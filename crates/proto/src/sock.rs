//! The one stream transport: a kernel socket on the thread's reactor.
//!
//! Counting system calls. Reads wait for readiness first, for data is rarely there before the reactor said
//! so; the exception is a connection just accepted, whose request usually came with it. Writes are tried at
//! once, for a socket is rarely full. A read shorter than its buffer has emptied the socket, so readiness is
//! cleared without paying for an `EAGAIN`. This is safe with edge-triggered polling: whatever arrives later
//! is a new edge, and the end of the stream is kept by the reactor as a final state.
//!
//! Counting instructions. A task that serves two sockets is woken by one of them and asks both: a waker that the
//! reactor still has is not given to it again.

use crate::sysopt::{self, Family};
use crate::transport::{SockOpt, Transport};
use crate::{Address, reactor};
use rustix::io::Errno;
use rustix::net::{self, RecvFlags, SendFlags, Shutdown};
use std::cell::{Cell, OnceCell};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::task::coop;

/// A connected stream socket: TCP, UNIX, abstract UNIX, one end of a socketpair, an inherited descriptor.
pub struct Sock {
    io: AsyncFd<OwnedFd>,
    src: Address,
    dst: OnceCell<Address>,
    family: Family,
    /// Just accepted: the first read is tried without waiting.
    fresh: bool,
    /// The last read filled its buffer: the next one comes off the task's budget, so that others have their turn.
    filled: bool,
    /// The last write met a full socket: wait before the next.
    write_blocked: bool,
    nodelay: Cell<NoDelay>,
    /// Whom the reactor will wake for reading, by the address behind the waker; 0 when that is not known. While the
    /// reactor holds a waker, nothing else can have its address.
    waiting: usize,
    _counted: Counted,
}

/// Sockets of connections that are open in the process.
pub static OPEN_SOCKETS: AtomicU32 = AtomicU32::new(0);

/// Counts among [`OPEN_SOCKETS`].
struct Counted;

impl Counted {
    fn new() -> Self {
        OPEN_SOCKETS.fetch_add(1, Relaxed);
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        OPEN_SOCKETS.fetch_sub(1, Relaxed);
    }
}

/// `TCP_NODELAY` matters only for a write while earlier bytes are not acknowledged. Accepted sockets inherit it
/// from their listener; for connections to servers it is set before the first such write, which a request
/// followed by its response never needs: one system call less.
#[derive(Clone, Copy, PartialEq, Eq)]
enum NoDelay {
    /// It is set, or the socket has no such thing.
    Set,
    /// Nothing was sent since the peer last sent something.
    Quiet,
    /// Something was.
    InFlight,
}

impl Sock {
    /// Takes over a non-blocking socket that was just accepted from `src`.
    ///
    /// # Errors
    /// The reactor cannot take the descriptor (`EMFILE`-like limits of epoll).
    pub fn accepted(fd: OwnedFd, family: Family, src: Address) -> io::Result<Self> {
        Self::new(fd, family, src, true)
    }

    /// Takes over a non-blocking socket of which `connect` was called.
    ///
    /// # Errors
    /// As for [`Sock::accepted`].
    pub(crate) fn connecting(fd: OwnedFd, family: Family, peer: Address) -> io::Result<Self> {
        let sock = Self::new(fd, family, peer, false)?;
        if family != Family::Unix {
            sock.nodelay.set(NoDelay::Quiet);
        }
        Ok(sock)
    }

    fn new(fd: OwnedFd, family: Family, src: Address, fresh: bool) -> io::Result<Self> {
        let io = reactor::register(fd, Interest::READABLE | Interest::WRITABLE).map_err(|(_, e)| e)?;
        Ok(Self {
            io,
            src,
            dst: OnceCell::new(),
            family,
            fresh,
            filled: false,
            write_blocked: false,
            nodelay: Cell::new(NoDelay::Set),
            waiting: 0,
            _counted: Counted::new(),
        })
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.io.get_ref().as_fd()
    }

    /// Waits for the outcome of a `connect` in progress.
    pub(crate) fn poll_connected(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let guard = ready!(self.io.poll_write_ready(cx))?;
        let ready = guard.ready();
        if !(ready.is_write_closed() || ready.is_error()) {
            return Poll::Ready(Ok(()));
        }
        let failed = net::sockopt::socket_error(self.fd())?;
        Poll::Ready(failed.map_err(Into::into))
    }

    /// Runs a write operation now, or when the socket has room again.
    fn poll_write_with<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut op: impl FnMut(BorrowedFd<'_>) -> rustix::io::Result<T>,
    ) -> Poll<io::Result<T>> {
        loop {
            if self.write_blocked {
                let _ = ready!(self.io.poll_write_ready(cx))?;
                self.write_blocked = false;
            }
            if self.nodelay.get() == NoDelay::InFlight {
                self.set_nodelay();
            }
            match op(self.fd()) {
                Ok(v) => {
                    if self.nodelay.get() == NoDelay::Quiet {
                        self.nodelay.set(NoDelay::InFlight);
                    }
                    return Poll::Ready(Ok(v));
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => self.clear_ready(true),
                Err(e) => return Poll::Ready(Err(e.into())),
            }
        }
    }

    /// Waits until the reactor has seen something to read.
    fn wait_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.filled && self.io.try_io(Interest::READABLE, |_| Ok(())).is_ok() {
            self.waiting = 0;
            return Poll::Ready(Ok(()));
        }
        if self.is_waiting(cx) {
            return Poll::Pending;
        }
        // Without a budget it comes back without having given the waker to the reactor.
        let may_wait = coop::has_budget_remaining();
        let ready = self.io.poll_read_ready(cx).map_ok(|_| ());
        self.waiting = if may_wait && ready.is_pending() { cx.waker().data().addr() } else { 0 };
        self.filled &= ready.is_pending();
        ready
    }

    /// Reads if the reactor has seen something to read; none if it was wrong.
    fn try_read(&mut self, buf: &mut [u8]) -> Option<io::Result<usize>> {
        let mut got = None;
        let _ = self.io.try_io(Interest::READABLE, |fd| {
            self.waiting = 0;
            let read = loop {
                match net::recv(fd, &mut *buf, RecvFlags::empty()) {
                    Err(Errno::INTR) => {}
                    Err(Errno::AGAIN) => return Err(io::ErrorKind::WouldBlock.into()),
                    read => break read.map(|(n, _)| n),
                }
            };
            got = Some(read);
            // A short read has emptied the socket.
            if read.is_ok_and(|n| n < buf.len()) { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
        });
        if let Ok(n) = got? {
            self.filled = n == buf.len();
            self.heard();
        }
        got.map(|read| read.map_err(Into::into))
    }

    /// What the reactor has seen is out of date. No turn of it lies between the system call and here, so nothing newer
    /// can be lost.
    fn forget(&mut self, interest: Interest) {
        let _ = self.io.try_io(interest, |_| Err::<(), _>(io::ErrorKind::WouldBlock.into()));
    }

    /// A failure would cost time, not bytes.
    fn set_nodelay(&self) {
        let _ = net::sockopt::set_tcp_nodelay(self.fd(), true);
        self.nodelay.set(NoDelay::Set);
    }

    fn heard(&self) {
        if self.nodelay.get() == NoDelay::InFlight {
            self.nodelay.set(NoDelay::Quiet);
        }
    }
}

impl Transport for Sock {
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        if self.fresh {
            if self.filled {
                ready!(coop::poll_proceed(cx)).made_progress();
            }
            self.fresh = false;
            match net::recv(self.fd(), &mut *buf, RecvFlags::empty()) {
                Ok((n, _)) => {
                    // A full buffer means that more is probably there; the reactor may not have seen it yet.
                    self.fresh = n == buf.len();
                    self.filled = self.fresh;
                    if !self.fresh {
                        self.clear_ready(false);
                    }
                    return Poll::Ready(Ok(n));
                }
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(e) => return Poll::Ready(Err(e.into())),
            }
        }
        loop {
            if !self.filled
                && let Some(got) = self.try_read(buf)
            {
                return Poll::Ready(got);
            }
            ready!(self.wait_read(cx))?;
        }
    }

    fn poll_read_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.wait_read(cx)
    }

    fn is_waiting(&self, cx: &Context<'_>) -> bool {
        self.waiting != 0
            && self.waiting == cx.waker().data().addr()
            && self.io.try_io(Interest::READABLE, |_| Ok(())).is_err()
    }

    fn peek(&mut self, buf: &mut [u8]) -> Option<io::Result<usize>> {
        loop {
            match net::recv(self.fd(), &mut *buf, RecvFlags::PEEK | RecvFlags::DONTWAIT) {
                Ok((n, _)) => return Some(Ok(n)),
                Err(Errno::AGAIN) => return None,
                Err(Errno::INTR) => {}
                Err(e) => return Some(Err(e.into())),
            }
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, buf: &[u8], more: bool) -> Poll<io::Result<usize>> {
        let flags = send_flags(more);
        self.poll_write_with(cx, |fd| net::send(fd, buf, flags))
    }

    fn poll_write_vectored(
        &mut self,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
        more: bool,
    ) -> Poll<io::Result<usize>> {
        if let [one] = bufs {
            return self.poll_write(cx, one, more);
        }
        let flags = send_flags(more);
        self.poll_write_with(cx, |fd| net::sendmsg(fd, bufs, &mut net::SendAncillaryBuffer::default(), flags))
    }

    fn poll_shutdown(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(match net::shutdown(self.fd(), Shutdown::Write) {
            Ok(()) | Err(Errno::NOTCONN) => Ok(()),
            Err(e) => Err(e.into()),
        })
    }

    fn poll_write_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.poll_write_ready(cx).map_ok(|_| ())
    }

    fn raw_fd(&self) -> Option<BorrowedFd<'_>> {
        // What will be written is out of sight from now on.
        if self.nodelay.get() != NoDelay::Set {
            self.set_nodelay();
        }
        Some(self.fd())
    }

    fn clear_ready(&mut self, write: bool) {
        if write {
            self.write_blocked = true;
            self.forget(Interest::WRITABLE);
        } else {
            self.waiting = 0;
            self.forget(Interest::READABLE);
        }
    }

    fn set_linger_zero(&self) {
        // Fails only on sockets that have no reset (UNIX), where there is nothing to ask for.
        let _ = net::sockopt::set_socket_linger(self.fd(), Some(Duration::ZERO));
    }

    fn get_src(&self) -> Address {
        self.src.clone()
    }

    fn get_dst(&self) -> Address {
        self.dst
            .get_or_init(|| net::getsockname(self.fd()).map_or(Address::Unknown, |a| Address::from_sys(&a)))
            .clone()
    }

    fn saved_syn(&self) -> Option<Vec<u8>> {
        if self.family == Family::Unix { None } else { sysopt::saved_syn(self.fd()) }
    }

    fn set_option(&self, opt: SockOpt) -> io::Result<()> {
        if matches!(opt, SockOpt::NoDelay(_)) {
            self.nodelay.set(NoDelay::Set);
        }
        sysopt::apply(self.fd(), self.family, opt)
    }

    fn migrate(self: Box<Self>) -> io::Result<Box<dyn Transport>> {
        let Self { io, src, dst, family, nodelay, .. } = *self;
        let sock = Self::new(io.into_inner(), family, src, false)?;
        Ok(Box::new(Self { dst, nodelay, ..sock }))
    }
}

fn send_flags(more: bool) -> SendFlags {
    if more { SendFlags::NOSIGNAL | SendFlags::MORE } else { SendFlags::NOSIGNAL }
}
