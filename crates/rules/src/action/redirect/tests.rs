use crate::testing::{World, message, text};
use crate::txn::Verdict;

/// The response to a request for a target of `ex.com:8080`.
fn run(target: &str, rule: &str) -> String {
    let mut w = World::new(&format!("GET {target} HTTP/1.1\nHost: ex.com:8080"));
    match w.run(&[&format!("http-request redirect {rule}")]) {
        Verdict::Redirect(r) => {
            assert!(r.body.is_empty());
            text(&r.head)
        }
        other => panic!("{rule}: {other:?}"),
    }
}

#[test]
fn replies_look_as_their_code_wants() {
    for (code, reason, cached) in [
        (301, "Moved Permanently", true),
        (302, "Found", false),
        (303, "See Other", false),
        (307, "Temporary Redirect", false),
        (308, "Permanent Redirect", true),
    ] {
        let cache = if cached { "" } else { "\ncache-control: no-cache" };
        let want = format!("{code} {reason}\ncontent-length: 0\nlocation: /x{cache}");
        assert_eq!(run("/", &format!("location /x code {code}")), want);
    }
    assert!(run("/", "location /x").starts_with("302 "));
}

#[test]
fn the_location_is_made_as_asked() {
    for (target, rule, want) in [
        ("/p?q=1", "location /x%[path]", "/x/p"),
        ("/p?q=1", "location /x keep-query", "/x?q=1"),
        ("/p?q=1", "location /x?a=b keep-query", "/x?a=b&q=1"),
        ("/p", "location /x keep-query", "/x"),
        ("/p?", "location /x keep-query", "/x"),
        ("/p?q=1", "prefix http://h", "http://h/p?q=1"),
        ("/p?q=1", "prefix http://h drop-query", "http://h/p"),
        ("/p?q=1", "prefix http://h append-slash", "http://h/p?q=1/"),
        ("/p?q=1", "prefix http://h drop-query append-slash", "http://h/p/"),
        ("/p/?q=1", "prefix http://h drop-query append-slash", "http://h/p/"),
        ("/p?q", "prefix /", "/p?q"),
        ("http://ex.com:8080/p?q", "prefix http://h", "http://h/p?q"),
        ("/p?q=1", "scheme https", "https://ex.com:8080/p?q=1"),
        ("/p?q=1", "scheme https drop-query", "https://ex.com:8080/p"),
        ("http://ex.com:8080/p", "scheme https", "https://ex.com:8080/p"),
        ("/p", "location %[str()]", ""),
        ("/p", "location \"%[str(/a\r\nSet-Cookie: x)]\"", "/a%0D%0ASet-Cookie: x"),
    ] {
        let got = run(target, rule);
        let location = got.lines().find_map(|l| l.strip_prefix("location: "));
        assert_eq!(location, Some(want), "{target} {rule}");
    }
}

#[test]
fn cookies_are_set_and_cleared() {
    for (rule, want) in [
        ("set-cookie A=1", "A=1; path=/;"),
        ("set-cookie A=%[path]", "A=%[path]; path=/;"),
        ("set-cookie-fmt A=%[path]", "A=/p; path=/;"),
        ("clear-cookie A=", "A=; path=/; Max-Age=0;"),
    ] {
        let got = run("/p", &format!("location /x {rule}"));
        assert!(got.ends_with(&format!("\nset-cookie: {want}")), "{got}");
    }
}

#[test]
fn an_empty_location_can_be_ignored() {
    let mut w = World::default();
    assert!(matches!(w.run(&["http-request redirect location %[str()] ignore-empty"]), Verdict::Continue));
    assert!(matches!(w.run(&["http-request redirect location %[path] ignore-empty"]), Verdict::Redirect(_)));
}

#[test]
fn arguments_are_checked() {
    let options = "expects 'code', 'prefix', 'location', 'scheme', 'set-cookie', 'set-cookie-fmt', 'clear-cookie', \
                   'drop-query', 'keep-query', 'ignore-empty' or 'append-slash' (was 'foo')";
    for (rule, text) in [
        ("http-request redirect", "redirection type expected ('prefix', 'location', or 'scheme')"),
        ("http-request redirect code 301", "redirection type expected ('prefix', 'location', or 'scheme')"),
        ("http-request redirect location", "missing argument for 'location'"),
        ("http-request redirect location / code", "missing argument for 'code'"),
        ("http-request redirect location / set-cookie", "missing argument for 'set-cookie'"),
        (
            "http-request redirect location / code 200",
            "'code': unsupported HTTP code '200' (must be one of 301, 302, 303, 307 or 308)",
        ),
        ("http-request redirect location / foo", options),
        ("http-response redirect prefix /", "response only supports redirect type 'location'"),
    ] {
        let words: Vec<_> = rule.split(' ').take(2).collect();
        let want = format!("!error detected in proxy 'p' while parsing '{}' rule : {text}.", words.join(" "));
        assert_eq!(message(rule), want);
    }
}
