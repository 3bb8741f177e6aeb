//! Handles on a connection to a server.

use crate::back::stream::Stream;
use crate::chunk::{Chunk, Common};
use crate::conf::Side;
use crate::hpack::Sheet;
use crate::outbound::Heads;
use h2::SendStream;
use h2::client::{ResponseFuture, SendRequest};
use hawser_proto::Address;
use hawser_proto::mux::{BackConn, BackStream, H2Event};
use http::uri::Parts;
use http::{Method, Request, Uri, Version};
use parking_lot::Mutex;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// What the driver shares with handles and streams.
#[derive(Default)]
pub(crate) struct Core {
    /// No GOAWAY came, nothing failed, nobody asked for the end.
    pub(crate) usable: AtomicBool,
    /// The peer's SETTINGS have been seen.
    pub(crate) settled: AtomicBool,
    pub(crate) draining: AtomicBool,
    /// The peer is to be told that the end is near.
    pub(crate) retiring: AtomicBool,
    pub(crate) closing: AtomicBool,
    /// The peer broke a rule that ends the connection.
    pub(crate) broken: AtomicBool,
    /// A request could not be sent to this server.
    pub(crate) declined: AtomicBool,
    /// Nobody holds the connection any more.
    pub(crate) abandoned: AtomicBool,
    /// Streams that were not dropped.
    streams: AtomicU32,
    opened: AtomicU64,
    pub(crate) received: AtomicU64,
    pub(crate) sent: AtomicU64,
    pub(crate) glitches: AtomicU32,
    /// Of the last PING (µs, one more than measured), 0 for none.
    rtt: AtomicU64,
    /// How long to wait for the answer to a PING that is to be sent (µs, one more than asked for), 0 for none.
    ping: AtomicU64,
    /// Bytes that wait to be sent.
    pub(crate) common: Arc<Common>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    closed: bool,
    /// The task that moves the connection on.
    driver: Option<Waker>,
    /// Tasks that wait for the end, or for the peer's SETTINGS.
    waiters: Vec<Waker>,
}

impl Core {
    /// Of a connection on which that waits.
    pub(crate) fn new(common: Arc<Common>) -> Self {
        Self { common, ..Self::default() }
    }

    /// Notes whom to wake when a handle wants something.
    pub(crate) fn driven_by(&self, cx: &Context<'_>) {
        self.state.lock().driver = Some(cx.waker().clone());
    }

    fn wake_driver(&self) {
        let waker = self.state.lock().driver.clone();
        if let Some(w) = waker {
            w.wake();
        }
    }

    /// Wakes whoever waits for news.
    pub(crate) fn announce(&self) {
        let waiters = std::mem::take(&mut self.state.lock().waiters);
        waiters.into_iter().for_each(Waker::wake);
    }

    /// The connection is over.
    pub(crate) fn over(&self) {
        self.usable.store(false, Relaxed);
        self.state.lock().closed = true;
        self.announce();
    }

    /// The peer is to be told that no new stream comes.
    pub(crate) fn says_goodbye(&self) -> bool {
        self.draining.load(Relaxed) || self.retiring.load(Relaxed)
    }

    pub(crate) fn take_ping(&self) -> Option<Duration> {
        if self.ping.load(Relaxed) == 0 {
            return None;
        }
        some_time(self.ping.swap(0, Relaxed))
    }

    pub(crate) fn set_rtt(&self, rtt: Duration) {
        self.rtt.store(number(rtt), Relaxed);
    }

