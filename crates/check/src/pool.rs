//! Checks over the connections of traffic (manual 5.2 `check-reuse-pool`).

use hawser_balance::server::Server;
use hawser_proto::mux::BackStream;
use std::sync::Arc;

/// Connections to servers, as the thread knows them that runs the checks.
pub trait Pool {
    /// A connection that is there: to a server (its number) of a backend (its proxy's number), of the connection name
    /// that the check asks for.
    fn take(&self, to: Target<'_>) -> Option<Box<dyn Lent>>;

    /// Counts a connection that a check has established: others may use it after the check.
    fn opened(&self, to: Target<'_>, stream: Box<dyn BackStream>) -> Box<dyn Lent>;
}

/// What a check wants a connection to.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// Number of the backend among the proxies.
    pub backend: usize,
    /// The server.
    pub server: &'a Arc<Server>,
    /// `check-pool-conn-name`.
    pub name: Option<&'a str>,
}

/// A connection, or a stream of one, for one request.
pub trait Lent {
    /// What carries the request.
    fn stream(&mut self) -> &mut dyn BackStream;

    /// The exchange is over, and there was nothing wrong with it: others may use the connection.
    fn give_back(self: Box<Self>);
}

/// No connection is ever there, and none is kept.
#[derive(Clone, Copy, Debug)]
pub struct NoPool;

impl Pool for NoPool {
    fn take(&self, _: Target<'_>) -> Option<Box<dyn Lent>> {
        None
    }

    fn opened(&self, _: Target<'_>, stream: Box<dyn BackStream>) -> Box<dyn Lent> {
        Box::new(Single(stream))
    }
}

/// A connection that is for its check alone.
pub(crate) struct Single(pub(crate) Box<dyn BackStream>);

impl Lent for Single {
    fn stream(&mut self) -> &mut dyn BackStream {
        &mut *self.0
    }

    fn give_back(self: Box<Self>) {}
}

impl Drop for Single {
    fn drop(&mut self) {
        if let Some(conn) = self.0.conn() {
            conn.drain();
        }
    }
}
