//! Whether a connection lives on after an exchange.

use super::Info;
use hawser_http::list::has_token;
use hawser_http::{BodyLen, Head, KnownName, Start, Version};

/// Does the client want its connection kept after the response (RFC 9112 section 9.3)?
pub fn client_wants_keepalive(head: &Head, info: &Info) -> bool {
    match head.version() {
        Version::H10 => info.keep_alive && !info.close,
        _ => !info.close,
    }
}

/// Will the server keep its connection after this response? Only if the end of the body can be told without its
/// closing.
pub fn server_keeps_alive(head: &Head, info: &Info) -> bool {
    let framed = !matches!(info.body, BodyLen::UntilClose | BodyLen::Tunnel);
    framed && client_wants_keepalive(head, info)
}

/// Must the connection be closed after the head about to be written, whatever both sides want?
///
/// A rule may have set `Connection: close` (heads never come from a parser with it, as that option ends at this
/// proxy). And a server that chunks in HTTP/1.0 is not to be trusted with what is in its chunks (RFC 9112
/// section 6.1): nothing may follow them.
pub fn must_close(head: &Head, body: BodyLen) -> bool {
    let response = matches!(head.start, Start::Response { .. });
    (response && body == BodyLen::Chunked && head.version() == Version::H10)
        || head.known(KnownName::Connection).any(|v| has_token(v, b"close"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{Asked, Limits, Opts, Progress, Status, parse_request, parse_response};

    fn parse(text: &str) -> (Head, Info) {
        let (mut head, mut p) = (Head::default(), Progress::default());
        let (lim, opts) = (Limits::default(), Opts::default());
        let status = match text.starts_with("HTTP") {
            true => parse_response(text.as_bytes(), &mut p, &mut head, &lim, opts, Asked::Other),
            false => parse_request(text.as_bytes(), &mut p, &mut head, &lim, opts),
        };
        match status {
            Ok(Status::Done { info, .. }) => (head, info),
            other => panic!("{text:?}: {other:?}"),
        }
    }

    #[test]
    fn keep_alive_follows_version_and_connection() {
        let cases = [
            ("1.1", "", true),
            ("1.1", "Connection: close\r\n", false),
            ("1.1", "Connection: keep-alive\r\n", true),
            ("1.1", "Connection: keep-alive, close\r\n", false),
            ("1.1", "Connection: keep-alive\r\nConnection: Close\r\n", false),
            ("1.1", "Connection: x-close\r\n", true),
            ("1.0", "", false),
            ("1.0", "Connection: keep-alive\r\n", true),
            ("1.0", "Connection: Keep-Alive, foo\r\n", true),
            ("1.0", "Connection: keep-alive, close\r\n", false),
            ("1.0", "Proxy-Connection: keep-alive\r\n", false),
        ];
        for (version, fields, keep) in cases {
            let (head, info) = parse(&format!("GET / HTTP/{version}\r\n{fields}\r\n"));
            assert_eq!(client_wants_keepalive(&head, &info), keep, "request {version} {fields:?}");
            assert!(!must_close(&head, info.body));
            let response = format!("HTTP/{version} 200 OK\r\n{fields}Content-Length: 1\r\n\r\n");
            let (head, info) = parse(&response);
            assert_eq!(server_keeps_alive(&head, &info), keep, "response {version} {fields:?}");
            let (head, info) = parse(&format!("HTTP/{version} 200 OK\r\n{fields}\r\n"));
            assert!(!server_keeps_alive(&head, &info), "nothing but the end of the connection ends the body");
        }
    }

    #[test]
    fn a_rule_may_ask_for_the_end() {
        let mut head = Head::response(Version::H11, 200, b"OK");
        assert!(!must_close(&head, BodyLen::Chunked));
        head.add(b"connection", b"foo, Close");
        assert!(must_close(&head, BodyLen::Chunked));
    }

    #[test]
    fn nothing_follows_chunks_of_http_1_0() {
        let head = Head::response(Version::H10, 200, b"OK");
        assert!(must_close(&head, BodyLen::Chunked));
        assert!(!must_close(&head, BodyLen::Length(1)));
    }
}
