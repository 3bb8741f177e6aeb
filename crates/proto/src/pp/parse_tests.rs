//! Headers, good and bad, whole and in pieces.

use super::*;

fn ip(s: &str) -> Address {
    Address::Ip(s.parse().unwrap())
}

fn complete(bytes: &[u8]) -> Header {
    match parse(bytes) {
        Outcome::Complete(h) => h,
        other => panic!("{:?}: {other:?}", String::from_utf8_lossy(bytes)),
    }
}

/// Every proper prefix of a header is partial, and what follows it is not looked at.
fn check(header: &[u8], addrs: Option<(Address, Address)>) {
    for n in 0..header.len() {
        assert_eq!(parse(&header[..n]), Outcome::Partial, "{n} bytes");
    }
    let mut more = header.to_vec();
    more.extend_from_slice(b"GET / HTTP/1.1\r\n");
    let h = complete(&more);
    assert_eq!((h.len, h.addrs), (header.len(), addrs));
}

#[test]
fn version_1() {
    let v4 = Some((ip("192.0.2.1:56324"), ip("192.0.2.2:443")));
    check(b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n", v4);
    let v6 = Some((ip("[2001:db8::1]:1"), ip("[::1]:65535")));
    check(b"PROXY TCP6 2001:db8::1 ::1 1 65535\r\n", v6);
    check(b"PROXY UNKNOWN\r\n", None);
    check(b"PROXY UNKNOWN ffff:f ff::1 whatever it is\r\n", None);
}

#[test]
fn version_1_refused() {
    let long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(100));
    for text in [
        "GET / HTTP/1.1\r\n",
        "PROXX TCP4 ",
        "PROXY  TCP4 1.1.1.1 2.2.2.2 1 2\r\n",
        "PROXY TCP4 1.1.1.1 2.2.2.2 1 2 \r\n",
        "PROXY TCP4 1.1.1.1  2.2.2.2 1 2\r\n",
        "PROXY TCP4 1.1.1.1 2.2.2.2 1\r\n",
        "PROXY TCP4 1.1.1.1 2.2.2.2 1 2 3\r\n",
        "PROXY TCP4 1.1.1.256 2.2.2.2 1 2\r\n",
        "PROXY TCP4 01.1.1.1 2.2.2.2 1 2\r\n",
        "PROXY TCP4 ::1 ::2 1 2\r\n",
        "PROXY TCP6 1.1.1.1 2.2.2.2 1 2\r\n",
        "PROXY TCP4 1.1.1.1 2.2.2.2 65536 2\r\n",
        "PROXY TCP4 1.1.1.1 2.2.2.2 -1 2\r\n",
        "PROXY TCP4 1.1.1.1 2.2.2.2 +1 2\r\n",
        "PROXY TCP4 1.1.1.1 2.2.2.2 01 2\r\n",
        "PROXY UDP4 1.1.1.1 2.2.2.2 1 2\r\n",
        "PROXY \r\n",
        &long,
    ] {
        assert!(
            matches!(parse(text.as_bytes()), Outcome::Invalid(_)),
            "{text:?}: {:?}",
            parse(text.as_bytes())
        );
    }
    assert!(matches!(parse(&[b"PROXY UNKNOWN".as_slice(), &[b'x'; 107]].concat()), Outcome::Invalid(_)));
    assert!(matches!(parse(b"PROXY TCP4 \xff\r\n"), Outcome::Invalid(_)));
}

fn v2_header(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
    let mut out = V2_SIGNATURE.to_vec();
    out.extend([command, family]);
    out.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
    out.extend_from_slice(body);
    out
}

const V4_BODY: [u8; 12] = [192, 0, 2, 1, 192, 0, 2, 2, 0x1f, 0x90, 0x01, 0xbb];

