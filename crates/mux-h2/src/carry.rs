//! How heads pass `h2` by.
//!
//! A head that was decoded and found fine on the side of the wire waits beside `h2` ([`Received`]), for whoever gets the
//! message from it. `h2` itself is handed one that it cannot object to: the pseudo-header field that it needs for its own
//! state.

use crate::frames;
use crate::rules::Kind;
use hawser_http::KnownName;
use hawser_proto::buf;
use parking_lot::Mutex;

/// What stands before a name and a value: which name it is, and how long both are.
pub(crate) const MARK: usize = 6;

/// That of a field. No longer name than a byte can tell passes the rules ([`crate::rules`]).
pub(crate) fn mark(known: KnownName, name: usize, value: usize) -> [u8; MARK] {
    let [a, b, c, d] = (value as u32).to_le_bytes();
    [known as u8, name as u8, a, b, c, d]
}

/// Puts a field behind others.
pub(crate) fn put(out: &mut Vec<u8>, known: KnownName, name: &[u8], value: &[u8]) {
    out.extend(mark(known, name.len(), value.len()));
    out.extend_from_slice(name);
    out.extend_from_slice(value);
}

/// Walks through fields.
#[derive(Clone)]
pub(crate) struct Fields<'a>(&'a [u8]);

/// A field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Carried<'a> {
    pub(crate) known: KnownName,
    pub(crate) name: &'a [u8],
    pub(crate) value: &'a [u8],
}

impl<'a> Iterator for Fields<'a> {
    type Item = Carried<'a>;

    #[inline]
    fn next(&mut self) -> Option<Carried<'a>> {
        let ([known, name, a, b, c, d], rest) = self.0.split_first_chunk::<MARK>()?;
        let (name, rest) = rest.split_at_checked((*name).into())?;
        let (value, rest) = rest.split_at_checked(u32::from_le_bytes([*a, *b, *c, *d]) as usize)?;
        self.0 = rest;
        Some(Carried { known: *KnownName::ALL.get(usize::from(*known))?, name, value })
    }
}

/// The fields of a message, as [`put`] made them.
#[derive(Default, PartialEq, Eq, Debug)]
pub(crate) struct Block(Vec<u8>);

impl Block {
    /// Keeps fields. Their memory goes back to the thread's pool.
    pub(crate) fn new(text: Vec<u8>) -> Self {
        Self(text)
    }

    pub(crate) fn fields(&self) -> Fields<'_> {
        Fields(&self.0)
    }

    /// Whether there is no field.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        buf::give_text(std::mem::take(&mut self.0));
    }
}

/// What a head is of the message on its stream.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Stage {
    Interim,
    Head,
    Trailers,
}

/// Heads that wait for nothing else keep the memory of the pool, as many as that.
const ROOMY: usize = 16;

/// Heads of one connection that were received, and that nobody has taken yet.
#[derive(Default, Debug)]
pub(crate) struct Received(Mutex<Vec<(u32, Stage, Block)>>);

impl Received {
    pub(crate) fn put(&self, stream: u32, stage: Stage, mut block: Block) {
        let mut all = self.0.lock();
        if all.len() >= ROOMY {
            block.0.shrink_to_fit();
        }
        all.push((stream, stage, block));
    }

    /// Takes that of a message that `h2` has handed out. Interim ones before it were not asked for.
    pub(crate) fn take(&self, stream: u32, stage: Stage) -> Option<Block> {
        let mut all = self.0.lock();
        loop {
            let at = all.iter().position(|h| h.0 == stream)?;
            let (_, found, block) = all.remove(at);
            if found >= stage {
                return Some(block).filter(|_| found == stage);
            }
        }
    }

    /// We have reset a stream. `given_up` tells that nobody wants anything of it any more; else `h2` found a mistake of the
    /// peer's, and hands out what came before.
    pub(crate) fn parted(&self, stream: u32, given_up: bool) {
        self.0.lock().retain(|h| h.0 != stream || (h.1 != Stage::Trailers && !given_up));
    }

    /// Nobody will ask for those of a stream.
    pub(crate) fn forget(&self, stream: u32) {
        self.0.lock().retain(|h| h.0 != stream);
    }
}

