//! Hash functions and `hash-type`.

use hawser_cfg::pos::Word;
use hawser_sample::hash::{avalanche, crc32, djb2, sdbm, wt6};

/// `hash-type METHOD FUNCTION MODIFIER`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct HashType {
    /// `consistent` rather than `map-based`.
    pub(super) consistent: bool,
    pub(super) function: Function,
    pub(super) avalanche: bool,
}

/// Hash function over a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Function {
    Sdbm,
    Djb2,
    Wt6,
    Crc32,
    /// The key is the number itself, in decimal.
    None,
}

impl HashType {
    /// Reads the words of `hash-type`, which the parser has checked; none for the default.
    pub(super) fn of(words: &[Word]) -> Self {
        let word = |i: usize| words.get(i).map(|w| w.as_str());
        let consistent = word(0) == Some("consistent");
        let function = match word(1) {
            Some("djb2") => Function::Djb2,
            Some("wt6") => Function::Wt6,
            Some("crc32") => Function::Crc32,
            Some("none") => Function::None,
            _ => Function::Sdbm,
        };
        // A consistent hash without a function is sdbm with avalanche.
        let avalanche = word(2) == Some("avalanche") || (consistent && word(1).is_none());
        Self { consistent, function, avalanche }
    }

    /// The hash of a key of bytes.
    pub(super) fn hash(self, key: &[u8]) -> u32 {
        self.finish(match self.function {
            Function::Sdbm => sdbm(key),
            Function::Djb2 => djb2(key),
            Function::Wt6 => wt6(key),
            Function::Crc32 => crc32(key),
            Function::None => number(key),
        })
    }

    /// The hash of a key that is a number already.
    pub(super) fn finish(self, hash: u32) -> u32 {
        if self.avalanche { avalanche(hash) } else { hash }
    }
}

/// The number at the start of a key, modulo 2^32; 0 if there is none.
fn number(key: &[u8]) -> u32 {
    let (negative, digits) = match key {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        all => (false, all),
    };
    let n = digits
        .iter()
        .take_while(|b| b.is_ascii_digit())
        .fold(0u32, |n, b| n.wrapping_mul(10).wrapping_add(u32::from(b - b'0')));
    if negative { n.wrapping_neg() } else { n }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::words;

    #[test]
    fn functions() {
        // As HAProxy 3.4 was seen to place 0, 1 and 2.
        assert_eq!((avalanche(0), avalanche(1), avalanche(2)), (0xab4e_d927, 0x3486_81b6, 0xe267_b84c));
        let cases: &[(&[u8], u32)] =
            &[(b"12", 12), (b"4294967296", 0), (b"abc", 0), (b"-5", 0xffff_fffb), (b"7x", 7), (b"", 0)];
        for (key, want) in cases {
            assert_eq!(number(key), *want, "{key:?}");
        }
    }

    #[test]
    fn hash_types() {
        let t = |consistent, function, avalanche| HashType { consistent, function, avalanche };
        let cases = [
            ("", t(false, Function::Sdbm, false)),
            ("map-based", t(false, Function::Sdbm, false)),
            ("map-based crc32 avalanche", t(false, Function::Crc32, true)),
            ("consistent", t(true, Function::Sdbm, true)),
            ("consistent sdbm", t(true, Function::Sdbm, false)),
            ("consistent djb2 avalanche", t(true, Function::Djb2, true)),
            ("consistent wt6", t(true, Function::Wt6, false)),
            ("map-based none", t(false, Function::None, false)),
        ];
        for (text, want) in cases {
            assert_eq!(HashType::of(&words(text)), want, "{text}");
        }
    }

    #[test]
    fn every_function_spreads() {
        for function in [Function::Sdbm, Function::Djb2, Function::Wt6, Function::Crc32] {
            let t = HashType { consistent: false, function, avalanche: true };
            let mut seen = [0u32; 16];
            for i in 0..16_000 {
                seen[(t.hash(format!("/item/{i}").as_bytes()) % 16) as usize] += 1;
            }
            assert!(seen.iter().all(|n| (850..1150).contains(n)), "{function:?} {seen:?}");
        }
    }
}
