//! What one stream owns: an HTTP request and its response, or a TCP connection to a server.

use crate::client::{Client, View};
use crate::connect::Tries;
use crate::held::Held;
use crate::persist::Persist;
use crate::pump::Pump;
use crate::snapshot::{Proxy, Snapshot, Times};
use crate::stick::Keys;
use hawser_balance::{BackendGuard, EndCause, SessionEnd, Slot};
use hawser_http::Head;
use hawser_proto::mux::MessageInfo;
use hawser_rules::{Asks, Errors, Room, Txn};
use hawser_sample::Ctx;
use hawser_sample::ctx::Payload;
use hawser_sample::facts::{Strm, TermCause, TermState};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// Heads that grew beyond this are not kept for the next stream (bytes).
const KEEP_HEAD: usize = 64 * 1024;

/// Whether a server's sessions have to end now, and the letter for it.
pub(crate) fn ended(end: &mut Option<SessionEnd>, cx: &mut Context<'_>) -> Option<TermCause> {
    match Pin::new(end.as_mut()?).poll(cx) {
        Poll::Pending => None,
        Poll::Ready(EndCause::Down) => Some(TermCause::Down),
        Poll::Ready(EndCause::Up) => Some(TermCause::Up),
        Poll::Ready(EndCause::Killed) => Some(TermCause::Killed),
    }
}

/// A stream. Its memory is reused from one to the next.
#[derive(Default)]
pub(crate) struct Stream {
    /// Facts for rules and logs.
    pub(crate) strm: Strm,
    /// The request head.
    pub(crate) req: Head,
    /// The response head.
    pub(crate) res: Head,
    /// What the mux said of the request.
    pub(crate) info: MessageInfo,
    /// Length of the heads of request and response as they came, and the body bytes beside them in the buffer that
    /// HAProxy would have used for both: they bound what rules may add.
    pub(crate) came: [Came; 2],
    /// What rules ask of the stream.
    pub(crate) asks: Asks,
    /// Body bytes of the request that were read ahead.
    pub(crate) held: Held,
    /// Body bytes of the response that were read ahead.
    pub(crate) res_held: Held,
    /// The backend, once chosen.
    pub(crate) be: Option<Arc<Proxy>>,
    /// Counts it among the backend's streams.
    pub(crate) guard: Option<BackendGuard>,
    /// Which server it has to go to.
    pub(crate) persist: Persist,
    /// What `stick` rules are to remember of it.
    pub(crate) keys: Keys,
    /// Attempts to reach a server.
    pub(crate) tries: Tries,
    /// Its place on a server.
    pub(crate) slot: Option<Slot>,
    /// Counts it among the streams of a frontend's log.
    pub(crate) logged: bool,
    /// Nothing to log: no request at all, or one that `monitor-uri` answers.
    pub(crate) unlogged: bool,
    /// The client broke off while its body was waited for.
    pub(crate) aborted: bool,
    /// The client has to log in first, which is counted as its error once it was told.
    pub(crate) blamed: bool,
    /// It was a TCP stream first, which has seen the content rules of the frontend.
    pub(crate) switched: bool,
    /// Bytes that went past the process (`option splice-*`): of the request, of the response.
    pub(crate) spliced: [u64; 2],
    /// Bytes that the statistics know of already: in, out.
    pub(crate) counted: [u64; 2],
    /// Bytes of a response that the proxy made itself, which logs do not count.
    pub(crate) own_bytes: u64,
}

impl Stream {
    /// Forgets everything; false when its memory is not worth keeping.
    pub(crate) fn reset(&mut self) -> bool {
        self.slot = None;
        self.guard = None;
        self.be = None;
        self.strm = Strm::default();
        self.req.clear();
        self.res.clear();
        self.info = MessageInfo::default();
        let scratch = std::mem::take(&mut self.asks.scratch);
        self.asks = Asks { scratch, ..Asks::default() };
        self.held.clear();
        self.res_held.clear();
        self.came = Default::default();
        self.logged = false;
        self.unlogged = false;
        self.aborted = false;
        self.blamed = false;
        self.switched = false;
        self.spliced = [0; 2];
        self.counted = [0; 2];
        self.own_bytes = 0;
        self.keys.clear();
        self.tries = Tries::default();
        self.persist = Persist::default();
        self.req.buf.capacity() + self.res.buf.capacity() + self.asks.scratch.capacity() <= KEEP_HEAD
    }

    /// Adds what pumps moved, up and down.
    pub(crate) fn moved(&mut self, up: &mut Pump, down: &Pump) {
        self.received(up);
        self.strm.bytes_out += down.bytes;
        self.spliced[1] += down.spliced;
    }

    /// Notes what a pump has moved of the request so far.
    pub(crate) fn received(&mut self, up: &mut Pump) {
        self.strm.bytes_in += std::mem::take(&mut up.bytes);
        self.spliced[0] += std::mem::take(&mut up.spliced);
    }

    /// What ends the stream together with all others on its server; nothing, on most servers.
    pub(crate) fn session_end(&self) -> Option<SessionEnd> {
        self.slot.as_ref()?.server().session_end()
    }

