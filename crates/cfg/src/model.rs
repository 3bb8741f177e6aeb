//! The configuration as typed data: what the sections say, nothing resolved yet.
//!
//! Times are milliseconds, sizes bytes, unless a field says otherwise. `None` means "not set", so that
//! inheritance from a `defaults` section and HAProxy's run-time defaults stay visible to the compiler of the
//! snapshot. Rules, conditions, sample expressions and log-formats stay words here: the crates that own them
//! (`sample`, `rules`) compile them, with the same [`crate::diag::Diags`].

use crate::pos::{Pos, Word};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
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
}

/// `global` (manual chapter 3). Keywords that only tune HAProxy's internals are not kept.
#[derive(Default, Debug, Clone)]
pub struct Global {
    /// `daemon`.
    pub daemon: bool,
    /// `master-worker`.
    pub master_worker: bool,
    /// `quiet`.
    pub quiet: bool,
    /// `zero-warning`.
    pub zero_warning: bool,
    /// `nbthread`.
    pub nbthread: Option<u32>,
    /// `maxconn`.
    pub maxconn: Option<u32>,
    /// `ulimit-n`.
    pub ulimit_n: Option<u32>,
    /// `fd-hard-limit`.
    pub fd_hard_limit: Option<u32>,
    /// `maxconnrate` (connections per second).
    pub maxconnrate: Option<u32>,
    /// `maxsessrate` (sessions per second).
    pub maxsessrate: Option<u32>,
    /// `user`, resolved name kept for messages.
    pub user: Option<Word>,
    /// `group`.
    pub group: Option<Word>,
    /// `uid`.
    pub uid: Option<u32>,
    /// `gid`.
    pub gid: Option<u32>,
    /// `chroot`.
    pub chroot: Option<PathBuf>,
    /// `pidfile`.
    pub pidfile: Option<PathBuf>,
    /// `node`.
    pub node: Option<String>,
    /// `description`.
    pub description: Option<String>,
    /// `localpeer`.
    pub localpeer: Option<String>,
    /// `hard-stop-after` (ms).
    pub hard_stop_after: Option<u32>,
    /// `grace` (ms).
    pub grace: Option<u32>,
    /// `close-spread-time` (ms); `u32::MAX` for `infinite`.
    pub close_spread_time: Option<u32>,
    /// `cpu-map` lines, as written.
    pub cpu_map: Vec<(Pos, Vec<Word>)>,
    /// `log` lines of the global section.
    pub logs: Vec<LogTarget>,
    /// `log-tag`.
    pub log_tag: Option<String>,
    /// `log-send-hostname`; an empty string stands for the machine's name.
    pub log_send_hostname: Option<String>,
    /// `stats socket` lines, as written after the two words.
    pub stats_sockets: Vec<StatsSocket>,
    /// `stats timeout` (ms).
    pub stats_timeout: Option<u32>,
    /// `stats maxconn`.
    pub stats_maxconn: Option<u32>,
    /// `tune.bufsize` (bytes); HAProxy's default is 16384.
    pub bufsize: Option<u32>,
    /// `tune.maxrewrite` (bytes); default 1024.
    pub maxrewrite: Option<u32>,
    /// `tune.http.maxhdr`; default 101.
    pub maxhdr: Option<u32>,
    /// `tune.http.logurilen`; default 1024.
    pub logurilen: Option<u32>,
    /// `tune.http.cookielen`; default 63.
    pub cookielen: Option<u32>,
    /// `tune.maxaccept`.
    pub maxaccept: Option<i32>,
    /// `tune.rcvbuf.client` and friends (bytes).
    pub rcvbuf_client: Option<u32>,
    /// See above.
    pub sndbuf_client: Option<u32>,
    /// See above.
    pub rcvbuf_server: Option<u32>,
    /// See above.
    pub sndbuf_server: Option<u32>,
    /// `tune.idle-pool.shared` (default on).
    pub idle_pool_shared: Option<bool>,
    /// `spread-checks` (percent).
    pub spread_checks: Option<u32>,
    /// `max-spread-checks` (ms).
    pub max_spread_checks: Option<u32>,
    /// `expose-experimental-directives`.
    pub expose_experimental: bool,
    /// `expose-deprecated-directives`.
    pub expose_deprecated: bool,
    /// `h1-accept-payload-with-any-method`.
    pub h1_accept_payload_with_any_method: bool,
    /// `h1-do-not-close-on-insecure-transfer-encoding`.
    pub h1_do_not_close_on_insecure_te: bool,
    /// `set-var` and `set-var-fmt` lines: scope+name word, expression words, whether `-fmt`.
    pub set_vars: Vec<SetVar>,
    /// `h1-case-adjust` pairs: lower-case name, name as to be sent.
    pub h1_case_adjust: Vec<(String, String)>,
    /// `http-err-codes` / `http-fail-codes` changes, as written.
    pub http_codes: Vec<(Pos, Vec<Word>)>,
    /// `unix-bind` prefix and permissions.
    pub unix_bind: UnixBind,
    /// `default-path` in force at the end.
    pub default_path: Option<Vec<Word>>,
}

