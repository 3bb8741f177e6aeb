//! Messages in all formats; the classic ones are byte for byte what HAProxy 3.4 prints for the same files.

use super::*;
use crate::cond::CondCx;
use crate::env::Env;
use crate::load::{LineCx, LineSink, Source, load};
use crate::pos::{FileId, Pos, Word};
use crate::suggest;

/// Knows one keyword.
struct Maxconn;

impl LineSink for Maxconn {
    fn line(&mut self, cx: &mut LineCx<'_>, words: &[Word]) {
        if words[0].as_str() != "maxconn" {
            let text = format!("unknown keyword '{}' in 'global' section", words[0]);
            let d = cx.diags.alert_at(cx.pos, &words[0], text);
            d.suggestion = suggest::near(&words[0], ["maxconn"]).map(str::to_owned);
        }
    }
}

fn read(text: &[u8]) -> (Diags, Files) {
    let source = Source::Text { name: "t.cfg".into(), data: text.to_vec() };
    let mut diags = Diags::default();
    let files = load(&[source], &CondCx::default(), &mut Env::empty(), &mut diags, &mut Maxconn);
    diags.settle(&files.list.iter().map(|f| f.name.clone()).collect::<Vec<_>>());
    (diags, files)
}

#[track_caller]
fn classic(text: &[u8], expected: &str) {
    let (diags, files) = read(text);
    let got = render(&diags, &files, Format::Classic, 42, false);
    let summary = "[ALERT]    (42) : config : Error(s) found in configuration file : t.cfg\n";
    assert_eq!(got.replace(summary, ""), expected);
    assert_eq!(got.contains(summary), diags.has_alert());
}

#[test]
fn errors_of_lines() {
    classic(
        b"    foo \"abc\n",
        "[ALERT]    (42) : config : parsing [t.cfg:1]: unmatched quote at position 9:\n  foo \"abc\n      ^\n",
    );
    classic(
        b"\t\tfoo \"a\tb\xe9\xc3\xa9 \r\n",
        "[ALERT]    (42) : config : parsing [t.cfg:1]: unmatched quote at position 7:\n  foo \"a b???  \n      ^\n",
    );
    classic(
        b"    baz \"${X\"\n",
        "[ALERT]    (42) : config : parsing [t.cfg:1]: unmatched brace in environment variable name at position 11:\n  \
         baz \"${X\"\n        ^\n",
    );
    classic(
        b"maxconn\0\n",
        "[ALERT]    (42) : config : parsing [t.cfg:1]: Stray NUL character at position 8.\n",
    );
    classic(
        b".if streq(a)\n.endif\n",
        "[ALERT]    (42) : config : parsing [t.cfg:1]: missing arguments (got 1/2), type 'string' expected in argument 1 \
         of predicate 'streq' used in conditional expression in '.if' at position 8:\n  .if streq(a)\n             ^\n",
    );
}

#[test]
fn messages_of_keywords() {
    classic(
        b" maxcon 3\n",
        "[ALERT]    (42) : config : parsing [t.cfg:1] : unknown keyword 'maxcon' in 'global' section; \
         did you mean 'maxconn' maybe ?\n",
    );
    classic(
        b" foo\n",
        "[ALERT]    (42) : config : parsing [t.cfg:1] : unknown keyword 'foo' in 'global' section\n",
    );
    classic(
        b".notice a\n.warning \"a b\"\n.diag c\n",
        "[NOTICE]   (42) : config : parsing [t.cfg:1]: 'a'.\n[WARNING]  (42) : config : parsing [t.cfg:2]: 'a b'.\n",
    );
}

#[test]
fn empty_arguments_are_explained_once() {
    let (diags, files) = read(b"maxconn \"\"\nmaxconn '' x\n");
    let text = render(&diags, &files, Format::Classic, 1, false);
    let expected = "[ALERT]    (1) : config : parsing [t.cfg:1]: argument number 1 at position 10 is empty and marks the \
                    end of the argument list:\n  maxconn \"\"\n           ^\nArguments behind";
    assert!(text.starts_with(expected), "{text}");
    assert_eq!(text.matches("Arguments behind").count(), 1);
}

