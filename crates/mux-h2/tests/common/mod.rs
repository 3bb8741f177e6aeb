//! A transport over a socket pair, and a server of streams on it.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

pub mod raw;

use bytes::Bytes;
use hawser_http::{BodyLen, Head, Version};
use hawser_mux_h2::H2;
use hawser_proto::mux::{
    BackMux, BackStream, Fill, FrontConn, FrontMux, FrontStream, Fronted, H2Conf, MessageInfo, MuxConf,
    Source, StreamError,
};
use hawser_proto::{Address, Connecting, SockOpt, Transport};
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::os::fd::BorrowedFd;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;

/// What a transport was asked to do.
#[derive(Default, Debug)]
pub struct Calls {
    pub writes: AtomicUsize,
}

/// A transport over one end of a socket pair.
pub struct Pair(pub UnixStream, pub Arc<Calls>);

impl Transport for Pair {
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut b = ReadBuf::new(buf);
        Pin::new(&mut self.0).poll_read(cx, &mut b).map_ok(|()| b.filled().len())
    }

    fn poll_read_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_read_ready(cx)
    }

    fn peek(&mut self, _: &mut [u8]) -> Option<io::Result<usize>> {
        None
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, buf: &[u8], _: bool) -> Poll<io::Result<usize>> {
        self.1.writes.fetch_add(1, Relaxed);
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        &mut self,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
        _: bool,
    ) -> Poll<io::Result<usize>> {
        self.1.writes.fetch_add(1, Relaxed);
        Pin::new(&mut self.0).poll_write_vectored(cx, bufs)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }

    fn poll_write_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_write_ready(cx)
    }

    fn raw_fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    fn clear_ready(&mut self, _: bool) {}

    fn set_linger_zero(&self) {}

    fn get_src(&self) -> Address {
        Address::default()
    }

    fn get_dst(&self) -> Address {
        Address::default()
    }

    fn set_option(&self, _: SockOpt) -> io::Result<()> {
        Ok(())
    }
}

pub fn conf(h2: H2Conf) -> MuxConf {
    MuxConf {
        h2_stats: Arc::default(),
        h2_upgrade: false,
        h1_glitches: 0,
        h2,
        max_fields: 101,
        max_bytes: 15360,
        unsafe_request: false,
        unsafe_response: false,
        payload_with_any_method: false,
        keep_insecure_te: false,
        case_adjust: Vec::new(),
    }
}

pub fn front_mux(h2: H2Conf) -> Arc<dyn FrontMux> {
    H2.front.unwrap()(&conf(h2))
}

/// Our end of a connection, and the peer's.
pub fn front(h2: H2Conf) -> (Box<dyn FrontConn>, UnixStream, Arc<Calls>) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let calls = Arc::<Calls>::default();
    let Fronted::Multi(conn) = front_mux(h2).accept(Box::new(Pair(ours, calls.clone())), None) else {
        panic!("one stream only")
    };
    (conn, theirs, calls)
}

/// Runs on one thread, for ten seconds at most.
pub fn run(f: impl Future<Output = ()>) {
    let rt = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let local = tokio::task::LocalSet::new();
    let limit = std::time::Duration::from_secs(10);
    rt.block_on(local.run_until(async { tokio::time::timeout(limit, f).await.expect("too slow") }));
}

/// Serves a connection to its end: every stream by a task of its own.
pub fn serve<F, R>(mut conn: Box<dyn FrontConn>, handler: F) -> tokio::task::JoinHandle<Box<dyn FrontConn>>
where
    F: Fn(Box<dyn FrontStream>) -> R + 'static,
    R: Future<Output = ()> + 'static,
{
    tokio::task::spawn_local(async move {
        while let Some(s) = poll_fn(|cx| conn.poll_stream(cx)).await {
            tokio::task::spawn_local(handler(s));
        }
        conn
    })
}

pub async fn request(s: &mut dyn FrontStream) -> (Head, MessageInfo) {
    let mut head = Head::default();
    let info = poll_fn(|cx| s.poll_request(cx, &mut head)).await.unwrap();
    (head, info)
}

