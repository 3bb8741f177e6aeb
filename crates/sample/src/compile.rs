//! What compiling an expression, a condition or a log-format needs to know.

use crate::checkpoint::Checkpoint;
use crate::cond::Acls;
use crate::registry::Registry;
use hawser_cfg::diag::Diags;
use hawser_cfg::model::Config;
use hawser_cfg::pos::Pos;
use std::fmt;

/// Context of a compilation: where the words stand and what names mean there.
pub struct CompileCx<'c> {
    /// Warnings go here; errors are returned, so that callers can put them into their own sentence.
    pub diags: &'c mut Diags,
    /// The whole configuration, for names of proxies, servers and user lists. Indexes of proxies and servers in
    /// compiled arguments are those of this configuration.
    pub config: &'c Config,
    /// All known fetches and converters.
    pub registry: &'c Registry,
    /// The line.
    pub pos: Pos,
    /// The proxy that the line stands in.
    pub proxy: Option<usize>,
    /// When the expression is evaluated; `None` leaves that unchecked.
    pub at: Option<Checkpoint>,
    /// Named ACLs in scope.
    pub acls: Acls,
    /// What the words belong to, for messages: `http-request set-header`, `acl`, `log-format`, `unique-id-format`,
    /// `balance`…
    pub what: String,
    /// An ACL is being compiled.
    pub(crate) in_acl: bool,
}

impl<'c> CompileCx<'c> {
    /// A context with the built-in keywords, at no particular place.
    pub fn new(config: &'c Config, diags: &'c mut Diags) -> Self {
        Self {
            diags,
            config,
            registry: Registry::builtin(),
            pos: Pos::default(),
            proxy: None,
            at: None,
            acls: Acls::default(),
            what: String::new(),
            in_acl: false,
        }
    }

    /// ` in http-request expression` and the like, for messages about names.
    pub(crate) fn place(&self) -> String {
        const RULES: [&str; 8] = [
            "tcp-request content",
            "tcp-request connection",
            "tcp-request session",
            "tcp-response content",
            "http-request",
            "http-response",
            "http-after-response",
            "use_backend",
        ];
        match self.what.as_str() {
            "" => String::new(),
            w if w.starts_with("log-format") => " in log-format string".to_owned(),
            w if w.starts_with("unique-id") => " in unique-id-format string".to_owned(),
            "use-server" | "balance" => " in use-server or balance expression".to_owned(),
            w => {
                let set = RULES.iter().find(|r| w.starts_with(**r)).copied().unwrap_or(w);
                format!(" in {set} expression")
            }
        }
    }

    /// Index of a proxy with a frontend (or a backend) side.
    pub fn find_proxy(&self, name: &str, frontend: bool) -> Option<usize> {
        self.config
            .proxies
            .iter()
            .position(|p| *p.name == *name && if frontend { p.kind.is_fe() } else { p.kind.is_be() })
    }

    /// Index of a server.
    pub fn find_server(&self, proxy: usize, name: &str) -> Option<usize> {
        self.config.proxies.get(proxy)?.servers.iter().position(|s| *s.name == *name)
    }
}

/// Why something does not compile: the tail of HAProxy's message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Error {
    /// The text, without a final full stop.
    pub text: String,
    /// A near miss among known names.
    pub suggestion: Option<String>,
    /// Index of the word at fault, where one is.
    pub word: Option<usize>,
    /// The text is the whole message: callers do not put their own words before it.
    pub complete: bool,
}

impl Error {
    /// An error without more to say.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), suggestion: None, word: None, complete: false }
    }

    /// An error whose text is the whole message.
    pub fn complete(text: impl Into<String>) -> Self {
        Self { complete: true, ..Self::new(text) }
    }

    /// The same with a near miss.
    pub fn suggest(mut self, s: Option<String>) -> Self {
        self.suggestion = s;
        self
    }

    /// The same, at a word.
    pub fn at(mut self, word: usize) -> Self {
        self.word = Some(word);
        self
    }

    /// The same with text in front, unless it is complete.
    pub fn prefix(mut self, p: impl fmt::Display) -> Self {
        if !self.complete {
            self.text = format!("{p}{}", self.text);
        }
        self
    }

    /// The same with text behind it, unless it is complete.
    pub fn suffix(mut self, s: &str) -> Self {
        if !self.complete {
            self.text.push_str(s);
        }
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Error {}
