//! An established byte stream.

use crate::Address;
use std::io;
use std::os::fd::BorrowedFd;
use std::task::{Context, Poll};

/// A connected byte stream, owned by one thread.
///
/// Writes try the system call first and wait for readiness only after `EAGAIN`. Reads wait for readiness
/// first, except the first read of an accepted connection, which is tried at once. `poll_*_ready` cost no
/// system call. An idle connection should wait in [`Transport::poll_read_ready`], holding no buffer.
///
/// It belongs to the reactor of the thread that made it until [`Transport::migrate`] is called on another one.
pub trait Transport: Send {
    /// Reads into `buf` (never empty); 0 is end of stream.
    ///
    /// # Errors
    /// What the kernel says; `ECONNRESET` is told from end of stream.
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Waits until a read would not block, without reading.
    fn poll_read_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Whether [`Transport::poll_read_ready`] was pending for this task, and would be again: nothing needs to be done,
    /// or asked. Not every transport knows.
    fn is_waiting(&self, cx: &Context<'_>) -> bool {
        let _ = cx;
        false
    }

    /// Looks at what could be read without consuming it; `None` when nothing is there (`WouldBlock`).
    /// `Some(Ok(0))` is end of stream.
    fn peek(&mut self, buf: &mut [u8]) -> Option<io::Result<usize>>;

    /// Writes some bytes. `more` says that more follows at once (`MSG_MORE`).
    fn poll_write(&mut self, cx: &mut Context<'_>, buf: &[u8], more: bool) -> Poll<io::Result<usize>>;

    /// Writes from several buffers.
    fn poll_write_vectored(
        &mut self,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
        more: bool,
    ) -> Poll<io::Result<usize>>;

    /// Sends what is pending and signals end of stream to the peer (`shutdown(SHUT_WR)`).
    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Waits until a write would not block (used by splice).
    fn poll_write_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// The kernel socket when bytes can be moved on it directly (splice); `None` behind TLS.
    fn raw_fd(&self) -> Option<BorrowedFd<'_>>;

    /// Tells the transport that an operation on [`Transport::raw_fd`] returned `EAGAIN` for reading (or, if
    /// `write`, for writing), so that the next `poll_*_ready` waits.
    fn clear_ready(&mut self, write: bool);

    /// Makes the close a reset (`SO_LINGER` 0): `option nolinger`, `silent-drop` and `reject` need it, and connections
    /// to servers that the proxy is the first to close, which would keep their ports for a minute (`TIME_WAIT`).
    fn set_linger_zero(&self);

    /// The peer's address.
    fn get_src(&self) -> Address;

    /// The address that the peer connected to.
    fn get_dst(&self) -> Address;

    /// The client's SYN packet, where its listener has `tcp-ss`; it can be had once.
    fn saved_syn(&self) -> Option<Vec<u8>> {
        None
    }

    /// Sets `TCP_NODELAY`, `SO_MARK`, TOS and keep-alive when the socket has them; unknown ones are ignored.
    fn set_option(&self, opt: SockOpt) -> io::Result<()>;

    /// Moves an idle stream to the reactor of the calling thread.
    ///
    /// # Errors
    /// This stream, or this reactor, does not do that; the stream is closed.
    fn migrate(self: Box<Self>) -> io::Result<Box<dyn Transport>> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Socket options that layers above may set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SockOpt {
    /// `TCP_NODELAY`.
    NoDelay(bool),
    /// `TCP_QUICKACK`.
    QuickAck(bool),
    /// `SO_MARK`.
    Mark(u32),
    /// `IP_TOS` or `IPV6_TCLASS`.
    Tos(u8),
    /// Keep-alive with (count, idle s, interval s), zero for the system's default.
    KeepAlive(u32, u32, u32),
    /// What the peer learns of the close to come: nothing (`TCP_REPAIR`) without a value, as far as the process may
    /// ask for that; else, or with a value, a RST that lives for so many hops, 1 where there is no value.
    Vanish(Option<u8>),
}
