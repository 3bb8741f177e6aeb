//! Addresses and networks: nested networks are flattened into disjoint ranges, looked up by binary search.

use crate::compile::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A network of either family, as (first address, prefix length).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Net {
    V4(u32, u8),
    V6(u128, u8),
}

/// Gathers networks.
#[derive(Debug, Default)]
pub(super) struct IpSetBuilder {
    nets: Vec<(u32, Net)>,
    /// IPv4 networks whose mask has holes: (position, address, mask).
    odd: Vec<(u32, u32, u32)>,
}

/// Disjoint ranges of each family, sorted: (first, last, position of the pattern).
#[derive(Debug, Default)]
pub(super) struct IpSet {
    v4: Box<[(u32, u32, u32)]>,
    v6: Box<[(u128, u128, u32)]>,
    odd: Box<[(u32, u32, u32)]>,
}

impl IpSetBuilder {
    /// Adds an address or a network; `resolve` allows a host name, which counts for its first IPv4 address.
    pub(super) fn add(&mut self, at: u32, text: &str, resolve: bool) -> Result<(), Error> {
        let bad = || Error::new(format!("'{text}' is not a valid IPv4 or IPv6 address"));
        let (addr, mask) = match text.split_once('/') {
            Some((a, m)) => (a, Some(m)),
            None => (text, None),
        };
        if let Some(a) = parse_v4(addr).or_else(|| if resolve { lookup(addr) } else { None }) {
            let mask = match mask {
                None => u32::MAX,
                Some(m) => crate::args::mask4(m).map(u32::from).ok_or_else(bad)?,
            };
            let ones = mask.leading_ones();
            if mask.checked_shl(ones).unwrap_or(0) == 0 {
                #[expect(clippy::cast_possible_truncation, reason = "at most 32")]
                self.nets.push((at, Net::V4(u32::from(a) & mask, ones as u8)));
            } else {
                self.odd.push((at, u32::from(a) & mask, mask));
            }
            return Ok(());
        }
        let a: Ipv6Addr = addr.parse().map_err(|_| bad())?;
        let len = match mask {
            None => 128,
            Some(m) => m.parse::<u8>().ok().filter(|l| *l <= 128).ok_or_else(bad)?,
        };
        let mask = u128::MAX.checked_shl(128 - u32::from(len)).unwrap_or(0);
        self.nets.push((at, Net::V6(u128::from(a) & mask, len)));
        Ok(())
    }

    /// Flattens them: inside nested networks the longest prefix wins, among equal ones the first.
    pub(super) fn build(self) -> IpSet {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for (at, n) in &self.nets {
            match *n {
                Net::V4(a, len) => {
                    let last = a | u32::MAX.checked_shr(u32::from(len)).unwrap_or(0);
                    v4.push((u128::from(a), u128::from(last), *at));
                }
                Net::V6(a, len) => v6.push((a, a | u128::MAX.checked_shr(u32::from(len)).unwrap_or(0), *at)),
            }
        }
        #[expect(clippy::cast_possible_truncation, reason = "the bounds came from 32 bits")]
        let v4 = flatten(v4).into_iter().map(|(a, b, p)| (a as u32, b as u32, p)).collect();
        IpSet { v4, v6: flatten(v6).into(), odd: self.odd.into() }
    }
}

