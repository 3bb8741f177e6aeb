//! `-dK`: the registered keywords, class by class.

use hawser_cfg::keyword::{Which, dump_config};
use hawser_cli::Registry;
use hawser_cli::Status;
use std::fmt::Write;

/// Classes and what they list.
const CLASSES: &[(&str, &str)] = &[
    ("all", "list all keywords"),
    ("acl", "ACL keywords"),
    ("cfg", "configuration keywords"),
    ("cli", "CLI keywords"),
    ("cnv", "sample converter keywords"),
    ("flt", "filter names"),
    ("smp", "sample fetch functions"),
    ("svc", "service names"),
];

/// What `-dK` prints for a comma-separated list of classes.
pub(crate) fn keywords(classes: &str) -> String {
    let mut out = String::new();
    let wanted: Vec<&str> = classes.split(',').collect();
    let has = |class: &str| wanted.contains(&class) || wanted.contains(&"all");
    if wanted.contains(&"help") || wanted.contains(&"") {
        out.push_str("# List of supported keyword classes:\n");
        for (class, help) in CLASSES {
            let _ = writeln!(out, "{class}: {help}");
        }
    }
    if has("cfg") {
        dump_config(&mut out, Which::Registered, hawser_rules::action::table::rows(false));
    }
    if has("cli") {
        cli(&mut out);
    }
    out
}

fn cli(out: &mut String) {
    out.push_str("# List of registered CLI keywords:\n");
    for row in Registry::new(hawser_cli::commands::TABLES).rows() {
        let _ = write!(out, "{} ", row.words);
        let both = ["echo", "experimental-mode", "expert-mode", "help", "operator", "prompt", "quit", "user"];
        let shows = ["show cli level", "show cli sockets", "show env", "show startup-logs", "show version"];
        if row.status == Status::Master || both.contains(&row.words) || shows.contains(&row.words) {
            out.push_str("[MASTER] ");
        }
        if row.status != Status::Master {
            out.push_str("[WORKER] ");
        }
        if row.expert {
            out.push_str("[EXPERT] ");
        }
        if row.experimental {
            out.push_str("[EXPERIM] ");
        }
        out.push('\n');
    }
}
