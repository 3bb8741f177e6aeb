//! Two byte streams joined: TCP mode, and what CONNECT or an upgrade makes of HTTP.

use crate::client::Client;
use crate::http;
use crate::log;
use crate::pump::{Blocked, Phase, Pump, Splice, Turn};
use crate::snapshot::{Proxy, Times};
use crate::stream::{Stream, ended};
use crate::timers::{earlier, later};
use hawser_balance::{SessionEnd, Stat};
use hawser_cfg::model::opt;
use hawser_proto::mux::{Duplex, Sink, Source};
use hawser_sample::facts::{TermCause, TermState};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// The step of HAProxy's timers.
const TICK: Duration = Duration::from_millis(1);

/// One side's last activity, and what may end it.
struct Side {
    /// Bytes came from it, or with [`Side::independent`] unset, moved at all.
    heard: Instant,
    /// Since when it takes nothing of what is there for it.
    stuck: Option<Instant>,
    timeout: Option<Duration>,
    /// After this side was told the end (`client-fin`, `server-fin`).
    fin: Option<Duration>,
    /// `option independent-streams`: what is sent to it shows nothing.
    independent: bool,
}

impl Side {
    fn new(now: Instant, timeout: Option<Duration>, fin: Option<Duration>, independent: bool) -> Self {
        Self { heard: now, stuck: None, timeout, fin, independent }
    }

    /// A turn moved bytes one way or the other; `from` and `to` are the directions that start and end here.
    fn note(&mut self, now: Instant, from: &Pump, to: &Pump) {
        if from.progress || (to.progress && !self.independent) {
            self.heard = now;
        }
        if to.blocked != Some(Blocked::Write) {
            self.stuck = None;
        } else if to.progress || self.stuck.is_none() {
            self.stuck = Some(now);
        }
    }

    fn deadlines(&self, from: &Pump, to: &Pump) -> Deadlines {
        let time = if to.is_done() { self.fin.or(self.timeout) } else { self.timeout };
        let sends = from.blocked == Some(Blocked::Read);
        Deadlines {
            sends: later(self.heard, time).filter(|_| sends),
            takes: self.stuck.and_then(|at| later(at, time)),
        }
    }
}

/// When a side is late.
struct Deadlines {
    /// To send.
    sends: Option<Instant>,
    /// To take what is sent to it.
    takes: Option<Instant>,
}

impl Deadlines {
    fn first(&self) -> Option<Instant> {
        earlier(self.sends, self.takes)
    }
}

/// Moves bytes both ways until both sides have closed or one fails. A side that is silent for too long is taken for
/// closed: the other one is told so, and has its own time to close as well.
pub(crate) async fn run(cl: &mut Client, st: &mut Stream, client: &mut dyn Duplex, server: &mut dyn Duplex) {
    let times = st.times(&cl.fe);
    let mut t = Tunnel::new(cl, st, &times);
    let cause = poll_fn(|cx| {
        let polled = t.poll(cx, cl, client, server);
        log::moving(cl, st, &t.up, Some(&t.down));
        polled
    })
    .await;
    st.moved(&mut t.up, &t.down);
    if let Some(cause) = t.late.or(cause) {
        st.ended(cause, TermState::Data);
        count(cl, st, cause);
    }
}

/// Counts a tunnel that did not end by both sides closing.
fn count(cl: &Client, st: &Stream, cause: TermCause) {
    match cause {
        TermCause::Client | TermCause::ClientTimeout => http::count_abort(cl, st, Stat::CliAborts),
        TermCause::ServerTimeout => http::count_abort(cl, st, Stat::SrvAborts),
        TermCause::Server => {
            http::count_abort(cl, st, Stat::SrvAborts);
            http::count_abort(cl, st, Stat::FailedResp);
        }
        _ => {}
    }
}

struct Tunnel {
    up: Pump,
    down: Pump,
    client: Side,
    server: Side,
    /// The side that was late first.
    late: Option<TermCause>,
    end: Option<SessionEnd>,
    /// For which phases of the two directions the timer was set. As long as they stay, deadlines only move away.
    timed: Option<(Phase, Phase)>,
}

