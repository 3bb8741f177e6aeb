//! Bytes between a connection to the master's command line and a worker's.

use hawser_cli::conversation::Request;
use hawser_cli::{Conversation, Level};
use hawser_proto::Transport;
use std::future::poll_fn;
use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

/// How long somebody may take to read what he asked for.
const PATIENCE: Duration = Duration::from_secs(10);

/// A client of the master's command line.
pub(super) struct Peer(Box<dyn Transport>);

impl Peer {
    /// Over this connection.
    pub(super) fn new(transport: Box<dyn Transport>) -> Self {
        Self(transport)
    }

    /// Reads something; 0 at the end.
    pub(super) async fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        poll_fn(|cx| self.0.poll_read(cx, buf)).await
    }

    /// Writes all of it.
    pub(super) async fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let work = poll_fn(|cx| self.0.poll_write(cx, bytes, false));
            let n = tokio::time::timeout(PATIENCE, work).await.map_err(|_| io::ErrorKind::TimedOut)??;
            bytes = &bytes[n..];
        }
        Ok(())
    }

    /// Says that nothing more comes.
    pub(super) async fn shutdown(&mut self) -> io::Result<()> {
        poll_fn(|cx| self.0.poll_shutdown(cx)).await
    }
}

/// The line that makes a worker run a command as this connection may, and how many empty answers come before
/// the command's.
pub(super) fn order(conversation: &Conversation, request: &Request, command: &str) -> (String, usize) {
    let mut preludes = Vec::new();
    if conversation.experimental {
        preludes.push("experimental-mode on");
    }
    if conversation.expert {
        preludes.push("expert-mode on");
    }
    match conversation.level() {
        Level::Admin => {}
        Level::Operator => preludes.push("operator"),
        Level::User => preludes.push("user"),
    }
    let count = preludes.len();
    let mut text = String::new();
    preludes.iter().for_each(|p| text.extend([p, "; "]));
    text += command;
    match &request.payload {
        Some(payload) => {
            let pattern = &request.pattern;
            text.extend([" <<", pattern, "\n", payload, pattern, "\n"]);
        }
        None => text.push('\n'),
    }
    (text, count)
}

/// Sends a line to a worker, and its answers to the client, but for so many newlines at their start. With `both`, what
/// the client says meanwhile goes to the worker.
pub(super) async fn pass(
    worker: OwnedFd,
    text: &str,
    mut skip: usize,
    mut both: bool,
    peer: &mut Peer,
) -> io::Result<()> {
    let worker = std::os::unix::net::UnixStream::from(worker);
    worker.set_nonblocking(true)?;
    let mut worker = UnixStream::from_std(worker)?;
    worker.write_all(text.as_bytes()).await?;
    let (mut buf, mut said) = (vec![0; 16_384], [0; 1024]);
    loop {
        let n = tokio::select! {
            // A worker that ends meanwhile has said what it had to say.
            n = worker.read(&mut buf) => n.unwrap_or(0),
            n = peer.read(&mut said), if both => {
                let n = n?;
                both = n > 0;
                let passed = if both { worker.write_all(&said[..n]).await } else { worker.shutdown().await };
                // What it still has to say is read all the same.
                both &= passed.is_ok();
                continue;
            }
        };
        if n == 0 {
            return Ok(());
        }
        let mut bytes = &buf[..n];
        while skip > 0
            && let Some(rest) = bytes.strip_prefix(b"\n")
        {
            (bytes, skip) = (rest, skip - 1);
        }
        peer.write(bytes).await?;
    }
}
