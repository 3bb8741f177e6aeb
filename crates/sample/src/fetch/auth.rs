//! HTTP authentication (manual 7.3.6).

use crate::args::{Arg, ArgType, NONE, args};
use crate::checkpoint::Source;
use crate::ctx::Ctx;
use crate::row::{Fetch, fetch};
use crate::types::Type;
use crate::value::Value;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hawser_http::KnownName;
use std::borrow::Cow;

const REQ: Source = Source::REQ_HDR;

/// Rows.
#[rustfmt::skip]
pub(super) static FETCHES: &[Fetch] = &[
    fetch("http_auth", args(1, &[ArgType::Userlist]), Type::Bool, REQ, http_auth, "Whether a user list knows the user and password."),
    fetch("http_auth_bearer", args(0, &[ArgType::Str]), Type::Str, REQ, bearer, "Token of the Bearer scheme."),
    fetch("http_auth_group", args(1, &[ArgType::Userlist]), Type::Str, REQ, group, "Name of the user, if a user list knows him; conditions look at his groups.").each(groups),
    fetch("http_auth_pass", NONE, Type::Str, REQ, |_, c| basic(c).map(|(_, p)| Value::Str(Cow::Owned(p))), "Password of the Basic scheme."),
    fetch("http_auth_type", NONE, Type::Str, REQ, |_, c| credentials(c).map(|(t, _)| Value::str(t)), "Scheme of the credentials."),
    fetch("http_auth_user", NONE, Type::Str, REQ, |_, c| basic(c).map(|(u, _)| Value::Str(Cow::Owned(u))), "User of the Basic scheme."),
];

/// Scheme and the rest of the Authorization field.
fn credentials<'a>(ctx: &Ctx<'a>) -> Option<(&'a [u8], &'a [u8])> {
    let head = ctx.req?;
    let field = match head.first(KnownName::Authorization) {
        Some(f) => f,
        // Proxies are given credentials of their own.
        None => head.values(b"proxy-authorization").next()?,
    };
    split(field)
}

/// A scheme and what follows it.
fn split(field: &[u8]) -> Option<(&[u8], &[u8])> {
    let i = memchr::memchr(b' ', field).filter(|i| *i > 0)?;
    Some((&field[..i], field[i..].trim_ascii()))
}

/// User and password of the Basic scheme.
fn basic(ctx: &Ctx<'_>) -> Option<(Vec<u8>, Vec<u8>)> {
    let (scheme, data) = credentials(ctx)?;
    if !scheme.eq_ignore_ascii_case(b"basic") {
        return None;
    }
    let mut user = STANDARD.decode(data).ok()?;
    let colon = memchr::memchr(b':', &user)?;
    let pass = user.split_off(colon + 1);
    user.truncate(colon);
    Some((user, pass))
}

fn http_auth<'a>(a: &'a [Arg], ctx: &Ctx<'a>) -> Option<Value<'a>> {
    let Arg::Users(list) = a.first()? else { return None };
    let (user, pass) = basic(ctx)?;
    Some(Value::Bool(list.check(&user, &pass)))
}

fn group<'a>(a: &'a [Arg], ctx: &Ctx<'a>) -> Option<Value<'a>> {
    let Arg::Users(list) = a.first()? else { return None };
    let (user, pass) = basic(ctx)?;
    list.check(&user, &pass).then_some(Value::Str(Cow::Owned(user)))
}

/// Conditions compare with the groups of the user.
fn groups<'a>(a: &'a [Arg], ctx: &Ctx<'a>, f: &mut dyn FnMut(Value<'a>) -> bool) -> bool {
    let (Some(Arg::Users(list)), Some((user, pass))) = (a.first(), basic(ctx)) else { return false };
    list.check(&user, &pass) && list.groups(&user).any(|g| f(Value::str(g)))
}

fn bearer<'a>(a: &'a [Arg], ctx: &Ctx<'a>) -> Option<Value<'a>> {
    let (scheme, token) = match a[0].text() {
        b"" => credentials(ctx)?,
        name => split(ctx.req?.values(name).next()?)?,
    };
    scheme.eq_ignore_ascii_case(b"bearer").then(|| Value::str(token))
}
