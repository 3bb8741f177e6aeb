//! From the command line to a running process, in the order in which things become impossible: what needs root
//! before the privileges go, what needs a single thread before the workers start.

use crate::args::{Action, Args, ArgsError};
use crate::cli::{self, CliSink};
use crate::control::{Control, End};
use crate::daemon::{self, Side};
use crate::engine::SharedEngine;
use crate::engine::sessions::{self, Wanting};
use crate::limits::{self, Limits, Wanted};
use crate::memory::Brake;
use crate::messages::Messages;
use crate::oldpids::{self, OldPids};
use crate::privileges::Identity;
use crate::worker::{Plan, Worker};
use crate::{Exit, affinity, args, check, facts, version};
use hawser_cfg::env::Env;
use hawser_cfg::model::Config;
use hawser_cfg::render;
use hawser_cli::{Registry, Socket, State};
use hawser_listener::{BindSpec, Binder, Bound, CompileOptions, Compiled, Dealt};
use hawser_proto::{ListenerInfo, ProcessInfo, Receiver, clock};
use std::collections::BTreeMap;
use std::io::Write;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Runs the program; `name` is what it was called by.
pub fn run(name: &str, words: &[String]) -> Exit {
    let started = clock::now();
    hawser_log::set_program_name(name);
    let messages = Arc::new(Messages::default());
    let args = match args::parse(words) {
        Ok(args) => args,
        Err(ArgsError::Usage) => return usage(name),
        Err(ArgsError::Refused(text)) => {
            messages.alert(&text);
            return Exit::Status(1);
        }
    };
    match args.action {
        Action::Version => return print(&version::short()),
        Action::Build => return print(&version::long(&version::BUILD)),
        Action::VersionOnly(part) => return print(&format!("{}\n", version::only(part))),
        Action::Run | Action::Check => {}
    }
    set_quiet(&messages, args.quiet && !args.verbose);
    if let Some(condition) = &args.condition {
        return check::condition(&messages, condition, &args);
    }
    if let Some(dir) = &args.chdir
        && let Err(e) = rustix::process::chdir(dir)
    {
        let cause = hawser_proto::errno_text(e);
        messages.alert(&format!("Could not change to directory {} : {cause}", dir.display()));
        return Exit::Status(1);
    }
    if args.files.is_empty() {
        return usage(name);
    }
    match Boot::check(name, &args, &messages, started) {
        Ok(boot) if args.action == Action::Check => boot.verdict(),
        Ok(boot) => boot.start().unwrap_or_else(|exit| exit),
        Err(exit) => exit,
    }
}

fn set_quiet(messages: &Messages, quiet: bool) {
    messages.set_quiet(quiet);
    hawser_log::terminal::set_quiet(quiet);
}

fn print(text: &str) -> Exit {
    // A closed standard output is the reader's wish.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    Exit::Status(0)
}

fn usage(name: &str) -> Exit {
    print(&version::usage(name));
    Exit::Status(1)
}

/// What is known once the configuration is accepted.
struct Boot<'a> {
    name: &'a str,
    args: &'a Args,
    messages: &'a Arc<Messages>,
    started: Instant,
    config: Config,
    env: Env,
    limits: Limits,
    process: Arc<ProcessInfo>,
    listening: Compiled,
    /// `stats socket` lines by number.
    cli: Vec<(usize, BindSpec)>,
    identity: Identity,
    cpus: affinity::CpuMap,
    engine: SharedEngine,
    warned: bool,
}

/// Receivers by thread.
type Dealing = BTreeMap<u32, Vec<(Arc<ListenerInfo>, Box<dyn Receiver>)>>;

impl<'a> Boot<'a> {
    /// Loads and compiles the configuration; nothing is bound, nothing is changed.
    fn check(
        name: &'a str,
        args: &'a Args,
        messages: &'a Arc<Messages>,
        started: Instant,
    ) -> Result<Self, Exit> {
        let mut env = Env::from_process();
        env.define_builtin(&facts::local_peer(args));
        let parsed = check::load(args, &mut env);
        let (config, mut diags) = (parsed.config, parsed.diags);
        let wanted = Wanted { maxconn: args.maxconn, memory_mb: args.memory_mb };
        let sockets = hawser_listener::count(&config);
        let limits = limits::decide(&config, wanted, sockets, limits::nofile());
        let process = Arc::new(ProcessInfo::new(limits.maxconn));
        process.max_conn_rate.store(config.global.maxconnrate.unwrap_or(0), Ordering::Relaxed);
        process.max_sess_rate.store(config.global.maxsessrate.unwrap_or(0), Ordering::Relaxed);
        let options = CompileOptions {
            default_maxconn: args.default_maxconn.unwrap_or(0),
            reuseport: !args.no_reuseport && !config.global.noreuseport,
        };
        let listening = hawser_listener::compile(&config, &process, options, &mut diags);
        let api = Arc::new(ProcessInfo::new(0));
        let cli = hawser_listener::compile_cli(&config, &cli::frontend(&config.global), &api, &mut diags);
        let cpus = affinity::compile(&config.global, limits.threads, &mut diags);
        let identity = check::identity(&config.global, &mut diags);
        let engine = sessions::compile(
            &Wanting { config: &config, frontends: &listening.frontends, limits: &limits, args },
            &mut diags,
        );
        check::features(&config, args, &mut diags);
        let warned = diags.has_warning();
        check::report(messages, args, &config, &diags, &parsed.files)?;
        if let Some(classes) = &args.dump_keywords {
            print(&crate::dump::keywords(classes));
        }
        Ok(Self {
            name,
            args,
            messages,
            started,
            config,
            env,
            limits,
            process,
            listening,
            cli,
            identity,
            cpus,
            engine,
            warned,
        })
    }

