//! What hashing algorithms hash.

use hawser_proto::Address;
use hawser_sample::value::Value;
use hawser_sample::{Ctx, Expr};
use std::borrow::Cow;
use std::net::IpAddr;

/// Where the key comes from.
#[derive(Debug)]
pub(super) enum Source {
    /// The source address.
    Address,
    /// The request target, or a part of it.
    Uri(UriPart),
    /// A parameter of the query string; of the body too with `check_post`.
    UrlParam { name: Vec<u8>, check_post: bool },
    /// A header; `use_domain_only` keeps the main label of a host name.
    Hdr { name: Vec<u8>, domain_only: bool },
    /// A sample expression.
    Expr(Expr),
}

/// Arguments of `balance uri`; 0 stands for no limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct UriPart {
    pub(super) len: usize,
    pub(super) depth: usize,
    pub(super) whole: bool,
    pub(super) path_only: bool,
}

/// A key.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Key<'a> {
    /// A number to use as the hash itself, whatever the function.
    Number(u32),
    /// Bytes to hash.
    Bytes(Cow<'a, [u8]>),
}

impl Source {
    /// The key of a request, if it has one.
    pub(super) fn key<'a>(&'a self, ctx: &Ctx<'a>) -> Option<Key<'a>> {
        let bytes = |b: &'a [u8]| Key::Bytes(Cow::Borrowed(b));
        match self {
            Self::Address => address(ctx.src()?).map(Key::Number),
            Self::Uri(part) => part.of(ctx).map(bytes),
            Self::UrlParam { name, check_post } => url_param(ctx, name, *check_post).map(bytes),
            Self::Hdr { name, domain_only } => {
                let value = ctx.req?.list_values(name).next().filter(|v| !v.is_empty())?;
                Some(bytes(if *domain_only { main_label(value) } else { value }))
            }
            Self::Expr(e) => e.eval(ctx).map(|v| Key::Bytes(binary(v))),
        }
    }

    /// The key as text for `hash-type … none`, which wants a number.
    pub(super) fn text<'a>(&'a self, ctx: &Ctx<'a>) -> Option<Key<'a>> {
        match self {
            Self::Expr(e) => e.eval(ctx).map(|v| Key::Bytes(v.into_str())),
            _ => self.key(ctx),
        }
    }
}

/// The words of an address, combined.
fn address(src: &Address) -> Option<u32> {
    Some(match src.ip()? {
        IpAddr::V4(a) => a.to_bits(),
        IpAddr::V6(a) => {
            let bits = a.to_bits();
            (0..4).fold(0, |h, i| h ^ (bits >> (32 * i)) as u32)
        }
    })
}

/// What HAProxy's cast to binary makes of a sample.
fn binary(v: Value<'_>) -> Cow<'_, [u8]> {
    match v {
        Value::Int(i) => Cow::Owned(i.to_be_bytes().to_vec()),
        other => other.into_bin(),
    }
}

impl UriPart {
    fn of<'a>(self, ctx: &Ctx<'a>) -> Option<&'a [u8]> {
        let req = ctx.req?;
        let uri = if self.path_only { req.pathq()? } else { req.target() };
        let mut slashes = 0;
        let end = uri.iter().enumerate().position(|(i, b)| {
            slashes += usize::from(*b == b'/');
            (self.len != 0 && i >= self.len)
                || (self.depth != 0 && slashes > self.depth)
                || (*b == b'?' && !self.whole)
        });
        uri.get(..end.unwrap_or(uri.len())).filter(|u| !u.is_empty())
    }
}

fn url_param<'a>(ctx: &Ctx<'a>, name: &[u8], check_post: bool) -> Option<&'a [u8]> {
    let req = ctx.req?;
    let in_query = req.query().and_then(|q| param(q, name));
    if in_query.is_some() || !check_post || req.method() != b"POST" {
        return in_query;
    }
    // A list of parameters ends where something that cannot be part of one begins.
    let body = ctx.req_data?.data;
    let end = body.iter().position(|b| b.is_ascii_whitespace() || b.is_ascii_control()).unwrap_or(body.len());
    param(body.get(..end)?, name)
}

/// The value of the first `name=value` in a list separated by `&`.
fn param<'a>(list: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    list.split(|b| *b == b'&').find_map(|p| p.strip_prefix(name)?.strip_prefix(b"="))
}

