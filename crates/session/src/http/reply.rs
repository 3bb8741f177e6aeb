//! Answers that the proxy gives by itself.

use crate::client::Client;
use crate::http::{Next, response, service};
use crate::log;
use crate::stop::{Answer, Stop};
use crate::stream::{Stream, with_ctx};
use crate::timers::later;
use hawser_balance::{Stat, TrafficEvent};
use hawser_cfg::model::ConnMode;
use hawser_http::{BodyLen, KnownName};
use hawser_proto::SockOpt;
use hawser_proto::mux::{Fill, FrontStream};
use hawser_rules::Reply;
use hawser_sample::facts::TermCause;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Ends a stream that no server answers.
pub(crate) async fn finish(
    cl: &mut Client,
    st: &mut Stream,
    front: &mut dyn FrontStream,
    stop: Stop,
) -> Next {
    st.ended(stop.cause, stop.state);
    let in_frontend = st.be.as_ref().is_none_or(|be| Arc::ptr_eq(be, &cl.fe));
    if stop.cause == TermCause::Local && in_frontend {
        cl.saw(TrafficEvent::Intercepted);
    }
    // The place on the server is not needed for talking to the client.
    log::count_moved(cl, st);
    st.slot = None;
    let (status, reply) = match stop.answer {
        Answer::Error(status) => (status, error_reply(cl, st, status)),
        Answer::Reply(status, reply) => (status, reply),
        Answer::Service(service) => match service::start(cl, st, &*service) {
            Ok(served) => return Box::pin(service::send(cl, st, front, served)).await,
            Err(status) => (status, error_reply(cl, st, status)),
        },
        Answer::Nothing(status) => {
            st.strm.status = status;
            if (st.strm.t.request_end.is_none() || status > 0) && !st.unlogged {
                cl.count(st, Stat::of_status(status));
            }
            return Next::Close;
        }
        Answer::HangUp => return hang_up(cl, st, front),
        Answer::Vanish(ttl) => {
            front.set_option(SockOpt::Vanish(ttl));
            return hang_up(cl, st, front);
        }
    };
    st.strm.status = status;
    let Some(reply) = reply else {
        cl.count(st, Stat::of_status(status));
        return Next::Close;
    };
    let body = prepare(cl, st, &reply);
    cl.count(st, Stat::of_status(st.strm.status));
    send(cl, st, front, &body, reply.close || stop.cause == TermCause::ClientTimeout).await
}

/// Closes without an answer, which counts as one of no class.
fn hang_up(cl: &Client, st: &Stream, front: &mut dyn FrontStream) -> Next {
    cl.count(st, Stat::of_status(0));
    front.abort(true);
    Next::Close
}

/// The message for a status.
fn error_reply(cl: &Client, st: &Stream, status: u16) -> Option<Arc<Reply>> {
    with_ctx(cl, st, false, |ctx| Stream::errors(&cl.fe, st.be.as_ref()).reply(status, ctx))
}

/// Puts a reply in the place of the response, with what `http-after-response` makes of it.
pub(super) fn prepare(cl: &mut Client, st: &mut Stream, reply: &Arc<Reply>) -> Arc<Reply> {
    st.res.clone_from(&reply.head);
    st.res_held.clear();
    // Rules know nothing of what happened before there was a request.
    if (st.strm.t.request_end.is_some() || st.aborted) && response::after(cl, st).is_err() {
        let error = error_reply(cl, st, 500);
        if let Some(e) = error {
            st.res.clone_from(&e.head);
            st.strm.status = 500;
            return e;
        }
    }
    // The status that was meant is what counts, whatever its error file says; but rules have the last word.
    if st.res.status() != reply.head.status() {
        st.strm.status = st.res.status();
    }
    reply.clone()
}

pub(super) async fn send(
    cl: &mut Client,
    st: &mut Stream,
    front: &mut dyn FrontStream,
    reply: &Reply,
    close: bool,
) -> Next {
    let unread = unread(front).await;
    let close = close || closes(cl);
    // What error files do not say, nobody says for them.
    let said = st.res.first(KnownName::ContentLength).is_some() || matches!(st.res.status(), 204 | 304);
    let len = if said { BodyLen::Length(reply.body.len() as u64) } else { BodyLen::UntilClose };
    let close = close || !said;
    st.own_bytes += (st.res.wire_len() + reply.body.len()) as u64;
    front.send_response(&st.res, len, close);
    let deadline = later(cl.now(), st.times(&cl.fe).client);
    let mut left: &[u8] = &reply.body;
    let tracked = &mut st.strm.tracked;
    let sent = poll_fn(|cx| {
        while !left.is_empty() {
            match front.poll_data(cx, left) {
                Poll::Ready(Ok(n)) => left = left.get(n..).unwrap_or_default(),
                Poll::Ready(Err(_)) => return Poll::Ready(false),
                Poll::Pending => return cl.poll_deadline(cx, deadline).map(|()| false),
            }
        }
        front.end(None);
        // Whoever gets the last bytes may ask for the entries at once.
        tracked.release();
        match front.poll_flush(cx) {
            Poll::Ready(r) => Poll::Ready(r.is_ok()),
            Poll::Pending => cl.poll_deadline(cx, deadline).map(|()| false),
        }
    })
    .await;
    next(st, front, sent, unread)
}

/// Whether some of the request's body has not come yet; what has is thrown away.
pub(super) async fn unread(front: &mut dyn FrontStream) -> bool {
    !poll_fn(|cx| Poll::Ready(drain(cx, front))).await
}

/// Whether the client's connection is to be closed anyway.
pub(super) fn closes(cl: &Client) -> bool {
    cl.is_ending() || cl.fe.conn_mode == ConnMode::Close
}

/// What follows an answer that was sent or not.
pub(super) fn next(st: &Stream, front: &mut dyn FrontStream, sent: bool, unread: bool) -> Next {
    if sent && front.next_request() {
        Next::KeepAlive
    } else if sent && unread && front.outlives_response() {
        Next::Rest
    } else if sent && (unread || st.strm.status >= 400) {
        // Who is refused may still be talking.
        Next::Linger
    } else {
        Next::Close
    }
}

/// Throws away what has come of the request's body; whether that was all of it.
fn drain(cx: &mut Context<'_>, front: &mut dyn FrontStream) -> bool {
    loop {
        match front.poll_fill(cx) {
            Poll::Ready(Ok(Fill::End)) => return true,
            Poll::Ready(Ok(Fill::Data)) => {
                let n = front.data().len();
                front.consume(n);
            }
            Poll::Ready(Err(_)) | Poll::Pending => return false,
        }
    }
}
