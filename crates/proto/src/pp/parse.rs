//! The PROXY protocol, versions 1 and 2, as the receiving side. No I/O here: bytes in, addresses out.
//!
//! Stricter than HAProxy 3.4 where leniency has no use: numbers out of range, extra spaces and unknown families
//! are refused instead of dropped, for a sender that writes them is not what `accept-proxy` trusts.

use super::{Failure, Tlvs, tlv};
use crate::Address;
use bytes::Bytes;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// Longest header of version 1, line end included.
const V1_MAX: usize = 107;
/// What version 2 starts with.
pub(super) const V2_SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// Signature, version and command, family, length.
pub(super) const V2_FIXED: usize = 16;
/// Longest host name in an entry (bytes).
const AUTHORITY_MAX: usize = 255;
/// Longest unique id in an entry (bytes).
const UNIQUE_ID_MAX: usize = 128;
/// Longest header accepted (bytes): what HAProxy's own buffer takes by default.
pub const HEADER_MAX: usize = 16_384;

/// A complete header.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Header {
    /// How many bytes it takes.
    pub len: usize,
    /// Source and destination; `None` when the header asks to keep those of the connection.
    pub addrs: Option<(Address, Address)>,
    /// Type-length-value entries of version 2.
    pub tlvs: Tlvs,
}

/// What the first bytes of a connection are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// So far a header; more bytes are needed.
    Partial,
    /// A header.
    Complete(Header),
    /// No header, or a wrong one.
    Invalid(Failure),
}

/// Looks at the first bytes of a connection.
pub fn parse(bytes: &[u8]) -> Outcome {
    let outcome = match bytes.first() {
        None => Ok(None),
        Some(b'P') => v1(bytes),
        Some(_) => v2(bytes),
    };
    match outcome {
        Ok(None) => Outcome::Partial,
        Ok(Some(h)) => Outcome::Complete(h),
        Err(why) => Outcome::Invalid(why),
    }
}

type Parsed = Result<Option<Header>, Failure>;

fn v1(bytes: &[u8]) -> Parsed {
    let start = b"PROXY ";
    let n = start.len().min(bytes.len());
    if bytes[..n] != start[..n] {
        return Err(Failure::PrxNotHdr);
    }
    let window = &bytes[..bytes.len().min(V1_MAX)];
    let Some(end) = window.windows(2).position(|w| w == b"\r\n") else {
        return if bytes.len() >= V1_MAX { Err(too_long(window)) } else { Ok(None) };
    };
    let line = std::str::from_utf8(&window[start.len()..end]).map_err(|_| Failure::PrxBadHdr)?;
    let addrs = match line.split_once(' ').unwrap_or((line, "")) {
        ("UNKNOWN", _) => None,
        ("TCP4", rest) => Some(v1_addrs::<Ipv4Addr>(rest)?),
        ("TCP6", rest) => Some(v1_addrs::<Ipv6Addr>(rest)?),
        _ => return Err(Failure::PrxBadProto),
    };
    Ok(Some(Header { len: end + 2, addrs, tlvs: Tlvs::default() }))
}

/// Why a line that does not end is refused: HAProxy looks at the family first.
fn too_long(line: &[u8]) -> Failure {
    let known = [&b"PROXY TCP4 "[..], b"PROXY TCP6 "].iter().any(|start| line.starts_with(start));
    if known { Failure::PrxBadHdr } else { Failure::PrxBadProto }
}

fn v1_addrs<A: FromStr + Into<IpAddr>>(text: &str) -> Result<(Address, Address), Failure> {
    let fields: Vec<&str> = text.split(' ').collect();
    let [src, dst, sport, dport] = fields[..] else {
        return Err(Failure::PrxBadHdr);
    };
    let end = |addr: &str, port: &str| {
        let ip: A = addr.parse().map_err(|_| Failure::PrxBadHdr)?;
        let digits = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
        let canonical = digits && (port == "0" || !port.starts_with('0'));
        let port = port.parse().ok().filter(|_| canonical).ok_or(Failure::PrxBadHdr)?;
        Ok(Address::Ip(SocketAddr::new(ip.into(), port)))
    };
    Ok((end(src, sport)?, end(dst, dport)?))
}

