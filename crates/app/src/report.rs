//! Printing what is wrong with a configuration: for people, for people at a terminal, for programs.

use crate::args::{Args, DiagFormat};
use crate::messages::{Level, Messages};
use hawser_cfg::diag::{Diag, Diags, Severity};
use hawser_cfg::load::Files;
use hawser_cfg::render::{Classic, Format, render};
use std::io::{IsTerminal, Write};

/// Prints all messages about a configuration. JSON goes to standard output, everything else to standard error.
pub(crate) fn print(messages: &Messages, args: &Args, diags: &Diags, files: &Files) {
    let terminal = std::io::stderr().is_terminal();
    match args.diagnostics {
        DiagFormat::Json => {
            let text = render(diags, files, Format::Json, std::process::id(), args.diag);
            // A reader that has gone away does not want it.
            let _ = std::io::stdout().lock().write_all(text.as_bytes());
        }
        DiagFormat::Pretty => pretty(messages, args, diags, files, terminal),
        DiagFormat::Auto if terminal => pretty(messages, args, diags, files, terminal),
        DiagFormat::Auto | DiagFormat::Classic => classic(messages, args, &diags.list, files),
    }
}

/// Whether the summary lines of HAProxy's format belong under the messages.
pub(crate) fn wants_summary(args: &Args) -> bool {
    match args.diagnostics {
        DiagFormat::Classic => true,
        DiagFormat::Auto => !std::io::stderr().is_terminal(),
        DiagFormat::Pretty | DiagFormat::Json => false,
    }
}

fn pretty(messages: &Messages, args: &Args, diags: &Diags, files: &Files, color: bool) {
    let text = render(diags, files, Format::Pretty { color }, std::process::id(), args.diag);
    messages.print(&text);
    let warnings = diags.list.iter().filter(|d| d.severity == Severity::Warning).count();
    messages.count_warnings(u32::try_from(warnings).unwrap_or(u32::MAX));
}

fn classic(messages: &Messages, args: &Args, list: &[Diag], files: &Files) {
    let classic = Classic::new(files, std::process::id());
    for d in list {
        let level = match d.severity {
            Severity::Notice => Level::Notice,
            Severity::Diag if args.diag => Level::Diag,
            Severity::Diag => continue,
            Severity::Warning => Level::Warning,
            Severity::Alert => Level::Alert,
        };
        messages.rendered(level, &classic.message(d));
    }
}
