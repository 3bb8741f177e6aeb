//! What a peer does beyond the useful: glitches as HAProxy counts them, and floods.
//!
//! A *glitch* is something that no well-behaved peer does, yet that the protocol lets pass or answers with the
//! reset of one stream. They are counted for `fc_glitches` and its like; beyond `tune.h2.*.glitches-threshold` the
//! connection is closed, gracefully from three quarters of it.
//!
//! *Floods* are frames that are allowed and cost more than they bring. Each has a price, paid from an allowance
//! that time and useful traffic fill up again ([`FULL`]); a connection that has used it up is closed, with or
//! without a threshold. `h2` bounds a few more by itself: CONTINUATION, header lists, streams that
//! were reset before anybody looked at them, and its own resets.

use crate::frames::code::{
    COMPRESSION_ERROR, ENHANCE_YOUR_CALM, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, PROTOCOL_ERROR,
    REFUSED_STREAM,
};
use crate::frames::{ACK, END_HEADERS, END_STREAM, Frame, kind};
use hawser_proto::clock;
use hawser_proto::mux::{H2Event, H2Local};
use std::time::Instant;

/// What a connection may spend at once.
const FULL: u32 = 10_000;
/// What it gets back each second.
const PER_SECOND: u32 = 500;
/// What each end of a response gives back.
const PER_RESPONSE: u32 = 10;
/// Bytes of DATA that give one back, either way.
const BYTES_PER_ONE: u32 = 512;

/// `SETTINGS_INITIAL_WINDOW_SIZE`.
const INITIAL_WINDOW_SIZE: u16 = 4;

/// Fragments of a header block from which on small ones are suspicious.
const FRAGMENTS: u32 = 4;

/// What is to be done about a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, PartialOrd, Ord)]
pub(crate) enum Verdict {
    /// Nothing.
    #[default]
    Fine,
    /// Take no new stream.
    Drain,
    /// Close it ([`Watch::reason`]).
    Close,
}

/// Watches a connection.
#[derive(Debug)]
pub(crate) struct Watch {
    /// The peer is a client.
    client: bool,
    glitches: u32,
    /// `glitches-threshold`, 0 for none.
    threshold: u32,
    credit: u32,
    /// When time last gave something back.
    filled: Option<Instant>,
    /// The peer broke a rule that ends the connection, or its allowance is used up.
    broke: Option<u32>,
    /// The peer's last `SETTINGS_INITIAL_WINDOW_SIZE`.
    window: Option<u32>,
    /// Of the open header block: fragments, and their bytes.
    block: (u32, u32),
    /// For the statistics.
    pub(crate) counts: H2Local,
    /// Streams that were malformed from the start: the session never saw them.
    pub(crate) malformed: u32,
    /// The highest stream that the session has seen when all resets of before were sent, and those that it saw since.
    settled: u32,
    seen: Vec<u32>,
    /// Those beyond it that were reset since as breaking the protocol.
    reset: Vec<u32>,
    /// The highest stream that somebody has looked at.
    pub(crate) started: u32,
    /// Resets with `REFUSED_STREAM` to come that are no fault of the peer's.
    pub(crate) own_refusals: u32,
}

impl Watch {
    /// For a peer that is a client, or a server.
    pub(crate) fn new(client: bool, threshold: u32) -> Self {
        Self {
            client,
            glitches: 0,
            threshold,
            credit: FULL,
            filled: None,
            broke: None,
            window: None,
            block: (0, 0),
            counts: H2Local::default(),
            malformed: 0,
            settled: 0,
            seen: Vec::new(),
            reset: Vec::new(),
            started: 0,
            own_refusals: 0,
        }
    }

    /// Glitches so far.
    pub(crate) fn glitches(&self) -> u32 {
        self.glitches
    }

