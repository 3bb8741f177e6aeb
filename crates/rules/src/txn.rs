//! What a rule may change, and what it may decide.

use crate::replies::Errors;
use crate::service::Service;
use bytes::Bytes;
use hawser_cfg::model::{RuleLine, RuleLines};
use hawser_http::{Head, Reply};
use hawser_sample::ctx::{Write, Writes};
use hawser_sample::facts::{Sess, Strm};
use hawser_sample::value::Owned;
use hawser_sample::vars::{ProcVars, Scope, VarId};
use hawser_sample::{Ctx, Expr, LogFormat, Runtime, Value};
use hawser_stick::Tracked;
use std::sync::Arc;

/// Where a rule set is evaluated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the rule set of that name in the manual")]
pub enum RuleSet {
    TcpReqConn,
    TcpReqSess,
    TcpReqCont,
    TcpResCont,
    HttpReq,
    HttpRes,
    HttpAfterRes,
}

impl RuleSet {
    /// All of them, in order of evaluation.
    pub const ALL: [Self; 7] = [
        Self::TcpReqConn,
        Self::TcpReqSess,
        Self::TcpReqCont,
        Self::TcpResCont,
        Self::HttpReq,
        Self::HttpRes,
        Self::HttpAfterRes,
    ];

    /// As written in the configuration.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::TcpReqConn => "tcp-request connection",
            Self::TcpReqSess => "tcp-request session",
            Self::TcpReqCont => "tcp-request content",
            Self::TcpResCont => "tcp-response content",
            Self::HttpReq => "http-request",
            Self::HttpRes => "http-response",
            Self::HttpAfterRes => "http-after-response",
        }
    }

    /// The lines of this set.
    pub fn lines(self, lines: &RuleLines) -> &[RuleLine] {
        match self {
            Self::TcpReqConn => &lines.tcp_req_conn,
            Self::TcpReqSess => &lines.tcp_req_sess,
            Self::TcpReqCont => &lines.tcp_req_cont,
            Self::TcpResCont => &lines.tcp_res_cont,
            Self::HttpReq => &lines.http_req,
            Self::HttpRes => &lines.http_res,
            Self::HttpAfterRes => &lines.http_after_res,
        }
    }

    /// Evaluated on responses.
    pub fn is_response(self) -> bool {
        matches!(self, Self::TcpResCont | Self::HttpRes | Self::HttpAfterRes)
    }

    /// Evaluated on HTTP messages.
    pub fn is_http(self) -> bool {
        matches!(self, Self::HttpReq | Self::HttpRes | Self::HttpAfterRes)
    }
}

/// The mutable view that actions get. `session` builds one per evaluation from what it owns.
pub struct Txn<'a> {
    /// The client session.
    pub sess: &'a mut Sess,
    /// The stream; `None` before there is one (`tcp-request connection` and `session`).
    pub strm: Option<&'a mut Strm>,
    /// The request head.
    pub req: Option<&'a mut Head>,
    /// The response head.
    pub res: Option<&'a mut Head>,
    /// Bytes buffered from the client.
    pub req_data: Option<hawser_sample::ctx::Payload<'a>>,
    /// Bytes buffered from the server.
    pub res_data: Option<hawser_sample::ctx::Payload<'a>>,
    /// `proc.*` variables.
    pub proc_vars: &'a ProcVars,
    /// State of proxies and servers.
    pub rt: &'a dyn Runtime,
    /// Response processing.
    pub response: bool,
    /// More input may still come: rules that cannot be decided without it wait ([`WaitFor::Input`]). False once
    /// `inspect-delay` is over, the buffer is full or the peer has sent all, and in rule sets that never wait.
    pub partial: bool,
    /// Error replies in force: those of the backend, if one was chosen, before those of the frontend.
    pub errors: Errors<'a>,
    /// Lengths of the frontend's capture slots ([`crate::ProxyRules::captures`]): requests, responses.
    pub capture_lens: [&'a [u32]; 2],
    /// How far rewrites may make the heads grow.
    pub room: Room,
    /// What actions ask of the stream beyond the messages.
    pub asks: &'a mut Asks,
}

/// The bound on header rewrites: HAProxy's message must fit its buffer, so must ours.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// `tune.bufsize` (bytes).
    pub bufsize: usize,
    /// Body bytes that are held in memory together with the head that is being rewritten.
    pub held: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self { bufsize: 16384, held: 0 }
    }
}

