//! What an agent on a server's side says of it (manual 5.2 `agent-check`), and orders in words that agents and the
//! runtime API have in common.

use crate::backend::Backend;
use crate::server::{CheckTo, Server};
use crate::time::Ms;
use hawser_cfg::model::AgentOpts;
use hawser_cfg::units;
use parking_lot::Mutex;
use std::sync::Arc;

/// The agent of a server. Checks of it are written by the `check` crate.
#[derive(Debug)]
pub struct Agent {
    /// What it said.
    pub view: Mutex<AgentView>,
    /// Where it is asked, in place of the server's address.
    pub to: Mutex<CheckTo>,
    /// `agent-send`.
    pub send: Mutex<String>,
}

/// What the statistics say about an agent.
#[derive(Clone, Debug)]
pub struct AgentView {
    /// Nobody has disabled it.
    pub enabled: bool,
    /// `agent_status`.
    pub status: &'static str,
    /// `agent_desc`.
    pub desc: &'static str,
    /// `agent_code`, of answers that tell a state.
    pub code: Option<u16>,
    /// `agent_duration` of the last check, ms.
    pub duration: Option<u32>,
    /// `last_agt`.
    pub last: String,
    /// The server is down, it says.
    pub down: bool,
}

impl Agent {
    /// The agent that the options of a server describe, if any.
    pub(crate) fn new(o: &AgentOpts) -> Option<Box<Self>> {
        let view = AgentView {
            enabled: true,
            status: "INI",
            desc: "Initializing",
            code: None,
            duration: None,
            last: String::new(),
            down: false,
        };
        o.check.then(|| {
            Box::new(Self {
                view: Mutex::new(view),
                to: Mutex::new(CheckTo { addr: o.addr, port: o.port }),
                send: Mutex::new(o.send.clone().unwrap_or_default()),
            })
        })
    }
}

impl Server {
    /// Its agent says that it is down, and only the agent may say otherwise.
    pub fn is_down_by_agent(&self) -> bool {
        self.agent.as_ref().is_some_and(|a| {
            let view = a.view.lock();
            view.enabled && view.down
        })
    }

    /// Its checks, if it has any, find nothing wrong.
    pub fn passes_checks(&self) -> bool {
        let check = self.check.lock();
        !check.enabled || check.health >= check.rise
    }

    /// It has an agent, and nobody has disabled it.
    pub fn has_agent(&self) -> bool {
        self.agent.as_ref().is_some_and(|a| a.view.lock().enabled)
    }
}

impl Backend {
    /// Changes a weight by a word: a number, or a percentage of the initial weight.
    ///
    /// # Errors
    /// What is wrong with the word, as HAProxy says it.
    pub fn set_weight_by(self: &Arc<Self>, server: u32, word: &str, now: Ms) -> Result<(), &'static str> {
        let Some(s) = self.servers.get(server as usize) else { return Ok(()) };
        if word.is_empty() {
            return Err("Require <weight> or <weight%>.");
        }
        let (number, rest) = leading_number(word);
        let number = number.ok_or("Empty weight string empty or preceded by garbage")?;
        let initial = i64::from(s.initial_weight());
        let weight = match rest {
            "%" if number < 0 => return Err("Relative weight must be positive."),
            "%" => (initial.saturating_mul(number) / 100).min(256),
            "" if !(0..=256).contains(&number) => {
                return Err("Absolute weight can only be between 0 and 256 inclusive.");
            }
            "" => number,
            _ => return Err("Trailing garbage in weight string"),
        };
        if !self.is_dynamic() && weight != 0 && weight != initial {
            return Err("Backend is using a static LB algorithm and only accepts weights '0%' and '100%'.");
        }
        self.set_weight(server, u32::try_from(weight).unwrap_or(0), now);
        Ok(())
    }

    /// Changes `maxconn` of a server by a word.
    ///
    /// # Errors
    /// What is wrong with the word, as HAProxy says it.
    pub fn set_maxconn_by(self: &Arc<Self>, server: u32, word: &str) -> Result<(), &'static str> {
        if word.is_empty() {
            return Err("Require <maxconn>.");
        }
        let n = match leading_number(word) {
            (None, _) => return Err("maxconn string empty or preceded by garbage"),
            (Some(n), "") => u32::try_from(n).map_err(|_| "Value out of range.")?,
            _ => return Err("Trailing garbage in maxconn string"),
        };
        self.set_maxconn(server, n);
        Ok(())
    }
}

/// The number that a word starts with, if it does, and what follows it.
fn leading_number(word: &str) -> (Option<i64>, &str) {
    let (number, rest) = units::leading_int(word);
    (number.filter(|_| rest.len() < word.len()), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_at_the_start() {
        for (word, expected) in [
            ("12", (Some(12), "")),
            ("-3%", (Some(-3), "%")),
            ("5x", (Some(5), "x")),
            ("x5", (None, "x5")),
            ("", (None, "")),
            ("99999999999999999999", (None, "")),
        ] {
            assert_eq!(leading_number(word), expected, "{word}");
        }
    }
}
