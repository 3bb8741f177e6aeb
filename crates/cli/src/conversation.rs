//! One connection to the runtime API, without its I/O: bytes in, replies out.

use crate::command::{Call, Level, Registry, Reply, Severity};
use crate::line::{commands, payload_pattern, words};
use crate::state::{Process, State};
use crate::suggest;
use hawser_proto::clock;
use std::time::Duration;

/// Longest line (bytes).
const LINE_MAX: usize = 16_384;
/// Longest payload (bytes), `tune.cli.max-payload-size`.
const PAYLOAD_MAX: usize = 128 * 1024;

/// How the connection behaves between lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Mode {
    /// One line, then close.
    #[default]
    Single,
    /// Any number of lines.
    Interactive,
    /// Any number of lines, with a prompt.
    Prompt,
}

/// `set severity-output`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SeverityOutput {
    /// No prefix.
    #[default]
    None,
    /// `[6]: `.
    Number,
    /// `[info]: `.
    String,
}

impl SeverityOutput {
    /// Parses the word of the configuration or of the command.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "none" => Some(Self::None),
            "number" => Some(Self::Number),
            "string" => Some(Self::String),
            _ => None,
        }
    }
}

/// A line or payload that is longer than allowed; the connection is to be closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooLong;

/// A command ready to run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// The command as it was written, for those who pass it on.
    pub text: String,
    /// Its words; none for an empty command.
    pub words: Vec<String>,
    /// Its payload.
    pub payload: Option<String>,
    /// The line that ended the payload.
    pub pattern: String,
}

/// A line that waits for the end of its payload.
#[derive(Debug)]
struct Open {
    line: String,
    pattern: String,
    text: String,
}

/// The state of one connection.
#[derive(Debug)]
pub struct Conversation {
    level: Level,
    /// `expert-mode on`.
    pub expert: bool,
    /// `experimental-mode on`.
    pub experimental: bool,
    /// `prompt`.
    pub mode: Mode,
    /// `prompt timed`.
    pub timed: bool,
    /// `set severity-output`.
    pub severity: SeverityOutput,
    /// `set timeout cli`: time without a command before the connection is closed.
    pub timeout: Duration,
    input: Vec<u8>,
    /// Bytes at the start of `input` that are done with.
    taken: usize,
    open: Option<Open>,
    closing: bool,
}

impl Conversation {
    /// A new connection at the level of its socket.
    pub fn new(level: Level, severity: SeverityOutput, timeout: Duration) -> Self {
        Self {
            level,
            expert: false,
            experimental: false,
            mode: Mode::Single,
            timed: false,
            severity,
            timeout,
            input: Vec::new(),
            taken: 0,
            open: None,
            closing: false,
        }
    }

    /// What the connection may do.
    pub fn level(&self) -> Level {
        self.level
    }

    /// Gives up rights; there is no way back.
    pub fn lower(&mut self, to: Level) {
        self.level = self.level.min(to);
    }

    /// Whether the connection is to be closed now.
    pub fn closing(&self) -> bool {
        self.closing
    }

