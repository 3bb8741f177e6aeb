//! Requests for a statistics page (manual 4.2 `stats`).

mod order;

use crate::client::Client;
use crate::http::{body, rules};
use crate::snapshot::StatsPage;
use crate::stop::{Answer, Stop};
use crate::stream::{Stream, with_ctx};
use bytes::Bytes;
use hawser_http::{Head, KnownName, Reply, Version};
use hawser_proto::mux::FrontStream;
use hawser_rules::service::{Served, Service, Text};
use hawser_sample::facts::{TermCause, TermState};
use hawser_stats::page::{Dump, Outcome, Query, Settings, Source};
use std::sync::Arc;

/// What logs show as the server.
const NAME: &str = "<STATS>";

/// Answers a request for the page; others go on.
pub(super) async fn visit(
    cl: &mut Client,
    st: &mut Stream,
    front: &mut dyn FrontStream,
    page: &StatsPage,
) -> Result<(), Stop> {
    let Some(query) = asked(&st.req, page) else { return Ok(()) };
    st.strm.server = Some(NAME.into());
    // Rules may change what conditions see.
    let admin = with_ctx(cl, st, false, |ctx| page.admin.iter().any(|c| c.eval(ctx)));
    if let Err(stop) = rules::run(cl, st, front, &page.rules).await {
        if matches!(stop.answer, Answer::Reply(401 | 407, _)) {
            // Who is asked to log in is answered by the page, for logs.
            st.ended(TermCause::Local, TermState::Request);
        }
        return Err(stop);
    }
    let answer = if st.req.method() == b"POST" {
        let outcome = if admin && same_origin(&st.req) {
            body::collect(cl, st, front, cl.fe.times.http_request, 0).await?;
            if st.aborted {
                return Err(Stop::error(400, TermCause::Client, TermState::Request));
            }
            order::carry_out(cl, st, page)
        } else {
            Outcome::Denied
        };
        Answer::Reply(303, Some(see_other(page, &query, outcome)))
    } else {
        let (settings, source) = (page.settings.clone(), page.source.clone());
        Answer::Service(Arc::new(Visit { settings, query, source, admin }))
    };
    Err(Stop { answer, cause: TermCause::Local, state: TermState::Request })
}

/// What is asked of the page, if the request is for it.
fn asked(req: &Head, page: &StatsPage) -> Option<Query> {
    if !matches!(req.method(), b"GET" | b"HEAD" | b"POST") {
        return None;
    }
    // Clients of HTTP/2 and of proxies ask for whole URIs.
    let path = page.uri.first() == Some(&b'/');
    let uri = if path { req.pathq()? } else { req.target() };
    uri.strip_prefix(&*page.uri).map(Query::parse)
}

/// Whether no other site made a browser send this: who tells where it comes from comes from here.
fn same_origin(req: &Head) -> bool {
    let origin = req.values(b"origin").next().or_else(|| req.values(b"referer").next());
    let Some(origin) = origin else { return true };
    let authority = origin.windows(3).position(|w| w == b"://").and_then(|at| origin.get(at + 3..));
    let Some(authority) = authority.and_then(|a| a.split(|b| *b == b'/').next()) else { return false };
    let host = req.known(KnownName::Host).next();
    host.is_some_and(|host| !host.is_empty() && host.eq_ignore_ascii_case(authority))
}

/// Sends the browser back to the page, which it may load anew without giving the order again.
fn see_other(page: &StatsPage, query: &Query, outcome: Outcome) -> Arc<Reply> {
    let mut head = Head::response(Version::H11, 303, b"See Other");
    head.add(b"cache-control", b"no-cache");
    head.add(b"content-type", b"text/plain");
    head.add(b"content-length", b"0");
    head.add(b"location", query.location(&page.settings, outcome).as_bytes());
    Arc::new(Reply { head, body: Bytes::new(), close: false })
}

/// One look at the page.
#[derive(Debug)]
struct Visit {
    settings: Arc<Settings>,
    query: Query,
    source: Option<Arc<dyn Source>>,
    admin: bool,
}

impl Service for Visit {
    fn name(&self) -> &'static str {
        "stats"
    }

    fn log_name(&self) -> &'static str {
        NAME
    }

    fn answer(&self, _: &Head) -> Result<Served, u16> {
        let source = self.source.clone().ok_or(503_u16)?;
        let mut head = Head::response(Version::H11, 200, b"OK");
        head.add(b"cache-control", b"no-cache");
        head.add(b"content-type", self.query.format.content_type().as_bytes());
        if self.settings.refresh > 0 && !self.query.no_refresh {
            head.add(b"refresh", self.settings.refresh.to_string().as_bytes());
        }
        let mut dump = Dump::new(self.settings.clone(), self.query.clone(), source, self.admin);
        Ok(Served { head, body: Text::body(move |out| dump.more(out)) })
    }
}

#[cfg(test)]
mod tests;