fn v2(bytes: &[u8]) -> Parsed {
    let n = V2_SIGNATURE.len().min(bytes.len());
    if bytes[..n] != V2_SIGNATURE[..n] {
        return Err(Failure::PrxNotHdr);
    }
    let Some(fixed) = bytes.get(..V2_FIXED) else { return Ok(None) };
    let (command, family) = (fixed[12], fixed[13]);
    if command >> 4 != 2 {
        return Err(Failure::PrxNotHdr);
    }
    if command & 0xf > 1 {
        return Err(Failure::PrxBadHdr);
    }
    let len = V2_FIXED + usize::from(u16::from_be_bytes([fixed[14], fixed[15]]));
    if len > HEADER_MAX {
        return Err(Failure::PrxTruncated);
    }
    let Some(whole) = bytes.get(..len) else { return Ok(None) };
    let body = &whole[V2_FIXED..];
    let (addrs, tlvs) = match command & 0xf {
        0 => (None, v2_local(family, body)),
        _ => v2_ends(family, body)?,
    };
    if !tlv::well_formed(tlvs) || tlv::entries(tlvs).any(|(kind, _, value)| too_large(kind, value)) {
        return Err(Failure::PrxBadHdr);
    }
    verify_checksum(whole, tlvs)?;
    Ok(Some(Header { len, addrs, tlvs: Tlvs(Bytes::copy_from_slice(tlvs)) }))
}

type Ends<'a> = (Option<(Address, Address)>, &'a [u8]);

/// Both ends, and what follows them.
fn v2_ends(family: u8, body: &[u8]) -> Result<Ends<'_>, Failure> {
    match family {
        // Nothing is said about where the addresses would end: what looks like entries is taken for them.
        0x00 => Ok((None, if tlv::well_formed(body) { body } else { &[] })),
        0x11 => v2_inet::<4>(body),
        0x21 => v2_inet::<16>(body),
        0x31 => v2_unix(body),
        _ => Err(Failure::PrxBadHdr),
    }
}

/// The entries after a connection that the sender made on its own account; whatever else it says is skipped.
fn v2_local(family: u8, body: &[u8]) -> &[u8] {
    match v2_ends(family, body) {
        Ok((_, rest)) if tlv::well_formed(rest) => rest,
        _ => &[],
    }
}

/// HAProxy refuses host names and unique ids of more bytes than there can be.
fn too_large(kind: u8, value: &[u8]) -> bool {
    match kind {
        tlv::AUTHORITY => value.len() > AUTHORITY_MAX,
        tlv::UNIQUE_ID => value.len() > UNIQUE_ID_MAX,
        _ => false,
    }
}

fn v2_inet<const N: usize>(body: &[u8]) -> Result<Ends<'_>, Failure>
where
    IpAddr: From<[u8; N]>,
{
    let short = Failure::PrxBadHdr;
    let (src, rest) = body.split_first_chunk::<N>().ok_or(short)?;
    let (dst, rest) = rest.split_first_chunk::<N>().ok_or(short)?;
    let (sport, rest) = rest.split_first_chunk::<2>().ok_or(short)?;
    let (dport, rest) = rest.split_first_chunk::<2>().ok_or(short)?;
    let end = |ip: &[u8; N], port: &[u8; 2]| {
        Address::Ip(SocketAddr::new(IpAddr::from(*ip), u16::from_be_bytes(*port)))
    };
    Ok((Some((end(src, sport), end(dst, dport))), rest))
}

fn v2_unix(body: &[u8]) -> Result<Ends<'_>, Failure> {
    let short = Failure::PrxBadHdr;
    let (src, rest) = body.split_first_chunk::<108>().ok_or(short)?;
    let (dst, rest) = rest.split_first_chunk::<108>().ok_or(short)?;
    let end = |path: &[u8; 108]| {
        let len = path.iter().position(|b| *b == 0).unwrap_or(path.len());
        let text: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(&path[..len]);
        Address::Unix(text.into())
    };
    Ok((Some((end(src), end(dst))), rest))
}

/// A CRC32C entry covers the whole header, its own value taken as zero.
fn verify_checksum(whole: &[u8], tlvs: &[u8]) -> Result<(), Failure> {
    let start = whole.len() - tlvs.len();
    for (kind, at, value) in tlv::entries(tlvs) {
        if kind != tlv::CRC32C {
            continue;
        }
        let sent = <[u8; 4]>::try_from(value).map_err(|_| Failure::PrxBadHdr)?;
        let own = start + at..start + at + value.len();
        let zeroed = whole.iter().enumerate().map(|(i, b)| if own.contains(&i) { 0 } else { *b });
        if crc32c(zeroed) != u32::from_be_bytes(sent) {
            return Err(Failure::PrxBadHdr);
        }
    }
    Ok(())
}

/// CRC-32C (Castagnoli), bit by bit: headers are short and few carry one.
pub(super) fn crc32c(bytes: impl Iterator<Item = u8>) -> u32 {
    let mut crc = !0_u32;
    for b in bytes {
        crc ^= u32::from(b);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 };
        }
    }
    !crc
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
