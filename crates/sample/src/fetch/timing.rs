//! Times, sizes and outcome of a stream (manual 7.3.3 to 7.3.6 and 8.4), for fetches and for logs.

use super::l4::date_in;
use crate::args::{Arg, ArgType, NONE, args};
use crate::checkpoint::Source;
use crate::compile::{CompileCx, Error};
use crate::conv::check_unit;
use crate::ctx::Ctx;
use crate::date;
use crate::facts::Moments;
use crate::row::{Fetch, FetchFn, fetch};
use crate::types::Type;
use crate::value::Value;
use hawser_proto::clock;
use std::borrow::Cow;
use std::time::{Duration, Instant, SystemTime};

const SERVER: Source = Source::L4_SERVER;
const INTERNAL: Source = Source::INTERNAL;

/// Rows.
#[rustfmt::skip]
pub(super) static FETCHES: &[Fetch] = &[
    int("bc.timer.connect", SERVER, |_, c| timer(c, |t| t.connect()), "Time to connect to the server (ms)."),
    int("bc_be_queue", SERVER, |_, c| Some(Value::Int(i64::from(c.strm?.be_queue))), "Requests ahead in the backend's queue."),
    int("bc_srv_queue", SERVER, |_, c| Some(Value::Int(i64::from(c.strm?.srv_queue))), "Requests ahead in the server's queue."),
    int("bytes_in", Source::REQ_STATS, |_, c| size(c.strm?.bytes_in), "Bytes from the client."),
    int("bytes_out", Source::RES_STATS, |_, c| size(c.strm?.bytes_out), "Bytes from the server."),
    int("fc.timer.handshake", Source::L4_CLIENT, |_, c| timer(c, |t| t.handshake()), "Time of handshakes (ms)."),
    int("fc.timer.total", Source::SESS_STATS, |_, c| timer(c, |t| t.total()), "Time since the accept (ms)."),
    fetch("last_entity", NONE, Type::Str, INTERNAL, |_, c| rule(&c.strm?.final_rule), "What ended the evaluation of rules."),
    fetch("last_rule_file", NONE, Type::Str, INTERNAL, |_, c| c.strm?.final_rule.as_ref().map(|r| Value::str(r.0.as_bytes())), "File of the rule that ended the evaluation."),
    int("last_rule_line", INTERNAL, |_, c| c.strm?.final_rule.as_ref().map(|r| Value::Int(i64::from(r.1))), "Line of the rule that ended the evaluation."),
    int("prio_class", INTERNAL, |_, c| Some(Value::Int(i64::from(c.strm?.priority_class))), "Priority class."),
    int("prio_offset", INTERNAL, |_, c| Some(Value::Int(i64::from(c.strm?.priority_offset))), "Priority offset (ms)."),
    int("req.bytes_in", Source::REQ_STATS, |_, c| size(c.strm?.bytes_in), "Bytes from the client."),
    int("req.bytes_out", Source::REQ_STATS, |_, c| size(c.strm?.bytes_in), "Bytes to the server."),
    int("req.timer.hdr", Source::REQ_HDR, |_, c| timer(c, |t| t.request()), "Time to receive the request head (ms)."),
    int("req.timer.idle", Source::REQ_HDR, |_, c| timer(c, |t| t.idle()), "Time before the request (ms)."),
    int("req.timer.queue", SERVER, |_, c| timer(c, |t| t.queue()), "Time in queues (ms)."),
    int("req.timer.tq", Source::REQ_HDR, |_, c| timer(c, |t| t.tq()), "Time from the accept to the end of the request head (ms)."),
    fetch("request_date", args(0, &[ArgType::Str]), Type::Sint, Source::REQ_KEPT, |a, c| date_in(a, request_micros(c)?), "Date of the first byte of the request.").check(unit_arg),
    int("res.bytes_in", Source::RES_STATS, |_, c| size(c.strm?.bytes_out), "Bytes from the server."),
    int("res.bytes_out", Source::RES_STATS, |_, c| size(c.strm?.bytes_out), "Bytes to the client."),
    int("res.timer.data", Source::RES_STATS, |_, c| timer(c, |t| t.data()), "Time to transfer the response (ms)."),
    int("res.timer.hdr", Source::RES_HDR, |_, c| timer(c, |t| t.response()), "Time to receive the response head (ms)."),
    fetch("term_events", NONE, Type::Str, INTERNAL, |_, _| Some(Value::str("-")), "Internal events: none are recorded."),
    int("txn.conn_retries", SERVER, |_, c| Some(Value::Int(i64::from(c.strm?.retries))), "Connection retries."),
    int("txn.id32", INTERNAL, |_, c| Some(Value::Int(i64::from(c.strm?.id))), "Number of the stream."),
    fetch("txn.redispatched", NONE, Type::Bool, SERVER, |_, c| Some(Value::Bool(c.strm?.redispatched)), "Whether another server was tried."),
    fetch("txn.sess_term_state", NONE, Type::Str, INTERNAL, |_, c| c.strm.map(|s| Value::Str(Cow::Owned(vec![s.cause as u8, s.state as u8]))), "Termination state."),
    int("txn.status", Source::RES_KEPT, |_, c| Some(Value::Int(i64::from(c.strm?.status))), "Status of the transaction."),
    int("txn.timer.total", Source::TXN_STATS, |_, c| timer(c, |t| t.active()), "Active time of the request (ms)."),
    int("txn.timer.user", Source::TXN_STATS, |_, c| timer(c, |t| t.user()), "Time as the user felt it (ms)."),
    fetch("unique-id", NONE, Type::Str, Source::CONST, |_, c| c.strm?.unique_id.as_ref().map(Value::str), "Unique id of the request."),
    fetch("waiting_entity", NONE, Type::Str, INTERNAL, |_, c| rule(&c.strm?.waiting_rule), "What was waiting when the stream was aborted."),
];

