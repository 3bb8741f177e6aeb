//! What an expression can look at.

use crate::facts::{ProxyFacts, Sess, Strm};
use crate::value::{Owned, Value};
use crate::vars::{ProcVars, Scope, VarId};
use bytes::Bytes;
use hawser_http::Head;
use hawser_proto::Address;
use hawser_stick::Table;
use std::cell::RefCell;
use std::sync::Arc;

/// Borrowed, optional views. The source bits of a fetch say which ones it needs; a missing view makes the
/// sample "not found", never an error.
#[derive(Clone, Copy)]
pub struct Ctx<'a> {
    /// The client session.
    pub sess: Option<&'a Sess>,
    /// The stream.
    pub strm: Option<&'a Strm>,
    /// The request head.
    pub req: Option<&'a Head>,
    /// The response head.
    pub res: Option<&'a Head>,
    /// Bytes buffered from the client (`req.payload`, `req.body`, `req.len`), and whether no more will come.
    pub req_data: Option<Payload<'a>>,
    /// Bytes buffered from the server.
    pub res_data: Option<Payload<'a>>,
    /// `proc.*` variables.
    pub proc_vars: Option<&'a ProcVars>,
    /// State of proxies and servers.
    pub rt: Option<&'a dyn Runtime>,
    /// A response is being processed: `hdr` and friends look at it where both are possible.
    pub response: bool,
    /// More input may still come (`tcp-request content` before `inspect-delay` is over): what cannot be told yet is
    /// unknown, not absent.
    pub partial: bool,
    /// Where converters with an effect (`set-var`, `capture-req`) leave it; without it they have none.
    pub writes: Option<&'a Writes>,
}

/// Effects of converters, applied by the owner of the transaction when the evaluation is over. Expressions see
/// pending variables before those that are stored.
#[derive(Default, Debug)]
pub struct Writes(RefCell<Vec<Write>>);

/// One effect.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// Set (or unset) a variable.
    Var(VarId, Option<Owned>),
    /// Fill a request capture slot.
    CaptureReq(usize, Bytes),
    /// Fill a response capture slot.
    CaptureRes(usize, Bytes),
}

impl Writes {
    /// Leaves an effect.
    pub fn push(&self, w: Write) {
        self.0.borrow_mut().push(w);
    }

    /// Nothing was left.
    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// Takes all effects, in order.
    pub fn take(&self) -> Vec<Write> {
        std::mem::take(&mut self.0.borrow_mut())
    }

    /// The pending value of a variable: `Some(None)` when it is about to be unset.
    pub fn pending(&self, id: VarId) -> Option<Option<Owned>> {
        self.0.borrow().iter().rev().find_map(|w| match w {
            Write::Var(i, v) if *i == id => Some(v.clone()),
            _ => None,
        })
    }
}

/// Buffered bytes.
#[derive(Clone, Copy, Debug)]
pub struct Payload<'a> {
    /// The bytes.
    pub data: &'a [u8],
    /// The end has been seen, or the buffer is full.
    pub complete: bool,
}

impl<'a> Ctx<'a> {
    /// Source address of the stream, else of the session (`src`, `%ci`).
    pub fn src(&self) -> Option<&'a Address> {
        self.strm.and_then(|s| s.src.as_ref()).or(self.sess.map(|s| &s.src))
    }

    /// Destination address of the stream, else of the session (`dst`, `%fi`).
    pub fn dst(&self) -> Option<&'a Address> {
        self.strm.and_then(|s| s.dst.as_ref()).or(self.sess.map(|s| &s.dst))
    }

    /// Whether nothing was asked on the client's connection before (`http_first_req`). Of a connection of many
    /// streams HAProxy never says so.
    pub fn first_request(&self) -> Option<bool> {
        Some(self.strm?.request_index == 0 && self.sess?.fc_http_major < 2)
    }

    /// The backend, or the frontend as long as no backend was chosen.
    pub fn backend(&self) -> Option<&'a ProxyFacts> {
        match self.strm.and_then(|s| s.backend.as_deref()) {
            Some(b) => Some(b),
            None => Some(&self.sess?.frontend),
        }
    }

    /// The value of a variable, pending effects first.
    pub fn var(&self, id: VarId) -> Option<Value<'a>> {
        if let Some(pending) = self.writes.and_then(|w| w.pending(id)) {
            return pending.map(|v| v.to_value());
        }
        match id.scope {
            Scope::Proc => self.proc_vars?.0.read().get(id.name).map(Owned::to_value),
            Scope::Sess => self.sess?.vars.get(id.name).map(Owned::as_value),
            Scope::Check => None,
            _ => self.strm?.vars.store(id.scope)?.get(id.name).map(Owned::as_value),
        }
    }

    /// A context in which nothing is known, for configuration-time evaluation.
    pub const EMPTY: Ctx<'static> = Ctx {
        sess: None,
        strm: None,
        req: None,
        res: None,
        req_data: None,
        res_data: None,
        proc_vars: None,
        rt: None,
        response: false,
        partial: false,
        writes: None,
    };
}

