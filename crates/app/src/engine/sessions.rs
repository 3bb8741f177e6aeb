//! The engine: compiled configuration, one `session::Worker` per thread.

mod forward;
mod lent;
mod report;

use self::forward::{Forwarders, Forwards};
use super::{Engine, Serve, SharedEngine};
use crate::args::Args;
use crate::events::Events;
use crate::limits::Limits;
use hawser_balance::resolve::Resolver;
use hawser_balance::{Agent, Attached, EventSink, FdPressure, Stat};
use hawser_cfg::diag::Diags;
use hawser_cfg::model::Config;
use hawser_check::{CheckEnv, Checks};
use hawser_cli::info::Sheet;
use hawser_log::event::level;
use hawser_proto::mux::MuxRow;
use hawser_proto::rhttp::Dialer;
use hawser_proto::{AcceptSink, Address, FrontendInfo, Incoming, ListenerInfo, OPEN_SOCKETS};
use hawser_rules::Service;
use hawser_sample::vars::ProcVars;
use hawser_session::{CompileOpts, ReverseDialer, Shared, Snapshot, StatsEnv, Worker};
use hawser_stats::page::{Ask, Place, Section, Source};
use hawser_stats::{Row, Selection};
use hawser_stick::Table;
use parking_lot::Mutex;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

/// Muxes, the default one first.
const MUXES: &[&MuxRow] = &[&hawser_mux_h1::H1, &hawser_mux_h2::H2];
/// `tune.pool-low-fd-ratio` and `tune.pool-high-fd-ratio` by default (percent).
const FD_RATIOS: (u32, u32) = (20, 25);

/// What compiling takes.
pub(crate) struct Wanting<'a> {
    pub(crate) config: &'a Config,
    pub(crate) frontends: &'a [Option<Arc<FrontendInfo>>],
    /// In the order of the configuration.
    pub(crate) listeners: Vec<Arc<ListenerInfo>>,
    pub(crate) limits: &'a Limits,
    pub(crate) args: &'a Args,
    /// What `use-service` may name.
    pub(crate) services: Vec<Arc<dyn Service>>,
    /// What statistics pages show.
    pub(crate) statistics: Arc<dyn Source>,
}

/// Compiles a configuration. What is returned may serve only if `diags` has no alert.
pub(crate) fn compile(w: &Wanting<'_>, diags: &mut Diags) -> SharedEngine {
    let events = Arc::new(Events::new(w.config));
    let snapshot = hawser_session::compile(
        w.config,
        diags,
        &CompileOpts {
            threads: w.limits.threads as usize,
            muxes: MUXES,
            frontends: w.frontends,
            resolver: &Resolver::libc(w.args.ignore_resolution),
            events: Arc::clone(&events) as Arc<dyn EventSink>,
            maxconn: w.limits.maxconn,
            services: &w.services,
            statistics: Some(Arc::clone(&w.statistics)),
        },
    );
    let max_fds = u32::try_from(w.limits.maxsock).unwrap_or(u32::MAX);
    let (low, high) = w.config.global.pool_fd_ratios;
    let (low, high) = (low.unwrap_or(FD_RATIOS.0), high.unwrap_or(FD_RATIOS.1));
    let fds = Arc::new(FdPressure::new(&OPEN_SOCKETS, max_fds, low, high));
    let backend = |index| Some(Arc::clone(&snapshot.proxy(index)?.back.as_ref()?.backend));
    let node = w.config.global.node.clone().unwrap_or_else(crate::facts::host_name);
    let env = CheckEnv { node: node.into(), h1: hawser_mux_h1::H1.back, h2: hawser_mux_h2::H2.back };
    let checks = hawser_check::compile(w.config, backend, &env, diags);
    let forwarders = forward::compile(w.config, diags);
    let proc_vars = hawser_sample::globals::process_vars(w.config, diags);
    let shared = Shared::new(Arc::new(snapshot), proc_vars, w.limits.threads, fds);
    if w.args.old.is_some() {
        shared.takes_over();
    }
    Arc::new(Sessions {
        shared,
        events,
        forwarders,
        checks: Mutex::new(Some(checks)),
        maxsock: w.limits.maxsock,
        listeners: w.listeners.clone(),
        maxconn: w.limits.maxconn,
        stopped: AtomicBool::new(false),
    })
}

struct Sessions {
    shared: Arc<Shared>,
    events: Arc<Events>,
    /// `log-forward` sections.
    forwarders: Arc<Forwarders>,
    /// Run by the worker that starts first, whose thread keeps them.
    checks: Mutex<Option<Checks>>,
    /// Descriptors that the process may have.
    maxsock: u64,
    /// In the order of the configuration.
    listeners: Vec<Arc<ListenerInfo>>,
    /// `maxconn` of the process.
    maxconn: u32,
    /// The listeners are closed.
    stopped: AtomicBool,
}

impl Sessions {
    fn stats_env(&self) -> StatsEnv<'_> {
        StatsEnv {
            listeners: &self.listeners,
            maxconn: self.maxconn,
            stopped: self.stopped.load(Ordering::Relaxed),
            addresses: false,
            metrics: false,
        }
    }
}

impl Engine for Sessions {
    fn worker(&self, number: u32) -> Rc<dyn Serve> {
        let worker = Worker::new(number as usize, Arc::clone(&self.shared));
        tokio::task::spawn_local(worker.clone().purge_pool());
        if let Some(checks) = self.checks.lock().take() {
            tokio::task::spawn_local(checks.run(Rc::new(lent::Workers(worker.clone()))));
            tokio::task::spawn_local(worker.clone().forget_entries());
        }
        let forwards = Forwards::new(Arc::clone(&self.forwarders));
        Rc::new(OneThread { worker, forwards, events: Arc::clone(&self.events), maxsock: self.maxsock })
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        self.shared.snapshot.load_full()
    }

