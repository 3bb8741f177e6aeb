//! Start lines and bodies of HTTP messages (manual 7.3.6).

use super::url::find_params;
use crate::args::{Arg, ArgType, NONE, args};
use crate::checkpoint::Source;
use crate::compile::{CompileCx, Error};
use crate::ctx::{Ctx, Payload};
use crate::row::{Fetch, fetch};
use crate::types::Type;
use crate::value::{Value, parse_int};
use hawser_http::{Head, KnownName};
use std::borrow::Cow;

const REQ: Source = Source::REQ_HDR;
const RES: Source = Source::RES_HDR;
const KEPT: Source = Source::REQ_KEPT;

/// Rows.
#[rustfmt::skip]
pub(super) static FETCHES: &[Fetch] = &[
    fetch("capture.req.hdr", args(1, &[ArgType::Sint]), Type::Str, KEPT, |a, c| slot(a, &c.strm?.req_captures), "Captured request field."),
    fetch("capture.req.method", NONE, Type::Str, KEPT, |_, c| Some(Value::str(req_method(c)?)), "Method as received."),
    fetch("capture.req.uri", NONE, Type::Str, KEPT, |_, c| super::url::pathq(req_target(c)?).map(Value::str), "Path and query string as received."),
    fetch("capture.req.ver", NONE, Type::Str, KEPT, |_, c| version(c).map(long), "Version of the request, with `HTTP/`."),
    fetch("capture.res.hdr", args(1, &[ArgType::Sint]), Type::Str, Source::RES_KEPT, |a, c| slot(a, &c.strm?.res_captures), "Captured response field."),
    fetch("capture.res.ver", NONE, Type::Str, KEPT, |_, c| res_version(c).map(long), "Version of the response, with `HTTP/`."),
    fetch("http_first_req", NONE, Type::Bool, KEPT, |_, c| Some(Value::Bool(c.first_request()?)), "Whether this is the first request of its connection."),
    fetch("method", NONE, Type::Meth, KEPT, method, "Method of the request.").slices(|_, c, f| current_method(c).is_some_and(f)),
    fetch("req.body", NONE, Type::Bin, REQ, |_, c| Some(body(c.req?, c.req_data)), "Request body as far as it came."),
    fetch("req.body_len", NONE, Type::Sint, REQ, |_, c| Some(len(c.req?, c.req_data)), "Length of the request body as far as it came."),
    fetch("req.body_param", args(0, &[ArgType::Str, ArgType::Str]), Type::Bin, REQ, body_param, "Parameter of a form in the request body.")
        .each(|a, c, f| body_params(a, c, &mut |v| f(Value::Bin(Cow::Borrowed(v))))).check(body_param_args),
    fetch("req.body_size", NONE, Type::Sint, REQ, |_, c| Some(size(c.req?, c.req_data)), "Announced length of the request body."),
    fetch("req.ver", NONE, Type::Str, KEPT, |_, c| version(c).map(short), "Version of the request."),
    fetch("req_ver", NONE, Type::Str, KEPT, |_, c| version(c).map(short), "Version of the request."),
    fetch("res.body", NONE, Type::Bin, RES, |_, c| Some(body(c.res?, c.res_data)), "Response body as far as it came."),
    fetch("res.body_len", NONE, Type::Sint, RES, |_, c| Some(len(c.res?, c.res_data)), "Length of the response body as far as it came."),
    fetch("res.body_size", NONE, Type::Sint, RES, |_, c| Some(size(c.res?, c.res_data)), "Announced length of the response body."),
    fetch("res.ver", NONE, Type::Str, Source::RES_KEPT, |_, c| res_version(c).map(short), "Version of the response."),
    fetch("resp_ver", NONE, Type::Str, Source::RES_KEPT, |_, c| res_version(c).map(short), "Version of the response."),
    fetch("server_status", NONE, Type::Sint, Source::RES_KEPT, |_, c| code(c.strm?.server_status), "Status that the server sent."),
    fetch("status", NONE, Type::Sint, Source::RES_KEPT, status, "Status of the response."),
];

fn slot<'a>(a: &'a [Arg], captures: &'a [Option<bytes::Bytes>]) -> Option<Value<'a>> {
    let i = usize::try_from(a.first()?.int()?).ok()?;
    captures.get(i)?.as_ref().map(Value::str)
}

