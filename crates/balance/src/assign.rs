//! Choosing a server for a request and taking a place on it.

use crate::algo::{Choice, Pick};
use crate::backend::Backend;
use crate::counters::Stat;
use crate::queue::{ANY, Granted, Lanes, QueuePos, QueueTicket, Wakes, arrival};
use crate::server::Server;
use crate::time::Ms;
use hawser_sample::Ctx;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

/// `http-request set-priority-class` and `set-priority-offset`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Priority {
    /// Lower classes go first, whatever their age.
    pub class: i32,
    /// Added to the arrival, ms.
    pub offset: i32,
}

/// A server that persistence or a rule chose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Forced {
    /// Its index.
    pub server: u32,
    /// Take it even when it is down (`option persist`, `force-persist`); otherwise the algorithm chooses.
    pub even_down: bool,
}

/// What a request asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct AssignOpts {
    /// The calling worker's number.
    pub thread: usize,
    /// Now.
    pub now: Ms,
    /// When the request first asked, for its rank after a requeue; `None` for now.
    pub since: Option<Ms>,
    /// A server that `use-server` or a cookie designates.
    pub forced: Option<Forced>,
    /// The server of the previous request on the same client connection (`option prefer-last-server`): used
    /// as long as it is usable and its queue is short enough (`max-keep-alive-queue`).
    pub prefer: Option<u32>,
    /// A server that just failed: another one is chosen if there is any (redispatch).
    pub avoid: Option<u32>,
    /// Rank in queues.
    pub priority: Priority,
}

/// The outcome of [`Backend::assign`].
#[derive(Debug)]
pub enum Assignment {
    /// A place on a server.
    Ready(Slot),
    /// All places are taken; wait at most `timeout queue`.
    Queued(QueueTicket),
    /// Nobody can serve this: 503.
    NoServer,
}

/// A place on a server: it counts as one of the server's requests until it is dropped, which hands the place
/// to the next waiter.
#[must_use = "dropping a slot releases the server"]
pub struct Slot {
    backend: Arc<Backend>,
    server: u32,
    pos: QueuePos,
}

impl Slot {
    /// Wraps a place that was taken with `try_take`.
    pub(crate) fn new(backend: &Arc<Backend>, server: u32, pos: QueuePos) -> Self {
        Self { backend: backend.clone(), server, pos }
    }

    /// Counts the session; to be called on the thread that has the place.
    pub(crate) fn counted(self, thread: usize, now: Ms) -> Self {
        let s = self.server();
        s.counters.session(thread, now);
        s.sess_rate.add(now, 1);
        self
    }

    /// The server.
    pub fn server(&self) -> &Arc<Server> {
        // Slots are made for existing servers only, and backends never lose one.
        &self.backend.servers[self.server as usize]
    }

    /// Its index in [`Backend::servers`].
    pub fn index(&self) -> u32 {
        self.server
    }

    /// The backend.
    pub fn backend(&self) -> &Arc<Backend> {
        &self.backend
    }

    /// Where it stood in the queues before it came.
    pub fn position(&self) -> QueuePos {
        self.pos
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let s = self.server();
        s.load.served.fetch_sub(1, SeqCst);
        self.backend.load_changed(s);
        self.backend.offer(self.server);
    }
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Slot({}/{})", self.backend.facts.name, self.server().name)
    }
}

/// What [`Backend::find_place`] found.
enum Found {
    Slot(Slot),
    Lane(u32),
    NoServer,
}

impl Backend {
    /// Chooses a server and takes a place on it, or queues.
    ///
    /// The order: [`AssignOpts::forced`], then [`AssignOpts::prefer`], then the algorithm. A full server that
    /// was designated (or hashed to) queues the request for itself unless its queue is full as well
    /// (`maxqueue`), in which case another server is looked for.
    pub fn assign(self: &Arc<Self>, ctx: &Ctx<'_>, opts: &AssignOpts) -> Assignment {
        let pick = Pick { ctx, backend: self, avoid: opts.avoid, now: opts.now };
        let mut lane = self.designated(opts);
        if self.queue.waiting.load(SeqCst) == 0 {
            // Nobody waits: whoever finds a place may have it.
            let choice = match lane {
                Some(server) => Some(Choice::bound(server)),
                None => self.choose(&pick),
            };
            if let Some(c) = choice {
                if let Some(slot) = self.take(c.server, lane.is_none(), opts) {
                    return Assignment::Ready(slot);
                }
                let waits = c.bound && self.servers.get(c.server as usize).is_some_and(|s| !queue_full(s));
                lane = waits.then_some(c.server);
            }
        }
        self.enqueue(&pick, lane, opts)
    }

