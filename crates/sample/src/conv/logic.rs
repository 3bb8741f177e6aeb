//! Decisions, variables and questions about the configuration.

use super::digest::var_arg;
use super::string::string;
use crate::args::{Arg, ArgSpec, ArgType, args};
use crate::compile::{CompileCx, Error};
use crate::cond::{Acl, Tri};
use crate::ctx::{Ctx, Write};
use crate::facts::{TermCause, TermState};
use crate::row::{Converter, conv, conv0};
use crate::types::Type;
use crate::value::Value;
use crate::vars::{Scope, VarId};
use bytes::Bytes;
use std::cmp::Ordering;
use std::sync::Arc;

const ONE_STR: ArgSpec = args(1, &[ArgType::Str]);
const ONE_INT: ArgSpec = args(1, &[ArgType::Sint]);

/// Rows.
#[rustfmt::skip]
pub(super) static CONVERTERS: &[Converter] = &[
    conv("capture-req", ONE_INT, Type::Str, Type::Str, |a, v, c| capture(a, v, c, Write::CaptureReq), "Stores it in a request capture slot."),
    conv("capture-res", ONE_INT, Type::Str, Type::Str, |a, v, c| capture(a, v, c, Write::CaptureRes), "Stores it in a response capture slot."),
    conv("debug", args(0, &[ArgType::Str, ArgType::Str]), Type::Any, Type::Same, debug, "Shows it to the diagnostics of this process."),
    conv0("fe_exists", Type::Str, Type::Bool, fe_exists, "Tells whether a frontend has that name."),
    conv("iif", args(2, &[ArgType::Str, ArgType::Str]), Type::Bool, Type::Str, iif, "Gives one string or another."),
    conv0("nbsrv", Type::Str, Type::Sint, nbsrv, "Counts the usable servers of the backend of that name."),
    conv("set-var", args(1, &[ArgType::Str; 5]), Type::Any, Type::Any, set_var, "Sets a variable, under conditions.").check(set_var_args),
    conv0("srv_is_up", Type::Str, Type::Bool, |_, v, c| server(v, c).map(|s| Value::Bool(s.up)), "Tells whether the server of that name is up."),
    conv0("srv_queue", Type::Str, Type::Sint, |_, v, c| server(v, c).map(|s| Value::Int(i64::from(s.queued))), "Counts the requests in a server's queue."),
    conv("strcmp", ONE_STR, Type::Str, Type::Sint, strcmp, "Compares with a variable.").check(var_arg),
    conv("unset-var", ONE_STR, Type::Any, Type::Any, unset_var, "Unsets a variable.").check(var_arg),
    conv("when", args(1, &[ArgType::Str, ArgType::Str, ArgType::Str]), Type::Any, Type::Any, when, "Passes it on only under a condition.").check(when_args),
];

fn iif<'a>(a: &'a [Arg], v: Value<'a>, _: &Ctx<'a>) -> Option<Value<'a>> {
    Some(Value::str(a.get(usize::from(!v.as_bool()?))?.text()))
}

fn strcmp<'a>(a: &'a [Arg], v: Value<'a>, ctx: &Ctx<'a>) -> Option<Value<'a>> {
    let Arg::Var(id) = a.first()? else { return None };
    let other = ctx.var(*id)?.into_str();
    Some(Value::Int(match string(v).as_ref().cmp(&*other) {
        Ordering::Less => -1,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    }))
}

fn debug<'a>(a: &'a [Arg], v: Value<'a>, _: &Ctx<'a>) -> Option<Value<'a>> {
    let prefix = a.first().map_or("", Arg::word);
    let shown = String::from_utf8_lossy(&v.clone().into_str()).into_owned();
    tracing::debug!(target: "sample", "[debug] {prefix}: type={} <{shown}>", v.kind().name());
    Some(v)
}

