//! Lines and what they are cut into, as HAProxy 3.4 does it.

use super::*;

fn env() -> Env {
    let mut env = Env::empty();
    for (name, value) in [
        ("A", "x y  z"),
        ("E", ""),
        ("ONE", "1"),
        ("S", " lead trail "),
        ("TAB", "a\tb\nc"),
        ("Q", "a\"b # c"),
        ("_U9", "u"),
    ] {
        env.set(name, value);
    }
    env
}

fn split(line: &str) -> Result<Vec<Word>, LexError> {
    split_line(line, &env(), &Pseudo { file: "f.cfg", line: 7, section: "www" })
}

#[track_caller]
fn check(line: &str, expected: &[&str]) {
    let words = split(line).unwrap_or_else(|e| panic!("{line:?}: {e:?}"));
    let texts: Vec<_> = words.iter().map(Word::as_str).collect();
    assert_eq!(texts, expected, "{line:?}");
}

#[track_caller]
fn fails(line: &str, kind: LexErrorKind, col: u32) {
    let error = split(line).expect_err(line);
    assert_eq!((error.kind, error.col), (kind, col), "{line:?}");
}

#[test]
fn words_and_comments() {
    check("", &[]);
    check("  \t ", &[]);
    check("# all of it", &[]);
    check("global#this", &["global"]);
    check("\tmode  http\t# or tcp", &["mode", "http"]);
    check("a\x0bb\x0cc", &["a", "b", "c"]);
    check("daemon\r", &["daemon"]);
    check("a\rb c", &["a"]);
    check("a\r b", &["a"]);
    check("a \r b\r c", &["a", "b"]);
    check("\r\ra", &["a"]);
    check("a\\\r b", &["a\\"]);
    check("é ü#ö", &["é", "ü"]);
}

