//! `log` lines of `global` and of proxies, and the log formats (manual 3.1, 4.2 and 8).

use crate::addr::{self, AddrUse};
use crate::model::{AddrKind, Global, LogAddr, LogFormatDecl, LogTarget, Proxy};
use crate::parse::ctx::Ctx;
use crate::parse::line::{Line, Prefix};
use std::net::ToSocketAddrs;

/// Syslog facilities, by number.
pub(crate) const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "auth2", "ftp", "ntp",
    "audit", "alert", "cron2", "local0", "local1", "local2", "local3", "local4", "local5", "local6",
    "local7",
];

/// Syslog levels, by number.
pub(crate) const LEVELS: [&str; 8] = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];

/// The port of syslog.
const SYSLOG: u16 = 514;

const FORMATS: [&str; 8] = ["local", "rfc3164", "rfc5424", "priority", "short", "timed", "iso", "raw"];

/// `log` in the global section.
pub(crate) fn global(cx: &mut Ctx<'_>, g: &mut Global, line: &Line<'_>) {
    log(cx, &mut g.logs, line, true);
}

/// `log` in a proxy.
pub(crate) fn proxy(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    log(cx, &mut p.logs, line, false);
}

fn log(cx: &mut Ctx<'_>, logs: &mut Vec<LogTarget>, line: &Line<'_>, in_global: bool) {
    if line.prefix == Prefix::No {
        if line.len() > 0 {
            cx.alert_arg(line, 0, "log : 'no log' does not expect arguments");
        } else {
            logs.clear();
        }
        return;
    }
    if let Some(target) = target(cx, line, in_global)
        // `log global` says the same however often it is said.
        && !(target.global && logs.iter().any(|l| l.global))
    {
        logs.push(target);
    }
}

fn empty(line: &Line<'_>) -> LogTarget {
    LogTarget {
        pos: line.pos,
        global: false,
        clear: false,
        addr: None,
        len: 1024,
        format: None,
        sample: None,
        profile: None,
        facility: 0,
        level: 7,
        min_level: 0,
    }
}

/// Parses everything that follows `log`.
fn target(cx: &mut Ctx<'_>, line: &Line<'_>, in_global: bool) -> Option<LogTarget> {
    let mut t = empty(line);
    if line.arg(0) == "global" && line.len() == 1 && !in_global {
        t.global = true;
        return Some(t);
    }
    if line.len() < 2 {
        let or = if in_global { "" } else { "or global" };
        cx.alert(line, format!("log : expects <address> and <facility> {or} as arguments"));
        return None;
    }
    let at = match options(cx, line, &mut t) {
        Ok(at) => at,
        Err((arg, why)) => {
            cx.alert_arg(line, arg, format!("log : {why}"));
            return None;
        }
    };
    match levels(line, at, &mut t).and_then(|()| address(&cx.address(line.arg(0))).map_err(|why| (0, why))) {
        Ok(addr) => t.addr = Some(addr),
        Err((arg, why)) => {
            cx.alert_arg(line, arg, format!("log : {why}"));
            return None;
        }
    }
    Some(t)
}

type Wrong = (usize, String);

/// The options between the address and the facility; gives the place of the facility.
fn options(cx: &mut Ctx<'_>, line: &Line<'_>, t: &mut LogTarget) -> Result<usize, Wrong> {
    let mut at = 1;
    loop {
        let value = line.arg(at + 1);
        match line.arg(at) {
            "len" => match value.parse() {
                Ok(n @ 80..=65535) => t.len = n,
                _ => {
                    let why = format!("invalid log length '{value}', must be between 80 and 65535");
                    return Err((at + 1, why));
                }
            },
            "format" if FORMATS.contains(&value) => t.format = Some(value.to_owned()),
            "format" => return Err((at + 1, format!("unknown log format '{value}'"))),
            "sample" => t.sample = Some(sample(value).map_err(|why| (at + 1, why))?),
            "profile" if !value.is_empty() => {
                cx.alert_arg(line, at, "'log profile' is not supported by Hawser yet (area: log profiles).");
                t.profile = Some(value.to_owned());
            }
            "profile" => return Err((at, "expects a profile name".into())),
            _ => return Ok(at),
        }
        at += 2;
    }
}

fn levels(line: &Line<'_>, at: usize, t: &mut LogTarget) -> Result<(), Wrong> {
    let find =
        |list: &[&str], word: &str| list.iter().position(|w| *w == word).and_then(|n| u8::try_from(n).ok());
    let facility = line.arg(at);
    t.facility = find(&FACILITIES, facility).ok_or((at, format!("unknown log facility '{facility}'")))?;
    for (arg, slot, what) in [(at + 1, &mut t.level, ""), (at + 2, &mut t.min_level, "minimum ")] {
        let word = line.arg(arg);
        if word.is_empty() {
            return Ok(());
        }
        *slot = find(&LEVELS, word).ok_or((arg, format!("unknown optional {what}log level '{word}'")))?;
    }
    match line.arg(at + 3) {
        "" => Ok(()),
        extra => Err((at + 3, format!("cannot handle unexpected argument '{extra}'"))),
    }
}

