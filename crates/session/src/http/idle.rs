//! Waiting for a request on a connection that owns no buffer.

use crate::client::Client;
use crate::timers::{earlier, later};
use hawser_cfg::model::opt;
use hawser_proto::mux::FrontStream;
use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// How long a client that has just been served may take for its next request although the process is to end. To close at
/// once would cross the request that a busy client is about to send, which is then lost; this one is told to go elsewhere
/// by the response.
const PARTING: Duration = Duration::from_millis(500);

/// Waits for the first byte of a request; false when the connection is to be closed in silence. A future of its own
/// making, for it is what an idle connection holds.
pub(crate) fn wait(cl: &mut Client, front: &mut dyn FrontStream) -> impl Future<Output = bool> {
    let since = cl.now();
    poll_fn(move |cx| poll(cx, cl, front, since))
}

fn poll(cx: &mut Context<'_>, cl: &mut Client, front: &mut dyn FrontStream, since: Instant) -> Poll<bool> {
    // What came with the connection, and when nothing comes at all, is the request's business.
    if cl.request == 0 || front.has_input() || front.poll_readable(cx).is_ready() {
        return Poll::Ready(true);
    }
    let mut deadline = later(since, cl.fe.times.http_keep_alive);
    if cl.is_ending() && !cl.fe.options.has(opt::IDLE_CLOSE_ON_RESPONSE) {
        deadline = earlier(deadline, later(since, Some(PARTING)));
    }
    cl.poll_deadline(cx, deadline).map(|()| false)
}
