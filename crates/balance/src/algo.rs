//! Load balancing algorithms (manual 4.2 `balance`).

use crate::backend::Backend;
use crate::server::Server;
use hawser_cfg::keyword::Meta;
use hawser_cfg::pos::Word;
use hawser_sample::Ctx;
use std::fmt::Debug;
use std::sync::Arc;

mod roundrobin;

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

/// A running algorithm. All methods are called from any thread.
pub(crate) trait Algo: Send + Sync + Debug {
    /// The set of servers or their weights changed; members are in the order of the configuration.
    fn rebuild(&self, members: &[Member], servers: &[Arc<Server>]);

    /// Chooses a server; `None` when all are full.
    fn pick(&self, p: &Pick<'_>) -> Option<Choice>;

    /// The number of requests on a server, or its queue, changed.
    fn load_changed(&self, _server: &Server) {}

    /// Choices do not depend on load: full servers are chosen too.
    fn bound(&self) -> bool {
        false
    }
}

/// A row of [`ALGOS`].
struct Row {
    /// First word of `balance`, without parentheses.
    meta: Meta,
    make: Make,
}

type Make = fn(&Words<'_>) -> Result<Box<dyn Algo>, String>;

/// The words of a `balance` line after its first one, and the argument of that in parentheses.
struct Words<'a> {
    paren: Option<&'a str>,
    args: &'a [Word],
}

const fn row(token: &'static str, make: Make, help: &'static str) -> Row {
    Row { meta: Meta::new(token, help), make }
}

#[rustfmt::skip]
static ALGOS: &[Row] = &[
    //  token         make              help
    row("roundrobin", roundrobin::make, "Servers in turn, by weight."),
];

/// The algorithms, for lists of keywords.
pub fn keywords() -> impl Iterator<Item = &'static Meta> {
    ALGOS.iter().map(|r| &r.meta)
}

/// Makes the algorithm of a `balance` line, and its name.
///
/// # Errors
/// HAProxy's text for a wrong algorithm or argument, or a refusal of what is not built yet.
pub(crate) fn make(words: &[Word]) -> Result<(Box<dyn Algo>, &'static str), String> {
    let Some((first, args)) = words.split_first() else { return Ok(fallback()) };
    let (token, paren) = match first.split_once('(') {
        Some((t, rest)) => (t, rest.strip_suffix(')')),
        None => (first.as_str(), None),
    };
    match ALGOS.iter().find(|r| r.meta.name == token) {
        Some(r) => Ok(((r.make)(&Words { paren, args })?, r.meta.name)),
        None => Err(format!("unknown balance algorithm '{token}'.")),
    }
}

/// What a backend without any `balance` gets.
pub(crate) fn fallback() -> (Box<dyn Algo>, &'static str) {
    (Box::<roundrobin::RoundRobin>::default(), "roundrobin")
}
