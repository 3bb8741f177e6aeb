//! `timeout …` (manual 4.2).

use crate::keyword::{Meta, Row, Table};
use crate::model::{Proxy, Timeouts};
use crate::parse::ctx::{Ctx, SectKind};
use crate::parse::kw::Scope;
use crate::parse::line::Line;
use crate::parse::run;

/// The payload of a timeout row.
#[derive(Debug)]
pub(crate) struct Timeout {
    /// The side that it acts on.
    scope: Scope,
    slot: fn(&mut Timeouts) -> &mut Option<u32>,
}

const fn timeout(
    name: &'static str,
    scope: Scope,
    slot: fn(&mut Timeouts) -> &mut Option<u32>,
    help: &'static str,
) -> Row<Timeout> {
    Row { meta: Meta::new(name, help), x: Timeout { scope, slot } }
}

const fn removed(name: &'static str, instead: &'static str, help: &'static str) -> Row<Timeout> {
    timeout(name, Scope::PX, |t| &mut t.client, help).removed("2.1", instead)
}

/// All timeouts.
#[rustfmt::skip]
pub(crate) static TIMEOUTS: Table<Timeout> = Table::new(&[
    timeout("check", Scope::BE, |t| &mut t.check, "Longest wait for the answer to a health check."),
    timeout("client", Scope::FE, |t| &mut t.client, "Longest silence of the client."),
    timeout("client-fin", Scope::FE, |t| &mut t.client_fin, "Longest silence of a client that closed its side."),
    timeout("client-hs", Scope::FE, |t| &mut t.client_hs, "Longest handshake of a client."),
    timeout("connect", Scope::BE, |t| &mut t.connect, "Longest connection attempt."),
    timeout("http-keep-alive", Scope::PX, |t| &mut t.http_keep_alive, "Longest wait for the next request."),
    timeout("http-request", Scope::PX, |t| &mut t.http_request, "Longest wait for a complete request."),
    timeout("queue", Scope::BE, |t| &mut t.queue, "Longest wait for a free connection slot."),
    timeout("server", Scope::BE, |t| &mut t.server, "Longest silence of the server."),
    timeout("server-fin", Scope::BE, |t| &mut t.server_fin, "Longest silence of a server that closed its side."),
    timeout("tarpit", Scope::PX, |t| &mut t.tarpit, "How long a tarpitted connection is kept."),
    timeout("tunnel", Scope::BE, |t| &mut t.tunnel, "Longest silence of a tunnel."),
    removed("clitimeout", "'timeout client'", "Older name of timeout client."),
    removed("contimeout", "'timeout connect'", "Older name of timeout connect."),
    removed("srvtimeout", "'timeout server'", "Older name of timeout server."),
]);

/// `timeout <name> <time>`.
pub(crate) fn parse(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    let inner = line.deeper();
    let name = inner.word();
    let timeouts = &crate::sections::registry().timeout;
    let Some(row) = timeouts.get(name) else {
        let name = if line.len() == 0 { "" } else { name };
        let text = format!(
            "'timeout' supports 'client', 'server', 'connect', 'check', 'queue', 'handshake', 'http-keep-alive', \
             'http-request', 'tunnel', 'tarpit', 'client-fin' and 'server-fin' (got '{name}')"
        );
        cx.alert_arg(line, 0, text);
        cx.suggest(name, timeouts.names());
        return;
    };
    if !run::available(cx, &row.meta, &inner) {
        return;
    }
    let value = inner.arg(0);
    if value.is_empty() {
        cx.alert(&inner, format!("'timeout {name}' expects an integer value (in milliseconds)"));
        return;
    }
    let Some(ms) = cx.time(&inner, 0) else { return };
    if inner.len() > 1 {
        let text =
            format!("'timeout {name}' : unexpected extra argument '{}' after value '{value}'.", inner.arg(1));
        cx.alert_arg(&inner, 1, text);
        return;
    }
    if !sided(cx, row.x.scope, &inner) {
        return;
    }
    let slot = (row.x.slot)(&mut p.timeouts);
    let first = cx.st.once(name);
    if !first && !matches!(cx.st.kind, SectKind::Defaults(_)) {
        cx.warn(line, format!("overwriting 'timeout {name}' which was already specified"));
    } else {
        small(cx, &inner, value, ms, |cx| cx.proxy_name());
    }
    *slot = Some(ms);
}

fn sided(cx: &mut Ctx<'_>, scope: Scope, line: &Line<'_>) -> bool {
    let kind = cx.st.kind;
    let lacks = match kind {
        SectKind::Defaults(_) => return true,
        _ if scope == Scope::FE && !kind.is_fe() => "frontend",
        _ if scope == Scope::BE && !kind.is_be() => "backend",
        _ => return true,
    };
    let text = format!(
        "'timeout {}' will be ignored because {} has no {lacks} capability",
        line.word(),
        cx.proxy_name()
    );
    cx.warn(line, text);
    false
}

/// Warns about a time without a unit that was probably meant in seconds.
pub(crate) fn small(
    cx: &mut Ctx<'_>,
    line: &Line<'_>,
    value: &str,
    ms: u32,
    place: impl Fn(&Ctx<'_>) -> String,
) {
    if ms == 0 || ms >= 100 || !value.bytes().all(|b| b.is_ascii_digit()) {
        return;
    }
    let text = format!(
        "'{} {value}' in {} is suspiciously small for a value in milliseconds. Please use an explicit unit \
         ('{value}ms') if that was the intent.",
        line.keyword(),
        place(cx)
    );
    cx.warn(line, text);
}
