//! The hash functions that configurations name, bit for bit as HAProxy computes them: converters, `base32`, `url32`
//! and `hash-type` all use these.

/// SDBM.
pub fn sdbm(data: &[u8]) -> u32 {
    data.iter().fold(0u32, |h, c| h.wrapping_mul(65599).wrapping_add(u32::from(*c)))
}

/// DJB2.
pub fn djb2(data: &[u8]) -> u32 {
    data.iter().fold(5381u32, |h, c| h.wrapping_mul(33).wrapping_add(u32::from(*c)))
}

/// WT6: two words that are mixed with each byte and rotated by each other.
pub fn wt6(data: &[u8]) -> u32 {
    let (mut a, mut b) = (0xa53c_965a_u32, 0x5ca6_953a_u32);
    let (mut ra, mut rb) = (6u32, 18u32);
    for c in data {
        let c = u32::from(*c);
        let (x, y) = (!(a ^ c), !b.wrapping_add(c));
        a = y.rotate_left(ra);
        b = x.rotate_left(rb);
        let mix = (a >> 16) ^ (b & 0xffff);
        ra = mix & 0x1f;
        rb = (mix & 0xffff) >> 11;
    }
    a ^ b
}

/// CRC32 of Ethernet, gzip and PNG.
pub fn crc32(data: &[u8]) -> u32 {
    crc32fast::hash(data)
}

/// CRC32C (Castagnoli).
pub fn crc32c(data: &[u8]) -> u32 {
    crc32c::crc32c(data)
}

/// Bob Jenkins' full avalanche, spread by a large prime: every bit of the input changes half of the bits of the output.
pub fn avalanche(mut a: u32) -> u32 {
    a = a.wrapping_add(0x7ed5_5d16).wrapping_add(a << 12);
    a = (a ^ 0xc761_c23c) ^ (a >> 19);
    a = a.wrapping_add(0x1656_67b1).wrapping_add(a << 5);
    a = a.wrapping_add(0xd3a2_646c) ^ (a << 9);
    a = a.wrapping_add(0xfd70_46c5).wrapping_add(a << 3);
    a = (a ^ 0xb55a_4f09) ^ (a >> 16);
    a.wrapping_mul(3_221_225_473)
}

/// XXH32.
pub fn xxh32(data: &[u8], seed: u32) -> u32 {
    twox_hash::XxHash32::oneshot(seed, data)
}

/// XXH64.
pub fn xxh64(data: &[u8], seed: u64) -> u64 {
    twox_hash::XxHash64::oneshot(seed, data)
}

/// The 64-bit variant of XXH3.
pub fn xxh3(data: &[u8], seed: u64) -> u64 {
    twox_hash::XxHash3_64::oneshot_with_seed(seed, data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_haproxy() {
        assert_eq!(djb2(b"hello"), 261_238_937);
        assert_eq!(djb2(b""), 5381);
        assert_eq!(avalanche(djb2(b"hello")), 1_119_739_105);
        assert_eq!(sdbm(b"hello"), 684_824_882);
        assert_eq!(avalanche(sdbm(b"hello")), 2_061_535_398);
        assert_eq!(wt6(b""), 4_187_620_192);
        assert_eq!(wt6(b"hello"), 3_538_347_703);
        assert_eq!(wt6(b"hello world"), 1_866_899_626);
        assert_eq!(crc32(b"hello"), 907_060_870);
        assert_eq!(crc32c(b"hello"), 2_591_144_780);
        assert_eq!(xxh32(b"hello", 5), 3_191_799_670);
        assert_eq!(xxh64(b"hello", 5), 5_588_056_476_589_539_108);
        assert_eq!(xxh3(b"hello", 0).cast_signed(), -7_685_981_735_718_036_227);
        assert_eq!(xxh3(b"hello", 5).cast_signed(), -5_040_988_036_188_159_185);
    }
}
