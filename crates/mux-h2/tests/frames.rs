//! Connections of clients, frame by frame: limits, floods, and what peers must never see.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::raw::{
    CONTINUATION, DATA, Frame, GOAWAY, HEADERS, PING, PRIORITY, Peer, RST, SETTINGS, WINDOW_UPDATE, frame,
    request as block,
};
use common::{body, front, front_mux, request, respond, run, serve};
use hawser_http::{BodyLen, Head, Version};
use hawser_proto::mux::{FrontConn, FrontStream, H2Conf, StreamError};
use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::atomic::Ordering::Relaxed;
use tokio::task::JoinHandle;

type Fields<'a> = &'a [(&'a str, &'a str)];
type Served = JoinHandle<Box<dyn FrontConn>>;

async fn answer(mut s: Box<dyn FrontStream>) {
    let mut head = Head::default();
    match poll_fn(|cx| s.poll_request(cx, &mut head)).await {
        Ok(_) => respond(&mut *s, 200, &[], BodyLen::None, b"").await,
        Err(StreamError::Bad { status, .. }) => respond(&mut *s, status, &[], BodyLen::None, b"").await,
        Err(e) => panic!("{e:?}"),
    }
}

/// A connection that answers every request.
async fn answering(conf: H2Conf) -> (Peer, Served) {
    let (conn, io, _) = front(conf);
    (Peer::client(io).await, serve(conn, answer))
}

fn enhance_your_calm(f: Option<Frame>) {
    assert_eq!(f.map(|f| f.code()), Some(11));
}

#[test]
fn the_greeting_is_what_comes_first() {
    run(async {
        let conf = H2Conf { initial_window_size: 12345, max_concurrent_streams: 7, ..H2Conf::default() };
        let greeting = front_mux(conf.clone()).greeting();
        let (mut p, _served) = answering(conf).await;
        let first = p.next().await.unwrap();
        assert_eq!(frame(first.kind, first.flags, first.stream, &first.payload), greeting);
        let entries: Vec<_> = first.payload.chunks(6).map(|e| (e[1], e[2..].to_vec())).collect();
        assert!(entries.contains(&(4, 12345u32.to_be_bytes().to_vec())), "{entries:?}");
        assert!(entries.contains(&(3, 7u32.to_be_bytes().to_vec())), "{entries:?}");
        assert!(entries.contains(&(8, 1u32.to_be_bytes().to_vec())), "{entries:?}");
        let second = p.next().await.unwrap();
        assert_eq!((second.kind, second.flags), (SETTINGS, 1), "nothing comes between");
    });
}

#[test]
fn a_body_opens_the_windows_wide() {
    run(async {
        let conf = H2Conf { rxbuf: 1 << 20, ..H2Conf::default() };
        let (conn, io, _) = front(conf);
        let mut p = Peer::client(io).await;
        serve(conn, |mut s| async move {
            request(&mut *s).await;
            let n = body(&mut *s).await.unwrap().len();
            respond(&mut *s, if n == 300_000 { 200 } else { 500 }, &[], BodyLen::None, b"").await;
        });
        p.send(&frame(HEADERS, 4, 1, &block("POST", "/", &[]))).await;
        let mut windows = [65_535u32, 65_536];
        while windows[0] < 300_000 || windows[1] < 300_000 {
            let f = p.find(WINDOW_UPDATE).await.unwrap();
            windows[f.stream as usize] += f.code();
        }
        assert_eq!(windows, [1 << 20, 65_536 + (1 << 18)]);
        for i in 0..20u8 {
            p.send(&frame(DATA, u8::from(i == 19), 1, &[i; 15_000])).await;
        }
        assert_eq!(p.status(1).await, Some(200));
    });
}

#[test]
fn a_body_that_fits_gets_no_wider_window() {
    run(async {
        let (conn, io, _) = front(H2Conf::default());
        let mut p = Peer::client(io).await;
        serve(conn, |mut s| async move {
            request(&mut *s).await;
            let n = body(&mut *s).await.unwrap().len();
            respond(&mut *s, if n == 2 { 200 } else { 500 }, &[], BodyLen::None, b"").await;
        });
        p.send(&frame(HEADERS, 4, 1, &block("POST", "/", &[("content-length", "2")]))).await;
        p.send(&frame(PING, 0, 0, &[7; 8])).await;
        loop {
            let f = p.next().await.unwrap();
            assert!(
                f.kind != WINDOW_UPDATE || f.stream == 0,
                "the window of a stream of two bytes is opened"
            );
            match f.kind {
                PING => p.send(&frame(DATA, 1, 1, b"ok")).await,
                HEADERS => break,
                _ => {}
            }
        }
    });
}

