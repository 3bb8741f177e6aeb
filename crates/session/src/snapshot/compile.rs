//! From the configuration to a snapshot.

use super::h2::h2_conf;
use super::muxes::BackMuxes;
use super::names::Names;
use super::states;
use super::stick::{self, StickRules};
use super::{
    AddrHeader, Announce, Back, Dial, Forwarded, Front, FrontMuxes, Proxy, Snapshot, Spread, StatsPage,
    Times, UnusualNames, time,
};
use crate::http::cookie::Policy;
use hawser_balance::resolve::Resolver;
use hawser_balance::state_file::States;
use hawser_balance::{CompileEnv, Counters, EventSink, RetryPolicy, Traffic};
use hawser_cfg::diag::{Diags, Layout};
use hawser_cfg::model::{self, AddrKind, Config, HeaderCapture, Mode, Reuse, opt};
use hawser_log::{Logger, StreamLogger};
use hawser_proto::freq::FreqCtr;
use hawser_proto::mux::{BackMux, MuxConf, MuxRow};
use hawser_proto::netns::{self, Namespaces};
use hawser_proto::{ConnectTo, FrontendInfo};
use hawser_rules::switching::SwitchKind;
use hawser_rules::{ErrorReplies, ProxyRules, RuleCx, Service, Switching};
use hawser_sample::facts::ProxyFacts;
use hawser_sample::{Checkpoint, CompileCx, Cond, Expr, Flavor, LogFormat};
use hawser_stats::page::Source;
use std::sync::Arc;

/// `max-session-srv-conns` by default.
const SESSION_SRV_CONNS: usize = 5;

/// What compiling needs besides the configuration.
pub struct CompileOpts<'a> {
    /// Number of worker threads.
    pub threads: usize,
    /// `maxconn` of the process.
    pub maxconn: u32,
    /// All muxes, the default one first.
    pub muxes: &'a [&'static MuxRow],
    /// Limits and counters of the frontends, by proxy; missing ones where only the configuration is checked.
    pub frontends: &'a [Option<Arc<FrontendInfo>>],
    /// Resolves server names.
    pub resolver: &'a Resolver<'a>,
    /// Gets the backends' events.
    pub events: Arc<dyn EventSink>,
    /// What `use-service` may name.
    pub services: &'a [Arc<dyn Service>],
    /// What statistics pages show; missing where only the configuration is checked.
    pub statistics: Option<Arc<dyn Source>>,
}

/// Compiles a configuration. Errors are alerts in `diags`; the snapshot may be used only without any.
pub fn compile(cfg: &Config, diags: &mut Diags, opts: &CompileOpts<'_>) -> Snapshot {
    let facts = all_facts(cfg);
    let mut proxies = Vec::with_capacity(cfg.proxies.len());
    let names = Names::new(cfg, opts.maxconn);
    let mut files = states::Files::load(cfg, diags);
    let mut own_files = Vec::with_capacity(cfg.proxies.len());
    for (index, (px, facts)) in cfg.proxies.iter().zip(&facts).enumerate() {
        states::check(cfg, px, diags);
        let own = states::Files::own(cfg, px, facts.id, diags);
        let states = files.of(px, own.as_ref());
        let mut c = Compiler { cfg, diags, opts, names: &names, index, px, states };
        proxies.push(Arc::new(c.proxy(facts)));
        own_files.push(own);
    }
    let backends: Vec<_> = proxies.iter().filter_map(|p| Some(p.back.as_ref()?.backend.clone())).collect();
    hawser_balance::compile::link_tracking(&backends, hawser_balance::time::now());
    let sticky = proxies.iter().filter_map(|p| p.back.as_ref()).flat_map(|b| b.stick.tables());
    let tables = stick::tables(cfg, sticky);
    stick::check(cfg, diags);
    for ((px, proxy), own) in cfg.proxies.iter().zip(&proxies).zip(own_files) {
        if let Some(back) = &proxy.back {
            files.apply(px, own, &back.backend, diags);
        }
    }
    let is_be = |p: &&Arc<Proxy>| p.back.is_some();
    Snapshot {
        backends: proxies.iter().filter(is_be).map(|p| (p.facts.name.clone(), p.facts.index)).collect(),
        proxies,
        files: cfg.files.clone(),
        close_spread: Spread::new(cfg.global.close_spread_time),
        bufsize: bufsize(&cfg.global) as usize,
        maxrewrite: maxrewrite(cfg),
        logurilen: cfg.global.logurilen.unwrap_or(1024) as usize,
        tables,
        http_codes: cfg.global.http_codes,
        namespaces: Namespaces::of(cfg),
        idle_pool_shared: cfg.global.idle_pool_shared.unwrap_or(true),
    }
}

