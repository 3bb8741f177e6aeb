//! Closing on a client that may still be sending: what it sends is thrown away for a moment, or the reset that
//! unread bytes cause would take the response with it.

use crate::client::Client;
use crate::timers::later;
use hawser_proto::mux::FrontStream;
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

/// Longest time spent on it.
const TIME: Duration = Duration::from_secs(1);
/// Most bytes thrown away.
const BYTES: usize = 1024 * 1024;
/// Bytes read at once.
const PIECE: usize = 4096;

/// Half-closes, then reads until the client closes too, whatever it says.
pub(crate) async fn drain(cl: &mut Client, mut front: Box<dyn FrontStream>) {
    let deadline = later(cl.now(), Some(TIME));
    let flushed = poll_fn(|cx| match front.poll_flush(cx) {
        Poll::Ready(r) => Poll::Ready(r.is_ok()),
        Poll::Pending => cl.poll_deadline(cx, deadline).map(|()| false),
    });
    if !flushed.await {
        return;
    }
    let Some((mut transport, _)) = front.take_transport() else { return };
    let mut left = BYTES;
    let mut piece = [0; PIECE];
    poll_fn(|cx| {
        let _ = transport.poll_shutdown(cx);
        loop {
            match transport.poll_read(cx, &mut piece) {
                Poll::Ready(Ok(n)) if n > 0 && n < left => left -= n,
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return cl.poll_deadline(cx, deadline),
            }
        }
    })
    .await;
}
