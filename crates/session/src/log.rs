//! The end of a stream: counters and its log line.

use crate::client::Client;
use crate::pump::Pump;
use crate::snapshot::Dial;
use crate::stream::{Stream, with_ctx};
use hawser_balance::{Counters, Stat, Traffic, TrafficEvent};
use hawser_cfg::model::opt;
use hawser_proto::{ListenerEvent, clock};
use hawser_sample::facts::{LogOrigin, TermCause, TermState};
use hawser_stick::Event;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

impl Client {
    /// Counts an event for the frontend and the stream's backend.
    pub(crate) fn count(&self, st: &Stream, stat: Stat) {
        let thread = self.worker.number();
        if let Some(front) = &self.fe.front {
            front.counters.inc(thread, stat);
        }
        if let Some(back) = st.be.as_ref().and_then(|b| b.back.as_ref()) {
            back.backend.counters.inc(thread, stat);
        }
        self.listener_saw(match stat {
            Stat::DeniedReq => Some(ListenerEvent::DeniedReq),
            Stat::DeniedResp => Some(ListenerEvent::DeniedResp),
            Stat::FailedRewrites => Some(ListenerEvent::FailedRewrite),
            Stat::InternalErrors => Some(ListenerEvent::InternalError),
            _ => None,
        });
        let servers = stat as u8 >= Stat::Hrsp1xx as u8 || stat == Stat::DeniedResp;
        if let (Some(slot), true) = (&st.slot, servers) {
            slot.server().counters.inc(thread, stat);
        }
    }

    /// Counts an event of the frontend's traffic.
    pub(crate) fn saw(&self, event: TrafficEvent) {
        if let Some(front) = &self.fe.front {
            front.traffic.inc(self.worker.number(), event);
        }
        self.listener_saw(match event {
            TrafficEvent::H1Sess | TrafficEvent::H2Sess | TrafficEvent::SessOther => {
                Some(ListenerEvent::Session)
            }
            TrafficEvent::DeniedConn => Some(ListenerEvent::DeniedConn),
            TrafficEvent::DeniedSess => Some(ListenerEvent::DeniedSess),
            TrafficEvent::FailedReq => Some(ListenerEvent::FailedReq),
            _ => None,
        });
    }

    /// Counts an event of the listener, which shows with `option socket-stats` only.
    fn listener_saw(&self, event: Option<ListenerEvent>) {
        if let Some(event) = event
            && self.fe.options.has(opt::SOCKET_STATS)
        {
            self.slot.listener().counts.inc(event);
        }
    }

    /// Counts a denied request.
    pub(crate) fn deny(&self, st: &Stream) {
        self.count(st, Stat::DeniedReq);
    }

    /// Counts a connection as a denied request, which is what `silent-drop` makes of it.
    pub(crate) fn deny_connection(&self) {
        if let Some(front) = &self.fe.front {
            front.counters.inc(self.worker.number(), Stat::DeniedReq);
        }
        self.listener_saw(Some(ListenerEvent::DeniedReq));
    }

    /// Counts a request that was wrong by the client's fault.
    pub(crate) fn blame(&self, st: &Stream) {
        self.tally(st, Event::HttpError);
    }

    /// Connections on which nothing was sent are of no interest.
    pub(crate) fn ignores_probes(&self) -> bool {
        self.fe.options.has(opt::HTTP_IGNORE_PROBES)
    }
}

/// A connection to the server was established (TCP mode): `option logasap`.
pub(crate) fn connected(cl: &Client, st: &mut Stream) {
    response_started(cl, st);
}

/// There is a connection (TCP mode) or a request: what the default format tells is known.
pub(crate) fn started(cl: &Client, st: &mut Stream, origin: LogOrigin) {
    let Some(front) = &cl.fe.front else { return };
    if front.logger.early() && !st.unlogged && !front.logger.is_off() {
        st.strm.log_origin = origin;
        write(cl, st);
        st.logged = true;
    }
}

/// The response's head is on its way: `option logasap`.
pub(crate) fn response_started(cl: &Client, st: &mut Stream) {
    let Some(front) = &cl.fe.front else { return };
    if front.logger.asap() && !st.logged && !st.unlogged && !front.logger.is_off() {
        st.strm.log_asap = true;
        st.strm.log_origin = LogOrigin::TxnResponse;
        write(cl, st);
        st.logged = true;
    }
}

/// Ends a stream.
pub(crate) fn end(cl: &Client, mut st: Box<Stream>) {
    st.strm.t.end = Some(cl.now());
    count_moved(cl, &mut st);
    if st.blamed {
        cl.blame(&st);
    }
    let thread = cl.worker.number();
    if let Some(front) = cl.fe.front.as_ref().filter(|_| cl.fe.is_http()) {
        request_ended(cl, &st, &front.traffic);
    }
    if let Some(back) = st.be.as_ref().and_then(|b| b.back.as_ref()) {
        let t = timers(&st);
        back.backend.counters.timers(thread, t[0], t[1], t[2], t[3]);
        let h2 =
            st.slot.as_ref().and_then(|s| back.dial.get(s.index() as usize)).is_some_and(Dial::speaks_h2);
        if back.backend.facts.http && !h2 {
            let [up, down] = st.spliced;
            exchanged(&back.traffic, thread, [st.strm.bytes_out, st.strm.bytes_in], [down, up]);
        }
        if let Some(slot) = &st.slot {
            slot.server().counters.timers(thread, t[0], t[1], t[2], t[3]);
        }
    }
    if !st.logged && !st.unlogged {
        st.strm.log_origin = LogOrigin::TxnClose;
        write(cl, &mut st);
    }
    cl.worker.give_stream(st);
}

