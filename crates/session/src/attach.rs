//! `tcp-request session attach-srv`: a client's connection turns into one to a server (reverse HTTP).

use crate::client::Client;
use crate::conn::Admitted;
use crate::timers::{Timer, later};
use crate::worker::Worker;
use hawser_balance::{Agent, Attachment, Place, Server, TrafficEvent};
use hawser_proto::mux::{Adopting, BackConn};
use hawser_proto::{ProcessInfo, Transport, clock};
use hawser_rules::Attach;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// How often a process that stops looks whether its clients have left.
const STOP_LOOK: Duration = Duration::from_millis(20);

/// A connection that is being turned around.
pub(crate) struct Turning {
    cl: Box<Client>,
    server: Arc<Server>,
    name: Option<Box<[u8]>>,
    adopting: Box<dyn Adopting>,
    idle_ping: Option<Duration>,
}

/// Starts to turn a connection around.
pub(crate) fn begin(cl: Box<Client>, transport: Box<dyn Transport>, to: Attach) -> Option<Admitted> {
    let be = cl.snapshot.proxy(to.backend)?.clone();
    let back = be.back.as_ref()?;
    let server = back.backend.servers.get(to.server)?.clone();
    let dial = back.dial.get(to.server)?;
    let adopting = dial.adopts.as_ref()?.adopt(transport, None)?;
    let idle_ping = dial.idle_ping;
    cl.saw(TrafficEvent::H2Sess);
    Some(Admitted::Turning(Turning { cl, server, name: to.name, adopting, idle_ping }))
}

/// Waits for the peer, attaches the connection to its server, and watches over it until it ends.
pub(crate) async fn serve(turning: Turning) {
    let Turning { mut cl, server, name, mut adopting, idle_ping } = turning;
    let limit = later(cl.now(), cl.fe.times.client);
    let conn = poll_fn(|cx| match adopting.poll_adopted(cx) {
        Poll::Ready(outcome) => Poll::Ready(outcome.ok()),
        Poll::Pending => cl.poll_deadline(cx, limit).map(|()| None),
    });
    // A process that is about to stop goes through with it: the peer is told then that it has to connect elsewhere,
    // where a connection that is merely closed would look like a failure.
    let conn = conn.await;
    cl.saw(TrafficEvent::H2Closed);
    let Some(conn) = conn else { return };
    let (worker, process) = (cl.worker.clone(), cl.slot.listener().process.clone());
    let src = cl.sess.borrow().src.clone();
    // It is no client's connection any more: its place among the limits is free.
    drop(cl);
    let Some(seat) = Seat::take(
        server,
        Attachment { name, conn: conn.clone(), src, thread: worker.number(), since: worker.now() },
    ) else {
        return;
    };
    let mut watch = Watch::new(worker, process, conn, idle_ping);
    poll_fn(|cx| watch.poll(cx)).await;
    drop(seat);
}

/// An attached connection's entry at its server.
struct Seat {
    server: Arc<Server>,
    agent: Arc<Agent>,
}

impl Seat {
    fn take(server: Arc<Server>, what: Attachment) -> Option<Self> {
        let conn = what.conn.clone();
        // -1 is no limit.
        let max = server.opts.pool_max_conn.and_then(|max| u32::try_from(max).ok());
        let Some(agent) = server.attached.as_ref()?.attach(what, max) else {
            conn.close();
            return None;
        };
        server.idle.moves(None, Some(Place::Safe));
        Some(Self { server, agent })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.server.idle.moves(Some(Place::Safe), None);
        if let Some(attached) = &self.server.attached {
            attached.detach(&self.agent);
        }
    }
}

/// Watches over a connection: `idle-ping`, and the end of the process.
struct Watch {
    worker: Worker,
    process: Arc<ProcessInfo>,
    conn: Arc<dyn BackConn>,
    timer: Timer,
    idle_ping: Option<Duration>,
    /// What had been received when something last was, and when that was.
    seen: (u64, Instant),
    end: End,
}

/// How far the end of the process has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// It goes on.
    No,
    /// The peer was told to connect elsewhere; this process's last clients are served still.
    Told,
    /// No stream is opened any more.
    Drained,
}

impl Watch {
    fn new(
        worker: Worker,
        process: Arc<ProcessInfo>,
        conn: Arc<dyn BackConn>,
        idle_ping: Option<Duration>,
    ) -> Self {
        let seen = (0, worker.now());
        Self { worker, process, conn, timer: Timer::default(), idle_ping, seen, end: End::No }
    }

    /// Ready once the connection is over.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if self.conn.poll_closed(cx).is_ready() {
                return Poll::Ready(());
            }
            let now = clock::now();
            let next = if self.worker.is_stopping() { self.stop(now) } else { self.ping(now) };
            if self.timer.poll(cx, now, next).is_pending() {
                return Poll::Pending;
            }
        }
    }

    /// Lets the peer go, but not before the last client.
    fn stop(&mut self, now: Instant) -> Option<Instant> {
        if self.end == End::No {
            self.conn.retire();
            self.end = End::Told;
        }
        if self.end == End::Told && self.process.conns.inside() == 0 {
            self.conn.drain();
            self.end = End::Drained;
        }
        later(now, (self.end == End::Told).then_some(STOP_LOOK))
    }

    /// Asks a peer that was silent for long for a sign of life; returns when to look next.
    fn ping(&mut self, now: Instant) -> Option<Instant> {
        let period = self.idle_ping?;
        let received = self.conn.bytes().0;
        if received != self.seen.0 {
            self.seen = (received, now);
        } else if now.saturating_duration_since(self.seen.1) >= period {
            self.conn.ping(period);
            self.seen.1 = now;
        }
        later(self.seen.1, Some(period))
    }
}
