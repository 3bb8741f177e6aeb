//! What passes to `h2`, what is sent in return, and how connections end.

use super::*;
use crate::frames::Scanner;

const TERMS: Terms = Terms {
    client: true,
    max_frame: 16384,
    max_block: 20_000,
    table: 4096,
    limits: Limits { fields: 101, bytes: 15_000 },
    relaxed: false,
};

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    [&frames::header(payload.len(), kind, flags, stream)[..], payload].concat()
}

fn literal(name: &[u8], value: &[u8]) -> Vec<u8> {
    [&[0, name.len() as u8][..], name, &[value.len() as u8], value].concat()
}

/// GET http://x/.
fn request() -> Vec<u8> {
    [&[0x82, 0x86, 0x84][..], &literal(b":authority", b"x")].concat()
}

/// What `h2` sees, what is sent in return, and how it ends.
fn through(bytes: &[u8], piece: usize) -> (Vec<u8>, Vec<u8>, Result<(), u32>) {
    through_beside(&mut Outbound::new(false), bytes, piece)
}

fn through_beside(
    outbound: &mut Outbound,
    bytes: &[u8],
    piece: usize,
) -> (Vec<u8>, Vec<u8>, Result<(), u32>) {
    let (mut inbound, mut watch) = (Inbound::new(TERMS, true), Watch::new(true, 0));
    let (mut seen, mut extra) = (Vec::new(), Vec::new());
    let mut own = Own { outbound, watch: &mut watch, extra: &mut extra, mute: false };
    for part in bytes.chunks(piece) {
        let mut rest = part;
        while !rest.is_empty() {
            match inbound.look(rest, 7, &mut own) {
                Ok(look) => {
                    seen.extend(&rest[look.used - look.pass..look.used]);
                    rest = &rest[look.used..];
                }
                Err(code) => return (seen, extra, Err(code)),
            }
            seen.extend(inbound.ready());
            inbound.take(inbound.ready().len());
        }
    }
    (seen, extra, Ok(()))
}

fn begun(parts: &[Vec<u8>]) -> Vec<u8> {
    [&PREFACE[..], &frame(kind::SETTINGS, 0, 0, b""), &parts.concat()].concat()
}

fn ends(parts: &[Vec<u8>]) -> Result<(), u32> {
    through(&begun(parts), usize::MAX).2
}

fn post(stream: u32) -> Vec<u8> {
    frame(kind::HEADERS, END_HEADERS, stream, &request())
}

fn get(stream: u32) -> Vec<u8> {
    frame(kind::HEADERS, END_HEADERS | END_STREAM, stream, &request())
}

#[test]
fn what_passes_does_not_depend_on_how_the_bytes_are_cut() {
    let parts = [
        post(1),
        frame(kind::DATA, 0, 1, b""),
        frame(kind::DATA, 0, 1, b"x"),
        frame(kind::DATA, PADDED, 1, &[4, 0, 0, 0, 0]),
        frame(kind::DATA, PADDED, 1, &[2, b'x', 0, 0]),
        frame(kind::PING, 0, 0, &[7; 8]),
        frame(0x42, 0xff, 9, &[b'u'; 30]),
        // Idle: for `h2` to refuse.
        frame(kind::DATA, 0, 3, b""),
        frame(kind::HEADERS, END_STREAM, 5, &request()[..4]),
        frame(kind::CONTINUATION, 0, 5, b""),
        frame(kind::CONTINUATION, END_HEADERS, 5, &request()[4..]),
        frame(kind::DATA, END_STREAM, 1, b""),
        // Over.
        frame(kind::DATA, 0, 1, b"late"),
        frame(kind::SETTINGS, ACK, 0, b""),
        frame(kind::SETTINGS, ACK, 0, b""),
    ];
    let all = begun(&parts);
    let whole = through(&all, usize::MAX);
    let mut kinds = Vec::new();
    Scanner::new(true).scan(&whole.0, |f, _| kinds.push((f.kind, f.stream)));
    // A reset of the peer's is put in for the late DATA.
    let due = [(4, 0), (1, 1), (0, 1), (0, 1), (6, 0), (0x42, 9), (0, 3), (1, 5), (0, 1), (3, 1), (4, 0)];
    assert_eq!(kinds, due);
    let room = |n| [window_update(0, n), window_update(1, n)].concat();
    let closed = [&window_update(0, 4)[..], &reset(1, code::STREAM_CLOSED)].concat();
    assert_eq!(whole.1, [room(5), closed].concat());
    for piece in 1..all.len() {
        assert_eq!(through(&all, piece), whole, "{piece}");
    }
}

