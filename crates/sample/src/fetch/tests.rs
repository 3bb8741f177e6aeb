//! Fetches that need more than a request: raw bytes, responses, effects of converters, the process.

use crate::ctx::{Payload, Write};
use crate::expr::Expr;
use crate::fixture::Fixture;
use crate::value::{Owned, Value};
use crate::vars::{Scope, VarId};
use bytes::Bytes;
use hawser_http::{Head, Version};

/// A ClientHello as OpenSSL 3 sends it to `www.Example.com`, without its padding.
const HELLO: &str = "\
1603010130010001 2c030341f00c7f3bf1d81f13282855aabfef2f22b4109a3a620aa52245f94224493b3a2096117f0cdda0ec6d488bf50bd2adb\
fdda552e519771a67538d16906e1b2a94b10024130213031301c02cc030c02bc02fcca9cca8c024c028c023c027009f009e006b006700ff010000bf\
00000014001200000f7777772e4578616d706c652e636f6d000b000403000102000a00160014001d0017001e001900180100010101020103010400\
2300000010000e000c02683208687474702f312e310016000000170000000d002a0028040305030603080708080809080a080b08040805080604\
0105010601030303010302040205020602002b00050403040303002d00020101003300260024001d002057bbf8861193fd1e09ea2c829eb4235bf8\
c8ab8598d813ba035c3c02bbb4ae2f";

fn hello() -> Vec<u8> {
    crate::pattern::unhex(&HELLO.replace(' ', "")).expect("hexadecimal digits")
}

fn eval(f: &Fixture, data: &[u8], response: bool, text: &str) -> String {
    let e = f.compile(|cx| Expr::parse_str(cx, text)).expect(text);
    let mut ctx = f.ctx();
    if !response {
        ctx.req = None;
        ctx.req_data = Some(Payload { data, complete: true });
    }
    ctx.response = response;
    match e.eval(&ctx) {
        None => "NONE".to_owned(),
        Some(Value::Bin(b)) => b.iter().map(|b| format!("{b:02x}")).collect(),
        Some(v) => String::from_utf8_lossy(&v.into_str()).into_owned(),
    }
}

fn check(data: &[u8], cases: &[(&str, &str)]) {
    let mut f = Fixture::new();
    // A stream of bytes, not of messages.
    f.sess.frontend = std::sync::Arc::new(crate::facts::ProxyFacts::default());
    f.strm.request_line = None;
    for (text, expected) in cases {
        assert_eq!(eval(&f, data, false, text), *expected, "{text}");
    }
}

#[test]
fn client_hello() {
    check(
        &hello(),
        &[
            ("req.ssl_hello_type", "1"),
            ("req.ssl_sni", "www.Example.com"),
            ("req_ssl_sni,lower", "www.example.com"),
            ("req.ssl_ver", "196611"),
            ("req.ssl_alpn", "h2"),
            ("req.ssl_ec_ext", "1"),
            ("req.ssl_st_ext", "1"),
            ("req.ssl_cipherlist,bytes(0,4)", "13021303"),
            ("req.ssl_cipherlist,hex,length", "72"),
            ("req.ssl_supported_groups", "001d0017001e0019001801000101010201030104"),
            ("req.ssl_keyshare_groups", "001d"),
            ("req.ssl_sigalgs,bytes(0,4)", "04030503"),
            ("req.payload(0,3)", "160301"),
            ("req.payload_lv(3,2),hex,length", "608"),
            ("req.payload_lv(3,2,0),bytes(0,5)", "1603010130"),
            ("req.payload_lv(3,2,-2),bytes(0,4)", "01300100"),
            ("req.payload_lv(3,2,+1)", "NONE"),
            ("req.proto_http", "NONE"),
            ("req.rdp_cookie_cnt", "0"),
        ],
    );
}

#[test]
fn broken_hellos_are_no_hellos() {
    let whole = hello();
    for cut in 0..whole.len() {
        check(
            &whole[..cut],
            &[("req.ssl_hello_type", "NONE"), ("req.ssl_sni", "NONE"), ("req.ssl_alpn", "NONE")],
        );
    }
    // Lengths inside that lead beyond the end.
    for at in [43, 76, 77, 114, 115, 118, 119, 121, 124] {
        let mut broken = whole.clone();
        broken[at] = 0xff;
        check(&broken, &[("req.ssl_hello_type", "1")]);
        let f = Fixture::new();
        let _ = eval(&f, &broken, false, "req.ssl_sni");
    }
    check(b"GET / HTTP/1.1\r\n", &[("req.ssl_ver", "NONE"), ("req.ssl_hello_type", "NONE")]);
}

#[test]
fn other_bytes() {
    let mut rdp = b"\x03\x00\x00\x2a\x25\xe0\0\0\0\0\0Cookie: mstshash=user1\r\n".to_vec();
    rdp.extend_from_slice(b"\x01\x00\x08\x00\x03\x00\x00\x00");
    check(
        &rdp,
        &[
            ("req.rdp_cookie", "user1"),
            ("req.rdp_cookie(MSTSHASH)", "user1"),
            ("req.rdp_cookie(x)", "NONE"),
            ("req.rdp_cookie_cnt", "1"),
            ("req.rdp_cookie_cnt(x)", "0"),
            ("req.payload(3,0),length", "3"),
            ("req.payload(99,0)", "NONE"),
            ("req.payload(0,99)", "NONE"),
            ("req.len", "43"),
        ],
    );
    check(
        b"GET /x HTTP/1.1\r\nHost: h\r\n\r\n",
        &[("req.proto_http", "1"), ("req.payload(0,3)", "474554"), ("req.ssl_hello_type", "NONE")],
    );
    check(b"GET /x HTTP/1.1\r\nHost: h\r\n", &[("req.proto_http", "NONE")]);
    check(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &[("req.proto_http", "1")]);
    check(b"GET /x SMTP/1.1\r\n\r\n", &[("req.proto_http", "NONE")]);
    check(b"", &[("req.len", "0"), ("req.payload(0,0)", ""), ("req.proto_http", "NONE")]);
}

