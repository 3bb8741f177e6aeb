//! The task that moves a connection to a server on.

use crate::back::conn::{Core, Handle};
use crate::chunk::{Chunk, Common};
use crate::conf::Side;
use crate::frames::reset;
use crate::watch::Verdict;
use crate::wire::Wire;
use h2::client::{Connection, SendRequest};
use h2::{Ping, PingPong, Reason};
use hawser_proto::clock;
use hawser_proto::mux::{H2Event, H2Stats};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, Instant};
use tokio::time::Sleep;

/// How long a connection that nobody holds may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(10);

/// A connection to a server, before anything of it is on the wire or after.
pub(crate) struct Driver {
    conn: Connection<Wire, Chunk>,
    pub(crate) wire: Wire,
    core: Arc<Core>,
    stats: Arc<H2Stats>,
    /// It counts among the connections.
    counted: bool,
    /// The waker that is known to the core.
    waker: Option<Waker>,
    /// Taken for the first PING: from then on, `h2` looks for another one each time that it is polled.
    pings: Option<PingPong>,
    /// The PING whose answer is waited for: when it left, and until when.
    pinged: Option<(Instant, Pin<Box<Sleep>>)>,
    said_goaway: bool,
    /// The window that the connection is to have, and whether it has it. Not from the start: many peers expect
    /// nothing between our SETTINGS and our acknowledgement of theirs.
    window: u32,
    wide: bool,
    /// When a connection that nobody holds any more is closed, whatever it still has to say.
    goodbye: Option<Pin<Box<Sleep>>>,
    /// `h2` is done; what it wrote goes out.
    over: bool,
}

impl Driver {
    /// Sets `h2` up on a wire.
    ///
    /// # Errors
    /// The wire takes no bytes.
    pub(crate) fn start(side: &Side, wire: Wire) -> Result<(SendRequest<Chunk>, Self), h2::Error> {
        // The wire takes the preface at once, so there is nothing to wait for.
        let mut cx = Context::from_waker(Waker::noop());
        let mut handshake = pin!(side.client().handshake(wire.clone()));
        let Poll::Ready(done) = handshake.as_mut().poll(&mut cx) else {
            return Err(Reason::INTERNAL_ERROR.into());
        };
        let (send, conn) = done?;
        let core = Arc::new(Core::new(wire.common()));
        core.usable.store(true, Relaxed);
        let driver = Self {
            conn,
            wire,
            stats: side.stats.clone(),
            counted: false,
            core,
            waker: None,
            pings: None,
            pinged: None,
            said_goaway: false,
            window: side.h2.rxbuf,
            wide: false,
            goodbye: None,
            over: false,
        };
        Ok((send, driver))
    }

    /// Lets `h2` do what it can before the connection is established: its output is gathered.
    pub(crate) fn prime(&mut self, cx: &mut Context<'_>) {
        let _ = Pin::new(&mut self.conn).poll(cx);
    }

    /// The connection is established: moves it on from now on, by a task of its own.
    pub(crate) fn spawn(mut self, side: Arc<Side>, send: SendRequest<Chunk>) -> Arc<Handle> {
        let addresses = match self.wire.line().transport() {
            Some(t) => (t.get_src(), t.get_dst()),
            None => Default::default(),
        };
        let handle = Handle::new(side, self.core.clone(), send, addresses);
        self.counted = true;
        self.stats.inc(H2Event::Conn);
        tokio::task::spawn_local(self);
        handle
    }

    /// What the connection's streams share to bound what they send.
    pub(crate) fn common(&self) -> Arc<Common> {
        self.core.common.clone()
    }

    /// Whether the peer's SETTINGS have been seen.
    pub(crate) fn is_settled(&self) -> bool {
        self.wire.line().seen().settings
    }

    fn send_ping(&mut self, timeout: Duration) {
        if self.pings.is_none() {
            self.pings = self.conn.ping_pong();
        }
        if self.pings.as_mut().is_some_and(|p| p.send_ping(Ping::opaque()).is_ok()) {
            self.pinged = Some((clock::now(), Box::pin(tokio::time::sleep(timeout))));
        }
    }

