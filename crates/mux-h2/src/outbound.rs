//! What `h2` writes, on its way to the peer.
//!
//! `h2` knows of a head only that there is one: that costs it next to nothing. What the peer is to get waits beside it
//! ([`Heads`]) and takes the place of the frame when `h2` writes it, whenever that is. So blocks are encoded in the order of
//! the wire, as HPACK has it, and heads that `h2` throws away with their stream never touch the encoder's table.

use crate::chunk::Common;
use crate::frames::{self, END_STREAM, Frame, Scanner, What, code, kind};
use crate::hpack::{Encoder, Sheet};
use h2::StreamId;
use parking_lot::Mutex;
use std::io;
use std::sync::Arc;

/// Streams that a peer may reset while it takes nothing of what waits for it.
const RESETS: usize = 4096;

/// Heads of one connection that `h2` has not written yet.
#[derive(Default, Debug)]
pub(crate) struct Heads(Mutex<Vec<(u32, Sheet)>>);

impl Heads {
    /// Hands a message to `h2` by `send`, and keeps the head for it, unless that fails. `h2` may write the message at once on
    /// another thread: it waits there until the head is in its place. (It holds no lock of its own while it writes.)
    pub(crate) fn send<T, E>(
        &self,
        head: Sheet,
        stream: impl FnOnce(&T) -> StreamId,
        send: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let mut heads = self.0.lock();
        let sent = send()?;
        heads.push((stream(&sent).as_u32(), head));
        Ok(sent)
    }

    fn take(&self, stream: u32) -> Option<Sheet> {
        let mut heads = self.0.lock();
        let at = heads.iter().position(|h| h.0 == stream)?;
        Some(heads.remove(at).1)
    }

    fn forget(&self, streams: &[u32]) {
        self.0.lock().retain(|h| !streams.contains(&h.0));
    }
}

/// The sending direction of a connection.
pub(crate) struct Outbound {
    scanner: Scanner,
    encoder: Encoder,
    common: Arc<Common>,
    /// The present frame is not passed on: another one has gone in its place.
    replaced: bool,
    /// Streams that the peer has reset, as `h2` may not know yet.
    lost: Vec<u32>,
    /// Those of requests that were written since somebody asked, and whose responses have no body.
    bodyless: Vec<u32>,
}

impl Outbound {
    /// `preface` tells that `h2` writes a client's first.
    pub(crate) fn new(preface: bool) -> Self {
        Self {
            scanner: Scanner::new(preface),
            encoder: Encoder::default(),
            common: Arc::default(),
            replaced: false,
            lost: Vec::new(),
            bodyless: Vec::new(),
        }
    }

    /// What the connection's streams share.
    pub(crate) fn common(&self) -> &Arc<Common> {
        &self.common
    }

    /// Puts what the peer is to get of some output of `h2` behind other bytes, and calls for every frame.
    ///
    /// # Errors
    /// There is no head for a message.
    pub(crate) fn pass(
        &mut self,
        mut bytes: &[u8],
        out: &mut Vec<u8>,
        mut seen: impl FnMut(Frame, &[u8]),
    ) -> io::Result<()> {
        while !bytes.is_empty() {
            let step = self.scanner.step(bytes);
            let (part, rest) = bytes.split_at(step.len);
            bytes = rest;
            match step.what {
                What::Header(None) => {}
                What::Header(Some(frame)) => self.begin(frame, out)?,
                What::Payload if self.replaced => {}
                What::Payload => out.extend_from_slice(part),
            }
            let Some(frame) = step.seen else { continue };
            let payload = self.scanner.seen(frame);
            seen(frame, payload);
            // All that it had for the stream went before this, or never goes.
            if frame.kind == kind::RST_STREAM {
                self.common.heads.forget(&[frame.stream]);
                let reason = payload.first_chunk().map_or(0, |p| u32::from_be_bytes(*p));
                self.common.received.parted(frame.stream, code::GIVEN_UP.contains(&reason));
            }
        }
        Ok(())
    }

    fn begin(&mut self, f: Frame, out: &mut Vec<u8>) -> io::Result<()> {
        self.replaced = matches!(f.kind, kind::HEADERS | kind::CONTINUATION);
        match f.kind {
            kind::HEADERS => {
                let head = self.common.heads.take(f.stream).ok_or(io::ErrorKind::NotFound)?;
                if head.bodyless {
                    self.bodyless.push(f.stream);
                }
                let encoder = &mut self.encoder;
                frames::headers(out, f.stream, f.has(END_STREAM), |out| encoder.encode(&head, out));
            }
            kind::CONTINUATION => {}
            _ => out.extend(frames::header(f.len as usize, f.kind, f.flags, f.stream)),
        }
        Ok(())
    }

    /// A request that was written, and whose response has no body.
    pub(crate) fn asked_bodyless(&mut self) -> Option<u32> {
        self.bodyless.pop()
    }

    /// How many of the next bytes pass as they are.
    pub(crate) fn ahead(&self) -> usize {
        if self.replaced { 0 } else { self.scanner.ahead() }
    }

    /// So many have passed.
    pub(crate) fn passed(&mut self, n: usize) {
        self.scanner.pass(n);
    }