#[test]
fn wide_lines_are_cut_around_the_caret() {
    let show = |at: usize, total: usize| {
        let line = format!("  {}\\xz{}\n", "a".repeat(at), "b".repeat(total - at - 3));
        let (diags, files) = read(line.as_bytes());
        let text = render(&diags, &files, Format::Classic, 1, false);
        let lines: Vec<_> = text.lines().map(str::to_owned).collect();
        (lines[1].clone(), lines[2].len())
    };
    let (a, b) = ("a".repeat(79), "b".repeat(34));
    assert_eq!(show(79, 200), (format!("  {a}\\"), 82));
    assert_eq!(show(80, 200), (format!("  ...{}\\xz{b}...", &a[..37]), 43));
    assert_eq!(show(80, 85), (format!("  ...{}\\xzbb...", &a[..37]), 43));
    assert_eq!(show(5, 200), (format!("  aaaaa\\xz{}", "b".repeat(72)), 8));
}

#[test]
fn layouts() {
    let (_, files) = read(b"maxconn\n");
    let mut diags = Diags::default();
    let pos = Some(Pos { file: FileId(0), line: 1 });
    for (layout, pos) in [
        (Layout::Spaced, pos),
        (Layout::Tight, pos),
        (Layout::Located, pos),
        (Layout::Bare, pos),
        (Layout::Plain, pos),
        (Layout::Spaced, None),
        (Layout::Bare, None),
        (Layout::Excerpt, None),
    ] {
        diags.push(Severity::Warning, pos, "text").layout = layout;
    }
    diags.push(Severity::Notice, None, "more").note = Some("one\ntwo".into());
    let text = render(&diags, &files, Format::Classic, 7, false);
    let lines: Vec<_> = text.lines().map(|l| l.trim_start_matches("[WARNING]  (7) : ")).collect();
    assert_eq!(
        lines,
        [
            "config : parsing [t.cfg:1] : text",
            "config : parsing [t.cfg:1]: text",
            "config : [t.cfg:1] : text",
            "[t.cfg:1] : text",
            "text",
            "config : text",
            "text",
            "config : text",
            "[NOTICE]   (7) : config : more",
            "   | one",
            "   | two",
        ]
    );
}

#[test]
fn pretty() {
    let show = |text: &[u8]| {
        let (diags, files) = read(text);
        render(&diags, &files, Format::Pretty { color: false }, 1, false)
    };
    assert_eq!(
        show(b"\n\n\tmaxcon\t3\n"),
        "alert: unknown keyword 'maxcon' in 'global' section\n --> t.cfg:3:2\n  |\n3 |     maxcon  3\n  |     \
         ^^^^^^ help: did you mean 'maxconn'?\n\n1 alert\n"
    );
    assert_eq!(
        show(b"maxconn 'x\n.warning y\n"),
        "alert: unmatched quote\n --> t.cfg:1:9\n  |\n1 | maxconn 'x\n  |         ^\n\nwarning: 'y'.\n --> t.cfg:2\n  |\n\
         2 | .warning y\n\n1 alert, 1 warning\n"
    );
    assert_eq!(show(b"maxconn\n.notice a\n").lines().count(), 5);
    let wide = show(format!("{}\"\n", "x".repeat(500)).as_bytes());
    assert!(wide.lines().all(|l| l.chars().count() < 120), "{wide}");
    let (diags, files) = read(b"foo\n");
    let colored = render(&diags, &files, Format::Pretty { color: true }, 1, false);
    assert!(colored.starts_with("\x1b[1;31malert\x1b[0m\x1b[1m: unknown"), "{colored:?}");
}

#[test]
fn json() {
    let (diags, files) = read(b"  \xe9 \"x\n  maxcon\n.warning 'a\"\\\t\x01'\n");
    assert_eq!(
        render(&diags, &files, Format::Json, 1, false),
        "{\"severity\":\"alert\",\"file\":\"t.cfg\",\"line\":1,\"column\":5,\"length\":1,\"text\":\"unmatched quote\"}\n\
         {\"severity\":\"alert\",\"file\":\"t.cfg\",\"line\":2,\"column\":3,\"length\":6,\
         \"text\":\"unknown keyword 'maxcon' in 'global' section\",\"suggestion\":\"maxconn\"}\n\
         {\"severity\":\"warning\",\"file\":\"t.cfg\",\"line\":3,\"text\":\"'a\\\"\\\\\\t\\u0001'.\"}\n"
    );
}
