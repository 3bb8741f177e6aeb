//! From a backend to a connection: a place on a server, queueing for it, an idle connection or a new one, retries.

use crate::assigned;
use crate::attached;
use crate::client::Client;
use crate::dialing::Outcome;
use crate::establish::{self, Goal};
use crate::link::Link;
use crate::persist::prefers_last;
use crate::snapshot::{Back, Proxy};
use crate::stop::Stop;
use crate::stream::{Stream, with_ctx};
use crate::timers::later;
use hawser_balance::{self as balance, AssignOpts, Assignment, Circumstances, Decision, Granted, Ms};
use hawser_balance::{Observation, Priority, QueueTicket, Stat, time};
use hawser_sample::facts::{TermCause, TermState};
use std::future::poll_fn;
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
    let conn = cl.conn();
    let Some(be) = conn.backend(st) else { return Err(no_server()) };
    let Some(back) = &be.back else { return Err(no_server()) };
    let mut joined = false;
    loop {
        if st.slot.is_none() {
            assign(cl, st, be, back, gone).await?;
            assigned::apply(st, back)?;
        }
        let server = st.slot.as_ref().and_then(|s| back.backend.servers.get(s.index() as usize));
        if let Some(server) = server.filter(|s| s.attached.is_some()) {
            return attached::reach(cl, st, back, server, gone).await;
        }
        let Some(goal) = Goal::of(cl, st, back) else { return Err(no_server()) };
        if let Some(link) = goal.reuse(cl, st, back) {
            return Ok(link);
        }
        let failure = match goal.others(cl, st, back).filter(|_| !joined) {
            Some(dialing) => match establish::join(cl, st, &dialing, gone).await {
                Outcome::Failed(f) => f,
                outcome => {
                    // Where there was no room after all, the next connection is this stream's own.
                    joined = outcome == Outcome::Up;
                    continue;
                }
            },
            None => match goal.dial(cl, st, back, gone).await {
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
            Assignment::NoServer => return Err(unserved(cl, back, no_server())),
            Assignment::Queued(ticket) => match queued(cl, st, ticket, gone).await {
                Ok(Some(slot)) => slot,
                Ok(None) => continue,
                Err(stop) => return Err(unserved(cl, back, stop)),
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

/// Counts a request that no server took; not one whose client has left.
fn unserved(cl: &Client, back: &Back, stop: Stop) -> Stop {
    if stop.cause != TermCause::Client {
        back.backend.counters.inc(cl.worker.number(), Stat::FailedConns);
    }
    stop
}

/// The server of the last request, if it is to be preferred.
fn preferred(cl: &Client, be: &Proxy) -> Option<u32> {
    let kept = cl.kept.borrow();
    let kept = kept.as_ref()?;
    let (backend, server) = kept.last?;
    (backend == be.facts.index && (kept.bound || prefers_last(be))).then_some(server)
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
        let server = slot.server();
        server.counters.inc(thread, stat);
        // Each attempt is a session of the server.
        server.counters.session(thread, time::ms(cl.now()));
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
