//! Ends of a stream that is not answered by a server.

use hawser_rules::{Reply, Service};
use hawser_sample::facts::{TermCause, TermState};
use std::sync::Arc;

/// Why a stream goes no further, and what its client is told.
#[derive(Debug)]
pub(crate) struct Stop {
    /// What the client is told.
    pub(crate) answer: Answer,
    /// First letter of the termination state.
    pub(crate) cause: TermCause,
    /// Second letter.
    pub(crate) state: TermState,
}

/// What the client is told.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The error message of a status.
    Error(u16),
    /// A reply that rules made; none stands for silence. The status is for the log.
    Reply(u16, Option<Arc<Reply>>),
    /// What an internal service says.
    Service(Arc<dyn Service>),
    /// Nothing; the status is for the log, 0 for none.
    Nothing(u16),
    /// Nothing, and the whole connection is closed (`reject`).
    HangUp,
    /// The connection disappears (`silent-drop`); with a value, behind a RST that lives for so many hops.
    Vanish(Option<u8>),
}

impl Stop {
    /// An error message.
    pub(crate) fn error(status: u16, cause: TermCause, state: TermState) -> Self {
        Self { answer: Answer::Error(status), cause, state }
    }

    /// The client is gone or deserves nothing.
    pub(crate) fn silent(status: u16, cause: TermCause, state: TermState) -> Self {
        Self { answer: Answer::Nothing(status), cause, state }
    }

    /// A reply made by rules.
    pub(crate) fn reply(status: u16, reply: Option<Arc<Reply>>, cause: TermCause, state: TermState) -> Self {
        Self { answer: Answer::Reply(status, reply), cause, state }
    }
}
