//! A request of a client, and its response.

use crate::body::{Receiver, Sender};
use crate::chunk::Chunk;
use crate::conf::Side;
use crate::frames::HEADER;
use crate::front::conn::Shared;
use crate::head::{self, Limits};
use crate::wire::Wire;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use hawser_http::{BodyLen, Head};
use hawser_proto::SockOpt;
use hawser_proto::mux::{Fill, FrontStream, Gone, MessageInfo, Sink, Source, StreamError};
use http::{Response, StatusCode};
use std::rc::Rc;
use std::task::{Context, Poll, ready};

/// The response that was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Asked {
    head: bool,
    /// Extended CONNECT (RFC 8441).
    extended: bool,
}

/// A request of a client.
pub(crate) struct Stream {
    wire: Wire,
    shared: Rc<Shared>,
    id: u32,
    respond: SendResponse<Chunk>,
    /// The head, until it was handed out.
    head: Option<Box<Head>>,
    received: usize,
    info: MessageInfo,
    valid: bool,
    asked: Asked,
    receiver: Receiver,
    /// What the client sends once its tunnel is granted.
    later: Option<RecvStream>,
    sender: Sender,
}

/// A request, as it has come out of `h2`.
pub(crate) struct Received {
    /// The stream's number.
    pub(crate) id: u32,
    pub(crate) head: Box<Head>,
    pub(crate) info: MessageInfo,
    pub(crate) extended: bool,
    /// It is a request of HTTP.
    pub(crate) valid: bool,
    /// No body follows.
    pub(crate) ended: bool,
    pub(crate) body: RecvStream,
}

impl Stream {
    pub(crate) fn new(
        wire: Wire,
        shared: Rc<Shared>,
        side: &Side,
        respond: SendResponse<Chunk>,
        request: Received,
    ) -> Box<Self> {
        shared.live.set(shared.live.get() + 1);
        let Received { id, head, info, extended, valid, ended, body } = request;
        let asked = Asked { head: head.method() == b"HEAD", extended };
        let ended = ended && info.body == BodyLen::None;
        let (now, later) = match () {
            () if extended || head.method() == b"CONNECT" => (None, Some(body)),
            () if ended => (None, None),
            () => (Some(body), None),
        };
        let sender = Sender::new(shared.common.clone());
        Box::new(Self {
            wire,
            shared,
            id,
            respond,
            // One that is not looked at was a frame at least.
            received: if valid { head.buf.len() } else { HEADER },
            head: Some(head),
            info,
            valid,
            asked,
            receiver: Receiver::new(now, Limits::of(side), 400),
            later,
            sender,
        })
    }
}

impl FrontStream for Stream {
    fn poll_readable(&mut self, _: &mut Context<'_>) -> Poll<Result<(), StreamError>> {
        Poll::Ready(Ok(()))
    }

    fn poll_request(
        &mut self,
        cx: &mut Context<'_>,
        head: &mut Head,
    ) -> Poll<Result<MessageInfo, StreamError>> {
        if self.info.body == BodyLen::Length(0) {
            ready!(self.receiver.poll_empty(cx, &self.shared.common.received))?;
            self.info.body = BodyLen::None;
        }
        let Some(mut mine) = self.head.take() else { return Poll::Ready(Err(StreamError::Idle)) };
        if !self.valid || head::misplaced(&mine) {
            return Poll::Ready(Err(StreamError::Bad { status: 400, why: "invalid request" }));
        }
        std::mem::swap(head, &mut *mine);
        let watch = &mut self.wire.line().watch;
        watch.started = watch.started.max(self.id);
        head::give(mine);
        Poll::Ready(Ok(self.info))
    }

    fn received(&self) -> usize {
        self.received
    }

