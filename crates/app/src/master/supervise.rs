//! The master's loop: signals, what workers tell, what its command line asks for.

use super::cli::{self, Order};
use super::link::{Told, told};
use super::notify::Notify;
use super::show;
use super::signals::{Sig, Signals};
use super::start::{Api, Start};
use super::workers::{Program, Stage, Workers, code};
use crate::messages::Messages;
use crate::{Exit, sigmask, version};
use parking_lot::Mutex;
use rustix::process::Signal;
use std::io;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Instant;
use tokio::io::AsyncReadExt;
use tokio::runtime::Builder;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::LocalSet;

/// What a reload came to, and what was printed meanwhile.
pub(super) type Outcome = (bool, String);

/// Somebody asked for a reload.
#[derive(Debug, Default)]
struct Reload {
    /// The worker that serves is to end its connections at once.
    hard: bool,
    /// Who waits for the outcome.
    waiting: Vec<oneshot::Sender<Outcome>>,
}

/// What the loop waits for.
enum Event {
    Signal(Sig),
    /// Of the worker with this pid; nothing more will come after `None`.
    Told(i32, Option<Told>),
    Order(Order),
}

/// See the module.
pub(super) struct Master {
    messages: Arc<Messages>,
    program: Program,
    notify: Notify,
    /// Workers get the sockets of those before them.
    take_over: bool,
    workers: Arc<Mutex<Workers>>,
    /// Tells whoever started the process that it serves.
    ready: Option<Box<dyn FnOnce()>>,
    /// The reload that is under way (the first worker's start is one).
    reload: Option<Reload>,
    /// One that was asked for meanwhile.
    next: Option<Reload>,
    /// The process ends with its last worker.
    ending: bool,
    /// The status of the last worker that served.
    exit: i32,
    events: UnboundedSender<Event>,
    received: UnboundedReceiver<Event>,
    /// What `-S` needs of the command line.
    pub(super) facts: hawser_cli::Environment,
}

impl Master {
    pub(super) fn new(
        start: &Start<'_>,
        sockets: &[String],
        program: Program,
        notify: Notify,
        ready: Option<Box<dyn FnOnce()>>,
    ) -> Self {
        let (events, received) = unbounded_channel();
        Self {
            messages: Arc::clone(start.messages),
            program,
            notify,
            take_over: !start.args.no_take_over,
            workers: Arc::default(),
            ready,
            reload: None,
            next: None,
            ending: false,
            exit: 0,
            events,
            received,
            facts: super::start::environment(&start.env, start.args, sockets),
        }
    }

