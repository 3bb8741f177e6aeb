//! The request target and its parts (manual 7.3.6).

use crate::args::{Arg, ArgSpec, ArgType, NONE, args};
use crate::checkpoint::Source;
use crate::compile::{CompileCx, Error};
use crate::ctx::Ctx;
use crate::hash;
use crate::row::{Fetch, fetch};
use crate::types::Type;
use crate::value::{Value, parse_int, parse_ip};
use hawser_http::{Head, KnownName};
use std::borrow::Cow;
use std::net::IpAddr;

const REQ: Source = Source::REQ_HDR;
const PARAM: ArgSpec = args(0, &[ArgType::Str, ArgType::Str, ArgType::Str]);

/// Rows.
#[rustfmt::skip]
pub(super) static FETCHES: &[Fetch] = &[
    fetch("base", NONE, Type::Str, REQ, |_, c| Some(Value::Str(Cow::Owned(base(c.req?, false)?))), "Host and path."),
    fetch("base32", NONE, Type::Sint, REQ, |_, c| base32(c).map(|h| Value::Int(i64::from(h))), "Hash of host and path."),
    fetch("base32+src", NONE, Type::Bin, REQ, |_, c| with_src(base32(c)?, c), "Hash of host and path, and the client's address."),
    fetch("baseq", NONE, Type::Str, REQ, |_, c| Some(Value::Str(Cow::Owned(base(c.req?, true)?))), "Host, path and query string."),
    fetch("path", NONE, Type::Str, REQ, |_, c| path(c.req?.target()).map(Value::str), "Path without the query string.").slices(|_, c, f| c.req.and_then(|r| path(r.target())).is_some_and(f)),
    fetch("pathq", NONE, Type::Str, REQ, |_, c| pathq(c.req?.target()).map(Value::str), "Path with the query string.").slices(|_, c, f| c.req.and_then(|r| pathq(r.target())).is_some_and(f)),
    fetch("query", args(0, &[ArgType::Str]), Type::Str, REQ, query, "Query string.").check(query_args),
    fetch("url", NONE, Type::Str, REQ, |_, c| Some(Value::str(c.req?.target())), "Request target as it is.").slices(|_, c, f| c.req.is_some_and(|r| f(r.target()))),
    fetch("url32", NONE, Type::Sint, REQ, |_, c| url32(c).map(|h| Value::Int(i64::from(h))), "Hash of host and target."),
    fetch("url32+src", NONE, Type::Bin, REQ, |_, c| with_src(url32(c)?, c), "Hash of host and target, and the client's address."),
    fetch("url_ip", NONE, Type::Ipv4, REQ, |_, c| url_addr(c).map(|(a, _)| Value::ip(a)), "Address in an absolute target."),
    fetch("url_param", PARAM, Type::Str, REQ, param, "Parameter of the query string.").each(each_param).check(param_args),
    fetch("url_port", NONE, Type::Sint, REQ, |_, c| url_addr(c).map(|(_, p)| Value::Int(p)), "Port in an absolute target."),
    fetch("urlp", PARAM, Type::Str, REQ, param, "Parameter of the query string.").each(each_param).check(param_args),
    fetch("urlp_val", PARAM, Type::Sint, REQ, |a, c| int(param(a, c)?), "Number in a parameter of the query string.")
        .each(|a, c, f| each_param(a, c, &mut |v| int(v).is_some_and(&mut *f))).check(param_args),
];

/// The part of a target from its path on; `None` for `*` and the authority form.
pub(crate) fn pathq(target: &[u8]) -> Option<&[u8]> {
    if target.first() == Some(&b'/') {
        return Some(target);
    }
    let scheme = memchr::memmem::find(target, b"://")?;
    let rest = &target[scheme + 3..];
    match rest.iter().position(|c| matches!(c, b'/' | b'?' | b'#')) {
        Some(i) if rest[i] == b'/' => Some(&rest[i..]),
        // An absolute target without a path has the path `/`; there is no such byte to point at, so only a query
        // string is lost here.
        _ => Some(b"/"),
    }
}

/// The path alone.
pub(crate) fn path(target: &[u8]) -> Option<&[u8]> {
    let p = pathq(target)?;
    Some(&p[..memchr::memchr(b'?', p).unwrap_or(p.len())])
}

/// The Host field, else the authority of an absolute target.
fn host(head: &Head) -> &[u8] {
    head.first(KnownName::Host).unwrap_or_default()
}

fn base(head: &Head, with_query: bool) -> Option<Vec<u8>> {
    let target = head.target();
    let p = if with_query { pathq(target) } else { path(target) };
    let h = host(head);
    let mut out = Vec::with_capacity(h.len() + target.len());
    out.extend_from_slice(h);
    out.extend_from_slice(p.unwrap_or_default());
    Some(out)
}

fn base32(ctx: &Ctx<'_>) -> Option<u32> {
    Some(hash::avalanche(hash::sdbm(&base(ctx.req?, false)?)))
}

