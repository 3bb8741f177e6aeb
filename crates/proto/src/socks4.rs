//! `socks4`: a connection to a server through a SOCKS4 proxy.

use crate::Transport;
use crate::vtable::Connecting;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::task::{Context, Poll, ready};

/// Length of the proxy's answer.
const ANSWER: usize = 8;
/// "Request granted."
const GRANTED: u8 = 90;

/// A connection to the proxy that becomes one to the server.
pub(crate) struct Socks4 {
    line: Line,
    request: Vec<u8>,
    sent: usize,
    answer: [u8; ANSWER],
    got: usize,
}

enum Line {
    Dialing(Box<dyn Connecting>),
    Up(Box<dyn Transport>),
    Gone,
}

impl Socks4 {
    /// Asks for `dst` once `line` is established.
    ///
    /// # Errors
    /// SOCKS4 knows IPv4 only.
    pub(crate) fn new(line: Box<dyn Connecting>, dst: SocketAddr) -> io::Result<Self> {
        let IpAddr::V4(ip) = dst.ip().to_canonical() else {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "SOCKS4 knows no IPv6"));
        };
        let mut request = vec![4, 1];
        request.extend(dst.port().to_be_bytes());
        request.extend(ip.octets());
        request.extend(b"HAProxy\0");
        Ok(Self { line: Line::Dialing(line), request, sent: 0, answer: [0; ANSWER], got: 0 })
    }
}

impl Connecting for Socks4 {
    fn poll_connect(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Box<dyn Transport>>> {
        if let Line::Dialing(line) = &mut self.line {
            let (transport, n) = ready!(line.poll_connect_send(cx, &[io::IoSlice::new(&self.request)]))?;
            self.sent = n;
            self.line = Line::Up(transport);
        }
        let Line::Up(transport) = &mut self.line else {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        };
        while let Some(left) = self.request.get(self.sent..).filter(|l| !l.is_empty()) {
            self.sent += ready!(transport.poll_write(cx, left, false))?;
        }
        while self.got < ANSWER {
            // Not a byte more: what follows belongs to the server.
            match ready!(transport.poll_read(cx, &mut self.answer[self.got..]))? {
                0 => return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
                n => self.got += n,
            }
        }
        if self.answer[..2] != [0, GRANTED] {
            return Poll::Ready(Err(io::ErrorKind::ConnectionRefused.into()));
        }
        match std::mem::replace(&mut self.line, Line::Gone) {
            Line::Up(transport) => Poll::Ready(Ok(transport)),
            _ => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }
}
