//! Servers: distinct names and numbers, checks that have a port, tracking.

use super::names::Look;
use super::{alert, place, title, warning};
use crate::diag::{Diags, Layout, Severity};
use crate::model::{AddrKind, CheckKind, Mode, Proxy, Reuse, Server};
use std::collections::HashMap;
use std::sync::Arc;

/// So many servers are compared one by one.
const FEW: usize = 16;

/// Checks the servers of a proxy.
pub(super) fn check(p: &Proxy, look: &Look<'_>, diags: &mut Diags) {
    if p.servers.len() > FEW {
        let mut names: HashMap<&str, &Server> = HashMap::with_capacity(p.servers.len());
        for s in &p.servers {
            if let Some(other) = names.insert(&s.name, s) {
                same_name(p, look, s, other, diags);
            }
        }
    } else {
        for (i, s) in p.servers.iter().enumerate() {
            if let Some(other) = p.servers[..i].iter().rev().find(|o| o.name == s.name) {
                same_name(p, look, s, other, diags);
            }
        }
    }
    if p.servers.iter().any(|s| s.opts.id.is_some()) {
        ids(p, look, diags);
    }
    for s in &p.servers {
        one(p, s, diags);
        if s.opts.check && s.opts.check_reuse_pool == Some(true) {
            idle_checks(p, look, s, diags);
        }
    }
}

/// Checks that are to use idle connections, and never will.
fn idle_checks(p: &Proxy, look: &Look<'_>, s: &Server, diags: &mut Diags) {
    let passive = matches!(s.addr.kind, AddrKind::Rhttp(_));
    let why = match (&p.check_kind, p.reuse.unwrap_or_default()) {
        (CheckKind::Http(_), Reuse::Never | Reuse::Safe) if !passive => "due to http-reuse policy",
        (CheckKind::Http(_), _) => return,
        _ => "for non http-check rulesets",
    };
    let place = place(look.files, s.pos);
    let text = format!("parsing [{place}] : 'server {}': check-reuse-pool is ineffective {why}.", s.name);
    diags.push(Severity::Diag, Some(s.pos), text).layout = Layout::Plain;
}

fn same_name(p: &Proxy, look: &Look<'_>, s: &Server, other: &Server, diags: &mut Diags) {
    let text = format!(
        "parsing [{}] : {}, another server named '{}' was already defined at line {}, please use distinct names.",
        place(look.files, s.pos),
        title(p),
        s.name,
        other.pos.line
    );
    alert(diags, s.pos, text);
}

fn ids(p: &Proxy, look: &Look<'_>, diags: &mut Diags) {
    let mut ids: HashMap<u32, &Server> = HashMap::new();
    for s in &p.servers {
        let Some(id) = s.opts.id else { continue };
        if let Some(other) = ids.insert(id, s) {
            let text = format!(
                "'server {}/{}' : 'id' : custom id {id} already used at {} ('server {}').",
                p.name,
                s.name,
                place(look.files, other.pos),
                other.name
            );
            diags.alert(s.pos, text).layout = Layout::Located;
        }
    }
}

fn one(p: &Proxy, s: &Server, diags: &mut Diags) {
    if matches!(s.addr.kind, AddrKind::Rhttp(_)) {
        passive(p, s, diags);
    }
    if s.addr.dgram && matches!(p.mode, Mode::Tcp | Mode::Http) {
        let mode = if p.mode == Mode::Http { "http" } else { "tcp" };
        let text = format!("unsupported transport for server address in '{mode}' backend.");
        diags.alert(s.pos, text).layout = Layout::Bare;
    }
    if s.opts.check && s.opts.check_port.is_none() && !has_port(s) {
        ports(p, s, diags);
    }
    if s.opts.tfo {
        fast_open(p, s, diags);
    }
    if p.mode != Mode::Http {
        if let Some(proto) = s.opts.proto.as_deref() {
            let text =
                format!("{} : MUX protocol '{proto}' is not usable for server '{}'.", title(p), s.name);
            alert(diags, s.pos, text);
        }
        if s.opts.redir.is_some() {
            let text =
                format!("{} : server cannot have cookie or redirect prefix in non-HTTP mode.", title(p));
            alert(diags, s.pos, text);
        }
        if s.opts.cookie.is_some() {
            let text =
                format!("{} : ignoring cookie for server '{}' as HTTP mode is disabled.", title(p), s.name);
            warning(diags, s.pos, text);
        }
    }
    agent(p, s, diags);
    if s.opts.check && s.opts.track.is_some() {
        let text = format!(
            "'server {}/{}' : unable to enable checks and tracking at the same time!",
            p.name, s.name
        );
        diags.alert(s.pos, text).layout = Layout::Located;
    }
}

/// An agent needs a port of its own.
fn agent(p: &Proxy, s: &Server, diags: &mut Diags) {
    if s.opts.agent.check && s.opts.agent.port.is_none() {
        let text = format!(
            "'server {}/{}' : server {} does not have agent port. Agent check has been disabled.",
            p.name, s.name, s.name
        );
        diags.alert(s.pos, text).layout = Layout::Located;
    }
}

