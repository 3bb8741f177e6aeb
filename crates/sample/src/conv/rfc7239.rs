//! The Forwarded field of RFC 7239: checking it, taking it apart, building its nodes.

use super::string::string;
use crate::args::{Arg, ArgType, args};
use crate::compile::{CompileCx, Error};
use crate::ctx::Ctx;
use crate::row::{Converter, conv, conv0};
use crate::types::Type;
use crate::value::Value;
use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Rows.
#[rustfmt::skip]
pub(super) static CONVERTERS: &[Converter] = &[
    conv("rfc7239_field", args(1, &[ArgType::Str]), Type::Str, Type::Str, field, "Extracts a parameter of a Forwarded field.").check(field_arg),
    conv0("rfc7239_is_valid", Type::Str, Type::Bool, |_, v, _| Some(Value::Bool(parse(&string(v)).is_some())), "Tells whether a Forwarded field is valid."),
    conv0("rfc7239_n2nn", Type::Str, Type::Any, node_name, "Extracts the name of a node."),
    conv0("rfc7239_n2np", Type::Str, Type::Any, node_port, "Extracts the port of a node."),
    conv0("rfc7239_nn", Type::Any, Type::Str, make_name, "Writes the name of a node."),
    conv0("rfc7239_np", Type::Any, Type::Str, make_port, "Writes the port of a node."),
];

const FIELDS: [&str; 4] = ["proto", "host", "for", "by"];

/// The parameters of a valid field, by [`FIELDS`].
fn parse(s: &[u8]) -> Option<[Option<Vec<u8>>; 4]> {
    let mut found: [Option<Vec<u8>>; 4] = Default::default();
    let mut rest = s;
    loop {
        let eq = memchr::memchr(b'=', rest)?;
        let i = FIELDS.iter().position(|f| f.as_bytes() == &rest[..eq])?;
        let (value, quoted, used) = value(&rest[eq + 1..])?;
        let good = match i {
            0 => matches!(&*value, b"http" | b"https"),
            1 => is_host(&value) && (quoted || token(&value)),
            _ => node(&value).is_some_and(|n| quoted || (n.port.is_none() && !matches!(n.name, Name::V6(_)))),
        };
        // Each parameter at most once.
        if !good || found[i].replace(value).is_some() {
            return None;
        }
        rest = &rest[eq + 1 + used..];
        match rest.first() {
            None => return Some(found),
            Some(b';') => rest = &rest[1..],
            Some(_) => return None,
        }
    }
}

/// A token or a quoted string: its text, whether it was quoted, and the number of bytes.
fn value(s: &[u8]) -> Option<(Vec<u8>, bool, usize)> {
    if s.first() != Some(&b'"') {
        let end = s.iter().position(|c| *c == b';').unwrap_or(s.len());
        return (end > 0).then(|| (s[..end].to_vec(), false, end));
    }
    let mut out = Vec::new();
    let mut i = 1;
    loop {
        match s.get(i)? {
            b'"' => return Some((out, true, i + 1)),
            b'\\' => {
                out.push(*s.get(i + 1)?);
                i += 2;
            }
            c => {
                out.push(*c);
                i += 1;
            }
        }
    }
}

fn token(s: &[u8]) -> bool {
    !s.is_empty() && s.iter().all(|c| c.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(c))
}

/// A host with an optional port.
fn is_host(s: &[u8]) -> bool {
    let (name, port) = match s.iter().rposition(|c| matches!(c, b':' | b']')) {
        Some(i) if s[i] == b':' => (&s[..i], Some(&s[i + 1..])),
        _ => (s, None),
    };
    let port_good = port.is_none_or(|p| port_number(p).is_some());
    let name_good = match name {
        [b'[', inner @ .., b']'] => v6(inner).is_some(),
        n => !n.is_empty() && n.iter().all(|c| c.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=%".contains(c)),
    };
    port_good && name_good
}

/// The name of a node.
#[derive(Debug)]
enum Name<'a> {
    V4(Ipv4Addr),
    V6(Ipv6Addr),
    Unknown,
    Hidden(&'a [u8]),
}

/// The port of a node.
#[derive(Debug)]
enum Port<'a> {
    Number(u16),
    Hidden(&'a [u8]),
}

struct Node<'a> {
    name: Name<'a>,
    port: Option<Port<'a>>,
    /// The port, if there is one, was understood.
    port_good: bool,
}

