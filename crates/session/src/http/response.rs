//! The response: waiting for its head while the request's body goes out, and the rules that see it.

use crate::client::Client;
use crate::connect;
use crate::http::cacheable::leaks_cookie;
use crate::http::cookie;
use crate::http::forward::{self, Clocks};
use crate::http::request::cut;
use crate::http::rules;
use crate::link::Link;
use crate::pool;
use crate::pump::{Blocked, Pump, Turn};
use crate::stick;
use crate::stop::Stop;
use crate::stream::{Came, Stream};
use hawser_balance::{self as balance, Ms, Observation, Stat, time};
use hawser_cfg::model::opt;
use hawser_http::{BodyLen, KnownName, Version};
use hawser_log::event::level;
use hawser_proto::mux::{FrontStream, Gone, MessageInfo, StreamError};
use hawser_rules::RuleSet;
use hawser_sample::facts::{TermCause, TermState};
use hawser_stick::Event;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Why there is no response.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The server closed or failed; whether it had sent nothing of it.
    Server { empty: bool },
    /// The server took the stream back; whether it did nothing with it.
    Reset { refused: bool },
    /// The server sent something else than a response.
    Bad,
    /// The server said nothing in time.
    ServerTimeout,
    /// The server answered with a status that `retry-on` names.
    Status(u16),
    /// The request cannot be completed.
    Client(Stop),
}

/// Sends the request and waits for the final response's head.
pub(crate) async fn await_head(
    cl: &mut Client,
    st: &mut Stream,
    front: &mut dyn FrontStream,
    link: &mut Link,
    up: &mut Pump,
) -> Result<MessageInfo, Failure> {
    let mut clocks = Clocks::new(cl, st);
    loop {
        let info = poll_fn(|cx| poll_head(cx, cl, st, front, link, up, &mut clocks)).await?;
        let status = st.res.status();
        if status >= 200 || info.body == BodyLen::Tunnel {
            link.server().report(Observation::Response(status), time::ms(cl.now()));
            if retries_on(st, status) {
                return Err(Failure::Status(status));
            }
            st.strm.t.response_start = Some(cl.now());
            return Ok(info);
        }
        interim(cl, st, front);
    }
}

/// Whether another server may have a better answer than this status.
fn retries_on(st: &Stream, status: u16) -> bool {
    let back = st.be.as_ref().and_then(|b| b.back.as_ref());
    back.is_some_and(|b| {
        b.retry.retries_on(balance::Failure::Status(status))
            && st.strm.retries < b.retry.limit(st.asks.retries)
            && st.held.can_rewind()
            && !st.asks.no_l7_retry
    })
}

fn poll_head(
    cx: &mut Context<'_>,
    cl: &mut Client,
    st: &mut Stream,
    front: &mut dyn FrontStream,
    link: &mut Link,
    up: &mut Pump,
    clocks: &mut Clocks,
) -> Poll<Result<MessageInfo, Failure>> {
    if !front.is_flushed() {
        // An interim response; whoever cannot take it will not take the final one either.
        let _ = front.poll_flush(cx);
    }
    if !clocks.sink_failed {
        match forward::turn_up(cx, st, front, link, up) {
            Turn::Blocked(_) | Turn::SourceEnded | Turn::Done => {}
            Turn::SourceFailed(e) => return Poll::Ready(Err(Failure::Client(upload_failed(&e)))),
            // The server may have answered before it stopped listening.
            Turn::SinkFailed => clocks.sink_failed = true,
        }
        clocks.note(cl, up);
        crate::log::moving(cl, st, up, None);
    }
    match link.stream().poll_response(cx, &mut st.res) {
        Poll::Ready(Ok(info)) => return Poll::Ready(Ok(info)),
        Poll::Ready(Err(StreamError::Bad { .. })) => return Poll::Ready(Err(Failure::Bad)),
        Poll::Ready(Err(StreamError::Reset { refused })) => {
            return Poll::Ready(Err(Failure::Reset { refused }));
        }
        Poll::Ready(Err(e)) => {
            // Where there are frames, the end of the connection breaks no head off.
            let empty = link.is_shared() || !matches!(e, StreamError::Eof);
            return Poll::Ready(Err(Failure::Server { empty }));
        }
        Poll::Pending => {}
    }
    if up.is_done()
        && let Poll::Ready(gone) = forward::is_gone(clocks.watch, front.poll_gone(cx))
    {
        // A reset is an error of the transfer, as HAProxy has it. Who has closed only his side still hears of it.
        return Poll::Ready(Err(Failure::Client(match gone {
            Gone::Reset => Stop::silent(400, TermCause::Client, TermState::Data),
            Gone::Closed => Stop::error(400, TermCause::Client, TermState::Headers),
        })));
    }
    let waiting = up.is_done() || clocks.sink_failed || up.blocked == Some(Blocked::Write);
    let client = !up.is_done() && !clocks.sink_failed && up.blocked == Some(Blocked::Read);
    match clocks.poll(cx, cl, client, waiting) {
        Poll::Pending => Poll::Pending,
        Poll::Ready(TermCause::ClientTimeout) => {
            // As HAProxy: not 408, for the head was there in time.
            let stop = Stop::error(400, TermCause::ClientTimeout, TermState::Headers);
            Poll::Ready(Err(Failure::Client(stop)))
        }
        Poll::Ready(cause @ (TermCause::Down | TermCause::Up | TermCause::Killed)) => {
            Poll::Ready(Err(Failure::Client(Stop::silent(500, cause, TermState::Connect))))
        }
        Poll::Ready(_) => Poll::Ready(Err(Failure::ServerTimeout)),
    }
}

