use crate::testing::{World, compile, config, message, pos};
use crate::txn::RuleSet;
use hawser_cfg::model::{HeaderCapture, ProxyKind};
use hawser_cfg::pos::Word;

#[test]
fn samples_fill_slots_up_to_their_length() {
    let mut config = config(
        ProxyKind::Listen,
        &[
            "http-request capture path len 3",
            "http-request capture str(abcdef) id 1",
            "http-request capture str(late) id 3",
            "tcp-request content capture str(tcp) len 10 if TRUE",
            "http-response capture str(response) id 0",
        ],
    );
    let proxy = &mut config.proxies[0];
    proxy.req_captures.push(HeaderCapture { pos: pos(200), name: Word::synthetic("host"), len: 20 });
    proxy.declared_captures.extend([(pos(1), true, 9), (pos(103), true, 2), (pos(2), false, 4)]);
    let (rules, texts) = compile(&config);
    assert!(texts.is_empty(), "{texts:?}");
    assert_eq!(rules.captures, [vec![9, 3, 2, 10, 20], vec![4]]);
    assert_eq!(rules.header_captures, [vec![4], vec![]]);
    let mut w = World::default();
    for set in [RuleSet::TcpReqCont, RuleSet::HttpReq, RuleSet::HttpRes] {
        w.eval(&rules, set, 0);
    }
    assert_eq!(w.strm.req_captures, [None, Some("abc".into()), None, Some("late".into()), None]);
    assert_eq!(w.strm.res_captures, [Some("resp".into())]);
}

#[test]
fn arguments_are_checked() {
    const USAGE: &str = "expects <expression> [ 'len' <length> | id <idx> ]";
    for (args, text) in [
        ("", USAGE),
        ("path", USAGE),
        ("path len", USAGE),
        ("path foo 1", USAGE),
        ("path len abc", "length must be > 0"),
        ("path len 0", "length must be > 0"),
        ("path id abc", "cannot parse id 'abc'"),
    ] {
        let want =
            format!("!error detected in proxy 'p' while parsing 'http-request capture' rule : {text}.");
        assert_eq!(message(&format!("http-request capture {args}")), want);
    }
    for (rule, text) in [
        (
            "connection capture src len 1",
            "'capture src' is not allowed in 'tcp-request connection' rules in proxy 'p'",
        ),
        ("content capture", "'tcp-request content capture' : missing fetch method"),
        ("content capture src", "'tcp-request content capture' : a positive 'len' argument is mandatory"),
        ("content capture src len 0", "'tcp-request content capture' : length must be > 0"),
    ] {
        assert_eq!(message(&format!("tcp-request {rule}")), format!("!{text}"));
    }
    assert_eq!(
        message("http-request capture path id 5"),
        "!Proxy 'p': unable to find capture id '5' referenced by http-request capture rule."
    );
}
