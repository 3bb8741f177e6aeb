//! The control thread: signals, the runtime API's sockets, the end.

use crate::cli::CliSink;
use crate::engine::SharedEngine;
use crate::master::Status;
use crate::memory::Brake;
use crate::messages::Messages;
use crate::oldpids::OldPids;
use crate::reverse::Tunnels;
use crate::sigmask;
use crate::worker::{Event, Order, Worker};
use hawser_cli::Exports;
use hawser_listener::ListenerSet;
use hawser_proto::{AcceptSink, FrontendInfo, FrontendStatus, ListenerInfo, Receiver};
use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::task::LocalSet;

/// How long workers may take to end once they were told to.
const QUIT_PATIENCE: Duration = Duration::from_secs(1);

/// How long old processes may take to close their listeners once they were told to leave, and between two looks at
/// whether they have ended. Longer than [`hawser_proto::GIVE_WAY`].
const CLAIM_PAUSE: Duration = Duration::from_secs(1);

/// Why the process ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    /// After a soft stop: status 0.
    Finished,
    /// By this signal, as if it had not been caught.
    Signal(i32),
    /// Something that cannot be lived with.
    Failed,
}

/// What the control thread works with.
pub(crate) struct Control {
    pub(crate) engine: SharedEngine,
    pub(crate) workers: Vec<Worker>,
    pub(crate) events: UnboundedReceiver<Event>,
    pub(crate) messages: Arc<Messages>,
    /// Sockets of the runtime API.
    pub(crate) cli: Vec<(Arc<ListenerInfo>, Box<dyn Receiver>)>,
    pub(crate) cli_sink: Rc<CliSink>,
    /// The master's way to the runtime API, which stays when the others close.
    pub(crate) channel: Vec<(Arc<ListenerInfo>, Box<dyn Receiver>)>,
    /// The master, if this process is its worker.
    pub(crate) master: Option<Arc<Status>>,
    /// `grace`.
    pub(crate) grace: Duration,
    /// `hard-stop-after`.
    pub(crate) hard_stop_after: Option<Duration>,
    /// Keeps to `-m`.
    pub(crate) brake: Option<Brake>,
    /// What `_getsocks` gives; empty once the listeners close.
    pub(crate) exports: Exports,
    /// Processes that are to leave once the tunnels are up.
    pub(crate) old: OldPids,
    /// Reverse HTTP.
    pub(crate) tunnels: Arc<Tunnels>,
    /// Frontends that listen.
    pub(crate) frontends: Vec<Arc<FrontendInfo>>,
}

