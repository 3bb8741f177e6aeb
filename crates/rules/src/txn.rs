//! What a rule may change, and what it may decide.

use bytes::Bytes;
use hawser_http::Head;
use hawser_sample::facts::{Sess, Strm};
use hawser_sample::vars::ProcVars;
use hawser_sample::{Ctx, Runtime};
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
    /// What actions ask of the stream beyond the messages.
    pub asks: &'a mut Asks,
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
        }
    }
}

/// Settings that actions leave for the stream to apply.
#[derive(Default, Debug)]
pub struct Asks {
    /// `set-timeout server` (ms).
    pub timeout_server: Option<u32>,
    /// `set-timeout client` (ms).
    pub timeout_client: Option<u32>,
    /// `set-timeout tunnel` (ms).
    pub timeout_tunnel: Option<u32>,
    /// `set-timeout connect` (ms).
    pub timeout_connect: Option<u32>,
    /// `set-timeout queue` (ms).
    pub timeout_queue: Option<u32>,
    /// `set-retries`.
    pub retries: Option<u32>,
    /// `set-fc-mark` / `set-mark`.
    pub fc_mark: Option<u32>,
    /// `set-fc-tos` / `set-tos`.
    pub fc_tos: Option<u8>,
    /// `set-bc-mark`.
    pub bc_mark: Option<u32>,
    /// `set-bc-tos`.
    pub bc_tos: Option<u8>,
    /// `set-priority-class`.
    pub priority_class: Option<i32>,
    /// `set-priority-offset` (ms).
    pub priority_offset: Option<i32>,
    /// `disable-l7-retry`.
    pub no_l7_retry: bool,
    /// Failed header rewrites, for the counters.
    pub failed_rewrites: u32,
    /// `early-hint` fields gathered so far: sent as one 103.
    pub early_hints: Vec<(Bytes, Bytes)>,
}

/// A ready response: `return`, `deny`, `redirect`, errorfiles.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Its head; framing fields are the mux's business.
    pub head: Head,
    /// Its body.
    pub body: Bytes,
    /// Close the client connection after it.
    pub close: bool,
}

/// What evaluating a rule set ends with.
#[derive(Debug)]
pub enum Verdict {
    /// The end was reached: go on.
    Continue,
    /// `allow`/`accept`: stop this rule set, go on.
    Allow,
    /// Refuse with a reply (`deny`; the status's error file when `reply` is `None`).
    Deny {
        /// Status code.
        status: u16,
        /// Custom reply.
        reply: Option<Arc<Reply>>,
    },
    /// `return`: answer without a server.
    Return(Box<Reply>),
    /// `redirect`.
    Redirect(Box<Reply>),
    /// `tarpit`: wait `timeout tarpit`, then the reply.
    Tarpit {
        /// Status code.
        status: u16,
        /// Custom reply.
        reply: Option<Arc<Reply>>,
    },
    /// `reject`: close without a word.
    Reject,
    /// `silent-drop`: vanish.
    SilentDrop,
    /// `tcp-request content switch-mode http`.
    SwitchHttp,
    /// A rule needs more input (inspect-delay) or time: call again, starting at this rule.
    Wait {
        /// Index of the rule to resume at.
        rule: usize,
        /// What it waits for.
        until: WaitFor,
    },
    /// A rewrite failed in strict mode, or an internal error: 500.
    Error,
}

/// Why a rule set is suspended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitFor {
    /// More bytes from the peer, or `inspect-delay`.
    Input,
    /// `pause` (ms), then continue after the rule.
    Pause(u64),
    /// `wait-for-body time T [at-least N]` (ms, bytes).
    Body(u32, u64),
}
