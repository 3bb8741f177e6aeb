//! Dates in cookies: units of four seconds since 1970, thirty bits, as five letters of base64.

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The date in the first five letters (seconds since 1970); 0 for none.
pub(super) fn read(text: &[u8]) -> i64 {
    let Some(letters) = text.get(..5) else { return 0 };
    let mut units = 0i64;
    for b in letters {
        let Some(digit) = DIGITS.iter().position(|d| d == b) else { return 0 };
        units = units << 6 | i64::try_from(digit).unwrap_or(0);
    }
    units << 2
}

/// Appends a date (seconds since 1970).
pub(super) fn write(seconds: i64, out: &mut Vec<u8>) {
    let units = seconds >> 2;
    for shift in [24, 18, 12, 6, 0] {
        let digit = usize::try_from(units >> shift & 63).unwrap_or(0);
        out.push(*DIGITS.get(digit).unwrap_or(&b'A'));
    }
}

/// Now, rounded up to the unit.
pub(super) fn rounded(now: i64) -> i64 {
    (now + 3) & !3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_survive_and_garbage_is_none() {
        for seconds in [0, 4, 1_795_423_072, 4_294_967_292] {
            let mut out = Vec::new();
            write(seconds, &mut out);
            assert_eq!((out.len(), read(&out)), (5, seconds), "{seconds}");
        }
        for text in ["", "AAAA", "AA=AA", "|||||", "\u{e9}\u{e9}\u{e9}"] {
            assert_eq!(read(text.as_bytes()), 0, "{text}");
        }
        assert_eq!((rounded(4), rounded(5)), (4, 8));
    }
}
