//! DATA frames that carry nothing. `h2` closes a connection after a hundred of them, however long it lives; honest
//! peers send some now and then. What they cost is counted with the other floods ([`crate::watch`]), and `h2` gets to
//! see frames of an unknown type instead, which it has to ignore.

use crate::frames::{Frame, HEADER, kind, window_update};
use hawser_proto::buf::Buf;
use tokio::io::ReadBuf;

/// Where the type is in a frame.
const KIND: usize = 3;

/// A DATA frame without data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Hollow {
    frame: Frame,
    /// Where its type is, counted from the first byte that was kept back.
    kind: usize,
}

impl Hollow {
    /// `end` is where what is known of it ends, counted from the first byte that was kept back; `known` how much of
    /// its payload that is.
    pub(crate) fn new(frame: Frame, end: usize, known: usize) -> Self {
        Self { frame, kind: (end + KIND).saturating_sub(HEADER + known) }
    }

    /// The frames that give the peer its room back, where padding took some.
    pub(crate) fn room(&self) -> Option<[[u8; HEADER + 4]; 2]> {
        let n = self.frame.len;
        (n > 0).then(|| [window_update(0, n), window_update(self.frame.stream, n)])
    }

    /// Makes it one of an unknown type.
    pub(crate) fn hide(&self, kept: &mut Kept, input: &mut Buf) {
        let byte = match self.kind.checked_sub(kept.len()) {
            Some(i) => input.data_mut().get_mut(i),
            None => kept.bytes.get_mut(self.kind),
        };
        if let Some(b) = byte {
            *b = kind::UNKNOWN;
        }
    }
}

/// The start of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Kept {
    bytes: [u8; HEADER],
    len: u8,
}

impl Kept {
    /// Bytes in it.
    pub(crate) fn len(&self) -> usize {
        self.len.into()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Keeps the last `n` bytes of what it holds and the input together, and returns what goes before the rest of the
    /// input: all that was held, or nothing, for it is the start of one frame.
    pub(crate) fn split(&mut self, input: &mut Buf, n: usize) -> Self {
        let Some(rest) = input.len().checked_sub(n) else {
            self.append(input.data());
            input.truncate(0);
            return Self::default();
        };
        let before = std::mem::take(self);
        self.append(input.data().get(rest..).unwrap_or_default());
        input.truncate(rest);
        before
    }

    fn append(&mut self, bytes: &[u8]) {
        for (to, b) in self.bytes.iter_mut().skip(self.len.into()).zip(bytes) {
            *to = *b;
            self.len += 1;
        }
    }

    /// Gives as much as there is room for.
    pub(crate) fn give(&mut self, to: &mut ReadBuf<'_>) {
        let n = self.len().min(to.remaining());
        to.put_slice(self.bytes.get(..n).unwrap_or_default());
        self.bytes.copy_within(n.., 0);
        self.len -= n as u8;
    }
}
