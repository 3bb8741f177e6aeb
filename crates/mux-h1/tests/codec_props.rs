//! Properties of the HTTP/1 codec: it survives any bytes, pieces make no difference, and what it writes is read
//! back as one message that says the same.

use hawser_http::{BodyLen, Head, KnownName, Version};
use hawser_mux_h1::codec::{
    Asked, ChunkDecoder, Encoding, Info, Limits, Opts, ParseError, Progress, Status, Step, WriteOpts,
    encode_chunk_header, encode_last_chunk, encode_trailers, parse_request, parse_response, write_request,
    write_response,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// What a peer asks for: a request, or a response to this.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Request,
    Response(Asked),
}

type Parsed = Result<Option<(Head, Info, usize)>, ParseError>;

/// Feeds the buffer up to each of the cuts in turn.
fn parse(buf: &[u8], cuts: &[usize], kind: Kind, relaxed: bool) -> Parsed {
    let (mut p, mut head) = (Progress::default(), Head::default());
    let (lim, opts) = (Limits::default(), Opts { relaxed, ..Opts::default() });
    for &cut in cuts.iter().chain([&buf.len()]) {
        let part = &buf[..cut];
        let status = match kind {
            Kind::Request => parse_request(part, &mut p, &mut head, &lim, opts)?,
            Kind::Response(asked) => parse_response(part, &mut p, &mut head, &lim, opts, asked)?,
        };
        if let Status::Done { consumed, info } = status {
            return Ok(Some((head, info, consumed)));
        }
    }
    Ok(None)
}

fn fields(h: &Head) -> Vec<(Vec<u8>, Vec<u8>)> {
    h.iter().map(|(n, v)| (n.to_vec(), v.to_vec())).collect()
}

/// What can be compared of an outcome.
fn key(r: &Parsed) -> impl PartialEq + std::fmt::Debug + use<> {
    match r {
        Ok(Some((h, i, n))) => {
            let start = (h.method().to_vec(), h.target().to_vec(), h.status(), h.reason().to_vec());
            Ok(Some((start, fields(h), *i, *n)))
        }
        Ok(None) => Ok(None),
        Err(e) => Err((e.reason, e.status)),
    }
}

/// Writes a parsed head as it would be forwarded.
fn forward(head: &Head, info: &Info, kind: Kind) -> (Vec<u8>, Encoding) {
    let mut out = Vec::new();
    let opts = WriteOpts::default();
    let enc = match kind {
        Kind::Request => write_request(head, info.body, &opts, &mut out),
        Kind::Response(a) => {
            write_response(head, info.body, matches!(a, Asked::Head), false, &opts, &mut out)
        }
    };
    (out, enc)
}

/// Bytes that look like HTTP from afar: most of what goes wrong does so between two right things.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    const PIECES: &[&[u8]] = &[
        b"GET ",
        b"POST / HTTP/1.1\r\n",
        b"GET / HTTP/1.1\r\n",
        b"CONNECT a:80 HTTP/1.1\r\n",
        b"OPTIONS * HTTP/1.0\r\n",
        b"GET http://u@a:80?q HTTP/1.1\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.0 101 X\r\n",
        b"HTTP/1.1 304\r\n",
        b"Host: a\r\n",
        b"Host: a:80\r\n",
        b"Host",
        b"Content-Length: 5\r\n",
        b"Content-Length: 05, 5\r\n",
        b"content-length:",
        b"Transfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: gzip, ",
        b"Connection: close\r\n",
        b"Connection: upgrade, keep-alive\r\n",
        b"Upgrade: websocket, h2c\r\n",
        b"Sec-WebSocket-Key: x\r\n",
        b"TE: trailers, gzip\r\n",
        b"Expect: 100-continue\r\n",
        b"Cookie: ;=a; b\r\n",
        b"X: y\r\n",
        b"X:\r\n  folded\r\n",
        b"\r\n",
        b"\r\n\r\n",
        b"\n",
        b"\r",
        b"\0",
        b" ",
        b"\t",
        b":",
        b",",
        b"#",
        b"\"",
        b"a",
        b"5",
        b"\x0b",
        b"\x7f",
        b"\xc3\xa9",
    ];
    let piece = prop_oneof![
        20 => proptest::sample::select(PIECES).prop_map(<[u8]>::to_vec),
        1 => vec(any::<u8>(), 0..8),
    ];
    vec(piece, 0..14).prop_map(|p| p.concat())
}