    /// The end of `-c`.
    fn verdict(&self) -> Exit {
        if self.listening.binds.is_empty() && self.cli.is_empty() {
            print(&format!("{}\n", render::NO_LISTENER));
            return Exit::Status(2);
        }
        if self.args.verbose && !self.warned {
            print(&format!("{}\n", render::VALID));
        } else if self.warned && !self.args.quiet {
            print(&format!("{}\n", render::WARNINGS_FOUND));
        }
        Exit::Status(0)
    }

    /// Binds, goes to the background, gives up root, serves.
    fn start(mut self) -> Result<Exit, Exit> {
        let global = self.config.global.clone();
        if global.quiet && !self.args.verbose {
            set_quiet(self.messages, true);
        }
        if self.limits.automatic {
            let n = self.limits.maxconn;
            self.messages.notice(&format!("Automatically setting global.maxconn to {n}."));
        }
        self.limits.apply().map_err(|e| self.fail(&e))?;
        let no_splice = self.args.no_splice || global.nosplice;
        let maxpipes = if no_splice { 0 } else { global.maxpipes.unwrap_or(u32::MAX) };
        hawser_proto::splice::configure(global.pipesize.unwrap_or(0) as usize, maxpipes as usize);

        let old = OldPids::new(self.args.old.clone());
        let (bound, api) = self.bind(&old)?;
        let listeners = u32::try_from(bound.len() + api.len()).unwrap_or(u32::MAX);
        let mut dealing = self.deal(bound)?;
        let background = (self.args.daemon || global.daemon) && !self.args.foreground;
        let mut pidfile = match self.args.pidfile.as_ref().or(global.pidfile.as_ref()) {
            Some(path) if background => Some(
                daemon::open_pidfile(path)
                    .map_err(|e| self.fail(&format!("Cannot create pidfile {} ({e})", path.display())))?,
            ),
            _ => None,
        };
        old.leave();
        // Opened before the chroot hides it.
        let null = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null");
        let null = null.map_err(|e| self.fail(&format!("Cannot open /dev/null ({e}).")))?;
        let ready = match background.then(daemon::fork).transpose() {
            Err(e) => return Err(self.fail(&format!("Cannot fork ({e})."))),
            Ok(Some(Side::Parent(child))) => {
                let written = pidfile.as_mut().map_or(Ok(()), |f| daemon::write_pid(f, child.pid));
                if let Err(e) = written {
                    self.messages.warning(&format!("Cannot write the pidfile ({e})."));
                }
                return Ok(Exit::Status(u8::from(!child.outcome())));
            }
            Ok(Some(Side::Child(ready))) => Some(ready),
            Ok(None) => None,
        };
        drop(pidfile);
        let brake = Brake::new(self.limits.memory, &self.process)
            .map_err(|e| self.fail(&format!("Cannot watch the memory in use ({e}).")))?;
        check::root_warnings(self.messages, &self.identity);
        self.identity.assume().map_err(|e| self.fail(&e))?;
        if global.set_dumpable != Some(true) {
            // Leaving root does this by itself; a process that never was root gets it here.
            let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
        }

        let (events_in, events) = tokio::sync::mpsc::unbounded_channel();
        let mut workers = Vec::new();
        for number in 0..self.limits.threads {
            let plan = Plan {
                number,
                listeners: dealing.remove(&number).unwrap_or_default(),
                cpus: self.cpus.get(number as usize).cloned().unwrap_or_default(),
                maxaccept: global.maxaccept,
            };
            let worker = Worker::start(plan, Arc::clone(&self.engine), events_in.clone());
            workers.push(worker.map_err(|e| self.fail(&format!("Cannot start a thread ({e}).")))?);
        }
        drop(events_in);
        let registry = Arc::new(Registry::new(hawser_cli::commands::TABLES));
        let (state, sockets, receivers) = self.runtime_api(api, listeners)?;
        let control = Control {
            engine: Arc::clone(&self.engine),
            workers,
            events,
            messages: Arc::clone(self.messages),
            cli: receivers,
            cli_sink: Rc::new(CliSink::new(Arc::new(state), registry, sockets)),
            brake,
            grace: milliseconds(global.grace).unwrap_or_default(),
            hard_stop_after: milliseconds(global.hard_stop_after).filter(|d| !d.is_zero()),
            frontends: self.listening.frontends.iter().flatten().map(|f| Arc::clone(&f.name)).collect(),
        };
        let messages = Arc::clone(self.messages);
        let end = control.run(move || {
            if let Some(ready) = ready {
                set_quiet(&messages, true);
                if let Err(e) = ready.tell(&null) {
                    messages.alert(&format!("Cannot leave the terminal ({e})."));
                }
            }
        });
        Ok(match end {
            Ok(End::Finished) => Exit::Status(0),
            Ok(End::Signal(n)) => Exit::Signal(n),
            Ok(End::Failed) => Exit::Status(1),
            Err(e) => self.fail(&format!("Cannot run the control thread ({e}).")),
        })
    }

