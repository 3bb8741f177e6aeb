//! Hash functions and `hash-type`.

use hawser_cfg::pos::Word;

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
        if self.avalanche { scatter(hash) } else { hash }
    }
}

fn sdbm(key: &[u8]) -> u32 {
    // 65599 is what the shifts of the original amount to.
    key.iter().fold(0, |h: u32, b| h.wrapping_mul(65_599).wrapping_add(u32::from(*b)))
}

fn djb2(key: &[u8]) -> u32 {
    key.iter().fold(5381, |h: u32, b| h.wrapping_mul(33).wrapping_add(u32::from(*b)))
}

/// A function that is as indifferent to its input as HAProxy's of this name, but spreads keys differently.
fn wt6(key: &[u8]) -> u32 {
    let mut h = 0x9e37_79b9u32;
    for b in key {
        h = (h ^ u32::from(*b)).wrapping_mul(0x85eb_ca6b);
        h ^= h >> 13;
    }
    h = h.wrapping_mul(0xc2b2_ae35);
    h ^ (h >> 16)
}

fn crc32(key: &[u8]) -> u32 {
    !key.iter().fold(!0, |c: u32, b| {
        (0..8).fold(c ^ u32::from(*b), |c, _| if c & 1 == 1 { (c >> 1) ^ 0xedb8_8320 } else { c >> 1 })
    })
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

/// Bob Jenkins's full avalanche over four bytes (burtleburtle.net/bob/hash/integer.html), spread once more by the
/// factor that HAProxy's rings are found to use: equal rings mean equal servers.
pub(super) fn scatter(key: u32) -> u32 {
    let mut a = key;
    a = a.wrapping_add(0x7ed5_5d16).wrapping_add(a << 12);
    a = (a ^ 0xc761_c23c) ^ (a >> 19);
    a = a.wrapping_add(0x1656_67b1).wrapping_add(a << 5);
    a = a.wrapping_add(0xd3a2_646c) ^ (a << 9);
    a = a.wrapping_add(0xfd70_46c5).wrapping_add(a << 3);
    a = (a ^ 0xb55a_4f09) ^ (a >> 16);
    a.wrapping_mul(0xc000_0001)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::words;

    #[test]
    fn functions() {
        // Check values of the published functions; `scatter` as HAProxy 3.4 was seen to place 0 and 1.
        assert_eq!((sdbm(b""), sdbm(b"a"), sdbm(b"ab")), (0, 97, 97 * 65_599 + 98));
        assert_eq!((djb2(b""), djb2(b"a")), (5381, 5381 * 33 + 97));
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!((scatter(0), scatter(1), scatter(2)), (0xab4e_d927, 0x3486_81b6, 0xe267_b84c));
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
