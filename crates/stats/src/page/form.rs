//! Orders: what the form of a backend sends.

use crate::urlcode;

/// Most bytes of a field.
const FIELD_MAX: usize = 2048;

/// What is to be done with servers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each is what the page calls it")]
pub enum Action {
    Ready,
    Drain,
    Maint,
    DisableHealth,
    EnableHealth,
    HealthRunning,
    HealthNolb,
    HealthDown,
    DisableAgent,
    EnableAgent,
    AgentRunning,
    AgentDown,
    Shutdown,
    Disable,
    Enable,
    Stop,
    Start,
}

/// The words for them, and what the page calls them; forms of old have four that it shows no more.
#[rustfmt::skip]
pub(super) const ACTIONS: [(&str, Action, &str); 17] = [
    ("ready", Action::Ready, "Set state to READY"),
    ("drain", Action::Drain, "Set state to DRAIN"),
    ("maint", Action::Maint, "Set state to MAINT"),
    ("dhlth", Action::DisableHealth, "Health: disable checks"),
    ("ehlth", Action::EnableHealth, "Health: enable checks"),
    ("hrunn", Action::HealthRunning, "Health: force UP"),
    ("hnolb", Action::HealthNolb, "Health: force NOLB"),
    ("hdown", Action::HealthDown, "Health: force DOWN"),
    ("dagent", Action::DisableAgent, "Agent: disable checks"),
    ("eagent", Action::EnableAgent, "Agent: enable checks"),
    ("arunn", Action::AgentRunning, "Agent: force UP"),
    ("adown", Action::AgentDown, "Agent: force DOWN"),
    ("shutdown", Action::Shutdown, "Kill Sessions"),
    ("disable", Action::Disable, ""),
    ("enable", Action::Enable, ""),
    ("stop", Action::Stop, ""),
    ("start", Action::Start, ""),
];

/// An order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Form {
    /// `b`: the backend, by name or as `#` and its id.
    pub backend: Option<String>,
    /// `action`.
    pub action: Option<Action>,
    /// `s`: the servers, the last one first.
    pub servers: Vec<String>,
}

/// A field that is too long or means nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadForm;

impl Form {
    /// Reads the body of a request. Of several backends or actions, the last one counts.
    ///
    /// # Errors
    /// For an unknown action and for fields that are too long.
    pub fn parse(body: &[u8]) -> Result<Self, BadForm> {
        let mut form = Self::default();
        if body.is_empty() {
            return Ok(form);
        }
        for field in body.rsplit(|b| *b == b'&') {
            if field.len() >= FIELD_MAX {
                return Err(BadForm);
            }
            let mut parts = field.splitn(2, |b| *b == b'=');
            let (key, value) = (parts.next().map(decode), parts.next().map(decode));
            let (Some(Some(key)), value) = (key, value.unwrap_or_else(|| Some(String::new()))) else { break };
            let Some(value) = value else { break };
            match &*key {
                "b" if form.backend.is_none() => form.backend = Some(value),
                "action" if form.action.is_none() => {
                    let row = ACTIONS.iter().find(|a| a.0 == value).ok_or(BadForm)?;
                    form.action = Some(row.1);
                }
                "s" => form.servers.push(value),
                _ => {}
            }
        }
        Ok(form)
    }
}

fn decode(text: &[u8]) -> Option<String> {
    String::from_utf8(urlcode::decode(text)?.into_owned()).ok()
}
