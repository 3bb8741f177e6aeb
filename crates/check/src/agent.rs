//! Agents: what they are asked, and what their words do (manual 5.2 `agent-check`).

use crate::check::{connect_to, reason};
use crate::pool::NoPool;
use crate::probe::{Outcome, Probe};
use crate::protocol::{Answer, Reading, Received};
use crate::script::{Action, Connect, Data, Script, Step};
use crate::settings::Settings;
use crate::status::{Status, Verdict};
use hawser_balance::agent::Agent;
use hawser_balance::change::Cause;
use hawser_balance::event::Level;
use hawser_balance::server::{Admin, Oper, Server};
use hawser_balance::{Backend, Ms};
use hawser_cfg::model::{Config, Proxy, opt};
use hawser_proto::ConnectTo;
use parking_lot::Mutex;
use std::sync::Arc;

const INCOMPLETE: &str = "Ignoring incomplete line from agent";

/// The agent of one server.
pub(crate) struct AgentCheck {
    backend: Arc<Backend>,
    server: u32,
    settings: Settings,
    to: ConnectTo,
    bufsize: usize,
    /// `option log-health-checks`.
    logs: bool,
    /// The last result, for what is worth a line.
    last: Mutex<Status>,
}

/// What the words of an agent say.
#[derive(Default, PartialEq, Eq, Debug)]
struct Said<'a> {
    weight: Option<&'a str>,
    maxconn: Option<&'a str>,
    admin: Option<&'a str>,
    /// The word about the state, and whether it means up.
    oper: Option<(&'a str, bool)>,
    unknown: Option<&'a str>,
    description: Option<&'a str>,
}

impl AgentCheck {
    pub(crate) fn new(config: &Config, proxy: &Proxy, be: &Arc<Backend>, s: &Arc<Server>) -> Self {
        let mut settings = Settings::new(s, &proxy.timeouts);
        settings.agent(s.opts.agent.inter);
        Self {
            backend: be.clone(),
            server: s.index,
            settings,
            to: connect_to(config, proxy, s.index),
            bufsize: config.global.bufsize.unwrap_or(16_384) as usize,
            logs: proxy.options.set & opt::LOG_HEALTH_CHECKS != 0,
            last: Mutex::new(Status::Init),
        }
    }

    fn parts(&self) -> Option<(&Arc<Server>, &Agent)> {
        let server = self.backend.servers.get(self.server as usize)?;
        Some((server, server.agent.as_deref()?))
    }

    /// Unlike checks, agents are asked in maintenance too: it may be theirs.
    pub(crate) fn is_paused(&self) -> bool {
        self.parts().is_none_or(|(_, agent)| !agent.view.lock().enabled)
    }

    /// Time until the agent is asked again (ms).
    pub(crate) fn interval(&self) -> u32 {
        self.settings.inter
    }

    /// Asks the agent.
    pub(crate) async fn probe(&self) -> Option<Outcome> {
        let (server, agent) = self.parts()?;
        let script = script(agent);
        let probe = Probe {
            script: &script,
            settings: &self.settings,
            server,
            to: &self.to,
            state: None,
            bufsize: self.bufsize,
            mux: None,
            pool: &NoPool,
            backend: self.backend.facts.index,
        };
        Some(probe.run().await)
    }

