//! What the runtime API says about the process.

use crate::args::Args;
use crate::commands::{ForcedIds, GlobalLog, Statistics};
use crate::engine::SharedEngine;
use crate::idle::Idle;
use crate::limits::Limits;
use crate::master;
use crate::messages::Messages;
use crate::reverse::Tunnels;
use crate::version;
use hawser_cfg::diag::Diags;
use hawser_cfg::env::Env;
use hawser_cfg::model::Config;
use hawser_cli::info::InfoSources;
use hawser_cli::{Environment, Level, Process, SocketList, State};
use hawser_log::Logger;
use hawser_proto::{Address, FrontendInfo, ProcessInfo, clock};
use std::sync::Arc;
use std::time::Instant;

/// `mworker-max-reloads` by default.
const MAX_RELOADS: u32 = 50;

/// Everything that the state is made of.
pub(crate) struct Facts<'a> {
    pub(crate) config: &'a Config,
    pub(crate) env: &'a Env,
    pub(crate) limits: &'a Limits,
    pub(crate) messages: &'a Arc<Messages>,
    pub(crate) started: Instant,
    pub(crate) process: &'a Arc<ProcessInfo>,
    pub(crate) frontends: &'a [Option<Arc<FrontendInfo>>],
    pub(crate) engine: &'a SharedEngine,
    pub(crate) tunnels: &'a Arc<Tunnels>,
    pub(crate) listeners: u32,
    pub(crate) sockets: Vec<(String, Level)>,
}

/// Fills the state that commands act on.
pub(crate) fn state(f: &Facts<'_>) -> State {
    let state = State::default();
    let g = &f.config.global;
    let up = clock::now().saturating_duration_since(f.started);
    state.insert(Process {
        version: version::VERSION,
        release_date: version::RELEASE_DATE,
        pid: std::process::id(),
        threads: f.limits.threads,
        started: f.started,
        started_date: clock::wall().checked_sub(up).unwrap_or_else(clock::wall),
        boot_ms: u64::try_from(up.as_millis()).unwrap_or(u64::MAX),
        memmax_mb: f.limits.memory >> 20,
        ulimit_n: crate::limits::nofile().0,
        maxsock: f.limits.maxsock,
        hard_maxconn: f.limits.maxconn,
        maxpipes: g.maxpipes.unwrap_or(0),
        node: g.node.clone().unwrap_or_else(host_name),
        description: g.description.clone(),
        listeners: f.listeners,
        conns: Arc::clone(f.process),
        frontends: f.frontends.to_vec(),
    });
    state.insert(Environment(f.env.iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect()));
    state.insert(f.messages.log.clone());
    state.insert(SocketList(f.sockets.clone()));
    // What is wrong with the targets was told when they were compiled for the proxies.
    state.insert(GlobalLog(Logger::compile(&mut Diags::default(), g, &g.logs, None)));
    state.insert(Statistics(Arc::clone(f.engine)));
    let forced = f.config.proxies.iter().map(|p| p.id.is_some());
    state.insert(ForcedIds(forced.collect()));
    state.insert(Arc::clone(f.tunnels));
    let idle = Idle::new(f.limits.threads);
    let (engine, messages) = (Arc::clone(f.engine), Arc::clone(f.messages));
    state.insert(InfoSources(vec![
        Box::new(move |sheet| engine.info(sheet)),
        Box::new(move |sheet| sheet.set("TotalWarnings", messages.warnings())),
        Box::new(move |sheet| sheet.set("Idle_pct", idle.percent())),
    ]));
    state
}

/// An address as `show cli sockets` writes it.
pub(crate) fn socket_name(addr: &Address) -> String {
    match addr {
        Address::Ip(a) if a.is_ipv4() => format!("ipv4@{a}"),
        Address::Ip(a) => format!("ipv6@{a}"),
        Address::Unix(p) => format!("unix@{}", p.display()),
        Address::Fd(n) => format!("fd@{n}"),
        other => other.to_string(),
    }
}

/// The machine's name.
pub(crate) fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// `-L`, or the machine's name.
pub(crate) fn local_peer(args: &Args) -> String {
    args.localpeer.clone().unwrap_or_else(host_name)
}

/// What a master wants to know.
pub(crate) fn for_master(config: &Config, tunnels: &Tunnels) -> master::Facts {
    master::Facts {
        max_reloads: config.global.mworker_max_reloads.unwrap_or(MAX_RELOADS),
        no_exit_on_failure: config.global.no_exit_on_failure,
        settling: !tunnels.plans.is_empty(),
        version: version::VERSION.to_owned(),
    }
}
