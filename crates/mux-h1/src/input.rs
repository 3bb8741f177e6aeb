//! The reading half of a connection: its buffer, and the body under way.

use crate::codec::{ChunkDecoder, Limits, ParseError, Step};
use hawser_http::{BodyLen, Head};
use hawser_proto::Transport;
use hawser_proto::buf::Buf;
use hawser_proto::mux::{Fill, StreamError};
use std::task::{Context, Poll, ready};

/// Bodies with at least this much to come are read with large buffers (bytes).
const BULK: u64 = 32 * 1024;

/// The body under way.
#[derive(Debug, Default)]
enum Body {
    /// None, or all of it was delivered.
    #[default]
    Done,
    /// This many bytes are still to come, the buffered ones included.
    Length(u64),
    /// Chunks.
    Chunked(Box<Chunked>),
    /// Whatever comes until the end of the stream.
    ToEnd,
}

#[derive(Debug, Default)]
struct Chunked {
    decoder: ChunkDecoder,
    /// Decoded bytes at the front of the buffer.
    ready: usize,
    trailers: Head,
}

/// Reads from a transport.
#[derive(Debug, Default)]
pub(crate) struct Input {
    buf: Option<Buf>,
    body: Body,
    trailers: Option<Box<Head>>,
    /// The last read filled its buffer.
    busy: bool,
    eof: bool,
    /// A head was read.
    begun: bool,
}

impl Input {
    /// Starts with bytes that somebody else read.
    pub(crate) fn with(buf: Option<Buf>) -> Self {
        Self { buf: buf.filter(|b| !b.is_empty()), ..Self::default() }
    }

    /// Bytes that were read and belong to nobody yet.
    pub(crate) fn raw(&self) -> &[u8] {
        self.buf.as_ref().map_or(&[], Buf::data)
    }

    /// Gives up what was read.
    pub(crate) fn into_buf(self) -> Option<Buf> {
        self.buf
    }

    /// Takes bytes of [`Input::raw`] away.
    pub(crate) fn consume_raw(&mut self, n: usize) {
        if let Some(b) = &mut self.buf {
            b.consume(n);
        }
        self.release();
    }

    /// Whether the end of the stream was seen.
    pub(crate) fn eof(&self) -> bool {
        self.eof
    }

    /// Whether a head was ever read.
    pub(crate) fn begun(&self) -> bool {
        self.begun
    }

    /// Gives an empty buffer back to the pool.
    pub(crate) fn release(&mut self) {
        if self.buf.as_ref().is_some_and(Buf::is_empty) {
            self.buf = None;
        }
    }

    /// Whether the buffer can take no more.
    pub(crate) fn is_full(&self) -> bool {
        self.buf.as_ref().is_some_and(Buf::is_full)
    }

    /// Reads once; 0 is the end of the stream. An empty buffer is given back while waiting.
    pub(crate) fn poll_more(
        &mut self,
        t: &mut dyn Transport,
        cx: &mut Context<'_>,
    ) -> Poll<Result<usize, StreamError>> {
        if self.eof {
            return Poll::Ready(Ok(0));
        }
        let bulk = self.busy && self.is_bulk();
        let buf = match &mut self.buf {
            Some(b) if !(bulk && b.is_empty() && b.capacity() < hawser_proto::buf::LARGE) => b,
            slot => slot.insert(Buf::take(bulk)?),
        };
        match buf.poll_read(t, cx) {
            Poll::Ready(Ok(n)) => {
                self.eof = n == 0;
                self.busy = buf.filled_up();
                self.release();
                Poll::Ready(Ok(n))
            }
            Poll::Ready(Err(e)) => Poll::Ready(Err(StreamError::Io(e))),
            Poll::Pending => {
                self.release();
                Poll::Pending
            }
        }
    }

    fn is_bulk(&self) -> bool {
        match &self.body {
            Body::Done => false,
            Body::Length(n) => *n >= BULK,
            Body::Chunked(_) | Body::ToEnd => true,
        }
    }

    /// A head was read: its body follows.
    pub(crate) fn start(&mut self, body: BodyLen) {
        self.begun = true;
        self.trailers = None;
        self.body = match body {
            BodyLen::None | BodyLen::Length(0) => Body::Done,
            BodyLen::Length(n) => Body::Length(n),
            BodyLen::Chunked => Body::Chunked(Box::default()),
            BodyLen::UntilClose | BodyLen::Tunnel => Body::ToEnd,
        };
    }

