//! A client's connection: handshake, requests, and its end.

use crate::carry::Stage;
use crate::chunk::{Chunk, Common};
use crate::conf::Side;
use crate::frames::{PREFACE, set_initial_window, window_update};
use crate::front::farewell::{Farewell, Pinging};
use crate::front::stream::{Received, Stream};
use crate::head;
use crate::watch::Verdict;
use crate::wire::Wire;
use h2::server::{Connection, Handshake, SendResponse};
use h2::{Ping, PingPong, Reason, RecvStream, SendStream};
use hawser_http::BodyLen;
use hawser_proto::buf::Buf;
use hawser_proto::mux::{FrontConn, FrontStream};
use hawser_proto::{SockOpt, Transport};
use http::Request;
use std::cell::{Cell, RefCell};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// Uploads of a client that does not acknowledge our SETTINGS.
const UNACKNOWLEDGED: usize = 1000;

/// How long a client may take to close after the last GOAWAY.
const LINGER: Duration = Duration::from_secs(1);

/// How long a client that reads nothing may hold up the reset of a stream.
const PARTING: Duration = Duration::from_secs(5);

/// What a connection shares with its streams.
#[derive(Default)]
pub(crate) struct Shared {
    /// Streams that were handed out and not dropped.
    pub(crate) live: Cell<u32>,
    /// Requests may be waiting for one of them to end.
    full: Cell<bool>,
    /// A stream wants the connection closed.
    pub(crate) kill: Cell<bool>,
    /// The task that owns the connection.
    waker: RefCell<Option<Waker>>,
    /// Streams to break off once what was queued for them is on its way: `h2` throws it away with a reset. They
    /// count as live.
    parting: RefCell<Vec<SendStream<Chunk>>>,
    /// Bytes that wait to be sent.
    pub(crate) common: Arc<Common>,
}

impl Shared {
    /// Has the connection polled again.
    pub(crate) fn wake(&self) {
        if let Some(w) = self.waker.take() {
            w.wake();
        }
    }

    /// A stream is gone. The owner wants to know when the connection is idle, and when it has room again.
    pub(crate) fn leave(&self) {
        let live = self.live.get().saturating_sub(1);
        self.live.set(live);
        if live == 0 || self.full.replace(false) {
            self.wake();
        }
    }

    /// Has a stream broken off soon.
    pub(crate) fn part(&self, stream: SendStream<Chunk>) {
        self.live.set(self.live.get() + 1);
        self.parting.borrow_mut().push(stream);
        self.wake();
    }
}

enum State {
    /// The preface has not come yet.
    Handshake(Box<Handshake<Wire, Chunk>>),
    Open(Box<Open>),
    /// What is left to send goes out.
    Ending,
    /// The client is given time to read the GOAWAY: requests of its that still come would turn the close into a
    /// reset, and with that it might not learn which of them were served.
    Lingering(Pin<Box<Sleep>>),
    Over,
}

struct Open {
    conn: Connection<Wire, Chunk>,
    /// Taken for the first PING: from then on, `h2` looks for another one each time that it is polled.
    pings: Option<PingPong>,
    /// A PING is on its way.
    pinged: bool,
    /// A body came, and the connection's window was opened wide for it.
    wide: bool,
    /// Streams with a body whose window is to grow once the client has acknowledged our SETTINGS: before that,
    /// `h2` counts with the smaller one.
    growing: Vec<u32>,
    /// Until when [`Shared::parting`] waits.
    parting: Option<Pin<Box<Sleep>>>,
    /// It was told of the end, and is not at it.
    farewell: Option<Farewell>,
}

/// A client's connection.
pub(crate) struct Conn {
    side: Arc<Side>,
    wire: Wire,
    state: State,
    shared: Rc<Shared>,
    /// Streams handed out since the start.
    total: u32,
    draining: bool,
    error: Option<&'static str>,
}

impl Conn {
    pub(crate) fn new(side: Arc<Side>, transport: Box<dyn Transport>, early: Option<Buf>) -> Self {
        let wire = Wire::accepted(&side, transport, early);
        let state = State::Handshake(Box::new(side.server().handshake(wire.clone())));
        let shared = Rc::new(Shared { common: wire.common(), ..Shared::default() });
        Self { side, wire, state, shared, total: 0, draining: false, error: None }
    }

