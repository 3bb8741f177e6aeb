//! Case adjustment of field names (`h1-case-adjust`).

/// Names to write in another case, for `option h1-case-adjust-bogus-client` and `-server`.
#[derive(Clone, Debug, Default)]
pub struct CaseMap {
    /// Sorted by `from`.
    names: Vec<Pair>,
}

#[derive(Clone, Debug)]
struct Pair {
    from: Box<[u8]>,
    to: Box<[u8]>,
}

impl CaseMap {
    /// Adds a pair. `from` must be in lower case and differ from `to` only by case; else, or if `from` is there
    /// already, it is refused.
    pub fn insert(&mut self, from: &[u8], to: &[u8]) -> bool {
        let fine = from.iter().all(|b| !b.is_ascii_uppercase()) && from.eq_ignore_ascii_case(to);
        if !fine || from.is_empty() {
            return false;
        }
        match self.names.binary_search_by(|n| n.from.as_ref().cmp(from)) {
            Ok(_) => false,
            Err(i) => {
                self.names.insert(i, Pair { from: from.into(), to: to.into() });
                true
            }
        }
    }

    /// How to write this name.
    pub fn adjust<'a>(&'a self, name: &'a [u8]) -> &'a [u8] {
        let lower = |b: &u8| b.to_ascii_lowercase();
        let found = self.names.binary_search_by(|n| n.from.iter().copied().cmp(name.iter().map(lower)));
        found.ok().and_then(|i| self.names.get(i)).map_or(name, |n| &n.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_differ_by_case_only_and_come_once() {
        let mut map = CaseMap::default();
        let cases: &[(&str, &str, bool)] = &[
            ("content-length", "Content-Length", true),
            ("content-length", "CONTENT-LENGTH", false),
            ("Host", "HOST", false),
            ("host", "hosts", false),
            ("", "", false),
            ("etag", "ETag", true),
        ];
        for (from, to, fine) in cases {
            assert_eq!(map.insert(from.as_bytes(), to.as_bytes()), *fine, "{from} {to}");
        }
        for (name, want) in [("content-length", "Content-Length"), ("ETAG", "ETag"), ("hOsT", "hOsT")] {
            assert_eq!(map.adjust(name.as_bytes()), want.as_bytes());
        }
    }
}