    /// Looks through what came of the body's chunks along with the head: a message that is broken there already is
    /// refused as a whole, before anybody hears of it.
    pub(crate) fn check(&self, lim: &Limits) -> Result<(), ParseError> {
        let Body::Chunked(c) = &self.body else { return Ok(()) };
        let (mut decoder, mut trailers, mut left) = (c.decoder.clone(), Head::default(), self.raw());
        while !left.is_empty()
            && let Step::Data(range) = decoder.decode(left, &mut trailers, lim)?
        {
            left = left.get(range.end..).unwrap_or_default();
        }
        Ok(())
    }

    /// Whether the body was delivered to its end.
    pub(crate) fn is_done(&self) -> bool {
        matches!(self.body, Body::Done)
    }

    /// See [`hawser_proto::mux::Source::poll_fill`].
    pub(crate) fn poll_fill(
        &mut self,
        t: &mut dyn Transport,
        cx: &mut Context<'_>,
        lim: &Limits,
    ) -> Poll<Result<Fill, StreamError>> {
        loop {
            if !self.data().is_empty() {
                return Poll::Ready(Ok(Fill::Data));
            }
            match &mut self.body {
                Body::Done => return Poll::Ready(Ok(Fill::End)),
                Body::Length(0) => {
                    self.body = Body::Done;
                    return Poll::Ready(Ok(Fill::End));
                }
                Body::ToEnd if self.eof => {
                    self.body = Body::Done;
                    return Poll::Ready(Ok(Fill::End));
                }
                Body::Length(_) | Body::ToEnd => {}
                Body::Chunked(_) => {
                    if self.decode(lim)? {
                        continue;
                    }
                }
            }
            if ready!(self.poll_more(t, cx))? == 0 && !matches!(self.body, Body::ToEnd) {
                return Poll::Ready(Err(StreamError::Eof));
            }
        }
    }

    /// Goes on with a chunked body; false when it takes more input.
    fn decode(&mut self, lim: &Limits) -> Result<bool, StreamError> {
        let (Body::Chunked(c), Some(buf)) = (&mut self.body, &mut self.buf) else { return Ok(false) };
        if buf.is_empty() {
            return Ok(false);
        }
        let step = c.decoder.decode(buf.data(), &mut c.trailers, lim);
        match step.map_err(|e| StreamError::Bad { status: e.status, why: e.reason.as_str() })? {
            Step::Data(range) => {
                buf.consume(range.start);
                c.ready = range.len();
                Ok(true)
            }
            Step::More { consumed } => {
                buf.consume(consumed);
                if buf.is_full() {
                    return Err(StreamError::Bad { status: 400, why: "chunk size or trailers too long" });
                }
                Ok(false)
            }
            Step::End { consumed } => {
                buf.consume(consumed);
                let trailers = std::mem::take(&mut c.trailers);
                self.trailers = (!trailers.fields.is_empty()).then(|| Box::new(trailers));
                self.body = Body::Done;
                self.release();
                Ok(true)
            }
        }
    }

    /// Body bytes that have arrived.
    pub(crate) fn data(&self) -> &[u8] {
        let raw = self.raw();
        let n = match &self.body {
            Body::Done => 0,
            Body::Length(n) => usize::try_from(*n).unwrap_or(usize::MAX).min(raw.len()),
            Body::Chunked(c) => c.ready,
            Body::ToEnd => raw.len(),
        };
        raw.get(..n).unwrap_or_default()
    }

    /// Takes body bytes away.
    pub(crate) fn consume(&mut self, n: usize) {
        match &mut self.body {
            Body::Length(left) => *left = left.saturating_sub(n as u64),
            Body::Chunked(c) => c.ready = c.ready.saturating_sub(n),
            Body::Done | Body::ToEnd => {}
        }
        if let Some(b) = &mut self.buf {
            b.consume(n);
        }
    }

    /// The trailers, once the end was seen.
    pub(crate) fn trailers(&self) -> Option<&Head> {
        self.trailers.as_deref()
    }

    /// How many bytes may be moved past this half; 0 when there are some to consume first.
    pub(crate) fn movable(&self) -> u64 {
        if !self.raw().is_empty() || self.eof {
            return 0;
        }
        match &self.body {
            Body::Done => 0,
            Body::Length(n) => *n,
            Body::Chunked(c) => c.decoder.left(),
            Body::ToEnd => u64::MAX,
        }
    }

    /// Bytes were moved past this half.
    pub(crate) fn moved(&mut self, n: u64, end: bool) {
        self.eof |= end;
        match &mut self.body {
            Body::Length(left) => *left = left.saturating_sub(n),
            Body::Chunked(c) => c.decoder.skip(n),
            Body::Done | Body::ToEnd => {}
        }
    }
}
