//! A client of HTTP/2 that sends any frame it is told to, right or wrong.

pub use crate::h2::{END, END_HEADERS, Frame, PREFACE, frame, kind};
use crate::wire::PATIENCE;
use std::io::{Read, Write};
use std::net::TcpStream;

/// What became of a request.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Statuses of all heads, interim ones first.
    pub statuses: Vec<u16>,
    /// The body.
    pub body: Vec<u8>,
    /// HEADERS came behind the body.
    pub trailers: bool,
    /// Code of the RST_STREAM that ended it.
    pub reset: Option<u32>,
    /// Code of a GOAWAY that came meanwhile.
    pub goaway: Option<u32>,
    /// The connection ended under it.
    pub closed: bool,
}

impl Outcome {
    /// The final status, 0 if there was none.
    pub fn status(&self) -> u16 {
        self.statuses.last().copied().unwrap_or(0)
    }

    /// Neither a whole response nor silence: the stream or the connection was refused.
    pub fn is_refused(&self) -> bool {
        self.reset.is_some() || self.goaway.is_some_and(|c| c != 0) || self.closed
    }
}

/// A client connection.
pub struct H2 {
    s: TcpStream,
    buf: Vec<u8>,
    /// Give back the room that bodies take.
    pub updates: bool,
}

impl H2 {
    /// Connects and sends preface and empty SETTINGS; reads time out after 30 s.
    pub fn connect(port: u16) -> Self {
        let mut h = Self::raw(port);
        h.send(PREFACE);
        h.frame(kind::SETTINGS, 0, 0, b"");
        h
    }

    /// Connects and sends nothing.
    pub fn raw(port: u16) -> Self {
        let s = TcpStream::connect(("127.0.0.1", port)).unwrap();
        s.set_read_timeout(Some(PATIENCE)).unwrap();
        s.set_write_timeout(Some(PATIENCE)).unwrap();
        Self { s, buf: Vec::new(), updates: true }
    }

    /// Sends bytes; false when the other side has closed.
    pub fn send(&mut self, bytes: &[u8]) -> bool {
        self.s.write_all(bytes).is_ok()
    }

    /// Sends a frame.
    pub fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> bool {
        self.send(&frame(kind, flags, stream, payload))
    }

    /// Sends a head in one frame.
    pub fn headers(&mut self, stream: u32, fields: &[(&str, &str)], end: bool) -> bool {
        let flags = END_HEADERS | if end { END } else { 0 };
        self.frame(kind::HEADERS, flags, stream, &block(fields))
    }

    /// Sends a GET.
    pub fn get(&mut self, stream: u32, path: &str) -> bool {
        self.headers(stream, &request("GET", path), true)
    }

    /// Sends a piece of a body.
    pub fn data(&mut self, stream: u32, bytes: &[u8], end: bool) -> bool {
        self.frame(kind::DATA, if end { END } else { 0 }, stream, bytes)
    }

    /// The next frame; none at the end of the connection or after 30 silent seconds. SETTINGS are acknowledged.
    pub fn next_frame(&mut self) -> Option<Frame> {
        while self.buf.len() < 9 || self.buf.len() < 9 + length(&self.buf) {
            let mut chunk = [0; 65536];
            match self.s.read(&mut chunk) {
                Ok(n) if n > 0 => self.buf.extend_from_slice(&chunk[..n]),
                _ => return None,
            }
        }
        let len = length(&self.buf);
        let f = Frame {
            kind: self.buf[3],
            flags: self.buf[4],
            stream: u32::from_be_bytes([self.buf[5] & 0x7f, self.buf[6], self.buf[7], self.buf[8]]),
            payload: self.buf[9..9 + len].to_vec(),
        };
        self.buf.drain(..9 + len);
        if f.kind == kind::SETTINGS && f.flags & END == 0 {
            self.frame(kind::SETTINGS, END, 0, b"");
        }
        Some(f)
    }

