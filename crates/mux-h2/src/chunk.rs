//! Bytes on their way through `h2`, and how many of them a connection holds.

use crate::carry::Received;
use crate::outbound::Heads;
use bytes::Buf;
use hawser_proto::buf;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::task::{Context, Poll, Waker};

/// Most bytes that wait to be sent on one connection, all streams together. Whoever reads slowly on a hundred
/// streams gets no more out of the proxy than that.
const LIMIT: usize = 256 * 1024;

/// What the streams of a connection share: how many bytes wait to be sent, and the heads that pass `h2` by.
#[derive(Default, Debug)]
pub(crate) struct Common {
    pub(crate) heads: Heads,
    pub(crate) received: Received,
    held: AtomicUsize,
    /// Somebody waits.
    waited: AtomicBool,
    waiters: Mutex<Vec<Waker>>,
}

impl Common {
    /// Waits until the connection may take more.
    pub(crate) fn poll_room(&self, cx: &Context<'_>) -> Poll<()> {
        if self.held.load(SeqCst) < LIMIT {
            return Poll::Ready(());
        }
        let mut waiters = self.waiters.lock();
        if !waiters.iter().any(|w| w.will_wake(cx.waker())) {
            waiters.push(cx.waker().clone());
        }
        self.waited.store(true, SeqCst);
        drop(waiters);
        // It may have been emptied just before anybody could know that this task waits.
        if self.held.load(SeqCst) < LIMIT { Poll::Ready(()) } else { Poll::Pending }
    }

    fn release(&self, n: usize) {
        let left = self.held.fetch_sub(n, SeqCst) - n;
        if left < LIMIT && self.waited.swap(false, SeqCst) {
            let waiters = std::mem::take(&mut *self.waiters.lock());
            waiters.into_iter().for_each(Waker::wake);
        }
    }
}

/// Bytes that wait to be sent. `h2` drops them when they are on the wire, or their stream is reset.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    data: Vec<u8>,
    pos: usize,
    common: Option<Arc<Common>>,
}

impl Chunk {
    /// Bytes for a connection. The memory goes back to the pool that [`buf::take_text`] serves.
    pub(crate) fn new(data: Vec<u8>, common: &Arc<Common>) -> Self {
        common.held.fetch_add(data.len(), SeqCst);
        Self { data, pos: 0, common: Some(common.clone()) }
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        if let Some(g) = &self.common {
            g.release(self.data.len());
        }
        buf::give_text(std::mem::take(&mut self.data));
    }
}

impl Buf for Chunk {
    fn remaining(&self) -> usize {
        self.data.len().saturating_sub(self.pos)
    }

    fn chunk(&self) -> &[u8] {
        self.data.get(self.pos..).unwrap_or_default()
    }

    fn advance(&mut self, n: usize) {
        self.pos = self.pos.saturating_add(n).min(self.data.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU32;
    use std::task::Wake;

    struct Counter(AtomicU32);

    impl Wake for Counter {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, SeqCst);
        }
    }

    #[test]
    fn a_full_connection_takes_more_once_something_left() {
        let (common, counter) = (Arc::<Common>::default(), Arc::new(Counter(AtomicU32::new(0))));
        let waker = counter.clone().into();
        let cx = Context::from_waker(&waker);
        let mut chunks: Vec<_> = (0..LIMIT / 1024).map(|_| Chunk::new(vec![0; 1024], &common)).collect();
        assert!(common.poll_room(&cx).is_pending() && common.poll_room(&cx).is_pending());
        drop(chunks.pop());
        assert_eq!(counter.0.load(SeqCst), 1);
        assert!(common.poll_room(&cx).is_ready());
        drop(chunks);
        assert_eq!((counter.0.load(SeqCst), common.held.load(SeqCst)), (1, 0));
    }

    #[test]
    fn a_chunk_is_its_bytes() {
        let mut c = Chunk::new(b"abcdef".to_vec(), &Arc::default());
        c.advance(2);
        assert_eq!((c.remaining(), c.chunk()), (4, &b"cdef"[..]));
        c.advance(10);
        assert_eq!(c.remaining(), 0);
    }
}
