//! `-sf` and `-st`: processes that are to leave once this one serves.

use crate::args::OldSignal;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use std::time::Duration;

/// Between two attempts to bind what an old process still holds.
pub(crate) const RETRY_PAUSE: Duration = Duration::from_millis(10);
/// How often to try.
pub(crate) const RETRIES: u32 = 200;

/// Old processes.
#[derive(Debug, Default)]
pub(crate) struct OldPids {
    pids: Vec<i32>,
    signal: Option<OldSignal>,
}

impl OldPids {
    /// From the command line.
    pub(crate) fn new(old: Option<(OldSignal, Vec<i32>)>) -> Self {
        match old {
            Some((signal, pids)) => Self { pids, signal: Some(signal) },
            None => Self::default(),
        }
    }

    /// Those that somebody else tells to leave.
    pub(crate) fn to_pause(pids: Vec<i32>) -> Self {
        Self { pids, signal: None }
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.pids.is_empty()
    }

    /// Asks them to let go of their addresses for a moment.
    pub(crate) fn pause(&self) {
        self.send(Signal::TTOU);
    }

    /// Asks them to go on as before: this process failed to start.
    pub(crate) fn resume(&self) {
        self.send(Signal::TTIN);
    }

    /// Asks them to leave, once.
    pub(crate) fn leave(&mut self) {
        match self.signal.take() {
            Some(OldSignal::Finish) => self.send(Signal::USR1),
            Some(OldSignal::Terminate) => self.send(Signal::TERM),
            None => {}
        }
    }

    /// Whether one of them has not ended.
    pub(crate) fn any_alive(&self) -> bool {
        self.pids.iter().filter_map(|p| Pid::from_raw(*p)).any(|p| test_kill_process(p) != Err(Errno::SRCH))
    }

    /// Whether they can still be asked by a process that runs as `uid`, if it is to change its user.
    pub(crate) fn obey(&self, uid: Option<u32>) -> bool {
        let Some(uid) = uid.filter(|u| *u != 0) else { return true };
        // The signal of an ordinary user reaches processes whose real or saved user that is (kill(2)).
        let same = |pid: &i32| {
            let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            let uids = status.lines().find_map(|l| l.strip_prefix("Uid:"));
            let uids: Vec<&str> = uids.unwrap_or_default().split_whitespace().collect();
            [0, 2].iter().filter_map(|i| uids.get(*i)).any(|u| u.parse() == Ok(uid))
        };
        self.pids.iter().all(same)
    }

    fn send(&self, signal: Signal) {
        for pid in self.pids.iter().filter_map(|p| Pid::from_raw(*p)) {
            // One that is gone already is as good.
            let _ = kill_process(pid, signal);
        }
    }
}

/// Waits between attempts, while nothing is served yet.
#[expect(clippy::disallowed_methods, reason = "no connection exists yet")]
pub(crate) fn wait() {
    std::thread::sleep(RETRY_PAUSE);
}
