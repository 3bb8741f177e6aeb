//! What field blocks say (RFC 7541): the decoder, on the side of the wire; and what they are made of: the encoder.
//!
//! `h2` has one of its own, which takes the whole connection down for one bad name, and whose values must fit the
//! types of the `http` crate. This one tells what was there, and keeps with each entry of its table what
//! [`crate::rules`] has found of it, and its form for [`crate::carry`]: what is sent again costs next to nothing.

mod encoder;
mod huffman;
mod sheet;
mod statics;

pub(crate) use encoder::Encoder;
pub(crate) use sheet::Sheet;

use crate::carry::{self, MARK};
use crate::rules::Traits;
use statics::STATIC;
use std::collections::VecDeque;
use std::sync::LazyLock;

/// What an entry costs beside its bytes.
const ENTRY: usize = 32;

/// How large the table may be before anything was said about it.
const FIRST: usize = 4096;

/// The block cannot be decoded (`COMPRESSION_ERROR`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Bad;

/// A field that was sent before.
#[derive(Debug)]
struct Entry {
    /// As it is carried, if it is simple; else with any mark.
    text: Box<[u8]>,
    /// Length of its name.
    name: usize,
    traits: Traits,
}

/// A field, and what is known of it.
#[derive(Clone, Copy)]
pub(crate) struct Told<'a> {
    /// As in an entry.
    text: &'a [u8],
    name: usize,
    pub(crate) traits: &'a Traits,
}

/// The static table.
static FIXED: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let entry = |(name, value): &(&[u8], &[u8])| {
        let traits = Traits::of(name, value);
        let mark = carry::mark(traits.known, name.len(), value.len());
        Entry { text: [&mark, *name, *value].concat().into(), name: name.len(), traits }
    };
    STATIC.iter().map(entry).collect()
});

impl Told<'_> {
    /// Bytes of name and value.
    pub(crate) fn size(&self) -> usize {
        self.text.len() - MARK
    }

    fn name(&self) -> &[u8] {
        self.text.get(MARK..MARK + self.name).unwrap_or_default()
    }

    fn value(&self) -> &[u8] {
        self.text.get(MARK + self.name..).unwrap_or_default()
    }

    fn put(&self, out: &mut Vec<u8>) {
        let t = self.traits;
        if t.is_simple() {
            out.extend_from_slice(self.text);
            return;
        }
        carry::put(out, t.known, self.name(), t.trim(self.value()));
    }
}

impl Entry {
    fn told(&self) -> Told<'_> {
        Told { text: &self.text, name: self.name, traits: &self.traits }
    }
}

/// Decodes the field blocks of one direction of a connection.
#[derive(Debug)]
pub(crate) struct Decoder {
    /// Newest first.
    entries: VecDeque<Entry>,
    /// What they cost.
    size: usize,
    /// What they may cost.
    limit: usize,
    /// What the peer may raise that to.
    most: usize,
}

impl Decoder {
    /// `most` is `SETTINGS_HEADER_TABLE_SIZE`, as the peer was told.
    pub(crate) fn new(most: u32) -> Self {
        let most = (most as usize).max(FIRST);
        Self { entries: VecDeque::new(), size: 0, limit: FIRST, most }
    }

