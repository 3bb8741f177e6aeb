//! Arguments of fetches and converters: their types, their syntax, their values.

use crate::compile::{CompileCx, Error};
use crate::vars::VarId;
use hawser_http::KnownName;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// Type of an argument as keyword rows declare it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ArgType {
    /// Any text.
    Str,
    /// An integer.
    Sint,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// An IPv4 mask, as an address or a number of bits.
    Mask4,
    /// An IPv6 mask, as an address or a number of bits.
    Mask6,
    /// A frontend, the current one by default.
    Frontend,
    /// A backend, the current one by default.
    Backend,
    /// A stick table, that of the current proxy by default.
    Table,
    /// A server: `backend/server`, or `server` of the current backend.
    Server,
    /// A user list.
    Userlist,
    /// A regular expression.
    Regex,
    /// A path of Protocol Buffers field numbers.
    PbufFnum,
}

impl ArgType {
    /// HAProxy's name for it, in `-dK` and in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Str => "string",
            Self::Sint => "integer",
            Self::Ipv4 => "IPv4 address",
            Self::Ipv6 => "IPv6 address",
            Self::Mask4 => "IPv4 mask",
            Self::Mask6 => "IPv6 mask",
            Self::Frontend => "frontend",
            Self::Backend => "backend",
            Self::Table => "table",
            Self::Server => "server",
            Self::Userlist => "user list",
            Self::Regex => "regex",
            Self::PbufFnum => "Protocol buffers field number",
        }
    }
}

/// How many arguments, and of which types.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ArgSpec {
    /// How many are mandatory.
    pub min: u8,
    /// Types, mandatory ones first.
    pub types: &'static [ArgType],
}

/// No argument.
pub const NONE: ArgSpec = ArgSpec { min: 0, types: &[] };

/// `min` mandatory arguments of these types, the rest optional.
pub const fn args(min: u8, types: &'static [ArgType]) -> ArgSpec {
    ArgSpec { min, types }
}

/// A compiled argument.
#[derive(Clone, Debug)]
pub enum Arg {
    /// Left out, or empty where that means "default".
    Absent,
    /// Text.
    Str(Arc<[u8]>),
    /// An integer.
    Int(i64),
    /// An IPv4 address or mask.
    Ip4(Ipv4Addr),
    /// An IPv6 address or mask.
    Ip6(Ipv6Addr),
    /// Index of a proxy.
    Proxy(usize),
    /// Indexes of a proxy and of a server in it.
    Server(usize, usize),
    /// A field name, recognised where the proxy knows it.
    Header(KnownName, Arc<[u8]>),
    /// A variable.
    Var(VarId),
}

impl Arg {
    /// The text of a string argument, empty for everything else.
    pub fn text(&self) -> &[u8] {
        match self {
            Self::Str(s) | Self::Header(_, s) => s,
            _ => b"",
        }
    }

    /// The value of an integer argument.
    pub fn int(&self) -> Option<i64> {
        if let Self::Int(i) = self { Some(*i) } else { None }
    }
}

/// Splits `(a,b,c)` at the start of `text` into raw arguments with quotes and escapes resolved. Returns them with
/// the number of bytes used, both parentheses included; no parenthesis means no argument.
///
/// # Errors
/// A missing parenthesis or quote.
pub fn split(text: &str) -> Result<(Vec<String>, usize), Error> {
    let b = text.as_bytes();
    if b.first() != Some(&b'(') {
        return Ok((Vec::new(), 0));
    }
    let (mut out, mut cur) = (Vec::new(), Vec::new());
    let (mut i, mut quote) = (1, None);
    loop {
        let Some(&c) = b.get(i) else {
            return Err(Error::new(if quote.is_some() { "missing closing quote" } else { "expected ')'" }));
        };
        i += 1;
        match (quote, c) {
            (None, b')') => break,
            (None, b',') => out.push(std::mem::take(&mut cur)),
            (None, b'"' | b'\'') => quote = Some(c),
            (Some(q), c) if q == c => quote = None,
            (None | Some(b'"'), b'\\') => {
                let next = b.get(i).copied();
                i += 1;
                match next {
                    Some(b'r') => cur.push(b'\r'),
                    Some(b'n') => cur.push(b'\n'),
                    Some(b't') => cur.push(b'\t'),
                    Some(n @ (b'\\' | b'"' | b'\'' | b' ' | b',' | b'(' | b')')) => cur.push(n),
                    Some(n) => cur.extend_from_slice(&[b'\\', n]),
                    None => i -= 1,
                }
            }
            (_, c) => cur.push(c),
        }
    }
    out.push(cur);
    // Cutting happened at ASCII characters only, so every piece is still UTF-8.
    Ok((out.into_iter().map(|v| String::from_utf8_lossy(&v).into_owned()).collect(), i))
}

