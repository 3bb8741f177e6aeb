//! One direction of an exchange: bytes from a source to a sink, with back-pressure, nothing held in between.

use hawser_proto::mux::{Fill, Sink, Source, StreamError};
use hawser_proto::splice::{MAX_SPLICE, Pipe};
use std::io::ErrorKind;
use std::task::{Context, Poll};

/// What a direction waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Blocked {
    /// Bytes from its source.
    Read,
    /// Room in its sink.
    Write,
}

/// What a turn of the pump ended with.
#[derive(Debug)]
pub(crate) enum Turn {
    /// Nothing more can be done now.
    Blocked(Blocked),
    /// The source has delivered its end, and is needed no more: [`Pump::finish`] does the rest.
    SourceEnded,
    /// The end was passed on.
    Done,
    /// The source failed.
    SourceFailed(StreamError),
    /// The sink failed.
    SinkFailed,
}

/// How far a direction is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum State {
    /// Its source has more.
    #[default]
    Open,
    /// The end was seen and is being sent.
    Ending,
    /// The half-close is being passed on.
    Closing,
    /// Nothing is left to do.
    Done,
}

/// How far a direction is, and what it waits for.
pub(crate) type Phase = (State, Option<Blocked>);

/// State of one direction.
#[derive(Default)]
pub(crate) struct Pump {
    state: State,
    /// Body bytes moved.
    pub(crate) bytes: u64,
    /// Those of them that went through a pipe.
    pub(crate) spliced: u64,
    /// Something was moved in the last turn.
    pub(crate) progress: bool,
    /// What it waits for, after a turn.
    pub(crate) blocked: Option<Blocked>,
    /// Pass the end of the stream on as a half-close.
    half_close: bool,
    /// Keep trailers back.
    drop_trailers: bool,
    /// Tell when the source is needed no more.
    early: bool,
    splice: Splice,
    pipe: Option<Pipe>,
    /// Bytes copied since it last waited for its source.
    streak: u64,
}

/// Whether bytes go through the kernel (`option splice-*`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Splice {
    /// Never.
    #[default]
    No,
    /// Once a direction turns out to carry bulk.
    Auto,
    /// Always.
    Always,
}

/// Bytes moved without waiting that make a direction bulk.
const BULK: u64 = 16 * 1024;

impl Pump {
    /// A direction of a message.
    pub(crate) fn message(splice: Splice) -> Self {
        Self { splice, ..Self::default() }
    }

    /// A direction of a message whose source has better things to do than to wait for the sink
    /// ([`Turn::SourceEnded`]).
    pub(crate) fn releasing(splice: Splice) -> Self {
        Self { early: true, ..Self::message(splice) }
    }

    /// The same, without its trailers if so asked.
    pub(crate) fn without_trailers(self, drop_trailers: bool) -> Self {
        Self { drop_trailers, ..self }
    }

    /// A direction of a tunnel.
    pub(crate) fn tunnel(splice: Splice) -> Self {
        Self { half_close: true, ..Self::message(splice) }
    }

    /// Nothing is left to do.
    pub(crate) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// What decides whose silence may end it.
    pub(crate) fn phase(&self) -> Phase {
        (self.state, self.blocked)
    }

    /// Moves what can be moved.
    pub(crate) fn turn(&mut self, cx: &mut Context<'_>, src: &mut dyn Source, dst: &mut dyn Sink) -> Turn {
        self.progress = false;
        // Everything that came was passed on, and nothing has come since.
        if self.state == State::Open && self.blocked == Some(Blocked::Read) && src.is_waiting(cx) {
            return Turn::Blocked(Blocked::Read);
        }
        self.blocked = None;
        let turn = self.run(cx, src, dst);
        if let Turn::Blocked(b) = turn {
            self.blocked = Some(b);
        }
        turn
    }

    /// Sends what is left once the source has delivered its end.
    pub(crate) fn finish(&mut self, cx: &mut Context<'_>, dst: &mut dyn Sink) -> Turn {
        self.progress = false;
        let turn = self.end(cx, dst);
        self.blocked = if let Turn::Blocked(b) = turn { Some(b) } else { None };
        turn
    }

    /// The source says nothing for too long: it is taken for ended, what it said is passed on.
    pub(crate) fn source_late(&mut self, dst: &mut dyn Sink) {
        if self.state == State::Open {
            dst.end(None);
            self.state = State::Ending;
        }
    }

    fn run(&mut self, cx: &mut Context<'_>, src: &mut dyn Source, dst: &mut dyn Sink) -> Turn {
        while self.state == State::Open {
            if self.wants_splice()
                && let Some(turn) = self.spliced(cx, src, dst)
            {
                return turn;
            }
            if let Some(turn) = self.copied(cx, src, dst) {
                return turn;
            }
            if self.state == State::Ending && self.early {
                return Turn::SourceEnded;
            }
        }
        self.end(cx, dst)
    }

