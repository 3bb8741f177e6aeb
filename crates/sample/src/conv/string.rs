//! Converters of strings.

use crate::args::{Arg, ArgType, args};
use crate::compile::{CompileCx, Error};
use crate::ctx::Ctx;
use crate::row::{Converter, conv, conv0};
use crate::types::Type;
use crate::value::{Value, cut};
use crate::vars::VarId;
use std::borrow::Cow;

/// Rows.
#[rustfmt::skip]
pub(super) static CONVERTERS: &[Converter] = &[
    conv("add_item", args(2, &[ArgType::Str, ArgType::Str, ArgType::Str]), Type::Str, Type::Str, add_item,
        "Appends a delimiter, a variable and a suffix, the delimiter only between non-empty parts.").check(add_item_args),
    conv("bytes", args(1, &[ArgType::Str, ArgType::Str]), Type::Bin, Type::Bin, bytes,
        "Extracts bytes from an offset, up to a length.").check(bytes_args),
    conv("concat", args(1, &[ArgType::Str, ArgType::Str, ArgType::Str]), Type::Str, Type::Str, concat,
        "Appends a string, a variable and a string.").check(concat_args),
    conv0("cut_crlf", Type::Str, Type::Str, cut_crlf, "Cuts at the first carriage return or line feed."),
    conv0("length", Type::Str, Type::Sint, length, "Counts the bytes."),
    conv0("lower", Type::Str, Type::Str, lower, "Converts letters to lower case."),
    conv("ltrim", args(1, &[ArgType::Str]), Type::Str, Type::Str, ltrim, "Removes leading characters of a set."),
    conv("param", args(1, &[ArgType::Str, ArgType::Str]), Type::Str, Type::Str, param,
        "Extracts the value of a parameter from a query string.").check(param_args),
    conv0("reverse", Type::Str, Type::Str, reverse, "Reverses the order of the bytes."),
    conv0("reverse_dom", Type::Str, Type::Str, reverse_dom, "Reverses the order of the labels of a domain name."),
    conv("rtrim", args(1, &[ArgType::Str]), Type::Str, Type::Str, rtrim, "Removes trailing characters of a set."),
    conv0("upper", Type::Str, Type::Str, upper, "Converts letters to upper case."),
];

/// The text of a sample that was converted to a string already.
pub(super) fn string(v: Value<'_>) -> Cow<'_, [u8]> {
    v.into_str()
}

fn length<'a>(_: &'a [Arg], v: Value<'a>, _: &Ctx<'a>) -> Option<Value<'a>> {
    i64::try_from(v.raw()?.len()).ok().map(Value::Int)
}

fn lower<'a>(_: &'a [Arg], v: Value<'a>, _: &Ctx<'a>) -> Option<Value<'a>> {
    let mut s = string(v);
    if s.iter().any(u8::is_ascii_uppercase) {
        s.to_mut().make_ascii_lowercase();
    }
    Some(Value::Str(s))
}

fn upper<'a>(_: &'a [Arg], v: Value<'a>, _: &Ctx<'a>) -> Option<Value<'a>> {
    let mut s = string(v);
    if s.iter().any(u8::is_ascii_lowercase) {
        s.to_mut().make_ascii_uppercase();
    }
    Some(Value::Str(s))
}

fn reverse<'a>(_: &'a [Arg], v: Value<'a>, _: &Ctx<'a>) -> Option<Value<'a>> {
    let mut s = string(v);
    s.to_mut().reverse();
    Some(Value::Str(s))
}

fn reverse_dom<'a>(_: &'a [Arg], v: Value<'a>, _: &Ctx<'a>) -> Option<Value<'a>> {
    let s = string(v);
    let name = s.strip_suffix(b".").unwrap_or(&s);
    let mut out = Vec::with_capacity(name.len());
    for label in name.rsplit(|c| *c == b'.') {
        if label.is_empty() {
            return None;
        }
        if !out.is_empty() {
            out.push(b'.');
        }
        out.extend_from_slice(label);
    }
    Some(Value::Str(Cow::Owned(out)))
}

fn ltrim<'a>(a: &'a [Arg], v: Value<'a>, _: &Ctx<'a>) -> Option<Value<'a>> {
    let (s, set) = (string(v), a.first()?.text());
    let from = s.iter().position(|c| !set.contains(c)).unwrap_or(s.len());
    let to = s.len();
    Some(Value::Str(cut(s, from, to)))
}

fn rtrim<'a>(a: &'a [Arg], v: Value<'a>, _: &Ctx<'a>) -> Option<Value<'a>> {
    let (s, set) = (string(v), a.first()?.text());
    let to = s.iter().rposition(|c| !set.contains(c)).map_or(0, |i| i + 1);
    Some(Value::Str(cut(s, 0, to)))
}

