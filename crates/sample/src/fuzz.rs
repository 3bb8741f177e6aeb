//! Nothing panics, whatever the bytes: expressions, conditions, log-formats, and every converter and fetch.

use crate::args::ArgType;
use crate::cond::Cond;
use crate::ctx::Payload;
use crate::expr::Expr;
use crate::fixture::Fixture;
use crate::logformat::{Flavor, LogFormat};
use crate::registry::Registry;
use crate::row::Converter;
use crate::types::Type;
use crate::value::Value;
use hawser_cfg::keyword::Status;
use hawser_cfg::pos::Word;
use hawser_http::{Head, Version};
use proptest::prelude::*;
use std::borrow::Cow;

/// Pieces that grammars are made of.
fn tokens() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "str(",
        "int(",
        "bin(",
        "req.hdr(",
        "var(txn.",
        "field(",
        "regsub(",
        "json_query(",
        "hex",
        "lower",
        "word(",
        "concat(",
        "base64",
        "bytes(",
        "ipmask(",
        "src",
        "path",
        ",",
        ")",
        "(",
        "]",
        "[",
        "%",
        "{",
        "}",
        "+Q",
        "+json",
        "o",
        "ci",
        "hr",
        "\"",
        "'",
        "\\",
        "$.a",
        "1",
        "-1",
        "99999999999999999999",
        "é",
        " ",
        "-m",
        "beg",
        "reg",
        "-i",
        "-f",
        "||",
        "or",
        "!",
        "{ ",
        " }",
        "TRUE",
        "10.0.0.0/8",
        "::/0",
        "gt",
        "5:",
        "^a.*(",
        "a",
        "\u{efff}",
    ]);
    prop::collection::vec(pieces, 0..24).prop_map(|p| p.concat())
}

fn fixture(body: &[u8]) -> Fixture {
    let mut f = Fixture::new();
    f.req.add(b"host", body);
    f.req.add(b"cookie", body);
    f.req.add(b"authorization", body);
    f.req.add(b"x-a", body);
    let mut res = Head::response(Version::H11, 200, b"OK");
    res.add(b"set-cookie", body);
    f.res = Some(res);
    f
}

/// A text for an argument of a type.
fn argument(ty: ArgType, text: &str) -> String {
    match ty {
        ArgType::Sint => "1".to_owned(),
        ArgType::Ipv4 | ArgType::Mask4 => "255.0.255.0".to_owned(),
        ArgType::Ipv6 | ArgType::Mask6 => "64".to_owned(),
        ArgType::Frontend => "f".to_owned(),
        ArgType::Backend => "b".to_owned(),
        ArgType::Server => "b/s".to_owned(),
        ArgType::Userlist => "ul".to_owned(),
        _ => format!("'{}'", text.replace('\'', "")),
    }
}

