//! Address formats (manual 2.9).
//!
//! What is allowed depends on who asks: [`AddrUse`] has the rules of each keyword as HAProxy 3.4 applies them.
//! Only the address is parsed: whether an inherited descriptor is a socket, a backend exists or QUIC is built in
//! is for others to say. Names are looked up with the system's resolver, except for servers, which keep them.

mod grammar;
#[cfg(test)]
mod tests;

use crate::model::{Addr, AddrKind};
use grammar::{Family, Port, Transport};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};

/// The longest path of a UNIX socket: room is left for the suffix of a temporary name.
const MAX_UNIX: usize = 97;

/// The longest name in the abstract namespace.
const MAX_ABNS: usize = 107;

/// What an address is for; decides the defaults and what is allowed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AddrUse {
    /// `bind` and `stats socket`: a stream; a port or a range is mandatory.
    Bind,
    /// `dgram-bind`: as `bind`, for datagrams.
    DgramBind,
    /// `server`: port optional, offsets allowed, names stay names.
    Server,
    /// `log` and servers of rings: datagrams by default, port optional (514), rings and standard outputs, too.
    Log,
    /// `source`: a stream address with an optional port.
    Source,
    /// `source` of a server: a port range is allowed, too.
    ServerSource,
    /// `peer`: a mandatory port.
    Peer,
    /// `nameserver`: datagrams by default, a mandatory port.
    Nameserver,
    /// `dispatch`, `addr` of checks and similar: one stream address with an optional port.
    Plain,
}

/// The rules behind an [`AddrUse`].
#[expect(clippy::struct_excessive_bools, reason = "a row of independent rules, read by name")]
struct Rules {
    dgram_by_default: bool,
    stream: bool,
    dgram: bool,
    port_needed: bool,
    range: bool,
    offset: bool,
    fd: bool,
    resolve: bool,
}

impl AddrUse {
    #[rustfmt::skip]
    fn rules(self) -> Rules {
        let row = |[dgram_by_default, stream, dgram, port_needed, range, offset, fd, resolve]: [bool; 8]| {
            Rules { dgram_by_default, stream, dgram, port_needed, range, offset, fd, resolve }
        };
        let (y, n) = (true, false);
        match self {
            //                       dgram default, stream, dgram, port, range, offset, fd, resolve
            Self::Bind       => row([n,             y,      n,     y,    y,     n,      y,  y]),
            Self::DgramBind  => row([y,             n,      y,     y,    y,     n,      y,  y]),
            Self::Server     => row([n,             y,      y,     n,    n,     y,      n,  n]),
            Self::Log        => row([y,             y,      y,     n,    n,     n,      y,  y]),
            Self::Source     => row([n,             y,      n,     n,    n,     n,      n,  y]),
            Self::ServerSource => row([n,           y,      n,     n,    y,     n,      n,  y]),
            Self::Peer       => row([n,             y,      y,     y,    n,     n,      n,  y]),
            Self::Nameserver => row([y,             y,      y,     y,    n,     n,      n,  y]),
            Self::Plain      => row([n,             y,      n,     n,    n,     n,      n,  y]),
        }
    }
}

/// Parses one address.
///
/// # Errors
/// HAProxy's text for what is wrong with it, without the keyword that comes before it.
pub fn parse(text: &str, usage: AddrUse) -> Result<Addr, String> {
    let rules = usage.rules();
    let is_log = usage == AddrUse::Log;
    if text.is_empty() {
        return Err("'' resolves to an empty address (environment variable missing?)".to_owned());
    }
    if is_log && let Some(fd) = [(1, "stdout"), (2, "stderr")].iter().find(|(_, name)| *name == text) {
        return Ok(address(text, AddrKind::Fd(fd.0), None));
    }
    let (transport, family, body) = grammar::prefixes(text, is_log);
    let default = if rules.dgram_by_default { Transport::Dgram } else { Transport::Stream };
    let transport = transport.unwrap_or(default);
    let family = family.unwrap_or(if body.starts_with('/') { Family::Unix } else { Family::Any });
    let mut addr = match family {
        Family::Any | Family::V4 | Family::V6 => inet(text, body, family, transport, &rules)?,
        _ => address(text, local(text, body, family, &rules)?, None),
    };
    addr.dgram = matches!(transport, Transport::Dgram | Transport::Quic);
    match transport {
        Transport::Dgram if !rules.dgram => Err(format!("dgram-type address not acceptable in '{text}'")),
        Transport::Stream | Transport::Quic | Transport::Mptcp if !rules.stream => {
            Err(format!("stream-type address not acceptable in '{text}'"))
        }
        _ => Ok(addr),
    }
}

/// Parses the comma-separated addresses of a `bind` line; a comma may end the list.
///
/// # Errors
/// As [`parse`], for the first wrong address.
pub fn parse_list(text: &str, usage: AddrUse) -> Result<Vec<Addr>, String> {
    let list = text.strip_suffix(',').unwrap_or(text);
    list.split(',').map(|t| parse(t, usage)).collect()
}

