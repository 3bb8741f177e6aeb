//! Serving one connection.

use crate::command::{Level, Registry, Reply};
use crate::conversation::{Conversation, SeverityOutput};
use crate::state::{Exports, State};
use hawser_proto::{Transport, handover};
use std::future::poll_fn;
use std::io;
use std::time::Duration;

/// `stats timeout` where it is not set.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// What a `stats socket` line gives its connections.
#[derive(Clone, Copy, Debug)]
pub struct Socket {
    /// `level`.
    pub level: Level,
    /// `severity-output`.
    pub severity: SeverityOutput,
    /// `stats timeout`.
    pub timeout: Duration,
    /// `expose-fd listeners`.
    pub expose_fd: bool,
}

/// Reads commands and writes replies until the client or the protocol ends the connection.
///
/// # Errors
/// Of the connection: the peer is gone (`Err` of the kernel), or it was idle for too long (`TimedOut`).
pub async fn serve(
    mut transport: Box<dyn Transport>,
    socket: Socket,
    state: &State,
    registry: &Registry,
) -> io::Result<()> {
    let mut conversation = Conversation::new(socket.level, socket.severity, socket.timeout);
    let mut buf = [0_u8; 4096];
    loop {
        let limit = conversation.timeout;
        let n = within(limit, poll_fn(|cx| transport.poll_read(cx, &mut buf))).await?;
        if n == 0 {
            return Ok(());
        }
        conversation.feed(&buf[..n]);
        while let Some(requests) = conversation.next_line().map_err(|_| io::ErrorKind::InvalidData)? {
            for request in &requests {
                let reply = conversation.execute(request, state, registry);
                if let Reply::After(time, _) = &reply {
                    tokio::time::sleep(*time).await;
                }
                if reply == Reply::Sockets && socket.expose_fd {
                    give_sockets(&mut *transport, state).await?;
                }
                let text = conversation.frame(&reply);
                write_all(&mut *transport, text.as_bytes(), limit).await?;
                if conversation.closing() {
                    break;
                }
            }
            let prompt = conversation.end_of_line(state);
            write_all(&mut *transport, prompt.as_bytes(), limit).await?;
            if conversation.closing() {
                return poll_fn(|cx| transport.poll_shutdown(cx)).await;
            }
        }
        if let Some(prompt) = conversation.payload_prompt() {
            write_all(&mut *transport, prompt.as_bytes(), limit).await?;
        }
    }
}

/// `_getsocks`; a process that has none left says nothing.
async fn give_sockets(transport: &mut dyn Transport, state: &State) -> io::Result<()> {
    let Some(exports) = state.get::<Exports>() else { return Ok(()) };
    let sockets: Vec<_> = exports.0.lock().iter().map(|(_, socket)| socket.clone()).collect();
    if sockets.is_empty() { Ok(()) } else { handover::give(transport, &sockets).await }
}

async fn write_all(transport: &mut dyn Transport, mut bytes: &[u8], limit: Duration) -> io::Result<()> {
    while !bytes.is_empty() {
        let n = within(limit, poll_fn(|cx| transport.poll_write(cx, bytes, false))).await?;
        bytes = &bytes[n..];
    }
    Ok(())
}

async fn within<T>(limit: Duration, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::time::timeout(limit, work).await.map_err(|_| io::ErrorKind::TimedOut)?
}