    fn proc_vars(&self) -> &ProcVars {
        &self.shared.proc_vars
    }

    fn stopping(&self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
    }

    fn stats(&self, selection: &Selection, addresses: bool) -> Option<Vec<Row>> {
        self.snapshot().stats(selection, &StatsEnv { addresses, ..self.stats_env() })
    }

    fn metrics(&self, from: usize, most: usize, selection: &Selection) -> Option<(usize, Vec<Row>)> {
        self.snapshot().stats_from(from, most, selection, &StatsEnv { metrics: true, ..self.stats_env() })
    }

    fn tables(&self) -> Vec<Arc<Table>> {
        self.snapshot().tables.clone()
    }

    fn sections(&self, from: Place, most: usize, ask: &Ask<'_>) -> Option<(Place, Vec<Section>)> {
        self.snapshot().sections(from, most, ask, &self.stats_env())
    }

    fn clear(&self, all: bool) {
        self.snapshot().clear(all);
        for l in &self.listeners {
            l.conns.clear_peak();
            if all {
                l.conns.clear_total();
                l.counts.clear();
                l.bytes_in.store(0, Ordering::Relaxed);
                l.bytes_out.store(0, Ordering::Relaxed);
            }
        }
    }

    fn info(&self, sheet: &mut Sheet) {
        sheet.set("CumReq", self.shared.requests());
        sheet.set("CumRecvLogs", hawser_log::received_logs());
        sheet.set("DroppedLogs", hawser_log::dropped_logs());
        sheet.set("Stopping", u32::from(self.shared.stopping.load(Ordering::Relaxed)));
        for front in self.snapshot().proxies.iter().filter_map(|p| p.front.as_ref()) {
            sheet.add("TotalBytesOut", front.counters.get(Stat::BytesOut));
        }
    }

    fn dialer(&self, frontend: usize, backend: &str, server: &str) -> Box<dyn Dialer> {
        Box::new(ReverseDialer::new(self.snapshot(), frontend, backend, server))
    }

    fn attached(&self) -> Vec<(Arc<str>, Arc<str>, Arc<Agent>)> {
        let mut out = Vec::new();
        for back in self.snapshot().proxies.iter().filter_map(|p| p.back.as_ref()) {
            for server in &back.backend.servers {
                let agents = server.attached.iter().flat_map(Attached::list);
                out.extend(agents.map(|a| (back.backend.facts.name.clone(), server.name.clone(), a)));
            }
        }
        out
    }

    fn dump_states(&self) {
        report::dump(&self.snapshot(), &self.events.loggers);
    }

    fn tell_stopped(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        report::stopped(&self.snapshot(), &self.events.loggers);
        self.forwarders.tell_stopped(&self.listeners);
    }
}

/// One thread's worker, and where its listeners' trouble is told.
struct OneThread {
    worker: Worker,
    forwards: Forwards,
    events: Arc<Events>,
    maxsock: u64,
}

impl Serve for OneThread {
    fn sink(self: Rc<Self>) -> Rc<dyn AcceptSink> {
        self
    }

    fn stop(&self) {
        self.worker.stop();
    }

    fn poll_ended(&self, cx: &mut Context<'_>) -> Poll<()> {
        match self.forwards.poll_ended(cx) {
            Poll::Ready(()) => self.worker.poll_ended(cx),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AcceptSink for OneThread {
    fn accept(&self, conn: Incoming) {
        if let Some(conn) = self.forwards.accept(conn) {
            self.worker.accept(conn);
        }
    }

    fn datagram(&self, listener: &ListenerInfo, from: &Address, bytes: &[u8]) {
        self.forwards.datagram(listener, from, bytes);
    }

    fn datagram_max(&self) -> usize {
        self.forwards.datagram_max()
    }

    fn trouble(&self, listener: &ListenerInfo, error: &std::io::Error) {
        if let Some(logger) = self.events.loggers.get(listener.frontend.index) {
            let text = shortage(&listener.frontend.name, self.maxsock, error);
            logger.send(level::EMERG, text.as_bytes());
        }
    }
}

/// What the logs say when a listener cannot accept, in HAProxy's words.
fn shortage(frontend: &str, maxsock: u64, error: &std::io::Error) -> String {
    let what = match error.raw_os_error() {
        Some(libc::EMFILE) => format!("process FD limit (maxsock={maxsock})"),
        Some(libc::ENFILE) => format!("system FD limit (maxsock={maxsock})"),
        Some(libc::ENOMEM | libc::ENOBUFS) => format!("system memory limit (maxsock={maxsock})"),
        _ => return format!("Proxy {frontend} cannot accept connections ({error})."),
    };
    format!("Proxy {frontend} reached {what}. Please check system tunables.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Error;

    #[test]
    fn shortages_are_named() {
        let text = |n| shortage("fe", 100, &Error::from_raw_os_error(n));
        assert!(text(libc::EMFILE).starts_with("Proxy fe reached process FD limit (maxsock=100)."));
        assert!(text(libc::ENFILE).contains("system FD limit"));
        assert!(text(libc::ENOMEM).contains("system memory limit"));
        assert!(text(libc::EINVAL).contains("cannot accept"));
    }
}
