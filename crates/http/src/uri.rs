//! Request targets: their four forms (RFC 9112 section 3.2), their parts, and safe rewriting.

use crate::chars::is_host;
use crate::head::{Head, Start};
use std::ops::Range;

/// The form of a request target.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// `/path?query`.
    Origin,
    /// `scheme://authority/path?query`.
    Absolute,
    /// `host:port`, of CONNECT.
    Authority,
    /// `*`, of OPTIONS.
    Asterisk,
}

/// Where the parts of a request target are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// Its form.
    pub form: Form,
    /// Scheme, without `://`; empty unless absolute.
    pub scheme: Range<usize>,
    /// Authority, user information included; empty unless absolute or authority form.
    pub authority: Range<usize>,
    /// From the first `/` after the authority to the `?`. Empty when there is none.
    pub path: Range<usize>,
    /// After the first `?`; `None` without one.
    pub query: Option<Range<usize>>,
}

impl Target {
    /// Splits a target. `None` if it has none of the forms; the form that a method needs is for the caller to
    /// check ([`Form::Authority`] is recognised only with `connect`).
    pub fn split(t: &[u8], connect: bool) -> Option<Self> {
        let n = t.len();
        let form = |form, authority| Self { form, scheme: 0..0, authority, path: n..n, query: None };
        match t.first()? {
            _ if connect => Some(form(Form::Authority, 0..n)),
            b'/' => Some(Self::with_path(Form::Origin, 0..0, 0..0, t, 0)),
            b'*' if n == 1 => Some(form(Form::Asterisk, 0..0)),
            _ => {
                let colon = scheme_len(t)?;
                let start = colon + 3;
                let len = t.get(start..)?.iter().position(|b| matches!(b, b'/' | b'?' | b'#'));
                let end = len.map_or(n, |l| start + l);
                Some(Self::with_path(Form::Absolute, 0..colon, start..end, t, end))
            }
        }
    }

    fn with_path(form: Form, scheme: Range<usize>, authority: Range<usize>, t: &[u8], path: usize) -> Self {
        let rest = t.get(path..).unwrap_or_default();
        let mark = memchr::memchr(b'?', rest).map(|i| path + i);
        Self {
            form,
            scheme,
            authority,
            path: path..mark.unwrap_or(t.len()),
            query: mark.map(|m| m + 1..t.len()),
        }
    }

    /// Path and query: from the first `/` (or `?`) after the authority to the end.
    pub fn pathq(&self) -> Range<usize> {
        self.path.start..self.query.as_ref().map_or(self.path.end, |q| q.end)
    }
}

/// Path and query of a URL in the spelling of nearly all, if there is a path.
fn path_of_url(t: &[u8]) -> Option<&[u8]> {
    let rest = t.strip_prefix(b"http://").or_else(|| t.strip_prefix(b"https://"))?;
    let at = memchr::memchr3(b'/', b'?', b'#', rest)?;
    rest.get(at..).filter(|p| p.starts_with(b"/"))
}

/// Length of the scheme if the target starts with one and `://`.
fn scheme_len(t: &[u8]) -> Option<usize> {
    let fine = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
    let n = t.iter().position(|b| !fine(b))?;
    (n > 0 && t[0].is_ascii_alphabetic() && t[n..].starts_with(b"://")).then_some(n)
}

/// An authority in its parts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Authority<'a> {
    /// `user:password`, if there is an `@`.
    pub userinfo: Option<&'a [u8]>,
    /// Host name or address, brackets included. Possibly empty.
    pub host: &'a [u8],
    /// What follows the colon, possibly empty; `None` without a colon.
    pub port: Option<&'a [u8]>,
}

impl<'a> Authority<'a> {
    /// Splits and validates an authority, or the value of a Host field: name or bracketed address, digits as port.
    pub fn parse(s: &'a [u8]) -> Option<Self> {
        let (userinfo, rest) = match memchr::memrchr(b'@', s) {
            Some(at) => (Some(&s[..at]), &s[at + 1..]),
            None => (None, s),
        };
        let host = if rest.first() == Some(&b'[') {
            let end = memchr::memchr(b']', rest)?;
            let inside = &rest[1..end];
            let fine = |b: &u8| is_host(*b) || *b == b':';
            if inside.is_empty() || !inside.iter().all(fine) {
                return None;
            }
            &rest[..=end]
        } else {
            let n = rest.iter().position(|&b| !is_host(b)).unwrap_or(rest.len());
            &rest[..n]
        };
        let port = match &rest[host.len()..] {
            [] => None,
            [b':', port @ ..] if port.len() <= 5 && port.iter().all(u8::is_ascii_digit) => Some(port),
            _ => return None,
        };
        Some(Self { userinfo, host, port })
    }

    /// Its port as a number; `None` if absent, empty or above 65535.
    pub fn port_number(&self) -> Option<u16> {
        std::str::from_utf8(self.port?).ok()?.parse().ok()
    }

