//! A backend while it runs.

use crate::algo::{Algo, Choice, Pick};
use crate::counters::{Counters, raise};
use crate::event::EventSink;
use crate::queue::Queue;
use crate::server::Server;
use crate::time::Ms;
use hawser_proto::freq::FreqCtr;
use hawser_sample::facts::ProxyFacts;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};

/// A backend: its servers, its algorithm, its queues.
pub struct Backend {
    /// What rules and logs know of it.
    pub facts: Arc<ProxyFacts>,
    /// Servers, in the order of the configuration.
    pub servers: Vec<Arc<Server>>,
    /// Counters.
    pub counters: Counters,
    /// Sessions per second (`rate`, `rate_max`).
    pub sess_rate: FreqCtr,
    /// `max-keep-alive-queue`, -1 for no limit.
    pub max_keep_alive_queue: i32,
    pub(crate) conns: AtomicU32,
    pub(crate) conns_max: AtomicU32,
    pub(crate) fullconn: AtomicU32,
    pub(crate) algo: Box<dyn Algo>,
    pub(crate) algo_name: &'static str,
    pub(crate) queue: Queue,
    pub(crate) farm: Farm,
    /// Some server has `minconn`: limits follow the load.
    pub(crate) ramps: bool,
    /// `option allbackups`.
    pub(crate) allbackups: bool,
    /// Waiters of a server that goes down may go elsewhere (`option redispatch` without `option persist`).
    pub(crate) requeues: bool,
    pub(crate) events: Arc<dyn EventSink>,
    /// `unpublish backend`: no rule leads here.
    pub(crate) unpublished: AtomicBool,
    /// Serialises changes of state.
    pub(crate) changing: Mutex<()>,
}

/// Who can take load now.
#[derive(Debug, Default)]
pub(crate) struct Farm {
    /// Servers that the algorithm may choose.
    pub(crate) members: AtomicU32,
    /// Active servers that take load (`act`).
    pub(crate) active: AtomicU32,
    /// Backup servers that take load (`bck`).
    pub(crate) backup: AtomicU32,
    /// Sum of the weights of the members, unscaled (`weight`).
    pub(crate) weight: AtomicU32,
    pub(crate) last_change: AtomicU64,
    pub(crate) downtime: AtomicU64,
    pub(crate) downs: AtomicU32,
}

impl Backend {
    /// Counts a stream that was sent to this backend; the guard counts it out.
    pub fn begin(self: &Arc<Self>, thread: usize, now: Ms) -> BackendGuard {
        let n = self.conns.fetch_add(1, Relaxed) + 1;
        raise(&self.conns_max, n);
        self.counters.session(thread, now);
        self.sess_rate.add(now, 1);
        BackendGuard(self.clone())
    }

    /// Servers that load balancing may choose (`nbsrv`): active ones, or the backups in use.
    pub fn usable_servers(&self) -> u32 {
        self.farm.members.load(Relaxed)
    }

    /// Index of a server.
    pub fn find(&self, name: &str) -> Option<u32> {
        self.servers.iter().find(|s| *s.name == *name).map(|s| s.index)
    }

    /// Name of the algorithm, as `show stat` prints it.
    pub fn algorithm(&self) -> &'static str {
        self.algo_name
    }

    /// Requests in progress, queued ones included (`scur`, `be_conn`).
    pub fn conns(&self) -> u32 {
        self.conns.load(Relaxed)
    }

    /// Most requests ever in progress (`smax`).
    pub fn conns_max(&self) -> u32 {
        self.conns_max.load(Relaxed)
    }

    /// Requests that wait for any server (`qcur`).
    pub fn queued(&self) -> u32 {
        self.queue.any.load(Relaxed)
    }

    /// Most requests that ever waited for any server (`qmax`).
    pub fn queued_max(&self) -> u32 {
        self.queue.any_max()
    }

    /// Requests that wait in all queues (fetch `queue`).
    pub fn queued_total(&self) -> u32 {
        self.queue.waiting.load(Relaxed)
    }

    /// `fullconn` in force.
    pub fn fullconn(&self) -> u32 {
        self.fullconn.load(Relaxed)
    }

    /// Forgets the maxima of the backend and its servers, or all counters (`clear counters`, `clear counters all`).
    pub fn clear(&self, all: bool) {
        self.counters.clear(all);
        self.sess_rate.clear_max();
        self.conns_max.store(self.conns(), Relaxed);
        self.queue.clear_max();
        if all {
            self.farm.downs.store(0, Relaxed);
        }
        self.servers.iter().for_each(|s| s.clear(all));
    }

    /// Rules lead here: `unpublish backend` was not asked for.
    pub fn is_published(&self) -> bool {
        !self.unpublished.load(Relaxed)
    }

    /// Lets rules lead here, or not (`publish backend`, `unpublish backend`).
    pub fn publish(&self, yes: bool) {
        self.unpublished.store(!yes, Relaxed);
    }

    /// Weights of servers may change at run time.
    pub fn is_dynamic(&self) -> bool {
        self.algo.is_dynamic()
    }

    /// The present limit of a server, `None` for no limit.
    pub fn limit(&self, s: &Server) -> Option<u32> {
        if self.ramps { s.limit(self.conns(), self.fullconn()) } else { s.limit(u32::MAX, 0) }
    }

    /// The algorithm looks into request bodies: up to a buffer of it should be there before
    /// [`Backend::assign`] is called for a `POST` (`url_param … check_post`).
    pub fn wants_body(&self) -> bool {
        self.algo.wants_body()
    }

    pub(crate) fn choose(&self, p: &Pick<'_>) -> Option<Choice> {
        self.algo.pick(p)
    }

    pub(crate) fn load_changed(&self, s: &Server) {
        self.algo.load_changed(s);
    }
}

impl std::fmt::Debug for Backend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Backend")
            .field("name", &self.facts.name)
            .field("algo", &self.algo)
            .finish_non_exhaustive()
    }
}

/// Counts a stream as one of the backend's until it is dropped.
#[derive(Debug)]
#[must_use = "dropping the guard ends the count"]
pub struct BackendGuard(Arc<Backend>);

impl BackendGuard {
    /// The backend.
    pub fn backend(&self) -> &Arc<Backend> {
        &self.0
    }
}

impl Drop for BackendGuard {
    fn drop(&mut self) {
        self.0.conns.fetch_sub(1, Relaxed);
    }
}
