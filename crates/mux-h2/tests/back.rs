//! Connections to servers, against the server of `h2`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use bytes::Bytes;
use common::{back_mux, body_of, collect, dial, response, run, send, text, upload};
use hawser_http::{BodyLen, Head, Version};
use hawser_proto::mux::{BackConn, BackStream, H2Conf, MessageInfo, StreamError};
use http::{Response, StatusCode};
use std::future::poll_fn;
use std::sync::Arc;
use tokio::net::UnixStream;

type Req = http::Request<h2::RecvStream>;
type Res = h2::server::SendResponse<Bytes>;

/// A server that answers each request by the function; it ends with the connection.
fn server<F, R>(io: UnixStream, builder: h2::server::Builder, f: F)
where
    F: Fn(Req, Res) -> R + 'static,
    R: Future<Output = ()> + 'static,
{
    tokio::task::spawn_local(async move {
        let mut conn = builder.handshake(io).await.unwrap();
        while let Some(Ok((req, res))) = conn.accept().await {
            tokio::task::spawn_local(f(req, res));
        }
    });
}

fn builder() -> h2::server::Builder {
    h2::server::Builder::new()
}

fn get(target: &str) -> Head {
    let mut h = Head::request(b"GET", target.as_bytes(), Version::H11);
    h.add(b"Host", b"h:1");
    h.add(b"X-A", b"1");
    h
}

async fn connected(builder: h2::server::Builder) -> (Box<dyn BackStream>, UnixStream, h2::server::Builder) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    (back_mux(H2Conf::default()).connect(dial(ours)), theirs, builder)
}

/// An established connection; its first stream is gone.
async fn established<F, R>(b: h2::server::Builder, f: F) -> Arc<dyn BackConn>
where
    F: Fn(Req, Res) -> R + 'static,
    R: Future<Output = ()> + 'static,
{
    let (mut s, theirs, b) = connected(b).await;
    server(theirs, b, f);
    send(&mut *s, &get("/first"), BodyLen::None, b"").await;
    response(&mut *s).await.unwrap();
    let conn = s.conn().unwrap();
    assert_eq!((conn.streams(), conn.opened()), (1, 1));
    drop(s);
    assert_eq!((conn.streams(), conn.opened()), (0, 1));
    conn
}

async fn ok(_: Req, mut res: Res) {
    let _ = res.send_response(Response::new(()), true);
}

#[test]
fn the_first_bytes_go_out_with_the_connection() {
    run(async {
        let (mut s, theirs, b) = connected(builder()).await;
        server(theirs, b, |req, mut res| async move {
            let uri = req.uri().to_string();
            let fields = format!("{:?}", req.headers());
            let r = Response::builder().header("x-uri", uri).header("x-fields", fields).body(()).unwrap();
            let _ = res.send_response(r, true);
        });
        send(&mut *s, &get("/p?q"), BodyLen::None, b"").await;
        let (head, info) = response(&mut *s).await.unwrap();
        assert_eq!(text(&head), "200|x-uri=/p?q|x-fields={\"host\": \"h:1\", \"x-a\": \"1\"}");
        assert_eq!((info.body, s.uses(), head.reason()), (BodyLen::None, 0, &b"OK"[..]));
    });
}

#[test]
fn bodies_and_trailers_pass_both_ways() {
    run(async {
        let (mut s, theirs, b) = connected(builder()).await;
        server(theirs, b, |req, mut res| async move {
            let (data, trailers) = collect(req.into_body()).await.unwrap();
            let mut up = res.send_response(Response::new(()), false).unwrap();
            upload(&mut up, &data, Some(trailers.unwrap())).await;
        });
        let mut req = Head::request(b"POST", b"https://h/", Version::H11);
        req.add(b"host", b"h");
        let data: Vec<u8> = (0..300_000u32).map(|i| (i * 13) as u8).collect();
        let mut trailers = Head::default();
        trailers.add(b"x-t", b"1");
        let info = MessageInfo { body: BodyLen::Chunked, ..MessageInfo::default() };
        s.send_request(&req, &info, false);
        poll_fn(|cx| s.poll_connected(cx)).await.unwrap();
        let mut left = &data[..];
        while !left.is_empty() {
            let n = poll_fn(|cx| s.poll_data(cx, left)).await.unwrap();
            left = &left[n..];
        }
        s.end(Some(&trailers));
        poll_fn(|cx| s.poll_flush(cx)).await.unwrap();
        let (_, info) = response(&mut *s).await.unwrap();
        assert_eq!(info.body, BodyLen::Chunked);
        assert_eq!(body_of(&mut *s).await.unwrap(), data);
        assert_eq!(s.trailers().map(|t| t.values(b"x-t").count()), Some(1));
    });
}

#[test]
fn streams_are_opened_as_far_as_both_sides_allow() {
    run(async {
        let mut b = builder();
        b.max_concurrent_streams(2);
        let conn = established(b, ok).await;
        let first = conn.open().unwrap();
        let second = conn.open().unwrap();
        assert!(conn.open().is_none());
        assert_eq!((first.uses(), second.uses(), conn.streams()), (1, 2, 2));
        drop(first);
        assert!(conn.open().is_some());
        assert!(conn.is_usable());
    });
}

