//! A connection of many streams that goes nowhere, for tests.

use hawser_http::Head;
use hawser_proto::mux::{BackConn, BackStream, Fill, MessageInfo, Sink, Source, StreamError};
use hawser_proto::{Address, Transport};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

/// Opens streams up to a limit, and remembers what was asked of it.
#[derive(Default)]
pub(super) struct Lines {
    /// Most streams at once; those that were handed out count until they are closed by hand.
    pub(super) max: u32,
    pub(super) streams: AtomicU32,
    /// How often a stream was asked for.
    pub(super) asked: AtomicU64,
    pub(super) gone: AtomicBool,
    pub(super) drained: AtomicBool,
}

impl BackConn for Lines {
    fn open(&self) -> Option<Box<dyn BackStream>> {
        self.asked.fetch_add(1, Relaxed);
        if self.streams() >= self.max {
            return None;
        }
        self.streams.fetch_add(1, Relaxed);
        Some(Box::new(Nothing))
    }

    fn streams(&self) -> u32 {
        self.streams.load(Relaxed)
    }

    fn opened(&self) -> u64 {
        self.asked.load(Relaxed)
    }

    fn is_usable(&self) -> bool {
        !self.gone.load(Relaxed)
    }

    fn drain(&self) {
        self.drained.store(true, Relaxed);
    }

    fn close(&self) {}

    fn poll_closed(&self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }

    fn ping(&self, _: Duration) {}

    fn rtt(&self) -> Option<Duration> {
        None
    }

    fn bytes(&self) -> (u64, u64) {
        (0, 0)
    }

    fn glitches(&self) -> u32 {
        0
    }

    fn addresses(&self) -> (Address, Address) {
        Default::default()
    }
}

/// A stream of it.
struct Nothing;

impl Source for Nothing {
    fn poll_fill(&mut self, _: &mut Context<'_>) -> Poll<Result<Fill, StreamError>> {
        Poll::Pending
    }

    fn data(&self) -> &[u8] {
        &[]
    }

    fn consume(&mut self, _: usize) {}
}

impl Sink for Nothing {
    fn poll_data(&mut self, _: &mut Context<'_>, _: &[u8]) -> Poll<Result<usize, StreamError>> {
        Poll::Pending
    }

    fn end(&mut self, _: Option<&Head>) {}

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<Result<(), StreamError>> {
        Poll::Pending
    }

    fn is_flushed(&self) -> bool {
        true
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<Result<(), StreamError>> {
        Poll::Pending
    }
}

impl BackStream for Nothing {
    fn send_request(&mut self, _: &Head, _: &MessageInfo, _: bool) {}

    fn poll_connected(&mut self, _: &mut Context<'_>) -> Poll<Result<(), StreamError>> {
        Poll::Pending
    }

    fn poll_response(&mut self, _: &mut Context<'_>, _: &mut Head) -> Poll<Result<MessageInfo, StreamError>> {
        Poll::Pending
    }

    fn uses(&self) -> u32 {
        0
    }

    fn next_request(&mut self) -> bool {
        false
    }

    fn poll_dead(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }

    fn transport(&mut self) -> Option<&mut dyn Transport> {
        None
    }
}
