//! A client's connection: requests in, responses out, one after the other.

use crate::Side;
use crate::codec::{
    ConnField, Encoding, Info, ParseError, Progress, Status, WriteOpts, client_wants_keepalive, must_close,
    parse_request, write_response,
};
use crate::input::Input;
use crate::output::Output;
use hawser_http::{BodyLen, Head, Version};
use hawser_proto::buf::Buf;
use hawser_proto::mux::{
    Fill, FrontMux, FrontStream, Fronted, Gone, MessageInfo, MuxConf, Sink, Source, StreamError,
};
use hawser_proto::{SockOpt, Transport};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// Sets the mux up for a proxy.
pub fn mux(conf: &MuxConf) -> Arc<dyn FrontMux> {
    Arc::new(Mux(Side::new(conf, conf.unsafe_request)))
}

struct Mux(Arc<Side>);

impl FrontMux for Mux {
    fn accept(&self, transport: Box<dyn Transport>, early: Option<Buf>) -> Fronted {
        Fronted::Single(Box::new(H1Front {
            side: self.0.clone(),
            transport,
            input: Input::with(early),
            output: Output::default(),
            progress: Progress::default(),
            asked: Asked::default(),
            glitches: 0,
        }))
    }
}

/// What the response depends on in the request.
#[derive(Debug, Default)]
struct Asked {
    head: bool,
    h10: bool,
    keep_alive: bool,
    /// The response is on its way and the connection outlives it.
    keep: bool,
}

struct H1Front {
    side: Arc<Side>,
    transport: Box<dyn Transport>,
    input: Input,
    output: Output,
    progress: Progress,
    asked: Asked,
    /// Violations so far.
    glitches: u32,
}

impl H1Front {
    /// What a client means whose input starts like the preface of HTTP/2; nothing, for a request.
    fn preface(&self) -> Option<Progressed> {
        let raw = self.input.raw();
        let n = raw.len().min(PREFACE.len());
        if raw.get(..n)? != PREFACE.get(..n)? {
            return None;
        }
        Some(match (n == PREFACE.len(), !self.input.begun() && self.side.h2_upgrade) {
            (false, _) => Progressed::More,
            (true, true) => Progressed::Failed(StreamError::H2Preface),
            (true, false) => {
                Progressed::Failed(StreamError::Bad { status: 405, why: "HTTP/2 is not spoken here" })
            }
        })
    }

    fn refused(&mut self, e: ParseError) -> StreamError {
        self.glitches += 1;
        StreamError::Bad { status: e.status, why: e.reason.as_str() }
    }

    fn accepted_head(&mut self, head: &Head, info: &Info) -> MessageInfo {
        self.glitches += u32::from(info.relaxed || info.insecure_framing);
        // At three quarters of what is allowed, the connection ends politely.
        let worn_out = self.side.glitches > 0 && self.glitches * 4 >= self.side.glitches.saturating_mul(3);
        let keep_alive = client_wants_keepalive(head, info)
            && (!info.insecure_framing || self.side.keep_insecure_te)
            && !worn_out;
        self.asked = Asked {
            head: head.method() == b"HEAD",
            h10: head.version() < Version::H11,
            keep_alive,
            keep: false,
        };
        self.input.start(info.body);
        MessageInfo {
            body: info.body,
            keep_alive,
            upgrade: info.upgrade,
            websocket: info.websocket,
            expect_continue: info.expect_continue,
        }
    }
}

/// What a client of HTTP/2 sends first (RFC 9113 section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What became of a look at the input.
enum Progressed {
    /// More of it is needed.
    More,
    Failed(StreamError),
}

/// How to write a response for this request.
fn write_opts<'a>(side: &'a Side, asked: &Asked, close: bool) -> WriteOpts<'a> {
    let conn = match (close, asked.h10) {
        (true, _) => ConnField::Close,
        (false, true) => ConnField::KeepAlive,
        (false, false) => ConnField::Silent,
    };
    WriteOpts { conn, case: side.case.as_ref() }
}

impl FrontStream for H1Front {
    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamError>> {
        if !self.input.raw().is_empty() || self.input.eof() {
            return Poll::Ready(Ok(()));
        }
        self.transport.poll_read_ready(cx).map_err(StreamError::Io)
    }

    fn poll_request(
        &mut self,
        cx: &mut Context<'_>,
        head: &mut Head,
    ) -> Poll<Result<MessageInfo, StreamError>> {
        loop {
            let preface = if self.input.raw().first() == Some(&b'P') { self.preface() } else { None };
            if let Some(Progressed::Failed(e)) = preface {
                return Poll::Ready(Err(e));
            }
            if !self.input.raw().is_empty() && preface.is_none() {
                let side = &self.side;
                let parsed =
                    parse_request(self.input.raw(), &mut self.progress, head, &side.limits, side.opts);
                match parsed {
                    Ok(Status::Done { consumed, info }) => {
                        self.progress = Progress::default();
                        self.input.consume_raw(consumed);
                        let info = self.accepted_head(head, &info);
                        let checked = self.input.check(&self.side.limits);
                        return Poll::Ready(checked.map(|()| info).map_err(|e| self.refused(e)));
                    }
                    Ok(Status::Partial) if self.input.is_full() => {
                        return Poll::Ready(Err(StreamError::Bad { status: 400, why: "head too large" }));
                    }
                    Ok(Status::Partial) => {}
                    Err(e) => return Poll::Ready(Err(self.refused(e))),
                }
            }
            if ready!(self.input.poll_more(&mut *self.transport, cx))? == 0 {
                let idle = self.input.raw().is_empty();
                return Poll::Ready(Err(if idle { StreamError::Idle } else { StreamError::Eof }));
            }
        }
    }