    /// Without user information: what a Host field says.
    pub fn host_port(&self, whole: &'a [u8]) -> &'a [u8] {
        &whole[self.userinfo.map_or(0, |u| u.len() + 1)..]
    }
}

/// The port that a scheme implies: 80 for `http`, 443 for `https`.
pub fn default_port(scheme: &[u8]) -> Option<u16> {
    match scheme {
        s if s.eq_ignore_ascii_case(b"http") => Some(80),
        s if s.eq_ignore_ascii_case(b"https") => Some(443),
        _ => None,
    }
}

/// Why a rewrite was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unsafe;

impl Head {
    /// Parts of the request target; `None` for responses.
    pub fn target_parts(&self) -> Option<Target> {
        Target::split(self.target(), self.method() == b"CONNECT")
    }

    /// The path, without query; `None` if the target has none (`*`, `host:port`).
    pub fn path(&self) -> Option<&[u8]> {
        let t = self.target();
        if t.first() == Some(&b'/') {
            return Some(&t[..memchr::memchr(b'?', t).unwrap_or(t.len())]);
        }
        self.target_parts().map(|p| &t[p.path]).filter(|p| !p.is_empty())
    }

    /// Path and query; `None` if the target has no path.
    pub fn pathq(&self) -> Option<&[u8]> {
        let t = self.target();
        if t.first() == Some(&b'/') {
            return Some(t);
        }
        self.target_parts().filter(|p| !p.path.is_empty()).map(|p| &t[p.pathq()])
    }

    /// What follows the first `?` of the target; `None` without one.
    pub fn query(&self) -> Option<&[u8]> {
        let t = self.target();
        memchr::memchr(b'?', t).map(|i| &t[i + 1..])
    }

    /// The target in origin form: path and query, `*` for OPTIONS without a path.
    pub fn origin_target(&self) -> &[u8] {
        let target = self.target();
        if target.first() == Some(&b'/') {
            return target;
        }
        if let (true, Some(p)) = (self.normalized && self.method() != b"CONNECT", path_of_url(target)) {
            return p;
        }
        let pathq = self.target_parts().filter(|t| t.form != Form::Authority).map(|t| t.pathq());
        match pathq.and_then(|p| target.get(p)) {
            Some([]) if self.method() == b"OPTIONS" => b"*",
            Some(p @ [b'/', ..]) => p,
            Some([]) => b"/",
            _ => target,
        }
    }

    /// Replaces the path; scheme, authority and query stay (`http-request set-path`).
    pub fn set_path(&mut self, path: &[u8]) -> Result<(), Unsafe> {
        let Some(p) = self.target_parts() else { return Err(Unsafe) };
        self.splice_target(p.path, path)
    }

    /// Replaces path and query (`http-request set-pathq`).
    pub fn set_pathq(&mut self, pathq: &[u8]) -> Result<(), Unsafe> {
        let Some(p) = self.target_parts() else { return Err(Unsafe) };
        self.splice_target(p.pathq(), pathq)
    }

    /// Replaces the query. A `?` is added if there is none and `query` is not empty; one that is there is never
    /// removed (`http-request set-query`).
    pub fn set_query(&mut self, query: &[u8]) -> Result<(), Unsafe> {
        let Some(p) = self.target_parts() else { return Err(Unsafe) };
        match p.query {
            Some(q) => self.splice_target(q, query),
            None if query.is_empty() => Ok(()),
            None => {
                let end = self.target().len();
                self.splice_target(end..end, &[b"?", query].concat())
            }
        }
    }

    /// Replaces the whole target (`http-request set-uri`).
    pub fn set_uri(&mut self, uri: &[u8]) -> Result<(), Unsafe> {
        let n = self.target().len();
        self.splice_target(0..n, uri)?;
        self.normalized = false;
        Ok(())
    }

    /// Replaces the method, which must be a token (`http-request set-method`).
    pub fn rewrite_method(&mut self, method: &[u8]) -> Result<(), Unsafe> {
        if !crate::chars::is_name(method) {
            return Err(Unsafe);
        }
        self.set_method(method);
        Ok(())
    }

    /// Refuses what would end the target early or the line: white space and controls. All the rest is the
    /// administrator's choice.
    fn splice_target(&mut self, range: Range<usize>, by: &[u8]) -> Result<(), Unsafe> {
        if by.iter().any(|&b| b <= b' ' || b == 0x7f) {
            return Err(Unsafe);
        }
        let Start::Request { target, .. } = self.start else { return Err(Unsafe) };
        let (start, len) = (target.off as usize, target.len as usize);
        if by.len() + len - range.len() == 0 || self.buf.len() < start + len {
            return Err(Unsafe);
        }
        let off = self.buf.len();
        self.buf.reserve(len - range.len() + by.len());
        self.buf.extend_from_within(start..start + range.start);
        self.buf.extend_from_slice(by);
        self.buf.extend_from_within(start + range.end..start + len);
        let span = crate::head::Span { off: off as u32, len: (self.buf.len() - off) as u32 };
        if let Start::Request { target, .. } = &mut self.start {
            *target = span;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