    /// Lets `h2` do what it can; a request that came out of it.
    fn poll_h2(&mut self, cx: &mut Context<'_>) -> Poll<Option<Box<Stream>>> {
        loop {
            match &mut self.state {
                State::Handshake(_) if self.draining => self.state = State::Ending,
                State::Handshake(h) => match Pin::new(&mut **h).poll(cx) {
                    Poll::Pending if self.wire.line().watch.verdict() == Verdict::Close => {
                        self.refuse();
                    }
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Ok(conn)) => {
                        self.state = State::Open(Box::new(Open {
                            conn,
                            pings: None,
                            pinged: false,
                            wide: false,
                            growing: Vec::new(),
                            parting: None,
                            farewell: None,
                        }));
                    }
                    Poll::Ready(Err(e)) => {
                        let mut line = self.wire.line();
                        if e.is_library() || line.bytes().0 < PREFACE.len() as u64 {
                            line.watch.no_preface();
                        }
                        drop(line);
                        self.failed(&e);
                    }
                },
                State::Open(open) => {
                    let verdict = self.wire.line().watch.verdict();
                    if verdict == Verdict::Close || self.shared.kill.get() {
                        open.conn.abrupt_shutdown(self.wire.line().watch.reason());
                    } else if verdict == Verdict::Drain && !self.draining {
                        self.draining = true;
                        open.conn.graceful_shutdown();
                    }
                    open.poll_pong(cx);
                    open.poll_farewell(cx);
                    open.grow(&self.side, &self.wire);
                    // Streams that the session has not finished count, whatever the client thinks of them: it
                    // must not get at more work by taking requests back.
                    let room = self.shared.live.get() < self.side.h2.max_concurrent_streams;
                    self.shared.full.set(!room);
                    let polled = if room {
                        open.conn.poll_accept(cx)
                    } else {
                        open.conn.poll_closed(cx).map(|r| r.err().map(Err))
                    };
                    match polled {
                        // What was read meanwhile may have been too much.
                        Poll::Pending if self.wire.line().watch.verdict() > verdict => {}
                        Poll::Pending if open.poll_parted(cx, &self.shared, &self.wire).is_ready() => {}
                        Poll::Pending => return Poll::Pending,
                        Poll::Ready(None) => self.state = State::Ending,
                        Poll::Ready(Some(Err(e))) => self.failed(&e),
                        Poll::Ready(Some(Ok((request, respond)))) => {
                            if let Some(s) = self.accepted(request, respond) {
                                return Poll::Ready(Some(s));
                            }
                        }
                    }
                }
                State::Ending | State::Lingering(_) | State::Over => return Poll::Ready(None),
            }
        }
    }

    /// Ends a connection that has not begun.
    fn refuse(&mut self) {
        let mut line = self.wire.line();
        let reason = line.watch.reason();
        line.say_goaway(reason);
        drop(line);
        self.error = Some("HTTP/2 protocol error");
        self.state = State::Ending;
    }

    fn failed(&mut self, e: &h2::Error) {
        if e.is_library() {
            self.error = Some("HTTP/2 protocol error");
        }
        self.state = State::Ending;
    }

    /// Makes a stream of a request; one that is malformed is taken back at once.
    fn accepted(
        &mut self,
        request: Request<RecvStream>,
        mut respond: SendResponse<Chunk>,
    ) -> Option<Box<Stream>> {
        let mut head = head::take();
        let ended = request.body().is_end_stream();
        let id = respond.stream_id().as_u32();
        let block = self.shared.common.received.take(id, Stage::Head).unwrap_or_default();
        let valid = !block.is_empty();
        let made = match valid {
            true => head::request(block.fields(), ended, &self.side, &mut head),
            // It is answered without being looked at.
            false => Ok(Default::default()),
        };
        let Ok((info, extended)) = made else {
            respond.send_reset(Reason::PROTOCOL_ERROR);
            head::give(head);
            return None;
        };
        if let State::Open(open) = &mut self.state
            && !ended
        {
            let window = u64::from(self.side.h2.initial_window_size);
            let fits = matches!(info.body, BodyLen::Length(n) if n <= window);
            open.expect_body(&self.side, id, fits);
        }
        self.count();
        self.wire.line().watch.shows(id);
        let request = Received { id, head, info, extended, valid, ended, body: request.into_body() };
        Some(Stream::new(self.wire.clone(), self.shared.clone(), &self.side, respond, request))
    }

    fn pass_counts(&self) {
        let mut line = self.wire.line();
        if !line.is_stuck() || matches!(self.state, State::Ending) {
            line.watch.settle();
        }
        self.side.stats.take(&mut line.watch.counts);
    }

    fn count(&mut self) {
        self.total = self.total.saturating_add(1);
        let max = self.side.h2.max_total_streams;
        if max > 0
            && self.total >= max
            && let State::Open(open) = &mut self.state
        {
            self.draining = true;
            open.conn.graceful_shutdown();
        }
    }
}