/// `unix-bind` (manual 3.1).
#[derive(Default, Debug, Clone)]
pub struct UnixBind {
    /// Put before every absolute UNIX socket path.
    pub prefix: Option<String>,
    /// Octal mode.
    pub mode: Option<u32>,
    /// Owner.
    pub uid: Option<u32>,
    /// Group.
    pub gid: Option<u32>,
}

/// `set-var` in `global`.
#[derive(Debug, Clone)]
pub struct SetVar {
    /// Where.
    pub pos: Pos,
    /// `proc.name`.
    pub name: Word,
    /// The expression or format.
    pub args: Vec<Word>,
    /// `set-var-fmt`.
    pub fmt: bool,
}

/// `stats socket`.
#[derive(Debug, Clone)]
pub struct StatsSocket {
    /// The bind line behind it.
    pub bind: Bind,
    /// `level`: 0 user, 1 operator, 2 admin.
    pub level: u8,
    /// `expose-fd listeners`.
    pub expose_fd: bool,
    /// `severity-output`: none, number, string.
    pub severity_output: Option<String>,
}

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

/// `option http-keep-alive`, `http-server-close`, `httpclose`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ConnMode {
    /// Both sides persist.
    #[default]
    KeepAlive,
    /// The server side closes after each response.
    ServerClose,
    /// Both sides close.
    Close,
}

/// `http-reuse`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Reuse {
    /// Never share.
    Never,
    /// Never for the first request of a session.
    #[default]
    Safe,
    /// First requests too, on connections that were reused before.
    Aggressive,
    /// Always.
    Always,
}

/// All `timeout` values of a proxy, in ms; `Some(0)` is eternity as in HAProxy.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[expect(missing_docs, reason = "each field is the timeout of that name in the manual")]
pub struct Timeouts {
    pub check: Option<u32>,
    pub client: Option<u32>,
    pub client_fin: Option<u32>,
    pub client_hs: Option<u32>,
    pub connect: Option<u32>,
    pub http_keep_alive: Option<u32>,
    pub http_request: Option<u32>,
    pub queue: Option<u32>,
    pub server: Option<u32>,
    pub server_fin: Option<u32>,
    pub tarpit: Option<u32>,
    pub tunnel: Option<u32>,
}

/// Yes/no `option` keywords. A bit set in `set` was set here; `clear` holds those that `no option` cleared.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// Set.
    pub set: u64,
}

/// Bits of [`Options`]; names are those of the manual.
#[expect(missing_docs, reason = "each constant is the option of that name in the manual")]
pub mod opt {
    pub const ABORTONCLOSE: u64 = 1 << 0;
    pub const UNSAFE_REQUEST: u64 = 1 << 1;
    pub const UNSAFE_RESPONSE: u64 = 1 << 2;
    pub const ALLBACKUPS: u64 = 1 << 3;
    pub const CHECKCACHE: u64 = 1 << 4;
    pub const CLITCPKA: u64 = 1 << 5;
    pub const CONTSTATS: u64 = 1 << 6;
    pub const DISABLE_H2_UPGRADE: u64 = 1 << 7;
    pub const DONTLOG_NORMAL: u64 = 1 << 8;
    pub const DONTLOGNULL: u64 = 1 << 9;
    pub const H1_CASE_CLIENT: u64 = 1 << 10;
    pub const H1_CASE_SERVER: u64 = 1 << 11;
    pub const HTTP_BUFFER_REQUEST: u64 = 1 << 12;
    pub const DROP_REQ_TRAILERS: u64 = 1 << 13;
    pub const DROP_RES_TRAILERS: u64 = 1 << 14;
    pub const HTTP_IGNORE_PROBES: u64 = 1 << 15;
    pub const HTTP_NO_DELAY: u64 = 1 << 16;
    pub const HTTP_PRETEND_KEEPALIVE: u64 = 1 << 17;
    pub const HTTP_USE_PROXY_HEADER: u64 = 1 << 18;
    pub const IDLE_CLOSE_ON_RESPONSE: u64 = 1 << 19;
    pub const INDEPENDENT_STREAMS: u64 = 1 << 20;
    pub const LOG_HEALTH_CHECKS: u64 = 1 << 21;
    pub const LOG_SEPARATE_ERRORS: u64 = 1 << 22;
    pub const LOGASAP: u64 = 1 << 23;
    pub const NOLINGER: u64 = 1 << 24;
    pub const PERSIST: u64 = 1 << 25;
    pub const PREFER_LAST_SERVER: u64 = 1 << 26;
    pub const SOCKET_STATS: u64 = 1 << 27;
    pub const SPLICE_AUTO: u64 = 1 << 28;
    pub const SPLICE_REQUEST: u64 = 1 << 29;
    pub const SPLICE_RESPONSE: u64 = 1 << 30;
    pub const SRVTCPKA: u64 = 1 << 31;
    pub const TCP_SMART_ACCEPT: u64 = 1 << 32;
    pub const TCP_SMART_CONNECT: u64 = 1 << 33;
    pub const TRANSPARENT: u64 = 1 << 34;
    pub const HTTP_PROXY: u64 = 1 << 35;
}

