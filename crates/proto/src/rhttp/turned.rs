//! A connection that this side opened, as the mux of a frontend expects it: with the peer's preface in front, and without
//! the greeting that was sent already.

use super::PREFACE;
use super::attempt::Opened;
use super::frames::{Frames, GOAWAY, NOTHING};
use super::plan::Place;
use crate::Address;
use crate::transport::{SockOpt, Transport};
use std::io::{self, IoSlice};
use std::os::fd::BorrowedFd;
use std::task::{Context, Poll, ready};

/// The connection; it holds a place of the plan for as long as it lives.
pub(super) struct Turned {
    inner: Box<dyn Transport>,
    /// What the mux is to read before anything from the socket.
    early: Vec<u8>,
    /// How much of that it has read.
    read: usize,
    /// What the mux will write first and the peer has already.
    greeting: Vec<u8>,
    /// How much of that it has written.
    written: usize,
    frames: Frames,
    peer_leaves: bool,
    place: Place,
}

impl Turned {
    pub(super) fn new(opened: Opened, place: Place) -> Self {
        let Opened { transport, received, greeting } = opened;
        let mut frames = Frames::default();
        let mut early = [PREFACE.as_slice(), &received].concat();
        let peer_leaves = frames.rename(&mut early[PREFACE.len()..], GOAWAY, NOTHING);
        Self { inner: transport, early, read: 0, greeting, written: 0, frames, peer_leaves, place }
    }

    /// The peer says GOAWAY: its last streams end here, the next ones need another connection. The mux does not hear of
    /// it, for it would close the connection before the peer has no use for it any more.
    fn watch(&mut self, bytes: &mut [u8]) {
        if self.frames.rename(bytes, GOAWAY, NOTHING) {
            self.peer_leaves = true;
            self.place.leaving();
        }
    }

    /// The accept loop takes it.
    pub(super) fn accept(&mut self) {
        self.place.accept();
        if self.peer_leaves {
            self.place.leaving();
        }
    }

    /// Closes it.
    pub(super) fn into_place(self) -> Place {
        self.place
    }

    /// Whether the peer closed, or the connection failed, before anything else came.
    pub(super) fn poll_lost(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if ready!(self.inner.poll_read_ready(cx)).is_err() {
                return Poll::Ready(());
            }
            match self.inner.peek(&mut [0]) {
                Some(Ok(0) | Err(_)) => return Poll::Ready(()),
                // It has to stay where it is, and hides what comes behind it.
                Some(Ok(_)) => return Poll::Pending,
                None => self.inner.clear_ready(false),
            }
        }
    }

    fn early(&self) -> &[u8] {
        &self.early[self.read..]
    }

    /// Swallows what the peer has already.
    fn swallow(&mut self, buf: &[u8]) -> io::Result<usize> {
        let left = &self.greeting[self.written..];
        let n = left.len().min(buf.len());
        if left[..n] != buf[..n] {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the mux does not start as announced"));
        }
        self.written += n;
        if self.written == self.greeting.len() {
            (self.greeting, self.written) = (Vec::new(), 0);
        }
        Ok(n)
    }
}

impl Transport for Turned {
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let early = self.early();
        if !early.is_empty() {
            let n = early.len().min(buf.len());
            buf[..n].copy_from_slice(&early[..n]);
            self.read += n;
            if self.read == self.early.len() {
                (self.early, self.read) = (Vec::new(), 0);
            }
            return Poll::Ready(Ok(n));
        }
        let n = ready!(self.inner.poll_read(cx, buf))?;
        self.watch(&mut buf[..n]);
        Poll::Ready(Ok(n))
    }

    fn poll_read_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.early().is_empty() { self.inner.poll_read_ready(cx) } else { Poll::Ready(Ok(())) }
    }

    fn peek(&mut self, buf: &mut [u8]) -> Option<io::Result<usize>> {
        let early = self.early();
        if early.is_empty() {
            return self.inner.peek(buf);
        }
        let n = early.len().min(buf.len());
        buf[..n].copy_from_slice(&early[..n]);
        Some(Ok(n))
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, buf: &[u8], more: bool) -> Poll<io::Result<usize>> {
        if self.greeting.is_empty() {
            return self.inner.poll_write(cx, buf, more);
        }
        Poll::Ready(self.swallow(buf))
    }

    fn poll_write_vectored(
        &mut self,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
        more: bool,
    ) -> Poll<io::Result<usize>> {
        if self.greeting.is_empty() {
            return self.inner.poll_write_vectored(cx, bufs, more);
        }
        let first = bufs.iter().find(|b| !b.is_empty());
        Poll::Ready(first.map_or(Ok(0), |b| self.swallow(b)))
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.poll_shutdown(cx)
    }

    fn poll_write_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.greeting.is_empty() { self.inner.poll_write_ready(cx) } else { Poll::Ready(Ok(())) }
    }

    fn raw_fd(&self) -> Option<BorrowedFd<'_>> {
        // What comes in has to be watched.
        None
    }

    fn clear_ready(&mut self, write: bool) {
        self.inner.clear_ready(write);
    }

    fn set_linger_zero(&self) {
        self.inner.set_linger_zero();
    }

    fn get_src(&self) -> Address {
        self.inner.get_src()
    }

    fn get_dst(&self) -> Address {
        self.inner.get_dst()
    }

    fn set_option(&self, opt: SockOpt) -> io::Result<()> {
        self.inner.set_option(opt)
    }
}
