//! Events of backends and servers: to the log targets of their proxy, and to standard error.

use hawser_balance::EventSink;
use hawser_balance::event::{Event, Level};
use hawser_cfg::diag::{Diags, Severity};
use hawser_cfg::model::Config;
use hawser_log::{Logger, terminal};

/// Loggers by index of the proxy.
#[derive(Debug)]
pub(crate) struct Events {
    /// See above.
    pub(crate) loggers: Vec<Logger>,
}

impl Events {
    /// Compiles the targets once more; what is wrong with them is told where streams compile theirs.
    pub(crate) fn new(config: &Config) -> Self {
        let mut known = Diags::default();
        let logger = |p: &hawser_cfg::model::Proxy| {
            Logger::compile(&mut known, &config.global, &p.logs, p.log_tag.as_deref())
        };
        Self { loggers: config.proxies.iter().map(logger).collect() }
    }
}

impl EventSink for Events {
    fn event(&self, event: &Event<'_>) {
        if let Some(text) = event.console {
            let severity = if event.level == Level::Emerg { Severity::Alert } else { Severity::Warning };
            terminal::print(severity, text);
        }
        if let Some(logger) = self.loggers.get(event.proxy.index) {
            logger.send(event.level as u8, event.text.as_bytes());
        }
    }
}