/// `tune.bufsize`.
pub(super) fn bufsize(g: &model::Global) -> u32 {
    g.bufsize.unwrap_or(16384)
}

fn maxrewrite(cfg: &Config) -> usize {
    cfg.global.maxrewrite.unwrap_or(1024) as usize
}

/// Names, ids and modes of all proxies; ids that are not set count up from 2, skipping those that are.
fn all_facts(cfg: &Config) -> Vec<Arc<ProxyFacts>> {
    let taken: Vec<u32> = cfg.proxies.iter().filter_map(|p| p.id).collect();
    let mut free = (2u32..).filter(|id| !taken.contains(id));
    cfg.proxies
        .iter()
        .enumerate()
        .map(|(index, p)| {
            Arc::new(ProxyFacts {
                name: p.name.clone(),
                id: p.id.or_else(|| free.next()).unwrap_or_default(),
                index,
                http: p.mode == Mode::Http,
                timeouts: p.timeouts,
                default_backend: p.default_backend.as_ref().map(|(_, w)| w.as_str().into()),
                ..ProxyFacts::default()
            })
        })
        .collect()
}

/// What is compiled of a proxy's rules and formats, with its ACLs in scope.
struct Words {
    rules: ProxyRules,
    errors: ErrorReplies,
    switching: Switching,
    use_server: Switching,
    monitor_fail: Vec<Cond>,
    persist: Vec<(bool, Cond)>,
    stick: StickRules,
    unique_id: Option<LogFormat>,
    forwarded: Option<Forwarded>,
    stats: Option<Box<StatsPage>>,
}

impl Words {
    fn compile(cfg: &Config, diags: &mut Diags, index: usize, opts: &CompileOpts<'_>) -> Self {
        let px = &cfg.proxies[index];
        let mut cx = CompileCx::new(cfg, diags);
        let mut rcx = RuleCx::new(&mut cx, index);
        rcx.services = opts.services;
        let rules = ProxyRules::compile(&mut rcx);
        let stats = px.stats.as_ref().map(|s| StatsPage::compile(&mut rcx, s, opts.statistics.as_ref()));
        let switching = Switching::compile(&mut rcx, SwitchKind::Backend, &px.use_backend);
        let use_server = Switching::compile(&mut rcx, SwitchKind::Server, &px.use_server);
        let errors = ErrorReplies::compile(&mut cx, &px.errors);
        let monitor_fail = monitor_fail(&mut cx, px);
        let persist = persist(&mut cx, px);
        let stick = StickRules::compile(&mut cx, px);
        let unique_id = unique_id(&mut cx, px);
        let forwarded = px.forwarded.as_ref().filter(|_| px.kind.is_be());
        let forwarded = forwarded.map(|f| Forwarded::compile(&mut cx, f));
        Self {
            rules,
            errors,
            switching,
            use_server,
            monitor_fail,
            persist,
            stick,
            unique_id,
            forwarded,
            stats,
        }
    }
}

/// `monitor fail` lines: nothing but a condition.
fn monitor_fail(cx: &mut CompileCx<'_>, px: &model::Proxy) -> Vec<Cond> {
    let mut out = Vec::new();
    cx.at = Some(Checkpoint::FeHttpReqHdr);
    "monitor fail".clone_into(&mut cx.what);
    for line in &px.monitor_fail {
        cx.pos = line.pos;
        match Cond::parse(cx, &line.words) {
            Ok(c) => out.push(c),
            Err(e) => {
                let text = format!("error detected while parsing a 'monitor fail' condition : {e}.");
                cx.diags.alert(line.pos, text).suggestion = e.suggestion;
            }
        }
    }
    out
}