    /// Reads until a stream has ended, one way or the other. Frames of other streams are dropped.
    pub fn outcome(&mut self, stream: u32) -> Outcome {
        let mut o = Outcome::default();
        while let Some(f) = self.next_frame() {
            match f.kind {
                kind::GOAWAY => o.goaway = Some(code(&f.payload[4..])),
                _ if f.stream != stream => {}
                kind::HEADERS if o.status() >= 200 => o.trailers = true,
                kind::HEADERS => o.statuses.push(status(&f.payload)),
                kind::DATA => {
                    o.body.extend_from_slice(&f.payload);
                    self.give_back(stream, f.payload.len());
                }
                kind::RST_STREAM => {
                    o.reset = Some(code(&f.payload));
                    return o;
                }
                _ => {}
            }
            if f.stream == stream && f.ends() {
                return o;
            }
        }
        o.closed = true;
        o
    }

    fn give_back(&mut self, stream: u32, n: usize) {
        if !self.updates || n == 0 {
            return;
        }
        let n = u32::try_from(n).unwrap().to_be_bytes();
        self.frame(kind::WINDOW_UPDATE, 0, 0, &n);
        self.frame(kind::WINDOW_UPDATE, 0, stream, &n);
    }
}

/// The pseudo-fields of a plain request.
pub fn request<'a>(method: &'a str, path: &'a str) -> [(&'a str, &'a str); 4] {
    [(":method", method), (":scheme", "http"), (":path", path), (":authority", "x.example")]
}

/// A field block: literals that no table remembers (RFC 7541 section 6.2.2).
pub fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in fields {
        out.push(0);
        for text in [name, value] {
            integer(text.len(), &mut out);
            out.extend_from_slice(text.as_bytes());
        }
    }
    out
}

/// A length with a prefix of seven bits (RFC 7541 section 5.1).
fn integer(n: usize, out: &mut Vec<u8>) {
    if n < 127 {
        out.push(n as u8);
        return;
    }
    out.push(127);
    let mut rest = n - 127;
    while rest >= 128 {
        out.push((rest % 128) as u8 | 128);
        rest /= 128;
    }
    out.push(rest as u8);
}

fn length(b: &[u8]) -> usize {
    usize::from(b[0]) << 16 | usize::from(b[1]) << 8 | usize::from(b[2])
}

fn code(b: &[u8]) -> u32 {
    u32::from_be_bytes([b[0], b[1], b[2], b[3]])
}

/// The status that a field block starts with.
fn status(block: &[u8]) -> u16 {
    let mut b = block;
    // Changes of the table's size come first.
    while let [first, rest @ ..] = b
        && first & 0xe0 == 0x20
    {
        b = rest;
    }
    match b {
        [first, ..] if first & 0x80 != 0 => {
            let known = [200, 204, 206, 304, 400, 404, 500];
            known.get(usize::from(first & 0x7f).wrapping_sub(8)).copied().unwrap_or(0)
        }
        [_, len, rest @ ..] if len & 0x80 != 0 => digits(&rest[..usize::from(len & 0x7f)]),
        [_, len, rest @ ..] => {
            let text = rest.get(..usize::from(*len)).unwrap_or_default();
            String::from_utf8_lossy(text).parse().unwrap_or(0)
        }
        _ => 0,
    }
}

/// Three digits in Huffman code (RFC 7541 appendix B): five bits for 0 to 2, six for the others.
fn digits(coded: &[u8]) -> u16 {
    let bits: Vec<u16> =
        coded.iter().flat_map(|b| (0..8).rev().map(move |i| u16::from(b >> i & 1))).collect();
    let (mut at, mut out) = (0, 0);
    for _ in 0..3 {
        let take = |n: usize| bits.iter().skip(at).take(n).fold(0, |v, b| v << 1 | b);
        let short = take(5);
        let (digit, len) = if short <= 2 { (short, 5) } else { (take(6) - 22, 6) };
        at += len;
        out = out * 10 + digit;
    }
    out
}
