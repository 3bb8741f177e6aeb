//! HTTP/2 by the frame: just enough to play a peer that behaves well or badly.

use crate::wire::PATIENCE;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// What a client starts with.
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Frame types.
#[expect(missing_docs, reason = "the names of RFC 9113")]
pub mod kind {
    pub const DATA: u8 = 0;
    pub const HEADERS: u8 = 1;
    pub const RST_STREAM: u8 = 3;
    pub const SETTINGS: u8 = 4;
    pub const PING: u8 = 6;
    pub const GOAWAY: u8 = 7;
    pub const WINDOW_UPDATE: u8 = 8;
    pub const CONTINUATION: u8 = 9;
}

/// `END_STREAM`, and `ACK` of SETTINGS and PING.
pub const END: u8 = 1;
/// `END_HEADERS`.
pub const END_HEADERS: u8 = 4;

/// A frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// See [`kind`].
    pub kind: u8,
    /// Its flags.
    pub flags: u8,
    /// Its stream, 0 for the connection.
    pub stream: u32,
    /// What it carries.
    pub payload: Vec<u8>,
}

impl Frame {
    /// A frame.
    pub fn new(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Self {
        Self { kind, flags, stream, payload: payload.to_vec() }
    }

    /// It is the last one of its sender on its stream.
    pub fn ends(&self) -> bool {
        matches!(self.kind, kind::DATA | kind::HEADERS) && self.flags & END != 0
    }
}

/// A frame in bytes.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let len = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut out = vec![len[1], len[2], len[3], kind, flags];
    out.extend(stream.to_be_bytes());
    out.extend_from_slice(payload);
    out
}

/// The server's side of a connection whose client speaks HTTP/2 from the first byte. Waits at most 30 s for
/// anything.
pub struct H2Server {
    io: TcpStream,
}

impl H2Server {
    /// Reads the preface and sends SETTINGS, as (identifier, value).
    ///
    /// # Errors
    /// The client left, or spoke something else.
    pub fn accept(mut io: TcpStream, settings: &[(u16, u32)]) -> io::Result<Self> {
        io.set_read_timeout(Some(PATIENCE))?;
        io.set_nodelay(true)?;
        let mut preface = [0; PREFACE.len()];
        io.read_exact(&mut preface)?;
        if preface != PREFACE {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut me = Self { io };
        let mut payload = Vec::new();
        for (id, value) in settings {
            payload.extend(id.to_be_bytes());
            payload.extend(value.to_be_bytes());
        }
        me.send(&Frame::new(kind::SETTINGS, 0, 0, &payload))?;
        Ok(me)
    }

    /// Sends a frame.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn send(&mut self, f: &Frame) -> io::Result<()> {
        self.io.write_all(&frame(f.kind, f.flags, f.stream, &f.payload))
    }

    /// The next frame, whatever it is.
    ///
    /// # Errors
    /// Those of the socket; the end of the connection is `UnexpectedEof`.
    pub fn any(&mut self) -> io::Result<Frame> {
        let mut head = [0; 9];
        self.io.read_exact(&mut head)?;
        let len = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]) & !(1 << 31);
        let mut payload = vec![0; len];
        self.io.read_exact(&mut payload)?;
        Ok(Frame { kind: head[3], flags: head[4], stream, payload })
    }

    /// The next frame of a request; answers SETTINGS and PING, and opens the windows for what comes.
    ///
    /// # Errors
    /// As for [`H2Server::any`].
    pub fn frame(&mut self) -> io::Result<Frame> {
        loop {
            if let Some(f) = self.taken()? {
                return Ok(f);
            }
        }
    }

    /// As [`H2Server::frame`], but waits only that long; nothing, too, when what came is not of a request.
    ///
    /// # Errors
    /// As for [`H2Server::any`].
    pub fn look(&mut self, ms: u64) -> io::Result<Option<Frame>> {
        if self.has_input(ms) { self.taken() } else { Ok(None) }
    }

    fn taken(&mut self) -> io::Result<Option<Frame>> {
        let f = self.any()?;
        match f.kind {
            kind::SETTINGS | kind::PING if f.flags & END == 0 => {
                let payload: &[u8] = if f.kind == kind::PING { &f.payload } else { &[] };
                self.send(&Frame::new(f.kind, END, 0, payload))?;
                Ok(None)
            }
            kind::SETTINGS | kind::PING | kind::WINDOW_UPDATE => Ok(None),
            kind::DATA if !f.payload.is_empty() => {
                let n = (f.payload.len() as u32).to_be_bytes();
                self.send(&Frame::new(kind::WINDOW_UPDATE, 0, 0, &n))?;
                if !f.ends() {
                    self.send(&Frame::new(kind::WINDOW_UPDATE, 0, f.stream, &n))?;
                }
                Ok(Some(f))
            }
            _ => Ok(Some(f)),
        }
    }

    fn has_input(&mut self, ms: u64) -> bool {
        let _ = self.io.set_read_timeout(Some(Duration::from_millis(ms)));
        let there = self.io.peek(&mut [0]).is_ok();
        let _ = self.io.set_read_timeout(Some(PATIENCE));
        there
    }

    /// The stream of the next request that has come to its end, and the bytes of its body.
    ///
    /// # Errors
    /// As for [`H2Server::any`].
    pub fn request(&mut self) -> io::Result<(u32, Vec<u8>)> {
        let mut body = Vec::new();
        loop {
            let f = self.frame()?;
            if f.kind == kind::DATA {
                body.extend(&f.payload);
            }
            if f.ends() {
                return Ok((f.stream, body));
            }
        }
    }

    /// Answers 200 with a body.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn respond(&mut self, stream: u32, body: &[u8]) -> io::Result<()> {
        // Number 8 of HPACK's static table: `:status: 200`.
        self.send(&Frame::new(kind::HEADERS, END_HEADERS, stream, &[0x88]))?;
        self.send(&Frame::new(kind::DATA, END, stream, body))
    }

    /// Takes a stream back with an error code.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn reset(&mut self, stream: u32, code: u32) -> io::Result<()> {
        self.send(&Frame::new(kind::RST_STREAM, 0, stream, &code.to_be_bytes()))
    }

    /// Announces that streams above `last` are not served.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn goaway(&mut self, last: u32, code: u32) -> io::Result<()> {
        let payload = [last.to_be_bytes(), code.to_be_bytes()].concat();
        self.send(&Frame::new(kind::GOAWAY, 0, 0, &payload))
    }

    /// Waits until the client has closed, whatever it says until then; false when it does not within that time.
    pub fn closed_within(&mut self, ms: u64) -> bool {
        let _ = self.io.set_read_timeout(Some(Duration::from_millis(ms)));
        loop {
            match self.any() {
                Ok(_) => {}
                Err(e) => return !matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut),
            }
        }
    }
}
