//! Connections that begin with bytes of their own: a PROXY header goes out in front of the first bytes of whatever
//! the mux sends, in the same system call.

use crate::Transport;
use crate::vtable::Connecting;
use std::io::{self, IoSlice};
use std::task::{Context, Poll, ready};

/// Puts bytes in front of a connection.
pub(crate) struct Announced {
    line: Line,
    /// What is left of them.
    header: Vec<u8>,
    sent: usize,
}

enum Line {
    Dialing(Box<dyn Connecting>),
    /// Established, with a part of the header still to send.
    Up(Box<dyn Transport>),
    Gone,
}

impl Announced {
    /// `header` must not be empty.
    pub(crate) fn new(line: Box<dyn Connecting>, header: Vec<u8>) -> Self {
        Self { line: Line::Dialing(line), header, sent: 0 }
    }
}

impl Connecting for Announced {
    fn poll_connect(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Box<dyn Transport>>> {
        self.poll_connect_send(cx, &[]).map_ok(|(t, _)| t)
    }

    fn poll_connect_send(
        &mut self,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<(Box<dyn Transport>, usize)>> {
        loop {
            let left = self.header.get(self.sent..).unwrap_or_default();
            let mut all = Vec::with_capacity(bufs.len() + 1);
            all.push(IoSlice::new(left));
            all.extend(bufs.iter().map(|b| IoSlice::new(b)));
            let n = match &mut self.line {
                Line::Dialing(line) => {
                    let (transport, n) = ready!(line.poll_connect_send(cx, &all))?;
                    self.line = Line::Up(transport);
                    n
                }
                Line::Up(transport) => ready!(transport.poll_write_vectored(cx, &all, false))?,
                Line::Gone => return Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
            };
            self.sent += n;
            let Some(beyond) = self.sent.checked_sub(self.header.len()) else { continue };
            return Poll::Ready(match std::mem::replace(&mut self.line, Line::Gone) {
                Line::Up(transport) => Ok((transport, beyond)),
                _ => Err(io::ErrorKind::NotConnected.into()),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ConnectTo, dial};
    use std::future::poll_fn;
    use std::io::Read;
    use std::net::TcpListener;

    fn run(f: impl AsyncFnOnce()) {
        let rt = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        rt.block_on(async { tokio::time::timeout(std::time::Duration::from_secs(20), f()).await.unwrap() });
    }

    #[test]
    fn header_and_first_bytes_go_out_together() {
        run(async || {
            let l = TcpListener::bind("127.0.0.1:0").unwrap();
            let to = ConnectTo { dst: crate::Address::Ip(l.local_addr().unwrap()), ..ConnectTo::default() };
            let mut line = dial(&to, Some(b"header ".to_vec())).unwrap();
            let bufs = [IoSlice::new(b"first "), IoSlice::new(b"bytes")];
            let (_t, n) = poll_fn(|cx| line.poll_connect_send(cx, &bufs)).await.unwrap();
            assert_eq!(n, 11, "one write took everything");
            let mut buf = [0; 64];
            let n = l.accept().unwrap().0.read(&mut buf).unwrap();
            assert_eq!(&buf[..n], b"header first bytes");
        });
    }

    struct Failing;

    impl Connecting for Failing {
        fn poll_connect(&mut self, _: &mut Context<'_>) -> Poll<io::Result<Box<dyn Transport>>> {
            Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
        }
    }

    #[test]
    fn a_failure_to_connect_is_passed_on() {
        let mut cx = Context::from_waker(std::task::Waker::noop());
        let mut line = Announced::new(Box::new(Failing), b"header".to_vec());
        let Poll::Ready(Err(e)) = line.poll_connect(&mut cx) else { panic!("connected") };
        assert_eq!(e.kind(), io::ErrorKind::ConnectionReset);
    }
}
