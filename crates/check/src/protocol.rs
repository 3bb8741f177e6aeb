//! Checks that speak the protocol of a service (manual 4.2 `option mysql-check` and relatives).
//!
//! Each is a script of bytes to send and answers to read. The bytes are those that HAProxy sends: servers tell them
//! from a client that gives up, and do not count them as errors.

use crate::script::{Action, Data, Script, Step};
use crate::status::Status;
use hawser_cfg::model::{MysqlLogin, ServiceCheck};

mod ldap;
mod mysql;
mod smtp;
mod spop;
mod tls;

/// Reads what a server has sent so far.
pub(crate) type Reader = fn(&Received<'_>) -> Answer;

/// What a server has sent since it was last spoken to.
pub(crate) struct Received<'a> {
    pub(crate) data: &'a [u8],
    /// Nothing more will come.
    pub(crate) ended: bool,
    /// Number of the step in messages.
    pub(crate) step: u32,
}

/// What it means.
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum Answer {
    /// Not enough to tell.
    More,
    /// As it should be; the code and the text are what the last answer leaves behind.
    Good(Option<u16>, String),
    Bad(Status, Option<u16>, String),
}

/// What a service is asked, and how its answers are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    pub(crate) read: Reader,
    /// The server takes too long.
    pub(crate) late: Status,
}

impl Answer {
    fn good(text: &str) -> Self {
        Self::Good(Some(0), text.to_owned())
    }

    /// Not what the protocol says.
    fn wrong(text: impl Into<String>) -> Self {
        Self::Bad(Status::L7Rsp, None, text.into())
    }

    /// A refusal.
    fn refused(code: u16, text: impl Into<String>) -> Self {
        Self::Bad(Status::L7Sts, Some(code), text.into())
    }
}

impl Received<'_> {
    /// More is needed; if there is no more, what came is no answer.
    fn more_or(&self, end: impl FnOnce() -> Answer) -> Answer {
        if self.ended { end() } else { Answer::More }
    }

    /// The server closed without a word.
    fn silence(&self) -> String {
        match self.data {
            [] => format!("TCPCHK got an empty response at step {}", self.step),
            _ => String::new(),
        }
    }

    /// The first line without its end; `None` while it is not whole.
    fn line(&self) -> Option<&[u8]> {
        let end = memchr::memchr(b'\n', self.data)?;
        let line = self.data.get(..end)?;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

/// The script of a check.
pub(crate) fn script(check: &ServiceCheck) -> Script {
    // In messages, the connection is the first step of most.
    let first = if *check == ServiceCheck::Tls { 1 } else { 2 };
    let mut steps = Steps { first, steps: Vec::new() };
    match check {
        ServiceCheck::Redis => steps.send(b"*1\r\n$4\r\nPING\r\n").expect(redis),
        ServiceCheck::Smtp(hello) => steps
            .expect(smtp::greeting)
            .send(format!("{hello}\r\n").as_bytes())
            .expect(smtp::hello)
            .send(b"QUIT\r\n")
            .expect(smtp::farewell),
        ServiceCheck::Pgsql(user) => steps.send(&startup(user)).expect(postgresql),
        ServiceCheck::Ldap => steps.send(ldap::BIND).expect(ldap::bound),
        ServiceCheck::Tls => steps
            .send(&tls::hello())
            .add(Action::Answer(Reading { read: tls::answered, late: Status::L6Tout })),
        ServiceCheck::Spop => steps.send(&spop::hello()).expect(spop::agent),
        ServiceCheck::Mysql(None) => steps.expect(mysql::greeting),
        ServiceCheck::Mysql(Some(MysqlLogin { user, dialect })) => {
            steps.expect(mysql::greeting).send(&mysql::login(user, *dialect)).expect(mysql::admitted)
        }
    };
    Script { steps: steps.steps, ..Script::default() }
}

struct Steps {
    first: u32,
    steps: Vec<Step>,
}

impl Steps {
    fn send(&mut self, bytes: &[u8]) -> &mut Self {
        self.add(Action::Send(Data::Fixed(bytes.to_vec())))
    }

    fn expect(&mut self, read: Reader) -> &mut Self {
        self.add(Action::Answer(Reading { read, late: Status::L7Tout }))
    }

    fn add(&mut self, action: Action) -> &mut Self {
        let number = self.steps.len() as u32 + self.first;
        self.steps.push(Step { number, action, comment: None });
        self
    }
}

fn redis(r: &Received<'_>) -> Answer {
    const PONG: &[u8] = b"+PONG\r\n";
    match r.line() {
        _ if r.data.starts_with(PONG) => Answer::good("Redis server is ok"),
        Some(line) => Answer::refused(0, text(line)),
        None => r.more_or(|| Answer::refused(0, text(r.data))),
    }
}

/// `StartupMessage` of version 3.0.
fn startup(user: &str) -> Vec<u8> {
    let mut rest = vec![0, 3, 0, 0];
    rest.extend(b"user\0");
    rest.extend(user.bytes());
    rest.extend(b"\0\0");
    let mut out = (rest.len() as u32 + 4).to_be_bytes().to_vec();
    out.extend(rest);
    out
}

fn postgresql(r: &Received<'_>) -> Answer {
    const UNKNOWN: &str = "PostgreSQL unknown error";
    // Type, length, and of an authentication request what is asked for.
    const REQUEST: usize = 9;
    match r.data {
        [b'R', ..] if r.data.len() >= REQUEST => Answer::good("PostgreSQL server is ok"),
        [b'E', ..] => match r.data.get(6..).and_then(|t| t.split(|b| *b == 0).next()) {
            Some(severity) if r.data.len() > 6 + severity.len() => Answer::wrong(text(severity)),
            _ => r.more_or(|| Answer::wrong(UNKNOWN)),
        },
        [b'R', ..] | [] => r.more_or(|| Answer::refused(0, UNKNOWN)),
        _ => Answer::refused(0, UNKNOWN),
    }
}

/// As it can be shown on one line.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end().chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests;