/// A message on its way to `h2`.
pub(crate) struct Message {
    pub(crate) kind: Kind,
    /// Of a response.
    pub(crate) status: u16,
    /// It breaks a rule: `h2` is to reset the stream.
    pub(crate) malformed: bool,
    /// How `h2` is told of a request.
    pub(crate) request: &'static [u8],
}

impl Message {
    /// Its frames.
    pub(crate) fn frames(&self, stream: u32, end: bool, out: &mut Vec<u8>) {
        frames::headers(out, stream, end, |out| self.block(out));
    }

    fn block(&self, out: &mut Vec<u8>) {
        match self.kind {
            Kind::Request => out.extend_from_slice(self.request),
            Kind::Response => self.status(out),
            Kind::Trailers => {}
        }
        if self.malformed {
            // Of transfer-encoding, which no message of HTTP/2 may have.
            out.extend([0x0f, 0x2a, 1, b'x']);
        }
    }

    fn status(&self, out: &mut Vec<u8>) {
        // Those of the static table.
        let index = match self.status {
            200 => 8,
            204 => 9,
            206 => 10,
            304 => 11,
            400 => 12,
            404 => 13,
            500 => 14,
            n => {
                let [hundreds, tens, ones] = [n / 100, n / 10, n].map(|n| b'0' + (n % 10) as u8);
                return out.extend([0x08, 3, hundreds, tens, ones]);
            }
        };
        out.push(0x80 | index);
    }
}

/// A number in text.
pub(crate) fn digits_of(mut n: u64, digits: &mut [u8; 20]) -> &[u8] {
    let mut from = digits.len();
    for (i, d) in digits.iter_mut().enumerate().rev() {
        *d = b'0' + (n % 10) as u8;
        n /= 10;
        from = i;
        if n == 0 {
            break;
        }
    }
    digits.get(from..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(fields: &[(&[u8], &[u8])]) -> Block {
        let mut text = Vec::new();
        for (name, value) in fields {
            put(&mut text, KnownName::of(name), name, value);
        }
        Block::new(text)
    }

    #[test]
    fn all_values_come_back() {
        let all: Vec<u8> = (0..=255).collect();
        let long = vec![b'x'; 3_000_000];
        let given: [(&[u8], &[u8]); 6] = [
            (b":path", b"/"),
            (b"host", b""),
            (b"x-all", &all),
            (b"x-long", &long),
            (&[b'n'; 255], b"\xff\t"),
            (b"x", b"\x7f"),
        ];
        let block = block(&given);
        let found: Vec<_> = block.fields().collect();
        let due = given.map(|(name, value)| Carried { known: KnownName::of(name), name, value });
        assert_eq!(found, due);
    }

    #[test]
    fn each_message_has_its_head() {
        let heads = Received::default();
        let of = |n: &'static [u8]| block(&[(b"x", n)]);
        for (stream, stage, n) in [
            (1, Stage::Interim, &b"1"[..]),
            (3, Stage::Head, b"2"),
            (1, Stage::Interim, b"3"),
            (1, Stage::Head, b"4"),
            (1, Stage::Trailers, b"5"),
            (5, Stage::Trailers, b"6"),
        ] {
            heads.put(stream, stage, of(n));
        }
        assert_eq!(heads.take(1, Stage::Interim), Some(of(b"1")));
        assert_eq!(heads.take(1, Stage::Head), Some(of(b"4")), "nobody has asked for the interim one");
        assert_eq!(heads.take(3, Stage::Head), Some(of(b"2")));
        assert_eq!(heads.take(1, Stage::Trailers), Some(of(b"5")));
        assert_eq!(heads.take(1, Stage::Trailers), None);
        assert_eq!(heads.take(5, Stage::Head), None, "there was none");
        heads.put(7, Stage::Head, of(b"7"));
        heads.put(7, Stage::Trailers, of(b"8"));
        heads.parted(7, false);
        assert_eq!(heads.0.lock().len(), 1);
        heads.parted(7, true);
        heads.put(9, Stage::Head, of(b"9"));
        heads.forget(9);
        assert!(heads.0.lock().is_empty());
    }
}
