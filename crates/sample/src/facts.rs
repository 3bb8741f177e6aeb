//! Plain facts about sessions and streams: written by `session`, read by fetches and log-formats.

use crate::vars::{Store, StreamVars};
use bytes::Bytes;
use hawser_cfg::model::Timeouts;
use hawser_http::Version;
use hawser_proto::Address;
use hawser_proto::pp::Tlvs;
use hawser_stick::Counters;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::{Instant, SystemTime};

/// What is fixed for a client connection.
#[derive(Debug)]
pub struct Sess {
    /// Source address, after PROXY protocol and `set-src`.
    pub src: Address,
    /// Destination address, after PROXY protocol and `set-dst`.
    pub dst: Address,
    /// Source address of the connection itself, which no rule changes.
    pub fc_src: Address,
    /// Destination address of the connection itself.
    pub fc_dst: Address,
    /// Frontend.
    pub frontend: Arc<ProxyFacts>,
    /// `bind … name`, if any.
    pub listener_name: Option<Arc<str>>,
    /// Listener id (`so_id`).
    pub listener_id: u32,
    /// When it was accepted.
    pub accepted: Instant,
    /// Wall clock of the accept.
    pub accept_date: SystemTime,
    /// HTTP version spoken with the client: 1 or 2; 0 in TCP mode.
    pub fc_http_major: u8,
    /// `sess.*` variables.
    pub vars: Store,
    /// Log level set by `tcp-request connection` rules.
    pub log_level: Option<LogLevel>,
    /// The connection began with a PROXY protocol header.
    pub rcvd_proxy: bool,
    /// Error of the client connection (`fc_err`), 0 for none; codes are those of the manual's table.
    pub fc_err: u8,
    /// Encrypted by TLS (`ssl_fc`, `%ft`).
    pub tls: bool,
    /// Protocol violations and oddities of the client (`fc_glitches`).
    pub fc_glitches: u32,
    /// Streams that are open on the client connection (`fc_nb_streams`).
    pub fc_streams: u32,
    /// Streams that the client connection may have open (`fc_settings_streams_limit`).
    pub fc_streams_limit: u32,
    /// What few connections have.
    pub rare: Option<Box<Rare>>,
    /// Entries of stick tables that the session tracks.
    pub tracked: Counters,
}

/// Facts about few client connections.
#[derive(Debug, Default)]
pub struct Rare {
    /// TLVs that came with a PROXY v2 header.
    pub pp_tlvs: Option<Tlvs>,
    /// The client's SYN packet (`bind … tcp-ss`).
    pub saved_syn: Option<Bytes>,
}

impl Sess {
    /// TLVs that came with a PROXY v2 header.
    pub fn pp_tlvs(&self) -> Option<&Tlvs> {
        self.rare.as_ref()?.pp_tlvs.as_ref()
    }

    /// The client's SYN packet.
    pub fn saved_syn(&self) -> Option<&Bytes> {
        self.rare.as_ref()?.saved_syn.as_ref()
    }

    /// What few connections have, to be filled.
    pub fn rare_mut(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// A session of a frontend, accepted now, about which nothing else is known.
    pub fn new(frontend: Arc<ProxyFacts>, accepted: Instant, accept_date: SystemTime) -> Self {
        Self {
            src: Address::Unknown,
            dst: Address::Unknown,
            fc_src: Address::Unknown,
            fc_dst: Address::Unknown,
            frontend,
            listener_name: None,
            listener_id: 0,
            accepted,
            accept_date,
            fc_http_major: 0,
            vars: Store::default(),
            log_level: None,
            rcvd_proxy: false,
            fc_err: 0,
            tls: false,
            fc_glitches: 0,
            fc_streams: 1,
            fc_streams_limit: 1,
            rare: None,
            tracked: Counters::default(),
        }
    }
}

/// What rules and logs may know about a proxy.
#[derive(Debug, Default)]
pub struct ProxyFacts {
    /// Name.
    pub name: Arc<str>,
    /// Id (`fe_id`, `be_id`).
    pub id: u32,
    /// Index into the snapshot's proxies.
    pub index: usize,
    /// `mode http`.
    pub http: bool,
    /// `timeout …` as configured.
    pub timeouts: Timeouts,
    /// `default_backend` (`fe_defbe`).
    pub default_backend: Option<Arc<str>>,
    /// Log lines of this frontend so far (`%lc`); whoever writes a line counts it.
    pub log_counter: AtomicU32,
}

/// `http-request set-log-level`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogLevel {
    /// Do not log.
    Silent,
    /// Syslog level 0 to 7.
    Level(u8),
}