/// Runs one converter on every kind of value, with several arguments.
fn run(f: &Fixture, c: &Converter, data: &[u8], text: &str) {
    for words in [text, "utf8ps", "int", "s", "$.a", "1", "txn.a", "%Y%3N", "query", ",", "md5"] {
        let args: Vec<String> = c.args.types.iter().map(|t| argument(*t, words)).collect();
        for n in usize::from(c.args.min)..=args.len() {
            let list = args[..n].join(",");
            let source = if c.input == Type::Sint { "int(5)" } else { "req.fhdr(x-a)" };
            let expr = format!("{source},{}({list})", c.meta.name);
            let Ok(e) = f.compile(|cx| Expr::parse_str(cx, &expr)) else { continue };
            let mut ctx = f.ctx();
            ctx.req_data = Some(Payload { data, complete: true });
            let _ = e.eval(&ctx);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn expressions(text in tokens(), body in prop::collection::vec(any::<u8>(), 0..64)) {
        let f = fixture(&body);
        let words: Vec<Word> = text.split(' ').map(Word::synthetic).collect();
        let mut at = 0;
        if let Ok(e) = f.compile(|cx| Expr::parse(cx, &words, &mut at)) {
            let _ = e.eval(&f.ctx());
        }
        prop_assert!(at <= words.len());
        let _ = f.compile(|cx| Expr::parse_prefix(cx, &text).map(|(_, n)| assert!(text.is_char_boundary(n))));
    }

    #[test]
    fn conditions(text in tokens(), body in prop::collection::vec(any::<u8>(), 0..64)) {
        let f = fixture(&body);
        let words: Vec<Word> = format!("if {text}").split(' ').map(Word::synthetic).collect();
        if let Ok(c) = f.compile(|cx| Cond::parse(cx, &words)) {
            let _ = c.test(&f.ctx());
        }
    }

    #[test]
    fn formats(text in tokens(), body in prop::collection::vec(any::<u8>(), 0..64)) {
        let f = fixture(&body);
        for flavor in [Flavor::Log, Flavor::Header, Flavor::Value] {
            if let Ok(l) = f.compile(|cx| LogFormat::parse(cx, &text, flavor)) {
                let mut out = Vec::new();
                l.eval(&f.ctx(), &mut out);
            }
        }
    }

    #[test]
    fn any_text_is_parsed_or_refused(text in ".{0,40}") {
        let f = fixture(b"");
        let words: Vec<Word> = text.split(' ').map(Word::synthetic).collect();
        let _ = f.compile(|cx| Expr::parse(cx, &words, &mut 0));
        let _ = f.compile(|cx| LogFormat::parse(cx, &text, Flavor::Log));
        let _ = crate::pattern::regex(&text, false);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn converters(data in prop::collection::vec(any::<u8>(), 0..48), text in "[ -&(-~]{0,8}") {
        let f = fixture(&data);
        for c in Registry::builtin().all_converters() {
            run(&f, c, &data, &text);
        }
    }

    #[test]
    fn converters_take_any_value(data in prop::collection::vec(any::<u8>(), 0..48), n in any::<i64>()) {
        let values = [
            Value::Int(n), Value::Bool(n > 0), Value::Str(Cow::Borrowed(&data)), Value::Bin(Cow::Borrowed(&data)),
            Value::Method(Cow::Borrowed(&data)), Value::Ip4(std::net::Ipv4Addr::from(u32::try_from(n & 0xffff).unwrap())),
            Value::Ip6(std::net::Ipv6Addr::from(u128::from(n.cast_unsigned()) << 40)),
        ];
        for v in &values {
            for to in [Type::Bool, Type::Sint, Type::Addr, Type::Ipv4, Type::Ipv6, Type::Str, Type::Bin, Type::Meth] {
                let _ = v.clone().cast(to);
            }
            // Without arguments, on a value that was not even converted.
            let f = fixture(&data);
            for c in Registry::builtin().all_converters().into_iter().filter(|c| c.args.types.is_empty()) {
                let _ = v.clone().cast(c.input).and_then(|v| (c.run)(&[], v, &f.ctx()));
            }
        }
    }

    #[test]
    fn fetches(data in prop::collection::vec(any::<u8>(), 0..96), target in "[!-~]{1,20}") {
        let mut f = fixture(&data);
        f.req.set_target(target.as_bytes());
        for http in [true, false] {
            for fetch in Registry::builtin().all_fetches() {
                if matches!(fetch.meta.status, Status::NotYet(_)) {
                    continue;
                }
                let args: Vec<String> = fetch.args.types.iter().map(|t| argument(*t, "txn.a")).collect();
                for n in usize::from(fetch.args.min)..=args.len() {
                    let text = format!("{}({})", fetch.meta.name, args[..n].join(","));
                    let Ok(e) = f.compile(|cx| Expr::parse_str(cx, &text)) else { continue };
                    let mut ctx = f.ctx();
                    ctx.req_data = Some(Payload { data: &data, complete: false });
                    ctx.res_data = ctx.req_data;
                    if !http {
                        (ctx.req, ctx.res) = (None, None);
                    }
                    let _ = e.eval(&ctx);
                    e.each(&ctx, &mut |_| false);
                    // Nothing is known at configuration time.
                    let _ = e.eval(&crate::Ctx::EMPTY);
                }
            }
        }
    }
}
