//! Forwarding both bodies at once, and what the connections are good for afterwards.

use crate::client::Client;
use crate::held::Ahead;
use crate::http::Next;
use crate::link::Link;
use crate::pool;
use crate::pump::{Blocked, Pump, Turn};
use crate::stop::Stop;
use crate::stream::{Stream, ended};
use crate::timers::{earlier, later};
use crate::tunnel::splice;
use hawser_balance::{SessionEnd, Stat};
use hawser_cfg::model::{ConnMode, opt};
use hawser_proto::mux::{Fill, FrontStream, Gone, StreamError};
use hawser_sample::facts::{TermCause, TermState};
use hawser_stick::Event;
use std::future::poll_fn;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

/// Last activity of both sides, and their timeouts.
pub(crate) struct Clocks {
    client: Instant,
    server: Instant,
    client_timeout: Option<Duration>,
    server_timeout: Option<Duration>,
    /// Look out for a client that goes away.
    pub(crate) watch: bool,
    /// The server takes no more of the request.
    pub(crate) sink_failed: bool,
    end: Option<SessionEnd>,
}

impl Clocks {
    pub(crate) fn new(cl: &Client, st: &Stream) -> Self {
        let times = st.times(&cl.fe);
        let now = cl.now();
        Self {
            client: now,
            server: now,
            client_timeout: times.client,
            server_timeout: times.server,
            watch: st.be.as_ref().is_none_or(|b| b.abort_on_close),
            sink_failed: false,
            end: st.session_end(),
        }
    }

    /// Something moved, which shows that both sides are alive.
    pub(crate) fn note(&mut self, cl: &Client, pump: &Pump) {
        if pump.progress {
            self.client = cl.now();
            self.server = cl.now();
        }
    }

    /// Ready when a side that is waited for has been silent for too long, or the server's sessions have to end;
    /// tells which.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        cl: &mut Client,
        on_client: bool,
        on_server: bool,
    ) -> Poll<TermCause> {
        let c = later(self.client, self.client_timeout).filter(|_| on_client);
        let s = later(self.server, self.server_timeout).filter(|_| on_server);
        if let Some(cause) = ended(&mut self.end, cx) {
            return Poll::Ready(cause);
        }
        if cl.poll_deadline(cx, earlier(c, s)).is_pending() {
            return Poll::Pending;
        }
        let client_late = c.is_some_and(|c| s.is_none_or(|s| c <= s));
        Poll::Ready(if client_late { TermCause::ClientTimeout } else { TermCause::ServerTimeout })
    }
}

/// The direction of the request's body.
pub(crate) fn request_pump(cl: &Client, st: &Stream) -> Pump {
    let drop_trailers = st.be.as_ref().is_some_and(|b| b.options.has(opt::DROP_REQ_TRAILERS));
    Pump::message(splice(cl, st, opt::SPLICE_REQUEST)).without_trailers(drop_trailers)
}

/// A turn of the request's body.
pub(crate) fn turn_up(
    cx: &mut Context<'_>,
    st: &mut Stream,
    front: &mut dyn FrontStream,
    link: &mut Link,
    up: &mut Pump,
) -> Turn {
    if up.is_done() {
        // What moved before says nothing about the server being alive now.
        up.progress = false;
        return Turn::Done;
    }
    let mut ahead = Ahead { held: &mut st.held, inner: front };
    up.turn(cx, &mut ahead, link.stream())
}

/// Gathers the response's head for the client.
pub(crate) fn start_response(
    cl: &Client,
    st: &mut Stream,
    front: &mut dyn FrontStream,
    link: &Link,
    close: bool,
) {
    let close = close || cl.is_ending() || cl.fe.conn_mode == ConnMode::Close;
    st.strm.bytes_out += st.came[1].head as u64;
    front.send_response(&st.res, link.info.body, close);
}

