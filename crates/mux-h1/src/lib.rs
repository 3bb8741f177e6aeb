//! HTTP/1: bytes to messages and back.

pub mod codec;
