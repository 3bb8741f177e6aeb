//! Input buffers from a pool of the thread, so that a connection without pending bytes owns none.
//!
//! Memory is initialised once, when it is first allocated; a buffer that comes back from the pool holds bytes
//! of its former user, which [`Buf::data`] never shows.

use crate::Transport;
use crate::memory::{self, Need};
use std::cell::RefCell;
use std::io;
use std::task::{Context, Poll};

/// Capacity of a large buffer (bytes): what bulk transfers read at once.
pub const LARGE: usize = 128 * 1024;

/// Largest `tune.bufsize` (bytes).
const MAX_SMALL: usize = 1 << 30;

/// Most bytes that the pool of a thread keeps of each kind.
const KEEP: usize = 4 * 1024 * 1024;

/// The same where memory is limited.
const KEEP_LIMITED: usize = 256 * 1024;

struct Pool {
    small_size: usize,
    small: Vec<Box<[u8]>>,
    large: Vec<Box<[u8]>>,
    texts: Vec<Vec<u8>>,
}

thread_local! {
    static POOL: RefCell<Pool> = const {
        RefCell::new(Pool { small_size: 16384, small: Vec::new(), large: Vec::new(), texts: Vec::new() })
    };
}

/// Sets the capacity of the calling thread's small buffers (`tune.bufsize`, bytes).
pub fn set_small_size(bytes: usize) {
    POOL.with_borrow_mut(|p| {
        p.small_size = bytes.clamp(1024, MAX_SMALL);
        p.small.clear();
    });
}

/// Capacity of the calling thread's small buffers (bytes).
pub fn small_size() -> usize {
    POOL.with_borrow(|p| p.small_size)
}

/// Takes an empty growable buffer for output from the pool.
pub fn take_text() -> Vec<u8> {
    POOL.with_borrow_mut(|p| p.texts.pop()).unwrap_or_else(|| Vec::with_capacity(4096))
}

/// Gives a buffer of [`take_text`] back.
pub fn give_text(mut v: Vec<u8>) {
    let cap = v.capacity();
    if cap == 0 || cap > 64 * 1024 {
        return;
    }
    v.clear();
    POOL.with_borrow_mut(|p| {
        if p.texts.len() < if memory::is_limited() { 8 } else { 256 } {
            p.texts.push(v);
        }
    });
}

/// A buffer of fixed capacity: bytes are appended at its end and consumed at its start.
#[derive(Debug)]
pub struct Buf {
    mem: Box<[u8]>,
    // Small, for every connection has room for one of these.
    start: u32,
    end: u32,
}

impl Buf {
    /// A buffer of `tune.bufsize` bytes, whatever the memory limit says.
    pub fn small() -> Self {
        let (size, mem) = POOL.with_borrow_mut(|p| (p.small_size, p.small.pop()));
        Self::over(mem.unwrap_or_else(|| vec![0; size].into_boxed_slice()))
    }