#[test]
fn heads_that_no_server_must_see_are_refused() {
    run(async {
        let cases: &[(Fields<'_>, Option<u16>)] = &[
            (&[], Some(200)),
            (&[("content-length", "+0")], None),
            (&[("content-length", "")], None),
            (&[("content-length", "1")], None),
            (&[("connection", "close")], None),
            (&[("transfer-encoding", "chunked")], None),
            (&[("upgrade", "h2c")], None),
            (&[("te", "gzip")], None),
            (&[("te", "trailers")], Some(200)),
            (&[("x", "a\r\nb: c")], None),
            (&[("x", "a\0b")], None),
            (&[("X-Upper", "a")], None),
            (&[("x y", "a")], None),
            (&[("", "a")], None),
            (&[(":path", "/other")], None),
            (&[(":unknown", "a")], None),
            (&[(":status", "200")], None),
            (&[("host", "other")], Some(200)),
        ];
        for (more, status) in cases {
            let (mut p, _served) = answering(H2Conf::default()).await;
            p.send(&frame(HEADERS, 5, 1, &block("GET", "/", more))).await;
            assert_eq!(p.status(1).await, *status, "{more:?}");
        }
        for (method, path, status) in [
            ("GET", "nonsense", None),
            ("GET", "", None),
            ("GET", "/a b", None),
            ("GET?", "/", Some(400)),
            ("GET", "/a#b", None),
            ("GET", "/\x7f", Some(400)),
            ("PRI", "*", Some(400)),
            ("OPTIONS", "*", Some(200)),
            ("CONNECT", "/", None),
        ] {
            let (mut p, _served) = answering(H2Conf::default()).await;
            p.send(&frame(HEADERS, 5, 1, &block(method, path, &[]))).await;
            assert_eq!(p.status(1).await, status, "{method} {path}");
        }
    });
}

#[test]
fn glitches_are_counted_and_close_the_connection() {
    run(async {
        let conf = H2Conf { glitches_threshold: 8, ..H2Conf::default() };
        let (mut p, served) = answering(conf).await;
        for i in 0..5 {
            p.get(2 * i + 1, "nonsense").await;
            assert_eq!(p.find(RST).await.unwrap().code(), 1);
        }
        p.get(11, "/").await;
        assert_eq!(p.status(11).await, Some(200), "as before");
        p.get(13, "nonsense").await;
        let goaway = p.find(GOAWAY).await.unwrap();
        assert_eq!((goaway.code(), &goaway.payload[..4]), (0, &[0x7f, 0xff, 0xff, 0xff][..]), "a gentle end");
        p.get(15, "nonsense").await;
        p.get(17, "nonsense").await;
        enhance_your_calm(p.find(GOAWAY).await);
        let conn = served.await.unwrap();
        assert_eq!(conn.glitches(), 8);
    });
}

#[test]
fn floods_end_the_connection() {
    run(async {
        let floods: &[(&str, Vec<u8>)] = &[
            ("ping", frame(PING, 0, 0, &[0; 8])),
            ("settings", frame(SETTINGS, 0, 0, &[])),
            ("priority", frame(PRIORITY, 0, 3, &[0, 0, 0, 0, 1])),
            ("window", frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1])),
            ("unknown", frame(0xbe, 0, 0, b"junk")),
            ("continuation", frame(CONTINUATION, 0, 1, &[])),
            ("empty data", frame(DATA, 0, 1, &[])),
        ];
        for (name, f) in floods {
            let (mut p, served) = answering(H2Conf::default()).await;
            // Whoever owns a connection that is over closes it.
            let closed = tokio::task::spawn_local(async move { drop(served.await.unwrap()) });
            match *name {
                "continuation" => p.send(&frame(HEADERS, 1, 1, &block("GET", "/", &[]))).await,
                "empty data" => p.send(&frame(HEADERS, 4, 1, &block("POST", "/", &[]))).await,
                _ => {}
            }
            let many = f.repeat(500);
            let (mut r, mut w) = p.0.into_split();
            let reading = tokio::task::spawn_local(async move {
                let mut sink = tokio::io::sink();
                let _ = tokio::io::copy(&mut r, &mut sink).await;
            });
            let mut sent = 0;
            while tokio::io::AsyncWriteExt::write_all(&mut w, &many).await.is_ok() {
                sent += 500;
                assert!(sent < 100_000, "{name}");
            }
            closed.await.unwrap();
            reading.await.unwrap();
        }
    });
}

