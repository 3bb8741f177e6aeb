//! One attempt to get a connection: connect, open HTTP/2, wait until the peer did the same.

use super::frames::{Frame, HEADER, SETTINGS};
use super::{Dialer, PREFACE};
use crate::Transport;
use std::future::poll_fn;
use std::io::{self, ErrorKind, IoSlice};

/// Largest SETTINGS frame that a peer may start with (bytes of payload): no frame may be larger before this side has
/// allowed it.
const SETTINGS_MAX: usize = 16384;

/// How much is read at once: most peers start with less.
const CHUNK: usize = 512;

/// A connection whose peer speaks HTTP/2.
pub(super) struct Opened {
    pub(super) transport: Box<dyn Transport>,
    /// What the peer has sent: its SETTINGS, and what came with it.
    pub(super) received: Vec<u8>,
    /// What was sent after the preface.
    pub(super) greeting: Vec<u8>,
}

/// Connects, sends preface and greeting, and reads up to the end of the peer's SETTINGS.
pub(super) async fn open(dialer: &dyn Dialer) -> io::Result<Opened> {
    let greeting = dialer.greeting();
    if greeting.is_empty() {
        return Err(io::Error::new(
            ErrorKind::Unsupported,
            "the frontend's protocol cannot be turned around",
        ));
    }
    let first = [PREFACE.as_slice(), &greeting].concat();
    let mut line = dialer.dial()?;
    let bufs = [IoSlice::new(&first)];
    let (mut transport, mut sent) = poll_fn(|cx| line.poll_connect_send(cx, &bufs)).await?;
    while sent < first.len() {
        match poll_fn(|cx| transport.poll_write(cx, &first[sent..], false)).await? {
            0 => return Err(ErrorKind::WriteZero.into()),
            n => sent += n,
        }
    }
    let mut received = Vec::new();
    while !settings_complete(&received)? {
        let at = received.len();
        received.resize(at + CHUNK, 0);
        let n = poll_fn(|cx| transport.poll_read(cx, &mut received[at..])).await?;
        received.truncate(at + n);
        if n == 0 {
            return Err(io::Error::new(ErrorKind::UnexpectedEof, "the peer closed before its SETTINGS"));
        }
    }
    Ok(Opened { transport, received, greeting })
}

/// Whether the peer's first frame is there; it must be SETTINGS (RFC 9113, 3.4).
fn settings_complete(received: &[u8]) -> io::Result<bool> {
    let Some(header) = received.first_chunk::<HEADER>() else { return Ok(false) };
    let frame = Frame::parse(header);
    let proper = frame.kind == SETTINGS && frame.flags & 1 == 0 && frame.stream == 0;
    if !proper || !frame.len.is_multiple_of(6) || frame.len > SETTINGS_MAX {
        return Err(io::Error::new(ErrorKind::InvalidData, "the peer does not start with SETTINGS"));
    }
    Ok(received.len() >= HEADER + frame.len)
}
