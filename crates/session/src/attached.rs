//! Servers that are never dialed: their connections were attached by the other end (`rhttp@`).

use crate::client::Client;
use crate::connect::{Gone, no_server};
use crate::establish::keep_for_refusal;
use crate::link::{AttachedSeat, Hold, Link};
use crate::snapshot::Back;
use crate::stop::Stop;
use crate::stream::Stream;
use crate::target::conn_name;
use crate::timers::later;
use hawser_balance::{Agent, Attached, Server, Stat};
use hawser_proto::mux::BackStream;
use hawser_sample::facts::{TermCause, TermState};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

/// Gets the stream's request on an attached connection of the name that the request asks for.
pub(crate) async fn reach(
    cl: &mut Client,
    st: &mut Stream,
    back: &Back,
    server: &Arc<Server>,
    gone: Gone<'_>,
) -> Result<Link, Stop> {
    let Some(attached) = &server.attached else { return Err(no_server()) };
    let index = st.slot.as_ref().map(|s| s.index() as usize);
    let name = index.and_then(|i| conn_name(cl, st, back.dial.get(i)?));
    let found = match attached.open(name.as_deref()) {
        Some(found) => Ok(found),
        None => wait(cl, st, back, attached, name.as_deref(), gone).await,
    };
    let (agent, mut stream) = match found {
        Ok(found) => found,
        Err(stop) => {
            let thread = cl.worker.number();
            server.counters.inc(thread, Stat::FailedConns);
            back.backend.counters.inc(thread, Stat::FailedConns);
            return Err(stop);
        }
    };
    stream.send_request(&st.req, &st.info, false);
    keep_for_refusal(cl, st, true);
    server.counters.inc(cl.worker.number(), Stat::Reuses);
    st.strm.bc_reused = true;
    st.strm.bc_http_major = 2;
    st.strm.bc_dst = agent.what.src.clone();
    st.strm.bc_src = agent.what.conn.addresses().1;
    st.strm.t.connect_end = Some(cl.now());
    Ok(Link::new(stream, Hold::Attached(AttachedSeat(server.clone())), true))
}

/// Waits for a peer to attach, or for one of those that are to have room for another stream.
async fn wait(
    cl: &mut Client,
    st: &mut Stream,
    back: &Back,
    attached: &Attached,
    name: Option<&[u8]>,
    gone: Gone<'_>,
) -> Result<(Arc<Agent>, Box<dyn BackStream>), Stop> {
    let Some(patience) = patience(cl, st, back, attached, name) else { return Err(no_server()) };
    let deadline = later(cl.now(), patience);
    let waiting = attached.wait();
    loop {
        let mut change = pin!(waiting.change());
        if let Some(found) = attached.open(name) {
            st.strm.t.queue_end = Some(cl.now());
            return Ok(found);
        }
        poll_fn(|cx| {
            if change.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Ok(()));
            }
            if gone(cx).is_ready() {
                return Poll::Ready(Err(Stop::silent(0, TermCause::Client, TermState::Queue)));
            }
            let late = || Err(Stop::error(503, TermCause::ServerTimeout, TermState::Queue));
            cl.poll_deadline(cx, deadline).map(|()| late())
        })
        .await?;
    }
}

/// How long a request may wait; the outer `None` when it may not. HAProxy never waits: it has to be asked for by
/// `timeout queue`, except where there is something to wait for: room on connections that are there, or the peers
/// of a process that this one has just replaced.
fn patience(
    cl: &Client,
    st: &Stream,
    back: &Back,
    attached: &Attached,
    name: Option<&[u8]>,
) -> Option<Option<Duration>> {
    let there = || attached.knows(name) || cl.worker.shared().is_taking_over(cl.now());
    (back.holds || there()).then(|| st.times(&cl.fe).queue)
}
