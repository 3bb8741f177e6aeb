//! `log-forward` sections (manual 12.6).

use super::proxy::bind;
use super::{log, registry};
use crate::addr::AddrUse;
use crate::diag::Layout;
use crate::keyword::Table;
use crate::model::{HostStrategy, LogForward};
use crate::parse::ctx::Ctx;
use crate::parse::kw::{Kw, MANY, run, word};
use crate::parse::line::{Line, Prefix};
use crate::parse::run::available;

/// The name of the section, for messages.
const SECTION: &str = "log-forward";

type T = LogForward;

/// The keywords.
#[rustfmt::skip]
pub(crate) static KEYWORDS: Table<Kw<T>> = Table::new(&[
    run("backlog", (1, 1), "an integer argument.", |cx, t: &mut T, l| t.proxy.backlog = cx.u32(l, 0, 0, u32::MAX), "Length of the queue of pending connections."),
    run("bind", (0, MANY), "", |cx, t: &mut T, l| bind::bind_in(cx, &mut t.proxy.binds, l, AddrUse::Bind, SECTION), "Stream listener."),
    run("dgram-bind", (0, MANY), "", |cx, t: &mut T, l| bind::bind_in(cx, &mut t.dgram_binds, l, AddrUse::DgramBind, SECTION), "Datagram listener."),
    run("log", (0, MANY), "", |cx, t: &mut T, l| log::proxy(cx, &mut t.proxy, l), "Where logs go.").negatable(),
    run("maxconn", (1, 1), "an integer argument.", |cx, t: &mut T, l| t.proxy.maxconn = cx.u32(l, 0, 0, u32::MAX), "Most connections."),
    run("option", (0, MANY), "", option, "An option.").negatable(),
    run("timeout", (0, MANY), "", timeout, "A timeout."),
]);

/// What follows `option`.
#[rustfmt::skip]
pub(crate) static OPTIONS: Table<Kw<T>> = Table::new(&[
    word("assume-rfc6587-ntf", "Messages of streams end with their line."),
    word("dont-parse-log", "Messages are sent on as they are."),
    word("host", "The sender's address as the host name.").words(1, 1),
]);

/// What follows `timeout`.
#[rustfmt::skip]
pub(crate) static TIMEOUTS: Table<Kw<T>> = Table::new(&[
    word("client", "Longest silence of a sender.").words(1, 1),
]);

fn option(cx: &mut Ctx<'_>, t: &mut T, line: &Line<'_>) {
    let inner = line.deeper();
    let name = line.arg(0);
    if name.is_empty() {
        cx.alert(line, "'option' expects an option name.").layout = Layout::Tight;
        return;
    }
    let Some(row) = registry().log_forward_option.get(name) else {
        cx.alert_arg(line, 0, format!("unknown option '{name}' in log-forward section."));
        cx.suggest(name, registry().log_forward_option.names());
        return;
    };
    if !available(cx, &row.meta, &inner) {
        return;
    }
    if name == "host" {
        host(cx, t, &inner);
        return;
    }
    if !cx.at_most(&inner, 0) {
        return;
    }
    let on = line.prefix == Prefix::None;
    match name {
        "assume-rfc6587-ntf" => t.assume_ntf = on,
        _ => t.dont_parse = on,
    }
}

fn host(cx: &mut Ctx<'_>, t: &mut T, line: &Line<'_>) {
    let strategy = match line.arg(0) {
        "replace" => HostStrategy::Replace,
        "fill" => HostStrategy::Fill,
        "keep" => HostStrategy::Keep,
        "append" => HostStrategy::Append,
        _ => {
            cx.alert(line, "option 'host' expects {replace|fill|keep|append}.");
            return;
        }
    };
    // Without any strategy the sender does not matter.
    t.host = if line.prefix == Prefix::None { strategy } else { HostStrategy::Keep };
}

fn timeout(cx: &mut Ctx<'_>, t: &mut T, line: &Line<'_>) {
    let inner = line.deeper();
    let name = line.arg(0);
    let Some(row) = registry().log_forward_timeout.get(name) else {
        cx.alert(line, format!("unknown keyword 'timeout {name}' in log-forward section."));
        return;
    };
    if !available(cx, &row.meta, &inner) {
        return;
    }
    if inner.arg(0).is_empty() {
        cx.alert(&inner, "missing timeout client value.");
    } else if let Some(ms) = cx.time(&inner, 0) {
        t.proxy.timeouts.client = Some(ms);
    }
}
