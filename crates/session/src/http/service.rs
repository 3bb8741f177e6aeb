//! Answers of internal services: bodies that are made while they are sent.

use crate::client::Client;
use crate::http::{Next, reply};
use crate::stream::Stream;
use crate::timers::later;
use bytes::Bytes;
use hawser_balance::Stat;
use hawser_http::BodyLen;
use hawser_proto::mux::FrontStream;
use hawser_rules::Reply;
use hawser_rules::service::{Body, Served, Service};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Asks a service for its answer.
///
/// # Errors
/// The status that the service refuses the request with.
pub(super) fn start(cl: &Client, st: &mut Stream, service: &dyn Service) -> Result<Served, u16> {
    st.strm.server = Some(service.log_name().into());
    // Where a server would be waited for, no time passes.
    let now = Some(cl.now());
    (st.strm.t.queue_end, st.strm.t.connect_end, st.strm.t.response_start) = (now, now, now);
    service.answer(&st.req)
}

/// Sends an answer.
pub(super) async fn send(
    cl: &mut Client,
    st: &mut Stream,
    front: &mut dyn FrontStream,
    served: Served,
) -> Next {
    let Served { head, body } = served;
    let asked = Arc::new(Reply { head, body: Bytes::new(), close: false });
    st.strm.status = asked.head.status();
    let made = reply::prepare(cl, st, &asked);
    if !Arc::ptr_eq(&asked, &made) {
        // The rules failed, and that is an error.
        cl.count(st, Stat::of_status(st.strm.status));
        return reply::send(cl, st, front, &made, made.close).await;
    }
    let unread = reply::unread(front).await;
    front.send_response(&st.res, BodyLen::Chunked, reply::closes(cl));
    st.strm.bytes_out += st.res.wire_len() as u64;
    let mut pieces =
        Pieces { body, piece: Vec::new(), at: 0, more: st.req.method() != b"HEAD", tired: false };
    let sent = transfer(cl, st, front, &mut pieces).await;
    cl.count(st, Stat::of_status(st.strm.status));
    reply::next(st, front, sent, unread)
}

/// A body, and the piece of it that is on its way.
struct Pieces {
    body: Box<dyn Body>,
    piece: Vec<u8>,
    at: usize,
    more: bool,
    /// A piece was made in this turn: others come first.
    tired: bool,
}

impl Pieces {
    /// What is to be sent next; empty at the end.
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<&[u8]> {
        while self.at >= self.piece.len() && self.more {
            if std::mem::replace(&mut self.tired, false) {
                // Wakes the task once the thread has looked for events: waking it here would let it run many times
                // before that.
                let _ = pin!(tokio::task::yield_now()).poll(cx);
                return Poll::Pending;
            }
            self.piece.clear();
            self.at = 0;
            self.more = self.body.more(&mut self.piece);
            self.tired = true;
        }
        Poll::Ready(self.piece.get(self.at..).unwrap_or_default())
    }
}

/// Sends all pieces; whether the client took them.
async fn transfer(
    cl: &mut Client,
    st: &mut Stream,
    front: &mut dyn FrontStream,
    pieces: &mut Pieces,
) -> bool {
    let silence = st.times(&cl.fe).client;
    let mut deadline = later(cl.now(), silence);
    let mut ended = false;
    poll_fn(|cx| {
        while !ended {
            let Poll::Ready(piece) = pieces.poll_piece(cx) else { return Poll::Pending };
            if piece.is_empty() {
                front.end(None);
                ended = true;
                break;
            }
            match front.poll_data(cx, piece) {
                Poll::Ready(Ok(n)) => {
                    pieces.at += n;
                    st.strm.bytes_out += n as u64;
                    deadline = later(cl.now(), silence);
                }
                Poll::Ready(Err(_)) => return Poll::Ready(false),
                Poll::Pending => return cl.poll_deadline(cx, deadline).map(|()| false),
            }
        }
        match front.poll_flush(cx) {
            Poll::Ready(r) => Poll::Ready(r.is_ok()),
            Poll::Pending => cl.poll_deadline(cx, deadline).map(|()| false),
        }
    })
    .await
}
