//! No line can make the parser panic, whatever stands where.

use super::{parsed, said};
use crate::compat;
use proptest::prelude::*;

/// Arguments that are too few, too many, too big, or of the wrong kind.
const ARGS: &[&str] = &[
    "",
    "x",
    "1",
    "-1",
    "0",
    "99999999999999999999",
    "1s",
    "a b",
    "x 1 y 2",
    "if",
    "if x",
    "x len",
    "x len 5",
    "1.2.3.4:80",
    "s 1.2.3.4:80",
    "s 1.2.3.4:80 check inter 5s",
    "global",
    "on",
    "status 503",
    "\\  \\\"",
    "é ü",
    "%[",
    "/x mode 600",
    "1-0",
    ":",
    "/",
    "@",
    "a:b:c",
    "header a len 5",
    "fail if x",
];

/// Whether a keyword takes an address, whose name would be looked up: tests ask no name server.
fn resolves(keyword: &str) -> bool {
    ["bind", "stats socket", "source", "dispatch", "addr", "log"].contains(&keyword)
}

#[test]
fn every_keyword_with_strange_arguments() {
    let sections = ["global\n", "defaults\n", "defaults d\n", "frontend f\n", "backend b\n", "listen l\n"];
    for row in compat::rows() {
        let head = match &*row.family {
            "global" => vec!["global\n".to_owned()],
            "proxy" => sections[1..].iter().map(|s| (*s).to_owned()).collect(),
            "option" => sections[1..].iter().map(|s| format!("{s}option ")).collect(),
            "bind option" => vec!["listen l\nbind :80 ".to_owned(), "global\nstats socket /x ".to_owned()],
            "server option" => {
                vec!["backend b\nserver s 1.2.3.4:80 ".to_owned(), "defaults\ndefault-server ".into()]
            }
            "section" => vec![String::new()],
            other => vec![format!("{other} x\n")],
        };
        for head in head {
            let sure = |a: &str| a.is_empty() || a.starts_with("1.2") || a.starts_with('/');
            let args = ARGS.iter().filter(|a| sure(a) || !resolves(&row.name));
            let lines = args.map(|args| format!("{head}{} {args}\n", row.name));
            for line in
                lines.chain([format!("{head}no {}\n", row.name), format!("{head}default {} x\n", row.name)])
            {
                said(&line);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_lines(lines in proptest::collection::vec(line(), 0..12)) {
        let text = lines.join("\n") + "\n";
        let p = parsed(&text);
        // Every message has a text, and a place inside the file.
        for d in &p.diags.list {
            prop_assert!(!d.text.is_empty());
            prop_assert!(d.pos.is_none_or(|pos| pos.line as usize <= lines.len() + 1));
        }
    }
}

/// A line of words of the language and of others.
fn line() -> impl Strategy<Value = String> {
    let names: Vec<String> = compat::rows().into_iter().map(|r| r.name).filter(|n| !resolves(n)).collect();
    let word = prop_oneof![
        3 => proptest::sample::select(names),
        2 => proptest::sample::select(ARGS.to_vec()).prop_map(str::to_owned),
        1 => proptest::sample::select(vec!["frontend f", "backend b", "listen l", "defaults d", "from", "no"])
            .prop_map(str::to_owned),
        1 => "[ -~]{0,12}",
    ];
    proptest::collection::vec(word, 1..7).prop_map(|words| words.join(" "))
}
