//! What the session layer sees of a multiplexer: streams that carry one exchange, whatever the version.
//!
//! Everything is polled by the task that owns the connection; nothing here allocates a future. Bodies are seen
//! in place, in the mux's own buffer: [`Source::poll_fill`], [`Source::data`], [`Source::consume`].

mod h2stats;

pub use h2stats::{H2Event, H2Local, H2Stats};

use crate::buf::Buf;
use crate::transport::SockOpt;
use crate::{Connecting, Transport};
use hawser_http::{BodyLen, Head};
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

/// What a source has at its front.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fill {
    /// [`Source::data`] is not empty.
    Data,
    /// The body is over; [`Source::trailers`] tells whether there are any.
    End,
}

/// Why a stream cannot go on.
#[derive(Debug)]
pub enum StreamError {
    /// The peer closed before the message was complete.
    Eof,
    /// The peer closed before it sent anything of the message.
    Idle,
    /// The transport failed.
    Io(io::Error),
    /// The peer broke the protocol.
    Bad {
        /// Status that a client deserves for it.
        status: u16,
        /// What was wrong, for logs.
        why: &'static str,
    },
    /// The client speaks HTTP/2 from here on: [`FrontStream::take_transport`] gives the connection and its
    /// preface up to that mux.
    H2Preface,
    /// The peer took the stream back, or refused it (`RST_STREAM`), or the connection ended under it.
    Reset {
        /// Nothing was done with it: another attempt does no harm (`REFUSED_STREAM`, beyond a GOAWAY).
        refused: bool,
    },
}

impl From<io::Error> for StreamError {
    fn from(e: io::Error) -> Self {
        Self::Io(e)
    }
}

/// The receiving side of a stream.
pub trait Source {
    /// Waits for body bytes or the end. Does nothing while [`Source::data`] is not empty.
    ///
    /// # Errors
    /// [`StreamError::Eof`] for a truncated body.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<Fill, StreamError>>;

    /// Whether [`Source::poll_fill`] was pending for this task, and would be again. Only byte streams know.
    fn is_waiting(&self, cx: &Context<'_>) -> bool {
        let _ = cx;
        false
    }

    /// Body bytes that have arrived.
    fn data(&self) -> &[u8];

    /// Waits for more bytes behind those of [`Source::data`], for who has to look at more before any is consumed; 0 when
    /// no more can be had. Only byte streams do that.
    ///
    /// # Errors
    /// Those of the transport.
    fn poll_grow(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, StreamError>> {
        let _ = cx;
        Poll::Pending
    }

    /// Takes `n` bytes of [`Source::data`] away.
    fn consume(&mut self, n: usize);

    /// The trailer section, once the end was seen.
    fn trailers(&self) -> Option<&Head> {
        None
    }

    /// The transport and the number of body bytes that may be moved from it without anybody looking at them;
    /// `None` when there are bytes to consume first, or an encoding in the way.
    fn raw_source(&mut self) -> Option<(&mut dyn Transport, u64)> {
        None
    }

    /// Tells that `n` bytes were moved from [`Source::raw_source`]; `end` that its end of stream was seen.
    fn moved(&mut self, n: u64, end: bool) {
        let _ = (n, end);
    }
}

/// The sending side of a stream.
pub trait Sink {
    /// Takes some of `data`, which must be offered again where it was left. Small pieces are gathered until
    /// [`Sink::poll_flush`].
    ///
    /// # Errors
    /// Those of the transport.
    fn poll_data(&mut self, cx: &mut Context<'_>, data: &[u8]) -> Poll<Result<usize, StreamError>>;

    /// Ends the body; [`Sink::poll_flush`] sends what that takes.
    fn end(&mut self, trailers: Option<&Head>);

    /// Sends everything that was gathered.
    ///
    /// # Errors
    /// Those of the transport.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamError>>;

    /// Nothing is waiting to be sent.
    fn is_flushed(&self) -> bool;

    /// The transport and the number of body bytes that may be put on it as they are; `None` when something must be
    /// flushed first, or there is an encoding in the way.
    fn raw_sink(&mut self) -> Option<(&mut dyn Transport, u64)> {
        None
    }

    /// Tells that `n` bytes are about to be put on [`Sink::raw_sink`]: an encoding that has to announce them does
    /// so, and [`Sink::poll_flush`] comes first.
    fn announce(&mut self, n: u64) {
        let _ = n;
    }

    /// Tells that `n` bytes were put on [`Sink::raw_sink`].
    fn sent(&mut self, n: u64) {
        let _ = n;
    }

    /// Signals the end of the stream to the peer of a tunnel (`shutdown`); a stream with framing has no need.
    ///
    /// # Errors
    /// Those of the transport.
    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamError>>;
}

/// A stream in both directions.
pub trait Duplex: Source + Sink {}
impl<T: Source + Sink> Duplex for T {}

/// What a head says beyond the model: framing and the wishes of its sender.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MessageInfo {
    /// How the body ends.
    pub body: BodyLen,
    /// The sender will keep the connection after this exchange.
    pub keep_alive: bool,
    /// An upgrade is asked for or granted.
    pub upgrade: bool,
    /// The upgrade is to WebSocket.
    pub websocket: bool,
    /// `Expect: 100-continue`.
    pub expect_continue: bool,
}

impl Default for MessageInfo {
    fn default() -> Self {
        Self {
            body: BodyLen::None,
            keep_alive: false,
            upgrade: false,
            websocket: false,
            expect_continue: false,
        }
    }
}

/// One request of a client. An HTTP/1 connection is one such object, reused from request to request.
pub trait FrontStream: Duplex {
    /// Waits until bytes of a request are there, without reading or owning a buffer.
    ///
    /// # Errors
    /// Those of the transport. End of stream is readiness.
    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamError>>;