/// The client's half of the exchange broke.
fn upload_failed(e: &StreamError) -> Stop {
    match e {
        StreamError::Bad { status, .. } => Stop::error(*status, TermCause::Proxy, TermState::Headers),
        _ => Stop::silent(400, TermCause::Client, TermState::Headers),
    }
}

/// Passes an interim response on, to those who know what that is.
fn interim(cl: &Client, st: &mut Stream, front: &mut dyn FrontStream) {
    cl.count(st, Stat::Hrsp1xx);
    if st.req.version() >= Version::H11 {
        front.send_interim(&st.res);
    }
    st.res.clear();
}

/// What follows a failure: another attempt, or the end.
pub(crate) fn retry(cl: &Client, st: &mut Stream, link: Link, failure: Failure) -> Result<Ms, Stop> {
    st.res.clear();
    if let Failure::Client(stop) = failure {
        if matches!(stop.cause, TermCause::Client | TermCause::ClientTimeout) {
            forward::aborted(cl, st, stop.cause);
        }
        return Err(stop);
    }
    observe(cl, &link, &failure);
    if refused(cl, st, &failure) {
        st.held.rewind();
        return Ok(0);
    }
    if resend(st, &link, &failure) {
        st.tries.fresh = true;
        st.held.rewind();
        return Ok(0);
    }
    if let Some(pause) = again(cl, st, &failure) {
        st.held.rewind();
        return Ok(pause);
    }
    cl.tally(st, Event::HttpFailure);
    let thread = cl.worker.number();
    link.server().counters.inc(thread, Stat::FailedResp);
    if let Some(back) = st.be.as_ref().and_then(|b| b.back.as_ref()) {
        back.backend.counters.inc(thread, Stat::FailedResp);
    }
    Err(match failure {
        Failure::ServerTimeout => Stop::error(504, TermCause::ServerTimeout, TermState::Headers),
        // HAProxy's parser is what misses the rest of a head that breaks off.
        Failure::Bad | Failure::Server { empty: false } => {
            Stop::error(502, TermCause::Proxy, TermState::Headers)
        }
        // The client sees what it would have seen of the server, and knows that it may try again.
        Failure::Server { empty: true } if link.reused && cl.request > 0 => {
            Stop::silent(502, TermCause::Server, TermState::Headers)
        }
        _ => Stop::error(502, TermCause::Server, TermState::Headers),
    })
}

/// Tells the server's health of a failure (`observe layer7`).
fn observe(cl: &Client, link: &Link, failure: &Failure) {
    let what = match failure {
        Failure::Bad => Observation::BadHeaders,
        Failure::Server { .. } | Failure::Reset { refused: false } => Observation::ReadError,
        Failure::ServerTimeout => Observation::ReadTimeout,
        // Statuses were reported when they came.
        Failure::Reset { refused: true } | Failure::Status(_) | Failure::Client(_) => return,
    };
    link.server().report(what, time::ms(cl.now()));
}

/// A request that certainly was not processed is sent again, as often as attempts are left.
fn refused(cl: &Client, st: &mut Stream, failure: &Failure) -> bool {
    if !matches!(failure, Failure::Reset { refused: true }) || !st.held.can_rewind() || st.asks.no_l7_retry {
        return false;
    }
    let Some(be) = st.be.clone() else { return false };
    be.back.as_ref().is_some_and(|back| connect::anew(cl, st, back))
}

/// A server that closes an idle connection at the very moment when a request is sent on it has not seen the
/// request: it can be sent again where repeating does no harm.
fn resend(st: &Stream, link: &Link, failure: &Failure) -> bool {
    let idempotent = matches!(st.req.method(), b"GET" | b"HEAD" | b"OPTIONS" | b"PUT" | b"DELETE" | b"TRACE");
    matches!(failure, Failure::Server { empty: true })
        && link.reused
        && idempotent
        && st.held.can_rewind()
        && !st.tries.fresh
}