    /// Calls `field` with each field, whose name is not empty, and puts it behind others if that tells to
    /// ([`carry::put`]).
    ///
    /// # Errors
    /// The block is not one; both sides have different tables from here on.
    pub(crate) fn decode(
        &mut self,
        block: &[u8],
        out: &mut Vec<u8>,
        mut field: impl FnMut(Told<'_>) -> bool,
    ) -> Result<(), Bad> {
        let mut rest = Reader(block);
        let mut begun = false;
        while let Some(first) = rest.0.first().copied() {
            match first {
                0x80.. => {
                    let told = self.entry(rest.integer(7)?)?.told();
                    if field(told) {
                        told.put(out);
                    }
                }
                0x20..=0x3f => {
                    let limit = rest.integer(5)?;
                    if begun || limit > self.most {
                        return Err(Bad);
                    }
                    self.limit = limit;
                    self.evict(0);
                    continue;
                }
                _ => self.literal(&mut rest, first >= 0x40, out, &mut field)?,
            }
            begun = true;
        }
        Ok(())
    }

    /// A field that is no entry; `kept` tells that it becomes one.
    fn literal(
        &mut self,
        rest: &mut Reader<'_>,
        kept: bool,
        out: &mut Vec<u8>,
        field: &mut impl FnMut(Told<'_>) -> bool,
    ) -> Result<(), Bad> {
        let from = out.len();
        out.extend([0; MARK]);
        let named = match rest.integer(if kept { 6 } else { 4 })? {
            0 => {
                rest.string(out)?;
                Traits::named(out.get(from + MARK..).unwrap_or_default())
            }
            index => {
                let entry = self.entry(index)?;
                out.extend_from_slice(entry.told().name());
                entry.traits
            }
        };
        let name = out.len() - from - MARK;
        if name == 0 {
            return Err(Bad);
        }
        rest.string(out)?;
        let value = out.get(from + MARK + name..).unwrap_or_default();
        let traits = named.valued(value);
        let mark = carry::mark(traits.known, name, value.len());
        if let Some(to) = out.get_mut(from..from + MARK) {
            to.copy_from_slice(&mark);
        }
        let told = Told { text: out.get(from..).unwrap_or_default(), name, traits: &traits };
        if kept {
            self.keep(&told);
        }
        match field(told) {
            true if traits.is_simple() => {}
            true => {
                let text = out.split_off(from);
                Told { text: &text, name, traits: &traits }.put(out);
            }
            false => out.truncate(from),
        }
        Ok(())
    }

    fn entry(&self, index: usize) -> Result<&Entry, Bad> {
        let index = index.checked_sub(1).ok_or(Bad)?;
        match index.checked_sub(STATIC.len()) {
            Some(index) => self.entries.get(index).ok_or(Bad),
            None => FIXED.get(index).ok_or(Bad),
        }
    }

    fn keep(&mut self, field: &Told<'_>) {
        let cost = field.size() + ENTRY;
        self.evict(cost);
        // One that is too large leaves an empty table.
        if cost <= self.limit {
            self.size += cost;
            let entry = Entry { text: field.text.into(), name: field.name, traits: *field.traits };
            self.entries.push_front(entry);
        }
    }

    /// Makes room.
    fn evict(&mut self, room: usize) {
        while self.size + room > self.limit {
            let Some(entry) = self.entries.pop_back() else { return };
            self.size -= entry.told().size() + ENTRY;
        }
    }
}

/// What is left of a block.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn byte(&mut self) -> Result<u8, Bad> {
        let (first, rest) = self.0.split_first().ok_or(Bad)?;
        self.0 = rest;
        Ok(*first)
    }

    /// An integer whose first byte has that many bits of it.
    fn integer(&mut self, bits: u32) -> Result<usize, Bad> {
        let mask = (1u8 << bits) - 1;
        let first = self.byte()? & mask;
        let mut n = usize::from(first);
        if first < mask {
            return Ok(n);
        }
        // Nothing that is valid comes near this.
        for shift in [0, 7, 14, 21] {
            let b = self.byte()?;
            n += usize::from(b & 0x7f) << shift;
            if b < 0x80 {
                return Ok(n);
            }
        }
        Err(Bad)
    }

