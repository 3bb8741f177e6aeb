//! One worker thread: what its connections share without locks.

use crate::conn::{self, Admitted};
use crate::dialing::Dials;
use crate::pool::Wire;
use crate::runner::Runners;
use crate::snapshot::{Snapshot, Spread};
use crate::stream::Stream;
use crate::timers::{Timer, later};
use crate::{attach, http, tcp};
use arc_swap::ArcSwap;
use hawser_balance::{Conn, FdPressure, IdlePool, Sharing, Stat, time};
use hawser_proto::mux::Fronted;
use hawser_proto::{AcceptSink, Incoming, buf, clock, freq};
use hawser_sample::vars::ProcVars;
use parking_lot::{Mutex, MutexGuard};
use pin_project_lite::pin_project;
use std::cell::{Cell, RefCell, RefMut};
use std::future::{Future, poll_fn};
use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// What all worker threads share.
#[derive(Debug)]
pub struct Shared {
    /// The configuration in force for new connections.
    pub snapshot: ArcSwap<Snapshot>,
    /// `proc.*` variables.
    pub proc_vars: ProcVars,
    /// Client connections in the process (`%ac`).
    pub conns: AtomicU32,
    /// Streams so far, which numbers them (`%rt`).
    streams: AtomicU32,
    /// The process is stopping.
    pub stopping: AtomicBool,
    /// Number of worker threads.
    pub threads: u32,
    /// What chance decides with.
    chance: RandomState,
    /// How scarce descriptors are.
    pub fds: Arc<FdPressure>,
    /// Idle connections to servers, by thread.
    pools: Box<[Mutex<IdlePool<Wire>>]>,
    /// Until then, the peers of the process that this one replaces are on their way here.
    takeover: OnceLock<Instant>,
}

/// How long the peers of a replaced process may be on their way.
const TAKEOVER: Duration = Duration::from_secs(5);

impl Shared {
    /// This process replaces another one, which it will tell to leave.
    pub fn takes_over(&self) {
        let _ = self.takeover.set(clock::now() + TAKEOVER);
    }

    /// Whether the peers of a replaced process are still on their way here.
    pub(crate) fn is_taking_over(&self, now: Instant) -> bool {
        self.takeover.get().is_some_and(|until| now < *until)
    }

    /// The number of a new stream.
    pub(crate) fn next_stream(&self) -> u32 {
        self.streams.fetch_add(1, Ordering::Relaxed)
    }

    /// Requests since the start (`CumReq`), streams in TCP mode included.
    pub fn requests(&self) -> u64 {
        let snapshot = self.snapshot.load();
        let fronts = snapshot.proxies.iter().filter_map(|p| p.front.as_ref());
        fronts.map(|f| f.counters.get(Stat::Requests)).sum()
    }

    /// For `threads` workers on a first snapshot; `proc_vars` is what the global section sets.
    pub fn new(
        snapshot: Arc<Snapshot>,
        proc_vars: ProcVars,
        threads: u32,
        fds: Arc<FdPressure>,
    ) -> Arc<Self> {
        let pools = (0..threads.max(1)).map(|_| Mutex::new(IdlePool::new(fds.clone()))).collect();
        Arc::new(Self {
            pools,
            snapshot: ArcSwap::new(snapshot),
            proc_vars,
            conns: AtomicU32::new(0),
            streams: AtomicU32::new(0),
            stopping: AtomicBool::new(false),
            threads,
            chance: RandomState::new(),
            fds,
            takeover: OnceLock::new(),
        })
    }
}

/// A handle on the calling thread's worker. Cloning it is cheap; it never leaves its thread.
#[derive(Clone)]
pub struct Worker(Rc<Inner>);

struct Inner {
    number: usize,
    shared: Arc<Shared>,
    /// Time at the start of the present poll.
    now: Cell<Instant>,
    /// When a soft stop began.
    stopping: Cell<Option<Instant>>,
    conns: RefCell<Conns>,
    ended: RefCell<Option<Waker>>,
    #[expect(clippy::vec_box, reason = "the boxes are handed out: a stream is never moved")]
    spare: RefCell<Vec<Box<Stream>>>,
    runners: Runners<http::Job>,
    reaper: RefCell<Waker>,
    /// Connections to servers that carry many streams, and have room for more.
    sharing: RefCell<Sharing>,
    /// Those of them that are being established.
    dialing: RefCell<Dials>,
}

/// The wakers of all client connections, to tell them that the process stops.
#[derive(Default)]
struct Conns {
    slots: Vec<Option<Waker>>,
    free: Vec<u32>,
    live: u32,
}

/// How often connections hear of a soft stop that takes its time.
const REMINDERS: u32 = 50;

/// How often stick tables are looked through for entries whose time is over.
const FORGET_PERIOD: Duration = Duration::from_secs(1);

/// Streams whose memory is kept for the next ones.
const SPARE_STREAMS: usize = 256;

