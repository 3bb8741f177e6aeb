//! Conditions: truth with missing input, warnings, scopes, lists from files.

use super::*;
use crate::checkpoint::Checkpoint;
use crate::compile::CompileCx;
use crate::ctx::Payload;
use crate::fixture::Fixture;
use hawser_cfg::diag::{Diags, Severity};
use hawser_cfg::model::RuleLine;
use hawser_cfg::pos::{FileId, Word};

fn words(text: &str) -> Vec<Word> {
    text.split(' ').map(Word::synthetic).collect()
}

/// Truth of a condition on bytes of a TCP stream, while more may come and when none will.
fn check(text: &str, data: &[u8], partial: Tri, last: Tri) {
    let f = Fixture::new();
    let c = f.compile(|cx| Cond::parse(cx, &words(text))).expect("a valid condition");
    let mut ctx = f.ctx();
    ctx.req = None;
    for (more, expected) in [(true, partial), (false, last)] {
        ctx.partial = more;
        ctx.req_data = Some(Payload { data, complete: !more });
        assert_eq!(c.test(&ctx), expected, "{text} with {data:?}, more: {more}");
    }
}

#[test]
fn missing_input_is_unknown() {
    use Tri::{No, Unknown, Yes};
    check("if { req.len gt 5 }", b"abc", Unknown, No);
    check("if { req.len gt 5 }", b"abcdef", Yes, Yes);
    check("if { req.len eq -- 6 }", b"abcdef", Yes, Yes);
    check("if { req.len eq -- 0 }", b"abcdef", Unknown, No);
    check("if ! { req.len gt 5 }", b"abc", Unknown, Yes);
    check("unless { req.len gt 5 }", b"abc", Unknown, Yes);
    check("if { req.payload(0,3) -m bin 616263 }", b"ab", Unknown, No);
    check("if { req.payload(0,3) -m bin 616263 }", b"abcd", Yes, Yes);
    check("if { req.payload(0,3) -m bin 616263 }", b"xbcd", Unknown, No);
    check("if WAIT_END", b"", Unknown, Yes);
    check("if FALSE WAIT_END", b"", No, No);
    check("if TRUE or WAIT_END", b"", Yes, Yes);
    check("if WAIT_END or TRUE", b"", Yes, Yes);
    check("if { src 10.0.0.0/8 }", b"", No, No);
    check("if HTTP", b"GET / HTTP/1.1\r\nHost: h\r\n", Yes, Yes);
    check("if { req.ssl_hello_type 1 }", b"\x16\x03\x01", Unknown, No);
}

#[test]
fn nothing_is_unknown_outside_of_inspection() {
    let f = Fixture::new();
    let c = f
        .compile(|cx| Cond::parse(cx, &words("if { req.payload(0,3) -m found }")))
        .expect("a valid condition");
    let mut ctx = f.ctx();
    ctx.req_data = Some(Payload { data: b"", complete: false });
    assert_eq!(c.test(&ctx), Tri::No);
}

/// Warnings of a condition at a place.
fn warnings(declare: &[&str], cond: &str, at: Checkpoint, what: &str) -> Vec<String> {
    let f = Fixture::new();
    let mut diags = Diags::default();
    let mut cx = CompileCx::new(&f.config, &mut diags);
    for d in declare {
        Acls::declare(&mut cx, &words(d)).expect("a valid ACL");
    }
    cx.at = Some(at);
    what.clone_into(&mut cx.what);
    Cond::parse(&mut cx, &words(cond)).expect("a valid condition");
    diags.list.into_iter().filter(|d| d.severity == Severity::Warning).map(|d| d.text).collect()
}

