use super::NameMatch;
use crate::testing::{World, message};
use crate::txn::{Room, Verdict};
use hawser_http::Head;

/// Fields of a request after rules, without Host.
fn fields(request: &str, rules: &[&str]) -> Vec<String> {
    let mut w = World::new(request);
    let v = w.run(rules);
    assert!(matches!(v, Verdict::Continue), "{v:?}");
    show(&w.req)
}

fn show(head: &Head) -> Vec<String> {
    let s = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
    head.iter().filter(|f| f.0 != b"Host").map(|(n, v)| format!("{}: {}", s(n), s(v))).collect()
}

const REQUEST: &str = "GET /p HTTP/1.1\nX-A: 1\nx-b: 2\nX-a: 3";

#[test]
fn fields_are_set_added_and_deleted() {
    let set = fields(REQUEST, &["http-request set-header x-A new"]);
    assert_eq!(set, ["x-b: 2", "x-A: new"]);
    let add = fields(REQUEST, &["http-request add-header X-A \"%[path] %[str(z)]\""]);
    assert_eq!(add, ["X-A: 1", "x-b: 2", "X-a: 3", "X-A: /p z"]);
    let del = fields(REQUEST, &["http-request del-header X-A"]);
    assert_eq!(del, ["x-b: 2"]);
    let missing = fields(REQUEST, &["http-request del-header X-Z", "http-request replace-header X-Z .* b"]);
    assert_eq!(missing, ["X-A: 1", "x-b: 2", "X-a: 3"]);
}

#[test]
fn names_are_matched_as_asked() {
    let request = "GET / HTTP/1.1\nabc: 1\nABD: 2\nxAbc: 3\ncba: 4";
    for (args, kept) in [
        ("abc", &["ABD: 2", "xAbc: 3", "cba: 4"][..]),
        ("AbC -m str", &["ABD: 2", "xAbc: 3", "cba: 4"]),
        ("AB -m beg", &["xAbc: 3", "cba: 4"]),
        ("BC -m end", &["ABD: 2", "cba: 4"]),
        ("AB -m sub", &["cba: 4"]),
        ("^.b[cd]$ -m reg", &["xAbc: 3", "cba: 4"]),
    ] {
        assert_eq!(fields(request, &[&format!("http-request del-header {args}")]), kept, "{args}");
    }
    assert!(!NameMatch::End.test(b"a", b"abc"));
    assert!(!NameMatch::Beg.test(b"a", b"abc"));
    assert!(!NameMatch::Sub.test(b"a", b"abc"));
}