    /// Waits for the end, or with `settings` for the peer's SETTINGS as well.
    pub(crate) fn poll_news(&self, cx: &Context<'_>, settings: bool) -> Poll<()> {
        let mut state = self.state.lock();
        if state.closed || (settings && self.settled.load(Relaxed)) {
            return Poll::Ready(());
        }
        if !state.waiters.iter().any(|w| w.will_wake(cx.waker())) {
            state.waiters.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// The only request of the connection cannot be sent: the server is told so, and left.
    pub(crate) fn decline(&self) {
        self.declined.store(true, Relaxed);
        self.wake_driver();
    }

    /// Whether no more than one stream is there.
    pub(crate) fn is_sole(&self) -> bool {
        self.streams.load(Relaxed) <= 1
    }

    /// A stream is gone.
    pub(crate) fn leave(&self) {
        self.streams.fetch_sub(1, Relaxed);
        if self.draining.load(Relaxed) {
            self.wake_driver();
        }
    }
}

/// What there is of a request that was sent.
pub(crate) type Sent = (ResponseFuture, SendStream<Chunk>);

/// A request to be sent.
pub(crate) struct Asking(pub(crate) Sheet);

impl Asking {
    /// Hands it to `h2`.
    pub(crate) fn send(
        self,
        to: &mut SendRequest<Chunk>,
        heads: &Heads,
        ended: bool,
    ) -> Result<Sent, h2::Error> {
        let mut request = Request::new(());
        // `h2` takes a request without an authority from such a client only.
        *request.version_mut() = Version::HTTP_11;
        if let Ok(none) = Uri::from_parts(Parts::default()) {
            *request.uri_mut() = none;
        }
        if self.0.bodyless {
            // `h2` takes no body in answer to it.
            *request.method_mut() = Method::HEAD;
        }
        heads.send(self.0, |(_, stream): &Sent| stream.stream_id(), || to.send_request(request, ended))
    }
}

/// A time as a number of which 0 is none (µs, one more).
fn number(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX).saturating_add(1)
}

/// The time that [`number`] made a number of.
fn some_time(number: u64) -> Option<Duration> {
    number.checked_sub(1).map(Duration::from_micros)
}

/// A handle on a connection.
pub(crate) struct Handle {
    me: Weak<Self>,
    side: Arc<Side>,
    pub(crate) core: Arc<Core>,
    /// What opens streams, until no more are wanted.
    send: Mutex<Option<SendRequest<Chunk>>>,
    addresses: (Address, Address),
}

impl Handle {
    pub(crate) fn new(
        side: Arc<Side>,
        core: Arc<Core>,
        send: SendRequest<Chunk>,
        addresses: (Address, Address),
    ) -> Arc<Self> {
        let send = Mutex::new(Some(send));
        Arc::new_cyclic(|me| Self { me: me.clone(), side, core, send, addresses })
    }

    /// A place for one more stream: how many there were before it.
    pub(crate) fn enter(&self) -> Option<u64> {
        if !self.is_usable() {
            return None;
        }
        let max = self.send.lock().as_ref()?.current_max_send_streams();
        let max = self.side.h2.max_concurrent_streams.min(u32::try_from(max).unwrap_or(u32::MAX));
        let one_more = |n: u32| (n < max).then_some(n + 1);
        self.core.streams.fetch_update(Relaxed, Relaxed, one_more).ok()?;
        self.side.stats.inc(H2Event::Stream);
        Some(self.core.opened.fetch_add(1, Relaxed))
    }

    /// Sends a request, unless no more are wanted. All streams do so by the same object: making one for each costs more
    /// than the lock.
    pub(crate) fn send_request(&self, asked: Asking, ended: bool) -> Option<Result<Sent, h2::Error>> {
        let mut slot = self.send.lock();
        let send = slot.as_mut()?;
        let sent = asked.send(send, &self.core.common.heads, ended);
        let mut cx = Context::from_waker(Waker::noop());
        if send.poll_ready(&mut cx).is_pending() {
            // This request waits for room on the connection, and the next one is not to wait for this one.
            *send = send.clone();
        }
        Some(sent)
    }

    /// Whether the peer takes extended CONNECT (RFC 8441).
    pub(crate) fn extends_connect(&self) -> bool {
        self.send.lock().as_ref().is_some_and(SendRequest::is_extended_connect_protocol_enabled)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.core.abandoned.store(true, Relaxed);
        self.core.wake_driver();
    }
}

impl BackConn for Handle {
    fn open(&self) -> Option<Box<dyn BackStream>> {
        let me = self.me.upgrade()?;
        let before = self.enter()?;
        Some(Box::new(Stream::on(self.side.clone(), me, before)))
    }

    fn streams(&self) -> u32 {
        self.core.streams.load(Relaxed)
    }

    fn opened(&self) -> u64 {
        self.core.opened.load(Relaxed)
    }

    fn is_usable(&self) -> bool {
        self.core.usable.load(Relaxed)
    }

    fn drain(&self) {
        self.core.usable.store(false, Relaxed);
        self.core.draining.store(true, Relaxed);
        // Without anybody to open streams, `h2` ends the connection after the present ones.
        let send = self.send.lock().take();
        drop(send);
        self.core.wake_driver();
    }

    fn retire(&self) {
        self.core.retiring.store(true, Relaxed);
        self.core.wake_driver();
    }

    fn close(&self) {
        self.core.usable.store(false, Relaxed);
        self.core.closing.store(true, Relaxed);
        self.core.wake_driver();
    }

    fn poll_closed(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.core.poll_news(cx, false)
    }

    fn ping(&self, timeout: Duration) {
        self.core.ping.store(number(timeout), Relaxed);
        self.core.wake_driver();
    }

    fn rtt(&self) -> Option<Duration> {
        some_time(self.core.rtt.load(Relaxed))
    }

    fn bytes(&self) -> (u64, u64) {
        (self.core.received.load(Relaxed), self.core.sent.load(Relaxed))
    }

    fn glitches(&self) -> u32 {
        self.core.glitches.load(Relaxed)
    }

    fn addresses(&self) -> (Address, Address) {
        self.addresses.clone()
    }
}
