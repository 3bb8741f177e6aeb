//! `log-forward` sections (manual 12.6): received messages are sent on to the section's targets.

mod frame;
mod line;
mod parse;
mod stream;

pub(crate) use line::Forwarded;

use crate::logger::Logger;
use hawser_cfg::diag::Diags;
use hawser_cfg::model::{Global, HostStrategy, LogForward};
use hawser_proto::Address;
use parse::Message;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// `tune.bufsize` where it is not set.
const BUFSIZE: u32 = 16384;

static RECEIVED: AtomicU64 = AtomicU64::new(0);

/// Messages received by all sections since the start (`CumRecvLogs` of `show info`).
pub fn received_logs() -> u64 {
    RECEIVED.load(Ordering::Relaxed)
}

/// One section, shared by all threads.
#[derive(Debug)]
pub struct Forwarder {
    logger: Logger,
    host: HostStrategy,
    dont_parse: bool,
    assume_ntf: bool,
    /// `timeout client`.
    timeout: Option<Duration>,
    /// Longest message, its framing included (`tune.bufsize`, bytes).
    max: usize,
}

impl Forwarder {
    /// Compiles a section.
    pub fn compile(diags: &mut Diags, global: &Global, section: &LogForward) -> Self {
        let ms = section.proxy.timeouts.client.filter(|ms| *ms > 0);
        Self {
            logger: Logger::compile(diags, global, &section.proxy.logs, None),
            host: section.host,
            dont_parse: section.dont_parse,
            assume_ntf: section.assume_ntf,
            timeout: ms.map(|ms| Duration::from_millis(ms.into())),
            max: global.bufsize.unwrap_or(BUFSIZE) as usize,
        }
    }

    /// Its targets.
    pub fn logger(&self) -> &Logger {
        &self.logger
    }

    /// Longest message, its framing included (`tune.bufsize`, bytes).
    pub fn max(&self) -> usize {
        self.max
    }

    /// Sends a message on. Never waits: a target that cannot take it at once does not get it.
    pub fn message(&self, bytes: &[u8], sender: &Address) {
        RECEIVED.fetch_add(1, Ordering::Relaxed);
        if self.dont_parse {
            self.logger.forward(&Forwarded { message: Message::raw(bytes), host: b"" });
            return;
        }
        let message = Message::parse(bytes);
        let sender = sender.ip().filter(|_| self.host != HostStrategy::Keep).map(|ip| ip.to_string());
        let own = message.host;
        let host = match (sender.as_deref().map(str::as_bytes), self.host) {
            (None, _) | (_, HostStrategy::Keep) => own,
            (Some(sender), HostStrategy::Replace) => sender,
            (Some(sender), _) if own.is_empty() => sender,
            (Some(_), HostStrategy::Fill) => own,
            (Some(sender), HostStrategy::Append) => &[own, b",", sender].concat(),
        };
        self.logger.forward(&Forwarded { message, host });
    }
}

#[cfg(test)]
mod tests;
