//! A set of log targets and what is sent to them.

use crate::clock::{Stamp, with_stamp};
use crate::format::{Format, Line};
use crate::forward::Forwarded;
use crate::sink::{FdSink, Sink};
use hawser_cfg::diag::Diags;
use hawser_cfg::model::{Global, LogAddr, LogTarget};
use std::cell::RefCell;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

static DROPPED: AtomicU64 = AtomicU64::new(0);
static PROGRAM: OnceLock<String> = OnceLock::new();

/// Lines that a target could not take, since the start (`DroppedLogs` of `show info`).
pub fn dropped_logs() -> u64 {
    DROPPED.load(Ordering::Relaxed)
}

/// Sets the name that the process was started as, the default tag. Works once; boot does it.
pub fn set_program_name(name: &str) {
    let _ = PROGRAM.set(name.to_owned());
}

/// The name that the process was started as.
pub fn program_name() -> &'static str {
    PROGRAM.get().map_or("haproxy", String::as_str)
}

/// The targets of one proxy or of the process.
#[derive(Debug, Default)]
pub struct Logger {
    targets: Vec<Target>,
    tag: Arc<[u8]>,
    host: Option<Arc<str>>,
}

impl Logger {
    /// Compiles `log` lines. `log global` stands for the lines of the global section.
    /// `tag` is the proxy's `log-tag`; without one the global section's is used, then the program's name.
    pub fn compile(diags: &mut Diags, global: &Global, logs: &[LogTarget], tag: Option<&str>) -> Self {
        let tag = tag.or(global.log_tag.as_deref()).unwrap_or(program_name());
        let mut targets = Vec::new();
        for log in logs {
            if log.clear {
                targets.clear();
            }
            // A global section has no `log global` that could lead around in a circle.
            let lines = if log.global { global.logs.as_slice() } else { std::slice::from_ref(log) };
            targets.extend(lines.iter().filter_map(|l| Target::compile(diags, l)));
        }
        Self { targets, tag: tag.as_bytes().into(), host: host(global) }
    }

    /// The targets of the global section alone.
    pub fn global(diags: &mut Diags, global: &Global) -> Self {
        Self::compile(diags, global, &global.logs, None)
    }

    /// Whether nothing would be sent.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// The tag in force.
    pub fn tag(&self) -> &[u8] {
        &self.tag
    }

    /// Sends one line, without its end of line, to every target that wants syslog level `level` (0 to 7).
    pub fn send(&self, level: u8, line: &[u8]) {
        self.send_with_sd(level, b"", line);
    }

    /// Same, with the structured data of `log-format-sd` for RFC 5424 targets.
    pub fn send_with_sd(&self, level: u8, sd: &[u8], line: &[u8]) {
        for target in &self.targets {
            if level <= target.max_level && target.takes_turn() {
                self.send_to(target, level, sd, line);
            }
        }
    }

    /// Sends a received message to every target that wants its level.
    pub(crate) fn forward(&self, m: &Forwarded<'_>) {
        for target in &self.targets {
            if m.wanted(target.max_level) && target.takes_turn() && !m.is_empty() {
                let (facility, level) = m.severity(target.facility, target.min_level);
                target.send(|now, buf| m.write(target.written, (facility, level), target.len, now, buf));
            }
        }
    }

    fn send_to(&self, target: &Target, level: u8, sd: &[u8], text: &[u8]) {
        let line = Line {
            format: target.format,
            facility: target.facility,
            level: level.max(target.min_level),
            len: target.len,
            host: self.host.as_deref(),
            tag: &self.tag,
            sd,
            text,
        };
        target.send(|now, buf| line.write(now, buf));
    }
}

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

fn host(global: &Global) -> Option<Arc<str>> {
    match global.log_send_hostname.as_deref()? {
        "" => Some(rustix::system::uname().nodename().to_string_lossy().into()),
        name => Some(name.into()),
    }
}

/// One `log` line.
#[derive(Debug)]
struct Target {
    sink: Sink,
    format: Format,
    /// The format that was asked for, if any was.
    written: Option<Format>,
    len: usize,
    facility: u8,
    max_level: u8,
    min_level: u8,
    sample: Option<Sample>,
}

impl Target {
    fn compile(diags: &mut Diags, log: &LogTarget) -> Option<Self> {
        let sink = match log.addr.as_ref()? {
            LogAddr::Udp(a) => Sink::Udp(*a),
            LogAddr::Unix(p) => Sink::Unix(p.clone()),
            LogAddr::Abns(name, exact) => Sink::abstract_name(name, *exact)?,
            LogAddr::Fd(n) => Sink::Fd(FdSink::new(*n)),
            LogAddr::Ring(name) => return refuse(diags, log, &format!("ring@{name}")),
            LogAddr::Backend(name) => return refuse(diags, log, &format!("backend@{name}")),
        };
        if let Some(name) = &log.profile {
            return refuse(diags, log, &format!("profile {name}"));
        }
        let Some(format) = Format::of(log.format.as_deref().unwrap_or("local")) else {
            let name = log.format.as_deref().unwrap_or_default();
            diags.alert(log.pos, format!("log : unknown log format '{name}'"));
            return None;
        };
        Some(Self {
            sink,
            format,
            written: log.format.is_some().then_some(format),
            len: log.len as usize,
            facility: log.facility,
            max_level: log.level,
            min_level: log.min_level,
            sample: log.sample.as_ref().map(|(ranges, size)| Sample::new(ranges, *size)),
        })
    }

    /// Sends what `write` makes of an empty buffer.
    fn send(&self, write: impl FnOnce(&Stamp<'_>, &mut Vec<u8>)) {
        let sent = BUFFER.with_borrow_mut(|buf| {
            buf.clear();
            with_stamp(|now| write(now, buf));
            self.sink.send(buf)
        });
        if sent.is_err() {
            DROPPED.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn takes_turn(&self) -> bool {
        self.sample.as_ref().is_none_or(Sample::next)
    }
}

fn refuse(diags: &mut Diags, log: &LogTarget, what: &str) -> Option<Target> {
    diags.alert(log.pos, format!("log : '{what}' is not supported yet"));
    None
}

/// `sample RANGES:SIZE`: of each SIZE lines, only those at some positions are sent.
#[derive(Debug)]
struct Sample {
    /// Positions from 0, both included.
    ranges: Vec<(u32, u32)>,
    size: u32,
    next: AtomicU32,
}

impl Sample {
    fn new(ranges: &[(u32, u32)], size: u32) -> Self {
        let ranges = ranges.iter().map(|r| (r.0.saturating_sub(1), r.1.saturating_sub(1))).collect();
        Self { ranges, size: size.max(1), next: AtomicU32::new(0) }
    }

    /// Whether the line that comes now is one to send.
    fn next(&self) -> bool {
        let n = self.next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| Some((n + 1) % self.size));
        let n = n.unwrap_or_default();
        self.ranges.iter().any(|r| r.0 <= n && n <= r.1)
    }
}

#[cfg(test)]
mod tests;
