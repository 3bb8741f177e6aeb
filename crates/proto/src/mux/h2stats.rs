//! What HTTP/2 connections of one side of a proxy count for the statistics.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

/// Parts of the counters: one each for the first threads that count, and the last for all others.
const SHARDS: usize = 9;

/// A cumulative counter; the comment is the column of `show stat`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum H2Event {
    /// `h2_headers_rcvd`.
    Headers,
    /// `h2_data_rcvd`.
    Data,
    /// `h2_settings_rcvd`.
    Settings,
    /// `h2_rst_stream_rcvd`.
    Reset,
    /// `h2_goaway_rcvd`.
    Goaway,
    /// `h2_detected_conn_protocol_errors`.
    ConnError,
    /// `h2_detected_strm_protocol_errors`.
    StreamError,
    /// `h2_rst_stream_resp`.
    ResetSent,
    /// `h2_goaway_resp`.
    GoawaySent,
    /// `h2_total_connections`, of servers.
    Conn,
    /// Connections to servers that ended.
    ConnDone,
    /// `h2_backend_total_streams`, of servers.
    Stream,
    /// Streams to servers that ended.
    StreamDone,
}

const COUNT: usize = H2Event::StreamDone as usize + 1;

/// What one connection has counted and not passed on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct H2Local([u32; COUNT]);

impl H2Local {
    /// Counts.
    pub fn inc(&mut self, event: H2Event) {
        let n = &mut self.0[event as usize];
        *n = n.saturating_add(1);
    }

    /// How often since it was passed on.
    pub fn get(&self, event: H2Event) -> u32 {
        self.0[event as usize]
    }
}

#[derive(Debug, Default)]
#[repr(align(64))]
struct Shard([AtomicU64; COUNT]);

impl Shard {
    /// Where the calling thread is the only one to write, a load and a store do.
    fn add(&self, i: usize, n: u64, own: bool) {
        let counter = &self.0[i];
        if own {
            counter.store(counter.load(Relaxed).wrapping_add(n), Relaxed);
        } else {
            counter.fetch_add(n, Relaxed);
        }
    }
}

/// Counters that several threads write; readers add their parts up.
#[derive(Debug, Default)]
pub struct H2Stats([Shard; SHARDS]);

impl H2Stats {
    /// The calling thread's part, and whether nobody else writes to it.
    fn shard(&self) -> (&Shard, bool) {
        static THREADS: AtomicUsize = AtomicUsize::new(0);
        thread_local! {
            static MINE: usize = THREADS.fetch_add(1, Relaxed).min(SHARDS - 1);
        }
        let mine = MINE.with(|m| *m);
        (&self.0[mine], mine < SHARDS - 1)
    }

    /// Counts.
    pub fn inc(&self, event: H2Event) {
        let (shard, own) = self.shard();
        shard.add(event as usize, 1, own);
    }

    /// Takes over what a connection has counted.
    pub fn take(&self, local: &mut H2Local) {
        if *local == H2Local::default() {
            return;
        }
        let (shard, own) = self.shard();
        for (i, n) in local.0.iter_mut().enumerate().filter(|(_, n)| **n > 0) {
            shard.add(i, std::mem::take(n).into(), own);
        }
    }

    /// The value of a counter.
    pub fn get(&self, event: H2Event) -> u64 {
        self.0.iter().map(|s| s.0[event as usize].load(Relaxed)).sum()
    }

    /// What began and has not ended. The two are not read at once: never below 0.
    pub fn open(&self, begun: H2Event, ended: H2Event) -> u64 {
        let ended = self.get(ended);
        self.get(begun).saturating_sub(ended)
    }

    /// Starts from zero (`clear counters all`); what is open stays open.
    pub fn clear(&self) {
        let pairs = [(H2Event::Conn, H2Event::ConnDone), (H2Event::Stream, H2Event::StreamDone)];
        let open = pairs.map(|(begun, ended)| (begun, self.open(begun, ended)));
        self.0.iter().flat_map(|s| &s.0).for_each(|n| n.store(0, Relaxed));
        for (begun, n) in open {
            self.0[0].0[begun as usize].fetch_add(n, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_connections_count_adds_up() {
        let (all, mut one) = (H2Stats::default(), H2Local::default());
        (0..3).for_each(|_| one.inc(H2Event::Data));
        one.inc(H2Event::GoawaySent);
        all.take(&mut one);
        all.take(&mut one);
        std::thread::scope(|s| {
            for _ in 0..2 * SHARDS {
                s.spawn(|| (0..1000).for_each(|_| all.inc(H2Event::Data)));
            }
        });
        all.inc(H2Event::Conn);
        let data = 3 + 2000 * SHARDS as u64;
        assert_eq!((all.get(H2Event::Data), all.get(H2Event::GoawaySent)), (data, 1));
        assert_eq!((one.get(H2Event::Data), all.open(H2Event::Conn, H2Event::ConnDone)), (0, 1));
        all.clear();
        assert_eq!((all.get(H2Event::Data), all.open(H2Event::Conn, H2Event::ConnDone)), (0, 1));
    }
}
