//! From an accepted configuration to a serving process, in the order in which things become impossible: what
//! needs root before the privileges go, what needs a single thread before the workers start.

use crate::Exit;
use crate::bind::{self, Listening, Sockets};
use crate::boot::{Boot, set_quiet};
use crate::check;
use crate::cli::{self, CliSink};
use crate::commands;
use crate::control::{Control, End};
use crate::daemon::{self, Ready, Side};
use crate::facts::{self, Facts};
use crate::limits::{self, Shortfall};
use crate::master;
use crate::memory::Brake;
use crate::messages::Messages;
use crate::oldpids::OldPids;
use crate::sigmask;
use crate::worker::{Event, Order, Plan, Worker};
use hawser_cli::{Exports, Level, Listeners, State};
use hawser_proto::{FrontendInfo, FrontendStatus};
use parking_lot::Mutex;
use std::fs::File;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;

/// Binds, goes to the background, gives up root, serves until the end.
pub(crate) fn start(mut boot: Boot<'_>) -> Result<Exit, Exit> {
    limit(&boot)?;
    sigmask::hold();
    // The time zone is a file that a chroot may hide.
    hawser_sample::date::init();
    let mut old = match &boot.link {
        Some(link) if !link.old.is_empty() => OldPids::to_pause(link.old.clone()),
        _ => OldPids::new(boot.args.old.clone()),
    };
    let sockets = bind::bind(&mut boot, &old)?;
    let pidfile = open_pidfile(&boot)?;
    // Connections wait in the new sockets' queues from here on.
    // The peers of tunnels cannot reach a socket: the old process serves them until the new ones are up.
    let old = if boot.tunnels.plans.is_empty() || !old.obey(boot.identity.uid) {
        old.leave();
        OldPids::default()
    } else {
        old
    };
    // Opened before the chroot hides them.
    let null = File::options().read(true).write(true).open("/dev/null");
    let null = null.map_err(|e| boot.fail(&format!("Cannot open /dev/null ({e}).")))?;
    let brake = Brake::new(boot.limits.memory);
    let brake = brake.map_err(|e| {
        boot.fail(&format!("Cannot keep to the memory limit of {} MB ({e}).", boot.limits.memory >> 20))
    })?;
    let ready = match background(&boot, pidfile)? {
        Background::Parent(exit) => return Ok(exit),
        other => other,
    };
    check::root_warnings(boot.messages, &boot.identity);
    boot.identity.assume().map_err(|e| boot.fail(&e))?;
    if boot.config.global.set_dumpable != Some(true) {
        // Leaving root does this by itself; a process that never was root gets it here.
        let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    }
    let exposed = boot.link.is_some() || boot.config.global.stats_sockets.iter().any(|s| s.expose_fd);
    let exports = if exposed { Exports(Arc::new(Mutex::new(sockets.export()))) } else { Exports::default() };
    let Sockets { services, api, count } = sockets;
    let state = Arc::new(state(&boot, &api, count));
    // Requests for metrics and statistics may come as soon as there are workers.
    boot.running.set(&state);
    let (workers, events) = workers(&boot, services)?;
    if !boot.config.global.insecure_fork_wanted && !boot.args.insecure_fork {
        limits::forbid_processes();
    }
    let control = Control { old, ..control(&boot, state, workers, events, api, brake, exports) };
    let messages = Arc::clone(boot.messages);
    let status =
        boot.link.as_ref().map(|l| (Arc::clone(&l.status), facts::for_master(&boot.config, &boot.tunnels)));
    let end = control.run(move || {
        if let Some((status, facts)) = status {
            *messages.master.lock() = None;
            status.ready(&facts);
        }
        let left = match ready {
            Background::No | Background::Parent(_) => return,
            Background::Child(ready) => (set_quiet(&messages, true), ready.tell(&null)).1,
            Background::Worker => (set_quiet(&messages, true), daemon::leave_terminal(&null)).1,
        };
        if let Err(e) = left {
            messages.alert(&format!("Cannot leave the terminal ({e})."));
        }
    });
    match end {
        Ok(End::Finished) => Ok(Exit::Status(0)),
        Ok(End::Signal(n)) => Ok(Exit::Signal(n)),
        Ok(End::Failed) => Ok(Exit::Status(1)),
        Err(e) => Err(boot.fail(&format!("Cannot run the control thread ({e})."))),
    }
}

