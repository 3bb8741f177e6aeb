//! The seam between the process and what serves connections.

use crate::args::Args;
use hawser_cfg::diag::Diags;
use hawser_cfg::model::Config;
use hawser_cli::info::Sheet;
use hawser_proto::{AcceptSink, FrontendInfo};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

/// What serves connections, shared by all threads.
pub(crate) trait Engine: Send + Sync {
    /// Called once on each worker thread, inside its `LocalSet`.
    fn worker(&self, number: u32) -> Rc<dyn Serve>;

    /// A soft stop begins.
    fn stopping(&self);

    /// Adds what it counts to `show info`.
    fn info(&self, sheet: &mut Sheet);

    /// One line per proxy and server for `SIGHUP`.
    fn states(&self) -> Vec<String>;

    /// Lines about the proxies that a soft stop ends.
    fn stopped(&self) -> Vec<String>;
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

/// Compiles a configuration; `None` when it cannot be served, which `diags` then tells.
pub(crate) fn compile(
    config: &Config,
    frontends: &[Option<Arc<FrontendInfo>>],
    threads: u32,
    args: &Args,
    diags: &mut Diags,
) -> Option<SharedEngine> {
    let _ = (config, frontends, threads, args, diags);
    Some(Arc::new(Unserved))
}

/// Closes every connection: for as long as nothing serves them.
struct Unserved;

impl Engine for Unserved {
    fn worker(&self, _number: u32) -> Rc<dyn Serve> {
        Rc::new(Closer)
    }

    fn stopping(&self) {}

    fn info(&self, _sheet: &mut Sheet) {}

    fn states(&self) -> Vec<String> {
        Vec::new()
    }

    fn stopped(&self) -> Vec<String> {
        Vec::new()
    }
}

struct Closer;

impl AcceptSink for Closer {
    fn accept(&self, _conn: hawser_proto::Incoming) {}
}

impl Serve for Closer {
    fn sink(self: Rc<Self>) -> Rc<dyn AcceptSink> {
        self
    }

    fn stop(&self) {}

    fn poll_ended(&self, _cx: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}
