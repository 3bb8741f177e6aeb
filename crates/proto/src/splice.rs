//! Moving bytes between two sockets inside the kernel, through a pipe.
//!
//! Each thread keeps the pipes that it is not using. A pipe that still holds bytes when it is dropped is
//! closed, so that no connection ever finds another's data.

use crate::Transport;
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice};
use std::cell::RefCell;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use tokio::task::coop;

/// Idle pipes that a thread keeps; a pipe costs two descriptors and, when used, its buffer.
const IDLE_PIPES: usize = 64;

/// Largest amount asked for in one call; what a call moves is bounded by the pipe's size anyway.
pub const MAX_SPLICE: usize = 1 << 30;

/// `tune.pipesize` (bytes), 0 for the system's default.
static PIPE_SIZE: AtomicUsize = AtomicUsize::new(0);
/// Pipes that exist in the process, and how many may (`maxpipes`).
static PIPES: AtomicUsize = AtomicUsize::new(0);
static MAX_PIPES: AtomicUsize = AtomicUsize::new(usize::MAX);

thread_local! {
    static IDLE: RefCell<Vec<(OwnedFd, OwnedFd)>> = const { RefCell::new(Vec::new()) };
}

/// Sets `tune.pipesize` (bytes, 0 for the system's) and `maxpipes`; called once at boot.
pub fn configure(pipe_size: usize, max_pipes: usize) {
    PIPE_SIZE.store(pipe_size, Ordering::Relaxed);
    MAX_PIPES.store(max_pipes, Ordering::Relaxed);
}

/// Pipes that exist now, in use or idle (`PipesUsed` + `PipesFree` of `show info`).
pub fn pipes() -> usize {
    PIPES.load(Ordering::Relaxed)
}

/// A pipe in use by one direction of a connection.
pub struct Pipe {
    /// `None` only while being dropped.
    ends: Option<(OwnedFd, OwnedFd)>,
    len: usize,
}

impl Pipe {
    /// Takes an idle pipe of this thread or makes one.
    ///
    /// # Errors
    /// `maxpipes` is reached (`WouldBlock`), or the kernel refuses.
    pub fn take() -> io::Result<Self> {
        if let Some(ends) = IDLE.with_borrow_mut(Vec::pop) {
            return Ok(Self { ends: Some(ends), len: 0 });
        }
        if PIPES.fetch_add(1, Ordering::Relaxed) >= MAX_PIPES.load(Ordering::Relaxed) {
            PIPES.fetch_sub(1, Ordering::Relaxed);
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let made = pipe_with(PipeFlags::NONBLOCK | PipeFlags::CLOEXEC);
        let ends = made.inspect_err(|_| {
            PIPES.fetch_sub(1, Ordering::Relaxed);
        })?;
        let size = PIPE_SIZE.load(Ordering::Relaxed);
        if size > 0 {
            // A smaller pipe works as well.
            let _ = fcntl_setpipe_size(&ends.1, size);
        }
        Ok(Self { ends: Some(ends), len: 0 })
    }

    /// Bytes inside.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Moves up to `max` bytes from a socket into the pipe; 0 is end of stream.
    ///
    /// # Errors
    /// `WouldBlock` when the socket is empty, or when the pipe is full: only fill an empty pipe if you need
    /// to know which. `InvalidInput` when the socket cannot be spliced.
    pub fn fill(&mut self, from: BorrowedFd<'_>, max: usize) -> io::Result<usize> {
        let Some((_, w)) = &self.ends else { return Err(io::ErrorKind::BrokenPipe.into()) };
        let n = retry(|| splice(from, None, w.as_fd(), None, max, flags(false)))?;
        self.len += n;
        Ok(n)
    }

    /// Moves what the pipe holds into a socket; `more` says that more follows at once.
    ///
    /// # Errors
    /// `WouldBlock` when the socket is full; what the kernel says otherwise.
    pub fn drain(&mut self, to: BorrowedFd<'_>, more: bool) -> io::Result<usize> {
        let Some((r, _)) = &self.ends else { return Err(io::ErrorKind::BrokenPipe.into()) };
        let n = retry(|| splice(r.as_fd(), None, to, None, self.len, flags(more)))?;
        self.len = self.len.saturating_sub(n);
        Ok(n)
    }

    /// Waits for `from` and fills the pipe, which must be empty. `None` when this transport cannot be
    /// spliced (it has no kernel socket).
    pub fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut dyn Transport,
        max: usize,
    ) -> Poll<Option<io::Result<usize>>> {
        // A peer that always has more leaves others their turn.
        let turn = ready!(coop::poll_proceed(cx));
        loop {
            if let Err(e) = ready!(from.poll_read_ready(cx)) {
                return Poll::Ready(Some(Err(e)));
            }
            let Some(fd) = from.raw_fd() else { return Poll::Ready(None) };
            match self.fill(fd, max) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => from.clear_ready(false),
                other => {
                    turn.made_progress();
                    return Poll::Ready(Some(other));
                }
            }
        }
    }

    /// Drains the pipe into `to`, waiting for room as needed, until it is empty. `None` when this transport
    /// cannot be spliced.
    pub fn poll_drain(
        &mut self,
        cx: &mut Context<'_>,
        to: &mut dyn Transport,
        more: bool,
    ) -> Poll<Option<io::Result<()>>> {
        while self.len > 0 {
            let Some(fd) = to.raw_fd() else { return Poll::Ready(None) };
            match self.drain(fd, more) {
                Ok(_) => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    to.clear_ready(true);
                    if let Err(e) = ready!(to.poll_write_ready(cx)) {
                        return Poll::Ready(Some(Err(e)));
                    }
                }
                Err(e) => return Poll::Ready(Some(Err(e))),
            }
        }
        Poll::Ready(Some(Ok(())))
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        let Some(ends) = self.ends.take() else { return };
        // The thread-local is gone while a thread ends: close then.
        let kept = self.len == 0
            && IDLE
                .try_with(|idle| {
                    let mut idle = idle.borrow_mut();
                    let room = idle.len() < IDLE_PIPES;
                    if room {
                        idle.push(ends);
                    }
                    room
                })
                .unwrap_or(false);
        if !kept {
            PIPES.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

fn flags(more: bool) -> SpliceFlags {
    let f = SpliceFlags::MOVE | SpliceFlags::NONBLOCK;
    if more { f | SpliceFlags::MORE } else { f }
}

fn retry(mut op: impl FnMut() -> rustix::io::Result<usize>) -> io::Result<usize> {
    loop {
        match op() {
            Err(Errno::INTR) => {}
            other => return Ok(other?),
        }
    }
}
