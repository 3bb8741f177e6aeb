//! Agreement between the Host fields and the target of a request, and their normal form.
//!
//! A proxy routes on one name only. So several Host fields must be the same, and an absolute target or the one
//! of CONNECT must name the same host (RFC 9112 section 3.2.2). Default ports are dropped where the target
//! spells them (RFC 3986 section 6.2.3), and a request that names its host only in its target gets a Host field,
//! so that rules on `hdr(host)` see it.

use crate::head::{Head, Span, Start};
use crate::name::KnownName;
use crate::uri::{Authority, Form, Target, default_port};

/// Why a request's host was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HostError {
    /// Several Host fields that differ.
    Several,
    /// A Host field that is not `name[:port]`.
    Field,
    /// The target's authority is malformed, or lacks the port that CONNECT needs.
    Authority,
    /// The Host field names another host than the target.
    Mismatch,
}

impl Head {
    /// Checks the Host fields of a request against each other and against its target, and normalises both.
    ///
    /// With `relaxed` (`option accept-unsafe-violations-in-http-request`) neither the authority of CONNECT nor the
    /// agreement of target and Host is checked.
    pub fn normalize_host(&mut self, relaxed: bool) -> Result<(), HostError> {
        let field = self.merge_hosts()?;
        if matches!(self.target().first(), Some(b'/' | b'*')) && self.method() != b"CONNECT" {
            return Ok(());
        }
        let Some(parts) = self.target_parts() else { return Ok(()) };
        match parts.form {
            Form::Absolute => self.normalize_absolute(field, parts, relaxed),
            Form::Authority => self.normalize_connect(field, relaxed),
            Form::Origin | Form::Asterisk => Ok(()),
        }
    }

    /// Keeps the first of several equal Host fields; returns its index.
    fn merge_hosts(&mut self) -> Result<Option<usize>, HostError> {
        let mut first: Option<usize> = None;
        for i in 0..self.fields.len() {
            let f = self.fields[i];
            if f.known != KnownName::Host || f.name.len == 0 {
                continue;
            }
            match first {
                Some(j) if !self.get(self.fields[j].value).eq_ignore_ascii_case(self.get(f.value)) => {
                    return Err(HostError::Several);
                }
                Some(_) => self.delete_at(i),
                None => {
                    if Authority::parse(self.get(f.value)).is_none_or(|a| a.userinfo.is_some()) {
                        return Err(HostError::Field);
                    }
                    first = Some(i);
                }
            }
        }
        Ok(first)
    }

    fn normalize_absolute(
        &mut self,
        field: Option<usize>,
        parts: Target,
        relaxed: bool,
    ) -> Result<(), HostError> {
        let Start::Request { target, .. } = self.start else { return Ok(()) };
        let text = self.get(target);
        let whole = &text[parts.authority.clone()];
        let authority = Authority::parse(whole).ok_or(HostError::Authority)?;
        let default = default_port(&text[parts.scheme.clone()]);
        let implied = |a: &Authority<'_>| implied(a, default);
        // A default or empty port in the target is dropped there, and then in the Host field too.
        let drop = authority.port.map_or(0, |p| p.len() + 1) * usize::from(implied(&authority));
        if let Some(i) = field {
            let host = Authority::parse(self.get(self.fields[i].value)).ok_or(HostError::Field)?;
            let same_port = (implied(&authority) && implied(&host)) || same_port(&authority, &host);
            if !(relaxed || same_port && authority.host.eq_ignore_ascii_case(host.host)) {
                return Err(HostError::Mismatch);
            }
        }
        let bare = whole.len() - authority.host_port(whole).len();
        let kept = parts.authority.end - drop;
        let host = sub(target, parts.authority.start + bare, kept);
        match field {
            Some(i) if drop > 0 => self.fields[i].value = host,
            Some(_) => {}
            None => self.add_host(host),
        }
        let slash = parts.path.is_empty() && (self.method() != b"OPTIONS" || parts.query.is_some());
        if drop > 0 || slash {
            self.rebuild_target(target, kept, parts.authority.end, slash);
        }
        Ok(())
    }