/// Applies what the configuration says about the process itself.
fn limit(boot: &Boot<'_>) -> Result<(), Exit> {
    let g = &boot.config.global;
    if g.quiet && !boot.args.verbose {
        set_quiet(boot.messages, true);
    }
    if boot.limits.automatic {
        boot.messages.notice(&format!("Automatically setting global.maxconn to {}.", boot.limits.maxconn));
    }
    match boot.limits.apply() {
        Ok(()) => {}
        Err(Shortfall::Warning(text)) => boot.messages.warning(&text),
        Err(Shortfall::Fatal(text)) => return Err(boot.fail(&text)),
    }
    let no_splice = boot.args.no_splice || g.nosplice;
    let maxpipes = if no_splice { 0 } else { g.maxpipes.unwrap_or(u32::MAX) };
    hawser_proto::splice::configure(g.pipesize.unwrap_or(0) as usize, maxpipes as usize);
    Ok(())
}

fn wants_background(boot: &Boot<'_>) -> bool {
    (boot.args.daemon || boot.config.global.daemon) && !boot.args.foreground
}

fn open_pidfile(boot: &Boot<'_>) -> Result<Option<File>, Exit> {
    let path = boot.args.pidfile.as_ref().or(boot.config.global.pidfile.as_ref());
    let Some(path) = path.filter(|_| wants_background(boot) && boot.link.is_none()) else { return Ok(None) };
    let opened = daemon::open_pidfile(path);
    opened.map(Some).map_err(|_| boot.fail(&format!("Cannot create pidfile {}", path.display())))
}

enum Background {
    /// The process stays where it was started.
    No,
    /// This is the background process.
    Child(Ready),
    /// This is the worker of a master in the background.
    Worker,
    /// This is the process that was called; it is done.
    Parent(Exit),
}

fn background(boot: &Boot<'_>, pidfile: Option<File>) -> Result<Background, Exit> {
    if !wants_background(boot) {
        return Ok(Background::No);
    }
    if boot.link.is_some() {
        return Ok(Background::Worker);
    }
    match daemon::fork() {
        Err(e) => Err(boot.fail(&format!("Cannot fork ({e})."))),
        Ok(Side::Child(ready)) => Ok(Background::Child(ready)),
        Ok(Side::Parent(child)) => {
            if let Some(mut file) = pidfile
                && let Err(e) = daemon::write_pid(&mut file, child.pid)
            {
                boot.messages.warning(&format!("Cannot write the pidfile ({e})."));
            }
            Ok(Background::Parent(Exit::Status(u8::from(!child.outcome()))))
        }
    }
}

/// One worker for each thread, with its share of the sockets.
fn workers(
    boot: &Boot<'_>,
    mut services: std::collections::BTreeMap<u32, Vec<Listening>>,
) -> Result<(Vec<Worker>, UnboundedReceiver<Event>), Exit> {
    let (events_in, events) = tokio::sync::mpsc::unbounded_channel();
    let mut workers = Vec::new();
    for number in 0..boot.limits.threads {
        let plan = Plan {
            number,
            listeners: services.remove(&number).unwrap_or_default(),
            cpus: boot.cpus.get(number as usize).cloned().unwrap_or_default(),
            maxaccept: boot.config.global.maxaccept,
        };
        let worker = Worker::start(plan, Arc::clone(&boot.engine), events_in.clone());
        workers.push(worker.map_err(|e| boot.fail(&format!("Cannot start a thread ({e}).")))?);
    }
    Ok((workers, events))
}

