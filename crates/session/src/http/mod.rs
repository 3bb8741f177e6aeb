//! HTTP mode: the life of a client connection, and of each request on it.
//!
//! [`serve`] waits for requests, owning next to nothing while it does. [`exchange`] takes one from its head to the
//! log line:
//!
//! ```text
//! request::receive -> request::frontend -> route -> request::backend -> request::finalise
//!   -> connect::reach -> response::await_head -> response::rules -> forward::run -> log
//! ```
//!
//! Any of these may end the stream with a [`Stop`], from which [`reply`] makes an answer.

mod body;
mod cacheable;
pub(crate) mod cookie;
mod forward;
mod idle;
mod linger;
mod multi;
mod reply;
mod request;
mod response;
mod rules;
mod service;
mod stats;

use crate::client::Client;
use crate::connect;
use crate::link::Link;
use crate::log;
use crate::persist;
use crate::route;
use crate::stick;
use crate::stop::Stop;
use crate::stream::Stream;
use crate::tunnel;
use hawser_balance::{Stat, TrafficEvent};
use hawser_http::BodyLen;
use hawser_proto::mux::{FrontConn, FrontStream, Fronted};
use hawser_sample::facts::{TermCause, TermState};
use request::Received;
use std::pin::Pin;

pub(crate) use forward::count_abort;
pub(crate) use multi::Job;

/// What follows an exchange on its connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Next {
    /// Another request may come.
    KeepAlive,
    /// The rest of the request, then another one: the answer did not wait for it.
    Rest,
    /// The client goes on in HTTP/2.
    Preface,
    /// Nothing; what the client still sends is to be thrown away before the close.
    Linger,
    /// Nothing.
    Close,
}

/// Serves a client connection.
pub(crate) async fn serve(cl: Box<Client>, front: Fronted) {
    match front {
        Fronted::Multi(conn) => multi::serve(cl, conn).await,
        Fronted::Single(front) => single(cl, front).await,
    }
}

/// Serves a connection that carries one request after the other, unless the client starts with HTTP/2. Most idle
/// connections are in here: what is not needed while waiting is boxed.
pub(crate) async fn single(mut cl: Box<Client>, mut front: Box<dyn FrontStream>) {
    cl.saw(TrafficEvent::H1Sess);
    let next = loop {
        if !idle::wait(&mut cl, &mut *front).await {
            break Next::Close;
        }
        // Boxed, so that an idle connection does not hold the memory of a request.
        let next = boxed(|| request(&mut cl, &mut *front)).await;
        match next {
            Next::KeepAlive => {}
            Next::Rest if boxed(|| linger::rest(&mut cl, &mut *front)).await => {}
            Next::Rest => break Next::Close,
            _ => break next,
        }
        cl.request += 1;
    };
    match next {
        Next::Preface => {}
        _ if cl.fe.options.has(hawser_cfg::model::opt::NOLINGER) => front.set_linger_zero(),
        Next::Linger => {
            // Nobody is served any more.
            drop(std::mem::take(&mut cl.sess.borrow_mut().tracked));
            Box::pin(linger::drain(&mut cl, front)).await;
            return cl.saw(TrafficEvent::H1Closed);
        }
        Next::KeepAlive | Next::Rest | Next::Close => {}
    }
    cl.saw(TrafficEvent::H1Closed);
    if next == Next::Preface
        && let Some(conn) = preface(&cl, front)
    {
        Box::pin(multi::serve(cl, conn)).await;
    }
}

/// A boxed future that is made where it stays: `Box::pin` makes it first and then copies all of it.
fn boxed<F: Future>(make: impl FnOnce() -> F) -> Pin<Box<F>> {
    Box::into_pin(Box::write(Box::new_uninit(), make()))
}

/// The same connection as one that carries many requests at once.
fn preface(cl: &Client, front: Box<dyn FrontStream>) -> Option<Box<dyn FrontConn>> {
    let (transport, early) = front.take_transport()?;
    let mux = cl.fe.front.as_ref()?.muxes.of(Some("h2"))?;
    match mux.accept(transport, early) {
        Fronted::Multi(conn) => Some(conn),
        Fronted::Single(_) => None,
    }
}

