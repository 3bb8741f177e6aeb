//! Rows of backends and servers.

use super::front::shown;
use super::{
    CACHE, COMPRESSION, HRSP, TLS, bytes, counted, frames, last_session, mode, seconds, timers, whole, zeros,
};
use crate::column::Col;
use crate::metrics::{CHECK_RESULTS, SERVER_STATES};
use crate::row::{Census, Object, Row};
use hawser_balance::server::{Admin, CheckView, Oper, ServerState, WEIGHT_SCALE};
use hawser_balance::traffic::{Event, Traffic};
use hawser_balance::{Ms, Place, Server as Peer, Stat};
use hawser_proto::mux::{H2Event, H2Stats};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// A backend's parts.
pub struct Backend<'a> {
    /// The backend.
    pub backend: &'a hawser_balance::Backend,
    /// Counters by protocol.
    pub traffic: &'a Traffic,
    /// Counters of HTTP/2 connections to servers.
    pub h2: &'a H2Stats,
    /// Whether requests to a server, by its index, are HTTP/2.
    pub speaks_h2: &'a dyn Fn(usize) -> bool,
    /// Name of the persistence cookie.
    pub cookie: Option<&'a str>,
    /// Show algorithm and cookie.
    pub address: bool,
    /// Tell how many servers are up, for some are hidden.
    pub tell_servers: bool,
    /// Count the servers by state, for metrics.
    pub census: bool,
    /// The present moment.
    pub now: Ms,
}

/// What servers and backends count alike.
const COMMON: [(Col, Stat); 11] = [
    (Col::Stot, Stat::Sessions),
    (Col::Lbtot, Stat::LbTot),
    (Col::Dresp, Stat::DeniedResp),
    (Col::Econ, Stat::FailedConns),
    (Col::Eresp, Stat::FailedResp),
    (Col::Wretr, Stat::Retries),
    (Col::Wredis, Stat::Redispatches),
    (Col::Wrew, Stat::FailedRewrites),
    (Col::Eint, Stat::InternalErrors),
    (Col::CliAbrt, Stat::CliAborts),
    (Col::SrvAbrt, Stat::SrvAborts),
];

/// The row of a backend.
pub fn backend(b: &Backend<'_>) -> Row {
    let (be, c) = (b.backend, &b.backend.counters);
    let mut row = Row::new(Object::Backend, &be.facts.name, be.facts.id, "BACKEND", 0);
    row.set(Col::Status, status(b));
    row.state = word(be);
    row.census = b.census.then(|| Box::new(census(be)));
    row.set(Col::Mode, mode(be.facts.http));
    if b.address {
        row.set(Col::Algo, algorithm(be));
        if let Some(name) = b.cookie {
            row.set(Col::Cookie, name.to_owned());
        }
    }
    row.numbers(&[
        (Col::Qcur, be.queued()),
        (Col::Qmax, be.queued_max()),
        (Col::Scur, be.conns()),
        (Col::Smax, be.conns_max()),
        (Col::Slim, be.fullconn()),
        (Col::Weight, be.total_weight()),
        (Col::Uweight, be.total_weight()),
        (Col::Act, be.active_servers()),
        (Col::Bck, be.backup_servers()),
        (Col::Chkdown, be.downs()),
        (Col::Lastchg, seconds(b.now, be.last_change())),
        (Col::Rate, be.session_rate(b.now)),
        (Col::RateMax, be.sess_rate.max()),
        (Col::AggServerStatus, 0),
        (Col::AggServerCheckStatus, 0),
        (Col::AggCheckStatus, 0),
    ]);
    if !be.servers.is_empty() {
        row.set(Col::Downtime, whole(be.downtime(b.now)));
    }
    row.set(Col::Lastsess, last_session(b.now, c.last_session()));
    counted(&mut row, c, &COMMON);
    row.set(Col::Dreq, c.get(Stat::DeniedReq));
    row.set(Col::Connect, sum(be, Stat::Connects));
    row.set(Col::Reuse, sum(be, Stat::Reuses));
    timers(&mut row, c);
    bytes(&mut row, c.get(Stat::BytesIn), c.get(Stat::BytesOut), 0);
    zeros(&mut row, &COMPRESSION);
    if be.facts.http {
        counted(&mut row, c, &HRSP);
        row.set(Col::ReqTot, c.get(Stat::Sessions));
        zeros(&mut row, &CACHE);
    }
    muxes(&mut row, b);
    row.finish()
}

/// The algorithm, which HAProxy has no name for if it is its default.
fn algorithm(be: &hawser_balance::Backend) -> &'static str {
    match be.algorithm() {
        "random" | "sticky" => "unknown",
        name => name,
    }
}

