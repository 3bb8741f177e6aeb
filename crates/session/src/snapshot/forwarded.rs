//! `option forwarded`: the field of RFC 7239 that tells servers about the client.

use hawser_cfg::diag::Diags;
use hawser_cfg::model::{self, Part};
use hawser_cfg::pos::Pos;
use hawser_http::{Head, KnownName};
use hawser_proto::Address;
use hawser_sample::{Checkpoint, CompileCx, Ctx, Expr, Value};
use std::net::{Ipv4Addr, Ipv6Addr};

/// What a parameter is made of.
#[derive(Debug)]
enum Source {
    /// What the connection or the request itself says.
    Own,
    Expr(Expr),
}

/// The field's parameters.
#[derive(Debug)]
pub struct Forwarded {
    proto: bool,
    host: Option<Source>,
    by: Option<Source>,
    by_port: Option<Source>,
    of: Option<Source>,
    for_port: Option<Source>,
}

impl Forwarded {
    /// Compiles the option's expressions; what is wrong with them is an alert.
    pub(super) fn compile(cx: &mut CompileCx<'_>, conf: &model::Forwarded) -> Self {
        cx.at = Some(Checkpoint::BeHttpReqHdr);
        cx.pos = conf.pos;
        "option forwarded".clone_into(&mut cx.what);
        let mut source = |part: &Option<Part>| match part.as_ref()? {
            Part::Own => Some(Source::Own),
            Part::Expr(text) => match Expr::parse_str(cx, text) {
                Ok(e) => Some(Source::Expr(e)),
                Err(e) => {
                    tell(cx.diags, conf.pos, text, &e);
                    None
                }
            },
        };
        Self {
            proto: conf.proto,
            host: source(&conf.host),
            by: source(&conf.by),
            by_port: source(&conf.by_port),
            of: source(&conf.of),
            for_port: source(&conf.for_port),
        }
    }

    /// The field's value for a request; empty if there is nothing to tell.
    pub(crate) fn value(&self, ctx: &Ctx<'_>, req: &Head, ends: [&Address; 2]) -> Vec<u8> {
        let mut out = Vec::new();
        if self.proto {
            let tls = ctx.sess.is_some_and(|s| s.tls);
            parameter(&mut out, b"proto", if tls { b"https" } else { b"http" });
        }
        if let Some(host) = &self.host {
            let text = match host {
                Source::Own => req.first(KnownName::Host).unwrap_or_default().to_vec(),
                Source::Expr(e) => e.eval(ctx).map(|v| v.into_str().into_owned()).unwrap_or_default(),
            };
            parameter(&mut out, b"host", &quoted(&text));
        }
        let [src, dst] = ends;
        for (name, node, port, addr) in
            [(&b"by"[..], &self.by, &self.by_port, dst), (b"for", &self.of, &self.for_port, src)]
        {
            if let Some(node) = node {
                parameter(&mut out, name, &self::node(ctx, node, port.as_ref(), addr));
            }
        }
        out
    }
}

fn tell(diags: &mut Diags, pos: Pos, text: &str, e: &hawser_sample::compile::Error) {
    diags.alert(pos, format!("failed to parse 'option forwarded' expression '{text}' in : {e}."));
}

fn parameter(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    if !out.is_empty() {
        out.push(b';');
    }
    out.extend_from_slice(name);
    out.push(b'=');
    out.extend_from_slice(value);
}

fn quoted(text: &[u8]) -> Vec<u8> {
    let mut out = vec![b'"'];
    for b in text {
        if matches!(b, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(*b);
    }
    out.push(b'"');
    out
}

/// A node: its name and its port; colons and brackets need quotes.
fn node(ctx: &Ctx<'_>, name: &Source, port: Option<&Source>, addr: &Address) -> Vec<u8> {
    let mut out = match name {
        Source::Own => addr.ip().map(|ip| match ip {
            std::net::IpAddr::V4(a) => v4(a),
            std::net::IpAddr::V6(a) => v6(a),
        }),
        Source::Expr(e) => e.eval(ctx).and_then(node_name),
    }
    .unwrap_or_else(|| b"unknown".to_vec());
    let port = port.and_then(|p| match p {
        Source::Own => Some(addr.port()).filter(|p| *p > 0).map(|p| p.to_string().into_bytes()),
        Source::Expr(e) => e.eval(ctx).and_then(node_port),
    });
    if let Some(port) = port {
        out.push(b':');
        out.extend_from_slice(&port);
    }
    if out.iter().any(|b| matches!(b, b':' | b'[')) { quoted(&out) } else { out }
}

fn v4(a: Ipv4Addr) -> Vec<u8> {
    a.to_string().into_bytes()
}

fn v6(a: Ipv6Addr) -> Vec<u8> {
    format!("[{a}]").into_bytes()
}

/// The name of a node as an expression gives it: an address, or an identifier, which an underscore hides.
fn node_name(v: Value<'_>) -> Option<Vec<u8>> {
    match v {
        Value::Ip4(a) => Some(v4(a)),
        Value::Ip6(a) => Some(v6(a)),
        v => {
            let s = v.into_str();
            let text = std::str::from_utf8(&s).ok()?;
            let bracketed = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
            if text == "unknown" || text.parse::<Ipv4Addr>().is_ok() {
                return Some(s.into_owned());
            }
            match bracketed {
                Some(inner) => inner.parse::<Ipv6Addr>().ok().map(v6),
                None => identifier(&s),
            }
        }
    }
}

/// The port of a node as an expression gives it.
fn node_port(v: Value<'_>) -> Option<Vec<u8>> {
    let s = v.into_str();
    let number = std::str::from_utf8(&s).ok().and_then(|t| t.parse::<u16>().ok());
    if number.is_some_and(|n| n > 0) { Some(s.into_owned()) } else { identifier(&s) }
}

/// An identifier behind the underscore that hides what it stands for.
fn identifier(s: &[u8]) -> Option<Vec<u8>> {
    let good = !s.is_empty() && s.iter().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(b));
    match s {
        [b'_', _, ..] if good => Some(s.to_vec()),
        _ if good => Some([b"_", s].concat()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_ports_are_those_of_haproxy() {
        let name =
            |t: &'static str| node_name(Value::str(t.as_bytes())).map(|v| String::from_utf8(v).unwrap());
        for (given, want) in [
            ("a", Some("_a")),
            ("_haproxy", Some("_haproxy")),
            ("[::1]", Some("[::1]")),
            ("::1", None),
            ("bad name", None),
            ("127.0.0.1", Some("127.0.0.1")),
            ("unknown", Some("unknown")),
            ("", None),
            ("_", Some("__")),
        ] {
            assert_eq!(name(given).as_deref(), want, "{given}");
        }
        let port = |v: Value<'_>| node_port(v).map(|v| String::from_utf8(v).unwrap());
        assert_eq!(port(Value::Int(10)).as_deref(), Some("10"));
        assert_eq!(port(Value::Int(99_999)).as_deref(), Some("_99999"));
        assert_eq!(port(Value::str(b"_x")).as_deref(), Some("_x"));
        assert_eq!(port(Value::str(b"a b")), None);
    }

    #[test]
    fn quotes_are_escaped() {
        assert_eq!(quoted(b"a\"b\\"), b"\"a\\\"b\\\\\"");
    }
}