/// Moments of a stream; `None` until they happen. Log timers derive from them (manual 8.4).
#[derive(Debug, Clone, Copy, Default)]
pub struct Moments {
    /// First byte of the request (end of idle time, `%Ti`).
    pub request_start: Option<Instant>,
    /// Handshakes done (`%Th` from accept).
    pub handshake_end: Option<Instant>,
    /// Request head complete (`%TR`).
    pub request_end: Option<Instant>,
    /// Left the queue (`%Tw`).
    pub queue_end: Option<Instant>,
    /// Connection to the server established (`%Tc`).
    pub connect_end: Option<Instant>,
    /// Response head complete (`%Tr`).
    pub response_start: Option<Instant>,
    /// Last byte (`%Td`, `%Ta`, `%Tt`).
    pub end: Option<Instant>,
}

/// First letter of the termination state (manual 8.5): who or what ended the stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(u8)]
#[expect(missing_docs, reason = "the letters of manual 8.5")]
pub enum TermCause {
    #[default]
    Normal = b'-',
    Client = b'C',
    Server = b'S',
    Proxy = b'P',
    Local = b'L',
    Resource = b'R',
    Internal = b'I',
    Down = b'D',
    Up = b'U',
    Killed = b'K',
    ClientTimeout = b'c',
    ServerTimeout = b's',
}

/// Second letter of the termination state: what the stream was waiting for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(u8)]
#[expect(missing_docs, reason = "the letters of manual 8.5")]
pub enum TermState {
    #[default]
    Done = b'-',
    Request = b'R',
    Queue = b'Q',
    Connect = b'C',
    Headers = b'H',
    Data = b'D',
    Last = b'L',
    Tarpit = b'T',
}

