//! Rule sets on HTTP messages, and the waits that they ask for.

use crate::client::Client;
use crate::http::body;
use crate::snapshot::Proxy;
use crate::stop::{Answer, Stop};
use crate::stream::{Stream, with_txn};
use crate::timers::later;
use hawser_balance::Stat;
use hawser_http::{Head, Version};
use hawser_proto::SockOpt;
use hawser_proto::mux::FrontStream;
use hawser_rules::{RuleList, RuleSet, Verdict, WaitFor};
use hawser_sample::facts::{TermCause, TermState};
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

/// Runs `tcp-request content` or `http-request` rules of a proxy.
pub(crate) async fn request(
    cl: &mut Client,
    st: &mut Stream,
    front: &mut dyn FrontStream,
    px: &Proxy,
    set: RuleSet,
) -> Result<(), Stop> {
    run(cl, st, front, px.rules.get(set)).await
}

/// Runs a list of rules on the request.
pub(crate) async fn run(
    cl: &mut Client,
    st: &mut Stream,
    front: &mut dyn FrontStream,
    rules: &RuleList,
) -> Result<(), Stop> {
    if rules.is_empty() {
        return Ok(());
    }
    let mut from = 0;
    body::gather(cl, st, front).await;
    loop {
        let seen = body::at_hand(st, front);
        let verdict = with_txn(cl, st, seen, false, |txn| rules.eval(txn, from));
        socket_options(st, front);
        match verdict {
            Verdict::Wait { rule, until } => {
                from = rule;
                wait(cl, st, front, until).await?;
            }
            other => {
                early_hints(cl, st, front).await?;
                return settle(cl, st, front, other).await;
            }
        }
    }
}

/// Waits as a rule asked.
async fn wait(
    cl: &mut Client,
    st: &mut Stream,
    front: &mut dyn FrontStream,
    until: WaitFor,
) -> Result<(), Stop> {
    match until {
        // An HTTP request is all there when its rules run.
        WaitFor::Input => Ok(()),
        WaitFor::Pause(ms) => {
            let deadline = later(cl.now(), Some(Duration::from_millis(ms)));
            poll_fn(|cx| {
                if front.poll_gone(cx).is_ready() && st.info.body == hawser_http::BodyLen::None {
                    return Poll::Ready(Err(Stop::silent(400, TermCause::Client, TermState::Request)));
                }
                cl.poll_deadline(cx, deadline).map(Ok)
            })
            .await
        }
        WaitFor::Body(ms, bytes) => {
            let at_least = usize::try_from(bytes).unwrap_or(usize::MAX);
            body::collect(cl, st, front, Some(Duration::from_millis(ms.into())), at_least).await
        }
    }
}

/// What request rules decided.
async fn settle(
    cl: &mut Client,
    st: &mut Stream,
    front: &mut dyn FrontStream,
    verdict: Verdict,
) -> Result<(), Stop> {
    let (proxy, state) = (TermCause::Proxy, TermState::Request);
    Err(match verdict {
        Verdict::Continue | Verdict::Allow | Verdict::SwitchHttp { .. } | Verdict::CloseServer => {
            return Ok(());
        }
        Verdict::Wait { .. } => return Ok(()),
        Verdict::Deny { status, reply } => {
            cl.deny(st);
            cl.blame(st);
            Stop::reply(status, reply, proxy, state)
        }
        Verdict::Tarpit { status, reply } => {
            cl.deny(st);
            cl.blame(st);
            tarpit(cl, st, front).await?;
            Stop::reply(status, reply, proxy, TermState::Tarpit)
        }
        Verdict::Return { status, reply } => Stop::reply(status, reply, TermCause::Local, state),
        Verdict::Service(service) => {
            Stop { answer: Answer::Service(service), cause: TermCause::Local, state }
        }
        Verdict::Redirect(reply) => Stop::reply(reply.head.status(), Some(reply), TermCause::Local, state),
        Verdict::Auth(reply) => {
            // Rules on the answer do not see it counted yet.
            st.blamed = true;
            Stop::reply(reply.as_ref().map_or(401, |r| r.head.status()), reply, TermCause::Local, state)
        }
        Verdict::Reject => {
            cl.deny(st);
            Stop { answer: Answer::HangUp, cause: proxy, state }
        }
        Verdict::SilentDrop { rst_ttl } => {
            cl.deny(st);
            Stop { answer: Answer::Vanish(rst_ttl), cause: proxy, state }
        }
        Verdict::BadRequest => {
            cl.blame(st);
            Stop::error(400, proxy, state)
        }
        Verdict::Error => {
            cl.count(st, Stat::InternalErrors);
            Stop::error(500, TermCause::Internal, state)
        }
    })
}

