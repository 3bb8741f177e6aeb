//! What a listener knows, and the connections that it hands to the layer above. Plain data, so that
//! `listener` and `session` never meet.

use crate::freq::{FreqCtr, now_ms};
use crate::gate::Gate;
use crate::pp::Expect;
use crate::{Address, ListenerState, Transport};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// Limits and counters of the whole process, as far as connections from clients are concerned.
#[derive(Debug)]
pub struct ProcessInfo {
    /// `maxconn`: current, peak and total connections.
    pub conns: Gate,
    /// Connections per second.
    pub conn_rate: FreqCtr,
    /// Sessions per second.
    pub sess_rate: FreqCtr,
    /// `maxconnrate`, 0 for none.
    pub max_conn_rate: AtomicU32,
    /// `maxsessrate`, 0 for none.
    pub max_sess_rate: AtomicU32,
}

impl ProcessInfo {
    /// Limits of 0 mean none.
    pub const fn new(maxconn: u32) -> Self {
        Self {
            conns: Gate::new(maxconn),
            conn_rate: FreqCtr::new(),
            sess_rate: FreqCtr::new(),
            max_conn_rate: AtomicU32::new(0),
            max_sess_rate: AtomicU32::new(0),
        }
    }
}

/// Limits and counters of a frontend.
#[derive(Debug)]
pub struct FrontendInfo {
    /// Its name; `GLOBAL` for the runtime API's.
    pub name: Arc<str>,
    /// Its index among the configuration's proxies; `usize::MAX` for the runtime API's.
    pub index: usize,
    /// `maxconn`: current, peak and total connections.
    pub conns: Gate,
    /// Connections per second.
    pub conn_rate: FreqCtr,
    /// Sessions per second.
    pub sess_rate: FreqCtr,
    /// `rate-limit sessions`, 0 for none.
    pub max_sess_rate: AtomicU32,
    /// Whether its listeners may accept: a [`FrontendStatus`].
    pub status: AtomicU8,
}

/// What was done to a frontend as a whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(u8)]
pub enum FrontendStatus {
    /// Nothing: it accepts.
    #[default]
    Open,
    /// `disable frontend`, SIGTTOU: it may come back.
    Paused,
    /// `shutdown frontend`: it may not.
    Stopped,
}

impl FrontendInfo {
    /// The status.
    pub fn status(&self) -> FrontendStatus {
        match self.status.load(Ordering::Relaxed) {
            1 => FrontendStatus::Paused,
            2 => FrontendStatus::Stopped,
            _ => FrontendStatus::Open,
        }
    }

    /// Changes the status; one that was stopped stays so.
    pub fn set_status(&self, status: FrontendStatus) {
        if self.status() != FrontendStatus::Stopped {
            self.status.store(status as u8, Ordering::Relaxed);
        }
    }
}

/// What a listener counts with `option socket-stats`; the comment is the column of `show stat`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum ListenerEvent {
    /// `stot`.
    Session,
    /// `dreq`.
    DeniedReq,
    /// `dresp`.
    DeniedResp,
    /// `ereq`.
    FailedReq,
    /// `dcon`.
    DeniedConn,
    /// `dses`.
    DeniedSess,
    /// `wrew`.
    FailedRewrite,
    /// `eint`.
    InternalError,
}

const LISTENER_EVENTS: usize = ListenerEvent::InternalError as usize + 1;

/// Counters of a listener.
#[derive(Debug, Default)]
pub struct ListenerCounts([AtomicU64; LISTENER_EVENTS]);