#[test]
fn version_2() {
    let v4 = Some((ip("192.0.2.1:8080"), ip("192.0.2.2:443")));
    check(&v2_header(0x21, 0x11, &V4_BODY), v4);
    let mut body = vec![0; 36];
    body[15] = 1;
    body[31] = 2;
    body[33] = 7;
    check(&v2_header(0x21, 0x21, &body), Some((ip("[::1]:7"), ip("[::2]:0"))));
    let mut body = vec![0; 216];
    body[..4].copy_from_slice(b"/tmp");
    check(&v2_header(0x21, 0x31, &body), Some((Address::Unix("/tmp".into()), Address::Unix("".into()))));
    // LOCAL and unspecified keep the connection's addresses, whatever the body says.
    check(&v2_header(0x20, 0x11, &V4_BODY), None);
    check(&v2_header(0x20, 0x00, b""), None);
    check(&v2_header(0x21, 0x00, b"anything"), None);
}

#[test]
fn entries_of_connections_without_addresses() {
    let entry = [2, 0, 1, b'a'];
    for (command, family, before) in [(0x20, 0x00, 0), (0x20, 0x11, 12), (0x21, 0x00, 0), (0x20, 0x21, 36)] {
        let body = [vec![0; before], entry.to_vec()].concat();
        let h = complete(&v2_header(command, family, &body));
        assert_eq!((h.addrs, h.tlvs.get(2)), (None, Some(&b"a"[..])), "{command:x} {family:x}");
    }
    // The checksum is believed there too.
    let sum = [3, 0, 4, 0, 0, 0, 0];
    assert_eq!(parse(&v2_header(0x20, 0x00, &sum)), Outcome::Invalid(Failure::PrxBadHdr));
}

#[test]
fn reasons_are_those_of_haproxy() {
    let long = |kind: u8, n: u16| {
        let value = vec![b'x'; n.into()];
        v2_header(0x21, 0x11, &[&V4_BODY[..], &[kind], &n.to_be_bytes(), &value].concat())
    };
    for (bytes, why) in [
        (b"PROXY TCP5 1.1.1.1 2.2.2.2 1 2\r\n".to_vec(), Failure::PrxBadProto),
        ([b"PROXY UDP4 ".as_slice(), &[b'x'; 107]].concat(), Failure::PrxBadProto),
        ([b"PROXY TCP4 ".as_slice(), &[b'x'; 107]].concat(), Failure::PrxBadHdr),
        (v2_header(0x11, 0x11, &V4_BODY), Failure::PrxNotHdr),
        (v2_header(0x22, 0x11, &V4_BODY), Failure::PrxBadHdr),
        (v2_header(0x21, 0x12, &V4_BODY), Failure::PrxBadHdr),
        (long(2, 256), Failure::PrxBadHdr),
        (long(5, 129), Failure::PrxBadHdr),
    ] {
        assert_eq!(parse(&bytes), Outcome::Invalid(why), "{bytes:?}");
    }
    assert!(matches!(parse(&long(2, 255)), Outcome::Complete(_)));
    assert!(matches!(parse(&long(5, 128)), Outcome::Complete(_)));
}

#[test]
fn version_2_refused() {
    let mut long = v2_header(0x21, 0x11, &V4_BODY);
    long[14] = 0xff;
    for bytes in [
        v2_header(0x11, 0x11, &V4_BODY),
        v2_header(0x22, 0x11, &V4_BODY),
        v2_header(0x21, 0x12, &V4_BODY),
        v2_header(0x21, 0x41, &V4_BODY),
        v2_header(0x21, 0x11, &V4_BODY[..11]),
        v2_header(0x21, 0x21, &[0; 35]),
        v2_header(0x21, 0x31, &[0; 215]),
        v2_header(0x21, 0x11, &[&V4_BODY[..], &[1, 0]].concat()),
        v2_header(0x21, 0x11, &[&V4_BODY[..], &[1, 0, 5, 1]].concat()),
        long,
        b"\r\n\r\n\0\r\nQUIX\n".to_vec(),
        b"\x16\x03\x01".to_vec(),
    ] {
        assert!(matches!(parse(&bytes), Outcome::Invalid(_)), "{bytes:?}");
    }
}

