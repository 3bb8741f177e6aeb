//! A connection to a server: requests out, responses in, one after the other.

use crate::Side;
use crate::codec::{
    Asked, ConnField, Encoding, Info, Progress, Status, WriteOpts, must_close, parse_response,
    server_keeps_alive, write_request,
};
use crate::input::Input;
use crate::output::Output;
use hawser_http::{BodyLen, Head, KnownName, websocket};
use hawser_proto::mux::{BackMux, BackStream, Fill, MessageInfo, MuxConf, Sink, Source, StreamError};
use hawser_proto::{Connecting, Transport};
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// Sets the mux up for a proxy.
pub fn mux(conf: &MuxConf) -> Arc<dyn BackMux> {
    Arc::new(Mux(Side::new(conf, conf.unsafe_response)))
}

struct Mux(Arc<Side>);

impl BackMux for Mux {
    fn connect(&self, line: Box<dyn Connecting>) -> Box<dyn BackStream> {
        Box::new(H1Back {
            side: self.0.clone(),
            line: Line::Dialing(line),
            input: Input::default(),
            output: Output::default(),
            progress: Progress::default(),
            asked: Asked::Other,
            key: None,
            keep: false,
            dead: false,
            uses: 0,
        })
    }
}

/// The connection below.
enum Line {
    /// Not established yet.
    Dialing(Box<dyn Connecting>),
    /// Established.
    Up(Box<dyn Transport>),
    /// It did not survive the move to another thread.
    Lost,
}

impl Line {
    fn up(&mut self) -> Result<&mut dyn Transport, StreamError> {
        match self {
            Self::Up(t) => Ok(&mut **t),
            Self::Dialing(_) | Self::Lost => Err(StreamError::Io(io::ErrorKind::NotConnected.into())),
        }
    }
}

struct H1Back {
    side: Arc<Side>,
    line: Line,
    input: Input,
    output: Output,
    progress: Progress,
    asked: Asked,
    /// The key of a WebSocket handshake that came without one: HTTP/2 has none.
    key: Option<String>,
    /// The final response was received and the connection outlives it.
    keep: bool,
    /// The server has closed, or sent what nobody asked for.
    dead: bool,
    uses: u32,
}

impl Drop for H1Back {
    fn drop(&mut self) {
        if let Line::Up(transport) = &self.line
            && !self.dead
            && !self.input.eof()
        {
            transport.set_linger_zero();
        }
    }
}

impl H1Back {
    /// Whether a granted upgrade answers the key that this side made up.
    fn answers_key(&self, head: &Head) -> bool {
        let Some(key) = self.key.as_ref().filter(|_| head.status() == 101) else { return true };
        head.first(KnownName::SecWebsocketAccept) == Some(websocket::accept(key.as_bytes()).as_bytes())
    }

    fn accepted_head(&mut self, head: &Head, info: &Info) -> MessageInfo {
        let keep_alive =
            server_keeps_alive(head, info) && (!info.insecure_framing || self.side.keep_insecure_te);
        if head.status() >= 200 || info.body == BodyLen::Tunnel {
            self.keep &= keep_alive;
            self.input.start(info.body);
        }
        if info.body == BodyLen::Tunnel {
            // Whatever framing the request had is over: bytes pass in both directions.
            self.output.start(Encoding::Tunnel);
        }
        MessageInfo {
            body: info.body,
            keep_alive,
            upgrade: info.upgrade,
            websocket: info.websocket,
            expect_continue: false,
        }
    }
}

impl BackStream for H1Back {
    fn send_request(&mut self, head: &Head, info: &MessageInfo, close: bool) {
        self.asked = match head.method() {
            b"HEAD" => Asked::Head,
            b"CONNECT" => Asked::Connect,
            _ if info.upgrade => Asked::Upgrade,
            _ => Asked::Other,
        };
        let close = close || must_close(head, info.body);
        self.keep = !close;
        let opts = WriteOpts {
            conn: if close { ConnField::Close } else { ConnField::Silent },
            case: self.side.case.as_ref(),
        };
        let keyless = info.websocket && head.first(KnownName::SecWebsocketKey).is_none();
        self.key = keyless.then(websocket::key);
        let enc = match &self.key {
            Some(key) => {
                let mut head = head.clone();
                head.add(b"sec-websocket-key", key.as_bytes());
                write_request(&head, info.body, &opts, self.output.text())
            }
            None => write_request(head, info.body, &opts, self.output.text()),
        };
        self.output.start(enc);
    }

