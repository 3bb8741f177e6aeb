//! Runs the steps of a check over a connection.

use crate::pool::{Lent, Pool, Single, Target};
use crate::protocol::{Answer, Reading, Received};
use crate::script::expect::Found;
use crate::script::{Action, Connect, Expect, Request, Script, Step};
use crate::settings::Settings;
use crate::status::Status;
use conn::{Conn, Fault, Got};
use exchange::Message;
use hawser_balance::server::Server;
use hawser_proto::mux::{BackMux, StreamError};
use hawser_proto::{ConnectTo, pp};
use hawser_sample::ctx::Payload;
use hawser_sample::{Ctx, Value};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

mod conn;
mod exchange;
mod response;

use response::Response;

/// What a check found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// The result.
    pub status: Status,
    /// HTTP status, or what `status-code` computed.
    pub code: Option<u16>,
    /// More about it, for the logs and `last_chk`.
    pub info: String,
    /// How long it took, ms.
    pub duration: u32,
}

/// Everything a check needs to know.
pub(crate) struct Probe<'a> {
    pub(crate) script: &'a Script,
    pub(crate) settings: &'a Settings,
    pub(crate) server: &'a Arc<Server>,
    /// Number of its backend among the proxies.
    pub(crate) backend: usize,
    /// Where connections that are there already come from.
    pub(crate) pool: &'a dyn Pool,
    /// Connection settings of the server line; the address is filled in.
    pub(crate) to: &'a ConnectTo,
    /// `http-check send-state`: the value of the header.
    pub(crate) state: Option<String>,
    /// Most bytes of a response that are looked at.
    pub(crate) bufsize: usize,
    /// What HTTP checks speak, where that is not HTTP/1 on a connection of their own.
    pub(crate) mux: Option<&'a dyn BackMux>,
}

/// How a check ends early.
struct Failure {
    status: Status,
    code: Option<u16>,
    info: String,
}

type Done<T> = Result<T, Failure>;

/// A check under way.
struct Run<'a> {
    p: &'a Probe<'a>,
    conn: Option<Conn>,
    /// A connection of traffic, in place of one of its own.
    lent: Option<Box<dyn Lent>>,
    /// What it opens is to go into the pool afterwards.
    pooled: bool,
    linger: bool,
    /// No later than this, whatever happens.
    deadline: Instant,
    /// What was received and not discarded.
    data: Vec<u8>,
    ended: bool,
    response: Option<Response>,
    last: Last,
}

/// Outcome of the last step.
struct Last {
    status: Status,
    code: Option<u16>,
    info: String,
}

impl Probe<'_> {
    /// Runs the check. Never fails: what goes wrong is the outcome.
    pub(crate) async fn run(&self) -> Outcome {
        let start = Instant::now();
        let whole = Duration::from_millis(self.settings.inter.into());
        let last = Last { status: self.script.connected(), code: None, info: String::new() };
        let mut run = Run {
            p: self,
            conn: None,
            lent: None,
            pooled: false,
            linger: false,
            deadline: start + whole,
            data: Vec::new(),
            ended: false,
            response: None,
            last,
        };
        let end = run.steps().await;
        run.close();
        let duration = u32::try_from(start.elapsed().as_millis()).unwrap_or(u32::MAX);
        match end {
            Ok(()) => run.passed(duration),
            Err(f) => Outcome { status: f.status, code: f.code, info: f.info, duration },
        }
    }
}