const fn int(name: &'static str, src: Source, run: FetchFn, help: &'static str) -> Fetch {
    fetch(name, NONE, Type::Sint, src, run, help)
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of a fetch's result")]
fn size<'a>(n: u64) -> Option<Value<'a>> {
    Some(Value::Int(i64::try_from(n).unwrap_or(i64::MAX)))
}

/// `file:line`.
fn rule<'a>(r: &Option<(std::sync::Arc<str>, u32)>) -> Option<Value<'a>> {
    let (file, line) = r.as_ref()?;
    Some(Value::Str(Cow::Owned(format!("{file}:{line}").into_bytes())))
}

fn unit_arg(_: &mut CompileCx<'_>, a: &mut [Arg]) -> Result<(), Error> {
    check_unit(a, 0)
}

fn timer<'a>(ctx: &Ctx<'_>, f: impl Fn(&Timers) -> i64) -> Option<Value<'a>> {
    Some(Value::Int(f(&Timers::of(ctx)?)))
}

/// The timers of manual 8.4, in ms; -1 for what did not happen.
#[derive(Clone, Copy, Debug)]
pub struct Timers {
    /// Accept of the connection, or the moment it was ready for this request.
    base: Instant,
    /// The handshakes belong to this stream: it is the first of its connection.
    first: bool,
    http: bool,
    t: Moments,
    now: Instant,
}

impl Timers {
    /// The timers of a stream, so far if it has not ended; `None` without a session.
    pub fn of(ctx: &Ctx<'_>) -> Option<Self> {
        let sess = ctx.sess?;
        let t = ctx.strm.map(|s| s.t).unwrap_or_default();
        let first = ctx.strm.is_none_or(|s| s.request_index == 0);
        let created = ctx.strm.and_then(|s| s.created);
        let base = if first { sess.accepted } else { created.unwrap_or(sess.accepted) };
        Some(Self { base, first, http: sess.frontend.http, t, now: t.end.unwrap_or_else(clock::now) })
    }

    fn span(from: Option<Instant>, to: Option<Instant>) -> i64 {
        match (from, to) {
            (Some(a), Some(b)) => millis(b.saturating_duration_since(a)),
            _ => -1,
        }
    }

    /// End of the handshakes.
    fn ready(&self) -> Instant {
        if self.first { self.t.handshake_end.unwrap_or(self.base) } else { self.base }
    }

    /// First byte of the request.
    fn start(&self) -> Instant {
        self.t.request_start.unwrap_or_else(|| self.ready())
    }

    /// `%Th`.
    pub fn handshake(&self) -> i64 {
        Self::span(Some(self.base), Some(self.ready()))
    }

    /// `%Ti`; in TCP mode there is no request to wait for.
    pub fn idle(&self) -> i64 {
        if self.http { Self::span(Some(self.ready()), Some(self.start())) } else { -1 }
    }

    /// `%TR`.
    pub fn request(&self) -> i64 {
        if self.http { Self::span(Some(self.start()), self.t.request_end) } else { -1 }
    }

    /// `%Tq`.
    pub fn tq(&self) -> i64 {
        if self.http { Self::span(Some(self.base), self.t.request_end) } else { -1 }
    }

    /// Where the wait for a server starts.
    fn asked(&self) -> Option<Instant> {
        if self.http { self.t.request_end } else { Some(self.ready()) }
    }

    /// `%Tw`.
    pub fn queue(&self) -> i64 {
        Self::span(self.asked(), self.t.queue_end)
    }

    /// `%Tc`.
    pub fn connect(&self) -> i64 {
        Self::span(self.t.queue_end, self.t.connect_end)
    }

    /// `%Tr`.
    pub fn response(&self) -> i64 {
        if self.http { Self::span(self.t.connect_end, self.t.response_start) } else { -1 }
    }

    /// `%Td`.
    pub fn data(&self) -> i64 {
        Self::span(if self.http { self.t.response_start } else { self.t.connect_end }, Some(self.now))
    }

    /// `%Ta`.
    pub fn active(&self) -> i64 {
        Self::span(Some(self.start()), Some(self.now))
    }

    /// `%Tt`.
    pub fn total(&self) -> i64 {
        Self::span(Some(self.base), Some(self.now))
    }

    /// `%Tu`: the total without the idle time.
    pub fn user(&self) -> i64 {
        self.total() - self.idle().max(0)
    }
}

fn millis(d: Duration) -> i64 {
    i64::try_from(d.as_millis()).unwrap_or(i64::MAX)
}

/// Wall clock of the accept, or of the moment that the connection was ready for this request.
pub fn accept_date(ctx: &Ctx<'_>) -> Option<SystemTime> {
    let sess = ctx.sess?;
    let later = ctx.strm.filter(|s| s.request_index > 0);
    let since = later.and_then(|s| s.created).map(|c| c.saturating_duration_since(sess.accepted));
    let since = since.unwrap_or_default();
    Some(sess.accept_date + since)
}

/// The same in microseconds since 1970.
pub(super) fn accept_micros(ctx: &Ctx<'_>) -> Option<i64> {
    accept_date(ctx).map(date::micros)
}

/// Wall clock of the first byte of the request.
pub fn request_date(ctx: &Ctx<'_>) -> Option<SystemTime> {
    if let Some(d) = ctx.strm.and_then(|s| s.request_date) {
        return Some(d);
    }
    let t = Timers::of(ctx)?;
    Some(accept_date(ctx)? + t.start().saturating_duration_since(t.base))
}

fn request_micros(ctx: &Ctx<'_>) -> Option<i64> {
    request_date(ctx).map(date::micros)
}
