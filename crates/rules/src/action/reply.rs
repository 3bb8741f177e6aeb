//! `return`, `deny`, `tarpit`, `auth`: actions that answer by themselves.

use super::{Action, Step};
use crate::args::Args;
use crate::compile::RuleCx;
use crate::replies::spec::{Defaults, ReplySpec};
use crate::txn::{Txn, Verdict};
use hawser_cfg::model::opt;
use hawser_cfg::octets;
use hawser_http::chars::is_safe_value;
use hawser_http::{Head, KnownName, Reply};
use hawser_sample::Error;
use std::sync::Arc;

type Parsed = Result<Box<dyn Action>, Error>;

/// What kind of answer it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Return,
    Deny,
    Tarpit,
}

#[derive(Debug)]
struct Answer {
    kind: Kind,
    spec: ReplySpec,
}

impl Action for Answer {
    fn run(&self, txn: &mut Txn<'_>) -> Step {
        let status = self.spec.status();
        let reply = self.spec.make(&txn.errors, &txn.ctx());
        txn.apply_writes();
        Step::End(match self.kind {
            Kind::Return => Verdict::Return { status, reply },
            Kind::Deny => Verdict::Deny { status, reply },
            Kind::Tarpit => Verdict::Tarpit { status, reply },
        })
    }
}

pub(super) fn returns(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Parsed {
    let spec = ReplySpec::parse(cx.cx, args, Defaults { status: 200, errors: false })?;
    Ok(Box::new(Answer { kind: Kind::Return, spec }))
}

pub(super) fn deny(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Parsed {
    let status = if cx.set.is_response() { 502 } else { 403 };
    let spec = ReplySpec::parse(cx.cx, args, Defaults { status, errors: true })?;
    Ok(Box::new(Answer { kind: Kind::Deny, spec }))
}

pub(super) fn tarpit(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Parsed {
    let spec = ReplySpec::parse(cx.cx, args, Defaults { status: 500, errors: true })?;
    Ok(Box::new(Answer { kind: Kind::Tarpit, spec }))
}

/// `auth`.
#[derive(Debug)]
struct Auth {
    /// `Basic realm="…"`.
    challenge: Box<[u8]>,
    /// `option http-use-proxy-header`: a request to a forward proxy is challenged as one.
    proxy_header: bool,
}

impl Action for Auth {
    fn run(&self, txn: &mut Txn<'_>) -> Step {
        let proxied = self.proxy_header && txn.req.as_deref().is_some_and(is_proxied);
        let (status, field) =
            if proxied { (407, &b"proxy-authenticate"[..]) } else { (401, &b"www-authenticate"[..]) };
        let reply = txn.errors.reply(status, &txn.ctx());
        txn.apply_writes();
        let reply = reply.map(|reply| {
            let mut reply: Reply = Arc::unwrap_or_clone(reply);
            reply.head.set(field, &self.challenge);
            Arc::new(reply)
        });
        Step::End(Verdict::Auth(reply))
    }
}

/// Whether the client takes this for a forward proxy.
fn is_proxied(req: &Head) -> bool {
    !matches!(req.target().first(), Some(b'/' | b'*')) && req.first(KnownName::ProxyConnection).is_some()
}

pub(super) fn auth(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Parsed {
    let realm = if args.eat("realm") {
        let [realm] = args.take("missing realm value")?;
        realm
    } else {
        &cx.proxy.name
    };
    let challenge = [b"Basic realm=\"", &*octets::decode(realm), b"\""].concat();
    if !is_safe_value(&challenge) {
        return Err(Error::new("invalid character in the realm"));
    }
    let proxy_header = cx.proxy.options.has(opt::HTTP_USE_PROXY_HEADER);
    Ok(Box::new(Auth { challenge: challenge.into(), proxy_header }))
}

#[cfg(test)]
mod tests;
