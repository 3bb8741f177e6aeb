//! Frame boundaries in a stream of bytes (RFC 9113 section 4.1), without keeping the bytes.

/// Types of frames.
pub(crate) mod kind {
    pub(crate) const DATA: u8 = 0;
    pub(crate) const HEADERS: u8 = 1;
    pub(crate) const PRIORITY: u8 = 2;
    pub(crate) const RST_STREAM: u8 = 3;
    pub(crate) const SETTINGS: u8 = 4;
    pub(crate) const PUSH_PROMISE: u8 = 5;
    pub(crate) const PING: u8 = 6;
    pub(crate) const GOAWAY: u8 = 7;
    pub(crate) const WINDOW_UPDATE: u8 = 8;
    pub(crate) const CONTINUATION: u8 = 9;
}

/// `END_STREAM` of DATA and HEADERS.
pub(crate) const END_STREAM: u8 = 1;
/// `ACK` of SETTINGS and PING.
pub(crate) const ACK: u8 = 1;
/// `PADDED` of DATA, HEADERS and PUSH_PROMISE.
pub(crate) const PADDED: u8 = 8;
/// `END_HEADERS` of HEADERS, PUSH_PROMISE and CONTINUATION.
pub(crate) const END_HEADERS: u8 = 4;
/// `PRIORITY` of HEADERS.
pub(crate) const PRIORITY: u8 = 0x20;

/// Error codes (RFC 9113 section 7).
pub(crate) mod code {
    pub(crate) const PROTOCOL_ERROR: u32 = 1;
    pub(crate) const FLOW_CONTROL_ERROR: u32 = 3;
    pub(crate) const STREAM_CLOSED: u32 = 5;
    pub(crate) const FRAME_SIZE_ERROR: u32 = 6;
    pub(crate) const REFUSED_STREAM: u32 = 7;
    pub(crate) const COMPRESSION_ERROR: u32 = 9;
    pub(crate) const ENHANCE_YOUR_CALM: u32 = 11;

    /// With these a stream is reset that is of no interest any more: `NO_ERROR`, `INTERNAL_ERROR`, `REFUSED_STREAM`, and
    /// `CANCEL`.
    pub(crate) const GIVEN_UP: [u32; 4] = [0, 2, REFUSED_STREAM, 8];
}

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
    pub(crate) fn parse(h: &[u8; HEADER]) -> Self {
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
        self.content(payload) == 0
    }

    /// Bytes of DATA that are no padding. `payload` is its start.
    pub(crate) fn content(&self, payload: &[u8]) -> u64 {
        let padding = match payload.first() {
            Some(pad) if self.has(PADDED) => u32::from(*pad) + 1,
            _ => 0,
        };
        self.len.saturating_sub(padding).into()
    }
}

/// The header of a frame.
pub(crate) fn header(len: usize, kind: u8, flags: u8, stream: u32) -> [u8; HEADER] {
    let [_, a, b, c] = (len as u32).to_be_bytes();
    let [d, e, f, g] = stream.to_be_bytes();
    [a, b, c, kind, flags, d, e, f, g]
}

/// Payload of one frame of a head: what any peer of HTTP/2 takes.
const FRAGMENT: usize = 16 * 1024;

/// Puts the frames of a head behind others. `block` puts its field block there.
pub(crate) fn headers(out: &mut Vec<u8>, stream: u32, end: bool, block: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend([0; HEADER]);
    block(out);
    let from = start + HEADER;
    let len = out.len() - from;
    let first = len.min(FRAGMENT);
    let flags = if end { END_STREAM } else { 0 } | if len > first { 0 } else { END_HEADERS };
    if let Some(to) = out.get_mut(start..from) {
        to.copy_from_slice(&header(first, kind::HEADERS, flags, stream));
    }
    let mut at = from + first;
    while at < out.len() {
        let n = (out.len() - at).min(FRAGMENT);
        let flags = if at + n == out.len() { END_HEADERS } else { 0 };
        out.splice(at..at, header(n, kind::CONTINUATION, flags, stream));
        at += HEADER + n;
    }
}

