//! Text and numbers in HTML.

use std::fmt::{self, Display, Formatter, Write};

/// Text that means nothing to HTML, in contents and in quoted attributes.
pub(super) struct Plain<'a>(pub(super) &'a str);

impl Display for Plain<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
            let (before, from) = rest.split_at(at);
            f.write_str(before)?;
            f.write_str(match from.as_bytes().first() {
                Some(b'&') => "&amp;",
                Some(b'<') => "&lt;",
                Some(b'>') => "&gt;",
                Some(b'"') => "&quot;",
                _ => "&#39;",
            })?;
            rest = from.get(1..).unwrap_or_default();
        }
        f.write_str(rest)
    }
}

/// A number whose thousands are set apart, which its text does not show.
pub(super) struct Grouped(pub(super) u64);

impl Display for Grouped {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut buffer = itoa::Buffer::new();
        let digits = buffer.format(self.0);
        for (i, digit) in digits.chars().enumerate() {
            let left = digits.len() - i - 1;
            if left > 0 && left.is_multiple_of(3) {
                write!(f, "<span class=\"rls\">{digit}</span>")?;
            } else {
                f.write_char(digit)?;
            }
        }
        Ok(())
    }
}

/// A limit; none is a hyphen.
pub(super) struct Limit(pub(super) u64);

impl Display for Limit {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0 == 0 { f.write_str("-") } else { Grouped(self.0).fmt(f) }
    }
}

/// Seconds as its two largest units; a negative number is a time that nobody knows.
pub(super) struct Ago(pub(super) i64);

impl Display for Ago {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let t = self.0;
        if t <= 0 {
            return f.write_str(if t < 0 { "?" } else { "0s" });
        }
        let units = [(t / 86400, 'd'), (t / 3600 % 24, 'h'), (t / 60 % 60, 'm'), (t % 60, 's')];
        units.iter().filter(|u| u.0 > 0).take(2).try_for_each(|(n, unit)| write!(f, "{n}{unit}"))
    }
}

/// A share of a whole in percent.
pub(super) fn percent(part: u64, whole: u64) -> u64 {
    part.saturating_mul(100).checked_div(whole).unwrap_or(0)
}