    fn normalize_connect(&mut self, field: Option<usize>, relaxed: bool) -> Result<(), HostError> {
        let Start::Request { target, .. } = self.start else { return Ok(()) };
        let whole = self.get(target);
        let Some(authority) = Authority::parse(whole).filter(|a| a.port_number().is_some()) else {
            return if relaxed { Ok(()) } else { Err(HostError::Authority) };
        };
        // Nothing tells the scheme: both well-known ports may go unsaid in the Host field.
        let common = matches!(authority.port_number(), Some(80 | 443));
        let port = authority.port.map_or(0, |p| p.len() + 1) * usize::from(common);
        let bare = whole.len() - authority.host_port(whole).len();
        let host = sub(target, bare, whole.len() - port);
        let Some(i) = field else {
            self.add_host(host);
            return Ok(());
        };
        let named = Authority::parse(self.get(self.fields[i].value)).ok_or(HostError::Field)?;
        let same = same_port(&authority, &named);
        let unsaid = common && named.port.is_none_or(<[u8]>::is_empty);
        if !(relaxed || (same || unsaid) && authority.host.eq_ignore_ascii_case(named.host)) {
            return Err(HostError::Mismatch);
        }
        if same && common {
            self.fields[i].value = host;
        }
        Ok(())
    }

    /// Puts a Host field in front, as clients do.
    fn add_host(&mut self, value: Span) {
        let name = self.append(b"host");
        self.fields.insert(0, crate::head::Field { name, value, known: KnownName::Host });
    }

    /// Copies the target without the bytes from `from` to `to`, and with a slash there if asked.
    fn rebuild_target(&mut self, old: Span, from: usize, to: usize, slash: bool) {
        let (start, end) = (old.off as usize, (old.off + old.len) as usize);
        let off = self.buf.len();
        self.buf.extend_from_within(start..start + from);
        self.buf.extend_from_slice(if slash { b"/" } else { b"" });
        self.buf.extend_from_within(start + to..end);
        let len = (self.buf.len() - off) as u32;
        if let Start::Request { target, .. } = &mut self.start {
            *target = Span { off: off as u32, len };
        }
    }
}

/// Does the authority name the default port, or none?
fn implied(a: &Authority<'_>, default: Option<u16>) -> bool {
    default.is_some() && (a.port.is_none_or(<[u8]>::is_empty) || a.port_number() == default)
}

fn same_port(a: &Authority<'_>, b: &Authority<'_>) -> bool {
    a.port == b.port || (a.port_number().is_some() && a.port_number() == b.port_number())
}

