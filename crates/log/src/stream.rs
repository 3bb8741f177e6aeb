//! The log line of a stream (manual 8.2).

use crate::event::level;
use crate::logger::Logger;
use hawser_cfg::diag::{Diags, Layout};
use hawser_cfg::env::formats;
use hawser_cfg::model::{Config, LogFormatDecl, Mode, Options, Proxy, opt};
use hawser_cfg::pos::Pos;
use hawser_sample::facts::{LogLevel, LogOrigin, Strm, TermCause};
use hawser_sample::{Checkpoint, CompileCx, Ctx, Flavor, LogFormat};
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What is logged without `log-format` or an option that chooses one (manual 8.2.1).
const DEFAULT: &str = "Connect from %ci:%cp to %fi:%fp (%f/";
/// What is logged about a connection that fails before there is a stream (manual 8.2.5).
const SESSION_ERROR: &str = "%ci:%cp [%t] %f/";

/// How a frontend logs its streams.
#[derive(Debug, Default)]
pub struct StreamLogger {
    logger: Arc<Logger>,
    format: LogFormat,
    sd: LogFormat,
    error: Option<LogFormat>,
    session_error: LogFormat,
    options: Options,
    early: bool,
}

impl StreamLogger {
    /// Compiles `log-format`, `option httplog` and relatives of a proxy of the configuration.
    pub fn compile(diags: &mut Diags, config: &Config, proxy: &Proxy, logger: Arc<Logger>) -> Self {
        let mut this = Self { logger, options: proxy.options, ..Self::default() };
        let cx = &mut CompileCx::new(config, diags);
        cx.proxy = config.proxies.iter().position(|p| p.kind == proxy.kind && p.name == proxy.name);
        cx.at = Some(Checkpoint::Logs);
        let default = format!("{DEFAULT}{})", if proxy.mode == Mode::Http { "HTTP" } else { "TCP" });
        let (pos, text) = match &proxy.log_format {
            None => (proxy.pos, &*default),
            Some(LogFormatDecl::Tcp { clf: false }) => (proxy.pos, formats::TCP),
            Some(LogFormatDecl::Tcp { clf: true }) => (proxy.pos, formats::TCP_CLF),
            Some(LogFormatDecl::Http { clf: false }) => (proxy.pos, formats::HTTP),
            Some(LogFormatDecl::Http { clf: true }) => (proxy.pos, formats::HTTP_CLF),
            Some(LogFormatDecl::Https) => (proxy.pos, formats::HTTPS),
            Some(LogFormatDecl::Custom(pos, word)) => (*pos, word.as_str()),
        };
        this.early = proxy.log_format.is_none();
        let custom = matches!(proxy.log_format, Some(LogFormatDecl::Custom(..)));
        // Without a target, formats are only read for their errors.
        if custom || !this.is_off() {
            this.format = compile(cx, pos, "log-format", text, Flavor::Log);
        }
        if !this.is_off() {
            this.session_error = compile(cx, proxy.pos, "log-format", SESSION_ERROR, Flavor::Log);
        }
        if let Some((pos, word)) = &proxy.log_format_sd {
            this.sd = compile(cx, *pos, "log-format-sd", word, Flavor::LogSd);
        }
        if let Some((pos, word)) = &proxy.error_log_format {
            this.error = Some(compile(cx, *pos, "error-log-format", word, Flavor::Log));
        }
        this
    }

    /// Whether nothing is ever logged.
    pub fn is_off(&self) -> bool {
        self.logger.is_empty()
    }

    /// The targets.
    pub fn logger(&self) -> &Arc<Logger> {
        &self.logger
    }

    /// The line says no more than that there is a connection or a request: it is due as soon as that is so.
    pub fn early(&self) -> bool {
        self.early
    }

    /// With `option logasap` the line is due when the response head is known, not at the end: set
    /// [`Strm::log_asap`] then.
    pub fn asap(&self) -> bool {
        self.options.has(opt::LOGASAP)
    }