    /// Does what the agent says. Nothing happens if it was disabled meanwhile.
    pub(crate) fn finish(&self, outcome: &Outcome, now: Ms) {
        let Some((server, agent)) = self.parts().filter(|_| !self.is_paused()) else { return };
        let outcome = match outcome.status {
            Status::L7Ok => &self.obey(outcome, now),
            // What the whole line would have said, nobody knows: all is as it was.
            Status::L7Tout if outcome.info == INCOMPLETE => {
                let (status, code) = (*self.last.lock(), agent.view.lock().code);
                &Outcome { status, code, info: outcome.info.clone(), duration: outcome.duration }
            }
            _ => outcome,
        };
        let told = match outcome.status {
            Status::L7Ok => Some(false),
            Status::L7Sts => Some(true),
            _ => None,
        };
        let down = {
            let mut view = agent.view.lock();
            (view.status, view.desc) = (outcome.status.code(), outcome.status.desc());
            (view.code, view.duration) = (outcome.code, Some(outcome.duration));
            view.last.clone_from(&outcome.info);
            view.down = told.unwrap_or(view.down);
            view.down
        };
        let changed = std::mem::replace(&mut *self.last.lock(), outcome.status) != outcome.status;
        let reason = reason(outcome);
        if self.logs && changed && outcome.status.verdict() != Verdict::Neutral {
            self.log(server, down, outcome.status, &reason);
        }
        let cause = Cause::Check(if self.logs { "" } else { &reason });
        match told {
            Some(true) => _ = self.backend.set_oper(self.server, Oper::Down, cause, now),
            Some(false) if server.passes_checks() => {
                _ = self.backend.set_oper(self.server, Oper::Up, cause, now)
            }
            _ => {}
        }
    }

    /// The words of the line that came, one after the other; what they make of the outcome.
    fn obey(&self, line: &Outcome, now: Ms) -> Outcome {
        let said = Said::of(&line.info);
        let be = &self.backend;
        let weight = said.weight.and_then(|w| be.set_weight_by(self.server, w, now).err());
        let maxconn = said.maxconn.and_then(|w| be.set_maxconn_by(self.server, w).err());
        if let Some(word) = said.admin {
            let (add, remove) = match word {
                "drain" => (Admin::FDRAIN, Admin::FMAINT),
                "maint" => (Admin::FMAINT, Admin::FDRAIN),
                _ => (Admin::NONE, Admin::FMAINT.with(Admin::FDRAIN)),
            };
            be.set_admin(self.server, add, remove, now);
        }
        let warning = weight.or(maxconn);
        let (status, code, info) = match said.oper {
            Some((word, up)) => {
                let more = said.unknown.or(said.description).or(warning);
                let more = more.map_or_else(String::new, |m| format!(" ({m})"));
                (if up { Status::L7Ok } else { Status::L7Sts }, Some(0), format!("via agent : {word}{more}"))
            }
            None => {
                let unknown = said.unknown.map(|w| format!("agent reports an error : {w}"));
                let info = unknown.or_else(|| warning.map(|w| format!("agent warns : {w}")));
                (Status::Checked, None, info.unwrap_or_default())
            }
        };
        Outcome { status, code, info, duration: line.duration }
    }

    fn log(&self, server: &Server, down: bool, status: Status, reason: &str) {
        let backup = if server.is_backup() { "backup " } else { "" };
        let how = if status.verdict() == Verdict::Passed { "succeeded" } else { "failed" };
        let name = format!("{}/{}", self.backend.facts.name, server.name);
        let state = if down { "0/1 DOWN" } else { "1/1 UP" };
        let text = format!("Agent check for {backup}server {name} {how}, reason: {reason}, status: {state}.");
        self.backend.tell(Level::Notice, &text);
    }
}

/// Asks for a line, at the place and with the words that are in force now.
fn script(agent: &Agent) -> Script {
    let to = *agent.to.lock();
    let connect = Connect { port: to.port, addr: to.addr, ..Connect::default() };
    let send = agent.send.lock().clone();
    let actions = [
        Some(Action::Connect(connect)),
        (!send.is_empty()).then(|| Action::Send(Data::Fixed(send.into_bytes()))),
        Some(Action::Answer(Reading { read: line, late: Status::L7Tout })),
    ];
    let steps = actions.into_iter().flatten().zip(1..);
    let steps = steps.map(|(action, number)| Step { number, action, comment: None }).collect();
    Script { steps, ..Script::default() }
}

