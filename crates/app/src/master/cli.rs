//! The master's command line (management guide 9.4): its own commands, and those that go to a worker.

use super::relay::{self, Peer};
use super::show;
use super::start::Api;
use super::supervise::{Master, Outcome};
use super::workers::Workers;
use crate::cli::socket;
use crate::facts::socket_name;
use crate::version;
use hawser_cfg::model::Global;
use hawser_cli::conversation::{Mode, Request};
use hawser_cli::{
    Call, Command, Conversation, Level, Process, Registry, Reply, Socket, SocketList, State, commands,
};
use hawser_listener::ListenerSet;
use hawser_proto::{AcceptSink, Incoming, ListenerInfo, ProcessInfo, clock, pp};
use parking_lot::Mutex;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

/// A reload that is asked for.
pub(super) struct Order {
    /// `hard-reload`.
    pub(super) hard: bool,
    /// Where to tell what it came to.
    pub(super) outcome: oneshot::Sender<Outcome>,
}

#[rustfmt::skip]
static COMMANDS: &[Command] = &[
    Command::new("@!<pid>", "@!<pid>", Level::User, |_| Reply::Done, "send a command to the <pid> process"),
    Command::new("@<relative pid>", "@<relative pid>", Level::User, |_| Reply::Done, "send a command to the <relative pid> process"),
    Command::new("@master", "@master", Level::User, |_| Reply::Done, "send a command to the master process"),
    Command::new("hard-reload", "hard-reload", Level::Operator, |_| Reply::Done, "start a new worker; the old one ends its connections"),
    Command::new("reload", "reload", Level::Operator, |_| Reply::Done, "start a new worker; the old one finishes"),
    Command::new("show proc", "show proc", Level::Operator, show_proc, "show the master and its workers"),
];

/// Commands about the connection itself, which a worker, asked for one command at a time, would forget.
const OF_SESSION: [&str; 6] = ["expert-mode", "experimental-mode", "operator", "prompt", "quit", "user"];

/// Whether the master has a command of this name, of those that workers do not have.
pub(crate) fn implements(words: &str) -> bool {
    COMMANDS.iter().any(|c| c.words == words)
}

/// What `show proc` shows.
struct Processes(Arc<Mutex<Workers>>, Instant);

fn show_proc(call: &mut Call<'_>) -> Reply {
    let processes = call.state.get::<Processes>();
    processes.map_or(Reply::Done, |p| Reply::Dump(show::processes(&p.0.lock(), p.1)))
}

/// What all connections share.
struct Shared {
    state: State,
    registry: Registry,
    workers: Arc<Mutex<Workers>>,
    orders: UnboundedSender<Order>,
    sockets: Vec<(Arc<ListenerInfo>, Socket)>,
}

/// Starts to accept on the sockets of `-S`.
///
/// # Errors
/// The reactor refuses a descriptor.
pub(super) fn serve(
    api: Api,
    master: &mut Master,
    orders: UnboundedSender<Order>,
    started: Instant,
) -> io::Result<()> {
    let state = State::default();
    state.insert(Processes(master.workers(), started));
    state.insert(std::mem::take(&mut master.facts));
    state.insert(master.messages().log.clone());
    state.insert(process(started));
    let global = Global::default();
    let mut sockets = Vec::new();
    let mut names = Vec::new();
    for (line, info, _) in &api.receivers {
        let Some(line) = api.lines.get(*line) else { continue };
        // The sockets of services are the workers' to give.
        let socket = Socket { expose_fd: false, ..socket(line, &global) };
        names.push((socket_name(&info.addr), socket.level));
        sockets.push((Arc::clone(info), socket));
    }
    state.insert(SocketList(names));
    let registry = Registry::of_master(commands::TABLES, COMMANDS);
    let shared = Shared { state, registry, workers: master.workers(), orders, sockets };
    let listeners = ListenerSet::new(Rc::new(Sink(Rc::new(shared))), None);
    for (_, info, receiver) in api.receivers {
        listeners.start(info, receiver)?;
    }
    Ok(())
}

