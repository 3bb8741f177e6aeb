//! Cookies (manual 7.3.6).

use crate::args::{Arg, ArgSpec, ArgType, args};
use crate::checkpoint::Source;
use crate::ctx::Ctx;
use crate::row::{Fetch, fetch};
use crate::types::Type;
use crate::value::{Value, parse_int};
use hawser_http::{Head, KnownName};
use std::borrow::Cow;

const NAME: ArgSpec = args(0, &[ArgType::Str]);
const REQ: Source = Source::REQ_HDR;
const RES: Source = Source::RES_HDR;

/// Rows.
#[rustfmt::skip]
pub(super) static FETCHES: &[Fetch] = &[
    fetch("cook", NAME, Type::Str, REQ, |a, c| one(a, c.req, false), "Value of a request cookie.").each(|a, c, f| each(a, c.req, false, f)),
    fetch("cook_cnt", NAME, Type::Sint, REQ, |a, c| count(a, c.req, false), "Number of request cookies."),
    fetch("cook_val", NAME, Type::Sint, REQ, |a, c| int(one(a, c.req, false)), "Number in a request cookie.").each(|a, c, f| each(a, c.req, false, &mut |v| int(Some(v)).is_some_and(&mut *f))),
    fetch("cookie", NAME, Type::Str, REQ.or(RES), |a, c| one(a, auto(c), c.response), "Value of a cookie of the message under way.").each(|a, c, f| each(a, auto(c), c.response, f)),
    fetch("req.cook", NAME, Type::Str, REQ, |a, c| one(a, c.req, false), "Value of a request cookie.").each(|a, c, f| each(a, c.req, false, f)),
    fetch("req.cook_cnt", NAME, Type::Sint, REQ, |a, c| count(a, c.req, false), "Number of request cookies."),
    fetch("req.cook_names", NAME, Type::Str, REQ, |a, c| names(a, c.req, false), "Names of all request cookies."),
    fetch("req.cook_val", NAME, Type::Sint, REQ, |a, c| int(one(a, c.req, false)), "Number in a request cookie.").each(|a, c, f| each(a, c.req, false, &mut |v| int(Some(v)).is_some_and(&mut *f))),
    fetch("res.cook", NAME, Type::Str, RES, |a, c| one(a, c.res, true), "Value of a response cookie.").each(|a, c, f| each(a, c.res, true, f)),
    fetch("res.cook_cnt", NAME, Type::Sint, RES, |a, c| count(a, c.res, true), "Number of response cookies."),
    fetch("res.cook_names", NAME, Type::Str, RES, |a, c| names(a, c.res, true), "Names of all response cookies."),
    fetch("res.cook_val", NAME, Type::Sint, RES, |a, c| int(one(a, c.res, true)), "Number in a response cookie.").each(|a, c, f| each(a, c.res, true, &mut |v| int(Some(v)).is_some_and(&mut *f))),
    fetch("scook", NAME, Type::Str, RES, |a, c| one(a, c.res, true), "Value of a response cookie.").each(|a, c, f| each(a, c.res, true, f)),
    fetch("scook_cnt", NAME, Type::Sint, RES, |a, c| count(a, c.res, true), "Number of response cookies."),
    fetch("scook_val", NAME, Type::Sint, RES, |a, c| int(one(a, c.res, true)), "Number in a response cookie.").each(|a, c, f| each(a, c.res, true, &mut |v| int(Some(v)).is_some_and(&mut *f))),
];

fn auto<'a>(ctx: &Ctx<'a>) -> Option<&'a Head> {
    if ctx.response { ctx.res } else { ctx.req }
}

fn int(v: Option<Value<'_>>) -> Option<Value<'_>> {
    Some(Value::Int(parse_int(v?.raw()?).unwrap_or(0)))
}

/// Visits (name, value) of every cookie until the visitor returns true. A part without `=` is no cookie.
fn cookies<'a>(head: &'a Head, set: bool, f: &mut dyn FnMut(&'a [u8], &'a [u8]) -> bool) -> bool {
    let known = if set { KnownName::SetCookie } else { KnownName::Cookie };
    head.known(known).any(|line| {
        // Of Set-Cookie only the first pair is a cookie, the rest are its attributes.
        let parts = if set { 1 } else { usize::MAX };
        pairs(line).take(parts).any(|(n, v)| f(n, v))
    })
}

/// The `name=value` pairs of a line, white space around both removed; semicolons and commas between quotes belong to
/// the value.
fn pairs(line: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        loop {
            let line = rest?;
            let end = part_end(line);
            rest = line.get(end + 1..);
            let part = &line[..end];
            if let Some(eq) = memchr::memchr(b'=', part) {
                return Some((part[..eq].trim_ascii(), part[eq + 1..].trim_ascii()));
            }
        }
    })
}

/// Where a pair ends: a semicolon that is not between quotes.
fn part_end(s: &[u8]) -> usize {
    let mut quoted = false;
    for (i, c) in s.iter().enumerate() {
        match c {
            b'"' => quoted = !quoted,
            b';' if !quoted => return i,
            _ => {}
        }
    }
    s.len()
}

/// The last cookie of a name, or the first one when no name is given.
fn one<'a>(a: &'a [Arg], head: Option<&'a Head>, set: bool) -> Option<Value<'a>> {
    let name = a[0].text();
    let mut found = None;
    cookies(head?, set, &mut |n, v| {
        if name.is_empty() || n == name {
            found = Some(v);
        }
        name.is_empty()
    });
    found.map(Value::str)
}

fn each<'a>(a: &'a [Arg], head: Option<&'a Head>, set: bool, f: &mut dyn FnMut(Value<'a>) -> bool) -> bool {
    let Some(head) = head else { return false };
    let name = a[0].text();
    cookies(head, set, &mut |n, v| (name.is_empty() || n == name) && f(Value::str(v)))
}

fn count<'a>(a: &'a [Arg], head: Option<&'a Head>, set: bool) -> Option<Value<'a>> {
    let name = a[0].text();
    let mut n = 0;
    cookies(head?, set, &mut |x, _| {
        n += i64::from(name.is_empty() || x == name);
        false
    });
    Some(Value::Int(n))
}

fn names<'a>(a: &'a [Arg], head: Option<&'a Head>, set: bool) -> Option<Value<'a>> {
    let delim = a[0].text().first().copied().unwrap_or(b',');
    let mut out = Vec::new();
    let mut first = true;
    cookies(head?, set, &mut |n, _| {
        if !std::mem::take(&mut first) {
            out.push(delim);
        }
        out.extend_from_slice(n);
        false
    });
    Some(Value::Str(Cow::Owned(out)))
}
