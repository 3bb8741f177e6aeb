//! The Huffman code of HPACK (RFC 7541 appendix B).

use super::Bad;

/// Lengths of the codes of all bytes and of the end symbol (bits). The code is canonical: they tell the rest.
#[rustfmt::skip]
const LENGTHS: [u8; SYMBOLS] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28,
    28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
    5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7,
    7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21,
    23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24,
    21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
];

const SYMBOLS: usize = 257;
const LONGEST: usize = 30;
const END: u16 = 256;

struct Code {
    /// By the first byte: symbol and length of a code of eight bits or fewer; length 0 where it is longer.
    short: [(u8, u8); 256],
    /// All symbols in the order of their codes.
    symbols: [u16; SYMBOLS],
    /// By length: the first code, how many there are, and where their symbols are.
    first: [u32; LONGEST + 1],
    count: [u32; LONGEST + 1],
    place: [u32; LONGEST + 1],
}

static CODE: Code = code();

#[expect(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "evaluated by the compiler")]
const fn code() -> Code {
    let mut c = Code {
        short: [(0, 0); 256],
        symbols: [0; SYMBOLS],
        first: [0; LONGEST + 1],
        count: [0; LONGEST + 1],
        place: [0; LONGEST + 1],
    };
    let (mut next, mut at, mut len) = (0u32, 0, 1);
    while len <= LONGEST {
        next <<= 1;
        c.first[len] = next;
        c.place[len] = at as u32;
        let mut symbol = 0;
        while symbol < SYMBOLS {
            if LENGTHS[symbol] as usize == len {
                if len <= 8 {
                    let mut i = 0;
                    while i < 1 << (8 - len) {
                        c.short[((next << (8 - len)) + i) as usize] = (symbol as u8, len as u8);
                        i += 1;
                    }
                }
                c.symbols[at] = symbol as u16;
                c.count[len] += 1;
                at += 1;
                next += 1;
            }
            symbol += 1;
        }
        len += 1;
    }
    c
}

/// The symbol whose code these bits start with, and the code's length.
fn symbol(bits: u32) -> (u16, u32) {
    if let Some((symbol, len @ 1..)) = CODE.short.get((bits >> 24) as usize) {
        return (u16::from(*symbol), u32::from(*len));
    }
    for (len, (first, count)) in (0..).zip(CODE.first.iter().zip(&CODE.count)).skip(9) {
        let nth = (bits >> (32 - len)).wrapping_sub(*first);
        if nth < *count {
            let place = CODE.place.get(len as usize).copied().unwrap_or_default() + nth;
            return (CODE.symbols.get(place as usize).copied().unwrap_or(END), len);
        }
    }
    (END, LONGEST as u32)
}

/// Appends what `src` stands for.
///
/// # Errors
/// It holds the end symbol, or is not padded by its start, less than a byte of it.
pub(super) fn decode(src: &[u8], out: &mut Vec<u8>) -> Result<(), Bad> {
    let mut src = src.iter();
    // The lowest `have` bits of `held` are still to be decoded.
    let (mut held, mut have) = (0u64, 0u32);
    loop {
        while have <= 32 {
            let Some(b) = src.next() else { break };
            held = held << 8 | u64::from(*b);
            have += 8;
        }
        if have == 0 {
            return Ok(());
        }
        let bits = match have.checked_sub(32) {
            Some(more) => (held >> more) as u32,
            None => (held << (32 - have)) as u32 | u32::MAX >> have,
        };
        // No code is so short and all ones.
        if have < 8 && bits == u32::MAX {
            return Ok(());
        }
        let (symbol, len) = symbol(bits);
        if len > have {
            return Err(Bad);
        }
        out.push(u8::try_from(symbol).map_err(|_| Bad)?);
        have -= len;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(src: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        decode(src, &mut out).ok().map(|()| out)
    }

    #[test]
    fn examples_of_the_rfc() {
        let cases: [(&[u8], &[u8]); 5] = [
            (&[0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff], b"www.example.com"),
            (&[0xa8, 0xeb, 0x10, 0x64, 0x9c, 0xbf], b"no-cache"),
            (&[0x64, 0x02], b"302"),
            (&[0xae, 0xc3, 0x77, 0x1a, 0x4b], b"private"),
            (b"", b""),
        ];
        for (src, out) in cases {
            assert_eq!(decoded(src).as_deref(), Some(out));
        }
    }

    #[test]
    fn all_bytes_come_back() {
        // Encoded by the table itself: codes in order of length.
        let mut code = 0u64;
        let mut codes = [(0u64, 0u8); SYMBOLS];
        for len in 1..=30u8 {
            code <<= 1;
            for (s, l) in LENGTHS.iter().enumerate() {
                if *l == len {
                    codes[s] = (code, len);
                    code += 1;
                }
            }
        }
        assert_eq!(codes[256], (0x3fff_ffff, 30), "the end symbol is all ones, as the RFC has it");
        assert_eq!(codes[10], (0x3fff_fffc, 30));
        assert_eq!(codes[usize::from(b'~')], (0x1ffd, 13));
        let all: Vec<u8> = (0..=255u8).chain((0..=255).rev()).collect();
        let mut bits: Vec<bool> = Vec::new();
        for b in &all {
            let (code, len) = codes[usize::from(*b)];
            bits.extend((0..len).rev().map(|i| code >> i & 1 == 1));
        }
        while !bits.len().is_multiple_of(8) {
            bits.push(true);
        }
        let src: Vec<u8> = bits.chunks(8).map(|c| c.iter().fold(0, |n, b| n << 1 | u8::from(*b))).collect();
        assert_eq!(decoded(&src), Some(all));
    }

    #[test]
    fn padding_is_ones_and_less_than_a_byte() {
        assert_eq!(decoded(&[0x1f]), Some(b"a".to_vec()));
        assert_eq!(decoded(&[0x1f, 0xff]), None);
        assert_eq!(decoded(&[0x18]), None, "zeros");
        assert_eq!(decoded(&[0xff]), None, "a byte of padding");
        assert_eq!(decoded(&[0xff, 0xff, 0xff, 0xff]), None, "the end symbol");
    }
}