fn process(started: Instant) -> Process {
    Process {
        version: version::VERSION,
        release_date: version::RELEASE_DATE,
        pid: std::process::id(),
        threads: 1,
        started,
        started_date: clock::wall(),
        boot_ms: 0,
        memmax_mb: 0,
        ulimit_n: 0,
        maxsock: 0,
        hard_maxconn: 0,
        maxpipes: 0,
        node: String::new(),
        description: None,
        listeners: 0,
        conns: Arc::new(ProcessInfo::new(0)),
        frontends: Vec::new(),
    }
}

struct Sink(Rc<Shared>);

impl AcceptSink for Sink {
    fn accept(&self, conn: Incoming) {
        let shared = Rc::clone(&self.0);
        tokio::task::spawn_local(async move {
            let mut conn = conn;
            let listener = conn.slot.listener();
            let found = shared.sockets.iter().find(|(info, _)| Arc::ptr_eq(info, listener));
            let Some((info, socket)) = found else { return };
            if !info.expect.is_none()
                && pp::receive(&mut *conn.transport, info.expect, Some(socket.timeout)).await.is_err()
            {
                return;
            }
            let conversation = Conversation::new(socket.level, socket.severity, socket.timeout);
            let session = Session { shared: &shared, conversation, target: None };
            // Whatever ends the connection ends it; there is nobody to tell.
            let _ = session.run(Peer::new(conn.transport)).await;
            drop(conn.slot);
        });
    }
}

/// One connection.
struct Session<'a> {
    shared: &'a Shared,
    conversation: Conversation,
    /// The worker (its pid) that gets commands without a prefix.
    target: Option<i32>,
}

/// Whom a prefix means.
enum Target {
    Master,
    Worker(i32),
}

