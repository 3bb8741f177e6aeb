//! Reverse HTTP, both ends: what `bind rhttp@` lines connect through, and the one place that knows all tunnels.

mod metrics;

use crate::engine::SharedEngine;
use hawser_cfg::diag::{Diags, Layout};
use hawser_cfg::model::AddrKind;
use hawser_listener::Compiled;
use hawser_proto::clock;
use hawser_proto::rhttp::Plan;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

/// `retry-max` by default.
const RETRY_MAX: Duration = Duration::from_secs(30);

/// How long a process that is to be replaced may be kept for the sake of tunnels that are not up yet.
const TAKEOVER_PATIENCE: Duration = Duration::from_secs(5);

/// Between two looks at tunnels that are coming up.
const LOOK: Duration = Duration::from_millis(10);

/// Every tunnel of the process.
pub(crate) struct Tunnels {
    /// The dialling side, one for each line.
    pub(crate) plans: Vec<Arc<Plan>>,
    engine: SharedEngine,
}

impl Tunnels {
    /// Gives every `rhttp@` address what it connects through. `verify` reports at once what would keep a line from
    /// starting.
    pub(crate) fn compile(
        listening: &mut Compiled,
        engine: &SharedEngine,
        verify: bool,
        diags: &mut Diags,
    ) -> Self {
        let mut plans = Vec::new();
        for spec in &mut listening.binds {
            let AddrKind::Rhttp(target) = &spec.cfg.addr.kind else { continue };
            let (backend, server) = target.clone().unwrap_or_default();
            let frontend = &spec.info.frontend;
            let dialer = engine.dialer(frontend.index, &backend, &server);
            if verify && let Err(why) = dialer.find() {
                let text = format!("'bind {}' : {why}.", spec.cfg.addr.text);
                diags.alert(spec.pos, text).layout = Layout::Located;
            }
            let opts = &spec.cfg.opts;
            let retry_max = opts.retry_max.map_or(RETRY_MAX, |ms| Duration::from_millis(ms.into()));
            let name = format!("{backend}/{server}").into();
            let plan = Plan::new(frontend.name.clone(), name, opts.nbconn.unwrap_or(1), retry_max, dialer);
            spec.cfg.plan = Some(plan.clone());
            plans.push(plan);
        }
        Self { plans, engine: engine.clone() }
    }

    /// Waits until the dialling side has all its connections, or long enough.
    pub(crate) async fn settled(&self) {
        let settled = |p: &Arc<Plan>| {
            let s = p.status();
            s.total() >= s.wanted
        };
        let deadline = clock::now() + TAKEOVER_PATIENCE;
        while !self.plans.iter().all(settled) && clock::now() < deadline {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// `show rhttp`.
    pub(crate) fn show(&self) -> String {
        let mut out = String::from(
            "# attached: backend server id name peer thread age streams total bytes_in bytes_out rtt\n",
        );
        let now = clock::now();
        for (backend, server, agent) in self.engine.attached() {
            let (what, conn) = (&agent.what, &agent.what.conn);
            let name = what.name.as_deref().map_or("-".into(), visible);
            let age = now.saturating_duration_since(what.since).as_secs();
            let rtt = conn.rtt().map_or("-".into(), |d| format!("{}us", d.as_micros()));
            let (bytes_in, bytes_out) = conn.bytes();
            let _ = writeln!(
                out,
                "{backend} {server} {} {name} {} {} {age}s {} {} {bytes_in} {bytes_out} {rtt}",
                agent.id,
                what.src,
                what.thread + 1,
                conn.streams(),
                conn.opened(),
            );
        }
        out.push_str(
            "# dialling: frontend server wanted up leaving by_thread opened failures next last_error\n",
        );
        for s in self.plans.iter().map(|p| p.status()) {
            let by_thread: Vec<String> = s.up.iter().map(u32::to_string).collect();
            let next = match s.next {
                Some(d) => format!("{}ms", d.as_millis()),
                None if s.dialling => "now".into(),
                None => "-".into(),
            };
            let _ = writeln!(
                out,
                "{} {} {} {} {} {} {} {} {next} {}",
                s.frontend,
                s.server,
                s.wanted,
                s.total(),
                s.leaving,
                by_thread.join(","),
                s.opened,
                s.failures,
                s.last_error.as_deref().unwrap_or("-"),
            );
        }
        out
    }
}

/// A name as one word of printable text: it is the peer's choice.
fn visible(name: &[u8]) -> String {
    let mut out = String::new();
    for b in name {
        match b {
            b'!'..=b'~' => out.push(char::from(*b)),
            _ => drop(write!(out, "\\x{b:02x}")),
        }
    }
    if out.is_empty() { "\"\"".into() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_one_word() {
        assert_eq!(visible(b"agent-7"), "agent-7");
        assert_eq!(visible(b"a b\n\xff"), "a\\x20b\\x0a\\xff");
        assert_eq!(visible(b""), "\"\"");
    }
}
