//! Waiting for a request on a connection that owns no buffer.

use crate::client::Client;
use crate::timers::later;
use hawser_cfg::model::opt;
use hawser_proto::mux::FrontStream;
use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Instant;

/// Waits for the first byte of a request; false when the connection is to be closed in silence. A future of its own
/// making, for it is what an idle connection holds.
pub(crate) fn wait(cl: &mut Client, front: &mut dyn FrontStream) -> impl Future<Output = bool> {
    let deadline = later(cl.now(), cl.fe.times.http_keep_alive);
    poll_fn(move |cx| poll(cx, cl, front, deadline))
}

fn poll(
    cx: &mut Context<'_>,
    cl: &mut Client,
    front: &mut dyn FrontStream,
    deadline: Option<Instant>,
) -> Poll<bool> {
    // What came with the connection, and when nothing comes at all, is the request's business.
    if cl.request == 0 || front.has_input() || front.poll_readable(cx).is_ready() {
        return Poll::Ready(true);
    }
    if cl.is_ending() && !cl.fe.options.has(opt::IDLE_CLOSE_ON_RESPONSE) {
        return Poll::Ready(false);
    }
    cl.poll_deadline(cx, deadline).map(|()| false)
}
