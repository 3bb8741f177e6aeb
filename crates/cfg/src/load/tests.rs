//! Files, conditional blocks and line errors, as HAProxy 3.4 has them.

use super::*;

/// Writes down what it gets; `section` lines set the section, `setenv` works, `bad` is an alert, `stop` aborts.
#[derive(Default)]
struct Recorder {
    lines: Vec<String>,
}

impl LineSink for Recorder {
    fn line(&mut self, cx: &mut LineCx<'_>, words: &[Word]) {
        let texts: Vec<_> = words.iter().map(Word::as_str).collect();
        self.lines.push(format!("{}:{} {}", cx.file, cx.pos.line, texts.join("|")));
        match texts[..] {
            ["section", name] => *cx.section = name.to_owned(),
            ["setenv", name, value] => cx.env.set(name, value),
            ["bad", ..] => _ = cx.diags.alert_at(cx.pos, &words[0], "bad line"),
            ["stop"] => cx.abort = true,
            _ => {}
        }
    }

    fn end_of_file(&mut self, cx: &mut LineCx<'_>) {
        self.lines.push(format!("{}:{} EOF", cx.file, cx.pos.line));
    }
}

fn run(texts: &[&[u8]]) -> (Vec<String>, Vec<String>) {
    let sources: Vec<_> = ["a", "b", "c"]
        .iter()
        .zip(texts)
        .map(|(name, data)| Source::Text { name: (*name).to_owned(), data: data.to_vec() })
        .collect();
    let (mut diags, mut sink, mut env) = (Diags::default(), Recorder::default(), Env::empty());
    let files = load(&sources, &CondCx::default(), &mut env, &mut diags, &mut sink);
    let show = |d: &Diag| match d.pos {
        Some(pos) => format!("{:?} {}:{} {}", d.severity, files.name(pos.file), pos.line, d.text),
        None => format!("{:?} {}", d.severity, d.text),
    };
    (sink.lines, diags.list.iter().filter(|d| d.layout != Layout::Summary).map(show).collect())
}

/// Lines that get through, without the ends of files, and messages.
#[track_caller]
fn check(text: &str, lines: &[&str], messages: &[&str]) {
    let (got, diags) = run(&[text.as_bytes()]);
    let got: Vec<_> = got.iter().filter(|l| !l.ends_with("EOF")).map(|l| &l[2..]).collect();
    assert_eq!(got, lines, "{text:?}");
    let diags: Vec<_> = diags.iter().map(|d| d.replacen(" a:", " ", 1)).collect();
    assert_eq!(diags, messages, "{text:?}");
}

#[test]
fn lines_are_numbered() {
    check("global\n\n  daemon # x\r\n#\n x \"y z\"\n", &["1 global", "3 daemon", "5 x|y z"], &[]);
    check("", &[], &[]);
    check("\n\n", &[], &[]);
}

#[test]
fn no_continuation_of_lines() {
    check("a \\\nb\\\\\n", &["1 a|\\", "2 b\\"], &[]);
}

#[test]
fn setenv_and_section_act_on_later_lines() {
    check(
        "section www\nsetenv X 1\nx \"$X\" \"${.SECTION}\" \"${.LINE}\" \"${.FILE}\"\n",
        &["1 section|www", "2 setenv|X|1", "3 x|1|www|3|a"],
        &[],
    );
}

#[test]
fn lines_with_errors_are_skipped() {
    check("a\nb 'c\nd\n", &["1 a", "3 d"], &["Alert 2 unmatched quote"]);
    let empty = "is empty and marks the end of the argument list:";
    check(
        "    nbthread \"a\" \"\" b\nx ''\n",
        &[],
        &[
            &format!("Alert 1 argument number 2 at position 19 {empty}"),
            &format!("Alert 2 argument number 1 at position 4 {empty}"),
        ],
    );
    check(
        "setenv LOG_HOST x\nlog  \"${LOG_HOTS}\"\n",
        &["1 setenv|LOG_HOST|x"],
        &[
            &format!("Alert 2 argument number 1 at position 9 {empty}"),
            "Notice Hint: maybe you meant LOG_HOST instead ?",
        ],
    );
    check("x  \"$NOPE\" y\n", &[], &[&format!("Alert 1 argument number 1 at position 6 {empty}")]);
    check("\"\" b\nc\n", &["2 c"], &["Diag 1 this line is ignored, since its first word is empty."]);
    check("a\0b\nc\n", &["2 c"], &["Alert 1 Stray NUL character at position 2."]);
}

