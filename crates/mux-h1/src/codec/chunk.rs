//! The chunked transfer coding (RFC 9112 section 7.1).
//!
//! Chunks are taken apart and made anew, so nothing that a peer puts between them reaches the other side. Line
//! ends are CR LF only here: two agents that disagree on a bare LF would see different bodies.

use super::fields::{Rules, parse_fields, unfold};
use super::head::Progress;
use super::{Limits, ParseError, Reason};
use hawser_http::{Head, KnownName, Start};
use std::ops::Range;

/// What a call of [`ChunkDecoder::decode`] found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// Body bytes at this range of the input; everything up to its end is consumed. Call again with the rest.
    Data(Range<usize>),
    /// The input is used up to `consumed` and more is needed. What is beyond must be presented again, grown.
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
    state: State,
    /// Size of the chunk while its line is read, then its bytes still to come.
    left: u64,
    /// Bytes of the size line so far.
    line: u32,
    trailers: Progress,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum State {
    /// In the digits of a size.
    #[default]
    Size,
    /// In the white space after them, which old servers pad with.
    Padding,
    /// In an extension, which is ignored.
    Extension,
    /// After a backslash in one.
    Escaped,
    /// In a quoted string of one: what would end the line for those who do not know that is refused.
    Quoted,
    QuotedEscaped,
    /// After the CR of a size line.
    SizeLf,
    Data,
    /// After the data.
    DataCr,
    DataLf,
    Trailers,
    Done,
}

/// Longest size line (bytes), extensions included.
const MAX_LINE: u32 = 1024;

/// Largest chunk: fifteen hexadecimal digits.
const MAX_CHUNK: u64 = (1 << 60) - 1;

impl ChunkDecoder {
    /// Decodes the start of `input`. Trailer fields go to `trailers`.
    pub fn decode(&mut self, input: &[u8], trailers: &mut Head, lim: &Limits) -> Result<Step, ParseError> {
        let mut at = 0;
        loop {
            match self.state {
                State::Data if at < input.len() => return Ok(Step::Data(self.data(at, input.len()))),
                State::Trailers => return self.trailers(input, at, trailers, lim),
                State::Done => return Ok(Step::End { consumed: at }),
                _ => {}
            }
            let Some(&b) = input.get(at) else { return Ok(Step::More { consumed: at }) };
            if !self.byte(b) {
                return Err(ParseError::new(at, Reason::BadChunk));
            }
            at += 1;
        }
    }

    /// Bytes of the current chunk still to come: lets a caller splice or read them directly.
    pub fn left(&self) -> u64 {
        if self.state == State::Data { self.left } else { 0 }
    }

    /// Tells that `n` bytes of the current chunk were moved without [`ChunkDecoder::decode`] seeing them.
    pub fn skip(&mut self, n: u64) {
        if self.state == State::Data {
            self.left = self.left.saturating_sub(n);
            if self.left == 0 {
                self.state = State::DataCr;
            }
        }
    }

    /// Takes what there is of the chunk's data.
    fn data(&mut self, at: usize, end: usize) -> Range<usize> {
        let n = usize::try_from(self.left).unwrap_or(usize::MAX).min(end - at);
        self.skip(n as u64);
        at..at + n
    }

    /// Goes on by a byte that is not data; false if it may not stand there.
    fn byte(&mut self, b: u8) -> bool {
        self.line += 1;
        self.state = match (self.state, b) {
            (State::Size, _) if b.is_ascii_hexdigit() => return self.digit(b),
            // At least one digit comes first.
            (State::Size, _) if self.line == 1 => return false,
            (State::Size | State::Padding, b' ' | b'\t') => State::Padding,
            (State::Size | State::Padding, b';') => State::Extension,
            (State::Size | State::Padding | State::Extension, b'\r') => State::SizeLf,
            (State::Extension, b'"') => State::Quoted,
            (State::Quoted, b'"') => State::Extension,
            (State::Extension, b'\\') => State::Escaped,
            (State::Quoted, b'\\') => State::QuotedEscaped,
            (State::Extension | State::Escaped, b'\t' | b' '..=b'~' | 0x80..) => State::Extension,
            (State::Quoted | State::QuotedEscaped, b'\t' | b' '..=b'~' | 0x80..) => State::Quoted,
            (State::SizeLf, b'\n') => {
                self.line = 0;
                if self.left == 0 { State::Trailers } else { State::Data }
            }
            (State::DataCr, b'\r') => State::DataLf,
            (State::DataLf, b'\n') => {
                self.line = 0;
                State::Size
            }
            _ => return false,
        };
        self.line <= MAX_LINE
    }

