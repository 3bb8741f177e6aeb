//! Why a head or a chunk was refused.

/// What was wrong with the bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// A byte that is not allowed where it stands.
    BadByte,
    /// The method is not a token.
    BadMethod,
    /// The request target has a form that its method does not allow, or a fragment.
    BadTarget,
    /// Not `HTTP/1.0` or `HTTP/1.1`.
    BadVersion,
    /// The status is not three digits.
    BadStatus,
    /// A field name is empty, not a token, or followed by white space.
    BadFieldName,
    /// A field value contains a forbidden byte.
    BadFieldValue,
    /// A line ends with a lone CR or LF.
    BadLineEnd,
    /// Content-Length is not one number, or differs from another one.
    BadContentLength,
    /// Transfer-Encoding is not exactly one `chunked` at the end.
    BadTransferEncoding,
    /// A message that must not have a body announces one.
    UnexpectedBody,
    /// Several Host fields, or one that differs from the authority of the target.
    BadHost,
    /// An upgrade to WebSocket without its key.
    BadUpgrade,
    /// A chunk size, chunk extension or chunk end is malformed.
    BadChunk,
    /// More than [`Limits::max_fields`](super::Limits) fields.
    TooManyFields,
    /// More than [`Limits::max_bytes`](super::Limits) bytes.
    TooLarge,
}

impl Reason {
    /// One line for logs and `show errors`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadByte => "invalid byte",
            Self::BadMethod => "invalid method",
            Self::BadTarget => "invalid request target",
            Self::BadVersion => "unsupported HTTP version",
            Self::BadStatus => "invalid status code",
            Self::BadFieldName => "invalid field name",
            Self::BadFieldValue => "invalid field value",
            Self::BadLineEnd => "invalid end of line",
            Self::BadContentLength => "invalid Content-Length",
            Self::BadTransferEncoding => "invalid Transfer-Encoding",
            Self::UnexpectedBody => "unexpected body",
            Self::BadHost => "invalid Host",
            Self::BadUpgrade => "invalid upgrade",
            Self::BadChunk => "invalid chunk",
            Self::TooManyFields => "too many fields",
            Self::TooLarge => "head too large",
        }
    }
}

/// A refused message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ParseError {
    /// Offset of the offending byte in the buffer given to the parser.
    pub offset: usize,
    /// What was wrong.
    pub reason: Reason,
    /// Status that a client deserves (a server's error is always answered by 502).
    pub status: u16,
    /// Would `option accept-unsafe-violations-in-http-request` (or `-response`) have let it pass, as far as the
    /// bytes received tell?
    pub relaxable: bool,
}

impl ParseError {
    /// An error that no option forgives, answered by 400.
    pub(crate) fn new(offset: usize, reason: Reason) -> Self {
        Self { offset, reason, status: 400, relaxable: false }
    }
}

impl std::fmt::Display for ParseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at offset {}", self.reason.as_str(), self.offset)
    }
}

impl std::error::Error for ParseError {}