/// A server that is never dialled: its peers connect (reverse HTTP).
fn passive(p: &Proxy, s: &Server, diags: &mut Diags) {
    if p.mode != Mode::Http {
        let text = format!(
            "{} : server {} uses reverse HTTP addressing which can only be used with HTTP mode.",
            title(p),
            s.name
        );
        alert(diags, s.pos, text);
    }
}

/// Data sent with the SYN is lost when the connection fails, so that the request must be repeated.
fn fast_open(p: &Proxy, s: &Server, diags: &mut Diags) {
    let retries =
        |w: &str| p.retry_on.iter().any(|r| r.as_str() == w || r.as_str() == "all-retryable-errors");
    if !["conn-failure", "empty-response", "response-timeout"].into_iter().all(retries) {
        let text = format!(
            "'server {}/{}' : server has tfo activated, the backend should be configured with at least 'conn-failure', \
             'empty-response' and 'response-timeout' or we wouldn't be able to retry the connection on failure.",
            p.name, s.name
        );
        diags.warning(s.pos, text).layout = Layout::Bare;
    }
}

/// Whether the address of a server is complete enough to be checked.
fn has_port(s: &Server) -> bool {
    match &s.addr.kind {
        AddrKind::Ip(sa) | AddrKind::Quic(sa) => sa.port() != 0 && s.addr.port_offset.is_none(),
        AddrKind::Name(_, port) => *port != 0 && s.addr.port_offset.is_none(),
        _ => true,
    }
}

/// A check without a port of its own needs steps that name one.
fn ports(p: &Proxy, s: &Server, diags: &mut Diags) {
    let steps = !matches!(p.check_kind, CheckKind::Tcp);
    let mut connects =
        p.check_rules.iter().filter(|r| r.words.get(1).is_some_and(|w| w.as_str() == "connect"));
    let ported = |r: &crate::model::RuleLine| r.words.iter().any(|w| w.as_str() == "port");
    let wanted = match p.check_kind {
        CheckKind::Http(_) => "http-check",
        _ => "tcp-check",
    };
    let named = connects.clone().any(|r| r.words.first().is_some_and(|w| w.as_str() == wanted))
        && connects.all(ported);
    if steps && named {
        return;
    }
    let more = if steps && (!p.check_rules.is_empty() || matches!(p.check_kind, CheckKind::Service(_))) {
        " nor tcp_check rule 'connect' with port information"
    } else {
        ""
    };
    let text =
        format!("config: {}: server '{}' has neither service port nor check port{more}.", title(p), s.name);
    alert(diags, s.pos, text);
}

/// Checks `track`: the server exists, is checked, and does not track back.
pub(super) fn tracking(
    proxies: &[Proxy],
    names: &HashMap<Arc<str>, usize>,
    files: &[Arc<str>],
    diags: &mut Diags,
) {
    let look = |p: &Proxy, path: &str| -> Result<(usize, usize), String> {
        let (proxy, server) = path.split_once('/').unwrap_or((&p.name, path));
        let at = *names
            .get(proxy)
            .ok_or_else(|| format!("unable to find required proxy '{proxy}' for tracking."))?;
        let q = proxies.get(at).ok_or_else(String::new)?;
        let s = q.servers.iter().position(|s| *s.name == *server);
        Ok((at, s.ok_or_else(|| format!("unable to find required server '{server}' for tracking."))?))
    };
    for p in proxies.iter().filter(|p| !p.disabled) {
        for s in &p.servers {
            let Some((_, path)) = &s.opts.track else { continue };
            let why = match look(p, path) {
                Err(why) => Some(why),
                Ok(first) => chain(proxies, &look, p, s, first),
            };
            if let Some(why) = why {
                let text = format!("[{}] : 'server {}/{}' : {why}", place(files, s.pos), p.name, s.name);
                alert(diags, s.pos, text);
            }
        }
    }
}

type Find<'a> = dyn Fn(&Proxy, &str) -> Result<(usize, usize), String> + 'a;

/// Follows a chain of tracked servers to one that is checked; says what is wrong with it.
fn chain(proxies: &[Proxy], find: &Find<'_>, p: &Proxy, s: &Server, first: (usize, usize)) -> Option<String> {
    let mut seen = vec![first];
    let mut at = first;
    loop {
        let q = proxies.get(at.0)?;
        let t = q.servers.get(at.1)?;
        let (px, srv) = (&q.name, &t.name);
        if std::ptr::eq(t, s) {
            let (px, srv) =
                proxies.get(first.0).and_then(|q| Some((&q.name, &q.servers.get(first.1)?.name)))?;
            return Some(format!(
                "unable to track {px}/{srv} as it belongs to a tracking chain looping back to {}/{}.",
                p.name, s.name
            ));
        }
        let Some((_, next)) = &t.opts.track else {
            let unchecked = !t.opts.check && !t.opts.agent.check;
            return unchecked.then(|| {
                format!(
                    "unable to use {px}/{srv} for tracking as it does not have any check nor agent enabled."
                )
            });
        };
        // What is wrong further down the chain is told there.
        at = find(q, next).ok()?;
        if seen.contains(&at) {
            return None;
        }
        seen.push(at);
    }
}
