//! Between `h2` and the transport.
//!
//! Input is read into a buffer of the thread's pool, which is given back as soon as `h2` has taken the bytes, through
//! the checks of [`crate::inbound`].
//! Output is gathered until the task that owns the connection has let `h2` do all it can, and then written at
//! once: `h2` flushes after each DATA frame.

use crate::chunk::Common;
use crate::conf::Side;
use crate::frames::{PREFACE, goaway, set_initial_window};
use crate::head::Limits;
use crate::inbound::{Inbound, Own, Seen, Terms};
use crate::outbound::Outbound;
use crate::watch::{Verdict, Watch};
use hawser_proto::Transport;
use hawser_proto::buf::{self, Buf};
use std::cell::{RefCell, RefMut};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Output that is gathered before it is written without being asked to (bytes).
const GATHER: usize = 48 * 1024;

/// Bytes that are read before other connections of the thread get their turn.
const TURN: usize = 64 * 1024;

/// Most slices of one write.
const SLICES: usize = 16;

/// A handle on the adapter: one is owned by `h2`, one by whoever drives it.
#[derive(Clone)]
pub(crate) struct Wire(Rc<RefCell<Line>>);

/// The adapter's state.
pub(crate) struct Line {
    /// `None` while it is being established.
    transport: Option<Box<dyn Transport>>,
    /// Bytes that were read and not taken by `h2`.
    input: Option<Buf>,
    inbound: Inbound,
    /// The last read filled its buffer.
    busy: bool,
    /// The transport has had nothing more in this turn, and wakes the task that owns the connection when it has: `h2`
    /// asks again for every request that it hands out.
    dry: bool,
    eof: bool,
    out: Vec<u8>,
    /// How much of `out` was written.
    pos: usize,
    /// `h2` has more than was taken.
    stuck: bool,
    outbound: Outbound,
    /// Bytes of the preface that the peer still owes us, where `h2` does not expect it.
    eat: usize,
    /// Bytes of the preface that `h2` is about to write and that must not go out.
    swallow: usize,
    /// The window that our SETTINGS are to advertise in the place of what `h2` says, until they have passed.
    advertise: Option<u32>,
    /// Frames of ours that wait for a place between two of `h2`'s.
    extra: Vec<u8>,
    /// Bytes received and sent.
    bytes: (u64, u64),
    /// Bytes that may still be read in this turn.
    turn: usize,
    pub(crate) watch: Watch,
}

impl Wire {
    fn new(
        transport: Option<Box<dyn Transport>>,
        early: Option<Buf>,
        inbound: Inbound,
        outbound: Outbound,
        watch: Watch,
    ) -> Self {
        let mut line = Line {
            transport,
            input: None,
            inbound,
            busy: false,
            dry: false,
            eof: false,
            out: Vec::new(),
            pos: 0,
            stuck: false,
            outbound,
            eat: 0,
            swallow: 0,
            advertise: None,
            extra: Vec::new(),
            bytes: (0, 0),
            turn: TURN,
            watch,
        };
        if let Some(b) = early.filter(|b| !b.is_empty()) {
            line.arrived(b);
        }
        Self(Rc::new(RefCell::new(line)))
    }

    /// A client's connection, and bytes that were read from it.
    pub(crate) fn accepted(side: &Side, transport: Box<dyn Transport>, early: Option<Buf>) -> Self {
        let watch = Watch::new(true, side.h2.glitches_threshold);
        let inbound = Inbound::new(Terms::of(side, true), true);
        let wire = Self::new(Some(transport), early, inbound, Outbound::new(false), watch);
        wire.line().advertise = Some(side.h2.initial_window_size);
        wire
    }

    /// A connection to a server that is not established yet: output is gathered.
    pub(crate) fn dialing(side: &Side) -> Self {
        let watch = Watch::new(false, side.h2.glitches_threshold);
        let inbound = Inbound::new(Terms::of(side, false), false);
        Self::new(None, None, inbound, Outbound::new(true), watch)
    }

    /// A connection whose peer sends the client's preface although it is to serve requests.
    pub(crate) fn adopted(side: &Side, transport: Box<dyn Transport>, early: Option<Buf>) -> Self {
        let watch = Watch::new(false, side.h2.glitches_threshold);
        let inbound = Inbound::new(Terms::of(side, false), false);
        let wire = Self::new(Some(transport), early, inbound, Outbound::new(false), watch);
        wire.line().eat = PREFACE.len();
        wire.line().swallow = PREFACE.len();
        wire
    }

    /// The connection is established, and `sent` bytes of [`Line::gathered`] went out with it.
    pub(crate) fn established(&self, transport: Box<dyn Transport>, sent: usize) {
        let mut line = self.line();
        line.transport = Some(transport);
        line.sent(sent);
    }

    /// What the connection's streams share.
    pub(crate) fn common(&self) -> Arc<Common> {
        self.line().outbound.common().clone()
    }

