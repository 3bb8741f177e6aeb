//! `capture`.

use super::{Action, Step};
use crate::args::Args;
use crate::compile::RuleCx;
use crate::txn::{RuleSet, Txn};
use bytes::Bytes;
use hawser_sample::{Error, Expr};

#[derive(Debug)]
struct Capture {
    expr: Expr,
    slot: usize,
    response: bool,
}

impl Action for Capture {
    fn run(&self, txn: &mut Txn<'_>) -> Step {
        if let Some(value) = txn.sample(&self.expr, |v| Some(Bytes::copy_from_slice(&v.into_str()))) {
            txn.capture(self.response, self.slot, &value);
        }
        Step::Next
    }
}

const USAGE: &str = "expects <expression> [ 'len' <length> | id <idx> ]";

pub(super) fn http_capture(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Result<Box<dyn Action>, Error> {
    if args.rest().len() < 3 {
        return Err(Error::new(USAGE));
    }
    let response = cx.set.is_response();
    let expr = args.expr(cx.cx)?;
    match args.take(USAGE)? {
        ["len", len] if cx.set == RuleSet::HttpReq => {
            if !cx.proxy.kind.is_fe() {
                return Err(Error::new(format!("proxy '{}' has no frontend capability", cx.proxy.name)));
            }
            let len = length(len)?;
            Ok(Box::new(Capture { expr, slot: declare(cx, len), response }))
        }
        ["id", id] => {
            let slot = id.parse().map_err(|_| Error::new(format!("cannot parse id '{id}'")))?;
            cx.slots[usize::from(response)].refer(slot);
            Ok(Box::new(Capture { expr, slot, response }))
        }
        _ => Err(Error::new(USAGE)),
    }
}

pub(super) fn tcp_capture(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Result<Box<dyn Action>, Error> {
    let rule = format!("'{} capture' : ", cx.set.keyword());
    let fail = |text: &str| Error::new(format!("{rule}{text}"));
    if cx.set != RuleSet::TcpReqCont {
        let (what, place) = (args.peek().unwrap_or_default(), crate::compile::place(cx.proxy));
        let set = cx.set.keyword();
        return Err(Error::new(format!("'capture {what}' is not allowed in '{set}' rules in {place}")));
    }
    let expr = args.expr(cx.cx).map_err(|e| e.prefix(&rule))?;
    if !cx.proxy.kind.is_fe() {
        return Err(fail(&format!("proxy '{}' has no frontend capability", cx.proxy.name)));
    }
    if !args.eat("len") {
        return Err(fail("a positive 'len' argument is mandatory"));
    }
    let len = length(args.advance().unwrap_or_default()).map_err(|e| e.prefix(&rule))?;
    Ok(Box::new(Capture { expr, slot: declare(cx, len), response: false }))
}

fn length(text: &str) -> Result<u32, Error> {
    text.parse().ok().filter(|n| *n > 0).ok_or_else(|| Error::new("length must be > 0"))
}

/// The request slot of this rule.
fn declare(cx: &mut RuleCx<'_, '_>, len: u32) -> usize {
    cx.slots[0].take(cx.cx.pos, len)
}

#[cfg(test)]
mod tests;
