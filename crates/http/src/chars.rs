//! Byte classes of the HTTP grammar, as one table.

const TOKEN: u8 = 1;
const TARGET: u8 = 2;
const HOST: u8 = 4;
const VALUE: u8 = 8;

static CLASS: [u8; 256] = classes();

/// Is it a byte of a token (RFC 9110 section 5.6.2): a method or a field name?
#[inline]
pub fn is_token(b: u8) -> bool {
    CLASS[b as usize] & TOKEN != 0
}

/// Is it a byte of a request target: printable ASCII, but no `#`? Like HAProxy, this lets pass what RFC 3986
/// wants encoded (`"<>\^{|}` and the backquote).
#[inline]
pub fn is_target(b: u8) -> bool {
    CLASS[b as usize] & TARGET != 0
}

/// Is it a byte of a registered name (RFC 3986 section 3.2.2)? The comma is left out: it would make a list.
#[inline]
pub fn is_host(b: u8) -> bool {
    CLASS[b as usize] & HOST != 0
}

/// Is it a byte of a field value: anything but controls, tabulation excepted?
#[inline]
pub fn is_value(b: u8) -> bool {
    CLASS[b as usize] & VALUE != 0
}

/// Is it a field name, or a method: a token of at least one byte?
pub fn is_name(s: &[u8]) -> bool {
    !s.is_empty() && s.iter().all(|&b| is_token(b))
}

/// May these bytes stand in a field value without any other agent reading them as more than that (no CR, LF, NUL)?
pub fn is_safe_value(s: &[u8]) -> bool {
    !s.iter().any(|&b| matches!(b, b'\r' | b'\n' | 0))
}

/// Number of bytes before the first control (tabulations excepted), eight at a time.
#[inline]
pub fn value_len(s: &[u8]) -> usize {
    let mut i = 0;
    while let Some(chunk) = s.get(i..).and_then(<[u8]>::first_chunk) {
        let w = u64::from_le_bytes(*chunk);
        let found = below_space(w) | is_del(w);
        if found != 0 {
            let at = i + (found.trailing_zeros() / 8) as usize;
            if s[at] != b'\t' {
                return at;
            }
            i = at + 1;
        } else {
            i += 8;
        }
    }
    while i < s.len() && is_value(s[i]) {
        i += 1;
    }
    i
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// High bit set for bytes below 0x20. Borrows may mark a byte above a marked one, never below: the first is exact.
fn below_space(w: u64) -> u64 {
    w.wrapping_sub(ONES * 0x20) & !w & HIGH
}

/// High bit set for bytes equal to 0x7f, with the same reservation.
fn is_del(w: u64) -> u64 {
    let x = w ^ (ONES * 0x7f);
    x.wrapping_sub(ONES) & !x & HIGH
}

const fn classes() -> [u8; 256] {
    let mut t = [0; 256];
    let mut i = 0;
    while i < 256 {
        let b = i as u8;
        let alnum = b.is_ascii_alphanumeric();
        if alnum || has(b"!#$%&'*+-.^_`|~", b) {
            t[i] |= TOKEN;
        }
        if b > 0x20 && b < 0x7f && b != b'#' {
            t[i] |= TARGET;
        }
        if alnum || has(b"-._~!$&'()*+;=%", b) {
            t[i] |= HOST;
        }
        if (b >= 0x20 && b != 0x7f) || b == b'\t' {
            t[i] |= VALUE;
        }
        i += 1;
    }
    t
}

const fn has(set: &[u8], b: u8) -> bool {
    let mut i = 0;
    while i < set.len() {
        if set[i] == b {
            return true;
        }
        i += 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_classed_as_its_grammar_says() {
        for b in 0..=255u8 {
            let sep = b"()<>@,;:\\\"/[]?={} \t".contains(&b);
            assert_eq!(is_token(b), (0x21..0x7f).contains(&b) && !sep, "token {b:#x}");
            assert_eq!(is_target(b), (0x21..0x7f).contains(&b) && b != b'#', "target {b:#x}");
            assert_eq!(is_value(b), b == b'\t' || (b >= 0x20 && b != 0x7f), "value {b:#x}");
            assert!(!is_host(b) || is_target(b) && !b":/?@[]\\,\"".contains(&b), "host {b:#x}");
        }
    }

    #[test]
    fn value_len_stops_at_the_first_control() {
        for len in 0..40 {
            for at in 0..=len {
                for bad in [0, 1, b'\n', b'\r', 0x1f, 0x7f] {
                    for fill in [b'a', b'\t', 0x20, 0x80, 0xff, 0x21, 0x7e] {
                        let mut s = vec![fill; len];
                        if let Some(b) = s.get_mut(at) {
                            *b = bad;
                        }
                        assert_eq!(value_len(&s), at, "{s:?}");
                    }
                }
            }
        }
    }
}
