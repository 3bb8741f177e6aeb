//! `option forwardfor` and `option originalto`.

use hawser_cfg::model::ForwardFor;
use hawser_http::Head;
use hawser_proto::Address;
use std::fmt::Write as _;
use std::net::IpAddr;

/// A field that tells the server an address of the client's connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AddrHeader {
    /// Tells the source (`forwardfor`), else the destination (`originalto`).
    pub source: bool,
    name: Box<[u8]>,
    except: Vec<(IpAddr, u8)>,
    if_none: bool,
}

impl AddrHeader {
    /// Of an option; `source` tells which of the two.
    pub(crate) fn new(conf: &ForwardFor, source: bool) -> Self {
        let default = if source { "x-forwarded-for" } else { "x-original-to" };
        Self {
            source,
            name: conf.header.as_deref().unwrap_or(default).as_bytes().into(),
            except: conf.except.clone(),
            if_none: conf.if_none,
        }
    }

    /// Adds the field for an address, as the options of a backend and of a frontend say together: the backend's name
    /// wins, the exceptions of both count, and the field is mandatory if one of them wants it so.
    pub(crate) fn apply(back: Option<&Self>, front: Option<&Self>, head: &mut Head, addr: &Address) {
        let both = || [back, front].into_iter().flatten();
        let (Some(ip), Some(first)) = (addr.ip(), both().next()) else { return };
        if both().flat_map(|h| &h.except).any(|(net, len)| contains(*net, *len, ip)) {
            return;
        }
        if both().all(|h| h.if_none) && head.values(&first.name).next().is_some() {
            return;
        }
        let mut text = smallvec::SmallVec::<[u8; 48]>::new();
        let mut w = Text(&mut text);
        // Writing to memory does not fail.
        let _ = write!(w, "{ip}");
        head.add(&first.name, &text);
    }
}

struct Text<'a>(&'a mut smallvec::SmallVec<[u8; 48]>);

impl std::fmt::Write for Text<'_> {
    fn write_str(&mut self, s: &str) -> std::fmt::Result {
        self.0.extend_from_slice(s.as_bytes());
        Ok(())
    }
}

fn contains(net: IpAddr, len: u8, ip: IpAddr) -> bool {
    let (net, ip, width) = match (net, ip) {
        (IpAddr::V4(n), IpAddr::V4(i)) => (u128::from(n.to_bits()), u128::from(i.to_bits()), 32),
        (IpAddr::V6(n), IpAddr::V6(i)) => (n.to_bits(), i.to_bits(), 128),
        _ => return false,
    };
    let shift = width - u32::from(len).min(width);
    shift >= 128 || (net >> shift) == (ip >> shift)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hawser_http::Version;

    #[test]
    fn except_and_if_none() {
        let conf = ForwardFor {
            except: vec![("10.0.0.0".parse().unwrap(), 8), ("::1".parse().unwrap(), 128)],
            header: None,
            if_none: true,
        };
        let h = AddrHeader::new(&conf, true);
        let cases = [
            ("10.1.2.3", None, 0),
            ("11.1.2.3", None, 1),
            ("::1", None, 0),
            ("::2", None, 1),
            ("11.1.2.3", Some("8.8.8.8"), 1),
        ];
        for (ip, before, count) in cases {
            let mut head = Head::request(b"GET", b"/", Version::H11);
            if let Some(v) = before {
                head.add(b"X-Forwarded-For", v.as_bytes());
            }
            let addr = Address::Ip((ip.parse::<IpAddr>().unwrap(), 1).into());
            AddrHeader::apply(None, Some(&h), &mut head, &addr);
            assert_eq!(head.values(b"x-forwarded-for").count(), count, "{ip} {before:?}");
        }
    }

    #[test]
    fn both_sides_have_a_say() {
        let new = |if_none, header: Option<&str>, except: &[&str]| {
            let except = except.iter().map(|a| (a.parse().unwrap(), 32)).collect();
            AddrHeader::new(&ForwardFor { except, header: header.map(str::to_owned), if_none }, true)
        };
        let cases = [
            (new(true, None, &[]), new(true, None, &[]), 1),
            (new(false, None, &[]), new(true, None, &[]), 2),
            (new(true, None, &[]), new(false, None, &[]), 2),
            (new(false, None, &["1.2.3.4"]), new(false, None, &[]), 1),
            (new(false, None, &[]), new(false, None, &["1.2.3.4"]), 1),
            (new(false, Some("X-Other"), &[]), new(false, None, &[]), 1),
            (new(false, None, &[]), new(false, Some("X-Other"), &[]), 2),
        ];
        for (i, (back, front, count)) in cases.iter().enumerate() {
            let mut head = Head::request(b"GET", b"/", Version::H11);
            head.add(b"X-Forwarded-For", b"8.8.8.8");
            let addr = Address::Ip("1.2.3.4:5".parse().unwrap());
            AddrHeader::apply(Some(back), Some(front), &mut head, &addr);
            assert_eq!(head.values(b"x-forwarded-for").count(), *count, "{i}");
        }
    }
}