impl ListenerCounts {
    /// Counts.
    pub fn inc(&self, event: ListenerEvent) {
        self.0[event as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// The value of a counter.
    pub fn get(&self, event: ListenerEvent) -> u64 {
        self.0[event as usize].load(Ordering::Relaxed)
    }

    /// Starts from zero (`clear counters all`).
    pub fn clear(&self) {
        self.0.iter().for_each(|n| n.store(0, Ordering::Relaxed));
    }
}

/// A listener: one address of a `bind` line, whatever the number of its sockets.
#[derive(Debug)]
pub struct ListenerInfo {
    /// `name`, or `sock-N` as the statistics call listeners without.
    pub name: Arc<str>,
    /// Whether `name` was written in the configuration.
    pub named: bool,
    /// `id`, or the number that it got (`so_id`).
    pub id: u32,
    /// The address as messages show it.
    pub addr: Address,
    /// The name of the protocol.
    pub protocol: &'static str,
    /// `proto`: the token of a mux; none for the frontend's usual one.
    pub proto: Option<Arc<str>>,
    /// What every connection has to start with (`accept-proxy`, `accept-netscaler-cip`).
    pub expect: Expect,
    /// The magic number of NetScaler's header, for rules that expect one (`accept-netscaler-cip`).
    pub cip_magic: u32,
    /// `tcp-ss`: the kernel has kept the clients' SYN packets.
    pub saved_syn: bool,
    /// How long a handshake (a PROXY header) may take.
    pub handshake_timeout: Option<Duration>,
    /// `idle-ping`: how long a connection of HTTP/2 may be silent before it is asked for a sign of life.
    pub idle_ping: Option<Duration>,
    /// Its connections are kept while they are idle, whatever the timeouts for requests say: they were not made for
    /// one request.
    pub keeps_idle: bool,
    /// Its frontend.
    pub frontend: Arc<FrontendInfo>,
    /// The process.
    pub process: Arc<ProcessInfo>,
    /// `maxconn` of the line: current, peak and total connections.
    pub conns: Gate,
    /// A [`ListenerState`].
    pub state: AtomicU8,
    /// What became of its connections and requests.
    pub counts: ListenerCounts,
    /// Bytes from clients (`bin`).
    pub bytes_in: AtomicU64,
    /// Bytes to clients (`bout`).
    pub bytes_out: AtomicU64,
}

impl ListenerInfo {
    /// Whether it serves the runtime API, which must work when clients have to wait.
    pub fn is_api(&self) -> bool {
        self.frontend.index == usize::MAX
    }

    /// Changes the state that the CLI and the statistics show.
    pub fn set_state(&self, s: ListenerState) {
        self.state.store(s as u8, Ordering::Relaxed);
    }

    /// The state.
    pub fn state(&self) -> ListenerState {
        use ListenerState as S;
        let all = [S::New, S::Init, S::Assigned, S::Paused, S::Listen, S::Ready, S::Full, S::Limited];
        all.into_iter().find(|s| *s as u8 == self.state.load(Ordering::Relaxed)).unwrap_or_default()
    }
}

/// A connection as a listener hands it up.
pub struct Incoming {
    /// The stream.
    pub transport: Box<dyn Transport>,
    /// Where it comes from, before any PROXY header: reading that is the taker's business, for
    /// `tcp-request connection` rules come first.
    pub src: Address,
    /// Its place among the limits, and its listener. Keep it for as long as the connection lives.
    pub slot: ConnSlot,
}

impl std::fmt::Debug for Incoming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Incoming {{ {} -> {} }}", self.src, self.slot.listener().name)
    }
}

/// Takes accepted connections, on the thread that accepted them.
pub trait AcceptSink {
    /// Takes one. Returns at once; the work goes into tasks of this thread.
    fn accept(&self, conn: Incoming);

    /// Takes a datagram of a listener, and where it came from. Returns at once.
    fn datagram(&self, listener: &ListenerInfo, from: &Address, bytes: &[u8]) {
        let _ = (listener, from, bytes);
    }

    /// The longest datagram (bytes); what is longer is cut.
    fn datagram_max(&self) -> usize {
        16_384
    }

    /// Hears of a listener that cannot accept because the process or the system has run out of something
    /// (descriptors, memory), once per listener until it recovers. It tries again by itself.
    fn trouble(&self, listener: &ListenerInfo, error: &std::io::Error) {
        let _ = (listener, error);
    }
}

/// A connection's place among the limits of its listener, its frontend and the process; given back on drop.
#[derive(Debug)]
pub struct ConnSlot {
    listener: Arc<ListenerInfo>,
}

impl ConnSlot {
    /// Takes a place in all three, or none. On failure the task is woken when the limit that was in the way
    /// has a place, and the listener's state says which limit that is.
    pub fn enter_or_wait(listener: &Arc<ListenerInfo>, cx: &std::task::Context<'_>) -> Option<Self> {
        if !listener.conns.enter_or_wait(cx) {
            listener.set_state(ListenerState::Full);
            return None;
        }
        if !listener.frontend.conns.enter_or_wait(cx) {
            listener.conns.leave();
            listener.set_state(ListenerState::Limited);
            return None;
        }
        if !listener.process.conns.enter_or_wait(cx) {
            listener.frontend.conns.leave();
            listener.conns.leave();
            listener.set_state(ListenerState::Limited);
            return None;
        }
        Some(Self { listener: Arc::clone(listener) })
    }

    /// Counts the connection that got the place.
    pub fn confirm(&self) {
        let l = &self.listener;
        let now = now_ms();
        l.conns.confirm();
        l.frontend.conns.confirm();
        l.process.conns.confirm();
        l.frontend.conn_rate.add(now, 1);
        l.frontend.sess_rate.add(now, 1);
        l.process.conn_rate.add(now, 1);
        l.process.sess_rate.add(now, 1);
    }

    /// Where the connection came in.
    pub fn listener(&self) -> &Arc<ListenerInfo> {
        &self.listener
    }
}

impl Drop for ConnSlot {
    fn drop(&mut self) {
        self.listener.process.conns.leave();
        self.listener.frontend.conns.leave();
        self.listener.conns.leave();
    }
}