fn cut_crlf<'a>(_: &'a [Arg], v: Value<'a>, _: &Ctx<'a>) -> Option<Value<'a>> {
    let s = string(v);
    let to = memchr::memchr2(b'\r', b'\n', &s).unwrap_or(s.len());
    Some(Value::Str(cut(s, 0, to)))
}

fn bytes<'a>(a: &'a [Arg], v: Value<'a>, ctx: &Ctx<'a>) -> Option<Value<'a>> {
    let s = v.into_bin();
    let len = s.len();
    let Ok(from) = usize::try_from(super::num::number(a.first()?, ctx)?) else {
        return Some(Value::Bin(Cow::Borrowed(b"")));
    };
    if from >= len {
        return Some(Value::Bin(Cow::Borrowed(b"")));
    }
    let to = match a.get(1) {
        None | Some(Arg::Absent) => len,
        Some(n) => match usize::try_from(super::num::number(n, ctx)?) {
            Ok(n) if n <= len - from => from + n,
            // A length beyond the end leaves the whole sample as it is.
            Ok(_) => return Some(Value::Bin(s)),
            Err(_) => return Some(Value::Bin(Cow::Borrowed(b""))),
        },
    };
    Some(Value::Bin(cut(s, from, to)))
}

fn bytes_args(_: &mut CompileCx<'_>, a: &mut [Arg]) -> Result<(), Error> {
    super::num::number_or_var(a, 0)?;
    if a[0].int().is_some_and(|i| i < 0) {
        return Err(Error::new("expects a non-negative integer"));
    }
    if !matches!(a[1], Arg::Absent) {
        super::num::number_or_var(a, 1)?;
        if a[1].int().is_some_and(|i| i <= 0) {
            return Err(Error::new("expects a positive integer"));
        }
    }
    Ok(())
}

fn concat<'a>(a: &'a [Arg], v: Value<'a>, ctx: &Ctx<'a>) -> Option<Value<'a>> {
    let mut s = string(v);
    let (start, end) = (a[0].text(), a[2].text());
    if !start.is_empty() {
        s.to_mut().extend_from_slice(start);
    }
    if let Arg::Var(id) = a[1]
        && let Some(x) = ctx.var(id)
    {
        x.write_str(s.to_mut());
    }
    if !end.is_empty() {
        s.to_mut().extend_from_slice(end);
    }
    Some(Value::Str(s))
}

fn concat_args(_: &mut CompileCx<'_>, a: &mut [Arg]) -> Result<(), Error> {
    variable(a, 1)
}

fn add_item<'a>(a: &'a [Arg], v: Value<'a>, ctx: &Ctx<'a>) -> Option<Value<'a>> {
    let mut s = string(v);
    let mut item = Vec::new();
    if let Arg::Var(id) = a[1]
        && let Some(x) = ctx.var(id)
    {
        x.write_str(&mut item);
    }
    item.extend_from_slice(a[2].text());
    if item.is_empty() {
        return Some(Value::Str(s));
    }
    if !s.is_empty() {
        s.to_mut().extend_from_slice(a[0].text());
    }
    s.to_mut().extend_from_slice(&item);
    Some(Value::Str(s))
}

fn add_item_args(_: &mut CompileCx<'_>, a: &mut [Arg]) -> Result<(), Error> {
    variable(a, 1)?;
    if a[1].is_empty() && a[2].is_empty() {
        return Err(Error::new("one of the optional arguments has to be nonempty"));
    }
    Ok(())
}

/// Turns an argument into a variable, unless it is empty.
fn variable(a: &mut [Arg], i: usize) -> Result<(), Error> {
    if !a[i].is_empty() {
        let name = a[i].word().to_owned();
        let id = VarId::parse(&name)
            .map_err(|_| Error::new(format!("failed to register variable name '{name}'")))?;
        a[i] = Arg::Var(id);
    }
    Ok(())
}

fn param<'a>(a: &'a [Arg], v: Value<'a>, _: &Ctx<'a>) -> Option<Value<'a>> {
    let (s, name) = (string(v), a.first()?.text());
    let delim = a.get(1).and_then(|d| d.text().first()).copied().unwrap_or(b'&');
    let mut start = 0;
    loop {
        let end = memchr::memchr(delim, &s[start..]).map_or(s.len(), |i| i + start);
        let segment = &s[start..end];
        if let Some(rest) = segment.strip_prefix(name).filter(|_| !segment.is_empty()) {
            match rest.first() {
                None => return Some(Value::Str(Cow::Borrowed(b""))),
                Some(b'=') => return Some(Value::Str(cut(s, start + name.len() + 1, end))),
                Some(_) => {}
            }
        }
        start = end + 1;
        if end == s.len() {
            return None;
        }
    }
}

fn param_args(_: &mut CompileCx<'_>, a: &mut [Arg]) -> Result<(), Error> {
    if matches!(a[1], Arg::Absent) || a[1].text().len() == 1 {
        return Ok(());
    }
    Err(Error::new("Delimiter must be exactly 1 character."))
}
