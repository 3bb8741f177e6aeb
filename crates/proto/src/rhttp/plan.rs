//! Who opens the next connection and when: shared by the receivers of all threads.

use super::backoff;
use super::{DEFAULT_TIMEOUT, Dialer, LOG_ERR, LOG_INFO};
use crate::clock;
use parking_lot::Mutex;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// A connection that ends sooner than this after its accept counts as a failure: a peer that takes connections only to
/// drop them is not to be dialled in a loop.
const SHORT_LIFE: Duration = Duration::from_secs(1);

/// An edge that says GOAWAY is being replaced: for so long, its port may change hands at the moment of an attempt,
/// and the next one need not wait long.
const HANDOVER: Duration = Duration::from_secs(2);
/// How long it waits then.
const HANDOVER_PAUSE: Duration = Duration::from_millis(50);
/// A GOAWAY that comes sooner than this after the accept is the edge's answer to the connection.
const UNWANTED: Duration = Duration::from_millis(100);
/// How many answers like that in a row, beyond one for each connection that is wanted, look like a handover still.
const HANDOVERS: u32 = 5;

/// Connections that are leaving, beyond as many as are wanted, with which no further one is opened: the peer may keep
/// them for as long as it likes.
const LEAVING_MAX: u32 = 64;

/// What a `bind rhttp@` line wants and has.
pub struct Plan {
    frontend: Arc<str>,
    server: Arc<str>,
    wanted: u32,
    retry_max: Duration,
    dialer: Box<dyn Dialer>,
    book: Mutex<Book>,
}

/// How far the line has come; decides what is worth a line in the log.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
enum Stage {
    #[default]
    Stopped,
    Started,
    Failed,
    Full,
}

#[derive(Default)]
struct Book {
    members: Vec<Member>,
    /// Whose turn it is to open a connection.
    turn: Option<usize>,
    /// It has begun to.
    begun: bool,
    stage: Stage,
    failures: u32,
    not_before: Option<Instant>,
    /// When a peer last said GOAWAY.
    goaway: Option<Instant>,
    /// Connections in a row whose peer said it right after the accept.
    unwanted: u32,
    last_error: Option<String>,
    opened: u64,
}

/// The receiver of one thread.
#[derive(Default)]
struct Member {
    /// It opens no connections. Before its thread has started, it does not yet, but will.
    stopped: bool,
    up: u32,
    leaving: u32,
    waker: Option<Waker>,
}

/// A line as `show rhttp` describes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlanStatus {
    /// The frontend.
    pub frontend: Arc<str>,
    /// `backend/server`.
    pub server: Arc<str>,
    /// `nbconn`.
    pub wanted: u32,
    /// Connections in service, by thread.
    pub up: Vec<u32>,
    /// Connections whose peer has said GOAWAY and whose last streams go on.
    pub leaving: u32,
    /// An attempt is under way.
    pub dialling: bool,
    /// Connections taken into service so far.
    pub opened: u64,
    /// Failures since the last success.
    pub failures: u32,
    /// Why the last failed.
    pub last_error: Option<String>,
    /// Time until the next attempt, while one is being waited for.
    pub next: Option<Duration>,
}

impl PlanStatus {
    /// Connections in service on all threads.
    pub fn total(&self) -> u32 {
        self.up.iter().sum()
    }
}

impl Plan {
    /// For the line of `frontend` that names `server` (`backend/server`): `wanted` connections (`nbconn`), pauses after
    /// failures up to `retry_max`.
    pub fn new(
        frontend: Arc<str>,
        server: Arc<str>,
        wanted: u32,
        retry_max: Duration,
        dialer: Box<dyn Dialer>,
    ) -> Arc<Self> {
        let book = Mutex::default();
        Arc::new(Self { frontend, server, wanted: wanted.max(1), retry_max, dialer, book })
    }

    /// How things stand.
    pub fn status(&self) -> PlanStatus {
        let b = self.book.lock();
        let next = b.not_before.filter(|_| b.turn.is_some());
        let next = next.map(|at| at.saturating_duration_since(clock::now())).filter(|d| !d.is_zero());
        PlanStatus {
            frontend: self.frontend.clone(),
            server: self.server.clone(),
            wanted: self.wanted,
            up: b.members.iter().map(|m| m.up).collect(),
            leaving: b.leaving(),
            dialling: b.begun && next.is_none(),
            opened: b.opened,
            failures: b.failures,
            last_error: b.last_error.clone(),
            next,
        }
    }

    pub(super) fn dialer(&self) -> &dyn Dialer {
        &*self.dialer
    }

    /// How long an attempt may take.
    pub(super) fn attempt_limit(&self) -> Duration {
        self.dialer.connect_timeout().unwrap_or(DEFAULT_TIMEOUT)
    }

    /// Another receiver; its number.
    pub(super) fn join(&self) -> usize {
        let mut b = self.book.lock();
        b.members.push(Member::default());
        b.members.len() - 1
    }

    /// A receiver starts or stops opening connections.
    pub(super) fn set_running(&self, member: usize, running: bool) {
        let mut b = self.book.lock();
        if let Some(m) = b.members.get_mut(member) {
            m.stopped = !running;
        }
        if running && b.stage == Stage::Stopped {
            b.stage = Stage::Started;
            self.log(LOG_INFO, "Initiating.");
        }
        if !running && b.turn == Some(member) && !b.begun {
            b.turn = None;
        }
        self.give_turn(&mut b);
    }