/// Questions about the running process that fetches ask; indexes are those of the snapshot's proxies.
/// Default answers are "unknown", so a test needs to implement only what it asks for.
#[expect(unused_variables, reason = "default answers ignore the question")]
pub trait Runtime {
    /// Usable servers of a backend (`nbsrv`).
    fn usable_servers(&self, backend: usize) -> Option<u32> {
        None
    }
    /// Current connections of a frontend (`fe_conn`).
    fn fe_conn(&self, frontend: usize) -> Option<u32> {
        None
    }
    /// Sessions per second of a frontend (`fe_sess_rate`).
    fn fe_sess_rate(&self, frontend: usize) -> Option<u32> {
        None
    }
    /// Requests per second of a frontend (`fe_req_rate`).
    fn fe_req_rate(&self, frontend: usize) -> Option<u32> {
        None
    }
    /// Current connections of a backend (`be_conn`).
    fn be_conn(&self, backend: usize) -> Option<u32> {
        None
    }
    /// Sessions per second of a backend (`be_sess_rate`).
    fn be_sess_rate(&self, backend: usize) -> Option<u32> {
        None
    }
    /// Queued requests of a backend, its servers included (`queue`, `avg_queue`).
    fn queued(&self, backend: usize) -> Option<u32> {
        None
    }
    /// Connections that a backend's servers can still take (`be_conn_free`); -1 when a server has no limit.
    fn conn_free(&self, backend: usize) -> Option<i64> {
        None
    }
    /// The same with free places in the servers' queues (`connslots`); -1 when there is no limit.
    fn conn_slots(&self, backend: usize) -> Option<i64> {
        None
    }
    /// One server.
    fn server(&self, backend: usize, server: usize) -> Option<ServerFacts> {
        None
    }
    /// Index of a proxy with a frontend, by name (`fe_exists`).
    fn find_frontend(&self, name: &str) -> Option<usize> {
        None
    }
    /// Index of a proxy with a backend, by name.
    fn find_proxy(&self, name: &str) -> Option<usize> {
        None
    }
    /// Index of a server in a proxy.
    fn find_server(&self, backend: usize, name: &str) -> Option<usize> {
        None
    }
    /// Current connections of a listener (`dst_conn`): frontend and listener id.
    fn listener_conn(&self, frontend: usize, listener: u32) -> Option<u32> {
        None
    }
    /// Current connections of the process (`act_conn`).
    fn act_conn(&self) -> u32 {
        0
    }
    /// Seconds since this process started (`uptime`).
    fn uptime(&self) -> u64 {
        0
    }
    /// Whether the process is stopping (`stopping`).
    fn stopping(&self) -> bool {
        false
    }
    /// A stick table, by its index in the configuration.
    fn table(&self, index: usize) -> Option<&Arc<Table>> {
        None
    }
    /// The present moment for stick tables (ms).
    fn now_ms(&self) -> u64 {
        hawser_proto::freq::now_ms()
    }
    /// Number of worker threads (`nbthread`-like fetches), and the current thread's number.
    fn threads(&self) -> (u32, u32) {
        (1, 0)
    }
}

/// State of a server as fetches see it.
#[derive(Clone, Copy, Debug, Default)]
#[expect(missing_docs, reason = "self-explaining counters")]
pub struct ServerFacts {
    pub up: bool,
    pub conn: u32,
    pub queued: u32,
    /// 0 for no limit.
    pub maxconn: u32,
    /// Effective weight, what slow start leaves of the user's weight.
    pub weight: u32,
    /// Weight set by the user.
    pub user_weight: u32,
    /// Weight of the configuration.
    pub init_weight: u32,
    pub sess_rate: u32,
    pub idle: u32,
}