/// One request, from its first byte to its log line.
async fn request(cl: &mut Client, front: &mut dyn FrontStream) -> Next {
    let mut st = cl.worker.take_stream();
    if let Some((vars, tracked)) = cl.kept.borrow_mut().as_mut().and_then(|k| k.switched.take()) {
        (st.strm.vars, st.strm.tracked) = (vars, tracked);
        st.switched = true;
    }
    let next = match exchange(cl, &mut st, front).await {
        Ok(next) => next,
        Err(stop) => reply::finish(cl, &mut st, front, stop).await,
    };
    log::end(cl, st);
    next
}

/// The way of a request that reaches a server.
async fn exchange(cl: &mut Client, st: &mut Stream, front: &mut dyn FrontStream) -> Result<Next, Stop> {
    if request::receive(cl, st, front).await? == Received::Preface {
        return Ok(Next::Preface);
    }
    request::frontend(cl, st, front).await?;
    let be = route::pick(cl, st);
    route::enter(cl, st, be)?;
    if st.be.as_ref().is_some_and(|b| !b.is_http()) {
        // What `switch-mode` made HTTP has no way back.
        return Err(Stop::silent(0, TermCause::Internal, TermState::Request));
    }
    request::backend(cl, st, front).await?;
    persist::designate(cl, st);
    cookie::request(cl, st);
    stick::request(cl, st);
    request::finalise(cl, st)?;
    keep_for_retry(cl, st);
    let (mut link, mut up) = loop {
        let mut link = reach(cl, st, front).await?;
        let mut up = forward::request_pump(cl, st);
        match response::await_head(cl, st, front, &mut link, &mut up).await {
            Ok(info) => {
                link.info = info;
                break (link, up);
            }
            Err(failure) => {
                // A request that is sent once more was received once.
                let pause = response::retry(cl, st, link, failure).inspect_err(|_| st.received(&mut up))?;
                connect::turn_around(cl, &mut |cx| front.poll_gone(cx).map(|_| ()), pause).await?;
            }
        }
    };
    st.received(&mut up);
    response::rules(cl, st, front, &mut link).await?;
    if link.info.body == BodyLen::Tunnel {
        return Ok(upgraded(cl, st, front, link).await);
    }
    forward::run(cl, st, front, link, &mut up).await
}

/// Keeps the start of the body in memory where `retry-on` may want to send it again.
fn keep_for_retry(cl: &Client, st: &mut Stream) {
    let back = st.be.as_ref().and_then(|b| b.back.as_ref());
    if back.is_some_and(|b| b.retry.keeps_request()) && !st.asks.no_l7_retry {
        st.held.record(cl.snapshot.bufsize);
    }
}

/// Finds a server and gets the request's head on its way.
async fn reach(cl: &mut Client, st: &mut Stream, front: &mut dyn FrontStream) -> Result<Link, Stop> {
    let watch = st.be.as_ref().is_none_or(|b| b.abort_on_close);
    connect::reach(cl, st, &mut |cx| forward::is_gone(watch, front.poll_gone(cx)).map(|_| ())).await
}

/// The response made the connection a tunnel.
async fn upgraded(cl: &mut Client, st: &mut Stream, front: &mut dyn FrontStream, mut link: Link) -> Next {
    forward::start_response(cl, st, front, &link, false);
    cl.count(st, Stat::of_status(st.strm.status));
    tunnel::run(cl, st, front, link.stream()).await;
    Next::Close
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::ClientConn;

    fn size_of_future<A, B, F>(_: impl Fn(A, B) -> F) -> usize {
        size_of::<F>()
    }

    /// What an idle connection holds, by the allocator's classes: with 104 bytes of the runtime's and the seat's 16, the
    /// task fits 256 bytes; with the counts of its `Rc`, the connection fits 320.
    #[test]
    fn idle_connections_stay_small() {
        assert!(size_of_future(single) <= 256 - 104 - 16, "{}", size_of_future(single));
        assert!(size_of::<ClientConn>() <= 320 - 16, "{}", size_of::<ClientConn>());
        assert!(size_of::<Client>() <= 48, "{}", size_of::<Client>());
    }
}
