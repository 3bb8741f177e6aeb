//! Bodies that are waited for before the message goes on: `wait-for-body`, `option http-buffer-request`.

use crate::client::Client;
use crate::stop::Stop;
use crate::stream::{Seen, Stream};
use crate::timers::{earlier, later};
use hawser_http::{BodyLen, Head, KnownName, Version};
use hawser_proto::mux::{BackStream, FrontStream, StreamError};
use hawser_sample::ctx::Payload;
use hawser_sample::facts::{TermCause, TermState};
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

/// Reads the request's body until `at_least` bytes (0 for all of it) are there, it is over, or the buffer is full.
/// A client that is too slow gets a 408.
pub(crate) async fn collect(
    cl: &mut Client,
    st: &mut Stream,
    front: &mut dyn FrontStream,
    time: Option<Duration>,
    at_least: usize,
) -> Result<(), Stop> {
    if matches!(st.info.body, BodyLen::None | BodyLen::Tunnel) || st.held.is_complete() || st.aborted {
        return Ok(());
    }
    go_ahead(cl, st, front).await?;
    let room = cl.snapshot.bufsize.saturating_sub(st.req.buf.len()).max(1);
    let enough = if at_least == 0 { room } else { at_least.min(room) };
    let start = cl.now();
    let mut heard = start;
    let silence = st.times(&cl.fe).client;
    let outcome = poll_fn(|cx| {
        let before = st.held.len();
        let collected = st.held.poll_collect(cx, front, enough);
        if st.held.len() > before {
            heard = cl.now();
        }
        if let Poll::Ready(r) = collected {
            return Poll::Ready(Some(r));
        }
        let deadline = earlier(later(start, time), later(heard, silence));
        cl.poll_deadline(cx, deadline).map(|()| None)
    })
    .await;
    st.came[0] = st.came[0].with_body(st.held.len(), &cl.snapshot);
    // The request is there with its body, or never.
    st.strm.t.request_end = outcome.is_some().then(|| cl.now());
    match outcome {
        Some(Ok(())) => Ok(()),
        Some(Err(StreamError::Bad { status, .. })) => {
            Err(Stop::error(status, TermCause::Proxy, TermState::Request))
        }
        // Rules still see what came; the request goes to no server.
        Some(Err(_)) => {
            st.aborted = true;
            Ok(())
        }
        None => {
            st.aborted = true;
            Err(Stop::error(408, TermCause::ClientTimeout, TermState::Request))
        }
    }
}

/// What came of a body along with its head, for rules, where it has to be put together first.
pub(crate) async fn gather(cl: &Client, st: &mut Stream, front: &mut dyn FrontStream) {
    let frames = cl.sess.borrow().fc_http_major > 1;
    let parts = st.info.body == BodyLen::Chunked && front.has_input();
    if st.info.body == BodyLen::None || !(frames || parts) || st.held.len() > 0 || st.held.is_complete() {
        return;
    }
    let room = cl.snapshot.bufsize.saturating_sub(st.req.buf.len());
    poll_fn(|cx| {
        // Whoever takes the body hears of a failure again.
        let _ = st.held.poll_collect(cx, front, room);
        Poll::Ready(())
    })
    .await;
}

/// What rules see of a body that nobody has read: what came along with the head.
pub(crate) fn at_hand<'a>(st: &Stream, front: &'a mut dyn FrontStream) -> Option<Seen<'a>> {
    if st.held.len() > 0 || st.held.is_complete() {
        return None;
    }
    let data = front.data();
    let complete = st.info.body == BodyLen::Length(data.len() as u64);
    (!data.is_empty()).then(|| Seen { req: Some(Payload { data, complete }), ..Seen::default() })
}

/// Tells a client that waits for `100 Continue` to go on; the server is not asked any more.
async fn go_ahead(cl: &mut Client, st: &mut Stream, front: &mut dyn FrontStream) -> Result<(), Stop> {
    if !st.info.expect_continue {
        return Ok(());
    }
    st.info.expect_continue = false;
    st.req.remove_known(KnownName::Expect);
    front.send_interim(&Head::response(Version::H11, 100, b"Continue"));
    flush(cl, st, front).await
}

/// Sends what was gathered for the client.
pub(crate) async fn flush(cl: &mut Client, st: &Stream, front: &mut dyn FrontStream) -> Result<(), Stop> {
    let deadline = later(cl.now(), st.times(&cl.fe).client);
    let flushed = poll_fn(|cx| {
        if let Poll::Ready(r) = front.poll_flush(cx) {
            return Poll::Ready(r.map_err(|_| TermCause::Client));
        }
        cl.poll_deadline(cx, deadline).map(|()| Err(TermCause::ClientTimeout))
    });
    flushed.await.map_err(|cause| Stop::silent(0, cause, TermState::Data))
}

/// Reads the response's body likewise; a server that is too slow costs a 504.
pub(crate) async fn collect_response(
    cl: &mut Client,
    st: &mut Stream,
    back: &mut dyn BackStream,
    ms: u32,
    at_least: u64,
) -> Result<(), Stop> {
    let room = cl.snapshot.bufsize.saturating_sub(st.res.buf.len()).max(1);
    let enough = if at_least == 0 { room } else { usize::try_from(at_least).unwrap_or(room).min(room) };
    let deadline = later(cl.now(), Some(Duration::from_millis(ms.into())));
    let outcome = poll_fn(|cx| {
        if let Poll::Ready(r) = st.res_held.poll_collect(cx, back, enough) {
            return Poll::Ready(Some(r));
        }
        cl.poll_deadline(cx, deadline).map(|()| None)
    })
    .await;
    st.came[1] = st.came[1].with_body(st.res_held.len(), &cl.snapshot);
    match outcome {
        Some(Ok(())) => Ok(()),
        Some(Err(_)) => Err(Stop::error(502, TermCause::Server, TermState::Headers)),
        None => Err(Stop::error(504, TermCause::ServerTimeout, TermState::Headers)),
    }
}