#[test]
fn values_are_rewritten_whole_or_one_by_one() {
    let request = "GET /p HTTP/1.1\nX-R: xxabcyy\nX-V: a, bb ,\"b,c\", b\nx-v: bz\nX-N: none";
    for (rule, want) in [
        (r#"replace-header x-r a(.)c "<\1\2%[path]>""#, "X-R: <b/p>"),
        (r#"replace-value x-r a(.)c "<\1>""#, "X-R: <b>"),
        (r#"replace-value X-V ^b(.*)$ "<\1>""#, "X-V: a,<b>,\"b,c\",<>"),
        (r#"replace-value X-V ^b(.*)$ "<\1>""#, "x-v: <z>"),
        (r#"replace-header X-V ^b(.*)$ "<\1>""#, "X-V: a, bb ,\"b,c\", b"),
        (r#"replace-header X-N xyz "<\1>""#, "X-N: none"),
    ] {
        let got = fields(request, &[&format!("http-request {rule}")]);
        assert!(got.iter().any(|f| f == want), "{rule}: {got:?}");
    }
}

#[test]
fn values_cannot_split_a_message() {
    for (value, want) in [
        ("a\r\nX-Evil: 1", "a%0D%0AX-Evil: 1"),
        ("a\nb", "a%0Ab"),
        ("nul\0", "nul%00"),
        ("tab\tand \u{e9}", "tab\tand \u{e9}"),
    ] {
        for rule in ["set-header", "add-header"] {
            let got = fields("GET / HTTP/1.1", &[&format!("http-request {rule} X \"%[str({value})]\"")]);
            assert_eq!(got, [format!("X: {want}")]);
        }
        let rule = format!("http-request replace-header X .* \"%[str({value})]\"");
        assert_eq!(fields("GET / HTTP/1.1\nX: y", &[&rule]), [format!("X: {want}")]);
    }
    // A replacement may also spell the byte.
    let mut w = World::new("GET / HTTP/1.1\nX: y");
    assert!(matches!(w.run(&[r"http-request replace-header X .* a\x0ab"]), Verdict::Error));
    assert_eq!(show(&w.req), ["X: y"]);
}

#[test]
fn rewrites_stay_inside_the_buffer() {
    let value = "v".repeat(60);
    let rules = [
        format!("http-request set-header a {value}"),
        "http-request strict-mode off".to_owned(),
        format!("http-request set-header b {value}"),
        "http-request strict-mode on".to_owned(),
        format!("http-request add-header c {value}"),
        "http-request set-header d never".to_owned(),
    ];
    let rules: Vec<_> = rules.iter().map(String::as_str).collect();
    let mut w = World::new("GET / HTTP/1.1\nHost: a");
    w.room = Room { bufsize: 2048, held: 2048 - 128 };
    assert!(matches!(w.run(&rules), Verdict::Error));
    assert_eq!(w.asks.failed_rewrites, 2);
    assert_eq!(show(&w.req), [format!("a: {value}")]);
    assert_eq!(w.strm.final_rule.as_ref().map(|r| r.1), Some(105));
    w.room = Room::default();
    assert!(matches!(w.run(&rules), Verdict::Continue));
}

#[test]
fn the_host_of_an_absolute_target_follows_the_field() {
    for (target, rule, want) in [
        ("http://old/x", "set-header Host new:81", "http://new:81/x"),
        ("http://old/x", "add-header host new", "http://new/x"),
        ("http://old/x", "replace-header Host .* repl", "http://repl/x"),
        ("http://old/x", "del-header Host", "http://old/x"),
        ("/x", "set-header Host new", "/x"),
        ("*", "set-header Host new", "*"),
    ] {
        let mut w = World::new(&format!("GET {target} HTTP/1.1\nHost: old"));
        w.run(&[&format!("http-request {rule}")]);
        assert_eq!(String::from_utf8_lossy(w.req.target()), want, "{rule}");
    }
}

#[test]
fn responses_have_the_same_actions() {
    let mut w = World::default();
    w.run(&["http-response set-header X-A 1", "http-response add-header X-A 2"]);
    assert_eq!(show(&w.res), ["X-A: 1", "X-A: 2"]);
    assert_eq!(show(&w.req), [""; 0]);
    w.run(&["http-after-response replace-value X-A 2 3"]);
    assert_eq!(show(&w.res), ["X-A: 1", "X-A: 3"]);
}

#[test]
fn early_hints_are_gathered() {
    let mut w = World::default();
    w.run(&["http-request early-hint Link <%[path]>", "http-request early-hint a b"]);
    let hints: Vec<_> = w.asks.early_hints.iter().map(|(n, v)| (&n[..], &v[..])).collect();
    assert_eq!(hints, [(&b"Link"[..], &b"</path>"[..]), (b"a", b"b")]);
    assert_eq!(show(&w.req), [""; 0]);
}

#[test]
fn arguments_are_checked() {
    for (rule, text) in [
        ("set-header", "expects exactly 2 arguments"),
        ("add-header a", "expects exactly 2 arguments"),
        ("early-hint a", "expects exactly 2 arguments"),
        ("del-header", "expects at least 1 argument"),
        ("del-header a -m", "-m flag expects exactly 1 argument"),
        ("del-header a -m foo", "-m with unsupported matching method 'foo'"),
        ("replace-header a b", "expects exactly 3 arguments"),
        ("replace-value a b", "expects exactly 3 arguments"),
        ("set-header a\nb c", "invalid header name 'a\\nb'"),
        ("set-header a %[nope]", "failed to parse sample expression <nope]> : unknown fetch method 'nope'"),
    ] {
        let got = message(&format!("http-request {rule}"));
        let name = rule.split(' ').next().unwrap_or_default();
        let rule = format!("!error detected in proxy 'p' while parsing 'http-request {name}' rule : {text}.");
        assert_eq!(got, rule);
    }
    let warning = message("http-request set-header \"a b\" c");
    assert_eq!(warning, "header name 'a b' contains forbidden character ' '.");
}
