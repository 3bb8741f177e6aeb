//! The key and its answer in a WebSocket handshake of HTTP/1 (RFC 6455 section 4), which HTTP/2 has no use for.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};
use std::hash::{BuildHasher, RandomState};

/// What is appended to a key.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// A fresh `Sec-WebSocket-Key`.
pub fn key() -> String {
    let half = || RandomState::new().hash_one(0u8).to_ne_bytes();
    STANDARD.encode([half(), half()].concat())
}

/// The `Sec-WebSocket-Accept` that answers a key.
pub fn accept(key: &[u8]) -> String {
    STANDARD.encode(Sha1::new().chain_update(key).chain_update(GUID).finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_that_of_the_rfc() {
        assert_eq!(accept(b"dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn keys_are_sixteen_bytes_and_differ() {
        let (a, b) = (key(), key());
        assert_ne!(a, b);
        assert_eq!(STANDARD.decode(a).map(|k| k.len()), Ok(16));
    }
}
