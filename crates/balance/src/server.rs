//! One server: what the configuration says of it and what changes while it runs.

use crate::agent::Agent;
use crate::backend::Backend;
use crate::counters::{Counters, raise};
use crate::end::EndSignal;
use crate::observe::Observer;
use crate::pool::Attached;
use crate::time::Ms;
use arc_swap::ArcSwap;
use hawser_cfg::model::{AddrKind, ServerOpts};
use hawser_proto::Address;
use hawser_proto::freq::FreqCtr;
use parking_lot::Mutex;
use std::net::IpAddr;
use std::sync::atomic::{
    AtomicBool, AtomicU8, AtomicU32, AtomicU64,
    Ordering::{Relaxed, SeqCst},
};
use std::sync::{Arc, OnceLock, Weak};

mod state;

pub use state::{Admin, Oper, ServerState};

/// Weights are kept times this, so that slow start has steps to climb even with `weight 1`.
pub const WEIGHT_SCALE: u32 = 16;

/// Where a server listens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerAddr {
    /// Resolved address; [`Address::Unknown`] for a server that started without one (`init-addr none`).
    pub addr: Address,
    /// The host name it was resolved from.
    pub hostname: Option<Arc<str>>,
    /// The port that stands beside the host name, for servers without an address.
    pub named_port: u16,
    /// Added to the port that the client connected to (`server s 192.0.2.1:+1000`).
    pub port_offset: Option<i32>,
    /// No port was written: the port that the client connected to is used.
    pub port_missing: bool,
}

impl ServerAddr {
    /// The address to connect to for a client that came in on `client_port`.
    pub fn target(&self, client_port: u16) -> Address {
        let mut addr = self.addr.clone();
        if let Address::Ip(a) = &mut addr {
            if let Some(off) = self.port_offset {
                // Modulo 65536, as a port is.
                a.set_port((i32::from(client_port) + off).rem_euclid(1 << 16) as u16);
            } else if self.port_missing {
                a.set_port(client_port);
            }
        }
        addr
    }
}

/// Counts that every request touches, alone on their cache lines.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(crate) struct Load {
    /// Requests that hold a [`crate::Slot`].
    pub(crate) served: AtomicU32,
    /// Requests that wait for this very server.
    pub(crate) queued: AtomicU32,
    served_max: AtomicU32,
    queued_max: AtomicU32,
    pub(crate) maxconn: AtomicU32,
    minconn: AtomicU32,
    /// Share of the limit that slow start allows, percent; 0 when no slow start is under way.
    throttle: AtomicU8,
    /// Takes part in load balancing: up, weight above 0, and active (or a backup in use).
    pub(crate) in_farm: AtomicBool,
}

/// Idle connections of all threads, see [`crate::pool`].
#[derive(Debug, Default)]
pub struct IdleCounts {
    /// How many are where: a connection that goes from one place to another changes one number.
    places: AtomicU64,
    /// Connections that the recent load needed (`need_conn_cur`).
    pub needed: AtomicU32,
}

impl IdleCounts {
    /// Connections in a place.
    pub fn at(&self, place: Place) -> u32 {
        place.count(self.places.load(Relaxed))
    }

    /// Connections in the pools.
    pub fn pooled(&self) -> u32 {
        let places = self.places.load(Relaxed);
        Place::Idle.count(places) + Place::Safe.count(places)
    }

    /// A connection comes from one place, unless it is new, and goes to another, unless it is closed.
    pub fn moves(&self, from: Option<Place>, to: Option<Place>) {
        let one = |place: Option<Place>| place.map_or(0, Place::one);
        self.places.fetch_add(one(to).wrapping_sub(one(from)), Relaxed);
    }
}

/// Where a connection to a server is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// In a pool, and never reused (`idle_conn_cur`).
    Idle,
    /// In a pool, and reused at least once (`safe_conn_cur`).
    Safe,
    /// It carries requests (`used_conn_cur`).
    Used,
}

