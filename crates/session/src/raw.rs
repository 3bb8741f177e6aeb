//! The pass-through mux: a byte stream as it is, for TCP mode.

use hawser_http::{BodyLen, Head};
use hawser_proto::buf::{Buf, LARGE};
use hawser_proto::mux::{BackMux, BackStream, Fill, MessageInfo, Sink, Source, StreamError};
use hawser_proto::{Connecting, Transport};
use std::io;
use std::task::{Context, Poll, Waker, ready};

/// Makes pass-through streams to servers.
pub(crate) struct PassThrough;

impl BackMux for PassThrough {
    fn connect(&self, line: Box<dyn Connecting>) -> Box<dyn BackStream> {
        Box::new(Raw {
            line: Line::Dialing(line),
            buf: None,
            eof: false,
            busy: false,
            drained: false,
            server: true,
            abort: false,
        })
    }
}

enum Line {
    Dialing(Box<dyn Connecting>),
    Up(Box<dyn Transport>),
    /// It was given away.
    Gone,
}

impl Line {
    fn up(&mut self) -> Result<&mut dyn Transport, StreamError> {
        match self {
            Self::Up(t) => Ok(&mut **t),
            Self::Dialing(_) | Self::Gone => Err(StreamError::Io(io::ErrorKind::NotConnected.into())),
        }
    }
}

/// A byte stream.
pub(crate) struct Raw {
    line: Line,
    buf: Option<Buf>,
    eof: bool,
    /// The last read filled its buffer.
    busy: bool,
    /// The last read left nothing behind: the next one waits first, and takes no buffer for that.
    drained: bool,
    /// The peer is a server.
    server: bool,
    /// The peer is to see no proper end.
    abort: bool,
}

impl Drop for Raw {
    fn drop(&mut self) {
        if let Line::Up(transport) = &mut self.line
            && self.server
            && !self.eof
        {
            if !self.abort {
                // What it was sent still ends properly.
                let _ = transport.poll_shutdown(&mut Context::from_waker(Waker::noop()));
            }
            transport.set_linger_zero();
        }
    }
}

impl Raw {
    /// Over an established connection.
    pub(crate) fn new(transport: Box<dyn Transport>) -> Self {
        Self {
            line: Line::Up(transport),
            buf: None,
            eof: false,
            busy: false,
            drained: false,
            server: false,
            abort: false,
        }
    }

    /// The transport, if established.
    pub(crate) fn transport(&mut self) -> Option<&mut dyn Transport> {
        self.line.up().ok()
    }

    /// Gives up the connection and what was read from it.
    pub(crate) fn into_parts(mut self) -> Option<(Box<dyn Transport>, Option<Buf>)> {
        match std::mem::replace(&mut self.line, Line::Gone) {
            Line::Up(t) => Some((t, self.buf.take())),
            Line::Dialing(_) | Line::Gone => None,
        }
    }

    /// Whether the end of the stream was read.
    pub(crate) fn eof(&self) -> bool {
        self.eof
    }

    /// Whether no more can be read before something is consumed.
    pub(crate) fn is_full(&self) -> bool {
        self.buf.as_ref().is_some_and(Buf::is_full)
    }

    /// Reads once behind what is there; 0 is the end of the stream. There must be room.
    pub(crate) fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, StreamError>> {
        if self.eof {
            return Poll::Ready(Ok(0));
        }
        let t = self.line.up()?;
        if self.drained {
            if self.buf.as_ref().is_some_and(Buf::is_empty) {
                self.buf = None;
            }
            ready!(t.poll_read_ready(cx))?;
            self.drained = false;
        }
        let grow = self.busy && self.buf.as_ref().is_none_or(|b| b.is_empty() && b.capacity() < LARGE);
        let buf = match &mut self.buf {
            Some(b) if !grow => b,
            slot => slot.insert(Buf::take(grow)?),
        };
        let got = buf.poll_read(t, cx);
        self.busy = buf.filled_up();
        self.drained = !self.busy;
        if buf.is_empty() {
            self.buf = None;
        }
        let n = ready!(got)?;
        self.eof = n == 0;
        Poll::Ready(Ok(n))
    }
}

impl Source for Raw {
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<Fill, StreamError>> {
        if self.buf.as_ref().is_some_and(|b| !b.is_empty()) {
            return Poll::Ready(Ok(Fill::Data));
        }
        let n = ready!(self.poll_more(cx))?;
        Poll::Ready(Ok(if n == 0 { Fill::End } else { Fill::Data }))
    }

    fn is_waiting(&self, cx: &Context<'_>) -> bool {
        // Without a buffer there is nothing in it.
        self.buf.is_none() && matches!(&self.line, Line::Up(t) if t.is_waiting(cx))
    }

    fn data(&self) -> &[u8] {
        self.buf.as_ref().map_or(&[], Buf::data)
    }

    fn poll_grow(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, StreamError>> {
        if self.is_full() { Poll::Ready(Ok(0)) } else { self.poll_more(cx) }
    }

    fn consume(&mut self, n: usize) {
        if let Some(b) = &mut self.buf {
            b.consume(n);
        }
    }

    fn raw_source(&mut self) -> Option<(&mut dyn Transport, u64)> {
        if self.eof || self.buf.as_ref().is_some_and(|b| !b.is_empty()) {
            return None;
        }
        self.line.up().ok().map(|t| (t, u64::MAX))
    }

    fn moved(&mut self, _: u64, end: bool) {
        self.eof |= end;
    }
}

impl Sink for Raw {
    fn poll_data(&mut self, cx: &mut Context<'_>, data: &[u8]) -> Poll<Result<usize, StreamError>> {
        self.line.up()?.poll_write(cx, data, false).map_err(StreamError::Io)
    }

    fn end(&mut self, _: Option<&Head>) {}

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<Result<(), StreamError>> {
        Poll::Ready(Ok(()))
    }

    fn is_flushed(&self) -> bool {
        true
    }

    fn raw_sink(&mut self) -> Option<(&mut dyn Transport, u64)> {
        self.line.up().ok().map(|t| (t, u64::MAX))
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamError>> {
        self.line.up()?.poll_shutdown(cx).map_err(StreamError::Io)
    }
}

impl BackStream for Raw {
    fn send_request(&mut self, _: &Head, _: &MessageInfo, _: bool) {}

    fn poll_connected(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamError>> {
        if let Line::Dialing(line) = &mut self.line {
            let transport = ready!(line.poll_connect(cx))?;
            self.line = Line::Up(transport);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_response(&mut self, _: &mut Context<'_>, _: &mut Head) -> Poll<Result<MessageInfo, StreamError>> {
        Poll::Ready(Ok(MessageInfo { body: BodyLen::Tunnel, ..MessageInfo::default() }))
    }

    fn uses(&self) -> u32 {
        0
    }

    fn next_request(&mut self) -> bool {
        false
    }

    fn poll_dead(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    fn transport(&mut self) -> Option<&mut dyn Transport> {
        self.line.up().ok()
    }

    fn set_linger_zero(&mut self) {
        self.abort = true;
    }
}
