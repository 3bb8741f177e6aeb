//! Parses configurations and prints what is wrong with them: `check -c -f FILE …`, with HAProxy's exit status.
//!
//! Only the language and the keywords are checked here; rules, expressions and formats belong to other crates.

#![expect(clippy::print_stdout, reason = "a command line tool")]

use hawser_cfg::cond::CondCx;
use hawser_cfg::diag::{Diag, Layout, Severity};
use hawser_cfg::env::Env;
use hawser_cfg::load::Source;
use hawser_cfg::parse::{Parsed, parse};
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    let mut sources = Vec::new();
    let mut quiet = false;
    let mut times = 1;
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "-f" => sources.extend(args.next().map(|f| Source::Path(f.into()))),
            "-q" => quiet = true,
            "-n" => times = args.next().and_then(|n| n.parse().ok()).unwrap_or(1),
            a if a.starts_with('-') => {}
            a => sources.push(Source::Path(a.into())),
        }
    }
    let mut status = ExitCode::SUCCESS;
    for _ in 0..times {
        let start = cpu();
        let parsed = parse(&sources, &CondCx::default(), &mut Env::from_process());
        if times > 1 {
            println!("{:?}", cpu() - start);
        }
        if parsed.diags.has_alert() {
            status = ExitCode::FAILURE;
        }
        if !quiet {
            parsed.diags.list.iter().for_each(|d| println!("{}", text(&parsed, d)));
        }
        std::mem::forget(parsed);
    }
    status
}

/// CPU time of this process.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanos = stat.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0);
    Duration::from_nanos(nanos)
}

fn text(parsed: &Parsed, d: &Diag) -> String {
    let level = match d.severity {
        Severity::Alert => "ALERT",
        Severity::Warning => "WARNING",
        Severity::Diag => "DIAG",
        Severity::Notice => "NOTICE",
    };
    let place = match (d.pos, d.layout) {
        (_, Layout::Plain) => String::new(),
        (None, _) | (_, Layout::Summary | Layout::Unplaced) => "config : ".into(),
        (Some(pos), layout) => {
            let at = format!("[{}:{}]", parsed.files.name(pos.file), pos.line);
            match layout {
                Layout::Spaced => format!("config : parsing {at} : "),
                Layout::Located => format!("config : {at} : "),
                Layout::Bare => format!("{at} : "),
                _ => format!("config : parsing {at}: "),
            }
        }
    };
    let hint = d.suggestion.as_ref().map(|s| format!("; did you mean '{s}' maybe ?")).unwrap_or_default();
    format!("[{level}] (1) : {place}{}{hint}", d.text)
}
