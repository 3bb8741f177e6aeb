//! The configuration as connections use it: compiled, immutable, shared by all threads. Indexes, not names.

mod compile;
mod dial;
mod forwarded;
mod h2;
mod headers;
mod muxes;
mod names;
mod states;
mod stats;
mod stats_page;
mod stick;
mod times;

pub use compile::{CompileOpts, compile};
pub use dial::{Announce, Dial, FromClient};
pub use forwarded::Forwarded;
pub use headers::AddrHeader;
pub use muxes::{FrontMuxes, Lane, ServerMux};
pub use stats::StatsEnv;
pub use stats_page::StatsPage;
pub use stick::{StickRule, StickRules};
pub use times::Times;
pub(crate) use times::time;

use crate::http::cookie::Policy;
use hawser_balance::Backend;
use hawser_balance::RetryPolicy;
use hawser_cfg::model::{ConnMode, HttpCodes, Mode, Options, ProxyKind, Reuse};
use hawser_cfg::pos::Pos;
use hawser_log::StreamLogger;
use hawser_proto::FrontendInfo;
use hawser_proto::netns::Namespaces;
use hawser_rules::{ErrorReplies, ProxyRules, Switching};
use hawser_sample::facts::ProxyFacts;
use hawser_sample::{Cond, LogFormat};
use hawser_stick::Table;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// A compiled configuration.
#[derive(Debug)]
pub struct Snapshot {
    /// All proxies, in the order of the configuration.
    pub proxies: Vec<Arc<Proxy>>,
    /// Backends by name, for `use_backend` with a computed name.
    backends: HashMap<Arc<str>, usize>,
    /// Names of the configuration files, for positions.
    pub files: Vec<Arc<str>>,
    /// `close-spread-time`.
    pub close_spread: Spread,
    /// `tune.bufsize` (bytes).
    pub bufsize: usize,
    /// `tune.maxrewrite` (bytes): what a head with its body must leave free of that.
    pub maxrewrite: usize,
    /// `tune.http.logurilen` (bytes): the length from which request lines are cut in logs.
    pub logurilen: usize,
    /// Stick tables, by index in the configuration.
    pub tables: Vec<Arc<Table>>,
    /// `http-err-codes` and `http-fail-codes`.
    pub http_codes: HttpCodes,
    /// Network namespaces that the configuration names.
    pub namespaces: Namespaces,
    /// `tune.idle-pool.shared`: threads take idle server connections over from each other.
    pub idle_pool_shared: bool,
}

/// When connections are closed in a soft stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Spread {
    /// At the first opportunity.
    #[default]
    AtOnce,
    /// Some time within a window.
    Over(Duration),
    /// Never for that reason.
    Never,
}

impl Spread {
    /// Of `close-spread-time` (ms), which is the largest number for `infinite`.
    fn new(ms: Option<u32>) -> Self {
        match ms {
            None | Some(0) => Self::AtOnce,
            Some(u32::MAX) => Self::Never,
            Some(ms) => Self::Over(Duration::from_millis(ms.into())),
        }
    }

    /// Whether a connection is to be closed so long after the stop began, where `luck` is any number.
    pub(crate) fn closes(self, elapsed: Duration, luck: u64) -> bool {
        match self {
            Self::AtOnce => true,
            Self::Never => false,
            // Each connection has its moment.
            Self::Over(window) => {
                elapsed >= window || u128::from(luck) % window.as_millis().max(1) < elapsed.as_millis()
            }
        }
    }
}

impl Snapshot {
    /// Index of a backend.
    pub fn find_backend(&self, name: &[u8]) -> Option<usize> {
        self.backends.get(std::str::from_utf8(name).ok()?).copied()
    }

    /// The backend that an order names: by its name, or by `#` and its id.
    pub fn backend(&self, word: &str) -> Option<&Arc<Proxy>> {
        let mut backends = self.proxies.iter().filter(|p| p.back.is_some());
        match word.strip_prefix('#') {
            Some(id) => {
                let id = id.parse().ok()?;
                backends.find(|p| p.facts.id == id)
            }
            None => backends.find(|p| *p.facts.name == *word),
        }
    }

    /// A proxy.
    pub fn proxy(&self, index: usize) -> Option<&Arc<Proxy>> {
        self.proxies.get(index)
    }
}