    /// Takes bytes from the client.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
    }

    /// What was fed after the last complete line, for those who pass it on.
    pub fn take_rest(&mut self) -> Vec<u8> {
        self.input.drain(..std::mem::take(&mut self.taken));
        std::mem::take(&mut self.input)
    }

    /// The commands of the next complete line, payload included; `None` when more bytes are needed.
    ///
    /// # Errors
    /// The line or the payload is too long.
    pub fn next_line(&mut self) -> Result<Option<Vec<Request>>, TooLong> {
        while let Some(len) = self.input[self.taken..].iter().position(|b| *b == b'\n') {
            let line = String::from_utf8_lossy(&self.input[self.taken..self.taken + len]).into_owned();
            self.taken += len + 1;
            let text = line.strip_suffix('\r').unwrap_or(&line);
            match &mut self.open {
                None => match payload_pattern(text) {
                    Some((line, pattern)) => {
                        self.open =
                            Some(Open { line: line.into(), pattern: pattern.into(), text: String::new() });
                    }
                    None => return Ok(Some(requests(text, None, String::new()))),
                },
                Some(open) if text == open.pattern => {
                    let done = self.open.take();
                    return Ok(done.map(|o| requests(&o.line, Some(o.text), o.pattern)));
                }
                Some(open) => {
                    open.text.push_str(&line);
                    open.text.push('\n');
                    if open.text.len() > PAYLOAD_MAX {
                        return Err(TooLong);
                    }
                }
            }
        }
        self.input.drain(..self.taken);
        self.taken = 0;
        if self.input.len() > LINE_MAX { Err(TooLong) } else { Ok(None) }
    }

    /// Runs one command.
    pub fn execute(&mut self, request: &Request, state: &State, registry: &Registry) -> Reply {
        let words = &request.words;
        if words.is_empty() {
            return Reply::Done;
        }
        let Some((command, n)) = registry.find(words) else { return self.unknown(words, registry) };
        if command.expert && !self.expert {
            return Reply::err("This command is restricted to expert mode only.");
        }
        if command.experimental && !self.experimental {
            return Reply::err("This command is restricted to experimental mode only.");
        }
        if self.level < command.level {
            return Reply::err("Permission denied");
        }
        let payload = request.payload.as_deref();
        let reply = (command.run)(&mut Call {
            words,
            args: &words[n..],
            payload,
            conversation: self,
            state,
            registry,
        });
        self.closing |= matches!(reply, Reply::Quit | Reply::Sockets);
        reply
    }

    /// The bytes of a reply: its text, then an empty line.
    pub fn frame(&self, reply: &Reply) -> String {
        let (prefix, text) = match reply {
            Reply::Quit | Reply::Sockets => return String::new(),
            Reply::Done => return "\n".into(),
            Reply::Message(severity, text) => (self.prefix(*severity), text),
            Reply::After(_, text) => (self.prefix(Severity::Info), text),
            Reply::Dump(text) => (String::new(), text),
        };
        let end = if text.ends_with('\n') { "\n" } else { "\n\n" };
        format!("{prefix}{text}{end}")
    }

    /// After the last command of a line: closes a non-interactive connection, or says what prompt to show.
    pub fn end_of_line(&mut self, state: &State) -> String {
        match self.mode {
            Mode::Single => {
                self.closing = true;
                String::new()
            }
            Mode::Interactive => String::new(),
            Mode::Prompt if self.closing => String::new(),
            Mode::Prompt => self.prompt(state),
        }
    }

    /// The prompt to show while the payload of a line is awaited, if one is.
    pub fn payload_prompt(&self) -> Option<&'static str> {
        (self.open.is_some() && self.mode == Mode::Prompt).then_some("+ ")
    }

    fn prompt(&self, state: &State) -> String {
        let Some(process) = state.get::<Process>().filter(|_| self.timed) else { return "> ".into() };
        let up = clock::now().saturating_duration_since(process.started).as_secs();
        let (days, hours, minutes, seconds) = (up / 86400, up / 3600 % 24, up / 60 % 60, up % 60);
        format!("[{days}:{hours:02}:{minutes:02}:{seconds:02}]> ")
    }

    fn prefix(&self, severity: Severity) -> String {
        match self.severity {
            SeverityOutput::None => String::new(),
            SeverityOutput::Number => format!("[{}]: ", severity as u8),
            SeverityOutput::String => format!("[{}]: ", severity.word()),
        }
    }

    fn unknown(&self, words: &[String], registry: &Registry) -> Reply {
        let mut text = format!(
            "Unknown command: '{}', but maybe one of the following ones is a better match:\n",
            words[0]
        );
        let close = suggest::matching(registry, words, self.level);
        close.iter().filter(|r| !ALWAYS.contains(&r.words)).for_each(|r| text.push_str(&r.help_line()));
        text.push_str(&always(registry));
        Reply::info(text)
    }
}

/// Commands that end every list.
pub(crate) const ALWAYS: [&str; 3] = ["help", "prompt", "quit"];

/// The lines of [`ALWAYS`].
pub(crate) fn always(registry: &Registry) -> String {
    let row = |w: &&str| registry.rows().iter().find(|r| r.words == *w).map(|r| r.help_line());
    ALWAYS.iter().filter_map(row).collect()
}

/// The commands of a line; the payload goes to the last.
fn requests(line: &str, payload: Option<String>, pattern: String) -> Vec<Request> {
    let request = |text: &str| Request {
        text: text.to_owned(),
        words: words(text),
        payload: None,
        pattern: String::new(),
    };
    let mut all: Vec<Request> = commands(line).into_iter().map(request).collect();
    if let Some(last) = all.last_mut() {
        (last.payload, last.pattern) = (payload, pattern);
    }
    all
}

#[cfg(test)]
mod tests;