fn capture<'a>(
    a: &'a [Arg],
    v: Value<'a>,
    ctx: &Ctx<'a>,
    write: fn(usize, Bytes) -> Write,
) -> Option<Value<'a>> {
    let slot = usize::try_from(a.first()?.int()?).ok()?;
    // A slot exists when the stream has a place for it; without one the whole expression fails.
    let strm = ctx.strm?;
    let known = match write(0, Bytes::new()) {
        Write::CaptureReq(..) => strm.req_captures.len(),
        _ => strm.res_captures.len(),
    };
    if slot >= known {
        return None;
    }
    if let Some(w) = ctx.writes {
        w.push(write(slot, Bytes::copy_from_slice(v.raw()?)));
    }
    Some(v)
}

/// A condition of `set-var`.
#[derive(Clone, Copy, Debug, PartialEq)]
enum SetIf {
    Exists,
    NotExists,
    Empty,
    NotEmpty,
    Set,
    NotSet,
    Greater,
    Less,
}

impl SetIf {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "ifexists" => Self::Exists,
            "ifnotexists" => Self::NotExists,
            "ifempty" => Self::Empty,
            "ifnotempty" => Self::NotEmpty,
            "ifset" => Self::Set,
            "ifnotset" => Self::NotSet,
            "ifgt" => Self::Greater,
            "iflt" => Self::Less,
            _ => return None,
        })
    }

    /// Whether it holds for a new value and what the variable holds so far.
    fn holds(self, new: &Value<'_>, old: Option<&Value<'_>>, scope: Scope) -> bool {
        let empty = new.raw().is_some_and(<[u8]>::is_empty);
        let compare = |want: Ordering| match (old, new) {
            (Some(Value::Int(o)), Value::Int(n)) => o.cmp(n) == want,
            _ => true,
        };
        match self {
            // Variables of the process exist from the moment that the configuration names them.
            Self::Exists => old.is_some() || scope == Scope::Proc,
            Self::NotExists => old.is_none() && scope != Scope::Proc,
            Self::Empty => empty,
            Self::NotEmpty => !empty,
            Self::Set => old.is_some(),
            Self::NotSet => old.is_none(),
            Self::Greater => compare(Ordering::Greater),
            Self::Less => compare(Ordering::Less),
        }
    }
}

/// Conditions of one `set-var`, shared with the action of that name.
#[derive(Clone, Debug, Default)]
pub struct SetConditions(Vec<SetIf>);

impl SetConditions {
    /// Parses condition names; empty ones are skipped.
    ///
    /// # Errors
    /// An unknown name.
    pub fn parse<'n>(names: impl IntoIterator<Item = &'n str>) -> Result<Self, Error> {
        let named = names.into_iter().filter(|n| !n.is_empty());
        let list =
            named.map(|n| SetIf::of(n).ok_or_else(|| Error::new(format!("unknown condition \"{n}\""))));
        list.collect::<Result<_, _>>().map(Self)
    }

    /// Whether the variable may be set to a value.
    pub fn hold(&self, id: VarId, new: &Value<'_>, ctx: &Ctx<'_>) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let old = ctx.var(id);
        self.0.iter().all(|c| c.holds(new, old.as_ref(), id.scope))
    }
}

fn set_var<'a>(a: &'a [Arg], v: Value<'a>, ctx: &Ctx<'a>) -> Option<Value<'a>> {
    let Arg::Var(id) = a.first()? else { return None };
    if !a.get(1)?.own::<SetConditions>().is_none_or(|c| c.hold(*id, &v, ctx)) {
        return None;
    }
    if let Some(w) = ctx.writes {
        w.push(Write::Var(*id, Some(v.to_owned())));
    }
    Some(v)
}

fn set_var_args(cx: &mut CompileCx<'_>, a: &mut [Arg]) -> Result<(), Error> {
    var_arg(cx, a)?;
    let conditions = SetConditions::parse(a[1..].iter().map(Arg::word))?;
    a[1] = Arg::Own(Arc::new(conditions));
    Ok(())
}