fn word(be: &hawser_balance::Backend) -> &'static str {
    if be.servers.is_empty() || be.usable_servers() > 0 { "UP" } else { "DOWN" }
}

fn census(be: &hawser_balance::Backend) -> Census {
    let mut census = Census::default();
    let count = |list: &mut [u32], words: &[&str], word: &str| {
        let place = words.iter().position(|w| *w == word);
        place.and_then(|i| list.get_mut(i)).into_iter().for_each(|n| *n += 1);
    };
    for s in &be.servers {
        count(&mut census.states, &SERVER_STATES, state_word(s.state()));
        let check = s.check.lock();
        if check.enabled {
            count(&mut census.checks, &CHECK_RESULTS, check.status);
        }
    }
    census
}

/// A server's state in the words of metrics, which know fewer than `show stat`.
fn state_word(s: ServerState) -> &'static str {
    match s.oper {
        _ if s.admin.any(Admin::MAINT) => "MAINT",
        Oper::Down => "DOWN",
        Oper::Stopping => "NOLB",
        Oper::Up | Oper::Starting if s.admin.any(Admin::DRAIN) => "DRAIN",
        Oper::Up | Oper::Starting => "UP",
    }
}

fn status(b: &Backend<'_>) -> String {
    let (be, word) = (b.backend, word(b.backend));
    if !b.tell_servers {
        return word.into();
    }
    let usable = be.servers.iter().filter(|s| s.is_usable()).count();
    format!("{word} ({usable}/{})", be.servers.len())
}

fn sum(be: &hawser_balance::Backend, stat: Stat) -> u64 {
    be.servers.iter().map(|s| s.counters.get(stat)).sum()
}

/// Columns of the multiplexers: connections to servers are counted by server, those of HTTP/2 by themselves.
fn muxes(row: &mut Row, b: &Backend<'_>) {
    let be = b.backend;
    let (h2, h1): (Vec<_>, Vec<_>) = be.servers.iter().enumerate().partition(|(i, _)| (b.speaks_h2)(*i));
    let all = |servers: &[(usize, &Arc<Peer>)], f: &dyn Fn(&Peer) -> u64| {
        if be.facts.http { servers.iter().map(|(_, s)| f(s)).sum() } else { 0 }
    };
    let open = |s: &Peer| {
        let i = &s.idle;
        u64::from(i.pooled()) + u64::from(i.at(Place::Used))
    };
    let of_http = |n: u64| if be.facts.http { n } else { 0 };
    let streams = of_http(be.conns().into()).saturating_sub(all(&h2, &|s| s.served().into()));
    let total = of_http(be.counters.get(Stat::Sessions));
    let total = total.saturating_sub(all(&h2, &|s| s.counters.get(Stat::Sessions)));
    let t = b.traffic;
    zeros(row, &TLS);
    row.numbers(&[
        (Col::H1OpenConns, all(&h1, &open)),
        (Col::H1TotalConns, all(&h1, &|s| s.counters.get(Stat::Connects))),
        (Col::H1OpenStreams, streams),
        (Col::H1TotalStreams, total),
        (Col::H1BytesIn, t.get(Event::H1In)),
        (Col::H1BytesOut, t.get(Event::H1Out)),
        (Col::H1SplicedBytesIn, t.get(Event::SplicedIn)),
        (Col::H1SplicedBytesOut, t.get(Event::SplicedOut)),
        (Col::H2OpenConns, b.h2.open(H2Event::Conn, H2Event::ConnDone)),
        (Col::H2TotalConns, b.h2.get(H2Event::Conn)),
        (Col::H2OpenStreams, b.h2.open(H2Event::Stream, H2Event::StreamDone)),
        (Col::H2TotalStreams, b.h2.get(H2Event::Stream)),
    ]);
    frames(row, b.h2);
}

/// A server, and what its backend knows of it.
#[derive(Debug)]
pub struct Server<'a> {
    /// The server.
    pub server: &'a hawser_balance::Server,
    /// Its backend.
    pub backend: &'a hawser_balance::Backend,
    /// Show its address and its cookie.
    pub address: bool,
    /// The present moment.
    pub now: Ms,
}

/// The row of a server.
pub fn server(v: &Server<'_>) -> Row {
    let (s, be) = (v.server, v.backend);
    let tracked = s.tracks().and_then(|(b, i)| {
        let name = &b.servers.get(i as usize)?.name;
        Some(format!("{}/{name}", b.facts.name))
    });
    let mut row = Row::new(Object::Server, &be.facts.name, be.facts.id, &s.name, s.id);
    row.set(Col::Status, s.status_word(tracked.as_deref()));
    row.state = state_word(s.state());
    row.set(Col::Mode, mode(be.facts.http));
    if v.address && s.attached.is_none() {
        row.set(Col::Addr, shown(&s.addr.load().addr));
        if let Some(cookie) = &s.opts.cookie {
            row.set(Col::Cookie, cookie.to_string());
        }
    }
    state(&mut row, v);
    traffic(&mut row, v);
    checks(&mut row, v);
    agent(&mut row, v);
    if let Some(tracked) = tracked {
        row.set(Col::Tracked, tracked);
    }
    zeros(&mut row, &TLS);
    row.finish()
}

