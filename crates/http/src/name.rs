//! Field names that the proxy itself has to recognise.

macro_rules! known {
    ($($id:ident = $text:literal,)*) => {
        /// A field name with a meaning for the proxy, or one that most messages have; `Other` for all the rest.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        #[expect(missing_docs, reason = "each variant is the field name it spells")]
        pub enum KnownName { Other, $($id,)* }

        impl KnownName {
            /// Recognises a name, whatever its case.
            #[inline]
            pub fn of(name: &[u8]) -> Self {
                let Some(first) = name.first().map(u8::to_ascii_lowercase) else { return Self::Other };
                match (name.len(), first) {
                    $((n, f) if n == $text.len() && f == $text.as_bytes()[0]
                        && name.eq_ignore_ascii_case($text.as_bytes()) => Self::$id,)*
                    _ => Self::Other,
                }
            }

            /// All of them, in the order of their numbers.
            pub const ALL: [Self; Self::COUNT] = [Self::Other, $(Self::$id,)*];

            /// How many variants there are.
            pub const COUNT: usize = 1 $(+ { let _ = $text; 1 })*;

            /// A bit of its own, for sets of names; 0 for `Other`.
            pub const fn bit(self) -> u64 {
                const { assert!(Self::COUNT <= 65) };
                match self { Self::Other => 0, known => 1 << (known as u8 - 1) }
            }

            /// Its lower-case spelling, empty for `Other`.
            pub fn as_str(self) -> &'static str {
                match self { Self::Other => "", $(Self::$id => $text,)* }
            }
        }
    };
}

known! {
    Host = "host",
    Connection = "connection",
    ContentLength = "content-length",
    TransferEncoding = "transfer-encoding",
    Te = "te",
    Upgrade = "upgrade",
    Expect = "expect",
    KeepAlive = "keep-alive",
    ProxyConnection = "proxy-connection",
    Trailer = "trailer",
    Cookie = "cookie",
    SetCookie = "set-cookie",
    ContentType = "content-type",
    XForwardedFor = "x-forwarded-for",
    SecWebsocketKey = "sec-websocket-key",
    SecWebsocketAccept = "sec-websocket-accept",
    Http2Settings = "http2-settings",
    Authorization = "authorization",
    Location = "location",
    Date = "date",
    ProxyAuthorization = "proxy-authorization",
    ContentEncoding = "content-encoding",
    ContentRange = "content-range",
    Accept = "accept",
    AcceptEncoding = "accept-encoding",
    AcceptLanguage = "accept-language",
    AcceptRanges = "accept-ranges",
    Age = "age",
    CacheControl = "cache-control",
    Etag = "etag",
    Expires = "expires",
    IfModifiedSince = "if-modified-since",
    IfNoneMatch = "if-none-match",
    LastModified = "last-modified",
    Origin = "origin",
    Range = "range",
    Referer = "referer",
    Server = "server",
    UserAgent = "user-agent",
    Vary = "vary",
}
