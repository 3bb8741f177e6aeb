//! A client's connection as the layers above the mux see it.

use crate::dialing::Dials;
use crate::pool::Wire;
use crate::snapshot::{Proxy, Snapshot};
use crate::stream::Stream;
use crate::timers::Timer;
use crate::worker::Worker;
use hawser_balance::{Conn, Shared};
use hawser_proto::ConnSlot;
use hawser_sample::Runtime;
use hawser_sample::ctx::ServerFacts;
use hawser_sample::facts::Sess;
use hawser_sample::vars::StreamVars;
use hawser_stick::{Counters, Table};
use std::cell::{RefCell, RefMut};
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

/// A client's connection, as all of its streams share it.
pub(crate) struct ClientConn {
    pub(crate) worker: Worker,
    pub(crate) snapshot: Arc<Snapshot>,
    /// Its frontend.
    pub(crate) fe: Arc<Proxy>,
    /// Facts for rules and logs. Borrowed for as long as rules or formats run, never across a wait.
    pub(crate) sess: RefCell<Sess>,
    /// Its place among the limits.
    pub(crate) slot: ConnSlot,
    /// What few clients keep from one request to the next.
    pub(crate) kept: RefCell<Option<Box<Kept>>>,
}

/// A client connection as one task sees it: the only one, or one of many streams.
pub(crate) struct Client {
    shared: Rc<ClientConn>,
    pub(crate) timer: Timer,
    /// Index of the present request on the connection, from 0.
    pub(crate) request: u64,
}

impl Deref for Client {
    type Target = ClientConn;

    fn deref(&self) -> &ClientConn {
        &self.shared
    }
}

/// What a client keeps from one request to the next.
#[derive(Default)]
pub(crate) struct Kept {
    /// Idle connections to servers that nobody else may use (`http-reuse never`), oldest first.
    pub(crate) conns: Vec<Conn<Wire>>,
    /// Connections of many streams that for now, or for good, only this client may use.
    pub(crate) shared: Vec<Rc<Shared>>,
    /// Those of them that are being established.
    pub(crate) dialing: Dials,
    /// Backend and server of the last request (`option prefer-last-server`).
    pub(crate) last: Option<(usize, u32)>,
    /// Variables of a TCP stream that goes on as the first request, and what it tracks: its content rules were run.
    pub(crate) switched: Option<(StreamVars, Counters)>,
    /// It is bound to that server by a connection of its own (NTLM).
    pub(crate) bound: bool,
}

impl ClientConn {
    /// The backend of one of its streams, once chosen.
    pub(crate) fn backend(&self, st: &Stream) -> Option<&Arc<Proxy>> {
        self.snapshot.proxy(st.be.as_ref()?.facts.index)
    }
}

impl Client {
    /// A connection that nothing was asked on yet.
    pub(crate) fn new(shared: ClientConn) -> Self {
        Self { shared: Rc::new(shared), timer: Timer::default(), request: 0 }
    }

    /// The connection, for steps that borrow from it while they need the whole client to wait with. Costs next to
    /// nothing, unlike another handle on a proxy.
    pub(crate) fn conn(&self) -> Rc<ClientConn> {
        self.shared.clone()
    }

    /// The same connection, for the task of one of its streams.
    pub(crate) fn stream(&self, request: u64) -> Self {
        Self { shared: self.shared.clone(), timer: Timer::default(), request }
    }

    /// Nothing was asked before. Of a connection of many streams that is never said.
    pub(crate) fn is_first(&self) -> bool {
        self.request == 0 && self.sess.borrow().fc_http_major < 2
    }

    /// Several of its requests may be under way at once.
    pub(crate) fn multiplexes(&self) -> bool {
        self.sess.borrow().fc_http_major >= 2
    }

