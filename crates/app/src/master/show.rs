//! `show proc`, and the words for how a process ended.

use super::workers::{Stage, Worker, Workers, code};
use crate::version::VERSION;
use hawser_proto::clock;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Instant;

/// The table of `show proc`.
pub(super) fn processes(workers: &Workers, started: Instant) -> String {
    let reloads = format!("{} [failed: {}]", workers.reloads, workers.failed);
    let mut out = row(["#<PID>", "<type>", "<reloads>", "<uptime>", "<version>"]);
    out += &row([&std::process::id().to_string(), "master", &reloads, &uptime(started), VERSION]);
    out += "# workers\n";
    workers.all.iter().filter(|w| w.stage == Stage::Current).for_each(|w| out += &worker(w));
    if workers.all.iter().any(|w| w.stage == Stage::Former) {
        out += "# old workers\n";
        workers.all.iter().filter(|w| w.stage == Stage::Former).for_each(|w| out += &worker(w));
    }
    out
}

fn worker(w: &Worker) -> String {
    row([&w.pid.to_string(), "worker", &w.reloads.to_string(), &uptime(w.started), &w.facts.version])
}

fn row(cells: [&str; 5]) -> String {
    let [a, b, c, d, e] = cells;
    format!("{a:<15} {b:<15} {c:<15} {d:<15} {e:<15}\n")
}

fn uptime(since: Instant) -> String {
    let s = clock::now().saturating_duration_since(since).as_secs();
    format!("{}d{:02}h{:02}m{:02}s", s / 86400, s / 3600 % 24, s / 60 % 60, s % 60)
}

/// `exited with code 143 (Terminated)`.
pub(super) fn ended(status: ExitStatus) -> String {
    let how = match status.signal() {
        None => "Exit".to_owned(),
        Some(n) => signal_name(n).map_or_else(|| format!("Signal {n}"), str::to_owned),
    };
    format!("exited with code {} ({how})", code(status))
}

fn signal_name(n: i32) -> Option<&'static str> {
    Some(match n {
        libc::SIGHUP => "Hangup",
        libc::SIGINT => "Interrupt",
        libc::SIGQUIT => "Quit",
        libc::SIGILL => "Illegal instruction",
        libc::SIGTRAP => "Trace/breakpoint trap",
        libc::SIGABRT => "Aborted",
        libc::SIGBUS => "Bus error",
        libc::SIGFPE => "Floating point exception",
        libc::SIGKILL => "Killed",
        libc::SIGUSR1 => "User defined signal 1",
        libc::SIGSEGV => "Segmentation fault",
        libc::SIGUSR2 => "User defined signal 2",
        libc::SIGPIPE => "Broken pipe",
        libc::SIGALRM => "Alarm clock",
        libc::SIGTERM => "Terminated",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_told_as_haproxy_does() {
        let ended_by = |raw| ended(ExitStatus::from_raw(raw));
        assert_eq!(ended_by(0), "exited with code 0 (Exit)");
        assert_eq!(ended_by(1 << 8), "exited with code 1 (Exit)");
        assert_eq!(ended_by(15), "exited with code 143 (Terminated)");
        assert_eq!(ended_by(9), "exited with code 137 (Killed)");
        assert_eq!(ended_by(64), "exited with code 192 (Signal 64)");
    }

    #[test]
    fn columns() {
        let workers = Workers { reloads: 5, failed: 1, ..Workers::default() };
        let text = processes(&workers, clock::now());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[0],
            "#<PID>          <type>          <reloads>       <uptime>        <version>      "
        );
        assert!(lines[1].contains(" master          5 [failed: 1]   0d00h00m00s     3.4.0"), "{text}");
        assert_eq!(lines[2..], ["# workers"]);
    }
}