#[test]
fn last_line_without_line_feed() {
    let missing = "Missing LF on last line, file might have been truncated at position";
    check("a\n  b c", &["1 a", "2 b|c"], &[&format!("Alert 2 {missing} 6.")]);
    check("a\n#", &["1 a"], &[&format!("Alert 2 {missing} 2.")]);
}

#[test]
fn branches() {
    for (conditions, expected) in [
        (["1", "1"], "3 a"),
        (["1", ")"], "3 a"),
        (["0", "1"], "5 b"),
        (["0", "0"], "7 c"),
        (["", ""], "7 c"),
        (["0 || streq(a,a)", "1"], "3 a"),
    ] {
        let text = format!("\n.if {}\na\n.elif {}\nb\n.else\nc\n.endif\n", conditions[0], conditions[1]);
        check(&text, &[expected], &[]);
    }
}

#[test]
fn nested_blocks() {
    let text = ".if 0\n.if 1\na\n.else\nb\n.endif\n.foo\n.if )\n.endif\n.notice x\n.else\nc\n.endif\nd\n";
    check(text, &["12 c", "14 d"], &[]);
    let text = ".if 1\n.if 0\na\n.elif 1\nb\n.else\nc\n.endif\nd\n.else\ne\n.endif\n";
    check(text, &["5 b", "9 d"], &[]);
}

#[test]
fn broken_blocks() {
    check(".else\na\n", &["2 a"], &["Alert 1 lone '.else' with no matching '.if'."]);
    check(".elif 1\na\n", &["2 a"], &["Alert 1 lone '.elif' with no matching '.if'."]);
    check(".endif\na\n", &["2 a"], &["Alert 1 lone '.endif' with no matching '.if'."]);
    check(
        ".if 1\na\n.else\n.else\nb\n.endif\nc\n",
        &["2 a", "7 c"],
        &["Alert 4 '.else' after '.else' is not permitted."],
    );
    check(
        ".if 0\n.else\na\n.elif 1\nb\n.endif\n",
        &["3 a"],
        &["Alert 4 '.elif' after '.else' is not permitted."],
    );
    check(".if 1\na\n\n", &["2 a"], &["Alert 3 non-terminated '.if' block."]);
    check(
        ".if 1\n.else x\n.endif y\n",
        &[],
        &["Alert 2 Unexpected argument 'x' for '.else'.", "Alert 3 Unexpected argument 'y' for '.endif'."],
    );
    check(".foo\n", &[], &["Alert 1 unknown directive '.foo'."]);
}

#[test]
fn a_broken_condition_skips_all_branches() {
    check(
        ".if foo(\na\n.else\nb\n.endif\nc\n",
        &["6 c"],
        &["Alert 1 unparsable conditional expression 'foo(' in '.if' at position 1:"],
    );
}

#[test]
fn carets_of_conditions() {
    let source = Source::Text { name: "a".into(), data: b" .if \"1\"   &&  x(y)\n.endif\n".to_vec() };
    let mut diags = Diags::default();
    load(&[source], &CondCx::default(), &mut Env::empty(), &mut diags, &mut Recorder::default());
    let diag = &diags.list[0];
    let excerpt = diag.excerpt.as_ref().unwrap();
    assert_eq!((excerpt.line.as_str(), excerpt.caret), (".if 1 && x(y)", 9));
    assert_eq!(diag.span, Some((15, 1)), "the x of the source line");
}

#[test]
fn nesting_is_bounded() {
    let text = |n: usize| ".if 1\n".repeat(n) + "a\n" + &".endif\n".repeat(n);
    let (lines, diags) = run(&[text(99).as_bytes()]);
    assert_eq!((lines.len(), diags.len()), (2, 0));
    let (lines, diags) = run(&[text(100).as_bytes()]);
    assert_eq!(lines.len(), 1);
    assert_eq!(diags, ["Alert a:100 too many nested '.if', max is 100."]);
}

