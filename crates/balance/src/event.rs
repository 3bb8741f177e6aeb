//! What changes of state tell the outside: log lines and messages on the terminal.

use hawser_sample::facts::ProxyFacts;

/// Syslog levels, by their numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
#[repr(u8)]
#[expect(missing_docs, reason = "syslog's own words")]
pub enum Level {
    Emerg,
    Alert,
    Crit,
    Err,
    Warning,
    Notice,
    Info,
    Debug,
}

/// One event of a proxy.
#[derive(Debug)]
pub struct Event<'a> {
    /// The proxy whose log targets get [`Event::text`].
    pub proxy: &'a ProxyFacts,
    /// Level of the log line.
    pub level: Level,
    /// The line.
    pub text: &'a str,
    /// What standard error shows of it, as `[ALERT]` when `level` is [`Level::Emerg`], else as `[WARNING]`;
    /// `None` for lines that only go to the logs.
    pub console: Option<&'a str>,
}

/// Where events go. Called from worker threads, possibly while a backend's state is locked: it must neither
/// block nor change server states.
pub trait EventSink: Send + Sync {
    /// Takes one event.
    fn event(&self, event: &Event<'_>);
}

/// Drops every event.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoEvents;

impl EventSink for NoEvents {
    fn event(&self, _: &Event<'_>) {}
}
