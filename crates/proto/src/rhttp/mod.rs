//! Reverse HTTP, the dialling side (`bind rhttp@backend/server`, manual 5.1 `nbconn`): a listener without a socket.
//!
//! A task that the receiver owns opens a connection through the named server, starts HTTP/2 on it with the client's
//! preface and the SETTINGS of this side's mux, and waits for the peer's SETTINGS. Only then is the connection offered
//! to the accept loop, which takes it like any other; from there on the peer opens the streams. Nothing that the peer
//! sends early is lost, and nothing of it is looked at before the accept.
//!
//! A [`Plan`] is shared by the receivers of all threads: it counts connections, says whose turn it is to open the next
//! one, and when.

mod attempt;
mod backoff;
mod frames;
mod plan;
mod receiver;
mod turned;

pub use backoff::delay;
pub use plan::{Plan, PlanStatus};

use crate::vtable::{BindError, ConnectTo, Connecting, Protocol, ProtocolInfo, Receiver, RxConfig};
use std::io;
use std::time::Duration;

/// What a client of HTTP/2 sends first (RFC 9113, 3.4).
pub const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How long an attempt may take where the server's backend sets no `timeout connect`; HAProxy's choice.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(1);

/// Syslog level of errors.
const LOG_ERR: u8 = 3;
/// Syslog level of information.
const LOG_INFO: u8 = 6;

/// The server that the connections are opened through, and the frontend that they serve.
pub trait Dialer: Send + Sync {
    /// Looks the server up.
    ///
    /// # Errors
    /// Why it cannot be dialled, as a message ends.
    fn find(&self) -> Result<(), String>;

    /// Starts a connection to it, with the settings of its `server` line.
    ///
    /// # Errors
    /// Those of [`Protocol::connect`].
    fn dial(&self) -> io::Result<Box<dyn Connecting>>;

    /// `timeout connect` of its backend.
    fn connect_timeout(&self) -> Option<Duration>;

    /// What the frontend's mux sends first: [`crate::mux::FrontMux::greeting`].
    fn greeting(&self) -> Vec<u8>;

    /// Writes to the frontend's log, at a syslog level.
    fn log(&self, level: u8, text: &str);
}

/// Connections that this side opens and the peer uses.
pub(crate) struct Rhttp;

/// The protocol behind `rhttp@`.
pub(crate) static RHTTP: Rhttp = Rhttp;

/// HAProxy's messages call it by its first name.
static INFO: ProtocolInfo = ProtocolInfo { name: "rev", reuseport: false, dgram: false };

impl Protocol for Rhttp {
    fn info(&self) -> &'static ProtocolInfo {
        &INFO
    }

    fn bind(&self, cfg: &RxConfig, _warnings: &mut Vec<String>) -> Result<Box<dyn Receiver>, BindError> {
        match &cfg.plan {
            Some(plan) => Ok(Box::new(receiver::RhttpReceiver::new(plan.clone()))),
            None => {
                let text = format!("nothing to connect through for [{}]", cfg.addr.text);
                Err(BindError { text, in_use: false })
            }
        }
    }

    fn connect(&self, _to: &ConnectTo) -> io::Result<Box<dyn Connecting>> {
        // A server at such an address is reached over connections that its peers opened.
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(test)]
mod tests;
