//! The request's cookies: the server that one of them names, and what servers are to see of them.

use super::{DATE, PREFIX_END, Policy, date};
use crate::client::Client;
use crate::stream::Stream;
use hawser_balance::Backend;
use hawser_http::{KnownName, cookie_end, trim};
use hawser_proto::clock;
use std::time::UNIX_EPOCH;

/// Cookies with dates further ahead than this are none (seconds).
const FUTURE: i64 = 86_400;

/// Reads the cookies, and hides from the server what is none of its business.
pub(crate) fn request(cl: &Client, st: &mut Stream) {
    let be = cl.backend(st).unwrap_or(&cl.fe);
    let Some(back) = &be.back else { return };
    let Some(policy) = &back.cookie else { return };
    policy.flag(st, None, None);
    let now = clock::wall().duration_since(UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(0));
    for i in 0..st.req.fields.len() {
        if st.req.fields[i].known == KnownName::Cookie && st.req.fields[i].name.len != 0 {
            field(policy, &back.backend, st, i, now);
        }
    }
}

/// One field, which may hold many cookies.
fn field(policy: &Policy, backend: &Backend, st: &mut Stream, i: usize, now: i64) {
    let value = st.req.get(st.req.fields[i].value).to_vec();
    let mut out = Vec::new();
    let (mut kept, mut changed, mut dropping) = (false, false, false);
    let mut pos = 0;
    // `pos` grows by at least one byte each turn, whatever the bytes are.
    while pos < value.len() {
        let end = pos + cookie_end(&value[pos..]);
        let piece = &value[pos..end];
        pos = end + 1;
        let (name, val) = parts(piece);
        // Attributes of old specifications share the fate of the cookie before them.
        let keep = if name.first() == Some(&b'$') {
            !dropping
        } else if val.is_some() && name == policy.conf.name.as_bytes() {
            let split = ours(policy, backend, st, val.unwrap_or_default(), now);
            if let (true, Some(split)) = (policy.conf.prefix, split) {
                changed = true;
                append(&mut out, &mut kept, piece, &join(name, val.unwrap_or_default(), split));
                dropping = false;
                continue;
            }
            !(policy.conf.insert && policy.conf.indirect)
        } else {
            true
        };
        dropping = !keep;
        changed |= !keep;
        if keep {
            append(&mut out, &mut kept, piece, trim(piece));
        }
    }
    if !changed {
        return;
    }
    if out.is_empty() {
        st.req.delete_at(i);
    } else {
        st.req.set_value_at(i, &out);
    }
}

/// Appends a cookie behind what is kept before it.
fn append(out: &mut Vec<u8>, kept: &mut bool, piece: &[u8], text: &[u8]) {
    if *kept {
        out.push(b';');
        if piece.first() == Some(&b' ') {
            out.push(b' ');
        }
    }
    *kept = true;
    out.extend_from_slice(text);
}

/// The cookie with the application's part of its value alone.
fn join(name: &[u8], value: &[u8], split: usize) -> Vec<u8> {
    [name, b"=", value.get(split + 1..).unwrap_or_default()].concat()
}

/// Name and value; no value without an equal sign.
fn parts(piece: &[u8]) -> (&[u8], Option<&[u8]>) {
    match memchr::memchr(b'=', piece) {
        Some(eq) => (trim(&piece[..eq]), Some(trim(&piece[eq + 1..]))),
        None => (trim(piece), None),
    }
}

/// The persistence cookie: looks for its server. Where the server's name ends, if there is a delimiter.
fn ours(policy: &Policy, backend: &Backend, st: &mut Stream, value: &[u8], now: i64) -> Option<usize> {
    let delimiter = if policy.conf.prefix { PREFIX_END } else { DATE };
    let split = memchr::memchr(delimiter, value);
    let mut name = value.get(..split.unwrap_or(value.len())).unwrap_or_default();
    if let (false, Some(at)) = (policy.conf.prefix, split) {
        dates(st, value.get(at + 1..).unwrap_or_default());
    }
    if let Some(letter) = too_old(policy, st, now) {
        st.persist.seen = super::Seen::default();
        policy.flag(st, Some(letter), None);
        name = b"";
    }
    let unused = st.persist.ignored || st.persist.server.is_some();
    if !name.is_empty() && !unused {
        find(policy, backend, st, name);
    }
    if st.persist.server.is_none() || unused {
        // What was said of an earlier cookie of that name stays.
        if matches!(st.strm.cookie_flags[0], 0 | b'N') {
            policy.flag(st, Some(if unused { b'U' } else { b'I' }), None);
        }
    }
    split
}

/// `|last|first` behind a server's name.
fn dates(st: &mut Stream, text: &[u8]) {
    st.persist.seen.last = date::read(text);
    if let Some(bar) = memchr::memchr(DATE, text) {
        st.persist.seen.first = date::read(text.get(bar + 1..).unwrap_or_default());
    }
}

/// `maxlife` and `maxidle`: the letter for the log if the cookie does not count any more.
fn too_old(policy: &Policy, st: &Stream, now: i64) -> Option<u8> {
    let seen = &st.persist.seen;
    let old =
        |date: i64, max: u32| date != 0 && max != 0 && (now - date > i64::from(max) || date - now > FUTURE);
    if old(seen.first, policy.conf.maxlife) {
        return Some(b'O');
    }
    old(seen.last, policy.conf.maxidle).then_some(b'E')
}

/// The first server of that name that may be used.
fn find(policy: &Policy, backend: &Backend, st: &mut Stream, name: &[u8]) {
    for (index, server) in (0u32..).zip(backend.servers.iter()) {
        let same = policy.name_of(index, server).is_some_and(|n| n.as_ref() == name);
        if !same {
            continue;
        }
        let up = server.is_usable();
        if up || st.persist.even_down {
            st.persist.server = Some(index);
            policy.flag(st, Some(if up { b'V' } else { b'D' }), None);
            return;
        }
        policy.flag(st, Some(b'D'), None);
    }
}