/// A RST_STREAM frame.
pub(crate) fn reset(stream: u32, reason: u32) -> [u8; HEADER + 4] {
    let mut f = [0; HEADER + 4];
    let (header_part, payload) = f.split_at_mut(HEADER);
    header_part.copy_from_slice(&header(4, kind::RST_STREAM, 0, stream));
    payload.copy_from_slice(&reason.to_be_bytes());
    f
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

/// Largest window (RFC 9113 section 6.9.1).
pub(crate) const MAX_WINDOW: u32 = (1 << 31) - 1;

/// May a frame have this length, and be on this stream?
///
/// # Errors
/// Why the connection ends.
pub(crate) fn check(f: Frame) -> Result<(), u32> {
    let (on_stream, sized) = match f.kind {
        kind::DATA | kind::HEADERS => (Some(true), !f.has(PADDED) || f.len > 0),
        kind::CONTINUATION => (Some(true), true),
        kind::PRIORITY => (Some(true), f.len == 5),
        kind::RST_STREAM => (Some(true), f.len == 4),
        kind::SETTINGS => (Some(false), if f.has(ACK) { f.len == 0 } else { f.len.is_multiple_of(6) }),
        kind::PING => (Some(false), f.len == 8),
        kind::GOAWAY => (Some(false), f.len >= 8),
        kind::WINDOW_UPDATE => (None, f.len == 4),
        // Nobody was asked to push.
        kind::PUSH_PROMISE => return Err(code::PROTOCOL_ERROR),
        _ => (None, true),
    };
    match on_stream {
        Some(due) if due != (f.stream != 0) => Err(code::PROTOCOL_ERROR),
        _ if !sized => Err(code::FRAME_SIZE_ERROR),
        _ => Ok(()),
    }
}

/// May a frame start like this?
///
/// # Errors
/// Why the connection ends.
pub(crate) fn check_payload(f: Frame, payload: &[u8]) -> Result<(), u32> {
    match f.kind {
        kind::DATA if payload.first().is_some_and(|pad| u32::from(*pad) >= f.len) => {
            Err(code::PROTOCOL_ERROR)
        }
        kind::SETTINGS => {
            let wide = |entry: &[u8]| matches!(entry, [0, 4, value @ ..] if value.first() >= Some(&0x80));
            if payload.chunks_exact(6).any(wide) { Err(code::FLOW_CONTROL_ERROR) } else { Ok(()) }
        }
        _ => Ok(()),
    }
}

/// Longest payload that is looked at (bytes).
pub(crate) const PAYLOAD: usize = 48;

/// What a scanner has found of the next bytes.
pub(crate) struct Step {
    /// How many of them it was.
    pub(crate) len: usize,
    pub(crate) what: What,
    /// This frame has come, as far as it is looked at.
    pub(crate) seen: Option<Frame>,
}

/// What they were.
pub(crate) enum What {
    /// Of a header, which may be whole now.
    Header(Option<Frame>),
    /// Of a payload, or of the preface.
    Payload,
}

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

    /// Looks at the next bytes, and calls for every frame: with as much of its payload as is looked at.
    #[cfg(test)]
    pub(crate) fn scan(&mut self, mut bytes: &[u8], mut seen: impl FnMut(Frame, &[u8])) {
        while !bytes.is_empty() {
            let step = self.step(bytes);
            bytes = bytes.get(step.len..).unwrap_or_default();
            if let Some(f) = step.seen {
                seen(f, self.seen(f));
            }
        }
    }

    /// Looks at the next bytes, at least one: as many of them as belong together.
    pub(crate) fn step(&mut self, bytes: &[u8]) -> Step {
        if self.frame.is_none() && self.skip > 0 {
            let len = self.skip.min(bytes.len());
            self.skip -= len;
            return Step { len, what: What::Payload, seen: None };
        }
        if self.frame.is_none()
            && self.have == 0
            && let Some(header) = bytes.first_chunk::<HEADER>()
        {
            let (what, seen) = self.header(Frame::parse(header));
            return Step { len: HEADER, what, seen };
        }
        let due = self.frame.map_or(HEADER, due);
        let len = (due - self.have).min(bytes.len());
        if let (Some(to), Some(from)) = (self.part.get_mut(self.have..self.have + len), bytes.get(..len)) {
            to.copy_from_slice(from);
        }
        self.have += len;
        let whole = self.have == due;
        if whole {
            self.have = 0;
        }
        let (what, seen) = match self.frame {
            Some(f) if whole => {
                self.frame = None;
                self.skip = (f.len as usize).saturating_sub(due);
                (What::Payload, Some(f))
            }
            Some(_) => (What::Payload, None),
            None if whole => match self.part.first_chunk::<HEADER>() {
                Some(header) => self.header(Frame::parse(header)),
                None => (What::Header(None), None),
            },
            None => (What::Header(None), None),
        };
        Step { len, what, seen }
    }

    /// A header is complete.
    fn header(&mut self, frame: Frame) -> (What, Option<Frame>) {
        self.block = match frame.kind {
            kind::HEADERS | kind::PUSH_PROMISE | kind::CONTINUATION => !frame.has(END_HEADERS),
            _ => self.block,
        };
        let looks = due(frame) > 0;
        if looks {
            self.frame = Some(frame);
        } else {
            self.skip = frame.len as usize;
        }
        (What::Header(Some(frame)), Some(frame).filter(|_| !looks))
    }

    /// What is looked at of the payload of a frame that was just seen.
    pub(crate) fn seen(&self, f: Frame) -> &[u8] {
        self.part.get(..due(f)).unwrap_or_default()
    }

    /// How many of the next bytes need not be looked at.
    pub(crate) fn ahead(&self) -> usize {
        if self.frame.is_none() { self.skip } else { 0 }
    }

    /// So many of them have passed.
    pub(crate) fn pass(&mut self, n: usize) {
        self.skip = self.skip.saturating_sub(n);
    }

    /// Whether another frame may be put here.
    pub(crate) fn at_boundary(&self) -> bool {
        self.have == 0 && self.skip == 0 && self.frame.is_none() && !self.block
    }
}

/// How much of a payload is looked at: of frames that control the connection their start, of DATA the padding's
/// length, of others nothing.
pub(crate) fn due(f: Frame) -> usize {
    let most = match f.kind {
        kind::DATA => usize::from(f.has(PADDED)),
        kind::PRIORITY | kind::RST_STREAM | kind::SETTINGS | kind::GOAWAY | kind::WINDOW_UPDATE => PAYLOAD,
        _ => 0,
    };
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
    fn hollow_frames_carry_nothing() {
        let hollow = |flags, payload: &[u8]| {
            let (mut s, mut found) = (Scanner::new(false), None);
            s.scan(&frame(kind::DATA, flags, 1, payload), |f, p| found = Some(f.is_hollow(p)));
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
    fn long_heads_are_several_frames() {
        let (mut out, mut found) = (Vec::new(), Vec::new());
        headers(&mut out, 5, true, |out| out.extend([b'x'; 40_000]));
        Scanner::new(false).scan(&out, |f, _| found.push((f.kind, f.len, f.flags, f.stream)));
        assert_eq!(
            found,
            [
                (kind::HEADERS, 16384, END_STREAM, 5),
                (kind::CONTINUATION, 16384, 0, 5),
                (kind::CONTINUATION, 40_000 - 32768, END_HEADERS, 5)
            ]
        );
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
