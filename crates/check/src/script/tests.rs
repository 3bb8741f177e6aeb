//! Scripts from configuration lines, and their requests.

use super::*;
use hawser_cfg::diag::Diags;
use hawser_cfg::model::{CheckKind, Config, Proxy, ProxyKind, RuleLine, ServiceCheck};
use hawser_cfg::pos::Word;
use hawser_sample::Ctx;

/// Cuts a line at blanks; `_` stands for a blank within a word.
pub(crate) fn words(line: &str) -> Vec<Word> {
    line.split(' ').map(|w| Word::synthetic(&w.replace('_', " ").replace("\\r\\n", "\r\n"))).collect()
}

/// A backend whose check is `option` and `rules`.
pub(crate) fn proxy(option: &str, rules: &[&str]) -> Proxy {
    let all = words(option);
    let check_kind = match all[0].as_str() {
        "httpchk" => CheckKind::Http(all[1..].to_vec()),
        "tcp-check" => CheckKind::TcpRules,
        "" => CheckKind::Tcp,
        "redis-check" => CheckKind::Service(ServiceCheck::Redis),
        "ssl-hello-chk" => CheckKind::Service(ServiceCheck::Tls),
        "mysql-check" => CheckKind::Service(ServiceCheck::Mysql(None)),
        "smtpchk" => CheckKind::Service(ServiceCheck::Smtp("HELO localhost".into())),
        other => panic!("option {other}"),
    };
    let check_rules =
        rules.iter().map(|r| RuleLine { pos: Default::default(), words: words(r).into() }).collect();
    Proxy { name: "be".into(), kind: ProxyKind::Backend, check_kind, check_rules, ..Proxy::default() }
}

pub(crate) fn script(option: &str, rules: &[&str]) -> (Script, Diags) {
    let mut diags = Diags::default();
    let s = compile(&Config::default(), 0, &proxy(option, rules), &mut diags);
    (s, diags)
}

fn requests(s: &Script) -> Vec<String> {
    let all = s.steps.iter().filter_map(|s| match &s.action {
        Action::Request(r) => Some(String::from_utf8(r.render(None, &Ctx::EMPTY)).unwrap()),
        _ => None,
    });
    all.collect()
}

/// Steps as words with their numbers.
fn shape(s: &Script) -> String {
    let steps = s.steps.iter().map(|s| format!("{}:{}", s.number, s.describe()));
    steps.collect::<Vec<_>>().join(", ")
}

#[test]
fn requests_are_haproxys() {
    // What HAProxy 3.4 sends.
    let cases: &[(&str, &[&str], &[&str])] = &[
        ("httpchk", &[], &["OPTIONS / HTTP/1.0\r\n\r\n"]),
        (
            "httpchk GET /foo HTTP/1.1 www.x",
            &[],
            &["GET /foo HTTP/1.1\r\nhost: www.x\r\nconnection: close\r\n\r\n"],
        ),
        (
            "httpchk",
            &["http-check send meth POST uri /x ver HTTP/1.1 hdr Host a.b hdr X-Y %[str(z)] body hello"],
            &[
                "POST /x HTTP/1.1\r\nhost: a.b\r\nx-y: z\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello",
            ],
        ),
        ("httpchk", &["http-check send ver HTTP/1.1"], &["OPTIONS / HTTP/1.1\r\nconnection: close\r\n\r\n"]),
        (
            "httpchk /uri",
            &["http-check send hdr Connection keep-alive"],
            &["OPTIONS /uri HTTP/1.0\r\nconnection: keep-alive\r\n\r\n"],
        ),
        (
            "httpchk GET /z HTTP/1.1 h",
            &[
                "http-check connect port 1",
                "http-check send uri /a",
                "http-check expect status 200",
                "http-check connect port 2",
                "http-check send uri /b",
            ],
            &["GET /a HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n", "OPTIONS /b HTTP/1.0\r\n\r\n"],
        ),
        (
            "httpchk GET /z HTTP/1.1 h",
            &["http-check connect port 1"],
            &["GET /z HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n"],
        ),
        (
            "httpchk GET /z HTTP/1.1 h",
            &["http-check comment foo", "http-check send uri /c hdr Host zz hdr Content-Length 7"],
            &["GET /c HTTP/1.1\r\nhost: zz\r\nconnection: close\r\n\r\n"],
        ),
        (
            "httpchk GET http://u.v/z HTTP/1.1",
            &["http-check send hdr Host zz"],
            &["GET http://zz/z HTTP/1.1\r\nhost: zz\r\nconnection: close\r\n\r\n"],
        ),
        ("httpchk", &["http-check send hdr X %[str(a),hex]"], &["OPTIONS / HTTP/1.0\r\nx: 61\r\n\r\n"]),
    ];
    for (option, rules, want) in cases {
        let (s, diags) = script(option, rules);
        assert!(diags.list.is_empty(), "{:?}", diags.list);
        assert_eq!(requests(&s), *want, "{option} {rules:?}");
    }
}

#[test]
fn formats_cannot_end_a_line() {
    let mut r = Request::default();
    r.headers.push(("x".into(), Data::Fixed(b"a\r\nb: c\0".to_vec())));
    r.uri = Data::Fixed(b"/a\nb".to_vec());
    assert_eq!(r.render(None, &Ctx::EMPTY), b"OPTIONS /ab HTTP/1.0\r\nx: ab: c\r\n\r\n");
}

