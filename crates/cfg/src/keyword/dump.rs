//! `-dK`: the list of configuration keywords in HAProxy's format.

use super::{Index, Meta, Status};
use crate::parse::kw::{Kw, MANY, Scope};
use crate::sections::{self, registry};
use std::fmt::Write;

/// Which keywords are listed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Which {
    /// All that have a row, the refused ones too: comparable with HAProxy's list.
    Registered,
    /// Those that a configuration can use.
    Accepted,
}

/// One action, as the crate that owns the actions lists it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ActionRow<'a> {
    /// The rule set: `tcp-request connection`, `http-request`, ….
    pub rule_set: &'a str,
    /// The row.
    pub meta: &'a Meta,
}

/// The rule sets in HAProxy's order.
const RULE_SETS: [&str; 7] = [
    "tcp-request connection",
    "tcp-request session",
    "tcp-request content",
    "tcp-response content",
    "http-request",
    "http-response",
    "http-after-response",
];

/// Sections that have keywords of their own in HAProxy's list, in its order.
const SECTIONS: [&str; 4] = ["peers", "crt-store", "traces", "acme"];

/// Writes the part of `-dKcfg`, with its title. Keywords are sorted within each group, as HAProxy sorts them.
pub fn dump_config<'a>(out: &mut String, which: Which, actions: impl IntoIterator<Item = ActionRow<'a>>) {
    let r = registry();
    out.push_str("# List of registered configuration keywords:\n");
    section(out, "global", names(which, &r.global));
    let gone = |name: &str| sections::proxy::REMOVED.rows().iter().any(|row| row.meta.name == name);
    section(out, "listen", names(which, &r.proxy).into_iter().filter(|name| !gone(name)).collect());
    listen(out, which, actions.into_iter().collect());
    section(out, "userlist", names(which, &r.userlist));
    for name in SECTIONS {
        let rows = r.later.iter().find(|(n, _)| *n == name).map(|(_, index)| names(which, index));
        section(out, name, rows.unwrap_or_default());
        if name == "peers" {
            let rows = sections::later::CRT_LIST.rows().iter().filter(|row| listed(which, &row.meta));
            section(out, "crt-list", rows.map(|row| with_arity(&row.meta, &row.x)).collect());
        }
    }
}

/// What follows the keywords of proxies: options of `bind` and `server`, `option`, and the actions.
fn listen(out: &mut String, which: Which, actions: Vec<ActionRow<'_>>) {
    let r = registry();
    let tls = |name: &str| sections::proxy::BIND_TLS.rows().iter().any(|row| row.meta.name == name);
    for (ssl, title) in [(false, "bind <addr>"), (true, "bind <addr> ssl")] {
        let rows = r.bind.rows().iter().filter(|row| listed(which, &row.meta) && row.meta.name != "ssl");
        let rows = rows.filter(|row| tls(row.meta.name) == ssl).map(|row| with_arity(&row.meta, &row.x));
        group(out, title, rows.collect());
    }
    let rows = r.server.rows().iter().filter(|row| listed(which, &row.meta));
    group(out, "server <name> <addr>", rows.map(|row| with_arity(&row.meta, &row.x)).collect());
    let rows = r.option.rows().iter().filter(|row| listed(which, &row.meta)).map(|row| {
        let side = |s, word| if row.x.scope.has(s) { word } else { "" };
        let http = if row.x.http { "HTTP " } else { "" };
        format!("{} [ {}{}{http}]", row.meta.name, side(Scope::FE, "FE "), side(Scope::BE, "BE "))
    });
    group(out, "option", rows.collect());
    for set in RULE_SETS {
        let rows = actions.iter().filter(|a| a.rule_set == set && listed(which, a.meta));
        let rows = rows.map(|a| format!("{}{}", a.meta.name, if a.meta.prefix { "*" } else { "" }));
        group(out, set, rows.collect());
    }
}

fn listed(which: Which, meta: &Meta) -> bool {
    which == Which::Registered || matches!(meta.status, Status::Implemented | Status::NoEffect(_))
}

fn names<T>(which: Which, index: &Index<Kw<T>>) -> Vec<String> {
    index.rows().iter().filter(|row| listed(which, &row.meta)).map(|row| row.meta.name.to_owned()).collect()
}

/// `name`, and how many words it takes; -1 when it decides for itself.
fn with_arity<T>(meta: &Meta, kw: &Kw<T>) -> String {
    let name = meta.name;
    match kw.max {
        0 => name.to_owned(),
        _ if meta.prefix => name.to_owned(),
        MANY if kw.min == 0 => name.to_owned(),
        MANY => format!("{name} +-1"),
        n => format!("{name} +{n}"),
    }
}

fn section(out: &mut String, name: &str, rows: Vec<String>) {
    let _ = writeln!(out, "{name}");
    write_rows(out, "", rows);
}

fn group(out: &mut String, prefix: &str, rows: Vec<String>) {
    write_rows(out, &format!("{prefix} "), rows);
}

fn write_rows(out: &mut String, prefix: &str, mut rows: Vec<String>) {
    // By keyword alone: what follows it does not count.
    rows.sort_by(|a, b| first(a).cmp(first(b)));
    for row in rows {
        let _ = writeln!(out, "\t{prefix}{row}");
    }
}

fn first(row: &str) -> &str {
    row.split(' ').next().unwrap_or_default()
}

#[cfg(test)]
mod tests;
