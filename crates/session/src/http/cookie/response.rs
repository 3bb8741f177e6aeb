//! The response's cookies: what servers set, and what clients are told.

use super::{DATE, Name, PREFIX_END, Policy, date};
use crate::client::Client;
use crate::stream::Stream;
use hawser_http::{Head, KnownName, set_cookie, values};
use hawser_proto::clock;
use std::time::UNIX_EPOCH;

/// Changes the response's cookies as the backend's `cookie` line says.
pub(crate) fn response(cl: &Client, st: &mut Stream) {
    let be = cl.backend(st).unwrap_or(&cl.fe);
    let Some(policy) = be.back.as_ref().and_then(|b| b.cookie.as_ref()) else { return };
    if st.persist.ignored {
        return;
    }
    let Some(slot) = &st.slot else { return };
    let (index, server) = (slot.index(), slot.server().clone());
    let name = policy.name_of(index, &server);
    let direct = st.persist.server == Some(index);
    let found = of_server(policy, st, name.as_ref(), direct);
    if policy.conf.insert && wanted(policy, st, found, direct) {
        insert(policy, st, name.as_ref(), direct);
    }
}

/// What the server set under the cookie's name; whether there was such a cookie.
fn of_server(policy: &Policy, st: &mut Stream, name: Option<&Name<'_>>, direct: bool) -> bool {
    let c = &policy.conf;
    let mut found = false;
    for i in 0..st.res.fields.len() {
        let f = st.res.fields[i];
        if f.known != KnownName::SetCookie || f.name.len == 0 {
            continue;
        }
        let value = st.res.get(f.value);
        let Some(cookie) = set_cookie(value).filter(|k| k.name == c.name.as_bytes()) else { continue };
        found = true;
        let at = cookie.at;
        if c.preserve {
            policy.flag(st, None, Some(b'P'));
        } else if c.insert || direct && c.indirect {
            st.res.delete_at(i);
            policy.flag(st, None, Some(b'D'));
        } else if let (true, Some(name)) = (c.rewrite || c.prefix, name) {
            let (before, old, after) = (&value[..at.start], &value[at.clone()], &value[at.end..]);
            let new = if c.rewrite {
                [before, name.as_ref(), after].concat()
            } else {
                [before, name.as_ref(), &[PREFIX_END], old, after].concat()
            };
            st.res.set_value_at(i, &new);
            policy.flag(st, None, Some(b'R'));
        } else {
            policy.flag(st, None, Some(b'P'));
        }
    }
    found
}

/// Whether the client needs a new cookie.
fn wanted(policy: &Policy, st: &Stream, found: bool, direct: bool) -> bool {
    let (c, seen) = (&policy.conf, &st.persist.seen);
    if found && c.preserve || c.postonly && st.req.method() != b"POST" {
        return false;
    }
    let refresh = (c.maxidle != 0 || seen.last != 0) && (seen.last == 0 || seen.last < now());
    let first = (c.maxlife != 0) != (seen.first != 0);
    !direct || refresh || first
}

fn now() -> i64 {
    clock::wall().duration_since(UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(0))
}

/// Tells the client where it is; a server without a name makes it forget.
fn insert(policy: &Policy, st: &mut Stream, name: Option<&Name<'_>>, direct: bool) {
    let c = &policy.conf;
    let mut out = Vec::with_capacity(96);
    out.extend_from_slice(c.name.as_bytes());
    out.push(b'=');
    match name {
        None => out.extend_from_slice(b"; Expires=Thu, 01-Jan-1970 00:00:01 GMT"),
        Some(name) => {
            out.extend_from_slice(name.as_ref());
            if c.maxidle != 0 || c.maxlife != 0 {
                let now = date::rounded(now());
                out.push(DATE);
                date::write(now, &mut out);
                if c.maxlife != 0 {
                    out.push(DATE);
                    let first = st.persist.seen.first;
                    date::write(if first != 0 { first } else { now }, &mut out);
                }
            }
        }
    }
    out.extend_from_slice(b"; path=/");
    out.extend_from_slice(&policy.attributes);
    let cacheable = c.nocache && is_cacheable(&st.req, &st.res);
    st.res.add(b"Set-Cookie", &out);
    let updated = name.is_some() && direct;
    policy.flag(st, None, Some(if updated { b'U' } else { b'I' }));
    if cacheable {
        st.res.add(b"Cache-Control", b"private");
    }
}

/// Whether caches may keep the response (RFC 9111 section 3), as far as fields tell.
fn is_cacheable(req: &Head, res: &Head) -> bool {
    let mut cacheable = matches!(req.method(), b"GET" | b"HEAD" | b"OPTIONS" | b"TRACE");
    if res.status() < 200 || res.values(b"pragma").any(|v| v.eq_ignore_ascii_case(b"no-cache")) {
        return false;
    }
    let (mut fresh, mut stale) = (false, false);
    let starts = |v: &[u8], p: &[u8]| v.get(..p.len()).is_some_and(|s| s.eq_ignore_ascii_case(p));
    for v in res.values(b"cache-control").flat_map(values) {
        let forbids = [&b"private"[..], b"no-cache", b"no-store"].iter().any(|p| {
            starts(v, p)
                && matches!(v.get(p.len()), None | Some(b'='))
                && !starts(v, b"no-cache=\"set-cookie\"")
        });
        if v.eq_ignore_ascii_case(b"public") {
            cacheable = true;
        } else if v.eq_ignore_ascii_case(b"max-age=0") {
            stale = true;
        } else if forbids || v.eq_ignore_ascii_case(b"s-maxage=0") {
            cacheable = false;
        } else if starts(v, b"s-maxage") {
            (fresh, stale) = (true, false);
        } else if starts(v, b"max-age") {
            fresh = true;
        }
    }
    let has = |name: &[u8]| res.values(name).next().is_some();
    cacheable && !stale && (fresh || has(b"expires") || has(b"etag") || has(b"last-modified"))
}