impl Tunnel {
    fn new(cl: &Client, st: &Stream, times: &Times) -> Self {
        let now = cl.now();
        let apart = |px: Option<&Arc<Proxy>>| px.is_some_and(|p| p.options.has(opt::INDEPENDENT_STREAMS));
        let (client, server) = (times.tunnel.or(times.client), times.tunnel.or(times.server));
        Self {
            up: Pump::tunnel(splice(cl, st, opt::SPLICE_REQUEST)),
            down: Pump::tunnel(splice(cl, st, opt::SPLICE_RESPONSE)),
            client: Side::new(now, client, times.client_fin, apart(Some(&cl.fe))),
            server: Side::new(now, server, times.server_fin, apart(st.be.as_ref())),
            late: None,
            end: st.session_end(),
            timed: None,
        }
    }

    /// Ready with the reason when it ends before both sides have closed.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        cl: &mut Client,
        client: &mut dyn Duplex,
        server: &mut dyn Duplex,
    ) -> Poll<Option<TermCause>> {
        loop {
            let up = turn(&mut self.up, cx, client, server, TermCause::Client, TermCause::Server);
            let down = turn(&mut self.down, cx, server, client, TermCause::Server, TermCause::Client);
            if let Some(cause) = up.or(down) {
                return Poll::Ready(Some(cause));
            }
            if self.up.is_done() && self.down.is_done() {
                return Poll::Ready(None);
            }
            let now = cl.now();
            self.client.note(now, &self.up, &self.down);
            self.server.note(now, &self.down, &self.up);
            if let Some(cause) = ended(&mut self.end, cx) {
                return Poll::Ready(Some(cause));
            }
            let phases = Some((self.up.phase(), self.down.phase()));
            if self.timed == phases && cl.is_timed() {
                return Poll::Pending;
            }
            self.timed = phases;
            let c = self.client.deadlines(&self.up, &self.down);
            let s = self.server.deadlines(&self.down, &self.up);
            let first = earlier(c.first(), s.first());
            if cl.poll_deadline(cx, first).is_pending() {
                return Poll::Pending;
            }
            // All that is due within one step of HAProxy's timers is late together.
            let limit = later(first.unwrap_or(now), Some(TICK));
            let is_late = |at: Option<Instant>| at.is_some() && at <= limit;
            // Nothing reaches who takes nothing: no time to close would help.
            if is_late(s.takes) {
                return Poll::Ready(Some(TermCause::ServerTimeout));
            }
            if is_late(c.takes) {
                return Poll::Ready(Some(TermCause::ClientTimeout));
            }
            if is_late(c.sends) {
                self.late.get_or_insert(TermCause::ClientTimeout);
                self.up.source_late(server);
            }
            if is_late(s.sends) {
                self.late.get_or_insert(TermCause::ServerTimeout);
                self.down.source_late(client);
            }
        }
    }
}

/// The reason when a direction has failed.
fn turn(
    pump: &mut Pump,
    cx: &mut Context<'_>,
    src: &mut dyn Source,
    dst: &mut dyn Sink,
    from: TermCause,
    to: TermCause,
) -> Option<TermCause> {
    match pump.turn(cx, src, dst) {
        Turn::Blocked(_) | Turn::SourceEnded | Turn::Done => None,
        Turn::SourceFailed(_) => Some(from),
        Turn::SinkFailed => Some(to),
    }
}

/// Whether a direction may be spliced, as the proxies' options say.
pub(crate) fn splice(cl: &Client, st: &Stream, always: u64) -> Splice {
    let has = |o| cl.fe.options.has(o) || st.be.as_ref().is_some_and(|b| b.options.has(o));
    if has(always) {
        Splice::Always
    } else if has(opt::SPLICE_AUTO) {
        Splice::Auto
    } else {
        Splice::No
    }
}
