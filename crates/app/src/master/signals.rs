//! Signals to the master.

use rustix::process::Signal;
use std::io;
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

/// What a signal asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sig {
    /// All end, by this signal.
    End(Signal),
    /// A new worker.
    Reload,
    /// For the workers.
    Pass(Signal),
    /// A child has ended.
    Child,
    /// Nothing, not even death.
    Nothing,
}

/// The signals of the master.
pub(super) struct Signals {
    all: Vec<(Sig, Stream)>,
}

impl Signals {
    /// Handles them from now on.
    ///
    /// # Errors
    /// The system refuses.
    pub(super) fn install() -> io::Result<Self> {
        let table = [
            (Sig::End(Signal::TERM), SignalKind::terminate()),
            (Sig::End(Signal::INT), SignalKind::interrupt()),
            (Sig::End(Signal::USR1), SignalKind::user_defined1()),
            (Sig::Reload, SignalKind::user_defined2()),
            (Sig::Reload, SignalKind::hangup()),
            (Sig::Pass(Signal::TTOU), SignalKind::from_raw(libc::SIGTTOU)),
            (Sig::Pass(Signal::TTIN), SignalKind::from_raw(libc::SIGTTIN)),
            (Sig::Child, SignalKind::child()),
            (Sig::Nothing, SignalKind::quit()),
            (Sig::Nothing, SignalKind::pipe()),
        ];
        let all = table.into_iter().map(|(sig, kind)| Ok((sig, signal(kind)?))).collect::<io::Result<_>>()?;
        Ok(Self { all })
    }

    /// The next signal. Cancel safe.
    pub(super) async fn next(&mut self) -> Sig {
        std::future::poll_fn(|cx| {
            for (sig, stream) in &mut self.all {
                if stream.poll_recv(cx).is_ready() {
                    return std::task::Poll::Ready(*sig);
                }
            }
            std::task::Poll::Pending
        })
        .await
    }
}
