//! Checks of a configuration: one per server with `check`.

use crate::agent::AgentCheck;
use crate::driver::Wake;
use crate::health::{Applied, Health};
use crate::observe::Observing;
use crate::pool::{NoPool, Pool};
use crate::probe::{Outcome, Probe};
use crate::script::{self, Script};
use crate::settings::Settings;
use crate::status::Status;
use hawser_balance::change::Cause;
use hawser_balance::event::Level;
use hawser_balance::server::{Admin, CheckView, Oper, Server};
use hawser_balance::{Backend, Ms};
use hawser_cfg::diag::Diags;
use hawser_cfg::model::{Config, Proxy, opt};
use hawser_proto::ConnectTo;
use hawser_proto::mux::{BackMux, MakeBack, MuxConf};
use parking_lot::Mutex;
use std::sync::Arc;
use tokio::sync::mpsc::UnboundedSender;

/// What compiling needs besides the configuration.
pub struct CheckEnv {
    /// Name of this node in `http-check send-state`: `node`, or the machine's name.
    pub node: Arc<str>,
    /// Sets HTTP/2 up for servers that speak it (`proto`, `check-proto`).
    pub h2: Option<MakeBack>,
    /// Sets HTTP/1 up for checks over connections that traffic uses as well (`check-reuse-pool`).
    pub h1: Option<MakeBack>,
}

/// All checks of a configuration. They may be compiled on any thread; [`Checks::run`] stays on one.
pub struct Checks {
    pub(crate) list: Vec<Job>,
    /// Backends in which servers start slowly.
    pub(crate) slow: Vec<Arc<Backend>>,
    pub(crate) wakes: tokio::sync::mpsc::UnboundedReceiver<Wake>,
    /// `spread-checks`, percent.
    pub(crate) spread: u32,
    /// `max-spread-checks`, ms; 0 for no limit.
    pub(crate) max_spread: u32,
}

/// What runs again and again.
#[derive(Clone)]
pub(crate) enum Job {
    /// The check of a server.
    Health(Arc<Check>),
    /// The agent of a server.
    Agent(Arc<AgentCheck>),
}

impl Job {
    /// `inter` or `agent-inter` (ms).
    pub(crate) fn inter(&self) -> u32 {
        match self {
            Self::Health(c) => c.settings.inter,
            Self::Agent(a) => a.interval(),
        }
    }

    pub(crate) fn is_paused(&self) -> bool {
        match self {
            Self::Health(c) => c.is_paused(),
            Self::Agent(a) => a.is_paused(),
        }
    }

    /// Time until the next run (ms).
    pub(crate) fn interval(&self) -> u32 {
        match self {
            Self::Health(c) => c.interval(),
            Self::Agent(a) => a.interval(),
        }
    }

    pub(crate) async fn probe(&self, pool: &dyn Pool) -> Option<Outcome> {
        match self {
            Self::Health(c) => c.probe(pool).await,
            Self::Agent(a) => a.probe().await,
        }
    }

    pub(crate) fn finish(&self, outcome: &Outcome, now: Ms) {
        match self {
            Self::Health(c) => c.finish(outcome, now),
            Self::Agent(a) => a.finish(outcome, now),
        }
    }
}

/// The check of one server.
pub(crate) struct Check {
    pub(crate) backend: Arc<Backend>,
    /// Index of the server.
    pub(crate) server: u32,
    pub(crate) script: Arc<Script>,
    pub(crate) settings: Settings,
    pub(crate) to: ConnectTo,
    pub(crate) bufsize: usize,
    /// `option log-health-checks`.
    pub(crate) logs: bool,
    node: Arc<str>,
    /// What HTTP checks speak, where that is not HTTP/1 on a connection of their own.
    mux: Option<Arc<dyn BackMux>>,
    state: Mutex<State>,
}

struct State {
    health: Health,
    /// [`Server::check_resets`] as last seen.
    resets: u32,
}