    /// Logs the stream that the context shows: once, at its end, or when [`StreamLogger::early`] or
    /// [`StreamLogger::asap`] say so. The options
    /// `dontlognull`, `dontlog-normal`, `log-separate-errors` and `set-log-level` are taken into account here.
    pub fn log_stream(&self, ctx: &Ctx<'_>) {
        let Some(strm) = ctx.strm.filter(|_| !self.is_off()) else { return };
        // A request that was refused before there was a stream is no empty connection, nor is one to a server.
        let null =
            strm.bytes_in == 0 && !self.early && !strm.log_asap && strm.log_origin != LogOrigin::SessError;
        if null && self.options.has(opt::DONTLOGNULL) {
            return;
        }
        let failed = is_failed(strm);
        if !failed && self.options.has(opt::DONTLOG_NORMAL) {
            return;
        }
        let level = match strm.log_level.or(ctx.sess.and_then(|s| s.log_level)) {
            Some(LogLevel::Silent) => return,
            Some(LogLevel::Level(n)) => n,
            None if failed && self.options.has(opt::LOG_SEPARATE_ERRORS) => level::ERR,
            None => level::INFO,
        };
        let format = self.error.as_ref().filter(|_| lacks_request(ctx)).unwrap_or(&self.format);
        self.send(ctx, level, |out| format.eval(ctx, out));
    }

    /// Logs a connection that failed before there was a stream: a broken PROXY header, a failed handshake.
    pub fn log_session_error(&self, ctx: &Ctx<'_>, message: &str) {
        if self.is_off() {
            return;
        }
        let level = if self.options.has(opt::LOG_SEPARATE_ERRORS) { level::ERR } else { level::INFO };
        self.send(ctx, level, |out| match &self.error {
            Some(f) => f.eval(ctx, out),
            None => {
                self.session_error.eval(ctx, out);
                match ctx.sess.and_then(|s| s.listener_name.as_deref()) {
                    Some(name) => out.extend_from_slice(name.as_bytes()),
                    None => {
                        let id = ctx.sess.map_or(0, |s| s.listener_id);
                        out.extend_from_slice(id.to_string().as_bytes());
                    }
                }
                out.extend_from_slice(b": ");
                out.extend_from_slice(message.as_bytes());
            }
        });
    }

    fn send(&self, ctx: &Ctx<'_>, level: u8, write: impl FnOnce(&mut Vec<u8>)) {
        LINE.with_borrow_mut(|(line, sd)| {
            line.clear();
            sd.clear();
            write(line);
            self.sd.eval(ctx, sd);
            if let Some(sess) = ctx.sess {
                sess.frontend.log_counter.fetch_add(1, Ordering::Relaxed);
            }
            if line.is_empty() && sd.is_empty() {
                return;
            }
            self.logger.send_with_sd(level, sd, line);
        });
    }
}

thread_local! {
    /// The line and its structured data, made in place.
    static LINE: RefCell<(Vec<u8>, Vec<u8>)> = const { RefCell::new((Vec::new(), Vec::new())) };
}

/// Whether `dontlog-normal` would still log it: errors, timeouts, retries, redispatches, and server errors in HTTP.
fn is_failed(s: &Strm) -> bool {
    let fine = matches!(s.cause, TermCause::Normal | TermCause::Local);
    !fine || s.redispatched || (s.retries > 0 && s.cause == TermCause::Normal) || s.status >= 500
}

/// An HTTP stream that ends without a request: in HAProxy it has not become one, and `error-log-format` is for it.
fn lacks_request(ctx: &Ctx<'_>) -> bool {
    let http = ctx.sess.is_some_and(|s| s.frontend.http);
    http && ctx.strm.is_some_and(|s| s.request_line.is_none())
}

/// Compiles a format; one that is wrong is reported and logs nothing.
fn compile(cx: &mut CompileCx<'_>, pos: Pos, what: &str, text: &str, flavor: Flavor) -> LogFormat {
    cx.pos = pos;
    what.clone_into(&mut cx.what);
    LogFormat::parse(cx, text, flavor).unwrap_or_else(|e| {
        report(cx.diags, pos, what, e);
        LogFormat::default()
    })
}

fn report(diags: &mut Diags, pos: Pos, what: &str, e: hawser_sample::Error) {
    let text = format!("failed to parse {what} : {e}.");
    let diag = diags.alert(pos, text);
    diag.suggestion = e.suggestion;
    diag.layout = Layout::Late;
}

#[cfg(test)]
mod tests;
