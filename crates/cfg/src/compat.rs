//! The list of HAProxy's keywords and what Hawser does with each: `docs/compatibility.md`.

use crate::keyword::{Index, Meta, Status};
use crate::parse::kw::Kw;
use crate::sections::{self, registry};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;

/// One keyword of one family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompatRow {
    /// The family, such as `global`, `bind option` or `fetch`.
    pub family: Cow<'static, str>,
    /// The keyword.
    pub name: String,
    /// What is done with it.
    pub status: Status,
    /// It needs `expose-experimental-directives`.
    pub experimental: bool,
    /// Its line of help.
    pub help: &'static str,
}

impl CompatRow {
    /// The row of a keyword.
    pub fn new(family: impl Into<Cow<'static, str>>, meta: &Meta) -> Self {
        Self {
            family: family.into(),
            name: meta.name.to_owned(),
            status: meta.status,
            experimental: meta.experimental,
            help: meta.help,
        }
    }
}

/// The keywords of all sections.
pub fn rows() -> Vec<CompatRow> {
    let r = registry();
    let mut out = Vec::new();
    out.extend(r.sections.rows().iter().map(|row| CompatRow::new("section", &row.meta)));
    family(&mut out, "global", "", &r.global);
    family(&mut out, "global", "stats ", &r.stats);
    family(&mut out, "proxy", "", &r.proxy);
    family(&mut out, "proxy", "stats ", &r.stats_page);
    out.extend(r.timeout.rows().iter().map(|row| prefixed("proxy", "timeout ", &row.meta)));
    out.extend(r.option.rows().iter().map(|row| CompatRow::new("option", &row.meta)));
    family(&mut out, "bind option", "", &r.bind);
    family(&mut out, "server option", "", &r.server);
    family(&mut out, "http-errors", "", &r.http_errors);
    family(&mut out, "userlist", "", &r.userlist);
    family(&mut out, "log-forward", "", &r.log_forward);
    family(&mut out, "log-forward", "option ", &r.log_forward_option);
    family(&mut out, "log-forward", "timeout ", &r.log_forward_timeout);
    for (section, index) in &r.later {
        family(&mut out, section, "", index);
    }
    out.extend(
        sections::later::CRT_LIST.rows().iter().map(|row| CompatRow::new("crt-list option", &row.meta)),
    );
    out
}

fn family<T>(out: &mut Vec<CompatRow>, family: &'static str, prefix: &str, index: &Index<Kw<T>>) {
    out.extend(index.rows().iter().map(|row| prefixed(family, prefix, &row.meta)));
}

fn prefixed(family: &'static str, prefix: &str, meta: &Meta) -> CompatRow {
    let mut row = CompatRow::new(family, meta);
    row.name.insert_str(0, prefix);
    row
}

/// Writes the document: a table of counts, then one table per family, both in the order in which the families
/// first come up; keywords are sorted.
pub fn markdown(rows: impl IntoIterator<Item = CompatRow>) -> String {
    let mut families: Vec<(Cow<'static, str>, BTreeMap<String, CompatRow>)> = Vec::new();
    for row in rows {
        let at = families.iter().position(|(f, _)| *f == row.family).unwrap_or_else(|| {
            families.push((row.family.clone(), BTreeMap::new()));
            families.len() - 1
        });
        families[at].1.insert(row.name.clone(), row);
    }
    let mut out = String::from(
        "# Compatibility with HAProxy 3.4\n\n\
         Generated from the keyword tables; do not edit. Every keyword is implemented, accepted without effect \
         (where having no\neffect is right, for the reason given), refused until it is built, or refused because \
         HAProxy removed it.\n\n\
         | family | implemented | no effect | not yet | removed |\n| --- | ---: | ---: | ---: | ---: |\n",
    );
    for (family, rows) in &families {
        let mut n = [0; 4];
        for row in rows.values() {
            n[column(row.status)] += 1;
        }
        let _ = writeln!(out, "| {family} | {} | {} | {} | {} |", n[0], n[1], n[2], n[3]);
    }
    for (family, rows) in &families {
        let _ = write!(out, "\n## {family}\n\n| keyword | status | note |\n| --- | --- | --- |\n");
        for row in rows.values() {
            let _ = writeln!(out, "| `{}` | {} | {} |", row.name, status(row), note(row));
        }
    }
    out
}

fn column(status: Status) -> usize {
    match status {
        Status::Implemented => 0,
        Status::NoEffect(_) => 1,
        Status::NotYet(_) => 2,
        Status::Removed { .. } => 3,
    }
}

fn status(row: &CompatRow) -> String {
    let word = match row.status {
        Status::Implemented => "implemented",
        Status::NoEffect(_) => "no effect",
        Status::NotYet(_) => "not yet",
        Status::Removed { .. } => "removed",
    };
    if row.experimental { format!("{word}, experimental") } else { word.to_owned() }
}

fn note(row: &CompatRow) -> String {
    let text = match row.status {
        Status::Implemented => row.help.to_owned(),
        Status::NoEffect(why) => format!("{} No effect: {why}.", row.help),
        Status::NotYet(area) => format!("{} Area: {area}.", row.help),
        Status::Removed { since, instead } => {
            let since = if since.is_empty() { "Removed".into() } else { format!("Removed in {since}") };
            if instead.is_empty() { format!("{since}.") } else { format!("{since}; use {instead}.") }
        }
    };
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(family: &'static str, name: &str, status: Status) -> CompatRow {
        CompatRow { family: family.into(), name: name.into(), status, experimental: false, help: "Help." }
    }

    #[test]
    fn writes_sorted_tables_per_family() {
        let text = markdown([
            row("b", "z", Status::Implemented),
            row("a", "x|y", Status::NotYet("TLS")),
            row("b", "c", Status::NoEffect("no need")),
            row("b", "d", Status::Removed { since: "2.1", instead: "'e'" }),
        ]);
        assert!(text.contains("| b | 1 | 1 | 0 | 1 |\n| a | 0 | 0 | 1 | 0 |\n"), "{text}");
        let b = "## b\n\n| keyword | status | note |\n| --- | --- | --- |\n\
                 | `c` | no effect | Help. No effect: no need. |\n\
                 | `d` | removed | Removed in 2.1; use 'e'. |\n\
                 | `z` | implemented | Help. |\n";
        assert!(text.contains(b), "{text}");
        assert!(text.contains("| `x|y` | not yet | Help. Area: TLS. |\n"), "{text}");
    }

    #[test]
    fn every_family_has_rows() {
        let rows = rows();
        for family in
            ["section", "global", "proxy", "option", "bind option", "server option", "peers", "acme"]
        {
            assert!(rows.iter().any(|r| r.family == family), "{family}");
        }
        assert!(rows.iter().any(|r| r.name == "timeout client"));
    }
}
