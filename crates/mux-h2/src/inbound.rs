//! What a peer sends, on its way to `h2`.
//!
//! Frames are checked first: `h2` has one answer to all that is wrong with them (`PROTOCOL_ERROR`), RFC 9113 has
//! several. Field blocks are decoded here, judged ([`crate::rules`]) and handed on in a form that `h2` cannot object
//! to ([`crate::carry`]). All else passes as it is, but for what `h2` closes connections for although it
//! does no harm: DATA that carries nothing, acknowledgements too many, frames for a stream that is over.

use crate::carry::{Block as Fields, Message, Stage};
use crate::frames::{
    self, ACK, END_HEADERS, END_STREAM, Frame, HEADER, PADDED, PAYLOAD, PREFACE, PRIORITY, code, kind, reset,
    window_update,
};
use crate::head::Limits;
use crate::hpack::Decoder;
use crate::outbound::Outbound;
use crate::rules::{Gather, Kind, Verdict};
use crate::streams::{Half, Streams};
use crate::watch::Watch;
use hawser_proto::buf;

/// What a peer has sent so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Seen {
    /// SETTINGS.
    pub(crate) settings: bool,
    /// The acknowledgement of ours.
    pub(crate) acked: bool,
    /// GOAWAY: no new stream will be served.
    pub(crate) goaway: bool,
}

/// What is fixed about a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// The peer is a client.
    pub(crate) client: bool,
    /// Largest payload.
    pub(crate) max_frame: u32,
    /// Longest field block (bytes).
    pub(crate) max_block: usize,
    pub(crate) table: u32,
    pub(crate) limits: Limits,
    pub(crate) relaxed: bool,
}

/// A field block that is being received.
struct Block {
    head: Frame,
    bytes: Vec<u8>,
}

/// What becomes of the present frame.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Course {
    /// `h2` gets it.
    Pass,
    /// Nobody does.
    Drop,
    /// It belongs to the block.
    Gather,
}

/// The receiving direction of a connection.
pub(crate) struct Inbound {
    terms: Terms,
    /// The start of the present frame: its header, and of its payload what is looked at.
    start: [u8; HEADER + PAYLOAD],
    have: usize,
    /// What is left of it, and what becomes of that.
    left: usize,
    course: Course,
    /// The preface of a client, as far as it has not come.
    preface: usize,
    decoder: Decoder,
    block: Option<Block>,
    /// What `h2` gets before any more input, and how much of it was taken.
    ready: Vec<u8>,
    taken: usize,
    streams: Streams,
    /// The last stream that our GOAWAY has left to the client.
    last: u32,
    /// `h2` has an entry for the method that it is told of.
    named: bool,
    pub(crate) seen: Seen,
}

/// What is at hand on our side of the connection.
pub(crate) struct Own<'a> {
    pub(crate) watch: &'a mut Watch,
    /// For frames of ours.
    pub(crate) extra: &'a mut Vec<u8>,
    pub(crate) outbound: &'a mut Outbound,
    /// The peer does not read: it gets no more answers than `h2` would give it.
    pub(crate) mute: bool,
}

/// What the look at some input has led to.
pub(crate) struct Look {
    /// Bytes of it that need not be looked at again.
    pub(crate) used: usize,
    /// The last of them are for `h2`, as many as that.
    pub(crate) pass: usize,
}

impl Inbound {
    /// `preface` tells that `h2` expects a client's.
    pub(crate) fn new(terms: Terms, preface: bool) -> Self {
        Self {
            terms,
            start: [0; HEADER + PAYLOAD],
            have: 0,
            left: 0,
            course: Course::Pass,
            preface: if preface { PREFACE.len() } else { 0 },
            decoder: Decoder::new(terms.table),
            block: None,
            ready: Vec::new(),
            taken: 0,
            streams: Streams::default(),
            last: u32::MAX,
            named: false,
            seen: Seen::default(),
        }
    }

    /// What `h2` is to get before any more input.
    pub(crate) fn ready(&self) -> &[u8] {
        self.ready.get(self.taken..).unwrap_or_default()
    }

    /// `h2` got some of it.
    pub(crate) fn take(&mut self, n: usize) {
        self.taken += n;
        if self.taken >= self.ready.len() {
            self.taken = 0;
            buf::give_text(std::mem::take(&mut self.ready));
        }
    }

    fn ready_up(&mut self) -> &mut Vec<u8> {
        if self.ready.capacity() == 0 {
            self.ready = buf::take_text();
        }
        &mut self.ready
    }

