//! Where an expression may stand, and where its data come from.
//!
//! A fetch declares its sources; the table here derives the places where it is usable. `-dKsmp` prints that
//! table as a matrix of 22 columns, one per [`Checkpoint`].

/// A place in the configuration where an expression is evaluated; the order is that of `-dKsmp`'s columns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
#[expect(missing_docs, reason = "described by Checkpoint::name")]
pub enum Checkpoint {
    FeTcpReqConn,
    FeTcpReqSess,
    FeTcpReqCont,
    FeHttpReqHdr,
    FeHttpReqBody,
    FeUseBackend,
    BeTcpReqCont,
    BeHttpReqHdr,
    BeHttpReqBody,
    BeServerChoice,
    ServerSource,
    BeTcpResCont,
    BeHttpResHdr,
    BeHttpResBody,
    BeStickStore,
    FeTcpResCont,
    FeHttpResHdr,
    FeHttpResBody,
    Logs,
    TcpCheck,
    Config,
    Cli,
}

/// Number of checkpoints.
pub const CHECKPOINTS: usize = 22;

impl Checkpoint {
    /// HAProxy's words for it in messages and in the header of `-dKsmp`.
    pub fn name(self) -> &'static str {
        CHECKPOINT_NAMES[self as usize]
    }

    /// Its bit in a [`Validity`].
    pub const fn bit(self) -> u32 {
        1 << self as u8
    }
}

/// Names by [`Checkpoint`].
pub const CHECKPOINT_NAMES: [&str; CHECKPOINTS] = [
    "frontend tcp-request connection rule",
    "frontend tcp-request session rule",
    "frontend tcp-request content rule",
    "frontend http-request header rule",
    "frontend http-request body rule",
    "frontend use-backend rule",
    "backend tcp-request content rule",
    "backend http-request header rule",
    "backend http-request body rule",
    "backend use-server, balance or stick-match rule",
    "server source selection",
    "backend tcp-response content rule",
    "backend http-response header rule",
    "backend http-response body rule",
    "backend stick-store rule",
    "frontend tcp-response content rule",
    "frontend http-response header rule",
    "frontend http-response body rule",
    "logs",
    "backend tcp-check rule",
    "configuration parser",
    "CLI parser",
];

/// A set of checkpoints: one bit each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Validity(pub u32);

impl Validity {
    /// Usable at that place.
    pub const fn at(self, c: Checkpoint) -> bool {
        self.0 & c.bit() != 0
    }
}

/// Sources of data: one bit each. A fetch with several works wherever one of them does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Source(pub u32);

impl Source {
    /// None.
    pub const NOTHING: Self = Self(0);
    /// No data at all: constants and configuration.
    pub const CONST: Self = Self(1 << 0);
    /// Internal state of the process.
    pub const INTERNAL: Self = Self(1 << 1);
    /// The frontend and its listener.
    pub const FRONTEND: Self = Self(1 << 2);
    /// Facts about the client connection itself.
    pub const L4_CLIENT: Self = Self(1 << 3);
    /// The client's session above the connection (handshakes, TLS).
    pub const L5_CLIENT: Self = Self(1 << 4);
    /// Bytes in the request buffer.
    pub const REQ_BUF: Self = Self(1 << 5);
    /// Values of the request head, lost once it has been forwarded.
    pub const REQ_HDR: Self = Self(1 << 6);
    /// Facts of the request that outlive its head.
    pub const REQ_KEPT: Self = Self(1 << 7);
    /// The backend.
    pub const BACKEND: Self = Self(1 << 8);
    /// The server.
    pub const SERVER: Self = Self(1 << 9);
    /// Facts about the connection to the server itself.
    pub const L4_SERVER: Self = Self(1 << 10);
    /// The session above the connection to the server.
    pub const L5_SERVER: Self = Self(1 << 11);
    /// Bytes in the response buffer.
    pub const RES_BUF: Self = Self(1 << 12);
    /// Values of the response head.
    pub const RES_HDR: Self = Self(1 << 13);
    /// Facts of the response that outlive its head.
    pub const RES_KEPT: Self = Self(1 << 14);
    /// Totals of the request bytes.
    pub const REQ_STATS: Self = Self(1 << 15);
    /// Totals of the response bytes.
    pub const RES_STATS: Self = Self(1 << 16);
    /// Totals of the transaction.
    pub const TXN_STATS: Self = Self(1 << 17);
    /// Totals of the session.
    pub const SESS_STATS: Self = Self(1 << 18);

    /// Both.
    pub const fn or(self, o: Self) -> Self {
        Self(self.0 | o.0)
    }

    /// Whether any source is shared.
    pub const fn meets(self, o: Self) -> bool {
        self.0 & o.0 != 0
    }

    /// Where data from these sources are available.
    pub const fn validity(self) -> Validity {
        let mut v = 0;
        let mut i = 0;
        while i < SOURCES.len() {
            if self.0 & (1 << i) != 0 {
                v |= SOURCES[i].1;
            }
            i += 1;
        }
        Validity(v)
    }

    /// HAProxy's words for what is needed, as messages list them.
    pub fn describe(self) -> String {
        let named = SOURCES.iter().enumerate().filter(|(i, _)| self.0 & (1 << i) != 0);
        named.map(|(_, s)| s.0).collect::<Vec<_>>().join(",")
    }
}

/// Checkpoints `from` to `to`, both included.
const fn range(from: Checkpoint, to: Checkpoint) -> u32 {
    (u32::MAX >> (31 - to as u8)) & (u32::MAX << from as u8)
}

/// By bit of [`Source`]: words for messages, and where the data are available.
const SOURCES: [(&str, u32); 19] = {
    use Checkpoint as C;
    const RES: u32 = range(C::BeTcpResCont, C::FeHttpResBody) | C::TcpCheck.bit();
    [
        ("constant", range(C::FeTcpReqConn, C::Cli)),
        ("internal state", range(C::FeTcpReqConn, C::TcpCheck) | C::Cli.bit()),
        ("frontend", range(C::FeTcpReqConn, C::Logs)),
        ("client address", range(C::FeTcpReqConn, C::TcpCheck)),
        ("client-side connection", range(C::FeTcpReqSess, C::Logs)),
        ("request buffer", range(C::FeTcpReqCont, C::ServerSource)),
        ("HTTP request headers", range(C::FeTcpReqCont, C::ServerSource)),
        ("HTTP request", range(C::FeTcpReqCont, C::Logs)),
        ("backend", range(C::BeTcpReqCont, C::TcpCheck)),
        ("server", range(C::ServerSource, C::TcpCheck)),
        ("server address", range(C::BeTcpResCont, C::TcpCheck)),
        ("server-side connection", range(C::BeTcpResCont, C::TcpCheck)),
        ("response buffer", RES),
        ("HTTP response headers", RES),
        ("HTTP response", range(C::BeTcpResCont, C::TcpCheck)),
        ("request buffer statistics", range(C::FeTcpReqCont, C::Logs)),
        ("response buffer statistics", range(C::BeServerChoice, C::Logs)),
        ("transaction statistics", range(C::FeTcpReqCont, C::Logs)),
        ("session statistics", range(C::FeTcpReqConn, C::Logs)),
    ]
};