impl Worker {
    /// The worker of the calling thread, which must be inside its runtime (a `LocalRuntime`, or a `LocalSet` in tests).
    pub fn new(number: usize, shared: Arc<Shared>) -> Self {
        buf::set_small_size(shared.snapshot.load().bufsize);
        Self(Rc::new(Inner {
            number,
            shared,
            now: Cell::new(clock::now()),
            stopping: Cell::default(),
            conns: RefCell::default(),
            ended: RefCell::default(),
            spare: RefCell::default(),
            runners: Runners::default(),
            reaper: RefCell::new(Waker::noop().clone()),
            sharing: RefCell::default(),
            dialing: RefCell::default(),
        }))
    }

    /// Number of client connections, and of streams under way on those that carry many.
    pub fn connections(&self) -> u32 {
        self.0.conns.borrow().live
    }

    /// Soft stop: idle connections close now, the others after the response under way; or all of them within the
    /// time of `close-spread-time`.
    pub fn stop(&self) {
        self.0.stopping.set(Some(clock::now()));
        if let Spread::Over(window) = self.spread() {
            tokio::task::spawn_local(self.clone().close_within(window));
        }
        self.remind();
    }

    fn spread(&self) -> Spread {
        self.0.shared.snapshot.load().close_spread
    }

    /// Reminds connections of a soft stop again and again while only some of them close.
    async fn close_within(self, window: Duration) {
        let pause = (window / REMINDERS).max(Duration::from_millis(1));
        for _ in 0..=REMINDERS {
            tokio::time::sleep(pause).await;
            self.remind();
        }
    }

    fn remind(&self) {
        let conns = self.0.conns.borrow();
        for waker in conns.slots.iter().flatten() {
            waker.wake_by_ref();
        }
    }

    /// Ready when no client connection and no stream is left. One task may wait.
    pub fn poll_ended(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.connections() == 0 {
            return Poll::Ready(());
        }
        *self.0.ended.borrow_mut() = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Serves a connection.
    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        let seat = Seat { worker: self.clone(), slot: self.0.conns.borrow_mut().add(), known: false };
        tokio::task::spawn_local(Task { seat, task });
    }

    /// Makes a task that serves one after the other of the streams of connections that carry many.
    pub(crate) fn spawn_clocked(&self, task: impl Future<Output = ()> + 'static) {
        tokio::task::spawn_local(Clocked { worker: self.clone(), task });
    }

    /// Such tasks that have nothing to do.
    pub(crate) fn runners(&self) -> &Runners<http::Job> {
        &self.0.runners
    }

    /// A place for a stream of a connection that carries many.
    pub(crate) fn place(&self) -> Place {
        self.0.conns.borrow_mut().live += 1;
        Place(self.clone())
    }

    /// Time at the start of the present poll.
    pub(crate) fn now(&self) -> Instant {
        self.0.now.get()
    }

    /// The worker's number, from 0.
    pub(crate) fn number(&self) -> usize {
        self.0.number
    }

    /// What all workers share.
    pub(crate) fn shared(&self) -> &Shared {
        &self.0.shared
    }

    /// Whether a soft stop is under way.
    pub(crate) fn is_stopping(&self) -> bool {
        self.0.stopping.get().is_some()
    }

    /// Whether a soft stop is under way, and a connection is to end for it; `id` tells connections apart.
    pub(crate) fn is_ending(&self, id: usize) -> bool {
        let Some(since) = self.0.stopping.get() else { return false };
        let luck = self.0.shared.chance.hash_one(id);
        self.spread().closes(clock::now().saturating_duration_since(since), luck)
    }

