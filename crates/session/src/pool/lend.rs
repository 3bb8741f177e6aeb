//! Connections to servers for requests without a client: health checks (manual 5.2 `check-reuse-pool`).

use super::{Line, Ride, Wire, Wish, idle, proven_scope, scope_of, take_pooled};
use crate::link::{AttachedSeat, Hold, Link};
use crate::target::Target;
use crate::worker::Worker;
use hawser_balance::Server;
use hawser_cfg::model::Reuse;
use hawser_proto::mux::BackStream;
use std::sync::Arc;

/// A connection to a server, or a stream of one, for one request.
pub struct Loan {
    link: Link,
    worker: Worker,
    /// Where it goes afterwards.
    mode: Reuse,
}

impl std::fmt::Debug for Loan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loan").finish_non_exhaustive()
    }
}

impl Loan {
    /// What carries the request.
    pub fn stream(&mut self) -> &mut dyn BackStream {
        self.link.stream()
    }

    /// The exchange is over: others may use the connection, if it can carry more. One that is dropped instead is closed.
    pub fn give_back(mut self) {
        if !self.link.stream().next_request() || self.mode == Reuse::Never {
            // As checks end connections of their own: no port stays in TIME_WAIT here.
            if let Some(transport) = self.link.stream().transport() {
                transport.set_linger_zero();
            }
            return;
        }
        if let Some(conn) = idle(&self.worker, self.link) {
            self.worker.park(conn);
        }
    }
}

impl Worker {
    /// A connection that is there, to a server of the backend with that number among the proxies, and of the name that
    /// requests ask for with `pool-conn-name`. As the first request of a client it gets what `http-reuse` leaves to
    /// those; a server of reverse HTTP is always reached that way.
    pub fn lend(&self, backend: usize, server: &Arc<Server>, name: Option<&[u8]>) -> Option<Loan> {
        let snapshot = self.shared().snapshot.load();
        let back = snapshot.proxy(backend)?.back.as_ref()?;
        let loan = |link| Some(Loan { link, worker: self.clone(), mode: back.reuse });
        if let Some(attached) = &server.attached {
            let (_, stream) = attached.open(name)?;
            return loan(Link::new(stream, Hold::Attached(AttachedSeat(server.clone())), true));
        }
        if back.reuse == Reuse::Never {
            return None;
        }
        let hash = Target::hash_of_name(name);
        let joined = self.sharing().join(server, hash);
        if let Some((shared, stream)) = joined {
            let ride = Ride { shared, server: server.clone(), worker: self.clone() };
            return loan(Link::new(stream, Hold::Shared(ride), true));
        }
        let first = !back.retry.repairs_reuse();
        let wish = Wish { hash, mode: back.reuse, first, shared: snapshot.idle_pool_shared };
        let (Wire { line, .. }, seat) = take_pooled(self, server, &wish)?.swap(());
        match line {
            Line::Single(stream) => loan(Link::new(stream, Hold::Alone(seat), true)),
            Line::Multi(mut lane) => {
                let stream = lane.0.as_ref()?.open()?;
                let shared = self.sharing().share(seat, lane.0.take()?, proven_scope(back.reuse));
                let ride = Ride { shared, server: server.clone(), worker: self.clone() };
                loan(Link::new(stream, Hold::Shared(ride), true))
            }
        }
    }

    /// Counts a connection that was established for such a request: afterwards, it belongs to everybody.
    pub fn lend_new(
        &self,
        backend: usize,
        server: &Arc<Server>,
        name: Option<&[u8]>,
        stream: Box<dyn BackStream>,
    ) -> Loan {
        let snapshot = self.shared().snapshot.load();
        let mode = snapshot.proxy(backend).and_then(|p| p.back.as_ref()).map_or(Reuse::Never, |b| b.reuse);
        let seat = self.pool().opened(server, Target::hash_of_name(name), ());
        let hold = match stream.conn() {
            None => Hold::Alone(seat),
            Some(conn) => {
                let shared = self.sharing().share(seat, conn, scope_of(mode));
                Hold::Shared(Ride { shared, server: server.clone(), worker: self.clone() })
            }
        };
        Loan { link: Link::new(stream, hold, false), worker: self.clone(), mode }
    }
}
