//! How far the peer is with its half of each stream.

use std::collections::VecDeque;

/// Streams that we gave up and whose peer may not know yet, as many as are remembered.
const PARTED: usize = 256;

/// The peer's half of a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Half {
    /// There is no such stream yet.
    Idle,
    /// More may come.
    Open,
    /// More may come, and nobody is interested: we have reset the stream.
    Parted,
    /// It has ended it, or as a server not begun.
    Closed,
}

/// All streams of a connection.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    /// The highest one that was begun, by whoever is the client.
    last: u32,
    /// As many as may be open at once: `h2` resets those beyond.
    open: Vec<u32>,
    parted: VecDeque<u32>,
}

impl Streams {
    /// How far that one is.
    pub(crate) fn half(&self, stream: u32) -> Half {
        match () {
            () if self.open.contains(&stream) => Half::Open,
            () if self.parted.contains(&stream) => Half::Parted,
            () if stream > self.last || stream.is_multiple_of(2) => Half::Idle,
            () => Half::Closed,
        }
    }

    /// The one that begins next, unless numbers are left out.
    pub(crate) fn next(&self) -> u32 {
        if self.last == 0 { 1 } else { self.last + 2 }
    }

    /// A stream begins.
    pub(crate) fn begun(&mut self, stream: u32) {
        self.last = self.last.max(stream);
    }

    /// The peer's head has come, and more will.
    pub(crate) fn opened(&mut self, stream: u32) {
        self.open.push(stream);
    }

    /// The peer ends its half.
    pub(crate) fn ended(&mut self, stream: u32) {
        self.open.retain(|s| *s != stream);
        self.parted.retain(|s| *s != stream);
    }

    /// We have reset a stream. `crossed` tells that the peer's half may begin all the same.
    pub(crate) fn parted(&mut self, stream: u32, crossed: bool) {
        match self.open.iter().position(|s| *s == stream) {
            Some(at) => _ = self.open.swap_remove(at),
            None if crossed && !self.parted.contains(&stream) => {}
            None => return,
        }
        if self.parted.len() >= PARTED {
            self.parted.pop_front();
        }
        self.parted.push_back(stream);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_end_once() {
        let mut s = Streams::default();
        assert_eq!(s.half(1), Half::Idle);
        s.begun(5);
        s.opened(5);
        assert_eq!([1, 5, 4, 7].map(|n| s.half(n)), [Half::Closed, Half::Open, Half::Idle, Half::Idle]);
        s.parted(5, false);
        assert_eq!(s.half(5), Half::Parted);
        s.ended(5);
        assert_eq!(s.half(5), Half::Closed);
        s.parted(5, false);
        assert_eq!(s.half(5), Half::Closed, "nothing to part from");
        s.parted(5, true);
        assert_eq!(s.half(5), Half::Parted);
    }

    #[test]
    fn only_so_many_are_remembered() {
        let mut s = Streams::default();
        for n in (1..2000).step_by(2) {
            s.begun(n);
            s.opened(n);
            s.parted(n, false);
        }
        assert_eq!(
            (s.half(1), s.half(1999), s.parted.len(), s.open.len()),
            (Half::Closed, Half::Parted, PARTED, 0)
        );
    }
}