#[test]
fn responses() {
    let mut f = Fixture::new();
    let mut res = Head::response(Version::H10, 404, b"Not Found");
    for (n, v) in [
        ("Set-Cookie", "a=1; Path=/; b=2"),
        ("set-cookie", "c=\"x;y\"; Secure"),
        ("Set-Cookie", "a=3"),
        ("X-A", "one, two"),
        ("X-B", " set by a rule "),
    ] {
        res.add(n.as_bytes(), v.as_bytes());
    }
    f.res = Some(res);
    f.strm.server_status = 503;
    for (text, expected) in [
        ("res.cook(a)", "3"),
        ("res.cook(b)", "NONE"),
        ("res.cook(c)", "\"x;y\""),
        ("res.cook", "1"),
        ("res.cook_cnt", "3"),
        ("res.cook_cnt(a)", "2"),
        ("res.cook_names", "a,c,a"),
        ("scook_val(a)", "3"),
        ("cookie(a)", "3"),
        ("hdr(x-a)", "two"),
        ("res.hdr(x-a,1)", "one"),
        ("res.fhdr(x-a)", "one, two"),
        ("res.fhdr(x-b)", "set by a rule"),
        ("res.hdr(x-b)", "set by a rule"),
        ("shdr_cnt(x-a)", "2"),
        ("status", "404"),
        ("server_status", "503"),
        ("txn.status", "200"),
        ("res.ver", "1.0"),
        ("capture.res.ver", "HTTP/1.0"),
        ("capture.res.hdr(0)", "re s\"p{|}#"),
        ("capture.res.hdr(1)", "NONE"),
        ("be_name", "be"),
        ("srv_name", "srv"),
        ("bc_dst", "127.0.0.1"),
        ("bc_src_port", "55390"),
        ("bc_err_str", "Success"),
        ("fc_err_name", ""),
    ] {
        assert_eq!(eval(&f, b"", true, text), expected, "{text}");
    }
}

#[test]
fn effects_wait_for_the_owner() {
    let mut f = Fixture::new();
    f.strm.vars.txn.set(VarId::parse("txn.old").expect("a name").name, Owned::Int(7));
    let id = |n: &str| VarId::parse(n).expect("a name");
    assert_eq!(eval(&f, b"", true, "int(5),set-var(txn.new),add(txn.new),add(txn.old)"), "17");
    assert_eq!(eval(&f, b"", true, "var(txn.new)"), "5", "pending values are seen");
    assert_eq!(eval(&f, b"", true, "int(1),unset-var(txn.old)"), "1");
    assert_eq!(eval(&f, b"", true, "var(txn.old,gone)"), "gone");
    assert_eq!(eval(&f, b"", true, "int(9),set-var(txn.new,ifgt)"), "NONE", "5 is not greater than 9");
    assert_eq!(eval(&f, b"", true, "int(2),set-var(txn.new,ifgt)"), "2");
    assert_eq!(eval(&f, b"", true, "str(x),capture-req(1)"), "x");
    assert_eq!(eval(&f, b"", true, "str(x),capture-req(9)"), "NONE");
    assert_eq!(
        f.writes.take(),
        [
            Write::Var(id("txn.new"), Some(Owned::Int(5))),
            Write::Var(id("txn.old"), None),
            Write::Var(id("txn.new"), Some(Owned::Int(2))),
            Write::CaptureReq(1, Bytes::from_static(b"x")),
        ]
    );
    assert_eq!(eval(&f, b"", true, "var(txn.old)"), "7", "nothing is pending any more");
}

#[test]
fn variables_of_every_scope() {
    let mut f = Fixture::new();
    let name = VarId::parse("proc.x").expect("a name").name;
    assert_eq!(VarId::parse("txn.x").map(|v| (v.scope, v.name)), Ok((Scope::Txn, name)), "names are shared");
    f.proc_vars.0.write().set(name, Owned::Str(Bytes::from_static(b"p")));
    f.sess.vars.set(name, Owned::Bool(true));
    f.strm.vars.res.set(name, Owned::Bin(Bytes::from_static(b"\x00\xff")));
    for (text, expected) in [
        ("var(proc.x)", "p"),
        ("var(sess.x)", "1"),
        ("var(res.x)", "00ff"),
        ("var(req.x)", "NONE"),
        ("var(check.x)", "NONE"),
        ("dump_all_vars(proc,x)", "proc.x=\"p\""),
        ("dump_all_vars", "sess.x=true, res.x=00FF, proc.x=\"p\""),
        ("dump_all_vars(txn)", ""),
    ] {
        assert_eq!(eval(&f, b"", true, text), expected, "{text}");
    }
}

#[test]
fn random_things_have_their_form() {
    let f = Fixture::new();
    for _ in 0..100 {
        let n: i64 = eval(&f, b"", true, "rand(10)").parse().expect("a number");
        assert!((0..10).contains(&n));
    }
    let v4 = eval(&f, b"", true, "uuid");
    assert!(
        crate::pattern::regex("^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$", false)
            .is_ok_and(|r| r.is_match(v4.as_bytes())),
        "{v4}"
    );
    assert_eq!(eval(&f, b"", true, "uuid(7)").as_bytes()[14], b'7');
    assert_ne!(eval(&f, b"", true, "uuid"), v4);
}
