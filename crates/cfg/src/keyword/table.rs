//! Tables of keyword rows and the index over them.
//!
//! Rows are `const fn` calls in static slices beside the code that implements them. A [`Table`] is built at
//! compile time, so a duplicate or undocumented row fails the build; an [`Index`] is a value built from a list
//! of tables, so tests build small ones of their own.

use super::{Meta, Status};

/// One keyword: what all families share, and what its family adds.
#[derive(Clone, Copy, Debug)]
pub struct Row<X: 'static> {
    /// Name, help, status.
    pub meta: Meta,
    /// The family's own part: where it is allowed, its arguments, its implementation.
    pub x: X,
}

impl<X> Row<X> {
    /// The same keyword, refused until its area is built.
    pub const fn later(mut self, area: &'static str) -> Self {
        self.meta.status = Status::NotYet(area);
        self
    }

    /// The same keyword, accepted without effect.
    pub const fn idle(mut self, reason: &'static str) -> Self {
        self.meta.status = Status::NoEffect(reason);
        self
    }

    /// The same keyword, which HAProxy removed.
    pub const fn removed(mut self, since: &'static str, instead: &'static str) -> Self {
        self.meta.status = Status::Removed { since, instead };
        self
    }

    /// The same keyword, whose name is followed by an argument in parentheses.
    pub const fn prefix(mut self) -> Self {
        self.meta.prefix = true;
        self
    }

    /// The same keyword, behind `expose-experimental-directives`.
    pub const fn experimental(mut self) -> Self {
        self.meta.experimental = true;
        self
    }
}

/// A checked list of rows of one family.
#[derive(Debug)]
pub struct Table<X: 'static> {
    rows: &'static [Row<X>],
}

impl<X> Table<X> {
    /// Checks the rows: no name twice, each with a name and a sentence of help.
    ///
    /// # Panics
    ///
    /// At compile time only, as tables are statics.
    #[expect(clippy::panic, reason = "evaluated at compile time: a bad table fails the build")]
    pub const fn new(rows: &'static [Row<X>]) -> Self {
        let mut i = 0;
        while i < rows.len() {
            let name = rows[i].meta.name.as_bytes();
            let help = rows[i].meta.help.as_bytes();
            if name.is_empty() {
                panic!("a keyword row without a name");
            }
            if help.is_empty() || help[help.len() - 1] != b'.' {
                panic!("a keyword row whose help is not a sentence");
            }
            let mut j = 0;
            while j < i {
                if same(name, rows[j].meta.name.as_bytes()) {
                    panic!("a keyword that has two rows in one table");
                }
                j += 1;
            }
            i += 1;
        }
        Self { rows }
    }

    /// The rows, in the order in which they were written.
    pub const fn rows(&self) -> &'static [Row<X>] {
        self.rows
    }
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    // From the end: families share their first letters.
    let mut i = a.len();
    while i > 0 {
        i -= 1;
        if a[i] != b[i] {
            return false;
        }
    }
    true
}

/// Two tables hold a row for the same keyword.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("keyword '{0}' has rows in two tables")]
pub struct DuplicateKeyword(pub &'static str);

/// Finds rows by name: a hash table with open addressing over the rows of several tables.
#[derive(Debug)]
pub struct Index<X: 'static> {
    slots: Box<[Option<&'static Row<X>>]>,
    rows: Vec<&'static Row<X>>,
    duplicate: Option<&'static str>,
}

impl<X> Index<X> {
    /// Indexes all rows of `tables`; the order of the tables is the order of [`Index::rows`]. The first of two
    /// rows with one name wins; [`Index::check`] tells of it.
    pub fn new(tables: &[&'static Table<X>]) -> Self {
        let rows: Vec<&'static Row<X>> = tables.iter().flat_map(|t| t.rows).collect();
        let size = (rows.len() * 4).next_power_of_two().max(4);
        let mut slots: Box<[Option<&'static Row<X>>]> = (0..size).map(|_| None).collect();
        let mut duplicate = None;
        'rows: for &row in &rows {
            let mut at = hash(row.meta.name.as_bytes()) & (size - 1);
            while let Some(other) = slots[at] {
                if other.meta.name == row.meta.name {
                    duplicate = duplicate.or(Some(row.meta.name));
                    continue 'rows;
                }
                at = (at + 1) & (size - 1);
            }
            slots[at] = Some(row);
        }
        Self { slots, rows, duplicate }
    }

    /// Whether each keyword has one row only.
    ///
    /// # Errors
    ///
    /// Names the first keyword that has rows in two tables.
    pub fn check(&self) -> Result<(), DuplicateKeyword> {
        self.duplicate.map_or(Ok(()), |name| Err(DuplicateKeyword(name)))
    }

    /// The row of that name.
    pub fn get(&self, name: &str) -> Option<&'static Row<X>> {
        self.get_hashed(name, hash(name.as_bytes()))
    }

    /// The same with the [`hash`] of the name, for callers that look into several indexes.
    pub fn get_hashed(&self, name: &str, hash: usize) -> Option<&'static Row<X>> {
        let mask = self.slots.len() - 1;
        let mut at = hash & mask;
        // A quarter of the slots at most is in use, so that the search ends.
        while let Some(row) = self.slots[at] {
            if row.meta.name == name {
                return Some(row);
            }
            at = (at + 1) & mask;
        }
        None
    }

    /// All rows, in the order of their tables.
    pub fn rows(&self) -> &[&'static Row<X>] {
        &self.rows
    }

    /// All names, in the order of their tables.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.rows.iter().map(|r| r.meta.name)
    }
}

/// The hash of a keyword.
pub fn hash(name: &[u8]) -> usize {
    // FNV with a final mix: keywords are short, and nobody chooses them to collide.
    let mut h: u64 = 0xcbf2_9ce4_8422_2325;
    for &b in name {
        h = (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3);
    }
    (h ^ (h >> 29)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn row(name: &'static str) -> Row<u8> {
        Row { meta: Meta::new(name, "Help."), x: 0 }
    }
    static A: Table<u8> = Table::new(&[row("a"), row("bind"), row("tune.h1.x")]);
    static B: Table<u8> = Table::new(&[row("server"), row("bind")]);

    #[test]
    fn finds_each_row_and_nothing_else() {
        let index = Index::new(&[&A]);
        for name in ["a", "bind", "tune.h1.x"] {
            assert_eq!(index.get(name).unwrap().meta.name, name);
        }
        for name in ["", "b", "Bind", "tune.h1.xx"] {
            assert!(index.get(name).is_none(), "{name}");
        }
        assert_eq!(index.check(), Ok(()));
        assert_eq!(index.names().collect::<Vec<_>>(), ["a", "bind", "tune.h1.x"]);
    }

    #[test]
    fn refuses_a_keyword_of_two_tables() {
        assert_eq!(Index::new(&[&A, &B]).check(), Err(DuplicateKeyword("bind")));
    }

    #[test]
    fn an_empty_index_finds_nothing() {
        assert!(Index::<u8>::new(&[]).get("a").is_none());
    }
}
