//! Connections to servers, frame by frame: what servers must not do, and how they end.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::raw::{DATA, GOAWAY, HEADERS, PING, PREFACE, Peer, RST, SETTINGS, block, frame};
use common::{back_mux, body_of, dial, response, run, send};
use hawser_http::{BodyLen, Head, Version};
use hawser_proto::mux::{BackStream, H2Conf, MessageInfo, StreamError};
use std::future::poll_fn;
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;

/// A request that is on its way, and the server, which has seen its head.
async fn asked(method: &[u8]) -> (Box<dyn BackStream>, Peer) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let mut s = back_mux(H2Conf::default()).connect(dial(ours));
    let mut head = Head::request(method, b"/", Version::H11);
    head.add(b"host", b"h");
    head.add(b"cookie", b"secret=1");
    send(&mut *s, &head, BodyLen::None, b"").await;
    let mut server = Peer(theirs);
    let mut preface = [0; 24];
    server.0.read_exact(&mut preface).await.unwrap();
    assert_eq!(preface, PREFACE);
    server.send(&frame(SETTINGS, 0, 0, &[])).await;
    let first = server.find(HEADERS).await.unwrap();
    assert_eq!((first.stream, first.ends()), (1, true));
    (s, server)
}

fn answer(flags: u8, fields: &[(&str, &str)]) -> Vec<u8> {
    frame(HEADERS, flags, 1, &block(fields))
}

/// The status and the length of the body, or the start of what is wrong.
type Outcome<'a> = Result<(u16, usize), &'a str>;

/// What comes of bytes of the server: the status and the length of the body, or what is wrong.
async fn outcome(method: &[u8], bytes: &[u8], close: bool) -> Result<(u16, usize), String> {
    let (mut s, mut server) = asked(method).await;
    server.send(bytes).await;
    let _open = (!close).then_some(server);
    let mut head = Head::response(Version::H11, 100, b"");
    while head.status() < 200 {
        head = response(&mut *s).await.map_err(|e| format!("{e:?}"))?.0;
    }
    let n = body_of(&mut *s).await.map_err(|n| format!("broken off after {n}"))?.len();
    Ok((head.status(), n))
}

#[test]
fn broken_responses_are_told_from_whole_ones() {
    run(async {
        let ok = (":status", "200");
        let len = |n| [ok, ("content-length", n)];
        let data = |flags, bytes: &[u8]| frame(DATA, flags, 1, bytes);
        let cases: Vec<(&str, Vec<u8>, Outcome<'_>)> = vec![
            ("whole", [answer(4, &len("3")), data(1, b"abc")].concat(), Ok((200, 3))),
            ("unknown length", [answer(4, &[ok]), data(0, b"abc"), data(1, b"")].concat(), Ok((200, 3))),
            (
                "no body whatever comes",
                [answer(4, &[(":status", "304"), ("content-length", "9")]), data(1, b"abc")].concat(),
                Ok((304, 0)),
            ),
            (
                "a late end",
                [answer(4, &[(":status", "204")]), data(0, b""), data(1, b"")].concat(),
                Ok((204, 0)),
            ),
            (
                "lengths of interim responses",
                [
                    answer(4, &[(":status", "103"), ("content-length", "9")]),
                    answer(4, &[ok]),
                    data(1, b"abc"),
                ]
                .concat(),
                Ok((200, 3)),
            ),
            ("a list of one length", [answer(4, &len("3, 3")), data(1, b"abc")].concat(), Ok((200, 3))),
            ("a pseudo-field of requests", answer(5, &[ok, (":path", "/")]), Err("Bad")),
            (
                "trailers with a pseudo-field",
                [answer(4, &[ok]), answer(5, &[ok])].concat(),
                Err("broken off"),
            ),
            ("too short", [answer(4, &len("3")), data(1, b"ab")].concat(), Err("broken off")),
            ("too long", [answer(4, &len("3")), data(1, b"abcd")].concat(), Err("broken off")),
            ("nothing of it", answer(5, &len("3")), Err("Bad")),
            ("two lengths", answer(5, &[ok, ("content-length", "0"), ("content-length", "1")]), Err("Bad")),
            ("no number", answer(5, &len("x")), Err("Bad")),
            ("no status", answer(5, &[("a", "b")]), Err("Bad")),
            ("an interim end", answer(5, &[(":status", "103")]), Err("Bad")),
            ("101", answer(4, &[(":status", "101")]), Err("Bad")),
            ("a connection field", answer(5, &[ok, ("connection", "close")]), Err("Bad")),
            ("an upper-case name", answer(5, &[ok, ("X-A", "b")]), Err("Bad")),
            ("a split value", answer(5, &[ok, ("x", "a\r\nb: c")]), Err("Bad")),
            ("data first", data(1, b"abc"), Err("Reset { refused: false }")),
            ("a push", frame(5, 4, 1, &[0, 0, 0, 2, 0x88]), Err("Eof")),
            ("reset", frame(RST, 0, 1, &[0, 0, 0, 2]), Err("Reset { refused: false }")),
            ("refused", frame(RST, 0, 1, &[0, 0, 0, 7]), Err("Reset { refused: true }")),
            ("not reached", frame(GOAWAY, 0, 0, &[0; 8]), Err("Reset { refused: true }")),
        ];
        for (name, bytes, expected) in cases {
            let got = outcome(b"GET", &bytes, false).await;
            match (&got, expected) {
                (Ok(g), Ok(e)) => assert_eq!(*g, e, "{name}"),
                (Err(g), Err(e)) => assert!(g.starts_with(e), "{name}: {g}"),
                _ => panic!("{name}: {got:?}"),
            }
        }
        assert_eq!(outcome(b"HEAD", &answer(5, &len("3")), false).await, Ok((200, 0)));
        assert_eq!(outcome(b"GET", b"", true).await, Err("Idle".to_owned()));
        let long = vec![b'M'; 9000];
        assert_eq!(outcome(&long, &answer(5, &[ok]), false).await, Ok((200, 0)), "a long method");
        let half = [answer(4, &len("3")), data(0, b"a")].concat();
        assert_eq!(outcome(b"GET", &half, true).await, Err("broken off after 1".to_owned()));
    });
}

