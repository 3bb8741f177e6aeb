//! From the command line to a master that supervises.

use super::notify::Notify;
use super::supervise::Master;
use super::workers::Program;
use crate::args::Args;
use crate::boot::set_quiet;
use crate::daemon::{self, Side};
use crate::messages::Messages;
use crate::{Exit, alloc, facts, sigmask};
use hawser_cfg::diag::Diags;
use hawser_cfg::env::Env;
use hawser_cfg::model::{Addr, Global, StatsSocket};
use hawser_listener::Binder;
use hawser_proto::{ListenerInfo, Receiver};
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// What the master starts with.
pub(crate) struct Start<'a> {
    pub(crate) name: &'a str,
    pub(crate) args: &'a Args,
    pub(crate) messages: &'a Arc<Messages>,
    pub(crate) started: Instant,
    pub(crate) env: Env,
    /// Where the command line was given, before `-C`.
    pub(crate) dir: PathBuf,
    /// What the configuration says of the process.
    pub(crate) global: Box<Global>,
}

/// The sockets of `-S`.
pub(super) struct Api {
    /// Each with its listener and the number of its line.
    pub(super) receivers: Vec<(usize, Arc<ListenerInfo>, Box<dyn Receiver>)>,
    /// The lines.
    pub(super) lines: Vec<StatsSocket>,
}

/// Is the master, until its last worker has ended.
pub(crate) fn run(start: Start<'_>) -> Exit {
    supervise(start).unwrap_or_else(|exit| exit)
}

fn supervise(start: Start<'_>) -> Result<Exit, Exit> {
    let messages = start.messages;
    if start.global.quiet && !start.args.verbose {
        set_quiet(messages, true);
    }
    let failed = |text: String| {
        messages.alert(&format!("[{}.main()] {text}", start.name));
        Exit::Status(1)
    };
    // Others may send signals as soon as the pid file is there.
    sigmask::hold();
    let program = Program::of_process(start.dir.clone());
    let program = program.map_err(|e| failed(format!("Cannot find the program ({e}).")))?;
    let api = bind(&start)?;
    let pidfile = start.args.pidfile.as_ref().or(start.global.pidfile.as_ref());
    let pidfile = pidfile.map(|path| {
        let opened = daemon::open_pidfile(path);
        opened.map_err(|_| failed(format!("Cannot create pidfile {}", path.display())))
    });
    let pidfile = pidfile.transpose()?;
    let background = (start.args.daemon || start.global.daemon) && !start.args.foreground;
    let ready = if background {
        match daemon::fork().map_err(|e| failed(format!("Cannot fork ({e}).")))? {
            Side::Parent(child) => return Ok(Exit::Status(u8::from(!child.outcome()))),
            Side::Child(ready) => Some(ready),
        }
    } else {
        None
    };
    if let Some(mut file) = pidfile
        && let Err(e) = daemon::write_pid(&mut file, std::process::id())
    {
        messages.warning(&format!("Cannot write the pidfile ({e})."));
    }
    let null = File::options().read(true).write(true).open("/dev/null");
    let null = null.map_err(|e| failed(format!("Cannot open /dev/null ({e}).")))?;
    let serves = Arc::clone(messages);
    let ready = ready.map(|ready| -> Box<dyn FnOnce()> {
        Box::new(move || {
            set_quiet(&serves, true);
            if let Err(e) = ready.tell(&null) {
                serves.alert(&format!("Cannot leave the terminal ({e})."));
            }
        })
    });
    let notify = if start.args.notify { Notify::new(&start.env) } else { Notify::default() };
    let sockets: Vec<String> = api.lines.iter().flat_map(|s| &s.bind.addrs).map(Addr::full_name).collect();
    let master = Master::new(&start, &sockets, program, notify, ready);
    // Nobody needs the configuration here any more.
    drop(start.global);
    alloc::purge();
    master.run(api, start.started).map_err(|e| failed(format!("Cannot supervise ({e}).")))
}

/// Binds `-S`.
fn bind(start: &Start<'_>) -> Result<Api, Exit> {
    let mut diags = Diags::default();
    let config = super::sockets(&start.args.master_cli, &mut diags);
    let specs = super::compile(&config, &mut diags);
    if diags.has_alert() {
        for d in diags.list {
            start.messages.alert(&d.text.replace("'stats socket'", "'-S'"));
        }
        return Err(Exit::Status(1));
    }
    let numbers: Vec<_> = specs.iter().map(|(n, s)| (*n, Arc::clone(&s.info))).collect();
    let mut binder = Binder::new(specs.into_iter().map(|(_, spec)| spec).collect());
    let alerts: Vec<String> = binder.bind(&config.files).into_iter().map(|f| f.text).collect();
    let bound = if alerts.is_empty() { binder.listen(&config.files) } else { Err(alerts) };
    let refused = |alerts: Vec<String>| {
        alerts.iter().for_each(|text| start.messages.alert(text));
        Exit::Status(1)
    };
    let mut receivers = Vec::new();
    for b in bound.map_err(refused)? {
        let info = Arc::clone(&b.info);
        let line = numbers.iter().find(|(_, i)| Arc::ptr_eq(i, &info)).map_or(0, |(n, _)| *n);
        for (_, receiver) in b.deal(1, &config.files).map_err(|e| refused(vec![e]))? {
            receivers.push((line, Arc::clone(&info), receiver));
        }
    }
    Ok(Api { receivers, lines: config.global.stats_sockets })
}

/// The environment as the master's command line shows it.
pub(super) fn environment(env: &Env, args: &Args, sockets: &[String]) -> hawser_cli::Environment {
    let mut env = env.clone();
    env.define_builtin(&facts::local_peer(args));
    env.forget_formats();
    env.set("HAPROXY_MWORKER", "1");
    let files: Vec<String> = args.files.iter().map(|f| f.display().to_string()).collect();
    env.set("HAPROXY_CFGFILES", &files.join(";"));
    if !sockets.is_empty() {
        env.set("HAPROXY_MASTER_CLI", &sockets.join(";"));
    }
    hawser_cli::Environment(env.iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect())
}
