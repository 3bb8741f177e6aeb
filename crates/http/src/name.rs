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
                        && spells::<{ $text.len() }>(name, $text) => Self::$id,)*
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

/// Whether a name is that text of lower-case letters, whatever its own case. All bytes are looked at at once.
#[inline]
fn spells<const N: usize>(name: &[u8], text: &'static str) -> bool {
    let (Ok(name), Ok(text)) = (<&[u8; N]>::try_from(name), <&[u8; N]>::try_from(text.as_bytes())) else {
        return false;
    };
    let mut differ = 0;
    for i in 0..N {
        let case = if text[i].is_ascii_lowercase() { 0x20 } else { 0 };
        differ |= (name[i] ^ text[i]) & !case;
    }
    differ == 0
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_in_any_case_and_by_every_byte() {
        assert_eq!(KnownName::ALL.len(), KnownName::COUNT);
        for (number, known) in KnownName::ALL.into_iter().enumerate().skip(1) {
            assert_eq!(known as usize, number);
            let text = known.as_str();
            assert_eq!(KnownName::of(text.as_bytes()), known);
            assert_eq!(KnownName::of(text.to_ascii_uppercase().as_bytes()), known);
            for at in 0..text.len() {
                for b in 0..=255u8 {
                    let mut other = text.as_bytes().to_vec();
                    other[at] = b;
                    let same = other.eq_ignore_ascii_case(text.as_bytes());
                    assert_eq!(KnownName::of(&other) == known, same, "{text} {at} {b:#x}");
                }
            }
        }
    }
}