    /// The state. `h2` borrows it only while it is polled.
    pub(crate) fn line(&self) -> RefMut<'_, Line> {
        self.0.borrow_mut()
    }

    /// Writes what was gathered.
    pub(crate) fn poll_send(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.line().poll_send(cx)
    }
}

impl Terms {
    fn of(side: &Side, client: bool) -> Self {
        Self {
            client,
            max_frame: side.h2.max_frame_size,
            // One that is too large for the proxy is refused alone, as long as it is no flood.
            max_block: side.header_list() as usize * 2,
            table: side.h2.header_table_size,
            limits: Limits::of(side),
            relaxed: side.relaxed,
        }
    }
}

impl Line {
    /// The transport, once it is established.
    pub(crate) fn transport(&self) -> Option<&dyn Transport> {
        self.transport.as_deref()
    }

    /// Bytes received and sent.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        self.bytes
    }

    /// What the peer has sent.
    pub(crate) fn seen(&self) -> Seen {
        self.inbound.seen
    }

    /// The stream that we would open next.
    pub(crate) fn next_stream(&self) -> u32 {
        self.inbound.next_stream()
    }

    /// Sends a GOAWAY between two frames of `h2`'s.
    pub(crate) fn say_goaway(&mut self, reason: h2::Reason) {
        self.watch.goaway(reason.into());
        self.send_extra(&goaway(0, reason.into()));
    }

    /// Sends a frame between two of `h2`'s.
    pub(crate) fn send_extra(&mut self, frame: &[u8]) {
        self.extra.extend_from_slice(frame);
        self.fit_extra();
    }

    fn fit_extra(&mut self) {
        if !self.extra.is_empty() && self.outbound.at_boundary() && self.swallow == 0 {
            let extra = std::mem::take(&mut self.extra);
            // It ends where it starts: nothing to tell the scanner.
            self.gather(&extra);
        }
    }

    /// Bytes were read.
    fn arrived(&mut self, b: Buf) {
        self.bytes.0 += b.len() as u64;
        self.turn = self.turn.saturating_sub(b.len());
        self.input = Some(b).filter(|b| !b.is_empty());
    }

    /// Gives `h2` what it is to see of the input.
    ///
    /// # Errors
    /// The connection is over, for that reason.
    fn give(&mut self, to: &mut ReadBuf<'_>) -> Result<(), u32> {
        while to.remaining() > 0 {
            let ready = self.inbound.ready();
            if !ready.is_empty() {
                let n = ready.len().min(to.remaining());
                to.put_slice(ready.get(..n).unwrap_or_default());
                self.inbound.take(n);
                continue;
            }
            let mute = self.gathered().len() + self.extra.len() > GATHER;
            let Some(b) = &mut self.input else { break };
            let mut own =
                Own { watch: &mut self.watch, extra: &mut self.extra, outbound: &mut self.outbound, mute };
            let look = self.inbound.look(b.data(), to.remaining(), &mut own)?;
            to.put_slice(b.data().get(look.used - look.pass..look.used).unwrap_or_default());
            b.consume(look.used);
            if b.is_empty() {
                self.input = None;
            }
        }
        self.fit_extra();
        Ok(())
    }

    /// The task that owns the connection ends its turn: the next one may read again.
    pub(crate) fn end_turn(&mut self) {
        self.turn = TURN;
        self.dry = false;
        if !self.stuck {
            self.outbound.settle();
        }
    }

    /// Ends the sending side, and reads until the peer ends its own; what it says is of no interest any more.
    pub(crate) fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(transport) = &mut self.transport else { return Poll::Ready(()) };
        self.input = None;
        if ready!(transport.poll_shutdown(cx)).is_err() {
            return Poll::Ready(());
        }
        // So much at a time, that a peer that never stops is no burden for others.
        for _ in 0..8 {
            if !matches!(ready!(transport.poll_read(cx, &mut [0; 2048])), Ok(1..)) {
                return Poll::Ready(());
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn poll_input(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Whoever establishes the connection has `h2` polled then.
        let Some(transport) = self.transport.as_mut().filter(|_| !self.dry) else { return Poll::Pending };
        if self.turn == 0 {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let mut b = Buf::take(self.busy)?;
        let read = b.poll_read(&mut **transport, cx);
        self.dry = read.is_pending();
        let n = ready!(read)?;
        self.eof = n == 0;
        self.busy = b.filled_up();
        self.arrived(b);
        Poll::Ready(Ok(()))
    }

    /// Takes the preface from what was read.
    fn eat_preface(&mut self) -> io::Result<()> {
        let Some(b) = self.input.as_mut().filter(|_| self.eat > 0) else { return Ok(()) };
        let n = self.eat.min(b.len());
        let due = PREFACE.get(PREFACE.len() - self.eat..).and_then(|p| p.get(..n));
        if b.data().get(..n) != due {
            return Err(io::ErrorKind::InvalidData.into());
        }
        b.consume(n);
        self.eat -= n;
        if b.is_empty() {
            self.input = None;
        }
        Ok(())
    }

    /// Output that waits.
    pub(crate) fn gathered(&self) -> &[u8] {
        self.out.get(self.pos..).unwrap_or_default()
    }

    /// Whether `h2` waits for the transport to take more.
    pub(crate) fn is_stuck(&self) -> bool {
        self.stuck
    }

    fn gather(&mut self, bytes: &[u8]) {
        if self.out.capacity() == 0 {
            self.out = buf::take_text();
        }
        self.out.extend_from_slice(bytes);
    }

    /// `n` bytes of what was gathered went out.
    fn sent(&mut self, n: usize) {
        self.bytes.1 += n as u64;
        self.pos += n;
        if self.pos >= self.out.len() {
            self.pos = 0;
            buf::give_text(std::mem::take(&mut self.out));
        }
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.pos < self.out.len() {
            let rest = self.out.get(self.pos..).unwrap_or_default();
            let Some(transport) = &mut self.transport else { return Poll::Pending };
            let n = ready!(transport.poll_write(cx, rest, false))?;
            if n == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent(n);
        }
        Poll::Ready(Ok(()))
    }

    /// Takes output of `h2`: gathers it, or writes a payload behind what is gathered where that is enough.
    fn poll_take(&mut self, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        if self.swallow > 0 {
            let n = self.swallow.min(bufs.iter().map(|b| b.len()).next().unwrap_or_default());
            self.swallow -= n;
            return Poll::Ready(Ok(n));
        }
        let total: usize = bufs.iter().map(|b| b.len()).sum();
        if self.gathered().len() + total <= GATHER || self.transport.is_none() {
            for b in bufs {
                self.pass(b)?;
            }
            if let Some(window) = self.advertise.take() {
                set_initial_window(&mut self.out, window);
            }
            self.stuck = false;
            self.fit_extra();
            return Poll::Ready(Ok(total));
        }
        self.stuck = true;
        let first = bufs.iter().map(|b| &**b).find(|b| !b.is_empty()).unwrap_or_default();
        let taken = if self.outbound.ahead() >= total {
            ready!(self.poll_through(cx, bufs))?
        } else {
            // Heads are larger than what `h2` thinks that it writes.
            if self.gathered().len() > GATHER / 2 {
                ready!(self.poll_send(cx))?;
            }
            self.pass(first)?;
            first.len()
        };
        self.stuck = false;
        self.fit_extra();
        Poll::Ready(Ok(taken))
    }

    /// Gathers what the peer is to get of some output.
    fn pass(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.out.capacity() == 0 {
            self.out = buf::take_text();
        }
        let Self { outbound, watch, inbound, out, .. } = self;
        let passed = outbound.pass(bytes, out, |f, payload| {
            watch.sent(f, payload);
            inbound.sent(f, payload);
        });
        while let Some(stream) = outbound.asked_bodyless() {
            inbound.asked_bodyless(stream);
        }
        passed
    }

    fn poll_through(&mut self, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        loop {
            let before = self.gathered().len();
            let mut all = [IoSlice::new(&[]); SLICES];
            let rest = self.out.get(self.pos..).unwrap_or_default();
            let slices = std::iter::once(rest).chain(bufs.iter().map(|b| &**b)).filter(|s| !s.is_empty());
            let mut used = 0;
            for (slot, s) in all.iter_mut().zip(slices) {
                *slot = IoSlice::new(s);
                used += 1;
            }
            let slices = all.get(..used).unwrap_or_default();
            let Some(transport) = &mut self.transport else { return Poll::Pending };
            let n = ready!(transport.poll_write_vectored(cx, slices, false))?;
            if n == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent(n.min(before));
            if n > before {
                self.bytes.1 += (n - before) as u64;
                self.outbound.passed(n - before);
                return Poll::Ready(Ok(n - before));
            }
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut line = self.0.borrow_mut();
        let before = to.filled().len();
        loop {
            if line.watch.verdict() == Verdict::Close {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            line.eat_preface()?;
            if let Err(code) = line.give(to) {
                line.watch.breach(code);
            }
            if to.filled().len() > before {
                return Poll::Ready(Ok(()));
            }
            if line.eof {
                return Poll::Ready(Ok(()));
            }
            ready!(line.poll_input(cx))?;
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.borrow_mut().poll_take(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.0.borrow_mut().poll_take(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// The owner of the connection flushes, once for all frames.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut line = self.0.borrow_mut();
        ready!(line.poll_send(cx))?;
        match &mut line.transport {
            Some(t) => t.poll_shutdown(cx),
            None => Poll::Ready(Ok(())),
        }
    }
}
