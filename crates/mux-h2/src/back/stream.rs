//! A request to a server, and its response.

use crate::back::conn::{Asking, Handle};
use crate::back::driver::Driver;
use crate::body::{Receiver, Sender, stream_error};
use crate::carry::{Block, Stage};
use crate::chunk::{Chunk, Common};
use crate::conf::Side;
use crate::head::{self, Limits};
use crate::wire::Wire;
use h2::client::{ResponseFuture, SendRequest};
use hawser_http::{BodyLen, Head, KnownName};
use hawser_proto::mux::{BackConn, BackStream, Fill, H2Event, MessageInfo, Sink, Source, StreamError};
use hawser_proto::{Connecting, Transport};
use http::StatusCode;
use std::io::{ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, ready};

/// What the stream runs on.
enum Place {
    /// The connection is not established yet.
    Dialing { line: Box<dyn Connecting>, driver: Option<Box<Driver>> },
    /// It is.
    Up(Arc<Handle>),
    /// It could not be.
    Failed,
}

/// What was asked for, as far as the response depends on it.
#[derive(Clone, Default, Debug)]
enum Asked {
    /// CONNECT: 2xx starts a tunnel.
    Connect,
    /// Extended CONNECT to that protocol, with the key of a WebSocket client that speaks HTTP/1.
    Upgrade { protocol: Vec<u8>, key: Option<Vec<u8>> },
    #[default]
    Other,
}

/// A request to a server.
pub(crate) struct Stream {
    side: Arc<Side>,
    place: Place,
    /// Sends the request while the connection is being established.
    send: Option<SendRequest<Chunk>>,
    /// It counts among the connection's streams.
    entered: bool,
    /// Exchanges on the connection before this one.
    before: u64,
    /// The request, until it was handed to `h2`, and the length of its body.
    request: Option<(Asking, BodyLen)>,
    asked: Asked,
    /// The session has sent a request without a body, which an upgrade leaves open until its outcome is known.
    held_open: bool,
    /// A tunnel is asked for by a request with a body.
    bodied: bool,
    response: Option<ResponseFuture>,
    /// The response says that its body is empty, which is to be seen.
    empty: Option<MessageInfo>,
    failed: Option<StreamError>,
    receiver: Receiver,
    sender: Sender,
}

impl Stream {
    /// The first stream of a connection to come.
    pub(crate) fn dialing(side: Arc<Side>, line: Box<dyn Connecting>) -> Self {
        Self::new(side, Place::Dialing { line, driver: None }, 0, Arc::default())
    }

    /// A stream on a connection that is there.
    pub(crate) fn on(side: Arc<Side>, handle: Arc<Handle>, before: u64) -> Self {
        let common = handle.core.common.clone();
        let mut stream = Self::new(side, Place::Up(handle), before, common);
        stream.entered = true;
        stream
    }

    fn new(side: Arc<Side>, place: Place, before: u64, common: Arc<Common>) -> Self {
        let receiver = Receiver::new(None, Limits::of(&side), 502);
        Self {
            side,
            place,
            send: None,
            entered: false,
            before,
            request: None,
            asked: Asked::Other,
            held_open: false,
            bodied: false,
            response: None,
            empty: None,
            failed: None,
            receiver,
            sender: Sender::new(common),
        }
    }

    /// Whether the request must wait for the server's SETTINGS: they tell whether it knows extended CONNECT.
    fn must_wait(&self) -> bool {
        matches!((&self.asked, &self.request), (Asked::Upgrade { .. }, Some(_)))
    }