/// Cuts nested ranges into disjoint ones. Networks nest or are disjoint, so a stack is enough.
fn flatten(mut nets: Vec<(u128, u128, u32)>) -> Vec<(u128, u128, u32)> {
    // Outer networks first; among equal ones the first given comes last, so that it covers the others.
    nets.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)).then(b.2.cmp(&a.2)));
    let mut out: Vec<(u128, u128, u32)> = Vec::with_capacity(nets.len());
    let mut open: Vec<(u128, u32)> = Vec::new();
    let mut next = 0u128;
    let close = |out: &mut Vec<_>, open: &mut Vec<(u128, u32)>, next: &mut u128, until: Option<u128>| {
        while let Some(&(end, at)) = open.last() {
            if until.is_some_and(|u| end >= u) {
                break;
            }
            if *next <= end {
                out.push((*next, end, at));
            }
            open.pop();
            match end.checked_add(1) {
                Some(n) => *next = (*next).max(n),
                None => {
                    // The end of the address space: whatever is still open ends here too.
                    open.clear();
                }
            }
        }
    };
    for (a, b, at) in nets {
        close(&mut out, &mut open, &mut next, Some(a));
        if let Some(&(_, outer)) = open.last()
            && next < a
        {
            out.push((next, a - 1, outer));
        }
        next = a;
        open.push((b, at));
    }
    close(&mut out, &mut open, &mut next, None);
    out
}

impl IpSet {
    /// Position of the pattern that holds an address; the other family is tried through the mapped forms of
    /// manual 7.1.6.
    pub(super) fn find(&self, a: IpAddr) -> Option<u32> {
        match a {
            IpAddr::V4(a) => self.v4(u32::from(a)).or_else(|| self.v6(u128::from(a.to_ipv6_mapped()))),
            IpAddr::V6(a) => {
                self.v6(u128::from(a)).or_else(|| embedded_v4(a).and_then(|a| self.v4(u32::from(a))))
            }
        }
    }

    fn v4(&self, a: u32) -> Option<u32> {
        search(&self.v4, a).or_else(|| self.odd.iter().find(|o| a & o.2 == o.1).map(|o| o.0))
    }

    fn v6(&self, a: u128) -> Option<u32> {
        search(&self.v6, a)
    }
}

/// Binary search in disjoint sorted ranges.
fn search<T: Copy + Ord>(ranges: &[(T, T, u32)], a: T) -> Option<u32> {
    let i = ranges.partition_point(|r| r.0 <= a);
    let r = ranges.get(i.checked_sub(1)?)?;
    (a <= r.1).then_some(r.2)
}

/// The IPv4 address inside `::ffff:a.b.c.d`, `::a.b.c.d` and `2002:…::`.
pub(crate) fn embedded_v4(a: Ipv6Addr) -> Option<Ipv4Addr> {
    let s = a.segments();
    let join = |hi: u16, lo: u16| Ipv4Addr::from(u32::from(hi) << 16 | u32::from(lo));
    match s {
        [0x2002, hi, lo, ..] => Some(join(hi, lo)),
        [0, 0, 0, 0, 0, 0 | 0xffff, hi, lo] => Some(join(hi, lo)),
        _ => None,
    }
}

/// The first IPv4 address of a host name, as the system resolves it; this happens at load only.
fn lookup(name: &str) -> Option<Ipv4Addr> {
    use std::net::ToSocketAddrs as _;
    let letter = name.bytes().any(|b| b.is_ascii_alphabetic());
    if !letter || name.contains(':') {
        return None;
    }
    (name, 0).to_socket_addrs().ok()?.find_map(|a| match a.ip() {
        IpAddr::V4(a) => Some(a),
        IpAddr::V6(_) => None,
    })
}

/// An IPv4 address, abbreviated forms included: `10.12` is 10.0.0.12.
pub(crate) fn parse_v4(text: &str) -> Option<Ipv4Addr> {
    let parts: Vec<&str> = text.split('.').collect();
    if parts.len() > 4 || parts.iter().any(|p| p.is_empty() || !p.bytes().all(|b| b.is_ascii_digit())) {
        return None;
    }
    let (last, firsts) = parts.split_last()?;
    let mut v = 0u32;
    for (i, p) in firsts.iter().enumerate() {
        let b: u8 = p.parse().ok()?;
        v |= u32::from(b) << (24 - 8 * i);
    }
    let low: u32 = last.parse().ok()?;
    if u64::from(low) >= 1u64 << (32 - 8 * firsts.len()) {
        return None;
    }
    Some(Ipv4Addr::from(v | low))
}
