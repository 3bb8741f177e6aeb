//! Addresses that HAProxy 3.4 takes, and its words about those that it refuses.

use super::*;
use AddrUse::*;
use proptest::prelude::*;

const USES: [AddrUse; 8] = [Bind, DgramBind, Server, Log, Source, Peer, Nameserver, Plain];

/// What matters of an address, in one line.
fn show(addr: &Addr) -> String {
    let kind = match &addr.kind {
        AddrKind::Ip(a) => a.to_string(),
        AddrKind::Quic(a) => format!("quic {a}"),
        AddrKind::Name(name, port) => format!("name {name} {port}"),
        AddrKind::Unix(path) => format!("unix {}", path.display()),
        AddrKind::Abns(name, z) => format!("abns{} {}", if *z { "z" } else { "" }, name.escape_ascii()),
        AddrKind::Fd(fd) => format!("fd {fd}"),
        AddrKind::Sockpair(fd) => format!("sockpair {fd}"),
        AddrKind::Rhttp(to) => format!("rhttp {to:?}"),
        AddrKind::Other(text) => format!("other {text}"),
    };
    let port = match &addr.kind {
        AddrKind::Ip(a) | AddrKind::Quic(a) => a.port(),
        AddrKind::Name(_, port) => *port,
        _ => 0,
    };
    let range = if addr.port_high == port { String::new() } else { format!(" to {}", addr.port_high) };
    let offset = addr.port_offset.map_or(String::new(), |o| format!(" offset {o}"));
    let flags = [(addr.port_missing, " noport"), (addr.dgram, " dgram"), (addr.is_mptcp(), " mptcp")];
    let flags: String = flags.iter().filter(|f| f.0).map(|f| f.1).collect();
    format!("{kind}{range}{offset}{flags}")
}

#[track_caller]
fn check(usage: AddrUse, cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        let got = parse(text, usage).map_or_else(|e| format!("! {e}"), |a| show(&a));
        assert_eq!(got, *expected, "{usage:?} {text:?}");
    }
}

#[test]
fn bind() {
    check(
        Bind,
        &[
            (":80", "0.0.0.0:80"),
            ("*:80", "0.0.0.0:80"),
            ("1.2.3.4:80", "1.2.3.4:80"),
            ("::1:80", "[::1]:80"),
            (":::80", "[::]:80"),
            ("[::]:80", "[::]:80"),
            ("[1.2.3.4]:80", "1.2.3.4:80"),
            ("2001:db8::1:443", "[2001:db8::1]:443"),
            ("::ffff:1.2.3.4:80", "[::ffff:1.2.3.4]:80"),
            ("ipv4@:80", "0.0.0.0:80"),
            ("ipv4@*:80", "0.0.0.0:80"),
            ("ipv6@:80", "[::]:80"),
            ("ipv6@*:80", "[::]:80"),
            ("ipv6@[::1]:80", "[::1]:80"),
            ("ip@1.2.3.4:80", "1.2.3.4:80"),
            ("tcp@1.2.3.4:80", "1.2.3.4:80"),
            ("tcp4@1.2.3.4:80", "1.2.3.4:80"),
            ("tcp6@::1:80", "[::1]:80"),
            ("stream+ipv4@1.2.3.4:80", "1.2.3.4:80"),
            ("stream+1.2.3.4:80", "1.2.3.4:80"),
            ("dgram+tcp@:80", "0.0.0.0:80"),
            ("mptcp@1.2.3.4:80", "1.2.3.4:80 mptcp"),
            ("mptcp6@:80", "[::]:80 mptcp"),
            ("quic4@:80", "quic 0.0.0.0:80 dgram"),
            ("quic6@:::80", "quic [::]:80 dgram"),
            ("quic+ipv4@1.2.3.4:80", "quic 1.2.3.4:80 dgram"),
            ("1.2.3.4:80-90", "1.2.3.4:80 to 90"),
        ],
    );
    let local = show(&parse("localhost:80", Bind).unwrap());
    assert!(local == "127.0.0.1:80" || local == "[::1]:80", "{local}");
}

