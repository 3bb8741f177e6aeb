//! The seam between the process and what serves connections.

use crate::args::Args;
use crate::events::Events;
use hawser_balance::resolve::Resolver;
use hawser_balance::{EventSink, FdPressure};
use hawser_cfg::diag::Diags;
use hawser_cfg::model::Config;
use hawser_cli::info::Sheet;
use hawser_proto::mux::MuxRow;
use hawser_proto::{AcceptSink, FrontendInfo};
use hawser_session::{Shared, Worker};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
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
    let resolver = Resolver::libc(args.ignore_resolution);
    let events = Arc::new(Events::new(config));
    let opts = hawser_session::CompileOpts {
        threads: threads as usize,
        muxes: MUXES,
        frontends,
        resolver: &resolver,
        events: Arc::clone(&events) as Arc<dyn EventSink>,
    };
    let snapshot = Arc::new(hawser_session::compile(config, diags, &opts));
    if diags.has_alert() {
        return None;
    }
    Some(Arc::new(Sessions { shared: Shared::new(snapshot, threads, Arc::new(FdPressure::none())) }))
}

/// All muxes, the default one first.
const MUXES: &[&MuxRow] = &[&hawser_mux_h1::H1];

/// Serves connections as the configuration says.
struct Sessions {
    shared: Arc<Shared>,
}

impl Engine for Sessions {
    fn worker(&self, number: u32) -> Rc<dyn Serve> {
        let worker = Worker::new(number as usize, Arc::clone(&self.shared));
        tokio::task::spawn_local(worker.clone().purge_pool());
        Rc::new(SessionWorker(worker))
    }

    fn stopping(&self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
    }

    fn info(&self, sheet: &mut Sheet) {
        let _ = sheet;
    }

    fn states(&self) -> Vec<String> {
        Vec::new()
    }

    fn stopped(&self) -> Vec<String> {
        Vec::new()
    }
}

struct SessionWorker(Worker);

impl Serve for SessionWorker {
    fn sink(self: Rc<Self>) -> Rc<dyn AcceptSink> {
        Rc::new(self.0.clone())
    }

    fn stop(&self) {
        self.0.stop();
    }

    fn poll_ended(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll_ended(cx)
    }
}
