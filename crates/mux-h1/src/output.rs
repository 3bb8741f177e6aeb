//! The writing half of a connection: what is gathered, and the encoding of the body under way.

use crate::codec::{Encoding, encode_chunk_header, encode_last_chunk, encode_trailers};
use hawser_http::Head;
use hawser_proto::Transport;
use hawser_proto::buf;
use hawser_proto::mux::StreamError;
use std::io::IoSlice;
use std::task::{Context, Poll, ready};

/// Pieces up to this size are copied behind what is gathered instead of being written apart (bytes).
const SMALL: usize = 4096;

/// Writes to a transport.
#[derive(Debug, Default)]
pub(crate) struct Output {
    /// Heads, chunk headers and small pieces of bodies.
    out: Vec<u8>,
    /// How much of `out` was written.
    pos: usize,
    enc: State,
}

/// The body under way.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// None, or it is complete.
    #[default]
    Done,
    /// Bytes that may still be written.
    Length(u64),
    /// Bytes that the current chunk still lacks.
    Chunked(u64),
    /// Anything goes.
    Raw,
}

impl Output {
    /// The buffer for a head; [`Output::start`] must follow.
    pub(crate) fn text(&mut self) -> &mut Vec<u8> {
        if self.out.capacity() == 0 {
            self.out = buf::take_text();
        }
        &mut self.out
    }

    /// A head was appended: its body follows.
    pub(crate) fn start(&mut self, enc: Encoding) {
        self.enc = match enc {
            Encoding::Empty | Encoding::Length(0) => State::Done,
            Encoding::Length(n) => State::Length(n),
            Encoding::Chunked => State::Chunked(0),
            Encoding::UntilClose | Encoding::Tunnel => State::Raw,
        };
    }

    /// Whether a body is under way.
    pub(crate) fn is_open(&self) -> bool {
        self.enc != State::Done
    }

    /// Whether everything was written.
    pub(crate) fn is_flushed(&self) -> bool {
        self.pos == self.out.len()
    }

    /// See [`hawser_proto::mux::Sink::poll_data`].
    pub(crate) fn poll_data(
        &mut self,
        t: &mut dyn Transport,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<Result<usize, StreamError>> {
        if data.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let room = match self.enc {
            // Nothing may follow: a HEAD response, or more than was announced. It is dropped.
            State::Done | State::Length(0) => return Poll::Ready(Ok(data.len())),
            State::Length(n) => n,
            State::Chunked(0) => {
                encode_chunk_header(data.len() as u64, self.text());
                self.enc = State::Chunked(data.len() as u64);
                data.len() as u64
            }
            State::Chunked(n) => n,
            State::Raw => u64::MAX,
        };
        let n = data.len().min(usize::try_from(room).unwrap_or(usize::MAX));
        let data = data.get(..n).unwrap_or_default();
        if self.out.len() - self.pos + n <= SMALL {
            self.text().extend_from_slice(data);
            self.wrote(n, false);
            return Poll::Ready(Ok(n));
        }
        self.poll_through(t, cx, data)
    }

    /// Writes what is gathered, the data, and the end of the chunk that it completes.
    fn poll_through(
        &mut self,
        t: &mut dyn Transport,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<Result<usize, StreamError>> {
        loop {
            let gathered = self.waiting();
            let tail: &[u8] = if self.enc == State::Chunked(data.len() as u64) { b"\r\n" } else { b"" };
            let before = gathered.len();
            let w = if before == 0 && tail.is_empty() {
                ready!(t.poll_write(cx, data, false))?
            } else {
                let all = [IoSlice::new(gathered), IoSlice::new(data), IoSlice::new(tail)];
                let used = if tail.is_empty() { &all[..2] } else { &all[..] };
                ready!(t.poll_write_vectored(cx, used, false))?
            };
            if w <= before {
                self.advance(w);
                continue;
            }
            self.advance(before);
            let n = (w - before).min(data.len());
            let of_tail = w - before - n;
            self.wrote(n, of_tail == tail.len() && n == data.len());
            if of_tail == 1 {
                // Half of the line end went out; `wrote` has gathered it whole.
                self.pos += 1;
            }
            return Poll::Ready(Ok(n));
        }
    }

    /// Accounts for `n` body bytes; a chunk that is complete gets its end unless that is written already.
    fn wrote(&mut self, n: usize, ended: bool) {
        match &mut self.enc {
            State::Length(left) => *left = left.saturating_sub(n as u64),
            State::Chunked(left) if n > 0 => {
                *left = left.saturating_sub(n as u64);
                if *left == 0 && !ended {
                    self.text().extend_from_slice(b"\r\n");
                }
            }
            State::Done | State::Raw | State::Chunked(_) => {}
        }
    }

    /// What is gathered and not written.
    pub(crate) fn waiting(&self) -> &[u8] {
        self.out.get(self.pos..).unwrap_or_default()
    }

    /// `n` bytes of [`Output::waiting`] were written.
    pub(crate) fn advance(&mut self, n: usize) {
        self.pos += n;
        if self.pos >= self.out.len() {
            self.pos = 0;
            buf::give_text(std::mem::take(&mut self.out));
        }
    }

    /// See [`hawser_proto::mux::Sink::end`].
    pub(crate) fn end(&mut self, trailers: Option<&Head>) {
        if let State::Chunked(_) = self.enc {
            match trailers {
                Some(head) => encode_trailers(head, self.text()),
                None => encode_last_chunk(self.text()),
            }
        }
        self.enc = State::Done;
    }

    /// See [`hawser_proto::mux::Sink::poll_flush`].
    pub(crate) fn poll_flush(
        &mut self,
        t: &mut dyn Transport,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), StreamError>> {
        while self.pos < self.out.len() {
            let n = ready!(t.poll_write(cx, self.waiting(), false))?;
            self.advance(n);
        }
        Poll::Ready(Ok(()))
    }

    /// How many bytes may be put on the transport without framing.
    pub(crate) fn room(&self) -> u64 {
        match self.enc {
            _ if !self.is_flushed() => 0,
            State::Length(n) => n,
            State::Raw | State::Chunked(0) => u64::MAX,
            State::Chunked(n) => n,
            State::Done => 0,
        }
    }

    /// `n` bytes are about to be put on the transport directly.
    pub(crate) fn announce(&mut self, n: u64) {
        if self.enc == State::Chunked(0) && n > 0 {
            encode_chunk_header(n, self.text());
            self.enc = State::Chunked(n);
        }
    }

    /// Bytes were put on the transport directly.
    pub(crate) fn sent(&mut self, n: u64) {
        self.wrote(usize::try_from(n).unwrap_or(usize::MAX), false);
    }

    /// Whether a body with an announced length lacks bytes.
    pub(crate) fn is_short(&self) -> bool {
        matches!(self.enc, State::Length(n) if n > 0)
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        buf::give_text(std::mem::take(&mut self.out));
    }
}