impl Open {
    /// A stream has a body; one that is known to fit the window that the client knows needs no more.
    fn expect_body(&mut self, side: &Side, stream: u32, fits: bool) {
        if !self.wide {
            self.wide = true;
            self.conn.set_target_window_size(side.h2.rxbuf);
        }
        if fits {
            return;
        }
        if self.growing.len() >= UNACKNOWLEDGED {
            self.conn.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM);
        } else {
            self.growing.push(stream);
        }
    }

    /// Opens the windows of streams that have a body.
    fn grow(&mut self, side: &Side, wire: &Wire) {
        if self.growing.is_empty() || !wire.line().seen().acked {
            return;
        }
        for stream in std::mem::take(&mut self.growing) {
            wire.line().send_extra(&window_update(stream, side.upload()));
        }
    }

    /// Ready when streams were broken off. `h2` has written all it could just before.
    fn poll_parted(&mut self, cx: &mut Context<'_>, shared: &Shared, wire: &Wire) -> Poll<()> {
        if shared.parting.borrow().is_empty() {
            return Poll::Pending;
        }
        if wire.line().is_stuck() {
            let limit = self.parting.get_or_insert_with(|| Box::pin(tokio::time::sleep(PARTING)));
            ready!(limit.as_mut().poll(cx));
        }
        self.parting = None;
        for mut stream in shared.parting.take() {
            stream.send_reset(Reason::CANCEL);
            shared.leave();
        }
        Poll::Ready(())
    }

    fn poll_pong(&mut self, cx: &mut Context<'_>) {
        if let Some(p) = self.pings.as_mut().filter(|_| self.pinged)
            && p.poll_pong(cx).is_ready()
        {
            self.pinged = false;
        }
    }

    fn poll_farewell(&mut self, cx: &mut Context<'_>) {
        let Some(mut farewell) = self.farewell.take() else { return };
        match farewell.poll(cx, self) {
            Poll::Pending => self.farewell = Some(farewell),
            Poll::Ready(()) => self.conn.graceful_shutdown(),
        }
    }
}

impl Pinging for Open {
    fn ping(&mut self) -> bool {
        if self.pinged {
            return false;
        }
        if self.pings.is_none() {
            self.pings = self.conn.ping_pong();
        }
        self.pinged = self.pings.as_mut().is_some_and(|p| p.send_ping(Ping::opaque()).is_ok());
        self.pinged
    }

    fn is_pinged(&self) -> bool {
        self.pinged
    }
}

impl FrontConn for Conn {
    fn poll_stream(&mut self, cx: &mut Context<'_>) -> Poll<Option<Box<dyn FrontStream>>> {
        let mut waker = self.shared.waker.borrow_mut();
        if !waker.as_ref().is_some_and(|w| w.will_wake(cx.waker())) {
            *waker = Some(cx.waker().clone());
        }
        drop(waker);
        match self.poll_h2(cx) {
            Poll::Ready(Some(s)) => return Poll::Ready(Some(s)),
            Poll::Ready(None) => {}
            Poll::Pending => {
                self.pass_counts();
                self.wire.line().end_turn();
                if let Poll::Ready(Err(_)) = self.wire.poll_send(cx) {
                    self.state = State::Over;
                    return Poll::Ready(None);
                }
                return Poll::Pending;
            }
        }
        if let State::Ending = self.state {
            self.pass_counts();
            self.state = match self.wire.poll_send(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(())) if self.draining => {
                    State::Lingering(Box::pin(tokio::time::sleep(LINGER)))
                }
                Poll::Ready(_) => State::Over,
            };
        }
        if let State::Lingering(limit) = &mut self.state {
            if self.wire.line().poll_linger(cx).is_pending() && limit.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.state = State::Over;
        }
        Poll::Ready(None)
    }

    fn streams(&self) -> u32 {
        self.shared.live.get()
    }

    fn drain(&mut self) {
        if std::mem::replace(&mut self.draining, true) {
            return;
        }
        if let State::Open(open) = &mut self.state {
            open.farewell = Some(Farewell::begin(&self.wire));
        }
        self.shared.wake();
    }

    fn ping(&mut self) {
        if let State::Open(open) = &mut self.state
            && Pinging::ping(&mut **open)
        {
            self.shared.wake();
        }
    }

    fn awaits_pong(&self) -> bool {
        matches!(&self.state, State::Open(open) if open.pinged)
    }

    fn glitches(&self) -> u32 {
        self.wire.line().watch.glitches()
    }

    fn was_silent(&self) -> bool {
        self.wire.line().bytes().0 == 0
    }

    fn take_malformed(&mut self) -> u32 {
        std::mem::take(&mut self.wire.line().watch.malformed)
    }

    fn error(&self) -> Option<&'static str> {
        self.error
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
}

/// What a connection sends first: its SETTINGS, which depend on nothing that the client does.
pub(crate) fn greeting(side: &Side) -> Vec<u8> {
    let mut first = First::default();
    let mut cx = Context::from_waker(Waker::noop());
    let mut handshake = side.server().handshake::<_, Chunk>(&mut first);
    // It waits for the preface, which never comes.
    let _ = Pin::new(&mut handshake).poll(&mut cx);
    drop(handshake);
    set_initial_window(&mut first.0, side.h2.initial_window_size);
    first.0
}

/// Keeps what is written, and never has anything to read.
#[derive(Default)]
struct First(Vec<u8>);

impl AsyncRead for First {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for First {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().0.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
