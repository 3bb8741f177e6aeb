//! Connections of HTTP/2 clients: no bytes make the mux panic, turn for ever, or hold more than it may.
#![no_main]

use hawser_http::{BodyLen, Head, Version};
use hawser_mux_h2::H2;
use hawser_proto::mux::{Fill, FrontStream, Fronted, H2Conf, MuxConf};
use hawser_proto::{Address, SockOpt, Transport};
use libfuzzer_sys::fuzz_target;
use std::io::{self, IoSlice};
use std::os::fd::BorrowedFd;
use std::task::{Context, Poll, Waker};

/// A client that sends its bytes in pieces, then closes, and takes whatever comes.
struct Script {
    bytes: Vec<u8>,
    pos: usize,
    step: usize,
}

impl Transport for Script {
    fn poll_read(&mut self, _: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let n = (self.bytes.len() - self.pos).min(self.step).min(buf.len());
        buf[..n].copy_from_slice(&self.bytes[self.pos..self.pos + n]);
        self.pos += n;
        Poll::Ready(Ok(n))
    }
    fn poll_read_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn peek(&mut self, _: &mut [u8]) -> Option<io::Result<usize>> {
        None
    }
    fn poll_write(&mut self, _: &mut Context<'_>, buf: &[u8], _: bool) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(buf.len()))
    }
    fn poll_write_vectored(
        &mut self,
        _: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
        _: bool,
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bufs.iter().map(|b| b.len()).sum()))
    }
    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_write_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
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

fn conf() -> MuxConf {
    MuxConf {
        h2: H2Conf::default(),
        h2_stats: Default::default(),
        max_fields: 101,
        max_bytes: 15360,
        unsafe_request: false,
        unsafe_response: false,
        payload_with_any_method: false,
        keep_insecure_te: false,
        case_adjust: Vec::new(),
        h1_glitches: 0,
        h2_upgrade: false,
    }
}

/// Serves a stream as far as it goes without waiting.
fn serve(s: &mut dyn FrontStream, cx: &mut Context<'_>) {
    let mut head = Head::default();
    let Poll::Ready(Ok(_)) = s.poll_request(cx, &mut head) else { return };
    assert!(head.wire_len() <= 15360 && head.iter().all(|(n, v)| !n.contains(&b'\n') && !v.contains(&b'\n')));
    while let Poll::Ready(Ok(Fill::Data)) = s.poll_fill(cx) {
        let n = s.data().len();
        s.consume(n);
    }
    s.send_response(&Head::response(Version::H11, 200, b""), BodyLen::Chunked, false);
    let _ = s.poll_data(cx, b"hello");
    s.end(None);
    let _ = s.poll_flush(cx);
}

fuzz_target!(|data: &[u8]| {
    let Some((step, input)) = data.split_first() else { return };
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    bytes.extend_from_slice(input);
    let script = Script { bytes, pos: 0, step: usize::from(*step).max(1) };
    let Some(make) = H2.front else { return };
    let Fronted::Multi(mut conn) = make(&conf()).accept(Box::new(script), None) else { return };
    let mut cx = Context::from_waker(Waker::noop());
    let mut streams = Vec::new();
    // Each turn takes a bounded part of the input, and the last one sees its end.
    for _ in 0..4 + data.len() / 1024 {
        loop {
            match conn.poll_stream(&mut cx) {
                Poll::Ready(Some(mut s)) => {
                    serve(&mut *s, &mut cx);
                    streams.push(s);
                }
                Poll::Ready(None) => return,
                Poll::Pending => break,
            }
        }
        streams.clear();
    }
});
