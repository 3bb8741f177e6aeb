//! What field blocks are made of (RFC 7541): the encoder.
//!
//! Fields that come again are told by their place in a table, all others as they are: Huffman's code costs more than
//! the bytes that it spares. The table follows the order of the blocks on the wire, which is known only when they go
//! out; what does not depend on it is encoded before ([`Sheet`]).

use super::ENTRY;
use super::sheet::{Item, Sheet};
use super::statics::STATIC;
use std::collections::VecDeque;

/// Most that the table holds: what any peer takes that has said nothing else (bytes).
const MOST: usize = 4096;

/// Places where entries are looked for by a hash, and how many of them in turn.
const PLACES: usize = 256;
const TRIES: usize = 4;

/// The first bits of what stands in a block (RFC 7541 section 6), and how many bits a number has beside them.
const INDEXED: (u8, u32) = (0x80, 7);
const KEPT: (u8, u32) = (0x40, 6);
const UPDATE: (u8, u32) = (0x20, 5);
pub(super) const SECRET: (u8, u32) = (0x10, 4);
pub(super) const ONCE: (u8, u32) = (0, 4);

/// A field that was sent before.
#[derive(Debug)]
struct Entry {
    /// Of its name in the static table, 0 if it is not there.
    index: u8,
    /// Its name, if it is not there, and its value; and how long the name is.
    text: Box<[u8]>,
    name: usize,
}

/// Encodes the field blocks of one direction of a connection.
#[derive(Debug, Default)]
pub(crate) struct Encoder {
    /// Newest first.
    entries: VecDeque<Entry>,
    /// What they cost (bytes).
    size: usize,
    /// What the peer allows, if that is less than it could be; and whether it is to be told that it is kept to.
    lower: Option<usize>,
    update: bool,
    /// The number of the newest entry: they are counted, beyond the largest number from zero again.
    newest: u16,
    /// Numbers of entries by their hash; empty as long as there was none. What is not there any more may still be named.
    places: Vec<u16>,
}

impl Encoder {
    /// The peer's `SETTINGS_HEADER_TABLE_SIZE`. What was said once is kept to, whatever it allows later: that is
    /// right at any time, before it is acknowledged and after.
    pub(crate) fn allow(&mut self, size: usize) {
        if size < self.limit() {
            self.lower = Some(size);
            self.update = true;
            self.evict(0);
        }
    }

    fn limit(&self) -> usize {
        self.lower.unwrap_or(MOST)
    }

    /// Puts the block behind other bytes.
    pub(crate) fn encode(&mut self, sheet: &Sheet, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.update) {
            integer(out, UPDATE, self.limit());
        }
        for item in sheet.items() {
            match item {
                Item::Done(bytes) => out.extend_from_slice(bytes),
                Item::Field { index, name, text } => self.field(index, name, text, out),
            }
        }
    }

    /// `name` is the length of the name that the text starts with.
    fn field(&mut self, index: u8, name: usize, text: &[u8], out: &mut Vec<u8>) {
        let whole = hash(index, name, text);
        if let Some(place) = self.find(whole, |e| e.index == index && e.name == name && *e.text == *text) {
            return integer(out, INDEXED, place);
        }
        let (name_text, value) = text.split_at(name);
        let named = match index {
            0 => self.find(hash(0, name, name_text), |e| e.is_named(name_text)).unwrap_or(0),
            _ => index.into(),
        };
        let entry = Entry { index, text: text.into(), name };
        let cost = entry.cost();
        // One that leaves hardly room for others is not worth it.
        if cost * 4 > self.limit() * 3 {
            return literal(out, ONCE, named, name_text, value);
        }
        literal(out, KEPT, named, name_text, value);
        self.evict(cost);
        self.entries.push_front(entry);
        self.size += cost;
        self.newest = self.newest.wrapping_add(1);
        self.note(whole);
        if index == 0 {
            self.note(hash(0, name, name_text));
        }
    }

    /// The index of an entry with that hash.
    fn find(&self, hash: usize, is: impl Fn(&Entry) -> bool) -> Option<usize> {
        let numbers = (hash..hash + TRIES).map_while(|at| self.places.get(at % PLACES));
        let mut ages = numbers.map(|n| usize::from(self.newest.wrapping_sub(*n)));
        let age = ages.find(|age| self.entries.get(*age).is_some_and(&is))?;
        Some(STATIC.len() + 1 + age)
    }

    /// Notes where the newest entry is found: in the place of one that is gone, or at worst of one that is not.
    fn note(&mut self, hash: usize) {
        // None of these numbers is that of an entry, for long.
        self.places.resize(PLACES, self.newest.wrapping_sub(1 << 15));
        let gone = |at: &usize| {
            let age = self.places.get(at % PLACES).map(|n| usize::from(self.newest.wrapping_sub(*n)));
            age.is_some_and(|age| age >= self.entries.len())
        };
        let at = (hash..hash + TRIES).find(gone).unwrap_or(hash);
        if let Some(place) = self.places.get_mut(at % PLACES) {
            *place = self.newest;
        }
    }

    /// Makes room.
    fn evict(&mut self, room: usize) {
        while self.size + room > self.limit() {
            let Some(entry) = self.entries.pop_back() else { return };
            self.size -= entry.cost();
        }
    }
}

impl Entry {
    fn cost(&self) -> usize {
        let name = STATIC.get(usize::from(self.index).wrapping_sub(1)).map_or(0, |s| s.0.len());
        name + self.text.len() + ENTRY
    }

    fn is_named(&self, name: &[u8]) -> bool {
        self.index == 0 && self.text.get(..self.name) == Some(name)
    }
}

