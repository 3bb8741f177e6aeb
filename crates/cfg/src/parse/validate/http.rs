//! Settings that need `mode http`, and log formats that nobody reads.

use super::{http_format, place, title, warning};
use crate::diag::Diags;
use crate::model::{LogFormatDecl, Mode, Proxy};
use crate::sections::registry;
use std::sync::Arc;

/// Checks a proxy; in TCP mode, takes out what has no effect there.
pub(super) fn check(p: &mut Proxy, global_logs: bool, files: &[Arc<str>], diags: &mut Diags) {
    log_format(p, global_logs, files, diags);
    if p.mode != Mode::Http {
        statements(p, diags);
        options(p, diags);
    }
}

fn log_format(p: &mut Proxy, global_logs: bool, files: &[Arc<str>], diags: &mut Diags) {
    if p.log_format.is_none() && p.log_format_sd.is_none() {
        return;
    }
    if let (Mode::Tcp, Some(option)) = (p.mode, p.log_format.as_ref().and_then(http_format)) {
        let text = format!(
            "parsing [{}] : 'option {option}' not usable with {} (needs 'mode http'). Falling back to 'option tcplog'.",
            place(files, p.log_format_pos),
            title(p)
        );
        warning(diags, p.log_format_pos, text);
        p.log_format = Some(LogFormatDecl::Tcp { clf: false });
    }
    if !p.logs.iter().any(|l| !l.global || global_logs) {
        let text = format!("log format ignored for {} since it has no log address.", title(p));
        let sd = p.log_format_sd.as_ref().map(|(pos, _)| *pos);
        warning(diags, if p.log_format.is_some() { p.log_format_pos } else { sd.unwrap_or(p.pos) }, text);
    }
}

/// Statements and rules. They stay in the model where `tcp-request content switch-mode http` can revive them.
fn statements(p: &mut Proxy, diags: &mut Diags) {
    let who = title(p);
    if p.cookie.is_some() {
        warning(diags, p.pos, format!("cookie will be ignored for {who} (needs 'mode http')."));
    }
    if p.monitor_uri.take().is_some() {
        let text = format!("'monitor-uri' statement ignored for {who} as it requires HTTP mode.");
        warning(diags, p.pos, text);
    }
    if switches(p) {
        return;
    }
    if p.stats.take().is_some() {
        let text = format!("'stats' statement ignored for {who} as it requires HTTP mode.");
        warning(diags, p.pos, text);
    }
    let rules = [
        ("http-request", p.rules.http_req.len() > p.redirects),
        ("http-response", !p.rules.http_res.is_empty()),
        ("http-after-response", !p.rules.http_after_res.is_empty()),
        ("redirect", p.redirects > 0),
    ];
    for (what, present) in rules {
        if present {
            let text = format!("'{what}' rules ignored for {who} as they require HTTP mode.");
            warning(diags, p.pos, text);
        }
    }
}

/// Whether a TCP frontend can turn to HTTP.
fn switches(p: &Proxy) -> bool {
    p.rules.tcp_req_cont.iter().any(|r| r.words.first().is_some_and(|w| w.as_str() == "switch-mode"))
}

fn options(p: &mut Proxy, diags: &mut Diags) {
    let who = title(p);
    let pos = p.pos;
    let mut ignored = |name: &str| {
        warning(diags, pos, format!("'option {name}' ignored for {who} as it requires HTTP mode."));
    };
    if p.forwardfor.take().is_some() {
        ignored("forwardfor");
    }
    if p.originalto.take().is_some() {
        ignored("originalto");
    }
    if p.options.set == 0 {
        return;
    }
    for row in registry().option.rows() {
        if row.x.http && row.x.bit != 0 && p.options.has(row.x.bit) && row.x.acts_on(p.kind) {
            p.options.set &= !row.x.bit;
            ignored(row.meta.name);
        }
    }
}
