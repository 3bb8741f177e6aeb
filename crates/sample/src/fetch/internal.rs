//! Constants and internal states of the process (manual 7.3.2).

use crate::args::{Arg, ArgType, NONE, args};
use crate::checkpoint::Source;
use crate::compile::{CompileCx, Error};
use crate::cond::{Acl, Tri};
use crate::conv::{check_unit, unit};
use crate::ctx::Ctx;
use crate::date;
use crate::pattern::unhex;
use crate::row::{Fetch, MayChange, fetch};
use crate::types::Type;
use crate::value::Value;
use hawser_proto::clock;
use std::borrow::Cow;
use std::cell::Cell;
use std::sync::{Arc, OnceLock};

const CONST: Source = Source::CONST;

/// Rows.
#[rustfmt::skip]
pub(super) static FETCHES: &[Fetch] = &[
    fetch("acl", args(1, &[ArgType::Str; 12]), Type::Bool, CONST, acl, "Whether all named ACLs match.").check(acl_args),
    fetch("act_conn", NONE, Type::Sint, CONST, |_, c| Some(Value::Int(i64::from(c.rt?.act_conn()))), "Connections of the process."),
    fetch("always_false", NONE, Type::Bool, CONST, |_, _| Some(Value::Bool(false)), "False."),
    fetch("always_true", NONE, Type::Bool, CONST, |_, _| Some(Value::Bool(true)), "True."),
    fetch("bin", args(1, &[ArgType::Str]), Type::Bin, CONST, |a, _| Some(Value::Bin(Cow::Borrowed(a[0].text()))), "Bytes written in hexadecimal.").check(bin_args),
    fetch("bool", args(1, &[ArgType::Str]), Type::Bool, CONST, |a, _| Some(Value::Bool(a[0].int()? != 0)), "A boolean.").check(bool_args),
    fetch("date", args(0, &[ArgType::Sint, ArgType::Str]), Type::Sint, CONST, date, "Current date.").check(date_args),
    fetch("date_us", NONE, Type::Sint, CONST, |_, _| Some(Value::Int(date::micros(clock::wall()).rem_euclid(1_000_000))), "Microseconds of the current date."),
    fetch("env", args(1, &[ArgType::Str]), Type::Str, CONST, |a, _| present(&a[0]), "An environment variable, as it was at start.").check(env_args),
    fetch("hostname", NONE, Type::Str, CONST, |_, _| Some(Value::str(hostname())), "Name of this machine."),
    fetch("int", args(1, &[ArgType::Sint]), Type::Sint, CONST, |a, _| a[0].int().map(Value::Int), "An integer."),
    fetch("ipv4", args(1, &[ArgType::Ipv4]), Type::Ipv4, CONST, |a, _| if let Arg::Ip4(x) = a[0] { Some(Value::Ip4(x)) } else { None }, "An IPv4 address."),
    fetch("ipv6", args(1, &[ArgType::Ipv6]), Type::Ipv6, CONST, |a, _| if let Arg::Ip6(x) = a[0] { Some(Value::Ip6(x)) } else { None }, "An IPv6 address."),
    fetch("meth", args(1, &[ArgType::Str]), Type::Meth, CONST, |a, _| Some(Value::Method(Cow::Borrowed(a[0].text()))), "A method."),
    fetch("nbproc", NONE, Type::Sint, CONST, |_, _| Some(Value::Int(1)), "Number of processes: one."),
    fetch("pid", NONE, Type::Sint, CONST, |_, _| Some(Value::Int(i64::from(std::process::id()))), "Number of this process."),
    fetch("proc", NONE, Type::Sint, CONST, |_, _| Some(Value::Int(1)), "Position of this process: the first."),
    fetch("quic_enabled", NONE, Type::Bool, CONST, |_, _| Some(Value::Bool(false)), "Whether QUIC is available."),
    fetch("rand", args(0, &[ArgType::Sint]), Type::Sint, CONST, rand, "A random number."),
    fetch("stopping", NONE, Type::Bool, Source::INTERNAL, |_, c| Some(Value::Bool(c.rt?.stopping())), "Whether the process is stopping."),
    fetch("str", args(1, &[ArgType::Str]), Type::Str, CONST, |a, _| Some(Value::str(a[0].text())), "A string."),
    fetch("tgroup", NONE, Type::Sint, CONST, |_, _| Some(Value::Int(0)), "Position of the thread group: the first."),
    fetch("thread", NONE, Type::Sint, CONST, |_, c| Some(Value::Int(i64::from(c.rt.map_or(0, |rt| rt.threads().1)))), "Position of the current thread."),
    fetch("uptime", NONE, Type::Sint, CONST, |_, c| Some(Value::Int(i64::try_from(c.rt?.uptime()).unwrap_or(i64::MAX))), "Seconds since the process started."),
    fetch("uuid", args(0, &[ArgType::Sint]), Type::Str, CONST, uuid, "A new UUID.").check(uuid_args),
    fetch("wait_end", NONE, Type::Bool, Source::INTERNAL, |_, c| (!c.partial).then_some(Value::Bool(true)), "True once the inspection period is over.").changes(MayChange::Always),
];

