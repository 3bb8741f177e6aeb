//! Load balancing algorithms (manual 4.2 `balance`): one row each, in its own file.

use crate::backend::Backend;
use crate::server::Server;
use crate::time::Ms;
use hash::HashType;
use hawser_cfg::diag::{Layout, Severity};
use hawser_cfg::keyword::Meta;
use hawser_cfg::model::Proxy;
use hawser_cfg::pos::Word;
use hawser_sample::{CompileCx, Ctx};
use std::fmt::Debug;
use std::sync::Arc;

mod first;
mod hash;
mod hashed;
mod key;
mod leastconn;
mod map;
mod random;
mod ring;
mod roundrobin;
mod static_rr;
mod sticky;

/// A server that takes part in load balancing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Member {
    /// Its index in the backend.
    pub(crate) index: u32,
    /// Its effective weight, above 0, in units of 1/[`crate::server::WEIGHT_SCALE`].
    pub(crate) weight: u32,
}

/// What an algorithm chooses for.
pub(crate) struct Pick<'a> {
    pub(crate) ctx: &'a Ctx<'a>,
    pub(crate) backend: &'a Backend,
    /// The server to avoid if there is another one.
    pub(crate) avoid: Option<u32>,
    pub(crate) now: Ms,
}

impl Pick<'_> {
    /// The server can take one more at once, and nobody waits for it.
    pub(crate) fn has_room(&self, server: u32) -> bool {
        self.server(server)
            .is_some_and(|s| self.backend.limit(s).is_none_or(|limit| s.queued() == 0 && s.served() < limit))
    }

    pub(crate) fn server(&self, server: u32) -> Option<&Arc<Server>> {
        self.backend.servers.get(server as usize)
    }

    /// The first member with room; the one to avoid only when nothing else has any.
    pub(crate) fn first_with_room(&self, mut order: impl Iterator<Item = u32>) -> Option<u32> {
        let mut last_resort = None;
        order
            .find(|i| {
                if self.avoid == Some(*i) {
                    last_resort = Some(*i);
                    return false;
                }
                self.has_room(*i)
            })
            .or_else(|| last_resort.filter(|i| self.has_room(*i)))
    }
}

/// A choice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Choice {
    pub(crate) server: u32,
    /// When it is full, wait for this very server.
    pub(crate) bound: bool,
}

impl Choice {
    pub(crate) fn free(server: u32) -> Self {
        Self { server, bound: false }
    }

    pub(crate) fn bound(server: u32) -> Self {
        Self { server, bound: true }
    }
}

/// A running algorithm. All methods are called from any thread.
pub(crate) trait Algo: Send + Sync + Debug {
    /// The set of servers or their weights changed; members are in the order of the configuration.
    fn rebuild(&self, members: &[Member], servers: &[Arc<Server>]);

    /// Chooses a server; `None` when all are full.
    fn pick(&self, p: &Pick<'_>) -> Option<Choice>;

    /// Chooses a server with room although the request belongs to another one, whose queue is full.
    fn pick_any(&self, p: &Pick<'_>) -> Option<Choice> {
        self.pick(p)
    }

    /// The number of requests on a server, or its queue, changed.
    fn load_changed(&self, _server: &Server) {}

    /// Choices do not depend on load: full servers are chosen too.
    fn bound(&self) -> bool {
        false
    }

    /// Weights may change while it runs; else a server keeps its weight or has none.
    fn is_dynamic(&self) -> bool {
        true
    }

    /// Looks into request bodies (`url_param NAME check_post`).
    fn wants_body(&self) -> bool {
        false
    }
}

/// A row of [`ALGOS`].
struct Row {
    /// First word of `balance`, without parentheses.
    meta: Meta,
    /// Needs HTTP messages: falls back to round robin elsewhere.
    http: bool,
    make: Make,
}

type Made = Result<Box<dyn Algo>, String>;
type Make = fn(&mut Words<'_, '_>) -> Made;

/// The words of a `balance` line after its first one, and the settings that go with them.
struct Words<'a, 'c> {
    /// What follows the name in the first word, from its opening parenthesis on; empty if nothing does.
    paren: &'a str,
    args: &'a [Word],
    hash: HashType,
    /// `hash-balance-factor`, percent; 0 for none.
    factor: u32,
    cx: &'a mut CompileCx<'c>,
}

impl Words<'_, '_> {
    /// The argument in parentheses, if there are any.
    fn argument(&self) -> Result<Option<&str>, ()> {
        match self.paren.strip_prefix('(') {
            None => Ok(None),
            Some(rest) => rest.split_once(')').map(|a| Some(a.0)).ok_or(()),
        }
    }