/// While bodies are under way, counts what has moved of them (`option contstats`).
pub(crate) fn moving(cl: &Client, st: &mut Stream, up: &Pump, down: Option<&Pump>) {
    if cl.fe.options.has(opt::CONTSTATS) {
        let (received, sent) = (up.bytes, down.map_or(0, |d| d.bytes));
        let bytes = [st.strm.bytes_in + received, st.strm.bytes_out + sent];
        count_bytes(cl, st, bytes);
    }
}

/// Counts what has moved so far.
pub(crate) fn count_moved(cl: &Client, st: &mut Stream) {
    let bytes = [st.strm.bytes_in, st.strm.bytes_out];
    count_bytes(cl, st, bytes);
}

/// Counts what is new of a stream's bytes, in and out.
fn count_bytes(cl: &Client, st: &mut Stream, bytes: [u64; 2]) {
    let new = [bytes[0].saturating_sub(st.counted[0]), bytes[1].saturating_sub(st.counted[1])];
    if new == [0; 2] {
        return;
    }
    // What is sent a second time to another server was received once.
    st.counted = [st.counted[0] + new[0], st.counted[1] + new[1]];
    cl.tally_bytes(st, new);
    let thread = cl.worker.number();
    let add = |c: &Counters| {
        c.add(thread, Stat::BytesIn, new[0]);
        c.add(thread, Stat::BytesOut, new[1]);
    };
    if let Some(front) = &cl.fe.front {
        add(&front.counters);
        if cl.fe.options.has(opt::SOCKET_STATS) {
            cl.slot.listener().bytes_in.fetch_add(new[0], Relaxed);
            cl.slot.listener().bytes_out.fetch_add(new[1], Relaxed);
        }
    }
    if let Some(back) = st.be.as_ref().and_then(|b| b.back.as_ref()) {
        add(&back.backend.counters);
        if let Some(slot) = &st.slot {
            add(&slot.server().counters);
        }
    }
}

/// A request of HTTP/2 that its mux refused: no stream was made of it, and none is counted.
pub(crate) fn malformed(cl: &Client) {
    cl.tally_session(Event::HttpRequest);
    cl.tally_session(Event::HttpError);
    let mut st = cl.worker.take_stream();
    let now = cl.now();
    (st.strm.created, st.strm.t.end) = (Some(now), Some(now));
    st.strm.id = cl.worker.shared().next_stream();
    st.strm.request_date = Some(clock::wall());
    st.ended(TermCause::Proxy, TermState::Request);
    st.strm.log_origin = LogOrigin::SessError;
    write(cl, &mut st);
    cl.worker.give_stream(st);
}

/// Counts a request by its protocol.
fn request_ended(cl: &Client, st: &Stream, traffic: &Traffic) {
    let thread = cl.worker.number();
    let h1 = cl.sess.borrow().fc_http_major < 2;
    if h1 {
        exchanged(traffic, thread, [st.strm.bytes_in, st.strm.bytes_out + st.own_bytes], st.spliced);
    }
    if st.own_bytes > 0 {
        traffic.add(thread, TrafficEvent::OwnOut, st.own_bytes);
    }
    let done = if h1 { TrafficEvent::H1ReqDone } else { TrafficEvent::H2ReqDone };
    let complete = st.strm.t.request_end.is_some();
    if !complete && !st.unlogged {
        cl.saw(TrafficEvent::FailedReq);
    }
    if complete || st.aborted || (h1 && !st.unlogged) {
        traffic.inc(thread, done);
    }
}

/// Adds the bytes of an HTTP/1 exchange, as the side sees them: in, out.
fn exchanged(traffic: &Traffic, thread: usize, bytes: [u64; 2], spliced: [u64; 2]) {
    traffic.add(thread, TrafficEvent::H1In, bytes[0]);
    traffic.add(thread, TrafficEvent::H1Out, bytes[1]);
    if spliced != [0; 2] {
        traffic.add(thread, TrafficEvent::SplicedIn, spliced[0]);
        traffic.add(thread, TrafficEvent::SplicedOut, spliced[1]);
    }
}

/// Queue, connect, response and total time of a stream (ms).
fn timers(st: &Stream) -> [u32; 4] {
    let t = &st.strm.t;
    let between = |a: Option<Instant>, b: Option<Instant>| match (a, b) {
        // Both in one turn of the stream's task.
        (Some(a), Some(b)) if a == b => 0,
        (Some(a), Some(b)) => u32::try_from(b.saturating_duration_since(a).as_millis()).unwrap_or(u32::MAX),
        _ => 0,
    };
    [
        between(t.request_end, t.queue_end),
        between(t.queue_end, t.connect_end),
        between(t.connect_end, t.response_start),
        between(t.request_start.or(st.strm.created), t.end),
    ]
}

/// Writes the log line, unless nobody reads it.
fn write(cl: &Client, st: &mut Stream) {
    let Some(front) = cl.fe.front.as_ref().filter(|f| !f.logger.is_off()) else { return };
    // A stream that is over has left its backend and its server, the client's connection is still there.
    let own = |there: bool| u32::from(there && !st.strm.log_asap);
    let backend = st.be.as_ref().and_then(|b| b.back.as_ref()).map_or(0, |b| b.backend.conns());
    let server = st.slot.as_ref().map_or(0, |s| s.server().served());
    st.strm.conns = [
        cl.slot.listener().process.conns.inside(),
        cl.slot.listener().frontend.conns.inside(),
        backend.saturating_sub(own(st.guard.is_some())),
        server.saturating_sub(own(true)),
    ];
    let responded = st.strm.t.response_start.is_some();
    with_ctx(cl, st, responded, |ctx| front.logger.log_stream(ctx));
}
