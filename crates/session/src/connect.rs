//! From a backend to a connection: a place on a server, queueing for it, an idle connection or a new one, retries.

use crate::assigned;
use crate::attached;
use crate::client::Client;
use crate::dial::Extras;
use crate::dialing::{Dialing, Dials, Outcome};
use crate::link::Link;
use crate::persist::prefers_last;
use crate::pool;
use crate::snapshot::{Back, Dial, Proxy};
use crate::stop::Stop;
use crate::stream::{Stream, with_ctx};
use crate::timers::later;
use hawser_balance::{self as balance, AssignOpts, Assignment, Circumstances, Decision, Granted, Ms};
use hawser_balance::{Observation, Priority, QueueTicket, Server, Stat, time};
use hawser_cfg::model::{Reuse, opt};
use hawser_http::{BodyLen, Start};
use hawser_proto::Address;
use hawser_proto::mux::BackStream;
use hawser_sample::facts::{TermCause, TermState};
use std::future::poll_fn;
use std::hash::{BuildHasher, RandomState};
use std::rc::Rc;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};
use std::time::Duration;

/// Tells whether the client has gone away.
pub(crate) type Gone<'a> = &'a mut dyn FnMut(&mut Context<'_>) -> Poll<()>;

/// Attempts of a stream.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tries {
    /// A rule or a cookie designates the server.
    persistent: bool,
    /// The server of the last one, to be avoided by the next.
    avoid: Option<u32>,
    /// Only new connections from now on.
    pub(crate) fresh: bool,
}

/// Why no connection came about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Failure {
    Refused,
    TimedOut,
    ClientGone,
    /// No descriptor, port or memory left.
    Resource,
}

/// Gets the stream's request on a connection to a server.
pub(crate) async fn reach(cl: &mut Client, st: &mut Stream, gone: Gone<'_>) -> Result<Link, Stop> {
    let Some(be) = st.be.clone() else { return Err(no_server()) };
    let Some(back) = &be.back else { return Err(no_server()) };
    let mut joined = false;
    loop {
        if st.slot.is_none() {
            assign(cl, st, &be, back, gone).await?;
            assigned::apply(st, back)?;
        }
        if let Some(server) = st.slot.as_ref().map(|s| s.server()).filter(|s| s.attached.is_some()) {
            let server = server.clone();
            return attached::reach(cl, st, back, &server, gone).await;
        }
        if let Some(link) = reuse(cl, st, back) {
            return Ok(link);
        }
        let failure = match others(cl, st, back).filter(|_| !joined) {
            Some(dialing) => match join(cl, st, &dialing, gone).await {
                Outcome::Failed(f) => f,
                outcome => {
                    // Where there was no room after all, the next connection is this stream's own.
                    joined = outcome == Outcome::Up;
                    continue;
                }
            },
            None => match dial(cl, st, back, gone).await {
                Ok(link) => return Ok(link),
                Err(f) => f,
            },
        };
        let pause = failed(cl, st, back, failure)?;
        turn_around(cl, gone, pause).await?;
    }
}

pub(crate) fn no_server() -> Stop {
    Stop::error(503, TermCause::Server, TermState::Connect)
}

/// Takes a place on a server, waiting for one if need be.
async fn assign(
    cl: &mut Client,
    st: &mut Stream,
    be: &Proxy,
    back: &Back,
    gone: Gone<'_>,
) -> Result<(), Stop> {
    let since = time::ms(cl.now());
    loop {
        let forced = st.persist.forced().filter(|_| st.tries.avoid.is_none());
        st.tries.persistent = forced.is_some();
        let opts = AssignOpts {
            thread: cl.worker.number(),
            now: time::ms(cl.now()),
            since: Some(since),
            forced,
            prefer: preferred(cl, be),
            avoid: st.tries.avoid,
            priority: Priority { class: st.strm.priority_class, offset: st.strm.priority_offset },
        };
        let slot = match with_ctx(cl, st, false, |ctx| back.backend.assign(ctx, &opts)) {
            Assignment::Ready(slot) => slot,
            Assignment::NoServer => return Err(no_server()),
            Assignment::Queued(ticket) => match queued(cl, st, ticket, gone).await? {
                Some(slot) => slot,
                None => continue,
            },
        };
        let position = slot.position();
        st.strm.srv_queue = position.server;
        st.strm.be_queue = position.backend;
        st.strm.server = Some(slot.server().name.clone());
        st.strm.server_id = slot.server().id;
        st.strm.t.queue_end = Some(cl.now());
        if prefers_last(be) {
            cl.keep().last = Some((be.facts.index, slot.index()));
        }
        st.slot = Some(slot);
        return Ok(());
    }
}