    fn string(&mut self, out: &mut Vec<u8>) -> Result<(), Bad> {
        let coded = self.0.first().is_some_and(|b| *b >= 0x80);
        let len = self.integer(7)?;
        let (text, rest) = self.0.split_at_checked(len).ok_or(Bad)?;
        self.0 = rest;
        if coded {
            return huffman::decode(text, out);
        }
        out.extend_from_slice(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    pub(super) type Fields = Vec<(String, String)>;

    pub(super) fn decoded(d: &mut Decoder, block: &[u8]) -> Result<Fields, Bad> {
        let mut fields = Vec::new();
        let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
        d.decode(block, &mut Vec::new(), |f| {
            fields.push((text(f.name()), text(f.value())));
            false
        })?;
        Ok(fields)
    }

    fn fields(of: &[(&str, &str)]) -> Result<Fields, Bad> {
        Ok(of.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect())
    }

    #[test]
    fn examples_of_the_rfc() {
        // Appendix C.4: three requests on one connection.
        let mut d = Decoder::new(4096);
        let first = [
            &[0x82, 0x86, 0x84, 0x41, 0x8c][..],
            &[0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff],
        ]
        .concat();
        let base =
            [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "www.example.com")];
        assert_eq!(decoded(&mut d, &first), fields(&base));
        let second = [0x82, 0x86, 0x84, 0xbe, 0x58, 0x86, 0xa8, 0xeb, 0x10, 0x64, 0x9c, 0xbf];
        let more = [&base[..], &[("cache-control", "no-cache")]].concat();
        assert_eq!(decoded(&mut d, &second), fields(&more));
        let third = [
            0x82, 0x87, 0x85, 0xbf, 0x40, 0x88, 0x25, 0xa8, 0x49, 0xe9, 0x5b, 0xa9, 0x7d, 0x7f, 0x89, 0x25,
            0xa8, 0x49, 0xe9, 0x5b, 0xb8, 0xe8, 0xb4, 0xbf,
        ];
        let last = [
            (":method", "GET"),
            (":scheme", "https"),
            (":path", "/index.html"),
            (":authority", "www.example.com"),
            ("custom-key", "custom-value"),
        ];
        assert_eq!(decoded(&mut d, &third), fields(&last));
        assert_eq!((d.size, d.entries.len()), (164, 3));
    }

    #[test]
    fn the_table_stays_within_its_limit() {
        let mut d = Decoder::new(4096);
        let kept = |n: u8| [&[0x40, 1, b'a', 100][..], &[n; 100]].concat();
        for i in 0..100 {
            assert!(decoded(&mut d, &kept(b'0' + i % 10)).is_ok());
            assert!(d.size <= 4096);
        }
        assert_eq!(d.entries.len(), 4096 / 133);
        assert!(decoded(&mut d, &[0x3f, 0x66]).is_ok(), "133 bytes");
        assert_eq!(d.entries.len(), 1);
        let newest = fields(&[("a", &"9".repeat(100))]);
        assert_eq!(decoded(&mut d, &[0xbe]), newest);
        let too_large = [&[0x40, 1, b'a', 102][..], &[b'x'; 102]].concat();
        assert!(decoded(&mut d, &too_large).is_ok());
        assert_eq!((d.entries.len(), d.size), (0, 0));
        assert_eq!(decoded(&mut d, &[0xbe]), Err(Bad));
        assert!(decoded(&mut d, &[0x20, 0x3f, 0xe1, 0x1f]).is_ok(), "to nothing and back");
        assert_eq!(d.limit, 4096);
    }

    #[test]
    fn entries_are_carried_as_their_literals_were() {
        for (name, value, due) in [
            ("x", "1", "1"),
            ("x-wide", " \t1 2 ", "1 2"),
            ("x-odd", " \x01\x7f", "\x01\x7f"),
            ("x-empty", "", ""),
            (":path", "/ ", "/ "),
        ] {
            let mut d = Decoder::new(4096);
            let mut block = vec![0x40, name.len() as u8];
            block.extend(name.bytes());
            block.push(value.len() as u8);
            block.extend(value.bytes());
            // Whole, by its name, and as a whole.
            block.extend([0x0f, 0x2f, value.len() as u8]);
            block.extend(value.bytes());
            block.push(0xbe);
            let (mut out, mut single) = (Vec::new(), Vec::new());
            d.decode(&block, &mut out, |_| true).unwrap();
            let known = hawser_http::KnownName::Other;
            carry::put(&mut single, known, name.as_bytes(), due.as_bytes());
            assert_eq!(out, single.repeat(3), "{value:?}");
            let mut none = Vec::new();
            d.decode(&block, &mut none, |_| false).unwrap();
            assert_eq!(none, b"");
        }
    }

    #[test]
    fn what_is_no_block() {
        let cases: [&[u8]; 13] = [
            &[0x80],
            &[0xbe],
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0x07],
            &[0xff],
            &[0x7f, 0x80, 0x01, 1, b'x'],
            &[0, 1, b'a', 100, b'x'],
            &[0, 1, b'a', 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
            &[0, 3, b'a'],
            &[0, 1, b'a'],
            &[0, 0, 1, b'a'],
            &[0x3f, 0xe2, 0x1f],
            &[0x82, 0x20],
            &[0, 1, b'a', 0x81, 0],
        ];
        for block in cases {
            assert_eq!(decoded(&mut Decoder::new(4096), block), Err(Bad), "{block:?}");
        }
        let larger = decoded(&mut Decoder::new(65536), &[0x3f, 0xe1, 0xff, 0x03]);
        assert_eq!(larger, Ok(Vec::new()));
    }

    proptest! {
        #[test]
        fn any_block_is_decoded_or_refused(blocks in vec(vec(any::<u8>(), 0..60), 0..30)) {
            let mut d = Decoder::new(4096);
            for block in blocks {
                let _ = decoded(&mut d, &block);
                let size: usize = d.entries.iter().map(|e| e.told().size() + ENTRY).sum();
                prop_assert!(size == d.size && size <= d.limit && d.limit <= 4096);
            }
        }

        #[test]
        fn literals_come_back(given in vec(("[a-z:]{1,40}", "[ -~]{0,200}", any::<bool>()), 1..40)) {
            let mut d = Decoder::new(4096);
            let mut block = Vec::new();
            for (name, value, kept) in &given {
                block.push(if *kept { 0x40 } else { 0x10 });
                for text in [name, value] {
                    let n = text.len();
                    block.extend(if n < 127 { vec![n as u8] } else { vec![127, (n - 127) as u8] });
                    block.extend(text.bytes());
                }
            }
            let due: Fields = given.into_iter().map(|(n, v, _)| (n, v)).collect();
            prop_assert_eq!(decoded(&mut d, &block), Ok(due));
        }
    }
}