    fn take(self: &Arc<Self>, server: u32, balanced: bool, opts: &AssignOpts) -> Option<Slot> {
        let s = self.servers.get(server as usize)?;
        if !s.try_take(self.limit(s)) {
            return None;
        }
        self.load_changed(s);
        if balanced {
            s.counters.inc(opts.thread, Stat::LbTot);
            self.counters.inc(opts.thread, Stat::LbTot);
        }
        Some(Slot::new(self, server, QueuePos::default()).counted(opts.thread, opts.now))
    }

    /// The server that the request has to go to whatever the algorithm says.
    fn designated(&self, opts: &AssignOpts) -> Option<u32> {
        if let Some(f) = opts.forced
            && let Some(s) = self.servers.get(f.server as usize)
            && (f.even_down || s.is_usable())
            && !queue_full(s)
        {
            return Some(f.server);
        }
        let last = opts.prefer?;
        let s = self.servers.get(last as usize)?;
        let short = match self.limit(s) {
            Some(limit) => {
                s.served() < limit
                    || i64::from(s.queued()) < i64::from(self.max_keep_alive_queue)
                    || self.max_keep_alive_queue < 0
            }
            None => true,
        };
        (s.load.in_farm.load(Relaxed) && short && !queue_full(s) && opts.avoid != Some(last)).then_some(last)
    }

    fn enqueue(self: &Arc<Self>, pick: &Pick<'_>, wanted: Option<u32>, opts: &AssignOpts) -> Assignment {
        let mut wakes = Wakes::default();
        let mut lanes = self.queue.lock();
        // From here on every release takes the lock and serves us, or happened before what we see below.
        self.queue.waiting.fetch_add(1, SeqCst);
        let found = self.find_place(&mut lanes, &mut wakes, pick, wanted, opts);
        let ticket = match found {
            Found::Lane(lane) => {
                let since = opts.since.unwrap_or(opts.now);
                let rank = (opts.priority.class, arrival(since, opts.priority.offset));
                let ticket = self.join(&mut lanes, lane, rank, opts.thread);
                self.serve(&mut lanes, lane, &mut wakes);
                Ok(ticket)
            }
            Found::Slot(slot) => Err(Assignment::Ready(slot)),
            Found::NoServer => Err(Assignment::NoServer),
        };
        if ticket.is_err() {
            self.queue.waiting.fetch_sub(1, SeqCst);
        }
        drop(lanes);
        wakes.send(self);
        match ticket {
            Err(done) => done,
            Ok(mut ticket) => match ticket.try_slot() {
                None => Assignment::Queued(ticket),
                Some(Granted::Slot(slot)) => Assignment::Ready(slot),
                Some(Granted::NoServer) => Assignment::NoServer,
                Some(Granted::Requeue) => self.assign(pick.ctx, opts),
            },
        }
    }

    /// Under the lock: a free place that nobody older waits for, or the lane to wait in.
    fn find_place(
        self: &Arc<Self>,
        lanes: &mut Lanes,
        wakes: &mut Wakes,
        pick: &Pick<'_>,
        wanted: Option<u32>,
        opts: &AssignOpts,
    ) -> Found {
        // The server may have gone down since it was chosen, after its waiters were told to choose again.
        if let Some(server) = wanted.filter(|d| !self.left(*d, opts)) {
            return Found::Lane(server);
        }
        if self.usable_servers() == 0 {
            return Found::NoServer;
        }
        if self.ramps {
            self.serve_older(lanes, wakes, pick);
        }
        let alone = lanes.is_empty(ANY);
        if !alone && !self.algo.bound() {
            return Found::Lane(ANY);
        }
        let full = |c: Choice| self.servers.get(c.server as usize).is_none_or(|s| queue_full(s));
        let choice = match self.choose(pick) {
            Some(c) if c.bound && full(c) => self.algo.pick_any(pick),
            other => other,
        };
        match choice {
            Some(c) if c.bound => Found::Lane(c.server),
            Some(c) if alone => self.take(c.server, true, opts).map_or(Found::Lane(ANY), Found::Slot),
            _ => Found::Lane(ANY),
        }
    }

    /// An arrival may raise the limit of servers with `minconn`: that room belongs to older waiters.
    fn serve_older(self: &Arc<Self>, lanes: &mut Lanes, wakes: &mut Wakes, pick: &Pick<'_>) {
        while !lanes.is_empty(ANY) {
            let Some(c) = self.choose(pick).filter(|c| !c.bound) else { return };
            let before = wakes.len();
            self.serve(lanes, c.server, wakes);
            if wakes.len() == before {
                return;
            }
        }
    }

    fn left(&self, server: u32, opts: &AssignOpts) -> bool {
        let even_down = opts.forced.is_some_and(|f| f.server == server && f.even_down);
        !even_down && self.servers.get(server as usize).is_none_or(|s| !s.is_usable())
    }
}

/// `maxqueue` is reached.
pub(crate) fn queue_full(s: &Server) -> bool {
    let max = s.maxqueue();
    max != 0 && s.queued() >= max
}