#[test]
fn taken_back_requests_get_no_further_than_others() {
    run(async {
        let (conn, io, _) = front(H2Conf { max_concurrent_streams: 10, ..H2Conf::default() });
        let mut p = Peer::client(io).await;
        let (now, most) = (Rc::new(Cell::new(0u32)), Rc::new(Cell::new(0u32)));
        let (n, m) = (now.clone(), most.clone());
        let served = serve(conn, move |mut s| {
            let (now, most) = (n.clone(), m.clone());
            async move {
                now.set(now.get() + 1);
                most.set(most.get().max(now.get()));
                request(&mut *s).await;
                // Busy with the server, it does not look at the client.
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                now.set(now.get() - 1);
            }
        });
        let closed = tokio::task::spawn_local(async move { drop(served.await.unwrap()) });
        for i in 0..2000u32 {
            let id = 2 * i + 1;
            p.send(
                &[frame(HEADERS, 5, id, &block("GET", "/", &[])), frame(RST, 0, id, &[0, 0, 0, 8])].concat(),
            )
            .await;
            if i % 8 == 0 {
                tokio::task::yield_now().await;
            }
        }
        closed.await.unwrap();
        assert!(most.get() <= 10, "{}", most.get());
        enhance_your_calm(p.find(GOAWAY).await);
    });
}

#[test]
fn many_responses_are_one_write() {
    run(async {
        let (conn, io, calls) = front(H2Conf::default());
        let mut p = Peer::client(io).await;
        serve(conn, |mut s| async move {
            request(&mut *s).await;
            respond(&mut *s, 200, &[("x", "y")], BodyLen::Length(1000), &[b'x'; 1000]).await;
        });
        p.find(SETTINGS).await;
        p.find(SETTINGS).await;
        let before = calls.writes.load(Relaxed);
        let all: Vec<u8> =
            (0..20).flat_map(|i| frame(HEADERS, 5, 2 * i + 1, &block("GET", "/", &[]))).collect();
        p.send(&all).await;
        let mut ended = 0;
        while ended < 20 {
            ended += u32::from(p.find(DATA).await.unwrap().ends());
        }
        let writes = calls.writes.load(Relaxed) - before;
        assert!(writes <= 3, "{writes} writes");
    });
}

/// A server may send a body where the client gets none (a rule changed the method): the stream ends when all of it has
/// come, so that a client that goes on at once finds the server's connection free.
#[test]
fn responses_without_a_body_end_when_the_server_s_has_come() {
    run(async {
        let (conn, io, _) = front(H2Conf::default());
        let mut p = Peer::client(io).await;
        serve(conn, |mut s| async move {
            let (head, _) = request(&mut *s).await;
            let status = std::str::from_utf8(&head.path().unwrap()[1..]).unwrap().parse().unwrap();
            let body = if head.method() == b"PUT" { BodyLen::None } else { BodyLen::Length(5) };
            let fields = [("content-length", "5")];
            let fields = if body == BodyLen::None { &[][..] } else { &fields[..] };
            respond(&mut *s, status, fields, body, if body == BodyLen::None { b"" } else { b"hello" }).await;
        });
        let none = &b""[..];
        let cases = [
            ("HEAD", "/200", Some(none)),
            ("GET", "/204", Some(none)),
            ("GET", "/304", Some(none)),
            ("GET", "/200", Some(b"hello")),
            ("PUT", "/200", None),
        ];
        for (i, (method, path, body)) in cases.into_iter().enumerate() {
            let id = 2 * i as u32 + 1;
            p.send(&frame(HEADERS, 5, id, &block(method, path, &[]))).await;
            let head = p.find(HEADERS).await.unwrap();
            assert_eq!((head.stream, head.ends()), (id, body.is_none()), "{method} {path}");
            if let Some(body) = body {
                let data = p.find(DATA).await.unwrap();
                assert_eq!((data.ends(), &data.payload[..]), (true, body), "{method} {path}");
            }
        }
    });
}