#[test]
fn heads_are_carried() {
    let block = [request(), literal(b"content-length", b"3"), literal(b"x-a", b"\x01")].concat();
    let padded = [&[2][..], &[0, 0, 0, 9, 1], &block, &[0, 0]].concat();
    let flags = END_HEADERS | PADDED | PRIORITY;
    let mut outbound = Outbound::new(false);
    let input = begun(&[frame(kind::HEADERS, flags, 1, &padded), get(3)]);
    let (seen, _, end) = through_beside(&mut outbound, &input, usize::MAX);
    assert_eq!(end, Ok(()));
    // Behind the preface and the SETTINGS: a method.
    let head = &seen[PREFACE.len() + HEADER..];
    assert_eq!(head[3..9], [kind::HEADERS, END_HEADERS, 0, 0, 0, 1]);
    assert_eq!(head[9..18], *b"\x42\x07CONNECT");
    assert_eq!(head[18..], frame(kind::HEADERS, END_HEADERS | END_STREAM, 3, b"\xbe"));
    let carried = outbound.common().received.take(1, Stage::Head).unwrap();
    let found: Vec<_> = carried.fields().map(|f| (f.name.to_vec(), f.value.to_vec())).collect();
    let due = [
        (":method", "GET"),
        (":scheme", "http"),
        (":path", "/"),
        (":authority", "x"),
        ("content-length", "3"),
        ("x-a", "\x01"),
    ];
    let due: Vec<_> = due.map(|(n, v)| (n.as_bytes().to_vec(), v.as_bytes().to_vec())).into();
    assert_eq!(found, due);
}

#[test]
fn each_mistake_has_its_code() {
    use code::*;
    let data = |flags, payload: &[u8]| [post(1), frame(kind::DATA, flags, 1, payload)].concat();
    let head = |flags, payload: &[u8]| frame(kind::HEADERS, flags | END_HEADERS, 1, payload);
    let open = frame(kind::HEADERS, 0, 1, &request());
    let control = |kind, stream, len| frame(kind, 0, stream, &vec![0; len]);
    let window = frame(kind::SETTINGS, 0, 0, &[0, 4, 0x80, 0, 0, 0]);
    let long = [&open[..], &control(kind::CONTINUATION, 1, 16384), &control(kind::CONTINUATION, 1, 16384)];
    let cases: Vec<(&str, Vec<u8>, u32)> = vec![
        ("a large frame", control(0x42, 0, 16385), FRAME_SIZE_ERROR),
        ("padding beyond DATA", data(PADDED, &[5, 1, 2, 3, 4]), PROTOCOL_ERROR),
        ("no padding length", data(PADDED, b""), FRAME_SIZE_ERROR),
        ("padding beyond HEADERS", head(PADDED, &[9, 0x82]), PROTOCOL_ERROR),
        ("no padding length in HEADERS", head(PADDED, b""), FRAME_SIZE_ERROR),
        ("a cut priority", head(PRIORITY, &[0; 4]), FRAME_SIZE_ERROR),
        ("a cut priority behind padding", head(PRIORITY | PADDED, &[0; 5]), FRAME_SIZE_ERROR),
        ("on itself", head(PRIORITY, &[&[0, 0, 0, 1, 0][..], &request()].concat()), PROTOCOL_ERROR),
        ("DATA on no stream", control(kind::DATA, 0, 1), PROTOCOL_ERROR),
        ("HEADERS on no stream", control(kind::HEADERS, 0, 1), PROTOCOL_ERROR),
        ("a short PRIORITY", control(kind::PRIORITY, 1, 4), FRAME_SIZE_ERROR),
        ("a short RST_STREAM", control(kind::RST_STREAM, 1, 3), FRAME_SIZE_ERROR),
        ("RST_STREAM on no stream", control(kind::RST_STREAM, 0, 4), PROTOCOL_ERROR),
        ("cut SETTINGS", control(kind::SETTINGS, 0, 5), FRAME_SIZE_ERROR),
        ("SETTINGS on a stream", control(kind::SETTINGS, 1, 0), PROTOCOL_ERROR),
        ("an ACK that says something", frame(kind::SETTINGS, ACK, 0, &[0; 6]), FRAME_SIZE_ERROR),
        ("too large a window", window, FLOW_CONTROL_ERROR),
        ("PUSH_PROMISE", control(kind::PUSH_PROMISE, 1, 4), PROTOCOL_ERROR),
        ("a short PING", control(kind::PING, 0, 7), FRAME_SIZE_ERROR),
        ("PING on a stream", control(kind::PING, 1, 8), PROTOCOL_ERROR),
        ("a short GOAWAY", control(kind::GOAWAY, 0, 7), FRAME_SIZE_ERROR),
        ("GOAWAY on a stream", control(kind::GOAWAY, 1, 8), PROTOCOL_ERROR),
        ("a long WINDOW_UPDATE", control(kind::WINDOW_UPDATE, 0, 5), FRAME_SIZE_ERROR),
        ("CONTINUATION of nothing", control(kind::CONTINUATION, 1, 0), PROTOCOL_ERROR),
        ("another frame in a block", [open.clone(), control(kind::PING, 0, 8)].concat(), PROTOCOL_ERROR),
        ("another block", [open.clone(), control(kind::CONTINUATION, 3, 0)].concat(), PROTOCOL_ERROR),
        ("no end of a block", long.concat(), ENHANCE_YOUR_CALM),
        ("index 0", head(0, &[0x80]), COMPRESSION_ERROR),
        ("an empty name", head(0, &literal(b"", b"x")), COMPRESSION_ERROR),
        ("HEADERS behind the end", [get(1), get(1)].concat(), STREAM_CLOSED),
        ("a lower stream", [get(5), get(3)].concat(), STREAM_CLOSED),
    ];
    for (what, bytes, code) in cases {
        assert_eq!(ends(&[bytes]), Err(code), "{what}");
    }
    let first = [&PREFACE[..], &control(kind::PING, 0, 8)].concat();
    assert_eq!(through(&first, usize::MAX).2, Err(PROTOCOL_ERROR), "no SETTINGS");
    let (seen, extra, end) = through(&begun(&[get(1), control(kind::WINDOW_UPDATE, 1, 4)]), usize::MAX);
    assert_eq!((end, extra), (Ok(()), reset(1, PROTOCOL_ERROR).to_vec()), "no room at all");
    assert!(seen.ends_with(&reset(1, PROTOCOL_ERROR)));
}

