//! `option checkcache`: whether a response would leave somebody's cookie in a shared cache.

use hawser_http::{Head, KnownName};

/// Statuses that caches keep unless they are told not to.
const CACHED: [u16; 11] = [200, 203, 204, 206, 300, 301, 404, 405, 410, 414, 501];

/// Whether the response sets a cookie and a cache may keep both.
pub(super) fn leaks_cookie(method: &[u8], res: &Head) -> bool {
    if res.first(KnownName::SetCookie).is_none() && res.values(b"set-cookie2").next().is_none() {
        return false;
    }
    let by_default =
        matches!(method, b"GET" | b"HEAD" | b"OPTIONS" | b"TRACE") && CACHED.contains(&res.status());
    let mut public = false;
    for directive in res.values(b"cache-control").flat_map(directives) {
        public |= directive.eq_ignore_ascii_case(b"public");
        if forbids(directive) {
            return false;
        }
    }
    let pragma = |v: &[u8]| v.trim_ascii().eq_ignore_ascii_case(b"no-cache");
    (by_default || public) && !res.values(b"pragma").any(pragma)
}

/// The directives of a value: commas between quotes are part of one.
fn directives(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut quoted = false;
    value
        .split(move |b| {
            quoted ^= *b == b'"';
            *b == b',' && !quoted
        })
        .map(<[u8]>::trim_ascii)
}

fn forbids(directive: &[u8]) -> bool {
    const WORDS: [&[u8]; 5] = [b"private", b"no-store", b"max-age=0", b"s-maxage=0", b"no-cache"];
    const COOKIE: &[u8] = b"no-cache=\"set-cookie";
    let start = directive.get(..COOKIE.len()).unwrap_or_default();
    WORDS.iter().any(|w| directive.eq_ignore_ascii_case(w))
        || (start.eq_ignore_ascii_case(COOKIE) && matches!(directive.get(COOKIE.len()), Some(b'"' | b',')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hawser_http::Version;

    fn leaks(method: &str, status: u16, fields: &[(&str, &str)]) -> bool {
        let mut head = Head::response(Version::H11, status, b"x");
        fields.iter().for_each(|(n, v)| head.add(n.as_bytes(), v.as_bytes()));
        leaks_cookie(method.as_bytes(), &head)
    }

    #[test]
    fn follows_the_manual() {
        let cookie = ("Set-Cookie", "a=b");
        let control = |v| leaks("GET", 200, &[cookie, ("Cache-Control", v)]);
        assert!(!leaks("GET", 200, &[("Cache-Control", "public")]), "no cookie, no harm");
        assert!(leaks("GET", 200, &[cookie]));
        assert!(leaks("GET", 200, &[("Set-Cookie2", "a")]));
        assert!(!leaks("GET", 302, &[cookie]) && !leaks("POST", 200, &[cookie]));
        assert!(leaks("POST", 302, &[cookie, ("cache-control", "max-age=9, Public")]));
        assert!(!leaks("GET", 200, &[cookie, ("Pragma", "no-cache")]));
        for harmless in ["private", "no-store", "max-age=0", "s-maxage=0", "no-cache", "public, Private"] {
            assert!(!control(harmless), "{harmless}");
        }
        assert!(!control("no-cache=\"set-cookie\"") && !control("no-cache=\"Set-Cookie, x\", public"));
        assert!(control("max-age=10") && control("no-cache=\"x\"") && control("no-cache=\"set-cookies\""));
        assert!(control("foo=\"private, no-store\""), "quoted text is no directive");
    }
}