/// Addresses of this machine: paths, names, descriptors.
fn local(text: &str, body: &str, family: Family, rules: &Rules) -> Result<AddrKind, String> {
    let octets = crate::octets::decode(body);
    let fits = |max: usize| match octets.len() > max {
        true => Err(format!("socket path '{text}' too long (max {max})")),
        false => Ok(()),
    };
    let descriptor = || match body.parse::<i32>() {
        Ok(fd) if fd >= 0 => Ok(fd),
        _ => Err(format!("file descriptor '{body}' is not a valid integer in '{text}'")),
    };
    match family {
        Family::Unix => {
            fits(MAX_UNIX)?;
            let path = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(&octets);
            Ok(AddrKind::Unix(path.into()))
        }
        Family::Abns | Family::Abnsz => {
            fits(MAX_ABNS)?;
            Ok(AddrKind::Abns(octets.into_owned(), family == Family::Abnsz))
        }
        Family::Fd if !rules.fd => Err(format!("a file descriptor is not acceptable here in '{text}'")),
        Family::Fd => Ok(AddrKind::Fd(descriptor()?)),
        Family::Sockpair => Ok(AddrKind::Sockpair(descriptor()?)),
        Family::Rhttp => {
            let (backend, server) = body.split_once('/').unwrap_or((body, ""));
            Ok(AddrKind::Rhttp((!body.is_empty()).then(|| (backend.to_owned(), server.to_owned()))))
        }
        Family::Ring | Family::Backend | Family::Any | Family::V4 | Family::V6 => {
            Ok(AddrKind::Other(text.to_owned()))
        }
    }
}

/// `host:port`.
fn inet(text: &str, body: &str, family: Family, transport: Transport, rules: &Rules) -> Result<Addr, String> {
    let (host, port) = grammar::host_port(body);
    let ports = ports(text, port.unwrap_or_default(), rules)?;
    let kind = match ip(host, family) {
        Some(ip) if transport == Transport::Quic => AddrKind::Quic(SocketAddr::new(ip, ports.low)),
        Some(ip) => AddrKind::Ip(SocketAddr::new(ip, ports.low)),
        None if !rules.resolve => AddrKind::Name(host.to_owned(), ports.low),
        None => {
            let ip = resolve(host, family);
            let ip = ip.ok_or_else(|| format!("invalid address: '{host}' in '{text}'"))?;
            AddrKind::Ip(SocketAddr::new(ip, ports.low))
        }
    };
    Ok(address(text, kind, Some(ports)))
}

/// The port of an address, checked.
#[derive(Clone, Copy)]
struct Ports {
    low: u16,
    high: u16,
    offset: Option<i32>,
    missing: bool,
}

fn ports(text: &str, port: &str, rules: &Rules) -> Result<Ports, String> {
    let found = |low, high| Ports { low, high, offset: None, missing: false };
    match grammar::port(port) {
        Port::One("") if rules.port_needed => Err(format!("missing port specification in '{text}'")),
        Port::One("") => Ok(Ports { missing: true, ..found(0, 0) }),
        Port::One(digits) => number(text, digits, rules.port_needed).map(|n| found(n, n)),
        Port::Range(..) if !rules.range => Err(format!("port range not permitted here in '{text}'")),
        Port::Range(low, high) => {
            let (first, last) = (number(text, low, true)?, number(text, high, true)?);
            if first > last {
                return Err(format!("invalid port range '{low}-{high}'"));
            }
            Ok(found(first, last))
        }
        Port::Offset(..) if !rules.offset => Err(format!("port offset not permitted here in '{text}'")),
        Port::Offset(negative, digits) => {
            if let Some(c) = grammar::not_digit(digits) {
                return Err(wrong_character(c, digits, text));
            }
            let offset = digits.parse().ok().filter(|o| *o <= i32::from(u16::MAX));
            let offset: i32 = offset.ok_or_else(|| format!("invalid port offset '{digits}' in '{text}'"))?;
            Ok(Ports { offset: Some(if negative { -offset } else { offset }), ..found(0, 0) })
        }
    }
}

fn number(text: &str, digits: &str, not_zero: bool) -> Result<u16, String> {
    if let Some(c) = grammar::not_digit(digits) {
        return Err(wrong_character(c, digits, text));
    }
    match digits.parse::<u16>() {
        Ok(n) if n > 0 || !not_zero => Ok(n),
        _ => Err(format!("invalid port '{digits}'")),
    }
}

fn wrong_character(c: char, digits: &str, text: &str) -> String {
    format!("invalid character '{c}' in port number '{digits}' in '{text}'")
}

/// A literal address of the family; nothing and `*` are all addresses.
fn ip(host: &str, family: Family) -> Option<IpAddr> {
    if host.is_empty() || host == "*" {
        return Some(if family == Family::V6 {
            Ipv6Addr::UNSPECIFIED.into()
        } else {
            Ipv4Addr::UNSPECIFIED.into()
        });
    }
    let inside = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    let literal = inside.unwrap_or(host).parse::<IpAddr>().ok()?;
    matches(literal, family).then_some(literal)
}

fn matches(ip: IpAddr, family: Family) -> bool {
    match family {
        Family::V4 => ip.is_ipv4(),
        Family::V6 => ip.is_ipv6(),
        _ => true,
    }
}

/// Asks the system's resolver, unless the text cannot be a name.
fn resolve(host: &str, family: Family) -> Option<IpAddr> {
    let strange = |c: char| c.is_ascii_whitespace() || c.is_control() || ":/[]%@,".contains(c);
    if host.contains(strange) {
        return None;
    }
    (host, 0).to_socket_addrs().ok()?.map(|a| a.ip()).find(|ip| matches(*ip, family))
}

fn address(text: &str, kind: AddrKind, ports: Option<Ports>) -> Addr {
    Addr {
        kind,
        port_offset: ports.and_then(|p| p.offset),
        port_missing: ports.is_some_and(|p| p.missing),
        port_high: ports.map_or(0, |p| p.high),
        dgram: false,
        text: text.into(),
    }
}
