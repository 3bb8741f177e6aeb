//! The chunked transfer coding (RFC 9112 section 7.1).

use super::{Limits, ParseError};
use hawser_http::Head;
use std::ops::Range;

/// What a call of [`ChunkDecoder::decode`] found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// Body bytes at this range of the input; everything up to its end is consumed. Call again with the rest.
    Data(Range<usize>),
    /// The input is used up to `consumed` and more is needed. What is beyond must be presented again.
    More {
        /// Bytes to drop from the input.
        consumed: usize,
    },
    /// The body is over. The trailers, if any, are in the head given; the next message starts at `consumed`.
    End {
        /// Bytes to drop from the input.
        consumed: usize,
    },
}

/// Reads a chunked body piece by piece.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ChunkDecoder {
    /// Bytes of the current chunk still to come.
    left: u64,
}

impl ChunkDecoder {
    /// Decodes the start of `input`. Trailer fields go to `trailers`, which should be empty at first.
    pub fn decode(&mut self, input: &[u8], trailers: &mut Head, lim: &Limits) -> Result<Step, ParseError> {
        let _ = (input, trailers, lim);
        Ok(Step::More { consumed: 0 })
    }

    /// Bytes of the current chunk still to come: lets a caller splice or read them directly.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// Tells that `n` bytes of the current chunk were moved without [`ChunkDecoder::decode`] seeing them.
    pub fn skip(&mut self, n: u64) {
        self.left = self.left.saturating_sub(n);
    }
}

/// Appends the size line of a chunk of `len` bytes, which must not be 0. After its data goes `\r\n`.
pub fn encode_chunk_header(len: u64, out: &mut Vec<u8>) {
    let _ = (len, out);
}

/// Appends the last chunk without trailers: the end of the body.
pub fn encode_last_chunk(out: &mut Vec<u8>) {
    out.extend_from_slice(b"0\r\n\r\n");
}

/// Appends the last chunk with these trailers: the end of the body.
pub fn encode_trailers(trailers: &Head, out: &mut Vec<u8>) {
    let _ = (trailers, out);
}
