//! Master-worker mode (management guide 4 and 9.4): a process that serves no traffic starts the one that does, and
//! replaces it when it is told to.
//!
//! A worker is this program, executed anew, so that each reload runs the program and the configuration as they are
//! on disk by then. It inherits two sockets: over one the master passes connections to its command line (also
//! for `_getsocks`, by which the next worker gets the listening sockets), over the other it tells how it is doing
//! ([`link`]). Only the master makes processes.

mod cli;
mod link;
mod notify;
mod relay;
mod show;
mod signals;
mod start;
mod supervise;
mod workers;

pub(crate) use cli::implements;
pub(crate) use link::{Facts, Link, Status};
pub(crate) use start::{Start, run};

use hawser_cfg::load::Source;
use hawser_cfg::model::{Config, Global};
use hawser_cfg::parse::parse;
use hawser_cfg::{cond::CondCx, diag::Diags, env::Env};
use hawser_cli::{DEFAULT_TIMEOUT, Level, SeverityOutput, Socket};
use hawser_listener::BindSpec;
use hawser_proto::ProcessInfo;
use std::fmt::Write;
use std::sync::Arc;

/// The number of the line, as it were, that is the master's way to the worker's command line.
pub(crate) const LINE: usize = usize::MAX;

/// Most connections to the master's command line, and of it to a worker's.
const MAXCONN: u32 = 50;

/// The worker's end of the way to its command line.
pub(crate) fn channel(fd: i32, diags: &mut Diags) -> Option<BindSpec> {
    let config = sockets(&[format!("sockpair@{fd},level,admin")], diags);
    compile(&config, diags).into_iter().map(|(_, spec)| spec).next()
}

/// What the master may do on a worker's command line.
pub(crate) const CHANNEL: Socket =
    Socket { level: Level::Admin, severity: SeverityOutput::None, timeout: DEFAULT_TIMEOUT, expose_fd: true };

/// The configuration that a list of `-S` amounts to.
fn sockets(lines: &[String], diags: &mut Diags) -> Config {
    let mut text = String::from("global\n");
    for line in lines {
        let line = line.replace(',', " ");
        let level = if line.split(' ').any(|w| w == "level") { "" } else { " level admin" };
        let _ = writeln!(text, "stats socket {line}{level}");
    }
    let source = Source::Text { name: "command line".into(), data: text.into_bytes() };
    let parsed = parse(&[source], &CondCx::default(), &mut Env::empty());
    diags
        .list
        .extend(parsed.diags.list.into_iter().filter(|d| d.severity == hawser_cfg::diag::Severity::Alert));
    parsed.config
}

fn compile(config: &Config, diags: &mut Diags) -> Vec<(usize, BindSpec)> {
    let g = Global { stats_maxconn: Some(MAXCONN), ..Global::default() };
    hawser_listener::compile_cli(config, &crate::cli::frontend(&g), &Arc::new(ProcessInfo::new(0)), diags)
}
