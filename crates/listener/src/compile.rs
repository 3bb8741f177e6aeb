//! From the configuration to what has to be bound.

use crate::threads::{ThreadSet, Wrong};
use hawser_cfg::diag::{Diags, Layout};
use hawser_cfg::model::{Addr, AddrKind, Bind, Config, Global, KeepAlive, Proxy, opt};
use hawser_cfg::pos::Pos;
use hawser_proto::freq::FreqCtr;
use hawser_proto::gate::Gate;
use hawser_proto::netns::Netns;
use hawser_proto::pp::Expect;
use hawser_proto::{
    Address, FrontendInfo, ListenerCounts, ListenerInfo, ListenerState, ProcessInfo, RxConfig, protocol_for,
};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64};
use std::time::Duration;

/// `listen` backlog of a frontend without any limit.
const DEFAULT_BACKLOG: u32 = 1024;

/// What the command line says about listeners.
#[derive(Clone, Copy, Debug)]
pub struct CompileOptions {
    /// `-N`: connections of a frontend whose `maxconn` is not set; 0 for the process's.
    pub default_maxconn: u32,
    /// Cleared by `-dR` and `noreuseport`.
    pub reuseport: bool,
    /// Worker threads, 0 where their number is not known.
    pub threads: u32,
}

impl Default for CompileOptions {
    fn default() -> Self {
        Self { default_maxconn: 0, reuseport: true, threads: 0 }
    }
}

/// One socket to bind: one address, one port.
#[derive(Clone, Debug)]
pub struct BindSpec {
    /// How.
    pub cfg: RxConfig,
    /// For whom.
    pub info: Arc<ListenerInfo>,
    /// The `bind` line.
    pub pos: Pos,
    /// Threads that accept.
    pub threads: ThreadSet,
    /// Sockets for all threads together (`shards`); as many as threads where it is not set.
    pub shards: Option<u32>,
}

/// The listening side of a configuration.
#[derive(Debug, Default)]
pub struct Compiled {
    /// One entry per proxy of the configuration; `None` for pure backends.
    pub frontends: Vec<Option<Arc<FrontendInfo>>>,
    /// Sockets to bind, in the order of the configuration.
    pub binds: Vec<BindSpec>,
}

/// Expands every `bind` line of every enabled frontend, and of `log-forward` sections: their indexes follow those of
/// the proxies.
pub fn compile(
    cfg: &Config,
    process: &Arc<ProcessInfo>,
    options: CompileOptions,
    diags: &mut Diags,
) -> Compiled {
    let mut out = Compiled::default();
    for (index, proxy) in cfg.proxies.iter().enumerate() {
        if !proxy.kind.is_fe() {
            out.frontends.push(None);
            continue;
        }
        let frontend = Arc::new(frontend(proxy, index, process, options));
        if !proxy.disabled {
            let expansion =
                Expansion { files: &cfg.files, global: &cfg.global, proxy: Some(proxy), process, options };
            let mut ids = Ids::of(proxy);
            for bind in &proxy.binds {
                expansion.bind_line(bind, &frontend, &mut ids, &mut out.binds, diags);
            }
        }
        out.frontends.push(Some(frontend));
    }
    for (n, section) in cfg.log_forwards.iter().enumerate() {
        let proxy = &section.proxy;
        let frontend = Arc::new(frontend(proxy, cfg.proxies.len() + n, process, options));
        let expansion =
            Expansion { files: &cfg.files, global: &cfg.global, proxy: Some(proxy), process, options };
        let mut ids = Ids::of(proxy);
        for bind in proxy.binds.iter().chain(&section.dgram_binds) {
            expansion.bind_line(bind, &frontend, &mut ids, &mut out.binds, diags);
        }
    }
    out
}

/// How many sockets a configuration binds, before threads multiply them.
pub fn count(cfg: &Config) -> u32 {
    let enabled = cfg.proxies.iter().filter(|p| p.kind.is_fe() && !p.disabled);
    let services = enabled.flat_map(|p| &p.binds);
    let forwards = cfg.log_forwards.iter().flat_map(|f| f.proxy.binds.iter().chain(&f.dgram_binds));
    let api = cfg.global.stats_sockets.iter().map(|s| &s.bind);
    let sockets: usize =
        services.chain(forwards).chain(api).flat_map(|b| &b.addrs).map(|a| ports(a).len()).sum();
    u32::try_from(sockets).unwrap_or(u32::MAX)
}

