//! The `%` aliases (manual 8.2.6).

use super::field::{DateForm, Field, Unsafe};
use crate::ctx::Ctx;
use crate::date;
use crate::facts::{LogOrigin, RequestLine, Strm};
use crate::fetch::{Timers, accept_date, hostname, request_date};
use hawser_proto::Address;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

/// One alias.
#[derive(Debug)]
pub(super) struct Alias {
    /// Name behind `%`.
    pub(super) name: &'static str,
    /// Its value.
    pub(super) run: for<'a> fn(&Ctx<'a>) -> Field<'a>,
}

const fn alias(name: &'static str, run: for<'a> fn(&Ctx<'a>) -> Field<'a>) -> Alias {
    Alias { name, run }
}

/// What logs write for a request that could not be read.
const BAD_REQUEST: Field<'static> = Field::Text(b"<BADREQ>", Unsafe::None);

/// All aliases.
#[rustfmt::skip]
pub(super) static ALIASES: &[Alias] = &[
    alias("B", |c| size(c, |s| s.bytes_out)),
    alias("CC", |c| captured(c.strm.and_then(|s| s.req_cookie.as_ref()))),
    alias("CS", |c| captured(c.strm.and_then(|s| s.res_cookie.as_ref()))),
    alias("H", |_| own(hostname())),
    alias("HM", |c| line(c, |l| l.line.get(..l.method_len as usize))),
    alias("HP", |c| line(c, |l| target(l).map(|t| split_query(t).0))),
    alias("HPO", |c| line(c, |l| crate::fetch::path(target(l)?))),
    alias("HQ", |c| line(c, |l| target(l).map(|t| split_query(t).1))),
    alias("HU", |c| line(c, target)),
    alias("HV", |c| line(c, |l| l.line.get(l.method_len as usize + l.target_len as usize + 2..))),
    alias("ID", |c| c.strm.and_then(|s| s.unique_id.as_ref()).map_or(Field::Missing, |u| Field::Text(u, Unsafe::None))),
    alias("OG", |c| own(c.strm.map(|s| s.log_origin).unwrap_or_default().as_str().as_bytes())),
    alias("ST", status),
    alias("T", |c| dated(accept_date(c), DateForm::Utc)),
    alias("TR", |c| timer(c, Timers::request)),
    alias("Ta", |c| partial(c, Timers::active)),
    alias("Tc", |c| timer(c, Timers::connect)),
    alias("Td", |c| timer(c, Timers::data)),
    alias("Th", |c| timer(c, Timers::handshake)),
    alias("Ti", |c| timer(c, Timers::idle)),
    alias("Tl", |c| dated(accept_date(c), DateForm::Local)),
    alias("Tq", |c| timer(c, Timers::tq)),
    alias("Tr", |c| timer(c, Timers::response)),
    alias("Ts", |c| accept_date(c).map_or(Field::Missing, |d| Field::Hexable(date::micros(d).div_euclid(1_000_000)))),
    alias("Tt", |c| partial(c, Timers::total)),
    alias("Tu", |c| partial(c, Timers::user)),
    alias("Tw", |c| timer(c, Timers::queue)),
    alias("U", |c| size(c, |s| s.bytes_in)),
    alias("ac", |c| conns(c, 0)),
    alias("b", |c| c.backend().map_or(Field::Missing, |b| own(b.name.as_bytes()))),
    alias("bc", |c| conns(c, 2)),
    alias("bi", |c| ip(c.strm.map(|s| &s.bc_src))),
    alias("bp", |c| port(c.strm.map(|s| &s.bc_src), None)),
    alias("bq", |c| strm(c, |s| Field::Int(i64::from(s.be_queue)))),
    alias("ci", |c| ip(c.src())),
    alias("cp", |c| port(c.src(), c.sess.map(|s| s.listener_id))),
    alias("f", |c| c.sess.map_or(Field::Missing, |s| own(s.frontend.name.as_bytes()))),
    alias("fc", |c| conns(c, 1)),
    alias("fi", |c| ip(c.dst())),
    alias("fp", |c| port(c.dst(), c.sess.map(|s| s.listener_id))),
    alias("ft", frontend_transport),
    alias("hr", |c| c.strm.map_or(Field::Missing, |s| Field::Braces(&s.req_captures))),
    alias("hrl", |c| c.strm.map_or(Field::Missing, |s| Field::List(&s.req_captures))),
    alias("hs", |c| c.strm.map_or(Field::Missing, |s| Field::Braces(&s.res_captures))),
    alias("hsl", |c| c.strm.map_or(Field::Missing, |s| Field::List(&s.res_captures))),
    alias("lc", |c| c.sess.map_or(Field::Missing, |s| Field::Int(i64::from(s.frontend.log_counter.load(Ordering::Relaxed))))),
    alias("ms", |c| dated(accept_date(c), DateForm::Millis)),
    alias("pid", |_| Field::Hexable(i64::from(std::process::id()))),
    alias("r", |c| line(c, |l| Some(&l.line))),
    alias("rc", |c| strm(c, |s| if s.redispatched { Field::Partial(i64::from(s.retries)) } else { Field::Int(i64::from(s.retries)) })),
    alias("rt", |c| strm(c, |s| Field::Hexable(i64::from(s.id)))),
    alias("s", |c| own(c.strm.and_then(|s| s.server.as_ref()).map_or(b"<NOSRV>", |n| n.as_bytes()))),
    alias("sc", |c| conns(c, 3)),
    alias("si", |c| ip(c.strm.map(|s| &s.bc_dst))),
    alias("sp", |c| port(c.strm.map(|s| &s.bc_dst), None)),
    alias("sq", |c| strm(c, |s| Field::Int(i64::from(s.srv_queue)))),
    alias("sslc", |_| Field::Missing),
    alias("sslv", |_| Field::Missing),
    alias("t", |c| dated(accept_date(c), DateForm::LocalMillis)),
    alias("tr", |c| dated(request_date(c), DateForm::LocalMillis)),
    alias("trg", |c| dated(request_date(c), DateForm::Utc)),
    alias("trl", |c| dated(request_date(c), DateForm::Local)),
    alias("ts", |c| strm(c, |s| Field::Letters([s.cause as u8, s.state as u8, 0, 0], 2))),
    alias("tsc", |c| strm(c, with_cookies)),
];

/// Text of the proxy itself.
fn own(t: &[u8]) -> Field<'_> {
    Field::Text(t, Unsafe::None)
}

