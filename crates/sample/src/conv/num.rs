//! Arithmetic, bits and comparisons of integers. Results never wrap: they stop at the largest value of their sign.

use crate::args::{Arg, ArgType, args};
use crate::compile::{CompileCx, Error};
use crate::ctx::Ctx;
use crate::row::{Converter, conv, conv0};
use crate::types::Type;
use crate::value::Value;
use crate::vars::VarId;
use std::borrow::Cow;

const OPERAND: crate::args::ArgSpec = args(1, &[ArgType::Str]);

/// Rows.
#[rustfmt::skip]
pub(super) static CONVERTERS: &[Converter] = &[
    conv("add", OPERAND, Type::Sint, Type::Sint, |a, v, c| binary(a, v, c, i64::saturating_add), "Adds a number.").check(operand),
    conv("and", OPERAND, Type::Sint, Type::Sint, |a, v, c| binary(a, v, c, |x, y| x & y), "Keeps the bits that a number has too.").check(operand),
    conv0("bool", Type::Sint, Type::Bool, |_, v, _| unary(&v, |i| Value::Bool(i != 0)), "Tells whether it is not zero."),
    conv0("cpl", Type::Sint, Type::Sint, |_, v, _| unary(&v, |i| Value::Int(!i)), "Flips all bits."),
    conv("div", OPERAND, Type::Sint, Type::Sint, |a, v, c| binary(a, v, c, div), "Divides by a number.").check(operand),
    conv0("even", Type::Sint, Type::Bool, |_, v, _| unary(&v, |i| Value::Bool(i & 1 == 0)), "Tells whether it is even."),
    conv0("htonl", Type::Sint, Type::Bin, |_, v, _| unary(&v, htonl), "Writes the low 32 bits in network byte order."),
    conv("mod", OPERAND, Type::Sint, Type::Sint, |a, v, c| binary(a, v, c, modulo), "Gives the remainder of a division.").check(operand),
    conv("mul", OPERAND, Type::Sint, Type::Sint, |a, v, c| binary(a, v, c, i64::saturating_mul), "Multiplies by a number.").check(operand),
    conv0("neg", Type::Sint, Type::Sint, |_, v, _| unary(&v, |i| Value::Int(i.saturating_neg())), "Changes the sign."),
    conv0("not", Type::Sint, Type::Bool, |_, v, _| unary(&v, |i| Value::Bool(i == 0)), "Tells whether it is zero."),
    conv0("odd", Type::Sint, Type::Bool, |_, v, _| unary(&v, |i| Value::Bool(i & 1 != 0)), "Tells whether it is odd."),
    conv("or", OPERAND, Type::Sint, Type::Sint, |a, v, c| binary(a, v, c, |x, y| x | y), "Adds the bits of a number.").check(operand),
    conv("sub", OPERAND, Type::Sint, Type::Sint, |a, v, c| binary(a, v, c, i64::saturating_sub), "Subtracts a number.").check(operand),
    conv("xor", OPERAND, Type::Sint, Type::Sint, |a, v, c| binary(a, v, c, |x, y| x ^ y), "Flips the bits that a number has.").check(operand),
];

fn unary<'a>(v: &Value<'a>, f: impl Fn(i64) -> Value<'a>) -> Option<Value<'a>> {
    v.as_int().map(f)
}

fn binary<'a>(a: &'a [Arg], v: Value<'a>, ctx: &Ctx<'a>, f: fn(i64, i64) -> i64) -> Option<Value<'a>> {
    let y = number(a.first()?, ctx)?;
    Some(Value::Int(f(v.as_int()?, y)))
}

fn div(x: i64, y: i64) -> i64 {
    if y == 0 { i64::MAX } else { x.saturating_div(y) }
}

fn modulo(x: i64, y: i64) -> i64 {
    x.checked_rem(y).unwrap_or(0)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the low 32 bits are what is asked for"
)]
fn htonl<'a>(i: i64) -> Value<'a> {
    Value::Bin(Cow::Owned((i as u32).to_be_bytes().to_vec()))
}

/// The value of an operand that [`operand`] prepared.
pub(super) fn number(a: &Arg, ctx: &Ctx<'_>) -> Option<i64> {
    match a {
        Arg::Int(i) => Some(*i),
        Arg::Var(id) => ctx.var(*id)?.as_int(),
        _ => None,
    }
}

/// Turns the first argument into a number or a variable.
fn operand(_: &mut CompileCx<'_>, a: &mut [Arg]) -> Result<(), Error> {
    number_or_var(a, 0)
}

/// Turns a text argument into a number or a variable; empty is zero.
pub(super) fn number_or_var(a: &mut [Arg], i: usize) -> Result<(), Error> {
    let Some(arg) = a.get_mut(i) else { return Ok(()) };
    let text = arg.word();
    *arg = if text.is_empty() {
        Arg::Int(0)
    } else if let Some(n) = crate::args::integer(text) {
        Arg::Int(n)
    } else {
        let id = VarId::parse(text).map_err(|_| Error::new("expects an integer or a variable name"))?;
        Arg::Var(id)
    };
    Ok(())
}

/// Turns a text argument into a variable where its text names one, and leaves it alone otherwise.
pub(super) fn text_or_var(a: &mut [Arg], i: usize) {
    if let Some(arg) = a.get_mut(i)
        && let Ok(id) = VarId::parse(arg.word())
    {
        *arg = Arg::Var(id);
    }
}

/// The text of an argument that [`text_or_var`] prepared.
pub(super) fn text<'a>(a: &'a Arg, ctx: &Ctx<'a>) -> Option<Cow<'a, [u8]>> {
    match a {
        Arg::Var(id) => Some(ctx.var(*id)?.into_str()),
        a => Some(Cow::Borrowed(a.text())),
    }
}
