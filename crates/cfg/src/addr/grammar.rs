//! The parts of an address: prefixes, host, port. In nom.

use nom::branch::alt;
use nom::bytes::complete::{tag, take_till};
use nom::character::complete::{char, digit0};
use nom::combinator::{map, opt, rest, value};
use nom::error::Error;
use nom::sequence::preceded;
use nom::{IResult, Parser};

/// What a prefix says about the address behind it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Family {
    /// `ip@` or nothing: as it looks.
    Any,
    V4,
    V6,
    Unix,
    Abns,
    Abnsz,
    Fd,
    Sockpair,
    Rhttp,
    Ring,
    Backend,
}

/// How bytes travel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Transport {
    Stream,
    Dgram,
    Quic,
    Mptcp,
}

struct Prefix {
    text: &'static str,
    family: Family,
    transport: Option<Transport>,
}

const fn prefix(text: &'static str, family: Family, transport: Option<Transport>) -> Prefix {
    Prefix { text, family, transport }
}

/// Prefixes of manual 2.9.1 and 2.9.3; `rev@` is what 2.9-dev called `rhttp@`.
#[rustfmt::skip]
static PREFIXES: &[Prefix] = &[
    prefix("ip@",       Family::Any,      None),
    prefix("ipv4@",     Family::V4,       None),
    prefix("ipv6@",     Family::V6,       None),
    prefix("unix@",     Family::Unix,     None),
    prefix("abns@",     Family::Abns,     None),
    prefix("abnsz@",    Family::Abnsz,    None),
    prefix("fd@",       Family::Fd,       None),
    prefix("sockpair@", Family::Sockpair, None),
    prefix("rhttp@",    Family::Rhttp,    Some(Transport::Stream)),
    prefix("rev@",      Family::Rhttp,    Some(Transport::Stream)),
    prefix("tcp@",      Family::Any,      Some(Transport::Stream)),
    prefix("tcp4@",     Family::V4,       Some(Transport::Stream)),
    prefix("tcp6@",     Family::V6,       Some(Transport::Stream)),
    prefix("udp@",      Family::Any,      Some(Transport::Dgram)),
    prefix("udp4@",     Family::V4,       Some(Transport::Dgram)),
    prefix("udp6@",     Family::V6,       Some(Transport::Dgram)),
    prefix("mptcp@",    Family::Any,      Some(Transport::Mptcp)),
    prefix("mptcp4@",   Family::V4,       Some(Transport::Mptcp)),
    prefix("mptcp6@",   Family::V6,       Some(Transport::Mptcp)),
    prefix("quic4@",    Family::V4,       Some(Transport::Quic)),
    prefix("quic6@",    Family::V6,       Some(Transport::Quic)),
    prefix("uxst@",     Family::Unix,     Some(Transport::Stream)),
    prefix("uxdg@",     Family::Unix,     Some(Transport::Dgram)),
    prefix("ring@",     Family::Ring,     None),
    prefix("backend@",  Family::Backend,  None),
];

/// Takes the prefixes off: `[type "+"] [family "@"]`. Rings and backends are addresses of logs only.
pub(super) fn prefixes(text: &str, log: bool) -> (Option<Transport>, Option<Family>, &str) {
    let socket_type: IResult<_, _, Error<&str>> = opt(alt((
        value(Transport::Stream, tag("stream+")),
        value(Transport::Dgram, tag("dgram+")),
        value(Transport::Quic, tag("quic+")),
    )))
    .parse(text);
    let (after, forced) = socket_type.unwrap_or((text, None));
    let Some(at) = memchr::memchr(b'@', after.as_bytes()) else {
        return (forced, None, after);
    };
    let name = &after[..=at];
    let found = PREFIXES.iter().find(|p| p.text == name);
    match found {
        Some(p) if log || !matches!(p.family, Family::Ring | Family::Backend) => {
            (p.transport.or(forced), Some(p.family), &after[at + 1..])
        }
        _ => (forced, None, after),
    }
}

/// Cuts a host from its port at the last colon that is not inside brackets. The port is `None` without a colon.
pub(super) fn host_port(text: &str) -> (&str, Option<&str>) {
    let from = memchr::memrchr(b']', text.as_bytes()).unwrap_or(0);
    match memchr::memrchr(b':', &text.as_bytes()[from..]) {
        Some(colon) => (&text[..from + colon], Some(&text[from + colon + 1..])),
        None => (text, None),
    }
}

/// A port as written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Port<'a> {
    /// `80`.
    One(&'a str),
    /// `80-90`.
    Range(&'a str, &'a str),
    /// `+80` or `-80`: the sign is negative, the digits.
    Offset(bool, &'a str),
}

/// Tells the forms of a port apart. Digits are not checked yet.
pub(super) fn port(text: &str) -> Port<'_> {
    let sign = alt((value(false, char('+')), value(true, char('-'))));
    let offset = map((sign, rest), |(negative, digits)| Port::Offset(negative, digits));
    let range = map((take_till(|c| c == '-'), opt(preceded(char('-'), rest))), |(low, high)| match high {
        Some(high) => Port::Range(low, high),
        None => Port::One(low),
    });
    let parsed: IResult<_, _, Error<&str>> = alt((offset, range)).parse(text);
    parsed.map_or(Port::One(text), |(_, port)| port)
}

/// The first character of `text` that is no digit.
pub(super) fn not_digit(text: &str) -> Option<char> {
    let digits: IResult<_, _, Error<&str>> = digit0(text);
    digits.map_or(text, |(rest, _)| rest).chars().next()
}
