//! Bytes in the buffers of TCP streams (manual 7.3.5). HTTP proxies have messages, not bytes: there these find nothing but
//! how much there is.

use crate::args::{Arg, ArgSpec, ArgType, NONE, args};
use crate::checkpoint::Source;
use crate::compile::{CompileCx, Error};
use crate::ctx::{Ctx, Payload};
use crate::row::{Fetch, FetchFn, MayChange, fetch};
use crate::types::Type;
use crate::value::Value;
use hawser_http::{Head, Start};
use std::borrow::Cow;
use std::sync::Arc;

const REQ: Source = Source::REQ_BUF;
const RES: Source = Source::RES_BUF;
const RANGE: ArgSpec = args(2, &[ArgType::Sint, ArgType::Sint]);
const LV: ArgSpec = args(2, &[ArgType::Sint, ArgType::Sint, ArgType::Str]);
const NAME: ArgSpec = args(0, &[ArgType::Str]);

/// Rows.
#[rustfmt::skip]
pub(super) static FETCHES: &[Fetch] = &[
    fetch("payload", RANGE, Type::Bin, REQ.or(RES), |a, c| range(a, auto(c)?), "Bytes of the buffer under way.").changes(MayChange::Always),
    fetch("payload_lv", LV, Type::Bin, REQ.or(RES), |a, c| lv(a, auto(c)?), "Bytes of the buffer under way, by a length in it.").check(lv_args).changes(MayChange::Always),
    req("rdp_cookie", NAME, Type::Str, rdp_cookie, "RDP cookie."),
    req("rdp_cookie_cnt", NAME, Type::Sint, rdp_count, "Number of RDP cookies."),
    req("req.len", NONE, Type::Sint, |_, c| len(c.req, c.req_data), "Number of bytes from the client."),
    req("req.payload", RANGE, Type::Bin, |a, c| range(a, raw(c)?), "Bytes from the client."),
    req("req.payload_lv", LV, Type::Bin, |a, c| lv(a, raw(c)?), "Bytes from the client, by a length in them.").check(lv_args),
    fetch("internal.strm.is_htx", NONE, Type::Bool, Source::INTERNAL, |_, c| Some(Value::Bool(c.req.is_some() || c.sess?.frontend.http)), "Whether the stream is in HTTP mode."),
    fetch("req.proto_http", NONE, Type::Bool, Source::REQ_KEPT, proto_http, "Whether the client speaks HTTP.").changes(MayChange::ReqData),
    req("req.rdp_cookie", NAME, Type::Str, rdp_cookie, "RDP cookie."),
    req("req.rdp_cookie_cnt", NAME, Type::Sint, rdp_count, "Number of RDP cookies."),
    req("req_len", NONE, Type::Sint, |_, c| len(c.req, c.req_data), "Number of bytes from the client."),
    fetch("req_proto_http", NONE, Type::Bool, Source::REQ_KEPT, proto_http, "Whether the client speaks HTTP.").changes(MayChange::ReqData),
    res("res.len", NONE, Type::Sint, |_, c| len(c.res, c.res_data), "Number of bytes from the server."),
    res("res.payload", RANGE, Type::Bin, |a, c| range(a, c.res_data.filter(|_| c.res.is_none())?), "Bytes from the server."),
    res("res.payload_lv", LV, Type::Bin, |a, c| lv(a, c.res_data.filter(|_| c.res.is_none())?), "Bytes from the server, by a length in them.").check(lv_args),
];

pub(super) const fn req(
    name: &'static str,
    args: ArgSpec,
    out: Type,
    run: FetchFn,
    help: &'static str,
) -> Fetch {
    fetch(name, args, out, REQ, run, help).changes(MayChange::ReqData)
}

pub(super) const fn res(
    name: &'static str,
    args: ArgSpec,
    out: Type,
    run: FetchFn,
    help: &'static str,
) -> Fetch {
    fetch(name, args, out, RES, run, help).changes(MayChange::ResData)
}

/// The request bytes of a stream that is not HTTP.
pub(super) fn raw<'a>(ctx: &Ctx<'a>) -> Option<Payload<'a>> {
    ctx.req_data.filter(|_| ctx.req.is_none())
}

fn auto<'a>(ctx: &Ctx<'a>) -> Option<Payload<'a>> {
    if ctx.response { ctx.res_data.filter(|_| ctx.res.is_none()) } else { raw(ctx) }
}

/// The bytes of a stream; of a message, the room that it takes in HAProxy's buffers, with what came of its body.
fn len<'a>(head: Option<&Head>, data: Option<Payload<'_>>) -> Option<Value<'a>> {
    const START: usize = 20;
    const END_OF_FIELDS: usize = 1;
    let data = data.map(|d| d.data.len());
    let Some(head) = head else { return i64::try_from(data?).ok().map(Value::Int) };
    let start = match head.start {
        Start::Response { .. } => 3 + head.reason().len(),
        _ => head.method().len() + head.target().len(),
    };
    let fields: usize = head.iter().map(|(name, value)| name.len() + value.len()).sum();
    let all = START + start + "HTTP/1.1".len() + fields + END_OF_FIELDS + data.unwrap_or(0);
    i64::try_from(all).ok().map(Value::Int)
}

