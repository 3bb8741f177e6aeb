//! Body bytes that were read ahead of forwarding: for rules that look at the body, and for a second try.

use hawser_http::Head;
use hawser_proto::Transport;
use hawser_proto::mux::{Fill, Source, StreamError};
use hawser_sample::ctx::Payload;
use std::task::{Context, Poll, ready};

/// The start of a body.
#[derive(Default)]
pub(crate) struct Held {
    data: Vec<u8>,
    /// How much of it was forwarded.
    pos: usize,
    /// The whole body is here.
    ended: bool,
    /// More was forwarded than is held: there is no way back.
    lost: bool,
    /// Keep what is forwarded up to this many bytes, for a second try.
    keep: usize,
}

impl Held {
    pub(crate) fn clear(&mut self) {
        if self.data.capacity() > 64 * 1024 {
            self.data = Vec::new();
        }
        self.data.clear();
        *self = Self { data: std::mem::take(&mut self.data), ..Self::default() };
    }

    /// Shows rules what waits elsewhere to be forwarded (TCP mode).
    pub(crate) fn show(&mut self, data: &[u8], complete: bool) {
        self.data.clear();
        self.data.extend_from_slice(data);
        self.ended = complete;
    }

    /// What is held, for rules.
    pub(crate) fn payload(&self) -> Payload<'_> {
        Payload { data: &self.data, complete: self.ended }
    }

    /// Number of bytes held.
    pub(crate) fn len(&self) -> usize {
        self.data.len()
    }

    /// Whether the whole body is held.
    pub(crate) fn is_complete(&self) -> bool {
        self.ended
    }

    /// From now on keeps forwarded bytes, up to a limit.
    pub(crate) fn record(&mut self, limit: usize) {
        self.keep = limit;
    }

    /// Whether everything that was forwarded can be forwarded again.
    pub(crate) fn can_rewind(&self) -> bool {
        !self.lost
    }

    /// Forwards from the start again.
    pub(crate) fn rewind(&mut self) {
        self.pos = 0;
    }

    /// Reads from the source until `enough` bytes or the end is here; false when a limit is reached before.
    pub(crate) fn poll_collect(
        &mut self,
        cx: &mut Context<'_>,
        src: &mut dyn Source,
        enough: usize,
    ) -> Poll<Result<(), StreamError>> {
        while !self.ended && self.data.len() < enough {
            match ready!(src.poll_fill(cx))? {
                Fill::End => self.ended = true,
                Fill::Data => {
                    let n = src.data().len().min(enough - self.data.len());
                    self.data.extend_from_slice(src.data().get(..n).unwrap_or_default());
                    src.consume(n);
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// A source whose start may be held.
pub(crate) struct Ahead<'a> {
    pub(crate) held: &'a mut Held,
    pub(crate) inner: &'a mut dyn Source,
}

impl Ahead<'_> {
    fn waiting(&self) -> &[u8] {
        self.held.data.get(self.held.pos..).unwrap_or_default()
    }
}

impl Source for Ahead<'_> {
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<Fill, StreamError>> {
        if !self.waiting().is_empty() {
            return Poll::Ready(Ok(Fill::Data));
        }
        if self.held.ended {
            return Poll::Ready(Ok(Fill::End));
        }
        let fill = ready!(self.inner.poll_fill(cx))?;
        if fill == Fill::End && self.held.keep > 0 {
            self.held.ended = true;
        }
        Poll::Ready(Ok(fill))
    }

    fn data(&self) -> &[u8] {
        let held = self.waiting();
        if held.is_empty() { self.inner.data() } else { held }
    }

    fn consume(&mut self, n: usize) {
        if !self.waiting().is_empty() {
            self.held.pos = (self.held.pos + n).min(self.held.data.len());
            return;
        }
        if !self.held.lost {
            let room = self.held.keep.saturating_sub(self.held.data.len());
            if n <= room {
                self.held.data.extend_from_slice(self.inner.data().get(..n).unwrap_or_default());
                self.held.pos = self.held.data.len();
            } else {
                self.held.lost = true;
            }
        }
        self.inner.consume(n);
    }

    fn trailers(&self) -> Option<&Head> {
        self.inner.trailers()
    }

    fn raw_source(&mut self) -> Option<(&mut dyn Transport, u64)> {
        if self.held.pos < self.held.data.len() || self.held.ended || self.held.keep > 0 && !self.held.lost {
            return None;
        }
        self.inner.raw_source()
    }

    fn moved(&mut self, n: u64, end: bool) {
        self.held.lost |= n > 0;
        self.inner.moved(n, end);
    }
}
