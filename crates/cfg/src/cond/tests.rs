//! Conditions, their values and their errors, as HAProxy 3.4 has them.

use super::*;
use proptest::prelude::*;

fn env() -> Env {
    let mut env = Env::empty();
    env.set("TESTVAR", "1");
    env
}

#[track_caller]
fn check(text: &str, expected: bool) {
    assert_eq!(evaluate(text, &env(), &CondCx::default()), Ok(expected), "{text:?}");
}

#[track_caller]
fn fails(text: &str, position: usize, message: &str) {
    let error = evaluate(text, &env(), &CondCx::default()).expect_err(text);
    assert_eq!((error.caret + 1, error.text.as_str()), (position, message), "{text:?}");
}

#[test]
fn values() {
    for text in
        ["1", "-1000 && 200", "+5", "0x10", "4294967296", " 1 ", "!0", "! !1", "!!1", "((1))", "( 1 )"]
    {
        check(text, true);
    }
    for text in ["", "0", "-0", "0x0", "!1", "!(1)", "00"] {
        check(text, false);
    }
}

#[test]
fn precedence() {
    check("1&&0||1", true);
    check("1||0&&0", true);
    check("(1||0)&&0", false);
    check("1&&!0&&!((streq(a,b)||!streq(a,a)&&1)||strneq(a,a))", true);
    check("1   &&!   0&&    !((streq(a,b)||!streq(a,a)&&1)||strneq(a,a))", true);
    check("1 && !0 && !((streq(a,b) || !streq(a,a) && 1) || strneq(a,b))", false);
    check("1 && !0 && !((streq(a,a) || !streq(a,a) && 1) || strneq(a,a))", false);
}

#[test]
fn predicates() {
    for (text, expected) in [
        ("defined(TESTVAR)", true),
        ("defined( TESTVAR )", false),
        ("defined(NOPE)", false),
        ("defined", false),
        ("streq(a,a)", true),
        ("streq(a, a)", false),
        ("streq(,)", true),
        ("strneq(a,b)", true),
        ("strstr(abc,b)", true),
        ("strstr(abc,)", true),
        ("strstr(b,abc)", false),
        ("feature(THREAD)", true),
        ("feature(OPENSSL) || !feature(OPENSSL)", true),
        ("enabled(EPOLL)", true),
        ("enabled(epoll)", false),
        ("enabled(KQUEUE)", false),
        ("ssllib_name_startswith(OpenSSL)", false),
        ("openssl_version_atleast(1.1.1)", false),
        ("openssl_version_before(1.1.1)", false),
        ("0 && openssl_version_atleast(x)", false),
        ("awslc_api_atleast(35)", false),
    ] {
        check(text, expected);
    }
}