fn url32(ctx: &Ctx<'_>) -> Option<u32> {
    let head = ctx.req?;
    let mut all = host(head).to_vec();
    all.extend_from_slice(pathq(head.target()).unwrap_or_default());
    Some(hash::avalanche(hash::sdbm(&all)))
}

/// A hash followed by the client's address, both in network order.
fn with_src<'a>(h: u32, ctx: &Ctx<'a>) -> Option<Value<'a>> {
    let mut out = h.to_be_bytes().to_vec();
    match ctx.src()?.ip()? {
        IpAddr::V4(a) => out.extend_from_slice(&a.octets()),
        IpAddr::V6(a) => out.extend_from_slice(&a.octets()),
    }
    Some(Value::Bin(Cow::Owned(out)))
}

fn query<'a>(a: &'a [Arg], ctx: &Ctx<'a>) -> Option<Value<'a>> {
    let t = ctx.req?.target();
    let q = &t[memchr::memchr(b'?', t)?..];
    // With the question mark, nothing behind it means nothing at all.
    Some(Value::str(match (a[0].is_empty(), q.len()) {
        (true, _) => &q[1..],
        (false, 1) => b"",
        (false, _) => q,
    }))
}

fn query_args(_: &mut CompileCx<'_>, a: &mut [Arg]) -> Result<(), Error> {
    match a[0].word() {
        "" | "with_qm" => Ok(()),
        _ => Err(Error::new("supported options are: 'with_qm'")),
    }
}

/// Address and port of an absolute target whose host is an address.
fn url_addr(ctx: &Ctx<'_>) -> Option<(IpAddr, i64)> {
    let t = ctx.req?.target();
    let rest = match memchr::memmem::find(t, b"://") {
        Some(i) if t.first() != Some(&b'/') => &t[i + 3..],
        _ => return None,
    };
    let end = rest.iter().position(|c| matches!(c, b'/' | b'?')).unwrap_or(rest.len());
    let authority = &rest[..end];
    if let [b'[', inner @ ..] = authority {
        let close = memchr::memchr(b']', inner)?;
        let port = inner[close + 1..].strip_prefix(b":").and_then(parse_int).unwrap_or(80);
        return Some((parse_ip(&inner[..close])?, port));
    }
    let (host, port) = match memchr::memchr(b':', authority) {
        Some(i) => (&authority[..i], parse_int(&authority[i + 1..])?),
        None => (authority, 80),
    };
    Some((parse_ip(host)?, port))
}

fn param_args(_: &mut CompileCx<'_>, a: &mut [Arg]) -> Result<(), Error> {
    // HAProxy takes the first character of a delimiter and any third argument that starts with `i`.
    if let Some(d) = a[1].text().first() {
        a[1] = Arg::Int(i64::from(*d));
    }
    a[2] = if a[2].text().first() == Some(&b'i') { Arg::Int(1) } else { Arg::Absent };
    Ok(())
}

fn int(v: Value<'_>) -> Option<Value<'_>> {
    Some(Value::Int(parse_int(v.raw()?).unwrap_or(0)))
}

/// Visits the values of parameters of that name, or of all, behind the delimiter.
fn params<'a>(a: &[Arg], ctx: &Ctx<'a>, f: &mut dyn FnMut(&'a [u8]) -> bool) -> bool {
    let Some(t) = ctx.req.and_then(|r| pathq(r.target())) else { return false };
    let delim = a[1].int().and_then(|d| u8::try_from(d).ok()).unwrap_or(b'?');
    let Some(start) = memchr::memchr(delim, t) else { return false };
    find_params(
        &t[start + 1..],
        a[0].text(),
        a[2].int().is_some(),
        |c| c == b'&' || c == b';' || c == delim,
        f,
    )
}

/// Visits the values of `name=value` parts between delimiters; a part without `=` has no value.
pub(super) fn find_params<'a>(
    text: &'a [u8],
    name: &[u8],
    icase: bool,
    delim: impl Fn(u8) -> bool,
    f: &mut dyn FnMut(&'a [u8]) -> bool,
) -> bool {
    text.split(|c| delim(*c)).any(|part| {
        let Some(eq) = memchr::memchr(b'=', part) else { return false };
        let n = &part[..eq];
        let same = name.is_empty() || if icase { n.eq_ignore_ascii_case(name) } else { n == name };
        same && f(&part[eq + 1..])
    })
}

fn param<'a>(a: &'a [Arg], ctx: &Ctx<'a>) -> Option<Value<'a>> {
    let mut found = None;
    params(a, ctx, &mut |v| {
        found = Some(v);
        true
    });
    found.map(Value::str)
}

fn each_param<'a>(a: &'a [Arg], ctx: &Ctx<'a>, f: &mut dyn FnMut(Value<'a>) -> bool) -> bool {
    params(a, ctx, &mut |v| f(Value::str(v)))
}
