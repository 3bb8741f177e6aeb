//! What a command is.

use crate::conversation::Conversation;
use crate::state::State;
use std::time::Duration;

/// What a connection may do; each level includes those before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Level {
    /// Only what reveals nothing of the traffic.
    User,
    /// Everything that reads, and what changes nothing for clients. The default of `stats socket`.
    #[default]
    Operator,
    /// Everything.
    Admin,
}

impl Level {
    /// The level of `stats socket … level`, 0 to 2.
    pub fn from_number(n: u8) -> Self {
        match n {
            0 => Self::User,
            1 => Self::Operator,
            _ => Self::Admin,
        }
    }

    /// The word in the configuration and in replies.
    pub fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

/// Syslog severities of replies, shown with `set severity-output`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names of syslog")]
pub enum Severity {
    Err = 3,
    Warning = 4,
    Notice = 5,
    Info = 6,
}

impl Severity {
    /// Syslog's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Err => "err",
            Self::Warning => "warning",
            Self::Notice => "notice",
            Self::Info => "info",
        }
    }
}

/// What a command answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    /// Nothing to say.
    Done,
    /// A message, prefixed with its severity if the connection asked for that.
    Message(Severity, String),
    /// A dump, never prefixed. Must not contain an empty line.
    Dump(String),
    /// A message after some time.
    After(Duration, String),
    /// Close the connection without another byte.
    Quit,
    /// Hand the listening sockets over, then close (`_getsocks`).
    Sockets,
}

impl Reply {
    /// An informational message.
    pub fn info(text: impl Into<String>) -> Self {
        Self::Message(Severity::Info, text.into())
    }

    /// An error message.
    pub fn err(text: impl Into<String>) -> Self {
        Self::Message(Severity::Err, text.into())
    }
}

/// Whether a command works.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// It does.
    Implemented,
    /// It is known and refused until it is built.
    NotYet,
    /// It only exists in the master process.
    Master,
}

/// A command being run.
pub struct Call<'a> {
    /// All words of the line, those of the command included.
    pub words: &'a [String],
    /// Words after those of the command.
    pub args: &'a [String],
    /// The payload, if one was sent.
    pub payload: Option<&'a str>,
    /// The connection: level, modes.
    pub conversation: &'a mut Conversation,
    /// What commands act on.
    pub state: &'a State,
    /// All commands.
    pub registry: &'a Registry,
}

impl Call<'_> {
    /// The `n`-th argument, empty when missing.
    pub fn arg(&self, n: usize) -> &str {
        self.args.get(n).map_or("", String::as_str)
    }

    /// Refuses the rest of the command below `level`.
    ///
    /// # Errors
    /// HAProxy's words for it.
    pub fn require(&self, level: Level) -> Result<(), Reply> {
        if self.conversation.level() < level { Err(Reply::err("Permission denied")) } else { Ok(()) }
    }
}

/// One command.
#[derive(Clone, Copy, Debug)]
pub struct Command {
    /// Its words, with single spaces.
    pub words: &'static str,
    /// How it is written, starting with its words.
    pub usage: &'static str,
    /// One line of help.
    pub help: &'static str,
    /// The least level that may run it.
    pub level: Level,
    /// Whether it works.
    pub status: Status,
    /// `expert-mode on` is needed.
    pub expert: bool,
    /// `experimental-mode on` is needed.
    pub experimental: bool,
    /// `help` does not list it.
    pub hidden: bool,
    /// The master process has it too.
    pub in_master: bool,
    /// What it does.
    pub run: fn(&mut Call<'_>) -> Reply,
}

impl Command {
    /// A command that works. `usage` starts with `words`.
    pub const fn new(
        words: &'static str,
        usage: &'static str,
        level: Level,
        run: fn(&mut Call<'_>) -> Reply,
        help: &'static str,
    ) -> Self {
        let status = Status::Implemented;
        Self {
            words,
            usage,
            help,
            level,
            status,
            expert: false,
            experimental: false,
            hidden: false,
            in_master: false,
            run,
        }
    }

    /// A command that is refused until it is built.
    pub const fn not_yet(words: &'static str, usage: &'static str) -> Self {
        let row = Self::new(words, usage, Level::User, refuse, "not supported by Hawser yet");
        Self { status: Status::NotYet, ..row }
    }

    /// The same, in expert mode only.
    pub const fn expert(self) -> Self {
        Self { expert: true, ..self }
    }

    /// The same, in experimental mode only.
    pub const fn experimental(self) -> Self {
        Self { experimental: true, ..self }
    }

    /// The same, not listed by `help`.
    pub const fn hidden(self) -> Self {
        Self { hidden: true, ..self }
    }

    /// The same, which the master process has too.
    pub const fn in_master(self) -> Self {
        Self { in_master: true, ..self }
    }

    /// A command of the master process, listed for completeness.
    pub const fn master(words: &'static str, usage: &'static str) -> Self {
        let row = Self::new(words, usage, Level::User, refuse, "a command of the master process");
        Self { status: Status::Master, ..row }
    }

    /// The line of `help`.
    pub fn help_line(&self) -> String {
        format!("  {:<40}: {}\n", self.usage, self.help)
    }
}

fn refuse(call: &mut Call<'_>) -> Reply {
    let n = call.words.len() - call.args.len();
    Reply::err(format!("'{}' is not supported by Hawser yet.", call.words[..n].join(" ")))
}

/// All commands of a process.
#[derive(Debug, Default)]
pub struct Registry {
    rows: Vec<&'static Command>,
}

impl Registry {
    /// Collects tables. Rows are sorted by their words; a later table's row replaces an earlier one's, so that
    /// a crate can bring the real command to a row that said "not yet".
    pub fn new(tables: &[&'static [Command]]) -> Self {
        let mut rows: Vec<&'static Command> = Vec::new();
        for row in tables.iter().flat_map(|t| t.iter()) {
            rows.retain(|r| r.words != row.words);
            rows.push(row);
        }
        rows.sort_by_key(|r| r.words);
        Self { rows }
    }

    /// The commands of the master process: those that it shares with workers, and `own`.
    pub fn of_master(tables: &[&'static [Command]], own: &'static [Command]) -> Self {
        let mut all = Self::new(tables);
        all.rows.retain(|r| r.in_master);
        all.rows.extend(own);
        all.rows.sort_by_key(|r| r.words);
        all
    }

    /// All rows in order.
    pub fn rows(&self) -> &[&'static Command] {
        &self.rows
    }

    /// The command that a line starts with, the longest if there are several, and how many words it has.
    pub fn find(&self, words: &[String]) -> Option<(&'static Command, usize)> {
        let matching = |row: &&'static Command| {
            let n = row.words.split(' ').count();
            let same = row.words.split(' ').zip(words).all(|(a, b)| a == b);
            (n <= words.len() && same && row.status != Status::Master).then_some((*row, n))
        };
        self.rows.iter().filter_map(matching).max_by_key(|(_, n)| *n)
    }
}
