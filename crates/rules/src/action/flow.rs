//! Actions that end or suspend a rule set: `allow`, `reject`, `pause` and relatives.

use super::{Action, Step};
use crate::args::Args;
use crate::compile::RuleCx;
use crate::txn::{Txn, Verdict, WaitFor};
use hawser_cfg::units::{self, TimeUnit, UnitError};
use hawser_sample::{Error, Expr};

type Parsed = Result<Box<dyn Action>, Error>;

/// Actions without arguments.
#[derive(Clone, Copy, Debug)]
enum Plain {
    Allow,
    Reject,
    CloseServer,
    NoL7Retry,
    ExpectProxy,
    ExpectCip,
    Nothing,
}

impl Action for Plain {
    fn run(&self, txn: &mut Txn<'_>) -> Step {
        match self {
            Self::Allow => Step::End(Verdict::Allow),
            Self::Reject => Step::End(Verdict::Reject),
            Self::CloseServer => Step::End(Verdict::CloseServer),
            Self::NoL7Retry => {
                txn.asks.no_l7_retry = true;
                Step::Next
            }
            Self::ExpectProxy => {
                txn.asks.expect_proxy = true;
                Step::Next
            }
            Self::ExpectCip => {
                txn.asks.expect_cip = true;
                Step::Next
            }
            Self::Nothing => Step::Next,
        }
    }
}

pub(super) fn allow(_: &mut RuleCx<'_, '_>, _: &mut Args<'_>) -> Parsed {
    Ok(Box::new(Plain::Allow))
}

pub(super) fn reject(_: &mut RuleCx<'_, '_>, _: &mut Args<'_>) -> Parsed {
    Ok(Box::new(Plain::Reject))
}

pub(super) fn close(_: &mut RuleCx<'_, '_>, _: &mut Args<'_>) -> Parsed {
    Ok(Box::new(Plain::CloseServer))
}

pub(super) fn disable_l7_retry(_: &mut RuleCx<'_, '_>, _: &mut Args<'_>) -> Parsed {
    Ok(Box::new(Plain::NoL7Retry))
}