/// Takes a valid node apart.
fn node(s: &[u8]) -> Option<Node<'_>> {
    loose_node(s).filter(|n| n.port_good)
}

/// Takes a node apart; only its name must be good.
fn loose_node(s: &[u8]) -> Option<Node<'_>> {
    let (name, rest) = match s {
        [b'[', inner @ ..] => {
            let close = memchr::memchr(b']', inner)?;
            (Name::V6(v6(&inner[..close])?), &inner[close + 1..])
        }
        _ => {
            let end = memchr::memchr(b':', s).unwrap_or(s.len());
            let name = match &s[..end] {
                b"unknown" => Name::Unknown,
                [b'_', _, ..] if hidden(&s[..end]) => Name::Hidden(&s[..end]),
                n => Name::V4(std::str::from_utf8(n).ok()?.parse().ok()?),
            };
            (name, &s[end..])
        }
    };
    let (port, port_good) = match rest {
        [] => (None, true),
        [b':', p @ ..] if hidden(p) => (Some(Port::Hidden(p)), true),
        [b':', p @ ..] => match port_number(p) {
            Some(n) => (Some(Port::Number(n)), true),
            None => (None, false),
        },
        _ => (None, false),
    };
    Some(Node { name, port, port_good })
}

fn v6(s: &[u8]) -> Option<Ipv6Addr> {
    std::str::from_utf8(s).ok()?.parse().ok()
}

/// An obfuscated identifier: an underscore and more.
fn hidden(s: &[u8]) -> bool {
    matches!(s, [b'_', rest @ ..] if !rest.is_empty() && identifier(rest))
}

fn identifier(s: &[u8]) -> bool {
    s.iter().all(|c| c.is_ascii_alphanumeric() || b"._-".contains(c))
}

fn port_number(s: &[u8]) -> Option<u16> {
    if s.is_empty() || !s.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(s).ok()?.parse().ok().filter(|p| *p > 0)
}

fn field<'a>(a: &'a [Arg], v: Value<'a>, _: &Ctx<'a>) -> Option<Value<'a>> {
    let i = FIELDS.iter().position(|f| f.as_bytes() == a[0].text())?;
    let [proto, host, for_, by] = parse(&string(v))?;
    [proto, host, for_, by].into_iter().nth(i)?.map(|v| Value::Str(Cow::Owned(v)))
}

fn field_arg(_: &mut CompileCx<'_>, a: &mut [Arg]) -> Result<(), Error> {
    if a[0].is_empty() {
        return Err(Error::new("expects a field name"));
    }
    Ok(())
}

fn node_name<'a>(_: &'a [Arg], v: Value<'a>, _: &Ctx<'a>) -> Option<Value<'a>> {
    let s = string(v);
    Some(match loose_node(&s)?.name {
        Name::V4(a) => Value::Ip4(a),
        Name::V6(a) => Value::Ip6(a),
        Name::Unknown => Value::str("unknown"),
        Name::Hidden(n) => Value::Str(Cow::Owned(n.to_vec())),
    })
}

fn node_port<'a>(_: &'a [Arg], v: Value<'a>, _: &Ctx<'a>) -> Option<Value<'a>> {
    let s = string(v);
    Some(match node(&s)?.port? {
        Port::Number(n) => Value::Int(i64::from(n)),
        Port::Hidden(n) => Value::Str(Cow::Owned(n.to_vec())),
    })
}

fn make_name<'a>(_: &'a [Arg], v: Value<'a>, _: &Ctx<'a>) -> Option<Value<'a>> {
    let text = match v {
        Value::Ip4(a) => a.to_string().into_bytes(),
        Value::Ip6(a) => format!("[{a}]").into_bytes(),
        v => {
            let s = string(v);
            match &*s {
                b"" => b"unknown".to_vec(),
                s if identifier(s) => [b"_", s].concat(),
                _ => return None,
            }
        }
    };
    Some(Value::Str(Cow::Owned(text)))
}

fn make_port<'a>(_: &'a [Arg], v: Value<'a>, _: &Ctx<'a>) -> Option<Value<'a>> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a port is written as 32 bits"
    )]
    let text = match v {
        Value::Int(i) => (i as u32).to_string().into_bytes(),
        v => {
            let s = string(v);
            if s.is_empty() || !identifier(&s) {
                return None;
            }
            [b"_", &*s].concat()
        }
    };
    Some(Value::Str(Cow::Owned(text)))
}
