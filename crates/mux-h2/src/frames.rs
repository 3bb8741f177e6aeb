//! Frame boundaries in a stream of bytes (RFC 9113 section 4.1), without keeping the bytes.

/// Types of frames.
pub(crate) mod kind {
    pub(crate) const HEADERS: u8 = 1;
    pub(crate) const SETTINGS: u8 = 4;
    pub(crate) const PUSH_PROMISE: u8 = 5;
    pub(crate) const GOAWAY: u8 = 7;
    pub(crate) const CONTINUATION: u8 = 9;
}

/// `ACK` of SETTINGS and PING.
pub(crate) const ACK: u8 = 1;
/// `END_HEADERS` of HEADERS, PUSH_PROMISE and CONTINUATION.
pub(crate) const END_HEADERS: u8 = 4;

/// What a client sends before its first frame.
pub(crate) const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Length of a frame's header.
pub(crate) const HEADER: usize = 9;

/// The header of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Frame {
    pub(crate) len: u32,
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
}

impl Frame {
    fn parse(h: &[u8; HEADER]) -> Self {
        Self {
            len: u32::from_be_bytes([0, h[0], h[1], h[2]]),
            kind: h[3],
            flags: h[4],
            stream: u32::from_be_bytes([h[5], h[6], h[7], h[8]]) & 0x7fff_ffff,
        }
    }

    /// Whether a flag is set.
    pub(crate) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// A GOAWAY frame.
pub(crate) fn goaway(last: u32, reason: u32) -> [u8; HEADER + 8] {
    let mut f = [0; HEADER + 8];
    f[2] = 8;
    f[3] = kind::GOAWAY;
    f[HEADER..HEADER + 4].copy_from_slice(&last.to_be_bytes());
    f[HEADER + 4..].copy_from_slice(&reason.to_be_bytes());
    f
}

/// Follows the frames of one direction of a connection.
#[derive(Debug)]
pub(crate) struct Scanner {
    header: [u8; HEADER],
    have: usize,
    /// Bytes to skip before the next header.
    skip: usize,
    /// A header block is open: only its continuation may follow.
    block: bool,
}

impl Scanner {
    /// A direction that starts with the client's preface, or not.
    pub(crate) fn new(preface: bool) -> Self {
        Self { header: [0; HEADER], have: 0, skip: if preface { PREFACE.len() } else { 0 }, block: false }
    }

    /// Looks at the next bytes, and calls for every frame whose header is complete.
    pub(crate) fn scan(&mut self, mut bytes: &[u8], mut seen: impl FnMut(Frame)) {
        loop {
            let skipped = self.skip.min(bytes.len());
            self.skip -= skipped;
            bytes = bytes.get(skipped..).unwrap_or_default();
            if bytes.is_empty() {
                return;
            }
            let n = (HEADER - self.have).min(bytes.len());
            let (part, rest) = bytes.split_at(n);
            if let Some(to) = self.header.get_mut(self.have..self.have + n) {
                to.copy_from_slice(part);
            }
            self.have += n;
            bytes = rest;
            if self.have < HEADER {
                return;
            }
            self.have = 0;
            let frame = Frame::parse(&self.header);
            self.skip = frame.len as usize;
            self.block = match frame.kind {
                kind::HEADERS | kind::PUSH_PROMISE | kind::CONTINUATION => !frame.has(END_HEADERS),
                _ => self.block,
            };
            seen(frame);
        }
    }

    /// Whether another frame may be put here.
    pub(crate) fn at_boundary(&self) -> bool {
        self.have == 0 && self.skip == 0 && !self.block
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let mut f = (payload.len() as u32).to_be_bytes()[1..].to_vec();
        f.extend([kind, flags]);
        f.extend(stream.to_be_bytes());
        f.extend(payload);
        f
    }

    #[test]
    fn frames_are_found_however_the_bytes_are_cut() {
        let mut all = PREFACE.to_vec();
        all.extend(frame(4, 0, 0, &[0; 12]));
        all.extend(frame(kind::HEADERS, 0, 1, b"abc"));
        all.extend(frame(kind::CONTINUATION, END_HEADERS, 1, b""));
        all.extend(frame(0, 1, 0x8000_0001, &[b'x'; 300]));
        for step in 1..all.len() {
            let (mut s, mut found) = (Scanner::new(true), Vec::new());
            for part in all.chunks(step) {
                s.scan(part, |f| found.push((f.kind, f.len, f.stream)));
            }
            assert_eq!(found, [(4, 12, 0), (1, 3, 1), (9, 0, 1), (0, 300, 1)], "{step}");
            assert!(s.at_boundary());
        }
    }

    #[test]
    fn an_open_header_block_is_no_boundary() {
        let mut s = Scanner::new(false);
        s.scan(&frame(kind::HEADERS, 0, 1, b"abc"), |_| {});
        assert!(!s.at_boundary());
        s.scan(&frame(kind::CONTINUATION, END_HEADERS, 1, b"abc"), |_| {});
        assert!(s.at_boundary());
    }
}