impl Place {
    /// Bits for the connections of one place: more than a process can have.
    const BITS: u32 = 21;

    fn one(self) -> u64 {
        1 << (self as u32 * Self::BITS)
    }

    fn count(self, places: u64) -> u32 {
        let n = places / self.one() % (1 << Self::BITS);
        // It has that many bits.
        u32::try_from(n).unwrap_or(u32::MAX)
    }
}

/// What the statistics say about a server's checks; written by the `check` crate.
#[derive(Clone, Debug, Default)]
pub struct CheckView {
    /// There are checks, and nobody has disabled them.
    pub enabled: bool,
    /// `check_status`, as in `L4OK`, `L7STS`, `INI`.
    pub status: &'static str,
    /// `check_desc`.
    pub desc: &'static str,
    /// `check_code`: HTTP status of the last check, 0 if none.
    pub code: u16,
    /// `check_duration` of the last check, ms.
    pub duration: Option<u32>,
    /// `last_chk`.
    pub last: String,
    /// `check_health`: from 0 to rise + fall - 1; the server is up from `rise` on.
    pub health: u32,
    /// `check_rise`.
    pub rise: u32,
    /// `check_fall`.
    pub fall: u32,
    /// `chkfail`.
    pub failed: u64,
    /// `hanafail`: failures seen by `observe`.
    pub observed: u64,
    /// The server was declared up or down: the next check starts from there.
    pub forced: Option<bool>,
}

/// `addr` and `port` of checks, as configured or as the command line has set them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckTo {
    /// `addr`.
    pub addr: Option<IpAddr>,
    /// `port`.
    pub port: Option<u16>,
}

/// What a state file says of a server's checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restored {
    /// HAProxy's number of the last result, see [`check_number`].
    pub status: u8,
    /// `check_health`.
    pub health: u32,
    /// It was on its way up: the next failure takes it down.
    pub starting: bool,
    /// `disable health` was asked for.
    pub disabled: bool,
}

/// HAProxy's numbers for results of checks, in files and dumps; those without a code do not occur here.
const RESULTS: [&str; 19] = [
    "UNK", "INI", "", "CHECKED", "HANA", "SOCKERR", "L4OK", "L4TOUT", "L4CON", "L6OK", "L6TOUT", "L6RSP",
    "L7TOUT", "L7RSP", "", "L7OK", "L7OKC", "L7STS", "",
];

/// HAProxy's number for the code of a result.
pub fn check_number(code: &str) -> u8 {
    RESULTS.iter().position(|c| *c == code).and_then(|n| u8::try_from(n).ok()).unwrap_or(0)
}

/// The code of a number.
pub fn check_code(number: u8) -> Option<&'static str> {
    RESULTS.get(usize::from(number)).copied().filter(|code| !code.is_empty())
}

/// A server. Its queue lives in its [`crate::Backend`].
#[derive(Debug)]
pub struct Server {
    /// Name.
    pub name: Arc<str>,
    /// Position in [`crate::Backend::servers`].
    pub index: u32,
    /// `id`, or the first free number from 1 on.
    pub id: u32,
    /// Unique in the process: the key of idle connections, stable as long as the server lives.
    pub uid: u64,
    /// Options as configured.
    pub opts: ServerOpts,
    /// Where it was configured.
    pub pos: hawser_cfg::pos::Pos,
    /// Where it listens.
    pub addr: ArcSwap<ServerAddr>,
    /// Counters.
    pub counters: Counters,
    /// Sessions per second (`rate`, `rate_max`).
    pub sess_rate: FreqCtr,
    /// Checks, for the statistics.
    pub check: Mutex<CheckView>,
    /// `agent-check`.
    pub agent: Option<Box<Agent>>,
    /// Idle connections, for the statistics and the limits.
    pub idle: IdleCounts,
    /// The connections of a server that is never dialed (`rhttp@`); `None` for all others.
    pub attached: Option<Attached>,
    pub(crate) load: Load,
    /// Grants from either queue so far, for positions.
    pub(crate) dequeued: AtomicU32,
    pub(crate) uweight: AtomicU32,
    pub(crate) eweight: AtomicU32,
    pub(crate) oper: AtomicU8,
    /// Connections, where `strict-maxconn` has them counted.
    pub(crate) conns: AtomicU32,
    pub(crate) admin: AtomicU8,
    pub(crate) last_change: AtomicU64,
    pub(crate) downtime: AtomicU64,
    pub(crate) downs: AtomicU32,
    /// Times that maintenance ended: each resets the check's health.
    pub(crate) check_resets: AtomicU32,
    /// The address was changed while the process ran.
    pub(crate) moved: AtomicBool,
    /// How long it had been in its state when the process began (ms): what a state file says.
    pub(crate) age: AtomicU64,
    /// What a state file says of its checks.
    pub(crate) restored: OnceLock<Restored>,
    /// Where checks go instead of the server's address and port.
    pub check_to: Mutex<CheckTo>,
    /// Told when all sessions on the server have to end; `None` when that can never happen.
    pub(crate) session_end: Option<Arc<EndSignal>>,
    pub(crate) links: OnceLock<Links>,
    pub(crate) observer: OnceLock<Arc<dyn Observer>>,
}