    /// Receives the head of the next request.
    ///
    /// # Errors
    /// [`StreamError::Idle`] when the client closed between requests.
    fn poll_request(
        &mut self,
        cx: &mut Context<'_>,
        head: &mut Head,
    ) -> Poll<Result<MessageInfo, StreamError>>;

    /// Whether some bytes of the next request were received.
    fn has_input(&self) -> bool {
        self.received() > 0
    }

    /// How many bytes of the next request were received so far.
    fn received(&self) -> usize;

    /// Starts the response: gathers its head. `close` tells the client that the connection ends after it. For
    /// [`BodyLen::Tunnel`] both directions become raw.
    fn send_response(&mut self, head: &Head, body: BodyLen, close: bool);

    /// Sends an interim response.
    fn send_interim(&mut self, head: &Head);

    /// The exchange is over: forgets it, and tells whether another request may follow.
    fn next_request(&mut self) -> bool;

    /// The response was sent: whether another request may follow once the rest of this one has come.
    fn outlives_response(&self) -> bool {
        false
    }

    /// Has the client gone away? Looks without waiting; registers for the news otherwise.
    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<Gone>;

    /// Sets an option of the connection's socket. Where streams share it, all of them are concerned.
    fn set_option(&mut self, opt: SockOpt);

    /// Makes the close of the connection a reset (`option nolinger`).
    fn set_linger_zero(&mut self) {}

    /// Gives the connection up, with what was read from it: after [`StreamError::H2Preface`].
    fn take_transport(self: Box<Self>) -> Option<(Box<dyn Transport>, Option<Buf>)> {
        None
    }

    /// Protocol errors that the connection has let pass so far (`fc_glitches`).
    fn glitches(&self) -> u32 {
        0
    }

    /// Ends the stream at once, and tells the client that it was not served whole; `silent` is the wish to
    /// have the whole connection closed.
    fn abort(&mut self, silent: bool) {
        let _ = silent;
    }
}

/// How a client has gone away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gone {
    /// It has closed its side. It may still take an answer.
    Closed,
    /// It has reset the connection, or taken the stream back.
    Reset,
}

/// A client's connection that carries many streams at once. One task owns it and calls
/// [`FrontConn::poll_stream`] for as long as it lives; its streams may be polled by other tasks of the thread.
pub trait FrontConn {
    /// Moves the connection on, in both directions, and hands out the next request, whose head is there
    /// already. `None` once the connection is over and nothing is left to send.
    fn poll_stream(&mut self, cx: &mut Context<'_>) -> Poll<Option<Box<dyn FrontStream>>>;

    /// Streams that were handed out and not dropped.
    fn streams(&self) -> u32;

    /// Takes no new stream, tells the client so (GOAWAY), and ends after the present ones.
    fn drain(&mut self);

    /// Asks the client for a sign of life (PING), unless one is being waited for.
    fn ping(&mut self);

    /// Whether a sign of life that was asked for has not come yet.
    fn awaits_pong(&self) -> bool;

    /// Protocol errors that were let pass so far (`fc_glitches`).
    fn glitches(&self) -> u32;

    /// Whether the client has not sent a byte.
    fn was_silent(&self) -> bool {
        false
    }

    /// Requests that were answered with a reset, for they were malformed, since this was asked the last time: no
    /// stream was made of them. A connection that ends without any sense counts as one.
    fn take_malformed(&mut self) -> u32 {
        0
    }

    /// Why the connection ended, if the client broke the protocol.
    fn error(&self) -> Option<&'static str>;

    /// Sets an option of its socket.
    fn set_option(&mut self, opt: SockOpt);

    /// Makes the close a reset.
    fn set_linger_zero(&mut self);
}

/// A client's connection as its mux sees it.
pub enum Fronted {
    /// Requests come one after the other.
    Single(Box<dyn FrontStream>),
    /// Requests come side by side.
    Multi(Box<dyn FrontConn>),
}

/// One request to a server.
pub trait BackStream: Duplex {
    /// Starts a request: gathers its head. `close` asks the server to close after its response.
    fn send_request(&mut self, head: &Head, info: &MessageInfo, close: bool);