impl Session<'_> {
    /// Unlike a worker, the master waits for more lines in every mode.
    async fn run(mut self, mut peer: Peer) -> io::Result<()> {
        let mut buf = [0; 4096];
        loop {
            let n = peer.read(&mut buf).await?;
            if n == 0 {
                return Ok(());
            }
            self.conversation.feed(&buf[..n]);
            while let Some(line) = self.conversation.next_line().map_err(|_| io::ErrorKind::InvalidData)? {
                if !self.line(&line, &mut peer).await? {
                    return peer.shutdown().await;
                }
                peer.write(self.prompt().as_bytes()).await?;
            }
        }
    }

    /// Runs the commands of a line; false if the connection is to be closed.
    async fn line(&mut self, line: &[Request], peer: &mut Peer) -> io::Result<bool> {
        for (at, request) in line.iter().enumerate() {
            let text = request.text.trim_start();
            let Some(prefixed) = text.strip_prefix('@') else {
                let of_session = request.words.first().is_some_and(|w| OF_SESSION.contains(&w.as_str()));
                if let Some(pid) = self.target.filter(|_| !of_session) {
                    self.relay(pid, request, text, false, peer).await?;
                } else if !self.own(request, peer).await? {
                    return Ok(false);
                }
                continue;
            };
            let (bidirectional, prefixed) = match prefixed.strip_prefix('@') {
                Some(rest) => (true, rest),
                None => (false, prefixed),
            };
            let (prefix, command) = prefixed.split_once([' ', '\t']).unwrap_or((prefixed, ""));
            let command = command.trim_start();
            match self.find(prefix) {
                None => {
                    let text = format!("Can't find the target PID matching the prefix '@{prefix}'\n");
                    peer.write(text.as_bytes()).await?;
                    return Ok(true);
                }
                Some(Target::Worker(pid)) if bidirectional => {
                    let rest: Vec<&str> = std::iter::once(command)
                        .chain(line[at + 1..].iter().map(|r| r.text.as_str()))
                        .collect();
                    let all = Request { text: rest.join(";"), ..line[line.len() - 1].clone() };
                    self.relay(pid, &all, &all.text, true, peer).await?;
                    return Ok(true);
                }
                Some(Target::Worker(pid)) if command.is_empty() => self.target = Some(pid),
                Some(Target::Worker(pid)) => self.relay(pid, request, command, false, peer).await?,
                Some(Target::Master) if command.is_empty() => self.target = None,
                Some(Target::Master) => {
                    let words = request.words[1..].to_vec();
                    if !self.own(&Request { words, ..request.clone() }, peer).await? {
                        return Ok(false);
                    }
                }
            }
        }
        Ok(true)
    }

    /// `@1`, `@!<pid>`, `@` or `@master`, without the `@`.
    fn find(&self, prefix: &str) -> Option<Target> {
        let mut workers = self.shared.workers.lock();
        if matches!(prefix, "" | "master" | "0") {
            return Some(Target::Master);
        }
        let pid = match prefix.strip_prefix('!') {
            Some(pid) => workers.find(pid.parse().ok()?)?.pid,
            // There is one worker that serves.
            None if prefix == "1" => workers.current()?.pid,
            None => return None,
        };
        Some(Target::Worker(pid))
    }

    /// Runs a command of the master; false if the connection is to be closed.
    async fn own(&mut self, request: &Request, peer: &mut Peer) -> io::Result<bool> {
        let command = self.shared.registry.find(&request.words).map(|(row, _)| row);
        let wants = |words| command.is_some_and(|c| c.words == words && self.conversation.level() >= c.level);
        let hard = wants("hard-reload");
        if hard || wants("reload") {
            let (outcome, told) = oneshot::channel();
            let _ = self.shared.orders.send(Order { hard, outcome });
            let (success, log) = told.await.unwrap_or_default();
            peer.write(format!("Success={}\n--\n{log}\n", u8::from(success)).as_bytes()).await?;
            return Ok(false);
        }
        if matches!(request.words.first().map(String::as_str), Some("quit")) {
            return Ok(false);
        }
        let reply = self.conversation.execute(request, &self.shared.state, &self.shared.registry);
        // Workers answer with an empty line, the master does not.
        if reply != Reply::Done {
            peer.write(self.conversation.frame(&reply).as_bytes()).await?;
        }
        Ok(!self.conversation.closing())
    }

    /// Has a worker run a command.
    async fn relay(
        &mut self,
        pid: i32,
        request: &Request,
        command: &str,
        both: bool,
        peer: &mut Peer,
    ) -> io::Result<()> {
        let connected = self.shared.workers.lock().find(pid).map(|w| w.connect());
        let Some(Ok(worker)) = connected else {
            return peer.write(b"Can't connect to the target CLI!\n").await;
        };
        let (mut text, mut preludes) = match (command.trim(), self.conversation.mode) {
            ("", Mode::Prompt) if both => relay::order(&self.conversation, request, "prompt"),
            ("", Mode::Interactive) if both => relay::order(&self.conversation, request, "prompt i"),
            _ => relay::order(&self.conversation, request, command),
        };
        if both && command.trim().is_empty() {
            match self.conversation.mode {
                // The client's next line is the command.
                Mode::Single => _ = text.pop(),
                Mode::Interactive | Mode::Prompt => preludes += 1,
            }
        }
        if both {
            text += &String::from_utf8_lossy(&self.conversation.take_rest());
        }
        relay::pass(worker, &text, preludes, both, peer).await
    }

    fn prompt(&self) -> String {
        if self.conversation.mode != Mode::Prompt {
            return String::new();
        }
        let mut flags = String::new();
        flags.extend(self.conversation.experimental.then_some('x'));
        flags.extend(self.conversation.expert.then_some('e'));
        let flags = if flags.is_empty() { flags } else { format!("({flags})") };
        match self.target {
            Some(pid) => format!("{pid}{flags}> "),
            None if self.shared.workers.lock().last_failed => format!("master{flags}[ReloadFailed]> "),
            None => format!("master{flags}> "),
        }
    }
}