    fn send_response(&mut self, head: &Head, body: BodyLen, _: bool) {
        let res = head::outgoing_response(head, body, self.asked.extended);
        let bodyless = self.asked.head || matches!(head.status(), 204 | 304);
        let (ended, left) = match body {
            BodyLen::Tunnel => (false, None),
            BodyLen::None | BodyLen::Length(0) => (true, None),
            // What comes is thrown away, and the stream ends when it has come: a client that goes on at once finds
            // the server's connection free.
            _ if bodyless => (false, Some(0)),
            BodyLen::Length(n) => (false, Some(n)),
            BodyLen::Chunked | BodyLen::UntilClose => (false, None),
        };
        let stream = self.respond.stream_id();
        let send = || self.respond.send_response(Response::new(()), ended);
        match self.shared.common.heads.send(res, |_| stream, send) {
            Ok(stream) if ended => self.sender.start_ended(stream),
            Ok(stream) => self.sender.start(stream, left),
            Err(_) => self.sender.fail(),
        }
        if body == BodyLen::Tunnel
            && let Some(s) = self.later.take()
        {
            self.receiver.restart(s);
        }
    }

    fn send_interim(&mut self, head: &Head) {
        let (head, stream) =
            (head::outgoing_response(head, BodyLen::Tunnel, false), self.respond.stream_id());
        let mut interim = Response::new(());
        *interim.status_mut() = StatusCode::CONTINUE;
        // A client that has gone needs none.
        let _ = self.shared.common.heads.send(head, |()| stream, || self.respond.send_informational(interim));
    }

    fn next_request(&mut self) -> bool {
        false
    }

    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<Gone> {
        let reset = match self.sender.stream() {
            Some(s) => s.poll_reset(cx),
            None => self.respond.poll_reset(cx),
        };
        reset.map(|_| Gone::Reset)
    }

    fn set_option(&mut self, opt: SockOpt) {
        // A socket without the option is served as well.
        let _ = self.wire.line().transport().map(|t| t.set_option(opt));
    }

    fn set_linger_zero(&mut self) {
        if let Some(t) = self.wire.line().transport() {
            t.set_linger_zero();
        }
    }

    fn glitches(&self) -> u32 {
        self.wire.line().watch.glitches()
    }

    fn abort(&mut self, silent: bool) {
        if silent {
            self.shared.kill.set(true);
            self.shared.wake();
        }
        self.break_off();
    }
}

impl Stream {
    fn break_off(&mut self) {
        match (self.sender.is_started(), self.sender.is_ended()) {
            (_, true) => {}
            // Nothing was sent: the client may try again.
            (false, _) => {
                self.wire.line().watch.own_refusals += 1;
                self.respond.send_reset(Reason::REFUSED_STREAM);
                self.sender.give_up();
            }
            (true, _) => {
                if let Some(s) = self.sender.give_up() {
                    self.shared.part(s);
                }
            }
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.break_off();
        if self.receiver.unread().is_some() || self.later.is_some() {
            self.shared.common.received.forget(self.id);
        }
        if let Some(h) = self.head.take() {
            head::give(h);
        }
        self.shared.leave();
    }
}

impl Source for Stream {
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<Fill, StreamError>> {
        self.receiver.poll_fill(cx, &self.shared.common.received)
    }

    fn data(&self) -> &[u8] {
        self.receiver.data()
    }

    fn consume(&mut self, n: usize) {
        self.receiver.consume(n);
    }

    fn trailers(&self) -> Option<&Head> {
        self.receiver.trailers()
    }
}

impl Sink for Stream {
    fn poll_data(&mut self, cx: &mut Context<'_>, data: &[u8]) -> Poll<Result<usize, StreamError>> {
        self.sender.poll_data(cx, data)
    }

    fn end(&mut self, trailers: Option<&Head>) {
        self.sender.end(trailers);
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<Result<(), StreamError>> {
        self.sender.poll_flush()
    }

    fn is_flushed(&self) -> bool {
        self.sender.is_flushed()
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<Result<(), StreamError>> {
        self.sender.end(None);
        Poll::Ready(Ok(()))
    }
}