    /// Waits until the connection is established. What was gathered goes out with it, so that the first bytes
    /// confirm the connection.
    ///
    /// # Errors
    /// Why it cannot be.
    fn poll_connected(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamError>>;

    /// Receives the head of a response, interim ones included.
    ///
    /// # Errors
    /// [`StreamError::Idle`] when the server closed before the first byte.
    fn poll_response(
        &mut self,
        cx: &mut Context<'_>,
        head: &mut Head,
    ) -> Poll<Result<MessageInfo, StreamError>>;

    /// How many exchanges it carried before this one.
    fn uses(&self) -> u32;

    /// The exchange is over: forgets it, and tells whether the connection can carry another one.
    fn next_request(&mut self) -> bool;

    /// An idle connection: whether the server closed it or sent something unasked. Costs no system call, and
    /// registers for the news.
    fn poll_dead(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// The same, in a form that other threads may take over: they call [`BackStream::migrate`] first. Nothing where the
    /// stream cannot leave its thread.
    fn into_send(self: Box<Self>) -> Option<Box<dyn BackStream + Send>> {
        None
    }

    /// Moves an idle connection to the reactor of the calling thread.
    ///
    /// # Errors
    /// It cannot be moved, and is good for nothing any more.
    fn migrate(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// The transport, once it is established and where the stream has it for itself.
    fn transport(&mut self) -> Option<&mut dyn Transport>;

    /// Makes the close of the connection a reset, where it carries nothing else.
    fn set_linger_zero(&mut self) {}

    /// The connection, where it can carry more streams beside this one. Known once it is established.
    fn conn(&self) -> Option<Arc<dyn BackConn>> {
        None
    }
}

/// A connection to a server that carries many streams at once. A task of the thread that made it moves it on;
/// streams may be opened on it, and used, from every thread.
pub trait BackConn: Send + Sync {
    /// Another stream; `None` when neither side allows one more at present, or ever.
    fn open(&self) -> Option<Box<dyn BackStream>>;

    /// Streams under way.
    fn streams(&self) -> u32;

    /// Streams opened since the start.
    fn opened(&self) -> u64;

    /// Whether it may ever take another stream: no GOAWAY came, nothing failed, and it was not told to drain.
    fn is_usable(&self) -> bool;

    /// Takes no new stream, tells the peer so where that is possible, and ends after the present ones.
    fn drain(&self);

    /// Tells the peer that the end is near, where that is possible, and goes on: for a peer that is to prepare
    /// another connection first.
    fn retire(&self) {}

    /// Ends at once, with its streams.
    fn close(&self);

    /// Ready once the connection is over; registers for the news otherwise. Any number of tasks may wait.
    fn poll_closed(&self, cx: &mut Context<'_>) -> Poll<()>;

    /// Asks the peer for a sign of life (PING) and closes when none comes within `timeout`.
    fn ping(&self, timeout: std::time::Duration);

    /// Time between the last PING and its answer, if there was one.
    fn rtt(&self) -> Option<std::time::Duration>;

    /// Bytes received and sent on the wire.
    fn bytes(&self) -> (u64, u64);

    /// Protocol errors that were let pass so far (`bc_glitches`).
    fn glitches(&self) -> u32;

    /// The peer's address and the local one.
    fn addresses(&self) -> (crate::Address, crate::Address);
}

/// A connection that its peer opened and that is to carry requests to that peer (reverse HTTP): its roles are
/// being swapped.
pub trait Adopting {
    /// Waits until the peer has sent what it starts with (preface and SETTINGS).
    ///
    /// # Errors
    /// The peer speaks something else, or left.
    fn poll_adopted(&mut self, cx: &mut Context<'_>) -> Poll<Result<Arc<dyn BackConn>, StreamError>>;
}

/// Settings of HTTP/2 on one side (`tune.h2.*`, manual 3.2).
#[derive(Clone, Debug)]
pub struct H2Conf {
    /// `header-table-size` (bytes).
    pub header_table_size: u32,
    /// `initial-window-size` of a stream (bytes).
    pub initial_window_size: u32,
    /// `max-concurrent-streams`.
    pub max_concurrent_streams: u32,
    /// `max-frame-size` (bytes).
    pub max_frame_size: u32,
    /// `glitches-threshold`, 0 for none.
    pub glitches_threshold: u32,
    /// `fe.max-total-streams`, 0 for no limit; connections to servers have `max-reuse` instead.
    pub max_total_streams: u32,
    /// `rxbuf`: most bytes that a connection holds for streams that do not take them (bytes).
    pub rxbuf: u32,
    /// Offer RFC 8441 to clients: no `h2-workaround-bogus-websocket-clients`.
    pub extended_connect: bool,
}

impl Default for H2Conf {
    fn default() -> Self {
        Self {
            header_table_size: 4096,
            initial_window_size: 65536,
            max_concurrent_streams: 100,
            max_frame_size: 16384,
            glitches_threshold: 0,
            max_total_streams: 0,
            rxbuf: 0,
            extended_connect: true,
        }
    }
}

/// How a proxy speaks on one side: what a mux needs to know from the configuration.
#[derive(Clone, Debug, Default)]
pub struct MuxConf {
    /// `tune.h2.*` of this side.
    pub h2: H2Conf,
    /// What its HTTP/2 connections count.
    pub h2_stats: Arc<H2Stats>,
    /// Most fields of a head (`tune.http.maxhdr`).
    pub max_fields: usize,
    /// Most bytes of a head (`tune.bufsize` minus `tune.maxrewrite`).
    pub max_bytes: usize,
    /// A client that starts with the preface of HTTP/2 goes on with that: not after `proto h1`, nor with
    /// `option disable-h2-upgrade`.
    pub h2_upgrade: bool,
    /// `option accept-unsafe-violations-in-http-request`.
    pub unsafe_request: bool,
    /// `option accept-unsafe-violations-in-http-response`.
    pub unsafe_response: bool,
    /// `tune.h1.*.glitches-threshold` of this side, 0 for none.
    pub h1_glitches: u32,
    /// `h1-accept-payload-with-any-method`.
    pub payload_with_any_method: bool,
    /// `h1-do-not-close-on-insecure-transfer-encoding`.
    pub keep_insecure_te: bool,
    /// `h1-case-adjust` pairs, when the option for that side is set: (lower case, as sent).
    pub case_adjust: Vec<(String, String)>,
}

/// A mux for connections of clients, set up for one proxy.
pub trait FrontMux: Send + Sync {
    /// Takes over an accepted connection, and bytes that were read from it.
    fn accept(&self, transport: Box<dyn Transport>, early: Option<Buf>) -> Fronted;

    /// What the mux sends first on a connection that it was given, when that does not depend on the client:
    /// the SETTINGS frame of HTTP/2. A connection that this side opened and whose roles are to be swapped
    /// (reverse HTTP) starts with the client's preface and this; its transport then swallows it when the mux
    /// sends it again.
    fn greeting(&self) -> Vec<u8> {
        Vec::new()
    }
}

/// A mux for connections to servers, set up for one proxy.
pub trait BackMux: Send + Sync {
    /// Takes over a connection that may not be established yet.
    fn connect(&self, line: Box<dyn Connecting>) -> Box<dyn BackStream>;

    /// Takes over a connection that the peer opened, and bytes that were read from it, to send requests on it;
    /// `None` where the protocol has no way to do that.
    fn adopt(&self, transport: Box<dyn Transport>, early: Option<Buf>) -> Option<Box<dyn Adopting>> {
        let _ = (transport, early);
        None
    }
}

/// Sets up the client side of a mux.
pub type MakeFront = fn(&MuxConf) -> Arc<dyn FrontMux>;
/// Sets up the server side of a mux.
pub type MakeBack = fn(&MuxConf) -> Arc<dyn BackMux>;

/// A mux, as `bind … proto` and `server … proto` name it.
pub struct MuxRow {
    /// `h1`, `h2`, `fcgi`.
    pub token: &'static str,
    /// What TLS negotiates for it (`http/1.1`, `h2`); empty for none.
    pub alpn: &'static str,
    /// Sets up the client side, if it has one.
    pub front: Option<MakeFront>,
    /// Sets up the server side, if it has one.
    pub back: Option<MakeBack>,
}
