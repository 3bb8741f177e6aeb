//! Maps whose keys are numbers that nobody outside can choose: server ids, and hashes made here.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

pub(super) type KeyMap<V> = HashMap<u64, V, BuildHasherDefault<KeyHasher>>;

/// Spreads a number over all bits; a keyed hash would cost more than the look-up.
#[derive(Default)]
pub(super) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for b in bytes {
            self.write_u64(self.0 ^ u64::from(*b));
        }
    }

    fn write_u64(&mut self, n: u64) {
        // The golden ratio: consecutive numbers end up far apart in the upper bits, which choose the bucket.
        let spread = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = spread ^ (spread >> 32);
    }
}