/// Checks raw arguments against a row's declaration and turns them into values.
///
/// # Errors
/// Too few, too many, or a value that does not fit its type; the text follows "invalid arg N in …".
pub fn resolve(cx: &mut CompileCx<'_>, spec: ArgSpec, raw: &[String]) -> Result<Vec<Arg>, Error> {
    if raw.len() > spec.types.len() && !(spec.types.is_empty() && raw == [""]) {
        return Err(Error::new("too many arguments"));
    }
    let mut out = Vec::with_capacity(spec.types.len());
    for (i, ty) in spec.types.iter().enumerate() {
        match raw.get(i).map(String::as_str) {
            None | Some("") if i >= spec.min as usize || *ty != ArgType::Sint => match ty {
                ArgType::Frontend | ArgType::Backend if i < spec.min as usize => {
                    out.push(cx.proxy.map_or(Arg::Absent, Arg::Proxy));
                }
                ArgType::Str if raw.get(i).is_some() => out.push(Arg::Str(Arc::from(&b""[..]))),
                _ => out.push(Arg::Absent),
            },
            None | Some("") => return Err(Error::new("missing arguments")),
            Some(t) => out.push(one(cx, *ty, t).ok_or_else(|| {
                Error::new(format!("failed to parse '{t}' as type '{}' at position {}", ty.name(), i + 1))
            })?),
        }
    }
    Ok(out)
}

/// One argument.
fn one(cx: &mut CompileCx<'_>, ty: ArgType, t: &str) -> Option<Arg> {
    match ty {
        ArgType::Str | ArgType::Regex | ArgType::PbufFnum | ArgType::Table | ArgType::Userlist => {
            Some(Arg::Str(Arc::from(t.as_bytes())))
        }
        ArgType::Sint => t.parse().ok().map(Arg::Int),
        ArgType::Ipv4 => t.parse().ok().map(Arg::Ip4),
        ArgType::Ipv6 => t.parse().ok().map(Arg::Ip6),
        ArgType::Mask4 => mask4(t).map(Arg::Ip4),
        ArgType::Mask6 => mask6(t).map(Arg::Ip6),
        ArgType::Frontend | ArgType::Backend => cx.find_proxy(t, ty == ArgType::Frontend).map(Arg::Proxy),
        ArgType::Server => {
            let (be, srv) = match t.split_once('/') {
                Some((be, srv)) => (cx.find_proxy(be, false)?, srv),
                None => (cx.proxy?, t),
            };
            cx.find_server(be, srv).map(|s| Arg::Server(be, s))
        }
    }
}

/// `24` or `255.255.255.0`.
pub fn mask4(t: &str) -> Option<Ipv4Addr> {
    match t.parse::<u32>() {
        Ok(bits @ 0..=32) => Some(Ipv4Addr::from(u32::MAX.checked_shl(32 - bits).unwrap_or(0))),
        Ok(_) => None,
        Err(_) => t.parse().ok(),
    }
}

/// `64` or `ffff:ffff:ffff:ffff::`.
pub fn mask6(t: &str) -> Option<Ipv6Addr> {
    match t.parse::<u32>() {
        Ok(bits @ 0..=128) => Some(Ipv6Addr::from(u128::MAX.checked_shl(128 - bits).unwrap_or(0))),
        Ok(_) => None,
        Err(_) => t.parse().ok(),
    }
}
