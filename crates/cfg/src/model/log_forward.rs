//! `log-forward` sections (manual 12.6).

use super::{Bind, Proxy};

/// A section that receives logs and sends them on.
#[derive(Debug, Default)]
pub struct LogForward {
    /// What it has in common with a frontend: name, stream listeners (`bind`), targets (`log`), `maxconn`, `backlog`,
    /// `timeout client`.
    pub proxy: Proxy,
    /// Datagram listeners (`dgram-bind`).
    pub dgram_binds: Vec<Bind>,
    /// `option host`.
    pub host: HostStrategy,
    /// `option dont-parse-log`.
    pub dont_parse: bool,
    /// `option assume-rfc6587-ntf`.
    pub assume_ntf: bool,
}

/// `option host`: the host name of forwarded messages, and the address of their sender.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum HostStrategy {
    /// The sender's address stands for every host name.
    Replace,
    /// The sender's address stands for a missing host name.
    #[default]
    Fill,
    /// The sender's address does not matter.
    Keep,
    /// The sender's address follows the host name.
    Append,
}