    /// The thread's idle connections to servers. Other threads may want some of them: the lock is not for long.
    pub(crate) fn pool(&self) -> MutexGuard<'_, IdlePool<Wire>> {
        let pools = &self.0.shared.pools;
        pools[self.0.number % pools.len()].lock()
    }

    /// The idle connections of the other threads, the next one's first.
    pub(crate) fn other_pools(&self) -> impl Iterator<Item = &Mutex<IdlePool<Wire>>> {
        let pools = &self.0.shared.pools;
        let own = self.0.number % pools.len();
        pools[own + 1..].iter().chain(&pools[..own])
    }

    /// Keeps a connection that became idle, if the pool wants it.
    pub(crate) fn park(&self, conn: Conn<Wire>) {
        let mut pool = self.pool();
        let before = pool.next_due();
        let refused = pool.put(conn, time::ms(self.now()));
        let sooner = pool.next_due().is_some_and(|due| before.is_none_or(|b| due < b));
        drop(pool);
        if sooner {
            self.reaper().wake();
        }
        // What the pool does not want is closed, not while it is locked.
        drop(refused);
    }

    /// Connections to servers that carry many streams.
    pub(crate) fn sharing(&self) -> RefMut<'_, Sharing> {
        self.0.sharing.borrow_mut()
    }

    /// Those of them that are being established and that everybody may use.
    pub(crate) fn dialing(&self) -> RefMut<'_, Dials> {
        self.0.dialing.borrow_mut()
    }

    /// Wakes the task of [`Worker::purge_pool`].
    pub(crate) fn reaper(&self) -> Waker {
        self.0.reaper.borrow().clone()
    }

    /// Closes idle connections to servers that died, and those that the load does not need any more; one task of
    /// the thread, which never ends.
    pub async fn purge_pool(self) {
        let mut timer = Timer::default();
        let reaping = poll_fn(|cx| {
            let mut reaper = self.0.reaper.borrow_mut();
            if !reaper.will_wake(cx.waker()) {
                reaper.clone_from(cx.waker());
            }
            drop(reaper);
            let now = clock::now();
            let mut pool = self.pool();
            pool.sweep();
            pool.purge(time::ms(now));
            pool.ping(time::ms(now));
            let next =
                pool.next_due().map(|at| Duration::from_millis(at.saturating_sub(time::ms(now)).max(1)));
            drop(pool);
            if timer.poll(cx, now, later(now, next)).is_ready() {
                cx.waker().wake_by_ref();
            }
            Poll::<()>::Pending
        });
        // Asking hundreds of connections for news is no reason to be sent to the back of the queue.
        tokio::task::unconstrained(reaping).await;
    }

    /// Gives the memory of stick table entries back once their time is over; one task of one thread, which ends only
    /// where there are no such tables.
    pub async fn forget_entries(self) {
        let tables: Vec<_> =
            self.0.shared.snapshot.load().tables.iter().filter(|t| t.expires()).cloned().collect();
        while !tables.is_empty() {
            tokio::time::sleep(FORGET_PERIOD).await;
            for table in &tables {
                while table.forget(freq::now_ms()) {
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    /// A blank stream.
    pub(crate) fn take_stream(&self) -> Box<Stream> {
        self.0.spare.borrow_mut().pop().unwrap_or_default()
    }

    /// Keeps a stream's memory for the next one.
    pub(crate) fn give_stream(&self, mut stream: Box<Stream>) {
        let mut spare = self.0.spare.borrow_mut();
        if spare.len() < SPARE_STREAMS && stream.reset() {
            spare.push(stream);
        }
    }
}

impl Conns {
    fn add(&mut self) -> u32 {
        self.live += 1;
        self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            // Bounded by the number of descriptors.
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        })
    }

    /// A task is over.
    fn left(&mut self, ended: &RefCell<Option<Waker>>) {
        self.live -= 1;
        if self.live == 0
            && let Some(w) = ended.borrow_mut().take()
        {
            w.wake();
        }
    }

    fn slot(&mut self, i: u32) -> Option<&mut Option<Waker>> {
        self.slots.get_mut(i as usize)
    }
}

impl AcceptSink for Worker {
    fn accept(&self, conn: Incoming) {
        let snapshot = self.0.shared.snapshot.load_full();
        self.0.now.set(clock::now());
        self.serve(conn::admit(self.clone(), snapshot, conn));
    }
}

impl Worker {
    fn serve(&self, admitted: Option<Admitted>) {
        match admitted {
            None => {}
            Some(Admitted::Shaking(shaking)) => {
                let worker = self.clone();
                self.spawn(async move { worker.serve(shaking.done().await) });
            }
            Some(Admitted::Http(cl, Fronted::Single(front))) => self.spawn(http::single(cl, front)),
            Some(Admitted::Http(cl, front)) => self.spawn(http::serve(cl, front)),
            Some(Admitted::Tcp(cl, raw)) => self.spawn(tcp::serve(cl, raw)),
            Some(Admitted::Turning(turning)) => self.spawn(attach::serve(turning)),
        }
    }
}

pin_project! {
    /// A connection's task: reads the clock once for each poll, and is known to the worker.
    struct Task<F> {
        seat: Seat,
        #[pin]
        task: F,
    }
}

pin_project! {
    /// A task of streams: reads the clock once for each poll.
    struct Clocked<F> {
        worker: Worker,
        #[pin]
        task: F,
    }
}

impl<F: Future<Output = ()>> Future for Clocked<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        this.worker.0.now.set(clock::now());
        this.task.poll(cx)
    }
}

/// Keeps the worker from ending before a stream has told how it ended.
pub(crate) struct Place(Worker);

impl Drop for Place {
    fn drop(&mut self) {
        let inner = &self.0.0;
        inner.conns.borrow_mut().left(&inner.ended);
    }
}

/// A task's entry among the worker's connections.
struct Seat {
    worker: Worker,
    slot: u32,
    known: bool,
}

impl Seat {
    fn enter(&mut self, cx: &Context<'_>) {
        let inner = &self.worker.0;
        inner.now.set(clock::now());
        if !self.known {
            self.known = true;
            if let Some(slot) = inner.conns.borrow_mut().slot(self.slot) {
                *slot = Some(cx.waker().clone());
            }
        }
    }
}

impl<F: Future<Output = ()>> Future for Task<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        this.seat.enter(cx);
        this.task.poll(cx)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let inner = &self.worker.0;
        let mut conns = inner.conns.borrow_mut();
        if let Some(slot) = conns.slot(self.slot) {
            *slot = None;
        }
        conns.free.push(self.slot);
        conns.left(&inner.ended);
    }
}