    /// A buffer for bytes from a peer: a small one, or for `bulk` one of [`LARGE`] bytes (or `tune.bufsize`, if
    /// that is more) unless memory runs short.
    ///
    /// # Errors
    /// The memory limit (`-m`) is near: the connection is to be closed.
    pub fn take(bulk: bool) -> io::Result<Self> {
        if !memory::allows(Need::Buffer) {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        if bulk && memory::allows(Need::Connection) { Ok(Self::large()) } else { Ok(Self::small()) }
    }

    fn large() -> Self {
        let (size, mem) = POOL.with_borrow_mut(|p| (p.small_size.max(LARGE), p.large.pop()));
        Self::over(mem.unwrap_or_else(|| vec![0; size].into_boxed_slice()))
    }

    fn over(mem: Box<[u8]>) -> Self {
        Self { mem, start: 0, end: 0 }
    }

    fn from(&self) -> usize {
        self.start as usize
    }

    fn to(&self) -> usize {
        self.end as usize
    }

    /// Sets both ends; they are within the memory, whose size is below 4 GiB.
    fn set(&mut self, start: usize, end: usize) {
        (self.start, self.end) = (start as u32, end as u32);
    }

    /// What was appended and not consumed.
    pub fn data(&self) -> &[u8] {
        self.mem.get(self.from()..self.to()).unwrap_or_default()
    }

    /// Number of bytes of [`Buf::data`].
    pub fn len(&self) -> usize {
        self.to() - self.from()
    }

    /// Whether [`Buf::data`] is empty.
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Total capacity (bytes).
    pub fn capacity(&self) -> usize {
        self.mem.len()
    }

    /// Whether nothing can be appended, even after [`Buf::compact`].
    pub fn is_full(&self) -> bool {
        self.len() == self.mem.len()
    }

    /// The bytes, to be changed.
    pub fn data_mut(&mut self) -> &mut [u8] {
        let (from, to) = (self.from(), self.to());
        self.mem.get_mut(from..to).unwrap_or_default()
    }

    /// Drops all but the first `n` bytes of [`Buf::data`].
    pub fn truncate(&mut self, n: usize) {
        let from = self.from();
        self.set(from, self.to().min(from.saturating_add(n)));
    }

    /// Drops the first `n` bytes of [`Buf::data`].
    pub fn consume(&mut self, n: usize) {
        let from = self.from().saturating_add(n);
        if from >= self.to() { self.set(0, 0) } else { self.set(from, self.to()) }
    }

    /// Appends as much of `bytes` as fits and returns how much that was.
    pub fn append(&mut self, bytes: &[u8]) -> usize {
        self.compact_if(bytes.len());
        let (from, to) = (self.from(), self.to());
        let n = bytes.len().min(self.mem.len() - to);
        if let (Some(space), Some(bytes)) = (self.mem.get_mut(to..to + n), bytes.get(..n)) {
            space.copy_from_slice(bytes);
        }
        self.set(from, to + n);
        n
    }

    /// Moves the data to the start, so that all free space is at the end.
    pub fn compact(&mut self) {
        if self.start > 0 {
            let (from, to) = (self.from(), self.to());
            self.mem.copy_within(from..to, 0);
            self.set(0, to - from);
        }
    }

    fn compact_if(&mut self, room: usize) {
        if self.mem.len() - self.to() < room {
            self.compact();
        }
    }

    /// Reads once from a transport into the free space, which must not be empty; 0 is end of stream.
    ///
    /// # Errors
    /// Those of [`Transport::poll_read`].
    pub fn poll_read(&mut self, t: &mut dyn Transport, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.compact_if(self.mem.len() / 2);
        let (from, to) = (self.from(), self.to());
        let Some(space) = self.mem.get_mut(to..).filter(|s| !s.is_empty()) else {
            return Poll::Ready(Err(io::ErrorKind::OutOfMemory.into()));
        };
        let n = std::task::ready!(t.poll_read(cx, space))?;
        self.set(from, to + n);
        Poll::Ready(Ok(n))
    }

    /// Whether the end of the memory was reached: the last read may have left more behind.
    pub fn filled_up(&self) -> bool {
        self.to() == self.mem.len()
    }
}

impl Drop for Buf {
    fn drop(&mut self) {
        let mem = std::mem::take(&mut self.mem);
        // The pool may be gone when a thread ends.
        let _ = POOL.try_with(|p| {
            let mut p = p.borrow_mut();
            let size = mem.len();
            let small = size == p.small_size;
            let list = if small { &mut p.small } else { &mut p.large };
            let keep = if memory::is_limited() { KEEP_LIMITED } else { KEEP };
            if size > 0 && list.len() * size < keep && (small || size >= LARGE) {
                list.push(mem);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consume_and_compact_keep_the_rest() {
        let mut b = Buf::small();
        assert_eq!(b.append(b"abcdef"), 6);
        b.consume(2);
        b.compact();
        assert_eq!(b.data(), b"cdef");
        b.consume(9);
        assert!(b.is_empty());
    }

    #[test]
    fn append_stops_at_the_capacity() {
        let mut b = Buf::small();
        let big = vec![7; b.capacity() + 10];
        assert_eq!(b.append(&big), b.capacity());
        assert!(b.is_full());
        b.consume(5);
        assert_eq!(b.append(b"123456"), 5);
        assert_eq!(b.data().len(), b.capacity());
        assert!(b.data().ends_with(b"12345"));
    }

    #[test]
    fn a_recycled_buffer_shows_nothing_of_its_former_user() {
        let mut b = Buf::small();
        b.append(b"secret");
        drop(b);
        assert_eq!(Buf::small().data(), b"");
    }
}
