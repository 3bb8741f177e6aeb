//! What every keyword row has in common, whatever its family.

mod dump;
mod table;

pub use dump::{ActionRow, Which, dump_config};
pub use table::{DuplicateKeyword, Index, Row, Table, hash};

/// What Hawser does with a keyword of HAProxy 3.4. Nothing is ever ignored silently.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// It works as the manual says.
    Implemented,
    /// It is accepted, and having no effect is right here; the reason is for users to read.
    NoEffect(&'static str),
    /// It is refused with a clear error until it is built; names the area that it belongs to.
    NotYet(&'static str),
    /// HAProxy removed it; `instead` says what to write.
    Removed {
        /// The HAProxy version that removed it.
        since: &'static str,
        /// What to use instead.
        instead: &'static str,
    },
}

/// The common part of every keyword row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Meta {
    /// The keyword as written in the configuration; a multi-word keyword has single spaces.
    pub name: &'static str,
    /// One line of help, a sentence.
    pub help: &'static str,
    /// What is done with it.
    pub status: Status,
    /// The name is a prefix (`set-var*` in HAProxy's dumps).
    pub prefix: bool,
    /// It needs `expose-experimental-directives`.
    pub experimental: bool,
}

impl Meta {
    /// An implemented keyword.
    pub const fn new(name: &'static str, help: &'static str) -> Self {
        Self { name, help, status: Status::Implemented, prefix: false, experimental: false }
    }

    /// The same keyword with another status.
    pub const fn status(mut self, status: Status) -> Self {
        self.status = status;
        self
    }

    /// The same keyword as a prefix.
    pub const fn prefix(mut self) -> Self {
        self.prefix = true;
        self
    }

    /// The same keyword, experimental.
    pub const fn experimental(mut self) -> Self {
        self.experimental = true;
        self
    }
}
