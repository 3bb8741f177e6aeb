//! The master's workers: starting them, reaching them, learning of their end.

use super::link::{Facts, Link, VARIABLE};
use hawser_proto::{clock, sockpair};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::Command;
use std::process::{Child, ExitStatus};
use std::time::Instant;

/// What a worker is executed from.
#[derive(Debug)]
pub(super) struct Program {
    /// The file, absolute: replacing it on disk is how a reload changes the program.
    pub(super) path: PathBuf,
    /// The words of the command line, the program's name first.
    pub(super) words: Vec<OsString>,
    /// Where the command line was given.
    pub(super) dir: PathBuf,
}

impl Program {
    /// This one.
    ///
    /// # Errors
    /// The system does not tell where it is.
    pub(super) fn of_process(dir: PathBuf) -> io::Result<Self> {
        let words: Vec<OsString> = std::env::args_os().collect();
        let name = words.first().map(PathBuf::from).unwrap_or_default();
        // A name with a directory may be a link that the next version changes.
        let path = if name.components().count() > 1 { dir.join(name) } else { std::env::current_exe()? };
        Ok(Self { path, words, dir })
    }
}

/// Where a worker is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// It reads the configuration and binds.
    Loading,
    /// It serves.
    Current,
    /// It was replaced.
    Former,
}

/// A worker.
#[derive(Debug)]
pub(super) struct Worker {
    /// Its process id.
    pub(super) pid: i32,
    /// See [`Stage`].
    pub(super) stage: Stage,
    /// Reloads since it was started.
    pub(super) reloads: u32,
    /// When that was.
    pub(super) started: Instant,
    /// What it said of itself.
    pub(super) facts: Facts,
    /// Those before it are not to finish what they are doing.
    pub(super) hard: bool,
    /// It was asked to leave.
    pub(super) leaving: bool,
    /// How it ended.
    pub(super) exit: Option<ExitStatus>,
    /// It says nothing more.
    pub(super) silent: bool,
    channel: OwnedFd,
    child: Child,
}

impl Worker {
    /// Sends a signal. One that has ended needs none.
    pub(super) fn signal(&self, signal: Signal) {
        if self.exit.is_some() {
            return;
        }
        if let Some(pid) = Pid::from_raw(self.pid) {
            let _ = kill_process(pid, signal);
        }
    }

    /// Connects to its command line.
    ///
    /// # Errors
    /// It takes no connections any more.
    pub(super) fn connect(&self) -> io::Result<OwnedFd> {
        let (ours, theirs) = pair()?;
        sockpair::pass(self.channel.as_fd(), theirs.as_fd())?;
        Ok(ours)
    }

    /// Looks whether it has ended.
    pub(super) fn reap(&mut self) {
        if self.exit.is_none() {
            self.exit = self.child.try_wait().ok().flatten();
        }
    }
}

fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?)
}

/// The status that a shell would show: 128 and the signal, if one ended the process.
pub(super) fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

/// All workers, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Workers {
    /// Them.
    pub(super) all: Vec<Worker>,
    /// Reloads so far.
    pub(super) reloads: u32,
    /// Those among them that failed.
    pub(super) failed: u32,
    /// The last one did.
    pub(super) last_failed: bool,
}

impl Workers {
    /// The one that serves.
    pub(super) fn current(&self) -> Option<&Worker> {
        self.all.iter().find(|w| w.stage == Stage::Current)
    }

    /// By its pid.
    pub(super) fn find(&mut self, pid: i32) -> Option<&mut Worker> {
        self.all.iter_mut().find(|w| w.pid == pid)
    }

    /// Starts one that takes over from those that are there; returns where it tells how it is doing.
    ///
    /// # Errors
    /// The program cannot be executed.
    pub(super) fn start(&mut self, program: &Program, take_over: bool, hard: bool) -> io::Result<UnixStream> {
        let (channel, their_channel) = pair()?;
        let (status, their_status) = pair()?;
        let before = self.current().filter(|_| take_over).and_then(|w| w.connect().ok());
        let old: Vec<i32> = self.all.iter().map(|w| w.pid).collect();
        // The master has one thread: nobody else executes anything meanwhile.
        for fd in [Some(&their_channel), Some(&their_status), before.as_ref()].into_iter().flatten() {
            fcntl_setfd(fd, FdFlags::empty())?;
        }
        let before_fd = before.as_ref().map(AsRawFd::as_raw_fd);
        let link = Link::describe(their_channel.as_raw_fd(), their_status.as_raw_fd(), before_fd, &old);
        let mut command = Command::new(&program.path);
        if let Some((name, rest)) = program.words.split_first() {
            command.arg0(name).args(rest);
        }
        command.env("HAPROXY_MWORKER", "1").env(VARIABLE, link).current_dir(&program.dir);
        let child = command.spawn()?;
        self.all.push(Worker {
            pid: i32::try_from(child.id()).unwrap_or_default(),
            stage: Stage::Loading,
            reloads: 0,
            started: clock::now(),
            facts: Facts::default(),
            hard,
            leaving: false,
            exit: None,
            silent: false,
            channel,
            child,
        });
        Ok(UnixStream::from(status))
    }

    /// Sends a signal to all.
    pub(super) fn signal(&self, signal: Signal) {
        self.all.iter().for_each(|w| w.signal(signal));
    }
}
