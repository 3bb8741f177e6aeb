//! Messages on standard error, in HAProxy's format, kept for `show startup-logs`.

use crate::master::Status;
use hawser_cfg::octets;
use hawser_cli::StartupLogs;
use parking_lot::Mutex;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Severity of a message of the process.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub(crate) enum Level {
    /// `[NOTICE]`.
    Notice,
    /// `[DIAG]`.
    Diag,
    /// `[WARNING]`.
    Warning,
    /// `[ALERT]`.
    Alert,
}

impl Level {
    fn tag(self) -> &'static str {
        match self {
            Self::Notice => "[NOTICE]",
            Self::Diag => "[DIAG]",
            Self::Warning => "[WARNING]",
            Self::Alert => "[ALERT]",
        }
    }
}

/// Where messages go.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    quiet: AtomicBool,
    announced: AtomicBool,
    warnings: AtomicU32,
    /// Everything said so far.
    pub(crate) log: StartupLogs,
    /// The master, which hears all that is said while this process starts.
    pub(crate) master: Mutex<Option<Arc<Status>>>,
}

impl Messages {
    /// `-q` or `quiet`: from now on nothing is printed.
    pub(crate) fn set_quiet(&self, quiet: bool) {
        self.quiet.store(quiet, Ordering::Relaxed);
    }

    /// How many warnings there were.
    pub(crate) fn warnings(&self) -> u32 {
        self.warnings.load(Ordering::Relaxed)
    }

    /// Says something; lines after the first are set off as HAProxy does.
    pub(crate) fn say(&self, level: Level, text: &str) {
        self.rendered(level, &format(level, std::process::id(), text));
    }

    /// Says something that has its prefix already.
    pub(crate) fn rendered(&self, level: Level, text: &str) {
        if level > Level::Notice && !self.announced.swap(true, Ordering::Relaxed) {
            let pid = std::process::id();
            let version = format!("haproxy version is {}", crate::version::VERSION);
            self.print(&format(Level::Notice, pid, &version));
            let path = std::env::current_exe().map(|p| p.display().to_string()).unwrap_or_default();
            self.print(&format(Level::Notice, pid, &format!("path to executable is {path}")));
        }
        if level == Level::Warning {
            self.count_warnings(1);
        }
        self.print(text);
    }

    /// Counts warnings that were printed in another format.
    pub(crate) fn count_warnings(&self, n: u32) {
        self.warnings.fetch_add(n, Ordering::Relaxed);
    }

    /// An alert.
    pub(crate) fn alert(&self, text: &str) {
        self.say(Level::Alert, text);
    }

    /// A warning.
    pub(crate) fn warning(&self, text: &str) {
        self.say(Level::Warning, text);
    }

    /// A notice.
    pub(crate) fn notice(&self, text: &str) {
        self.say(Level::Notice, text);
    }

    /// Prints text as it is, and keeps it.
    pub(crate) fn print(&self, text: &str) {
        self.log.0.lock().push_str(text);
        if let Some(master) = &*self.master.lock() {
            master.log(text);
        }
        if !self.quiet.load(Ordering::Relaxed) {
            // Nobody may be listening any more; there is nothing to do about it.
            let _ = std::io::stderr().lock().write_all(&octets::decode(text));
        }
    }
}

fn format(level: Level, pid: u32, text: &str) -> String {
    let text = text.trim_end_matches('\n').replace('\n', "\n   | ");
    format!("{:<10} ({pid}) : {text}\n", level.tag())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_like_haproxy_s() {
        assert_eq!(format(Level::Alert, 7, "no"), "[ALERT]    (7) : no\n");
        assert_eq!(format(Level::Warning, 7, "a\nb\n"), "[WARNING]  (7) : a\n   | b\n");
        assert_eq!(format(Level::Notice, 12345, "x"), "[NOTICE]   (12345) : x\n");
    }

    #[test]
    fn the_version_is_told_once_before_the_first_problem() {
        let m = Messages::default();
        m.set_quiet(true);
        m.notice("a");
        m.warning("b");
        m.alert("c");
        let log = m.log.0.lock().clone();
        let texts: Vec<&str> = log.lines().map(|l| l.split(" : ").nth(1).unwrap_or_default()).collect();
        assert_eq!(texts[0], "a");
        assert!(texts[1].starts_with("haproxy version is 3.4.0"));
        assert!(texts[2].starts_with("path to executable is /"));
        assert_eq!(&texts[3..], ["b", "c"]);
        assert_eq!(m.warnings(), 1);
    }
}