#[test]
fn local_addresses() {
    check(
        Bind,
        &[
            ("/tmp/x:80", "unix /tmp/x:80"),
            ("unix@x", "unix x"),
            ("uxst@/x", "unix /x"),
            ("stream+unix@/x", "unix /x"),
            ("unix@abns@x", "unix abns@x"),
            ("abns@foo", "abns foo"),
            ("abnsz@foo", "abnsz foo"),
            ("stream+abns@x", "abns x"),
            ("fd@3", "fd 3"),
            ("sockpair@3", "sockpair 3"),
            ("rhttp@be/srv", "rhttp Some((\"be\", \"srv\"))"),
            ("rev@be/srv", "rhttp Some((\"be\", \"srv\"))"),
            ("rhttp@be", "rhttp Some((\"be\", \"\"))"),
            ("fd@x", "! file descriptor 'x' is not a valid integer in 'fd@x'"),
            ("fd@", "! file descriptor '' is not a valid integer in 'fd@'"),
            ("fd@-1", "! file descriptor '-1' is not a valid integer in 'fd@-1'"),
            (
                "sockpair@99999999999",
                "! file descriptor '99999999999' is not a valid integer in 'sockpair@99999999999'",
            ),
            ("uxdg@/x", "! dgram-type address not acceptable in 'uxdg@/x'"),
        ],
    );
    let long = format!("/{}", "a".repeat(97));
    assert_eq!(parse(&long, Bind).unwrap_err(), format!("socket path '{long}' too long (max 97)"));
    assert!(parse(&long[..97], Bind).is_ok());
    assert!(parse(&format!("abns@{}", "a".repeat(107)), Bind).is_ok());
    assert!(parse(&format!("abns@{}", "a".repeat(108)), Bind).is_err());
}

#[test]
fn what_bind_refuses() {
    check(
        Bind,
        &[
            ("", "! '' resolves to an empty address (environment variable missing?)"),
            ("1.2.3.4", "! missing port specification in '1.2.3.4'"),
            ("1.2.3.4:", "! missing port specification in '1.2.3.4:'"),
            ("[::1]", "! missing port specification in '[::1]'"),
            ("*", "! missing port specification in '*'"),
            ("ring@x", "! missing port specification in 'ring@x'"),
            ("stdout", "! missing port specification in 'stdout'"),
            ("1.2.3.4:0", "! invalid port '0'"),
            ("1.2.3.4:65536", "! invalid port '65536'"),
            ("1.2.3.4:80-", "! invalid port ''"),
            ("1.2.3.4:80-70000", "! invalid port '70000'"),
            ("1.2.3.4:90-80", "! invalid port range '90-80'"),
            ("1.2.3.4:80-81-82", "! invalid character '-' in port number '81-82' in '1.2.3.4:80-81-82'"),
            ("1.2.3.4:+80", "! port offset not permitted here in '1.2.3.4:+80'"),
            ("1.2.3.4:-80", "! port offset not permitted here in '1.2.3.4:-80'"),
            ("1.2.3.4:80x", "! invalid character 'x' in port number '80x' in '1.2.3.4:80x'"),
            (":0x50", "! invalid character 'x' in port number '0x50' in ':0x50'"),
            ("*:*", "! invalid character '*' in port number '*' in '*:*'"),
            ("::1", "! invalid address: ':' in '::1'"),
            ("[::1", "! invalid address: '[:' in '[::1'"),
            ("[::1]x:80", "! invalid address: '[::1]x' in '[::1]x:80'"),
            ("[foo]:80", "! invalid address: '[foo]' in '[foo]:80'"),
            ("[fe80::1%lo]:80", "! invalid address: '[fe80::1%lo]' in '[fe80::1%lo]:80'"),
            ("a:b:80", "! invalid address: 'a:b' in 'a:b:80'"),
            ("foo@1.2.3.4:80", "! invalid address: 'foo@1.2.3.4' in 'foo@1.2.3.4:80'"),
            ("TCP@1.2.3.4:80", "! invalid address: 'TCP@1.2.3.4' in 'TCP@1.2.3.4:80'"),
            ("ipv6@[1.2.3.4:80", "! invalid address: '[1.2.3.4' in 'ipv6@[1.2.3.4:80'"),
            ("ipv4@[::1]:80", "! invalid address: '[::1]' in 'ipv4@[::1]:80'"),
            ("udp@1.2.3.4:80", "! dgram-type address not acceptable in 'udp@1.2.3.4:80'"),
            ("dgram+ipv4@1.2.3.4:80", "! dgram-type address not acceptable in 'dgram+ipv4@1.2.3.4:80'"),
        ],
    );
}

#[test]
fn lists() {
    let list = |text| parse_list(text, Bind).map(|l| l.iter().map(show).collect::<Vec<_>>().join(" "));
    assert_eq!(list("1.2.3.4:80,:81").unwrap(), "1.2.3.4:80 0.0.0.0:81");
    assert_eq!(list("/a,abns@b,:80-82").unwrap(), "unix /a abns b 0.0.0.0:80 to 82");
    assert_eq!(list(":80,").unwrap(), "0.0.0.0:80");
    assert!(list(",:80").is_err() && list(":80,,:81").is_err() && list("").is_err());
}

