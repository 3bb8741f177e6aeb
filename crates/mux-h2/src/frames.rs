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
    /// None of them: whoever receives it has to ignore it (RFC 9113 section 5.5).
    pub(crate) const UNKNOWN: u8 = 0xfa;
}

/// `END_STREAM` of DATA and HEADERS.
pub(crate) const END_STREAM: u8 = 1;
/// `ACK` of SETTINGS and PING.
pub(crate) const ACK: u8 = 1;
/// `PADDED` of DATA, HEADERS and PUSH_PROMISE.
pub(crate) const PADDED: u8 = 8;
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

    /// DATA that carries nothing: neither bytes nor an end, at most padding. `payload` is its start.
    pub(crate) fn is_hollow(&self, payload: &[u8]) -> bool {
        if self.kind != kind::DATA || self.has(END_STREAM) {
            return false;
        }
        match payload.first() {
            Some(pad) if self.has(PADDED) => self.len == u32::from(*pad) + 1,
            _ => self.len == 0,
        }
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

/// Where a frame is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    /// Bytes of the present piece behind what is known of the frame.
    pub(crate) behind: usize,
    /// It stands inside an open header block.
    pub(crate) inside: bool,
}

impl Scanner {
    /// A direction that starts with the client's preface, or not.
    pub(crate) fn new(preface: bool) -> Self {
        let skip = if preface { PREFACE.len() } else { 0 };
        Self { part: [0; PAYLOAD], have: 0, frame: None, skip, block: false }
    }

    /// Looks at the next bytes, and calls for every frame: with the start of its payload for those that control
    /// the connection and for DATA with padding, else as soon as its header is complete.
    pub(crate) fn scan(&mut self, mut bytes: &[u8], mut seen: impl FnMut(Frame, &[u8], Place)) {
        loop {
            if self.frame.is_none() {
                let skipped = self.skip.min(bytes.len());
                self.skip -= skipped;
                bytes = bytes.get(skipped..).unwrap_or_default();
            }
            if bytes.is_empty() {
                return;
            }
            let due = self.frame.map_or(HEADER, due);
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
                    let place = Place { behind: bytes.len(), inside: self.block };
                    seen(frame, self.part.get(..due).unwrap_or_default(), place);
                }
                None => self.header(bytes.len(), &mut seen),
            }
        }
    }

    /// A header is complete.
    fn header(&mut self, behind: usize, seen: &mut impl FnMut(Frame, &[u8], Place)) {
        let Some(header) = self.part.first_chunk::<HEADER>() else { return };
        let frame = Frame::parse(header);
        self.block = match frame.kind {
            kind::HEADERS | kind::PUSH_PROMISE | kind::CONTINUATION => !frame.has(END_HEADERS),
            _ => self.block,
        };
        let looked_at = match frame.kind {
            kind::DATA => frame.has(PADDED),
            kind::PRIORITY | kind::RST_STREAM | kind::SETTINGS | kind::GOAWAY => true,
            _ => false,
        };
        if looked_at && frame.len > 0 {
            self.frame = Some(frame);
        } else {
            self.skip = frame.len as usize;
            seen(frame, &[], Place { behind, inside: self.block });
        }
    }

    /// How many of the last bytes belong to a frame of which too little is known to say what it is.
    pub(crate) fn unsure(&self) -> usize {
        match self.frame {
            None => self.have,
            Some(f) if f.kind == kind::DATA => HEADER,
            Some(_) => 0,
        }
    }

    /// Whether another frame may be put here.
    pub(crate) fn at_boundary(&self) -> bool {
        self.have == 0 && self.skip == 0 && self.frame.is_none() && !self.block
    }
}

/// How much of a payload is looked at.
fn due(f: Frame) -> usize {
    let most = if f.kind == kind::DATA { 1 } else { PAYLOAD };
    most.min(f.len as usize)
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
                s.scan(part, |f, p, _| found.push((f.kind, f.len, f.stream, p.len())));
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
    fn hollow_frames_carry_nothing() {
        let hollow = |flags, payload: &[u8]| {
            let (mut s, mut found) = (Scanner::new(false), None);
            s.scan(&frame(kind::DATA, flags, 1, payload), |f, p, _| found = Some(f.is_hollow(p)));
            found
        };
        assert_eq!(hollow(0, b""), Some(true));
        assert_eq!(hollow(END_STREAM, b""), Some(false));
        assert_eq!(hollow(0, b"x"), Some(false));
        assert_eq!(hollow(PADDED, &[0]), Some(true));
        assert_eq!(hollow(PADDED, &[3, 0, 0, 0]), Some(true));
        assert_eq!(hollow(PADDED, &[2, b'x', 0, 0]), Some(false));
        assert_eq!(hollow(PADDED | END_STREAM, &[1, 0]), Some(false));
    }

    #[test]
    fn an_open_header_block_is_no_boundary() {
        let mut s = Scanner::new(false);
        s.scan(&frame(kind::HEADERS, 0, 1, b"abc"), |_, _, _| {});
        assert!(!s.at_boundary());
        s.scan(&frame(kind::CONTINUATION, END_HEADERS, 1, b"abc"), |_, _, _| {});
        assert!(s.at_boundary());
    }
}
