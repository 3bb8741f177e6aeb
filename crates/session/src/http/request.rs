//! The request: reading its head, the rules that see it, and what is changed before it leaves.

use crate::client::Client;
use crate::http::{body, rules, stats};
use crate::snapshot::{AddrHeader, Proxy, UnusualNames};
use crate::stop::Stop;
use crate::stream::{Came, Stream, with_ctx};
use crate::timers::{earlier, later};
use bytes::Bytes;
use hawser_balance::{Stat, TrafficEvent};
use hawser_cfg::model::opt;
use hawser_http::{Head, Version};
use hawser_proto::freq::ms_at;
use hawser_proto::mux::{FrontStream, StreamError};
use hawser_proto::{Address, clock};
use hawser_rules::RuleSet;
use hawser_sample::facts::{LogOrigin, RequestLine, TermCause, TermState};
use hawser_stick::Event;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

/// What came of a client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Received {
    /// A request.
    Request,
    /// The preface of HTTP/2.
    Preface,
}

/// Reads the head.
pub(crate) async fn receive(
    cl: &mut Client,
    st: &mut Stream,
    front: &mut dyn FrontStream,
) -> Result<Received, Stop> {
    let start = cl.now();
    st.strm.request_index = cl.request;
    st.strm.created = Some(if cl.request == 0 { cl.sess.borrow().accepted } else { start });
    // Where reading starts only once bytes are there, the idle time is over already.
    let mut first_byte = (cl.request > 0 || front.has_input()).then_some(start);
    let (total, silence) = (cl.fe.times.http_request, cl.fe.times.client);
    let outcome = poll_fn(|cx| {
        let polled = front.poll_request(cx, &mut st.req);
        if first_byte.is_none() && (front.has_input() || matches!(polled, Poll::Ready(Ok(_)))) {
            first_byte = Some(cl.now());
        }
        if let Poll::Ready(r) = polled {
            return Poll::Ready(Some(r));
        }
        let deadline = earlier(later(first_byte.unwrap_or(start), total), later(start, silence));
        cl.poll_deadline(cx, deadline).map(|()| None)
    })
    .await;
    cl.note_glitches(front.glitches());
    st.strm.t.request_start = first_byte;
    st.strm.request_date = Some(clock::wall());
    // What is no request was received too, and is logged.
    st.strm.bytes_in = front.received() as u64;
    match outcome {
        Some(Ok(info)) => {
            st.info = info;
            st.strm.id = cl.worker.shared().next_stream();
            st.came[0] = Came::new(&st.req, front.data().len(), &cl.snapshot);
            st.strm.t.request_end = Some(cl.now());
            received(cl, st);
            crate::log::started(cl, st, LogOrigin::TxnRequest);
            Ok(Received::Request)
        }
        Some(Err(StreamError::H2Preface)) => {
            st.strm.bytes_in = 0;
            st.unlogged = true;
            Ok(Received::Preface)
        }
        Some(Err(e)) => {
            // A client that closes between two requests is done; before the first one it may be a probe.
            let left = matches!(e, StreamError::Idle | StreamError::Io(_)) && !front.has_input();
            st.unlogged = left && (cl.request > 0 || cl.ignores_probes());
            if !st.unlogged {
                counted(cl);
                st.strm.id = cl.worker.shared().next_stream();
                refused(cl, &e);
            }
            Err(unreadable(&e))
        }
        None => {
            st.unlogged = !front.has_input() && cl.ignores_probes();
            if !st.unlogged {
                counted(cl);
                st.strm.id = cl.worker.shared().next_stream();
                cl.tally_session(Event::HttpRequest);
            }
            Err(too_slow(st))
        }
    }
}

/// Counts a request, whether it could be read or not.
fn counted(cl: &Client) {
    let Some(front) = &cl.fe.front else { return };
    front.counters.inc(cl.worker.number(), Stat::Requests);
    let h1 = cl.sess.borrow().fc_http_major < 2;
    cl.saw(if h1 { TrafficEvent::H1Req } else { TrafficEvent::H2Req });
}

/// Notes what is known of a request once its head is there.
fn received(cl: &mut Client, st: &mut Stream) {
    st.strm.bytes_in = st.req.buf.len() as u64;
    let Some(front) = &cl.fe.front else { return };
    front.req_rate.add(ms_at(cl.now()), 1);
    counted(cl);
    if !front.logger.is_off() {
        st.strm.request_line = Some(request_line(&st.req, cl.snapshot.logurilen));
    }
    if cl.fe.has_captures() {
        capture_request(&cl.fe, st);
    }
    if let Some(format) = &front.unique_id {
        let mut id = Vec::new();
        with_ctx(cl, st, false, |ctx| format.eval(ctx, &mut id));
        st.strm.unique_id = Some(id.into());
    }
}