    fn fail(&self, text: &str) -> Exit {
        self.messages.alert(&format!("[{}.main()] {text}", self.name));
        Exit::Status(1)
    }

    /// Binds and listens: services, then the runtime API. An address that an old process holds is asked for
    /// again while that process is made to pause.
    fn bind(&mut self, old: &OldPids) -> Result<(Vec<Bound>, Vec<(usize, Bound)>), Exit> {
        if self.listening.binds.is_empty() && self.cli.is_empty() {
            return Err(self.fail("No enabled listener found (check for 'bind' directives) ! Exiting."));
        }
        let services = self.listening.binds.len();
        let numbers: Vec<usize> = self.cli.iter().map(|(n, _)| *n).collect();
        let mut specs = std::mem::take(&mut self.listening.binds);
        specs.extend(std::mem::take(&mut self.cli).into_iter().map(|(_, spec)| spec));
        let order: Vec<Arc<ListenerInfo>> = specs.iter().map(|s| Arc::clone(&s.info)).collect();
        let mut binder = Binder::new(specs);
        let files = &self.config.files;
        let mut failures = binder.bind(files);
        let mut tries = 0;
        while failures.iter().any(|f| f.in_use) && !old.is_empty() && tries < oldpids::RETRIES {
            if tries == 0 {
                old.pause();
            }
            tries += 1;
            oldpids::wait();
            failures = binder.bind(files);
        }
        binder.warnings.iter().for_each(|w| self.messages.warning(w));
        failures.iter().for_each(|f| self.messages.alert(&f.text));
        let listening = if failures.is_empty() { binder.listen(files) } else { Err(Vec::new()) };
        let mut bound = listening.map_err(|errors| {
            errors.iter().for_each(|e| self.messages.alert(e));
            if tries > 0 {
                old.resume();
            }
            self.fail("Some protocols failed to start their listeners! Exiting.")
        })?;
        // A second attempt binds out of order.
        bound.sort_by_key(|b| order.iter().position(|i| Arc::ptr_eq(i, &b.info)));
        let api = bound.split_off(services);
        Ok((bound, numbers.into_iter().zip(api).collect()))
    }

    fn deal(&self, bound: Vec<Bound>) -> Result<Dealing, Exit> {
        let mut dealing = Dealing::new();
        for b in bound {
            let info = Arc::clone(&b.info);
            let dealt: Vec<Dealt> = b.deal(self.limits.threads, &self.config.files).map_err(|e| {
                self.messages.alert(&e);
                self.fail("Some protocols failed to start their listeners! Exiting.")
            })?;
            for (thread, receiver) in dealt {
                dealing.entry(thread).or_default().push((Arc::clone(&info), receiver));
            }
        }
        Ok(dealing)
    }

    /// The state behind the runtime API, and its sockets.
    #[expect(clippy::type_complexity, reason = "three halves of one thing, taken apart at once")]
    fn runtime_api(
        &self,
        api: Vec<(usize, Bound)>,
        listeners: u32,
    ) -> Result<(State, Vec<(Arc<ListenerInfo>, Socket)>, Vec<(Arc<ListenerInfo>, Box<dyn Receiver>)>), Exit>
    {
        let g = &self.config.global;
        let mut sockets = Vec::new();
        let mut names = Vec::new();
        let mut receivers = Vec::new();
        for (number, bound) in api {
            let info = Arc::clone(&bound.info);
            let Some(line) = g.stats_sockets.get(number) else { continue };
            let socket = cli::socket(line, g);
            names.push((facts::socket_name(&info.addr), socket.level));
            sockets.push((Arc::clone(&info), socket));
            let dealt = bound.deal(1, &self.config.files).map_err(|e| self.fail(&e))?;
            receivers.extend(dealt.into_iter().map(|(_, r)| (Arc::clone(&info), r)));
        }
        let state = facts::state(&facts::Facts {
            config: &self.config,
            env: &self.env,
            limits: &self.limits,
            messages: self.messages,
            started: self.started,
            process: &self.process,
            frontends: &self.listening.frontends,
            engine: &self.engine,
            listeners,
            sockets: names,
        });
        Ok((state, sockets, receivers))
    }
}

fn milliseconds(ms: Option<u32>) -> Option<Duration> {
    ms.map(|ms| Duration::from_millis(u64::from(ms)))
}
