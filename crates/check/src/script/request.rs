//! The request of an HTTP check.

use super::Data;
use hawser_http::{Head, Version};
use hawser_sample::Ctx;

/// `option httpchk` and `http-check send`.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) uri: Data,
    pub(crate) version: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, Data)>,
    pub(crate) body: Option<Data>,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            method: "OPTIONS".into(),
            uri: Data::Fixed(b"/".to_vec()),
            version: "HTTP/1.0".into(),
            headers: Vec::new(),
            body: None,
        }
    }
}

impl Request {
    /// The bytes to send; `state` is the value of `X-Haproxy-Server-State`.
    pub(crate) fn render(&self, state: Option<&str>, ctx: &Ctx<'_>) -> Vec<u8> {
        let value = |d: &Data| d.bytes(ctx).unwrap_or_default();
        let framing = |name: &str| name == "content-length" || name == "transfer-encoding";
        let headers: Vec<(&str, Vec<u8>)> = self
            .headers
            .iter()
            .filter(|h| !framing(&h.0))
            .map(|(n, v)| (n.as_str(), one_line(value(v))))
            .collect();
        let host = headers.iter().find(|h| h.0 == "host").map(|h| h.1.as_slice());
        let mut out = Vec::with_capacity(256);
        out.extend_from_slice(self.method.as_bytes());
        out.push(b' ');
        out.extend_from_slice(&with_authority(one_line(value(&self.uri)), host));
        out.push(b' ');
        out.extend_from_slice(self.version.as_bytes());
        out.extend_from_slice(b"\r\n");
        let mut field = |name: &str, value: &[u8]| {
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value);
            out.extend_from_slice(b"\r\n");
        };
        for (name, value) in &headers {
            field(name, value);
        }
        if let Some(state) = state {
            field("x-haproxy-server-state", state.as_bytes());
        }
        let body = self.body.as_ref().map(value);
        if let Some(body) = &body {
            field("content-length", body.len().to_string().as_bytes());
        }
        // HTTP/1.0 closes anyhow.
        if self.version.as_str() > "HTTP/1.0" && !headers.iter().any(|h| h.0 == "connection") {
            field("connection", b"close");
        }
        out.extend_from_slice(b"\r\n");
        out.extend(body.unwrap_or_default());
        out
    }
}

impl Request {
    /// The same for other versions of HTTP: head and body.
    pub(crate) fn message(&self, state: Option<&str>, ctx: &Ctx<'_>) -> (Head, Vec<u8>) {
        let text = self.render(state, ctx);
        let end = memchr::memmem::find(&text, b"\r\n\r\n").unwrap_or(text.len());
        let (lines, body) = (text.get(..end).unwrap_or_default(), text.get(end + 4..).unwrap_or_default());
        let mut lines = lines.split(|b| *b == b'\n').map(<[u8]>::trim_ascii_end);
        let line = lines.next().unwrap_or_default();
        let target = line.get(self.method.len() + 1..line.len().saturating_sub(self.version.len() + 1));
        let version = if self.version == "HTTP/1.0" { Version::H10 } else { Version::H11 };
        let mut head = Head::request(self.method.as_bytes(), target.unwrap_or(b"/"), version);
        for field in lines {
            let Some(colon) = memchr::memchr(b':', field) else { continue };
            let (name, value) = (&field[..colon], field[colon + 1..].trim_ascii_start());
            if name != b"connection" {
                head.add(name, value);
            }
        }
        (head, body.to_vec())
    }

    /// Whether it asks for the end of the connection after its response; it does unless it has a wish of its own.
    pub(crate) fn closes(&self) -> bool {
        let wish = self.headers.iter().find(|h| h.0 == "connection");
        wish.is_none_or(|(_, value)| {
            let value = value.bytes(&Ctx::EMPTY).unwrap_or_default();
            value.split(|b| *b == b',').any(|t| t.trim_ascii().eq_ignore_ascii_case(b"close"))
        })
    }
}

/// Formats are evaluated at run time: what they write must not end a line.
fn one_line(mut v: Vec<u8>) -> Vec<u8> {
    v.retain(|b| !matches!(b, b'\r' | b'\n' | 0));
    v
}

/// An absolute URI names the host that the `Host` field names.
fn with_authority(uri: Vec<u8>, host: Option<&[u8]>) -> Vec<u8> {
    let (Some(host), Some(scheme)) = (host, memchr::memmem::find(&uri, b"://")) else { return uri };
    let start = scheme + 3;
    if uri.starts_with(b"/") {
        return uri;
    }
    let end = uri[start..].iter().position(|b| *b == b'/').map_or(uri.len(), |p| start + p);
    [&uri[..start], host, &uri[end..]].concat()
}
