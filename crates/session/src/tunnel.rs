//! Two byte streams joined: TCP mode, and what CONNECT or an upgrade makes of HTTP.

use crate::client::Client;
use crate::pump::{Blocked, Pump, Splice, Turn};
use crate::snapshot::{Proxy, Times};
use crate::stream::{Stream, ended};
use crate::timers::{earlier, later};
use hawser_balance::SessionEnd;
use hawser_cfg::model::opt;
use hawser_proto::mux::{Duplex, Sink, Source};
use hawser_sample::facts::TermCause;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// Why a tunnel ended before both sides closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Ended {
    pub(crate) cause: TermCause,
}

/// One side's last activity, and what may end it.
struct Side {
    /// Bytes came from it or went to it.
    active: Instant,
    /// Bytes came from it, or with [`Side::independent`] unset, moved at all.
    heard: Instant,
    timeout: Option<Duration>,
    /// After this side was told the end (`client-fin`, `server-fin`).
    fin: Option<Duration>,
    /// `option independent-streams`: what is sent to it shows nothing.
    independent: bool,
}

impl Side {
    fn new(now: Instant, timeout: Option<Duration>, fin: Option<Duration>, independent: bool) -> Self {
        Self { active: now, heard: now, timeout, fin, independent }
    }

    /// Bytes have moved: `heard` tells that some came from this side.
    fn note(&mut self, now: Instant, heard: bool) {
        self.active = now;
        if heard || !self.independent {
            self.heard = now;
        }
    }

    /// When the side is late: to send, to take what is sent to it.
    fn deadline(
        &self,
        (sends, takes): (bool, bool),
        half_closed: bool,
        tunnel: Option<Duration>,
    ) -> Option<Instant> {
        let normal = tunnel.or(self.timeout);
        let time = if half_closed { self.fin.or(normal) } else { normal };
        let since = |at| later(at, time);
        earlier(since(self.heard).filter(|_| sends), since(self.active).filter(|_| takes))
    }
}

/// Moves bytes both ways until both sides have closed, one fails, or is silent for too long.
pub(crate) async fn run(
    cl: &mut Client,
    st: &mut Stream,
    client: &mut dyn Duplex,
    server: &mut dyn Duplex,
) -> Option<Ended> {
    let times = st.times(&cl.fe);
    let mut t = Tunnel::new(cl, st, &times);
    let ended = poll_fn(|cx| t.poll(cx, cl, client, server)).await;
    st.moved(&t.up, &t.down);
    ended
}

struct Tunnel {
    up: Pump,
    down: Pump,
    client: Side,
    server: Side,
    tunnel: Option<Duration>,
    end: Option<SessionEnd>,
}

impl Tunnel {
    fn new(cl: &Client, st: &Stream, times: &Times) -> Self {
        let now = cl.now();
        let apart = |px: Option<&Arc<Proxy>>| px.is_some_and(|p| p.options.has(opt::INDEPENDENT_STREAMS));
        Self {
            up: Pump::tunnel(splice(cl, st, opt::SPLICE_REQUEST)),
            down: Pump::tunnel(splice(cl, st, opt::SPLICE_RESPONSE)),
            client: Side::new(now, times.client, times.client_fin, apart(Some(&cl.fe))),
            server: Side::new(now, times.server, times.server_fin, apart(st.be.as_ref())),
            tunnel: times.tunnel,
            end: st.session_end(),
        }
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        cl: &mut Client,
        client: &mut dyn Duplex,
        server: &mut dyn Duplex,
    ) -> Poll<Option<Ended>> {
        let up = turn(&mut self.up, cx, client, server, TermCause::Client, TermCause::Server);
        let down = turn(&mut self.down, cx, server, client, TermCause::Server, TermCause::Client);
        if let Some(end) = up.or(down) {
            return Poll::Ready(Some(end));
        }
        if self.up.is_done() && self.down.is_done() {
            return Poll::Ready(None);
        }
        if self.up.progress || self.down.progress {
            self.client.note(cl.now(), self.up.progress);
            self.server.note(cl.now(), self.down.progress);
        }
        if let Some(cause) = ended(&mut self.end, cx) {
            return Poll::Ready(Some(Ended { cause }));
        }
        self.poll_time(cx, cl)
    }

    fn poll_time(&mut self, cx: &mut Context<'_>, cl: &mut Client) -> Poll<Option<Ended>> {
        let (up, down) = (self.up.blocked, self.down.blocked);
        // Which timeout ends a tunnel of which nobody has closed a side is the tunnel's own business.
        let open = !self.up.source_ended() && !self.down.source_ended();
        let tunnel = if open { self.tunnel } else { None };
        let on_client = (up == Some(Blocked::Read), down == Some(Blocked::Write));
        let on_server = (down == Some(Blocked::Read), up == Some(Blocked::Write));
        let c = self.client.deadline(on_client, self.down.is_done(), tunnel);
        let s = self.server.deadline(on_server, self.up.is_done(), tunnel);
        if cl.poll_deadline(cx, earlier(c, s)).is_pending() {
            return Poll::Pending;
        }
        let client_late = c.is_some_and(|c| s.is_none_or(|s| c <= s));
        let cause = if client_late { TermCause::ClientTimeout } else { TermCause::ServerTimeout };
        Poll::Ready(Some(Ended { cause }))
    }
}

fn turn(
    pump: &mut Pump,
    cx: &mut Context<'_>,
    src: &mut dyn Source,
    dst: &mut dyn Sink,
    from: TermCause,
    to: TermCause,
) -> Option<Ended> {
    match pump.turn(cx, src, dst) {
        Turn::Blocked(_) | Turn::SourceEnded | Turn::Done => None,
        Turn::SourceFailed(_) => Some(Ended { cause: from }),
        Turn::SinkFailed => Some(Ended { cause: to }),
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
