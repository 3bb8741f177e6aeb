//! What a check does, step by step (manual 4.2 `tcp-check`, `http-check`, `option httpchk`).

use crate::protocol::Reading;
use crate::status::Status;
use hawser_sample::LogFormat;
use std::net::IpAddr;

pub(crate) mod expect;
mod parse;
mod parse_expect;
pub(crate) mod request;

pub(crate) use expect::{Expect, Match};
pub(crate) use parse::compile;
pub(crate) use request::Request;

/// The steps of a check. Without any, a connection is opened and closed.
#[derive(Debug, Default)]
pub struct Script {
    pub(crate) steps: Vec<Step>,
    /// Requests and responses rather than bytes.
    pub(crate) http: bool,
    /// Steps were written by the user: failures of a `tcp-check` say at which one they happened.
    pub(crate) explicit: bool,
    /// `http-check disable-on-404`.
    pub(crate) disable_on_404: bool,
    /// `http-check send-state`.
    pub(crate) send_state: bool,
}

/// One step.
#[derive(Debug)]
pub(crate) struct Step {
    /// Its number in messages.
    pub(crate) number: u32,
    pub(crate) action: Action,
    pub(crate) comment: Option<String>,
}

#[derive(Debug)]
pub(crate) enum Action {
    Connect(Connect),
    /// Bytes to send.
    Send(Data),
    /// A request to send.
    Request(Box<Request>),
    Expect(Box<Expect>),
    /// An answer in the protocol of a service.
    Answer(Reading),
}

/// `connect`.
#[derive(Debug, Default)]
pub(crate) struct Connect {
    pub(crate) port: Option<u16>,
    pub(crate) addr: Option<IpAddr>,
    pub(crate) send_proxy: bool,
    /// Close properly instead of with a reset.
    pub(crate) linger: bool,
}

/// Bytes that are fixed, or written anew for each check.
#[derive(Debug)]
pub(crate) enum Data {
    Fixed(Vec<u8>),
    Format(LogFormat),
    /// A format that writes hexadecimal digits.
    HexFormat(LogFormat),
}

impl Connect {
    /// Whether it reaches the server as traffic does.
    pub(crate) fn is_default(&self) -> bool {
        self.port.is_none() && self.addr.is_none() && !self.send_proxy && !self.linger
    }
}

impl Data {
    /// The bytes; `None` when a format does not write valid hexadecimal.
    pub(crate) fn bytes(&self, ctx: &hawser_sample::Ctx<'_>) -> Option<Vec<u8>> {
        let eval = |f: &LogFormat| {
            let mut out = Vec::new();
            f.eval(ctx, &mut out);
            out
        };
        match self {
            Self::Fixed(b) => Some(b.clone()),
            Self::Format(f) => Some(eval(f)),
            Self::HexFormat(f) => unhex(&eval(f)),
        }
    }
}

impl Script {
    /// Status of a check whose last step was a connection.
    pub(crate) fn connected(&self) -> Status {
        Status::L4Ok
    }

    /// Checks of servers without a port need steps that name one; the port of the first connection.
    pub(crate) fn first_connect(&self) -> Option<&Connect> {
        self.steps.iter().find_map(|s| match &s.action {
            Action::Connect(c) => Some(c),
            _ => None,
        })
    }
}

impl Step {
    /// ` comment: …` as content mismatches append it.
    pub(crate) fn comment_suffix(&self) -> String {
        self.comment.as_ref().map(|c| format!(" comment: {c}")).unwrap_or_default()
    }

    /// What the step is, for ` at step N of tcp-check (…)`.
    pub(crate) fn describe(&self) -> String {
        match &self.action {
            Action::Connect(Connect { port: Some(port), .. }) => format!("connect port {port}"),
            Action::Connect(_) => "connect".into(),
            Action::Send(_) | Action::Request(_) => "send".into(),
            Action::Expect(e) => e.describe(),
            Action::Answer(_) => "expect".into(),
        }
    }
}

/// Bytes of hexadecimal digits.
pub(crate) fn unhex(digits: &[u8]) -> Option<Vec<u8>> {
    let digit = |b: u8| char::from(b).to_digit(16);
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits.chunks(2).map(|p| Some((digit(p[0])? * 16 + digit(p[1])?) as u8)).collect()
}

#[cfg(test)]
pub(crate) mod tests;