    /// What is kept, to keep more.
    pub(crate) fn keep(&self) -> RefMut<'_, Kept> {
        RefMut::map(self.kept.borrow_mut(), |k| &mut **k.get_or_insert_default())
    }

    /// Whether a soft stop is under way and this connection is to end for it (`close-spread-time`).
    pub(crate) fn is_ending(&self) -> bool {
        self.worker.is_stopping() && self.worker.is_ending(Rc::as_ptr(&self.shared).addr())
    }

    /// Time at the start of the present poll.
    pub(crate) fn now(&self) -> Instant {
        self.worker.now()
    }

    /// Ready when a deadline has passed.
    pub(crate) fn poll_deadline(&mut self, cx: &mut Context<'_>, deadline: Option<Instant>) -> Poll<()> {
        self.timer.poll(cx, self.shared.worker.now(), deadline)
    }

    /// Whether a deadline that was polled before is still to come; one that is later needs no polling until then.
    pub(crate) fn is_timed(&self) -> bool {
        self.timer.is_running(self.now())
    }
}

/// The running process, as fetches see it.
pub(crate) struct View<'a> {
    pub(crate) worker: &'a Worker,
    pub(crate) snapshot: &'a Snapshot,
}

impl View<'_> {
    fn backend(&self, index: usize) -> Option<&hawser_balance::Backend> {
        Some(&self.snapshot.proxy(index)?.back.as_ref()?.backend)
    }

    fn frontend(&self, index: usize) -> Option<&hawser_proto::FrontendInfo> {
        self.snapshot.proxy(index)?.front.as_ref()?.info.as_deref()
    }

    fn ms(&self) -> hawser_balance::Ms {
        hawser_balance::time::ms(self.worker.now())
    }
}

impl Runtime for View<'_> {
    fn usable_servers(&self, backend: usize) -> Option<u32> {
        Some(self.backend(backend)?.usable_servers())
    }

    fn fe_conn(&self, frontend: usize) -> Option<u32> {
        Some(self.frontend(frontend)?.conns.inside())
    }

    fn fe_sess_rate(&self, frontend: usize) -> Option<u32> {
        Some(self.frontend(frontend)?.sess_rate.read(hawser_proto::freq::now_ms()))
    }

    fn fe_req_rate(&self, frontend: usize) -> Option<u32> {
        let front = self.snapshot.proxy(frontend)?.front.as_ref()?;
        Some(front.req_rate.read(hawser_proto::freq::now_ms()))
    }

    fn be_conn(&self, backend: usize) -> Option<u32> {
        Some(self.backend(backend)?.conns())
    }

    fn be_sess_rate(&self, backend: usize) -> Option<u32> {
        Some(self.backend(backend)?.session_rate(self.ms()))
    }

    fn queued(&self, backend: usize) -> Option<u32> {
        Some(self.backend(backend)?.queued_total())
    }

    fn conn_free(&self, backend: usize) -> Option<i64> {
        Some(self.backend(backend)?.connections_free())
    }

    fn server(&self, backend: usize, server: usize) -> Option<ServerFacts> {
        self.backend(backend)?.server_facts(server, self.ms())
    }

    fn find_proxy(&self, name: &str) -> Option<usize> {
        self.snapshot.proxies.iter().position(|p| *p.facts.name == *name)
    }

    fn find_server(&self, backend: usize, name: &str) -> Option<usize> {
        self.backend(backend)?.find(name).map(|i| i as usize)
    }

    fn table(&self, index: usize) -> Option<&Arc<Table>> {
        self.snapshot.tables.get(index)
    }

    fn now_ms(&self) -> u64 {
        hawser_proto::freq::ms_at(self.worker.now())
    }

    fn stopping(&self) -> bool {
        // From the signal on, while `grace` still lets listeners accept.
        self.worker.shared().stopping.load(std::sync::atomic::Ordering::Relaxed)
    }

    fn threads(&self) -> (u32, u32) {
        (self.worker.shared().threads, u32::try_from(self.worker.number()).unwrap_or(u32::MAX))
    }
}