    /// What is to be done.
    pub(crate) fn verdict(&self) -> Verdict {
        // As HAProxy rounds it.
        let most = self.threshold.saturating_mul(3).saturating_add(1) / 4;
        match () {
            () if self.broke.is_some() => Verdict::Close,
            () if self.threshold == 0 || self.glitches < most.max(1) => Verdict::Fine,
            () if self.glitches < self.threshold => Verdict::Drain,
            () => Verdict::Close,
        }
    }

    /// The peer has broken a rule: the connection ends, with that code.
    pub(crate) fn breach(&mut self, code: u32) {
        if self.broke.is_some() {
            return;
        }
        self.broke = Some(code);
        self.glitches = self.glitches.saturating_add(1);
        // As HAProxy logs them: the connection as a whole made no sense.
        let told = matches!(code, PROTOCOL_ERROR | FLOW_CONTROL_ERROR | FRAME_SIZE_ERROR | COMPRESSION_ERROR);
        self.malformed += u32::from(self.client && told);
    }

    /// The client did not say what it speaks. HAProxy counts it twice.
    pub(crate) fn no_preface(&mut self) {
        self.malformed += 1;
        self.glitch(2);
    }

    /// Why the connection is to be closed.
    pub(crate) fn reason(&self) -> h2::Reason {
        self.broke.unwrap_or(ENHANCE_YOUR_CALM).into()
    }

    /// Counts glitches.
    pub(crate) fn glitch(&mut self, n: u32) {
        self.glitches = self.glitches.saturating_add(n);
    }

    fn spend(&mut self, price: u32) {
        if self.credit < price {
            self.refill();
        }
        if self.credit < price {
            self.breach(ENHANCE_YOUR_CALM);
        }
        self.credit = self.credit.saturating_sub(price);
    }

    fn earn(&mut self, n: u32) {
        self.credit = self.credit.saturating_add(n).min(FULL);
    }

    fn refill(&mut self) {
        let now = clock::now();
        let since = self.filled.replace(now);
        let ms = since.map_or(0, |s| now.saturating_duration_since(s).as_millis());
        let n = ms.saturating_mul(PER_SECOND.into()) / 1000;
        self.earn(u32::try_from(n).unwrap_or(FULL));
    }

    /// The peer sent a frame.
    pub(crate) fn received(&mut self, f: Frame, payload: &[u8]) {
        self.count(f.kind);
        match f.kind {
            kind::DATA if f.is_hollow(payload) => self.spend(2),
            kind::DATA => self.earn(f.len / BYTES_PER_ONE),
            kind::HEADERS => {
                self.block = (0, 0);
                self.fragment(f);
            }
            kind::CONTINUATION => {
                self.spend(2);
                self.fragment(f);
            }
            kind::PRIORITY => {
                self.spend(1);
                if word(payload, 0).is_some_and(|on| on & 0x7fff_ffff == f.stream) {
                    self.glitch(1);
                }
            }
            kind::RST_STREAM => {
                self.spend(10);
                // Before anybody has read the request: nobody is as fast as that.
                if self.client && f.stream > self.started {
                    self.glitch(1);
                }
            }
            kind::SETTINGS if !f.has(ACK) => {
                self.spend(5);
                self.settings(payload);
            }
            _ => self.spend(1),
        }
    }

    /// The session gets to see a stream.
    pub(crate) fn shows(&mut self, stream: u32) {
        self.seen.push(stream);
    }

    /// All resets of streams that have come so far were sent.
    pub(crate) fn settle(&mut self) {
        for stream in self.reset.drain(..) {
            self.settled = self.settled.max(stream);
            self.malformed += u32::from(!self.seen.contains(&stream));
        }
        if let Some(last) = self.seen.last() {
            self.settled = self.settled.max(*last);
            self.seen.clear();
        }
    }

    fn count(&mut self, kind: u8) {
        self.counts.inc(match kind {
            kind::DATA => H2Event::Data,
            kind::HEADERS => H2Event::Headers,
            kind::SETTINGS => H2Event::Settings,
            kind::RST_STREAM => H2Event::Reset,
            kind::GOAWAY => H2Event::Goaway,
            _ => return,
        });
    }

