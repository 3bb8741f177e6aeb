//! Cookie persistence, as clients and servers see it.

use hawser_testkit::wire::ask;
use hawser_testkit::{Hawser, Origin, binary, free_port};

fn bin() -> &'static str {
    binary(env!("CARGO_BIN_EXE_hawser"))
}

/// An origin that tells which cookies it got, and sets two.
fn origin() -> Origin {
    Origin::http(|r| {
        let got = r.field("cookie").unwrap_or("-").to_owned();
        format!(
            "HTTP/1.1 200 OK\r\nSet-Cookie: SRV=app; Path=/q\r\nSet-Cookie: X=1\r\nETag: x\r\nX-Got: {got}\r\n\
             Content-Length: 0\r\n\r\n"
        )
        .into_bytes()
    })
}

/// A backend's cookie line, the cookie sent, the one that the server gets, the values of Set-Cookie.
type Case = (&'static str, &'static str, &'static str, &'static [&'static str]);

#[rustfmt::skip]
const CASES: &[Case] = &[
    ("SRV insert", "SRV=B", "SRV=B", &["X=1"]),
    ("SRV insert", "SRV=none; a=1", "SRV=none; a=1", &["X=1", "SRV=B; path=/"]),
    ("SRV insert", "", "-", &["X=1", "SRV=B; path=/"]),
    ("SRV insert indirect", "SRV=B", "-", &["X=1"]),
    ("SRV insert indirect", "a=1; SRV=B; c=2", "a=1; c=2", &["X=1"]),
    ("SRV insert indirect", "SRV=B; a=1; SRV=A", "a=1", &["X=1"]),
    ("SRV insert indirect", "SRV=B;$Path=/; a=1", "a=1", &["X=1"]),
    ("SRV insert indirect httponly secure domain .x.example attr SameSite=None", "", "-",
        &["X=1", "SRV=B; path=/; domain=.x.example; HttpOnly; Secure; SameSite=None"]),
    ("SRV insert preserve", "SRV=B", "SRV=B", &["SRV=app; Path=/q", "X=1"]),
    ("SRV insert postonly", "", "-", &["X=1"]),
    ("SRV prefix", "SRV=B~app; a=1", "SRV=app; a=1", &["SRV=B~app; Path=/q", "X=1"]),
    ("SRV prefix", "a=1", "a=1", &["SRV=B~app; Path=/q", "X=1"]),
    ("SRV rewrite", "SRV=B", "SRV=B", &["SRV=B; Path=/q", "X=1"]),
    ("SRV", "SRV=B", "SRV=B", &["SRV=app; Path=/q", "X=1"]),
    // What once made HAProxy loop for ever (CVE-2019-14241), and relatives of it.
    ("SRV insert indirect", ",SRV=B", "-", &["X=1"]),
    ("SRV insert indirect", ";;=;,SRV=B", ";;=;", &["X=1"]),
    ("SRV insert indirect", "SRV=B;", "-", &["X=1"]),
    ("SRV insert indirect", "SRV", "SRV", &["X=1", "SRV=B; path=/"]),
    ("SRV insert indirect", "\"SRV=B", "\"SRV=B", &["X=1", "SRV=B; path=/"]),
    ("SRV insert indirect maxidle 1h maxlife 2h", "SRV=B|zz|", "-", &["X=1", "SRV=B|DATES"]),
];

#[test]
fn cookie_lines_do_what_they_say() {
    let o = origin();
    let ports: Vec<u16> = CASES.iter().map(|_| free_port()).collect();
    let mut cfg = String::from(
        "defaults\n  mode http\n  timeout connect 2s\n  timeout client 5s\n  timeout server 5s\n",
    );
    for (i, (case, port)) in CASES.iter().zip(&ports).enumerate() {
        // A is there only to be named: B takes all that is free to go where it wants.
        cfg += &format!(
            "listen l{i}\n  bind 127.0.0.1:{port}\n  cookie {}\n  server a 127.0.0.1:{o} cookie A weight 0\n  \
             server b 127.0.0.1:{o} cookie B\n",
            case.0,
            o = o.port(),
        );
    }
    let _h = Hawser::start(bin(), &cfg, &ports);
    for ((line, sent, got, set), port) in CASES.iter().zip(&ports) {
        let cookie = if sent.is_empty() { String::new() } else { format!("Cookie: {sent}\r\n") };
        let r = ask(*port, format!("GET / HTTP/1.1\r\nHost: x\r\n{cookie}\r\n"));
        assert_eq!((r.status, r.field("x-got").unwrap_or_default()), (200, *got), "{line} / {sent}");
        let answered: Vec<&str> = r
            .head
            .lines()
            .filter_map(|l| l.split_once(": ").filter(|f| f.0.eq_ignore_ascii_case("set-cookie")))
            .map(|f| f.1.trim_end())
            .collect();
        let same = |(a, want): (&&str, &&str)| match want.strip_suffix("DATES") {
            Some(start) => a.starts_with(start) && a.len() == start.len() + "AAAAA|AAAAA; path=/".len(),
            None => a == want,
        };
        let equal = answered.len() == set.len() && answered.iter().zip(*set).all(same);
        assert!(equal, "{line} / {sent}: {answered:?}");
    }
}
