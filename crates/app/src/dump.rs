//! `-dK`: the registered keywords, class by class, in HAProxy's format. Keywords that are refused until they are
//! built are registered too: `docs/compatibility.md` tells them apart.

use hawser_cfg::keyword::{Meta, Status, Which, dump_config};
use hawser_cli::Status as CommandStatus;
use hawser_sample::registry::Registry as Samples;
use std::fmt::Write;

/// A class, what it lists, and how.
type Class = (&'static str, &'static str, fn(&mut String));

/// All classes.
#[rustfmt::skip]
const CLASSES: &[Class] = &[
    ("acl", "ACL keywords", |out| Samples::builtin().dump_acls(out)),
    ("cfg", "configuration keywords", configuration),
    ("cli", "CLI keywords", commands),
    ("cnv", "sample converter keywords", |out| Samples::builtin().dump_converters(out)),
    ("flt", "filter names", filters),
    ("smp", "sample fetch functions", |out| Samples::builtin().dump_fetches(out)),
    ("svc", "service names", services),
];

/// What `-dK` prints for a comma-separated list of classes.
pub(crate) fn keywords(classes: &str) -> String {
    let wanted: Vec<&str> = classes.split(',').collect();
    let mut out = String::new();
    if wanted.iter().any(|w| matches!(*w, "help" | "")) {
        out.push_str("# List of supported keyword classes:\nall: list all keywords\n");
        for (class, help, _) in CLASSES {
            let _ = writeln!(out, "{class}: {help}");
        }
    }
    for (class, _, list) in CLASSES {
        if wanted.iter().any(|w| w == class || *w == "all") {
            list(&mut out);
        }
    }
    out
}

fn configuration(out: &mut String) {
    dump_config(out, Which::Registered, hawser_rules::action::table::rows(false));
}

fn commands(out: &mut String) {
    out.push_str("# List of registered CLI keywords:\n");
    for row in crate::commands::registry().rows() {
        let mark = |on: bool, word: &'static str| if on { word } else { "" };
        let master = row.status == CommandStatus::Master;
        let _ = writeln!(
            out,
            "{} {}{}{}{}",
            row.words,
            mark(master || row.in_master, "[MASTER] "),
            mark(!master, "[WORKER] "),
            mark(row.expert, "[EXPERT] "),
            mark(row.experimental, "[EXPERIM] ")
        );
    }
}

/// A filter or a service that is refused until it is built.
const fn later(name: &'static str, help: &'static str) -> Meta {
    Meta::new(name, help).status(Status::NotYet("filters and services"))
}

/// Filters, with the group that HAProxy lists them in.
#[rustfmt::skip]
pub(crate) static FILTERS: &[(Meta, &str)] = &[
    (later("bwlim-in", "Limits the bandwidth of uploads."), "BWLIM"),
    (later("bwlim-out", "Limits the bandwidth of downloads."), "BWLIM"),
    (later("cache", "Stores responses and answers from them."), "CACHE"),
    (later("comp-req", "Compresses requests."), "COMP"),
    (later("comp-res", "Compresses responses."), "COMP"),
    (later("compression", "Compresses requests and responses."), "COMP"),
    (later("fcgi-app", "Speaks FastCGI with the servers."), "FCGI"),
    (later("spoe", "Asks agents about streams."), "SPOE"),
    (later("trace", "Traces what passes through."), "TRACE"),
];

/// Services of `use-service`.
pub(crate) static SERVICES: &[Meta] = &[Meta::new(crate::metrics::NAME, "Exports metrics for Prometheus.")];

fn filters(out: &mut String) {
    out.push_str("# List of registered filter names:\n");
    for (meta, group) in FILTERS {
        let _ = writeln!(out, "{} [{group}]", meta.name);
    }
}

fn services(out: &mut String) {
    out.push_str("# List of registered service names:\n");
    for meta in SERVICES {
        let _ = writeln!(out, "{}", meta.name);
    }
}

/// `-dL`: the files that make up this program, itself first.
pub(crate) fn libraries(heading: bool) -> String {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let mut out = if heading { "List of loaded object files:\n".to_owned() } else { String::new() };
    let mut seen: Vec<&str> = Vec::new();
    for line in maps.lines() {
        let path = line.find('/').and_then(|at| line.get(at..)).unwrap_or_default();
        // What can be executed is code; data files are mapped too.
        let code = line.split(' ').nth(1).is_some_and(|rights| rights.contains('x'));
        if code && !path.is_empty() && !seen.contains(&path) {
            seen.push(path);
            out.push_str(path);
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_of_haproxy() {
        let all = keywords("all");
        for line in [
            "# List of registered ACL keywords:",
            "path_beg = path -m beg",
            "# List of registered configuration keywords:",
            "global",
            "listen",
            "show info [WORKER] ",
            "quit [MASTER] [WORKER] ",
            "reload [MASTER] ",
            "debug dev exit [WORKER] [EXPERT] ",
            "[ . . Y Y Y Y Y Y Y Y Y . . . . . . . . . . . ] base: str",
            "base64: str => bin",
            "# List of registered sample converter functions:",
            "#                       _.---------------------- frontend tcp-request connection rule",
            "#                      / _.--------------------- frontend tcp-request session rule",
            "#  / / / / / / / / / / / / / / / / / / / / / _.- CLI parser",
            "# | | | | | | | | | | | | | | | | | | | | | | ",
            "[ Y Y Y Y Y Y Y Y Y Y Y Y Y Y Y Y Y Y Y Y Y Y ] always_true: bool",
            "# List of registered service names:",
        ] {
            assert!(all.lines().any(|l| l == line), "{line}\n{all}");
        }
    }

    #[test]
    fn classes_are_chosen() {
        assert!(
            keywords("help")
                .starts_with("# List of supported keyword classes:\nall: list all keywords\nacl: ")
        );
        let some = keywords("acl,svc");
        assert_eq!(some.lines().filter(|l| l.starts_with("# List")).count(), 2);
        assert_eq!(keywords("nothing"), "");
    }
}
