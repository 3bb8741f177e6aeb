//! Connections of clients, against the client of `h2`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use bytes::Bytes;
use common::{body, collect, front, request, respond, run, serve, text, upload};
use hawser_http::BodyLen;
use hawser_proto::mux::H2Conf;
use http::Request;
use std::cell::RefCell;
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