/// `force-persist` and `ignore-persist` lines: nothing but a condition.
fn persist(cx: &mut CompileCx<'_>, px: &model::Proxy) -> Vec<(bool, Cond)> {
    let mut out = Vec::new();
    cx.at = Some(Checkpoint::BeHttpReqHdr);
    for (force, line) in &px.persist_rules {
        cx.pos = line.pos;
        let word = if *force { "force-persist" } else { "ignore-persist" };
        word.clone_into(&mut cx.what);
        match Cond::parse(cx, &line.words) {
            Ok(c) => out.push((*force, c)),
            Err(e) => {
                let text = format!("error detected while parsing a '{word}' rule : {e}.");
                cx.diags.alert(line.pos, text).suggestion = e.suggestion;
            }
        }
    }
    out
}

/// `unique-id-format`.
fn unique_id(cx: &mut CompileCx<'_>, px: &model::Proxy) -> Option<LogFormat> {
    let (pos, word) = px.unique_id_format.as_ref()?;
    cx.at = Some(Checkpoint::FeHttpReqHdr);
    cx.pos = *pos;
    "unique-id-format".clone_into(&mut cx.what);
    match LogFormat::parse(cx, word, Flavor::UniqueId) {
        Ok(f) => Some(f),
        Err(e) => {
            let text = format!("failed to parse unique-id : {e}.");
            let diag = cx.diags.alert_at(*pos, word, text);
            diag.suggestion = e.suggestion;
            diag.layout = Layout::Late;
            None
        }
    }
}

/// The compilation of one proxy.
struct Compiler<'a, 'b> {
    cfg: &'a Config,
    diags: &'a mut Diags,
    opts: &'b CompileOpts<'b>,
    names: &'b Names<'b>,
    index: usize,
    px: &'a model::Proxy,
    states: Option<&'b States>,
}

impl Compiler<'_, '_> {
    fn proxy(&mut self, facts: &Arc<ProxyFacts>) -> Proxy {
        let px = self.px;
        let words = Words::compile(self.cfg, self.diags, self.index, self.opts);
        let addr_headers = [(&px.forwardfor, true), (&px.originalto, false)];
        let of = |(conf, source): (&Option<model::ForwardFor>, bool)| {
            conf.as_ref().map(|c| AddrHeader::new(c, source))
        };
        let names =
            |l: &[HeaderCapture]| l.iter().map(|h| (h.name.as_bytes().into(), h.len as usize)).collect();
        let Words {
            rules,
            errors,
            switching,
            use_server,
            monitor_fail,
            persist,
            stick,
            unique_id,
            forwarded,
            stats,
        } = words;
        let front = if px.kind.is_fe() { self.front(switching, monitor_fail, unique_id) } else { None };
        Proxy {
            facts: facts.clone(),
            pos: px.pos,
            kind: px.kind,
            mode: px.mode,
            disabled: px.disabled,
            description: px.description.as_deref().map(Into::into),
            options: px.options,
            abort_on_close: aborts_on_close(px),
            conn_mode: px.conn_mode,
            times: Times::of(&px.timeouts),
            req_inspect_delay: time(px.req_inspect_delay),
            res_inspect_delay: time(px.res_inspect_delay),
            rules,
            stats,
            errors,
            front,
            back: px.kind.is_be().then(|| Back { forwarded, stick, ..self.back(facts, use_server, persist) }),
            addr_headers: addr_headers.into_iter().filter_map(of).collect(),
            req_captures: names(&px.req_captures),
            res_captures: names(&px.res_captures),
            capture_cookie: px.capture_cookie.as_ref().map(|(n, len)| (n.as_bytes().into(), *len as usize)),
            unique_id_header: px.unique_id_header.as_ref().map(|n| n.as_bytes().into()),
            unusual_names: match px.restrict_req_hdr_names.as_deref() {
                Some("delete") => UnusualNames::Delete,
                Some("reject") => UnusualNames::Reject,
                _ => UnusualNames::Preserve,
            },
        }
    }

