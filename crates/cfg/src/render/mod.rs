//! Turns messages into text: HAProxy's own format, one for people at a terminal, one for programs.
//!
//! Nothing is written here; the callers get strings.

mod classic;
mod json;
mod pretty;
#[cfg(test)]
mod tests;

pub use classic::Classic;
pub use json::json_line;
pub use pretty::Pretty;

use crate::diag::{Diag, Diags, Layout, Severity};
use crate::load::Files;
use crate::octets;

/// What ends the messages about a configuration that is refused, after `config : `.
pub const FATAL: &str = "Fatal errors found in configuration.";

/// What HAProxy prints on standard output when there were warnings.
pub const WARNINGS_FOUND: &str = "Warnings were found.";

/// What `-c` prints on standard output with `-V` for a configuration that is accepted.
pub const VALID: &str = "Configuration file is valid";

/// What `-dW` and `zero-warning` make of warnings.
pub const ZERO_WARNING: &str = "Some warnings were found and 'zero-warning' is set. Aborting.";

/// What `-c` prints on standard output when there is nothing to listen on; the exit status is 2.
pub const NO_LISTENER: &str = "Configuration file has no error but will not start (no listener) => exit(2).";

/// How messages are shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Format {
    /// HAProxy's lines.
    #[default]
    Classic,
    /// With the source line and carets, for a terminal.
    Pretty {
        /// With ANSI colours.
        color: bool,
    },
    /// One JSON object per line.
    Json,
}

/// All messages in one format. The text of classic and pretty messages can represent bytes that are not UTF-8:
/// [`octets::decode`] it where it is written. `[DIAG]` messages are left out unless `diag` is set (`-dD`).
pub fn render(diags: &Diags, files: &Files, format: Format, pid: u32, diag: bool) -> String {
    let shown = diags.list.iter().filter(|d| diag || d.severity != Severity::Diag);
    match format {
        Format::Classic => {
            let classic = Classic::new(files, pid);
            shown.map(|d| classic.message(d)).collect()
        }
        Format::Pretty { color } => {
            let pretty = Pretty::new(files, color);
            let texts: String = shown.filter(|d| !is_summary(d)).map(|d| pretty.message(d) + "\n").collect();
            texts + &pretty.summary(diags)
        }
        Format::Json => shown.filter(|d| !is_summary(d)).map(|d| json_line(d, files)).collect(),
    }
}

fn is_summary(d: &Diag) -> bool {
    d.layout == Layout::Summary
}

/// HAProxy's word for a severity, in capitals.
fn label(severity: Severity) -> &'static str {
    match severity {
        Severity::Notice => "NOTICE",
        Severity::Diag => "DIAG",
        Severity::Warning => "WARNING",
        Severity::Alert => "ALERT",
    }
}

/// The column of the original bytes, from 1, for a byte column of the text that represents them.
fn source_column(line: &str, col: u32) -> usize {
    let mut col = usize::try_from(col).unwrap_or(usize::MAX).min(line.len());
    // A span of one byte can end inside a character.
    while !line.is_char_boundary(col) {
        col += 1;
    }
    octets::decode(&line[..col]).len() + 1
}

/// The message without the colon that announces an excerpt.
fn plain_text(d: &Diag) -> &str {
    if d.layout == Layout::Excerpt { d.text.strip_suffix(':').unwrap_or(&d.text) } else { &d.text }
}
