//! `tcp-request content` and `tcp-response content` rules in TCP mode: they may wait for bytes.

use crate::client::Client;
use crate::link::Link;
use crate::raw::Raw;
use crate::snapshot::Proxy;
use crate::stop::Stop;
use crate::stream::{Seen, Stream, with_txn};
use crate::tcp::apply_marks;
use crate::timers::{earlier, later};
use hawser_balance::{Stat, TrafficEvent};
use hawser_proto::mux::{Fill, Source};
use hawser_rules::{RuleSet, Verdict, WaitFor};
use hawser_sample::ctx::Payload;
use hawser_sample::facts::{TermCause, TermState};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

/// What content rules ended with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Inspected {
    /// The connection goes on.
    Pass,
    /// `switch-mode http`, and the mux that it names.
    SwitchHttp(Option<&'static str>),
}

/// What waiting for input ended with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Input {
    More,
    /// No more will come, or may be waited for.
    Complete,
    /// The peer failed.
    Failed,
    /// The peer has said nothing for too long.
    Late,
}

/// `tcp-request content` of the frontend, or of the backend if that is another proxy.
pub(crate) async fn request(
    cl: &mut Client,
    st: &mut Stream,
    client: &mut Raw,
    frontend: bool,
) -> Result<Inspected, Stop> {
    let Some(px) = proxy(cl, st, frontend) else { return Ok(Inspected::Pass) };
    let rules = px.rules.get(RuleSet::TcpReqCont);
    if rules.is_empty() {
        return Ok(Inspected::Pass);
    }
    let until = later(cl.now(), px.req_inspect_delay);
    let (mut from, mut complete) = (0, until.is_none());
    loop {
        complete |= client.eof() || client.is_full();
        let data = Payload { data: client.data(), complete };
        let seen = Seen { partial: !complete, req: Some(data), res: None };
        let verdict = with_txn(cl, st, Some(seen), false, |txn| rules.eval(txn, from));
        apply_marks(st, client);
        match verdict {
            Verdict::Wait { rule, until: WaitFor::Pause(ms) } => {
                from = rule;
                pause(cl, ms).await;
            }
            Verdict::Wait { rule, .. } if !complete => {
                from = rule;
                let silence = later(cl.now(), st.times(&cl.fe).client);
                complete = match input(cl, client, until, silence).await {
                    Input::More => false,
                    Input::Complete => true,
                    Input::Failed => return Err(left(cl, TermCause::Client)),
                    Input::Late => return Err(left(cl, TermCause::ClientTimeout)),
                };
            }
            Verdict::Wait { .. } | Verdict::Continue | Verdict::Allow => return Ok(Inspected::Pass),
            Verdict::SwitchHttp { proto } => return Ok(Inspected::SwitchHttp(proto)),
            Verdict::SilentDrop { rst_ttl } => {
                cl.deny(st);
                return Err(vanish(rst_ttl, TermState::Request));
            }
            Verdict::Error => return Err(Stop::silent(0, TermCause::Proxy, TermState::Request)),
            _ => {
                cl.deny(st);
                return Err(Stop::silent(0, TermCause::Proxy, TermState::Request));
            }
        }
    }
}

/// A client that leaves while its bytes are waited for counts as a bad request.
fn left(cl: &Client, cause: TermCause) -> Stop {
    cl.saw(TrafficEvent::FailedReq);
    if let Some(back) = &cl.fe.back {
        back.backend.counters.inc(cl.worker.number(), Stat::CliAborts);
    }
    Stop::silent(0, cause, TermState::Request)
}

fn vanish(rst_ttl: Option<u8>, state: TermState) -> Stop {
    Stop { answer: crate::stop::Answer::Vanish(rst_ttl), cause: TermCause::Proxy, state }
}

fn proxy(cl: &Client, st: &Stream, frontend: bool) -> Option<Arc<Proxy>> {
    if frontend {
        return Some(cl.fe.clone());
    }
    st.be.clone().filter(|b| !Arc::ptr_eq(b, &cl.fe))
}