    fn front(
        &mut self,
        switching: Switching,
        monitor_fail: Vec<Cond>,
        unique_id: Option<LogFormat>,
    ) -> Option<Front> {
        let px = self.px;
        let conf = self.mux_conf(px.options.has(opt::H1_CASE_CLIENT), true);
        let muxes = FrontMuxes::new(self.opts.muxes, &conf)?;
        let logger = Logger::compile(self.diags, &self.cfg.global, &px.logs, px.log_tag.as_deref());
        let logger = StreamLogger::compile(self.diags, self.cfg, px, Arc::new(logger));
        let mut targets = vec![None; px.use_backend.len()];
        for (i, _, name) in switching.fixed() {
            if let Some(slot) = targets.get_mut(i) {
                *slot = self.names.backend(name);
            }
        }
        let default_backend = match &px.default_backend {
            Some((_, name)) => self.names.backend(name),
            None => px.kind.is_be().then_some(self.index),
        };
        Some(Front {
            info: self.opts.frontends.get(self.index).cloned().flatten(),
            logger,
            muxes,
            max_streams: conf.h2.max_concurrent_streams,
            max_session_srv_conns: px.max_session_srv_conns.map_or(SESSION_SRV_CONNS, |n| n as usize),
            h2_stats: conf.h2_stats,
            switching,
            targets,
            default_backend,
            monitor_uri: px.monitor_uri.as_ref().map(|w| w.as_bytes().into()),
            monitor_fail,
            unique_id,
            counters: Counters::new(self.opts.threads),
            traffic: Traffic::new(self.opts.threads),
            req_rate: FreqCtr::new(),
        })
    }

    fn back(&mut self, facts: &Arc<ProxyFacts>, use_server: Switching, persist: Vec<(bool, Cond)>) -> Back {
        let dispatched = dispatched(self.px);
        let px = dispatched.as_ref().unwrap_or(self.px);
        let env = CompileEnv {
            config: self.cfg,
            facts: facts.clone(),
            threads: self.opts.threads,
            default_fullconn: self.names.fullconn(self.index),
            resolver: self.opts.resolver,
            states: self.states,
            events: self.opts.events.clone(),
            now: hawser_balance::time::now(),
        };
        let backend = hawser_balance::compile(px, &env, self.diags);
        let conf = self.mux_conf(px.options.has(opt::H1_CASE_SERVER), false);
        let muxes = BackMuxes::new(self.opts.muxes, &conf, px.mode == Mode::Http);
        let mut use_targets = vec![None; px.use_server.len()];
        for (i, _, name) in use_server.fixed() {
            if let Some(slot) = use_targets.get_mut(i) {
                *slot = backend.find(name);
            }
        }
        Back {
            traffic: Traffic::new(self.opts.threads),
            forwarded: None,
            stick: StickRules::default(),
            name_header: px.send_name_header.as_ref().map(|n| n.as_bytes().into()),
            h2_stats: conf.h2_stats.clone(),
            holds: px.timeouts.queue.is_some(),
            max_streams: conf.h2.max_concurrent_streams,
            // Nobody can tell whose connections to no server those are.
            reuse: if dispatched.is_some() { Reuse::Never } else { px.reuse.unwrap_or_default() },
            retry: RetryPolicy::compile(px, self.diags),
            persist,
            cookie: px.cookie.as_ref().map(|c| Policy::new(c, px.dynamic_cookie_key.as_deref(), &px.servers)),
            use_server,
            use_targets,
            dial: px.servers.iter().map(|s| self.dial(s, &muxes, &conf)).collect(),
            backend,
        }
    }

