//! Messages on standard error, in HAProxy's form: `[WARNING]  (pid) : text`.

use hawser_cfg::diag::Severity;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

static QUIET: AtomicBool = AtomicBool::new(false);

/// Silences [`print`] (`-q`, `quiet`, and a process that has left its terminal).
pub fn set_quiet(quiet: bool) {
    QUIET.store(quiet, Ordering::Relaxed);
}

/// Prints one message, unless silenced. Nobody waits for it nor learns that it failed.
pub fn print(severity: Severity, text: &str) {
    if !QUIET.load(Ordering::Relaxed) {
        let _ = std::io::stderr().lock().write_all(line(severity, std::process::id(), text).as_bytes());
    }
}

/// The line, end included.
pub fn line(severity: Severity, pid: u32, text: &str) -> String {
    let tag = match severity {
        Severity::Notice => "[NOTICE]",
        Severity::Diag => "[DIAG]",
        Severity::Warning => "[WARNING]",
        Severity::Alert => "[ALERT]",
    };
    format!("{tag:<10} ({pid}) : {text}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_aligned() {
        assert_eq!(line(Severity::Notice, 7, "a"), "[NOTICE]   (7) : a\n");
        assert_eq!(line(Severity::Warning, 7, "a"), "[WARNING]  (7) : a\n");
        assert_eq!(line(Severity::Alert, 7, "a"), "[ALERT]    (7) : a\n");
    }
}