#[test]
fn arguments_have_their_own_quotes() {
    check(r#"streq("a,b)",'a,b)')"#, true);
    check(r"streq(a\ b,'a b')", true);
    check("streq(\"a\\nb\",'a\nb')", true);
    check(r"streq(\q,'\q')", true);
    check(r#"streq("\q\"",'\q"')"#, true);
    check(r"streq(\\\',\\\')", true);
    check(r#"streq(a"b"c,abc)"#, true);
    check("streq((a,(a)", true);
}

#[test]
fn versions() {
    for (wanted, atleast) in [
        ("3.4", true),
        ("3.4.0", true),
        ("3.4.1", false),
        ("3.4.0-1", false),
        ("3.4.0-0", true),
        ("3.4-dev999", true),
        ("3.4.0-5-gabc", true),
        ("3.4.0-64a335366", true),
        ("3.5-dev0", false),
        ("3", true),
        ("4", false),
        ("2.4-dev19", true),
        (" 3.4", true),
        ("", true),
        ("x", true),
        ("3.4x", true),
        ("3.4-rc1", true),
        ("1024", false),
        ("99999999999", false),
    ] {
        check(&format!("version_atleast({wanted})"), atleast);
        check(&format!("version_before({wanted})"), !atleast);
    }
}

#[test]
fn tls_library() {
    let ssl_lib = Some(SslLib { name: "OpenSSL 3.0.22", openssl_version: [3, 0, 22] });
    let cx = CondCx { ssl_lib, ..CondCx::default() };
    for (text, expected) in [
        ("ssllib_name_startswith(OpenSSL)", true),
        ("ssllib_name_startswith(wolfSSL)", false),
        ("openssl_version_atleast(3.0.0)", true),
        ("openssl_version_atleast(3.0.x)", true),
        ("openssl_version_atleast(1.1.1a)", true),
        ("openssl_version_atleast(3.0.23)", false),
        ("openssl_version_before(3.5.0)", true),
        ("openssl_version_before(3.0.22)", false),
    ] {
        assert_eq!(evaluate(text, &env(), &cx), Ok(expected), "{text}");
    }
    for bad in ["3.0", "x", "", "3.256.0"] {
        assert!(evaluate(&format!("openssl_version_atleast({bad})"), &env(), &cx).is_err(), "{bad}");
    }
}

#[test]
fn errors_name_and_point() {
    for (text, position, message) in [
        (")", 1, "unparsable conditional expression ')'"),
        ("a b", 1, "unparsable conditional expression 'a b'"),
        ("STREQ(a,a)", 1, "unparsable conditional expression 'STREQ(a,a)'"),
        ("streqx(a,a)", 1, "unparsable conditional expression 'streqx(a,a)'"),
        ("200rrr", 4, "unexpected character 'r' at the end of conditional expression '200rrr'"),
        ("!(0))", 5, "unexpected character ')' at the end of conditional expression '!(0))'"),
        ("(1) x", 5, "unexpected character 'x' at the end of conditional expression '(1) x'"),
        ("1 & 1", 3, "unexpected character '&' at the end of conditional expression '1 & 1'"),
        ("  1 x", 5, "unexpected character 'x' at the end of conditional expression '  1 x'"),
        ("1 &&", 3, "unparsable conditional expression '&&'"),
        ("1 ||", 3, "unparsable conditional expression '1 ||'"),
        ("1 && 1 ||", 8, "unparsable conditional expression '1 && 1 ||'"),
        ("1 && (1 &&", 9, "unparsable conditional expression '&&'"),
        ("&& 1", 1, "unparsable conditional expression '&& 1'"),
        ("1 && !x", 6, "unparsable conditional expression '!x'"),
        ("!", 1, "unparsable conditional expression '!'"),
        ("(", 1, "unparsable conditional expression '('"),
        ("1 && !(", 6, "unparsable conditional expression '!('"),
        ("defined&&1", 1, "unparsable conditional expression 'defined&&1'"),
        ("(defined)", 2, "unparsable conditional expression 'defined)'"),
        ("!()", 3, "unparsable conditional expression ')'"),
        ("(())", 3, "unparsable conditional expression '))'"),
        ("0&&)", 4, "unparsable conditional expression ')'"),
        ("1||)", 4, "unparsable conditional expression ')'"),
        ("(1", 1, "expected ')' after conditional expression '(1'"),
        ("1 && !(1 2)", 6, "expected ')' after conditional expression '!(1 2)'"),
        ("1 && (1 2)", 6, "expected ')' after conditional expression '(1 2)'"),
        (" ", 1, "unparsable conditional sub-expression ' '"),
        (
            "openssl_version_before(foo)",
            28,
            "invalid argument to conditional expression predicate 'openssl_version_before': 'foo'",
        ),
    ] {
        fails(text, position, message);
    }
}

#[test]
fn errors_of_arguments() {
    let missing = "missing arguments (got 1/2), type 'string' expected in argument 1 of predicate 'streq' used in conditional expression";
    fails("streq", 6, missing);
    fails("streq(a)", 8, missing);
    fails("streq (a,a)", 6, missing);
    let expected = |before: &str, name: &str| {
        format!("expected ')'{before} in argument 1 of predicate '{name}' used in conditional expression")
    };
    fails("streq(a,b,c)", 10, &expected(" before ',c)'", "streq"));
    fails("streq(a,b", 10, &expected("", "streq"));
    fails("streq(a,\"a)", 12, &expected("", "streq"));
    fails("defined(a,b)", 10, &expected(" before ',b)'", "defined"));
}

#[test]
fn nesting_is_bounded() {
    let nested = |n: usize| "(".repeat(n) + "1" + &")".repeat(n);
    check(&nested(200), true);
    assert!(evaluate(&nested(100_000), &env(), &CondCx::default()).is_err());
    check(&("!".repeat(100_000) + "0"), false);
}

#[test]
fn command_line() {
    let run = |text: &str| evaluate_argument(text, &env(), &CondCx::default());
    assert_eq!(run(r#"defined(TESTVAR) && streq("$TESTVAR","1")"#), Ok(true));
    assert_eq!(run("streq('a   b','a b')"), Ok(false));
    assert_eq!(run("  streq(a   b,a b) "), Ok(true));
    assert_eq!(run("   "), Ok(false));
    assert_eq!(run("streq(\"foo bar\",'foo bar')"), Ok(true));
    assert_eq!(run("streq(a,\"a)").unwrap_err(), "Syntax Error in condition: Unmatched quote.");
    assert_eq!(
        run("1 # x").unwrap_err(),
        "Failed to evaluate condition: unexpected character '#' at the end of conditional expression '1 # x'"
    );
}

proptest! {
    #[test]
    fn any_text_has_a_value_or_a_place(text in "(streq|defined|[!()&|,\"'\\\\ 01a\u{e9}]){0,30}") {
        if let Err(error) = evaluate(&text, &env(), &CondCx::default()) {
            prop_assert!(error.caret <= text.len() && text.is_char_boundary(error.caret), "{error:?}");
        }
    }
}
