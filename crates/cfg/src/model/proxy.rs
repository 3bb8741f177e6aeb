//! Proxy sections: `frontend`, `backend`, `listen` (manual chapter 4).

use super::{
    Addr, Bind, CheckKind, ConnMode, Cookie, DefaultRules, ErrorDecl, ForwardFor, Forwarded, KeepAlive,
    LogFormatDecl, LogTarget, Options, Reuse, RuleLine, RuleLines, Server, StatsPage, Timeouts,
};
use crate::pos::{Pos, Word};
use std::sync::Arc;

/// What a proxy section can do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ProxyKind {
    /// `frontend`.
    #[default]
    Frontend,
    /// `backend`.
    Backend,
    /// `listen`: both.
    Listen,
}

impl ProxyKind {
    /// Has a frontend side.
    pub fn is_fe(self) -> bool {
        self != Self::Backend
    }
    /// Has a backend side.
    pub fn is_be(self) -> bool {
        self != Self::Frontend
    }
    /// HAProxy's word for it in messages.
    pub fn word(self) -> &'static str {
        match self {
            Self::Frontend => "frontend",
            Self::Backend => "backend",
            Self::Listen => "proxy",
        }
    }
}

/// `mode`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Mode {
    /// `mode tcp`, HAProxy's default.
    #[default]
    Tcp,
    /// `mode http`.
    Http,
    /// `mode log`.
    Log,
    /// `mode spop`.
    Spop,
    /// `mode haterm`.
    Haterm,
}

impl Mode {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Http => "http",
            Self::Log => "log",
            Self::Spop => "spop",
            Self::Haterm => "haterm",
        }
    }
}