/// Facts about one stream (one HTTP request, or one TCP connection), for fetches and logs.
#[derive(Debug, Default)]
pub struct Strm {
    /// Index of this request on its connection, from 0.
    pub request_index: u64,
    /// Backend, once chosen.
    pub backend: Option<Arc<ProxyFacts>>,
    /// Server name, once chosen; special values `<NOSRV>` and `<STATS>` are the log's business.
    pub server: Option<Arc<str>>,
    /// Server id.
    pub server_id: u32,
    /// Source address as content rules set it (`set-src`), for this stream only.
    pub src: Option<Address>,
    /// Destination address as content rules set it (`set-dst`), for this stream only.
    pub dst: Option<Address>,
    /// Source address of the connection to the server.
    pub bc_src: Address,
    /// Server address.
    pub bc_dst: Address,
    /// Moments.
    pub t: Moments,
    /// Bytes from client to server (`%U`).
    pub bytes_in: u64,
    /// Bytes from server to client (`%B`).
    pub bytes_out: u64,
    /// Status sent to the client, 0 if none.
    pub status: u16,
    /// Status as the server sent it, 0 if none (`server_status`).
    pub server_status: u16,
    /// Version of the response (`capture.res.ver`).
    pub res_version: Option<Version>,
    /// Why it ended.
    pub cause: TermCause,
    /// Where it ended.
    pub state: TermState,
    /// Connection retries (`%rc`).
    pub retries: u32,
    /// Redispatched (`%rc` is then prefixed with +).
    pub redispatched: bool,
    /// Position in the server queue (`%sq`).
    pub srv_queue: u32,
    /// Position in the backend queue (`%bq`).
    pub be_queue: u32,
    /// Connections of process, frontend, backend, server when logged (`%ac %fc %bc %sc`).
    pub conns: [u32; 4],
    /// The unique id, once computed.
    pub unique_id: Option<Bytes>,
    /// Captured request headers, by slot.
    pub req_captures: Vec<Option<Bytes>>,
    /// Captured response headers, by slot.
    pub res_captures: Vec<Option<Bytes>>,
    /// Captured request cookie (`%CC`).
    pub req_cookie: Option<Bytes>,
    /// Captured response cookie (`%CS`).
    pub res_cookie: Option<Bytes>,
    /// First line of the request as received, for `%r`, `%HM`, `%HU`… even after rewrites.
    pub request_line: Option<RequestLine>,
    /// `set-log-level` of this stream.
    pub log_level: Option<LogLevel>,
    /// Which rule decided (`last_rule_file`, `last_rule_line`, `last_entity`): file and line.
    pub final_rule: Option<(Arc<str>, u32)>,
    /// Which rule was waiting when the stream was aborted (`waiting_entity`).
    pub waiting_rule: Option<(Arc<str>, u32)>,
    /// `txn`, `req` and `res` variables.
    pub vars: StreamVars,
    /// Cookie persistence flags for the log (`%tsc` third and fourth letters).
    pub cookie_flags: [u8; 2],
    /// Time the stream was created (differs from accept on keep-alive).
    pub created: Option<Instant>,
    /// Wall clock of the first byte of the request (`%tr`).
    pub request_date: Option<SystemTime>,
    /// Number of the stream in this process, which wraps (`txn.id32`, `%rt`).
    pub id: u32,
    /// `set-priority-class`.
    pub priority_class: i32,
    /// `set-priority-offset` (ms).
    pub priority_offset: i32,
    /// Timeouts that `set-timeout` rules changed; those of the proxies apply where this is `None`.
    pub set_timeouts: Timeouts,
    /// HTTP version spoken with the server: 1 or 2; 0 in TCP mode.
    pub bc_http_major: u8,
    /// The connection to the server had served other requests before (`bc_reused`).
    pub bc_reused: bool,
    /// Error of the connection to the server (`bc_err`), 0 for none.
    pub bc_err: u8,
    /// Protocol violations and oddities of the server (`bc_glitches`).
    pub bc_glitches: u32,
    /// The line is written before the end (`option logasap`): sizes and times so far, with a `+`.
    pub log_asap: bool,
    /// Entries of stick tables that the stream tracks.
    pub tracked: Counters,
    /// When the log line is written (`%OG`).
    pub log_origin: LogOrigin,
}

/// When a log line is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[expect(missing_docs, reason = "described by as_str, the words of manual 8.2.6")]
pub enum LogOrigin {
    #[default]
    Unspec,
    SessError,
    SessKilled,
    TxnAccept,
    TxnRequest,
    TxnConnect,
    TxnResponse,
    TxnClose,
}

impl LogOrigin {
    /// As `%OG` shows it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unspec => "unspec",
            Self::SessError => "sess_error",
            Self::SessKilled => "sess_killed",
            Self::TxnAccept => "txn_accept",
            Self::TxnRequest => "txn_request",
            Self::TxnConnect => "txn_connect",
            Self::TxnResponse => "txn_response",
            Self::TxnClose => "txn_close",
        }
    }
}

/// The request line as received; one buffer, three ranges.
#[derive(Debug, Clone, Default)]
pub struct RequestLine {
    /// `METHOD target HTTP/x.y`.
    pub line: Bytes,
    /// Length of the method.
    pub method_len: u32,
    /// Length of the target.
    pub target_len: u32,
}
