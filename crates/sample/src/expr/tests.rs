//! Expressions against what HAProxy 3.4.0 makes of them, recorded by `scripts/sample-golden.py`.

use super::*;
use crate::ctx::Payload;
use crate::fixture::Fixture;
use crate::value::Value;

const RECORDED: [&str; 2] =
    [include_str!("../../testdata/expressions.txt"), include_str!("../../testdata/conditions.txt")];

/// Where we differ on purpose: the beginning of an expression, and why.
const DIFFERENT: &[(&str, &str)] = &[
    ("str(abc),regsub('$',-,g)", "an empty match at the end is one match, not two"),
    ("str(-_8=),ub64dec", "padding is dropped rather than decoded"),
    ("int(-5),utime(", "dates before 1970 are dates"),
    ("int(-5),ms_utime(", "dates before 1970 are dates"),
    ("int(-1),http_date", "dates before 1970 are dates"),
    ("int(1700000000123),ms_utime(%N|", "fractions with odd widths are left to strftime"),
    ("str('Sunday, 06-Nov-69", "a year of two digits is never far off"),
    ("str(www.ex.com:8x),port_only", "what is no digit ends the port"),
    ("req.cook_val(c)", "what is no number is zero"),
    ("str('{\"a\":\"q", "escapes of JSON give UTF-8"),
    ("str(abc),regsub('',", "other words"),
    ("bin(),hex", "no digits are no bytes"),
    ("str(s),srv_is_up", "the stream here has a backend"),
    ("base32+src", "the client here has an address"),
    ("url32+src", "the client here has an address"),
    ("res.hdr(a)", "the fetch is named, not the action"),
    ("? { method -i get }", "ignoring case counts for methods too"),
    ("? LOCALHOST", "the client here has an address"),
    ("be_name", "the fetch is named, not the action"),
    ("str(hello),digest(sha3-256)", "only MD5, SHA-1 and SHA-2"),
    ("str(hello),digest(ripemd160)", "only MD5, SHA-1 and SHA-2"),
    ("str(hello),digest(blake2", "only MD5, SHA-1 and SHA-2"),
    ("str(hello),digest(sm3)", "only MD5, SHA-1 and SHA-2"),
    ("str(hello),digest(md4)", "only MD5, SHA-1 and SHA-2"),
];

/// Results whose wording is ours: errors of engines, and of what is refused for other reasons.
fn comparable(result: &str) -> String {
    let cut = ["is invalid (error=", "(null)"];
    let end = cut.iter().filter_map(|c| result.find(c)).min().unwrap_or(result.len());
    result[..end].trim_end_matches('.').to_owned()
}

fn show(data: &[u8]) -> String {
    let mut out = String::from("=");
    for c in data {
        match c {
            b'\\' => out.push_str("\\x5c"),
            b' '..=b'~' => out.push(char::from(*c)),
            c => out.push_str(&format!("\\x{c:02x}")),
        }
    }
    out
}

/// A condition: `Y` or `N`.
fn condition(f: &Fixture, body: &[u8], text: &str) -> String {
    let text = format!("if {text}");
    let words: Vec<Word> =
        text.split_ascii_whitespace().map(|w| Word::synthetic(w.trim_matches('"'))).collect();
    match f.compile(|cx| crate::cond::Cond::parse(cx, &words)) {
        Err(e) => format!("ERR {e}"),
        Ok(c) => {
            let mut ctx = f.ctx();
            ctx.req_data = Some(Payload { data: body, complete: true });
            if c.eval(&ctx) { "=Y".to_owned() } else { "=N".to_owned() }
        }
    }
}

fn evaluate(f: &Fixture, body: &[u8], text: &str) -> String {
    if let Some(c) = text.strip_prefix("? ") {
        return condition(f, body, c);
    }
    let compiled = f.compile(|cx| {
        cx.at = Some(crate::Checkpoint::FeHttpReqHdr);
        let words = ["named", "path", "-m", "found"].map(Word::synthetic);
        crate::cond::Acls::declare(cx, &words).expect("a valid ACL");
        let e = Expr::parse_str(cx, text)?;
        e.require_at(cx)?;
        Ok::<_, Error>(e)
    });
    match compiled {
        Err(e) => format!("ERR {e}"),
        Ok(e) => {
            let mut ctx = f.ctx();
            ctx.req_data = Some(Payload { data: body, complete: true });
            match e.eval(&ctx).and_then(|v| v.cast(Type::Str)) {
                Some(Value::Str(s)) => show(&s),
                _ => "NONE".to_owned(),
            }
        }
    }
}

#[test]
fn recorded_results_are_met() {
    let mut f = Fixture::with_request("GET /p HTTP/1.1\nhost: h");
    let (mut head, mut body) = (String::new(), Vec::new());
    let (mut failures, mut count) = (Vec::new(), 0);
    for line in RECORDED.iter().flat_map(|r| r.lines()) {
        match line.split_at_checked(2) {
            Some(("@ ", rest)) => (head, body) = (rest.to_owned(), Vec::new()),
            Some(("> ", rest)) => head = format!("{head}\n{rest}"),
            Some(("< ", rest)) => body = rest.as_bytes().to_vec(),
            _ => {
                let Some((text, expected)) = line.split_once('\t') else { continue };
                if !head.is_empty() {
                    f = Fixture::with_request(&head);
                    if !body.is_empty() {
                        f.req.add(b"content-length", body.len().to_string().as_bytes());
                    }
                }
                f.strm.req_captures.clear();
                f.writes.take();
                count += 1;
                let got = evaluate(&f, &body, text);
                let same = comparable(&got) == comparable(expected);
                let excused = DIFFERENT.iter().any(|d| text.starts_with(d.0));
                if same == excused {
                    failures.push(format!("{text}\n    expected {expected}\n    got      {got}"));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{} of {count}:\n{}", failures.len(), failures.join("\n"));
    assert!(count > 1000, "only {count} expressions were found");
}