impl Txn<'_> {
    /// The read-only view for expressions.
    pub fn ctx(&self) -> Ctx<'_> {
        Ctx {
            sess: Some(&*self.sess),
            strm: self.strm.as_deref(),
            req: self.req.as_deref(),
            res: self.res.as_deref(),
            req_data: self.req_data,
            res_data: self.res_data,
            proc_vars: Some(self.proc_vars),
            rt: Some(self.rt),
            response: self.response,
            partial: self.partial,
            writes: Some(&self.asks.writes),
        }
    }

    /// What a stick counter tracks: the stream's, else the session's.
    pub fn tracked(&self, number: usize) -> Option<&Tracked> {
        let strm = self.strm.as_deref().and_then(|s| s.tracked.get(number));
        strm.or_else(|| self.sess.tracked.get(number))
    }

    /// The message of this direction.
    pub fn message(&mut self) -> Option<&mut Head> {
        if self.response { self.res.as_deref_mut() } else { self.req.as_deref_mut() }
    }

    /// Sets or unsets a variable. Silently nothing where the scope does not exist, as `txn` before there is a stream, and
    /// for a value that no buffer could hold: one that is made of itself and of what clients send would grow for ever.
    pub fn set_var(&mut self, id: VarId, value: Option<Owned>) {
        if value.as_ref().is_some_and(|v| v.size() > self.room.bufsize) {
            return;
        }
        let mut proc_vars;
        let store = match id.scope {
            Scope::Proc => {
                proc_vars = self.proc_vars.0.write();
                &mut *proc_vars
            }
            Scope::Sess => &mut self.sess.vars,
            scope => match self.strm.as_deref_mut().and_then(|s| s.vars.store_mut(scope)) {
                Some(s) => s,
                None => return,
            },
        };
        match value {
            Some(v) => store.set(id.name, v),
            None => store.unset(id.name),
        }
    }

    /// Calls with the stored value of a variable.
    pub fn with_var<R>(&self, id: VarId, f: impl FnOnce(Option<&Owned>) -> R) -> R {
        match id.scope {
            Scope::Proc => f(self.proc_vars.0.read().get(id.name)),
            Scope::Sess => f(self.sess.vars.get(id.name)),
            scope => f(self.strm.as_deref().and_then(|s| s.vars.store(scope)).and_then(|s| s.get(id.name))),
        }
    }

    /// Puts bytes, as many as it takes, into a capture slot, if the frontend has it.
    pub fn capture(&mut self, response: bool, slot: usize, value: &[u8]) {
        let lens = self.capture_lens[usize::from(response)];
        let (Some(strm), Some(len)) = (self.strm.as_deref_mut(), lens.get(slot)) else { return };
        let slots = if response { &mut strm.res_captures } else { &mut strm.req_captures };
        if slots.len() < lens.len() {
            slots.resize(lens.len(), None);
        }
        let kept = &value[..value.len().min(*len as usize)];
        slots[slot] = Some(Bytes::copy_from_slice(kept));
    }

    /// Applies what converters with an effect left behind.
    pub fn apply_writes(&mut self) {
        if self.asks.writes.is_empty() {
            return;
        }
        for w in self.asks.writes.take() {
            match w {
                Write::Var(id, value) => self.set_var(id, value),
                Write::CaptureReq(slot, v) => self.capture(false, slot, &v),
                Write::CaptureRes(slot, v) => self.capture(true, slot, &v),
            }
        }
    }

    /// Evaluates an expression and calls with its sample.
    pub(crate) fn sample<R>(&mut self, expr: &Expr, f: impl FnOnce(Value<'_>) -> Option<R>) -> Option<R> {
        let r = expr.eval(&self.ctx()).and_then(f);
        self.apply_writes();
        r
    }

    /// Evaluates a format into the scratch buffer, and calls with that and the transaction.
    pub(crate) fn formatted<R>(&mut self, fmt: &LogFormat, f: impl FnOnce(&mut Self, &[u8]) -> R) -> R {
        if let Some(text) = fmt.fixed() {
            return f(self, text);
        }
        let mut buf = std::mem::take(&mut self.asks.scratch);
        buf.clear();
        fmt.eval(&self.ctx(), &mut buf);
        self.apply_writes();
        let r = f(self, &buf);
        self.asks.scratch = buf;
        r
    }
}

