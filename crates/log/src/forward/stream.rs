//! Messages that come over connections.

use super::Forwarder;
use super::frame::{self, Frame};
use hawser_proto::memory::{self, Need};
use hawser_proto::{Address, Incoming, Transport, pp};
use std::future::poll_fn;
use std::io;
use std::time::Duration;

/// Messages that are sent on before other connections get a turn.
const TURN: usize = 32;

impl Forwarder {
    /// Serves a connection to its end.
    pub async fn serve(&self, mut conn: Incoming) {
        let listener = conn.slot.listener();
        let mut sender = conn.src;
        if !listener.expect.is_none() {
            let header = pp::receive(&mut *conn.transport, listener.expect, listener.handshake_timeout).await;
            match header {
                Ok(header) => sender = header.addrs.map_or(sender, |(src, _)| src),
                Err(_) => return,
            }
        }
        // Whatever ends it, there is nobody to tell.
        let _ = self.stream(&mut *conn.transport, &sender).await;
    }

    async fn stream(&self, transport: &mut dyn Transport, sender: &Address) -> io::Result<()> {
        let mut buf = Vec::new();
        loop {
            within(self.timeout, poll_fn(|cx| transport.poll_read_ready(cx))).await?;
            if buf.is_empty() && !memory::allows(Need::Buffer) {
                return Err(io::ErrorKind::OutOfMemory.into());
            }
            let start = buf.len();
            buf.resize(self.max.max(start + 1), 0);
            let n = within(self.timeout, poll_fn(|cx| transport.poll_read(cx, &mut buf[start..]))).await?;
            if n == 0 {
                return Ok(());
            }
            buf.truncate(start + n);
            let used = self.messages(&buf, sender).await?;
            buf.drain(..used);
            if buf.is_empty() {
                // A connection that waits owns no buffer.
                buf = Vec::new();
            }
        }
    }

    /// Sends on what is complete; returns how many bytes that was.
    async fn messages(&self, bytes: &[u8], sender: &Address) -> io::Result<usize> {
        let mut at = 0;
        for turn in 1.. {
            match frame::next(&bytes[at..], self.max, self.assume_ntf) {
                Frame::Message { from, to, used } => {
                    self.message(&bytes[at + from..at + to], sender);
                    at += used;
                }
                Frame::Partial => break,
                Frame::Invalid => return Err(io::ErrorKind::InvalidData.into()),
            }
            if turn % TURN == 0 {
                tokio::task::yield_now().await;
            }
        }
        Ok(at)
    }
}

async fn within<T>(limit: Option<Duration>, wait: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    match limit {
        None => wait.await,
        Some(limit) => tokio::time::timeout(limit, wait).await.map_err(|_| io::ErrorKind::TimedOut)?,
    }
}
