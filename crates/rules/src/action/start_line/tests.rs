use crate::testing::{World, message};
use crate::txn::{Room, Verdict};

/// Request line and Host after one rule.
fn run(request: &str, rule: &str) -> String {
    let mut w = World::new(request);
    let v = w.run(&[&format!("http-request {rule}")]);
    assert!(matches!(v, Verdict::Continue), "{rule}: {v:?}");
    crate::testing::text(&w.req).replace("\nHost: ", " ")
}

#[test]
fn parts_of_the_request_line_are_replaced() {
    for (target, rule, want) in [
        ("/p?x", "set-path /z", "GET /z?x h"),
        ("http://h/p?x", "set-path /z", "GET http://h/z?x h"),
        ("*", "set-path /z", "GET /z h"),
        ("/p?x", "set-path /a%[path]", "GET /a/p?x h"),
        ("/p?x", "set-pathq /z", "GET /z h"),
        ("/p?x", "set-pathq /z?y", "GET /z?y h"),
        ("/p?x", "set-query a=b", "GET /p?a=b h"),
        ("/p", "set-query a=b", "GET /p?a=b h"),
        ("/p?x", "set-query %[str()]", "GET /p? h"),
        ("/p", "set-query %[str()]", "GET /p h"),
        ("/p?x", "set-uri http://abs:9/z?y", "GET http://abs:9/z?y abs:9"),
        ("http://h/p", "set-uri /z", "GET /z h"),
        ("/p", "set-method PUT", "PUT /p h"),
    ] {
        assert_eq!(run(&format!("GET {target} HTTP/1.1\nHost: h"), rule), want, "{rule}");
    }
}

#[test]
fn parts_of_the_request_line_are_rewritten() {
    for (target, rule, want) in [
        ("/bar?q=1", r"replace-path (.*) /foo\1", "GET /foo/bar?q=1 h"),
        ("/foo/bar?q=1", r"replace-path /foo/(.*) /\1", "GET /bar?q=1 h"),
        ("/bar?q=1", r"replace-path /foo/(.*) /\1", "GET /bar?q=1 h"),
        ("/bar?q=1", r"replace-pathq ([^?]*)(\?(.*))? \1/foo\2", "GET /bar/foo?q=1 h"),
        ("/bar", r"replace-pathq ([^?]*)(\?(.*))? \1/foo\2", "GET /bar/foo h"),
        ("http://h/x?y", r"replace-uri ^http://(.*) https://\1", "GET https://h/x?y h"),
        ("http://h/x?y", r"replace-uri ^http://[^/]*(.*) http://other\1", "GET http://other/x?y other"),
        ("/x", r"replace-uri ([^/:]*://[^/]*)?(.*) \1/foo\2", "GET /foo/x h"),
        ("*", r"replace-path .* /", "GET * h"),
    ] {
        assert_eq!(run(&format!("GET {target} HTTP/1.1\nHost: h"), rule), want, "{rule}");
    }
}

#[test]
fn a_request_line_cannot_be_split() {
    for (rule, want) in [
        ("set-path \"/a b\"", "GET /a%20b h"),
        ("set-path \"%[str(/ HTTP/1.1\r\nX: y)]\"", "GET /%20HTTP/1.1%0D%0AX:%20y h"),
        ("set-query \"%[str(a\nb)]\"", "GET /p?a%0Ab h"),
        ("set-uri \"%[str(/\0)]\"", "GET /%00 h"),
        ("replace-path .* \"/%[str(a b)]\"", "GET /a%20b h"),
    ] {
        assert_eq!(run("GET /p HTTP/1.1\nHost: h", rule), want, "{rule}");
    }
    for rule in
        ["set-method \"A B\"", "set-method \"%[str()]\"", "set-uri \"%[str()]\"", r"replace-path .* /\x0a"]
    {
        let mut w = World::new("GET /p HTTP/1.1");
        assert!(matches!(w.run(&[&format!("http-request {rule}")]), Verdict::Error), "{rule}");
        assert_eq!(crate::testing::text(&w.req), "GET /p");
    }
}

#[test]
fn a_request_line_stays_inside_the_buffer() {
    let mut w = World::new("GET /p HTTP/1.1");
    w.room = Room { bufsize: 200, held: 0 };
    let long = format!("http-request set-path /{}", "x".repeat(200));
    assert!(matches!(w.run(&[&long]), Verdict::Error));
    assert_eq!(crate::testing::text(&w.req), "GET /p");
}

#[test]
fn rewriting_again_and_again_does_not_grow_the_head() {
    let long = format!("http-request set-path /{}", "x".repeat(500));
    let mut w = World::new("GET /p?q HTTP/1.1\nHost: h");
    w.room = Room { bufsize: 1024, held: 0 };
    for _ in 0..100 {
        assert!(matches!(w.run(&[&long, "http-request set-header a b"]), Verdict::Continue));
        assert!(w.req.buf.len() <= 4096, "{}", w.req.buf.len());
    }
    assert_eq!(crate::testing::text(&w.req), format!("GET /{}?q\nHost: h\na: b", "x".repeat(500)));
}

#[test]
fn the_status_is_replaced() {
    for (rule, want) in [
        ("set-status 431", "431 Request Header Fields Too Large"),
        ("set-status 503 reason \"Slow Down\"", "503 Slow Down"),
        ("set-status 299", "299 Success"),
    ] {
        let mut w = World::default();
        w.run(&[&format!("http-response {rule}")]);
        assert_eq!(crate::testing::text(&w.res), want);
    }
}

#[test]
fn arguments_are_checked() {
    const STATUS: &str = "expects an integer status code between 100 and 999";
    for (rule, text) in [
        ("http-request set-path", "expects exactly 1 argument <format>"),
        ("http-request set-path /a /b", "expects exactly 1 argument <format>"),
        ("http-request replace-path a", "expects exactly 2 arguments <match-regex> and <replace-format>"),
        ("http-request replace-uri a b c", "expects exactly 2 arguments <match-regex> and <replace-format>"),
        ("http-response set-status", "expects 1 argument: <status>; or 3 arguments: <status> reason <fmt>"),
        ("http-response set-status abc", STATUS),
        ("http-response set-status 99", STATUS),
        ("http-response set-status 1000", STATUS),
    ] {
        let words: Vec<_> = rule.split(' ').take(2).collect();
        let want = format!("!error detected in proxy 'p' while parsing '{}' rule : {text}.", words.join(" "));
        assert_eq!(message(rule), want);
    }
    for rule in ["set-status 200 reason", "set-status 200 foo bar", "set-status 200 reason a b"] {
        assert!(
            message(&format!("http-response {rule}")).contains("expects either 'if' or 'unless'"),
            "{rule}"
        );
    }
}
