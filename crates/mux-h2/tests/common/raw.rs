//! A peer that speaks frames.

use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const PRIORITY: u8 = 2;
pub const RST: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;

pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut f = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    f.extend([kind, flags]);
    f.extend(stream.to_be_bytes());
    f.extend(payload);
    f
}

/// A header block of literals.
pub fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut b = Vec::new();
    let text = |s: &str, b: &mut Vec<u8>| {
        assert!(s.len() < 127);
        b.push(s.len() as u8);
        b.extend(s.as_bytes());
    };
    for (n, v) in fields {
        b.push(0);
        text(n, &mut b);
        text(v, &mut b);
    }
    b
}

/// A request head.
pub fn request(method: &str, path: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let mut fields = vec![(":method", method), (":scheme", "http"), (":path", path), (":authority", "h")];
    fields.extend(more);
    block(&fields)
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
}

impl Frame {
    pub fn code(&self) -> u32 {
        let at = if self.kind == GOAWAY { 4 } else { 0 };
        u32::from_be_bytes(self.payload[at..at + 4].try_into().unwrap())
    }

    pub fn ends(&self) -> bool {
        self.flags & 1 != 0
    }
}

pub struct Peer(pub UnixStream);

impl Peer {
    /// A client that has sent its preface.
    pub async fn client(io: UnixStream) -> Self {
        let mut p = Self(io);
        p.send(&[PREFACE, &frame(SETTINGS, 0, 0, &[]), &frame(SETTINGS, 1, 0, &[])].concat()).await;
        p
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        // A peer that has closed takes no more; what it said is what counts.
        let _ = self.0.write_all(bytes).await;
    }

    pub async fn get(&mut self, stream: u32, path: &str) {
        self.send(&frame(HEADERS, 5, stream, &request("GET", path, &[]))).await;
    }

    /// The next frame; nothing at the end of the connection.
    pub async fn next(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).await.ok()?;
        let len = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let mut payload = vec![0; len];
        self.0.read_exact(&mut payload).await.ok()?;
        let stream = u32::from_be_bytes(head[5..9].try_into().unwrap());
        Some(Frame { kind: head[3], flags: head[4], stream, payload })
    }

    /// The next frame of that kind; what comes before is ignored.
    pub async fn find(&mut self, kind: u8) -> Option<Frame> {
        loop {
            let f = self.next().await?;
            if f.kind == kind {
                return Some(f);
            }
        }
    }

    /// The status of a response, by its index in the static table or as a literal.
    pub async fn status(&mut self, stream: u32) -> Option<u16> {
        loop {
            let f = self.next().await?;
            if f.stream != stream {
                continue;
            }
            match f.kind {
                HEADERS => return Some(status(&f.payload)),
                RST => return None,
                _ => {}
            }
        }
    }

    /// Everything until the connection ends, or nothing comes for a while.
    pub async fn rest(&mut self) -> Vec<Frame> {
        let mut all = Vec::new();
        while let Ok(Some(f)) = tokio::time::timeout(Duration::from_millis(200), self.next()).await {
            all.push(f);
        }
        all
    }
}

pub fn status(block: &[u8]) -> u16 {
    let known = [200, 204, 206, 304, 400, 404, 500];
    let mut b = block;
    while let [first @ 0x20..=0x3f, rest @ ..] = b {
        let _ = first;
        b = rest;
    }
    match b {
        [i @ 0x88..=0x8e, ..] => known[(i - 0x88) as usize],
        // `:status` as a literal with an indexed name, Huffman coded or not: three digits.
        [_, 3, a, b, c, ..] => [a, b, c].iter().fold(0, |n, d| n * 10 + u16::from(*d - b'0')),
        _ => 1,
    }
}