fn range<'a>(a: &'a [Arg], p: Payload<'a>) -> Option<Value<'a>> {
    let from = usize::try_from(a[0].int()?).ok()?;
    let data = p.data.get(from..)?;
    let wanted = usize::try_from(a[1].int()?).ok()?;
    if wanted == 0 {
        // All of it: only when all has come.
        return (p.complete || !data.is_empty()).then_some(Value::Bin(Cow::Borrowed(data)));
    }
    data.get(..wanted).map(|d| Value::Bin(Cow::Borrowed(d)))
}

/// Where the bytes of `payload_lv` start.
#[derive(Debug)]
enum Offset {
    /// Behind the length.
    Behind,
    /// At an absolute place.
    At(usize),
    /// Relative to the end of the length.
    Relative(i64),
}

fn lv_args(_: &mut CompileCx<'_>, a: &mut [Arg]) -> Result<(), Error> {
    if a[1].int().is_none_or(|l| l <= 0) {
        return Err(Error::new("payload length must be > 0"));
    }
    let text = a[2].word();
    let bad = || Error::new("payload offset2 is not a number");
    let offset = match text.as_bytes() {
        [] => Offset::Behind,
        [b'+' | b'-', ..] => Offset::Relative(text.parse().map_err(|_| bad())?),
        _ => Offset::At(text.parse().map_err(|_| bad())?),
    };
    a[2] = Arg::Own(Arc::new(offset));
    Ok(())
}

fn lv<'a>(a: &'a [Arg], p: Payload<'a>) -> Option<Value<'a>> {
    let (at, size) = (usize::try_from(a[0].int()?).ok()?, usize::try_from(a[1].int()?).ok()?);
    let end = at.checked_add(size)?;
    let digits = p.data.get(at..end)?;
    let wanted = digits.iter().try_fold(0usize, |n, b| n.checked_mul(256)?.checked_add(usize::from(*b)))?;
    let from = match a[2].own::<Offset>()? {
        Offset::Behind => end,
        Offset::At(n) => *n,
        Offset::Relative(d) => usize::try_from(i64::try_from(end).ok()?.checked_add(*d)?).ok()?,
    };
    if wanted == 0 {
        return None;
    }
    p.data.get(from..from.checked_add(wanted)?).map(|d| Value::Bin(Cow::Borrowed(d)))
}

/// True for a parsed request; for raw bytes, whether they can still be one.
fn proto_http<'a>(_: &'a [Arg], ctx: &Ctx<'a>) -> Option<Value<'a>> {
    if ctx.req.is_some() || ctx.sess.is_some_and(|s| s.frontend.http) {
        return Some(Value::Bool(true));
    }
    let data = ctx.req_data?.data;
    let line = &data[..memchr::memchr(b'\n', data)?];
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let mut words = line.split(|c| *c == b' ');
    let token = |w: &[u8]| {
        !w.is_empty() && w.iter().all(|c| c.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(c))
    };
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    let http = token(method)
        && !target.is_empty()
        && target.iter().all(u8::is_ascii_graphic)
        // The preface of HTTP/2 looks like a request.
        && matches!(version, b"HTTP/1.0" | b"HTTP/1.1" | b"HTTP/2.0")
        && words.next().is_none();
    // The head must be complete: that is what rules wait for.
    let whole =
        memchr::memmem::find(data, b"\r\n\r\n").is_some() || memchr::memmem::find(data, b"\n\n").is_some();
    whole.then_some(Value::Bool(http)).filter(|v| *v == Value::Bool(true))
}

/// The RDP cookie of a connection request: name and value.
fn rdp(data: &[u8]) -> Option<(&[u8], &[u8])> {
    // TPKT version 3 and its length, then an X.224 connection request.
    if data.len() <= 11 || data[0] != 3 || data[1] != 0 || data[5] != 0xe0 {
        return None;
    }
    let line =
        data.get(11..)?.strip_prefix(b"Cookie: ").or_else(|| data.get(11..)?.strip_prefix(b"cookie: "))?;
    let line = &line[..memchr::memmem::find(line, b"\r\n")?];
    let eq = memchr::memchr(b'=', line)?;
    Some((&line[..eq], &line[eq + 1..]))
}

fn named<'a>(a: &[Arg], ctx: &Ctx<'a>) -> Option<&'a [u8]> {
    let (name, value) = rdp(raw(ctx)?.data)?;
    (a[0].is_empty() || name.eq_ignore_ascii_case(a[0].text())).then_some(value)
}

fn rdp_cookie<'a>(a: &'a [Arg], ctx: &Ctx<'a>) -> Option<Value<'a>> {
    named(a, ctx).map(Value::str)
}

fn rdp_count<'a>(a: &'a [Arg], ctx: &Ctx<'a>) -> Option<Value<'a>> {
    raw(ctx)?;
    Some(Value::Int(i64::from(named(a, ctx).is_some())))
}