/// A line, which the outcome takes along.
fn line(r: &Received<'_>) -> Answer {
    match r.data.iter().position(|b| matches!(b, b'\r' | b'\n')) {
        Some(end) => {
            let text = String::from_utf8_lossy(r.data.get(..end).unwrap_or_default());
            Answer::Good(Some(0), text.into_owned())
        }
        None if !r.ended => Answer::More,
        None if r.data.is_empty() => {
            let text = format!("TCPCHK got an empty response at step {}", r.step);
            Answer::Bad(Status::L7Rsp, None, text)
        }
        None => Answer::Bad(Status::L7Tout, None, INCOMPLETE.into()),
    }
}

impl<'a> Said<'a> {
    fn of(line: &'a str) -> Self {
        let mut said = Self::default();
        let mut rest = line;
        loop {
            rest = rest.trim_start_matches([' ', '\t', ',']);
            if let Some(text) = rest.strip_prefix('#') {
                said.description = Some(text.trim());
                return said;
            }
            let end = rest.find([' ', '\t', ',']).unwrap_or(rest.len());
            let (word, more) = rest.split_at(end);
            if word.is_empty() {
                return said;
            }
            said.word(word);
            rest = more;
        }
    }

    fn word(&mut self, word: &'a str) {
        let known = |list: &[&'static str]| list.iter().copied().find(|w| word.eq_ignore_ascii_case(w));
        let after = |prefix: &str| {
            let start = word.get(..prefix.len())?;
            start.eq_ignore_ascii_case(prefix).then(|| word.get(prefix.len()..).unwrap_or_default())
        };
        if known(&["up"]).is_some() {
            self.oper = Some((word, true));
        } else if known(&["down", "fail", "failed", "stopped"]).is_some() {
            self.oper = Some((word, false));
        } else if let Some(admin) = known(&["ready", "drain", "maint"]) {
            self.admin = Some(admin);
        } else if let Some(weight) = after("weight:") {
            self.weight = Some(weight);
        } else if let Some(maxconn) = after("maxconn:") {
            self.maxconn = Some(maxconn);
        } else if word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('%') {
            self.weight = Some(word);
        } else {
            self.unknown = self.unknown.or(Some(word));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_agents() {
        let plain = Said::default;
        let cases = [
            ("", plain()),
            (" ,\t ", plain()),
            ("up", Said { oper: Some(("up", true)), ..plain() }),
            ("down up", Said { oper: Some(("up", true)), ..plain() }),
            ("UP,Down # a b ", Said { oper: Some(("Down", false)), description: Some("a b"), ..plain() }),
            ("75%", Said { weight: Some("75%"), ..plain() }),
            (
                "weight:3 maxconn:x\tDRAIN",
                Said { weight: Some("3"), maxconn: Some("x"), admin: Some("drain"), ..plain() },
            ),
            ("drain ready", Said { admin: Some("ready"), ..plain() }),
            ("down#x y", Said { unknown: Some("down#x"), ..plain() }),
            ("50", Said { unknown: Some("50"), ..plain() }),
            ("x%", Said { unknown: Some("x%"), ..plain() }),
            ("\u{fc}:1", Said { unknown: Some("\u{fc}:1"), ..plain() }),
        ];
        for (line, said) in cases {
            assert_eq!(Said::of(line), said, "{line:?}");
        }
    }

    #[test]
    fn lines_of_agents() {
        let read = |data: &[u8], ended| line(&Received { data, ended, step: 2 });
        assert_eq!(read(b"up\r\nmore", false), Answer::Good(Some(0), "up".into()));
        assert_eq!(read(b"\n", false), Answer::Good(Some(0), String::new()));
        assert_eq!(read(b"up", false), Answer::More);
        let late = |text: &str| Answer::Bad(Status::L7Tout, None, text.into());
        assert_eq!(read(b"up", true), late(INCOMPLETE));
        let empty = "TCPCHK got an empty response at step 2".into();
        assert_eq!(read(b"", true), Answer::Bad(Status::L7Rsp, None, empty));
    }
}
