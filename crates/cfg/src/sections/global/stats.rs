//! `stats` in the global section (manual 3.1): command sockets.

use crate::addr::{self, AddrUse};
use crate::keyword::Table;
use crate::model::{Bind, Global, StatsSocket};
use crate::parse::ctx::Ctx;
use crate::parse::kw::{Kind, Kw, MANY, check, run, word};
use crate::parse::line::Line;
use crate::parse::run as dispatch;
use crate::sections::proxy::bind;

/// What follows `stats`.
#[rustfmt::skip]
pub(crate) static STATS: Table<Kw<Global>> = Table::new(&[
    run("socket", (0, MANY), "", socket, "A command socket."),
    run("timeout", (1, MANY), "<time> as argument.", timeout, "Longest silence on a command socket."),
    run("maxconn", (0, MANY), "", maxconn, "Most connections to command sockets."),
    word("bind-process", "Processes that listen on command sockets.").removed("2.5", ""),
    check("calculate-max-counters", Kind::OnOff, "Whether maxima are counted.").idle("counting maxima costs nothing here"),
]);

/// `stats …`.
pub(crate) fn parse(cx: &mut Ctx<'_>, g: &mut Global, line: &Line<'_>) {
    let inner = line.deeper();
    match crate::sections::registry().stats.get(inner.word()) {
        Some(row) => dispatch::run(cx, row, g, &inner),
        None => {
            let text = format!(
                "'stats' only supports 'socket', 'maxconn', 'bind-process', 'calculate-max-counters'  and 'timeout' \
                 (got '{}')",
                inner.word()
            );
            cx.alert_arg(line, 0, text);
            cx.suggest(inner.word(), crate::sections::registry().stats.names());
        }
    }
}

fn socket(cx: &mut Ctx<'_>, g: &mut Global, line: &Line<'_>) {
    if line.len() == 0 {
        cx.alert(line, "'stats socket' in global section expects an address or a path to a UNIX socket");
        return;
    }
    let addrs = match addr::parse_list(&cx.address(line.arg(0)), AddrUse::Bind) {
        Ok(addrs) => addrs,
        Err(why) => {
            cx.alert_arg(line, 0, format!("'stats socket' : {why}"));
            Vec::new()
        }
    };
    let mut target = bind::Target::default();
    bind::parse_options(cx, &mut target, line, 3, &|| "'stats socket'".to_owned());
    g.stats_sockets.push(StatsSocket {
        level: target.level.unwrap_or(1),
        expose_fd: target.opts.expose_fd,
        severity_output: target.severity,
        bind: Bind { pos: line.pos, addrs, opts: target.opts },
    });
}

fn timeout(cx: &mut Ctx<'_>, g: &mut Global, line: &Line<'_>) {
    match cx.time(line, 0) {
        Some(0) => {
            cx.alert_arg(line, 0, "'stats timeout' expects a positive value");
        }
        Some(ms) => g.stats_timeout = Some(ms),
        None => {}
    }
}

fn maxconn(cx: &mut Ctx<'_>, g: &mut Global, line: &Line<'_>) {
    match line.arg(0).parse::<u32>() {
        Ok(n) if n > 0 && i32::try_from(n).is_ok() => g.stats_maxconn = Some(n),
        _ => {
            cx.alert_arg(line, 0, "'stats maxconn' expects a positive value");
        }
    }
}