/// The control thread's work: this thread's.
fn control(
    boot: &Boot<'_>,
    state: Arc<State>,
    workers: Vec<Worker>,
    events: UnboundedReceiver<Event>,
    api: Vec<(usize, Listening)>,
    brake: Option<Brake>,
    exports: Exports,
) -> Control {
    let g = &boot.config.global;
    let mut sockets = Vec::new();
    let mut receivers = Vec::new();
    let mut channel = Vec::new();
    for (number, (info, receiver)) in api {
        let socket = match g.stats_sockets.get(number) {
            Some(line) => cli::socket(line, g),
            None if number == master::LINE => {
                sockets.push((Arc::clone(&info), master::CHANNEL));
                channel.push((info, receiver));
                continue;
            }
            None => continue,
        };
        sockets.push((Arc::clone(&info), socket));
        receivers.push((info, receiver));
    }
    state.insert(exports.clone());
    let frontends: Vec<Arc<FrontendInfo>> = boot.listening.frontends.iter().flatten().cloned().collect();
    state.insert(frontend_orders(&workers, frontends.clone(), Arc::clone(boot.messages)));
    let registry = Arc::new(commands::registry());
    Control {
        engine: Arc::clone(&boot.engine),
        workers,
        events,
        messages: Arc::clone(boot.messages),
        cli: receivers,
        channel,
        master: boot.link.as_ref().map(|l| Arc::clone(&l.status)),
        cli_sink: Rc::new(CliSink::new(state, registry, sockets)),
        grace: milliseconds(g.grace).unwrap_or_default(),
        hard_stop_after: milliseconds(g.hard_stop_after).filter(|d| !d.is_zero()),
        brake,
        exports,
        old: OldPids::default(),
        tunnels: Arc::clone(&boot.tunnels),
        frontends,
    }
}

/// What commands and metrics are about; `api` are the sockets of the runtime API.
fn state(boot: &Boot<'_>, api: &[(usize, Listening)], listeners: u32) -> State {
    let g = &boot.config.global;
    let name = |(number, (info, _)): &(usize, Listening)| match g.stats_sockets.get(*number) {
        Some(line) => Some((facts::socket_name(&info.addr), cli::socket(line, g).level)),
        None if *number == master::LINE => {
            Some((format!("sockpair@{}", boot.link.as_ref().map_or(-1, |l| l.channel)), Level::Admin))
        }
        None => None,
    };
    facts::state(&Facts {
        config: &boot.config,
        env: &boot.env,
        limits: &boot.limits,
        messages: boot.messages,
        started: boot.started,
        process: &boot.process,
        frontends: &boot.listening.frontends,
        engine: &boot.engine,
        tunnels: &boot.tunnels,
        listeners,
        sockets: api.iter().filter_map(name).collect(),
    })
}

/// What the runtime API uses to pause, resume and close the listeners of one frontend.
fn frontend_orders(
    workers: &[Worker],
    frontends: Vec<Arc<FrontendInfo>>,
    messages: Arc<Messages>,
) -> Listeners {
    let orders: Vec<_> = workers.iter().map(Worker::orders).collect();
    Listeners(Box::new(move |index, status| {
        for worker in &orders {
            // One that has ended needs none.
            let _ = worker.send(Order::Frontend(index, status));
        }
        let name = frontends.iter().find(|f| f.index == index).map_or("", |f| &*f.name);
        match status {
            FrontendStatus::Paused => messages.warning(&format!("Paused frontend {name}.")),
            FrontendStatus::Open => messages.warning(&format!("Resumed frontend {name}.")),
            FrontendStatus::Stopped => messages.warning(&format!("Proxy {name} stopped.")),
        }
    }))
}

fn milliseconds(ms: Option<u32>) -> Option<Duration> {
    ms.map(|ms| Duration::from_millis(u64::from(ms)))
}
