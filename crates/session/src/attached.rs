//! Servers that are never dialed: their connections were attached by the other end (`rhttp@`).

use crate::client::Client;
use crate::connect::{Gone, conn_name, no_server};
use crate::link::{Hold, Link};
use crate::snapshot::Back;
use crate::stop::Stop;
use crate::stream::Stream;
use hawser_balance::{Server, Stat};
use std::sync::Arc;

/// Gets the stream's request on an attached connection of the name that the request asks for.
pub(crate) async fn reach(
    cl: &mut Client,
    st: &mut Stream,
    back: &Back,
    server: &Arc<Server>,
    _gone: Gone<'_>,
) -> Result<Link, Stop> {
    let Some(attached) = &server.attached else { return Err(no_server()) };
    let name = conn_name(cl, st, back);
    let Some((agent, mut stream)) = attached.open(name.as_deref()) else {
        let thread = cl.worker.number();
        server.counters.inc(thread, Stat::FailedConns);
        back.backend.counters.inc(thread, Stat::FailedConns);
        return Err(no_server());
    };
    stream.send_request(&st.req, &st.info, false);
    server.counters.inc(cl.worker.number(), Stat::Reuses);
    st.strm.bc_reused = true;
    st.strm.bc_http_major = 2;
    st.strm.bc_dst = agent.what.src.clone();
    st.strm.t.connect_end = Some(cl.now());
    Ok(Link::new(stream, Hold::Attached(server.clone()), true))
}
