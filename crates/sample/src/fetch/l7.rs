//! HTTP messages (manual 7.3.6).

use crate::args::{Arg, NONE};
use crate::checkpoint::Source;
use crate::ctx::Ctx;
use crate::row::{Fetch, fetch};
use crate::types::Type;
use crate::value::Value;

/// Rows.
pub(super) static FETCHES: &[Fetch] = &[fetch("path", NONE, Type::Str, Source::REQ_HDR, path, "Path.")];

fn path<'a>(_: &'a [Arg], ctx: &Ctx<'a>) -> Option<Value<'a>> {
    let t = ctx.req?.target();
    let end = t.iter().position(|c| *c == b'?').unwrap_or(t.len());
    Some(Value::str(&t[..end]))
}
