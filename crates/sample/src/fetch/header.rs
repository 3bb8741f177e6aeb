//! Header fields (manual 7.3.6): single values, full lines, counts, names.

use crate::args::{Arg, ArgSpec, ArgType, NONE, args};
use crate::checkpoint::Source;
use crate::compile::{CompileCx, Error};
use crate::ctx::Ctx;
use crate::row::{EachFn, Fetch, FetchFn, fetch};
use crate::types::Type;
use crate::value::{Value, parse_int, parse_ip};
use hawser_http::{Head, KnownName};
use std::borrow::Cow;
use std::net::IpAddr;

const NAME_OCC: ArgSpec = args(0, &[ArgType::Str, ArgType::Sint]);
const NAME: ArgSpec = args(0, &[ArgType::Str]);
const REQ: Source = Source::REQ_HDR;
const RES: Source = Source::RES_HDR;

/// Rows.
#[rustfmt::skip]
pub(super) static FETCHES: &[Fetch] = &[
    occ("hdr", Type::Str, REQ.or(RES), |a, c| one(a, auto(c)?, false).map(text), |a, c, f| each(a, auto(c), false, &mut |v| f(text(v))), "Value of a field of the message under way.").slices(|a, c, f| each(a, auto(c), false, f)),
    cnt("hdr_cnt", REQ, |a, c| count(a, c.req, false), "Number of values of a request field."),
    occ("hdr_ip", Type::Addr, REQ, |a, c| one(a, c.req?, false).and_then(ip), |a, c, f| each(a, c.req, false, &mut |v| ip(v).is_some_and(&mut *f)), "Address in a request field."),
    occ("hdr_val", Type::Sint, REQ, |a, c| one(a, c.req?, false).map(int), |a, c, f| each(a, c.req, false, &mut |v| f(int(v))), "Number in a request field."),
    occ("req.fhdr", Type::Str, REQ, |a, c| one(a, c.req?, true).map(text), |a, c, f| each(a, c.req, true, &mut |v| f(text(v))), "Whole line of a request field.").slices(|a, c, f| each(a, c.req, true, f)),
    cnt("req.fhdr_cnt", REQ, |a, c| count(a, c.req, true), "Number of lines of a request field."),
    occ("req.hdr", Type::Str, REQ, |a, c| one(a, c.req?, false).map(text), |a, c, f| each(a, c.req, false, &mut |v| f(text(v))), "Value of a request field.").slices(|a, c, f| each(a, c.req, false, f)),
    cnt("req.hdr_cnt", REQ, |a, c| count(a, c.req, false), "Number of values of a request field."),
    occ("req.hdr_ip", Type::Addr, REQ, |a, c| one(a, c.req?, false).and_then(ip), |a, c, f| each(a, c.req, false, &mut |v| ip(v).is_some_and(&mut *f)), "Address in a request field."),
    fetch("req.hdr_names", NAME, Type::Str, REQ, |a, c| names(a, c.req?), "Names of all request fields."),
    occ("req.hdr_val", Type::Sint, REQ, |a, c| one(a, c.req?, false).map(int), |a, c, f| each(a, c.req, false, &mut |v| f(int(v))), "Number in a request field."),
    fetch("req.hdrs", NONE, Type::Bin, REQ, |_, c| Some(lines(c.req?)), "All request fields as text."),
    fetch("req.hdrs_bin", NONE, Type::Bin, REQ, |_, c| Some(binary(c.req?)), "All request fields in binary form."),
    occ("res.fhdr", Type::Str, RES, |a, c| one(a, c.res?, true).map(text), |a, c, f| each(a, c.res, true, &mut |v| f(text(v))), "Whole line of a response field.").slices(|a, c, f| each(a, c.res, true, f)),
    cnt("res.fhdr_cnt", RES, |a, c| count(a, c.res, true), "Number of lines of a response field."),
    occ("res.hdr", Type::Str, RES, |a, c| one(a, c.res?, false).map(text), |a, c, f| each(a, c.res, false, &mut |v| f(text(v))), "Value of a response field.").slices(|a, c, f| each(a, c.res, false, f)),
    cnt("res.hdr_cnt", RES, |a, c| count(a, c.res, false), "Number of values of a response field."),
    occ("res.hdr_ip", Type::Addr, RES, |a, c| one(a, c.res?, false).and_then(ip), |a, c, f| each(a, c.res, false, &mut |v| ip(v).is_some_and(&mut *f)), "Address in a response field."),
    fetch("res.hdr_names", NAME, Type::Str, RES, |a, c| names(a, c.res?), "Names of all response fields."),
    occ("res.hdr_val", Type::Sint, RES, |a, c| one(a, c.res?, false).map(int), |a, c, f| each(a, c.res, false, &mut |v| f(int(v))), "Number in a response field."),
    fetch("res.hdrs", NONE, Type::Bin, RES, |_, c| Some(lines(c.res?)), "All response fields as text."),
    fetch("res.hdrs_bin", NONE, Type::Bin, RES, |_, c| Some(binary(c.res?)), "All response fields in binary form."),
    occ("shdr", Type::Str, RES, |a, c| one(a, c.res?, false).map(text), |a, c, f| each(a, c.res, false, &mut |v| f(text(v))), "Value of a response field.").slices(|a, c, f| each(a, c.res, false, f)),
    cnt("shdr_cnt", RES, |a, c| count(a, c.res, false), "Number of values of a response field."),
    occ("shdr_ip", Type::Addr, RES, |a, c| one(a, c.res?, false).and_then(ip), |a, c, f| each(a, c.res, false, &mut |v| ip(v).is_some_and(&mut *f)), "Address in a response field."),
    occ("shdr_val", Type::Sint, RES, |a, c| one(a, c.res?, false).map(int), |a, c, f| each(a, c.res, false, &mut |v| f(int(v))), "Number in a response field."),
];

