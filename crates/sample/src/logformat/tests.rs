//! Formats against what HAProxy 3.4.0 writes for the same request.

use super::*;
use crate::fixture::Fixture;
use bytes::Bytes;

fn parse(f: &Fixture, text: &str, flavor: Flavor) -> Result<LogFormat, String> {
    f.compile(|cx| {
        if flavor == Flavor::Log {
            cx.at = Some(crate::Checkpoint::Logs);
        }
        LogFormat::parse(cx, text, flavor).map_err(|e| e.text)
    })
}

fn eval(f: &Fixture, text: &str, flavor: Flavor) -> String {
    match parse(f, text, flavor) {
        Err(e) => format!("ERR {e}"),
        Ok(l) => {
            let mut out = Vec::new();
            l.eval(&f.ctx(), &mut out);
            out.iter().map(|b| char::from(*b)).collect()
        }
    }
}

fn check(text: &str, expected: &str) {
    assert_eq!(eval(&Fixture::new(), text, Flavor::Log), expected, "{text}");
}

#[test]
fn addresses_and_ports() {
    check(
        "%ci|%cp|%fi|%fp|%bi|%bp|%si|%sp",
        "127.0.0.1|57922|127.0.0.1|18776|127.0.0.1|55390|127.0.0.1|18779",
    );
    check("%{+X}ci|%{+X}cp|%{+X}fp|%{+X}Ts|%{+X}rt|%{+X}ST", "7F000001|E242|4958|6B03FB5E|0000|200");
    check("%{+Q,+X}o %ci %cp", "7F000001 E242");
    check("%{+X}Tt|%{+X}ac|%{+X}[int(255)]|%{+X}[src]", "127|1|255|127.0.0.1");
    let mut f = Fixture::new();
    f.sess.src = hawser_proto::Address::Unix("/x".into());
    assert_eq!(eval(&f, "%ci:%cp %{+Q}ci", Flavor::Log), "unix:1 \"unix\"");
    f.sess.src = hawser_proto::Address::Unknown;
    assert_eq!(eval(&f, "%ci:%cp", Flavor::Log), "-:-");
}

#[test]
fn dates() {
    check("%T|%Ts|%ms|%trg", "23/Nov/2026:08:37:50 +0000|1795423070|455|23/Nov/2026:08:37:50 +0000");
    let f = Fixture::new();
    // Local dates end alike wherever the test runs.
    assert!(eval(&f, "%t", Flavor::Log).ends_with(":50.455"));
    assert!(eval(&f, "%tr", Flavor::Log).ends_with(":50.458"));
    assert_eq!(eval(&f, "%Tl", Flavor::Log), eval(&f, "%trl", Flavor::Log));
}

#[test]
fn timers() {
    check("%Th %Ti %TR %Tq %Tw %Tc %Tr %Td %Ta %Tt %Tu", "1 2 4 7 8 16 32 64 124 127 125");
    let mut f = Fixture::new();
    f.strm.log_asap = true;
    assert_eq!(eval(&f, "%Tt %Ta %B %Td", Flavor::Log), "+127 +124 +82 64");
    f.strm.t = crate::facts::Moments { end: f.strm.t.end, ..Default::default() };
    f.strm.log_asap = false;
    assert_eq!(eval(&f, "%Th %Ti %TR %Tq %Tw %Tc %Tr %Td", Flavor::Log), "0 0 -1 -1 -1 -1 -1 -1");
    let mut f = Fixture::new();
    let mut fe = crate::facts::ProxyFacts { name: "fe".into(), ..Default::default() };
    fe.http = false;
    f.sess.frontend = std::sync::Arc::new(fe);
    f.strm.t.request_start = None;
    assert_eq!(eval(&f, "%Th %Ti %TR %Tq %Tr %Tc %Td", Flavor::Log), "1 -1 -1 -1 -1 16 96");
}

