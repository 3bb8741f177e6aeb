//! Closing on a client that is still sending: what it sends is thrown away for a moment, or the reset that
//! unread bytes cause would take the response with it.

use crate::client::Client;
use crate::timers::later;
use hawser_proto::mux::{Fill, FrontStream};
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

/// Longest time spent on it.
const TIME: Duration = Duration::from_secs(1);
/// Most bytes thrown away.
const BYTES: usize = 1024 * 1024;

/// Half-closes, then reads until the client closes too.
pub(crate) async fn drain(cl: &mut Client, front: &mut dyn FrontStream) {
    let deadline = later(cl.now(), Some(TIME));
    let mut left = BYTES;
    poll_fn(|cx| {
        if front.poll_flush(cx).is_pending() {
            return cl.poll_deadline(cx, deadline);
        }
        let _ = front.poll_shutdown(cx);
        loop {
            match front.poll_fill(cx) {
                Poll::Ready(Ok(Fill::Data)) => {
                    let n = front.data().len();
                    front.consume(n);
                    left = left.saturating_sub(n);
                    if left == 0 {
                        return Poll::Ready(());
                    }
                }
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return cl.poll_deadline(cx, deadline),
            }
        }
    })
    .await;
}