#[test]
fn a_stream_that_is_given_up_is_reset() {
    run(async {
        let (conn, io, _) = front(H2Conf::default());
        let mut p = Peer::client(io).await;
        serve(conn, |mut s| async move {
            let (head, _) = request(&mut *s).await;
            match head.path() {
                Some(b"/nothing") => {}
                Some(b"/short") => respond(&mut *s, 200, &[], BodyLen::Length(10), b"hello").await,
                Some(b"/broken") => {
                    s.send_response(&Head::response(Version::H11, 200, b""), BodyLen::Chunked, false);
                }
                _ => respond(&mut *s, 200, &[], BodyLen::None, b"").await,
            }
        });
        // REFUSED_STREAM, INTERNAL_ERROR, CANCEL; and NO_ERROR for a body that nobody wants any more.
        for (i, (path, flags, code)) in
            [("/nothing", 5, 7), ("/short", 5, 2), ("/broken", 5, 8), ("/early", 4, 0)]
                .into_iter()
                .enumerate()
        {
            let id = 2 * i as u32 + 1;
            p.send(&frame(HEADERS, flags, id, &block("POST", path, &[]))).await;
            let rst = p.find(RST).await.unwrap();
            assert_eq!((rst.stream, rst.code()), (id, code), "{path}");
        }
    });
}