#[test]
fn a_block_that_breaks_rules_resets_its_stream_only() {
    let mut block = request();
    block.extend(literal(b"Upper", b"x"));
    let bad = frame(kind::HEADERS, END_HEADERS | END_STREAM, 1, &block);
    let (seen, extra, end) = through(&begun(&[bad, get(3)]), usize::MAX);
    assert_eq!((end, extra), (Ok(()), vec![]));
    // What `h2` resets streams for.
    assert!(seen.windows(4).any(|w| w == [0x0f, 0x2a, 1, b'x']));
    let invalid = [&literal(b":method", b"G?")[..], &[0x86, 0x84]].concat();
    let (seen, ..) = through(&begun(&[frame(kind::HEADERS, END_HEADERS, 1, &invalid)]), usize::MAX);
    assert!(seen.ends_with(b"\x42\x07CONNECT"), "{seen:?}");
}

#[test]
fn nothing_is_kept_that_nobody_asks_for() {
    let mut outbound = Outbound::new(false);
    let (mut inbound, mut watch) = (Inbound::new(TERMS, false), Watch::new(true, 0));
    let mut input = |bytes: &[u8], outbound: &mut Outbound, inbound: &mut Inbound| {
        let mut own = Own { outbound, watch: &mut watch, extra: &mut Vec::new(), mute: false };
        let mut rest = bytes;
        while !rest.is_empty() {
            let used = inbound.look(rest, usize::MAX, &mut own).unwrap().used;
            rest = &rest[used..];
        }
    };
    input(&frame(kind::SETTINGS, 0, 0, b""), &mut outbound, &mut inbound);
    input(&[get(1), post(3)].concat(), &mut outbound, &mut inbound);
    let kept = |o: &Outbound, stream, stage| o.common().received.take(stream, stage).is_some();
    assert!(kept(&outbound, 1, Stage::Head) && kept(&outbound, 3, Stage::Head));
    // We have reset it: trailers that cross that.
    inbound.sent(Frame { len: 4, kind: kind::RST_STREAM, flags: 0, stream: 3 }, &[0, 0, 0, 8]);
    let trailers = frame(kind::HEADERS, END_HEADERS | END_STREAM, 3, &literal(b"x", b"y"));
    input(&trailers, &mut outbound, &mut inbound);
    assert!(!kept(&outbound, 3, Stage::Trailers));
    inbound.sent(Frame { len: 8, kind: kind::GOAWAY, flags: 0, stream: 0 }, &[0, 0, 0, 5, 0, 0, 0, 0]);
    input(&[get(5), get(7)].concat(), &mut outbound, &mut inbound);
    assert!(kept(&outbound, 5, Stage::Head) && !kept(&outbound, 7, Stage::Head));
}

#[test]
fn bodies_that_are_not_what_was_announced_break_their_stream() {
    let head = |n: &[u8], flags| {
        let block = [request(), literal(b"content-length", n)].concat();
        frame(kind::HEADERS, END_HEADERS | flags, 1, &block)
    };
    let data = |flags, bytes: &[u8]| frame(kind::DATA, flags, 1, bytes);
    let trailers = frame(kind::HEADERS, END_HEADERS | END_STREAM, 1, &literal(b"x", b"y"));
    let bad = [0x0f, 0x2a, 1, b'x'];
    for (what, parts, room) in [
        ("too long", vec![head(b"3", 0), data(0, b"abcd")], 4),
        ("too short", vec![head(b"3", 0), data(0, b"a"), data(END_STREAM, b"b")], 1),
        ("too short for trailers", vec![head(b"3", 0), data(0, b"ab"), trailers.clone()], 0),
        ("nothing of it", vec![head(b"3", END_STREAM)], 0),
    ] {
        let (seen, extra, end) = through(&begun(&parts), usize::MAX);
        assert_eq!(end, Ok(()), "{what}");
        assert!(seen.ends_with(&bad), "{what}: {seen:?}");
        assert_eq!(extra, if room > 0 { window_update(0, room).to_vec() } else { vec![] }, "{what}");
    }
    for parts in [vec![head(b"0", END_STREAM)], vec![head(b"2", 0), data(0, b"ab"), trailers]] {
        let (seen, ..) = through(&begun(&parts), usize::MAX);
        assert!(!seen.windows(4).any(|w| w == bad));
    }
}
