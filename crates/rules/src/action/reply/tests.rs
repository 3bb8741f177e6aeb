use crate::testing::{World, compile, config, text};
use crate::txn::{RuleSet, Verdict};
use hawser_cfg::model::{ProxyKind, opt};

/// The reply of a verdict, as text with its body.
fn reply(v: Verdict) -> String {
    let reply = match v {
        Verdict::Return { reply: r, .. }
        | Verdict::Deny { reply: r, .. }
        | Verdict::Tarpit { reply: r, .. }
        | Verdict::Auth(r) => r,
        other => panic!("{other:?}"),
    };
    reply.map_or("silence".into(), |r| format!("{}\n\n{}", text(&r.head), String::from_utf8_lossy(&r.body)))
}

#[test]
fn denials_have_the_status_of_their_action() {
    for (rule, status) in [
        ("http-request deny", 403),
        ("http-request deny deny_status 404", 404),
        ("http-request deny status 404", 404),
        ("http-response deny", 502),
    ] {
        let v = World::default().run(&[rule]);
        assert!(matches!(v, Verdict::Deny { status: s, .. } if s == status), "{rule}");
    }
    let v = World::default().run(&["http-request tarpit"]);
    assert!(matches!(v, Verdict::Tarpit { status: 500, .. }));
}

#[test]
fn replies_are_those_of_the_proxy_or_made_here() {
    let forbidden = "403 Forbidden\ncontent-length: 93\ncache-control: no-cache\ncontent-type: text/html\n\n<html>\
                     <body><h1>403 Forbidden</h1>\nRequest forbidden by administrative rules.\n</body></html>\n";
    for (rule, want) in [
        ("deny", forbidden),
        ("deny deny_status 403", forbidden),
        ("deny status 403 default-errorfiles", forbidden),
        ("deny status 403", "403 Forbidden\ncontent-length: 0\n\n"),
        ("deny hdr X-A %[path]", "403 Forbidden\nX-A: /path\ncontent-length: 0\n\n"),
        ("return", "200 OK\ncontent-length: 0\n\n"),
        ("return status 500", "500 Internal Server Error\ncontent-length: 0\n\n"),
        (
            "return status 299 content-type a/b string \"x%[path]\" hdr a b hdr c %[path]",
            "299 Success\na: b\nc: /path\ncontent-length: 8\ncontent-type: a/b\n\nx%[path]",
        ),
        (
            "return content-type a/b lf-string \"path is %[path]\"",
            "200 OK\ncontent-length: 13\ncontent-type: a/b\n\npath is /path",
        ),
        ("return hdr a %[str()] hdr b \"%[str(x\ny)]\"", "200 OK\nb: x%0Ay\ncontent-length: 0\n\n"),
    ] {
        assert_eq!(reply(World::default().run(&[&format!("http-request {rule}")])), want, "{rule}");
    }
}

#[test]
fn replies_that_never_change_are_made_once() {
    let mut w = World::default();
    let config = config(ProxyKind::Listen, &["http-request return content-type a/b string x hdr a b"]);
    let (rules, _) = compile(&config);
    let mut made = || match w.eval(&rules, RuleSet::HttpReq, 0) {
        Verdict::Return { reply: Some(r), .. } => r,
        other => panic!("{other:?}"),
    };
    assert!(std::sync::Arc::ptr_eq(&made(), &made()));
}

#[test]
fn challenges_name_the_realm() {
    let got = reply(World::default().run(&["http-request auth realm \"a b\""]));
    assert!(got.starts_with("401 Unauthorized\n"), "{got}");
    assert!(got.contains("\nwww-authenticate: Basic realm=\"a b\"\n"), "{got}");
    let got = reply(World::default().run(&["http-request auth"]));
    assert!(got.contains("\nwww-authenticate: Basic realm=\"p\"\n"), "{got}");
}

#[test]
fn proxy_requests_are_challenged_as_such_if_asked() {
    for (target, field, option, status) in [
        ("http://a/", "Proxy-Connection", true, "407"),
        ("http://a/", "Proxy-Connection", false, "401"),
        ("http://a/", "X", true, "401"),
        ("/", "Proxy-Connection", true, "401"),
    ] {
        let mut config = config(ProxyKind::Listen, &["http-request auth"]);
        if option {
            config.proxies[0].options.set |= opt::HTTP_USE_PROXY_HEADER;
        }
        let (rules, _) = compile(&config);
        let mut w = World::new(&format!("GET {target} HTTP/1.1\nHost: a\n{field}: keep-alive"));
        let got = reply(w.eval(&rules, RuleSet::HttpReq, 0));
        assert!(got.starts_with(status), "{target} {field} {option}: {got}");
        let challenge = if status == "407" { "proxy-authenticate" } else { "www-authenticate" };
        assert!(got.contains(&format!("\n{challenge}: Basic")), "{got}");
    }
}
