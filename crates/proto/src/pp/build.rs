//! PROXY headers to send.

use super::parse::{V2_FIXED, V2_SIGNATURE, crc32c};
use super::tlv;
use crate::Address;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// Source and destination that a header tells of.
type Ends<'a> = Option<(&'a Address, &'a Address)>;

/// A header of version 1; `UNKNOWN` for connections that nobody asked for and for families that it cannot tell.
pub fn v1(ends: Ends<'_>) -> Vec<u8> {
    let Some((s, d)) = inet(ends) else { return b"PROXY UNKNOWN\r\n".to_vec() };
    let family = if s.is_ipv4() { "TCP4" } else { "TCP6" };
    format!("PROXY {family} {} {} {} {}\r\n", s.ip(), d.ip(), s.port(), d.port()).into_bytes()
}

/// A header of version 2 with `tlvs` and, if asked for, a checksum; `LOCAL` for connections that nobody asked for
/// and for families other than IP. Entries that would make it longer than a header can be are left out.
pub fn v2(ends: Ends<'_>, tlvs: &[(u8, &[u8])], checksum: bool) -> Vec<u8> {
    let mut out = V2_SIGNATURE.to_vec();
    match inet(ends) {
        None => out.extend([0x20, 0, 0, 0]),
        Some((s, d)) => {
            out.extend([0x21, if s.is_ipv4() { 0x11 } else { 0x21 }, 0, 0]);
            for ip in [s.ip(), d.ip()] {
                match ip {
                    IpAddr::V4(a) => out.extend(a.octets()),
                    IpAddr::V6(a) => out.extend(a.octets()),
                }
            }
            out.extend(s.port().to_be_bytes());
            out.extend(d.port().to_be_bytes());
        }
    }
    let mut sum_at = None;
    if checksum {
        sum_at = Some(out.len() + 3);
        tlv::push(&mut out, tlv::CRC32C, &[0; 4]);
    }
    for (kind, value) in tlvs {
        if out.len() + 3 + value.len() <= V2_FIXED + usize::from(u16::MAX) {
            tlv::push(&mut out, *kind, value);
        }
    }
    let len = u16::try_from(out.len() - V2_FIXED).unwrap_or(u16::MAX);
    out[V2_FIXED - 2..V2_FIXED].copy_from_slice(&len.to_be_bytes());
    if let Some(at) = sum_at {
        let sum = crc32c(out.iter().copied());
        out[at..at + 4].copy_from_slice(&sum.to_be_bytes());
    }
    out
}

/// Both ends in one family: IPv4 is mapped where the other end is IPv6.
fn inet(ends: Ends<'_>) -> Option<(SocketAddr, SocketAddr)> {
    let (Address::Ip(s), Address::Ip(d)) = ends? else { return None };
    if s.is_ipv4() == d.is_ipv4() {
        return Some((*s, *d));
    }
    Some((mapped(*s), mapped(*d)))
}

fn mapped(a: SocketAddr) -> SocketAddr {
    let ip: Ipv6Addr = match a.ip() {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    };
    SocketAddr::new(ip.into(), a.port())
}

#[cfg(test)]
mod tests {
    use super::super::{Outcome, parse};
    use super::*;

    fn ip(a: &str) -> Address {
        Address::Ip(a.parse().unwrap())
    }

    #[test]
    fn version_1() {
        let of = |s: &str, d: &str| String::from_utf8(v1(Some((&ip(s), &ip(d))))).unwrap();
        assert_eq!(of("192.0.2.1:5", "192.0.2.2:80"), "PROXY TCP4 192.0.2.1 192.0.2.2 5 80\r\n");
        assert_eq!(of("[::1]:5", "[::2]:80"), "PROXY TCP6 ::1 ::2 5 80\r\n");
        assert_eq!(of("192.0.2.1:5", "[::2]:80"), "PROXY TCP6 ::ffff:192.0.2.1 ::2 5 80\r\n");
        assert_eq!(v1(None), b"PROXY UNKNOWN\r\n");
        assert_eq!(v1(Some((&Address::Unix("/x".into()), &ip("[::2]:80")))), b"PROXY UNKNOWN\r\n");
    }

    #[test]
    fn version_2_is_understood() {
        let pairs = [("192.0.2.1:5", "192.0.2.2:80"), ("[::1]:5", "[::2]:80"), ("1.2.3.4:1", "[::2]:80")];
        for (s, d) in pairs {
            for checksum in [false, true] {
                let (s, d) = (ip(s), ip(d));
                let bytes = v2(Some((&s, &d)), &[(0xe1, b"foo"), (0xe2, b"")], checksum);
                let Outcome::Complete(h) = parse(&bytes) else { panic!("{:?}", parse(&bytes)) };
                let (hs, hd) = h.addrs.unwrap();
                let same = |a: &Address, b: &Address| {
                    a.port() == b.port() && a.ip().unwrap().to_canonical() == b.ip().unwrap()
                };
                assert!(h.len == bytes.len() && same(&hs, &s) && same(&hd, &d));
                assert_eq!((h.tlvs.get(0xe1), h.tlvs.get(0xe2)), (Some(&b"foo"[..]), Some(&b""[..])));
                assert_eq!(h.tlvs.get(tlv::CRC32C).is_some(), checksum);
            }
        }
        assert_eq!(v2(None, &[], false), b"\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00");
    }

    #[test]
    fn too_long_a_value_is_left_out() {
        let long = vec![b'x'; 65_530];
        let bytes = v2(None, &[(0xe1, &long), (0xe2, b"y")], true);
        assert_eq!(bytes.len(), 16 + 7 + 4);
    }
}