/// Keeps a client waiting.
async fn tarpit(cl: &mut Client, st: &mut Stream, front: &mut dyn FrontStream) -> Result<(), Stop> {
    // Without any timeout there is nothing to wait for.
    let deadline = later(cl.now(), Some(st.times(&cl.fe).tarpit.unwrap_or_default()));
    let gone = poll_fn(|cx| {
        if front.poll_gone(cx).is_ready() {
            return Poll::Ready(true);
        }
        cl.poll_deadline(cx, deadline).map(|()| false)
    })
    .await;
    st.strm.t.queue_end = Some(cl.now());
    if gone { Err(Stop::silent(500, TermCause::Proxy, TermState::Tarpit)) } else { Ok(()) }
}

/// Options that rules asked for on the client's socket.
pub(crate) fn socket_options(st: &mut Stream, front: &mut dyn FrontStream) {
    if let Some(mark) = st.asks.fc_mark.take() {
        front.set_option(SockOpt::Mark(mark));
    }
    if let Some(tos) = st.asks.fc_tos.take() {
        front.set_option(SockOpt::Tos(tos));
    }
}

/// Sends the `early-hint` fields gathered so far as one 103.
async fn early_hints(cl: &mut Client, st: &mut Stream, front: &mut dyn FrontStream) -> Result<(), Stop> {
    if st.asks.early_hints.is_empty() {
        return Ok(());
    }
    let mut head = Head::response(Version::H11, 103, b"Early Hints");
    for (name, value) in st.asks.early_hints.drain(..) {
        head.add(&name, &value);
    }
    if st.req.version() >= Version::H11 {
        front.send_interim(&head);
        body::flush(cl, st, front).await?;
    }
    Ok(())
}

/// Runs `tcp-response content` or `http-response` rules of a proxy on the response.
pub(crate) async fn response(
    cl: &mut Client,
    st: &mut Stream,
    px: &Proxy,
    set: RuleSet,
    back: &mut dyn hawser_proto::mux::BackStream,
) -> Result<(), Stop> {
    let rules = px.rules.get(set);
    if rules.is_empty() {
        return Ok(());
    }
    let mut from = 0;
    loop {
        match with_txn(cl, st, None, true, |txn| rules.eval(txn, from)) {
            Verdict::Wait { rule, until } => {
                from = rule;
                match until {
                    WaitFor::Input => {}
                    WaitFor::Pause(ms) => {
                        let deadline = later(cl.now(), Some(Duration::from_millis(ms)));
                        poll_fn(|cx| cl.poll_deadline(cx, deadline)).await;
                    }
                    WaitFor::Body(ms, bytes) => body::collect_response(cl, st, back, ms, bytes).await?,
                }
            }
            other => return settle_response(cl, st, other),
        }
    }
}

/// What response rules decided.
fn settle_response(cl: &mut Client, st: &mut Stream, verdict: Verdict) -> Result<(), Stop> {
    let (proxy, state) = (TermCause::Proxy, TermState::Headers);
    if let (Verdict::Deny { .. }, Some(slot)) = (&verdict, &st.slot) {
        // The server has answered, whatever becomes of that.
        slot.server().counters.inc(cl.worker.number(), Stat::of_status(st.res.status()));
    }
    Err(match verdict {
        Verdict::Continue | Verdict::Allow | Verdict::SwitchHttp { .. } | Verdict::Wait { .. } => {
            return Ok(());
        }
        Verdict::CloseServer | Verdict::Service(_) => return Ok(()),
        Verdict::Deny { status, reply } | Verdict::Tarpit { status, reply } => {
            cl.count(st, Stat::DeniedResp);
            Stop::reply(status, reply, proxy, state)
        }
        Verdict::Return { status, reply } => Stop::reply(status, reply, TermCause::Local, state),
        Verdict::Auth(reply) => {
            let status = reply.as_ref().map_or(0, |r| r.head.status());
            Stop::reply(status, reply, TermCause::Local, state)
        }
        Verdict::Redirect(reply) => Stop::reply(reply.head.status(), Some(reply), TermCause::Local, state),
        Verdict::Reject => {
            cl.count(st, Stat::DeniedResp);
            Stop::silent(502, proxy, state)
        }
        Verdict::SilentDrop { rst_ttl } => {
            cl.deny(st);
            Stop { answer: Answer::Vanish(rst_ttl), cause: proxy, state }
        }
        Verdict::BadRequest => Stop::error(502, proxy, state),
        Verdict::Error => {
            cl.count(st, Stat::InternalErrors);
            Stop::error(500, TermCause::Internal, state)
        }
    })
}