/// A row with a name and an occurrence.
const fn occ(
    name: &'static str,
    out: Type,
    src: Source,
    run: FetchFn,
    each: EachFn,
    help: &'static str,
) -> Fetch {
    fetch(name, NAME_OCC, out, src, run, help).each(each).check(check)
}

/// A row that counts.
const fn cnt(name: &'static str, src: Source, run: FetchFn, help: &'static str) -> Fetch {
    fetch(name, NAME, Type::Sint, src, run, help).check(check)
}

fn check(_: &mut CompileCx<'_>, a: &mut [Arg]) -> Result<(), Error> {
    if a.get(1).and_then(Arg::int).is_some_and(|o| o < -10) {
        return Err(Error::new("header occurrence must be >= -10"));
    }
    if let Arg::Str(name) = &a[0]
        && !name.is_empty()
    {
        a[0] = Arg::Header(KnownName::of(name), name.clone());
    }
    Ok(())
}

/// The message under way.
fn auto<'a>(ctx: &Ctx<'a>) -> Option<&'a Head> {
    if ctx.response { ctx.res } else { ctx.req }
}

fn text(v: &[u8]) -> Value<'_> {
    Value::str(v)
}

fn int(v: &[u8]) -> Value<'_> {
    Value::Int(parse_int(v).unwrap_or(0))
}

/// An address, with the port that may follow an IPv4 one, or an IPv6 one in brackets.
fn ip(v: &[u8]) -> Option<Value<'_>> {
    match v {
        [b'[', inner @ .., b']'] => match parse_ip(inner)? {
            a @ IpAddr::V6(_) => Some(Value::ip(a)),
            IpAddr::V4(_) => None,
        },
        v => {
            let a = parse_ip(v)?;
            // A port is a number of 16 bits.
            match memchr::memrchr(b':', v) {
                Some(i)
                    if a.is_ipv4() && !parse_int(&v[i + 1..]).is_some_and(|p| (0..65536).contains(&p)) =>
                {
                    None
                }
                _ => Some(Value::ip(a)),
            }
        }
    }
}

/// Visits the fields of a name (of every name when there is none) until the visitor returns true. Blanks around a
/// value, which rules may have written, are no part of it.
fn fields<'a>(arg: &Arg, head: &'a Head, f: &mut dyn FnMut(&'a [u8]) -> bool) -> bool {
    let mut f = |value| f(head.get(value).trim_ascii());
    match arg {
        Arg::Header(KnownName::Other, name) => head
            .fields
            .iter()
            .filter(|x| x.name.len as usize == name.len() && x.known == KnownName::Other)
            .filter(|x| head.get(x.name).eq_ignore_ascii_case(name))
            .any(|x| f(x.value)),
        Arg::Header(known, _) => {
            head.fields.iter().filter(|x| x.known == *known && x.name.len != 0).any(|x| f(x.value))
        }
        _ => head.fields.iter().filter(|x| x.name.len != 0).any(|x| f(x.value)),
    }
}

/// Visits values: whole lines, or what commas outside of quotes delimit.
fn values<'a>(arg: &Arg, head: &'a Head, full: bool, f: &mut dyn FnMut(&'a [u8]) -> bool) -> bool {
    if full { fields(arg, head, f) } else { fields(arg, head, &mut |line| split(line, f)) }
}