fn unset_var<'a>(a: &'a [Arg], v: Value<'a>, ctx: &Ctx<'a>) -> Option<Value<'a>> {
    let Arg::Var(id) = a.first()? else { return None };
    if let Some(w) = ctx.writes {
        w.push(Write::Var(*id, None));
    }
    Some(v)
}

fn fe_exists<'a>(_: &'a [Arg], v: Value<'a>, ctx: &Ctx<'a>) -> Option<Value<'a>> {
    let s = string(v);
    let exists =
        std::str::from_utf8(&s).is_ok_and(|n| ctx.rt.is_some_and(|rt| rt.find_frontend(n).is_some()));
    Some(Value::Bool(exists))
}

fn nbsrv<'a>(_: &'a [Arg], v: Value<'a>, ctx: &Ctx<'a>) -> Option<Value<'a>> {
    let s = string(v);
    let be = ctx.rt?.find_proxy(std::str::from_utf8(&s).ok()?)?;
    ctx.rt?.usable_servers(be).map(|n| Value::Int(i64::from(n)))
}

/// `backend/server`, or a server of the current backend.
fn server(v: Value<'_>, ctx: &Ctx<'_>) -> Option<crate::ctx::ServerFacts> {
    let s = string(v);
    let name = std::str::from_utf8(&s).ok()?;
    let rt = ctx.rt?;
    let (be, name) = match name.split_once('/') {
        Some((be, name)) => (rt.find_proxy(be)?, name),
        None => (ctx.backend()?.index, name),
    };
    rt.server(be, rt.find_server(be, name)?)
}

/// A compiled condition of `when`.
#[derive(Debug)]
struct When {
    negated: bool,
    what: What,
}

#[derive(Debug)]
enum What {
    Stopping,
    Error,
    Forwarded,
    ToApplet,
    Processed,
    Acl(Arc<Acl>),
}

fn when_args(cx: &mut CompileCx<'_>, a: &mut [Arg]) -> Result<(), Error> {
    let text = a[0].word();
    let (mut negated, name) = match text.strip_prefix('!') {
        Some(n) => (true, n),
        None => (false, text),
    };
    let what = match name {
        "stopping" => What::Stopping,
        "error" => What::Error,
        "normal" => {
            negated = !negated;
            What::Error
        }
        "forwarded" => What::Forwarded,
        "toapplet" => What::ToApplet,
        "processed" => What::Processed,
        "acl" => {
            if a[1].is_empty() {
                return Err(Error::new("'acl' selector requires an extra argument with the ACL name"));
            }
            What::Acl(crate::fetch::named_acl(cx, a[1].word())?)
        }
        _ => {
            return Err(Error::new(format!(
                "expects a supported keyword among {{stopping,normal,error,forwarded,toapplet,processed,acl}} but got \
                 '{text}'"
            )));
        }
    };
    a[0] = Arg::Own(Arc::new(When { negated, what }));
    Ok(())
}

fn when<'a>(a: &'a [Arg], v: Value<'a>, ctx: &Ctx<'a>) -> Option<Value<'a>> {
    let w = a.first()?.own::<When>()?;
    let forwarded = || ctx.strm.is_some_and(|s| s.server.is_some());
    let holds = match &w.what {
        What::Stopping => ctx.rt.is_some_and(|rt| rt.stopping()),
        What::Error => ctx.strm.is_some_and(|s| {
            s.redispatched || s.retries > 0 || (s.cause, s.state) != (TermCause::Normal, TermState::Done)
        }),
        What::Forwarded => forwarded(),
        What::ToApplet => ctx.strm.is_some_and(|s| s.cause == TermCause::Local),
        What::Processed => forwarded() || ctx.strm.is_some_and(|s| s.cause == TermCause::Local),
        What::Acl(acl) => acl.test(ctx) == Tri::Yes,
    };
    (holds != w.negated).then_some(v)
}