    fn fragment(&mut self, f: Frame) {
        let (n, bytes) = self.block;
        self.block = (n.saturating_add(1), bytes.saturating_add(f.len));
        let (n, bytes) = self.block;
        if f.has(END_HEADERS) && n > FRAGMENTS && n > bytes / 1024 {
            self.glitch(n.div_ceil(16));
        }
    }

    fn settings(&mut self, payload: &[u8]) {
        for entry in payload.chunks_exact(6) {
            let Some((id, value)) = entry.first_chunk::<2>().zip(word(entry, 2)) else { continue };
            if u16::from_be_bytes(*id) == INITIAL_WINDOW_SIZE {
                if self.window.is_some_and(|w| value < w) {
                    self.glitch(1);
                }
                self.window = Some(value);
            }
        }
        self.window = self.window.or(Some(0));
    }

    /// We sent a frame.
    pub(crate) fn sent(&mut self, f: Frame, payload: &[u8]) {
        match f.kind {
            kind::DATA | kind::HEADERS => {
                let end = u32::from(f.has(END_STREAM));
                self.earn(end * PER_RESPONSE + f.len / BYTES_PER_ONE);
            }
            kind::RST_STREAM => {
                let code = word(payload, 0).unwrap_or_default();
                // `h2` may hand the stream out only afterwards.
                if self.client && code == PROTOCOL_ERROR && f.stream > self.settled {
                    self.reset.push(f.stream);
                }
                self.reset(code);
            }
            kind::GOAWAY => self.goaway(word(payload, 4).unwrap_or_default()),
            _ => {}
        }
    }

    /// We ended the connection.
    pub(crate) fn goaway(&mut self, code: u32) {
        if code == 0 {
            return;
        }
        self.counts.inc(H2Event::GoawaySent);
        if code != ENHANCE_YOUR_CALM {
            self.counts.inc(H2Event::ConnError);
        }
        // What `h2` found.
        if self.client && code == PROTOCOL_ERROR && self.broke.is_none() {
            self.malformed += 1;
            self.glitches = self.glitches.saturating_add(1);
        }
    }

    /// We reset a stream: those with certain reasons are the peer's fault.
    pub(crate) fn reset(&mut self, code: u32) {
        self.counts.inc(H2Event::ResetSent);
        if code == REFUSED_STREAM && self.own_refusals > 0 {
            self.own_refusals -= 1;
        } else if matches!(code, 1 | 3 | 5 | 6 | REFUSED_STREAM | 9) {
            self.counts.inc(H2Event::StreamError);
            self.glitch(1);
            self.spend(10);
        }
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk::<4>().map(|w| u32::from_be_bytes(*w))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, stream: u32, len: u32) -> Frame {
        Frame { len, kind, flags, stream }
    }

    fn settings(w: &mut Watch, window: u32) {
        let mut p = vec![0, 4];
        p.extend(window.to_be_bytes());
        w.received(frame(kind::SETTINGS, 0, 0, 6), &p);
    }

