//! Statistics as metrics: the text format of Prometheus, with the names and labels of HAProxy's exporter.
//!
//! All samples of a metric stand together, so that proxies and servers are gone through once for each of their metrics.
//! [`Dump`] reads every row once, keeps its numbers, and writes them in pieces of bounded size.

mod dump;
mod object;
mod process;
mod query;
mod text;

pub use dump::{Dump, Source};
pub use query::{BadQuery, Query, Scope};
pub use text::{Family, Labels};

/// States of servers, in the order of their series.
pub const SERVER_STATES: [&str; 5] = ["DOWN", "UP", "MAINT", "DRAIN", "NOLB"];

/// States of frontends and backends.
pub(crate) const PROXY_STATES: [&str; 2] = ["DOWN", "UP"];

/// States of listeners.
pub(crate) const LISTENER_STATES: [&str; 3] = ["WAITING", "OPEN", "FULL"];

/// Results that a check can have once it is over (`check_status`).
pub const CHECK_RESULTS: [&str; 16] = [
    "HANA", "SOCKERR", "L4OK", "L4TOUT", "L4CON", "L6OK", "L6TOUT", "L6RSP", "L7TOUT", "L7RSP", "L7OK",
    "L7OKC", "L7STS", "PROCERR", "PROCTOUT", "PROCOK",
];

#[cfg(test)]
mod tests;
