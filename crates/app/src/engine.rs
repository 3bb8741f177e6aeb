//! The seam between the process and what serves connections.

pub(crate) mod sessions;

use hawser_balance::Agent;
use hawser_cli::info::Sheet;
use hawser_proto::AcceptSink;
use hawser_proto::rhttp::Dialer;
use hawser_sample::vars::ProcVars;
use hawser_session::Snapshot;
use hawser_stats::page::{Ask, Place, Section};
use hawser_stats::{Row, Selection};
use hawser_stick::Table;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

/// What serves connections, shared by all threads.
pub(crate) trait Engine: Send + Sync {
    /// Called once on each worker thread, inside its runtime.
    fn worker(&self, number: u32) -> Rc<dyn Serve>;

    /// The configuration in force.
    fn snapshot(&self) -> Arc<Snapshot>;

    /// Variables of the process.
    fn proc_vars(&self) -> &ProcVars;

    /// A soft stop begins.
    fn stopping(&self);

    /// The rows of the statistics that are asked for; `None` when there is no such proxy.
    fn stats(&self, selection: &Selection, addresses: bool) -> Option<Vec<Row>>;

    /// The rows of up to `most` proxies from the one at an index, for metrics, and the index that goes on; `None`
    /// beyond the last one.
    fn metrics(&self, from: usize, most: usize, selection: &Selection) -> Option<(usize, Vec<Row>)>;

    /// The stick tables, in the order of the configuration.
    fn tables(&self) -> Vec<Arc<Table>>;

    /// The sections of a statistics page likewise.
    fn sections(&self, from: Place, most: usize, ask: &Ask<'_>) -> Option<(Place, Vec<Section>)>;

    /// Forgets the maxima of the counters, or all of them (`clear counters`, `clear counters all`).
    fn clear(&self, all: bool);

    /// Adds what it counts to `show info`.
    fn info(&self, sheet: &mut Sheet);

    /// Opens connections through a server for a frontend to serve (`bind rhttp@`).
    fn dialer(&self, frontend: usize, backend: &str, server: &str) -> Box<dyn Dialer>;

    /// The connections that peers have attached (`rhttp@` servers): backend, server, connection.
    fn attached(&self) -> Vec<(Arc<str>, Arc<str>, Arc<Agent>)>;

    /// `SIGHUP`: tells the states of proxies and servers, on the terminal and in the logs.
    fn dump_states(&self);

    /// Tells that all proxies have stopped, on the terminal and in the logs.
    fn tell_stopped(&self);
}

/// The part of one worker thread.
pub(crate) trait Serve {
    /// Where its listeners hand connections.
    fn sink(self: Rc<Self>) -> Rc<dyn AcceptSink>;

    /// Soft stop: idle connections close now, others after what is under way.
    fn stop(&self);

    /// Ready when no connection is left; one task waits.
    fn poll_ended(&self, cx: &mut Context<'_>) -> Poll<()>;
}

/// Shared handle.
pub(crate) type SharedEngine = Arc<dyn Engine>;