/// The server of the last request, if it is to be preferred.
fn preferred(cl: &Client, be: &Proxy) -> Option<u32> {
    let (backend, server) = cl.kept.borrow().as_ref()?.last?;
    (backend == be.facts.index && prefers_last(be)).then_some(server)
}

/// Waits in a queue; none to choose again.
async fn queued(
    cl: &mut Client,
    st: &mut Stream,
    mut ticket: QueueTicket,
    gone: Gone<'_>,
) -> Result<Option<hawser_balance::Slot>, Stop> {
    let deadline = later(cl.now(), st.times(&cl.fe).queue);
    let granted = poll_fn(|cx| {
        if let Poll::Ready(g) = ticket.poll_slot(cx) {
            return Poll::Ready(Ok(g));
        }
        if gone(cx).is_ready() {
            return Poll::Ready(Err(Failure::ClientGone));
        }
        cl.poll_deadline(cx, deadline).map(|()| Err(Failure::TimedOut))
    })
    .await;
    let position = ticket.position();
    let stop = match granted {
        Ok(Granted::Slot(slot)) => return Ok(Some(slot)),
        Ok(Granted::Requeue) => return Ok(None),
        Ok(Granted::NoServer) => no_server(),
        Err(Failure::ClientGone) => Stop::silent(0, TermCause::Client, TermState::Queue),
        Err(_) => Stop::error(503, TermCause::ServerTimeout, TermState::Queue),
    };
    st.strm.srv_queue = position.server;
    st.strm.be_queue = position.backend;
    st.strm.t.queue_end = Some(cl.now());
    Err(stop)
}

/// How connections to the server of the stream's slot are made.
fn way<'a>(st: &Stream, back: &'a Back) -> Option<(Arc<Server>, &'a Dial)> {
    let slot = st.slot.as_ref()?;
    Some((slot.server().clone(), back.dial.get(slot.index() as usize)?))
}

/// A connection to the server that is there already, if the rules of `http-reuse` allow one.
fn reuse(cl: &mut Client, st: &mut Stream, back: &Back) -> Option<Link> {
    if st.req.start == Start::Trailers || st.tries.fresh {
        return None;
    }
    let (server, dial) = way(st, back)?;
    if !dial.mux.is_main(st.info.websocket) {
        return None;
    }
    let multi = dial.mux.of(false).multiplexes;
    let target = Target::of(cl, st, back, &server);
    let mut link = pool::take(cl, &server, &target, back, multi)?;
    link.stream().send_request(&st.req, &st.info, false);
    server.counters.inc(cl.worker.number(), Stat::Reuses);
    st.strm.bc_reused = true;
    st.strm.bc_http_major = if multi { 2 } else { 1 };
    st.strm.bc_dst = target.addr;
    st.strm.bc_src = link.local();
    st.strm.t.connect_end = Some(cl.now());
    keep_for_refusal(cl, st, multi);
    Some(link)
}

/// A server of many streams may refuse one of them, whose body has to be sent again then.
pub(crate) fn keep_for_refusal(cl: &Client, st: &mut Stream, multi: bool) {
    if multi && st.info.body != BodyLen::None {
        st.held.record(cl.snapshot.bufsize);
    }
}

/// A connection that is being established and that the stream may use once it is there.
fn others(cl: &mut Client, st: &mut Stream, back: &Back) -> Option<Rc<Dialing>> {
    let (server, dial) = way(st, back)?;
    if st.tries.fresh || !dial.mux.is_main(st.info.websocket) || !dial.mux.of(false).multiplexes {
        return None;
    }
    let target = Target::of(cl, st, back, &server);
    with_dials(cl, back, |d| d.find(server.uid, target.hash, back.max_streams)).flatten()
}

/// The attempts that a client's streams may join: those of everybody, or its own.
fn with_dials<R>(cl: &Client, back: &Back, f: impl FnOnce(&mut Dials) -> R) -> Option<R> {
    match back.reuse {
        Reuse::Always => Some(f(&mut cl.worker.dialing())),
        Reuse::Aggressive => None,
        // A client that asks one thing after the other has nobody to wait for.
        Reuse::Safe | Reuse::Never => cl.multiplexes().then(|| f(&mut cl.keep().dialing)),
    }
}

/// Waits for somebody else's connection.
async fn join(cl: &mut Client, st: &Stream, dialing: &Dialing, gone: Gone<'_>) -> Outcome {
    let deadline = later(cl.now(), st.times(&cl.fe).connect);
    poll_fn(|cx| {
        if let Poll::Ready(outcome) = dialing.poll(cx) {
            return Poll::Ready(outcome);
        }
        if gone(cx).is_ready() {
            return Poll::Ready(Outcome::Failed(Failure::ClientGone));
        }
        cl.poll_deadline(cx, deadline).map(|()| Outcome::Failed(Failure::TimedOut))
    })
    .await
}