    /// Looks at the start of some input, of which at most `room` bytes may pass.
    ///
    /// # Errors
    /// The connection is over, for that reason.
    pub(crate) fn look(&mut self, input: &[u8], room: usize, own: &mut Own<'_>) -> Result<Look, u32> {
        if self.preface > 0 {
            let n = self.preface.min(input.len()).min(room);
            self.preface -= n;
            return Ok(Look { used: n, pass: n });
        }
        if self.left > 0 {
            let n = self.left.min(input.len());
            let n = if self.course == Course::Pass { n.min(room) } else { n };
            self.left -= n;
            if self.course == Course::Gather {
                self.gathered(input.get(..n).unwrap_or_default(), own)?;
            }
            return Ok(Look { used: n, pass: if self.course == Course::Pass { n } else { 0 } });
        }
        let mut used = self.fill(input, HEADER);
        let Some(frame) = self.start.first_chunk().filter(|_| self.have >= HEADER).map(Frame::parse) else {
            return Ok(Look { used, pass: 0 });
        };
        if self.have == HEADER {
            self.expected(frame)?;
        }
        let due = HEADER + frames::due(frame);
        used += self.fill(input.get(used..).unwrap_or_default(), due);
        if self.have == due {
            self.have = 0;
            self.arrived(frame, due, own)?;
        }
        Ok(Look { used, pass: 0 })
    }

    /// Takes the start of a frame, up to so many bytes of it.
    fn fill(&mut self, input: &[u8], due: usize) -> usize {
        let n = due.saturating_sub(self.have).min(input.len());
        if let (Some(to), Some(from)) = (self.start.get_mut(self.have..self.have + n), input.get(..n)) {
            to.copy_from_slice(from);
        }
        self.have += n;
        n
    }

    /// May this frame come here, and be of that size?
    fn expected(&self, f: Frame) -> Result<(), u32> {
        if f.len > self.terms.max_frame {
            return Err(code::FRAME_SIZE_ERROR);
        }
        let next = match &self.block {
            Some(b) => f.kind == kind::CONTINUATION && f.stream == b.head.stream,
            None => f.kind != kind::CONTINUATION,
        };
        let first = self.seen.settings || (f.kind == kind::SETTINGS && !f.has(ACK));
        if !next || !first {
            return Err(code::PROTOCOL_ERROR);
        }
        frames::check(f)
    }

    /// A frame has come, as far as it is looked at.
    fn arrived(&mut self, f: Frame, due: usize, own: &mut Own<'_>) -> Result<(), u32> {
        let start = self.start;
        let payload = start.get(HEADER..due).unwrap_or_default();
        frames::check_payload(f, payload)?;
        own.watch.received(f, payload);
        self.left = f.len as usize - payload.len();
        self.course = match f.kind {
            kind::DATA => self.data(f, payload, own)?,
            kind::HEADERS | kind::CONTINUATION => return self.fragment(f, own),
            kind::WINDOW_UPDATE => self.window(f, payload, own)?,
            kind::SETTINGS if f.has(ACK) => {
                if std::mem::replace(&mut self.seen.acked, true) {
                    Course::Drop
                } else {
                    Course::Pass
                }
            }
            kind::SETTINGS => {
                self.seen.settings = true;
                own.outbound.settings(f, payload);
                Course::Pass
            }
            kind::RST_STREAM => {
                self.streams.ended(f.stream);
                own.outbound.lose(f.stream)?;
                Course::Pass
            }
            kind::GOAWAY => {
                self.seen.goaway = true;
                Course::Pass
            }
            _ => Course::Pass,
        };
        if self.course == Course::Pass {
            self.ready_up().extend_from_slice(start.get(..due).unwrap_or_default());
        }
        Ok(())
    }

    fn data(&mut self, f: Frame, payload: &[u8], own: &mut Own<'_>) -> Result<Course, u32> {
        let half = self.streams.half(f.stream);
        if f.is_hollow(payload) && half == Half::Open && !own.mute {
            own.give_back(f, true);
            return Ok(Course::Drop);
        }
        if half == Half::Closed {
            // Of a server: there is no head, or the end has been there.
            let code = if self.terms.client { code::STREAM_CLOSED } else { code::PROTOCOL_ERROR };
            if !own.mute {
                own.give_back(f, false);
            }
            self.refuse(f.stream, code, own)?;
            return Ok(Course::Drop);
        }
        let end = f.has(END_STREAM);
        let fits = self.streams.receives(f.stream, f.content(payload), end);
        let mut course = Course::Pass;
        if !fits && half == Half::Parted && self.terms.client {
            self.late(f.stream, own);
            return Ok(course);
        }
        if !fits && self.streams.breaks(f.stream) {
            if !own.mute {
                own.give_back(f, false);
            }
            // What `h2` resets the stream for.
            let message = Message { kind: Kind::Trailers, status: 0, malformed: true, request: b"" };
            message.frames(f.stream, end, self.ready_up());
            course = Course::Drop;
        }
        if end {
            self.streams.ended(f.stream);
        }
        Ok(course)
    }

