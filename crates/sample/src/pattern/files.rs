//! Lists of patterns by name (manual 2.7): files, optional files, virtual files. They are read once, at load.

use crate::compile::Error;
use hawser_cfg::octets;
use std::io;

/// One entry of a list: its line, its pattern, and its value where the list is a map.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Line number, from 1.
    pub line: usize,
    /// The pattern.
    pub key: String,
    /// The value.
    pub value: String,
}

/// Where a list comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source<'a> {
    /// A file that must exist.
    File(&'a str),
    /// A file that may be missing.
    Optional(&'a str),
    /// A name only: empty until something adds entries.
    Virtual(&'a str),
}

impl<'a> Source<'a> {
    /// Recognises the prefixes `file@`, `opt@` and `virt@`.
    pub fn of(name: &'a str) -> Self {
        if let Some(n) = name.strip_prefix("opt@") {
            Self::Optional(n)
        } else if name.starts_with("virt@") {
            Self::Virtual(name)
        } else {
            Self::File(name.strip_prefix("file@").unwrap_or(name))
        }
    }

    /// The name that identifies the list: two sources with the same one are the same list.
    pub fn name(self) -> &'a str {
        match self {
            Self::File(n) | Self::Optional(n) | Self::Virtual(n) => n,
        }
    }
}

/// Reads a list; `map` splits each line into key and value.
///
/// # Errors
/// HAProxy's text about a file that cannot be read.
pub fn load(name: &str, map: bool) -> Result<Vec<Entry>, Error> {
    let source = Source::of(name);
    let path = match source {
        Source::Virtual(_) => return Ok(Vec::new()),
        Source::File(p) | Source::Optional(p) => p,
    };
    match std::fs::read(path) {
        Ok(data) => Ok(entries(&data, map)),
        Err(e) if e.kind() == io::ErrorKind::NotFound && matches!(source, Source::Optional(_)) => {
            Ok(Vec::new())
        }
        Err(_) => Err(Error::new(format!("failed to open pattern file <{path}>"))),
    }
}

/// The entries of a file: empty lines and lines that begin with a sharp do not count.
fn entries(data: &[u8], map: bool) -> Vec<Entry> {
    let blank = |c: &u8| matches!(c, b' ' | b'\t');
    let mut out = Vec::new();
    for (i, line) in data.split(|c| *c == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.first() == Some(&b'#') {
            continue;
        }
        let start = line.iter().position(|c| !blank(c)).unwrap_or(line.len());
        let text = &line[start..];
        if text.is_empty() {
            continue;
        }
        let (key, value) = if map {
            let end = text.iter().position(blank).unwrap_or(text.len());
            (&text[..end], text[end..].trim_ascii())
        } else {
            (text, &b""[..])
        };
        let text = |b: &[u8]| octets::encode(b).into_owned();
        out.push(Entry { line: i + 1, key: text(key), value: text(value) });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_entries() {
        let keys =
            |data: &str| entries(data.as_bytes(), false).into_iter().map(|e| e.key).collect::<Vec<_>>();
        assert_eq!(keys("a\n# c\n b \n\n  c d\n#x\n #y\n"), ["a", "b ", "c d", "#y"]);
        let pairs = |data: &str| {
            entries(data.as_bytes(), true).into_iter().map(|e| (e.line, e.key, e.value)).collect::<Vec<_>>()
        };
        let want = |l: usize, k: &str, v: &str| (l, k.to_owned(), v.to_owned());
        assert_eq!(
            pairs("k1 v1\r\nk2  v2 x  \n#c\n  k3\tv3\nk4"),
            [want(1, "k1", "v1"), want(2, "k2", "v2 x"), want(4, "k3", "v3"), want(5, "k4", "")]
        );
    }

    #[test]
    fn names_tell_what_may_be_missing() {
        assert_eq!(Source::of("opt@/a").name(), "/a");
        assert_eq!(Source::of("virt@a").name(), "virt@a");
        assert_eq!(load("opt@/nonexistent/list", false), Ok(Vec::new()));
        assert_eq!(load("virt@x", true), Ok(Vec::new()));
        let e = load("/nonexistent/list", false).map_err(|e| e.text);
        assert_eq!(e, Err("failed to open pattern file </nonexistent/list>".to_owned()));
    }
}