#[test]
fn version_2_tlvs_and_checksum() {
    let tlvs = [1, 0, 2, b'h', b'2', 3, 0, 4, 0, 0, 0, 0, 4, 0, 0];
    let mut header = v2_header(0x21, 0x11, &[&V4_BODY[..], &tlvs].concat());
    assert_eq!(parse(&header), Outcome::Invalid(Failure::PrxBadHdr));
    let sum = crc32c(header.iter().copied());
    let at = V2_FIXED + V4_BODY.len() + 5 + 3;
    header[at..at + 4].copy_from_slice(&sum.to_be_bytes());
    let h = complete(&header);
    assert_eq!(h.tlvs.iter().map(|(t, _)| t).collect::<Vec<_>>(), [1, 3, 4]);
    assert_eq!(h.tlvs.get(1), Some(b"h2".as_slice()));
    header[20] ^= 1;
    assert!(matches!(parse(&header), Outcome::Invalid(_)));
}

#[test]
fn checksum_of_the_standard_text() {
    assert_eq!(crc32c(b"123456789".iter().copied()), 0xe306_9283);
}

#[test]
fn arbitrary_bytes_never_panic() {
    let mut seed = 1_u32;
    for _ in 0..20_000 {
        let mut bytes: Vec<u8> = if seed & 1 == 0 { V2_SIGNATURE.to_vec() } else { b"PROXY TCP4 ".to_vec() };
        for _ in 0..seed % 40 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            bytes.push((seed >> 24) as u8);
        }
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        if let Outcome::Complete(h) = parse(&bytes) {
            assert!(h.len <= bytes.len());
        }
    }
}

proptest::proptest! {
    /// What is built is understood, whatever follows it, and nothing shorter is.
    #[test]
    fn headers_survive_the_way(
        src in proptest::prelude::any::<(bool, [u8; 16], u16)>(),
        dst in proptest::prelude::any::<([u8; 16], u16)>(),
        tlvs in proptest::collection::vec((0_u8.., proptest::collection::vec(0_u8.., 0..40)), 0..6),
        checksum: bool,
        rest in proptest::collection::vec(0_u8.., 0..20),
    ) {
        let end = |octets: [u8; 16], port| {
            let [a, b, c, d, ..] = octets;
            let ip: IpAddr = if src.0 { Ipv6Addr::from(octets).into() } else { Ipv4Addr::new(a, b, c, d).into() };
            Address::Ip((ip, port).into())
        };
        let (s, d) = (end(src.1, src.2), end(dst.0, dst.1));
        // A checksum of the sender's own making would be found wrong.
        let pairs: Vec<(u8, &[u8])> =
            tlvs.iter().filter(|t| t.0 != crate::pp::CRC32C).map(|(k, v)| (*k, v.as_slice())).collect();
        let v2 = crate::pp::v2(Some((&s, &d)), &pairs, checksum);
        for header in [crate::pp::v1(Some((&s, &d))), v2] {
            let h = complete(&[header.clone(), rest.clone()].concat());
            proptest::prop_assert_eq!((h.len, h.addrs), (header.len(), Some((s.clone(), d.clone()))));
            proptest::prop_assert_eq!(parse(&header[..header.len() - 1]), Outcome::Partial);
        }
    }

    /// One flipped bit never makes another header of a checked one.
    #[test]
    fn damage_is_found(at in 12_usize..47, bit in 0..8_u8) {
        let ends = (ip("192.0.2.1:1"), ip("192.0.2.2:2"));
        let mut header = crate::pp::v2(Some((&ends.0, &ends.1)), &[(0xe0, b"123456789")], true);
        header[at] ^= 1_u8 << bit;
        if let Outcome::Complete(h) = parse(&header) {
            // It says less then, not something else: no addresses, or nothing to check it by.
            proptest::prop_assert!(h.addrs.is_none() || h.tlvs.get(crate::pp::CRC32C).is_none(), "{h:?}");
        }
    }
}