    /// Notes why the stream ends, unless that was noted before.
    pub(crate) fn ended(&mut self, cause: TermCause, state: TermState) {
        // HAProxy logs sessions that a change of servers ended as if they had been connecting.
        let changed = matches!(cause, TermCause::Down | TermCause::Up | TermCause::Killed);
        let state = if changed { TermState::Connect } else { state };
        if self.strm.cause == TermCause::Normal {
            self.strm.cause = cause;
            self.strm.state = state;
        }
    }

    /// Timeouts in force: the backend's and, for its own side, the frontend's, as `set-timeout` changed them.
    pub(crate) fn times(&self, fe: &Proxy) -> Times {
        let be = self.be.as_deref().unwrap_or(fe);
        let asked = |ask: Option<u32>, conf: Option<Duration>| match ask {
            Some(ms) => crate::snapshot::time(Some(ms)),
            None => conf,
        };
        let a = &self.strm.set_timeouts;
        Times {
            client: asked(a.client, fe.times.client),
            client_fin: fe.times.client_fin,
            http_keep_alive: fe.times.http_keep_alive,
            http_request: fe.times.http_request,
            connect: asked(a.connect, be.times.connect),
            queue: asked(a.queue, be.times.queue),
            server: asked(a.server, be.times.server),
            server_fin: be.times.server_fin,
            tarpit: asked(a.tarpit, be.times.tarpit),
            tunnel: asked(a.tunnel, be.times.tunnel),
        }
    }

    /// Error replies in force.
    pub(crate) fn errors<'a>(fe: &'a Proxy, be: Option<&'a Arc<Proxy>>) -> Errors<'a> {
        let backend = be.filter(|b| !std::ptr::eq(&raw const ***b, fe));
        Errors { backend: backend.map(|b| &b.errors), frontend: Some(&fe.errors) }
    }
}

/// What arrived of a message when its rules are due (bytes).
#[derive(Clone, Copy, Default)]
pub(crate) struct Came {
    pub(crate) head: usize,
    body: usize,
}

impl Came {
    /// A head, and body bytes that are at hand.
    pub(crate) fn new(head: &Head, body: usize, snapshot: &Snapshot) -> Self {
        Self { head: head.buf.len(), body: 0 }.with_body(body, snapshot)
    }

    /// The same, with more of the body; what is reserved for rewrites stays free.
    pub(crate) fn with_body(self, body: usize, snapshot: &Snapshot) -> Self {
        let room = snapshot.bufsize.saturating_sub(snapshot.maxrewrite + self.head);
        Self { body: body.min(room).max(self.body), ..self }
    }
}

/// Bytes that rules may look at.
#[derive(Clone, Copy, Default)]
pub(crate) struct Seen<'a> {
    /// More of them may come.
    pub(crate) partial: bool,
    /// From the client.
    pub(crate) req: Option<Payload<'a>>,
    /// From the server.
    pub(crate) res: Option<Payload<'a>>,
}

/// Builds the view that rules get of a stream; runs `f` on it.
pub(crate) fn with_txn<R>(
    cl: &Client,
    st: &mut Stream,
    seen: Option<Seen<'_>>,
    response: bool,
    f: impl FnOnce(&mut Txn<'_>) -> R,
) -> R {
    let (worker, snapshot, fe) = (&cl.worker, &cl.snapshot, &cl.fe);
    let mut sess = cl.sess.borrow_mut();
    let view = View { worker, snapshot };
    let Stream { strm, req, res, asks, held, res_held, be, came, .. } = st;
    let has_req = req.start != hawser_http::Start::Trailers;
    let has_res = response && res.start != hawser_http::Start::Trailers;
    let seen = seen.unwrap_or(Seen {
        partial: false,
        req: has_req.then(|| held.payload()),
        res: has_res.then(|| res_held.payload()),
    });
    let mut txn = Txn {
        sess: &mut sess,
        strm: Some(strm),
        req: has_req.then_some(req),
        res: has_res.then_some(res),
        req_data: seen.req,
        res_data: seen.res,
        proc_vars: &worker.shared().proc_vars,
        rt: &view,
        response,
        partial: seen.partial,
        capture_lens: [&fe.rules.captures[0], &fe.rules.captures[1]],
        errors: Stream::errors(fe, be.as_ref()),
        room: Room { bufsize: snapshot.bufsize, held: came[usize::from(response)].body },
        asks,
    };
    f(&mut txn)
}

/// Builds the read-only view for expressions and logs; runs `f` on it.
pub(crate) fn with_ctx<R>(cl: &Client, st: &Stream, response: bool, f: impl FnOnce(&Ctx<'_>) -> R) -> R {
    let view = View { worker: &cl.worker, snapshot: &cl.snapshot };
    let sess = cl.sess.borrow();
    let head = |h| Some(h).filter(|h: &&Head| h.start != hawser_http::Start::Trailers);
    let ctx = Ctx {
        sess: Some(&sess),
        strm: Some(&st.strm),
        req: head(&st.req),
        res: head(&st.res),
        req_data: Some(st.held.payload()),
        res_data: Some(st.res_held.payload()),
        proc_vars: Some(&cl.worker.shared().proc_vars),
        rt: Some(&view),
        response,
        partial: false,
        writes: None,
    };
    f(&ctx)
}