/// The bytes `from..to` of a range.
fn sub(s: Span, from: usize, to: usize) -> Span {
    Span { off: s.off + from as u32, len: (to - from) as u32 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::Version;

    /// `Ok((target, host))` after normalisation; hosts are separated by `|` and `-` means none.
    fn run(method: &str, target: &str, hosts: &str, relaxed: bool) -> Result<(String, String), HostError> {
        let mut h = Head::request(method.as_bytes(), target.as_bytes(), Version::H11);
        if hosts != "-" {
            hosts.split('|').for_each(|v| h.add(b"Host", v.as_bytes()));
        }
        h.normalize_host(relaxed)?;
        let all: Vec<_> = h.known(KnownName::Host).map(String::from_utf8_lossy).collect();
        let host = if all.is_empty() { "-".to_owned() } else { all.join("|") };
        Ok((String::from_utf8_lossy(h.target()).into_owned(), host))
    }

    #[test]
    fn default_ports_go_and_missing_hosts_come() {
        #[rustfmt::skip]
        let cases = [
            // method  target                   Host           target after              Host after
            ("GET", "/c",                       "h",           "/c",                     "h"),
            ("GET", "/c",                       "h:80",        "/c",                     "h:80"),
            ("GET", "/c",                       "-",           "/c",                     "-"),
            ("GET", "/c",                       "h|H|h",       "/c",                     "h"),
            ("OPTIONS", "*",                    "h",           "*",                      "h"),
            ("OPTIONS", "http://h",             "h",           "http://h",               "h"),
            ("GET", "http://t:p@h:80/c",        "h:80",        "http://t:p@h/c",         "h"),
            ("GET", "http://h:8080/c",          "h:8080",      "http://h:8080/c",        "h:8080"),
            ("GET", "https://h:443/c",          "h:443",       "https://h/c",            "h"),
            ("GET", "https://h:80/c",           "h:80",        "https://h:80/c",         "h:80"),
            ("GET", "http://h:80/c",            "h",           "http://h/c",             "h"),
            ("GET", "http://h/c",               "h:80",        "http://h/c",             "h:80"),
            ("GET", "http://h:/c",              "h",           "http://h/c",             "h"),
            ("GET", "http://h/c",               "h:",          "http://h/c",             "h:"),
            ("GET", "http://h:80/c",            "h:",          "http://h/c",             "h"),
            ("GET", "http://h:/c",              "h:80",        "http://h/c",             "h"),
            ("GET", "http://:",                 ":80",         "http:///",               ""),
            ("GET", "https://:",                ":",           "https:///",              ""),
            ("GET", "http://h",                 "h",           "http://h/",              "h"),
            ("GET", "http://h?q",               "h",           "http://h/?q",            "h"),
            ("GET", "http://h:81",              "h:81",        "http://h:81/",           "h:81"),
            ("GET", "HTTP://H/c",               "h",           "HTTP://H/c",             "h"),
            ("GET", "http://h/c",               "-",           "http://h/c",             "h"),
            ("GET", "http://u@h:80/c",          "-",           "http://u@h/c",           "h"),
            ("GET", "http://h:8080/c",          "-",           "http://h:8080/c",        "h:8080"),
            ("GET", "ftp://h:80/c",             "h:80",        "ftp://h:80/c",           "h:80"),
            ("CONNECT", "h:80",                 "h:80",        "h:80",                   "h"),
            ("CONNECT", "h:80",                 "h",           "h:80",                   "h"),
            ("CONNECT", "h:80",                 "h:",          "h:80",                   "h:"),
            ("CONNECT", "h:443",                "h:443",       "h:443",                  "h"),
            ("CONNECT", "h:8443",               "h:8443",      "h:8443",                 "h:8443"),
            ("CONNECT", "h:8443",               "-",           "h:8443",                 "h:8443"),
            ("CONNECT", "[::1]:443",            "[::1]",       "[::1]:443",              "[::1]"),
        ];
        for (method, target, host, target2, host2) in cases {
            let got = run(method, target, host, false);
            assert_eq!(got, Ok((target2.to_owned(), host2.to_owned())), "{method} {target} {host}");
        }
    }

    #[test]
    fn hosts_that_disagree_are_refused() {
        use HostError::{Authority, Field, Mismatch, Several};
        let cases = [
            ("GET", "/", "a|b", Several),
            ("GET", "http://h1/", "h1:80|h1", Several),
            ("GET", "/", "a b", Field),
            ("GET", "/", "a,b", Field),
            ("GET", "/", "a/b", Field),
            ("GET", "/", "u@a", Field),
            ("GET", "/", "a:x", Field),
            ("GET", "http://h1/", "h2", Mismatch),
            ("GET", "http://h:80/", "h:81", Mismatch),
            ("GET", "http://h:8080/", "h", Mismatch),
            ("GET", "http://h/", "h:81", Mismatch),
            ("GET", "ftp://h/", "h:80", Mismatch),
            ("GET", "http://h:x/", "h", Authority),
            ("GET", "http://a b/", "h", Authority),
            ("CONNECT", "h", "h", Authority),
            ("CONNECT", "h:", "h", Authority),
            ("CONNECT", "/", "h", Authority),
            ("CONNECT", "http://h:80", "h", Authority),
            ("CONNECT", "h:65536", "h:65536", Authority),
            ("CONNECT", "h1:80", "h2:80", Mismatch),
            ("CONNECT", "h:80", "h:443", Mismatch),
            ("CONNECT", "h:8080", "h", Mismatch),
        ];
        for (method, target, host, why) in cases {
            assert_eq!(run(method, target, host, false), Err(why), "{method} {target} {host}");
        }
    }

    #[test]
    fn the_relaxed_mode_only_forgives_disagreement() {
        assert!(run("GET", "http://h1/", "h2", true).is_ok());
        assert!(run("CONNECT", "h1:80", "h2:80", true).is_ok());
        assert!(run("CONNECT", "h1", "h1", true).is_ok());
        assert_eq!(run("GET", "/", "a|b", true), Err(HostError::Several));
    }
}