/// The label before the last one: `1wt` of `haproxy.1wt.eu`. A port does not count; a single label is itself.
fn main_label(host: &[u8]) -> &[u8] {
    if host.starts_with(b"[") {
        return host;
    }
    let name = host.split(|b| *b == b':').next().unwrap_or(host);
    let mut labels = name.rsplit(|b| *b == b'.');
    match (labels.next(), labels.next()) {
        (_, Some(label)) if !label.is_empty() => label,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hawser_http::{Head, Version};

    fn key(source: &Source, req: &Head, data: &[u8]) -> Option<String> {
        let payload = hawser_sample::ctx::Payload { data, complete: true };
        let ctx = Ctx { req: Some(req), req_data: Some(payload), ..Ctx::EMPTY };
        match source.key(&ctx)? {
            Key::Bytes(b) => Some(String::from_utf8_lossy(&b).into_owned()),
            Key::Number(n) => Some(n.to_string()),
        }
    }

    fn get(target: &str) -> Head {
        Head::request(b"GET", target.as_bytes(), Version::H11)
    }

    #[test]
    fn uris() {
        let long = "/a/b/c/d.html?x=1&y=2";
        let part = |len, depth, whole, path_only| UriPart { len, depth, whole, path_only };
        // As HAProxy 3.4 answers.
        let cases = [
            (part(0, 0, false, false), long, Some("/a/b/c/d.html")),
            (part(0, 0, false, false), "http://h.com/a/b?c", Some("http://h.com/a/b")),
            (part(0, 0, false, false), "/", Some("/")),
            (part(0, 0, true, false), long, Some(long)),
            (part(4, 0, false, false), long, Some("/a/b")),
            (part(0, 2, false, false), long, Some("/a/b")),
            (part(0, 2, false, false), "/a", Some("/a")),
            (part(0, 2, false, false), "http://h.com/a/b?c", Some("http://h.com")),
            (part(0, 1, false, false), long, Some("/a")),
            (part(3, 3, true, false), long, Some("/a/")),
            (part(0, 0, false, true), "http://h.com/a/b?c", Some("/a/b")),
            (part(0, 0, true, true), "http://h.com/a/b?c", Some("/a/b?c")),
            (part(0, 0, false, true), "*", None),
        ];
        for (part, target, want) in cases {
            assert_eq!(key(&Source::Uri(part), &get(target), b"").as_deref(), want, "{part:?} {target}");
        }
    }

    #[test]
    fn url_params() {
        let source = Source::UrlParam { name: b"x".to_vec(), check_post: true };
        let cases = [
            ("GET", "/a?x=1&y=2", "", Some("1")),
            ("GET", "/?y=1", "x=2", None),
            ("GET", "/?x=", "", Some("")),
            ("GET", "/?xx=1&x=2", "", Some("2")),
            ("GET", "/?x", "", None),
            ("GET", "/?x=a%20b", "", Some("a%20b")),
            ("GET", "/?a;x=2", "", None),
            ("GET", "/?x=1;y", "", Some("1;y")),
            ("POST", "/?y=1", "y=1&x=3\r\n", Some("3")),
            ("POST", "/?x=1", "x=3", Some("1")),
            ("POST", "/", "y=1\nx=3", None),
        ];
        for (method, target, body, want) in cases {
            let req = Head::request(method.as_bytes(), target.as_bytes(), Version::H11);
            assert_eq!(key(&source, &req, body.as_bytes()).as_deref(), want, "{method} {target} {body:?}");
        }
    }

    #[test]
    fn headers() {
        let hdr = |domain_only| Source::Hdr { name: b"host".to_vec(), domain_only };
        let cases = [
            ("www.example.com", "www.example.com", "example"),
            ("example.com", "example.com", "example"),
            ("haproxy.1wt.eu:80", "haproxy.1wt.eu:80", "1wt"),
            ("localhost", "localhost", "localhost"),
            ("a.b.example.co.uk", "a.b.example.co.uk", "co"),
            ("10.20.30.40", "10.20.30.40", "30"),
            ("[::1]:80", "[::1]:80", "[::1]:80"),
            (".com", ".com", ".com"),
            ("one, two", "one", "one"),
        ];
        for (value, whole, label) in cases {
            let mut req = get("/");
            req.add(b"Host", value.as_bytes());
            req.add(b"Host", b"second");
            assert_eq!(key(&hdr(false), &req, b"").as_deref(), Some(whole));
            assert_eq!(key(&hdr(true), &req, b"").as_deref(), Some(label));
        }
        let mut empty = get("/");
        assert_eq!(key(&hdr(false), &empty, b""), None);
        empty.add(b"Host", b"");
        assert_eq!(key(&hdr(false), &empty, b""), None);
    }

    #[test]
    fn addresses() {
        let ip = |a: &str| address(&Address::Ip(a.parse().unwrap()));
        assert_eq!(ip("127.0.1.1:80"), Some(0x7f00_0101));
        assert_eq!(ip("[2001:db8::1:2]:80"), Some(0x2001_0db8 ^ 0x0001_0002));
        assert_eq!(address(&Address::Unknown), None);
    }
}
