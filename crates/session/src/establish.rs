//! A connection to the server that was chosen: one that is there, one that somebody else is making, or a new one.

use crate::client::Client;
use crate::connect::{Failure, Gone};
use crate::dialing::{Dialing, Dials, Outcome};
use crate::link::Link;
use crate::pool;
use crate::snapshot::{Back, Dial};
use crate::stream::Stream;
use crate::target::Target;
use crate::timers::later;
use hawser_balance::{Berth, Observation, Server, Stat, time};
use hawser_cfg::model::{Reuse, opt};
use hawser_http::{BodyLen, Start};
use hawser_proto::mux::BackStream;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

/// Where the stream's request is to go.
pub(crate) struct Goal<'a> {
    server: &'a Arc<Server>,
    dial: &'a Dial,
    target: Target,
    /// It may go where other requests to the server go: it speaks the same protocol.
    main: bool,
    /// Connections for such requests carry many streams.
    multi: bool,
}

impl<'a> Goal<'a> {
    /// To the server of the stream's slot.
    pub(crate) fn of(cl: &Client, st: &mut Stream, back: &'a Back) -> Option<Self> {
        let index = st.slot.as_ref()?.index() as usize;
        let (server, dial) = (back.backend.servers.get(index)?, back.dial.get(index)?);
        let target = Target::of(cl, st, dial, server);
        let main = dial.mux.is_main(st.info.websocket);
        Some(Self { server, dial, target, main, multi: dial.mux.of(st.info.websocket).multiplexes })
    }

    /// A connection to the server that is there already, if the rules of `http-reuse` allow one.
    pub(crate) fn reuse(&self, cl: &mut Client, st: &mut Stream, back: &Back) -> Option<Link> {
        if st.req.start == Start::Trailers || st.tries.fresh || !self.main {
            return None;
        }
        let mut link = pool::take(cl, self.server, &self.target, back, self.multi)?;
        link.stream().send_request(&st.req, &st.info, false);
        self.server.counters.inc(cl.worker.number(), Stat::Reuses);
        st.strm.bc_reused = true;
        st.strm.bc_dst = self.target.addr.clone();
        self.reached(cl, st, &mut link);
        Some(link)
    }

    /// A connection that is being established and that the stream may use once it is there.
    pub(crate) fn others(&self, cl: &Client, st: &Stream, back: &Back) -> Option<Rc<Dialing>> {
        if st.tries.fresh || !self.main || !self.multi {
            return None;
        }
        let find = |d: &mut Dials| d.find(self.server.uid, self.target.hash, back.max_streams);
        with_dials(cl, back, find).flatten()
    }

    /// Connects.
    pub(crate) async fn dial(
        &self,
        cl: &mut Client,
        st: &mut Stream,
        back: &Back,
        gone: Gone<'_>,
    ) -> Result<Link, Failure> {
        self.server.counters.inc(cl.worker.number(), Stat::Connects);
        st.strm.bc_dst = self.target.addr.clone();
        st.strm.bc_reused = false;
        cl.worker.pool().make_room();
        let berth = match self.server.opts.strict_maxconn {
            true => Some(self.berth(cl).ok_or(Failure::Resource)?),
            false => None,
        };
        let line = self.target.connect(st, self.dial).map_err(|e| classify(&e))?;
        let attempt = if self.multi && self.main {
            with_dials(cl, back, |d| d.begin(self.server.uid, self.target.hash))
        } else {
            None
        };
        let mut stream = self.dial.mux.of(st.info.websocket).mux.connect(line);
        let pretends = st.be.as_ref().is_some_and(|b| b.options.has(opt::HTTP_PRETEND_KEEPALIVE));
        stream.send_request(&st.req, &st.info, !pretends && !pool::may_keep(cl, st));
        if let Err(f) = connected(cl, st, &mut *stream, gone).await {
            match attempt {
                // Others have not left with this client.
                Some(attempt) if f != Failure::ClientGone => attempt.end(Outcome::Failed(f)),
                _ => {}
            }
            return Err(f);
        }
        self.server.report(Observation::L4Ok, time::ms(cl.now()));
        let mut link = pool::opened(cl, self.server, &self.target, back, self.main, stream, berth);
        if let Some(attempt) = attempt {
            attempt.end(Outcome::Up);
        }
        self.reached(cl, st, &mut link);
        Ok(link)
    }

    /// A place among the connections that the server may have; idle ones are closed for it.
    fn berth(&self, cl: &Client) -> Option<Berth> {
        let mut berth = Berth::take(self.server);
        while berth.is_none() {
            let closed = cl.worker.pool().close_one(self.server)
                || cl.worker.other_pools().any(|p| p.lock().close_one(self.server));
            if !closed {
                return None;
            }
            berth = Berth::take(self.server);
        }
        berth
    }

    /// Notes what is known now.
    fn reached(&self, cl: &Client, st: &mut Stream, link: &mut Link) {
        st.strm.t.connect_end = Some(cl.now());
        st.strm.bc_src = link.local();
        st.strm.bc_http_major = match st.req.start {
            Start::Trailers => 0,
            _ if self.multi => 2,
            _ => 1,
        };
        keep_for_refusal(cl, st, self.multi);
    }
}

/// A server of many streams may refuse one of them, whose body has to be sent again then.
pub(crate) fn keep_for_refusal(cl: &Client, st: &mut Stream, multi: bool) {
    if multi && st.info.body != BodyLen::None {
        st.held.record(cl.snapshot.bufsize);
    }
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
pub(crate) async fn join(cl: &mut Client, st: &Stream, dialing: &Dialing, gone: Gone<'_>) -> Outcome {
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
