//! Variables (manual 2.8 and 7.3.2).

use crate::args::{Arg, ArgType, args};
use crate::checkpoint::Source;
use crate::compile::{CompileCx, Error};
use crate::conv::hex_into;
use crate::ctx::Ctx;
use crate::row::{Fetch, fetch};
use crate::types::Type;
use crate::value::{Owned, Value};
use crate::vars::{Scope, Store, VarId, name_of};
use std::borrow::Cow;

/// Rows.
#[rustfmt::skip]
pub(super) static FETCHES: &[Fetch] = &[
    fetch("dump_all_vars", args(0, &[ArgType::Str, ArgType::Str, ArgType::Str]), Type::Str, Source::CONST, dump, "All variables of a scope.").check(dump_args),
    fetch("var", args(1, &[ArgType::Str, ArgType::Str]), Type::Any, Source::CONST, var, "A variable.").check(var_args),
];

fn var_args(_: &mut CompileCx<'_>, a: &mut [Arg]) -> Result<(), Error> {
    let name = a[0].word();
    if name.is_empty() {
        return Err(Error::new("Empty variable name cannot be accepted"));
    }
    a[0] = match VarId::parse_with_parents(name)? {
        Some(id) => Arg::Var(id),
        None => Arg::Absent,
    };
    Ok(())
}

fn var<'a>(a: &'a [Arg], ctx: &Ctx<'a>) -> Option<Value<'a>> {
    let found = if let Arg::Var(id) = a[0] { ctx.var(id) } else { None };
    found.or_else(|| if let Arg::Str(d) = &a[1] { Some(Value::str(d)) } else { None })
}

fn dump_args(_: &mut CompileCx<'_>, a: &mut [Arg]) -> Result<(), Error> {
    let scope = a[0].word();
    if !scope.is_empty() && Scope::of(scope).is_none() {
        let known = "must be one of: sess, txn, req, res, proc";
        return Err(Error::new(format!("invalid scope '{scope}', {known}")));
    }
    Ok(())
}

fn dump<'a>(a: &'a [Arg], ctx: &Ctx<'a>) -> Option<Value<'a>> {
    const ORDER: [Scope; 5] = [Scope::Sess, Scope::Txn, Scope::Req, Scope::Res, Scope::Proc];
    let delim = if a[2].is_empty() { b", " } else { a[2].text() };
    let wanted = Scope::of(a[0].word());
    let mut out = Vec::new();
    let mut first = true;
    for scope in ORDER.into_iter().filter(|s| wanted.is_none_or(|w| w == *s)) {
        let mut show = |store: &Store| {
            for (name, value) in store.iter() {
                let Some(name) = name_of(name).filter(|n| n.as_bytes().starts_with(a[1].text())) else {
                    continue;
                };
                if !std::mem::take(&mut first) {
                    out.extend_from_slice(delim);
                }
                out.extend_from_slice(format!("{}.{name}=", scope.name()).as_bytes());
                write(value, &mut out);
            }
        };
        match scope {
            Scope::Proc => ctx.proc_vars.map(|p| show(&p.0.read())),
            Scope::Sess => ctx.sess.map(|s| show(&s.vars)),
            s => ctx.strm.and_then(|x| x.vars.store(s)).map(show),
        };
    }
    Some(Value::Str(Cow::Owned(out)))
}

/// Writes a value with its type in its form.
fn write(v: &Owned, out: &mut Vec<u8>) {
    match v {
        Owned::Bool(b) => out.extend_from_slice(if *b { b"true" } else { b"false" }),
        Owned::Int(_) | Owned::Ip4(_) | Owned::Ip6(_) => v.as_value().write_str(out),
        Owned::Bin(b) => hex_into(b, out),
        Owned::Str(s) | Owned::Method(s) => {
            out.push(b'"');
            for c in s.iter() {
                match c {
                    b'"' | b'\\' => out.extend([b'\\', *c]),
                    b'\r' => out.extend_from_slice(b"\\r"),
                    b'\n' => out.extend_from_slice(b"\\n"),
                    8 => out.extend_from_slice(b"\\b"),
                    0 => out.extend_from_slice(b"\\0"),
                    c => out.push(*c),
                }
            }
            out.push(b'"');
        }
    }
}