/// Expands the `stats socket` lines for the frontend of the runtime API. The numbers in the result index
/// `cfg.global.stats_sockets`.
pub fn compile_cli(
    cfg: &Config,
    frontend: &Arc<FrontendInfo>,
    process: &Arc<ProcessInfo>,
    diags: &mut Diags,
) -> Vec<(usize, BindSpec)> {
    let options = CompileOptions::default();
    let expansion = Expansion { files: &cfg.files, global: &cfg.global, proxy: None, process, options };
    let mut ids = Ids::default();
    let mut out = Vec::new();
    for (n, socket) in cfg.global.stats_sockets.iter().enumerate() {
        let mut binds = Vec::new();
        expansion.bind_line(&socket.bind, frontend, &mut ids, &mut binds, diags);
        out.extend(binds.into_iter().map(|b| (n, b)));
    }
    out
}

fn frontend(proxy: &Proxy, index: usize, process: &ProcessInfo, options: CompileOptions) -> FrontendInfo {
    let maxconn = proxy.maxconn.filter(|n| *n > 0).unwrap_or(options.default_maxconn);
    FrontendInfo {
        name: Arc::clone(&proxy.name),
        index,
        conns: Gate::new(if maxconn > 0 { maxconn } else { process.conns.limit() }),
        conn_rate: FreqCtr::new(),
        sess_rate: FreqCtr::new(),
        max_sess_rate: AtomicU32::new(proxy.rate_limit_sessions.unwrap_or(0)),
        status: AtomicU8::new(0),
    }
}

/// Numbers of listeners (`id`, `so_id`): those not written follow the one before.
#[derive(Default)]
struct Ids {
    taken: Vec<u32>,
    last: u32,
}

impl Ids {
    fn of(proxy: &Proxy) -> Self {
        Self { taken: proxy.binds.iter().filter_map(|b| b.opts.id).collect(), last: 0 }
    }

    fn next(&mut self, written: Option<u32>, first: bool) -> u32 {
        self.last = match written {
            Some(id) if first => id,
            _ => (self.last + 1..).find(|id| !self.taken.contains(id)).unwrap_or_default(),
        };
        self.last
    }
}

struct Expansion<'a> {
    files: &'a [Arc<str>],
    global: &'a Global,
    proxy: Option<&'a Proxy>,
    process: &'a Arc<ProcessInfo>,
    options: CompileOptions,
}

