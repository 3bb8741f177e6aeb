//! Addresses, hosts and ports.

use super::string::string;
use crate::args::{Arg, ArgType, args};
use crate::ctx::Ctx;
use crate::pattern::embedded_v4;
use crate::row::{Converter, conv, conv0};
use crate::types::Type;
use crate::value::{Value, cut, parse_int};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Rows.
pub(super) static CONVERTERS: &[Converter] = &[
    conv0("host_only", Type::Str, Type::Str, host_only, "Removes the port of a Host field, in lower case."),
    conv(
        "ipmask",
        args(1, &[ArgType::Mask4, ArgType::Mask6]),
        Type::Addr,
        Type::Addr,
        ipmask,
        "Masks an address.",
    ),
    conv0("port_only", Type::Str, Type::Sint, port_only, "Extracts the port of a Host field."),
];

/// Where the port of a Host field starts: at its last colon unless that stands in brackets, or at the end.
fn port_at(s: &[u8]) -> usize {
    match s.iter().rposition(|c| matches!(c, b':' | b']')) {
        Some(i) if s[i] == b':' => i,
        _ => s.len(),
    }
}

fn host_only<'a>(_: &'a [Arg], v: Value<'a>, _: &Ctx<'a>) -> Option<Value<'a>> {
    let s = string(v);
    let end = port_at(&s);
    let mut s = cut(s, 0, end);
    if s.iter().any(u8::is_ascii_uppercase) {
        s.to_mut().make_ascii_lowercase();
    }
    Some(Value::Str(s))
}

fn port_only<'a>(_: &'a [Arg], v: Value<'a>, _: &Ctx<'a>) -> Option<Value<'a>> {
    let s = string(v);
    let port = s.get(port_at(&s) + 1..).and_then(parse_int).unwrap_or(0);
    Some(Value::Int(port))
}

fn ipmask<'a>(a: &'a [Arg], v: Value<'a>, _: &Ctx<'a>) -> Option<Value<'a>> {
    let Arg::Ip4(m4) = a.first()? else { return None };
    let masked4 = |a: Ipv4Addr| Value::Ip4(Ipv4Addr::from(u32::from(a) & u32::from(*m4)));
    match v.as_ip()? {
        IpAddr::V4(a) => Some(masked4(a)),
        IpAddr::V6(addr) => match (embedded_v4(addr), a.get(1)?) {
            (Some(v4), _) => Some(masked4(v4)),
            (None, Arg::Ip6(m6)) => Some(Value::Ip6(Ipv6Addr::from(u128::from(addr) & u128::from(*m6)))),
            (None, _) => None,
        },
    }
}