/// A compiled proxy section.
pub struct Proxy {
    /// What rules and logs know of it.
    pub facts: Arc<ProxyFacts>,
    /// Where it was configured.
    pub pos: Pos,
    /// Frontend, backend or both.
    pub kind: ProxyKind,
    /// `mode`.
    pub mode: Mode,
    /// `disabled`.
    pub disabled: bool,
    /// `description`.
    pub description: Option<Arc<str>>,
    /// `option …`.
    pub options: Options,
    /// `option abortonclose`, which is the default in HTTP mode.
    pub abort_on_close: bool,
    /// `option httpclose` and relatives.
    pub conn_mode: ConnMode,
    /// `timeout …`.
    pub times: Times,
    /// `tcp-request inspect-delay`.
    pub req_inspect_delay: Option<Duration>,
    /// `tcp-response inspect-delay`.
    pub res_inspect_delay: Option<Duration>,
    /// Rule sets.
    pub rules: ProxyRules,
    /// `stats …`.
    pub stats: Option<Box<StatsPage>>,
    /// Error replies.
    pub errors: ErrorReplies,
    /// The frontend side.
    pub front: Option<Front>,
    /// The backend side.
    pub back: Option<Back>,
    /// `option forwardfor` and `option originalto`.
    pub addr_headers: Vec<AddrHeader>,
    /// `capture request header` names with their slots' lengths.
    pub req_captures: Vec<(Box<[u8]>, usize)>,
    /// `capture response header` names with their slots' lengths.
    pub res_captures: Vec<(Box<[u8]>, usize)>,
    /// `capture cookie`: name prefix and length.
    pub capture_cookie: Option<(Box<[u8]>, usize)>,
    /// `unique-id-header`.
    pub unique_id_header: Option<Box<[u8]>>,
    /// `option http-restrict-req-hdr-names`.
    pub unusual_names: UnusualNames,
}

/// What becomes of a request whose field names have other characters than letters, digits and hyphens.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum UnusualNames {
    /// Nothing.
    #[default]
    Preserve,
    /// It loses those fields.
    Delete,
    /// It is refused.
    Reject,
}

/// The frontend side of a proxy.
pub struct Front {
    /// Limits and counters that it shares with its listeners.
    pub info: Option<Arc<FrontendInfo>>,
    /// The log line of its streams.
    pub logger: StreamLogger,
    /// Make HTTP streams of connections.
    pub muxes: FrontMuxes,
    /// Streams that a client may have open on one connection (`tune.h2.fe.max-concurrent-streams`).
    pub max_streams: u32,
    /// `max-session-srv-conns`: idle connections to servers that a client keeps for itself.
    pub max_session_srv_conns: usize,
    /// `use_backend` lines.
    pub switching: Switching,
    /// Backends of the lines with a fixed name.
    pub targets: Vec<Option<usize>>,
    /// `default_backend`, or itself for a `listen` section.
    pub default_backend: Option<usize>,
    /// `monitor-uri`.
    pub monitor_uri: Option<Box<[u8]>>,
    /// `monitor fail if` conditions.
    pub monitor_fail: Vec<Cond>,
    /// `unique-id-format`.
    pub unique_id: Option<LogFormat>,
    /// Counters of the statistics.
    pub counters: hawser_balance::Counters,
    /// The same by protocol.
    pub traffic: hawser_balance::Traffic,
    /// What HTTP/2 connections of its clients count.
    pub h2_stats: Arc<hawser_proto::mux::H2Stats>,
    /// Requests per second (`fe_req_rate`).
    pub req_rate: hawser_proto::freq::FreqCtr,
}

/// The backend side of a proxy.
pub struct Back {
    /// Servers and balancing.
    pub backend: Arc<Backend>,
    /// Counters by protocol.
    pub traffic: hawser_balance::Traffic,
    /// What HTTP/2 connections to its servers count.
    pub h2_stats: Arc<hawser_proto::mux::H2Stats>,
    /// Most streams of one connection to a server (`tune.h2.be.max-concurrent-streams`).
    pub max_streams: u32,
    /// `option forwarded`.
    pub forwarded: Option<Forwarded>,
    /// `http-send-name-header`.
    pub name_header: Option<Box<[u8]>>,
    /// `http-reuse`.
    pub reuse: Reuse,
    /// `timeout queue` is set: requests wait for peers that are to attach.
    pub holds: bool,
    /// `retries`, `retry-on`, `option redispatch`.
    pub retry: RetryPolicy,
    /// `force-persist` (true) and `ignore-persist` lines, in order.
    pub persist: Vec<(bool, Cond)>,
    /// `stick` rules.
    pub stick: StickRules,
    /// `cookie`.
    pub(crate) cookie: Option<Policy>,
    /// `use-server` lines.
    pub use_server: Switching,
    /// Servers of the lines with a fixed name.
    pub use_targets: Vec<Option<u32>>,
    /// How to reach each server.
    pub dial: Vec<Dial>,
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proxy")
            .field("name", &self.facts.name)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}

impl Proxy {
    /// Some header, cookie or rule captures.
    pub(crate) fn has_captures(&self) -> bool {
        let [req, res] = &self.rules.captures;
        !(req.is_empty() && res.is_empty()) || self.capture_cookie.is_some()
    }

    /// `mode http`.
    pub fn is_http(&self) -> bool {
        self.mode == Mode::Http
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_is_spread_over_its_time() {
        let closed = |spread: Spread, ms| {
            let elapsed = Duration::from_millis(ms);
            (0..1000).filter(|luck| spread.closes(elapsed, *luck)).count()
        };
        assert_eq!((closed(Spread::new(None), 0), closed(Spread::new(Some(u32::MAX)), 1 << 40)), (1000, 0));
        let second = Spread::new(Some(1000));
        let counts = [closed(second, 0), closed(second, 250), closed(second, 999), closed(second, 1000)];
        assert_eq!(counts, [0, 250, 999, 1000]);
    }
}
