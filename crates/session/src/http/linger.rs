//! Clients that are still sending when their answer is out. Where the connection goes on, the rest of the request is
//! thrown away. Where it ends, what comes is thrown away for a moment, or the reset that unread bytes cause would take
//! the response with it.

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
/// Bytes read at once.
const PIECE: usize = 4096;

/// Takes the rest of the request; whether another one may follow.
pub(crate) async fn rest(cl: &mut Client, front: &mut dyn FrontStream) -> bool {
    let (silence, mut heard) = (cl.fe.times.client, cl.now());
    poll_fn(|cx| {
        loop {
            match front.poll_fill(cx) {
                Poll::Ready(Ok(Fill::End)) => return Poll::Ready(front.next_request()),
                Poll::Ready(Ok(Fill::Data)) => {
                    let n = front.data().len();
                    front.consume(n);
                    heard = cl.now();
                }
                Poll::Ready(Err(_)) => return Poll::Ready(false),
                Poll::Pending => return cl.poll_deadline(cx, later(heard, silence)).map(|()| false),
            }
        }
    })
    .await
}

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