/// `1,3-5:8`: which logs of a cycle are sent.
fn sample(text: &str) -> Result<(Vec<(u32, u32)>, u32), String> {
    let (ranges, size) = text.rsplit_once(':').ok_or("Missing sample size")?;
    let size: u32 =
        size.parse().ok().filter(|n| *n > 0).ok_or_else(|| format!("invalid sample size '{size}'"))?;
    let mut list = Vec::new();
    for range in ranges.split(',') {
        let (low, high) = range.split_once('-').unwrap_or((range, range));
        let number = |s: &str| s.parse::<u32>().ok().filter(|n| *n > 0);
        match (number(low), number(high)) {
            (Some(low), Some(high)) if low <= high => list.push((low, high)),
            _ => return Err(format!("invalid range '{range}'")),
        }
    }
    let max = list.iter().map(|r| r.1).max().unwrap_or(0);
    if size < max {
        return Err(format!(
            "sample size {size} should be greater or equal to {max} the maximum of the high ranges limits"
        ));
    }
    list.sort_unstable();
    if let Some(pair) = list.windows(2).find(|w| w[0].1 >= w[1].0) {
        return Err(format!(
            "sample ranges are overlapping: {}-{} and {}-{}",
            pair[0].0, pair[0].1, pair[1].0, pair[1].1
        ));
    }
    Ok((list, size))
}

fn address(text: &str) -> Result<LogAddr, String> {
    match text {
        "stdout" => return Ok(LogAddr::Fd(1)),
        "stderr" => return Ok(LogAddr::Fd(2)),
        _ => {}
    }
    if let Some(name) = text.strip_prefix("ring@") {
        return Err(format!("ring '{name}' is not supported by Hawser yet (area: rings)"));
    }
    if let Some(name) = text.strip_prefix("backend@") {
        return Err(format!("log backend '{name}' is not supported by Hawser yet (area: log balancing)"));
    }
    let addr = addr::parse(text, AddrUse::Log)?;
    if !addr.dgram && matches!(addr.kind, AddrKind::Ip(_) | AddrKind::Name(..)) {
        return Err("stream targets are not supported by Hawser yet (area: rings)".into());
    }
    match addr.kind {
        AddrKind::Ip(mut sa) => {
            if addr.port_missing {
                sa.set_port(SYSLOG);
            }
            Ok(LogAddr::Udp(sa))
        }
        AddrKind::Unix(path) => Ok(LogAddr::Unix(path)),
        AddrKind::Abns(name, exact) => Ok(LogAddr::Abns(name, exact)),
        AddrKind::Fd(fd) => Ok(LogAddr::Fd(fd)),
        AddrKind::Name(name, port) => (name.as_str(), if port == 0 { SYSLOG } else { port })
            .to_socket_addrs()
            .ok()
            .and_then(|mut list| list.next())
            .map(LogAddr::Udp)
            .ok_or_else(|| format!("could not resolve address '{name}'")),
        _ => Err(format!("'{text}' cannot receive logs")),
    }
}

/// `log-format` and its relatives: one word each, compiled where formats are known.
pub(crate) fn format(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    let kw = line.word();
    if line.len() == 0 {
        cx.alert(line, format!("{kw} expects an argument."));
        return;
    }
    if line.len() > 1 {
        cx.alert_arg(line, 1, format!("{kw} expects only one argument, don't forget to escape spaces!"));
        return;
    }
    if kw != "unique-id-format" && !cx.st.kind.is_fe() {
        cx.warn(line, format!("{} : '{kw}' directive is ignored in backends.", cx.proxy_name()));
        return;
    }
    let place = (line.pos, line.owned(0));
    match kw {
        "log-format" => {
            p.log_format = Some(LogFormatDecl::Custom(place.0, place.1));
            p.log_format_pos = line.pos;
        }
        "log-format-sd" => p.log_format_sd = Some(place),
        "error-log-format" => p.error_log_format = Some(place),
        _ => p.unique_id_format = Some(place),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples() {
        assert_eq!(sample("1:2"), Ok((vec![(1, 1)], 2)));
        assert_eq!(sample("4,1-2:4"), Ok((vec![(1, 2), (4, 4)], 4)));
        for bad in ["1-3:2", "a", "0:2", "1:0", "1-2,2-3:4", "2-1:5", ":", ""] {
            assert!(sample(bad).is_err(), "{bad}");
        }
    }
}