/// Compiles the checks of all backends; `backend` finds the running one of a section. Errors are alerts.
pub fn compile(
    config: &Config,
    backend: impl Fn(usize) -> Option<Arc<Backend>>,
    env: &CheckEnv,
    diags: &mut Diags,
) -> Checks {
    let (tx, wakes) = tokio::sync::mpsc::unbounded_channel();
    let mut checks = Checks {
        list: Vec::new(),
        slow: Vec::new(),
        wakes,
        spread: config.global.spread_checks.unwrap_or(0),
        max_spread: config.global.max_spread_checks.unwrap_or(0),
    };
    for (index, proxy) in config.proxies.iter().enumerate().filter(|(_, p)| p.kind.is_be() && !p.disabled) {
        let Some(be) = backend(index) else { continue };
        if be.servers.iter().any(|s| s.opts.slowstart.is_some_and(|t| t != 0)) {
            checks.slow.push(be.clone());
        }
        let checked = |s: &&Arc<Server>| s.opts.check;
        if be.servers.iter().any(|s| checked(&s)) || !proxy.check_rules.is_empty() {
            let script = Arc::new(script::compile(config, index, proxy, diags));
            for s in be.servers.iter().filter(checked) {
                let check = one(config, proxy, &be, s, &script, env, &tx, checks.list.len());
                checks.list.push(Job::Health(check));
            }
        }
        for s in be.servers.iter().filter(|s| s.agent.is_some()) {
            checks.list.push(Job::Agent(Arc::new(AgentCheck::new(config, proxy, &be, s))));
        }
    }
    checks
}

/// `check-proto`, or else what other requests to the server speak.
fn speaks_h2(s: &Server) -> bool {
    s.opts.check_proto.as_deref().or(s.opts.proto.as_deref()) == Some("h2")
}

/// How checks speak HTTP/2.
fn mux_conf(config: &Config) -> MuxConf {
    MuxConf {
        max_fields: config.global.maxhdr.unwrap_or(101) as usize,
        max_bytes: config.global.bufsize.unwrap_or(16_384) as usize,
        ..MuxConf::default()
    }
}

#[expect(clippy::too_many_arguments, reason = "a loop body with a name")]
fn one(
    config: &Config,
    proxy: &Proxy,
    be: &Arc<Backend>,
    s: &Arc<Server>,
    script: &Arc<Script>,
    env: &CheckEnv,
    tx: &UnboundedSender<Wake>,
    number: usize,
) -> Arc<Check> {
    let mut settings = Settings::new(s, &proxy.timeouts);
    settings.own_addresses = config.global.pp2_never_send_local;
    let health = match s.restored() {
        Some(known) => Health::restored(settings.rise, settings.fall, known, s.state().oper),
        None => Health::new(settings.rise, settings.fall, s.opts.init_state.as_deref()),
    };
    *s.check.lock() = CheckView {
        enabled: s.restored().is_none_or(|known| !known.disabled),
        status: health.status().code(),
        desc: health.status().desc(),
        health: health.value(),
        rise: settings.rise,
        fall: settings.fall,
        ..CheckView::default()
    };
    let make = if speaks_h2(s) { env.h2 } else { env.h1.filter(|_| settings.reuse_pool) };
    let check = Arc::new(Check {
        backend: be.clone(),
        server: s.index,
        script: script.clone(),
        settings,
        to: connect_to(config, proxy, s.index),
        bufsize: config.global.bufsize.unwrap_or(16_384) as usize,
        logs: proxy.options.set & opt::LOG_HEALTH_CHECKS != 0,
        node: env.node.clone(),
        mux: make.filter(|_| script.http).map(|make| make(&mux_conf(config))),
        state: Mutex::new(State { health, resets: s.check_resets() }),
    });
    if let Some(o) = Observing::new(&check, &s.opts, tx.clone(), number) {
        s.set_observer(Arc::new(o));
    }
    check
}

/// How checks reach a server: as traffic does, but from the machine's own address, and through a SOCKS4 proxy only
/// with `check-via-socks4`. What is wrong with a namespace was told when the traffic's side was set up.
pub(crate) fn connect_to(config: &Config, proxy: &Proxy, index: u32) -> ConnectTo {
    let Some(server) = proxy.servers.get(index as usize) else { return ConnectTo::default() };
    let mut to = ConnectTo::of(&config.global, proxy, server).unwrap_or_default();
    if !server.opts.check_via_socks4 {
        to.socks4 = None;
    }
    to
}

impl Check {
    pub(crate) fn server(&self) -> Option<&Arc<Server>> {
        self.backend.servers.get(self.server as usize)
    }

    /// Checks pause while they are disabled or the server is in maintenance.
    pub(crate) fn is_paused(&self) -> bool {
        self.server().is_none_or(|s| s.state().admin.any(Admin::MAINT) || !s.check.lock().enabled)
    }

    /// Time until the next check.
    pub(crate) fn interval(&self) -> u32 {
        self.settings.interval(&self.state.lock().health)
    }

    /// Runs the check once.
    pub(crate) async fn probe(&self, pool: &dyn Pool) -> Option<Outcome> {
        let server = self.server()?;
        let state = self.script.send_state.then(|| self.state_header(server));
        let probe = Probe {
            script: &self.script,
            settings: &self.settings,
            server,
            to: &self.to,
            state,
            bufsize: self.bufsize,
            mux: self.mux.as_deref(),
            pool: if self.settings.reuse_pool && self.script.http { pool } else { &NoPool },
            backend: self.backend.facts.index,
        };
        Some(probe.run().await)
    }