    fn received(&self) -> usize {
        self.input.raw().len()
    }

    fn send_response(&mut self, head: &Head, body: BodyLen, close: bool) {
        let close = close || !self.asked.keep_alive || must_close(head, body);
        let opts = write_opts(&self.side, &self.asked, close);
        let out = self.output.text();
        let enc = write_response(head, body, self.asked.head, self.asked.h10, &opts, out);
        self.output.start(enc);
        self.asked.keep = !close && !matches!(enc, Encoding::UntilClose | Encoding::Tunnel);
        if enc == Encoding::Tunnel {
            self.input.start(BodyLen::Tunnel);
        }
    }

    fn send_interim(&mut self, head: &Head) {
        let opts = WriteOpts { conn: ConnField::Silent, case: self.side.case.as_ref() };
        write_response(head, BodyLen::None, false, false, &opts, self.output.text());
    }

    fn next_request(&mut self) -> bool {
        self.input.release();
        self.outlives_response() && self.input.is_done()
    }

    fn outlives_response(&self) -> bool {
        self.asked.keep && !self.output.is_open() && self.output.is_flushed()
    }

    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<Gone> {
        if self.input.eof() {
            return Poll::Ready(Gone::Closed);
        }
        // Readable between a request and its response: the next request, or the end. More of a body that nobody takes yet
        // is read for as long as there is room.
        while (self.input.raw().is_empty() || !self.input.is_done()) && !self.input.is_full() {
            match self.transport.poll_read_ready(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(_)) => return Poll::Ready(Gone::Reset),
                Poll::Ready(Ok(())) => match self.input.poll_more(&mut *self.transport, cx) {
                    Poll::Ready(Ok(0)) => return Poll::Ready(Gone::Closed),
                    Poll::Ready(Err(_)) => return Poll::Ready(Gone::Reset),
                    Poll::Ready(Ok(_)) => {}
                    Poll::Pending => return Poll::Pending,
                },
            }
        }
        Poll::Pending
    }

    fn glitches(&self) -> u32 {
        self.glitches
    }

    fn take_transport(self: Box<Self>) -> Option<(Box<dyn Transport>, Option<Buf>)> {
        Some((self.transport, self.input.into_buf()))
    }

    fn set_option(&mut self, opt: SockOpt) {
        // A socket without the option is served as well.
        let _ = self.transport.set_option(opt);
    }

    fn set_linger_zero(&mut self) {
        self.transport.set_linger_zero();
    }
}

impl Source for H1Front {
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<Fill, StreamError>> {
        self.input.poll_fill(&mut *self.transport, cx, &self.side.limits)
    }

    fn data(&self) -> &[u8] {
        self.input.data()
    }

    fn consume(&mut self, n: usize) {
        self.input.consume(n);
    }

    fn trailers(&self) -> Option<&Head> {
        self.input.trailers()
    }

    fn raw_source(&mut self) -> Option<(&mut dyn Transport, u64)> {
        let n = self.input.movable();
        (n > 0).then_some((&mut *self.transport, n))
    }

    fn moved(&mut self, n: u64, end: bool) {
        self.input.moved(n, end);
    }
}

impl Sink for H1Front {
    fn poll_data(&mut self, cx: &mut Context<'_>, data: &[u8]) -> Poll<Result<usize, StreamError>> {
        self.output.poll_data(&mut *self.transport, cx, data)
    }

    fn end(&mut self, trailers: Option<&Head>) {
        self.asked.keep &= !self.output.is_short();
        self.output.end(trailers);
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamError>> {
        self.output.poll_flush(&mut *self.transport, cx)
    }

    fn is_flushed(&self) -> bool {
        self.output.is_flushed()
    }

    fn raw_sink(&mut self) -> Option<(&mut dyn Transport, u64)> {
        let n = self.output.room();
        (n > 0).then_some((&mut *self.transport, n))
    }

    fn announce(&mut self, n: u64) {
        self.output.announce(n);
    }

    fn sent(&mut self, n: u64) {
        self.output.sent(n);
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamError>> {
        self.transport.poll_shutdown(cx).map_err(StreamError::Io)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every idle connection holds one; 160 bytes is a class of the allocator.
    #[test]
    fn idle_connections_stay_small() {
        assert!(size_of::<H1Front>() <= 160, "{}", size_of::<H1Front>());
    }
}
