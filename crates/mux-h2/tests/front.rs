//! Connections of clients, against the client of `h2`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use bytes::Bytes;
use common::{body, collect, front, request, respond, run, serve, text, upload};
use hawser_http::{BodyLen, Head, Version};
use hawser_proto::mux::H2Conf;
use http::Request;
use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;

async fn client(io: tokio::net::UnixStream) -> h2::client::SendRequest<Bytes> {
    let (send, conn) = h2::client::handshake(io).await.unwrap();
    tokio::task::spawn_local(async move {
        let _ = conn.await;
    });
    send
}

#[test]
fn requests_become_heads() {
    run(async {
        let (conn, io, _) = front(H2Conf::default());
        let seen = Rc::<RefCell<Vec<String>>>::default();
        let s2 = seen.clone();
        serve(conn, move |mut s| {
            let seen = s2.clone();
            async move {
                let (head, info) = request(&mut *s).await;
                seen.borrow_mut().push(format!("{} {:?}", text(&head), info.body));
                respond(&mut *s, 200, &[("X-Up", "1"), ("Connection", "close")], BodyLen::None, b"").await;
            }
        });
        let mut c = client(io).await;
        let get =
            |uri: &str| Request::get(uri).header("cookie", "a=1").header("x-a", "1").header("cookie", "b=2");
        for req in [
            get("http://example.com/p?q").body(()).unwrap(),
            get("https://example.com:443/p").header("host", "other").body(()).unwrap(),
            Request::options("http://example.com/o").body(()).unwrap(),
        ] {
            let (res, _) = c.send_request(req, true).unwrap();
            let res = res.await.unwrap();
            assert_eq!((res.status().as_u16(), res.headers().len()), (200, 1));
            assert_eq!(res.headers()["x-up"], "1");
        }
        let expected = [
            "GET http://example.com/p?q|host=example.com|x-a=1|cookie=a=1; b=2 None",
            "GET https://example.com/p|host=example.com|x-a=1|cookie=a=1; b=2 None",
            "OPTIONS http://example.com/o|host=example.com None",
        ];
        assert_eq!(*seen.borrow(), expected);
    });
}

#[test]
fn bodies_pass_both_ways_with_flow_control() {
    run(async {
        let (conn, io, _) = front(H2Conf::default());
        serve(conn, |mut s| async move {
            let (head, info) = request(&mut *s).await;
            let data = body(&mut *s).await.unwrap();
            let len = if head.target().ends_with(b"chunked") {
                BodyLen::Chunked
            } else {
                BodyLen::Length(data.len() as u64)
            };
            let kind = format!("{:?}", info.body);
            respond(&mut *s, 200, &[("x-body", &kind)], len, &data).await;
        });
        let mut c = client(io).await;
        let data: Vec<u8> = (0..400_000u32).map(|i| (i * 7) as u8).collect();
        for (path, len) in [("chunked", false), ("length", true)] {
            let mut req = Request::post(format!("http://h/{path}"));
            if len {
                req = req.header("content-length", data.len());
            }
            let (res, mut up) = c.send_request(req.body(()).unwrap(), false).unwrap();
            let (res, ()) = tokio::join!(res, upload(&mut up, &data, None));
            let res = res.unwrap();
            let kind = if len { "Length(400000)" } else { "Chunked" };
            assert_eq!(res.headers()["x-body"], kind);
            assert_eq!(res.headers().contains_key("content-length"), len);
            assert_eq!(collect(res.into_body()).await.unwrap().0, data);
        }
    });
}

#[test]
fn trailers_and_interim_responses_pass() {
    run(async {
        let (conn, io, _) = front(H2Conf::default());
        serve(conn, |mut s| async move {
            request(&mut *s).await;
            let mut early = Head::response(Version::H11, 103, b"Early Hints");
            early.add(b"Link", b"x");
            early.add(b"Connection", b"close");
            s.send_interim(&early);
            let data = body(&mut *s).await.unwrap();
            let trailers = s.trailers().cloned().unwrap();
            assert_eq!(text(&trailers), " |x-sum=1");
            s.send_response(&Head::response(Version::H11, 200, b""), BodyLen::Chunked, false);
            poll_fn(|cx| s.poll_data(cx, &data)).await.unwrap();
            s.end(Some(&trailers));
            poll_fn(|cx| s.poll_flush(cx)).await.unwrap();
        });
        let mut c = client(io).await;
        let (mut res, mut up) = c.send_request(Request::post("http://h/").body(()).unwrap(), false).unwrap();
        let mut trailers = http::HeaderMap::new();
        trailers.insert("x-sum", "1".parse().unwrap());
        upload(&mut up, b"data", Some(trailers)).await;
        let early = poll_fn(|cx| res.poll_informational(cx)).await.unwrap().unwrap();
        assert_eq!((early.status().as_u16(), early.headers().len()), (103, 1));
        let (data, trailers) = collect(res.await.unwrap().into_body()).await.unwrap();
        assert_eq!((&data[..], trailers.unwrap().len()), (&b"data"[..], 1));
    });
}

#[test]
fn heads_come_whole_whatever_table_the_client_has() {
    run(async {
        for table in [0, 100, 4096, 65_536] {
            let (conn, io, _) = front(H2Conf::default());
            serve(conn, move |mut s| async move {
                let (head, _) = request(&mut *s).await;
                let own = "v".repeat(head.target().len() * 900);
                let fields = [("Server", "x"), ("X-Own", &own), ("Set-Cookie", "a"), ("Set-Cookie", "b")];
                respond(&mut *s, 200, &fields, BodyLen::Length(2), b"ok").await;
            });
            let mut builder = h2::client::Builder::new();
            let (mut c, conn) = builder.header_table_size(table).handshake::<_, Bytes>(io).await.unwrap();
            tokio::task::spawn_local(async move {
                let _ = conn.await;
            });
            // The last ones are of several frames.
            for n in [1, 1, 2, 1, 20, 40, 1] {
                let req = Request::get(format!("http://h/{}", "p".repeat(n))).body(()).unwrap();
                let res = c.send_request(req, true).unwrap().0.await.unwrap();
                let own = (n + "http://h/".len()) * 900;
                assert_eq!(
                    (&res.headers()["server"], res.headers()["x-own"].len()),
                    (&"x".parse().unwrap(), own)
                );
                assert!(res.headers().get_all("set-cookie").iter().eq(["a", "b"]));
                assert_eq!(res.headers()["content-length"], "2");
                assert_eq!(collect(res.into_body()).await.unwrap().0, b"ok");
            }
        }
    });
}

#[test]
fn heads_are_bounded() {
    run(async {
        // (fields, bytes of each value, status, or none for a reset)
        for (fields, len, status) in
            [(90, 10, Some(200)), (105, 10, None), (2, 7000, Some(200)), (2, 8500, None), (60, 500, None)]
        {
            let (conn, io, _) = front(H2Conf::default());
            serve(conn, |mut s| async move {
                request(&mut *s).await;
                respond(&mut *s, 200, &[], BodyLen::None, b"").await;
            });
            let mut c = client(io).await;
            let mut req = Request::get("http://h/");
            for i in 0..fields {
                req = req.header(format!("x-{i}"), "v".repeat(len));
            }
            let (res, _) = c.send_request(req.body(()).unwrap(), true).unwrap();
            assert_eq!(res.await.ok().map(|r| r.status().as_u16()), status, "{fields} of {len}");
        }
    });
}
