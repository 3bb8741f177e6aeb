//! Back-references in replacement strings: `\1` to `\9`, `\0` for the whole match, `\xHH`, `\c` for any other `c`.

use regex::bytes::Captures;

/// Appends a replacement with its references filled in. Groups that took no part in the match are empty.
pub(crate) fn expand(by: &[u8], groups: &Captures<'_>, out: &mut Vec<u8>) {
    let mut rest = by;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        let (c, used) = match rest {
            [] => return,
            [d @ b'0'..=b'9', ..] => {
                if let Some(m) = groups.get(usize::from(d - b'0')) {
                    out.extend_from_slice(m.as_bytes());
                }
                rest = &rest[1..];
                continue;
            }
            [b'x', hi, lo, ..] => match (hex(*hi), hex(*lo)) {
                (Some(hi), Some(lo)) => (hi << 4 | lo, 3),
                _ => (b'x', 1),
            },
            [c, ..] => (*c, 1),
        };
        out.push(c);
        rest = &rest[used..];
    }
    out.extend_from_slice(rest);
}

fn hex(c: u8) -> Option<u8> {
    char::from(c).to_digit(16).map(|d| d as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex::bytes::Regex;

    fn run(regex: &str, text: &str, by: &str) -> String {
        let mut out = Vec::new();
        expand(by.as_bytes(), &Regex::new(regex).unwrap().captures(text.as_bytes()).unwrap(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn references_are_filled_in() {
        for (regex, text, by, want) in [
            ("(a)(b)", "xaby", r"<\2\1>", "<ba>"),
            ("(a)(b)", "xaby", r"\0", "ab"),
            ("(a)|(b)", "b", r"[\1\2]", "[b]"),
            ("a", "a", r"\x41\x4a\xzz\\\n", r"AJxzz\n"),
            ("a", "a", r"\9-", "-"),
            ("a", "a", r"end\", "end"),
            ("a", "a", r"\x4", "x4"),
            ("a", "a", "plain", "plain"),
            ("a", "a", "", ""),
        ] {
            assert_eq!(run(regex, text, by), want, "{by}");
        }
    }
}
