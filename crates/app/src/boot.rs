//! From the command line to an accepted configuration. Nothing is bound and nothing is changed here.

use crate::args::{Action, Args, ArgsError};
use crate::engine::SharedEngine;
use crate::engine::sessions::{self, Wanting};
use crate::limits::{self, Limits, Wanted};
use crate::master::{self, Link};
use crate::messages::Messages;
use crate::metrics::Exporter;
use crate::page::Pages;
use crate::privileges::Identity;
use crate::reverse::Tunnels;
use crate::running::Running;
use crate::{Exit, affinity, args, check, cli, diagnostics, facts, start, version};
use hawser_cfg::env::Env;
use hawser_cfg::model::Config;
use hawser_cfg::parse::Parsed;
use hawser_cfg::render;
use hawser_listener::{BindSpec, CompileOptions, Compiled};
use hawser_proto::{ProcessInfo, clock};
use hawser_rules::Service;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// Runs the program; `name` is what it was called by.
pub fn run(name: &str, words: &[String]) -> Exit {
    if hawser_proto::md5sig::works() {
        hawser_cfg::features::set_detected(vec!["HAVE_WORKING_TCP_MD5SIG"]);
    }
    let started = clock::now();
    hawser_log::set_program_name(name);
    let messages = Arc::new(Messages::default());
    tell_panics(&messages);
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
    let here = std::env::current_dir().unwrap_or_default();
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
    let mut env = Env::from_process();
    if let Err(text) = diagnostics::start(&env) {
        messages.warning(&text);
    }
    let link = match Link::find(&mut env) {
        Ok(link) => link,
        Err(text) => {
            messages.alert(&text);
            return Exit::Status(1);
        }
    };
    if let Some(link) = &link {
        *messages.master.lock() = Some(Arc::clone(&link.status));
    }
    let original = env.clone();
    env.define_builtin(&facts::local_peer(&args));
    let parsed = check::load(&args, &mut env);
    if parsed.files.list.is_empty() && !parsed.diags.has_alert() {
        // There are directories, and nothing in them.
        return usage(name);
    }
    let wants_master = args.master || parsed.config.global.master_worker;
    if link.is_none() && !args.master_cli.is_empty() && !wants_master {
        messages.alert("a master CLI socket was defined, but master-worker mode (-W) is not enabled.");
        return Exit::Status(1);
    }
    if link.is_none() && args.action == Action::Run && wants_master {
        return master::run(master::Start {
            name,
            args: &args,
            messages: &messages,
            started,
            env: original,
            dir: here,
            global: Box::new(parsed.config.global),
        });
    }
    match Boot::check(name, &args, &messages, started, Loaded { env, parsed, link }) {
        Ok(boot) if args.action == Action::Check => boot.verdict(),
        Ok(boot) => start::start(boot).unwrap_or_else(|exit| exit),
        Err(exit) => exit,
    }
}

/// A panic ends one connection; it is worth an alert and, where asked for, a backtrace.
fn tell_panics(messages: &Arc<Messages>) {
    let messages = Arc::clone(messages);
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        messages.alert(&format!("Internal error in thread {}, please report it.", thread_name()));
        before(info);
    }));
}

fn thread_name() -> String {
    std::thread::current().name().unwrap_or("?").to_owned()
}

/// `-q`, `quiet`, and a process that has left its terminal.
pub(crate) fn set_quiet(messages: &Messages, quiet: bool) {
    messages.set_quiet(quiet);
    hawser_log::terminal::set_quiet(quiet);
}

fn print(text: &str) -> Exit {
    // A closed standard output is the reader's wish.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    Exit::Status(0)
}

fn usage(name: &str) -> Exit {
    print(&version::short());
    // A closed standard error is the reader's wish.
    let _ = std::io::stderr().lock().write_all(version::usage(name).as_bytes());
    Exit::Status(1)
}

/// What was read before anything was compiled.
struct Loaded {
    env: Env,
    parsed: Parsed,
    link: Option<Link>,
}

/// What is known once the configuration is accepted.
pub(crate) struct Boot<'a> {
    pub(crate) name: &'a str,
    pub(crate) args: &'a Args,
    pub(crate) messages: &'a Arc<Messages>,
    pub(crate) started: Instant,
    pub(crate) config: Config,
    pub(crate) env: Env,
    pub(crate) limits: Limits,
    pub(crate) process: Arc<ProcessInfo>,
    pub(crate) listening: Compiled,
    /// `stats socket` lines by number.
    pub(crate) cli: Vec<(usize, BindSpec)>,
    pub(crate) identity: Identity,
    pub(crate) cpus: affinity::CpuMap,
    pub(crate) engine: SharedEngine,
    pub(crate) tunnels: Arc<Tunnels>,
    /// The master, if this process is its worker.
    pub(crate) link: Option<Link>,
    /// Told once there are workers.
    pub(crate) running: Arc<Running>,
    warned: bool,
}

impl<'a> Boot<'a> {
    /// Loads and compiles the configuration; nothing is bound, nothing is changed.
    fn check(
        name: &'a str,
        args: &'a Args,
        messages: &'a Arc<Messages>,
        started: Instant,
        loaded: Loaded,
    ) -> Result<Self, Exit> {
        let Loaded { env, parsed, link } = loaded;
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
            threads: limits.threads,
        };
        let mut listening = hawser_listener::compile(&config, &process, options, &mut diags);
        let api = Arc::new(ProcessInfo::new(0));
        let mut cli = hawser_listener::compile_cli(&config, &cli::frontend(&config.global), &api, &mut diags);
        let channel = link.as_ref().and_then(|l| master::channel(l.channel, &mut diags));
        cli.splice(0..0, channel.map(|spec| (master::LINE, spec)));
        let cpus = affinity::compile(&config.global, limits.threads, &mut diags);
        let identity = check::identity(&config.global, &mut diags);
        let running = Arc::new(Running::default());
        let wanting = Wanting {
            config: &config,
            frontends: &listening.frontends,
            listeners: listening.binds.iter().map(|b| Arc::clone(&b.info)).collect(),
            limits: &limits,
            args,
            services: vec![Arc::new(Exporter(Arc::clone(&running))) as Arc<dyn Service>],
            statistics: Arc::new(Pages(Arc::clone(&running))),
        };
        let engine = sessions::compile(&wanting, &mut diags);
        let verify = args.action == Action::Check;
        let tunnels = Arc::new(Tunnels::compile(&mut listening, &engine, verify, &mut diags));
        let warned = diags.has_warning();
        check::report(messages, args, &config, &mut diags, &parsed.files)?;
        if let Some(classes) = &args.dump_keywords {
            print(&crate::dump::keywords(classes));
        }
        if args.dump_libraries {
            print(&crate::dump::libraries(!args.quiet));
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
            tunnels,
            link,
            running,
            warned,
        })
    }

    /// The end of `-c`.
    fn verdict(&self) -> Exit {
        let verbose = self.args.verbose;
        if self.warned && (verbose || !self.args.quiet) {
            print(&format!("{}\n", render::WARNINGS_FOUND));
        }
        if self.listening.binds.is_empty() && self.cli.is_empty() {
            print(&format!("{}\n", render::NO_LISTENER));
            return Exit::Status(2);
        }
        if verbose {
            print(&format!("{}\n", render::VALID));
        }
        Exit::Status(0)
    }

    /// An alert of the boot sequence, and the exit that goes with it.
    pub(crate) fn fail(&self, text: &str) -> Exit {
        self.messages.alert(&format!("[{}.main()] {text}", self.name));
        Exit::Status(1)
    }
}
