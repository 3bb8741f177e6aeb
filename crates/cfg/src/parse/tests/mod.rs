//! Tables of configurations and what the parser says about them. The texts were compared with HAProxy 3.4.0.

mod global;
mod inherit;
mod log_forward;
mod model;
mod proxy;
mod robust;
mod stats;
mod whole;

use super::{Parsed, parse};
use crate::cond::CondCx;
use crate::diag::Severity;
use crate::env::Env;
use crate::load::Source;
use crate::model::Config;

/// Parses a text with an environment of two variables.
fn parsed(text: &str) -> Parsed {
    let mut env = Env::empty();
    env.set("PORT", "8080");
    env.set("NAME", "value");
    let source = Source::Text { name: "t".into(), data: text.as_bytes().to_vec() };
    parse(&[source], &CondCx::default(), &mut env)
}

/// What the parser says: `alert 3: text` per message, the summary at the end left out.
fn said(text: &str) -> Vec<String> {
    let list = parsed(text).diags.list;
    let messages = list.iter().filter(|d| !d.text.contains("rror(s) found in configuration"));
    let line = |d: &crate::diag::Diag| d.pos.map(|p| format!(" {}", p.line)).unwrap_or_default();
    let word = |s| match s {
        Severity::Alert => "alert",
        Severity::Warning => "warning",
        Severity::Diag => "diag",
        Severity::Notice => "notice",
    };
    messages.map(|d| format!("{}{}: {}", word(d.severity), line(d), d.text)).collect()
}

/// Checks that exactly these messages come, in this order.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    assert_eq!(said(text), expected, "\n{text}");
}

/// The configuration of a text that has no alert.
#[track_caller]
fn config(text: &str) -> Config {
    let p = parsed(text);
    assert!(!p.diags.has_alert(), "{:?}\n{text}", p.diags.list);
    p.config
}

/// A `listen` section that has nothing to complain about, with more lines.
fn listen(lines: &str) -> String {
    let timeouts = "timeout client 1s\ntimeout server 1s\ntimeout connect 1s\n";
    format!("listen l\nmode http\nbind :8080\n{timeouts}{lines}\n")
}