/// A start line, fields of interest, sometimes something hostile, and the empty line.
fn nearly_right() -> impl Strategy<Value = Vec<u8>> {
    const STARTS: &[&[u8]] = &[
        b"GET / HTTP/1.1\r\n",
        b"POST /p?q HTTP/1.1\r\n",
        b"PUT http://u@a:80?q HTTP/1.0\r\n",
        b"CONNECT a:443 HTTP/1.1\r\n",
        b"OPTIONS * HTTP/1.1\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.0 200\r\n",
        b"HTTP/1.1 101 Switching\r\n",
        b"HTTP/1.1 304 \r\n",
        b"HTTP/1.1 100 Continue\r\n",
    ];
    const LINES: &[&[u8]] = &[
        b"Host: a\r\n",
        b"HOST: A:\r\n",
        b"Content-Length: 5\r\n",
        b"content-length: 05, 5\n",
        b"Content-Length: 0\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"transfer-encoding:\r\n\tCHUNKED \r\n",
        b"Connection: close\r\n",
        b"Connection: x, upgrade, keep-alive\r\n",
        b"Upgrade: websocket, h2c\r\n",
        b"Upgrade: foo\r\n",
        b"HTTP2-Settings: AAA\r\n",
        b"Sec-WebSocket-Key: x\r\n",
        b"Sec-WebSocket-Accept: x\r\n",
        b"TE: trailers, gzip\r\n",
        b"TE: gzip\r\n",
        b"X: y\r\n",
        b"X:y\r\n",
        b"X:  \r\n",
        b"X: a\r\n  folded\n \r\n",
        b"Y: \xff\t\"\r\n",
    ];
    let start = proptest::sample::select(STARTS);
    let lines = vec(proptest::sample::select(LINES), 0..7);
    (start, lines, prop_oneof![8 => Just(Vec::new()), 1 => hostile()])
        .prop_map(|(s, l, h)| [s, &l.concat(), &h, b"\r\n"].concat())
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        4 => Just(Kind::Request),
        1 => Just(Kind::Response(Asked::Other)),
        1 => Just(Kind::Response(Asked::Head)),
        1 => Just(Kind::Response(Asked::Connect)),
        1 => Just(Kind::Response(Asked::Upgrade)),
    ]
}

/// Places to cut `len` bytes, in order.
fn cuts(len: usize, at: &[proptest::sample::Index]) -> Vec<usize> {
    let mut cuts: Vec<_> = at.iter().map(|i| i.index(len + 1)).collect();
    cuts.sort_unstable();
    cuts
}

fn token() -> impl Strategy<Value = String> {
    "[A-Za-z0-9!#$%&'*+.^_`|~-]{1,20}"
}

/// Names without a meaning for the codec.
fn name() -> impl Strategy<Value = String> {
    token().prop_filter("known names have rules of their own", |n| {
        KnownName::of(n.as_bytes()) == KnownName::Other
    })
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![5 => 0x21..=0x7eu8, 1 => Just(b' '), 1 => Just(b'\t'), 1 => 0x80..=0xffu8], 0..40)
        .prop_map(|v| hawser_http::list::trim(&v).to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_in_any_pieces(mut buf in prop_oneof![hostile(), nearly_right()], at in vec(any::<proptest::sample::Index>(), 0..4), kind in kind(), relaxed: bool) {
        // Errors may be found late in a line that arrives slowly, but not after its end.
        buf.push(b'\n');
        let whole = parse(&buf, &[], kind, relaxed);
        let pieces = parse(&buf, &cuts(buf.len(), &at), kind, relaxed);
        prop_assert_eq!(key(&whole), key(&pieces));
    }

    #[test]
    fn what_is_forwarded_is_read_as_one_message_that_says_the_same(buf in nearly_right(), kind in kind()) {
        let Ok(Some((head, info, consumed))) = parse(&buf, &[], kind, false) else { return Ok(()) };
        prop_assert!(consumed <= buf.len());
        let (out, _) = forward(&head, &info, kind);
        let again = parse(&out, &[], kind, false);
        let Ok(Some((head2, info2, consumed2))) = again else { panic!("{again:?} for {:?}", String::from_utf8_lossy(&out)) };
        prop_assert_eq!(consumed2, out.len(), "nothing is left over to be another message");
        prop_assert_eq!(info2.body, info.body);
        prop_assert_eq!((head2.method(), head2.target(), head2.status()), (head.method(), head.target(), head.status()));
        let (out2, _) = forward(&head2, &info2, kind);
        prop_assert_eq!(String::from_utf8_lossy(&out2), String::from_utf8_lossy(&out), "forwarding changes nothing more");
    }

    #[test]
    fn requests_survive_writing_and_parsing(
        method in token().prop_filter("has its own target", |m| m != "CONNECT"),
        target in "/[!-\"$-~]{0,40}",
        list in vec((name(), value()), 0..20),
        body in prop_oneof![Just(BodyLen::None), Just(BodyLen::Chunked), (1..u64::MAX / 2).prop_map(BodyLen::Length)],
    ) {
        let mut head = Head::request(method.as_bytes(), target.as_bytes(), Version::H11);
        head.add(b"Host", b"h");
        list.iter().for_each(|(n, v)| head.add(n.as_bytes(), v));
        let mut out = Vec::new();
        write_request(&head, body, &WriteOpts::default(), &mut out);
        let parsed = parse(&out, &[], Kind::Request, false);
        let Ok(Some((back, info, consumed))) = parsed else { panic!("{parsed:?}") };
        prop_assert_eq!((info.body, consumed), (body, out.len()));
        prop_assert_eq!((back.method(), back.target()), (method.as_bytes(), target.as_bytes()));
        let without_framing = |h: &Head| {
            let mut h = h.clone();
            h.remove_known(KnownName::ContentLength);
            h.remove_known(KnownName::TransferEncoding);
            fields(&h)
        };
        prop_assert_eq!(without_framing(&back), fields(&head));
    }

    #[test]
    fn responses_survive_writing_and_parsing(
        status in 200..1000u16,
        reason in "[!-~]([ -~]{0,18}[!-~])?",
        list in vec((name(), value()), 0..20),
        length in 1..1000u64,
    ) {
        prop_assume!(status != 204 && status != 304);
        let mut head = Head::response(Version::H11, status, reason.as_bytes());
        list.iter().for_each(|(n, v)| head.add(n.as_bytes(), v));
        let mut out = Vec::new();
        write_response(&head, BodyLen::Length(length), false, false, &WriteOpts::default(), &mut out);
        let parsed = parse(&out, &[], Kind::Response(Asked::Other), false);
        let Ok(Some((mut back, info, _))) = parsed else { panic!("{parsed:?}") };
        prop_assert_eq!((info.body, back.status()), (BodyLen::Length(length), status));
        prop_assert_eq!(back.reason(), reason.as_bytes());
        back.remove_known(KnownName::ContentLength);
        prop_assert_eq!(fields(&back), fields(&head));
    }

    #[test]
    fn no_edit_makes_more_lines(names in vec(vec(any::<u8>(), 0..6), 0..6), values in vec(vec(any::<u8>(), 0..12), 6), target in vec(any::<u8>(), 0..10)) {
        let mut head = Head::request(b"GET", b"/", Version::H11);
        for (n, v) in names.iter().zip(&values) {
            head.add(n, v);
            head.set(b"x-set", v);
        }
        head.set_target(&target);
        let _ = head.set_path(&target);
        let _ = head.set_query(&target);
        let mut out = Vec::new();
        write_request(&head, BodyLen::None, &WriteOpts::default(), &mut out);
        let lines = out.split(|&b| b == b'\n').count();
        prop_assert!(lines <= head.live() + 3, "{:?}", String::from_utf8_lossy(&out));
        prop_assert_eq!(out.iter().filter(|&&b| b == b'\r').count(), lines - 1);
        prop_assert!(!out.contains(&0));
    }
}

