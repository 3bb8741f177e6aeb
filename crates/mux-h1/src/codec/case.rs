//! Case adjustment of field names (`h1-case-adjust`).

/// Names to write in another case, for `option h1-case-adjust-bogus-client` and `-server`.
#[derive(Clone, Debug, Default)]
pub struct CaseMap {
    names: Vec<(Box<[u8]>, Box<[u8]>)>,
}

impl CaseMap {
    /// Adds a pair. `from` must be in lower case and differ from `to` only by case; else, or if `from` is there
    /// already, it is refused.
    pub fn insert(&mut self, from: &[u8], to: &[u8]) -> bool {
        let fine = from.iter().all(|b| !b.is_ascii_uppercase()) && from.eq_ignore_ascii_case(to);
        if !fine || from.is_empty() {
            return false;
        }
        match self.names.binary_search_by(|n| n.0.as_ref().cmp(from)) {
            Ok(_) => false,
            Err(i) => {
                self.names.insert(i, (from.into(), to.into()));
                true
            }
        }
    }

    /// How to write this name.
    pub fn adjust<'a>(&'a self, name: &'a [u8]) -> &'a [u8] {
        let lower = |b: &u8| b.to_ascii_lowercase();
        let found = self.names.binary_search_by(|n| n.0.iter().copied().cmp(name.iter().map(lower)));
        found.ok().and_then(|i| self.names.get(i)).map_or(name, |n| &n.1)
    }
}