/// Forwards the response, and the rest of the request with it.
pub(crate) async fn run(
    cl: &mut Client,
    st: &mut Stream,
    front: &mut dyn FrontStream,
    link: Link,
    up: &mut Pump,
) -> Result<Next, Stop> {
    start_response(cl, st, front, &link, false);
    cl.count(st, Stat::of_status(st.strm.status));
    crate::log::response_started(cl, st);
    let mut clocks = Clocks::new(cl, st);
    let mut down = Pump::releasing(splice(cl, st, opt::SPLICE_RESPONSE))
        .without_trailers(cl.fe.options.has(opt::DROP_RES_TRAILERS));
    let mut link = Some(link);
    let mut end = poll_fn(|cx| poll(cx, cl, st, front, &mut link, (up, &mut down), &mut clocks)).await;
    if end.is_none() && !up.is_done() && front.outlives_response() {
        end = poll_fn(|cx| poll_rest(cx, cl, st, front, &mut link, up, &mut clocks)).await;
    }
    st.moved(up, &down);
    if let Some((cause, state)) = end {
        st.ended(cause, state);
        aborted(cl, st, cause);
        return Ok(Next::Close);
    }
    let whole = up.is_done();
    if let Some(link) = link {
        pool::give_back(cl, st, link, whole);
    }
    if front.next_request() {
        return Ok(Next::KeepAlive);
    }
    Ok(if whole { Next::Close } else { Next::Linger })
}

/// Counts who broke the exchange.
pub(crate) fn aborted(cl: &Client, st: &Stream, cause: TermCause) {
    let stat = match cause {
        TermCause::Client | TermCause::ClientTimeout => Stat::CliAborts,
        _ => Stat::SrvAborts,
    };
    if stat == Stat::SrvAborts {
        cl.tally(st, Event::HttpFailure);
    }
    // A response that breaks off is a failed one too; one that does not go on is not.
    let failed = (cause == TermCause::Server).then_some(Stat::FailedResp);
    for stat in [Some(stat), failed].into_iter().flatten() {
        count_abort(cl, st, stat);
    }
}

/// Counts for the server, the backend and the frontend.
pub(crate) fn count_abort(cl: &Client, st: &Stream, stat: Stat) {
    if let Some(slot) = &st.slot {
        slot.server().counters.inc(cl.worker.number(), stat);
    }
    cl.count(st, stat);
}

/// The response came before the whole request: takes the rest, which the next request follows. What the server does
/// not take any more is thrown away.
fn poll_rest(
    cx: &mut Context<'_>,
    cl: &mut Client,
    st: &mut Stream,
    front: &mut dyn FrontStream,
    link: &mut Option<Link>,
    up: &mut Pump,
    clocks: &mut Clocks,
) -> Poll<Option<(TermCause, TermState)>> {
    let failed = |cause| Poll::Ready(Some((cause, TermState::Last)));
    if let Some(l) = link.as_mut() {
        match turn_up(cx, st, front, l, up) {
            Turn::Blocked(_) | Turn::SourceEnded => {}
            Turn::Done => return Poll::Ready(None),
            Turn::SourceFailed(e) => return failed(client_cause(&e)),
            Turn::SinkFailed => *link = None,
        }
        clocks.note(cl, up);
    }
    if link.is_none() {
        let before = up.bytes;
        match throw_away(cx, front, &mut up.bytes) {
            Poll::Ready(Ok(())) => return Poll::Ready(None),
            Poll::Ready(Err(e)) => return failed(client_cause(&e)),
            Poll::Pending => up.blocked = Some(Blocked::Read),
        }
        up.progress = up.bytes > before;
        clocks.note(cl, up);
    }
    let on_client = up.blocked == Some(Blocked::Read);
    clocks.poll(cx, cl, on_client, !on_client).map(|cause| Some((cause, TermState::Last)))
}

/// Whether a client that has gone away matters: always where it has reset the connection, by `option abortonclose` where it
/// has closed its side.
pub(crate) fn is_gone(watch: bool, gone: Poll<Gone>) -> Poll<Gone> {
    match gone {
        Poll::Ready(g) if watch || g == Gone::Reset => Poll::Ready(g),
        _ => Poll::Pending,
    }
}