impl Control {
    /// Runs until the process is to end. `ready` is called once signals are handled and sockets served.
    pub(crate) fn run(self, ready: impl FnOnce()) -> io::Result<End> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let local = LocalSet::new();
        local.block_on(&runtime, self.serve(ready))
    }

    async fn serve(mut self, ready: impl FnOnce()) -> io::Result<End> {
        let mut signals = Signals::install()?;
        sigmask::release();
        let sink = Rc::clone(&self.cli_sink);
        let listeners = ListenerSet::new(sink, None);
        for (info, receiver) in std::mem::take(&mut self.cli) {
            listeners.start(info, receiver)?;
        }
        let channel = ListenerSet::new(Rc::clone(&self.cli_sink) as Rc<dyn AcceptSink>, None);
        for (info, receiver) in std::mem::take(&mut self.channel) {
            channel.start(info, receiver)?;
        }
        if let Some(brake) = self.brake.take() {
            tokio::task::spawn_local(brake.run());
        }
        ready();
        if !self.old.is_empty() || self.master.is_some() {
            let (old, tunnels) = (std::mem::take(&mut self.old), Arc::clone(&self.tunnels));
            let master = self.master.clone();
            let workers: Vec<_> = self.workers.iter().map(Worker::orders).collect();
            tokio::task::spawn_local(async move {
                let leaving = Leaving(old);
                tunnels.settled().await;
                if let Some(master) = master {
                    master.settled();
                }
                leaving.gone(&workers).await;
            });
        }
        let gone = gone(self.master.clone());
        tokio::pin!(gone);
        let stop = Stop::default();
        loop {
            tokio::select! {
                sig = signals.next() => match sig {
                    Sig::End(n) => return Ok(End::Signal(n)),
                    Sig::Finish => {
                        self.engine.stopping();
                        if stop.begin(self.grace) && !self.grace.is_zero() {
                            let ms = self.grace.as_millis();
                            self.messages.notice(&format!("Scheduling a soft-stop in {ms} ms."));
                        }
                    }
                    Sig::Pause => self.pause(true),
                    Sig::Resume => self.pause(false),
                    Sig::Dump => self.engine.dump_states(),
                    Sig::Pools => self.messages.warning("Dumping pools usage. Hawser has no pools to flush."),
                    Sig::Nothing => {}
                },
                () = stop.due() => {
                    if !self.grace.is_zero() {
                        self.messages.notice("Grace period expired, proceeding with soft-stop now.");
                    }
                    // A duplicate that stayed open would go on taking connections that nobody accepts.
                    self.exports.0.lock().clear();
                    listeners.stop(None);
                    return Ok(tokio::select! {
                        end = self.soft_stop(&mut signals) => end,
                        () = &mut gone => End::Failed,
                    });
                }
                () = &mut gone => return Ok(End::Failed),
                event = self.events.recv() => match event {
                    Some(Event::Failed(text)) => self.messages.alert(&text),
                    Some(Event::Died(n)) => {
                        self.messages.alert(&format!("Worker thread {} died. Exiting.", n + 1));
                        return Ok(End::Failed);
                    }
                    Some(Event::Finished) | None => {}
                },
            }
        }
    }

    /// Listeners close, sessions finish, `hard-stop-after` bounds it.
    async fn soft_stop(mut self, signals: &mut Signals) -> End {
        self.tell(Order::Finish);
        self.engine.tell_stopped();
        let mut left = self.workers.len();
        let limit = self.hard_stop_after;
        let bound = async move {
            match limit {
                Some(time) => tokio::time::sleep(time).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(bound);
        while left > 0 {
            tokio::select! {
                event = self.events.recv() => match event {
                    Some(Event::Finished | Event::Died(_)) => left -= 1,
                    Some(Event::Failed(text)) => self.messages.alert(&text),
                    None => left = 0,
                },
                sig = signals.next() => match sig {
                    Sig::End(n) => return End::Signal(n),
                    Sig::Dump => self.engine.dump_states(),
                    _ => {}
                },
                () = &mut bound => {
                    self.messages.warning("soft-stop running for too long, performing a hard-stop.");
                    left = 0;
                }
            }
        }
        self.quit().await;
        End::Finished
    }

    /// Ends the workers; one that does not listen ends with the process.
    async fn quit(self) {
        self.tell(Order::Quit);
        let patience = tokio::time::sleep(QUIT_PATIENCE);
        tokio::pin!(patience);
        while !self.workers.iter().all(Worker::has_ended) {
            tokio::select! {
                () = &mut patience => {
                    self.messages.warning("Some tasks resisted to hard-stop, exiting now.");
                    return;
                }
                () = tokio::time::sleep(Duration::from_millis(2)) => {}
            }
        }
        self.workers.into_iter().for_each(Worker::join);
    }

    fn tell(&self, order: Order) {
        self.workers.iter().for_each(|w| w.tell(order));
    }

    fn pause(&self, pause: bool) {
        self.tell(if pause { Order::Pause } else { Order::Resume });
        let word = if pause { "Paused" } else { "Resumed" };
        let status = if pause { FrontendStatus::Paused } else { FrontendStatus::Open };
        for f in self.frontends.iter().filter(|f| f.status() != FrontendStatus::Stopped) {
            f.set_status(status);
            self.messages.warning(&format!("{word} frontend {}.", f.name));
        }
    }
}

/// Waits for the end of the master: a worker that nobody watches over is not to go on.
async fn gone(master: Option<Arc<Status>>) {
    match master {
        Some(master) => _ = master.master_gone().await,
        None => std::future::pending().await,
    }
}

/// Old processes that are told to leave in any case, at the latest when this one ends.
struct Leaving(OldPids);

impl Leaving {
    /// Tells them, and the workers once the old listeners must be closed: soon, or at the latest when the old processes
    /// end, which may have waited for their `grace`.
    async fn gone(mut self, workers: &[UnboundedSender<Order>]) {
        self.0.leave();
        let claim = || {
            for w in workers {
                // One that has ended needs none.
                let _ = w.send(Order::Claim);
            }
        };
        tokio::time::sleep(CLAIM_PAUSE).await;
        claim();
        while self.0.any_alive() {
            tokio::time::sleep(CLAIM_PAUSE).await;
        }
        claim();
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// A soft stop that was asked for and waits for `grace`.
#[derive(Default)]
struct Stop {
    at: Cell<Option<tokio::time::Instant>>,
}

impl Stop {
    /// Whether this is the first request for one.
    fn begin(&self, grace: Duration) -> bool {
        let first = self.at.get().is_none();
        if first {
            self.at.set(Some(tokio::time::Instant::now() + grace));
        }
        first
    }

    async fn due(&self) {
        match self.at.get() {
            Some(at) => tokio::time::sleep_until(at).await,
            None => std::future::pending().await,
        }
    }
}

/// What a signal asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sig {
    End(i32),
    Finish,
    Pause,
    Resume,
    Dump,
    Pools,
    Nothing,
}

struct Signals {
    all: Vec<(Sig, Signal)>,
}

impl Signals {
    fn install() -> io::Result<Self> {
        let table = [
            (Sig::End(libc::SIGTERM), SignalKind::terminate()),
            (Sig::End(libc::SIGINT), SignalKind::interrupt()),
            (Sig::Finish, SignalKind::user_defined1()),
            (Sig::Nothing, SignalKind::user_defined2()),
            (Sig::Dump, SignalKind::hangup()),
            (Sig::Pools, SignalKind::quit()),
            (Sig::Nothing, SignalKind::pipe()),
            (Sig::Pause, SignalKind::from_raw(libc::SIGTTOU)),
            (Sig::Resume, SignalKind::from_raw(libc::SIGTTIN)),
        ];
        let all = table.into_iter().map(|(sig, kind)| Ok((sig, signal(kind)?))).collect::<io::Result<_>>()?;
        Ok(Self { all })
    }

    /// The next signal. Cancel safe.
    async fn next(&mut self) -> Sig {
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
