//! Clients of HTTP/2 that break the framing or the compression: each is told which rule it broke and sent away, and
//! costs nobody else anything.

use hawser_testkit::h2client::{END, END_HEADERS, Frame, H2, block, frame, kind, request};
use hawser_testkit::{Hawser, Origin, binary, free_port, pause};

/// Codes of RFC 9113, section 7.
const PROTOCOL: u32 = 1;
const FLOW: u32 = 3;
const CLOSED: u32 = 5;
const SIZE: u32 = 6;
const COMPRESSION: u32 = 9;

const PADDED: u8 = 8;
const PRIORITY: u8 = 0x20;
const PRIORITY_FRAME: u8 = 2;
const PUSH_PROMISE: u8 = 5;

fn start(origin: u16) -> (Hawser, u16) {
    let port = free_port();
    let cfg = format!(
        "global\n  nbthread 1\ndefaults\n  mode http\n  timeout connect 2s\n  timeout client 5s\n  timeout server 5s\n\
         listen l\n  bind 127.0.0.1:{port} proto h2\n  server s1 127.0.0.1:{origin}\n"
    );
    (Hawser::start(binary(env!("CARGO_BIN_EXE_hawser")), &cfg, &[port]), port)
}

/// Answers with the request's `x-echo` fields and a body of as many bytes as the path says.
fn echo() -> Origin {
    Origin::http(|r| {
        let size: usize = r.head.split(['/', ' ']).nth(2).and_then(|n| n.parse().ok()).unwrap_or(0);
        let mut out = String::from("HTTP/1.1 200 OK\r\n");
        for line in r.head.lines().filter(|l| l.starts_with("x-echo")) {
            out.push_str(line);
            out.push_str("\r\n");
        }
        let mut out = format!("{out}content-length: {size}\r\n\r\n").into_bytes();
        out.resize(out.len() + size, b'b');
        out
    })
}

/// A field block of a plain request with more behind it, as it is.
fn head_with(more: &[u8]) -> Vec<u8> {
    [&block(&request("GET", "/")), more].concat()
}

fn head_frame(flags: u8, payload: &[u8]) -> Vec<u8> {
    frame(kind::HEADERS, flags, 1, payload)
}

fn settings(id: u16, value: u32) -> Vec<u8> {
    frame(kind::SETTINGS, 0, 0, &[&id.to_be_bytes()[..], &value.to_be_bytes()].concat())
}

/// The code that the client is told, and whether it was for the whole connection; none when that just ends.
fn told(c: &mut H2) -> Option<(u32, bool)> {
    let code =
        |f: &Frame, at: usize| f.payload[at..at + 4].iter().fold(0, |code, b| code << 8 | u32::from(*b));
    loop {
        let f = c.next_frame()?;
        match f.kind {
            kind::GOAWAY if code(&f, 4) != 0 => return Some((code(&f, 4), true)),
            kind::RST_STREAM => return Some((code(&f, 0), false)),
            _ => {}
        }
    }
}

fn sent_away(cases: &[(&str, Vec<u8>, &[u32])], connection: bool) {
    let origin = echo();
    let (h, port) = start(origin.port());
    for (what, bytes, codes) in cases {
        let mut c = H2::connect(port);
        c.send(bytes);
        let told = told(&mut c);
        let right = told.is_some_and(|(code, whole)| codes.contains(&code) && (whole || !connection));
        assert!(right, "{what}: {told:?} instead of {codes:?}");
        let mut other = H2::connect(port);
        other.get(1, "/0");
        assert_eq!(other.outcome(1).status(), 200, "{what}");
    }
    assert!(h.rss_kib() > 0, "it lives");
}

