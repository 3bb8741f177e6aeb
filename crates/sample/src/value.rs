//! Sample values.

use crate::types::Type;
use bytes::Bytes;
use std::borrow::Cow;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A typed sample. Strings and binaries borrow from the message wherever they can.
#[derive(Clone, PartialEq, Debug)]
pub enum Value<'a> {
    /// `bool`.
    Bool(bool),
    /// `sint`: signed 64 bits.
    Int(i64),
    /// `ipv4`.
    Ip4(Ipv4Addr),
    /// `ipv6`.
    Ip6(Ipv6Addr),
    /// `str`.
    Str(Cow<'a, [u8]>),
    /// `bin`.
    Bin(Cow<'a, [u8]>),
    /// `meth`.
    Method(Cow<'a, [u8]>),
}

/// A sample that outlives what it was fetched from: what variables hold.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "same variants as Value")]
pub enum Owned {
    Bool(bool),
    Int(i64),
    Ip4(Ipv4Addr),
    Ip6(Ipv6Addr),
    Str(Bytes),
    Bin(Bytes),
    Method(Bytes),
}

impl<'a> Value<'a> {
    /// A string that borrows.
    pub fn str(s: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        Self::Str(Cow::Borrowed(s.as_ref()))
    }

    /// An address.
    pub fn ip(a: IpAddr) -> Self {
        match a {
            IpAddr::V4(a) => Self::Ip4(a),
            IpAddr::V6(a) => Self::Ip6(a),
        }
    }

    /// Copies it out of what it borrows from.
    pub fn to_owned(&self) -> Owned {
        match self {
            Self::Bool(b) => Owned::Bool(*b),
            Self::Int(i) => Owned::Int(*i),
            Self::Ip4(a) => Owned::Ip4(*a),
            Self::Ip6(a) => Owned::Ip6(*a),
            Self::Str(s) => Owned::Str(Bytes::copy_from_slice(s)),
            Self::Bin(s) => Owned::Bin(Bytes::copy_from_slice(s)),
            Self::Method(s) => Owned::Method(Bytes::copy_from_slice(s)),
        }
    }

    /// Its type.
    pub fn kind(&self) -> Type {
        match self {
            Self::Bool(_) => Type::Bool,
            Self::Int(_) => Type::Sint,
            Self::Ip4(_) => Type::Ipv4,
            Self::Ip6(_) => Type::Ipv6,
            Self::Str(_) => Type::Str,
            Self::Bin(_) => Type::Bin,
            Self::Method(_) => Type::Meth,
        }
    }

    /// The bytes of a string, binary or method; `None` for other types.
    pub fn raw(&self) -> Option<&[u8]> {
        match self {
            Self::Str(s) | Self::Bin(s) | Self::Method(s) => Some(s),
            _ => None,
        }
    }

    /// As text: what a log or a header shows. Borrows whenever it can. Binary data end at their first NUL.
    pub fn into_str(self) -> Cow<'a, [u8]> {
        match self {
            Self::Str(s) | Self::Method(s) => s,
            Self::Bin(s) => match memchr::memchr(0, &s) {
                None => s,
                Some(n) => cut(s, 0, n),
            },
            other => {
                let mut out = Vec::with_capacity(24);
                other.write_str(&mut out);
                Cow::Owned(out)
            }
        }
    }

    /// Appends it as text, without allocating for numbers and addresses.
    pub fn write_str(&self, out: &mut Vec<u8>) {
        match self {
            Self::Bool(b) => out.push(b'0' + u8::from(*b)),
            Self::Int(i) => out.extend_from_slice(itoa::Buffer::new().format(*i).as_bytes()),
            Self::Ip4(a) => write_ip4(*a, out),
            // Writing to a Vec cannot fail.
            Self::Ip6(a) => drop(write!(out, "{a}")),
            Self::Str(s) | Self::Method(s) => out.extend_from_slice(s),
            Self::Bin(s) => out.extend_from_slice(&s[..memchr::memchr(0, s).unwrap_or(s.len())]),
        }
    }

    /// As an integer: numbers, booleans, IPv4 addresses, and strings that are numbers.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Bool(b) => Some(i64::from(*b)),
            Self::Int(i) => Some(*i),
            Self::Ip4(a) => Some(i64::from(u32::from(*a))),
            Self::Str(s) => parse_int(s),
            _ => None,
        }
    }

    /// As a condition: what is neither false nor zero.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(b) => Some(*b),
            _ => self.as_int().map(|i| i != 0),
        }
    }

    /// As an address: addresses, strings that hold one, and integers as IPv4.
    pub fn as_ip(&self) -> Option<IpAddr> {
        match self {
            Self::Ip4(a) => Some(IpAddr::V4(*a)),
            Self::Ip6(a) => Some(IpAddr::V6(*a)),
            #[expect(clippy::cast_possible_truncation, reason = "an address is the low 32 bits")]
            Self::Int(i) => Some(IpAddr::V4(Ipv4Addr::from(*i as u32))),
            Self::Str(s) => parse_ip(s),
            _ => None,
        }
    }

    /// Converts to a type; `None` when this value cannot be.
    pub fn cast(self, to: Type) -> Option<Self> {
        match (to, &self) {
            (Type::Any | Type::Same, _)
            | (Type::Bool, Self::Bool(_))
            | (Type::Sint, Self::Int(_))
            | (Type::Addr, Self::Ip4(_) | Self::Ip6(_))
            | (Type::Ipv4, Self::Ip4(_))
            | (Type::Ipv6, Self::Ip6(_))
            | (Type::Str, Self::Str(_))
            | (Type::Bin, Self::Bin(_))
            | (Type::Meth, Self::Method(_)) => Some(self),
            (Type::Bool, _) => self.as_bool().map(Self::Bool),
            (Type::Sint, _) => self.as_int().map(Self::Int),
            (Type::Addr, _) => self.as_ip().map(Self::ip),
            (Type::Ipv4, _) => match self.as_ip()? {
                IpAddr::V4(a) => Some(Self::Ip4(a)),
                IpAddr::V6(a) => embedded_ip4(a).map(Self::Ip4),
            },
            (Type::Ipv6, _) => match self.as_ip()? {
                IpAddr::V4(a) => Some(Self::Ip6(a.to_ipv6_mapped())),
                IpAddr::V6(a) => Some(Self::Ip6(a)),
            },
            (Type::Str, _) => Some(Self::Str(self.into_str())),
            (Type::Bin, _) => Some(Self::Bin(self.into_bin())),
            (Type::Meth, _) => None,
        }
    }

    /// As bytes: numbers in network order on 8 bytes, addresses as they travel.
    pub fn into_bin(self) -> Cow<'a, [u8]> {
        match self {
            Self::Str(s) | Self::Bin(s) | Self::Method(s) => s,
            Self::Bool(b) => Cow::Owned(i64::from(b).to_be_bytes().to_vec()),
            Self::Int(i) => Cow::Owned(i.to_be_bytes().to_vec()),
            Self::Ip4(a) => Cow::Owned(a.octets().to_vec()),
            Self::Ip6(a) => Cow::Owned(a.octets().to_vec()),
        }
    }
}

