//! Arguments of fetches and converters: their types, their syntax, their values.

use crate::compile::{CompileCx, Error};
use crate::cond::Acl;
use crate::pattern::Map;
use crate::userlist::Userlist;
use crate::vars::VarId;
use hawser_cfg::octets;
use hawser_http::KnownName;
use regex::bytes::Regex;
use std::any::Any;
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
    /// Index of a stick table.
    Table(usize),
    /// A field name, recognised where the proxy knows it.
    Header(KnownName, Arc<[u8]>),
    /// A variable.
    Var(VarId),
    /// A regular expression.
    Regex(Box<Regex>),
    /// A map.
    Map(Arc<Map>),
    /// A user list.
    Users(Arc<Userlist>),
    /// Something that only its own keyword understands.
    Own(Arc<dyn Any + Send + Sync>),
    /// Named ACLs, each with whether it is negated.
    Acls(Box<[(bool, Arc<Acl>)]>),
    /// Field numbers of nested messages.
    Path(Box<[u32]>),
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

    /// Left out or empty.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Absent => true,
            Self::Str(s) | Self::Header(_, s) => s.is_empty(),
            _ => false,
        }
    }

    /// The text of a string argument as UTF-8, for names of modes and flags.
    pub fn word(&self) -> &str {
        std::str::from_utf8(self.text()).unwrap_or("\u{fffd}")
    }

    /// What [`Arg::Own`] holds, if it is of that type.
    pub fn own<T: 'static>(&self) -> Option<&T> {
        if let Self::Own(x) = self { x.downcast_ref() } else { None }
    }
}

/// Which keyword arguments belong to, for messages.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'a> {
    /// Its name.
    pub name: &'a str,
    /// The fetch it follows, for a converter.
    pub fetch: Option<&'a str>,
}

/// Parses `(a,b,c)` at the start of `text` against a declaration; no parenthesis means no argument. Returns the
/// arguments, one for each declared type, and the number of bytes used.
///
/// # Errors
/// The number of the argument at fault, from 1, and HAProxy's text about it.
pub fn parse(
    cx: &mut CompileCx<'_>,
    spec: ArgSpec,
    text: &str,
    owner: Owner<'_>,
) -> Result<(Vec<Arg>, usize), (usize, Error)> {
    let listed = text.starts_with('(');
    let mut pos = usize::from(listed);
    let mut out: Vec<Arg> = Vec::with_capacity(spec.types.len());
    for (i, ty) in spec.types.iter().enumerate() {
        let mandatory = i < spec.min as usize;
        let (raw, used) = if listed { piece(&text[pos..]) } else { (String::new(), 0) };
        // Nothing at all: that is an empty string where one is wanted, else the end of the list.
        if used == 0 {
            let wanted = if listed { mandatory || text[pos..].starts_with(',') } else { mandatory && i == 0 };
            if wanted && mandatory && !takes_nothing(*ty) {
                let t = format!("expected type '{}' at position {}, but got nothing", ty.name(), i + 1);
                return Err((i + 1, Error::new(t)));
            }
            if !wanted || !takes_nothing(*ty) {
                break;
            }
        }
        out.push(one(cx, *ty, &raw, i, owner).map_err(|e| (i + 1, e))?);
        pos += used;
        // Without a list, a comma starts a converter.
        if !listed || !text[pos..].starts_with(',') || i + 1 == spec.types.len() {
            break;
        }
        pos += 1;
    }
    if out.len() < spec.min as usize {
        let ty = spec.types.get(out.len()).map_or("", |t| t.name());
        let t = format!("missing arguments (got {}/{}), type '{ty}' expected", out.len(), spec.min);
        return Err((out.len() + 1, Error::new(t)));
    }
    if listed {
        match text[pos..].strip_prefix(')') {
            Some(_) => pos += 1,
            None if pos == text.len() => return Err((out.len().max(1), Error::new("expected ')'"))),
            None => {
                return Err((
                    out.len().max(1),
                    Error::new(format!("expected ')' before '{}'", &text[pos..])),
                ));
            }
        }
    }
    out.resize(spec.types.len(), Arg::Absent);
    Ok((out, pos))
}

/// Whether an empty argument of that type means something.
fn takes_nothing(ty: ArgType) -> bool {
    !matches!(
        ty,
        ArgType::Sint | ArgType::Ipv4 | ArgType::Ipv6 | ArgType::Mask4 | ArgType::Mask6 | ArgType::PbufFnum
    )
}

/// The argument at the start of a string, up to a comma or a closing parenthesis, with quotes and escapes resolved,
/// and the number of bytes it takes.
fn piece(text: &str) -> (String, usize) {
    let mut out = String::new();
    let mut quote = None;
    let mut chars = text.char_indices();
    while let Some((i, c)) = chars.next() {
        match (quote, c) {
            (None, ')' | ',') => return (out, i),
            (None, '"' | '\'') => quote = Some(c),
            (Some(q), c) if q == c => quote = None,
            (None | Some('"'), '\\') => match chars.next() {
                Some((_, 'r')) => out.push('\r'),
                Some((_, 'n')) => out.push('\n'),
                Some((_, 't')) => out.push('\t'),
                Some((_, n @ ('\\' | '"' | '\'' | ' '))) => out.push(n),
                // Not an escape: delimiters need quotes.
                Some((j, ')' | ',')) if quote.is_none() => {
                    out.push('\\');
                    return (out, j);
                }
                Some((_, n)) => out.extend(['\\', n]),
                None => out.push('\\'),
            },
            (_, c) => out.push(c),
        }
    }
    // An open quote takes everything: the missing parenthesis is what gets reported.
    (out, text.len())
}