#[test]
fn requests_and_captures() {
    check("%HM|%HP|%HPO|%HQ|%HU|%HV|%ID|%r", "GET|/p/a|/p/a|?q=1|/p/a?q=1|HTTP/1.1|X0|GET /p/a?q=1 HTTP/1.1");
    check(
        "%hr|%hrl|%hs|%hsl",
        "{u#22a #7B#7C#7D#23\\]|}|u#22a #7B#7C#7D#23\\] -|{re s#22p#7B#7C#7D#23}|re s#22p#7B#7C#7D#23",
    );
    check(
        "%{+Q}hr|%{+Q}hrl|%{+Q}ts|%{+Q}B|%{+Q}HQ|%{+Q}sslv|%{+Q}CC",
        "\"{u#22a #7B#7C#7D#23\\]|}\"|\"u#22a #7B#7C#7D#23\\]\" \"\"|--|82|\"?q=1\"|\"\"|\"CK=ck1\"",
    );
    check("%{+E}r|%{+E}hr", "GET /p/a?q=1 HTTP/1.1|{u#22a #7B#7C#7D#23\\\\\\]|}");
    check(
        "%B|%U|%CC|%CS|%ST|%ac|%b|%bc|%bq|%f|%fc|%ft|%lc|%rc|%rt|%s|%sc|%sq|%sslc|%sslv|%ts|%tsc|%OG",
        "82|82|CK=ck1|-|200|1|be|0|0|fe|1|fe|0|0|0|srv|0|0|-|-|--|----|unspec",
    );
    let mut f = Fixture::new();
    f.strm = crate::facts::Strm { status: 400, ..Default::default() };
    assert_eq!(
        eval(&f, "%r|%HU|%HP|%HQ|%HM|%HV|%s|%b|%hr|%hrl|%bi|%sp|%HPO", Flavor::Log),
        "<BADREQ>|<BADREQ>|<BADREQ>|<BADREQ>|<BADREQ>|<BADREQ>|<NOSRV>|fe|||-|-|<BADREQ>"
    );
    f.strm.retries = 2;
    f.strm.redispatched = true;
    f.sess.tls = true;
    f.strm.req_captures = vec![None];
    assert_eq!(eval(&f, "%rc %ft %hr %hrl", Flavor::Log), "+2 fe~ {} -");
}

#[test]
fn lines_of_requests_are_safe() {
    let mut f = Fixture::with_request("GET /p HTTP/1.1");
    f.strm.request_line = Some(crate::facts::RequestLine {
        line: Bytes::from_static(b"GET /p\xc3\xa9\"a{|}#\\] HTTP/1.1"),
        method_len: 3,
        target_len: 12,
    });
    assert_eq!(eval(&f, "%r", Flavor::Log), "GET /p#C3#A9#22a{|}#23\\] HTTP/1.1");
    assert_eq!(eval(&f, "%{+json}r", Flavor::Log), "\"GET /p#C3#A9#22a{|}#23\\\\] HTTP/1.1\"");
    assert_eq!(eval(&f, "%{+E}HU", Flavor::Log), "/p#C3#A9#22a{|}#23\\\\\\]");
}

#[test]
fn expressions() {
    check("%[var(txn.x)]|%[str(a b)]|%[bin(616263)]|%[int(5)]|%[src]|%[bool(1)]", "-|a b|abc|5|127.0.0.1|1");
    check("%[bin(6100)]|%{+Q}[src]|%{+Q}[var(txn.x)]|%{+Q}[str()]|%[str()]", "a|\"127.0.0.1\"|\"\"|\"\"|-");
    check(
        "%{+E}[str('a\"b]c')]|%{+E,+Q}[str('a\"b]c')]|%{+Q}[str('a\"b')]",
        "a\\\"b\\]c|\"a\\\"b\\]c\"|\"a\"b\"",
    );
    check("%{+bin}o %[bin(6100)]", "a\0");
    check("%{+M}[var(txn.x)]|%{-M}[var(txn.x)]|%{-M}CS", "-||");
    check("%[str(])]|%[str(a),upper]]", "]|A]");
}

#[test]
fn text_and_flags() {
    check(
        "%{+Q}o %ci %r %[src] %{-Q}ci %ST",
        "\"127.0.0.1\" \"GET /p/a?q=1 HTTP/1.1\" \"127.0.0.1\" 127.0.0.1 200",
    );
    check("a  b   c%ci  %cp \td", "a b c127.0.0.1 57922 \td");
    check("  a %ci", "a 127.0.0.1");
    check("a %ci  ", "a 127.0.0.1 ");
    check("a%{+Q}o b", "a b");
    check("%[str()]  %[str(  a  )] b", "-   a   b");
    check("%-a|%.|%_|%/|%ci_a|%ci.x|%%|%%%%", "-a|.|_|/|127.0.0.1_a|127.0.0.1.x|%|%%");
    check(
        "%{json}ST|%{+Q,-Q}ci|%{+q}ci|%{ +Q}ci|%(name)ci|%()ci",
        "200|127.0.0.1|127.0.0.1|127.0.0.1|127.0.0.1|127.0.0.1",
    );
}

#[test]
fn fields_of_messages() {
    let f = Fixture::with_request("GET /p/a?q=1 HTTP/1.1\nX-A: \"a{|}#\\]\tz\x7f");
    let header = |t| eval(&f, t, Flavor::Header);
    assert_eq!(header("%[str(\"a\nb\rc\td\")]|%[bin(00017f)]"), "a%0Ab%0Dc\td|");
    assert_eq!(header("%[req.hdr(x-a)]"), "\"a{|}#\\]\tz%7F");
    assert_eq!(header("a  b %{+Q}o %r %[str(x)]  "), "a  b  \"GET /p/a?q=1 HTTP/1.1\" x  ");
    assert_eq!(
        header("%{+Q}[var(txn.x)]|%{+E}[req.hdr(x-a)]|%{+M}[var(txn.x)]|%CS"),
        "|\\\"a{|}#\\\\\\]\tz%7F|-|"
    );
    assert_eq!(header("%{+bin}o%[bin(00017f41)]"), "%00%01%7FA");
    let value = |t| eval(&f, t, Flavor::Value);
    assert_eq!(value("%[str(\"a\nb\")]|%{+Q}[str(x)]|%{+Q}[var(txn.x)]|%CS"), "a\nb|\"x\"|\"\"|");
    assert_eq!(eval(&f, "  a  %ci", Flavor::UniqueId), "a 127.0.0.1");
}

