//! Properties of the lexer over random lines.

use super::*;
use proptest::prelude::*;

/// Lines made of what the lexer cares about, so that most of them reach its corners.
fn lines() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => "[a-z]{1,8}",
        2 => Just(" ".to_owned()),
        2 => "[\"'\\\\#$\\{\\}\\[\\]\\*\\-\t\r.]",
        1 => Just("\"${A[*]}\"".to_owned()),
        1 => Just("${".to_owned()),
        1 => Just("\\x".to_owned()),
        1 => "[0-9a-fA-FA-Z_]{1,2}",
        1 => "[^\0]",
    ];
    prop::collection::vec(piece, 0..40).prop_map(|v| v.concat())
}

fn env() -> Env {
    let mut env = Env::empty();
    env.set("A", " one two\tthree ");
    env.set("a", "lower");
    env
}

/// One way to write a word, chosen by `style`; any text without NUL can be written.
fn quote(word: &str, style: u8) -> String {
    if word.is_empty() || (style == 0 && !word.contains(['\'', '\r', '\n'])) {
        return format!("'{word}'");
    }
    let mut out = String::new();
    for c in word.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x0b' | '\x0c' => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            '\\' | '"' | '\'' | ' ' | '#' => out.extend(['\\', c]),
            '$' if style == 1 => out.push_str("\\$"),
            c if style == 3 && !c.is_ascii() => {
                let mut buf = [0; 4];
                out.extend(c.encode_utf8(&mut buf).bytes().map(|b| format!("\\x{b:02X}")));
            }
            c => out.push(c),
        }
    }
    if style == 1 { format!("\"{out}\"") } else { out }
}

proptest! {
    #[test]
    fn columns_are_in_range_and_in_order(line in lines()) {
        let mut words = Words::default();
        let text = line.as_str().into();
        let result = split_range(&text, 0..line.len(), &env(), &Pseudo::default(), &mut words);
        let mut last = 0;
        for w in words.iter() {
            prop_assert!(w.col <= w.end && w.end as usize <= line.len(), "{w:?}");
            prop_assert!(w.col >= last, "{w:?} starts before {last}");
            prop_assert!(line.is_char_boundary(w.col as usize) && line.is_char_boundary(w.end as usize));
            prop_assert!(!w.text.contains('\0'));
            last = w.col;
        }
        if let Err(e) = result {
            prop_assert!(e.col as usize <= line.len() && line.is_char_boundary(e.col as usize), "{e:?}");
        }
    }

    #[test]
    fn a_plain_word_is_its_own_source(line in "[ \ta-z0-9,.:%é-]{0,60}") {
        let words = split_line(&line, &env(), &Pseudo::default()).unwrap();
        for w in &words {
            prop_assert_eq!(w.as_str(), &line[w.col as usize..w.end as usize]);
        }
        let expected: Vec<_> = line.split_whitespace().collect();
        prop_assert_eq!(words.iter().map(Word::as_str).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn quoting_round_trips(words in prop::collection::vec(("[^\0\u{ef80}-\u{efff}]{0,12}", 0u8..4), 0..8)) {
        let line = words.iter().map(|(w, style)| quote(w, *style)).collect::<Vec<_>>().join(" ");
        let split = split_line(&line, &env(), &Pseudo::default()).unwrap();
        let texts: Vec<_> = split.iter().map(Word::as_str).collect();
        prop_assert_eq!(texts, words.iter().map(|(w, _)| w.as_str()).collect::<Vec<_>>());
    }

    #[test]
    fn variables_keep_their_value(value in "[^\0]{0,20}") {
        let mut env = Env::empty();
        env.set("V", &value);
        let words = split_line("\"$V\" \"x${V}\" \"${V[*]}\"", &env, &Pseudo::default());
        let parts: Vec<_> = value.split(|c: char| c.is_ascii_whitespace() || c == '\x0b').filter(|s| !s.is_empty()).collect();
        if parts.len() + 2 > MAX_WORDS {
            return Ok(());
        }
        let words = words.unwrap();
        prop_assert_eq!(words[0].as_str(), &value);
        prop_assert_eq!(words[1].as_str(), format!("x{value}"));
        prop_assert_eq!(words[2..].iter().map(Word::as_str).collect::<Vec<_>>(), parts);
    }
}

/// Random bytes, seeded: what a fuzzer does first, in every run of the tests.
#[test]
fn random_bytes_do_not_panic() {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let alphabet = b"ab \t\"'\\#${}[*]-.x0\r\xe9\xc3\xa9A\xee\xbe\x80";
    for _ in 0..20_000 {
        let len = next() % 48;
        let bytes: Vec<u8> = (0..len)
            .map(|_| {
                let r = next();
                if r % 8 == 0 { r.to_le_bytes()[1] } else { alphabet[(r >> 8) as usize % alphabet.len()] }
            })
            .collect();
        let text = octets::encode(&bytes);
        let _ = split_line(&text, &env(), &Pseudo::default());
        let _ = unquote(&text, &env());
    }
}