pub(super) fn expect_proxy(_: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Parsed {
    layer4(args).map(|()| Box::new(Plain::ExpectProxy) as Box<dyn Action>)
}

pub(super) fn expect_cip(_: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Parsed {
    layer4(args).map(|()| Box::new(Plain::ExpectCip) as Box<dyn Action>)
}

/// The only layer at which a header may be expected.
fn layer4(args: &mut Args<'_>) -> Result<(), Error> {
    if args.eat("layer4") {
        return Ok(());
    }
    Err(Error::new(format!("only supports 'layer4' (got '{}')", args.peek_arg().unwrap_or_default())))
}

/// Requests are only read once the handshake is over, so there is nothing to wait for.
pub(super) fn wait_for_handshake(_: &mut RuleCx<'_, '_>, _: &mut Args<'_>) -> Parsed {
    Ok(Box::new(Plain::Nothing))
}

pub(super) fn set_nice(_: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Parsed {
    args.take::<1>("expects exactly 1 argument (integer value)")?;
    Ok(Box::new(Plain::Nothing))
}

/// `strict-mode`.
#[derive(Debug)]
struct StrictMode {
    on: bool,
}

impl Action for StrictMode {
    fn run(&self, txn: &mut Txn<'_>) -> Step {
        txn.asks.lenient = !self.on;
        Step::Next
    }
}

pub(super) fn strict_mode(_: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Parsed {
    let [mode] = args.take("expects exactly 1 arguments")?;
    let on = match mode {
        "on" => true,
        "off" => false,
        other => {
            return Err(Error::new(format!("Unexpected value '{other}'. Only 'on' and 'off' are supported")));
        }
    };
    Ok(Box::new(StrictMode { on }))
}

/// `silent-drop`.
#[derive(Debug)]
struct SilentDrop {
    rst_ttl: Option<u8>,
}

impl Action for SilentDrop {
    fn run(&self, _: &mut Txn<'_>) -> Step {
        Step::End(Verdict::SilentDrop { rst_ttl: self.rst_ttl })
    }
}

pub(super) fn silent_drop(_: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Parsed {
    let rst_ttl = if args.eat("rst-ttl") {
        let [ttl] = args.take("missing rst-ttl value")?;
        let ttl = ttl.parse().ok().filter(|t| *t > 0);
        Some(ttl.ok_or_else(|| Error::new("valid rst-ttl values are [1-255]"))?)
    } else {
        None
    };
    Ok(Box::new(SilentDrop { rst_ttl }))
}

/// `pause`.
#[derive(Debug)]
struct Pause(Millis);

impl Action for Pause {
    fn run(&self, txn: &mut Txn<'_>) -> Step {
        match self.0.eval(txn) {
            Some(ms) => Step::After(WaitFor::Pause(u64::from(ms))),
            None => Step::Next,
        }
    }
}

pub(super) fn pause(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Parsed {
    Ok(Box::new(Pause(Millis::parse(cx, args, "pause")?)))
}

/// A duration: fixed, or computed at run time.
#[derive(Debug)]
pub(super) enum Millis {
    Fixed(u32),
    Expr(Expr),
}

impl Millis {
    /// A time with a unit or an expression that gives milliseconds, for the rule `what`.
    pub(super) fn parse(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>, what: &str) -> Result<Self, Error> {
        let word = args.peek_arg().ok_or_else(|| Error::new(format!("missing value in rule '{what}'")))?;
        match units::parse_time(word, TimeUnit::Ms) {
            Ok(0) => Err(Error::new(format!("null value is not valid for a '{what}' rule"))),
            Ok(ms) => {
                args.advance();
                Ok(Self::Fixed(ms))
            }
            Err(e) => {
                let name = word.split(['(', ',']).next().unwrap_or_default();
                if cx.cx.registry.fetch(name).is_some() {
                    return args.any_expr(cx.cx).map(Self::Expr);
                }
                Err(time_error(e, word, what))
            }
        }
    }

    /// Its value (ms); `None` where the expression gives nothing usable.
    pub(super) fn eval(&self, txn: &mut Txn<'_>) -> Option<u32> {
        match self {
            Self::Fixed(ms) => Some(*ms),
            Self::Expr(e) => txn.sample(e, |v| u32::try_from(v.as_int()?).ok().filter(|ms| *ms > 0)),
        }
    }
}

/// HAProxy's words for a bad time of a rule.
fn time_error(e: UnitError, word: &str, rule: &str) -> Error {
    Error::new(match e {
        UnitError::Overflow => format!(
            "timer overflow in argument '{word}' to rule '{rule}' (maximum value is 2147483647 ms or ~24.8 days)"
        ),
        UnitError::Unexpected(_, c) => {
            format!("unexpected character '{}' in rule '{rule}'", c.unwrap_or(' '))
        }
    })
}

/// HAProxy's words for a bad argument of `wait-for-body`.
fn wait_error(e: UnitError) -> Error {
    Error::new(match e {
        UnitError::Overflow => "time overflow (maximum value is 2147483647 ms or ~24.8 days)".to_owned(),
        UnitError::Unexpected(_, c) => format!("unexpected character '{}'", c.unwrap_or(' ')),
    })
}

/// `wait-for-body`.
#[derive(Debug)]
struct WaitForBody {
    time: u32,
    at_least: u64,
}

impl Action for WaitForBody {
    fn run(&self, _: &mut Txn<'_>) -> Step {
        Step::After(WaitFor::Body(self.time, self.at_least))
    }
}

pub(super) fn wait_for_body(_: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Parsed {
    const USAGE: &str = "expects time <time> [ at-least <bytes> ]";
    let (mut time, mut at_least) = (None, 0);
    while let Some(word) = args.peek_arg() {
        match word {
            "time" => {
                args.advance();
                let [t] = args.take("missing argument for 'time'")?;
                time = Some(units::parse_time(t, TimeUnit::Ms).map_err(wait_error)?);
            }
            "at-least" => {
                args.advance();
                let [n] = args.take("missing argument for 'at-least'")?;
                at_least = units::parse_size(n).map_err(wait_error)?;
            }
            "use-large-buffer" => {
                return Err(Error::new("'use-large-buffer' is not supported yet (large buffers)"));
            }
            _ => break,
        }
    }
    let time = time.ok_or_else(|| Error::new(USAGE))?;
    Ok(Box::new(WaitForBody { time, at_least: u64::from(at_least) }))
}

/// `switch-mode http`.
#[derive(Debug)]
struct SwitchMode(Option<&'static str>);

impl Action for SwitchMode {
    fn run(&self, _: &mut Txn<'_>) -> Step {
        Step::End(Verdict::SwitchHttp { proto: self.0 })
    }
}

pub(super) fn switch_mode(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Parsed {
    let [mode] = args.take("'tcp-request switch-mode' expects a mode as argument.")?;
    if mode != "http" {
        return Err(Error::new(format!("'tcp-request switch-mode' expects a valid mode (got '{mode}').")));
    }
    if !cx.proxy.kind.is_fe() {
        let place = crate::compile::place(cx.proxy);
        return Err(Error::new(format!(
            "'tcp-request switch-mode' not allowed because {place} has no frontend capability"
        )));
    }
    let mut mux = None;
    if args.eat("proto") {
        let [proto] = args.take("'tcp-request switch-mode': 'proto' expects a protocol as argument.")?;
        mux = ["h1", "h2"].into_iter().find(|m| *m == proto);
        if mux.is_none() {
            return Err(Error::new(format!(
                "'tcp-request switch-mode': 'proto' expects a valid MUX protocol, if specified (got '{proto}')"
            )));
        }
    }
    Ok(Box::new(SwitchMode(mux)))
}

#[cfg(test)]
mod tests;