    /// Takes the outcome of a check. Nothing happens if maintenance began meanwhile.
    pub(crate) fn finish(&self, outcome: &Outcome, now: Ms) {
        if !self.is_paused() {
            self.apply(outcome, now, |_| {});
        }
    }

    /// Takes an outcome after `prepare` has changed the health.
    pub(crate) fn apply(&self, outcome: &Outcome, now: Ms, prepare: impl FnOnce(&mut Health)) {
        let Some(server) = self.server() else { return };
        let mut state = self.state.lock();
        if state.resets != server.check_resets() {
            state.resets = server.check_resets();
            state.health.restart(server.opts.init_state.as_deref());
        }
        if let Some(up) = server.check.lock().forced.take() {
            state.health.force(up);
        }
        prepare(&mut state.health);
        let before = server.state();
        let fresh = state.health.value() > 0;
        // What its agent makes of the server is nothing that checks have found.
        let by_agent = server.is_down_by_agent() && state.health.is_up();
        let oper = if by_agent { Oper::Up } else { before.oper };
        let Applied { changed, to } = state.health.apply(outcome.status, oper);
        let reason = reason(outcome);
        self.show(server, &state.health, outcome, fresh);
        if changed && self.logs {
            self.log(server, &state.health, outcome, &reason);
        }
        // Only the agent revokes what it said.
        let to = to.filter(|to| *to == Oper::Down || !server.is_down_by_agent());
        if let Some(to) = to {
            // The line above has told the reason already.
            let told = if self.logs { "" } else { &reason };
            self.backend.set_oper(self.server, to, Cause::Check(told), now);
        }
    }

    /// `fresh`: the server was not surely down already. Failures of one that was are not counted.
    fn show(&self, server: &Server, health: &Health, outcome: &Outcome, fresh: bool) {
        let failed = outcome.status.verdict() == crate::Verdict::Failed;
        let mut view = server.check.lock();
        view.status = outcome.status.code();
        view.desc = outcome.status.desc();
        view.code = outcome.code.unwrap_or(0);
        view.duration = Some(outcome.duration);
        view.last.clone_from(&outcome.info);
        view.health = health.value();
        view.failed += u64::from(failed && fresh);
        view.observed += u64::from(outcome.status == Status::Hana);
    }

    fn log(&self, server: &Server, health: &Health, outcome: &Outcome, reason: &str) {
        let backup = if server.is_backup() { "backup " } else { "" };
        let how = match outcome.status.verdict() {
            crate::Verdict::Passed => "succeeded",
            crate::Verdict::CondPassed => "conditionally succeeded",
            _ => "failed",
        };
        let name = format!("{}/{}", self.backend.facts.name, server.name);
        let text =
            format!("Health check for {backup}server {name} {how}, reason: {reason}, status: {health}.");
        self.backend.tell(Level::Notice, &text);
    }

    /// `X-Haproxy-Server-State` (manual 4.2 `http-check send-state`).
    fn state_header(&self, server: &Server) -> String {
        let be = &self.backend;
        let word = server.status_word(None);
        let word = if word == "no check" { "UP" } else { word.as_str() };
        let (address, port) = match &server.addr.load().addr {
            hawser_proto::Address::Ip(a) => (a.ip().to_string(), a.port().to_string()),
            _ => ("unix".into(), "unix".into()),
        };
        let all: u32 = be.servers.iter().map(|s| s.served()).sum();
        let weight = server.effective_weight().div_ceil(hawser_balance::server::WEIGHT_SCALE);
        format!(
            "{word}; address={address}; port={port}; name={}/{}; node={}; weight={weight}/{}; scur={}/{all}; qcur={}",
            be.facts.name,
            server.name,
            self.node,
            be.total_weight(),
            server.served(),
            server.queued(),
        )
    }
}

/// `Layer7 wrong status, code: 500, info: "Oops", check duration: 1ms`.
pub(crate) fn reason(o: &Outcome) -> String {
    let mut text = o.status.desc().to_owned();
    if let Some(code) = o.code.filter(|_| o.status.has_code()) {
        text += &format!(", code: {code}");
    }
    if !o.info.is_empty() {
        text += &format!(", info: \"{}\"", printable(&o.info));
    }
    if o.status != Status::Hana {
        text += &format!(", check duration: {}ms", o.duration);
    }
    text
}

/// What servers sent goes into logs and terminals: without control characters.
fn printable(s: &str) -> String {
    s.chars().map(|c| if c.is_control() { '.' } else { c }).collect()
}

#[cfg(test)]
mod tests;
