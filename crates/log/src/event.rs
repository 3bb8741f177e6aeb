//! Event lines: what happens to proxies and servers, for log targets and for the terminal.

use crate::logger::Logger;
use crate::terminal;
use hawser_cfg::diag::Severity;

/// Syslog levels of events.
#[expect(missing_docs, reason = "the levels of syslog")]
pub mod level {
    pub const EMERG: u8 = 0;
    pub const ALERT: u8 = 1;
    pub const CRIT: u8 = 2;
    pub const ERR: u8 = 3;
    pub const WARNING: u8 = 4;
    pub const NOTICE: u8 = 5;
    pub const INFO: u8 = 6;
    pub const DEBUG: u8 = 7;
}

/// Sends an event to a proxy's targets, and to standard error: as an alert what is an emergency, as a warning all
/// the rest.
pub fn event(logger: &Logger, level: u8, text: &str) {
    terminal::print(if level == level::EMERG { Severity::Alert } else { Severity::Warning }, text);
    logger.send(level, text.as_bytes());
}

/// Reports a proxy that has stopped, with the connections that its sides have seen in all. Tools grep for this line.
pub fn proxy_stopped(logger: &Logger, name: &str, frontend: u64, backend: u64) {
    let text = format!("Proxy {name} stopped (cumulated conns: FE: {frontend}, BE: {backend}).");
    event(logger, level::WARNING, &text);
}
