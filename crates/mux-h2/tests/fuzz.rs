//! Whatever a peer sends: no panic, no endless turn, and the connection ends when the peer does.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::raw::{self, PREFACE, frame};
use common::{back_mux, body_of, dial, front, respond, run, serve};
use hawser_http::{BodyLen, Head, Version};
use hawser_proto::mux::{H2Conf, MessageInfo};
use proptest::collection::vec;
use proptest::prelude::*;
use std::future::poll_fn;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;

/// A frame that often makes sense.
fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let kind = prop_oneof![8 => 0u8..10, 1 => any::<u8>()];
    let flags = prop_oneof![6 => prop::sample::select(vec![0u8, 1, 4, 5]), 1 => any::<u8>()];
    let stream = prop_oneof![3 => Just(0u32), 8 => 0u32..12, 1 => any::<u32>()];
    let fields = prop::sample::select(vec![
        raw::request("GET", "/", &[]),
        raw::request("POST", "/p", &[("content-length", "3")]),
        raw::request("CONNECT", "/ws", &[(":protocol", "websocket")]),
        raw::block(&[(":method", "CONNECT"), (":authority", "h:1")]),
        raw::block(&[(":status", "200")]),
        raw::block(&[(":status", "103"), ("link", "x")]),
        raw::block(&[(":status", "204"), ("content-length", "5")]),
        raw::block(&[("x-trailer", "1")]),
        vec![0x88],
    ]);
    let payload = prop_oneof![
        4 => fields,
        2 => vec(any::<u8>(), 0..20),
        2 => prop::sample::select(vec![vec![], vec![0; 4], vec![0, 0, 0, 1], vec![0; 8], vec![0, 4, 0, 0, 1, 0],
            vec![0, 3, 0, 0, 0, 1], vec![0x7f, 0xff, 0xff, 0xff], vec![b'x'; 3], vec![0, 0, 0, 5, 0, 0, 0, 0]]),
        1 => vec(any::<u8>(), 0..300),
    ];
    (kind, flags, stream, payload).prop_map(|(k, f, s, p)| frame(k, f, s, &p))
}

/// Frames, now and then with a byte changed.
fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    let flip = prop::option::weighted(0.2, (any::<prop::sample::Index>(), any::<u8>()));
    (vec(any_frame(), 0..30), flip).prop_map(|(frames, flip)| {
        let mut all = frames.concat();
        if let Some((at, byte)) = flip.filter(|_| !all.is_empty()) {
            let at = at.index(all.len());
            all[at] = byte;
        }
        all
    })
}

/// Writes, then closes; what comes back is thrown away.
async fn play(io: UnixStream, bytes: Vec<u8>, cut: usize) {
    let (mut r, mut w) = io.into_split();
    let reading = tokio::task::spawn_local(async move {
        let _ = tokio::io::copy(&mut r, &mut tokio::io::sink()).await;
    });
    for part in bytes.chunks(cut) {
        if w.write_all(part).await.is_err() {
            break;
        }
        tokio::task::yield_now().await;
    }
    drop(w);
    reading.await.unwrap();
}

async fn front_survives(bytes: Vec<u8>, cut: usize) {
    let (conn, io, _) = front(H2Conf { glitches_threshold: 50, ..H2Conf::default() });
    let served = serve(conn, |mut s| async move {
        let mut head = Head::default();
        let Ok(info) = poll_fn(|cx| s.poll_request(cx, &mut head)).await else { return };
        if info.upgrade {
            s.send_response(&Head::response(Version::H11, 101, b""), BodyLen::Tunnel, false);
        } else {
            s.send_interim(&Head::response(Version::H11, 103, b""));
        }
        let whole = body_of(&mut *s).await.is_ok();
        if whole && head.method() == b"GET" {
            respond(&mut *s, 200, &[], BodyLen::Length(5), b"hello").await;
        } else if whole {
            respond(&mut *s, 200, &[], BodyLen::Chunked, &[b'x'; 70_000]).await;
        }
        // Things that callers do not do, and that must do no harm.
        s.end(None);
        s.send_response(&Head::response(Version::H11, 200, b""), BodyLen::Chunked, false);
        let _ = poll_fn(|cx| s.poll_data(cx, b"late")).await;
        s.abort(false);
        let _ = tokio::time::timeout(std::time::Duration::ZERO, poll_fn(|cx| s.poll_gone(cx))).await;
    });
    let closed = tokio::task::spawn_local(async move { drop(served.await.unwrap()) });
    play(io, bytes, cut).await;
    closed.await.unwrap();
}

async fn back_survives(bytes: Vec<u8>, cut: usize, adopt: bool) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let mux = back_mux(H2Conf { glitches_threshold: 50, ..H2Conf::default() });
    let playing = tokio::task::spawn_local(play(theirs, bytes, cut));
    let mut streams = Vec::new();
    let conn = if adopt {
        let mut a = mux.adopt(Box::new(common::Pair(ours, Default::default())), None).unwrap();
        poll_fn(|cx| a.poll_adopted(cx)).await.ok()
    } else {
        let mut s = mux.connect(dial(ours));
        s.send_request(&Head::request(b"GET", b"/", Version::H11), &MessageInfo::default(), false);
        let _ = poll_fn(|cx| s.poll_connected(cx)).await;
        let conn = s.conn();
        streams.push(s);
        conn
    };
    if let Some(conn) = &conn {
        for method in [&b"POST"[..], b"CONNECT"] {
            let Some(mut s) = conn.open() else { continue };
            let mut head = Head::request(method, b"h:1", Version::H11);
            head.add(b"host", b"h");
            s.send_request(&head, &MessageInfo { body: BodyLen::Chunked, ..MessageInfo::default() }, false);
            let _ =
                tokio::time::timeout(std::time::Duration::ZERO, poll_fn(|cx| s.poll_data(cx, b"data"))).await;
            s.end(None);
            streams.push(s);
        }
    }
    for mut s in streams {
        let mut head = Head::default();
        // Interim ones first.
        while let Ok(info) = poll_fn(|cx| s.poll_response(cx, &mut head)).await {
            if head.status() >= 200 || info.body == BodyLen::Tunnel {
                let _ = body_of(&mut *s).await;
                break;
            }
        }
        assert!(
            tokio::time::timeout(std::time::Duration::ZERO, async {
                let _ = poll_fn(|cx| s.poll_response(cx, &mut head)).await;
            })
            .await
            .is_ok()
        );
    }
    if let Some(conn) = conn {
        poll_fn(|cx| conn.poll_closed(cx)).await;
    }
    playing.await.unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_client_can_send_anything(bytes in any_bytes(), junk in vec(any::<u8>(), 0..200), cut in 1usize..2000) {
        run(async {
            let start = [PREFACE, &frame(raw::SETTINGS, 0, 0, &[])].concat();
            front_survives([&start[..], &bytes].concat(), cut).await;
            front_survives([&start[..], &junk].concat(), cut).await;
            front_survives(junk, cut).await;
        });
    }

    #[test]
    fn a_server_can_send_anything(bytes in any_bytes(), junk in vec(any::<u8>(), 0..200), cut in 1usize..2000) {
        run(async {
            let settings = frame(raw::SETTINGS, 0, 0, &[]);
            back_survives([&settings[..], &bytes].concat(), cut, false).await;
            back_survives([PREFACE, &settings, &bytes].concat(), cut, true).await;
            back_survives([&settings[..], &junk].concat(), cut, false).await;
            back_survives(junk.clone(), cut, false).await;
            back_survives(junk, cut, true).await;
        });
    }
}