#[test]
fn json() {
    check(
        "%{+json}o %(a)ci %(b)r %(c)ST %(d)[int(5)] %(e)[str('x\"y/')] %(f)[bool(1)] %(g:str)[int(5)] \
         %(h:sint)[str(5)] %ci %(i)B %(j)[var(txn.no)] %(k)hr",
        "{\"a\": \"127.0.0.1\", \"b\": \"GET /p/a?q=1 HTTP/1.1\", \"c\": 200, \"d\": 5, \"e\": \"x\\\"y/\", \"f\": true, \
         \"g\": \"5\", \"h\": 5, \"i\": 82, \"j\": \"\", \"k\": \"{u#22a #7B#7C#7D#23\\\\]|}\"}",
    );
    check(
        "%{+json}o %(d)ts %(e)hrl %(h)[bin(00ff)] %(j)CS %(k)sslv %(l)rc %(m)cp",
        "{\"d\": \"--\", \"e\": [\"u#22a #7B#7C#7D#23\\\\]\", \"-\"], \"h\": \"\", \"j\": \"\", \"k\": \"\", \"l\": 0, \"m\": 57922}",
    );
    check(
        "%(n){+json}ci|%(n:sint){+json}ST|%{+json}[int(5)]|%{+json}[str('a\"b')]",
        "\"127.0.0.1\"|200|5|\"a\\\"b\"",
    );
    check(
        "%(:sint){+json}[str(12)]|%(:str){+json}[int(12)]|%(:bool){+json}[str(1)]|%(:bool){+json}[int(0)]|\
         %(:sint){+json}[str(x)]|%(:raw){+json}[str(x)]|%(:sint)[str(x)]",
        "12|\"12\"|true|false|0|x|x",
    );
    check("%{+json}o text %(a)ci more %[src]", "{\"a\": \"127.0.0.1\"}");
}

#[test]
fn cbor() {
    check(
        "%{+cbor}o %(a)ci %(b)ST %(c)[bool(1)] %(d)[int(-5)]",
        "BF6161693132372E302E302E31616218C86163F5616424FF",
    );
    check(
        "%{+cbor}ci|%{+cbor}[int(500)]|%{+cbor}[str(abc)]|%{+cbor}[int(-500)]",
        "693132372E302E302E31|1901F4|63616263|3901F3",
    );
    check("%{+cbor}o %(j)[var(txn.no)] %(h)[bin(00ff)]", "BF616AF661684200FFFF");
}

#[test]
fn errors_are_those_of_haproxy() {
    for (text, expected) in [
        (
            "%nosuch",
            "no such format alias 'nosuch'. If you wanted to emit the '%' character verbatim, you need to use '%%'",
        ),
        ("%[nosuch(a)]", "failed to parse sample expression <nosuch(a)]> : unknown fetch method 'nosuch'"),
        ("%[]", "failed to parse sample expression <]> : missing fetch method"),
        ("%[str(a)", "missing ']' after 'str(a)'"),
        ("%[str(a)b]", "expected ']' after 'str(a)', but found 'b'"),
        ("%[str(a) ]", "expected ']' after 'str(a)', but found ' '"),
        ("%[str(a),lower", "missing ']' after 'str(a),lower'"),
        ("a%", "truncated line after '%'"),
        (
            "% a",
            "unexpected alias name near ' ' at position 1 line : '% a'. Maybe you want to write a single '%', use the syntax '%%'",
        ),
        ("%{+Q", "truncated line after '+Q'"),
        ("%{}", "parse argument modifier without alias name near '%{}'"),
        ("%{+Q}(name)ci", "parse argument modifier without alias name near '%{+Q}'"),
        ("%(name)", "truncated line after '%'"),
        (
            "%(name:foo)ci",
            "unexpected output type 'foo' at position 7 line : '%(name:foo)ci'. Supported types are: str, sint, bool, raw",
        ),
        (
            "%[req.hdr(a)]",
            "sample fetch <req.hdr> may not be reliably used here because it needs 'HTTP request headers' which is not available here",
        ),
    ] {
        let e = parse(&Fixture::new(), text, Flavor::Log);
        assert_eq!(e.err().as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn standard_formats_compile() {
    use hawser_cfg::env::formats;
    let f = Fixture::new();
    for text in [formats::TCP, formats::TCP_CLF, formats::HTTP, formats::HTTP_CLF, formats::HTTPS] {
        assert!(parse(&f, text, Flavor::Log).is_ok(), "{text}: {:?}", parse(&f, text, Flavor::Log).err());
    }
}