/// Connects to the server of the stream's slot.
async fn dial(cl: &mut Client, st: &mut Stream, back: &Back, gone: Gone<'_>) -> Result<Link, Failure> {
    let Some((server, dial)) = way(st, back) else { return Err(Failure::Refused) };
    server.counters.inc(cl.worker.number(), Stat::Connects);
    let target = Target::of(cl, st, back, &server);
    let mut to = dial.to.clone();
    to.dst = target.addr.clone();
    to.mark = st.asks.bc_mark.or(to.mark);
    to.tos = st.asks.bc_tos.or(to.tos);
    st.strm.bc_dst = target.addr.clone();
    st.strm.bc_reused = false;
    cl.worker.pool().make_room();
    let line = target.extras.dial(to).map_err(|e| classify(&e))?;
    let lane = dial.mux.of(st.info.websocket);
    let main = dial.mux.is_main(st.info.websocket);
    let attempt = if lane.multiplexes && main {
        with_dials(cl, back, |d| d.begin(server.uid, target.hash))
    } else {
        None
    };
    let mut stream = lane.mux.connect(line);
    let pretends = st.be.as_ref().is_some_and(|b| b.options.has(opt::HTTP_PRETEND_KEEPALIVE));
    stream.send_request(&st.req, &st.info, !pretends && !pool::may_keep(cl, st));
    keep_for_refusal(cl, st, lane.multiplexes);
    let outcome = connected(cl, st, &mut *stream, gone).await;
    if let Err(f) = outcome {
        match attempt {
            // Others have not left with this client.
            Some(attempt) if f != Failure::ClientGone => attempt.end(Outcome::Failed(f)),
            _ => {}
        }
        return Err(f);
    }
    server.report(Observation::L4Ok, time::ms(cl.now()));
    st.strm.t.connect_end = Some(cl.now());
    st.strm.bc_http_major = match st.req.start {
        Start::Trailers => 0,
        _ if lane.multiplexes => 2,
        _ => 1,
    };
    let mut link = pool::opened(cl, &server, &target, back, main, stream);
    if let Some(attempt) = attempt {
        attempt.end(Outcome::Up);
    }
    st.strm.bc_src = link.local();
    Ok(link)
}

/// Waits until a connection is established.
async fn connected(
    cl: &mut Client,
    st: &Stream,
    stream: &mut dyn BackStream,
    gone: Gone<'_>,
) -> Result<(), Failure> {
    let deadline = later(cl.now(), st.times(&cl.fe).connect);
    poll_fn(|cx| {
        if let Poll::Ready(r) = stream.poll_connected(cx) {
            return Poll::Ready(r.map_err(|_| Failure::Refused));
        }
        if gone(cx).is_ready() {
            return Poll::Ready(Err(Failure::ClientGone));
        }
        cl.poll_deadline(cx, deadline).map(|()| Err(Failure::TimedOut))
    })
    .await
}

/// The name that a request's connection must have (`pool-conn-name`).
pub(crate) fn conn_name(cl: &Client, st: &Stream, back: &Back) -> Option<Box<[u8]>> {
    let index = st.slot.as_ref()?.index() as usize;
    let expr = back.dial.get(index)?.name.as_ref()?;
    with_ctx(cl, st, false, |ctx| expr.eval(ctx).map(|v| Box::from(&*v.into_str())))
}

/// Where to connect, and what sets the connection apart from others to the same server.
pub(crate) struct Target {
    pub(crate) addr: Address,
    /// Requests may share connections where this is equal; 0 where the request has no influence on it.
    pub(crate) hash: u64,
    /// Its source address and its PROXY header, where the request determines them.
    extras: Extras,
}

/// The hash's key: what clients send goes into it.
static HASH_KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);

impl Target {
    fn of(cl: &Client, st: &mut Stream, back: &Back, server: &Server) -> Self {
        let index = st.slot.as_ref().map(|s| s.index() as usize);
        let dial = index.and_then(|i| back.dial.get(i));
        let extras = dial.map(|d| Extras::of(cl, st, d)).unwrap_or_default();
        let conf = server.addr.load();
        let sess = cl.sess.borrow();
        let asked = st.strm.dst.as_ref().unwrap_or(&sess.dst);
        let mut addr = conf.target(asked.port());
        let mut from_client = conf.port_missing || conf.port_offset.is_some();
        if let (Address::Ip(a), Some(dst)) = (&mut addr, asked.ip())
            && a.ip().is_unspecified()
        {
            // A server without address is a transparent one.
            a.set_ip(dst);
            from_client = true;
        }
        let hash = Self::hash(st, from_client.then_some(&addr), conn_name(cl, st, back), &extras);
        Self { addr, hash, extras }
    }

