//! Settings of streams and connections: `set-log-level`, `set-timeout`, `set-retries`, `set-fc-tos`, priorities…

use super::flow::Millis;
use super::{Action, Step};
use crate::args::Args;
use crate::compile::RuleCx;
use crate::txn::{RuleSet, Txn};
use hawser_sample::facts::LogLevel;
use hawser_sample::{Error, Expr};

type Parsed = Result<Box<dyn Action>, Error>;

/// `set-log-level`.
#[derive(Debug)]
struct SetLogLevel(LogLevel);

impl Action for SetLogLevel {
    fn run(&self, txn: &mut Txn<'_>) -> Step {
        match txn.strm.as_deref_mut() {
            Some(strm) => strm.log_level = Some(self.0),
            None => txn.sess.log_level = Some(self.0),
        }
        Step::Next
    }
}

/// Syslog levels by number.
const LEVELS: [&str; 8] = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];

pub(super) fn set_log_level(_: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Parsed {
    const USAGE: &str = "expects exactly 1 argument (log level name or 'silent')";
    let [name] = args.take(USAGE)?;
    let level = match (0..8u8).zip(LEVELS).find(|l| l.1 == name) {
        Some((n, _)) => LogLevel::Level(n),
        None if name == "silent" => LogLevel::Silent,
        None => return Err(Error::new(USAGE)),
    };
    Ok(Box::new(SetLogLevel(level)))
}

/// `set-timeout`.
#[derive(Debug)]
struct SetTimeout {
    which: Timeout,
    value: Millis,
}

#[derive(Clone, Copy, Debug)]
enum Timeout {
    Client,
    Connect,
    Queue,
    Server,
    Tarpit,
    Tunnel,
}

impl Action for SetTimeout {
    fn run(&self, txn: &mut Txn<'_>) -> Step {
        let Some(ms) = self.value.eval(txn) else { return Step::Next };
        let Some(strm) = txn.strm.as_deref_mut() else { return Step::Next };
        let t = &mut strm.set_timeouts;
        let field = match self.which {
            Timeout::Client => &mut t.client,
            Timeout::Connect => &mut t.connect,
            Timeout::Queue => &mut t.queue,
            Timeout::Server => &mut t.server,
            Timeout::Tarpit => &mut t.tarpit,
            Timeout::Tunnel => &mut t.tunnel,
        };
        *field = Some(ms);
        Step::Next
    }
}

pub(super) fn set_timeout(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Parsed {
    if args.rest().len() < 2 {
        return Err(Error::new("expects exactly 2 arguments"));
    }
    let [name] = args.take("expects exactly 2 arguments")?;
    let which = match name {
        "client" => Timeout::Client,
        "connect" => Timeout::Connect,
        "queue" => Timeout::Queue,
        "server" => Timeout::Server,
        "tarpit" => Timeout::Tarpit,
        "tunnel" => Timeout::Tunnel,
        _ => {
            return Err(Error::new(format!(
                "'set-timeout' rule supports 'client'/'connect'/'queue'/'server'/'tarpit'/'tunnel' (got '{name}')"
            ))
            .at(args.at() - 1));
        }
    };
    let kind = cx.proxy.kind;
    let backend_only = matches!(which, Timeout::Connect | Timeout::Queue | Timeout::Server | Timeout::Tunnel);
    if backend_only && !kind.is_be() {
        return Err(Error::new(format!("'{}' has no backend capability", cx.proxy.name)));
    }
    if matches!(which, Timeout::Client) && !kind.is_fe() {
        return Err(Error::new(format!("'{}' has no frontend capability", cx.proxy.name)));
    }
    let value = Millis::parse(cx, args, &format!("set-timeout {name}"))?;
    Ok(Box::new(SetTimeout { which, value }))
}

/// An integer: fixed, or computed at run time.
#[derive(Debug)]
enum Int {
    Fixed(i64),
    Expr(Expr),
}

impl Int {
    /// A decimal or `0x` number, or an expression.
    fn parse(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Result<Self, Error> {
        let word = args.peek_arg().unwrap_or_default();
        let number = match word.strip_prefix("0x") {
            Some(hex) => i64::from_str_radix(hex, 16).ok(),
            None => word.parse().ok(),
        };
        match number {
            Some(n) => {
                args.advance();
                Ok(Self::Fixed(n))
            }
            None if matches!(cx.set, RuleSet::TcpReqCont | RuleSet::HttpReq) => {
                args.expr(cx.cx).map(Self::Expr)
            }
            None => args.any_expr(cx.cx).map(Self::Expr),
        }
    }

    fn eval(&self, txn: &mut Txn<'_>) -> Option<i64> {
        match self {
            Self::Fixed(n) => Some(*n),
            Self::Expr(e) => txn.sample(e, |v| v.as_int()),
        }
    }
}

/// A number that ends up in [`crate::Asks`] or in the stream.
#[derive(Debug)]
struct SetNumber {
    what: Number,
    value: Int,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Number {
    Retries,
    FcMark,
    FcTos,
    BcMark,
    BcTos,
    PriorityClass,
    PriorityOffset,
}

impl Action for SetNumber {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "marks are the low 32 bits, TOS the low 8; the rest is clamped"
    )]
    fn run(&self, txn: &mut Txn<'_>) -> Step {
        let Some(n) = self.value.eval(txn) else { return Step::Next };
        match self.what {
            Number::Retries => {
                if let Some(n) = u32::try_from(n).ok().filter(|n| *n <= 100) {
                    txn.asks.retries = Some(n);
                }
            }
            Number::FcMark => txn.asks.fc_mark = Some(n as u32),
            Number::FcTos => txn.asks.fc_tos = Some(n as u8),
            Number::BcMark => txn.asks.bc_mark = Some(n as u32),
            Number::BcTos => txn.asks.bc_tos = Some(n as u8),
            Number::PriorityClass => {
                if let Some(strm) = txn.strm.as_deref_mut() {
                    strm.priority_class = n.clamp(-2047, 2047) as i32;
                }
            }
            Number::PriorityOffset => {
                if let Some(strm) = txn.strm.as_deref_mut() {
                    strm.priority_offset = n.clamp(-524_287, 524_287) as i32;
                }
            }
        }
        Step::Next
    }
}

pub(super) fn set_retries(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Parsed {
    if args.is_done() {
        return Err(Error::new("expects exactly 1 argument (an expression or an integer between 1 and 100)"));
    }
    if !cx.proxy.kind.is_be() {
        let keyword = if cx.set.is_http() { "set-retries" } else { "tcp-request" };
        return Err(Error::new(format!("'{keyword}' only available in backend or listen section")));
    }
    let value = Int::parse(cx, args)?;
    if matches!(value, Int::Fixed(n) if !(0..=100).contains(&n)) {
        return Err(Error::new("expects an expression or an integer between 1 and 100"));
    }
    Ok(Box::new(SetNumber { what: Number::Retries, value }))
}

fn mark_or_tos(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>, what: Number) -> Parsed {
    if args.is_done() {
        return Err(Error::new("expects an argument"));
    }
    Ok(Box::new(SetNumber { what, value: Int::parse(cx, args)? }))
}

pub(super) fn set_fc_mark(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Parsed {
    mark_or_tos(cx, args, Number::FcMark)
}

pub(super) fn set_fc_tos(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Parsed {
    mark_or_tos(cx, args, Number::FcTos)
}

pub(super) fn set_bc_mark(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Parsed {
    mark_or_tos(cx, args, Number::BcMark)
}

pub(super) fn set_bc_tos(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Parsed {
    mark_or_tos(cx, args, Number::BcTos)
}

pub(super) fn set_priority_class(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Parsed {
    Ok(Box::new(SetNumber { what: Number::PriorityClass, value: Int::Expr(args.expr(cx.cx)?) }))
}

pub(super) fn set_priority_offset(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Parsed {
    Ok(Box::new(SetNumber { what: Number::PriorityOffset, value: Int::Expr(args.expr(cx.cx)?) }))
}

#[cfg(test)]
mod tests;