    /// Waits until it is this receiver's turn; it must not connect before the given time.
    pub(super) fn poll_turn(
        self: &Arc<Self>,
        member: usize,
        cx: &mut Context<'_>,
    ) -> Poll<(Place, Option<Instant>)> {
        let mut b = self.book.lock();
        self.give_turn(&mut b);
        if b.turn == Some(member) && !b.begun {
            b.begun = true;
            let place = Place { plan: self.clone(), member, state: State::Pending };
            return Poll::Ready((place, b.not_before));
        }
        if let Some(m) = b.members.get_mut(member) {
            m.waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Lets the thread with the fewest connections open the next one, if one is missing: one at a time.
    fn give_turn(&self, b: &mut Book) {
        if b.turn.is_some() || b.up() >= self.wanted || b.leaving() >= self.wanted.saturating_add(LEAVING_MAX)
        {
            return;
        }
        let running = b.members.iter_mut().enumerate().filter(|(_, m)| !m.stopped);
        let Some((next, m)) = running.min_by_key(|(_, m)| m.up) else { return };
        if let Some(w) = m.waker.take() {
            w.wake();
        }
        b.turn = Some(next);
    }

    fn turn_over(&self, b: &mut Book) {
        (b.turn, b.begun) = (None, false);
        self.give_turn(b);
    }

    fn failed(&self, b: &mut Book, why: String) {
        b.failures = b.failures.saturating_add(1);
        let now = clock::now();
        let handover = b.goaway.is_some_and(|at| now.saturating_duration_since(at) < HANDOVER);
        let refusals = b.unwanted.saturating_sub(self.wanted.saturating_add(HANDOVERS));
        let handover = handover && refusals == 0;
        let failures = b.failures.max(refusals);
        let pause = backoff::delay(failures, self.retry_max, backoff::random());
        b.not_before = now.checked_add(if handover { pause.min(HANDOVER_PAUSE) } else { pause });
        b.last_error = Some(why);
        if b.stage != Stage::Failed {
            b.stage = Stage::Failed;
            self.log(LOG_ERR, "Error encountered.");
        }
    }

    fn accepted(&self, b: &mut Book, member: usize) {
        b.failures = 0;
        b.not_before = None;
        b.opened += 1;
        if let Some(m) = b.members.get_mut(member) {
            m.up += 1;
        }
        if b.up() >= self.wanted && b.stage < Stage::Full {
            b.stage = Stage::Full;
            self.log(LOG_INFO, &format!("Running with nbconn {} reached.", self.wanted));
        }
        self.turn_over(b);
    }

    fn log(&self, level: u8, text: &str) {
        self.dialer.log(level, &format!("preconnect {}::{}: {text}", self.frontend, self.server));
    }
}

impl Book {
    fn up(&self) -> u32 {
        self.members.iter().map(|m| m.up).sum()
    }

    fn leaving(&self) -> u32 {
        self.members.iter().map(|m| m.leaving).sum()
    }
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Plan {{ {}::{} }}", self.frontend, self.server)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// It is being opened.
    Pending,
    /// It is in service since then.
    Up(Instant),
    /// Its peer wants no more streams on it.
    Leaving,
    /// It was given up, and that was accounted for.
    Failed,
}

/// A connection's place among those that are wanted, from the attempt to the end.
pub(super) struct Place {
    plan: Arc<Plan>,
    member: usize,
    state: State,
}

impl Place {
    /// The attempt failed.
    pub(super) fn fail(mut self, why: String) {
        let mut b = self.plan.book.lock();
        self.plan.failed(&mut b, why);
        self.plan.turn_over(&mut b);
        drop(b);
        self.state = State::Failed;
    }

    /// The accept loop takes the connection.
    pub(super) fn accept(&mut self) {
        if self.state == State::Pending {
            self.state = State::Up(clock::now());
            self.plan.accepted(&mut self.plan.book.lock(), self.member);
        }
    }

    /// The peer wants no more streams on the connection: another one takes its place at once.
    pub(super) fn leaving(&mut self) {
        if let State::Up(since) = self.state {
            self.state = State::Leaving;
            let mut b = self.plan.book.lock();
            let now = clock::now();
            b.goaway = Some(now);
            if now.saturating_duration_since(since) < UNWANTED {
                b.unwanted = b.unwanted.saturating_add(1);
                self.plan.failed(&mut b, "the peer said GOAWAY right after the accept".into());
            } else {
                b.unwanted = 0;
            }
            if let Some(m) = b.members.get_mut(self.member) {
                m.up -= 1;
                m.leaving += 1;
            }
            self.plan.give_turn(&mut b);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut b = self.plan.book.lock();
        match self.state {
            State::Failed => {}
            State::Pending => self.plan.turn_over(&mut b),
            State::Up(since) => {
                if let Some(m) = b.members.get_mut(self.member) {
                    m.up -= 1;
                }
                let running = b.members.iter().any(|m| !m.stopped);
                if running && clock::now().saturating_duration_since(since) < SHORT_LIFE {
                    self.plan.failed(&mut b, "the peer closed right after the accept".into());
                }
                self.plan.give_turn(&mut b);
            }
            State::Leaving => {
                if let Some(m) = b.members.get_mut(self.member) {
                    m.leaving -= 1;
                }
                self.plan.give_turn(&mut b);
            }
        }
    }
}