    /// Runs until the last worker has ended.
    ///
    /// # Errors
    /// The system refuses what every master needs.
    pub(super) fn run(mut self, api: Api, started: Instant) -> io::Result<Exit> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let local = LocalSet::new();
        let status = local.block_on(&runtime, async {
            let mut signals = Signals::install()?;
            sigmask::release();
            let (orders, mut ordered) = unbounded_channel();
            cli::serve(api, &mut self, orders, started)?;
            self.begin(Reload::default());
            while !self.over() {
                let event = tokio::select! {
                    sig = signals.next() => Event::Signal(sig),
                    Some(event) = self.received.recv() => event,
                    Some(order) = ordered.recv() => Event::Order(order),
                };
                self.handle(event);
            }
            io::Result::Ok(self.exit)
        })?;
        Ok(Exit::Status(u8::try_from(status).unwrap_or(1)))
    }

    /// What the command line's commands see.
    pub(super) fn workers(&self) -> Arc<Mutex<Workers>> {
        Arc::clone(&self.workers)
    }

    /// Where everything is printed.
    pub(super) fn messages(&self) -> &Arc<Messages> {
        &self.messages
    }

    fn over(&self) -> bool {
        self.workers.lock().all.is_empty()
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Signal(Sig::End(signal)) => self.end(signal),
            Event::Signal(Sig::Reload) => self.ask(Reload::default()),
            Event::Signal(Sig::Pass(signal)) => {
                let workers = self.workers.lock();
                // One that is still loading would be stopped for good.
                workers.all.iter().filter(|w| w.stage != Stage::Loading).for_each(|w| w.signal(signal));
            }
            Event::Signal(Sig::Child) => {
                self.workers.lock().all.iter_mut().for_each(super::workers::Worker::reap);
                self.bury();
            }
            Event::Signal(Sig::Nothing) => {}
            Event::Order(Order { hard, outcome }) => self.ask(Reload { hard, waiting: vec![outcome] }),
            Event::Told(_, Some(Told::Log(text))) => self.messages.log.0.lock().push_str(&text),
            Event::Told(pid, Some(Told::Ready(facts))) => {
                if let Some(w) = self.workers.lock().find(pid) {
                    w.facts = facts;
                }
                self.serves(pid);
            }
            Event::Told(pid, Some(Told::Settled)) => self.dismiss(pid),
            Event::Told(pid, None) => {
                if let Some(w) = self.workers.lock().find(pid) {
                    w.silent = true;
                    w.reap();
                }
                self.bury();
            }
        }
    }

    /// A reload, now or after the one that is under way.
    fn ask(&mut self, reload: Reload) {
        if self.ending {
            return;
        }
        if self.reload.is_none() {
            self.notify.reloading();
            let how = if reload.hard { " (hard-reload)" } else { "" };
            self.messages.notice(&format!("Reloading HAProxy{how}"));
            self.messages.log.0.lock().clear();
            let mut workers = self.workers.lock();
            workers.reloads += 1;
            workers.all.iter_mut().for_each(|w| w.reloads += 1);
            drop(workers);
            self.begin(reload);
            return;
        }
        let next = self.next.get_or_insert_default();
        next.hard |= reload.hard;
        next.waiting.extend(reload.waiting);
    }

    /// Starts a worker.
    fn begin(&mut self, reload: Reload) {
        let started = self.workers.lock().start(&self.program, self.take_over, reload.hard);
        self.reload = Some(reload);
        let pid = self.workers.lock().all.last().map_or(0, |w| w.pid);
        match started.and_then(|status| listen(pid, status, self.events.clone())) {
            Ok(()) => self.messages.notice(&format!("Initializing new worker ({pid})")),
            Err(e) => {
                let path = self.program.path.display();
                self.messages.alert(&format!("Cannot start a worker from {path} ({e})."));
                self.exit = 1;
                self.failed();
            }
        }
    }

    /// A new worker serves.
    fn serves(&mut self, pid: i32) {
        let mut workers = self.workers.lock();
        workers.all.iter_mut().filter(|w| w.stage == Stage::Current).for_each(|w| w.stage = Stage::Former);
        if let Some(w) = workers.find(pid) {
            w.stage = Stage::Current;
        }
        let settled = workers.find(pid).is_some_and(|w| !w.facts.settling);
        workers.last_failed = false;
        drop(workers);
        self.messages.notice("Loading success.");
        self.notify.ready();
        if let Some(ready) = self.ready.take() {
            ready();
        }
        // Who waits for the reload is to meet the new worker.
        if settled {
            self.dismiss(pid);
        }
        self.done(true);
    }

    /// The workers before this one are no longer needed.
    fn dismiss(&mut self, pid: i32) {
        let mut workers = self.workers.lock();
        // A worker that was replaced meanwhile has no say any more.
        let Some(new) = workers.find(pid).filter(|w| w.stage == Stage::Current) else { return };
        let (hard, most) = (new.hard, new.facts.max_reloads);
        for w in workers.all.iter_mut().filter(|w| w.stage == Stage::Former) {
            if hard || w.reloads > most {
                w.signal(Signal::TERM);
            } else if !w.leaving {
                w.signal(Signal::USR1);
            }
            w.leaving = true;
        }
    }

    /// The new worker does not serve.
    fn failed(&mut self) {
        let mut workers = self.workers.lock();
        workers.failed += 1;
        workers.last_failed = true;
        drop(workers);
        if !self.over() {
            self.notify.reload_failed();
        }
        self.done(false);
    }

    /// Tells the outcome of a reload; starts the next one.
    fn done(&mut self, success: bool) {
        let log = self.messages.log.0.lock().clone();
        for waiting in self.reload.take().into_iter().flat_map(|r| r.waiting) {
            // Who went away does not want to know.
            let _ = waiting.send((success, log.clone()));
        }
        if let Some(next) = self.next.take()
            && !self.over()
        {
            self.ask(next);
        }
    }

    fn end(&mut self, signal: Signal) {
        if !self.ending {
            self.ending = true;
            self.notify.stopping();
            self.messages.warning("Exiting Master process...");
        }
        self.workers.lock().signal(signal);
    }

    /// Takes those out that have ended.
    fn bury(&mut self) {
        loop {
            let mut workers = self.workers.lock();
            let ended = |w: &super::workers::Worker| w.silent && w.exit.is_some();
            let Some(at) = workers.all.iter().position(ended) else { return };
            let dead = workers.all.remove(at);
            drop(workers);
            let Some(status) = dead.exit else { return };
            self.mourn(dead.pid, dead.stage, status, dead.facts.no_exit_on_failure);
        }
    }

    fn mourn(&mut self, pid: i32, stage: Stage, status: ExitStatus, lives_on: bool) {
        let how = show::ended(status);
        // To be told to leave is no failure.
        let told = matches!(status.signal(), Some(libc::SIGTERM | libc::SIGINT)) || status.success();
        match stage {
            Stage::Loading => {
                self.messages.warning(&format!("Failed to load worker ({pid}) {how}"));
                if self.over() {
                    self.exit = if self.ending { code(status) } else { code(status).max(1) };
                }
                self.failed();
                return;
            }
            Stage::Current => {
                self.exit = code(status);
                let text = format!("Current worker ({pid}) {how}");
                if status.success() { self.messages.warning(&text) } else { self.messages.alert(&text) }
            }
            // However it ended: nobody was to connect to it any more.
            Stage::Former => self.messages.warning(&format!("Former worker ({pid}) {how}")),
        }
        if stage == Stage::Current && !told {
            self.messages.warning(&format!(
                "A worker process unexpectedly died, which is a bug of the program. Please report it.\n{}",
                version::short()
            ));
            if !lives_on && !self.ending {
                self.messages.alert("exit-on-failure: killing every processes with SIGTERM");
                self.exit = code(status);
                self.ending = true;
                self.workers.lock().signal(Signal::TERM);
            }
        }
        if self.over() {
            self.exit = if self.exit == 128 + libc::SIGTERM { 0 } else { self.exit };
            self.messages.warning(&format!("All workers exited. Exiting... ({})", self.exit));
        }
    }
}

/// Reads what a worker tells.
fn listen(pid: i32, status: UnixStream, events: UnboundedSender<Event>) -> io::Result<()> {
    status.set_nonblocking(true)?;
    let mut status = tokio::net::UnixStream::from_std(status)?;
    tokio::task::spawn_local(async move {
        let mut input = Vec::new();
        while matches!(status.read_buf(&mut input).await, Ok(n) if n > 0) {
            while let Some(t) = told(&mut input) {
                let _ = events.send(Event::Told(pid, Some(t)));
            }
        }
        let _ = events.send(Event::Told(pid, None));
    });
    Ok(())
}
