//! Near misses: which keyword was probably meant.

/// The candidate that is nearest to `word`, if any is near enough.
pub fn near<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates.into_iter().find(|c| c.eq_ignore_ascii_case(word))
}