    fn poll_pong(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.pinged.is_none()
            && let Some(timeout) = self.core.take_ping()
        {
            self.send_ping(timeout);
            // `h2` may not know yet whom to tell of it.
            cx.waker().wake_by_ref();
        }
        let (Some((since, limit)), Some(pings)) = (&mut self.pinged, &mut self.pings) else {
            return Poll::Pending;
        };
        match pings.poll_pong(cx) {
            Poll::Ready(Ok(_)) => {
                self.core.set_rtt(clock::now().saturating_duration_since(*since));
                self.pinged = None;
                Poll::Pending
            }
            // The connection is ending anyway.
            Poll::Ready(Err(_)) => Poll::Pending,
            Poll::Pending => limit.as_mut().poll(cx),
        }
    }

    /// Ready when a connection that nobody holds has had its time.
    fn poll_goodbye(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.core.abandoned.load(Relaxed) {
            return Poll::Pending;
        }
        let limit = self.goodbye.get_or_insert_with(|| Box::pin(tokio::time::sleep(GOODBYE)));
        limit.as_mut().poll(cx)
    }

    /// Moves the connection on; ready once it is over.
    pub(crate) fn poll_on(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.core.closing.load(Relaxed)
            || self.poll_pong(cx).is_ready()
            || self.poll_goodbye(cx).is_ready()
        {
            return Poll::Ready(());
        }
        if !self.over {
            self.over = Pin::new(&mut self.conn).poll(cx).is_ready();
            // An answer to a PING that came meanwhile.
            if !self.over && self.poll_pong(cx).is_ready() {
                return Poll::Ready(());
            }
        }
        if !self.wide && self.core.settled.load(Relaxed) {
            self.wide = true;
            self.conn.set_target_window_size(self.window);
            cx.waker().wake_by_ref();
        }
        if self.core.declined.load(Relaxed) && self.core.declined.swap(false, Relaxed) && self.core.is_sole()
        {
            self.decline();
        }
        self.publish();
        let verdict = self.wire.line().watch.verdict();
        if verdict == Verdict::Close {
            self.core.broken.store(true, Relaxed);
            let reason = self.wire.line().watch.reason();
            self.wire.line().say_goaway(reason);
            // If it does not go at once, the server is not worth waiting for.
            let _ = self.wire.poll_send(cx);
            return Poll::Ready(());
        } else if !self.said_goaway && (verdict == Verdict::Drain || self.core.says_goodbye()) {
            self.wire.line().say_goaway(Reason::NO_ERROR);
            self.said_goaway = true;
            if verdict == Verdict::Drain {
                self.core.usable.store(false, Relaxed);
            }
        }
        self.wire.line().end_turn();
        match self.wire.poll_send(cx) {
            Poll::Ready(Ok(())) if !self.over => Poll::Pending,
            Poll::Ready(_) => Poll::Ready(()),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Resets the stream that the request would have had, as HAProxy does, and ends: nobody else is here, and a server may
    /// well take offence at the reset of a stream that was never opened.
    fn decline(&mut self) {
        let mut line = self.wire.line();
        let stream = line.next_stream();
        line.send_extra(&reset(stream, Reason::INTERNAL_ERROR.into()));
        self.over = true;
    }

    fn publish(&self) {
        let (mut line, core) = (self.wire.line(), &self.core);
        self.stats.take(&mut line.watch.counts);
        let (seen, bytes) = (line.seen(), line.bytes());
        core.received.store(bytes.0, Relaxed);
        core.sent.store(bytes.1, Relaxed);
        core.glitches.store(line.watch.glitches(), Relaxed);
        if seen.goaway || self.over {
            core.usable.store(false, Relaxed);
        }
        if seen.settings && !core.settled.load(Relaxed) {
            core.settled.store(true, Relaxed);
            core.announce();
        }
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let me = self.get_mut();
        if !me.waker.as_ref().is_some_and(|w| w.will_wake(cx.waker())) {
            me.waker = Some(cx.waker().clone());
            me.core.driven_by(cx);
        }
        ready!(me.poll_on(cx));
        Poll::Ready(())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if self.counted {
            self.stats.take(&mut self.wire.line().watch.counts);
            self.stats.inc(H2Event::ConnDone);
        }
        self.core.over();
    }
}