    /// The peer breaks a rule on a stream that was reset: `h2` takes no interest in it any more.
    fn late(&mut self, stream: u32, own: &mut Own<'_>) {
        self.streams.ended(stream);
        if !own.mute {
            own.extra.extend(reset(stream, code::PROTOCOL_ERROR));
        }
        own.watch.reset(code::PROTOCOL_ERROR);
    }

    /// One stream is wrong, for which `h2` would end the connection: resets it, and has `h2` think that the peer did.
    fn refuse(&mut self, stream: u32, code: u32, own: &mut Own<'_>) -> Result<(), u32> {
        self.streams.ended(stream);
        if !own.mute {
            own.extra.extend(reset(stream, code));
        }
        own.watch.reset(code);
        self.ready_up().extend(reset(stream, code));
        own.outbound.lose(stream)
    }

    /// Room on a stream is given.
    fn window(&mut self, f: Frame, payload: &[u8], own: &mut Own<'_>) -> Result<Course, u32> {
        let none = payload.iter().fold(0, |n, b| n << 8 | u32::from(*b)) & 0x7fff_ffff == 0;
        if none && f.stream != 0 && self.streams.half(f.stream) != Half::Idle {
            self.refuse(f.stream, code::PROTOCOL_ERROR, own)?;
            return Ok(Course::Drop);
        }
        Ok(Course::Pass)
    }

    /// The stream that whoever is the client opens next.
    pub(crate) fn next_stream(&self) -> u32 {
        self.streams.next()
    }