/// Of a field: of its lengths, and of eight bytes at both ends and in the middle. More of them are not worth it: what is
/// found is compared anyway.
#[inline]
fn hash(index: u8, name: usize, text: &[u8]) -> usize {
    let h = u64::from(index) << 48 ^ (name as u64) << 32 ^ text.len() as u64;
    let middle = text.get((text.len() / 2).saturating_sub(4)..).and_then(<[u8]>::first_chunk);
    let h = match (text.first_chunk(), middle, text.last_chunk()) {
        (Some(a), Some(b), Some(c)) => [a, b, c].iter().fold(h, |h, w| mix(h, u64::from_le_bytes(**w))),
        _ => text.iter().fold(h, |h, b| mix(h, u64::from(*b))),
    };
    (mix(h, 0) >> 56) as usize
}

#[inline]
fn mix(h: u64, word: u64) -> u64 {
    (h ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23)
}

/// A number behind the first bits of a byte.
#[inline]
pub(super) fn integer(out: &mut Vec<u8>, (first, bits): (u8, u32), n: usize) {
    let most = (1 << bits) - 1;
    if n < most {
        out.push(first | n as u8);
    } else {
        long(out, first | most as u8, n - most);
    }
}

/// What did not fit there, and what comes first.
fn long(out: &mut Vec<u8>, first: u8, mut rest: usize) {
    out.push(first);
    while rest >= 0x80 {
        out.push(0x80 | rest as u8);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// A string as it is.
fn string(out: &mut Vec<u8>, text: &[u8]) {
    integer(out, (0, 7), text.len());
    out.extend_from_slice(text);
}

/// A field that is no entry, of that name or of that of an entry.
pub(super) fn literal(out: &mut Vec<u8>, form: (u8, u32), index: usize, name: &[u8], value: &[u8]) {
    integer(out, form, index);
    if index == 0 {
        string(out, name);
    }
    string(out, value);
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Fields, decoded};
    use super::super::{Bad, Decoder};
    use super::*;
    use hawser_http::KnownName;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn block(e: &mut Encoder, fields: &[(&str, &str)]) -> Vec<u8> {
        let mut sheet = Sheet::new();
        for (name, value) in fields {
            sheet.field(KnownName::of(name.as_bytes()), name.as_bytes(), value.as_bytes());
        }
        let mut out = Vec::new();
        e.encode(&sheet, &mut out);
        out
    }

    #[test]
    fn what_comes_again_is_a_byte() {
        let mut e = Encoder::default();
        let fields = [("server", "x"), ("x-own", "1"), ("content-length", "12"), ("set-cookie", "a=b")];
        let first = block(&mut e, &fields);
        assert_eq!(first, b"\x76\x01x\x40\x05x-own\x011\x0f\x0d\x0212\x1f\x28\x03a=b");
        let again = block(&mut e, &fields);
        assert_eq!(again, b"\xbf\xbe\x0f\x0d\x0212\x1f\x28\x03a=b");
        assert_eq!(block(&mut e, &[("x-own", "2")]), b"\x7e\x012", "by its name");
    }

    #[test]
    fn the_table_is_as_large_as_the_peer_allows() {
        let mut e = Encoder::default();
        block(&mut e, &[("a", "1"), ("b", "2")]);
        e.allow(40);
        e.allow(4096);
        assert_eq!(block(&mut e, &[("b", "2")]), b"\x3f\x09\xbe", "told once");
        assert_eq!(block(&mut e, &[("c", "3")]), b"\x00\x01c\x013", "too large for it");
        assert_eq!((e.entries.len(), e.size), (1, 34));
        e.allow(0);
        assert_eq!(block(&mut e, &[("b", "2")]), b"\x20\x00\x01b\x012");
        assert_eq!(block(&mut e, &[]), b"");
    }

    #[test]
    fn long_values_are_no_entries() {
        let mut e = Encoder::default();
        let long = "v".repeat(3100);
        let out = block(&mut e, &[("a", &long)]);
        assert_eq!((&out[..3], e.entries.len()), (&b"\x00\x01a"[..], 0));
        assert_eq!(decoded(&mut Decoder::new(4096), &out), Ok(vec![("a".into(), long)]));
    }

    type Step = (Option<usize>, Fields);

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let names = ["server", "date", "x-a", "x-b", "cookie", "content-length", "etag", "x-forwarded-for"];
        let name = prop::sample::select(names.to_vec()).prop_map(str::to_owned);
        let name = prop_oneof![name, "[a-z-]{1,90}"];
        let value = prop_oneof!["[ab]{0,2}", "[ -~]{0,300}", "[a-z]{1400,1500}"];
        let limit = prop::option::weighted(0.1, prop_oneof![0..200usize, 0..9000usize]);
        vec((limit, vec((name, value), 0..12)), 1..30)
    }

    proptest! {
        #[test]
        fn the_decoder_finds_the_same(steps in steps()) {
            let (mut e, mut d) = (Encoder::default(), Decoder::new(4096));
            for (limit, fields) in steps {
                if let Some(n) = limit {
                    e.allow(n);
                }
                let given: Vec<_> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
                let out = block(&mut e, &given);
                prop_assert_eq!(decoded(&mut d, &out), Ok::<_, Bad>(fields));
                let size: usize = e.entries.iter().map(Entry::cost).sum();
                prop_assert!(size == e.size && size <= e.limit());
            }
        }

        #[test]
        fn integers_are_those_of_the_rfc(n in 0usize..(1 << 28), bits in 4u32..8) {
            let mut out = Vec::new();
            integer(&mut out, (0, bits), n);
            prop_assert_eq!(super::super::Reader(&out).integer(bits), Ok(n));
        }
    }
}
