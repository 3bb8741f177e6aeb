//! Lines into commands, words and payloads.

/// Longest pattern after `<<`.
const PATTERN_MAX: usize = 64;

/// The commands of a line, as they were written: what unescaped `;` separate.
pub(crate) fn commands(line: &str) -> Vec<&str> {
    let mut escaped = false;
    let ends = |c: char| {
        let end = c == ';' && !escaped;
        escaped = c == '\\' && !escaped;
        end
    };
    line.split(ends).collect()
}

/// The words of a command. A backslash takes away the meaning of the character after it.
pub(crate) fn words(command: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = command.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' => words.extend(word.take()),
            '\\' => word.get_or_insert_default().push(chars.next().unwrap_or('\\')),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word.take());
    words
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

    fn split(line: &str) -> Vec<Vec<String>> {
        commands(line).into_iter().map(words).collect()
    }

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