#[test]
fn requests_wait_for_room_side_by_side() {
    run(async {
        let mut b = builder();
        b.max_concurrent_streams(2);
        let conn = established(b, |req, res| async move {
            if req.uri().path() == "/never" {
                std::future::pending::<()>().await;
            }
            ok(req, res).await;
        })
        .await;
        let mut never: Vec<_> = (0..2).map(|_| conn.open().unwrap()).collect();
        for s in &mut never {
            send(&mut **s, &get("/never"), BodyLen::None, b"").await;
        }
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        // Their places are free at once, the peer's are not yet.
        drop(never);
        let mut next: Vec<_> = (0..2).map(|_| conn.open().unwrap()).collect();
        for s in &mut next {
            send(&mut **s, &get("/next"), BodyLen::None, b"").await;
        }
        for s in &mut next {
            response(&mut **s).await.unwrap();
        }
    });
}

#[test]
fn streams_may_be_used_from_another_thread() {
    run(async {
        let conn = established(builder(), |req, mut res| async move {
            let (data, _) = collect(req.into_body()).await.unwrap();
            let mut up = res.send_response(Response::new(()), false).unwrap();
            upload(&mut up, &data, None).await;
        })
        .await;
        let c = conn.clone();
        let done = tokio::task::spawn_blocking(move || {
            run(async move {
                let mut s = c.open().unwrap();
                send(&mut *s, &get("/other"), BodyLen::Chunked, &[b'x'; 100_000]).await;
                response(&mut *s).await.unwrap();
                assert_eq!(body_of(&mut *s).await.unwrap().len(), 100_000);
            });
        });
        done.await.unwrap();
        assert!(conn.bytes().0 > 100_000 && conn.bytes().1 > 100_000);
    });
}

#[test]
fn a_refused_stream_may_be_tried_again() {
    run(async {
        let conn = established(builder(), |req, mut res| async move {
            match req.uri().path() {
                "/refused" => res.send_reset(h2::Reason::REFUSED_STREAM),
                "/broken" => res.send_reset(h2::Reason::INTERNAL_ERROR),
                _ => ok(req, res).await,
            }
        })
        .await;
        for (path, again) in [("/refused", true), ("/broken", false)] {
            let mut s = conn.open().unwrap();
            send(&mut *s, &get(path), BodyLen::None, b"").await;
            match response(&mut *s).await {
                Err(StreamError::Reset { refused }) => assert_eq!(refused, again),
                other => panic!("{other:?}"),
            }
        }
        assert!(conn.is_usable());
    });
}

#[test]
fn interim_responses_come_first() {
    run(async {
        let (mut s, theirs, b) = connected(builder()).await;
        server(theirs, b, |_, mut res| async move {
            let early = Response::builder().status(103).header("link", "x").body(()).unwrap();
            res.send_informational(early).unwrap();
            ok_with(StatusCode::NOT_FOUND, res);
        });
        send(&mut *s, &get("/"), BodyLen::None, b"").await;
        assert_eq!(text(&response(&mut *s).await.unwrap().0), "103|link=x");
        assert_eq!(response(&mut *s).await.unwrap().0.status(), 404);
    });
}

fn ok_with(status: StatusCode, mut res: Res) {
    let mut r = Response::new(());
    *r.status_mut() = status;
    let _ = res.send_response(r, true);
}

#[test]
fn the_end_of_all_handles_ends_the_connection() {
    run(async {
        let (mut s, theirs, b) = connected(builder()).await;
        let ended = tokio::task::spawn_local(async move {
            let mut conn = b.handshake::<_, Bytes>(theirs).await.unwrap();
            while let Some(Ok((req, res))) = conn.accept().await {
                ok(req, res).await;
            }
        });
        send(&mut *s, &get("/"), BodyLen::None, b"").await;
        response(&mut *s).await.unwrap();
        drop(s);
        ended.await.unwrap();
    });
}

#[test]
fn draining_tells_the_peer_and_waits_for_streams() {
    run(async {
        let conn = established(builder(), |req, mut res| async move {
            let (data, _) = collect(req.into_body()).await.unwrap();
            let mut up = res.send_response(Response::new(()), false).unwrap();
            upload(&mut up, &data, None).await;
        })
        .await;
        let mut s = conn.open().unwrap();
        let info = MessageInfo { body: BodyLen::Chunked, ..MessageInfo::default() };
        s.send_request(&get("/"), &info, false);
        conn.drain();
        assert!(!conn.is_usable() && conn.open().is_none());
        tokio::task::yield_now().await;
        poll_fn(|cx| s.poll_data(cx, b"late")).await.unwrap();
        s.end(None);
        response(&mut *s).await.unwrap();
        assert_eq!(body_of(&mut *s).await.unwrap(), b"late");
        drop(s);
        poll_fn(|cx| conn.poll_closed(cx)).await;
    });
}