    /// Hands the request to `h2`.
    fn submit(&mut self) {
        let Some((request, body)) = self.request.take() else { return };
        // Extended CONNECT has no body before its tunnel.
        let possible = self.extends_connect() && !self.bodied;
        if matches!(self.asked, Asked::Upgrade { .. }) && !possible {
            self.fail(StreamError::Bad { status: 502, why: "no extended CONNECT" });
            if let Place::Up(handle) = &self.place {
                handle.core.decline();
            }
            return;
        }
        let ended = matches!(body, BodyLen::None | BodyLen::Length(0));
        let left = if let BodyLen::Length(n) = body { Some(n) } else { None };
        let sent = match (&mut self.send, &self.place) {
            (Some(send), _) => Some(request.send(send, &self.sender.common().heads, ended)),
            (None, Place::Up(handle)) if self.entered => handle.send_request(request, ended),
            (None, _) => None,
        };
        let Some(sent) = sent else {
            self.fail(StreamError::Reset { refused: true });
            return;
        };
        match sent {
            Ok((response, stream)) => {
                self.response = Some(response);
                if ended { self.sender.start_ended(stream) } else { self.sender.start(stream, left) }
            }
            // Nothing was sent, so that another connection may do.
            Err(e) if e.is_go_away() || e.is_io() || e.is_reset() => {
                // The next one is not to come here, whether or not the driver has looked at it since.
                if let Place::Up(handle) = &self.place {
                    handle.core.usable.store(false, Relaxed);
                }
                self.fail(StreamError::Reset { refused: true });
            }
            Err(_) => self.fail(StreamError::Bad { status: 502, why: "request cannot be sent" }),
        }
    }

    /// Whether the server takes extended CONNECT.
    fn extends_connect(&self) -> bool {
        matches!(&self.place, Place::Up(handle) if handle.extends_connect())
    }

    fn fail(&mut self, e: StreamError) {
        // The first reason is the reason.
        self.failed.get_or_insert(e);
        self.sender.fail();
    }

