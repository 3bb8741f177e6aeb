//! Between `h2` and the transport.
//!
//! Input is read into a buffer of the thread's pool, which is given back as soon as `h2` has taken the bytes.
//! Output is gathered until the task that owns the connection has let `h2` do all it can, and then written at
//! once: `h2` flushes after each DATA frame.

use crate::frames::{Frame, Scanner, kind};
use hawser_proto::Transport;
use hawser_proto::buf::{self, Buf};
use std::cell::{RefCell, RefMut};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Output that is gathered before it is written without being asked to (bytes).
const GATHER: usize = 48 * 1024;

/// Most slices of one write.
const SLICES: usize = 16;

/// Which end of the connection is ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    /// The peer sends the preface.
    Server,
    /// We do.
    Client,
}

/// A handle on the adapter: one is owned by `h2`, one by whoever drives it.
#[derive(Clone)]
pub(crate) struct Wire(Rc<RefCell<Line>>);

/// The adapter's state.
pub(crate) struct Line {
    pub(crate) transport: Box<dyn Transport>,
    /// Bytes that were read and not taken by `h2`.
    input: Option<Buf>,
    /// The last read filled its buffer.
    busy: bool,
    eof: bool,
    out: Vec<u8>,
    /// How much of `out` was written.
    pos: usize,
    reads: Scanner,
    writes: Scanner,
    /// Bytes received and sent.
    bytes: (u64, u64),
    /// The peer has sent a GOAWAY.
    goaway: bool,
}

impl Wire {
    /// Takes a transport over, and bytes that were read from it.
    pub(crate) fn new(transport: Box<dyn Transport>, early: Option<Buf>, role: Role) -> Self {
        let mut line = Line {
            transport,
            input: None,
            busy: false,
            eof: false,
            out: Vec::new(),
            pos: 0,
            reads: Scanner::new(role == Role::Server),
            writes: Scanner::new(role == Role::Client),
            bytes: (0, 0),
            goaway: false,
        };
        if let Some(b) = early.filter(|b| !b.is_empty()) {
            line.arrived(b.data());
            line.input = Some(b);
        }
        Self(Rc::new(RefCell::new(line)))
    }

    /// The state. `h2` borrows it only while it is polled.
    pub(crate) fn line(&self) -> RefMut<'_, Line> {
        self.0.borrow_mut()
    }

    /// Writes what was gathered.
    pub(crate) fn poll_send(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.line().poll_send(cx)
    }
}

impl Line {
    fn arrived(&mut self, bytes: &[u8]) {
        self.bytes.0 += bytes.len() as u64;
        let goaway = &mut self.goaway;
        self.reads.scan(bytes, |f: Frame| *goaway |= f.kind == kind::GOAWAY);
    }

    fn poll_input(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut b = Buf::take(self.busy)?;
        let n = ready!(b.poll_read(&mut *self.transport, cx))?;
        self.eof = n == 0;
        self.busy = b.filled_up();
        self.arrived(b.data());
        self.input = Some(b).filter(|b| !b.is_empty());
        Poll::Ready(Ok(()))
    }

    fn gathered(&self) -> &[u8] {
        self.out.get(self.pos..).unwrap_or_default()
    }

    fn gather(&mut self, bytes: &[u8]) {
        if self.out.capacity() == 0 {
            self.out = buf::take_text();
        }
        self.out.extend_from_slice(bytes);
    }

    /// `n` bytes of what was gathered went out.
    fn sent(&mut self, n: usize) {
        self.bytes.1 += n as u64;
        self.pos += n;
        if self.pos >= self.out.len() {
            self.pos = 0;
            buf::give_text(std::mem::take(&mut self.out));
        }
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.pos < self.out.len() {
            let rest = self.out.get(self.pos..).unwrap_or_default();
            let n = ready!(self.transport.poll_write(cx, rest, false))?;
            if n == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent(n);
        }
        Poll::Ready(Ok(()))
    }

    /// Takes output of `h2`: gathers it, or writes it behind what is gathered where that is enough.
    fn poll_take(&mut self, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let total: usize = bufs.iter().map(|b| b.len()).sum();
        let taken = if self.gathered().len() + total <= GATHER {
            for b in bufs {
                self.gather(b);
            }
            total
        } else {
            ready!(self.poll_through(cx, bufs))?
        };
        let mut left = taken;
        for b in bufs {
            let part = b.get(..left.min(b.len())).unwrap_or_default();
            self.writes.scan(part, |_| {});
            left -= part.len();
        }
        Poll::Ready(Ok(taken))
    }

    fn poll_through(&mut self, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        loop {
            let before = self.gathered().len();
            let mut all = [IoSlice::new(&[]); SLICES];
            let rest = self.out.get(self.pos..).unwrap_or_default();
            let slices = std::iter::once(rest).chain(bufs.iter().map(|b| &**b)).filter(|s| !s.is_empty());
            let mut used = 0;
            for (slot, s) in all.iter_mut().zip(slices) {
                *slot = IoSlice::new(s);
                used += 1;
            }
            let slices = all.get(..used).unwrap_or_default();
            let n = ready!(self.transport.poll_write_vectored(cx, slices, false))?;
            if n == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent(n.min(before));
            if n > before {
                self.bytes.1 += (n - before) as u64;
                return Poll::Ready(Ok(n - before));
            }
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut line = self.0.borrow_mut();
        if line.input.is_none() {
            if line.eof {
                return Poll::Ready(Ok(()));
            }
            ready!(line.poll_input(cx))?;
        }
        if let Some(b) = &mut line.input {
            let n = b.len().min(to.remaining());
            to.put_slice(b.data().get(..n).unwrap_or_default());
            b.consume(n);
        }
        if line.input.as_ref().is_some_and(Buf::is_empty) {
            line.input = None;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.borrow_mut().poll_take(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.0.borrow_mut().poll_take(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// The owner of the connection flushes, once for all frames.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut line = self.0.borrow_mut();
        ready!(line.poll_send(cx))?;
        line.transport.poll_shutdown(cx)
    }
}
