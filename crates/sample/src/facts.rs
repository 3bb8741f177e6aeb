//! Plain facts about sessions and streams: written by `session`, read by fetches and log-formats.

use crate::vars::{Store, StreamVars};
use bytes::Bytes;
use hawser_proto::Address;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

/// What is fixed for a client connection.
#[derive(Debug)]
pub struct Sess {
    /// Source address, after PROXY protocol and `set-src`.
    pub src: Address,
    /// Destination address, after PROXY protocol and `set-dst`.
    pub dst: Address,
    /// Source address of the connection itself.
    pub fc_src: Address,
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
    /// Index of this request on its connection, from 0.
    pub request_index: u64,
    /// `sess.*` variables.
    pub vars: Store,
    /// TOS, mark and log level set by `tcp-request connection` rules.
    pub log_level: Option<LogLevel>,
    /// TLVs and unique id that came with a PROXY v2 header: (type, value).
    pub pp_tlvs: Vec<(u8, Bytes)>,
}

/// What rules and logs may know about a proxy.
#[derive(Debug)]
pub struct ProxyFacts {
    /// Name.
    pub name: Arc<str>,
    /// Id (`fe_id`, `be_id`).
    pub id: u32,
    /// Index into the snapshot's proxies.
    pub index: usize,
    /// `mode http`.
    pub http: bool,
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
    /// Backend, once chosen.
    pub backend: Option<Arc<ProxyFacts>>,
    /// Server name, once chosen; special values `<NOSRV>` and `<STATS>` are the log's business.
    pub server: Option<Arc<str>>,
    /// Server id.
    pub server_id: u32,
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
    /// Which rule decided, for `term_reason`-like fetches and logs: file:line.
    pub final_rule: Option<(Arc<str>, u32)>,
    /// `txn`, `req` and `res` variables.
    pub vars: StreamVars,
    /// Cookie persistence flags for the log (`%tsc` third and fourth letters).
    pub cookie_flags: [u8; 2],
    /// Time the stream was created (differs from accept on keep-alive).
    pub created: Option<Instant>,
    /// Wall clock of the first byte of the request (`%tr`).
    pub request_date: Option<SystemTime>,
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
