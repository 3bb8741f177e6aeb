//! States of proxies and servers as lines, in HAProxy's words: tools grep for them.

use hawser_balance::{Backend, Stat};
use hawser_cfg::diag::Severity;
use hawser_log::event::{level, proxy_stopped};
use hawser_log::{Logger, terminal};
use hawser_session::Snapshot;
use hawser_session::snapshot::Proxy;

/// `SIGHUP`: every proxy and server, on the terminal and in the proxy's logs.
pub(super) fn dump(snapshot: &Snapshot, loggers: &[Logger]) {
    terminal::print(Severity::Warning, "SIGHUP received, dumping servers states.");
    for (proxy, logger) in snapshot.proxies.iter().zip(loggers) {
        let name = &proxy.facts.name;
        let head = format!("SIGHUP received, dumping servers states for proxy {name}.");
        logger.send(level::NOTICE, head.as_bytes());
        let backend = proxy.back.as_ref().map(|b| &*b.backend);
        let mut lines: Vec<String> = backend.map(servers).unwrap_or_default();
        lines.push(line(proxy, backend));
        for text in lines {
            terminal::print(Severity::Warning, &text);
            logger.send(level::NOTICE, text.as_bytes());
        }
    }
}

fn servers(backend: &Backend) -> Vec<String> {
    let one = |s: &std::sync::Arc<hawser_balance::Server>| {
        format!(
            "SIGHUP: Server {}/{} is {}. Conn: {} act, {} pend, {} tot.",
            backend.facts.name,
            s.name,
            if s.is_usable() { "UP" } else { "DOWN" },
            s.served(),
            s.queued(),
            s.counters.get(Stat::Sessions)
        )
    };
    backend.servers.iter().map(one).collect()
}

fn line(proxy: &Proxy, backend: Option<&Backend>) -> String {
    let state = match backend.filter(|b| !b.servers.is_empty()) {
        None => "has no servers.".to_owned(),
        Some(b) if b.usable_servers() == 0 => "has no server available !".to_owned(),
        Some(b) if b.active_servers() == 0 => "is running on backup servers !".to_owned(),
        Some(b) => {
            let (active, backup) = (b.active_servers(), b.backup_servers());
            format!("has {active} active servers and {backup} backup servers available.")
        }
    };
    let front = proxy.front.as_ref().and_then(|f| f.info.as_ref());
    let fe = front.map_or((0, 0), |f| (f.conns.inside(), f.conns.total()));
    let be = backend.map_or((0, 0), |b| (b.conns(), b.counters.get(Stat::Sessions)));
    let (pending, unassigned) = backend.map_or((0, 0), |b| (b.queued_total(), b.queued()));
    format!(
        "SIGHUP: Proxy {} {state} Conn: act(FE+BE): {}+{}, {pending} pend ({unassigned} unass), tot(FE+BE): {}+{}.",
        proxy.facts.name, fe.0, be.0, fe.1, be.1
    )
}

/// The end of a soft stop's first phase: frontends, then pure backends.
pub(super) fn stopped(snapshot: &Snapshot, loggers: &[Logger]) {
    let tell = |(proxy, logger): (&std::sync::Arc<Proxy>, &Logger)| {
        let front = proxy.front.as_ref().and_then(|f| f.info.as_ref());
        let fe = front.map_or(0, |f| f.conns.total());
        let be = proxy.back.as_ref().map_or(0, |b| b.backend.counters.get(Stat::Sessions));
        proxy_stopped(logger, &proxy.facts.name, fe, be);
    };
    let all = || snapshot.proxies.iter().zip(loggers).filter(|(p, _)| !p.disabled);
    all().filter(|(p, _)| p.front.is_some()).for_each(tell);
    all().filter(|(p, _)| p.front.is_none()).for_each(tell);
}
