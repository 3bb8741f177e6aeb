//! Internal states (manual 7.3.2).

use crate::args::{Arg, ArgType, NONE, args};
use crate::checkpoint::Source;
use crate::ctx::Ctx;
use crate::row::{Fetch, fetch};
use crate::types::Type;
use crate::value::Value;

/// Rows.
pub(super) static FETCHES: &[Fetch] = &[
    fetch("always_false", NONE, Type::Bool, Source::CONST, |_, _| Some(Value::Bool(false)), "False."),
    fetch("always_true", NONE, Type::Bool, Source::CONST, |_, _| Some(Value::Bool(true)), "True."),
    fetch("int", args(1, &[ArgType::Sint]), Type::Sint, Source::CONST, int, "An integer."),
    fetch("str", args(1, &[ArgType::Str]), Type::Str, Source::CONST, str, "A string."),
];

fn int<'a>(a: &'a [Arg], _: &Ctx<'a>) -> Option<Value<'a>> {
    a.first()?.int().map(Value::Int)
}

fn str<'a>(a: &'a [Arg], _: &Ctx<'a>) -> Option<Value<'a>> {
    Some(Value::str(a.first()?.text()))
}
