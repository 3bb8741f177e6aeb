//! `option ldap-check`: an anonymous bind of version 3 (RFC 4511).

use super::{Answer, Received};

/// `BindRequest` without name and password.
pub(super) const BIND: &[u8] = &[0x30, 12, 2, 1, 1, 0x60, 7, 2, 1, 3, 4, 0, 0x80, 0];

const SEQUENCE: u8 = 0x30;
const BIND_RESPONSE: u8 = 0x61;

/// `BindResponse`.
pub(super) fn bound(r: &Received<'_>) -> Answer {
    let no_ldap = || Answer::wrong("Not LDAPv3 protocol");
    match code(r.data) {
        Some(Ok(0)) => Answer::good(""),
        Some(Ok(code)) => {
            Answer::refused(code.into(), "See RFC: http://tools.ietf.org/html/rfc4511#section-4.1.9")
        }
        Some(Err(())) => no_ldap(),
        None => r.more_or(no_ldap),
    }
}

/// The result code; `None` while it has not come, an error where there is none.
fn code(data: &[u8]) -> Option<Result<u8, ()>> {
    let rest = tagged(data, &[SEQUENCE])?;
    let rest = rest.and_then(|r| literal(r, &[2, 1, 1]));
    let rest = match rest {
        Ok(r) => tagged(r?, &[BIND_RESPONSE])?,
        Err(()) => Err(()),
    };
    match rest.and_then(|r| literal(r, &[0x0a, 1])) {
        Ok(r) => r?.first().copied().map(Ok),
        Err(()) => Some(Err(())),
    }
}

/// What follows a tag and its length, of one form or the other.
fn tagged<'a>(data: &'a [u8], tag: &[u8]) -> Option<Result<&'a [u8], ()>> {
    let rest = match literal(data, tag) {
        Ok(rest) => rest?,
        Err(()) => return Some(Err(())),
    };
    let (len, rest) = rest.split_first()?;
    let more = if *len >= 0x80 { usize::from(len & 0x7f) } else { 0 };
    // Nobody needs more digits for a length.
    if more > 4 { Some(Err(())) } else { rest.get(more..).map(Ok) }
}

/// What follows these bytes: `None` while they have not all come, an error where there are others.
fn literal<'a>(data: &'a [u8], what: &[u8]) -> Result<Option<&'a [u8]>, ()> {
    let n = data.len().min(what.len());
    if data.get(..n) != what.get(..n) {
        return Err(());
    }
    Ok(data.get(what.len()..))
}
