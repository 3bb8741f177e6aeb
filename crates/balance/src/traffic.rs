//! Counters that only proxies have, not their servers: what came in over which protocol.

use crate::counters::add_to;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A cumulative counter; the comment is the column of `show stat`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Event {
    /// `ereq`.
    FailedReq,
    /// `dcon`.
    DeniedConn,
    /// `dses`.
    DeniedSess,
    /// `intercepted`.
    Intercepted,
    /// `sess_other`.
    SessOther,
    /// `h1sess`.
    H1Sess,
    /// `h2sess`.
    H2Sess,
    /// HTTP/1 connections that ended: `h1_open_connections` is the rest.
    H1Closed,
    /// HTTP/2 connections that ended.
    H2Closed,
    /// `req_other`.
    ReqOther,
    /// `h1req`.
    H1Req,
    /// `h2req`.
    H2Req,
    /// HTTP/1 exchanges that ended.
    H1ReqDone,
    /// HTTP/2 streams that ended.
    H2ReqDone,
    /// `h1_bytes_in`.
    H1In,
    /// `h1_bytes_out`.
    H1Out,
    /// Bytes of responses that the proxy made itself: part of `resbout`, not of `bout`.
    OwnOut,
    /// `h1_spliced_bytes_in`.
    SplicedIn,
    /// `h1_spliced_bytes_out`.
    SplicedOut,
}

const COUNT: usize = Event::SplicedOut as usize + 1;

/// One thread's counters, alone on their cache lines.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Shard([AtomicU64; COUNT]);

/// Counters that several threads write, each to its own part; readers add the parts up.
#[derive(Debug)]
pub struct Traffic(Box<[Shard]>);

impl Traffic {
    /// Counters for threads with numbers below `threads`; no other thread may count under the number of one.
    pub fn new(threads: usize) -> Self {
        Self((0..threads.max(1)).map(|_| Shard::default()).collect())
    }

    /// Adds to a counter.
    pub fn add(&self, thread: usize, event: Event, n: u64) {
        // `new` makes at least one.
        add_to(&self.0[thread % self.0.len()].0[event as usize], n, true);
    }

    /// Adds one to a counter.
    pub fn inc(&self, thread: usize, event: Event) {
        self.add(thread, event, 1);
    }

    /// The value of a counter.
    pub fn get(&self, event: Event) -> u64 {
        self.0.iter().map(|s| s.0[event as usize].load(Relaxed)).sum()
    }

    /// What began and has not ended. The two are not read at once: never below 0.
    pub fn open(&self, begun: Event, ended: Event) -> u64 {
        let ended = self.get(ended);
        self.get(begun).saturating_sub(ended)
    }

    /// Starts from zero (`clear counters all`); what is open stays open.
    pub fn clear(&self) {
        let pairs = [
            (Event::H1Sess, Event::H1Closed),
            (Event::H2Sess, Event::H2Closed),
            (Event::H1Req, Event::H1ReqDone),
            (Event::H2Req, Event::H2ReqDone),
        ];
        let open = pairs.map(|(begun, ended)| (begun, self.open(begun, ended)));
        self.0.iter().flat_map(|s| &s.0).for_each(|n| n.store(0, Relaxed));
        open.into_iter().for_each(|(begun, n)| self.add(0, begun, n));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up() {
        let t = Traffic::new(2);
        (0..5).for_each(|thread| t.inc(thread, Event::H1Sess));
        t.add(7, Event::H1Closed, 3);
        assert_eq!((t.get(Event::H1Sess), t.open(Event::H1Sess, Event::H1Closed)), (5, 2));
        assert_eq!((t.get(Event::SplicedOut), t.open(Event::H2Sess, Event::H1Closed)), (0, 0));
        t.clear();
        assert_eq!((t.get(Event::H1Sess), t.open(Event::H1Sess, Event::H1Closed)), (2, 2));
    }
}