/// A proxy section after inheritance from its defaults.
#[derive(Debug, Default, Clone)]
pub struct Proxy {
    /// Its name.
    pub name: Arc<str>,
    /// The section line.
    pub pos: Pos,
    /// What it is.
    pub kind: ProxyKind,
    /// `mode`.
    pub mode: Mode,
    /// `disabled`.
    pub disabled: bool,
    /// `id`.
    pub id: Option<u32>,
    /// `description`.
    pub description: Option<String>,
    /// `guid`.
    pub guid: Option<String>,
    /// `bind` lines.
    pub binds: Vec<Bind>,
    /// `server` lines and the expansion of `server-template`, in order.
    pub servers: Vec<Server>,
    /// `maxconn`.
    pub maxconn: Option<u32>,
    /// `fullconn`.
    pub fullconn: Option<u32>,
    /// `backlog`.
    pub backlog: Option<u32>,
    /// `rate-limit sessions`.
    pub rate_limit_sessions: Option<u32>,
    /// `timeout …`.
    pub timeouts: Timeouts,
    /// `option …`.
    pub options: Options,
    /// `option httpclose` and relatives.
    pub conn_mode: ConnMode,
    /// `http-reuse`.
    pub reuse: Option<Reuse>,
    /// `retries`; HAProxy's default is 3.
    pub retries: Option<u32>,
    /// `option redispatch [interval]`: 0 is off, -1 the last retry, n every n-th.
    pub redispatch: i32,
    /// `retry-on` words, empty for `conn-failure`.
    pub retry_on: Vec<Word>,
    /// `balance` and its words; `None` means roundrobin for `listen`/`backend`.
    pub balance: Option<(Pos, Vec<Word>)>,
    /// `hash-type` words.
    pub hash_type: Option<(Pos, Vec<Word>)>,
    /// `default_backend`.
    pub default_backend: Option<(Pos, Word)>,
    /// `use_backend` lines: target (a log-format) then the condition words.
    pub use_backend: Vec<RuleLine>,
    /// `use-server` lines.
    pub use_server: Vec<RuleLine>,
    /// `acl` lines: name, criterion, flags, patterns.
    pub acls: Vec<RuleLine>,
    /// All rule sets. In `mode tcp` the HTTP sets have no effect unless `switch-mode` turns a stream to HTTP.
    pub rules: RuleLines,
    /// How many rules at the end of `rules.http_req` are `redirect` lines, which run after all others.
    pub redirects: usize,
    /// Rule sets of the named defaults section that this proxy is `from`; run before its own.
    pub default_rules: Option<Arc<DefaultRules>>,
    /// `tcp-request inspect-delay` (ms).
    pub req_inspect_delay: Option<u32>,
    /// `tcp-response inspect-delay` (ms).
    pub res_inspect_delay: Option<u32>,
    /// `errorfile`, `errorloc*`, `errorfiles` and `http-error` lines, in order.
    pub errors: Vec<ErrorDecl>,
    /// `log` lines; `log global` is one with [`LogTarget::global`].
    pub logs: Vec<LogTarget>,
    /// `log-format`, or what `option httplog` and relatives choose.
    pub log_format: Option<LogFormatDecl>,
    /// Where that was said.
    pub log_format_pos: Pos,
    /// `error-log-format`.
    pub error_log_format: Option<(Pos, Word)>,
    /// `log-format-sd`.
    pub log_format_sd: Option<(Pos, Word)>,
    /// `log-tag`.
    pub log_tag: Option<String>,
    /// `unique-id-format`.
    pub unique_id_format: Option<(Pos, Word)>,
    /// `unique-id-header`.
    pub unique_id_header: Option<Word>,
    /// `capture request header NAME len N`.
    pub req_captures: Vec<HeaderCapture>,
    /// `capture response header NAME len N`.
    pub res_captures: Vec<HeaderCapture>,
    /// `capture cookie NAME len N`.
    pub capture_cookie: Option<(Word, u32)>,
    /// `declare capture request|response len N`: where, whether of requests, N. Slots count in order of lines.
    pub declared_captures: Vec<(Pos, bool, u32)>,
    /// `monitor-uri`.
    pub monitor_uri: Option<Word>,
    /// `monitor fail if …` conditions.
    pub monitor_fail: Vec<RuleLine>,
    /// `stats …`: the statistics page.
    pub stats: Option<Box<StatsPage>>,
    /// `option forwardfor`.
    pub forwardfor: Option<ForwardFor>,
    /// `option forwarded`.
    pub forwarded: Option<Box<Forwarded>>,
    /// `option originalto`.
    pub originalto: Option<ForwardFor>,
    /// `dispatch`.
    pub dispatch: Option<(Pos, Addr)>,
    /// `source` of the proxy.
    pub source: Option<super::Source>,
    /// `cookie`.
    pub cookie: Option<Cookie>,
    /// `dynamic-cookie-key`.
    pub dynamic_cookie_key: Option<String>,
    /// `option tcp-check`, `httpchk` and relatives.
    pub check_kind: CheckKind,
    /// `option external-check` and other check lines kept as words (`http-check …`, `tcp-check …`).
    pub check_rules: Vec<RuleLine>,
    /// `clitcpka-cnt`, `-idle`, `-intvl`.
    pub clitcpka: KeepAlive,
    /// `srvtcpka-cnt`, `-idle`, `-intvl`.
    pub srvtcpka: KeepAlive,
    /// `max-keep-alive-queue`.
    pub max_keep_alive_queue: Option<i32>,
    /// `max-session-srv-conns`.
    pub max_session_srv_conns: Option<u32>,
    /// `hash-balance-factor`.
    pub hash_balance_factor: Option<u32>,
    /// `http-restrict-req-hdr-names`: preserve, delete, reject.
    pub restrict_req_hdr_names: Option<Word>,
    /// `force-persist` / `ignore-persist` conditions; the flag is true for force.
    pub persist_rules: Vec<(bool, RuleLine)>,
    /// Place of its `stick-table` in [`super::Config::stick_tables`].
    pub stick_table: Option<usize>,
    /// `stick` lines: `on`, `match`, `store-request` or `store-response`, then the rest.
    pub stick_rules: Vec<RuleLine>,
    /// `http-send-name-header`.
    pub send_name_header: Option<Word>,
    /// `load-server-state-from-file`.
    pub load_server_state: StateSource,
    /// `server-state-file-name`, `None` for the name of the backend.
    pub server_state_file: Option<Word>,
    /// `option http-no-delay`, … are in `options`; `tcpka` values above.
    pub email_alert: Vec<RuleLine>,
}

/// `load-server-state-from-file`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum StateSource {
    /// `none`, or nothing.
    #[default]
    None,
    /// `global`: the file of the process.
    Global,
    /// `local`: a file of the backend's own.
    Local,
}

/// `capture request|response header NAME len N`.
#[derive(Debug, Clone)]
pub struct HeaderCapture {
    /// Where.
    pub pos: Pos,
    /// The field.
    pub name: Word,
    /// Most bytes that are kept.
    pub len: u32,
}
