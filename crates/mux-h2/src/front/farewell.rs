//! How a client is told that its connection ends, so that no request of its is lost.
//!
//! A first GOAWAY names no last stream: the client opens no more of them once it has read it, and what it sent before
//! that is served. Only when all of it must have come, a second one tells where the end is (RFC 9113, 6.8). `h2` sends the
//! second as soon as a PING has come back, which is too early: the answer goes past requests of the client that wait for
//! their turn. A request beyond the end can be repeated only by whoever still has its body.

use crate::frames::goaway;
use crate::wire::Wire;
use h2::Reason;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Sleep;

/// The highest number that a stream can have.
const NO_STREAM_YET: u32 = i32::MAX as u32;

/// How long the client may take to answer the PING that follows the first GOAWAY.
const NOTICE: Duration = Duration::from_secs(1);

/// How long requests that it had made by then may take to come.
const LAST_REQUESTS: Duration = Duration::from_millis(200);

/// The time between the first GOAWAY and the last one.
pub(super) struct Farewell {
    stage: Stage,
    limit: Pin<Box<Sleep>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// A PING is to follow the GOAWAY.
    Told,
    /// Its answer is waited for.
    Asked,
    /// The last requests are.
    Answered,
}

/// The connection's PING, one at a time.
pub(super) trait Pinging {
    /// Sends one unless one is on its way.
    fn ping(&mut self) -> bool;

    /// Whether one is on its way.
    fn is_pinged(&self) -> bool;
}

impl Farewell {
    /// Sends the first GOAWAY.
    pub(super) fn begin(wire: &Wire) -> Self {
        wire.line().send_extra(&goaway(NO_STREAM_YET, Reason::NO_ERROR.into()));
        Self { stage: Stage::Told, limit: Box::pin(tokio::time::sleep(NOTICE)) }
    }

    /// Ready when the last GOAWAY may go.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, pings: &mut impl Pinging) -> Poll<()> {
        // One that left before the GOAWAY says nothing about it.
        if self.stage == Stage::Told && pings.ping() {
            self.stage = Stage::Asked;
        }
        if self.stage != Stage::Answered {
            let answered = self.stage == Stage::Asked && !pings.is_pinged();
            if !answered {
                ready!(self.limit.as_mut().poll(cx));
            }
            self.stage = Stage::Answered;
            self.limit = Box::pin(tokio::time::sleep(LAST_REQUESTS));
        }
        self.limit.as_mut().poll(cx)
    }
}
