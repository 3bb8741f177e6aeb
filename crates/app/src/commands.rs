//! Commands of the runtime API that need more than the process: the layers that serve traffic.

mod address;
mod backend;
mod clear;
mod find;
mod none;
mod server;
mod show;
mod table;
mod vars;

use crate::engine::SharedEngine;
use crate::reverse::Tunnels;
use hawser_balance::event::Level as LogLevel;
use hawser_cli::{Call, Command, Level, Registry, Reply};
use hawser_log::Logger;
use hawser_proto::clock;
use hawser_sample::date;
use hawser_stats::Selection;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

#[rustfmt::skip]
static COMMANDS: &[Command] = &[
    Command::new("debug dev log", "debug dev log [msg] ...", Level::Admin, debug_log, "send a message to the global log servers").expert(),
    Command::new("show errors", "show errors [<px>] [request|response]", Level::Operator, show_errors, "show the last invalid request and response of each proxy"),
    Command::new("show rhttp", "show rhttp", Level::User, show_rhttp, "show the tunnels of reverse HTTP, both ends"),
    Command::new("show stat", "show stat [desc|json|no-maint|typed|up]*", Level::User, show_stat, "show the counters of proxies, listeners and servers"),
];

/// All commands of the program.
pub(crate) fn registry() -> Registry {
    let mut tables = hawser_cli::commands::TABLES.to_vec();
    tables.extend([
        COMMANDS,
        backend::COMMANDS,
        clear::COMMANDS,
        none::COMMANDS,
        server::COMMANDS,
        show::COMMANDS,
        table::COMMANDS,
        vars::COMMANDS,
    ]);
    Registry::new(&tables)
}

/// Where `show stat` finds its rows.
pub(crate) struct Statistics(pub(crate) SharedEngine);

fn show_stat(call: &mut Call<'_>) -> Reply {
    let Some(statistics) = call.state.get::<Statistics>() else { return Reply::Done };
    let selection = Selection::parse(call.args);
    let addresses = call.conversation.level() >= Level::Operator;
    match statistics.0.stats(&selection, addresses) {
        Some(rows) => Reply::Dump(hawser_stats::print(&rows, selection.format)),
        None => Reply::err("No such proxy."),
    }
}

/// Which sections have their id from the configuration, by index.
pub(crate) struct ForcedIds(pub(crate) Vec<bool>);

/// Where `debug dev log` sends what it is given: the global log servers.
pub(crate) struct GlobalLog(pub(crate) Logger);

fn debug_log(call: &mut Call<'_>) -> Reply {
    if let Some(log) = call.state.get::<GlobalLog>() {
        log.0.send(LogLevel::Info as u8, call.args.join(" ").as_bytes());
    }
    Reply::Done
}

/// Invalid messages are not kept, so there are none to show.
fn show_errors(call: &mut Call<'_>) -> Reply {
    let named = call.arg(0);
    let wanted = !named.is_empty() && !["request", "response"].contains(&named);
    if let (true, Some(s)) = (wanted, call.state.get::<Statistics>())
        && !s.0.snapshot().proxies.iter().any(|p| *p.facts.name == *named)
    {
        return Reply::err("No such proxy.");
    }
    let now = clock::wall().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut text = b"Total events captured on [".to_vec();
    let seconds = i64::try_from(now.as_secs()).unwrap_or_default();
    if let Some(tm) = date::local(seconds) {
        tm.strftime(b"%d/%b/%Y:%H:%M:%S", &mut text);
    }
    let text = String::from_utf8_lossy(&text);
    Reply::Dump(format!("{text}.{:03}] : 0\n", now.subsec_millis()))
}

fn show_rhttp(call: &mut Call<'_>) -> Reply {
    call.state
        .get::<Arc<Tunnels>>()
        .map_or(Reply::err("The process is not ready."), |t| Reply::Dump(t.show()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hawser_cli::{Conversation, SeverityOutput, State};
    use std::time::Duration;

    #[test]
    fn every_command_of_haproxy_has_a_row() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/reference/haproxy-3.4/keywords.txt");
        let Ok(text) = std::fs::read_to_string(path) else { return };
        let registry = registry();
        let list = text.split("# List of registered CLI keywords:\n").nth(1).unwrap();
        let words = |line: &str| line.split(" [").next().unwrap_or_default().trim().to_owned();
        let missing: Vec<_> = list
            .lines()
            .take_while(|l| !l.starts_with('#'))
            .map(words)
            .filter(|w| !registry.rows().iter().any(|r| r.words == *w))
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn errors_are_dated() {
        let mut c = Conversation::new(Level::Operator, SeverityOutput::None, Duration::from_secs(1));
        c.feed(b"show errors\n");
        let line = c.next_line().unwrap().unwrap();
        let Reply::Dump(text) = c.execute(&line[0], &State::default(), &registry()) else {
            panic!("refused")
        };
        // Total events captured on [23/Nov/2026:07:36:59.040] : 0
        let date = text.strip_prefix("Total events captured on [").unwrap().strip_suffix("] : 0\n").unwrap();
        assert_eq!((date.len(), date.matches(['/', ':', '.']).count()), (24, 6), "{date}");
    }
}