#[test]
fn shapes() {
    let cases: &[(&str, &[&str], &str)] = &[
        ("", &[], ""),
        ("tcp-check", &[], ""),
        ("httpchk", &[], "0:send, 2:expect HTTP status codes"),
        ("httpchk", &["http-check expect rstatus ^2"], "0:send, 1:expect HTTP status regex"),
        ("httpchk", &["http-check send uri /"], "1:send, 2:expect HTTP status codes"),
        (
            "tcp-check",
            &["tcp-check connect port 25", "tcp-check expect string 220", "tcp-check send QUIT\\r\\n"],
            "1:connect port 25, 2:expect string '220', 3:send",
        ),
        (
            "tcp-check",
            &["tcp-check comment hop", "tcp-check send-binary 41420d", "tcp-check expect rbinary ^32"],
            "2:send, 3:expect binary regex",
        ),
        // Rules of the other kind do not count.
        ("tcp-check", &["http-check expect status 200"], ""),
    ];
    for (option, rules, want) in cases {
        let (s, diags) = script(option, rules);
        assert!(diags.list.is_empty(), "{:?}", diags.list);
        assert_eq!(shape(&s), *want, "{option} {rules:?}");
    }
}

#[test]
fn wrong_lines_are_refused() {
    let cases: &[(&str, &[&str], &str)] = &[
        (
            "tcp-check",
            &["tcp-check expect"],
            "'tcp-check expect' : expects at least a matching pattern as arguments.",
        ),
        (
            "tcp-check",
            &["tcp-check expect string"],
            "'tcp-check expect' : 'string' expects a <pattern> as argument.",
        ),
        ("tcp-check", &["tcp-check expect foo bar"], "or comment but got 'foo' as argument.."),
        ("tcp-check", &["tcp-check expect string a b"], "or comment but got 'b' as argument.."),
        ("tcp-check", &["tcp-check expect status 200"], "or comment but got 'status' as argument.."),
        ("tcp-check", &["tcp-check expect rstring [a"], "'tcp-check expect' : regex '[a' is invalid"),
        (
            "tcp-check",
            &["tcp-check expect binary 3"],
            "'tcp-check expect' : invalid binary string (an even number of hex digit is expected).",
        ),
        (
            "tcp-check",
            &["tcp-check expect ok-status foo string a"],
            "'ok-status' only supports 'L4OK', 'L6OK', 'L7OK' or 'L7OKC' status (got 'foo')",
        ),
        ("tcp-check", &["tcp-check send"], "'tcp-check send' : 'string' expects a send as argument."),
        (
            "tcp-check",
            &["tcp-check send a b"],
            "'tcp-check send' : expects 'comment' but got 'b' as argument..",
        ),
        (
            "tcp-check",
            &["tcp-check send-binary 4"],
            "'4' invalid binary string (an even number of hex digit is expected)",
        ),
        ("tcp-check", &["tcp-check connect foo"], "'linger', 'default' but got 'foo' as argument.."),
        (
            "tcp-check",
            &["tcp-check connect port 99999"],
            "expects a valid TCP port (from range 1 to 65535) or a sample expression, got 99999..",
        ),
        (
            "tcp-check",
            &["tcp-check connect port"],
            "'port' expects a port number or a sample expression as argument..",
        ),
        ("tcp-check", &["tcp-check connect ssl"], "'ssl' is not supported yet (TLS)"),
        ("tcp-check", &["tcp-check send x", "tcp-check connect"], "first step MUST also be a 'connect'"),
        ("tcp-check", &["tcp-check comment"], "'tcp-check comment' : expects a string as argument."),
        (
            "tcp-check",
            &["tcp-check set-var(check.x) int(1)"],
            "is not supported yet (variables of health checks)",
        ),
        ("httpchk", &["http-check expect foo"], "or comment but got 'foo' as argument.."),
        (
            "tcp-check",
            &["http-check expect status abc"],
            "'http-check expect' : invalid character 'a' in the list of status codes.",
        ),
        (
            "httpchk",
            &["http-check expect status abc"],
            "'http-check expect' : invalid character 'a' in the list of status codes.",
        ),
        (
            "httpchk",
            &["http-check expect hdr foo"],
            "'hdr' expects at the name keyword as first argument followed by a pattern.",
        ),
        (
            "httpchk",
            &["http-check expect hdr name a value -m foo b"],
            "'hdr' : '-m' only supports 'str', 'beg', 'end', 'sub' or 'reg' (got 'foo').",
        ),
        ("httpchk", &["http-check send foo"], "'hdr', 'body' or 'body-lf' but got 'foo' as argument.."),
        (
            "httpchk",
            &["http-check send hdr a"],
            "'http-check send' : 'hdr' expects <name> and <value> as arguments.",
        ),
        (
            "httpchk",
            &["http-check expect status 200", "http-check send uri /c"],
            "'http-check send' : unable to add http-check send rule at step 2 (missing connect rule)..",
        ),
    ];
    for (option, rules, want) in cases {
        let (_, diags) = script(option, rules);
        let texts: Vec<&str> = diags.list.iter().map(|d| d.text.as_str()).collect();
        assert!(texts.len() == 1 && texts[0].contains(want), "{rules:?}: {texts:?}");
    }
}

#[test]
fn hexadecimal() {
    let cases: &[(&str, Option<&[u8]>)] =
        &[("", Some(b"")), ("41420d0A", Some(b"AB\r\n")), ("4", None), ("4g", None), ("+1", None)];
    for (digits, want) in cases {
        assert_eq!(unhex(digits.as_bytes()).as_deref(), *want, "{digits}");
    }
}