/// Who follows whom (`track`); set once all backends exist.
#[derive(Debug, Default)]
pub(crate) struct Links {
    pub(crate) tracks: Option<(Weak<Backend>, u32)>,
    pub(crate) trackers: Vec<(Weak<Backend>, u32)>,
}

static NEXT_UID: AtomicU64 = AtomicU64::new(1);

impl Server {
    pub(crate) fn new(
        conf: &hawser_cfg::model::Server,
        index: u32,
        id: u32,
        addr: ServerAddr,
        ends_sessions: bool,
        counters: Counters,
    ) -> Self {
        let o = &conf.opts;
        let weight = o.weight.unwrap_or(1);
        let (minconn, maxconn) = limits(o.minconn.unwrap_or(0), o.maxconn.unwrap_or(0));
        let load = Load { maxconn: maxconn.into(), minconn: minconn.into(), ..Load::default() };
        Self {
            name: conf.name.clone(),
            index,
            id,
            uid: NEXT_UID.fetch_add(1, Relaxed),
            opts: o.clone(),
            pos: conf.pos,
            addr: ArcSwap::from_pointee(addr),
            counters,
            sess_rate: FreqCtr::default(),
            check: Mutex::default(),
            agent: Agent::new(&o.agent),
            idle: IdleCounts::default(),
            attached: matches!(conf.addr.kind, AddrKind::Rhttp(_)).then(Attached::default),
            load,
            dequeued: AtomicU32::new(0),
            uweight: weight.into(),
            eweight: (weight * WEIGHT_SCALE).into(),
            oper: AtomicU8::new(if starts_down(o) { Oper::Down } else { Oper::Up } as u8),
            conns: AtomicU32::new(0),
            admin: AtomicU8::new(if o.disabled { Admin::CMAINT.0 | Admin::FMAINT.0 } else { 0 }),
            last_change: AtomicU64::new(0),
            downtime: AtomicU64::new(0),
            downs: AtomicU32::new(0),
            check_resets: AtomicU32::new(0),
            moved: AtomicBool::new(false),
            age: AtomicU64::new(0),
            restored: OnceLock::new(),
            check_to: Mutex::new(CheckTo { addr: o.check_addr, port: o.check_port }),
            session_end: ends_sessions.then(Arc::default),
            links: OnceLock::new(),
            observer: OnceLock::new(),
        }
    }

    /// Requests being served (`scur`).
    pub fn served(&self) -> u32 {
        self.load.served.load(Relaxed)
    }

    /// Most requests ever served at once (`smax`).
    pub fn served_max(&self) -> u32 {
        self.load.served_max.load(Relaxed)
    }

    /// Requests that wait for this very server (`qcur`).
    pub fn queued(&self) -> u32 {
        self.load.queued.load(Relaxed)
    }