    #[test]
    fn glitches_are_what_no_honest_peer_does() {
        let mut w = Watch::new(true, 0);
        settings(&mut w, 100);
        settings(&mut w, 100);
        settings(&mut w, 200);
        assert_eq!(w.glitches(), 0);
        settings(&mut w, 199);
        assert_eq!(w.glitches(), 1, "a smaller window");
        w.received(frame(kind::PRIORITY, 0, 3, 5), &[0x80, 0, 0, 3, 9]);
        assert_eq!(w.glitches(), 2, "depends on itself");
        w.started = 5;
        w.received(frame(kind::RST_STREAM, 0, 5, 4), &[0; 4]);
        assert_eq!(w.glitches(), 2);
        w.received(frame(kind::RST_STREAM, 0, 7, 4), &[0; 4]);
        assert_eq!(w.glitches(), 3, "an early reset");
        w.received(frame(kind::HEADERS, 0, 9, 1), &[]);
        (0..31).for_each(|_| w.received(frame(kind::CONTINUATION, 0, 9, 1), &[]));
        w.received(frame(kind::CONTINUATION, END_HEADERS, 9, 1), &[]);
        assert_eq!(w.glitches(), 6, "33 fragments");
        w.sent(frame(kind::RST_STREAM, 0, 9, 4), &[0, 0, 0, 1]);
        assert_eq!(w.glitches(), 7, "a stream that had to be reset");
        w.own_refusals = 1;
        w.sent(frame(kind::RST_STREAM, 0, 9, 4), &[0, 0, 0, 7]);
        w.sent(frame(kind::RST_STREAM, 0, 9, 4), &[0, 0, 0, 8]);
        assert_eq!(w.glitches(), 7);
        w.sent(frame(kind::RST_STREAM, 0, 9, 4), &[0, 0, 0, 7]);
        assert_eq!(w.glitches(), 8);
        assert_eq!(w.verdict(), Verdict::Fine);
    }

    #[test]
    fn malformed_streams_are_those_that_nobody_saw() {
        let mut w = Watch::new(true, 0);
        let reset = |w: &mut Watch, stream, code| {
            w.sent(frame(kind::RST_STREAM, 0, stream, 4), &[0, 0, 0, code]);
        };
        [1, 3, 5].iter().for_each(|s| reset(&mut w, *s, 1));
        w.shows(1);
        w.shows(5);
        reset(&mut w, 7, 1);
        reset(&mut w, 9, 8);
        w.settle();
        assert_eq!(std::mem::take(&mut w.malformed), 2, "3 and 7");
        [5, 7, 9, 11].iter().for_each(|s| reset(&mut w, *s, 1));
        w.shows(11);
        w.settle();
        assert_eq!(std::mem::take(&mut w.malformed), 1, "9");
        w.sent(frame(kind::GOAWAY, 0, 0, 8), &[0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!((w.malformed, w.counts.get(H2Event::ConnError)), (1, 1));
    }

    #[test]
    fn the_threshold_drains_first_and_closes_then() {
        let mut w = Watch::new(true, 4);
        let mut verdicts = Vec::new();
        for _ in 0..5 {
            verdicts.push(w.verdict());
            w.glitch(1);
        }
        use Verdict::{Close, Drain, Fine};
        assert_eq!(verdicts, [Fine, Fine, Fine, Drain, Close]);
    }

    #[test]
    fn floods_use_the_allowance_up_and_useful_traffic_fills_it() {
        type Step = fn(&mut Watch);
        let floods: [(Step, u32); 5] = [
            (|w| w.received(frame(6, 0, 0, 8), &[]), 1),
            (|w| w.received(frame(8, 0, 0, 4), &[]), 1),
            (|w| w.received(frame(0xbe, 0, 0, 4), &[]), 1),
            (|w| settings(w, 1), 5),
            (|w| w.received(frame(kind::RST_STREAM, 0, 0, 4), &[]), 10),
        ];
        for (step, price) in floods {
            let mut w = Watch::new(true, 0);
            (0..FULL / price).for_each(|_| step(&mut w));
            assert_eq!(w.verdict(), Verdict::Fine);
            // The clock may give a little back meanwhile.
            (0..FULL / price).for_each(|_| step(&mut w));
            assert_eq!(w.verdict(), Verdict::Close);
        }
        let mut w = Watch::new(true, 0);
        for _ in 0..3 * FULL {
            w.received(frame(8, 0, 0, 4), &[]);
            w.sent(frame(kind::DATA, 0, 1, 1024), &[]);
        }
        assert_eq!(w.verdict(), Verdict::Fine);
    }
}
