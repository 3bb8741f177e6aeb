//! A client's connection that carries many requests at once: one task moves it on, one task serves each request.

use crate::client::Client;
use crate::log;
use crate::runner::Runner;
use crate::timers::{Timer, later};
use crate::worker::{Place, Worker};
use hawser_balance::TrafficEvent;
use hawser_cfg::model::opt;
use hawser_proto::mux::{FrontConn, FrontStream};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// Serves a connection until it is over.
pub(super) async fn serve(mut cl: Box<Client>, mut conn: Box<dyn FrontConn>) {
    {
        let mut sess = cl.sess.borrow_mut();
        sess.fc_http_major = 2;
        sess.fc_streams_limit = cl.fe.front.as_ref().map_or(1, |f| f.max_streams);
    }
    cl.saw(TrafficEvent::H2Sess);
    let alive = Alive::new(cl.now(), cl.slot.listener().idle_ping);
    let mut life = Life { idle_since: cl.now(), served: false, draining: false, alive };
    poll_fn(|cx| life.poll(cx, &mut cl, &mut *conn)).await;
    if cl.fe.options.has(opt::NOLINGER) {
        conn.set_linger_zero();
    }
    cl.saw(TrafficEvent::H2Closed);
}

/// What the owner of a connection keeps in mind.
struct Life {
    /// The last moment when there was a stream.
    idle_since: Instant,
    /// It has carried a request.
    served: bool,
    /// It was told to end.
    draining: bool,
    /// `idle-ping`.
    alive: Alive,
}

impl Life {
    /// Moves the connection on; ready once it is over.
    fn poll(&mut self, cx: &mut Context<'_>, cl: &mut Client, conn: &mut dyn FrontConn) -> Poll<()> {
        self.alive.stir(cl.now());
        loop {
            let patient = cl.fe.options.has(opt::IDLE_CLOSE_ON_RESPONSE) && conn.streams() == 0;
            if cl.is_ending() && !patient {
                self.drain(cl, conn);
            }
            match conn.poll_stream(cx) {
                Poll::Ready(Some(stream)) => {
                    note(cl, conn);
                    self.served = true;
                    launch(cl, stream);
                }
                Poll::Ready(None) => {
                    note(cl, conn);
                    malformed(cl, conn);
                    return Poll::Ready(());
                }
                Poll::Pending => {
                    note(cl, conn);
                    malformed(cl, conn);
                    let deadline = self.deadline(cl, conn);
                    let Some(look) = self.alive.look(cl.now(), conn) else { return Poll::Ready(()) };
                    if look.answered && refreshes(cl) {
                        self.idle_since = cl.now();
                    }
                    if cl.poll_deadline(cx, look.next).is_ready() {
                        continue;
                    }
                    if cl.poll_deadline(cx, deadline).is_pending() {
                        return Poll::Pending;
                    }
                    if self.draining {
                        return Poll::Ready(());
                    }
                    self.drain(cl, conn);
                }
            }
        }
    }

    fn drain(&mut self, cl: &Client, conn: &mut dyn FrontConn) {
        if !self.draining {
            self.draining = true;
            self.idle_since = cl.now();
            conn.drain();
        }
    }

    /// How long the client may say nothing; streams have timeouts of their own.
    fn deadline(&mut self, cl: &Client, conn: &dyn FrontConn) -> Option<Instant> {
        if conn.streams() > 0 {
            self.idle_since = cl.now();
            return None;
        }
        if cl.slot.listener().keeps_idle && !self.draining {
            return None;
        }
        let times = &cl.fe.times;
        let silence = if self.draining {
            times.client_fin.or(times.client)
        } else if self.served {
            times.http_keep_alive
        } else {
            times.http_request
        };
        later(self.idle_since, silence)
    }
}

/// Whether a sign of life counts as activity: only `timeout client` asks for that.
fn refreshes(cl: &Client) -> bool {
    let t = &cl.fe.facts.timeouts;
    t.http_keep_alive.or(t.http_request).is_none()
}

/// `idle-ping`: asks a client that was silent for long for a sign of life.
struct Alive {
    period: Option<Duration>,
    /// When to ask, or until when to wait for the answer.
    due: Instant,
    asked: bool,
}

/// What a look at a connection shows.
struct Look {
    /// When to look again.
    next: Option<Instant>,
    /// An answer has come.
    answered: bool,
}

impl Alive {
    fn new(now: Instant, period: Option<Duration>) -> Self {
        Self { period, due: later(now, period).unwrap_or(now), asked: false }
    }

    /// Something has happened on the connection, unless this is the time to look at it.
    fn stir(&mut self, now: Instant) {
        if !self.asked && now < self.due {
            self.due = later(now, self.period).unwrap_or(now);
        }
    }

    /// Asks when it is time to; nothing when an answer is overdue.
    fn look(&mut self, now: Instant, conn: &mut dyn FrontConn) -> Option<Look> {
        let Some(period) = self.period else { return Some(Look { next: None, answered: false }) };
        let answered = self.asked && !conn.awaits_pong();
        if answered {
            self.asked = false;
            self.due = now + period;
        } else if now >= self.due {
            if self.asked {
                return None;
            }
            conn.ping();
            self.asked = true;
            self.due = now + period;
        }
        Some(Look { next: Some(self.due), answered })
    }
}

/// What rules and logs are told of the connection.
fn note(cl: &Client, conn: &dyn FrontConn) {
    cl.note_glitches(conn.glitches());
    cl.sess.borrow_mut().fc_streams = conn.streams();
}

/// Logs requests that no stream was made of.
fn malformed(cl: &Client, conn: &mut dyn FrontConn) {
    let count = conn.take_malformed();
    if count > 0 && !(conn.was_silent() && cl.fe.options.has(opt::DONTLOGNULL)) {
        (0..count).for_each(|_| log::malformed(cl));
    }
}

/// One request, for a task to serve it.
pub(crate) struct Job {
    cl: Client,
    front: Box<dyn FrontStream>,
    place: Place,
}

/// Has a request served.
fn launch(cl: &mut Client, front: Box<dyn FrontStream>) {
    let job = Job { cl: cl.stream(cl.request), front, place: cl.worker.place() };
    cl.request += 1;
    if let Some(runner) = cl.worker.runners().give(job) {
        cl.worker.spawn_clocked(run(cl.worker.clone(), runner));
    }
}

/// Serves one request after the other.
async fn run(worker: Worker, runner: Rc<Runner<Job>>) {
    let mut timer = Timer::default();
    loop {
        let Job { mut cl, mut front, place } = runner.job().await;
        cl.timer = timer;
        // Boxed, so that a task without a job does not hold the memory of a request.
        super::boxed(|| super::request(&mut cl, &mut *front)).await;
        // This tells the client if the response was not sent whole.
        drop(front);
        timer = std::mem::take(&mut cl.timer);
        drop((cl, place));
        if !worker.runners().rest(&runner) {
            return;
        }
    }
}