impl Options {
    /// Whether every bit of `o` is set.
    pub fn has(self, o: u64) -> bool {
        self.set & o == o
    }
}

/// One rule line: everything after `http-request`, `tcp-request content` and so on.
#[derive(Debug, Clone)]
pub struct RuleLine {
    /// Where.
    pub pos: Pos,
    /// Action, its arguments, and the condition if any.
    pub words: Arc<[Word]>,
}

/// The rule sets of a proxy, in evaluation order.
#[derive(Debug, Default, Clone)]
#[expect(missing_docs, reason = "each field is the rule set of that name in the manual")]
pub struct RuleLines {
    pub tcp_req_conn: Vec<RuleLine>,
    pub tcp_req_sess: Vec<RuleLine>,
    pub tcp_req_cont: Vec<RuleLine>,
    pub tcp_res_cont: Vec<RuleLine>,
    pub http_req: Vec<RuleLine>,
    pub http_res: Vec<RuleLine>,
    pub http_after_res: Vec<RuleLine>,
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
    /// All rule sets.
    pub rules: RuleLines,
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
    pub req_captures: Vec<(Word, u32)>,
    /// `capture response header NAME len N`.
    pub res_captures: Vec<(Word, u32)>,
    /// `capture cookie NAME len N`.
    pub capture_cookie: Option<(Word, u32)>,
    /// `declare capture request|response len N`: (is request, N).
    pub declared_captures: Vec<(bool, u32)>,
    /// `monitor-uri`.
    pub monitor_uri: Option<Word>,
    /// `monitor fail if …` conditions.
    pub monitor_fail: Vec<RuleLine>,
    /// `option forwardfor`.
    pub forwardfor: Option<ForwardFor>,
    /// `option originalto`.
    pub originalto: Option<ForwardFor>,
    /// `dispatch`.
    pub dispatch: Option<(Pos, Addr)>,
    /// `source` of the proxy.
    pub source: Option<(Pos, Vec<Word>)>,
    /// `cookie` line words.
    pub cookie: Option<(Pos, Vec<Word>)>,
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
    /// `hash-balance-factor`.
    pub hash_balance_factor: Option<u32>,
    /// `http-restrict-req-hdr-names`: preserve, delete, reject.
    pub restrict_req_hdr_names: Option<Word>,
    /// `force-persist` / `ignore-persist` conditions; the flag is true for force.
    pub persist_rules: Vec<(bool, RuleLine)>,
    /// `http-send-name-header`.
    pub send_name_header: Option<Word>,
    /// `load-server-state-from-file`.
    pub load_server_state: Option<Word>,
    /// `option http-no-delay`, … are in `options`; `tcpka` values above.
    pub email_alert: Vec<RuleLine>,
}

/// Rules of a named defaults section (manual 4: `defaults` with rules must be named).
#[derive(Debug, Default, Clone)]
pub struct DefaultRules {
    /// Its name.
    pub name: Arc<str>,
    /// ACLs visible to these rules only.
    pub acls: Vec<RuleLine>,
    /// The rules.
    pub rules: RuleLines,
}

/// TCP keep-alive settings.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct KeepAlive {
    /// Probes.
    pub cnt: Option<u32>,
    /// Seconds before the first probe.
    pub idle: Option<u32>,
    /// Seconds between probes.
    pub intvl: Option<u32>,
}

