//! Encoded parts of query strings and forms.

use std::borrow::Cow;

/// Decodes `%xx` and the plus that is a space; `None` for a percent sign without its digits.
pub(crate) fn decode(text: &[u8]) -> Option<Cow<'_, [u8]>> {
    if !text.iter().any(|b| matches!(b, b'%' | b'+')) {
        return Some(Cow::Borrowed(text));
    }
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    let digit = |b: Option<&u8>| char::from(*b?).to_digit(16);
    while let Some(b) = bytes.next() {
        match b {
            b'+' => out.push(b' '),
            b'%' => out.push(u8::try_from(digit(bytes.next())? * 16 + digit(bytes.next())?).ok()?),
            b => out.push(*b),
        }
    }
    Some(Cow::Owned(out))
}