/// The method as received, whatever rules made of it.
fn req_method<'a>(ctx: &Ctx<'a>) -> Option<&'a [u8]> {
    match ctx.strm.and_then(|s| s.request_line.as_ref()) {
        Some(l) => l.line.get(..l.method_len as usize),
        None => ctx.req.map(Head::method),
    }
}

/// The target as received.
fn req_target<'a>(ctx: &Ctx<'a>) -> Option<&'a [u8]> {
    match ctx.strm.and_then(|s| s.request_line.as_ref()) {
        Some(l) => l.line.get(l.method_len as usize + 1..)?.get(..l.target_len as usize),
        None => ctx.req.map(Head::target),
    }
}

/// The current method; once the head is gone, the one received.
fn current_method<'a>(ctx: &Ctx<'a>) -> Option<&'a [u8]> {
    match ctx.req {
        Some(h) => Some(h.method()),
        None => req_method(ctx),
    }
}

fn method<'a>(_: &'a [Arg], ctx: &Ctx<'a>) -> Option<Value<'a>> {
    current_method(ctx).map(|m| Value::Method(Cow::Borrowed(m)))
}

/// Version of the request: digits only, as text.
fn version<'a>(ctx: &Ctx<'a>) -> Option<&'a [u8]> {
    if let Some(h) = ctx.req {
        return Some(h.version().as_str().as_bytes());
    }
    let l = ctx.strm?.request_line.as_ref()?;
    let v = l.line.get(l.method_len as usize + l.target_len as usize + 2..)?;
    v.strip_prefix(b"HTTP/")
}

fn res_version<'a>(ctx: &Ctx<'a>) -> Option<&'a [u8]> {
    let v = ctx.res.map(Head::version).or_else(|| ctx.strm.and_then(|s| s.res_version));
    v.map(|v| v.as_str().as_bytes())
}

fn short(v: &[u8]) -> Value<'_> {
    Value::str(v)
}

fn long(v: &[u8]) -> Value<'_> {
    const KNOWN: [(&[u8], &[u8]); 4] =
        [(b"1.0", b"HTTP/1.0"), (b"1.1", b"HTTP/1.1"), (b"2.0", b"HTTP/2.0"), (b"3.0", b"HTTP/3.0")];
    match KNOWN.iter().find(|k| k.0 == v) {
        Some((_, long)) => Value::str(*long),
        None => Value::Str(Cow::Owned([b"HTTP/", v].concat())),
    }
}

fn code<'a>(status: u16) -> Option<Value<'a>> {
    (status != 0).then(|| Value::Int(i64::from(status)))
}

fn status<'a>(_: &'a [Arg], ctx: &Ctx<'a>) -> Option<Value<'a>> {
    match ctx.res {
        Some(h) => code(h.status()),
        None => code(ctx.strm?.status),
    }
}

fn body<'a>(_: &'a Head, data: Option<Payload<'a>>) -> Value<'a> {
    Value::Bin(Cow::Borrowed(data.map_or(b"", |p| p.data)))
}

fn len<'a>(_: &Head, data: Option<Payload<'_>>) -> Value<'a> {
    Value::Int(data.map_or(0, |p| i64::try_from(p.data.len()).unwrap_or(i64::MAX)))
}

/// The Content-Length, or what has come when there is none.
fn size<'a>(head: &Head, data: Option<Payload<'_>>) -> Value<'a> {
    match head.first(KnownName::ContentLength).and_then(parse_int) {
        Some(n) => Value::Int(n),
        None => len(head, data),
    }
}

fn body_param_args(_: &mut CompileCx<'_>, a: &mut [Arg]) -> Result<(), Error> {
    a[1] = if a[1].text().first() == Some(&b'i') { Arg::Int(1) } else { Arg::Absent };
    Ok(())
}

fn body_params<'a>(a: &[Arg], ctx: &Ctx<'a>, f: &mut dyn FnMut(&'a [u8]) -> bool) -> bool {
    let (Some(_), Some(data)) = (ctx.req, ctx.req_data) else { return false };
    find_params(data.data, a[0].text(), a[1].int().is_some(), |c| c == b'&', f)
}

fn body_param<'a>(a: &'a [Arg], ctx: &Ctx<'a>) -> Option<Value<'a>> {
    let mut found = None;
    body_params(a, ctx, &mut |v| {
        found = Some(v);
        true
    });
    found.map(|v| Value::Bin(Cow::Borrowed(v)))
}