/// `retry-on`: the pause before another attempt, if there is one.
fn again(cl: &Client, st: &mut Stream, failure: &Failure) -> Option<Ms> {
    let be = st.be.clone()?;
    let back = be.back.as_ref()?;
    if !back.retry.keeps_request() || st.asks.no_l7_retry || !st.held.can_rewind() {
        return None;
    }
    let kind = match failure {
        Failure::Server { empty: true } | Failure::Reset { .. } => balance::Failure::EmptyResponse,
        Failure::Server { empty: false } | Failure::Bad => balance::Failure::JunkResponse,
        Failure::ServerTimeout => balance::Failure::ResponseTimeout,
        Failure::Status(status) => balance::Failure::Status(*status),
        Failure::Client(_) => return None,
    };
    connect::again(cl, st, back, kind)
}

/// Rules on the response, in the order of the manual: the backend's before the frontend's.
pub(crate) async fn rules(
    cl: &mut Client,
    st: &mut Stream,
    front: &mut dyn FrontStream,
    link: &mut Link,
) -> Result<(), Stop> {
    cl.tally_status(st, st.res.status());
    // Variables of the request live until here.
    st.strm.vars.req.clear();
    st.strm.server_status = st.res.status();
    st.strm.status = st.res.status();
    st.strm.res_version = Some(st.res.version());
    st.came[1] = Came::new(&st.res, link.stream().data().len(), &cl.snapshot);
    pool::authenticated(cl, st, link);
    let conn = cl.conn();
    let fe = &conn.fe;
    if fe.has_captures() {
        capture_response(fe, st);
    }
    stick::response(cl, st);
    let backend = conn.backend(st).filter(|b| !Arc::ptr_eq(b, fe));
    for set in [RuleSet::TcpResCont, RuleSet::HttpRes] {
        for px in backend.into_iter().chain([fe]) {
            let outcome = rules::response(cl, st, px, set, link.stream()).await;
            rules::socket_options(st, front);
            outcome?;
        }
    }
    check_cache(cl, st)?;
    cookie::response(cl, st);
    after(cl, st)?;
    st.strm.status = st.res.status();
    Ok(())
}

/// `option checkcache`.
fn check_cache(cl: &Client, st: &Stream) -> Result<(), Stop> {
    let Some(be) = st.be.as_ref().filter(|b| b.options.has(opt::CHECKCACHE)) else { return Ok(()) };
    if !leaks_cookie(st.req.method(), &st.res) {
        return Ok(());
    }
    cl.count(st, Stat::DeniedResp);
    if let Some(front) = &cl.fe.front {
        let server = st.strm.server.as_deref().unwrap_or("<NOSRV>");
        let text = format!(
            "Blocking cacheable cookie in response from instance {}, server {server}.",
            be.facts.name
        );
        front.logger.logger().send(level::ALERT, text.as_bytes());
    }
    Err(Stop::error(502, TermCause::Proxy, TermState::Headers))
}

/// `http-after-response` rules, on every response whoever made it.
pub(crate) fn after(cl: &Client, st: &mut Stream) -> Result<(), Stop> {
    let fe = &cl.fe;
    let backend = cl.backend(st).filter(|b| !Arc::ptr_eq(b, fe));
    for px in backend.into_iter().chain([fe]) {
        let rules = px.rules.get(RuleSet::HttpAfterRes);
        if rules.is_empty() {
            continue;
        }
        let verdict = crate::stream::with_txn(cl, st, None, true, |txn| rules.eval(txn, 0));
        if let hawser_rules::Verdict::Error = verdict {
            cl.count(st, Stat::InternalErrors);
            return Err(Stop::error(500, TermCause::Internal, TermState::Headers));
        }
    }
    Ok(())
}

/// The name and the value of a cookie that a server sets, without its attributes.
fn pair(cookie: &[u8]) -> &[u8] {
    cookie.split(|b| *b == b';').next().unwrap_or_default().trim_ascii_end()
}

/// `capture response header` and `capture cookie`.
fn capture_response(fe: &crate::snapshot::Proxy, st: &mut Stream) {
    for (slot, (name, len)) in fe.rules.header_captures[1].iter().zip(&fe.res_captures) {
        if let Some(slot) = st.strm.res_captures.get_mut(*slot) {
            *slot = st.res.values(name).next_back().map(|v| cut(v, *len));
        }
    }
    if let Some((name, len)) = &fe.capture_cookie {
        st.strm.res_cookie =
            st.res.known(KnownName::SetCookie).find_map(|c| c.starts_with(name).then(|| cut(pair(c), *len)));
    }
}
