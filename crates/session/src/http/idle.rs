//! Waiting for a request on a connection that owns no buffer.

use crate::client::Client;
use crate::timers::later;
use hawser_cfg::model::opt;
use hawser_proto::mux::FrontStream;
use std::future::poll_fn;
use std::task::Poll;

/// Waits for the first byte of a request; false when the connection is to be closed in silence.
pub(crate) async fn wait(cl: &mut Client, front: &mut dyn FrontStream) -> bool {
    let first = cl.request == 0;
    if first || front.has_input() {
        // What came with the connection, and when nothing comes at all, is the request's business.
        return true;
    }
    let deadline = later(cl.now(), cl.fe.times.http_keep_alive);
    let keep = cl.fe.options.has(opt::IDLE_CLOSE_ON_RESPONSE);
    poll_fn(|cx| {
        if front.poll_readable(cx).is_ready() {
            return Poll::Ready(true);
        }
        if cl.worker.is_stopping() && !keep {
            return Poll::Ready(false);
        }
        cl.poll_deadline(cx, deadline).map(|()| false)
    })
    .await
}
