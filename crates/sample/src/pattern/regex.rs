//! Regular expressions: PCRE's dialect, as configurations write it, on an engine that runs in linear time.

use crate::compile::Error;
use regex::bytes::{Regex, RegexBuilder};

/// Compiles an expression over bytes.
///
/// # Errors
/// Its syntax, or what a linear-time engine cannot do (look-around, back references).
pub fn regex(text: &str, icase: bool) -> Result<Regex, Error> {
    let translated = translate(text);
    RegexBuilder::new(&translated).case_insensitive(icase).unicode(false).build().map_err(|e| {
        let e = e.to_string();
        let reason = e.lines().last().unwrap_or_default().trim_start_matches("error: ");
        Error::new(format!("regex '{text}' is invalid (error={reason})"))
    })
}

/// Rewrites what PCRE reads differently from the engine.
fn translate(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let used = match c {
            '\\' => escape(rest, &mut out, false),
            '[' => class(rest, &mut out),
            // A brace that starts no repetition stands for itself.
            '{' if !is_repetition(rest) => {
                out.push_str("\\{");
                1
            }
            '}' if !closes_repetition(&out) => {
                out.push_str("\\}");
                1
            }
            c => {
                push_byte_safe(c, &mut out);
                c.len_utf8()
            }
        };
        rest = &rest[used..];
    }
    out
}

/// A character; those beyond ASCII become their bytes, since the engine works on bytes.
fn push_byte_safe(c: char, out: &mut String) {
    use std::fmt::Write as _;
    if c.is_ascii() {
        out.push(c);
        return;
    }
    let mut buf = [0; 4];
    let text: &str = c.encode_utf8(&mut buf);
    out.push_str("(?-u:");
    for b in hawser_cfg::octets::decode(text).iter() {
        // Writing to a String cannot fail.
        let _ = write!(out, "\\x{b:02x}");
    }
    out.push(')');
}

/// Whether `{` starts `{n}`, `{n,}` or `{n,m}`.
fn is_repetition(s: &str) -> bool {
    let Some((inner, _)) = s[1..].split_once('}') else { return false };
    let (lo, hi) = inner.split_once(',').unwrap_or((inner, ""));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    !lo.is_empty() && digits(lo) && digits(hi)
}

/// Whether a `}` about to be written closes a repetition or a named escape.
fn closes_repetition(out: &str) -> bool {
    let Some(open) = out.rfind('{') else { return false };
    !out[open..].contains('}') && (open == 0 || !out[..open].ends_with('\\'))
}

/// An escape sequence; returns its length.
fn escape(s: &str, out: &mut String, in_class: bool) -> usize {
    let Some(c) = s[1..].chars().next() else {
        out.push_str("\\\\");
        return 1;
    };
    match c {
        'h' if in_class => out.push_str("\\t "),
        'h' => out.push_str("[\\t ]"),
        'H' if !in_class => out.push_str("[^\\t ]"),
        'R' if !in_class => out.push_str("(?:\\r\\n|\\n|\\r|\\x0b|\\x0c)"),
        'e' => out.push_str("\\x1b"),
        'Z' if !in_class => out.push_str("\\n?\\z"),
        // `\Q…\E` is all literal.
        'Q' => {
            let body = &s[2..];
            let end = body.find("\\E").unwrap_or(body.len());
            for c in body[..end].chars() {
                if c.is_ascii() && !c.is_ascii_alphanumeric() {
                    out.push('\\');
                }
                push_byte_safe(c, out);
            }
            return (2 + end + 2).min(s.len());
        }
        'E' => {}
        // The engine gives these a meaning of its own.
        '<' | '>' => out.push(c),
        c if c.is_ascii() => out.extend(['\\', c]),
        c => push_byte_safe(c, out),
    }
    1 + c.len_utf8()
}

/// A bracketed class; returns its length. Nested brackets and set operators of the engine are literal in PCRE.
fn class(s: &str, out: &mut String) -> usize {
    let b = s.as_bytes();
    out.push('[');
    let mut i = 1;
    if b.get(i) == Some(&b'^') {
        out.push('^');
        i += 1;
    }
    if b.get(i) == Some(&b']') {
        out.push_str("\\]");
        i += 1;
    }
    while let Some(c) = s[i..].chars().next() {
        match c {
            ']' => {
                out.push(']');
                return i + 1;
            }
            '\\' => i += escape(&s[i..], out, true),
            '[' if s[i..].starts_with("[:") => match s[i..].find(":]") {
                Some(end) => {
                    out.push_str(&s[i..i + end + 2]);
                    i += end + 2;
                }
                None => {
                    out.push_str("\\[");
                    i += 1;
                }
            },
            '[' | '&' | '~' => {
                out.extend(['\\', c]);
                i += 1;
            }
            // The second dash is the end of a range, the first one its start when nothing stands before it.
            '-' if s[i..].starts_with("--") => {
                let first = out.ends_with('[') || out.ends_with('^');
                out.push_str(if first { "\\-" } else { "-\\-" });
                i += if first { 1 } else { 2 };
            }
            c if c.is_ascii() => {
                out.push(c);
                i += 1;
            }
            // A class of bytes: each byte of the character is a member.
            c => {
                let mut buf = [0; 4];
                let text: &str = c.encode_utf8(&mut buf);
                for b in hawser_cfg::octets::decode(text).iter() {
                    out.push_str(&format!("\\x{b:02x}"));
                }
                i += c.len_utf8();
            }
        }
    }
    i
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, text: &[u8], expected: bool) {
        assert_eq!(regex(pattern, false).map(|r| r.is_match(text)), Ok(expected), "{pattern}");
    }

    #[test]
    fn pcre_dialect_is_understood() {
        check("^/a/b$", b"/a/b", true);
        check(r"\/a\/b", b"/a/b", true);
        check("[[]x", b"[x", true);
        check("[]x]", b"]", true);
        check("[^]x]", b"]", false);
        check("[a&&b]", b"&", true);
        check("[[:alpha:]]+", b"abc", true);
        check("a{2}", b"aa", true);
        check("a{,2}", b"a{,2}", true);
        check("{x}", b"{x}", true);
        check("a{x", b"a{x", true);
        check(r"\Qa.b\E$", b"a.b", true);
        check(r"\Qa.b\E$", b"axb", false);
        check(r"a\hb", b"a\tb", true);
        check(r"\<a\>", b"<a>", true);
        check("a--b[+--]", b"a--b,", true);
        check("caf\u{e9}", "caf\u{e9}".as_bytes(), true);
        check(r"\x41\d\w", b"A1_", true);
        check(r"^\.git", b".git", true);
        check("a|b", b"xb", true);
        check("", b"x", true);
    }

    #[test]
    fn what_cannot_be_done_is_refused() {
        for p in ["((a", "a(?=b)", "(?<!a)b", r"(a)\1", "[a", "*a", "a\\"] {
            let r = regex(p, false);
            assert!(r.is_err() || p == "a\\", "{p}: {r:?}");
        }
    }
}
