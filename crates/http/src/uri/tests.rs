use super::*;
use crate::head::Version;

fn s(b: &[u8]) -> &str {
    std::str::from_utf8(b).unwrap()
}

#[test]
fn targets_split_into_their_parts() {
    //    target                      form             scheme   authority  path    query
    type Row = (&'static str, Form, &'static str, &'static str, &'static str, Option<&'static str>);
    #[rustfmt::skip]
    let cases: &[Row] = &[
        ("/",                     Form::Origin,   "",      "",        "/",    None),
        ("/a/b?c=d?e",            Form::Origin,   "",      "",        "/a/b", Some("c=d?e")),
        ("/?",                    Form::Origin,   "",      "",        "/",    Some("")),
        ("//a/b",                 Form::Origin,   "",      "",        "//a/b", None),
        ("*",                     Form::Asterisk, "",      "",        "",     None),
        ("http://a/x",            Form::Absolute, "http",  "a",       "/x",   None),
        ("http://a",              Form::Absolute, "http",  "a",       "",     None),
        ("http://a?q",            Form::Absolute, "http",  "a",       "",     Some("q")),
        ("HTTPS://u:p@[::1]:8/?", Form::Absolute, "HTTPS", "u:p@[::1]:8", "/", Some("")),
        ("a+b.c-d://h/",          Form::Absolute, "a+b.c-d", "h",     "/",    None),
        ("http:///x",             Form::Absolute, "http",  "",        "/x",   None),
    ];
    for (t, form, scheme, authority, path, query) in cases {
        let b = t.as_bytes();
        let p = Target::split(b, false).unwrap();
        assert_eq!(p.form, *form, "{t}");
        assert_eq!(s(&b[p.scheme.clone()]), *scheme, "{t}");
        assert_eq!(s(&b[p.authority.clone()]), *authority, "{t}");
        assert_eq!(s(&b[p.path.clone()]), *path, "{t}");
        assert_eq!(p.query.clone().map(|q| s(&b[q])), *query, "{t}");
    }
    for t in ["", "**", "a", "http:/a", "http:a", "1ttp://a", "://a", "?q", "a/b", "a:80"] {
        assert_eq!(Target::split(t.as_bytes(), false), None, "{t}");
    }
    assert_eq!(Target::split(b"a:80", true).map(|p| p.form), Some(Form::Authority));
}

#[test]
fn authorities_are_names_or_bracketed_addresses_with_a_port_in_digits() {
    type Parts<'a> = Option<(Option<&'a str>, &'a str, Option<&'a str>)>;
    #[rustfmt::skip]
    let cases: &[(&str, Parts<'_>)] = &[
        ("a",            Some((None, "a", None))),
        ("a:80",         Some((None, "a", Some("80")))),
        ("a:",           Some((None, "a", Some("")))),
        ("",             Some((None, "", None))),
        (":80",          Some((None, "", Some("80")))),
        ("u@a",          Some((Some("u"), "a", None))),
        ("u:p@x@a:1",    Some((Some("u:p@x"), "a", Some("1")))),
        ("[::1]",        Some((None, "[::1]", None))),
        ("[fe80::1%25e]:8", Some((None, "[fe80::1%25e]", Some("8")))),
        ("a_b-c.d",      Some((None, "a_b-c.d", None))),
        ("a:b", None), ("a:1:2", None), ("a:+1", None), ("a:123456", None), ("a b", None), ("a,b", None),
        ("a/b", None), ("a#", None), ("a?", None), ("[::1", None), ("[]", None), ("[::1]x", None),
        ("::1", None), ("a\0", None), ("\u{e9}", None), ("a\\b", None),
    ];
    for (text, want) in cases {
        let got = Authority::parse(text.as_bytes());
        assert_eq!(got.map(|a| (a.userinfo.map(s), s(a.host), a.port.map(s))), *want, "{text}");
    }
    assert_eq!(Authority::parse(b"a:65535").and_then(|a| a.port_number()), Some(65535));
    assert_eq!(Authority::parse(b"a:65536").and_then(|a| a.port_number()), None);
    let whole = b"u@a:1";
    assert_eq!(Authority::parse(whole).map(|a| a.host_port(whole)), Some(&b"a:1"[..]));
}

#[test]
fn rewriting_keeps_the_other_parts() {
    type Edit = fn(&mut Head) -> Result<(), Unsafe>;
    let cases: &[(&str, Edit, &str)] = &[
        ("/a?b", |h| h.set_path(b"/x"), "/x?b"),
        ("http://h/a?b", |h| h.set_path(b"/x"), "http://h/x?b"),
        ("http://h?b", |h| h.set_path(b"/x"), "http://h/x?b"),
        ("/a?b", |h| h.set_pathq(b"/x?y"), "/x?y"),
        ("http://h/a?b", |h| h.set_pathq(b"/x"), "http://h/x"),
        ("/a?b", |h| h.set_query(b""), "/a?"),
        ("/a?b", |h| h.set_query(b"c"), "/a?c"),
        ("/a", |h| h.set_query(b"c"), "/a?c"),
        ("/a", |h| h.set_query(b""), "/a"),
        ("/a?b", |h| h.set_uri(b"http://z/"), "http://z/"),
    ];
    for (before, edit, after) in cases {
        let mut h = Head::request(b"GET", before.as_bytes(), Version::H11);
        assert_eq!(edit(&mut h), Ok(()), "{before}");
        assert_eq!(s(h.target()), *after, "{before}");
    }
}

#[test]
fn rewriting_cannot_split_a_request() {
    for bad in [&b"/a b"[..], b"/ HTTP/1.1\r\nX: y", b"/\n", b"/\0", b"/\t", b"/\x7f", b"\r"] {
        for edit in [Head::set_path, Head::set_pathq, Head::set_query, Head::set_uri] {
            let mut h = Head::request(b"GET", b"/o?q", Version::H11);
            assert_eq!(edit(&mut h, bad), Err(Unsafe), "{bad:?}");
            assert_eq!(s(h.target()), "/o?q");
        }
    }
    let mut h = Head::request(b"GET", b"/", Version::H11);
    assert_eq!(h.set_uri(b""), Err(Unsafe), "an empty target is not one");
    assert_eq!(h.rewrite_method(b"A B"), Err(Unsafe));
    assert_eq!(h.rewrite_method(b""), Err(Unsafe));
    assert_eq!(h.rewrite_method(b"PUT"), Ok(()));
    assert_eq!(h.method(), b"PUT");
}

#[test]
fn paths_and_queries_are_found_in_every_form() {
    type Row = (&'static str, Option<&'static str>, Option<&'static str>, Option<&'static str>);
    #[rustfmt::skip]
    let cases: &[Row] = &[
        ("/a?b",         Some("/a"), Some("/a?b"), Some("b")),
        ("/a",           Some("/a"), Some("/a"),   None),
        ("http://h/a?b", Some("/a"), Some("/a?b"), Some("b")),
        ("http://h",     None,       None,         None),
        ("*",            None,       None,         None),
    ];
    for (t, path, pathq, query) in cases {
        let h = Head::request(b"GET", t.as_bytes(), Version::H11);
        assert_eq!((h.path().map(s), h.pathq().map(s), h.query().map(s)), (*path, *pathq, *query), "{t}");
    }
}
