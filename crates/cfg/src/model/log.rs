//! `log` lines (manual 3.1 and 4.2) and log formats.

use crate::pos::{Pos, Word};
use std::net::SocketAddr;
use std::path::PathBuf;

/// A `log` line (manual 4.2 and 3.1).
#[derive(Debug, Clone)]
pub struct LogTarget {
    /// Where.
    pub pos: Pos,
    /// `log global`.
    pub global: bool,
    /// `no log` clears everything before it; kept for order.
    pub clear: bool,
    /// Address, unless global.
    pub addr: Option<LogAddr>,
    /// `len` (bytes), 1024 by default.
    pub len: u32,
    /// `format`: local, rfc3164, rfc5424, priority, short, timed, iso, raw.
    pub format: Option<String>,
    /// `sample RANGES:SIZE`: ranges of positions from 1, then the cycle.
    pub sample: Option<(Vec<(u32, u32)>, u32)>,
    /// `profile`.
    pub profile: Option<String>,
    /// Facility number.
    pub facility: u8,
    /// Maximum level: 7 by default.
    pub level: u8,
    /// Minimum level: 0 by default.
    pub min_level: u8,
}

/// Where logs go.
#[derive(Debug, Clone, PartialEq)]
pub enum LogAddr {
    /// UDP.
    Udp(SocketAddr),
    /// A UNIX datagram socket path.
    Unix(PathBuf),
    /// An abstract UNIX datagram socket; true for `abnsz@`, whose name is not padded.
    Abns(Vec<u8>, bool),
    /// `stdout`, `stderr`, `fd@N`.
    Fd(i32),
    /// `ring@NAME`.
    Ring(String),
    /// `backend@NAME`.
    Backend(String),
}

/// Which log line a proxy writes.
#[derive(Debug, Clone)]
pub enum LogFormatDecl {
    /// `option tcplog` (`clf` flag as in the manual).
    Tcp {
        /// `option tcplog clf`.
        clf: bool,
    },
    /// `option httplog`.
    Http {
        /// `option httplog clf`.
        clf: bool,
    },
    /// `option httpslog`.
    Https,
    /// `log-format`.
    Custom(Pos, Word),
}