/// All of a body; the number of bytes where it broke off.
pub async fn body(s: &mut dyn FrontStream) -> Result<Vec<u8>, usize> {
    body_of(s).await
}

pub async fn body_of<S: Source + ?Sized>(s: &mut S) -> Result<Vec<u8>, usize> {
    let mut all = Vec::new();
    loop {
        match poll_fn(|cx| s.poll_fill(cx)).await {
            Ok(Fill::Data) => {
                all.extend_from_slice(s.data());
                let n = s.data().len();
                s.consume(n);
            }
            Ok(Fill::End) => return Ok(all),
            Err(_) => return Err(all.len()),
        }
    }
}

pub async fn respond(
    s: &mut dyn FrontStream,
    status: u16,
    fields: &[(&str, &str)],
    len: BodyLen,
    data: &[u8],
) {
    let mut head = Head::response(Version::H11, status, b"");
    fields.iter().for_each(|(n, v)| head.add(n.as_bytes(), v.as_bytes()));
    s.send_response(&head, len, false);
    let mut left = data;
    while !left.is_empty() {
        match poll_fn(|cx| s.poll_data(cx, left)).await {
            Ok(n) => left = &left[n..],
            Err(_) => return,
        }
    }
    s.end(None);
    let _ = poll_fn(|cx| s.poll_flush(cx)).await;
}

pub fn text(h: &Head) -> String {
    let mut all = match h.start {
        hawser_http::Start::Response { status, .. } => format!("{status}"),
        _ => format!("{} {}", String::from_utf8_lossy(h.method()), String::from_utf8_lossy(h.target())),
    };
    for (n, v) in h.iter() {
        all += &format!("|{}={}", String::from_utf8_lossy(n), String::from_utf8_lossy(v));
    }
    all
}

pub fn back_mux(h2: H2Conf) -> Arc<dyn BackMux> {
    H2.back.unwrap()(&conf(h2))
}

/// A connection that is established at once.
struct Dial(Option<UnixStream>);

impl Connecting for Dial {
    fn poll_connect(&mut self, _: &mut Context<'_>) -> Poll<io::Result<Box<dyn Transport>>> {
        let io = self.0.take().ok_or(io::ErrorKind::NotConnected)?;
        Poll::Ready(Ok(Box::new(Pair(io, Default::default()))))
    }
}

pub fn dial(io: UnixStream) -> Box<dyn Connecting> {
    Box::new(Dial(Some(io)))
}

pub async fn send(s: &mut dyn BackStream, head: &Head, len: BodyLen, data: &[u8]) {
    s.send_request(head, &MessageInfo { body: len, ..MessageInfo::default() }, false);
    poll_fn(|cx| s.poll_connected(cx)).await.unwrap();
    let mut left = data;
    while !left.is_empty() {
        let n = poll_fn(|cx| s.poll_data(cx, left)).await.unwrap();
        left = &left[n..];
    }
    s.end(None);
    let _ = poll_fn(|cx| s.poll_flush(cx)).await;
}

pub async fn response(s: &mut dyn BackStream) -> Result<(Head, MessageInfo), StreamError> {
    let mut head = Head::default();
    let info = poll_fn(|cx| s.poll_response(cx, &mut head)).await?;
    Ok((head, info))
}

pub async fn collect(mut body: h2::RecvStream) -> Result<(Vec<u8>, Option<http::HeaderMap>), h2::Error> {
    let mut all = Vec::new();
    while let Some(d) = body.data().await {
        let d = d?;
        let _ = body.flow_control().release_capacity(d.len());
        all.extend_from_slice(&d);
    }
    Ok((all, body.trailers().await?))
}

pub async fn upload(s: &mut h2::SendStream<Bytes>, data: &[u8], trailers: Option<http::HeaderMap>) {
    let mut left = Bytes::copy_from_slice(data);
    while !left.is_empty() {
        s.reserve_capacity(left.len());
        let Some(Ok(n)) = poll_fn(|cx| s.poll_capacity(cx)).await else { return };
        s.send_data(left.split_to(n), false).unwrap();
    }
    match trailers {
        Some(t) => s.send_trailers(t).unwrap(),
        None => s.send_data(Bytes::new(), true).unwrap(),
    }
}
