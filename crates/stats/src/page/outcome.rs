//! What became of an order, as the page that follows it is told: `;st=…`.

/// What became of an order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Who gave it may not.
    Denied,
    /// All that was asked for.
    Done,
    /// Unknown backend, action or servers.
    Invalid,
    /// It was too long.
    Exceeded,
    /// Nothing.
    Nothing,
    /// Some of what was asked for.
    Partial,
    /// Something else.
    Unknown,
    /// What was no order at all.
    BadRequest,
}

/// How each is written in URIs, how it looks, and what it says.
#[rustfmt::skip]
const OUTCOMES: [(Outcome, &str, &str, &str); 8] = [
    (Outcome::Denied, "DENY", "active_down", "Action denied."),
    (Outcome::Done, "DONE", "active_up", "Action done."),
    (Outcome::Invalid, "ERRP", "active_down", "Nothing done: the action, the backend or all of the servers are unknown."),
    (Outcome::Exceeded, "EXCD", "active_down", "Nothing done: the list of servers is too long, try fewer at a time."),
    (Outcome::Nothing, "NONE", "active_going_down", "Nothing has changed."),
    (Outcome::Partial, "PART", "active_going_down", "Action done in part: some servers are unknown."),
    (Outcome::Unknown, "UNKN", "active_no_check", "Unexpected result."),
    (Outcome::BadRequest, "IVAL", "active_down", "Invalid request."),
];

impl Outcome {
    /// The outcome that a word stands for.
    pub fn parse(word: &[u8]) -> Self {
        OUTCOMES.iter().find(|o| word.starts_with(o.1.as_bytes())).map_or(Self::Unknown, |o| o.0)
    }

    /// Of so many servers that were named.
    pub fn of(named: usize, altered: usize) -> Self {
        match altered {
            _ if named == 0 => Self::Nothing,
            0 => Self::Invalid,
            n if n == named => Self::Done,
            _ => Self::Partial,
        }
    }

    fn row(self) -> (&'static str, &'static str, &'static str) {
        OUTCOMES.iter().find(|o| o.0 == self).map_or(("UNKN", "", ""), |o| (o.1, o.2, o.3))
    }

    /// The word for it.
    pub fn word(self) -> &'static str {
        self.row().0
    }

    /// The class of its message, and the message.
    pub(super) fn message(self) -> (&'static str, &'static str) {
        let (_, class, text) = self.row();
        (class, text)
    }
}