/// What checks a server gets by default.
#[derive(Debug, Default, Clone)]
pub enum CheckKind {
    /// A TCP connect.
    #[default]
    Tcp,
    /// `option httpchk` with its words.
    Http(Vec<Word>),
    /// `option tcp-check`.
    TcpRules,
    /// Another `option …-check`, refused at compile until built.
    Other(Pos, Vec<Word>),
}

/// `option forwardfor` / `originalto`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ForwardFor {
    /// `except` networks (address, prefix length).
    pub except: Vec<(IpAddr, u8)>,
    /// `header NAME`.
    pub header: Option<String>,
    /// `if-none`.
    pub if_none: bool,
}

/// `errorfile` and relatives, in the order in which they override each other.
#[derive(Debug, Clone)]
pub struct ErrorDecl {
    /// Where.
    pub pos: Pos,
    /// What.
    pub kind: ErrorKind,
}

/// See [`ErrorDecl`].
#[derive(Debug, Clone)]
pub enum ErrorKind {
    /// `errorfile CODE FILE`; the content was read while parsing.
    File {
        /// Status code.
        code: u16,
        /// As written.
        path: String,
        /// Content.
        data: Arc<[u8]>,
    },
    /// `errorloc`, `errorloc302`, `errorloc303`.
    Loc {
        /// Status that is replaced.
        code: u16,
        /// 302 or 303.
        status: u16,
        /// Location.
        url: String,
    },
    /// `errorfiles NAME [codes]`.
    Files {
        /// The `http-errors` section.
        section: Word,
        /// Codes, empty for all.
        codes: Vec<u16>,
    },
    /// `http-error status CODE …`, words after `http-error`.
    HttpError(Arc<[Word]>),
}

/// An `http-errors` section.
#[derive(Debug, Clone, Default)]
pub struct HttpErrors {
    /// Its name.
    pub name: Arc<str>,
    /// The section line.
    pub pos: Pos,
    /// `errorfile` lines.
    pub files: Vec<ErrorDecl>,
}

/// A `userlist` section.
#[derive(Debug, Clone, Default)]
pub struct Userlist {
    /// Its name.
    pub name: Arc<str>,
    /// The section line.
    pub pos: Pos,
    /// `user` and `group` lines, as written with their keyword.
    pub lines: Vec<RuleLine>,
}

/// A `log` line (manual 4.2 and 3.1).
#[derive(Debug, Clone)]
pub struct LogTarget {
    /// Where.
    pub pos: Pos,
    /// `log global`.
    pub global: bool,
    /// `no log` clears everything before it; kept for order.
    pub clear: bool,
    /// Address, unless global.
    pub addr: Option<LogAddr>,
    /// `len` (bytes), 1024 by default.
    pub len: u32,
    /// `format`: local, rfc3164, rfc5424, priority, short, timed, iso, raw.
    pub format: Option<String>,
    /// `sample RANGES:SIZE`: ranges of positions from 1, then the cycle.
    pub sample: Option<(Vec<(u32, u32)>, u32)>,
    /// `profile`.
    pub profile: Option<String>,
    /// Facility number.
    pub facility: u8,
    /// Maximum level: 7 by default.
    pub level: u8,
    /// Minimum level: 0 by default.
    pub min_level: u8,
}

/// Where logs go.
#[derive(Debug, Clone, PartialEq)]
pub enum LogAddr {
    /// UDP.
    Udp(SocketAddr),
    /// A UNIX datagram socket path.
    Unix(PathBuf),
    /// `stdout`, `stderr`, `fd@N`.
    Fd(i32),
    /// `ring@NAME`.
    Ring(String),
    /// `backend@NAME`.
    Backend(String),
}

/// Which log line a proxy writes.
#[derive(Debug, Clone)]
pub enum LogFormatDecl {
    /// `option tcplog` (`clf` flag as in the manual).
    Tcp {
        /// `option tcplog clf`.
        clf: bool,
    },
    /// `option httplog`.
    Http {
        /// `option httplog clf`.
        clf: bool,
    },
    /// `option httpslog`.
    Https,
    /// `log-format`.
    Custom(Pos, Word),
}

/// An address of manual 2.9 (`11.` in some versions): anything that can follow `bind`, `server`, `log`, `source`.
#[derive(Debug, Clone, PartialEq)]
pub struct Addr {
    /// What it is.
    pub kind: AddrKind,
    /// Port offset for `server …:+port`: the client's port is added.
    pub port_offset: Option<i32>,
    /// No port was written (a server then uses the port of the client's connection).
    pub port_missing: bool,
    /// End of a port range, equal to the port when there is no range.
    pub port_high: u16,
    /// Stream or datagram as the prefix says, `stream` unless `udp@`, `dgram+…`, `quic…`.
    pub dgram: bool,
    /// As written.
    pub text: Arc<str>,
}