    /// `addr` is the address where it depends on the client's.
    fn hash(st: &Stream, addr: Option<&Address>, name: Option<Box<[u8]>>, extras: &Extras) -> u64 {
        let options = (st.asks.bc_mark, st.asks.bc_tos);
        if options == (None, None) && addr.is_none() && name.is_none() && extras.is_none() {
            return 0;
        }
        HASH_KEY.hash_one((options, addr, name, extras))
    }
}

fn classify(e: &std::io::Error) -> Failure {
    use rustix_errno::{EADDRINUSE, EADDRNOTAVAIL, EAGAIN, EMFILE, ENFILE, ENOBUFS, ENOMEM};
    match e.raw_os_error() {
        Some(EMFILE | ENFILE | ENOBUFS | ENOMEM | EAGAIN | EADDRINUSE | EADDRNOTAVAIL) => Failure::Resource,
        _ => Failure::Refused,
    }
}

/// The error numbers of exhausted resources on Linux.
mod rustix_errno {
    pub(super) const EAGAIN: i32 = 11;
    pub(super) const ENOMEM: i32 = 12;
    pub(super) const ENFILE: i32 = 23;
    pub(super) const EMFILE: i32 = 24;
    pub(super) const EADDRINUSE: i32 = 98;
    pub(super) const EADDRNOTAVAIL: i32 = 99;
    pub(super) const ENOBUFS: i32 = 105;
}

/// An attempt failed: how long to wait before the next one.
fn failed(cl: &Client, st: &mut Stream, back: &Back, failure: Failure) -> Result<Ms, Stop> {
    let thread = cl.worker.number();
    let Some(slot) = &st.slot else { return Err(no_server()) };
    let server = slot.server().clone();
    let (kind, cause) = match failure {
        Failure::ClientGone => return Err(Stop::silent(0, TermCause::Client, TermState::Connect)),
        Failure::Refused => (balance::Failure::Connect, TermCause::Server),
        Failure::TimedOut => (balance::Failure::ConnectTimeout, TermCause::ServerTimeout),
        Failure::Resource => (balance::Failure::Connect, TermCause::Resource),
    };
    if failure != Failure::Resource {
        server.report(Observation::L4Err, time::ms(cl.now()));
    }
    if failure != Failure::Resource
        && let Some(pause) = again(cl, st, back, kind)
    {
        return Ok(pause);
    }
    server.counters.inc(thread, Stat::FailedConns);
    back.backend.counters.inc(thread, Stat::FailedConns);
    Err(Stop::error(503, cause, TermState::Connect))
}

/// Whether another attempt follows, and after which pause; prepares for it.
pub(crate) fn again(cl: &Client, st: &mut Stream, back: &Back, failure: balance::Failure) -> Option<Ms> {
    let thread = cl.worker.number();
    let slot = st.slot.as_ref()?;
    let circumstances = Circumstances {
        retries: st.strm.retries,
        limit: st.asks.retries,
        persistent: st.tries.persistent,
        forced: false,
        indifferent: back.backend.is_indifferent(),
        active: back.backend.active_servers(),
    };
    let (pause, stat) = match back.retry.after_failure(failure, &circumstances) {
        Decision::GiveUp => return None,
        Decision::SameServer(pause) => (pause, Stat::Retries),
        Decision::Redispatch(pause) => {
            let old = slot.index();
            let others = back.backend.active_servers() > 1;
            slot.server().counters.inc(thread, if others { Stat::Redispatches } else { Stat::Retries });
            st.tries.avoid = Some(old);
            st.strm.redispatched |= others;
            st.slot = None;
            (pause, if others { Stat::Redispatches } else { Stat::Retries })
        }
    };
    if let Some(slot) = &st.slot {
        slot.server().counters.inc(thread, stat);
    }
    back.backend.counters.inc(thread, stat);
    st.strm.retries += 1;
    Some(pause)
}

/// Whether an attempt is left for a request that the server did not look at; counts it.
pub(crate) fn anew(cl: &Client, st: &mut Stream, back: &Back) -> bool {
    if st.strm.retries >= back.retry.limit(st.asks.retries) {
        return false;
    }
    let thread = cl.worker.number();
    if let Some(slot) = &st.slot {
        slot.server().counters.inc(thread, Stat::Retries);
    }
    back.backend.counters.inc(thread, Stat::Retries);
    st.strm.retries += 1;
    true
}

/// Leaves a server some time before the next attempt on it.
pub(crate) async fn turn_around(cl: &mut Client, gone: Gone<'_>, pause: Ms) -> Result<(), Stop> {
    if pause == 0 {
        return Ok(());
    }
    let deadline = later(cl.now(), Some(Duration::from_millis(pause)));
    poll_fn(|cx| {
        if gone(cx).is_ready() {
            return Poll::Ready(Err(Stop::silent(0, TermCause::Client, TermState::Connect)));
        }
        cl.poll_deadline(cx, deadline).map(Ok)
    })
    .await
}