/// Appends an IPv4 address.
fn write_ip4(a: Ipv4Addr, out: &mut Vec<u8>) {
    let mut number = itoa::Buffer::new();
    for (i, b) in a.octets().into_iter().enumerate() {
        if i > 0 {
            out.push(b'.');
        }
        out.extend_from_slice(number.format(b).as_bytes());
    }
}

/// The decimal integer that a string starts with: 0 when there is none, the nearest bound when it is too large.
/// `None` for an empty string.
pub fn parse_int(s: &[u8]) -> Option<i64> {
    let (negative, digits) = match s {
        [] => return None,
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        all => (false, all),
    };
    let mut n: i64 = 0;
    for d in digits.iter().map(|c| c.wrapping_sub(b'0')).take_while(|d| *d < 10) {
        let d = i64::from(d);
        // Towards the sign, so that the lowest integer can be reached.
        n = n.saturating_mul(10);
        n = if negative { n.saturating_sub(d) } else { n.saturating_add(d) };
    }
    Some(n)
}

/// The IPv4 or IPv6 address that a string holds; a port may follow an IPv4 address.
pub fn parse_ip(s: &[u8]) -> Option<IpAddr> {
    // Nothing longer than a full IPv6 address with an embedded IPv4 one.
    if s.len() > 45 {
        return None;
    }
    let text = std::str::from_utf8(s).ok()?;
    if let Ok(a) = text.parse() {
        return Some(a);
    }
    let (host, port) = text.rsplit_once(':')?;
    if port.is_empty() || !port.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    host.parse::<Ipv4Addr>().ok().map(IpAddr::V4)
}

