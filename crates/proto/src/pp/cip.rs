//! NetScaler's client IP header, in its legacy and its standard form: a magic number, a length, and a copy of the
//! client's IP and TCP headers.

use super::{Failure, Header, Outcome, Tlvs};
use crate::Address;
use std::net::{IpAddr, SocketAddr};

/// Longest copy of an IP and a TCP header that is believed (bytes).
const COPY_MAX: usize = 4096;
const TCP: u8 = 6;

/// Looks at the first bytes of a connection.
pub fn parse(bytes: &[u8], magic: u32) -> Outcome {
    match header(bytes, magic) {
        Ok(None) => Outcome::Partial,
        Ok(Some(h)) => Outcome::Complete(h),
        Err(why) => Outcome::Invalid(why),
    }
}

fn header(bytes: &[u8], magic: u32) -> Result<Option<Header>, Failure> {
    let n = bytes.len().min(4);
    if bytes[..n] != magic.to_be_bytes()[..n] {
        return Err(Failure::CipBadMagic);
    }
    let Some(fixed) = bytes.first_chunk::<12>() else { return Ok(None) };
    let (start, len) = match fixed[8] {
        // The copy follows at once: this is its first byte, and its version.
        b if b >> 4 == 4 || b >> 4 == 6 => {
            (8, u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]) as usize)
        }
        0 => (12, usize::from(u16::from_be_bytes([fixed[10], fixed[11]]))),
        _ => return Err(Failure::CipBadProto),
    };
    if len > COPY_MAX {
        return Err(Failure::CipBadProto);
    }
    let Some(copy) = bytes.get(start..start + len) else { return Ok(None) };
    let addrs = ends(copy).ok_or(Failure::CipBadProto)?;
    Ok(Some(Header { len: start + len, addrs: Some(addrs), tlvs: Tlvs::default() }))
}

/// The addresses in a copy of an IP and a TCP header.
fn ends(copy: &[u8]) -> Option<(Address, Address)> {
    let (src, dst, protocol, tcp_at): (IpAddr, IpAddr, u8, usize) = match copy.first()? >> 4 {
        4 => {
            let ip = copy.first_chunk::<20>()?;
            let at = usize::from(ip[0] & 0xf) * 4;
            let addr = |i: usize| IpAddr::from([ip[i], ip[i + 1], ip[i + 2], ip[i + 3]]);
            (addr(12), addr(16), ip[9], at.max(20))
        }
        6 => {
            let ip = copy.first_chunk::<40>()?;
            let addr = |i: usize| ip[i..].first_chunk::<16>().map(|a| IpAddr::from(*a));
            (addr(8)?, addr(24)?, ip[6], 40)
        }
        _ => return None,
    };
    let tcp = copy.get(tcp_at..)?.first_chunk::<20>()?;
    let end = |ip, i: usize| Address::Ip(SocketAddr::new(ip, u16::from_be_bytes([tcp[i], tcp[i + 1]])));
    (protocol == TCP).then(|| (end(src, 0), end(dst, 2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAGIC: u32 = 0x0abb_ccdd;

    fn tcp4() -> Vec<u8> {
        let mut copy = vec![0x45, 0, 0, 40, 0, 0, 0, 0, 64, TCP, 0, 0];
        copy.extend([192, 0, 2, 1, 192, 0, 2, 2, 0x1f, 0x90, 0, 80]);
        copy.resize(40, 0);
        copy
    }

    fn tcp6() -> Vec<u8> {
        let mut copy = vec![0x60, 0, 0, 0, 0, 20, TCP, 64];
        copy.extend([0_u8; 15].into_iter().chain([1]).chain([0; 15]).chain([2]));
        copy.extend([0x1f, 0x90, 0, 80]);
        copy.resize(60, 0);
        copy
    }

    fn legacy(copy: &[u8]) -> Vec<u8> {
        let len = u32::try_from(copy.len()).unwrap();
        [&MAGIC.to_be_bytes(), &len.to_be_bytes(), copy].concat()
    }

    fn standard(copy: &[u8]) -> Vec<u8> {
        let len = u16::try_from(copy.len()).unwrap();
        let size = u32::from(len) + 12;
        [&MAGIC.to_be_bytes(), &size.to_be_bytes()[..], &[0, 1], &len.to_be_bytes(), copy].concat()
    }

    #[test]
    fn both_forms_and_families() {
        let cases = [
            (legacy(&tcp4()), "192.0.2.1:8080", "192.0.2.2:80"),
            (standard(&tcp4()), "192.0.2.1:8080", "192.0.2.2:80"),
            (legacy(&tcp6()), "[::1]:8080", "[::2]:80"),
            (standard(&tcp6()), "[::1]:8080", "[::2]:80"),
        ];
        for (bytes, src, dst) in cases {
            for n in 0..bytes.len() {
                assert_eq!(parse(&bytes[..n], MAGIC), Outcome::Partial, "{n}");
            }
            let more = [&bytes[..], b"GET"].concat();
            let Outcome::Complete(h) = parse(&more, MAGIC) else {
                panic!("{src}: {:?}", parse(&more, MAGIC))
            };
            let (s, d) = h.addrs.unwrap();
            assert_eq!((h.len, s.to_string(), d.to_string()), (bytes.len(), src.into(), dst.into()));
        }
    }

    #[test]
    fn refused() {
        let with = |mut copy: Vec<u8>, at: usize, b: u8| {
            copy[at] = b;
            legacy(&copy)
        };
        let mut long = legacy(&tcp4());
        long[4] = 1;
        let cases = [
            (b"GET / HTTP/1.1\r\n".to_vec(), Failure::CipBadMagic),
            (with(tcp4(), 9, 17), Failure::CipBadProto),
            (with(tcp6(), 6, 17), Failure::CipBadProto),
            (with(tcp4(), 0, 0x4f), Failure::CipBadProto),
            (with(tcp4(), 0, 0x55), Failure::CipBadProto),
            (legacy(&tcp4()[..39]), Failure::CipBadProto),
            (legacy(&tcp6()[..59]), Failure::CipBadProto),
            (long, Failure::CipBadProto),
        ];
        for (bytes, why) in cases {
            assert_eq!(parse(&bytes, MAGIC), Outcome::Invalid(why), "{bytes:?}");
        }
    }
}
