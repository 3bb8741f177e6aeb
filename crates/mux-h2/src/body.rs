//! Bodies: what a stream receives and what it sends, whichever side it is on.

use crate::carry::{Received, Stage};
use crate::chunk::{Chunk, Common};
use crate::head::{self, Limits};
use bytes::Bytes;
use h2::{Reason, RecvStream, SendStream};
use hawser_http::Head;
use hawser_proto::buf;
use hawser_proto::mux::{Fill, StreamError};
use http::HeaderMap;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// Most bytes of one DATA frame of ours.
const FRAME: usize = 16 * 1024;

/// What an error of `h2` means for a stream. `status` is what a client deserves if the peer broke the protocol.
pub(crate) fn stream_error(e: &h2::Error, status: u16) -> StreamError {
    // With a connection that ends for its own reasons, the stream ends before it should.
    if e.is_io() || (e.is_library() && e.is_go_away()) {
        return StreamError::Eof;
    }
    if e.is_library() && e.reason() != Some(Reason::NO_ERROR) {
        return StreamError::Bad { status, why: "HTTP/2 protocol error" };
    }
    // `h2` gives streams beyond the last one that a GOAWAY covers its reason.
    let refused = e.reason() == Some(Reason::REFUSED_STREAM) || (e.is_go_away() && e.is_remote());
    StreamError::Reset { refused }
}

/// The receiving half of a stream.
pub(crate) struct Receiver {
    stream: Option<RecvStream>,
    data: Bytes,
    trailers: Option<Box<Head>>,
    limits: Limits,
    status: u16,
    /// What comes is thrown away: the message can have no body.
    drained: bool,
}

impl Receiver {
    /// A body, or none. `status` is for errors of the peer's.
    pub(crate) fn new(stream: Option<RecvStream>, limits: Limits, status: u16) -> Self {
        Self { stream, data: Bytes::new(), trailers: None, limits, status, drained: false }
    }

    /// Throws away what comes.
    pub(crate) fn drain(&mut self) {
        self.drained = true;
    }

    /// Another body follows: that of a tunnel.
    pub(crate) fn restart(&mut self, stream: RecvStream) {
        self.stream = Some(stream);
    }

    /// `heads` are those of the connection.
    pub(crate) fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        heads: &Received,
    ) -> Poll<Result<Fill, StreamError>> {
        loop {
            if !self.data.is_empty() {
                return Poll::Ready(Ok(Fill::Data));
            }
            let Some(stream) = &mut self.stream else { return Poll::Ready(Ok(Fill::End)) };
            match ready!(stream.poll_data(cx)) {
                Some(Ok(data)) => self.data = data,
                Some(Err(e)) => return Poll::Ready(Err(stream_error(&e, self.status))),
                None => break,
            }
        }
        let Some(stream) = &mut self.stream else { return Poll::Ready(Ok(Fill::End)) };
        let id = stream.stream_id().as_u32();
        let trailers = ready!(stream.poll_trailers(cx)).map_err(|e| stream_error(&e, self.status))?;
        self.stream = None;
        if trailers.is_some() {
            let bad = |why| StreamError::Bad { status: self.status, why };
            let block = heads.take(id, Stage::Trailers).unwrap_or_default();
            self.trailers = Some(head::trailers(block.fields(), self.limits).map_err(bad)?);
        }
        Poll::Ready(Ok(Fill::End))
    }

    /// Waits for the end of a body that was announced to be empty. Nobody may be told of the message before that: a
    /// peer of HTTP/1 would take the head for all of it.
    pub(crate) fn poll_empty(
        &mut self,
        cx: &mut Context<'_>,
        heads: &Received,
    ) -> Poll<Result<(), StreamError>> {
        match ready!(self.poll_fill(cx, heads))? {
            Fill::End => Poll::Ready(Ok(())),
            Fill::Data if self.drained => {
                self.consume(self.data.len());
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Fill::Data => {
                let why = "body longer than its content-length";
                Poll::Ready(Err(StreamError::Bad { status: self.status, why }))
            }
        }
    }

    pub(crate) fn data(&self) -> &[u8] {
        &self.data
    }

    /// Takes bytes away, and lets the peer send as many more.
    pub(crate) fn consume(&mut self, n: usize) {
        let n = n.min(self.data.len());
        let _ = self.data.split_to(n);
        if let Some(s) = &mut self.stream {
            // It fails only for more than was received.
            let _ = s.flow_control().release_capacity(n);
            // Nothing follows, not even trailers: no need to ask again.
            if self.data.is_empty() && s.is_end_stream() {
                self.stream = None;
            }
        }
    }

    /// The stream, if more of it may have come than was taken.
    pub(crate) fn unread(&self) -> Option<u32> {
        self.stream.as_ref().map(|s| s.stream_id().as_u32())
    }

    pub(crate) fn trailers(&self) -> Option<&Head> {
        self.trailers.as_deref()
    }
}

/// The sending half of a stream.
pub(crate) struct Sender {
    common: Arc<Common>,
    stream: Option<SendStream<Chunk>>,
    /// Bytes that the body may still have; `None` for any number.
    left: Option<u64>,
    /// Bytes within the capacity, kept so that the end can go with them.
    held: Vec<u8>,
    /// The end of the stream is sent, or it failed.
    ended: bool,
    failed: bool,
}