    fn end(&mut self, cx: &mut Context<'_>, dst: &mut dyn Sink) -> Turn {
        loop {
            match self.state {
                State::Open => return Turn::Blocked(Blocked::Read),
                State::Ending => match dst.poll_flush(cx) {
                    Poll::Pending => return Turn::Blocked(Blocked::Write),
                    Poll::Ready(Err(_)) => return Turn::SinkFailed,
                    Poll::Ready(Ok(())) => {
                        self.state = if self.half_close { State::Closing } else { State::Done };
                    }
                },
                State::Closing => match dst.poll_shutdown(cx) {
                    Poll::Pending => return Turn::Blocked(Blocked::Write),
                    // The peer has closed already.
                    Poll::Ready(_) => self.state = State::Done,
                },
                State::Done => return Turn::Done,
            }
        }
    }

    /// One step through user space; none to go on.
    fn copied(&mut self, cx: &mut Context<'_>, src: &mut dyn Source, dst: &mut dyn Sink) -> Option<Turn> {
        match src.poll_fill(cx) {
            Poll::Ready(Ok(Fill::Data)) => match dst.poll_data(cx, src.data()) {
                Poll::Ready(Ok(n)) => {
                    src.consume(n);
                    self.bytes += n as u64;
                    self.streak += n as u64;
                    self.progress = true;
                    None
                }
                Poll::Ready(Err(_)) => Some(Turn::SinkFailed),
                Poll::Pending => Some(Turn::Blocked(Blocked::Write)),
            },
            Poll::Ready(Ok(Fill::End)) => {
                dst.end(src.trailers().filter(|_| !self.drop_trailers));
                self.state = State::Ending;
                None
            }
            Poll::Ready(Err(e)) => {
                // What came before the failure belongs to the peer.
                let _ = dst.poll_flush(cx);
                Some(Turn::SourceFailed(e))
            }
            Poll::Pending => {
                self.streak = 0;
                Some(match dst.poll_flush(cx) {
                    Poll::Ready(Ok(())) => Turn::Blocked(Blocked::Read),
                    Poll::Ready(Err(_)) => Turn::SinkFailed,
                    Poll::Pending => Turn::Blocked(Blocked::Write),
                })
            }
        }
    }

    fn wants_splice(&self) -> bool {
        match self.splice {
            Splice::No => false,
            Splice::Auto => self.pipe.is_some() || self.streak >= BULK,
            Splice::Always => true,
        }
    }

    /// Moves bytes through a pipe for as long as nobody has to look at them; none where that is impossible now.
    fn spliced(&mut self, cx: &mut Context<'_>, src: &mut dyn Source, dst: &mut dyn Sink) -> Option<Turn> {
        loop {
            if let Some(turn) = self.drain(cx, dst) {
                return Some(turn);
            }
            let (_, left) = src.raw_source()?;
            match dst.poll_flush(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Some(Turn::SinkFailed),
                Poll::Pending => return Some(Turn::Blocked(Blocked::Write)),
            }
            let (_, room) = dst.raw_sink()?;
            let max = usize::try_from(room.min(left)).unwrap_or(usize::MAX).min(MAX_SPLICE);
            let (from, _) = src.raw_source()?;
            let pipe = match &mut self.pipe {
                Some(p) => p,
                slot => slot.insert(Pipe::take().ok()?),
            };
            match pipe.poll_fill(cx, from, max) {
                Poll::Pending => {
                    // An idle direction keeps no pipe, and has to prove again that it carries bulk.
                    self.pipe = None;
                    self.streak = 0;
                    return Some(Turn::Blocked(Blocked::Read));
                }
                Poll::Ready(Some(Ok(0))) => {
                    src.moved(0, true);
                    self.pipe = None;
                    return None;
                }
                Poll::Ready(Some(Ok(n))) => {
                    src.moved(n as u64, false);
                    dst.announce(n as u64);
                    self.bytes += n as u64;
                    self.spliced += n as u64;
                    self.progress = true;
                }
                Poll::Ready(Some(Err(e))) if e.kind() != ErrorKind::InvalidInput => {
                    return Some(Turn::SourceFailed(e.into()));
                }
                Poll::Ready(_) => {
                    self.splice = Splice::No;
                    self.pipe = None;
                    return None;
                }
            }
        }
    }

    /// Empties the pipe.
    fn drain(&mut self, cx: &mut Context<'_>, dst: &mut dyn Sink) -> Option<Turn> {
        let pipe = self.pipe.as_mut().filter(|p| !p.is_empty())?;
        match dst.poll_flush(cx) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(_)) => return Some(Turn::SinkFailed),
            Poll::Pending => return Some(Turn::Blocked(Blocked::Write)),
        }
        let Some((to, _)) = dst.raw_sink() else { return Some(Turn::SinkFailed) };
        let held = pipe.len();
        let drained = pipe.poll_drain(cx, to, false);
        let n = (held - pipe.len()) as u64;
        dst.sent(n);
        self.progress |= n > 0;
        match drained {
            Poll::Ready(Some(Ok(()))) => None,
            Poll::Ready(Some(Err(_))) => Some(Turn::SinkFailed),
            Poll::Ready(None) => Some(Turn::SinkFailed),
            Poll::Pending => Some(Turn::Blocked(Blocked::Write)),
        }
    }
}
