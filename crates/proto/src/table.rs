//! The protocols, one row each.

use crate::vtable::Protocol;
use crate::{dgram, inherited, later, rhttp, sockpair, tcp, unix};
use hawser_cfg::model::{Addr, AddrKind};

/// Every protocol.
pub static PROTOCOLS: &[&dyn Protocol] = &[
    &tcp::TCPV4,
    &tcp::TCPV6,
    &unix::UNIX_STREAM,
    &unix::ABNS_STREAM,
    &unix::ABNSZ_STREAM,
    &sockpair::SOCKPAIR,
    &inherited::INHERITED,
    &rhttp::RHTTP,
    &dgram::UDP4,
    &dgram::UDP6,
    &dgram::UNIX,
    &dgram::ABNS,
    &dgram::ABNSZ,
    &later::QUIC,
];

/// The protocol that a configured address is spoken with. Host names are TCP; callers that connect pass
/// [`protocol_of`] the address that the name resolved to.
pub fn protocol_for(addr: &Addr) -> &'static dyn Protocol {
    match &addr.kind {
        AddrKind::Quic(_) => &later::QUIC,
        AddrKind::Rhttp(_) => &rhttp::RHTTP,
        AddrKind::Ip(a) if addr.dgram && a.is_ipv6() => &dgram::UDP6,
        AddrKind::Ip(_) | AddrKind::Name(..) if addr.dgram => &dgram::UDP4,
        AddrKind::Unix(_) if addr.dgram => &dgram::UNIX,
        AddrKind::Abns(_, false) if addr.dgram => &dgram::ABNS,
        AddrKind::Abns(_, true) if addr.dgram => &dgram::ABNSZ,
        AddrKind::Fd(_) if addr.dgram => &dgram::INHERITED,
        AddrKind::Ip(a) if a.is_ipv6() => &tcp::TCPV6,
        AddrKind::Ip(_) | AddrKind::Name(..) => &tcp::TCPV4,
        AddrKind::Unix(_) => &unix::UNIX_STREAM,
        AddrKind::Abns(_, false) => &unix::ABNS_STREAM,
        AddrKind::Abns(_, true) => &unix::ABNSZ_STREAM,
        AddrKind::Fd(_) => &inherited::INHERITED,
        AddrKind::Sockpair(_) => &sockpair::SOCKPAIR,
        AddrKind::Other(_) => &later::NONE,
    }
}

/// The stream protocol that connects to a run-time address.
pub fn protocol_of(addr: &crate::Address) -> &'static dyn Protocol {
    match addr {
        crate::Address::Ip(a) if a.is_ipv6() => &tcp::TCPV6,
        crate::Address::Ip(_) | crate::Address::Unknown => &tcp::TCPV4,
        crate::Address::Unix(_) => &unix::UNIX_STREAM,
        crate::Address::Abns(_) => &unix::ABNS_STREAM,
        crate::Address::Fd(_) => &sockpair::SOCKPAIR,
    }
}