    /// Submits the request once it can be.
    fn poll_submitted(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamError>> {
        if self.request.is_some() {
            let Place::Up(handle) = &self.place else {
                return Poll::Ready(Err(StreamError::Io(ErrorKind::NotConnected.into())));
            };
            if self.must_wait() {
                ready!(handle.core.poll_news(cx, true));
            }
            self.submit();
        }
        // Why it failed is for whoever waits for the response.
        Poll::Ready(if self.failed.is_some() { Err(StreamError::Reset { refused: false }) } else { Ok(()) })
    }

    /// Waits until a response that announced an empty body is over.
    fn poll_empty(&mut self, cx: &mut Context<'_>) -> Poll<Result<MessageInfo, StreamError>> {
        ready!(self.receiver.poll_empty(cx, &self.sender.common().received))?;
        let info = self.empty.take().unwrap_or_default();
        Poll::Ready(Ok(MessageInfo { body: BodyLen::None, ..info }))
    }

    /// The fields of a message that `h2` has handed out.
    fn received(&self, stream: u32, stage: Stage) -> Result<Block, StreamError> {
        self.sender.common().received.take(stream, stage).ok_or(StreamError::Eof)
    }

    /// Turns a response into its head.
    fn accepted(
        &mut self,
        status: StatusCode,
        fields: &Block,
        body: Option<h2::RecvStream>,
        head: &mut Head,
    ) -> Result<MessageInfo, StreamError> {
        let bad = |why| StreamError::Bad { status: 502, why };
        let limits = Limits::of(&self.side);
        let ended = body.as_ref().is_none_or(h2::RecvStream::is_end_stream);
        let mut info = MessageInfo { keep_alive: true, ..MessageInfo::default() };
        let tunnel = status.is_success() && !matches!(self.asked, Asked::Other);
        let shown = match &self.asked {
            Asked::Upgrade { .. } if tunnel => StatusCode::SWITCHING_PROTOCOLS,
            _ => status,
        };
        info.body = head::response(shown, fields.fields(), ended, limits, head).map_err(bad)?;
        let bodyless = !ended && matches!(status.as_u16(), 204 | 304);
        if bodyless {
            // Whatever it announces, only the end is of interest.
            info.body = BodyLen::Length(0);
        }
        if tunnel {
            info.body = BodyLen::Tunnel;
            head.remove_known(KnownName::ContentLength);
            if let Asked::Upgrade { protocol, key } = &self.asked {
                head.add(b"connection", b"upgrade");
                head.add(b"upgrade", protocol);
                info.upgrade = true;
                info.websocket = protocol.eq_ignore_ascii_case(b"websocket");
                if let Some(k) = key {
                    head.add(b"sec-websocket-accept", hawser_http::websocket::accept(k).as_bytes());
                }
            }
        }
        if body.is_some() {
            if std::mem::take(&mut self.held_open) && !tunnel {
                self.sender.end(None);
            }
            let body = body.filter(|_| !ended || tunnel);
            self.receiver = Receiver::new(body, limits, 502);
            if bodyless {
                self.receiver.drain();
            }
        }
        Ok(info)
    }
}

/// Why there is no response: a connection that ended under the request is one that said nothing to it, unless it was
/// something that made no sense.
fn no_response(e: &h2::Error, place: &Place) -> StreamError {
    match place {
        Place::Up(handle) if handle.core.broken.load(Relaxed) => StreamError::Eof,
        _ if e.is_io() => StreamError::Idle,
        _ => stream_error(e, 502),
    }
}

/// What a request asks for.
fn asked(head: &Head, info: &MessageInfo) -> Asked {
    let upgrade = head.first(KnownName::Upgrade).filter(|_| info.upgrade);
    match upgrade {
        _ if head.method() == b"CONNECT" => Asked::Connect,
        Some(p) => Asked::Upgrade {
            protocol: p.to_vec(),
            key: head.first(KnownName::SecWebsocketKey).map(<[u8]>::to_vec),
        },
        None => Asked::Other,
    }
}

impl BackStream for Stream {
    fn send_request(&mut self, head: &Head, info: &MessageInfo, _: bool) {
        self.asked = asked(head, info);
        self.held_open = !matches!(self.asked, Asked::Other);
        let body = match &self.asked {
            Asked::Other => info.body,
            _ => BodyLen::Tunnel,
        };
        let with_body = !matches!(info.body, BodyLen::None | BodyLen::Length(0));
        let info = MessageInfo { body, ..*info };
        self.bodied = self.held_open && with_body;
        match head::outgoing_request(head, &info) {
            _ if self.bodied && matches!(self.asked, Asked::Connect) => {
                self.fail(StreamError::Bad { status: 502, why: "tunnel with a body" });
            }
            Some(request) => self.request = Some((Asking(request), body)),
            None => self.fail(StreamError::Bad { status: 502, why: "request cannot be sent" }),
        }
        if matches!(self.place, Place::Up(_)) && !self.must_wait() {
            self.submit();
        }
    }

