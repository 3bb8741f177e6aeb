//! TCP mode: one connection from a client, one to a server.

mod inspect;

use crate::client::Client;
use crate::connect;
use crate::http;
use crate::log;
use crate::raw::Raw;
use crate::route;
use crate::stop::Stop;
use crate::stream::Stream;
use crate::tunnel;
use hawser_cfg::model::opt;
use hawser_proto::SockOpt;
use hawser_proto::mux::{FrontMux, Source};
use hawser_sample::facts::{LogOrigin, TermState};
use inspect::Inspected;
use std::sync::Arc;
use std::task::Poll;

/// Serves a client connection; `mux` takes over when rules or the backend want HTTP.
pub(crate) async fn serve(mut cl: Box<Client>, mut client: Raw, mux: Arc<dyn FrontMux>) {
    let mut st = cl.worker.take_stream();
    st.strm.created = Some(cl.sess.borrow().accepted);
    match relay(&mut cl, &mut st, &mut client).await {
        Ok(Outcome::Done) => log::end(&cl, st),
        Ok(Outcome::Http) => {
            cl.worker.give_stream(st);
            let Some((transport, early)) = client.into_parts() else { return };
            cl.sess.borrow_mut().fc_http_major = 1;
            http::serve(cl, mux.accept(transport, early)).await;
        }
        Err(stop) => {
            st.ended(stop.cause, stop.state);
            if let (crate::stop::Answer::Vanish(ttl), Some(t)) = (stop.answer, client.transport()) {
                let _ = t.set_option(SockOpt::Vanish(ttl));
            }
            log::end(&cl, st);
        }
    }
}

/// What became of a connection.
enum Outcome {
    /// It is over.
    Done,
    /// It goes on as HTTP.
    Http,
}

async fn relay(cl: &mut Client, st: &mut Stream, client: &mut Raw) -> Result<Outcome, Stop> {
    if inspect::request(cl, st, client, true).await? == Inspected::SwitchHttp {
        return Ok(Outcome::Http);
    }
    log::started(cl, st, LogOrigin::TxnAccept);
    if !client.data().is_empty() {
        st.held.show(client.data(), client.eof());
    }
    let be = route::pick(cl, st);
    if be.as_ref().is_some_and(|b| b.is_http()) {
        return Ok(Outcome::Http);
    }
    route::enter(cl, st, be)?;
    if inspect::request(cl, st, client, false).await? == Inspected::SwitchHttp {
        return Ok(Outcome::Http);
    }
    let watch = st.be.as_ref().is_some_and(|b| b.abort_on_close);
    let mut link = connect::reach(cl, st, &mut |cx| {
        if !watch || client.is_full() {
            return Poll::Pending;
        }
        loop {
            match client.poll_more(cx) {
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(()),
                Poll::Ready(Ok(_)) if !client.is_full() => {}
                _ => return Poll::Pending,
            }
        }
    })
    .await?;
    log::connected(cl, st);
    inspect::response(cl, st, client, &mut link).await?;
    if let Some(ended) = tunnel::run(cl, st, client, link.stream()).await {
        st.ended(ended.cause, TermState::Data);
    }
    close(cl, st, client, &mut link);
    Ok(Outcome::Done)
}

/// `option nolinger`: the sockets' last bytes may be lost.
fn close(cl: &Client, st: &Stream, client: &mut Raw, link: &mut crate::link::Link) {
    if cl.fe.options.has(opt::NOLINGER)
        && let Some(t) = client.transport()
    {
        t.set_linger_zero();
    }
    if st.be.as_ref().is_some_and(|b| b.options.has(opt::NOLINGER))
        && let Some(t) = link.stream().transport()
    {
        t.set_linger_zero();
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