    fn arg(&self, i: usize) -> &str {
        self.args.get(i).map_or("", |w| w.as_str())
    }
}

const fn row(token: &'static str, make: Make, help: &'static str) -> Row {
    Row { meta: Meta::new(token, help), http: false, make }
}

const fn http(mut row: Row) -> Row {
    row.http = true;
    row
}

#[rustfmt::skip]
static ALGOS: &[Row] = &[
    //       token         make                help
    row(     "roundrobin", roundrobin::make,   "Servers in turn, by weight."),
    row(     "static-rr",  static_rr::make,    "Servers in turn, by their weights at start."),
    row(     "first",      first::make,        "The first server by id that has a free place."),
    row(     "leastconn",  leastconn::make,    "The server with the least requests for its weight."),
    row(     "source",     hashed::source,     "A hash of the source address."),
    http(row("uri",        hashed::uri,        "A hash of the request target.")),
    http(row("url_param",  hashed::url_param,  "A hash of a parameter of the query string.")),
    row(     "hash",       hashed::expression, "A hash of a sample expression."),
    row(     "random",     random::make,       "The least loaded of some servers drawn by lot."),
    http(row("hdr",        hashed::hdr,        "A hash of a request header.")),
    row(     "rdp-cookie", hashed::rdp_cookie, "A hash of an RDP cookie."),
    row(     "sticky",     sticky::make,       "One server until it goes down."),
];

/// HAProxy's list of what there is.
const KNOWN: &str = "balance only supports 'roundrobin', 'static-rr', 'leastconn', 'source', 'uri', \
                     'url_param', 'hash', 'hdr(name)', 'rdp-cookie(name)', 'log-hash' and 'sticky' options.";

/// The algorithms, for lists of keywords.
pub fn keywords() -> impl Iterator<Item = &'static Meta> {
    ALGOS.iter().map(|r| &r.meta)
}

/// Makes the algorithm of a backend, and its name.
///
/// # Errors
/// HAProxy's text for a wrong algorithm or argument, or a refusal of what is not built yet.
pub(crate) fn make(
    proxy: &Proxy,
    http: bool,
    cx: &mut CompileCx<'_>,
) -> Result<(Box<dyn Algo>, &'static str), String> {
    let words = proxy.balance.as_ref().map_or(&[][..], |b| &b.1);
    let Some((first, args)) = words.split_first() else { return default() };
    let (token, paren) = first.split_at(first.find('(').unwrap_or(first.len()));
    if token == "log-hash" {
        let text =
            "Unusable balance algorithm for backend '{}' (needs 'mode log'). Falling back to round robin.";
        warn(cx, &text.replace("{}", &proxy.name));
        return Ok(fallback());
    }
    let Some(row) = ALGOS.iter().find(|r| r.meta.name == token) else { return Err(KNOWN.into()) };
    let hash = HashType::of(proxy.hash_type.as_ref().map_or(&[], |h| &h.1));
    let factor = proxy.hash_balance_factor.unwrap_or(0);
    let algo = (row.make)(&mut Words { paren, args, hash, factor, cx })?;
    if row.http && !http {
        // The check of the configuration has warned.
        return Ok(fallback());
    }
    Ok((algo, row.meta.name))
}

fn warn(cx: &mut CompileCx<'_>, text: &str) {
    cx.diags.push(Severity::Warning, None, text).layout = Layout::Bare;
}

/// What a backend without any `balance` gets.
fn default() -> Result<(Box<dyn Algo>, &'static str), String> {
    Ok((Box::new(random::Random::new(random::DRAWS, 0)), "random"))
}

/// What replaces an algorithm that cannot work.
pub(crate) fn fallback() -> (Box<dyn Algo>, &'static str) {
    (Box::<roundrobin::RoundRobin>::default(), "roundrobin")
}

#[cfg(test)]
mod tests;