    /// Whether a frame of ours may go now.
    pub(crate) fn at_boundary(&self) -> bool {
        self.scanner.at_boundary()
    }

    /// The peer's SETTINGS have come: as much of them as is looked at.
    pub(crate) fn settings(&mut self, f: Frame, payload: &[u8]) {
        if f.len as usize > payload.len() {
            // What is not seen may be anything.
            self.encoder.allow(0);
        }
        for entry in payload.chunks_exact(6) {
            if let [0, 1, a, b, c, d] = *entry {
                self.encoder.allow(u32::from_be_bytes([a, b, c, d]) as usize);
            }
        }
    }

    /// The peer has reset a stream, or `h2` is to believe that.
    ///
    /// # Errors
    /// Too many, and none of them can be looked after.
    pub(crate) fn lose(&mut self, stream: u32) -> Result<(), u32> {
        if self.lost.len() >= RESETS {
            return Err(code::ENHANCE_YOUR_CALM);
        }
        self.lost.push(stream);
        Ok(())
    }

    /// `h2` knows all that has come, and has written all that it had: nothing more goes on streams that were reset.
    pub(crate) fn settle(&mut self) {
        if !self.lost.is_empty() {
            self.common.heads.forget(&std::mem::take(&mut self.lost));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frames::{END_HEADERS, header, reset};

    fn head(status: u16) -> Sheet {
        let mut sheet = Sheet::new();
        sheet.status(status);
        sheet
    }

    fn waits(o: &Outbound, stream: u32, status: u16) {
        o.common.heads.0.lock().push((stream, head(status)));
    }

    fn theirs(stream: u32, end: u8) -> Vec<u8> {
        [&header(1, kind::HEADERS, END_HEADERS | end, stream)[..], b"\x88"].concat()
    }

    fn ours(stream: u32, end: u8, block: &[u8]) -> Vec<u8> {
        [&header(block.len(), kind::HEADERS, END_HEADERS | end, stream)[..], block].concat()
    }

    #[test]
    fn heads_go_where_theirs_would_have_gone() {
        let data = [&header(300, kind::DATA, 0, 1)[..], &[b'x'; 300]].concat();
        let input = [&theirs(3, 0)[..], &theirs(1, 0), &data, &theirs(1, 1), &reset(3, 8)].concat();
        let due = [&ours(3, 0, b"\x8d")[..], &ours(1, 0, b"\x89"), &data, &ours(1, 1, b"\x8b"), &reset(3, 8)];
        for step in 1..input.len() {
            let mut o = Outbound::new(false);
            for (stream, status) in [(1, 204), (3, 404), (1, 304), (5, 200), (3, 500)] {
                waits(&o, stream, status);
            }
            let (mut out, mut kinds) = (Vec::new(), Vec::new());
            for part in input.chunks(step) {
                o.pass(part, &mut out, |f, p| kinds.push((f.kind, f.stream, p.len()))).unwrap();
            }
            assert_eq!(out, due.concat(), "{step}");
            assert_eq!(kinds, [(1, 3, 0), (1, 1, 0), (0, 1, 0), (1, 1, 0), (3, 3, 4)]);
            assert!(o.at_boundary());
            assert_eq!(o.common.heads.0.lock().len(), 1, "that of the stream that was reset is gone");
        }
    }

    #[test]
    fn heads_of_streams_that_were_reset_go_in_the_end() {
        let mut o = Outbound::new(false);
        waits(&o, 1, 200);
        waits(&o, 3, 200);
        o.lose(1).unwrap();
        let mut out = Vec::new();
        o.pass(&theirs(1, 0), &mut out, |_, _| {}).unwrap();
        assert_eq!(out, ours(1, 0, b"\x88"), "it was on its way");
        waits(&o, 1, 200);
        o.settle();
        assert!(o.pass(&theirs(1, 0), &mut out, |_, _| {}).is_err());
        assert!(o.pass(&theirs(3, 0), &mut out, |_, _| {}).is_ok());
        assert!((0..=RESETS as u32).any(|n| o.lose(n).is_err()));
    }

    #[test]
    fn a_message_that_is_not_sent_leaves_no_head() {
        let o = Outbound::new(false);
        assert_eq!(o.common.heads.send(head(200), |()| unreachable!(), || Err::<(), _>(2)), Err(2));
        assert!(o.common.heads.0.lock().is_empty());
    }

    #[test]
    fn settings_that_are_not_seen_whole_allow_nothing() {
        for (len, payload, due) in [
            (6, &[0, 1, 0, 0, 1, 0][..], &b"\x3f\xe1\x01"[..]),
            (12, &[0, 1, 0, 0, 16, 0, 0, 3, 0, 0, 0, 0], b""),
            (54, &[0, 3, 0, 0, 0, 9], b"\x20"),
        ] {
            let mut o = Outbound::new(false);
            o.settings(Frame { len, kind: kind::SETTINGS, flags: 0, stream: 0 }, payload);
            let mut out = Vec::new();
            o.encoder.encode(&Sheet::new(), &mut out);
            assert_eq!(out, due);
        }
    }
}