/// Takes the rest of a body without keeping it.
fn throw_away(
    cx: &mut Context<'_>,
    front: &mut dyn FrontStream,
    bytes: &mut u64,
) -> Poll<Result<(), StreamError>> {
    while ready!(front.poll_fill(cx))? == Fill::Data {
        let n = front.data().len();
        front.consume(n);
        *bytes += n as u64;
    }
    Poll::Ready(Ok(()))
}

/// Who is to blame for a request that breaks off.
fn client_cause(e: &StreamError) -> TermCause {
    if let StreamError::Bad { .. } = e { TermCause::Proxy } else { TermCause::Client }
}

type Pumps<'a> = (&'a mut Pump, &'a mut Pump);

/// Moves both bodies until the response is complete.
fn poll(
    cx: &mut Context<'_>,
    cl: &mut Client,
    st: &mut Stream,
    front: &mut dyn FrontStream,
    link: &mut Option<Link>,
    (up, down): Pumps<'_>,
    clocks: &mut Clocks,
) -> Poll<Option<(TermCause, TermState)>> {
    let mut upload_over = up.is_done() || clocks.sink_failed;
    if let Some(link) = link.as_mut().filter(|_| !upload_over) {
        match turn_up(cx, st, front, link, up) {
            Turn::Blocked(_) => {}
            Turn::SourceEnded | Turn::Done => upload_over = true,
            Turn::SourceFailed(_) => return Poll::Ready(Some((TermCause::Client, TermState::Data))),
            Turn::SinkFailed => {
                clocks.sink_failed = true;
                upload_over = true;
            }
        }
        clocks.note(cl, up);
    }
    match turn_down(cx, cl, st, front, link, (up, down)) {
        Turn::Done => return Poll::Ready(None),
        Turn::Blocked(_) | Turn::SourceEnded => {}
        Turn::SinkFailed => return Poll::Ready(Some((TermCause::Client, TermState::Data))),
        Turn::SourceFailed(e) => return Poll::Ready(Some((source_cause(&e), TermState::Data))),
    }
    clocks.note(cl, down);
    crate::log::moving(cl, st, up, Some(down));
    // Nobody is left to take what the server has not sent yet.
    let waits = upload_over && down.blocked == Some(Blocked::Read);
    if waits && is_gone(clocks.watch, front.poll_gone(cx)).is_ready() {
        return Poll::Ready(Some((TermCause::Client, TermState::Data)));
    }
    let on_client =
        down.blocked == Some(Blocked::Write) || (!upload_over && up.blocked == Some(Blocked::Read));
    let on_server =
        down.blocked == Some(Blocked::Read) || (!upload_over && up.blocked == Some(Blocked::Write));
    clocks.poll(cx, cl, on_client, on_server).map(|cause| Some((cause, TermState::Data)))
}

/// A turn of the response's body. The server's connection is free for the next request before the client has taken the
/// last bytes of this response.
fn turn_down(
    cx: &mut Context<'_>,
    cl: &mut Client,
    st: &mut Stream,
    front: &mut dyn FrontStream,
    link: &mut Option<Link>,
    (up, down): Pumps<'_>,
) -> Turn {
    let Some(l) = link else { return down.finish(cx, front) };
    let mut ahead = Ahead { held: &mut st.res_held, inner: l.stream() };
    let turn = down.turn(cx, &mut ahead, front);
    if !matches!(turn, Turn::SourceEnded) {
        return turn;
    }
    if up.is_done()
        && let Some(l) = link.take()
    {
        pool::give_back(cl, st, l, true);
    }
    // Whoever gets the last bytes may ask for the entries at once.
    st.strm.tracked.release();
    let progress = down.progress;
    let turn = down.finish(cx, front);
    down.progress |= progress;
    turn
}

/// Who is to blame for a response that breaks off.
fn source_cause(e: &StreamError) -> TermCause {
    if let StreamError::Bad { .. } = e { TermCause::Proxy } else { TermCause::Server }
}