/// An upgrade that cannot be sent costs the connection nothing that it would have been good for.
#[test]
fn an_upgrade_that_cannot_be_sent_is_told_to_the_server() {
    run(async {
        for (known, len) in [(0, BodyLen::None), (1, BodyLen::Length(5))] {
            let (ours, theirs) = UnixStream::pair().unwrap();
            let mut s = back_mux(H2Conf::default()).connect(dial(ours));
            let mut head = Head::request(b"POST", b"/", Version::H11);
            head.add(b"host", b"h");
            head.add(b"connection", b"upgrade");
            head.add(b"upgrade", b"other");
            let info = MessageInfo { upgrade: true, body: len, ..MessageInfo::default() };
            s.send_request(&head, &info, false);
            poll_fn(|cx| s.poll_connected(cx)).await.unwrap();
            let mut server = Peer(theirs);
            server.0.read_exact(&mut [0; 24]).await.unwrap();
            server.send(&frame(SETTINGS, 0, 0, &[0, 8, 0, 0, 0, known])).await;
            let failed = response(&mut *s).await.map(|_| ());
            assert!(matches!(failed, Err(StreamError::Bad { status: 502, .. })), "{failed:?}");
            let mut rest = Vec::new();
            while let Some(f) = server.next().await {
                rest.push((f.kind, f.flags, f.stream));
            }
            assert_eq!(rest, [(SETTINGS, 0, 0), (SETTINGS, 1, 0), (RST, 0, 1)], "and the end");
        }
    });
}

/// A response that crosses the reset of its stream is nobody's fault.
#[test]
fn what_crosses_a_reset_is_no_glitch() {
    run(async {
        let (s, mut server) = asked(b"GET").await;
        let conn = s.conn().unwrap();
        drop(s);
        assert_eq!(server.find(RST).await.unwrap().code(), 8);
        server.send(&answer(4, &[(":status", "200"), ("content-length", "900")])).await;
        for _ in 0..300 {
            server.send(&frame(DATA, 0, 1, b"xyz")).await;
        }
        server.send(&frame(PING, 0, 0, &[1; 8])).await;
        let after = server.find(PING).await.unwrap();
        assert_eq!((after.flags, conn.glitches(), conn.is_usable()), (1, 0, true));
    });
}

#[test]
fn a_goaway_spares_the_streams_it_covers() {
    run(async {
        let (mut s, mut server) = asked(b"GET").await;
        let conn = s.conn().unwrap();
        server.send(&frame(GOAWAY, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 0])).await;
        while conn.is_usable() {
            tokio::task::yield_now().await;
        }
        assert!(conn.open().is_none());
        server.send(&frame(HEADERS, 5, 1, &[0x88])).await;
        assert_eq!(response(&mut *s).await.unwrap().0.status(), 200);
        drop(s);
        poll_fn(|cx| conn.poll_closed(cx)).await;
    });
}

#[test]
fn secrets_stay_out_of_the_compression() {
    run(async {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mut s = back_mux(H2Conf::default()).connect(dial(ours));
        let mut head = Head::request(b"GET", b"/", Version::H11);
        head.add(b"host", b"h");
        head.add(b"cookie", b"secret");
        send(&mut *s, &head, BodyLen::None, b"").await;
        let mut server = Peer(theirs);
        let mut preface = [0; 24];
        server.0.read_exact(&mut preface).await.unwrap();
        let block = server.find(HEADERS).await.unwrap().payload;
        // A literal that is never indexed, with the name of entry 32.
        assert!(block.windows(2).any(|w| w == [0x1f, 32 - 15]), "{block:x?}");
    });
}

#[test]
fn a_server_that_floods_is_left() {
    run(async {
        let (s, mut server) = asked(b"GET").await;
        let conn = s.conn().unwrap();
        let many = frame(PING, 1, 0, &[0; 8]).repeat(1000);
        for _ in 0..40 {
            server.send(&many).await;
        }
        poll_fn(|cx| conn.poll_closed(cx)).await;
        assert!(!conn.is_usable());
        assert_eq!(server.find(GOAWAY).await.unwrap().code(), 11);
    });
}

#[test]
fn a_request_that_is_given_up_is_taken_back() {
    run(async {
        let (s, mut server) = asked(b"GET").await;
        let conn = s.conn().unwrap();
        drop(s);
        assert_eq!(server.find(RST).await.unwrap().code(), 8);
        assert!(conn.is_usable());
        let mut s = conn.open().unwrap();
        let head = Head::request(b"GET", b"bad target", Version::H11);
        send(&mut *s, &head, BodyLen::None, b"").await;
        assert!(matches!(response(&mut *s).await, Err(StreamError::Bad { status: 502, .. })));
    });
}