#[test]
fn field_blocks_that_cannot_be_decoded_are_compression_errors() {
    let many = [0xff; 12];
    let blocks: &[(&str, &[u8])] = &[
        ("index 0", &[0x80]),
        ("an index beyond both tables", &[0xff, 0x80, 0x01]),
        ("an index that looks negative", &[0xff, 0xff, 0xff, 0xff, 0xff, 0x07]),
        ("an index that never ends", &many),
        ("a literal whose name has an index beyond the tables", &[0x7f, 0x80, 0x01, 1, b'x']),
        ("a string that is longer than the block", &[0, 1, b'a', 100, b'x']),
        (
            "a length that overflows",
            &[0, 1, b'a', 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
        ),
        ("a block that ends within a field", &[0, 3, b'a']),
        ("a table larger than was allowed", &[0x3f, 0xe1, 0xff, 0x03]),
        ("a change of the table behind fields", &[0x20]),
        ("Huffman code with the end symbol", &[0, 1, b'a', 0x84, 0xff, 0xff, 0xff, 0xff]),
        ("Huffman code padded by zeros", &[0, 1, b'a', 0x81, 0x00]),
        ("Huffman code padded by a byte and more", &[0, 1, b'a', 0x82, 0x1f, 0xff]),
    ];
    let cases: Vec<_> = blocks
        .iter()
        .map(|(what, more)| (*what, head_frame(END_HEADERS | END, &head_with(more)), &[COMPRESSION][..]))
        .collect();
    // A stream alone cannot be blamed: both sides would have different tables from here on.
    sent_away(&cases, true);
}

#[test]
fn frames_of_a_wrong_size_are_size_errors() {
    let big = vec![0; 16385];
    let post = |more: Vec<u8>| [head_frame(END_HEADERS, &block(&request("POST", "/"))), more].concat();
    let size = &[SIZE][..];
    sent_away(
        &[
            ("DATA beyond the largest frame", post(frame(kind::DATA, 0, 1, &big)), size),
            ("a head beyond the largest frame", head_frame(END_HEADERS | END, &big), size),
            (
                "HEADERS too short for its priority",
                head_frame(END_HEADERS | END | PRIORITY, &[0, 0, 0]),
                size,
            ),
            ("DATA without its padding's length", post(frame(kind::DATA, PADDED, 1, b"")), size),
            ("SETTINGS that are cut", frame(kind::SETTINGS, 0, 0, &[0; 5]), size),
            ("an acknowledgement with settings", frame(kind::SETTINGS, END, 0, &[0; 6]), size),
            ("a short PING", frame(kind::PING, 0, 0, &[0; 7]), size),
            ("a short WINDOW_UPDATE", frame(kind::WINDOW_UPDATE, 0, 0, &[0; 3]), size),
            ("a short RST_STREAM", post(frame(kind::RST_STREAM, 0, 1, &[0; 3])), size),
            ("a long PRIORITY", frame(PRIORITY_FRAME, 0, 1, &[0; 6]), size),
            ("a GOAWAY without its code", frame(kind::GOAWAY, 0, 0, &[0; 4]), size),
        ],
        false,
    );
}

#[test]
fn frames_out_of_place_are_protocol_errors() {
    let head = block(&request("GET", "/"));
    let open = head_frame(END_HEADERS, &block(&request("POST", "/")));
    let after = |more: Vec<u8>| [open.clone(), more].concat();
    let protocol = &[PROTOCOL][..];
    sent_away(
        &[
            ("padding longer than HEADERS", head_frame(END_HEADERS | END | PADDED, &[200, 1, 2]), protocol),
            ("padding longer than DATA", after(frame(kind::DATA, PADDED, 1, &[9, 1, 2])), protocol),
            ("HEADERS on no stream", frame(kind::HEADERS, END_HEADERS | END, 0, &head), protocol),
            (
                "HEADERS on a stream of the server's",
                frame(kind::HEADERS, END_HEADERS | END, 2, &head),
                protocol,
            ),
            ("DATA on a stream that nobody opened", frame(kind::DATA, 0, 5, b"x"), protocol),
            ("DATA on no stream", frame(kind::DATA, 0, 0, b"x"), protocol),
            ("RST_STREAM on a stream that nobody opened", frame(kind::RST_STREAM, 0, 7, &[0; 4]), protocol),
            (
                "WINDOW_UPDATE on a stream that nobody opened",
                frame(kind::WINDOW_UPDATE, 0, 7, &[0, 0, 0, 1]),
                protocol,
            ),
            ("SETTINGS on a stream", frame(kind::SETTINGS, 0, 1, b""), protocol),
            ("PING on a stream", frame(kind::PING, 0, 1, &[0; 8]), protocol),
            ("GOAWAY on a stream", frame(kind::GOAWAY, 0, 1, &[0; 8]), protocol),
            ("CONTINUATION of nothing", frame(kind::CONTINUATION, END_HEADERS, 1, &head), protocol),
            (
                "PING within a head",
                [head_frame(END, &head), frame(kind::PING, 0, 0, &[0; 8])].concat(),
                protocol,
            ),
            (
                "CONTINUATION of another stream",
                [head_frame(END, &head), frame(kind::CONTINUATION, END_HEADERS, 3, b"")].concat(),
                protocol,
            ),
            (
                "a promise of the client's",
                after(frame(PUSH_PROMISE, END_HEADERS, 1, &[0, 0, 0, 2])),
                protocol,
            ),
            ("a window that does not grow", frame(kind::WINDOW_UPDATE, 0, 0, &[0; 4]), protocol),
            ("a window that overflows", frame(kind::WINDOW_UPDATE, 0, 0, &[0x7f, 0xff, 0xff, 0xff]), &[FLOW]),
            (
                "a stream's window that overflows",
                after(frame(kind::WINDOW_UPDATE, 0, 1, &[0x7f, 0xff, 0xff, 0xff])),
                &[FLOW],
            ),
            ("an initial window beyond all", settings(4, 0x8000_0000), &[FLOW]),
            ("frames smaller than any", settings(5, 100), protocol),
            ("half a push", settings(2, 2), protocol),
            (
                "a second head for a stream that is over",
                [head_frame(END_HEADERS | END, &head), head_frame(END_HEADERS | END, &head)].concat(),
                &[CLOSED, PROTOCOL],
            ),
            (
                "a stream's window that does not grow",
                after(frame(kind::WINDOW_UPDATE, 0, 1, &[0; 4])),
                protocol,
            ),
            (
                "a stream that is over",
                [head_frame(END_HEADERS | END, &head), frame(kind::DATA, END, 1, b"x")].concat(),
                &[CLOSED],
            ),
        ],
        false,
    );
}

/// The table of fields turns over many times, with entries of all sizes and one that is larger than the table.
#[test]
fn the_table_of_fields_may_turn_over() {
    let origin = echo();
    let (_h, port) = start(origin.port());
    let mut c = H2::connect(port);
    for i in 0..300u32 {
        let value = format!("{i}-{}", "v".repeat(i as usize * 37 % 4500));
        let mut fields = block(&request("GET", "/0"));
        if i % 3 == 2 && (2..4000).contains(&value.len()) {
            // What the request before left as the youngest entry, unless it was too large to stay.
            let before = format!("{}-{}", i - 1, "v".repeat((i as usize - 1) * 37 % 4500));
            if before.len() + "x-echo".len() + 32 <= 4096 {
                fields.push(0x80 | 62);
            }
        } else {
            fields.extend([0x40, 6]);
            fields.extend(b"x-echo");
            length(value.len(), &mut fields);
            fields.extend(value.bytes());
        }
        c.frame(kind::HEADERS, END_HEADERS | END, 2 * i + 1, &fields);
        let r = c.outcome(2 * i + 1);
        assert_eq!((r.status(), r.goaway), (200, None), "request {i}");
    }
}

fn length(n: usize, out: &mut Vec<u8>) {
    if n < 127 {
        return out.push(n as u8);
    }
    out.push(127);
    let mut rest = n - 127;
    while rest >= 128 {
        out.push((rest % 128) as u8 | 128);
        rest /= 128;
    }
    out.push(rest as u8);
}

#[test]
fn names_of_any_length_stay_whole() {
    let seen = std::sync::Arc::new(parking_lot::Mutex::new(String::new()));
    let to = seen.clone();
    let origin = Origin::http(move |r| {
        to.lock().clone_from(&r.head);
        b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec()
    });
    let (_h, port) = start(origin.port());
    for len in [255usize, 256, 257, 300, 512, 4000] {
        let name = format!("x-{}", "n".repeat(len - 2));
        let mut c = H2::connect(port);
        let mut fields = request("GET", "/").to_vec();
        fields.extend([(name.as_str(), "content-length: 1"), ("x-last", "here")]);
        c.headers(1, &fields, true);
        let r = c.outcome(1);
        let head = std::mem::take(&mut *seen.lock());
        if r.status() == 200 {
            assert!(head.contains(&format!("\r\n{name}: content-length: 1\r\n")), "{len}: {head}");
            assert!(head.contains("\r\nx-last: here\r\n"), "{len}: {head}");
        } else {
            assert!(head.is_empty() && (r.is_refused() || r.status() == 400), "{len}: {r:?}");
        }
    }
}

/// A client that says GOAWAY still gets what it asked for, and the connection ends without turning in circles.
#[test]
fn a_client_that_says_goodbye_gets_its_response() {
    let origin = echo();
    let (h, port) = start(origin.port());
    let mut c = H2::connect(port);
    c.get(1, "/300000");
    c.frame(kind::GOAWAY, 0, 0, &[0; 8]);
    let r = c.outcome(1);
    assert_eq!((r.status(), r.body.len()), (200, 300_000));
    let before = h.cpu_ms();
    while c.next_frame().is_some() {}
    pause(500);
    assert!(h.cpu_ms() - before < 400, "{} ms of CPU for nothing", h.cpu_ms() - before);
}

/// What is wrong with one stream costs the others nothing, and the room that its bytes took comes back.
#[test]
fn late_frames_cost_their_own_stream_only() {
    let origin = echo();
    let (_h, port) = start(origin.port());
    let mut c = H2::connect(port);
    for i in 0..30 {
        let stream = 4 * i + 1;
        c.get(stream, "/0");
        c.data(stream, &[b'x'; 16_000], false);
        c.headers(stream + 2, &request("POST", "/3"), false);
        c.data(stream + 2, b"abc", true);
        let r = c.outcome(stream + 2);
        assert_eq!((r.status(), r.goaway), (200, None), "{i}");
        assert_eq!(r.body.len(), 3);
    }
}

/// A response that was given before the request was whole: what still comes of it is looked at as ever.
#[test]
fn what_follows_an_early_answer_is_not_ignored() {
    let port = free_port();
    let cfg = format!(
        "global\n  nbthread 1\ndefaults\n  mode http\n  timeout client 5s\nfrontend fe\n  bind 127.0.0.1:{port} proto h2\n  \
         http-request return status 200 content-type text/plain string ok\n"
    );
    let _h = Hawser::start(binary(env!("CARGO_BIN_EXE_hawser")), &cfg, &[port]);
    let data = |flags, bytes: &[u8]| frame(kind::DATA, flags, 1, bytes);
    let late: [(&str, Vec<u8>); 6] = [
        ("more than was announced", data(0, b"four")),
        ("less than was announced", data(END, b"x")),
        ("a head without an end", head_frame(END_HEADERS, &block(&[("x", "y")]))),
        ("a pseudo-field in trailers", head_frame(END_HEADERS | END, &block(&[(":path", "/")]))),
        ("DATA after the client's reset", {
            [frame(kind::RST_STREAM, 0, 1, &8u32.to_be_bytes()), frame(kind::DATA, 0, 1, b"x")].concat()
        }),
        ("a head after the end", {
            let trailers = head_frame(END_HEADERS | END, &block(&[("x", "y")]));
            [trailers.clone(), trailers].concat()
        }),
    ];
    for (what, bytes) in late {
        let mut c = H2::connect(port);
        let mut head = request("POST", "/").to_vec();
        if what.ends_with("announced") {
            head.push(("content-length", "2"));
        }
        c.headers(1, &head, false);
        assert_eq!(c.outcome(1).status(), 200, "{what}");
        c.send(&bytes);
        c.frame(kind::PING, 0, 0, b"whatever");
        let mut codes = Vec::new();
        while let Some(f) = c.next_frame() {
            match f.kind {
                kind::PING => break,
                kind::RST_STREAM => codes.push(f.payload[3]),
                kind::GOAWAY => codes.push(f.payload[7]),
                _ => {}
            }
        }
        assert!(codes.iter().any(|code| *code != 0), "{what}: {codes:?}");
    }
}