impl Run<'_> {
    async fn steps(&mut self) -> Done<()> {
        let script = self.p.script;
        if !matches!(script.steps.first().map(|s| &s.action), Some(Action::Connect(_))) {
            self.connect(&Connect::default(), None).await?;
        }
        for (i, step) in script.steps.iter().enumerate() {
            match &step.action {
                Action::Connect(c) => self.connect(c, Some(step)).await?,
                Action::Send(data) => {
                    let bytes = data.bytes(&Ctx::EMPTY).unwrap_or_default();
                    self.send(&bytes, step).await?;
                }
                Action::Request(r) if self.p.mux.is_some() || self.lent.is_some() => {
                    self.exchange(r, step).await?
                }
                Action::Request(r) => {
                    let bytes = r.render(self.p.state.as_deref(), &Ctx::EMPTY);
                    self.send(&bytes, step).await?;
                    self.response = Some(Response::new(r.method == "HEAD"));
                }
                Action::Expect(e) if script.http => self.expect_http(e, step, i).await?,
                Action::Expect(e) => self.expect(e, step).await?,
                Action::Answer(reading) => self.answer_of(reading, step).await?,
            }
        }
        Ok(())
    }

    fn passed(self, duration: u32) -> Outcome {
        let Last { status, code, mut info } = self.last;
        let tcp_rules = self.p.script.explicit && !self.p.script.http;
        if info.is_empty() && tcp_rules {
            info = "(tcp-check)".into();
        }
        let code = if tcp_rules && status.has_code() { Some(code.unwrap_or(0)) } else { code };
        Outcome { status, code, info, duration }
    }

    async fn connect(&mut self, c: &Connect, step: Option<&Step>) -> Done<()> {
        self.close();
        let p = self.p;
        self.pooled = p.settings.reuse_pool && p.script.http && c.is_default();
        if self.pooled {
            self.lent = p.pool.take(self.target());
        }
        if self.lent.is_some() {
            self.connected(c);
            return Ok(());
        }
        if p.server.attached.is_some() {
            // Nobody can be dialled.
            return Err(self.failure(Status::SockErr, String::new(), step));
        }
        let mut to = p.to.clone();
        to.dst = p.settings.target(p.server, c.addr, c.port);
        let limit = Duration::from_millis(p.settings.connect_timeout.into());
        let at = if p.settings.read_timeout.is_some() { Instant::now() + limit } else { self.deadline };
        let mut conn = match timeout_at(at, Conn::open(&to)).await {
            Err(_) => return Err(self.failure(Status::L4Tout, String::new(), step)),
            Ok(Err(fault)) => {
                let status = if fault.is_connection_problem() { Status::L4Con } else { Status::SockErr };
                return Err(self.failure(status, fault.text(), step));
            }
            Ok(Ok(conn)) => conn,
        };
        self.connected(c);
        let version = if c.send_proxy { p.settings.send_proxy.max(1) } else { p.settings.send_proxy };
        if version != 0 {
            let (local, peer) = (conn.local(), conn.peer());
            // No client asked for this connection: version 1 has no other word for that than its own addresses.
            let ends = Some((&local, &peer));
            let header = match version {
                1 => pp::v1(ends),
                _ => pp::v2(ends.filter(|_| p.settings.own_addresses), &[], false),
            };
            conn.write(&header).await.map_err(|f| self.failure(Status::SockErr, f.text(), step))?;
        }
        self.conn = Some(conn);
        Ok(())
    }

    /// A connection is there.
    fn connected(&mut self, c: &Connect) {
        if let Some(t) = self.p.settings.read_timeout {
            self.deadline = Instant::now() + Duration::from_millis(t.into());
        }
        self.linger = c.linger;
        self.data.clear();
        self.ended = false;
        self.last = Last { status: self.p.script.connected(), code: None, info: String::new() };
    }

    fn target(&self) -> Target<'_> {
        let name = self.p.settings.pool_conn_name.as_deref();
        Target { backend: self.p.backend, server: self.p.server, name }
    }

    async fn send(&mut self, bytes: &[u8], step: &Step) -> Done<()> {
        // Answers to what was sent before do not count any more.
        self.data.clear();
        let deadline = self.deadline;
        let Some(conn) = &mut self.conn else {
            return Err(self.failure(Status::SockErr, String::new(), Some(step)));
        };
        match timeout_at(deadline, conn.write(bytes)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(f)) => Err(self.failure(Status::SockErr, f.text(), Some(step))),
            Err(_) => Err(self.failure(Status::L7Tout, String::new(), Some(step))),
        }
    }

    /// A request and its response by way of a mux.
    async fn exchange(&mut self, r: &Request, step: &Step) -> Done<()> {
        let message = Message::of(r, self.p.state.as_deref());
        let deadline = self.deadline;
        match timeout_at(deadline, self.answer(&message)).await {
            Ok(Ok(response)) => {
                self.ended = true;
                self.response = Some(response);
                Ok(())
            }
            Ok(Err(StreamError::Io(e))) => {
                Err(self.failure(Status::SockErr, Fault::of(e).text(), Some(step)))
            }
            Ok(Err(StreamError::Bad { .. })) => Err(self.failure(Status::L7Rsp, String::new(), Some(step))),
            Ok(Err(_)) => Err(self.failure(Status::SockErr, String::new(), Some(step))),
            Err(_) => Err(self.failure(Status::L7Tout, String::new(), Some(step))),
        }
    }

    async fn answer(&mut self, m: &Message) -> Result<Response, StreamError> {
        let mut lent = match (self.lent.take(), self.conn.take(), self.p.mux) {
            (Some(mut lent), ..) => {
                exchange::send(lent.stream(), m).await?;
                lent
            }
            (None, Some(conn), Some(mux)) => {
                let mut stream = exchange::stream_on(mux, conn.into_transport());
                exchange::send(&mut *stream, m).await?;
                match self.pooled {
                    true => self.p.pool.opened(self.target(), stream),
                    false => Box::new(Single(stream)),
                }
            }
            _ => return Err(StreamError::Idle),
        };
        let response = exchange::respond(lent.stream(), m, self.p.bufsize).await?;
        lent.give_back();
        Ok(response)
    }

    /// Receives more. `Ok(false)` at the end of the stream or when the buffer is full.
    async fn receive(&mut self) -> Result<bool, Stop> {
        let room = self.p.bufsize.saturating_sub(self.data.len());
        let deadline = self.deadline;
        let Some(conn) = &mut self.conn else { return Ok(false) };
        if self.ended || room == 0 {
            return Ok(false);
        }
        match timeout_at(deadline, conn.read(&mut self.data, room)).await {
            Err(_) => Err(Stop::Timeout),
            Ok(Got::Some) => Ok(true),
            Ok(Got::End) => {
                self.ended = true;
                Ok(false)
            }
            Ok(Got::Fault(f)) => Err(Stop::Fault(f)),
        }
    }

    /// Reads an answer in the protocol of a service.
    async fn answer_of(&mut self, reading: &Reading, step: &Step) -> Done<()> {
        loop {
            let ended = self.ended || self.data.len() >= self.p.bufsize;
            match (reading.read)(&Received { data: &self.data, ended, step: step.number }) {
                Answer::Good(code, info) => {
                    let status = if code.is_some() { Status::L7Ok } else { Status::L6Ok };
                    self.last = Last { status, code, info };
                    return Ok(());
                }
                Answer::Bad(status, code, info) => return Err(Failure { status, code, info }),
                Answer::More if ended => {
                    return Err(Failure { status: Status::L7Rsp, code: None, info: String::new() });
                }
                Answer::More => {}
            }
            match self.receive().await {
                Ok(_) => {}
                Err(Stop::Timeout) => return Err(self.failure(reading.late, String::new(), Some(step))),
                Err(Stop::Fault(f)) => return Err(self.failure(Status::SockErr, f.text(), Some(step))),
            }
        }
    }

    async fn expect(&mut self, e: &Expect, step: &Step) -> Done<()> {
        loop {
            let complete = self.ended || self.data.len() >= self.p.bufsize;
            let found = if self.data.is_empty() {
                if complete { Found::No } else { Found::NotYet }
            } else {
                let ctx = Ctx { res_data: Some(Payload { data: &self.data, complete }), ..Ctx::EMPTY };
                e.look(&self.data, complete, &ctx)
            };
            match found {
                Found::Yes => return self.accept(e, None),
                Found::No => {
                    let info = if self.data.is_empty() {
                        format!("TCPCHK got an empty response at step {}", step.number)
                    } else {
                        format!("{} at step {}{}", e.mismatch(), step.number, step.comment_suffix())
                    };
                    return self.refuse(e, Status::L7Rsp, None, info);
                }
                Found::NotYet => {}
            }
            match self.receive().await {
                Ok(_) => {}
                Err(Stop::Timeout) => return Err(self.failure(e.timeout, String::new(), Some(step))),
                Err(Stop::Fault(f)) => return Err(self.failure(Status::SockErr, f.text(), Some(step))),
            }
        }
    }

    async fn expect_http(&mut self, e: &Expect, step: &Step, index: usize) -> Done<()> {
        let whole = !e.looks_at_head();
        self.read_response(whole).await.map_err(|stop| match stop {
            Stop::Timeout => Failure { status: e.timeout, code: None, info: String::new() },
            Stop::Fault(f) => Failure { status: Status::SockErr, code: None, info: f.text() },
        })?;
        let Some(response) = self.response.take() else { return Ok(()) };
        let head = response.head();
        let code = head.status();
        if self.p.script.disable_on_404 && code == 404 && self.is_last_expect(index) {
            self.last = Last { status: Status::L7OkC, code: Some(code), info: String::new() };
            return Ok(());
        }
        let body = response.body();
        let ctx = Ctx {
            res: Some(head),
            res_data: Some(Payload { data: body, complete: true }),
            response: true,
            ..Ctx::EMPTY
        };
        let result = match e.look_at_head(head) {
            Some(true) => self.accept(e, Some((&ctx, code))),
            Some(false) => {
                let reason = String::from_utf8_lossy(head.reason()).into_owned();
                let what = format!("{} at step {}", e.mismatch(), step.number);
                let info = if reason.is_empty() { what } else { reason } + &step.comment_suffix();
                self.refuse(e, Status::L7Sts, Some((&ctx, code)), info)
            }
            None if body.is_empty() => {
                let info =
                    "HTTP content check could not find a response body".to_owned() + &step.comment_suffix();
                self.refuse(e, Status::L7Rsp, Some((&ctx, code)), info)
            }
            None if e.look(body, true, &ctx) == Found::Yes => self.accept(e, Some((&ctx, code))),
            None => {
                let what = if e.negate {
                    "HTTP check matched unwanted content"
                } else {
                    "HTTP content check did not match"
                };
                self.refuse(e, Status::L7Rsp, Some((&ctx, code)), what.to_owned() + &step.comment_suffix())
            }
        };
        self.response = Some(response);
        result
    }

    fn is_last_expect(&self, index: usize) -> bool {
        self.p
            .script
            .steps
            .get(index + 1..)
            .is_none_or(|rest| !rest.iter().any(|s| matches!(s.action, Action::Expect(_))))
    }

    /// Reads a response up to its head, or with its body as far as the buffer goes.
    async fn read_response(&mut self, whole: bool) -> Result<(), Stop> {
        let broken = || Stop::Fault(Fault::none());
        loop {
            let Some(mut response) = self.response.take() else { return Err(broken()) };
            let progress = response.feed(&self.data, self.ended || self.data.len() >= self.p.bufsize);
            self.response = Some(response);
            match progress {
                response::Progress::Complete => return Ok(()),
                response::Progress::Head if !whole => return Ok(()),
                response::Progress::Head | response::Progress::Partial if !self.ended => {}
                _ => return Err(broken()),
            }
            self.receive().await?;
        }
    }

    fn accept(&mut self, e: &Expect, http: Option<(&Ctx<'_>, u16)>) -> Done<()> {
        let (code, info) = self.custom(e, http, e.on_success.as_ref());
        self.last = Last { status: e.ok, code, info: info.unwrap_or_default() };
        Ok(())
    }

    fn refuse(
        &mut self,
        e: &Expect,
        status: Status,
        http: Option<(&Ctx<'_>, u16)>,
        info: String,
    ) -> Done<()> {
        let status = e.error.unwrap_or(status);
        let (code, custom) = self.custom(e, http, e.on_error.as_ref());
        let info = custom.unwrap_or(info);
        let tcp_code = (!self.p.script.http && status.has_code()).then_some(0);
        Err(Failure { status, code: code.or(tcp_code), info })
    }

    /// Code and text as the options of the step want them.
    fn custom(
        &self,
        e: &Expect,
        http: Option<(&Ctx<'_>, u16)>,
        format: Option<&hawser_sample::LogFormat>,
    ) -> (Option<u16>, Option<String>) {
        let own = Ctx { res_data: Some(Payload { data: &self.data, complete: true }), ..Ctx::EMPTY };
        let ctx = http.map_or(&own, |h| h.0);
        let code = match &e.status_code {
            Some(expr) => expr.eval(ctx).as_ref().and_then(Value::as_int).and_then(|n| u16::try_from(n).ok()),
            None => http.map(|h| h.1),
        };
        let text = format.map(|f| {
            let mut out = Vec::new();
            f.eval(ctx, &mut out);
            String::from_utf8_lossy(&out).into_owned()
        });
        (code, text)
    }

    /// A failure between server and check; scripts of `tcp-check` say where.
    fn failure(&self, status: Status, info: String, step: Option<&Step>) -> Failure {
        let script = self.p.script;
        let place = match step {
            Some(s) if script.explicit && !script.http => {
                let comment = s.comment.as_ref().map(|c| format!(" comment: '{c}'")).unwrap_or_default();
                format!(" at step {} of tcp-check ({}){comment}", s.number, s.describe())
            }
            _ => String::new(),
        };
        Failure { status, code: None, info: info + &place }
    }

    fn close(&mut self) {
        if let Some(unused) = self.lent.take() {
            unused.give_back();
        }
        if let Some(conn) = self.conn.take() {
            conn.close(self.linger);
        }
    }
}

/// Why nothing more was received.
enum Stop {
    Timeout,
    Fault(Fault),
}

#[cfg(test)]
pub(crate) mod tests;