fn acl<'a>(a: &'a [Arg], ctx: &Ctx<'a>) -> Option<Value<'a>> {
    let list = a.first()?.own::<Vec<(bool, Arc<Acl>)>>()?;
    for (negated, acl) in list {
        match acl.test(ctx) {
            Tri::Unknown => return None,
            t if (t == Tri::Yes) == *negated => return Some(Value::Bool(false)),
            _ => {}
        }
    }
    Some(Value::Bool(true))
}

fn acl_args(cx: &mut CompileCx<'_>, a: &mut [Arg]) -> Result<(), Error> {
    let mut list: Vec<(bool, Arc<Acl>)> = Vec::new();
    for arg in a.iter().filter(|a| !matches!(a, Arg::Absent)) {
        let (negated, name) = match arg.word().strip_prefix('!') {
            Some(n) => (true, n),
            None => (false, arg.word()),
        };
        list.push((negated, named_acl(cx, name)?));
    }
    a[0] = Arg::Own(Arc::new(list));
    Ok(())
}

/// A named ACL in scope.
pub(crate) fn named_acl(cx: &mut CompileCx<'_>, name: &str) -> Result<Arc<Acl>, Error> {
    crate::cond::named(cx, name).map_err(|_| Error::new(format!("ACL '{name}' not found")))
}

fn bin_args(_: &mut CompileCx<'_>, a: &mut [Arg]) -> Result<(), Error> {
    a[0] = Arg::Str(unhex(a[0].word())?.into());
    Ok(())
}

fn bool_args(_: &mut CompileCx<'_>, a: &mut [Arg]) -> Result<(), Error> {
    a[0] = match a[0].word().to_ascii_lowercase().as_str() {
        "true" | "1" => Arg::Int(1),
        "false" | "0" => Arg::Int(0),
        _ => return Err(Error::new("Expects 'true', 'false', '0' or '1'")),
    };
    Ok(())
}

fn date<'a>(a: &'a [Arg], _: &Ctx<'a>) -> Option<Value<'a>> {
    let now = date::micros(clock::wall()) / (1_000_000 / unit(&a[1])?);
    Some(Value::Int(now.saturating_add(a[0].int().unwrap_or(0))))
}

fn date_args(_: &mut CompileCx<'_>, a: &mut [Arg]) -> Result<(), Error> {
    check_unit(a, 1)
}

fn present<'a>(a: &'a Arg) -> Option<Value<'a>> {
    if let Arg::Str(s) = a { Some(Value::str(s)) } else { None }
}

fn env_args(cx: &mut CompileCx<'_>, a: &mut [Arg]) -> Result<(), Error> {
    a[0] = match cx.config.env.get(a[0].word()) {
        Some(v) => Arg::Str(Arc::from(&*hawser_cfg::octets::decode(v))),
        None => Arg::Absent,
    };
    Ok(())
}

/// The machine's name, read once.
pub(crate) fn hostname() -> &'static [u8] {
    static NAME: OnceLock<Vec<u8>> = OnceLock::new();
    NAME.get_or_init(|| rustix::system::uname().nodename().to_bytes().to_vec())
}

/// A pseudo-random number; unpredictable enough to spread load, not to keep secrets.
pub(crate) fn random() -> u64 {
    use std::hash::{BuildHasher as _, Hasher as _};
    thread_local! {
        static STATE: Cell<u64> = Cell::new({
            let mut h = std::collections::hash_map::RandomState::new().build_hasher();
            h.write_u64(0);
            h.finish()
        });
    }
    // SplitMix64.
    STATE.with(|s| {
        let x = s.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        s.set(x);
        let mut z = x;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

fn rand<'a>(a: &'a [Arg], _: &Ctx<'a>) -> Option<Value<'a>> {
    let r = i64::from(u32::try_from(random() >> 32).unwrap_or(0));
    // Scaled rather than taken modulo: no value is more likely than another.
    Some(Value::Int(match a[0].int() {
        Some(range) => i64::try_from((i128::from(r) * i128::from(range)) >> 32).unwrap_or(0),
        None => r,
    }))
}

fn uuid_args(_: &mut CompileCx<'_>, a: &mut [Arg]) -> Result<(), Error> {
    match a[0].int() {
        None | Some(4 | 7) => Ok(()),
        Some(v) => Err(Error::new(format!("Unsupported UUID version: '{v}'"))),
    }
}

fn uuid<'a>(a: &'a [Arg], _: &Ctx<'a>) -> Option<Value<'a>> {
    let mut u = u128::from(random()) << 64 | u128::from(random());
    let version = match a[0].int() {
        Some(7) => {
            let ms = u128::try_from(date::micros(clock::wall()) / 1000).unwrap_or(0);
            u = (u & (u128::MAX >> 48)) | ms << 80;
            7
        }
        _ => 4,
    };
    u = u & !(0xf << 76) | version << 76;
    u = u & !(0x3 << 62) | 0x2 << 62;
    let h = format!("{u:032x}");
    let text = format!("{}-{}-{}-{}-{}", &h[..8], &h[8..12], &h[12..16], &h[16..20], &h[20..]);
    Some(Value::Str(Cow::Owned(text.into_bytes())))
}
