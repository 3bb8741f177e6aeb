//! Lines into commands, words and payloads.

/// Longest pattern after `<<`.
const PATTERN_MAX: usize = 64;

/// Splits a line at unescaped `;` into commands, and those into words. A backslash takes away the meaning of
/// the character after it.
pub(crate) fn split(line: &str) -> Vec<Vec<String>> {
    let mut commands = Vec::new();
    let mut words: Vec<String> = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            ';' => {
                words.extend(word.take());
                commands.push(std::mem::take(&mut words));
            }
            ' ' | '\t' => words.extend(word.take()),
            '\\' => word.get_or_insert_default().push(chars.next().unwrap_or('\\')),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word.take());
    commands.push(words);
    commands
}

/// Finds `<<` or `<<PATTERN` as the last word of a line; returns the line without it, and the pattern.
pub(crate) fn payload_pattern(line: &str) -> Option<(&str, &str)> {
    let start = line.rfind("<<")?;
    let pattern = &line[start + 2..];
    let own_word = start == 0 || line[..start].ends_with([' ', '\t']);
    let plausible = pattern.len() <= PATTERN_MAX && !pattern.contains([' ', '\t', ';']);
    (own_word && plausible).then(|| (&line[..start], pattern))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_and_words() {
        let cases: &[(&str, &[&[&str]])] = &[
            ("show version", &[&["show", "version"]]),
            ("  show \t version  ", &[&["show", "version"]]),
            ("a;b c", &[&["a"], &["b", "c"]]),
            ("a;", &[&["a"], &[]]),
            (";;a", &[&[], &[], &["a"]]),
            ("", &[&[]]),
            (r"echo a\;b\ c \\", &[&["echo", "a;b c", r"\"]]),
            (r"show\ version", &[&["show version"]]),
            (r#"say "x y""#, &[&["say", "\"x", "y\""]]),
            (r"end\", &[&[r"end\"]]),
        ];
        for (line, want) in cases {
            assert_eq!(&split(line), want, "{line:?}");
        }
    }

    #[test]
    fn payload_patterns() {
        assert_eq!(payload_pattern("add map x <<"), Some(("add map x ", "")));
        assert_eq!(payload_pattern("add map x <<EOF"), Some(("add map x ", "EOF")));
        assert_eq!(payload_pattern("<<EOF"), Some(("", "EOF")));
        assert_eq!(payload_pattern("add map x<<"), None);
        assert_eq!(payload_pattern("add map x << "), None);
        assert_eq!(payload_pattern("add map x"), None);
        assert_eq!(payload_pattern(&format!("x <<{}", "y".repeat(65))), None);
    }
}
