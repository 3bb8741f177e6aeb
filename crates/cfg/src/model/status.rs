//! Sets of status codes (`http-err-codes`, `http-fail-codes`; manual 3.1).

use std::ops::RangeInclusive;

/// The lowest code of a set.
const LOWEST: u16 = 100;

/// Some of the codes 100 to 599.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StatusSet([u64; 8]);

impl StatusSet {
    /// Whether a code is in it.
    pub fn has(&self, status: u16) -> bool {
        let at = usize::from(status.wrapping_sub(LOWEST));
        self.0.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 != 0)
    }

    /// Adds codes, or removes them.
    pub fn put(&mut self, codes: RangeInclusive<u16>, member: bool) {
        for status in codes {
            let at = usize::from(status.wrapping_sub(LOWEST));
            let Some(word) = self.0.get_mut(at / 64) else { continue };
            let bit = 1 << (at % 64);
            *word = if member { *word | bit } else { *word & !bit };
        }
    }
}

/// Which responses are a client's error, and which are a server's failure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HttpCodes {
    /// `http-err-codes`.
    pub errors: StatusSet,
    /// `http-fail-codes`.
    pub failures: StatusSet,
}

impl Default for HttpCodes {
    fn default() -> Self {
        let (mut errors, mut failures) = (StatusSet::default(), StatusSet::default());
        errors.put(400..=499, true);
        failures.put(500..=599, true);
        // Clients can ask for these two.
        [501, 505].into_iter().for_each(|code| failures.put(code..=code, false));
        Self { errors, failures }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_those_of_the_manual() {
        let codes = HttpCodes::default();
        let errors: Vec<u16> = (0..=u16::MAX).filter(|c| codes.errors.has(*c)).collect();
        assert_eq!(errors, (400..=499).collect::<Vec<_>>());
        let failures: Vec<u16> = (0..=u16::MAX).filter(|c| codes.failures.has(*c)).collect();
        assert_eq!(failures, (500..=599).filter(|c| !matches!(c, 501 | 505)).collect::<Vec<_>>());
    }
}