#[test]
fn the_client_that_goes_away_is_noticed() {
    run(async {
        let (conn, io, _) = front(H2Conf::default());
        let mut p = Peer::client(io).await;
        let gone = Rc::new(Cell::new(0));
        let g = gone.clone();
        let served = serve(conn, move |mut s| {
            let gone = g.clone();
            async move {
                let (head, _) = request(&mut *s).await;
                if head.path() == Some(b"/late") {
                    s.send_response(&Head::response(Version::H11, 200, b""), BodyLen::Chunked, false);
                }
                poll_fn(|cx| s.poll_gone(cx)).await;
                gone.set(gone.get() + 1);
            }
        });
        p.get(1, "/").await;
        p.get(3, "/late").await;
        p.get(5, "/").await;
        p.find(HEADERS).await;
        p.send(&[frame(RST, 0, 1, &[0, 0, 0, 8]), frame(RST, 0, 3, &[0, 0, 0, 8])].concat()).await;
        while gone.get() < 2 {
            tokio::task::yield_now().await;
        }
        drop(p);
        served.await.unwrap();
        while gone.get() < 3 {
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn draining_lets_the_present_streams_end() {
    run(async {
        let (mut conn, io, _) = front(H2Conf::default());
        let mut p = Peer::client(io).await;
        p.get(1, "/").await;
        let mut s = poll_fn(|cx| conn.poll_stream(cx)).await.unwrap();
        assert_eq!(conn.streams(), 1);
        conn.drain();
        let served = serve(conn, answer);
        let first = p.find(GOAWAY).await.unwrap();
        assert_eq!(&first.payload[..4], [0x7f, 0xff, 0xff, 0xff]);
        let ping = p.find(PING).await.unwrap();
        p.get(3, "/").await;
        p.send(&frame(PING, 1, 0, &ping.payload)).await;
        // The notice is given twice.
        assert_eq!(&p.find(GOAWAY).await.unwrap().payload[..4], [0x7f, 0xff, 0xff, 0xff]);
        let ping = p.find(PING).await.unwrap();
        p.send(&frame(PING, 1, 0, &ping.payload)).await;
        let last = p.find(GOAWAY).await.unwrap();
        assert_eq!((&last.payload[..4], last.code()), (&[0, 0, 0, 3][..], 0));
        request(&mut *s).await;
        respond(&mut *s, 200, &[], BodyLen::None, b"").await;
        assert_eq!(p.status(1).await, Some(200));
        drop(s);
        let conn = served.await.unwrap();
        assert_eq!((conn.streams(), conn.error()), (0, None));
    });
}

#[test]
fn the_last_stream_is_announced() {
    run(async {
        let (mut p, served) = answering(H2Conf { max_total_streams: 3, ..H2Conf::default() }).await;
        for id in [1, 3] {
            p.get(id, "/").await;
            assert_eq!(p.status(id).await, Some(200));
        }
        p.get(5, "/").await;
        assert_eq!(p.find(GOAWAY).await.unwrap().code(), 0);
        let ping = p.find(PING).await.unwrap();
        p.send(&frame(PING, 1, 0, &ping.payload)).await;
        served.await.unwrap();
    });
}

#[test]
fn a_kill_takes_the_connection_along() {
    run(async {
        let (conn, io, _) = front(H2Conf::default());
        let mut p = Peer::client(io).await;
        let served = serve(conn, |mut s| async move {
            request(&mut *s).await;
            s.abort(true);
        });
        p.get(1, "/").await;
        enhance_your_calm(p.find(GOAWAY).await);
        served.await.unwrap();
    });
}

#[test]
fn pings_find_out_whether_the_client_lives() {
    run(async {
        let (mut conn, io, _) = front(H2Conf::default());
        let mut p = Peer::client(io).await;
        p.get(1, "/").await;
        let s = poll_fn(|cx| conn.poll_stream(cx)).await.unwrap();
        assert!(!conn.awaits_pong());
        conn.ping();
        assert!(conn.awaits_pong());
        tokio::task::spawn_local(async move {
            let ping = p.find(PING).await.unwrap();
            p.send(&frame(PING, 1, 0, &ping.payload)).await;
            p.rest().await;
        });
        while conn.awaits_pong() {
            let _ =
                tokio::time::timeout(std::time::Duration::from_millis(5), poll_fn(|cx| conn.poll_stream(cx)))
                    .await;
        }
        drop(s);
    });
}

#[test]
fn a_client_that_takes_nothing_holds_little() {
    run(async {
        let (conn, io, _) = front(H2Conf::default());
        let mut p = Peer::client(io).await;
        let taken = Rc::new(Cell::new(0usize));
        let t = taken.clone();
        serve(conn, move |mut s| {
            let taken = t.clone();
            async move {
                request(&mut *s).await;
                s.send_response(&Head::response(Version::H11, 200, b""), BodyLen::Chunked, false);
                let data = [0; 16384];
                while let Ok(n) = poll_fn(|cx| s.poll_data(cx, &data)).await {
                    taken.set(taken.get() + n);
                }
            }
        });
        // Windows as wide as they go, and nothing is read.
        let mut wide = frame(SETTINGS, 0, 0, &[0, 4, 0x7f, 0xff, 0xff, 0xff]);
        wide.extend(frame(WINDOW_UPDATE, 0, 0, &[0x7f, 0, 0, 0]));
        p.send(&wide).await;
        for i in 0..90 {
            p.get(2 * i + 1, "/").await;
        }
        let mut last = usize::MAX;
        while last != taken.get() {
            last = taken.get();
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        // The bound of a connection, what the wire gathers, and the kernel's buffers.
        assert!(last < 1 << 20, "{last}");
    });
}

#[test]
fn extended_connect_is_an_upgrade() {
    run(async {
        let (conn, io, _) = front(H2Conf::default());
        let mut p = Peer::client(io).await;
        serve(conn, |mut s| async move {
            let (head, info) = request(&mut *s).await;
            assert_eq!(common::text(&head), "GET http://h/ws|host=h|upgrade=websocket|connection=upgrade");
            assert!(info.upgrade && info.websocket && info.body == BodyLen::None);
            let mut res = Head::response(Version::H11, 101, b"");
            for (n, v) in [("connection", "upgrade"), ("upgrade", "websocket"), ("sec-websocket-accept", "x")]
            {
                res.add(n.as_bytes(), v.as_bytes());
            }
            s.send_response(&res, BodyLen::Tunnel, false);
            let data = body(&mut *s).await.unwrap();
            poll_fn(|cx| s.poll_data(cx, &data)).await.unwrap();
            s.end(None);
            poll_fn(|cx| s.poll_flush(cx)).await.unwrap();
        });
        p.send(&frame(HEADERS, 4, 1, &block("CONNECT", "/ws", &[(":protocol", "websocket")]))).await;
        let head = p.find(HEADERS).await.unwrap();
        assert_eq!(
            (head.payload[0], head.payload.len(), head.ends()),
            (0x88, 1, false),
            "200 and nothing else"
        );
        p.send(&frame(DATA, 1, 1, b"frames")).await;
        let data = p.find(DATA).await.unwrap();
        assert_eq!((&data.payload[..], data.ends()), (&b"frames"[..], true));
    });
}

/// A stream that is over may still be told of what is wrong with it.
#[test]
fn no_room_at_all_is_an_error_whenever_it_is_given() {
    run(async {
        let (mut p, _served) = answering(H2Conf::default()).await;
        for stream in [1, 3, 5] {
            p.get(stream, "/").await;
            assert_eq!(p.status(stream).await, Some(200));
            p.send(&frame(WINDOW_UPDATE, 0, stream, &[0; 4])).await;
            let reset = p.find(RST).await.unwrap();
            assert_eq!((reset.stream, reset.code()), (stream, 1));
        }
    });
}