/// Visits the comma-separated parts of a line.
fn split<'a>(line: &'a [u8], f: &mut dyn FnMut(&'a [u8]) -> bool) -> bool {
    if memchr::memchr(b',', line).is_none() {
        return f(line);
    }
    let mut rest = line;
    loop {
        let end = value_end(rest);
        if f(rest[..end].trim_ascii()) {
            return true;
        }
        if end == rest.len() {
            return false;
        }
        rest = &rest[end + 1..];
    }
}

/// Where the first value of a list ends: a comma that is not between quotes.
fn value_end(s: &[u8]) -> usize {
    let (mut quoted, mut escaped) = (false, false);
    for (i, c) in s.iter().enumerate() {
        match c {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' if !quoted => return i,
            _ => {}
        }
    }
    s.len()
}

/// One occurrence: the last without a number, from the end with a negative one.
fn one<'a>(a: &'a [Arg], head: &'a Head, full: bool) -> Option<&'a [u8]> {
    let occ = match a.get(1).and_then(Arg::int) {
        None | Some(0) => -1,
        Some(o) => o,
    };
    let mut found = None;
    if occ > 0 {
        let mut left = occ;
        values(&a[0], head, full, &mut |v| {
            left -= 1;
            found = Some(v).filter(|_| left == 0);
            left == 0
        });
        return found;
    }
    if !matches!(a[0], Arg::Header(..)) {
        return None;
    }
    if occ == -1 && !full {
        // The last value of the last line needs no look at the others.
        let mut last = None;
        fields(&a[0], head, &mut |line| {
            last = Some(line);
            false
        });
        let mut found = None;
        split(last?, &mut |v| {
            found = Some(v);
            false
        });
        return found;
    }
    // A window of the last values: at most ten, as checked at load.
    let mut ring: [&[u8]; 10] = [b""; 10];
    let mut seen = 0usize;
    values(&a[0], head, full, &mut |v| {
        ring[seen % 10] = v;
        seen += 1;
        false
    });
    let back = usize::try_from(-occ).ok().filter(|b| *b <= seen && *b <= 10)?;
    Some(ring[(seen - back) % 10])
}

/// Every occurrence, or the one that is asked for.
fn each<'a>(a: &'a [Arg], head: Option<&'a Head>, full: bool, f: &mut dyn FnMut(&'a [u8]) -> bool) -> bool {
    let Some(head) = head else { return false };
    match a.get(1).and_then(Arg::int) {
        None | Some(0) => values(&a[0], head, full, f),
        Some(_) => one(a, head, full).is_some_and(f),
    }
}

fn count<'a>(a: &'a [Arg], head: Option<&'a Head>, full: bool) -> Option<Value<'a>> {
    let mut n = 0;
    values(&a[0], head?, full, &mut |_| {
        n += 1;
        false
    });
    Some(Value::Int(n))
}

fn names<'a>(a: &'a [Arg], head: &'a Head) -> Option<Value<'a>> {
    let delim = a[0].text().first().copied().unwrap_or(b',');
    let mut out = Vec::new();
    for (i, (name, _)) in head.iter().enumerate() {
        if i > 0 {
            out.push(delim);
        }
        out.extend(name.iter().map(u8::to_ascii_lowercase));
    }
    Some(Value::Str(Cow::Owned(out)))
}

/// All fields as they would stand in a message, names in lower case, with the empty line.
fn lines(head: &Head) -> Value<'_> {
    let mut out = Vec::with_capacity(head.buf.len());
    for (name, value) in head.iter() {
        out.extend(name.iter().map(u8::to_ascii_lowercase));
        out.extend_from_slice(b": ");
        out.extend_from_slice(value);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
    Value::Bin(Cow::Owned(out))
}

/// All fields as strings with their lengths, ended by two empty ones.
fn binary(head: &Head) -> Value<'_> {
    let mut out = Vec::with_capacity(head.buf.len());
    for (name, value) in head.iter() {
        varint(name.len(), &mut out);
        out.extend(name.iter().map(u8::to_ascii_lowercase));
        varint(value.len(), &mut out);
        out.extend_from_slice(value);
    }
    out.extend([0, 0]);
    Value::Bin(Cow::Owned(out))
}

/// The variable-length integers of the stream processing offload protocol.
fn varint(n: usize, out: &mut Vec<u8>) {
    let byte = |n: usize| u8::try_from(n & 0xff).unwrap_or(0);
    if n < 240 {
        out.push(byte(n));
        return;
    }
    out.push(byte(n | 0xf0));
    let mut n = (n - 240) >> 4;
    while n >= 128 {
        out.push(byte(n | 0x80));
        n = (n - 128) >> 7;
    }
    out.push(byte(n));
}