#[test]
fn messages() {
    check(
        ".notice a\n.warning \"b c\"\n.alert\n.diag 'd'\n.notice x y\n",
        &[],
        &[
            "Notice 1 'a'.",
            "Warning 2 'b c'.",
            "Alert 3 ''.",
            "Diag 4 'd'.",
            "Alert 5 Unexpected argument 'y' for '.notice'. Use quotes if the message should contain spaces.",
        ],
    );
}

#[test]
fn files_are_apart() {
    let (lines, diags) = run(&[b"section x\n.if 1\n", b"y \"<${.SECTION}>\"\n", b"bad\n"]);
    assert_eq!(lines, ["a:1 section|x", "a:2 EOF", "b:1 y|<>", "b:1 EOF", "c:1 bad", "c:1 EOF"]);
    assert_eq!(diags[0], "Alert a:2 non-terminated '.if' block.");
}

#[test]
fn a_sink_can_abort() {
    let (lines, _) = run(&[b"x\nstop\ny\n", b"z\n"]);
    assert_eq!(lines, ["a:1 x", "a:2 stop"]);
}

#[test]
fn at_most_fifty_lines_with_alerts() {
    let (lines, diags) = run(&["bad\n".repeat(70).as_bytes(), b"more\n"]);
    assert_eq!(lines.len(), 50);
    assert_eq!(diags.last().unwrap(), "Alert a:51 too many fatal errors (50), stopping now.");
}

#[test]
fn summaries_follow_each_file() {
    let sources = [
        Source::Text { name: "a".into(), data: b"bad\n".to_vec() },
        Source::Text { name: "b".into(), data: b"good\n".to_vec() },
    ];
    let (mut diags, mut env) = (Diags::default(), Env::empty());
    let files = load(&sources, &CondCx::default(), &mut env, &mut diags, &mut Recorder::default());
    let names: Vec<_> = files.list.iter().map(|f| f.name.clone()).collect();
    diags.settle(&names);
    let texts: Vec<_> = diags.list.iter().map(|d| d.text.as_str()).collect();
    assert_eq!(texts, ["bad line", "Error(s) found in configuration file : a"]);
    assert_eq!(env.get("HAPROXY_CFGFILES"), Some("a;b"));
}

#[test]
fn directories() {
    let dir = std::env::temp_dir().join(format!("hawser-cfg-load-{}", std::process::id()));
    std::fs::create_dir_all(dir.join("sub.cfg")).unwrap();
    for name in ["b.cfg", "a.cfg", ".hidden.cfg", "c.conf", "B.cfg"] {
        std::fs::write(dir.join(name), "x\n").unwrap();
    }
    let mut diags = Diags::default();
    let files = Files::read(&[Source::Path(dir.clone()), Source::Path(dir.join("a.cfg"))], &mut diags);
    let missing = Files::read(&[Source::Path(dir.join("nope"))], &mut diags);
    let sub = Files::read(&[Source::Path(dir.join("sub.cfg"))], &mut diags);
    std::fs::remove_dir_all(&dir).unwrap();
    let names: Vec<_> =
        files.list.iter().map(|f| f.name.strip_prefix(dir.to_str().unwrap()).unwrap()).collect();
    assert_eq!(names, ["/B.cfg", "/a.cfg", "/b.cfg", "/a.cfg"]);
    assert!(missing.list.is_empty() && sub.list.is_empty());
    let text = format!("Cannot open configuration file/directory {}/nope : ", dir.display());
    assert_eq!(diags.list.len(), 1);
    assert!(diags.list[0].text.starts_with(&text), "{}", diags.list[0].text);
    assert!(!diags.list[0].text.contains("os error"), "{}", diags.list[0].text);
}

#[test]
fn a_missing_file_parses_nothing() {
    let sources = [
        Source::Text { name: "a".into(), data: b"x\n".to_vec() },
        Source::Path("/nonexistent/hawser.cfg".into()),
    ];
    let (mut diags, mut sink) = (Diags::default(), Recorder::default());
    load(&sources, &CondCx::default(), &mut Env::empty(), &mut diags, &mut sink);
    assert!(sink.lines.is_empty() && diags.has_alert());
}