impl Expansion<'_> {
    fn bind_line(
        &self,
        bind: &Bind,
        frontend: &Arc<FrontendInfo>,
        ids: &mut Ids,
        out: &mut Vec<BindSpec>,
        diags: &mut Diags,
    ) {
        let Some(threads) = self.threads(bind, frontend, diags) else { return };
        if let Some(why) = bind.addrs.iter().find_map(unusable) {
            diags.alert(bind.pos, format!("'bind' : {why}."));
            return;
        }
        let namespace = match bind.opts.namespace.as_deref().map(Netns::open).transpose() {
            Ok(ns) => ns.map(Arc::new),
            Err(_) => {
                let name = bind.opts.namespace.as_deref().unwrap_or_default();
                diags.alert(bind.pos, format!("'bind' : 'namespace' : Cannot open namespace '{name}'."));
                return;
            }
        };
        let opts = Arc::new(bind.opts.clone());
        let mut first = true;
        for addr in bind.addrs.iter().flat_map(ports) {
            let mut cfg = RxConfig::new(addr, Arc::clone(&opts));
            cfg.namespace.clone_from(&namespace);
            self.tune(&mut cfg);
            let id = ids.next(bind.opts.id, first);
            first = false;
            out.push(BindSpec {
                info: Arc::new(self.listener(&cfg, id, frontend)),
                cfg,
                pos: bind.pos,
                threads: threads.clone(),
                shards: bind.opts.shards.as_deref().and_then(|n| n.parse().ok()),
            });
        }
    }

    /// The threads of the line's `thread`, all of them without it; `None` where that is wrong.
    fn threads(&self, bind: &Bind, frontend: &FrontendInfo, diags: &mut Diags) -> Option<ThreadSet> {
        let Some(text) = &bind.opts.thread else { return Some(ThreadSet::default()) };
        match ThreadSet::parse(text) {
            Ok(set) if self.exists(&set) => return Some(set),
            Ok(_) => self.missing(bind, frontend, "only references non-existing threads", diags),
            Err(Wrong::Group(group)) => {
                self.missing(bind, frontend, &format!("references non-existing thread group {group}"), diags);
            }
            Err(Wrong::Text(e)) => {
                diags.alert(bind.pos, format!("'bind' : 'thread' : {e}."));
            }
        }
        None
    }

    /// Some thread of the set is there.
    fn exists(&self, set: &ThreadSet) -> bool {
        let threads = self.options.threads;
        threads == 0 || (1..=threads).any(|n| set.contains(n))
    }

    fn missing(&self, bind: &Bind, frontend: &FrontendInfo, what: &str, diags: &mut Diags) {
        let addrs: Vec<&str> = bind.addrs.iter().map(|a| &*a.text).collect();
        let file = self.files.get(usize::from(bind.pos.file.0)).map_or("", |f| f);
        let text = format!(
            "frontend '{}': 'thread' directive {what} in 'bind {}' at [{file}:{}].",
            frontend.name,
            addrs.join(","),
            bind.pos.line
        );
        diags.alert(bind.pos, text).layout = Layout::Plain;
    }

    /// Fills in what the proxy and the global section say.
    fn tune(&self, cfg: &mut RxConfig) {
        cfg.reuseport = self.options.reuseport && protocol_for(&cfg.addr).info().reuseport;
        cfg.rcvbuf = self.global.rcvbuf_client.unwrap_or(0);
        cfg.sndbuf = self.global.sndbuf_client.unwrap_or(0);
        let unlimited = |n: &u32| *n > 0;
        let proxy_backlog = self.proxy.and_then(|p| p.backlog.or(p.maxconn)).filter(unlimited);
        let own = cfg.opts.backlog.filter(unlimited);
        let process = Some(self.process.conns.limit()).filter(unlimited);
        cfg.backlog = own.or(proxy_backlog).or(cfg.opts.maxconn).or(process).unwrap_or(DEFAULT_BACKLOG);
        cfg.keepalive = self.proxy.filter(|p| p.options.has(opt::CLITCPKA)).map(|p| keepalive(p.clitcpka));
    }

    /// `timeout client-hs`, else `timeout client`.
    fn handshake_timeout(&self) -> Option<Duration> {
        let t = self.proxy?.timeouts;
        let ms = t.client_hs.or(t.client).filter(|ms| *ms > 0)?;
        Some(Duration::from_millis(u64::from(ms)))
    }

    /// `idle-ping`. Connections of reverse HTTP are asked at the latest when other clients would have been silent for
    /// too long: they are not closed then.
    fn idle_ping(&self, cfg: &RxConfig, reverse: bool) -> Option<Duration> {
        let client = self.proxy.and_then(|p| p.timeouts.client).filter(|_| reverse);
        let ms = cfg.opts.idle_ping.or(client).filter(|ms| *ms > 0)?;
        Some(Duration::from_millis(u64::from(ms)))
    }

    fn listener(&self, cfg: &RxConfig, id: u32, frontend: &Arc<FrontendInfo>) -> ListenerInfo {
        let name = cfg.opts.name.clone();
        let reverse = matches!(cfg.addr.kind, AddrKind::Rhttp(_));
        ListenerInfo {
            named: name.is_some(),
            name: name.unwrap_or_else(|| format!("sock-{id}")).into(),
            id,
            addr: Address::of(&cfg.addr),
            protocol: protocol_for(&cfg.addr).info().name,
            proto: cfg.opts.proto.as_deref().map(Into::into),
            expect: Expect { proxy: cfg.opts.accept_proxy, cip: cfg.opts.cip_magic },
            cip_magic: cfg.opts.cip_magic.unwrap_or(0),
            saved_syn: cfg.opts.tcp_ss.is_some_and(|mode| mode > 0),
            handshake_timeout: self.handshake_timeout(),
            idle_ping: self.idle_ping(cfg, reverse),
            keeps_idle: reverse,
            frontend: Arc::clone(frontend),
            process: Arc::clone(self.process),
            conns: Gate::new(cfg.opts.maxconn.unwrap_or(0)),
            state: AtomicU8::new(ListenerState::Init as u8),
            counts: ListenerCounts::default(),
            bytes_in: AtomicU64::new(0),
            bytes_out: AtomicU64::new(0),
        }
    }
}

fn keepalive(k: KeepAlive) -> (u32, u32, u32) {
    (k.cnt.unwrap_or(0), k.idle.unwrap_or(0), k.intvl.unwrap_or(0))
}

/// Why nothing can listen there, which shows before anything is bound.
fn unusable(addr: &Addr) -> Option<String> {
    let (AddrKind::Fd(n) | AddrKind::Sockpair(n)) = addr.kind else { return None };
    let e = hawser_proto::probe_inherited(n).err()?;
    Some(format!("cannot use file descriptor '{n}' : {}", hawser_proto::errno_text(e)))
}

/// One address per port of a range.
fn ports(addr: &Addr) -> Vec<Addr> {
    let AddrKind::Ip(first) = addr.kind else { return vec![addr.clone()] };
    let high = addr.port_high.max(first.port());
    let with_port = |port| {
        let mut one = addr.clone();
        one.kind = AddrKind::Ip(SocketAddr::new(first.ip(), port));
        one.port_high = port;
        one
    };
    (first.port()..=high).map(with_port).collect()
}

#[cfg(test)]
mod tests;
