//! The PROXY protocol header of a check: the connection's own addresses in version 1, `LOCAL` in version 2.

use hawser_proto::Address;

/// The header of a connection that no client asked for.
pub(super) fn local(version: u8, src: Address, dst: Address) -> Vec<u8> {
    if version == 2 {
        // Signature, version 2 command LOCAL, unspecified family, no addresses.
        return b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0".to_vec();
    }
    match (src, dst) {
        (Address::Ip(s), Address::Ip(d)) if s.is_ipv4() == d.is_ipv4() => {
            let family = if s.is_ipv4() { "TCP4" } else { "TCP6" };
            format!("PROXY {family} {} {} {} {}\r\n", s.ip(), d.ip(), s.port(), d.port()).into_bytes()
        }
        _ => b"PROXY UNKNOWN\r\n".to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers() {
        let ip = |a: &str| Address::Ip(a.parse().unwrap());
        let v4 = local(1, ip("192.0.2.1:5"), ip("192.0.2.2:80"));
        assert_eq!(v4, b"PROXY TCP4 192.0.2.1 192.0.2.2 5 80\r\n");
        let v6 = local(1, ip("[::1]:5"), ip("[::2]:80"));
        assert_eq!(v6, b"PROXY TCP6 ::1 ::2 5 80\r\n");
        assert_eq!(local(1, Address::Unknown, ip("[::2]:80")), b"PROXY UNKNOWN\r\n");
        let v2 = local(2, ip("192.0.2.1:5"), ip("192.0.2.2:80"));
        assert_eq!(v2, b"\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00");
    }
}