#[test]
fn quotes() {
    check(r#"a"b c"'d e'f g"#, &["ab cd ef", "g"]);
    check(r#""a'b" 'a"b'"#, &["a'b", "a\"b"]);
    check(r#""a#b" 'a#b' a\#b a#b"#, &["a#b", "a#b", "a#b", "a"]);
    check(r#""" '' x"#, &["", "", "x"]);
    check(r"'\n\x41$A'", &[r"\n\x41$A"]);
}

#[test]
fn escapes() {
    check(r#"\\ \" \' \# \ "#, &["\\", "\"", "'", "#", " "]);
    check(r#""\\|\"|\'|\#|\ |\$A""#, &["\\|\"|'|#| |$A"]);
    check(r"\n\r\t", &["\n\r\t"]);
    check(r#""\x41\x7a\x0A""#, &["Az\n"]);
    check(r"\q\$\", &[r"\q\$\"]);
    check("\"\\q\\\t\"", &["\\q\\\t"]);
    check("a\\\tb", &["a\\", "b"]);
}

#[test]
fn the_equivalent_lines_of_the_manual() {
    let expected = ["log-format", "%{+Q}o %t %s %{-Q}r"];
    check(r"log-format %{+Q}o\ %t\ %s\ %{-Q}r", &expected);
    check(r#"log-format "%{+Q}o %t %s %{-Q}r""#, &expected);
    check("log-format '%{+Q}o %t %s %{-Q}r'", &expected);
    check(r#"log-format "%{+Q}o %t"' %s %{-Q}r'"#, &expected);
    check(r#"log-format "%{+Q}o %t"' %s'\ %{-Q}r"#, &expected);
}

#[test]
fn variables() {
    check(r#"$A ${A} '$A' "$A" "${A}""#, &["$A", "${A}", "$A", "x y  z", "x y  z"]);
    check(r#""$ONE$ONE-$_U9.$NOPE|""#, &["11-u.|"]);
    check(r#""$A[*]""#, &["x y  z[*]"]);
    check(r#""${NOPE-a b}" "${E-d}" "${NOPE-}""#, &["a b", "", ""]);
    check(r#""${NOPE-a\}b}""#, &[r"a\b}"]);
    check(r#""${NOPE-"q"}" "${NOPE-$ONE}""#, &["\"q\"", "$ONE"]);
    check(r#""$Q""#, &["a\"b # c"]);
}

#[test]
fn expansion_into_words() {
    check(r#"a "${A[*]}" b"#, &["a", "x", "y", "z", "b"]);
    check(r#""p${A[*]}s""#, &["px", "y", "zs"]);
    check(r#""p${S[*]}s""#, &["p", "lead", "trail", "s"]);
    check(r#""${S[*]}" "${S[*]}"x"#, &["lead", "trail", "lead", "trail", "x"]);
    check(r#""${E[*]}" "${NOPE[*]}" "${NOPE[*]-1  2}""#, &["1", "2"]);
    check(r#""p ${NOPE[*]} s""#, &["p  s"]);
    check(r#""${TAB[*]}""#, &["a", "b", "c"]);
    check(r#""${E}" "${E[*]}" 5"#, &["", "5"]);
}

#[test]
fn pseudo_variables() {
    check(r#""${.FILE}:${.LINE}:${.SECTION}""#, &["f.cfg:7:www"]);
    check(r#""$.LINE.x" "${.LINE[*]}" "${.FILE-x}""#, &["7.x", "7", "f.cfg"]);
    fails(r#""${.NOPE}""#, LexErrorKind::BadVariable, 3);
    fails(r#""$.file""#, LexErrorKind::BadVariable, 2);
    fails(r#""${.LINE.x}""#, LexErrorKind::UnmatchedBrace, 2);
}

#[test]
fn errors_point_at_their_cause() {
    use LexErrorKind::*;
    for (line, kind, col) in [
        ("  foo \"abc", UnmatchedQuote, 6),
        ("foo 'a\"b", UnmatchedQuote, 4),
        ("foo \"a\r\"", UnmatchedQuote, 4),
        (r#"foo "a\"#, UnmatchedQuote, 4),
        (r#"foo "$A"#, UnmatchedQuote, 4),
        (r#"foo "${A"#, UnmatchedBrace, 6),
        (r#"foo "${A-x"#, UnmatchedBrace, 6),
        (r#"foo "${A:-x}""#, UnmatchedBrace, 6),
        (r#"foo "${A[*]x}""#, UnmatchedBrace, 6),
        (r#"foo "${A[1]}""#, BadExpansion, 8),
        (r#"foo "${A[*""#, BadExpansion, 8),
        (r#"foo "$""#, BadVariable, 6),
        (r#"foo "$1""#, BadVariable, 6),
        (r#"foo "${}""#, BadVariable, 7),
        (r#"foo "${"#, BadVariable, 7),
        (r#"foo "$é""#, BadVariable, 6),
        (r#"foo "\xZZ""#, BadHex, 5),
        (r"foo \x4", BadHex, 4),
        (r"foo \x", BadHex, 4),
        (r"foo \x+4", BadHex, 4),
    ] {
        fails(line, kind, col);
    }
}

#[test]
fn words_end_at_nul() {
    check(r#"10\x00 "ab\x00c" \x00x"#, &["10", "ab", ""]);
}

#[test]
fn octets_survive() {
    let words = split(r#"\xe9 "\xc3\xa9" a\xffb"#).unwrap();
    let octets: Vec<_> = words.iter().map(|w| w.octets().into_owned()).collect();
    assert_eq!(octets, [&b"\xe9"[..], "é".as_bytes(), b"a\xffb"]);
    assert_eq!(words[1].as_str(), "é");
}

#[test]
fn columns_are_those_of_the_source() {
    let words = split("  ab\t'c d'\"$A\" \"${A[*]}\" é x").unwrap();
    let spans: Vec<_> = words.iter().map(|w| (w.col, w.end)).collect();
    assert_eq!(spans[..2], [(2, 4), (5, 14)]);
    assert!(spans[2..5].iter().all(|s| s.0 == 15), "{spans:?}");
    assert_eq!(spans[5..], [(25, 27), (28, 29)]);
}

#[test]
fn at_most_64_words() {
    let line = |n: usize| vec!["x"; n].join(" ");
    assert_eq!(split(&line(64)).unwrap().len(), 64);
    assert_eq!(split(&(line(64) + "  # more")).unwrap().len(), 64);
    let error = split(&line(65)).unwrap_err();
    assert_eq!(error.kind, LexErrorKind::TooManyWords);
    assert_eq!(error.text, "too many words, truncating after word 64, position 126: <x>.");
}

#[test]
fn unquote_makes_one_text() {
    assert_eq!(unquote(r#"streq( 'a  b' ,"$A") # \x41"#, &env()).unwrap(), "streq( a  b ,x y  z) # A");
    assert_eq!(unquote("  a \t b  ", &env()).unwrap(), "a b");
    assert_eq!(unquote("\"x", &env()).unwrap_err().kind, LexErrorKind::UnmatchedQuote);
}