    /// Most requests that ever waited (`qmax`).
    pub fn queued_max(&self) -> u32 {
        self.load.queued_max.load(Relaxed)
    }

    /// `maxconn`, 0 for none.
    pub fn maxconn(&self) -> u32 {
        self.load.maxconn.load(Relaxed)
    }

    /// `minconn`, 0 for none.
    pub fn minconn(&self) -> u32 {
        self.load.minconn.load(Relaxed)
    }

    /// `maxqueue`, 0 for none.
    pub fn maxqueue(&self) -> u32 {
        self.opts.maxqueue.unwrap_or(0)
    }

    /// Weight from the configuration.
    pub fn initial_weight(&self) -> u32 {
        self.opts.weight.unwrap_or(1)
    }

    /// Weight in force before slow start: the initial one unless the CLI changed it.
    pub fn weight(&self) -> u32 {
        self.uweight.load(Relaxed)
    }

    /// Weight for the algorithms, times [`WEIGHT_SCALE`], slow start applied.
    pub fn effective_weight(&self) -> u32 {
        self.eweight.load(Relaxed)
    }

    /// Slow start's share, percent, while it lasts (`throttle`).
    pub fn throttle(&self) -> Option<u8> {
        Some(self.load.throttle.load(Relaxed)).filter(|t| *t != 0)
    }

    /// Connections to it go where the client wanted to.
    pub fn is_transparent(&self) -> bool {
        let addr = self.addr.load();
        let nowhere = matches!(&addr.addr, Address::Ip(a) if a.ip().is_unspecified());
        nowhere || addr.port_missing || addr.port_offset.is_some()
    }

    /// A backup server.
    pub fn is_backup(&self) -> bool {
        self.opts.backup
    }

    /// Seconds-worth of milliseconds spent down (`downtime`).
    pub fn downtime(&self, now: Ms) -> u64 {
        let down = if self.state().is_down() { now.saturating_sub(self.last_change()) } else { 0 };
        self.downtime.load(Relaxed) + down
    }

    /// Times that it went down, for whatever reason (`chkdown`).
    pub fn downs(&self) -> u32 {
        self.downs.load(Relaxed)
    }

    /// When the state last changed (`lastchg`); 0 if never.
    pub fn last_change(&self) -> Ms {
        self.last_change.load(Relaxed)
    }

    /// How long it has been in its state (ms).
    pub fn since_change(&self, now: Ms) -> u64 {
        now.saturating_sub(self.last_change()) + self.age.load(Relaxed)
    }

    /// What a state file says of its checks.
    pub fn restored(&self) -> Option<Restored> {
        self.restored.get().copied()
    }

    /// `init-state down` or `fully-down`: it is down until a check says otherwise, at start and after
    /// maintenance.
    pub fn starts_down(&self) -> bool {
        starts_down(&self.opts)
    }

    /// Maintenance begins, or ends, from when on its checks start anew.
    pub(crate) fn maintain(&self, begins: bool) {
        let mut check = self.check.lock();
        if begins {
            check.health = 0;
        } else {
            self.check_resets.fetch_add(1, Relaxed);
            if check.enabled {
                check.health =
                    health_after_maintenance(self.opts.init_state.as_deref(), check.rise, check.fall);
            }
        }
    }

    /// A number that changes whenever the health of the check starts anew: maintenance ended.
    pub fn check_resets(&self) -> u32 {
        self.check_resets.load(Relaxed)
    }

    /// The address was changed at run time: connections that were made before lead elsewhere.
    pub fn has_moved(&self) -> bool {
        self.moved.load(Relaxed)
    }

