//! Printing what is wrong with a configuration.

use crate::messages::{Level, Messages};
use hawser_cfg::diag::{Diag, Layout, Severity};
use hawser_cfg::load::Files;

/// Prints all messages in HAProxy's format; `-dD` adds diagnostics.
pub(crate) fn classic(messages: &Messages, list: &[Diag], files: &Files, with_diag: bool) {
    for d in list {
        let level = match d.severity {
            Severity::Notice => Level::Notice,
            Severity::Diag if with_diag => Level::Diag,
            Severity::Diag => continue,
            Severity::Warning => Level::Warning,
            Severity::Alert => Level::Alert,
        };
        messages.say(level, &line(d, files));
    }
}

fn line(d: &Diag, files: &Files) -> String {
    let at = d.pos.map(|p| format!("[{}:{}]", files.name(p.file), p.line));
    let hint = d.suggestion.as_ref().map(|s| format!("; did you mean '{s}' maybe ?")).unwrap_or_default();
    let text = format!("{}{hint}", d.text);
    match (&at, d.layout) {
        (_, Layout::Plain) => text,
        (None, _) => format!("config : {text}"),
        (Some(at), Layout::Spaced) => format!("config : parsing {at} : {text}"),
        (Some(at), Layout::Tight | Layout::Excerpt) => format!("config : parsing {at}: {text}"),
        (Some(at), Layout::Bare) => format!("{at} : {text}"),
        (Some(at), _) => format!("config : {at} : {text}"),
    }
}