fn state(row: &mut Row, v: &Server<'_>) {
    let s = v.server;
    row.numbers(&[
        (Col::Qcur, s.queued()),
        (Col::Qmax, s.queued_max()),
        (Col::Scur, s.served()),
        (Col::Smax, s.served_max()),
        (Col::Weight, s.effective_weight().div_ceil(WEIGHT_SCALE)),
        (Col::Uweight, s.weight()),
        (Col::Act, u32::from(!s.is_backup())),
        (Col::Bck, u32::from(s.is_backup())),
        (Col::Lastchg, whole(s.since_change(v.now))),
        (Col::Rate, s.sess_rate.read(v.now)),
        (Col::RateMax, s.sess_rate.max()),
        (Col::SrvIcur, s.idle.pooled()),
        (Col::IdleConnCur, s.idle.at(Place::Idle)),
        (Col::SafeConnCur, s.idle.at(Place::Safe)),
        (Col::UsedConnCur, s.idle.at(Place::Used)),
        (Col::NeedConnEst, s.idle.needed.load(Relaxed)),
        (Col::PrivIdleCur, 0),
        (Col::Srid, 0),
    ]);
    let limits = [
        (Col::Slim, s.maxconn()),
        (Col::Qlimit, s.maxqueue()),
        (Col::Throttle, s.throttle().map_or(0, u32::from)),
    ];
    limits.iter().filter(|(_, n)| *n > 0).for_each(|(col, n)| row.set(*col, *n));
    if let Some(most) = s.opts.pool_max_conn.and_then(|n| u32::try_from(n).ok()) {
        row.set(Col::SrcIlim, most);
    }
    row.set(Col::Lastsess, last_session(v.now, s.counters.last_session()));
}

fn traffic(row: &mut Row, v: &Server<'_>) {
    let c = &v.server.counters;
    counted(row, c, &COMMON);
    counted(row, c, &[(Col::Connect, Stat::Connects), (Col::Reuse, Stat::Reuses)]);
    timers(row, c);
    bytes(row, c.get(Stat::BytesIn), c.get(Stat::BytesOut), 0);
    if v.backend.facts.http {
        counted(row, c, &HRSP);
        row.set(Col::ReqTot, HRSP.iter().skip(1).map(|(_, stat)| c.get(*stat)).sum::<u64>());
    }
}

fn agent(row: &mut Row, v: &Server<'_>) {
    let Some(agent) = &v.server.agent else { return };
    let a = agent.view.lock();
    if !a.enabled {
        return;
    }
    row.set(Col::AgentStatus, a.status);
    if let Some(code) = a.code {
        row.set(Col::AgentCode, u32::from(code));
    }
    if let Some(ms) = a.duration {
        row.set(Col::AgentDuration, u64::from(ms));
    }
    row.set(Col::AgentDesc, a.desc);
    row.set(Col::LastAgt, a.last.clone());
    row.numbers(&[(Col::AgentRise, 1), (Col::AgentFall, 1), (Col::AgentHealth, u32::from(!a.down))]);
}

fn checks(row: &mut Row, v: &Server<'_>) {
    let k = v.server.check.lock();
    if v.server.opts.observe.is_some() {
        row.set(Col::Hanafail, k.observed);
    }
    if !k.enabled {
        return;
    }
    row.set(Col::Downtime, whole(v.server.downtime(v.now)));
    row.numbers(&[(Col::Chkfail, k.failed), (Col::Chkdown, u64::from(v.server.downs()))]);
    if !v.server.state().admin.any(Admin::MAINT) {
        last_check(row, &k);
    }
}

/// Results of checks, which pause in maintenance.
fn last_check(row: &mut Row, k: &CheckView) {
    row.set(Col::CheckStatus, k.status);
    // Results that come from an answer have one, if only 0.
    if k.code != 0 || matches!(k.status, "L7OK" | "L7OKC" | "L7STS") {
        row.set(Col::CheckCode, u32::from(k.code));
    }
    if let Some(ms) = k.duration {
        row.set(Col::CheckDuration, u64::from(ms));
    }
    row.set(Col::CheckDesc, k.desc);
    row.set(Col::LastChk, k.last.clone());
    row.numbers(&[(Col::CheckRise, k.rise), (Col::CheckFall, k.fall), (Col::CheckHealth, k.health)]);
}
