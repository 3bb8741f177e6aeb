//! Strings: exact, prefix, suffix, substring, and delimited parts.

use super::Method;
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use hashbrown::HashTable;
use std::hash::{BuildHasher, Hasher as _};

/// One pattern: its position and its bytes.
type Entry = (u32, Box<[u8]>);

/// Gathers patterns; those that ignore case are kept apart.
#[derive(Debug)]
pub(super) struct StringsBuilder {
    method: Method,
    exact: Vec<Entry>,
    folded: Vec<Entry>,
}

/// Compiled patterns: case-sensitive ones are asked first.
#[derive(Debug)]
pub(super) struct Strings {
    exact: Matcher,
    folded: Matcher,
}

/// Patterns of one method and one treatment of case.
#[derive(Debug)]
struct Matcher {
    how: How,
    icase: bool,
    entries: Box<[Entry]>,
}

#[derive(Debug)]
enum How {
    /// Nothing to look for.
    None,
    /// Look at one after the other.
    Each(Method),
    /// Exact match through a hash table.
    Table(Table),
    /// Prefixes, or suffixes: one probe per distinct length, the longest first.
    Lengths(Table, Box<[usize]>, Method),
    /// Substrings, all at once.
    Automaton(Box<AhoCorasick>),
}

/// Up to so many patterns are compared one by one.
const FEW: usize = 3;

impl StringsBuilder {
    pub(super) fn new(method: Method) -> Self {
        Self { method, exact: Vec::new(), folded: Vec::new() }
    }

    pub(super) fn add(&mut self, at: u32, bytes: Vec<u8>, icase: bool) {
        let icase = icase && self.method != Method::Bin;
        let list = if icase { &mut self.folded } else { &mut self.exact };
        list.push((at, bytes.into()));
    }

    pub(super) fn build(self) -> Strings {
        Strings {
            exact: Matcher::new(self.method, false, self.exact),
            folded: Matcher::new(self.method, true, self.folded),
        }
    }
}

impl Strings {
    pub(super) fn matches(&self, s: &[u8]) -> bool {
        self.exact.matches(s) || self.folded.matches(s)
    }

    pub(super) fn find(&self, s: &[u8]) -> Option<u32> {
        self.exact.find(s).or_else(|| self.folded.find(s))
    }
}

impl Matcher {
    fn new(method: Method, icase: bool, mut entries: Vec<Entry>) -> Self {
        if method == Method::Dir || method == Method::Dom {
            for e in &mut entries {
                e.1 = trim(&e.1, delimiters(method)).into();
            }
        }
        let how = match method {
            _ if entries.is_empty() => How::None,
            Method::Sub if icase || entries.len() > 1 => AhoCorasick::builder()
                .ascii_case_insensitive(icase)
                .match_kind(MatchKind::Standard)
                // The fastest automaton, as long as it stays small.
                .kind(
                    (entries.iter().map(|e| e.1.len()).sum::<usize>() < 2048).then_some(AhoCorasickKind::DFA),
                )
                .build(entries.iter().map(|e| &e.1))
                .map_or(How::Each(method), |a| How::Automaton(Box::new(a))),
            _ if entries.len() <= FEW => How::Each(method),
            Method::Str | Method::Bin => How::Table(Table::new(&entries, icase)),
            Method::Beg | Method::End => {
                let mut lens: Vec<usize> = entries.iter().map(|e| e.1.len()).collect();
                lens.sort_unstable_by(|a, b| b.cmp(a));
                lens.dedup();
                How::Lengths(Table::new(&entries, icase), lens.into(), method)
            }
            _ => How::Each(method),
        };
        Self { how, icase, entries: entries.into() }
    }

    fn matches(&self, s: &[u8]) -> bool {
        match &self.how {
            How::None => false,
            How::Automaton(a) => a.is_match(s),
            How::Each(m) => self.entries.iter().any(|e| compare(*m, self.icase, s, &e.1)),
            _ => self.find(s).is_some(),
        }
    }

    fn find(&self, s: &[u8]) -> Option<u32> {
        match &self.how {
            How::None => None,
            How::Table(t) => t.get(&self.entries, s, self.icase),
            How::Lengths(t, lens, method) => lens.iter().filter(|l| **l <= s.len()).find_map(|l| {
                let part = if *method == Method::Beg { &s[..*l] } else { &s[s.len() - l..] };
                t.get(&self.entries, part, self.icase)
            }),
            How::Automaton(a) if !a.is_match(s) => None,
            // The first pattern in order of insertion is wanted, whatever its place in the text.
            How::Automaton(_) => self.first(s, Method::Sub),
            How::Each(m) => self.first(s, *m),
        }
    }

