//! Checks of the whole configuration, once all of it was read: names that must exist, numbers that must differ,
//! settings that do not fit together. The texts are HAProxy's.

mod http;
mod names;
mod numbers;
mod servers;
mod userlists;

use crate::diag::{Diag, Diags, Layout, Severity};
use crate::model::{CheckKind, Config, LogFormatDecl, Mode, Proxy};
use crate::pos::Pos;
use crate::sections::proxy::finish_stats;
use std::sync::Arc;

/// Resolves names and reports what no single line can tell.
pub(crate) fn config(config: &mut Config, diags: &mut Diags) {
    numbers::check(config, diags);
    config.userlists.iter().for_each(|u| userlists::check(u, diags));
    for f in config.log_forwards.iter().filter(|f| f.dgram_binds.is_empty()) {
        listeners(&f.proxy, &config.files, diags);
    }
    let mut proxies = std::mem::take(&mut config.proxies);
    let kinds: Vec<names::Target> = proxies.iter().map(names::Target::of).collect();
    let look = names::Look { names: &config.proxy_names, targets: &kinds, files: &config.files };
    for p in &proxies {
        if p.disabled {
            continue;
        }
        listeners(p, &config.files, diags);
        names::check(p, &look, &config.http_errors, diags);
        balance(p, diags);
        checks(p, diags);
        timeouts(p, diags);
        servers::check(p, &look, diags);
    }
    servers::tracking(&proxies, &config.proxy_names, &config.files, diags);
    let has_logs = !config.global.logs.is_empty();
    for p in proxies.iter_mut().filter(|p| !p.disabled) {
        http::check(p, has_logs, &config.files, diags);
    }
    for (index, p) in proxies.iter_mut().enumerate().filter(|(_, p)| !p.disabled) {
        finish_stats(config, p, index, diags);
    }
    config.proxies = proxies;
}

/// `file:line`.
fn place(files: &[Arc<str>], pos: Pos) -> String {
    let file = files.get(usize::from(pos.file.0)).map_or("", |f| f);
    format!("{file}:{}", pos.line)
}

/// `frontend 'f'`.
fn title(p: &Proxy) -> String {
    format!("{} '{}'", p.kind.word(), p.name)
}

/// A message that HAProxy prints without a place; rich formats show the line all the same.
fn plain(diags: &mut Diags, severity: Severity, pos: Pos, text: String) -> &mut Diag {
    let d = diags.push(severity, Some(pos), text);
    d.layout = Layout::Plain;
    d
}

fn alert(diags: &mut Diags, pos: Pos, text: String) {
    plain(diags, Severity::Alert, pos, text);
}

fn warning(diags: &mut Diags, pos: Pos, text: String) {
    plain(diags, Severity::Warning, pos, text);
}

fn listeners(p: &Proxy, files: &[Arc<str>], diags: &mut Diags) {
    if p.kind.is_fe() && p.binds.is_empty() {
        let text = format!(
            "{} has no 'bind' directive. Please declare it as a backend if this was intended.",
            title(p)
        );
        warning(diags, p.pos, text);
    }
    for b in &p.binds {
        let Some(proto) = b.opts.proto.as_deref() else { continue };
        if (proto == "none") != (p.mode == Mode::Tcp) {
            let addr = b.addrs.first().map_or("", |a| &a.text);
            let at = place(files, b.pos);
            let text =
                format!("{} : MUX protocol '{proto}' is not usable for 'bind {addr}' at [{at}].", title(p));
            alert(diags, b.pos, text);
        }
    }
}

fn balance(p: &Proxy, diags: &mut Diags) {
    let Some((pos, words)) = &p.balance else { return };
    let method = words.first().map_or("", |w| w.as_str());
    let http = p.mode == Mode::Http;
    if !http && (matches!(method, "uri" | "url_param") || method.starts_with("hdr(")) {
        let text = format!(
            "Layer 7 hash not possible for {} (needs 'mode http'). Falling back to round robin.",
            title(p)
        );
        warning(diags, *pos, text);
    }
    if p.dispatch.is_some() {
        let text = format!("dispatch address of {} will be ignored in balance mode.", title(p));
        warning(diags, *pos, text);
    }
}

/// Steps of health checks that no health check takes.
fn checks(p: &Proxy, diags: &mut Diags) {
    let first = |kw: &str| p.check_rules.iter().find(|r| r.words.first().is_some_and(|w| w.as_str() == kw));
    for (kw, option) in [("http-check", "httpchk"), ("tcp-check", "tcp-check")] {
        let used = match p.check_kind {
            CheckKind::Http(_) => kw == "http-check",
            CheckKind::TcpRules => kw == "tcp-check",
            CheckKind::Tcp | CheckKind::Service(_) => false,
        };
        // With `option httpchk`, steps of the other kind are kept for a section that uses them.
        if let (Some(rule), false, false) = (first(kw), used, matches!(p.check_kind, CheckKind::Http(_))) {
            let text =
                format!("{} uses {kw} rules without 'option {option}', so the rules are ignored.", title(p));
            warning(diags, rule.pos, text);
        }
    }
}

fn timeouts(p: &Proxy, diags: &mut Diags) {
    let none = |t: Option<u32>| t.unwrap_or(0) == 0;
    let t = &p.timeouts;
    let client = p.kind.is_fe() && none(t.client);
    let tcp = p.mode == Mode::Tcp;
    let server = p.kind.is_be()
        && !p.servers.is_empty()
        && (none(t.connect) || none(t.server) && (!tcp || none(t.tunnel)));
    if client || server {
        let text = format!(
            "missing timeouts for {}.\n   | While not properly invalid, you will certainly encounter various \
             problems\n   | with such a configuration. To fix this, please ensure that all following\n   | timeouts \
             are set to a non-zero value: 'client', 'connect', 'server'.",
            title(p)
        );
        warning(diags, p.pos, text);
    }
}

/// Whether the format needs HTTP; its option's name.
fn http_format(format: &LogFormatDecl) -> Option<&'static str> {
    match format {
        LogFormatDecl::Http { .. } => Some("httplog"),
        LogFormatDecl::Https => Some("httpslog"),
        LogFormatDecl::Tcp { .. } | LogFormatDecl::Custom(..) => None,
    }
}