#[test]
fn conditions_that_never_hold_are_pointed_out() {
    let at = Checkpoint::FeTcpReqConn;
    assert_eq!(
        warnings(&[], "if { path /x }", at, "tcp-request connection"),
        [
            "anonymous acl will never match in 'tcp-request connection' because it uses keyword 'path' which is \
          incompatible with 'frontend tcp-request connection rule'"
        ]
    );
    assert_eq!(
        warnings(&["a path /x"], "if a", at, "tcp-request connection"),
        ["acl 'a' will never match in 'tcp-request connection' because it only involves keywords that are \
          incompatible with 'frontend tcp-request connection rule'"]
    );
    // One alternative that works is enough.
    assert!(warnings(&["a path /x", "a src 10.0.0.1"], "if a", at, "tcp-request connection").is_empty());
    assert!(warnings(&[], "if { path /x }", Checkpoint::FeHttpReqHdr, "http-request").is_empty());
}

#[test]
fn methods_that_do_not_count_are_pointed_out() {
    let one = |c: &str| warnings(&[], c, Checkpoint::FeHttpReqHdr, "http-request").len();
    for (cond, count) in [
        ("if { path -m reg A }", 0),
        ("if { path,upper A }", 0),
        ("if { hdr(x) -m str A }", 0),
        ("if { path_beg -m beg A }", 0),
        ("if { path_beg -m reg A }", 1),
        ("if { path_beg,upper A }", 1),
        ("if { path_beg,upper -m beg A }", 0),
        ("if { path_len,upper -m beg A }", 1),
        ("if { method -m reg A }", 1),
        ("if { method,upper A }", 1),
        ("if { method GET }", 0),
        ("if { path }", 1),
        ("if { path -- }", 0),
        ("if { path -m found }", 0),
    ] {
        assert_eq!(one(cond), count, "{cond}");
    }
}

#[test]
fn acls_exist_from_their_line_on() {
    let f = Fixture::new();
    let mut diags = Diags::default();
    let mut cx = CompileCx::new(&f.config, &mut diags);
    let at = |line| Pos { file: FileId(0), line };
    let line = |n, text: &str| RuleLine { pos: at(n), words: words(text).into() };
    Acls::compile(&mut cx, &[line(5, "a path /x"), line(7, "b/c path /x"), line(9, "a path /p/a")]);
    cx.pos = at(4);
    assert!(Cond::parse(&mut cx, &words("if a")).is_err());
    cx.pos = at(6);
    let c = Cond::parse(&mut cx, &words("if a")).expect("declared above");
    assert!(c.eval(&f.ctx()), "both lines count");
    assert_eq!(c.pos(), at(6));
    assert_eq!(c.acls().map(|a| a.exprs.len()).collect::<Vec<_>>(), [2]);
    let texts: Vec<_> = diags.list.iter().map(|d| d.text.as_str()).collect();
    assert_eq!(texts, ["character '/' is not permitted in acl name 'b/c'."]);
}

#[test]
fn lists_come_from_files() {
    let dir = std::env::temp_dir();
    let path = dir.join(format!("hawser-acl-{}", std::process::id()));
    std::fs::write(&path, "/p/a\n# no\n /x \n").expect("a writable directory");
    let f = Fixture::new();
    let name = path.to_string_lossy().into_owned();
    let test = |text: &str| {
        let c = f.compile(|cx| Cond::parse(cx, &words(&text.replace("FILE", &name))));
        c.map(|c| c.eval(&f.ctx())).map_err(|e| e.text)
    };
    assert_eq!(test("if { path -f FILE }"), Ok(true));
    assert_eq!(test("if { str(/P/A) -f FILE }"), Ok(false));
    assert_eq!(test("if { str(/P/A) -i -f FILE }"), Ok(true));
    assert_eq!(test("if { str(/P/A) -f FILE -i /b }"), Ok(false));
    assert_eq!(test("if { str(/P/A) -f FILE -i /p/a }"), Ok(true));
    assert_eq!(test("if { path -m beg -f FILE }"), Ok(true));
    assert_eq!(test("if { path -f opt@/nonexistent -f virt@x -f file@FILE }"), Ok(true));
    let bad = test("if { src -f FILE }").err().unwrap_or_default();
    assert_eq!(bad, format!("'/p/a' is not a valid IPv4 or IPv6 address at line 1 of file '{name}'"));
    std::fs::remove_file(&path).expect("the file written above");
}