#[test]
fn server() {
    check(
        Server,
        &[
            ("1.2.3.4:80", "1.2.3.4:80"),
            ("1.2.3.4", "1.2.3.4:0 noport"),
            ("1.2.3.4:", "1.2.3.4:0 noport"),
            ("1.2.3.4:0", "1.2.3.4:0"),
            ("[::1]", "[::1]:0 noport"),
            ("*", "0.0.0.0:0 noport"),
            ("1.2.3.4:+80", "1.2.3.4:0 offset 80"),
            ("1.2.3.4:-80", "1.2.3.4:0 offset -80"),
            ("1.2.3.4:+0", "1.2.3.4:0 offset 0"),
            ("foo.example:80", "name foo.example 80"),
            ("foo.example", "name foo.example 0 noport"),
            ("foo.example:+1", "name foo.example 0 offset 1"),
            ("ipv6@foo.example:80", "name foo.example 80"),
            ("_srv._tcp.foo", "name _srv._tcp.foo 0 noport"),
            ("/x", "unix /x"),
            ("abnsz@x", "abnsz x"),
            ("rhttp@", "rhttp None"),
            ("udp@1.2.3.4:80", "1.2.3.4:80 dgram"),
            ("quic4@1.2.3.4:80", "quic 1.2.3.4:80 dgram"),
            ("mptcp@foo:80", "name foo 80 mptcp"),
            ("1.2.3.4:80-90", "! port range not permitted here in '1.2.3.4:80-90'"),
            ("1.2.3.4:65536", "! invalid port '65536'"),
            ("1.2.3.4:+x", "! invalid character 'x' in port number 'x' in '1.2.3.4:+x'"),
            ("fd@3", "! a file descriptor is not acceptable here in 'fd@3'"),
        ],
    );
}

#[test]
fn log() {
    check(
        Log,
        &[
            ("127.0.0.1", "127.0.0.1:0 noport dgram"),
            ("127.0.0.1:514", "127.0.0.1:514 dgram"),
            ("tcp@127.0.0.1:514", "127.0.0.1:514"),
            ("/dev/log", "unix /dev/log dgram"),
            ("stdout", "fd 1"),
            ("stderr", "fd 2"),
            ("fd@2", "fd 2 dgram"),
            ("ring@r", "other ring@r dgram"),
            ("backend@b", "other backend@b dgram"),
            ("1.2.3.4:80-90", "! port range not permitted here in '1.2.3.4:80-90'"),
            ("::1", "! invalid address: ':' in '::1'"),
        ],
    );
}

#[test]
fn other_uses() {
    check(Source, &[("*", "0.0.0.0:0 noport"), ("1.2.3.4:99", "1.2.3.4:99")]);
    check(Source, &[("udp@1.2.3.4", "! dgram-type address not acceptable in 'udp@1.2.3.4'")]);
    check(
        Peer,
        &[("1.2.3.4", "! missing port specification in '1.2.3.4'"), ("1.2.3.4:0", "! invalid port '0'")],
    );
    check(Nameserver, &[("1.2.3.4:53", "1.2.3.4:53 dgram"), ("tcp@1.2.3.4:53", "1.2.3.4:53")]);
    check(Nameserver, &[("fd@3", "! a file descriptor is not acceptable here in 'fd@3'")]);
    check(DgramBind, &[(":514-515", "0.0.0.0:514 to 515 dgram"), ("fd@3", "fd 3 dgram")]);
    check(DgramBind, &[("tcp@:514", "! stream-type address not acceptable in 'tcp@:514'")]);
    check(DgramBind, &[("quic4@:514", "! stream-type address not acceptable in 'quic4@:514'")]);
    check(Plain, &[("*", "0.0.0.0:0 noport"), (":80", "0.0.0.0:80")]);
}

proptest! {
    #[test]
    fn written_addresses_are_read_back(ip: [u8; 4], v6: [u8; 16], port in 1u16.., high in 1u16..) {
        let v4 = SocketAddr::new(IpAddr::from(ip), port);
        prop_assert_eq!(parse(&v4.to_string(), Bind).unwrap().kind, AddrKind::Ip(v4));
        let v6 = SocketAddr::new(IpAddr::from(v6), port);
        prop_assert_eq!(parse(&v6.to_string(), Server).unwrap().kind, AddrKind::Ip(v6));
        prop_assert_eq!(parse(&format!("{}:{port}", v6.ip()), Server).unwrap().kind, AddrKind::Ip(v6));
        let range = parse(&format!("{v4}-{high}"), Bind);
        prop_assert_eq!(range.map(|a| a.port_high).ok(), (high >= port).then_some(high));
    }

    #[test]
    fn any_text_is_an_address_or_an_error(text in "(stream[+]|quic4@|ipv6@|fd@|rhttp@|[\\[\\]:@/+0-9%*,-])([\\[\\]:@/+0-9%*,-]{0,12})") {
        for usage in USES {
            if let Ok(addr) = parse(&text, usage) {
                prop_assert_eq!(&*addr.text, text.as_str());
            }
            let _ = parse_list(&text, usage);
        }
    }
}