    fn poll_response(
        &mut self,
        cx: &mut Context<'_>,
        head: &mut Head,
    ) -> Poll<Result<MessageInfo, StreamError>> {
        loop {
            if !self.input.raw().is_empty() {
                let side = &self.side;
                let parsed = parse_response(
                    self.input.raw(),
                    &mut self.progress,
                    head,
                    &side.limits,
                    side.opts,
                    self.asked,
                );
                match parsed {
                    Ok(Status::Done { consumed, info }) => {
                        self.progress = Progress::default();
                        self.input.consume_raw(consumed);
                        if head.status() == 101 && self.output.is_open() {
                            let why = "upgraded before the request was complete";
                            return Poll::Ready(Err(StreamError::Bad { status: 502, why }));
                        }
                        if !self.answers_key(head) {
                            let why = "wrong Sec-WebSocket-Accept";
                            return Poll::Ready(Err(StreamError::Bad { status: 502, why }));
                        }
                        let info = self.accepted_head(head, &info);
                        let checked = self.input.check(&self.side.limits);
                        return Poll::Ready(
                            checked
                                .map(|()| info)
                                .map_err(|e| StreamError::Bad { status: 502, why: e.reason.as_str() }),
                        );
                    }
                    Ok(Status::Partial) if self.input.is_full() => {
                        return Poll::Ready(Err(StreamError::Bad { status: 502, why: "head too large" }));
                    }
                    Ok(Status::Partial) => {}
                    Err(e) => {
                        return Poll::Ready(Err(StreamError::Bad { status: 502, why: e.reason.as_str() }));
                    }
                }
            }
            match ready!(self.input.poll_more(self.line.up()?, cx)) {
                Ok(n) if n > 0 => {}
                // A head that breaks off, one way or the other.
                Ok(_) | Err(_) if !self.input.raw().is_empty() => return Poll::Ready(Err(StreamError::Eof)),
                Ok(_) => return Poll::Ready(Err(StreamError::Idle)),
                Err(e) => return Poll::Ready(Err(e)),
            }
        }
    }

    fn poll_connected(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamError>> {
        let Line::Dialing(line) = &mut self.line else { return Poll::Ready(Ok(())) };
        let waiting = self.output.waiting();
        let transport = if waiting.is_empty() {
            ready!(line.poll_connect(cx))?
        } else {
            let (transport, sent) = ready!(line.poll_connect_send(cx, &[IoSlice::new(waiting)]))?;
            self.output.advance(sent);
            transport
        };
        self.line = Line::Up(transport);
        Poll::Ready(Ok(()))
    }

    fn uses(&self) -> u32 {
        self.uses
    }

    fn next_request(&mut self) -> bool {
        self.uses = self.uses.saturating_add(1);
        self.input.release();
        self.keep
            && self.input.is_done()
            // Bytes that nobody asked for would be taken for the next response.
            && self.input.raw().is_empty()
            && !self.input.eof()
            && !self.output.is_open()
            && self.output.is_flushed()
    }

    fn poll_dead(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let polled = match self.line.up() {
            Ok(t) => t.poll_read_ready(cx).map(|_| ()),
            Err(_) => Poll::Ready(()),
        };
        self.dead = polled.is_ready();
        polled
    }

    fn into_send(self: Box<Self>) -> Option<Box<dyn BackStream + Send>> {
        Some(self)
    }

    fn migrate(&mut self) -> io::Result<()> {
        match std::mem::replace(&mut self.line, Line::Lost) {
            Line::Up(t) => {
                self.line = Line::Up(t.migrate()?);
                Ok(())
            }
            Line::Dialing(_) | Line::Lost => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn transport(&mut self) -> Option<&mut dyn Transport> {
        self.line.up().ok()
    }
}

impl Source for H1Back {
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<Fill, StreamError>> {
        self.input.poll_fill(self.line.up()?, cx, &self.side.limits)
    }

    fn data(&self) -> &[u8] {
        self.input.data()
    }

    fn consume(&mut self, n: usize) {
        self.input.consume(n);
    }

    fn trailers(&self) -> Option<&Head> {
        self.input.trailers()
    }

    fn raw_source(&mut self) -> Option<(&mut dyn Transport, u64)> {
        let n = self.input.movable();
        if n == 0 {
            return None;
        }
        self.line.up().ok().map(|t| (t, n))
    }

    fn moved(&mut self, n: u64, end: bool) {
        self.input.moved(n, end);
    }
}

impl Sink for H1Back {
    fn poll_data(&mut self, cx: &mut Context<'_>, data: &[u8]) -> Poll<Result<usize, StreamError>> {
        self.output.poll_data(self.line.up()?, cx, data)
    }

    fn end(&mut self, trailers: Option<&Head>) {
        self.keep &= !self.output.is_short();
        self.output.end(trailers);
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamError>> {
        self.output.poll_flush(self.line.up()?, cx)
    }

    fn is_flushed(&self) -> bool {
        self.output.is_flushed()
    }

    fn raw_sink(&mut self) -> Option<(&mut dyn Transport, u64)> {
        let n = self.output.room();
        if n == 0 {
            return None;
        }
        self.line.up().ok().map(|t| (t, n))
    }

    fn announce(&mut self, n: u64) {
        self.output.announce(n);
    }

    fn sent(&mut self, n: u64) {
        self.output.sent(n);
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamError>> {
        self.line.up()?.poll_shutdown(cx).map_err(StreamError::Io)
    }
}