    fn digit(&mut self, b: u8) -> bool {
        let d = match b {
            b'0'..=b'9' => b - b'0',
            _ => (b | 0x20) - b'a' + 10,
        };
        self.left = self.left << 4 | u64::from(d);
        self.left <= MAX_CHUNK && self.line <= MAX_LINE
    }

    fn trailers(
        &mut self,
        input: &[u8],
        at: usize,
        head: &mut Head,
        lim: &Limits,
    ) -> Result<Step, ParseError> {
        let section = &input[at..];
        let p = &mut self.trailers;
        if p.line == 0 {
            head.clear();
        }
        let shift = |e: ParseError| ParseError { offset: e.offset + at, ..e };
        let consumed = parse_fields(section, p, head, lim, Rules::default()).map_err(shift)?;
        if consumed.unwrap_or(section.len()) > lim.max_bytes {
            let e = ParseError::new(at + lim.max_bytes, Reason::TooLarge);
            return Err(ParseError { status: 431, ..e });
        }
        let Some(consumed) = consumed else { return Ok(Step::More { consumed: at }) };
        head.buf.extend_from_slice(&section[..consumed]);
        head.start = Start::Trailers;
        unfold(head, p.flags);
        drop_forbidden(head, p.seen);
        self.state = State::Done;
        Ok(Step::End { consumed: at + consumed })
    }
}

/// Fields that would change framing, routing, rights or the meaning of the body if anybody merged the trailers
/// into the head (RFC 9110 section 6.5.1).
const FORBIDDEN: &[KnownName] = &[
    KnownName::TransferEncoding,
    KnownName::ContentLength,
    KnownName::Host,
    KnownName::Connection,
    KnownName::KeepAlive,
    KnownName::ProxyConnection,
    KnownName::Te,
    KnownName::Trailer,
    KnownName::Upgrade,
    KnownName::Http2Settings,
    KnownName::Expect,
    KnownName::Authorization,
    KnownName::ProxyAuthorization,
    KnownName::Cookie,
    KnownName::SetCookie,
    KnownName::ContentType,
    KnownName::ContentEncoding,
    KnownName::ContentRange,
];

fn drop_forbidden(head: &mut Head, seen: u64) {
    for &name in FORBIDDEN.iter().filter(|n| seen & n.bit() != 0) {
        head.remove_known(name);
    }
    head.fields.retain(|f| f.name.len != 0);
}

/// Appends the size line of a chunk of `len` bytes, which must not be 0. After its data goes `\r\n`.
pub fn encode_chunk_header(len: u64, out: &mut Vec<u8>) {
    let digits = (16 - len.leading_zeros() / 4).max(1);
    for i in (0..digits).rev() {
        out.push(b"0123456789ABCDEF"[(len >> (i * 4)) as usize & 15]);
    }
    out.extend_from_slice(b"\r\n");
}

/// Appends the last chunk without trailers: the end of the body.
pub fn encode_last_chunk(out: &mut Vec<u8>) {
    out.extend_from_slice(b"0\r\n\r\n");
}

/// Appends the last chunk with these trailers: the end of the body.
pub fn encode_trailers(trailers: &Head, out: &mut Vec<u8>) {
    out.extend_from_slice(b"0\r\n");
    for f in trailers.fields.iter().filter(|f| f.name.len != 0 && !FORBIDDEN.contains(&f.known)) {
        super::write::field(trailers.get(f.name), trailers.get(f.value), out);
    }
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests;