    /// `pool-conn-name`.
    fn conn_name(&mut self, s: &model::Server) -> Option<Arc<Expr>> {
        let word = s.opts.pool_conn_name.as_ref()?;
        let mut cx = CompileCx::new(self.cfg, self.diags);
        (cx.pos, cx.proxy, cx.at) = (s.pos, Some(self.index), Some(Checkpoint::ServerSource));
        "pool-conn-name".clone_into(&mut cx.what);
        let parsed = Expr::parse_str(&mut cx, word.as_str()).and_then(|e| e.require_at(&cx).map(|()| e));
        match parsed {
            Ok(e) => Some(Arc::new(e)),
            Err(e) => {
                let text = format!(
                    "'server {}/{}' : error detected while parsing sni or pool-conn-name expressions : {e}.",
                    self.px.name, s.name
                );
                self.diags.alert_at(s.pos, word, text).suggestion = e.suggestion;
                None
            }
        }
    }

    /// How a server is reached.
    fn dial(&mut self, s: &model::Server, muxes: &BackMuxes, conf: &MuxConf) -> Dial {
        let name = self.conn_name(s);
        let to = ConnectTo::of(&self.cfg.global, self.px, s).unwrap_or_else(|why| {
            self.diags.alert(s.pos, format!("'server {}/{}' : {why}.", self.px.name, s.name));
            ConnectTo::default()
        });
        let mut dial = Dial {
            to,
            name,
            adopts: self.adopts(s, conf),
            idle_ping: time(s.opts.idle_ping),
            mux: muxes.server(&s.opts),
            source: None,
            client_namespace: s.opts.namespace.as_deref() == Some(netns::OF_CLIENT),
            announce: None,
        };
        if let Some(usesrc) =
            s.opts.source.as_ref().or(self.px.source.as_ref()).and_then(|s| s.usesrc.as_ref())
        {
            dial.use_source(usesrc);
        }
        if s.opts.send_proxy || s.opts.send_proxy_v2 {
            dial.announce = Announce::compile(self.cfg, self.diags, self.index, s).map(Arc::new);
        }
        dial
    }

    /// What turns connections around that are attached to a server.
    fn adopts(&self, s: &model::Server, conf: &MuxConf) -> Option<Arc<dyn BackMux>> {
        let make = self.opts.muxes.iter().find(|m| m.token == "h2")?.back?;
        let passive = matches!(s.addr.kind, AddrKind::Rhttp(_));
        passive.then(|| make(conf))
    }

    fn mux_conf(&self, adjust: bool, front: bool) -> MuxConf {
        let g = &self.cfg.global;
        let o = self.px.options;
        MuxConf {
            h2: h2_conf(g, front),
            h2_stats: Arc::default(),
            h1_glitches: if front { g.h1_glitches.0 } else { g.h1_glitches.1 }.unwrap_or(0),
            h2_upgrade: front && !o.has(opt::DISABLE_H2_UPGRADE),
            max_fields: g.maxhdr.unwrap_or(101) as usize,
            max_bytes: (bufsize(g) as usize).saturating_sub(maxrewrite(self.cfg)).max(256),
            unsafe_request: o.has(opt::UNSAFE_REQUEST),
            unsafe_response: o.has(opt::UNSAFE_RESPONSE),
            payload_with_any_method: g.h1_accept_payload_with_any_method,
            keep_insecure_te: g.h1_do_not_close_on_insecure_te,
            case_adjust: if adjust { g.h1_case_adjust.clone() } else { Vec::new() },
        }
    }
}

/// `dispatch`: one server that has no name.
fn dispatched(px: &model::Proxy) -> Option<model::Proxy> {
    let (pos, addr) = px.dispatch.as_ref().filter(|_| px.servers.is_empty())?;
    let server = model::Server {
        pos: *pos,
        name: "<NOSRV>".into(),
        addr: addr.clone(),
        opts: model::ServerOpts::default(),
    };
    Some(model::Proxy { servers: vec![server], ..px.clone() })
}

/// `option abortonclose`, the default of HTTP mode.
fn aborts_on_close(px: &model::Proxy) -> bool {
    px.options.has(opt::ABORTONCLOSE) || (px.mode == Mode::Http && px.options.clear & opt::ABORTONCLOSE == 0)
}