    fn poll_connected(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamError>> {
        let Place::Dialing { driver, .. } = &mut self.place else { return Poll::Ready(Ok(())) };
        if driver.is_none() {
            let (send, started) = Driver::start(&self.side, Wire::dialing(&self.side))
                .map_err(|_| StreamError::Io(ErrorKind::OutOfMemory.into()))?;
            self.sender = Sender::new(started.common());
            *driver = Some(Box::new(started));
            self.send = Some(send);
            if !self.must_wait() {
                self.submit();
            }
        }
        let Place::Dialing { line, driver: Some(driver) } = &mut self.place else {
            return Poll::Ready(Ok(()));
        };
        driver.prime(cx);
        let connected = {
            let gathered = driver.wire.line();
            line.poll_connect_send(cx, &[IoSlice::new(gathered.gathered())])
        };
        let outcome = ready!(connected);
        let Place::Dialing { driver: Some(driver), .. } = std::mem::replace(&mut self.place, Place::Failed)
        else {
            return Poll::Ready(Ok(()));
        };
        let (transport, sent) = outcome?;
        driver.wire.established(transport, sent);
        let Some(send) = self.send.take() else {
            return Poll::Ready(Err(StreamError::Io(ErrorKind::NotConnected.into())));
        };
        let handle = driver.spawn(self.side.clone(), send);
        // Its own place among the connection's streams.
        self.entered = handle.enter().is_some();
        self.place = Place::Up(handle);
        Poll::Ready(Ok(()))
    }

    fn poll_response(
        &mut self,
        cx: &mut Context<'_>,
        head: &mut Head,
    ) -> Poll<Result<MessageInfo, StreamError>> {
        let submitted = ready!(self.poll_submitted(cx));
        if let Some(e) = self.failed.take() {
            return Poll::Ready(Err(e));
        }
        submitted?;
        if self.empty.is_some() {
            return self.poll_empty(cx);
        }
        let Some(response) = &mut self.response else { return Poll::Ready(Err(StreamError::Idle)) };
        let id = response.stream_id().as_u32();
        if let Some(interim) = ready!(response.poll_informational(cx)) {
            let interim = interim.map_err(|e| no_response(&e, &self.place))?;
            let fields = self.received(id, Stage::Interim)?;
            return Poll::Ready(self.accepted(interim.status(), &fields, None, head));
        }
        let response = ready!(Pin::new(response).poll(cx));
        self.response = None;
        let (parts, body) = response.map_err(|e| no_response(&e, &self.place))?.into_parts();
        let fields = self.received(id, Stage::Head)?;
        let info = self.accepted(parts.status, &fields, Some(body), head)?;
        if info.body != BodyLen::Length(0) {
            return Poll::Ready(Ok(info));
        }
        // The head stays where the caller keeps it.
        self.empty = Some(info);
        self.poll_empty(cx)
    }

    fn uses(&self) -> u32 {
        u32::try_from(self.before).unwrap_or(u32::MAX)
    }

    fn next_request(&mut self) -> bool {
        false
    }

    fn poll_dead(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &self.place {
            Place::Up(handle) => handle.poll_closed(cx),
            Place::Dialing { .. } | Place::Failed => Poll::Ready(()),
        }
    }

    fn transport(&mut self) -> Option<&mut dyn Transport> {
        None
    }

    fn conn(&self) -> Option<Arc<dyn BackConn>> {
        match &self.place {
            Place::Up(handle) => Some(handle.clone()),
            Place::Dialing { .. } | Place::Failed => None,
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let unanswered = self.response.as_ref().map(|r| r.stream_id().as_u32());
        if let Some(stream) = unanswered.or(self.receiver.unread()) {
            self.sender.common().received.forget(stream);
        }
        if let (Place::Up(handle), true) = (&self.place, self.entered) {
            handle.core.leave();
            self.side.stats.inc(H2Event::StreamDone);
        }
    }
}

impl Source for Stream {
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<Fill, StreamError>> {
        // A body that went wrong is one that ends early, as in HAProxy's logs.
        self.receiver.poll_fill(cx, &self.sender.common().received).map_err(|e| match e {
            StreamError::Bad { .. } => StreamError::Eof,
            e => e,
        })
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
        if let Err(e) = ready!(self.poll_submitted(cx)) {
            // Why is told to whoever waits for the response, and the first reason is the one that counts.
            self.failed.get_or_insert(e);
            return Poll::Ready(Err(StreamError::Io(ErrorKind::BrokenPipe.into())));
        }
        self.sender.poll_data(cx, data)
    }

    fn end(&mut self, trailers: Option<&Head>) {
        if !self.held_open {
            self.sender.end(trailers);
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamError>> {
        ready!(self.poll_submitted(cx))?;
        self.sender.poll_flush()
    }

    fn is_flushed(&self) -> bool {
        self.request.is_none() && self.sender.is_flushed()
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<Result<(), StreamError>> {
        self.sender.end(None);
        Poll::Ready(Ok(()))
    }
}
