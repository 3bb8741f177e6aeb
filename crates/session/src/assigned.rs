//! What the options of the chosen server make of the request.

use crate::snapshot::Back;
use crate::stop::Stop;
use crate::stream::Stream;
use bytes::Bytes;
use hawser_http::{Head, Version};
use hawser_rules::Reply;
use hawser_sample::facts::{TermCause, TermState};
use std::sync::Arc;

/// Applies `http-send-name-header` and `redir`, each time that a server is chosen.
pub(crate) fn apply(st: &mut Stream, back: &Back) -> Result<(), Stop> {
    let Some(server) = st.slot.as_ref().map(|s| s.server()) else { return Ok(()) };
    if let Some(name) = &back.name_header {
        st.req.set(name, server.name.as_bytes());
    }
    match &server.opts.redir {
        Some(prefix) if matches!(st.req.method(), b"GET" | b"HEAD") => Err(redirect(prefix, &st.req)),
        _ => Ok(()),
    }
}

/// `server … redir`: the client is to ask somebody else.
fn redirect(prefix: &str, req: &Head) -> Stop {
    let target = req.pathq().unwrap_or_default();
    let mut head = Head::response(Version::H11, 302, b"Found");
    head.add(b"Cache-Control", b"no-cache");
    head.add(b"Content-Length", b"0");
    head.add(b"Location", &[prefix.as_bytes(), target].concat());
    let reply = Arc::new(Reply { head, body: Bytes::new(), close: false });
    Stop::reply(302, Some(reply), TermCause::Local, TermState::Connect)
}
