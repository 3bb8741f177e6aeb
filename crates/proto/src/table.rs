//! The protocols, one row each.

use crate::vtable::Protocol;
use crate::{inherited, later, rhttp, sockpair, tcp, unix};
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
    &later::QUIC,
    &later::UDP,
];

/// The protocol that a configured address is spoken with. Host names are TCP; callers that connect pass
/// [`protocol_of`] the address that the name resolved to.
pub fn protocol_for(addr: &Addr) -> &'static dyn Protocol {
    match &addr.kind {
        AddrKind::Quic(_) => &later::QUIC,
        AddrKind::Rhttp(_) => &rhttp::RHTTP,
        AddrKind::Ip(_) | AddrKind::Name(..) if addr.dgram => &later::UDP,
        AddrKind::Ip(a) if a.is_ipv6() => &tcp::TCPV6,
        AddrKind::Ip(_) | AddrKind::Name(..) => &tcp::TCPV4,
        AddrKind::Unix(_) => &unix::UNIX_STREAM,
        AddrKind::Abns(_, false) => &unix::ABNS_STREAM,
        AddrKind::Abns(_, true) => &unix::ABNSZ_STREAM,
        AddrKind::Fd(_) => &inherited::INHERITED,
        AddrKind::Sockpair(_) => &sockpair::SOCKPAIR,
        AddrKind::Other(_) => &later::UDP,
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