/// One argument.
fn one(cx: &mut CompileCx<'_>, ty: ArgType, t: &str, i: usize, owner: Owner<'_>) -> Result<Arg, Error> {
    let bad = || Error::new(format!("failed to parse '{t}' as type '{}' at position {}", ty.name(), i + 1));
    match ty {
        ArgType::Str | ArgType::Regex => Ok(Arg::Str(Arc::from(&*octets::decode(t)))),
        ArgType::Sint => integer(t).map(Arg::Int).ok_or_else(bad),
        ArgType::Ipv4 => t.parse().map(Arg::Ip4).map_err(|_| bad()),
        ArgType::Ipv6 => t.parse().map(Arg::Ip6).map_err(|_| bad()),
        ArgType::Mask4 => mask4(t).map(Arg::Ip4).ok_or_else(bad),
        ArgType::Mask6 => mask6(t).map(Arg::Ip6).ok_or_else(bad),
        ArgType::PbufFnum => {
            let path: Option<Vec<u32>> = t.split('.').map(|n| n.parse().ok().filter(|n| *n > 0)).collect();
            path.map(|p| Arg::Path(p.into())).ok_or_else(bad)
        }
        ArgType::Frontend | ArgType::Backend => {
            proxy(cx, ty == ArgType::Frontend, t, i, owner).map(Arg::Proxy)
        }
        ArgType::Server => server(cx, t, i, owner),
        ArgType::Table => table(cx, t, i, owner).map(Arg::Table),
        ArgType::Userlist => {
            if t.is_empty() {
                return Err(Error::complete(format!(
                    "missing userlist name{}",
                    whence(cx, i, owner, " in ")
                )));
            }
            let users = crate::userlist::find(cx, t)?.ok_or_else(|| {
                Error::complete(format!(
                    "unable to find userlist '{t}'{}",
                    whence(cx, i, owner, " referenced in ")
                ))
            })?;
            Ok(Arg::Users(users))
        }
    }
}

/// A frontend or a backend by name, the current proxy by default.
fn proxy(cx: &CompileCx<'_>, frontend: bool, t: &str, i: usize, owner: Owner<'_>) -> Result<usize, Error> {
    let word = if frontend { "frontend" } else { "backend" };
    if !t.is_empty() {
        return cx.find_proxy(t, frontend).ok_or_else(|| {
            Error::complete(format!("unable to find {word} '{t}'{}", whence(cx, i, owner, " referenced in ")))
        });
    }
    let current = cx.proxy.and_then(|p| cx.config.proxies.get(p).map(|x| (p, x)));
    let Some((p, x)) = current else {
        return Err(Error::complete(format!("missing {word} name{}", whence(cx, i, owner, " in "))));
    };
    if !(if frontend { x.kind.is_fe() } else { x.kind.is_be() }) {
        let place = whence(cx, i, owner, ", referenced in ");
        return Err(Error::complete(format!("proxy '{}'{place}, has not {word} capability", x.name)));
    }
    Ok(p)
}

/// `backend/server`, or `server` of the current proxy.
fn server(cx: &CompileCx<'_>, t: &str, i: usize, owner: Owner<'_>) -> Result<Arg, Error> {
    if t.is_empty() {
        return Err(Error::complete(format!("missing server name{}", whence(cx, i, owner, " in "))));
    }
    let (be, srv) = match t.split_once('/') {
        Some((be, srv)) => (cx.find_proxy(be, false), srv),
        None => (cx.proxy, t),
    };
    let Some(be) = be else {
        let name = t.split('/').next().unwrap_or_default();
        return Err(Error::complete(format!(
            "unable to find proxy '{name}'{}",
            whence(cx, i, owner, " referenced in ")
        )));
    };
    cx.find_server(be, srv).map(|s| Arg::Server(be, s)).ok_or_else(|| {
        let name = cx.config.proxies.get(be).map_or("", |p| &*p.name);
        let place = whence(cx, i, owner, ", referenced in ");
        Error::complete(format!("unable to find server '{srv}' in proxy '{name}'{place}"))
    })
}

/// A stick table by name, that of the current proxy by default.
fn table(cx: &CompileCx<'_>, t: &str, i: usize, owner: Owner<'_>) -> Result<usize, Error> {
    let current = || cx.proxy.and_then(|p| cx.config.proxies.get(p)).map_or("", |p| &*p.name);
    let name = if t.is_empty() { current() } else { t };
    cx.config.find_stick_table(name).ok_or_else(|| {
        let place = whence(cx, i, owner, " referenced in ");
        Error::complete(format!("unable to find table '{name}'{place}"))
    })
}

/// Where an argument stands, in the words of messages about names that do not resolve.
pub(crate) fn whence(cx: &CompileCx<'_>, i: usize, owner: Owner<'_>, intro: &str) -> String {
    let what = match (owner.fetch, cx.in_acl) {
        (Some(f), true) => format!("conversion keyword '{}' for ACL keyword '{f}'", owner.name),
        (Some(f), false) => {
            format!("conversion keyword '{}' for sample fetch keyword '{f}'{}", owner.name, cx.place())
        }
        (None, true) => format!("ACL keyword '{}'", owner.name),
        (None, false) => format!("sample fetch keyword '{}'{}", owner.name, cx.place()),
    };
    let proxy = cx.proxy.and_then(|p| cx.config.proxies.get(p)).map_or("", |p| &*p.name);
    format!("{intro}arg {} of {what} in proxy '{proxy}'", i + 1)
}

/// A decimal integer with an optional sign; what does not fit is brought to the nearest that does.
pub(crate) fn integer(t: &str) -> Option<i64> {
    let digits = t.strip_prefix(['-', '+']).unwrap_or(t);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(t.parse().unwrap_or(if t.starts_with('-') { i64::MIN } else { i64::MAX }))
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