/// Waits for more bytes of the client, for so long.
async fn input(cl: &mut Client, client: &mut Raw, until: Option<Instant>, silence: Option<Instant>) -> Input {
    poll_fn(|cx| {
        match client.poll_more(cx) {
            Poll::Ready(Ok(0)) => return Poll::Ready(Input::Complete),
            Poll::Ready(Ok(_)) => return Poll::Ready(Input::More),
            Poll::Ready(Err(_)) => return Poll::Ready(Input::Failed),
            Poll::Pending => {}
        }
        let late = until.is_none_or(|u| silence.is_some_and(|s| s < u));
        cl.poll_deadline(cx, earlier(until, silence))
            .map(|()| if late { Input::Late } else { Input::Complete })
    })
    .await
}

async fn pause(cl: &mut Client, ms: u64) {
    let deadline = later(cl.now(), Some(Duration::from_millis(ms)));
    poll_fn(|cx| cl.poll_deadline(cx, deadline)).await;
}

/// `tcp-response content` of the backend, then of the frontend.
pub(crate) async fn response(
    cl: &mut Client,
    st: &mut Stream,
    client: &mut Raw,
    link: &mut Link,
) -> Result<(), Stop> {
    for frontend in [false, true] {
        let Some(px) = proxy(cl, st, frontend).or_else(|| st.be.clone()) else { continue };
        if frontend && st.be.as_ref().is_some_and(|b| Arc::ptr_eq(b, &px)) {
            continue;
        }
        if !px.rules.get(RuleSet::TcpResCont).is_empty() {
            response_rules(cl, st, client, link, &px).await?;
        }
    }
    Ok(())
}

async fn response_rules(
    cl: &mut Client,
    st: &mut Stream,
    client: &mut Raw,
    link: &mut Link,
    px: &Proxy,
) -> Result<(), Stop> {
    let rules = px.rules.get(RuleSet::TcpResCont);
    let until = later(cl.now(), px.res_inspect_delay);
    let (mut from, mut complete) = (0, until.is_none());
    loop {
        let data = Payload { data: link.stream().data(), complete };
        let seen = Seen { partial: !complete, req: None, res: Some(data) };
        match with_txn(cl, st, Some(seen), true, |txn| rules.eval(txn, from)) {
            Verdict::Wait { rule, until: WaitFor::Pause(ms) } => {
                from = rule;
                pause(cl, ms).await;
            }
            Verdict::Wait { rule, .. } if !complete => {
                from = rule;
                complete = answer(cl, st, client, link, until).await;
            }
            Verdict::Wait { .. } | Verdict::Continue | Verdict::Allow | Verdict::CloseServer => return Ok(()),
            Verdict::SilentDrop { rst_ttl } => {
                cl.deny(st);
                return Err(vanish(rst_ttl, TermState::Data));
            }
            _ => return Err(Stop::silent(0, TermCause::Proxy, TermState::Data)),
        }
    }
}

/// Forwards what the client sends until the server has sent more; whether no more may be waited for.
async fn answer(
    cl: &mut Client,
    st: &mut Stream,
    client: &mut Raw,
    link: &mut Link,
    until: Option<Instant>,
) -> bool {
    let mut up = crate::pump::Pump::message(crate::pump::Splice::No);
    let complete = poll_fn(|cx| {
        let _ = up.turn(cx, client, link.stream());
        let server = link.stream();
        let more = match server.data().is_empty() {
            true => server.poll_fill(cx).map(|fill| matches!(fill, Ok(Fill::Data))),
            false => server.poll_grow(cx).map(|n| matches!(n, Ok(1..))),
        };
        if let Poll::Ready(more) = more {
            return Poll::Ready(!more);
        }
        cl.poll_deadline(cx, until).map(|()| true)
    })
    .await;
    st.strm.bytes_in += up.bytes;
    complete
}