    /// The present limit of concurrent requests, `None` for no limit. The limit of a server with `minconn`
    /// grows with the backend's load until `fullconn`; slow start ramps it (manual 5.2 `minconn`, `slowstart`).
    pub fn limit(&self, be_conn: u32, fullconn: u32) -> Option<u32> {
        let (maxconn, minconn) = (self.maxconn(), self.minconn());
        if maxconn == 0 {
            return None;
        }
        let full = if minconn == 0 || minconn >= maxconn || be_conn >= fullconn {
            maxconn
        } else {
            // be_conn < fullconn here, so the ramp stays below maxconn.
            let ramp = u64::from(be_conn) * u64::from(maxconn) / u64::from(fullconn);
            minconn.max(u32::try_from(ramp).unwrap_or(maxconn))
        };
        match self.throttle() {
            Some(pct) => Some((u64::from(full) * u64::from(pct) / 100).clamp(1, u64::from(full)) as u32),
            None => Some(full),
        }
    }

    /// The server whose state this one follows (`track`).
    pub fn tracks(&self) -> Option<(Arc<Backend>, u32)> {
        let (be, idx) = self.links.get()?.tracks.as_ref()?;
        Some((be.upgrade()?, *idx))
    }

    /// The last of the servers that it follows: the one that is checked.
    pub(crate) fn last_tracked(&self) -> Option<Arc<Self>> {
        /// More than a sensible chain has: one that were a ring would end too.
        const LONGEST: usize = 64;
        let tracked = |s: &Self| {
            let (be, i) = s.tracks()?;
            be.servers.get(i as usize).cloned()
        };
        std::iter::successors(tracked(self), |s| tracked(s)).take(LONGEST).last()
    }

    /// Servers that follow this one's state.
    pub fn trackers(&self) -> Vec<(Arc<Backend>, u32)> {
        let links = self.links.get();
        links.iter().flat_map(|l| &l.trackers).filter_map(|(be, idx)| Some((be.upgrade()?, *idx))).collect()
    }

    /// Takes one place under `limit`.
    pub(crate) fn try_take(&self, limit: Option<u32>) -> bool {
        let served = &self.load.served;
        let taken = match limit {
            None => served.fetch_add(1, SeqCst),
            Some(limit) => match served.fetch_update(SeqCst, SeqCst, |n| (n < limit).then_some(n + 1)) {
                Ok(n) => n,
                Err(_) => return false,
            },
        };
        raise(&self.load.served_max, taken + 1);
        true
    }

    /// Forgets the maxima, or all counters (`clear counters`, `clear counters all`).
    pub(crate) fn clear(&self, all: bool) {
        self.counters.clear(all);
        self.sess_rate.clear_max();
        self.load.served_max.store(self.served(), Relaxed);
        self.load.queued_max.store(self.queued(), Relaxed);
        if all {
            self.downs.store(0, Relaxed);
            let mut check = self.check.lock();
            (check.failed, check.observed) = (0, 0);
        }
    }

    pub(crate) fn count_queued(&self) {
        let n = self.load.queued.fetch_add(1, SeqCst) + 1;
        raise(&self.load.queued_max, n);
    }

    pub(crate) fn set_throttle(&self, pct: u8) {
        self.load.throttle.store(pct, Relaxed);
    }

    pub(crate) fn set_maxconn(&self, n: u32) {
        let (minconn, maxconn) = limits(self.opts.minconn.unwrap_or(0), n);
        self.load.minconn.store(minconn, Relaxed);
        self.load.maxconn.store(maxconn, Relaxed);
    }
}

/// The health of a server that has left maintenance, as `init-state` says: the next check confirms it.
pub fn health_after_maintenance(init_state: Option<&str>, rise: u32, fall: u32) -> u32 {
    match init_state {
        Some("fully-up") => (rise + fall).saturating_sub(1),
        Some("down") => rise.saturating_sub(1),
        Some("fully-down") => 0,
        _ => rise,
    }
}

fn starts_down(o: &ServerOpts) -> bool {
    o.check && matches!(o.init_state.as_deref(), Some("down" | "fully-down"))
}

/// `minconn` alone, or above `maxconn`, is a fixed limit.
fn limits(minconn: u32, maxconn: u32) -> (u32, u32) {
    (minconn, maxconn.max(minconn))
}

#[cfg(test)]
mod tests;
