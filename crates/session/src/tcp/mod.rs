//! TCP mode: one connection from a client, one to a server.

mod inspect;

use crate::client::Client;
use crate::connect;
use crate::http;
use crate::link::Link;
use crate::log;
use crate::persist;
use crate::raw::Raw;
use crate::route;
use crate::stick;
use crate::stop::Stop;
use crate::stream::Stream;
use crate::timers::later;
use crate::tunnel;
use hawser_balance::{Stat, TrafficEvent};
use hawser_cfg::model::opt;
use hawser_proto::SockOpt;
use hawser_proto::mux::Source;
use hawser_sample::facts::{LogOrigin, TermCause, TermState};
use inspect::Inspected;
use std::future::poll_fn;
use std::task::{Context, Poll};

/// Serves a client connection; a mux takes over when rules or the backend want HTTP.
pub(crate) async fn serve(mut cl: Box<Client>, mut client: Raw) {
    let mut st = cl.worker.take_stream();
    st.strm.created = Some(cl.sess.borrow().accepted);
    st.strm.id = cl.worker.shared().next_stream();
    cl.saw(TrafficEvent::SessOther);
    match relay(&mut cl, &mut st, &mut client).await {
        Ok(Outcome::Done) => log::end(&cl, st),
        Ok(Outcome::Http(proto)) => {
            cl.keep().switched =
                Some((std::mem::take(&mut st.strm.vars), std::mem::take(&mut st.strm.tracked)));
            cl.worker.give_stream(st);
            // After `bind … proto`, whatever that is, a connection stays what it is.
            let front = cl.fe.front.as_ref().filter(|_| cl.slot.listener().proto.is_none());
            let mux = front.and_then(|f| f.muxes.of(proto)).cloned();
            let (Some(mux), Some((transport, early))) = (mux, client.into_parts()) else { return };
            cl.sess.borrow_mut().fc_http_major = 1;
            // Boxed: few connections come this way.
            Box::pin(http::serve(cl, mux.accept(transport, early))).await;
        }
        Err(stop) => {
            st.ended(stop.cause, stop.state);
            st.strm.bytes_in += left_over(&mut client).await;
            if let (crate::stop::Answer::Vanish(ttl), Some(t)) = (stop.answer, client.transport()) {
                let _ = t.set_option(SockOpt::Vanish(ttl));
            }
            log::end(&cl, st);
        }
    }
}

/// What the client has sent and nobody took: it tells a client from a probe, and unread it would make the close a reset.
async fn left_over(client: &mut Raw) -> u64 {
    poll_fn(|cx| {
        while !client.is_full() && matches!(client.poll_more(cx), Poll::Ready(Ok(1..))) {}
        Poll::Ready(())
    })
    .await;
    client.data().len() as u64
}

/// What became of a connection.
enum Outcome {
    /// It is over.
    Done,
    /// It goes on as HTTP, with a mux that rules name or the default one.
    Http(Option<&'static str>),
}

async fn relay(cl: &mut Client, st: &mut Stream, client: &mut Raw) -> Result<Outcome, Stop> {
    if let Inspected::SwitchHttp(proto) = inspect::request(cl, st, client, true).await? {
        return Ok(Outcome::Http(proto));
    }
    log::started(cl, st, LogOrigin::TxnAccept);
    if !client.data().is_empty() {
        st.held.show(client.data(), client.eof());
    }
    let be = route::pick(cl, st);
    if be.as_ref().is_some_and(|b| b.is_http()) {
        return Ok(Outcome::Http(None));
    }
    route::enter(cl, st, be)?;
    if let Inspected::SwitchHttp(proto) = inspect::request(cl, st, client, false).await? {
        return Ok(Outcome::Http(proto));
    }
    persist::designate(cl, st);
    stick::request(cl, st);
    let mut link = reach(cl, st, client).await?;
    log::connected(cl, st);
    inspect::response(cl, st, client, &mut link).await?;
    stick::response(cl, st);
    tunnel::run(cl, st, client, link.stream()).await;
    close(cl, st, client, &mut link);
    Ok(Outcome::Done)
}

/// Gets the client to a server. Who leaves before without having said anything needs none; who has said something does,
/// unless `option abortonclose` says otherwise.
async fn reach(cl: &mut Client, st: &mut Stream, client: &mut Raw) -> Result<Link, Stop> {
    let watch = st.be.as_ref().is_some_and(|b| b.abort_on_close);
    let mut reset = false;
    let mut gone = |cx: &mut Context<'_>| {
        while (watch || client.data().is_empty()) && !client.is_full() {
            match client.poll_more(cx) {
                Poll::Ready(Ok(0)) => return Poll::Ready(()),
                Poll::Ready(Err(_)) => {
                    reset = true;
                    return Poll::Ready(());
                }
                Poll::Ready(Ok(_)) => {}
                Poll::Pending => break,
            }
        }
        Poll::Pending
    };
    let mut stop = match connect::reach(cl, st, &mut gone).await {
        Ok(link) => return Ok(link),
        Err(stop) => stop,
    };
    let silence = later(cl.sess.borrow().accepted, st.times(&cl.fe).client);
    if stop.cause == TermCause::Client && reset {
        stop.state = TermState::Data;
        http::count_abort(cl, st, Stat::CliAborts);
    } else if stop.cause == TermCause::ServerTimeout && client.data().is_empty() && silence < Some(cl.now()) {
        // The client was late before the server was.
        stop.cause = TermCause::ClientTimeout;
        http::count_abort(cl, st, Stat::CliAborts);
    }
    Err(stop)
}

/// `option nolinger`: the sockets' last bytes may be lost. A client that has reset its connection has not said all that it
/// had to, as the server is to see.
fn close(cl: &Client, st: &Stream, client: &mut Raw, link: &mut Link) {
    if cl.fe.options.has(opt::NOLINGER)
        && let Some(t) = client.transport()
    {
        t.set_linger_zero();
    }
    if st.strm.cause == TermCause::Client || st.be.as_ref().is_some_and(|b| b.options.has(opt::NOLINGER)) {
        link.stream().set_linger_zero();
    }
}

/// Options that rules asked for on the client's socket.
pub(crate) fn apply_marks(st: &mut Stream, client: &mut Raw) {
    let Some(t) = client.transport() else { return };
    if let Some(mark) = st.asks.fc_mark.take() {
        let _ = t.set_option(SockOpt::Mark(mark));
    }
    if let Some(tos) = st.asks.fc_tos.take() {
        let _ = t.set_option(SockOpt::Tos(tos));
    }
}