/// The request line as it came, for logs; less than `most` bytes of it.
fn request_line(req: &Head, most: usize) -> RequestLine {
    let (method, target) = (req.method(), req.target());
    let version: &[u8] = match req.version() {
        Version::H10 if req.protocol.len != 0 => req.get(req.protocol),
        Version::H10 => b"HTTP/1.0",
        Version::H11 => b"HTTP/1.1",
        Version::H2 => b"HTTP/2.0",
        Version::H3 => b"HTTP/3.0",
    };
    let mut line = Vec::with_capacity(method.len() + target.len() + version.len() + 2);
    line.extend_from_slice(method);
    line.push(b' ');
    line.extend_from_slice(target);
    line.push(b' ');
    line.extend_from_slice(version);
    line.truncate(most.saturating_sub(1));
    // Heads are bounded by the buffer's size.
    let len = |s: &[u8]| u32::try_from(s.len()).unwrap_or(u32::MAX);
    let target_len = len(target).min(len(&line).saturating_sub(len(method) + 1));
    RequestLine { method_len: len(method), target_len, line: line.into() }
}

/// `capture request header` and `capture cookie`.
fn capture_request(fe: &Proxy, st: &mut Stream) {
    let slots = fe.rules.captures[0].len();
    st.strm.req_captures.resize(slots, None);
    st.strm.res_captures.resize(fe.rules.captures[1].len(), None);
    for (slot, (name, len)) in fe.rules.header_captures[0].iter().zip(&fe.req_captures) {
        if let Some(slot) = st.strm.req_captures.get_mut(*slot) {
            *slot = st.req.values(name).next_back().map(|v| cut(v, *len));
        }
    }
    if let Some((name, len)) = &fe.capture_cookie {
        let cookies = st.req.known(hawser_http::KnownName::Cookie);
        st.strm.req_cookie = cookies.flat_map(|v| v.split(|b| *b == b';')).find_map(|c| {
            let c = c.trim_ascii();
            c.starts_with(name).then(|| cut(c, *len))
        });
    }
}

/// The start of a captured value.
pub(crate) fn cut(value: &[u8], len: usize) -> Bytes {
    Bytes::copy_from_slice(value.get(..len).unwrap_or(value))
}

/// Counts a request that cannot be read; what the proxy does not know is no error.
fn refused(cl: &Client, e: &StreamError) {
    cl.tally_session(Event::HttpRequest);
    if !matches!(e, StreamError::Bad { status: 501, .. }) {
        cl.tally_session(Event::HttpError);
    }
}

/// The head cannot be read.
fn unreadable(e: &StreamError) -> Stop {
    let (client, request) = (TermCause::Client, TermState::Request);
    match e {
        StreamError::Idle => Stop::silent(400, client, request),
        StreamError::Eof => Stop::error(400, client, request),
        StreamError::Io(_) | StreamError::Reset { .. } | StreamError::H2Preface => {
            Stop::silent(400, client, request)
        }
        StreamError::Bad { status, .. } => Stop::error(*status, TermCause::Proxy, request),
    }
}

/// The head did not come in time.
fn too_slow(st: &Stream) -> Stop {
    let (cause, state) = (TermCause::ClientTimeout, TermState::Request);
    if st.unlogged { Stop::silent(408, cause, state) } else { Stop::error(408, cause, state) }
}

/// The frontend's rules.
pub(crate) async fn frontend(
    cl: &mut Client,
    st: &mut Stream,
    front: &mut dyn FrontStream,
) -> Result<(), Stop> {
    let conn = cl.conn();
    let fe = &conn.fe;
    if st.req.method().eq_ignore_ascii_case(b"PRI") {
        // Reserved for the preface of HTTP/2, which a next hop might take this for.
        return Err(Stop::error(400, TermCause::Proxy, TermState::Request));
    }
    if !st.switched {
        rules::request(cl, st, front, fe, RuleSet::TcpReqCont).await?;
    }
    cl.tally(st, Event::HttpRequest);
    monitor(cl, st)?;
    buffer(cl, st, front, fe).await?;
    http_rules(cl, st, front, fe).await
}

/// `http-request` rules, and what comes right behind them.
async fn http_rules(
    cl: &mut Client,
    st: &mut Stream,
    front: &mut dyn FrontStream,
    px: &Proxy,
) -> Result<(), Stop> {
    rules::request(cl, st, front, px, RuleSet::HttpReq).await?;
    unusual_names(cl, st, px)?;
    if let Some(page) = &px.stats {
        stats::visit(cl, st, front, page).await?;
    }
    rules::run(cl, st, front, &px.rules.redirects).await
}