fn strm<'a>(ctx: &Ctx<'a>, f: impl Fn(&'a Strm) -> Field<'a>) -> Field<'a> {
    ctx.strm.map_or(Field::Missing, f)
}

/// Without any response, -1, and 0 where there was not even a stream; streams that are not HTTP have no status at all.
fn status<'a>(ctx: &Ctx<'a>) -> Field<'a> {
    let http = ctx.sess.is_some_and(|s| s.frontend.http);
    strm(ctx, |s| {
        let none = s.status == 0 && http && s.log_origin != LogOrigin::SessError;
        Field::Int(if none { -1 } else { i64::from(s.status) })
    })
}

fn captured(v: Option<&bytes::Bytes>) -> Field<'_> {
    v.map_or(Field::Missing, |v| Field::Text(v, Unsafe::Header))
}

/// A part of the request line as received; without one the request was bad.
fn line<'a>(ctx: &Ctx<'a>, part: impl Fn(&'a RequestLine) -> Option<&'a [u8]>) -> Field<'a> {
    match ctx.strm.and_then(|s| s.request_line.as_ref()) {
        Some(l) => part(l).map_or(Field::Missing, |t| Field::Text(t, Unsafe::Uri)),
        None => BAD_REQUEST,
    }
}

fn target(l: &RequestLine) -> Option<&[u8]> {
    l.line.get(l.method_len as usize + 1..)?.get(..l.target_len as usize)
}

/// What stands before the question mark, and the rest.
fn split_query(t: &[u8]) -> (&[u8], &[u8]) {
    t.split_at(memchr::memchr(b'?', t).unwrap_or(t.len()))
}

fn size<'a>(ctx: &Ctx<'a>, f: impl Fn(&Strm) -> u64) -> Field<'a> {
    strm(ctx, |s| {
        let n = i64::try_from(f(s)).unwrap_or(i64::MAX);
        if s.log_asap { Field::Partial(n) } else { Field::Int(n) }
    })
}

fn timer<'a>(ctx: &Ctx<'a>, f: impl Fn(&Timers) -> i64) -> Field<'a> {
    Timers::of(ctx).map_or(Field::Missing, |t| Field::Int(f(&t)))
}

/// A time that still runs when the line is written early.
fn partial<'a>(ctx: &Ctx<'a>, f: impl Fn(&Timers) -> i64) -> Field<'a> {
    match timer(ctx, f) {
        Field::Int(n) if ctx.strm.is_some_and(|s| s.log_asap) => Field::Partial(n),
        f => f,
    }
}

fn conns<'a>(ctx: &Ctx<'a>, i: usize) -> Field<'a> {
    strm(ctx, |s| Field::Int(i64::from(s.conns[i])))
}

fn ip<'a>(a: Option<&'a Address>) -> Field<'a> {
    match a {
        Some(Address::Unix(_) | Address::Abns(_)) => own(b"unix"),
        Some(a) => a.ip().map_or(Field::Missing, Field::Ip),
        None => Field::Missing,
    }
}

/// A port; of a UNIX socket, the listener's id.
fn port<'a>(a: Option<&'a Address>, listener: Option<u32>) -> Field<'a> {
    match (a, listener) {
        (Some(Address::Unix(_) | Address::Abns(_)), Some(id)) => Field::Int(i64::from(id)),
        (Some(a), _) => a.ip().map_or(Field::Missing, |_| Field::Hexable(i64::from(a.port()))),
        (None, _) => Field::Missing,
    }
}

fn frontend_transport<'a>(ctx: &Ctx<'a>) -> Field<'a> {
    let Some(s) = ctx.sess else { return Field::Missing };
    let name = s.frontend.name.as_bytes();
    if s.tls { Field::Secure(name) } else { own(name) }
}

fn dated<'a>(d: Option<SystemTime>, form: DateForm) -> Field<'a> {
    d.map_or(Field::Missing, |d| Field::Date(date::micros(d), form))
}

/// The termination state with the two letters about cookies.
fn with_cookies(s: &Strm) -> Field<'_> {
    let cookie = |c: u8| if c == 0 { b'-' } else { c };
    let [a, b] = s.cookie_flags;
    Field::Letters([s.cause as u8, s.state as u8, cookie(a), cookie(b)], 4)
}
