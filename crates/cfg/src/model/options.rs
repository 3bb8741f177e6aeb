//! What `option`, `timeout`, `http-reuse` and the keep-alive keywords set.

use crate::pos::{Pos, Word};
use std::net::IpAddr;

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
    /// Refused by `no option`, for those that are on by default.
    pub clear: u64,
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
    /// The protocol of a service: `option mysql-check` and relatives.
    Service(ServiceCheck),
}

/// What a health check speaks, and with which words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceCheck {
    /// `option ldap-check`.
    Ldap,
    /// `option mysql-check`.
    Mysql(Option<MysqlLogin>),
    /// `option pgsql-check`: the user.
    Pgsql(String),
    /// `option redis-check`.
    Redis,
    /// `option smtpchk`: the command that greets.
    Smtp(String),
    /// `option spop-check`.
    Spop,
    /// `option ssl-hello-chk`.
    Tls,
}

/// `option mysql-check user`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MysqlLogin {
    /// Who logs in, without a password.
    pub user: String,
    /// The form of the login.
    pub dialect: MysqlDialect,
}

/// How a client of MySQL logs in, by the server's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MysqlDialect {
    /// Before 4.1.
    Pre41,
    /// From 4.1 on.
    #[default]
    Post41,
    /// From 8.0 on.
    Post80,
}

/// What a parameter of `option forwarded` is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// What the connection or the request itself says.
    Own,
    /// A sample expression.
    Expr(Word),
}

/// `option forwarded`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forwarded {
    /// Where it was written.
    pub pos: Pos,
    /// `proto`.
    pub proto: bool,
    /// `host`, `host-expr`.
    pub host: Option<Part>,
    /// `by`, `by-expr`.
    pub by: Option<Part>,
    /// `by_port`, `by_port-expr`.
    pub by_port: Option<Part>,
    /// `for`, `for-expr`.
    pub of: Option<Part>,
    /// `for_port`, `for_port-expr`.
    pub for_port: Option<Part>,
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