    fn first(&self, s: &[u8], method: Method) -> Option<u32> {
        if method == Method::Beg {
            // The longest prefix is the finest match; of equal ones the first counts.
            let all = self.entries.iter().rev().filter(|e| compare(method, self.icase, s, &e.1));
            return all.max_by_key(|e| e.1.len()).map(|e| e.0);
        }
        self.entries.iter().find(|e| compare(method, self.icase, s, &e.1)).map(|e| e.0)
    }
}

/// Compares one pattern.
fn compare(method: Method, icase: bool, s: &[u8], p: &[u8]) -> bool {
    match method {
        Method::Beg => s.len() >= p.len() && same(icase, &s[..p.len()], p),
        Method::End => s.len() >= p.len() && same(icase, &s[s.len() - p.len()..], p),
        Method::Sub => find_sub(icase, s, p, 0).is_some(),
        Method::Dir | Method::Dom => find_part(icase, s, p, delimiters(method)),
        _ => same(icase, s, p),
    }
}

fn same(icase: bool, a: &[u8], b: &[u8]) -> bool {
    if icase { a.eq_ignore_ascii_case(b) } else { a == b }
}

/// Position of a substring at or after `from`.
fn find_sub(icase: bool, s: &[u8], p: &[u8], from: usize) -> Option<usize> {
    let hay = s.get(from..)?;
    if !icase {
        return memchr::memmem::find(hay, p).map(|i| i + from);
    }
    if p.is_empty() {
        return Some(from);
    }
    hay.windows(p.len()).position(|w| w.eq_ignore_ascii_case(p)).map(|i| i + from)
}

/// What ends a part for `dir` and `dom`.
fn delimiters(method: Method) -> &'static [u8] {
    if method == Method::Dir { b"/?" } else { b"/?.:" }
}

/// Whether `p` stands in `s` between delimiters or ends.
fn find_part(icase: bool, s: &[u8], p: &[u8], delims: &[u8]) -> bool {
    if p.is_empty() {
        return false;
    }
    let mut from = 0;
    while let Some(i) = find_sub(icase, s, p, from) {
        let before = i == 0 || delims.contains(&s[i - 1]);
        let after = s.get(i + p.len()).is_none_or(|c| delims.contains(c));
        if before && after {
            return true;
        }
        from = i + 1;
    }
    false
}

/// Without leading and trailing delimiters.
fn trim<'a>(mut p: &'a [u8], delims: &[u8]) -> &'a [u8] {
    while let [c, rest @ ..] = p {
        if !delims.contains(c) {
            break;
        }
        p = rest;
    }
    while let [rest @ .., c] = p {
        if !delims.contains(c) {
            break;
        }
        p = rest;
    }
    p
}

/// Indexes of patterns by hash. The patterns are the configuration's, so peers cannot make them collide.
#[derive(Debug)]
struct Table {
    index: HashTable<u32>,
    hasher: foldhash::fast::FixedState,
}

impl Table {
    fn new(entries: &[Entry], icase: bool) -> Self {
        let mut t = Self {
            index: HashTable::with_capacity(entries.len()),
            hasher: foldhash::fast::FixedState::default(),
        };
        for (i, e) in entries.iter().enumerate() {
            // The first of equal patterns is the one that counts.
            if t.slot(entries, &e.1, icase).is_none() {
                let h = t.hash(&e.1, icase);
                let hasher = &t.hasher;
                let i = u32::try_from(i).unwrap_or(u32::MAX);
                t.index.insert_unique(h, i, |i| hash(hasher, &entries[*i as usize].1, icase));
            }
        }
        t
    }

    fn hash(&self, s: &[u8], icase: bool) -> u64 {
        hash(&self.hasher, s, icase)
    }

    fn slot(&self, entries: &[Entry], s: &[u8], icase: bool) -> Option<u32> {
        self.index.find(self.hash(s, icase), |i| same(icase, &entries[*i as usize].1, s)).copied()
    }

    fn get(&self, entries: &[Entry], s: &[u8], icase: bool) -> Option<u32> {
        self.slot(entries, s, icase).map(|i| entries[i as usize].0)
    }
}

/// Hash of a string; without case, letters hash like their lower case.
fn hash(hasher: &foldhash::fast::FixedState, s: &[u8], icase: bool) -> u64 {
    let mut h = hasher.build_hasher();
    if !icase {
        h.write(s);
        return h.finish();
    }
    let (chunks, rest) = s.as_chunks::<8>();
    for c in chunks {
        h.write_u64(u64::from_le_bytes(*c) | 0x2020_2020_2020_2020);
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    h.write_u64(u64::from_le_bytes(last) | 0x2020_2020_2020_2020);
    h.write_usize(s.len());
    h.finish()
}
