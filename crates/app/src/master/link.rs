//! What a worker has of its master.

use hawser_cfg::env::Env;
use hawser_proto::take_inherited;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

/// The variable that tells a worker what it inherits: the numbers of the sockets for its command line, for its
/// status, and to the worker before it (or `-`); then the pids of the workers before it. No configuration sees it.
pub(super) const VARIABLE: &str = "HAWSER_WORKER";

/// Longest piece of text in a message (bytes).
const TEXT_MAX: usize = 60_000;

/// See the module.
#[derive(Debug)]
pub(crate) struct Link {
    /// The descriptor over which connections to the command line come.
    pub(crate) channel: i32,
    /// Where the master hears of this worker.
    pub(crate) status: Arc<Status>,
    /// A connection to the command line of the worker before, to ask for its sockets.
    pub(crate) before: Option<OwnedFd>,
    /// Pids of workers that may hold addresses which this one wants; empty for the master's first.
    pub(crate) old: Vec<i32>,
}

impl Link {
    /// Finds the master, if this process is a worker.
    ///
    /// # Errors
    /// The text of an alert.
    pub(crate) fn find(env: &mut Env) -> Result<Option<Self>, String> {
        let Some(text) = env.get(VARIABLE).map(str::to_owned) else { return Ok(None) };
        env.unset(VARIABLE);
        let bad = || format!("'{VARIABLE}' is for workers of this program, and is not to be set by hand.");
        let mut words = text.split(' ');
        let mut number = || words.next().and_then(|w| w.parse::<i32>().ok());
        let (channel, status) = (number().ok_or_else(bad)?, number().ok_or_else(bad)?);
        let before = words.next().and_then(|w| w.parse::<i32>().ok());
        let before = before.map(take_inherited).transpose().map_err(|_| bad())?;
        let old = words.filter_map(|w| w.parse().ok()).collect();
        let status = UnixStream::from(take_inherited(status).map_err(|_| bad())?);
        Ok(Some(Self { channel, status: Arc::new(Status(status)), before, old }))
    }

    /// The value of [`VARIABLE`].
    pub(super) fn describe(channel: i32, status: i32, before: Option<i32>, old: &[i32]) -> String {
        let mut text = format!("{channel} {status}");
        match before {
            Some(fd) => _ = write!(text, " {fd}"),
            None => text.push_str(" -"),
        }
        old.iter().for_each(|pid| _ = write!(text, " {pid}"));
        text
    }
}

/// What the master wants to know of a worker that serves.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Facts {
    /// `mworker-max-reloads`.
    pub(crate) max_reloads: u32,
    /// `master-worker no-exit-on-failure`.
    pub(crate) no_exit_on_failure: bool,
    /// The workers before it are needed until it says that they are not.
    pub(crate) settling: bool,
    /// Of the program.
    pub(crate) version: String,
}

/// A message of a worker.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Told {
    /// It printed this while starting.
    Log(String),
    /// It serves.
    Ready(Facts),
    /// The workers before it are no longer needed.
    Settled,
}

/// The worker's side of the status socket. A master that is gone does not listen; the control thread finds out.
#[derive(Debug)]
pub(crate) struct Status(UnixStream);

impl Status {
    /// Repeats what was printed.
    pub(crate) fn log(&self, mut text: &str) {
        while !text.is_empty() {
            let whole = (0..=text.len().min(TEXT_MAX)).rev().find(|n| text.is_char_boundary(*n));
            let (piece, rest) = text.split_at(whole.unwrap_or(text.len()));
            self.send(b'L', piece);
            text = rest;
        }
    }

    /// This worker serves.
    pub(crate) fn ready(&self, facts: &Facts) {
        let (no_exit, settling) = (u8::from(facts.no_exit_on_failure), u8::from(facts.settling));
        self.send(b'R', &format!("{} {no_exit} {settling} {}", facts.max_reloads, facts.version));
    }

    /// See [`Told::Settled`].
    pub(crate) fn settled(&self) {
        self.send(b'S', "");
    }

    fn send(&self, kind: u8, text: &str) {
        let Ok(len) = u16::try_from(text.len()) else { return };
        let mut message = vec![kind];
        message.extend_from_slice(&len.to_be_bytes());
        message.extend_from_slice(text.as_bytes());
        let _ = (&self.0).write_all(&message);
    }

    /// Waits until the master is gone.
    ///
    /// # Errors
    /// The reactor refuses the descriptor.
    pub(crate) async fn master_gone(&self) -> io::Result<()> {
        let socket = self.0.try_clone()?;
        socket.set_nonblocking(true)?;
        let socket = tokio::net::UnixStream::from_std(socket)?;
        loop {
            socket.readable().await?;
            match socket.try_read(&mut [0; 64]) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                Ok(n) if n > 0 => {}
                _ => return Ok(()),
            }
        }
    }
}

/// Takes the first complete message out of what was received.
pub(super) fn told(input: &mut Vec<u8>) -> Option<Told> {
    let (head, rest) = input.split_first_chunk::<3>()?;
    let len = usize::from(u16::from_be_bytes([head[1], head[2]]));
    let (kind, text) = (head[0], String::from_utf8_lossy(rest.get(..len)?).into_owned());
    input.drain(..3 + len);
    Some(match kind {
        b'L' => Told::Log(text),
        b'R' => {
            let mut words = text.splitn(4, ' ');
            let mut next = || words.next().unwrap_or_default();
            Told::Ready(Facts {
                max_reloads: next().parse().unwrap_or_default(),
                no_exit_on_failure: next() == "1",
                settling: next() == "1",
                version: next().to_owned(),
            })
        }
        _ => Told::Settled,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn what_is_sent_is_told() {
        let (a, mut b) = UnixStream::pair().unwrap();
        let status = Status(a);
        let facts =
            Facts { max_reloads: 7, no_exit_on_failure: true, settling: false, version: "3.4.0-x".into() };
        status.log("hällo\n");
        status.ready(&facts);
        status.settled();
        drop(status);
        let (mut all, mut input, mut got) = (Vec::new(), Vec::new(), Vec::new());
        b.read_to_end(&mut all).unwrap();
        for byte in all {
            input.push(byte);
            got.extend(told(&mut input));
        }
        assert_eq!(got, [Told::Log("hällo\n".into()), Told::Ready(facts), Told::Settled]);
        assert!(input.is_empty());
    }

    #[test]
    fn a_process_that_is_no_worker_has_no_master() {
        let mut env = Env::empty();
        assert!(Link::find(&mut env).unwrap().is_none());
        for bad in ["", "x", "3", "-1 -1 -", "999999 999998 -"] {
            env.set(VARIABLE, bad);
            assert!(Link::find(&mut env).is_err(), "{bad}");
            assert_eq!(env.get(VARIABLE), None);
        }
        assert_eq!(Link::describe(3, 4, None, &[]), "3 4 -");
        assert_eq!(Link::describe(3, 4, Some(5), &[6, 7]), "3 4 5 6 7");
    }
}