/// Settings that actions leave for the connection or the stream to apply. What [`Strm`] has a field for
/// (`set-timeout`, `set-priority-*`, `set-log-level`) goes there instead.
#[derive(Default, Debug)]
pub struct Asks {
    /// `set-retries`.
    pub retries: Option<u32>,
    /// `set-fc-mark`, `set-mark`: to set on the client connection at once.
    pub fc_mark: Option<u32>,
    /// `set-fc-tos`, `set-tos`: to set on the client connection at once.
    pub fc_tos: Option<u8>,
    /// `expect-proxy layer4`.
    pub expect_proxy: bool,
    /// `expect-netscaler-cip layer4`.
    pub expect_cip: bool,
    /// `set-bc-mark`: for the connection to the server.
    pub bc_mark: Option<u32>,
    /// `set-bc-tos`: for the connection to the server.
    pub bc_tos: Option<u8>,
    /// `disable-l7-retry`.
    pub no_l7_retry: bool,
    /// Failed header rewrites, for the counters.
    pub failed_rewrites: u32,
    /// `early-hint` fields gathered so far: to send as one 103 when the rule set is over or waits.
    pub early_hints: Vec<(Bytes, Bytes)>,
    /// `strict-mode off` was met in the rule set under way; cleared when a rule set starts over.
    pub lenient: bool,
    /// Effects of converters that wait to be applied; empty between rules.
    pub writes: Writes,
    /// `attach-srv`: what is to become of the connection.
    pub attach: Option<Attach>,
    /// Memory for values under construction, reused from one rule to the next.
    pub scratch: Vec<u8>,
}

/// The server that a connection is to be attached to (`attach-srv`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attach {
    /// Index of its backend among the proxies.
    pub backend: usize,
    /// Its index in the backend.
    pub server: usize,
    /// The name that requests find the connection by.
    pub name: Option<Box<[u8]>>,
}

/// What evaluating a rule set ends with.
///
/// A `None` reply means that the answer is nothing at all: an empty `errorfile` closes the connection in silence.
#[derive(Debug)]
pub enum Verdict {
    /// The end was reached: go on.
    Continue,
    /// `allow`/`accept`: stop this rule set, go on.
    Allow,
    /// `deny`: refuse with a reply; counts as a denied request or response.
    Deny {
        /// Status code, for the counters and the log.
        status: u16,
        /// The reply.
        reply: Option<Arc<Reply>>,
    },
    /// `return`: answer without a server.
    Return {
        /// Status that it stands for.
        status: u16,
        /// The reply; none closes the connection.
        reply: Option<Arc<Reply>>,
    },
    /// `use-service`: the service answers.
    Service(Arc<dyn Service>),
    /// `redirect`.
    Redirect(Arc<Reply>),
    /// `auth`: the 401 or 407 challenge.
    Auth(Option<Arc<Reply>>),
    /// `tarpit`: wait `timeout tarpit`, then the reply.
    Tarpit {
        /// Status code, for the counters and the log.
        status: u16,
        /// The reply.
        reply: Option<Arc<Reply>>,
    },
    /// `reject`: close without a word.
    Reject,
    /// `tcp-response content close`: close the connection to the server, forward what came.
    CloseServer,
    /// `silent-drop`: vanish.
    SilentDrop {
        /// `rst-ttl`: send a RST with that TTL instead of using TCP_REPAIR.
        rst_ttl: Option<u8>,
    },
    /// `tcp-request content switch-mode http`.
    SwitchHttp {
        /// `proto`: the mux.
        proto: Option<&'static str>,
    },
    /// A rule needs more input (inspect-delay) or time: call again, starting at this rule.
    Wait {
        /// Index of the rule to resume at.
        rule: usize,
        /// What it waits for.
        until: WaitFor,
    },
    /// `normalize-uri … strict` met a broken URI: 400.
    BadRequest,
    /// A rewrite failed in strict mode, or an internal error: 500.
    Error,
}

/// Why a rule set is suspended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitFor {
    /// More bytes from the peer, or `inspect-delay`. Once no more may come (end, full buffer, delay over), call
    /// again with [`hawser_sample::ctx::Payload::complete`] set: the rules then take what there is.
    Input,
    /// `pause` (ms).
    Pause(u64),
    /// `wait-for-body time T [at-least N]` (ms, bytes). A body that is late costs a 408 (request) or 504 (response).
    Body(u32, u64),
}
