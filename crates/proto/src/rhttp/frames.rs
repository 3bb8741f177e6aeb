//! Frame headers in a stream of HTTP/2, met piece by piece (RFC 9113, 4.1).

/// Bytes of a frame's header.
pub(super) const HEADER: usize = 9;

/// Where a header names the type of its frame.
const KIND: usize = 3;

/// `SETTINGS`.
pub(super) const SETTINGS: u8 = 4;
/// `GOAWAY`.
pub(super) const GOAWAY: u8 = 7;
/// A type that nobody has: such frames are ignored (RFC 9113, 5.5).
pub(super) const NOTHING: u8 = 0xfe;

/// The header of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Frame {
    /// Bytes of its payload.
    pub(super) len: usize,
    /// Its type.
    pub(super) kind: u8,
    /// Its flags.
    pub(super) flags: u8,
    /// Its stream.
    pub(super) stream: u32,
}

impl Frame {
    /// Reads a header.
    pub(super) fn parse(b: &[u8; HEADER]) -> Self {
        Self {
            len: usize::from(b[0]) << 16 | usize::from(b[1]) << 8 | usize::from(b[2]),
            kind: b[3],
            flags: b[4],
            stream: u32::from_be_bytes([b[5], b[6], b[7], b[8]]) & 0x7fff_ffff,
        }
    }
}

/// Follows a stream from frame to frame.
#[derive(Default)]
pub(super) struct Frames {
    header: [u8; HEADER],
    /// Bytes of the present header that are known.
    known: usize,
    /// Bytes of the present payload that are still to come.
    payload: usize,
}

impl Frames {
    /// Takes the bytes that come next, and gives frames of one kind another; tells whether there was one.
    pub(super) fn rename(&mut self, mut bytes: &mut [u8], kind: u8, other: u8) -> bool {
        let mut met = false;
        while !bytes.is_empty() {
            let skipped = self.payload.min(bytes.len());
            self.payload -= skipped;
            bytes = &mut bytes[skipped..];
            let taken = (HEADER - self.known).min(bytes.len());
            let (part, rest) = bytes.split_at_mut(taken);
            self.header[self.known..self.known + taken].copy_from_slice(part);
            if let Some(at) = KIND.checked_sub(self.known).filter(|at| *at < taken)
                && part[at] == kind
            {
                part[at] = other;
                met = true;
            }
            self.known += taken;
            bytes = rest;
            if self.known == HEADER {
                self.known = 0;
                self.payload = Frame::parse(&self.header).len;
            }
        }
        met
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, len: u8) -> Vec<u8> {
        let mut f = vec![0, 0, len, kind, 0, 0, 0, 0, 0];
        // A payload that looks like the header of a GOAWAY.
        f.extend([0, 0, 8, GOAWAY, 0, 0, 0, 0, 0].iter().cycle().take(usize::from(len)));
        f
    }

    #[test]
    fn frames_are_met_however_they_come_in() {
        let bytes = [frame(4, 12), frame(0, 200), frame(1, 0), frame(GOAWAY, 8), frame(0, 3)].concat();
        let mut renamed = bytes.clone();
        renamed[9 + 12 + 9 + 200 + 9 + KIND] = NOTHING;
        for size in 1..bytes.len() {
            let (mut frames, mut met, mut after) = (Frames::default(), 0, bytes.clone());
            for chunk in after.chunks_mut(size) {
                met += usize::from(frames.rename(chunk, GOAWAY, NOTHING));
            }
            assert_eq!(met, 1, "in pieces of {size}");
            assert_eq!((frames.known, frames.payload), (0, 0));
            assert!(after == renamed, "in pieces of {size}");
        }
        assert!(!Frames::default().rename(&mut frame(0, 250), GOAWAY, NOTHING));
    }

    #[test]
    fn headers_are_read() {
        let f = Frame::parse(&[1, 2, 3, 4, 5, 0x80, 0, 0, 7]);
        assert_eq!(f, Frame { len: 0x0001_0203, kind: 4, flags: 5, stream: 7 });
    }
}