impl Sender {
    /// Nothing is sent yet.
    pub(crate) fn new(common: Arc<Common>) -> Self {
        Self { common, stream: None, left: None, held: Vec::new(), ended: false, failed: false }
    }

    /// A body follows: of that length, if it is known.
    pub(crate) fn start(&mut self, stream: SendStream<Chunk>, left: Option<u64>) {
        (self.stream, self.left) = (Some(stream), left);
    }

    /// Nothing follows; what is offered is thrown away.
    pub(crate) fn start_ended(&mut self, stream: SendStream<Chunk>) {
        (self.stream, self.ended) = (Some(stream), true);
    }

    /// It cannot be sent.
    pub(crate) fn fail(&mut self) {
        self.failed = true;
    }

    /// Whether a head was sent.
    pub(crate) fn is_started(&self) -> bool {
        self.stream.is_some() || self.ended
    }

    /// Whether the end was sent.
    pub(crate) fn is_ended(&self) -> bool {
        self.ended
    }

    /// What the connection's streams share.
    pub(crate) fn common(&self) -> &Common {
        &self.common
    }

    pub(crate) fn stream(&mut self) -> Option<&mut SendStream<Chunk>> {
        self.stream.as_mut()
    }

    pub(crate) fn poll_data(
        &mut self,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<Result<usize, StreamError>> {
        if self.failed {
            return Poll::Ready(Err(gone()));
        }
        if data.is_empty() {
            return Poll::Ready(Ok(0));
        }
        // A response that has no body, or more than was announced.
        if self.ended || self.left == Some(0) {
            return Poll::Ready(Ok(data.len()));
        }
        if self.held.len() >= FRAME {
            self.send_held(false)?;
        }
        ready!(self.common.poll_room(cx));
        let Some(stream) = &mut self.stream else { return Poll::Ready(Err(gone())) };
        let left = self.left.map_or(usize::MAX, |l| usize::try_from(l).unwrap_or(usize::MAX));
        let want = data.len().min(FRAME - self.held.len()).min(left);
        // Where bytes are held there may be room left from before.
        let spare = |s: &SendStream<Chunk>| s.capacity().saturating_sub(self.held.len());
        let mut room = if self.held.is_empty() { 0 } else { spare(stream) };
        if room < want {
            stream.reserve_capacity(self.held.len() + want);
            room = spare(stream);
        }
        if room == 0 {
            if !self.held.is_empty() {
                self.send_held(false)?;
            }
            let Some(stream) = &mut self.stream else { return Poll::Ready(Err(gone())) };
            stream.reserve_capacity(want);
            room = match ready!(stream.poll_capacity(cx)) {
                Some(Ok(n)) => n,
                Some(Err(_)) | None => {
                    self.failed = true;
                    return Poll::Ready(Err(gone()));
                }
            };
        }
        let n = want.min(room);
        if self.held.capacity() == 0 {
            self.held = buf::take_text();
        }
        self.held.extend_from_slice(data.get(..n).unwrap_or_default());
        self.left = self.left.map(|l| l.saturating_sub(n as u64));
        if self.left == Some(0) {
            self.send_held(true)?;
        }
        Poll::Ready(Ok(n))
    }

    fn send_held(&mut self, end: bool) -> Result<(), StreamError> {
        let data = Chunk::new(std::mem::take(&mut self.held), &self.common);
        let sent = match &mut self.stream {
            Some(s) => s.send_data(data, end).map_err(|_| gone()),
            None => Err(gone()),
        };
        self.failed |= sent.is_err();
        self.ended |= end;
        sent
    }

    /// Ends the body. One that is shorter than announced breaks the stream off instead.
    pub(crate) fn end(&mut self, trailers: Option<&Head>) {
        if self.ended || self.failed {
            return;
        }
        if self.left.is_some_and(|l| l > 0) {
            self.reset(Reason::INTERNAL_ERROR);
            return;
        }
        let Some(fields) = trailers.map(head::outgoing_trailers).filter(|f| !f.is_empty()) else {
            let _ = self.send_held(true);
            return;
        };
        if !self.held.is_empty() && self.send_held(false).is_err() {
            return;
        }
        if let Some(s) = &mut self.stream {
            let stream = s.stream_id();
            let sent = self.common.heads.send(fields, |()| stream, || s.send_trailers(HeaderMap::new()));
            self.failed |= sent.is_err();
        }
        self.ended = true;
    }

    /// Breaks the stream off.
    pub(crate) fn reset(&mut self, reason: Reason) {
        if let Some(s) = &mut self.stream {
            s.send_reset(reason);
        }
        self.failed = true;
    }

    /// Gives up a body that is not over, to be broken off once what `h2` has of it is on its way.
    pub(crate) fn give_up(&mut self) -> Option<SendStream<Chunk>> {
        let open = !self.ended && !self.failed;
        (self.failed, self.ended) = (true, true);
        self.stream.take().filter(|_| open)
    }

    /// Hands what is held to `h2`.
    pub(crate) fn poll_flush(&mut self) -> Poll<Result<(), StreamError>> {
        if self.failed {
            return Poll::Ready(Err(gone()));
        }
        if !self.held.is_empty() {
            self.send_held(false)?;
        }
        Poll::Ready(Ok(()))
    }

    pub(crate) fn is_flushed(&self) -> bool {
        self.held.is_empty()
    }
}

/// The peer takes no more.
fn gone() -> StreamError {
    StreamError::Reset { refused: false }
}