/// The IPv4 address that an IPv6 address stands for: mapped, compatible (RFC 4291) or 6to4 (RFC 3056).
fn embedded_ip4(a: Ipv6Addr) -> Option<Ipv4Addr> {
    match a.segments() {
        [0x2002, high, low, ..] | [0, 0, 0, 0, 0, 0 | 0xffff, high, low] => {
            Some(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)))
        }
        _ => None,
    }
}

/// A part of a borrowed or owned string, without copying it.
pub(crate) fn cut(s: Cow<'_, [u8]>, from: usize, to: usize) -> Cow<'_, [u8]> {
    match s {
        Cow::Borrowed(b) => Cow::Borrowed(b.get(from..to).unwrap_or_default()),
        Cow::Owned(mut v) => {
            v.truncate(to);
            v.drain(..from.min(v.len()));
            Cow::Owned(v)
        }
    }
}

impl Owned {
    /// Copies it into a sample that borrows nothing.
    pub fn to_value(&self) -> Value<'static> {
        match self {
            Self::Bool(b) => Value::Bool(*b),
            Self::Int(i) => Value::Int(*i),
            Self::Ip4(a) => Value::Ip4(*a),
            Self::Ip6(a) => Value::Ip6(*a),
            Self::Str(s) => Value::Str(Cow::Owned(s.to_vec())),
            Self::Bin(s) => Value::Bin(Cow::Owned(s.to_vec())),
            Self::Method(s) => Value::Method(Cow::Owned(s.to_vec())),
        }
    }

    /// Bytes of a text; numbers and addresses have none of their own.
    pub fn size(&self) -> usize {
        match self {
            Self::Str(s) | Self::Bin(s) | Self::Method(s) => s.len(),
            Self::Bool(_) | Self::Int(_) | Self::Ip4(_) | Self::Ip6(_) => 0,
        }
    }

    /// Borrows it as a sample.
    pub fn as_value(&self) -> Value<'_> {
        match self {
            Self::Bool(b) => Value::Bool(*b),
            Self::Int(i) => Value::Int(*i),
            Self::Ip4(a) => Value::Ip4(*a),
            Self::Ip6(a) => Value::Ip6(*a),
            Self::Str(s) => Value::Str(Cow::Borrowed(s)),
            Self::Bin(s) => Value::Bin(Cow::Borrowed(s)),
            Self::Method(s) => Value::Method(Cow::Borrowed(s)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv6_addresses_may_stand_for_ipv4_ones() {
        let ip4 = |text: &str| embedded_ip4(text.parse().unwrap()).map(|a| a.to_string());
        assert_eq!(ip4("::ffff:1.2.3.4").as_deref(), Some("1.2.3.4"));
        assert_eq!(ip4("::1").as_deref(), Some("0.0.0.1"));
        assert_eq!(ip4("2002:102:304::1").as_deref(), Some("1.2.3.4"));
        assert_eq!(ip4("2001:102:304::1"), None);
    }
}
