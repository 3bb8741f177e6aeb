//! Connections (manual 7.3.3).

use crate::args::{Arg, NONE};
use crate::checkpoint::Source;
use crate::ctx::Ctx;
use crate::row::{Fetch, fetch};
use crate::types::Type;
use crate::value::Value;

/// Rows.
pub(super) static FETCHES: &[Fetch] =
    &[fetch("src", NONE, Type::Addr, Source::L4_CLIENT, src, "Client address.")];

fn src<'a>(_: &'a [Arg], ctx: &Ctx<'a>) -> Option<Value<'a>> {
    ctx.sess?.src.ip().map(Value::ip)
}