/// Decodes a body that arrives in pieces; the result is body, trailers, and what is left.
#[expect(clippy::type_complexity, reason = "used once")]
fn unchunk(input: &[u8], cuts: &[usize]) -> Result<Option<(Vec<u8>, Vec<(Vec<u8>, Vec<u8>)>, usize)>, ()> {
    let (mut d, mut trailers, mut body) = (ChunkDecoder::default(), Head::default(), Vec::new());
    let mut start = 0;
    for &cut in cuts.iter().chain([&input.len()]) {
        loop {
            match d
                .decode(&input[start..cut.max(start)], &mut trailers, &Limits::default())
                .map_err(|_| ())?
            {
                Step::Data(r) => {
                    body.extend_from_slice(&input[start + r.start..start + r.end]);
                    start += r.end;
                }
                Step::More { consumed } => {
                    start += consumed;
                    break;
                }
                Step::End { consumed } => return Ok(Some((body, fields(&trailers), start + consumed))),
            }
        }
    }
    Ok(None)
}

fn hostile_chunks() -> impl Strategy<Value = Vec<u8>> {
    const PIECES: &[&[u8]] = &[
        b"2\r\nhi\r\n",
        b"0\r\n",
        b"0\r\n\r\n",
        b"5;a=b\r\nhello\r\n",
        b"A \r\n0123456789\r\n",
        b"X: y\r\n",
        b"Host: b\r\n",
        b"\r\n",
        b"\n",
        b"\r",
        b";",
        b" ",
        b"3",
        b"f",
        b"\0",
        b"ffffffffffffffff",
    ];
    vec(proptest::sample::select(PIECES), 0..10).prop_map(|p| p.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn chunks_in_any_pieces(mut input in hostile_chunks(), at in vec(any::<proptest::sample::Index>(), 0..6)) {
        input.push(b'\n');
        prop_assert_eq!(unchunk(&input, &[]), unchunk(&input, &cuts(input.len(), &at)));
    }

    #[test]
    fn chunks_survive_encoding(
        parts in vec(vec(any::<u8>(), 1..300), 0..8),
        trailers in vec((name(), value()), 0..4),
        at in vec(any::<proptest::sample::Index>(), 0..6),
    ) {
        let mut out = Vec::new();
        for p in &parts {
            encode_chunk_header(p.len() as u64, &mut out);
            out.extend_from_slice(p);
            out.extend_from_slice(b"\r\n");
        }
        let mut head = Head::default();
        trailers.iter().for_each(|(n, v)| head.add(n.as_bytes(), v));
        if trailers.is_empty() { encode_last_chunk(&mut out) } else { encode_trailers(&head, &mut out) }
        let len = out.len();
        out.extend_from_slice(b"GET /next");
        prop_assert_eq!(unchunk(&out, &cuts(len, &at)), Ok(Some((parts.concat(), fields(&head), len))));
    }
}
