//! From the configuration to a running backend.

use crate::algo;
use crate::backend::{Backend, Farm};
use crate::counters::Counters;
use crate::event::EventSink;
use crate::queue::Queue;
use crate::resolve::Resolver;
use crate::server::{Admin, Links, Server};
use crate::state_file::States;
use crate::time::Ms;
use hawser_cfg::diag::{Diags, Layout};
use hawser_cfg::model::{Config, Proxy, opt};
use hawser_proto::freq::FreqCtr;
use hawser_sample::CompileCx;
use hawser_sample::facts::ProxyFacts;
use parking_lot::Mutex;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

/// Above this many servers, counters are not kept per thread: memory counts more than contention that is
/// spread over so many servers.
const SHARDED_SERVERS: usize = 256;

/// What compiling needs besides the section.
pub struct CompileEnv<'a> {
    /// The whole configuration, for what expressions refer to.
    pub config: &'a Config,
    /// What rules and logs know of the proxy.
    pub facts: Arc<ProxyFacts>,
    /// Number of worker threads.
    pub threads: usize,
    /// `fullconn` when the section has none: a tenth of the `maxconn` of all frontends that lead here.
    pub default_fullconn: u32,
    /// Resolves server names.
    pub resolver: &'a Resolver<'a>,
    /// States of servers in the process before.
    pub states: Option<&'a States>,
    /// Gets the backend's events.
    pub events: Arc<dyn EventSink>,
    /// Now.
    pub now: Ms,
}

/// Compiles the backend side of a proxy. Errors are alerts in `diags`; a backend comes out anyhow, so that
/// other sections can be looked at too.
pub fn compile(proxy: &Proxy, env: &CompileEnv<'_>, diags: &mut Diags) -> Arc<Backend> {
    let pos = proxy.balance.as_ref().map_or(proxy.pos, |b| b.0);
    let mut cx = CompileCx::new(env.config, diags);
    (cx.pos, cx.proxy) = (pos, Some(env.facts.index));
    let (algo, algo_name) = algo::make(proxy, env.facts.http, &mut cx).unwrap_or_else(|text| {
        diags.alert(pos, text);
        algo::fallback()
    });
    let servers = servers(proxy, env, diags);
    let has = |bit| proxy.options.set & bit != 0;
    let backend = Arc::new(Backend {
        facts: env.facts.clone(),
        ramps: servers.iter().any(|s| s.minconn() != 0 && s.minconn() < s.maxconn()),
        servers,
        counters: Counters::new(env.threads),
        sess_rate: FreqCtr::default(),
        max_keep_alive_queue: proxy.max_keep_alive_queue.unwrap_or(-1),
        conns: AtomicU32::new(0),
        conns_max: AtomicU32::new(0),
        fullconn: proxy.fullconn.unwrap_or(env.default_fullconn).max(1).into(),
        algo,
        algo_name,
        queue: Queue::default(),
        farm: Farm::default(),
        allbackups: has(opt::ALLBACKUPS),
        requeues: proxy.redispatch != 0 && !has(opt::PERSIST),
        events: env.events.clone(),
        unpublished: AtomicBool::new(false),
        changing: Mutex::new(()),
    });
    backend.refresh(env.now);
    backend
}

fn servers(proxy: &Proxy, env: &CompileEnv<'_>, diags: &mut Diags) -> Vec<Arc<Server>> {
    let taken: HashSet<u32> = proxy.servers.iter().filter_map(|s| s.opts.id).collect();
    let mut last = 0;
    let backups_end = proxy.servers.iter().any(|s| s.opts.on_marked_up.is_some());
    // Administrators of a statistics page may end the sessions of any server.
    let kills = env.config.proxies.iter().any(|p| p.stats.as_ref().is_some_and(|s| !s.admin.is_empty()));
    let many = proxy.servers.len() > SHARDED_SERVERS;
    let counters = || if many { Counters::common() } else { Counters::new(env.threads) };
    let mut out = Vec::with_capacity(proxy.servers.len());
    for conf in &proxy.servers {
        let was_at = env.states.and_then(|s| s.last_address(&proxy.name, &conf.name));
        let resolved = env.resolver.address(&proxy.name, conf, was_at).unwrap_or_else(|text| {
            diags.alert(conf.pos, text).layout = Layout::Bare;
            crate::resolve::Resolved { addr: Default::default(), unresolved: true }
        });
        // A server whose id is written takes a number too, which nobody gets.
        last = match conf.opts.id {
            Some(_) => last + 1,
            None => (last + 1..).find(|id| !taken.contains(id)).unwrap_or_default(),
        };
        let id = conf.opts.id.unwrap_or(last);
        let index = u32::try_from(out.len()).unwrap_or(u32::MAX);
        let ends = kills || conf.opts.on_marked_down.is_some() || (conf.opts.backup && backups_end);
        let server = Server::new(conf, index, id, resolved.addr, ends, counters());
        if resolved.unresolved {
            server.admin.fetch_or(Admin::RMAINT.0, Relaxed);
        }
        out.push(Arc::new(server));
    }
    out
}

/// Ties servers that `track` another one to it, and puts those of servers in maintenance there too; to be called once,
/// with all backends of a configuration. Tracks that lead nowhere were refused with the configuration; here they are
/// left out.
pub fn link_tracking(backends: &[Arc<Backend>], now: Ms) {
    let by_name: HashMap<&str, &Arc<Backend>> = backends.iter().map(|b| (&*b.facts.name, b)).collect();
    let mut links: HashMap<u64, Links> = HashMap::new();
    for be in backends {
        for s in &be.servers {
            let Some((_, path)) = &s.opts.track else { continue };
            let (px, name) = path.rsplit_once('/').unwrap_or((&be.facts.name, path));
            let Some((target, idx)) = by_name.get(px).and_then(|t| Some((*t, t.find(name)?))) else {
                continue;
            };
            let Some(tracked) = target.servers.get(idx as usize) else { continue };
            links.entry(tracked.uid).or_default().trackers.push((Arc::downgrade(be), s.index));
            links.entry(s.uid).or_default().tracks = Some((Arc::downgrade(target), idx));
        }
    }
    for s in backends.iter().flat_map(|b| &b.servers) {
        if let Some(l) = links.remove(&s.uid) {
            // Linked once: a server of an older configuration keeps its links.
            drop(s.links.set(l));
        }
    }
    for s in backends.iter().flat_map(|b| &b.servers).filter(|s| s.state().admin.any(Admin::MAINT)) {
        for (be, tracker) in s.trackers() {
            be.start_in(tracker, Admin::IMAINT, now);
        }
    }
}