#[test]
fn a_closed_connection_fails_its_streams() {
    run(async {
        let conn = established(builder(), |req, res| async move {
            if req.uri().path() == "/first" {
                return ok(req, res).await;
            }
            std::future::pending::<()>().await;
            drop(res);
        })
        .await;
        let mut s = conn.open().unwrap();
        send(&mut *s, &get("/"), BodyLen::None, b"").await;
        conn.close();
        poll_fn(|cx| conn.poll_closed(cx)).await;
        assert!(response(&mut *s).await.is_err());
        assert!(conn.open().is_none());
    });
}

#[test]
fn pings_measure_and_close() {
    run(async {
        let conn = established(builder(), ok).await;
        conn.ping(std::time::Duration::from_secs(5));
        while conn.rtt().is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        // A server that never answers.
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mut s = back_mux(H2Conf::default()).connect(dial(ours));
        send(&mut *s, &get("/"), BodyLen::None, b"").await;
        let conn = s.conn().unwrap();
        conn.ping(std::time::Duration::from_millis(20));
        poll_fn(|cx| conn.poll_closed(cx)).await;
        drop(theirs);
    });
}

#[test]
fn upgrades_are_extended_connect() {
    run(async {
        for (known, status) in [(true, 101), (false, 0)] {
            let (mut s, theirs, mut b) = connected(builder()).await;
            if known {
                b.enable_connect_protocol();
            }
            server(theirs, b, |req, mut res| async move {
                assert_eq!(req.method(), "CONNECT");
                assert_eq!(req.extensions().get::<h2::ext::Protocol>().unwrap().as_str(), "websocket");
                assert!(!req.headers().contains_key("sec-websocket-key"));
                let mut up = res.send_response(Response::new(()), false).unwrap();
                let (data, _) = collect(req.into_body()).await.unwrap();
                upload(&mut up, &data, None).await;
            });
            let mut req = get("/ws");
            req.add(b"Upgrade", b"websocket");
            req.add(b"Connection", b"Upgrade");
            req.add(b"Sec-WebSocket-Key", b"dGhlIHNhbXBsZSBub25jZQ==");
            let info = MessageInfo { upgrade: true, websocket: true, ..MessageInfo::default() };
            s.send_request(&req, &info, false);
            poll_fn(|cx| s.poll_connected(cx)).await.unwrap();
            s.end(None);
            let answer = response(&mut *s).await;
            assert_eq!(answer.as_ref().map_or(0, |(h, _)| h.status()), status, "{answer:?}");
            let Ok((head, info)) = answer else { continue };
            assert_eq!(info.body, BodyLen::Tunnel);
            let accept = head.values(b"sec-websocket-accept").next();
            assert_eq!(accept, Some(&b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="[..]));
            poll_fn(|cx| s.poll_data(cx, b"frames")).await.unwrap();
            s.end(None);
            poll_fn(|cx| s.poll_flush(cx)).await.unwrap();
            assert_eq!(body_of(&mut *s).await.unwrap(), b"frames");
        }
    });
}

#[test]
fn a_connection_of_the_peer_is_adopted() {
    run(async {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let transport = Box::new(common::Pair(ours, Default::default()));
        let mut adopting = back_mux(H2Conf::default()).adopt(transport, None).unwrap();
        // The peer says the client's preface, and is the server from then on.
        let (near, far) = tokio::io::duplex(1 << 16);
        tokio::task::spawn_local(async move {
            let (mut theirs_r, mut theirs_w) = theirs.into_split();
            let (mut near_r, mut near_w) = tokio::io::split(near);
            use tokio::io::AsyncWriteExt;
            theirs_w.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
            near_w.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
            let up = async move { tokio::io::copy(&mut near_r, &mut theirs_w).await };
            let down = async move { tokio::io::copy(&mut theirs_r, &mut near_w).await };
            let _ = tokio::join!(up, down);
        });
        tokio::task::spawn_local(async move {
            let mut conn = builder().handshake::<_, Bytes>(far).await.unwrap();
            while let Some(Ok((req, res))) = conn.accept().await {
                ok(req, res).await;
            }
        });
        let conn = poll_fn(|cx| adopting.poll_adopted(cx)).await.unwrap();
        for _ in 0..3 {
            let mut s = conn.open().unwrap();
            send(&mut *s, &get("/"), BodyLen::None, b"").await;
            assert_eq!(response(&mut *s).await.unwrap().0.status(), 200);
        }
    });
}

#[test]
fn what_is_no_preface_is_not_adopted() {
    run(async {
        for junk in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"PRI * HTTP/2.0\r\n\r\nSX", b""] {
            let (ours, theirs) = UnixStream::pair().unwrap();
            let transport = Box::new(common::Pair(ours, Default::default()));
            let mut adopting = back_mux(H2Conf::default()).adopt(transport, None).unwrap();
            theirs.try_write(junk).unwrap();
            drop(theirs);
            assert!(poll_fn(|cx| adopting.poll_adopted(cx)).await.is_err());
        }
    });
}
