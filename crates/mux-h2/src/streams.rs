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

/// A stream whose peer may send more.
#[derive(Clone, Copy, Debug)]
struct Going {
    id: u32,
    /// What is left of a body whose length was announced (bytes).
    due: Option<u64>,
    /// It was found not to be what was announced, or that is of no interest.
    broken: bool,
}

/// All streams of a connection.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    /// The highest one that was begun, by whoever is the client.
    last: u32,
    /// As many as may be open at once: `h2` resets those beyond.
    open: Vec<Going>,
    parted: VecDeque<Going>,
    /// Those whose response announces what does not follow: it answers HEAD.
    bodyless: Vec<u32>,
}

impl Streams {
    /// How far that one is.
    pub(crate) fn half(&self, stream: u32) -> Half {
        match () {
            () if self.open.iter().any(|s| s.id == stream) => Half::Open,
            () if self.parted.iter().any(|s| s.id == stream) => Half::Parted,
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

    /// The peer's head has come, and more will: a body, whose length may be known. `bound` tells that another one breaks the
    /// stream.
    pub(crate) fn opened(&mut self, stream: u32, length: Option<u64>, bound: bool) {
        self.open.push(Going { id: stream, due: length, broken: !bound });
    }

    /// Some of a body comes, maybe its end; whether that can be what was announced.
    pub(crate) fn receives(&mut self, stream: u32, bytes: u64, end: bool) -> bool {
        let going = self.open.iter_mut().chain(&mut self.parted).find(|s| s.id == stream);
        let Some(due) = going.and_then(|s| s.due.as_mut()) else { return true };
        let fits = bytes <= *due && (!end || bytes == *due);
        *due = due.saturating_sub(bytes);
        fits
    }

    /// Whether a body that ends now is shorter than it may be.
    pub(crate) fn misses(&self, stream: u32) -> bool {
        let going = self.open.iter().find(|s| s.id == stream);
        going.is_some_and(|s| !s.broken && s.due.is_some_and(|due| due > 0))
    }

    /// A body is not what was announced; whether that is news, and matters.
    pub(crate) fn breaks(&mut self, stream: u32) -> bool {
        let going = self.open.iter_mut().find(|s| s.id == stream);
        going.is_some_and(|s| !std::mem::replace(&mut s.broken, true))
    }

    /// We have sent a request whose response has no body.
    pub(crate) fn asked_bodyless(&mut self, stream: u32) {
        self.bodyless.push(stream);
    }

    /// The response has come; whether it has no body.
    pub(crate) fn answers_bodyless(&mut self, stream: u32) -> bool {
        let at = self.bodyless.iter().position(|s| *s == stream);
        at.map(|at| self.bodyless.swap_remove(at)).is_some()
    }

    /// The peer ends its half.
    pub(crate) fn ended(&mut self, stream: u32) {
        self.open.retain(|s| s.id != stream);
        self.parted.retain(|s| s.id != stream);
        self.answers_bodyless(stream);
    }

    /// We have reset a stream. `crossed` tells that the peer's half may begin all the same.
    pub(crate) fn parted(&mut self, stream: u32, crossed: bool) {
        self.answers_bodyless(stream);
        let going = match self.open.iter().position(|s| s.id == stream) {
            Some(at) => self.open.swap_remove(at),
            None if crossed && !self.parted.iter().any(|s| s.id == stream) => {
                Going { id: stream, due: None, broken: false }
            }
            None => return,
        };
        if self.parted.len() >= PARTED {
            self.parted.pop_front();
        }
        self.parted.push_back(going);
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
        s.opened(5, None, true);
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
    fn bodies_are_as_long_as_was_said() {
        let mut s = Streams::default();
        s.opened(1, Some(5), true);
        s.opened(3, None, true);
        assert!(s.receives(1, 2, false) && s.receives(3, 9, true) && s.receives(7, 9, false));
        s.parted(1, false);
        assert!(!s.receives(1, 4, false), "too much");
        s.opened(5, Some(5), true);
        assert!(s.receives(5, 1, false) && !s.receives(5, 1, true), "too little");
        s.opened(9, Some(1), true);
        assert!(s.misses(9) && s.receives(9, 1, true) && !s.misses(9) && !s.misses(3));
        s.opened(11, Some(1), false);
        assert!(!s.misses(11) && !s.breaks(11) && !s.receives(11, 2, false));
        assert!(s.breaks(5) && !s.breaks(5) && !s.breaks(1));
    }

    #[test]
    fn answers_to_head_are_known_once() {
        let mut s = Streams::default();
        for n in [1, 3, 5] {
            s.asked_bodyless(n);
        }
        assert!(s.answers_bodyless(3) && !s.answers_bodyless(3) && !s.answers_bodyless(7));
        s.ended(1);
        s.parted(5, true);
        assert!(!s.answers_bodyless(1) && !s.answers_bodyless(5));
    }

    #[test]
    fn only_so_many_are_remembered() {
        let mut s = Streams::default();
        for n in (1..2000).step_by(2) {
            s.begun(n);
            s.opened(n, None, true);
            s.parted(n, false);
        }
        assert_eq!(
            (s.half(1), s.half(1999), s.parted.len(), s.open.len()),
            (Half::Closed, Half::Parted, PARTED, 0)
        );
    }
}