/// See [`Addr`].
#[derive(Debug, Clone, PartialEq)]
pub enum AddrKind {
    /// IPv4 or IPv6; `*` is 0.0.0.0, `:::` is ::.
    Ip(SocketAddr),
    /// A host name that was not resolved while parsing (`server` only), and its port.
    Name(String, u16),
    /// `unix@PATH` or `/path`.
    Unix(PathBuf),
    /// `abns@NAME`; true for `abnsz@`.
    Abns(Vec<u8>, bool),
    /// `fd@N`.
    Fd(i32),
    /// `sockpair@N`.
    Sockpair(i32),
    /// `rhttp@BACKEND/SERVER`, `rev@…`, or bare `rhttp@` on a server.
    Rhttp(Option<(String, String)>),
    /// `quic4@`, `quic6@`.
    Quic(SocketAddr),
    /// `ring@`, `backend@` (logs only).
    Other(String),
}

/// One `bind` line; an address list or a port range makes several receivers of it.
#[derive(Debug, Clone)]
pub struct Bind {
    /// Where.
    pub pos: Pos,
    /// Addresses, after prefix and list splitting; port ranges not expanded.
    pub addrs: Vec<Addr>,
    /// Options.
    pub opts: BindOpts,
}

/// Options of `bind` that act on sockets (manual 5.1).
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "each field is the bind option of that name in the manual")]
pub struct BindOpts {
    pub name: Option<String>,
    pub id: Option<u32>,
    pub guid_prefix: Option<String>,
    pub label: Option<String>,
    pub accept_proxy: bool,
    pub backlog: Option<u32>,
    pub defer_accept: bool,
    pub interface: Option<String>,
    pub maxconn: Option<u32>,
    pub mss: Option<i32>,
    pub mode: Option<u32>,
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    pub namespace: Option<String>,
    pub nice: Option<i32>,
    pub proto: Option<String>,
    pub shards: Option<String>,
    pub thread: Option<String>,
    pub tcp_ut: Option<u32>,
    pub tfo: bool,
    pub transparent: bool,
    pub v4v6: bool,
    pub v6only: bool,
    pub expose_fd: bool,
    pub nbconn: Option<u32>,
    pub cc: Option<String>,
    pub idle_ping: Option<u32>,
}

/// One server.
#[derive(Debug, Clone)]
pub struct Server {
    /// Where.
    pub pos: Pos,
    /// Its name.
    pub name: Arc<str>,
    /// Its address.
    pub addr: Addr,
    /// Options, with those of `default-server` merged in.
    pub opts: ServerOpts,
}

/// Options of `server` (manual 5.2).
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "each field is the server option of that name in the manual")]
pub struct ServerOpts {
    pub id: Option<u32>,
    pub guid: Option<String>,
    pub weight: Option<u32>,
    pub backup: bool,
    pub disabled: bool,
    pub cookie: Option<String>,
    pub maxconn: Option<u32>,
    pub minconn: Option<u32>,
    pub maxqueue: Option<u32>,
    pub strict_maxconn: bool,
    pub check: bool,
    pub inter: Option<u32>,
    pub fastinter: Option<u32>,
    pub downinter: Option<u32>,
    pub fall: Option<u32>,
    pub rise: Option<u32>,
    pub check_addr: Option<IpAddr>,
    pub check_port: Option<u16>,
    pub init_state: Option<String>,
    pub init_addr: Option<String>,
    pub slowstart: Option<u32>,
    pub observe: Option<String>,
    pub error_limit: Option<u32>,
    pub on_error: Option<String>,
    pub on_marked_down: Option<String>,
    pub on_marked_up: Option<String>,
    pub track: Option<(Pos, String)>,
    pub source: Option<Vec<Word>>,
    pub interface: Option<String>,
    pub namespace: Option<String>,
    pub redir: Option<String>,
    pub proto: Option<String>,
    pub pool_max_conn: Option<i32>,
    pub pool_low_conn: Option<u32>,
    pub pool_purge_delay: Option<u32>,
    pub max_reuse: Option<i32>,
    pub tcp_ut: Option<u32>,
    pub tfo: bool,
    pub cc: Option<String>,
    pub send_proxy: bool,
    pub send_proxy_v2: bool,
    pub non_stick: bool,
    pub shard: Option<u32>,
    pub resolvers: Option<String>,
    pub hash_key: Option<String>,
}
