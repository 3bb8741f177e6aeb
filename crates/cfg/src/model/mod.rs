//! The configuration as typed data: what the sections say, nothing resolved yet.
//!
//! Times are milliseconds, sizes bytes, unless a field says otherwise. `None` means "not set", so that
//! inheritance from a `defaults` section and HAProxy's run-time defaults stay visible to the compiler of the
//! snapshot. Rules, conditions, sample expressions and log-formats stay words here: the crates that own them
//! (`sample`, `rules`) compile them, with the same [`crate::diag::Diags`].

mod addr;
mod bind;
mod cookie;
mod errors;
mod global;
mod log;
mod log_forward;
mod options;
mod proxy;
mod rules;
mod server;
mod stats_page;
mod status;
mod stick;

pub use addr::{Addr, AddrKind};
pub use bind::{Bind, BindOpts};
pub use cookie::Cookie;
pub use errors::{ErrorDecl, ErrorKind, HttpErrors};
pub use global::{Global, H2Global, H2Side, SetVar, StatsSocket, UnixBind};
pub use log::{LogAddr, LogFormatDecl, LogTarget};
pub use log_forward::{HostStrategy, LogForward};
pub use options::{
    CheckKind, ConnMode, ForwardFor, Forwarded, KeepAlive, MysqlDialect, MysqlLogin, Options, Part, Reuse,
    ServiceCheck, Timeouts, opt,
};
pub use proxy::{HeaderCapture, Mode, Proxy, ProxyKind, StateSource};
pub use rules::{DefaultRules, RuleLine, RuleLines, Userlist};
pub use server::{AgentOpts, ProxyV2Options, RareServerOpts, Server, ServerOpts, Source, UseSrc};
pub use stats_page::StatsPage;
pub use status::{HttpCodes, StatusSet};
pub use stick::{DataType, Form, KeyType, StickTable, Stored};

use crate::env::Env;
use crate::pos::{Pos, Word};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A whole configuration.
#[derive(Default, Debug)]
pub struct Config {
    /// Names of the files, by [`crate::pos::FileId`].
    pub files: Vec<Arc<str>>,
    /// The `global` sections, merged.
    pub global: Global,
    /// `frontend`, `backend` and `listen` sections, in order. A `listen` is one entry with both capabilities.
    pub proxies: Vec<Proxy>,
    /// `http-errors` sections.
    pub http_errors: Vec<HttpErrors>,
    /// `userlist` sections.
    pub userlists: Vec<Userlist>,
    /// `log-forward` sections.
    pub log_forwards: Vec<LogForward>,
    /// Stick tables, in the order in which they are declared; those of disabled proxies too.
    pub stick_tables: Vec<StickTable>,
    /// Place of each proxy in `proxies`, by name.
    pub proxy_names: HashMap<Arc<str>, usize>,
    /// The environment as the configuration left it.
    pub env: Env,
}

impl Config {
    /// The proxy of that name.
    pub fn proxy(&self, name: &str) -> Option<&Proxy> {
        self.proxies.get(*self.proxy_names.get(name)?)
    }

    /// Place of a stick table in `stick_tables`.
    pub fn find_stick_table(&self, name: &str) -> Option<usize> {
        self.proxy(name)?.stick_table
    }

    /// A file name of a line, relative to what `default-path` says (manual 3.1).
    pub fn path(&self, pos: Pos, name: &str) -> PathBuf {
        let file = self.files.get(usize::from(pos.file.0)).map_or(Path::new(""), |f| Path::new(&**f));
        let dir = file.parent().unwrap_or(Path::new(""));
        let words: Vec<&str> = self.global.default_path.iter().flatten().map(Word::as_str).collect();
        match words[..] {
            ["config", ..] => dir.join(name),
            ["parent", ..] => dir.join("..").join(name),
            ["origin", origin, ..] => Path::new(origin).join(name),
            _ => PathBuf::from(name),
        }
    }

    /// The proxy of that name, when it can be a backend.
    pub fn backend(&self, name: &str) -> Option<&Proxy> {
        self.proxy(name).filter(|p| p.kind.is_be())
    }
}