    /// How `h2` is told of a request: by the one that needs nothing but a method. Once it is in the table of `h2`, it is
    /// found there: nothing else ever is.
    fn request(&mut self) -> &'static [u8] {
        const TABLE: u32 = 4096;
        match std::mem::replace(&mut self.named, true) {
            _ if self.terms.table < TABLE => b"\x02\x07CONNECT",
            false => b"\x42\x07CONNECT",
            true => b"\xbe",
        }
    }

    /// We have sent a request whose response has no body.
    pub(crate) fn asked_bodyless(&mut self, stream: u32) {
        self.streams.asked_bodyless(stream);
    }

    /// We have sent a frame.
    pub(crate) fn sent(&mut self, f: Frame, payload: &[u8]) {
        match f.kind {
            kind::GOAWAY if self.terms.client => {
                let last = payload.first_chunk().map_or(0, |p| u32::from_be_bytes(*p));
                self.last = self.last.min(last);
            }
            kind::HEADERS if !self.terms.client => self.streams.begun(f.stream),
            // A response may still come that crossed it.
            kind::RST_STREAM => self.streams.parted(f.stream, !self.terms.client),
            _ => {}
        }
    }

    /// Part of a field block comes.
    fn fragment(&mut self, f: Frame, own: &mut Own<'_>) -> Result<(), u32> {
        match &mut self.block {
            Some(b) => b.head.flags |= f.flags & END_HEADERS,
            None => self.block = Some(Block { head: f, bytes: Vec::new() }),
        }
        let have = self.block.as_ref().map_or(0, |b| b.bytes.len());
        if have + self.left > self.terms.max_block {
            return Err(code::ENHANCE_YOUR_CALM);
        }
        self.course = Course::Gather;
        if self.left > 0 { Ok(()) } else { self.gathered(b"", own) }
    }

    /// More of a fragment: it may be whole, and the block with it.
    fn gathered(&mut self, part: &[u8], own: &mut Own<'_>) -> Result<(), u32> {
        let Some(block) = &mut self.block else { return Ok(()) };
        let head = block.head;
        if self.left == 0 && block.bytes.is_empty() && head.has(END_HEADERS) {
            self.block = None;
            return self.decode(head, strip(head, part)?, own);
        }
        if block.bytes.capacity() == 0 {
            block.bytes = buf::take_text();
        }
        block.bytes.extend_from_slice(part);
        if self.left > 0 {
            return Ok(());
        }
        block.strip()?;
        let Some(block) = self.block.take_if(|b| b.head.has(END_HEADERS)) else { return Ok(()) };
        let done = self.decode(block.head, &block.bytes, own);
        buf::give_text(block.bytes);
        done
    }

    fn decode(&mut self, head: Frame, block: &[u8], own: &mut Own<'_>) -> Result<(), u32> {
        let (stream, end) = (head.stream, head.has(END_STREAM));
        let half = self.streams.half(stream);
        let kind = match (self.terms.client, half) {
            (true, Half::Idle) => Kind::Request,
            (true, Half::Closed) => return Err(code::STREAM_CLOSED),
            (false, Half::Open) | (true, Half::Open | Half::Parted) => Kind::Trailers,
            (false, _) => Kind::Response,
        };
        let mut fields = buf::take_text();
        let mut gather = Gather::new(kind, self.terms.limits, self.terms.relaxed);
        let decoded = self.decoder.decode(block, &mut fields, |f| gather.field(f.traits, f.size()));
        let mut verdict = gather.finish(end);
        let (status, length, bomb) = (gather.status, gather.length, gather.is_bomb());
        decoded.map_err(|_| code::COMPRESSION_ERROR)?;
        if bomb {
            return Err(code::ENHANCE_YOUR_CALM);
        }
        if self.terms.client && half == Half::Parted && (verdict == Verdict::Malformed || !end) {
            self.late(stream, own);
        }
        let interim = kind == Kind::Response && (100..200).contains(&status);
        // What these announce is not what follows.
        let bodyless = kind == Kind::Response
            && (interim || matches!(status, ..200 | 204 | 304) || self.streams.answers_bodyless(stream));
        let length = length.filter(|_| !bodyless);
        let whole = match kind {
            Kind::Trailers => !self.streams.misses(stream),
            _ => !end || length.is_none_or(|n| n == 0),
        };
        if verdict == Verdict::Fine && !whole {
            verdict = Verdict::Malformed;
        }
        match kind {
            Kind::Response if interim => {}
            Kind::Trailers if !end => {}
            Kind::Response if half == Half::Parted => {}
            _ if end => self.streams.ended(stream),
            _ => self.streams.opened(stream, length, verdict == Verdict::Fine),
        }
        if kind == Kind::Request {
            self.streams.begun(stream);
        }
        if verdict == Verdict::Invalid {
            fields.clear();
        }
        let stage = match kind {
            Kind::Response if interim => Stage::Interim,
            Kind::Request | Kind::Response => Stage::Head,
            Kind::Trailers => Stage::Trailers,
        };
        let fields = Fields::new(fields);
        // Nobody asks for what `h2` does not hand out.
        if verdict != Verdict::Malformed && half != Half::Parted && stream <= self.last {
            own.outbound.common().received.put(stream, stage, fields);
        }
        let status = if status == 0 { 500 } else { status };
        let malformed = verdict == Verdict::Malformed;
        let request = if kind == Kind::Request { self.request() } else { b"" };
        Message { kind, status, malformed, request }.frames(stream, end, self.ready_up());
        Ok(())
    }
}

impl Own<'_> {
    /// Gives the room back that DATA took, which `h2` does not get to see.
    fn give_back(&mut self, data: Frame, stream: bool) {
        if data.len == 0 {
            return;
        }
        self.extra.extend(window_update(0, data.len));
        if stream {
            self.extra.extend(window_update(data.stream, data.len));
        }
    }
}

impl Block {
    /// A frame of it is whole: takes padding and priority from the first one.
    fn strip(&mut self) -> Result<(), u32> {
        let inside = strip(self.head, &self.bytes)?;
        if inside.len() < self.bytes.len() {
            self.bytes = inside.to_vec();
        }
        self.head.flags &= !(PADDED | PRIORITY);
        Ok(())
    }
}

/// The fragment in the payload of such a frame.
fn strip(f: Frame, payload: &[u8]) -> Result<&[u8], u32> {
    let padded = usize::from(f.has(PADDED));
    let before = padded + if f.has(PRIORITY) { 5 } else { 0 };
    if before == 0 {
        return Ok(payload);
    }
    let Some((start, rest)) = payload.split_at_checked(before) else {
        return Err(code::FRAME_SIZE_ERROR);
    };
    let padding = start.first().filter(|_| padded > 0).map_or(0, |p| usize::from(*p));
    let on = start.get(padded..).and_then(<[u8]>::first_chunk).map(|w| u32::from_be_bytes(*w) & 0x7fff_ffff);
    let inside = rest.len().checked_sub(padding).and_then(|n| rest.get(..n));
    inside.filter(|_| on != Some(f.stream)).ok_or(code::PROTOCOL_ERROR)
}

#[cfg(test)]
mod tests;