/// `monitor-uri`: answers checks of the proxy itself.
fn monitor(cl: &Client, st: &mut Stream) -> Result<(), Stop> {
    let Some(front) = &cl.fe.front else { return Ok(()) };
    let Some(uri) = &front.monitor_uri else { return Ok(()) };
    // Clients of HTTP/2 ask for whole URIs.
    let path = st.req.pathq().filter(|_| uri.first() == Some(&b'/'));
    if st.req.target() != &**uri && path != Some(&**uri) {
        return Ok(());
    }
    st.unlogged = true;
    let fails = with_ctx(cl, st, false, |ctx| front.monitor_fail.iter().any(|c| c.eval(ctx)));
    let status = if fails { 503 } else { 200 };
    Err(Stop::error(status, TermCause::Local, TermState::Request))
}

/// The backend's rules, unless it is the frontend.
pub(crate) async fn backend(
    cl: &mut Client,
    st: &mut Stream,
    front: &mut dyn FrontStream,
) -> Result<(), Stop> {
    let conn = cl.conn();
    let Some(be) = conn.backend(st).filter(|b| !Arc::ptr_eq(b, &conn.fe)) else { return Ok(()) };
    rules::request(cl, st, front, be, RuleSet::TcpReqCont).await?;
    cl.tally_backend(st);
    buffer(cl, st, front, be).await?;
    http_rules(cl, st, front, be).await
}

/// `option http-restrict-req-hdr-names`.
fn unusual_names(cl: &Client, st: &mut Stream, px: &Proxy) -> Result<(), Stop> {
    if px.unusual_names == UnusualNames::Preserve {
        return Ok(());
    }
    let unusual = |name: &[u8]| !name.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-');
    let found: Vec<Box<[u8]>> = st.req.iter().map(|f| f.0).filter(|n| unusual(n)).map(Into::into).collect();
    if px.unusual_names == UnusualNames::Reject && !found.is_empty() {
        cl.deny(st);
        return Err(Stop::error(403, TermCause::Proxy, TermState::Request));
    }
    for name in found {
        st.req.remove(&name);
    }
    Ok(())
}

/// `option http-buffer-request`: rules may look at the body.
async fn buffer(
    cl: &mut Client,
    st: &mut Stream,
    front: &mut dyn FrontStream,
    px: &Proxy,
) -> Result<(), Stop> {
    if !px.options.has(opt::HTTP_BUFFER_REQUEST) {
        return Ok(());
    }
    body::collect(cl, st, front, cl.fe.times.http_request, 0).await
}

/// `option forwarded`.
fn forwarded(cl: &Client, st: &mut Stream) {
    let Some(be) = cl.backend(st) else { return };
    let Some(option) = be.back.as_ref().and_then(|b| b.forwarded.as_ref()) else { return };
    let (src, dst) = {
        let sess = cl.sess.borrow();
        let of = |own: &Option<Address>, client: &Address| own.as_ref().unwrap_or(client).clone();
        (of(&st.strm.src, &sess.src), of(&st.strm.dst, &sess.dst))
    };
    let value = with_ctx(cl, st, false, |ctx| option.value(ctx, &st.req, [&src, &dst]));
    if !value.is_empty() {
        st.req.add(b"forwarded", &value);
    }
}

/// What the proxies' options add to the request.
pub(crate) fn finalise(cl: &Client, st: &mut Stream) -> Result<(), Stop> {
    let be = cl.backend(st);
    let sess = cl.sess.borrow();
    for source in [true, false] {
        let (own, of_client) = if source { (&st.strm.src, &sess.src) } else { (&st.strm.dst, &sess.dst) };
        let of = |p: &Proxy| p.addr_headers.iter().position(|h| h.source == source);
        let back = be.and_then(|b| Some(&b.addr_headers[of(b)?]));
        let front = of(&cl.fe).map(|i| &cl.fe.addr_headers[i]);
        AddrHeader::apply(back, front, &mut st.req, own.as_ref().unwrap_or(of_client));
    }
    drop(sess);
    forwarded(cl, st);
    let unique = cl.fe.unique_id_header.as_ref().zip(st.strm.unique_id.as_ref());
    if let Some((name, id)) = unique {
        st.req.add(name, id);
    }
    if st.aborted {
        if let Some(back) = st.be.as_ref().and_then(|b| b.back.as_ref()) {
            back.backend.counters.inc(cl.worker.number(), Stat::CliAborts);
        }
        return Err(Stop::silent(400, TermCause::Client, TermState::Request));
    }
    Ok(())
}
