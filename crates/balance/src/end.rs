//! Ending all sessions on a server at once (manual 5.2 `on-marked-down`, `on-marked-up`).

use crate::server::Server;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::task::{Context, Poll};
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

/// Why sessions end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum EndCause {
    /// Their server went down (`D` in logs).
    Down,
    /// An active server came up and they are on a backup (`U`).
    Up,
    /// The command line asked for it (`K`).
    Killed,
}

/// The signal of one server.
#[derive(Debug, Default)]
pub(crate) struct EndSignal {
    notify: Arc<Notify>,
    cause: AtomicU8,
}

/// Completes when the session has to end. Signals from before it was made do not count.
#[derive(Debug)]
pub struct SessionEnd {
    signal: Arc<EndSignal>,
    notified: Pin<Box<OwnedNotified>>,
}

impl Future for SessionEnd {
    type Output = EndCause;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<EndCause> {
        self.notified.as_mut().poll(cx).map(|()| match self.signal.cause.load(Relaxed) {
            0 => EndCause::Down,
            1 => EndCause::Up,
            _ => EndCause::Killed,
        })
    }
}

impl Server {
    /// For a session on this server: completes when the session has to end. `None` when that can never happen,
    /// which is the case of servers without `on-marked-down` and backups without `on-marked-up` beside them, unless
    /// there is a statistics page with administrators.
    pub fn session_end(&self) -> Option<SessionEnd> {
        let signal = self.session_end.as_ref()?;
        Some(SessionEnd {
            signal: signal.clone(),
            notified: Box::pin(signal.notify.clone().notified_owned()),
        })
    }

    /// Ends all sessions on the server.
    pub fn end_sessions(&self, cause: EndCause) {
        if let Some(s) = &self.session_end {
            s.cause.store(cause as u8, Relaxed);
            s.notify.notify_waiters();
        }
    }
}
