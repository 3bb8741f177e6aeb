//! The checks of the fuzz targets over seeded random input, in every run of the tests.

#[expect(unreachable_pub, reason = "the fuzz crate exports the same file")]
#[path = "../../fuzz/src/config.rs"]
mod config;

/// What the input is made of, besides random bytes.
const PIECES: &[&str] = &[
    "global\n",
    ".if ",
    ".elif ",
    ".else\n",
    ".endif\n",
    ".notice ",
    "\n",
    "\n",
    " ",
    " ",
    "\t",
    "\r",
    "\"",
    "'",
    "\\",
    "#",
    "$",
    "${",
    "}",
    "${A[*]}",
    "${.LINE}",
    "[*]",
    "-d",
    "\\x4",
    "\\xff",
    "streq(",
    "defined(A)",
    "(",
    ")",
    ",",
    "&&",
    "||",
    "!",
    "1",
    "0",
    ":80",
    "1.2.3.4",
    "::1",
    "[",
    "]",
    "unix@",
    "ipv6@",
    "rhttp@b/s",
    "10",
    "ms",
    "k",
    "é",
    "\u{efff}",
    "maxconn",
    "very-long-word-that-goes-on-and-on-and-on-and-on-and-on-and-on-and-on-and-on-and-on-and-on",
];

/// A small generator (xorshift), so that every run is the same.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap_or(0) % n
    }

    fn input(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        for _ in 0..self.below(40) {
            match self.below(12) {
                0 => out.push(u8::try_from(self.below(256)).unwrap_or(0)),
                _ => out.extend_from_slice(PIECES[self.below(PIECES.len())].as_bytes()),
            }
        }
        out
    }
}

#[test]
fn random_input() {
    let mut random = Random(0x2545_F491_4F6C_DD1D);
    for _ in 0..8_000 {
        let input = random.input();
        config::line(&input);
        config::condition(&input);
        config::value(&input);
        config::file(&input);
    }
}
