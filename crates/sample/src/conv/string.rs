//! Converters of strings.

use crate::args::Arg;
use crate::ctx::Ctx;
use crate::row::{Converter, conv0};
use crate::types::Type;
use crate::value::Value;
use std::borrow::Cow;

/// Rows.
pub(super) static CONVERTERS: &[Converter] =
    &[conv0("lower", Type::Str, Type::Str, lower, "Converts letters to lower case.")];

fn lower<'a>(_: &'a [Arg], v: Value<'a>, _: &Ctx<'a>) -> Option<Value<'a>> {
    match v {
        Value::Str(s) if s.iter().any(u8::is_ascii_uppercase) => {
            let mut s = s.into_owned();
            s.make_ascii_lowercase();
            Some(Value::Str(Cow::Owned(s)))
        }
        v => Some(v),
    }
}
