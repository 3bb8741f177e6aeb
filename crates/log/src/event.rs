//! Event lines: servers going up and down, health checks, proxies starting and stopping. Tools grep for these texts.

use crate::logger::Logger;
use crate::terminal;
use hawser_cfg::diag::Severity;
use std::fmt;

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

/// Sends an event to a proxy's targets, and to standard error as a warning.
pub fn event(logger: &Logger, level: u8, text: &str) {
    terminal::print(Severity::Warning, text);
    logger.send(level, text.as_bytes());
}

/// Reports a backend that has lost its last server.
pub fn no_server(logger: &Logger, backend: &str) {
    terminal::print(Severity::Alert, &format!("backend '{backend}' has no server available!"));
    logger.send(level::EMERG, format!("backend {backend} has no server available!").as_bytes());
}

/// Reports a proxy that has stopped: connections that its sides have seen in all.
pub fn proxy_stopped(logger: &Logger, name: &str, frontend: u64, backend: u64) {
    let text = format!("Proxy {name} stopped (cumulated conns: FE: {frontend}, BE: {backend}).");
    event(logger, level::WARNING, &text);
}

/// Which server an event is about.
#[derive(Clone, Copy, Debug)]
pub struct ServerName<'a> {
    /// Its backend.
    pub backend: &'a str,
    /// Its name.
    pub server: &'a str,
    /// `backup`.
    pub backup: bool,
}

impl fmt::Display for ServerName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let backup = if self.backup { "Backup " } else { "" };
        write!(f, "{backup}Server {}/{}", self.backend, self.server)
    }
}

/// What changed a server's state.
#[derive(Clone, Copy, Debug)]
pub enum Cause<'a> {
    /// An administrator or an event that was logged before.
    Known,
    /// A tracked server, `backend/server`.
    Via(&'a str),
    /// A health check, as [`check_result`] words it.
    Check(&'a str),
}

impl fmt::Display for Cause<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known => Ok(()),
            Self::Via(server) => write!(f, " via {server}"),
            Self::Check(result) => write!(f, ", {result}"),
        }
    }
}

/// What a backend has left, and what becomes of the server's load.
#[derive(Clone, Copy, Debug, Default)]
pub struct Left {
    /// Usable servers that are no backup.
    pub active: u32,
    /// Usable backup servers.
    pub backup: u32,
    /// Sessions on the server.
    pub sessions: u32,
    /// Requests taken out of its queue, or put to it.
    pub requeued: u32,
    /// Requests in the queues of the backend.
    pub queued: u32,
}

/// `Server b/s is DOWN…`, at level ALERT.
pub fn server_down(server: ServerName<'_>, cause: Cause<'_>, left: &Left) -> String {
    let on_backup = if left.active == 0 && left.backup > 0 { " Running on backup." } else { "" };
    format!(
        "{server} is DOWN{cause}. {} active and {} backup servers left.{on_backup} {} sessions active, {} requeued, {} \
         remaining in queue.",
        left.active, left.backup, left.sessions, left.requeued, left.queued
    )
}

/// `Server b/s is UP…`, at level NOTICE.
pub fn server_up(server: ServerName<'_>, cause: Cause<'_>, left: &Left) -> String {
    format!(
        "{server} is UP{cause}. {} active and {} backup servers online. {} sessions requeued, {} total in queue.",
        left.active, left.backup, left.requeued, left.queued
    )
}

/// Result of a health check: a description (`Layer4 connection problem`), a code, what the check saw, its length (ms).
pub fn check_result(description: &str, code: Option<u32>, info: &str, ms: u64) -> String {
    let code = code.map_or(String::new(), |c| format!(", code: {c}"));
    let info = if info.is_empty() { String::new() } else { format!(", info: \"{info}\"") };
    format!("reason: {description}{code}{info}, check duration: {ms}ms")
}

/// `Health check for server b/s failed, …` (`option log-health-checks`), at level NOTICE: successes or failures so far
/// of those needed, and the state that the server has.
pub fn health_check(
    server: ServerName<'_>,
    passed: bool,
    result: &str,
    count: (u32, u32),
    up: bool,
) -> String {
    let backup = if server.backup { "backup " } else { "" };
    let verdict = if passed { "succeeded" } else { "failed" };
    let state = if up { "UP" } else { "DOWN" };
    format!(
        "Health check for {backup}server {}/{} {verdict}, {result}, status: {}/{} {state}.",
        server.backend, server.server, count.0, count.1
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: ServerName<'_> = ServerName { backend: "b", server: "s", backup: false };
    const T: ServerName<'_> = ServerName { backend: "b", server: "t", backup: true };

    #[test]
    fn servers_going_down_and_up() {
        let left = Left { backup: 1, ..Left::default() };
        assert_eq!(
            server_down(S, Cause::Known, &left),
            "Server b/s is DOWN. 0 active and 1 backup servers left. Running on backup. 0 sessions active, 0 requeued, \
             0 remaining in queue."
        );
        assert_eq!(
            server_down(
                T,
                Cause::Via("b/s"),
                &Left { sessions: 3, requeued: 4, queued: 5, ..Left::default() }
            ),
            "Backup Server b/t is DOWN via b/s. 0 active and 0 backup servers left. 3 sessions active, 4 requeued, 5 \
             remaining in queue."
        );
        assert_eq!(
            server_up(
                S,
                Cause::Check("reason: Layer4 check passed, check duration: 0ms"),
                &Left { active: 1, ..left }
            ),
            "Server b/s is UP, reason: Layer4 check passed, check duration: 0ms. 1 active and 1 backup servers online. 0 \
             sessions requeued, 0 total in queue."
        );
    }

    #[test]
    fn health_checks() {
        let result = check_result("Layer7 wrong status", Some(500), "Internal Server Error", 5);
        assert_eq!(
            health_check(S, false, &result, (1, 2), true),
            "Health check for server b/s failed, reason: Layer7 wrong status, code: 500, info: \"Internal Server \
             Error\", check duration: 5ms, status: 1/2 UP."
        );
        let result = check_result("Layer4 check passed", None, "", 0);
        assert_eq!(
            health_check(T, true, &result, (1, 1), true),
            "Health check for backup server b/t succeeded, reason: Layer4 check passed, check duration: 0ms, status: \
             1/1 UP."
        );
    }
}
