//! `clear counters`.

use super::Statistics;
use hawser_cli::{Call, Command, Level, Process, Reply};

#[rustfmt::skip]
pub(super) static COMMANDS: &[Command] = &[
    Command::new("clear counters", "clear counters [all]", Level::Operator, counters, "forget the maxima of the counters, or all counters"),
];

fn counters(call: &mut Call<'_>) -> Reply {
    let all = call.arg(0) == "all";
    if let (true, Err(refusal)) = (all, call.require(Level::Admin)) {
        return refusal;
    }
    if let Some(statistics) = call.state.get::<Statistics>() {
        statistics.0.clear(all);
    }
    if let Some(process) = call.state.get::<Process>() {
        process.conns.conns.clear_peak();
        process.conns.conn_rate.clear_max();
        process.conns.sess_rate.clear_max();
    }
    Reply::Done
}
