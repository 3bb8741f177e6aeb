//! What traffic tells about a server's health (manual 5.2 `observe`).

use crate::server::Server;
use crate::time::Ms;
use std::fmt;
use std::sync::Arc;

/// Something that happened to a connection or a request on a server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Observation {
    /// The connection was established.
    L4Ok,
    /// It could not be.
    L4Err,
    /// A response head came with this status.
    Response(u16),
    /// The response was not HTTP, or its head too large.
    BadHeaders,
    /// The response broke off or could not be parsed after its head.
    BadResponse,
    /// Reading failed or the server closed before a response.
    ReadError,
    /// `timeout server` struck before a response.
    ReadTimeout,
    /// The server closed while the request was sent.
    BrokenPipe,
}

/// Takes observations; the `check` crate installs one on servers with `observe`. Called on the request path.
pub trait Observer: Send + Sync {
    /// Something happened.
    fn observed(&self, what: Observation, now: Ms);
}

impl fmt::Debug for dyn Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}

impl Server {
    /// Reports what happened to a connection or request. Costs nothing on servers without `observe`.
    pub fn report(&self, what: Observation, now: Ms) {
        if let Some(o) = self.observer.get() {
            o.observed(what, now);
        }
    }

    /// Installs the observer; only the first one stays.
    pub fn set_observer(&self, observer: Arc<dyn Observer>) {
        drop(self.observer.set(observer));
    }
}
