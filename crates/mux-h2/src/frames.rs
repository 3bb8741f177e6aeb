//! Frame boundaries in a stream of bytes (RFC 9113 section 4.1), without keeping the bytes.

/// Types of frames.
pub(crate) mod kind {
    pub(crate) const DATA: u8 = 0;
    pub(crate) const HEADERS: u8 = 1;
    pub(crate) const PRIORITY: u8 = 2;
    pub(crate) const RST_STREAM: u8 = 3;
    pub(crate) const SETTINGS: u8 = 4;
    pub(crate) const PUSH_PROMISE: u8 = 5;
    pub(crate) const GOAWAY: u8 = 7;
    pub(crate) const WINDOW_UPDATE: u8 = 8;
    pub(crate) const CONTINUATION: u8 = 9;
}

/// `END_STREAM` of DATA and HEADERS.
pub(crate) const END_STREAM: u8 = 1;
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

/// A WINDOW_UPDATE frame.
pub(crate) fn window_update(stream: u32, by: u32) -> [u8; HEADER + 4] {
    let mut f = [0; HEADER + 4];
    f[2] = 4;
    f[3] = kind::WINDOW_UPDATE;
    f[5..HEADER].copy_from_slice(&stream.to_be_bytes());
    f[HEADER..].copy_from_slice(&by.to_be_bytes());
    f
}

/// Makes a SETTINGS frame advertise another `SETTINGS_INITIAL_WINDOW_SIZE`.
pub(crate) fn set_initial_window(settings: &mut [u8], window: u32) {
    let entries = settings.get_mut(HEADER..).unwrap_or_default().chunks_exact_mut(6);
    for entry in entries {
        if let [0, 4, value @ ..] = entry {
            value.copy_from_slice(&window.to_be_bytes());
        }
    }
}

/// Longest payload that is looked at (bytes).
const PAYLOAD: usize = 48;

/// Follows the frames of one direction of a connection.
#[derive(Debug)]
pub(crate) struct Scanner {
    /// Of the present header, or of the payload that is looked at.
    part: [u8; PAYLOAD],
    have: usize,
    /// The frame whose payload is being gathered.
    frame: Option<Frame>,
    /// Bytes to skip before the next header.
    skip: usize,
    /// A header block is open: only its continuation may follow.
    block: bool,
}

impl Scanner {
    /// A direction that starts with the client's preface, or not.
    pub(crate) fn new(preface: bool) -> Self {
        let skip = if preface { PREFACE.len() } else { 0 };
        Self { part: [0; PAYLOAD], have: 0, frame: None, skip, block: false }
    }

    /// Looks at the next bytes, and calls for every frame: with the start of its payload for those that control
    /// the connection, else as soon as its header is complete.
    pub(crate) fn scan(&mut self, mut bytes: &[u8], mut seen: impl FnMut(Frame, &[u8])) {
        loop {
            if self.frame.is_none() {
                let skipped = self.skip.min(bytes.len());
                self.skip -= skipped;
                bytes = bytes.get(skipped..).unwrap_or_default();
            }
            if bytes.is_empty() {
                return;
            }
            let due = self.frame.map_or(HEADER, |f| PAYLOAD.min(f.len as usize));
            let n = (due - self.have).min(bytes.len());
            let (part, rest) = bytes.split_at(n);
            if let Some(to) = self.part.get_mut(self.have..self.have + n) {
                to.copy_from_slice(part);
            }
            self.have += n;
            bytes = rest;
            if self.have < due {
                return;
            }
            self.have = 0;
            match self.frame.take() {
                Some(frame) => {
                    self.skip = (frame.len as usize).saturating_sub(due);
                    seen(frame, self.part.get(..due).unwrap_or_default());
                }
                None => self.header(&mut seen),
            }
        }
    }

    /// A header is complete.
    fn header(&mut self, seen: &mut impl FnMut(Frame, &[u8])) {
        let Some(header) = self.part.first_chunk::<HEADER>() else { return };
        let frame = Frame::parse(header);
        self.block = match frame.kind {
            kind::HEADERS | kind::PUSH_PROMISE | kind::CONTINUATION => !frame.has(END_HEADERS),
            _ => self.block,
        };
        let looked_at = matches!(frame.kind, kind::PRIORITY | kind::RST_STREAM | kind::SETTINGS);
        if looked_at && frame.len > 0 {
            self.frame = Some(frame);
        } else {
            self.skip = frame.len as usize;
            seen(frame, &[]);
        }
    }

    /// Whether another frame may be put here.
    pub(crate) fn at_boundary(&self) -> bool {
        self.have == 0 && self.skip == 0 && self.frame.is_none() && !self.block
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
        all.extend(frame(kind::RST_STREAM, 0, 1, &[0; 4]));
        all.extend(frame(kind::SETTINGS, 0, 0, &[0; 60]));
        all.extend(frame(0, 1, 0x8000_0001, &[b'x'; 300]));
        for step in 1..all.len() {
            let (mut s, mut found) = (Scanner::new(true), Vec::new());
            for part in all.chunks(step) {
                s.scan(part, |f, p| found.push((f.kind, f.len, f.stream, p.len())));
            }
            assert_eq!(
                found,
                [(4, 12, 0, 12), (1, 3, 1, 0), (9, 0, 1, 0), (3, 4, 1, 4), (4, 60, 0, 48), (0, 300, 1, 0)],
                "{step}"
            );
            assert!(s.at_boundary());
        }
    }

    #[test]
    fn an_open_header_block_is_no_boundary() {
        let mut s = Scanner::new(false);
        s.scan(&frame(kind::HEADERS, 0, 1, b"abc"), |_, _| {});
        assert!(!s.at_boundary());
        s.scan(&frame(kind::CONTINUATION, END_HEADERS, 1, b"abc"), |_, _| {});
        assert!(s.at_boundary());
    }
}
