//! `set-src`, `set-src-port`, `set-dst`, `set-dst-port`.

use super::{Action, Step};
use crate::args::Args;
use crate::compile::RuleCx;
use crate::txn::{RuleSet, Txn};
use hawser_proto::Address;
use hawser_sample::facts::Sess;
use hawser_sample::{Error, Expr};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// What is changed of which end.
#[derive(Clone, Copy, Debug)]
enum What {
    SrcIp,
    SrcPort,
    DstIp,
    DstPort,
}

#[derive(Debug)]
struct SetAddr {
    what: What,
    expr: Expr,
    /// Connection and session rules change the session; content rules their own stream.
    session: bool,
    /// Connection rules change the connection itself.
    conn: bool,
}

fn set_session(sess: &mut Sess, src: bool, conn: bool, new: Address) {
    if conn {
        *(if src { &mut sess.fc_src } else { &mut sess.fc_dst }) = new.clone();
    }
    *(if src { &mut sess.src } else { &mut sess.dst }) = new;
}

impl Action for SetAddr {
    fn run(&self, txn: &mut Txn<'_>) -> Step {
        let src = matches!(self.what, What::SrcIp | What::SrcPort);
        let old = if src { txn.ctx().src().cloned() } else { txn.ctx().dst().cloned() };
        let old = old.unwrap_or_default();
        let new = match self.what {
            What::SrcIp | What::DstIp => txn.sample(&self.expr, |v| v.as_ip()).map(|ip| with_ip(&old, ip)),
            What::SrcPort | What::DstPort => {
                txn.sample(&self.expr, |v| u16::try_from(v.as_int()?).ok()).map(|port| with_port(&old, port))
            }
        };
        let Some(new) = new else { return Step::Next };
        match txn.strm.as_deref_mut().filter(|_| !self.session) {
            Some(strm) if src => strm.src = Some(new),
            Some(strm) => strm.dst = Some(new),
            None => set_session(txn.sess, src, self.conn, new),
        }
        Step::Next
    }
}

/// Another address, the port kept where the family has one.
fn with_ip(old: &Address, ip: IpAddr) -> Address {
    Address::Ip(SocketAddr::new(ip, old.port()))
}

/// Another port, the address kept where the family has ports.
fn with_port(old: &Address, port: u16) -> Address {
    Address::Ip(SocketAddr::new(old.ip().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)), port))
}

fn parse(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>, what: What) -> Result<Box<dyn Action>, Error> {
    let session = matches!(cx.set, RuleSet::TcpReqConn | RuleSet::TcpReqSess);
    let expr = if session { args.any_expr(cx.cx)? } else { args.expr(cx.cx)? };
    Ok(Box::new(SetAddr { what, expr, session, conn: cx.set == RuleSet::TcpReqConn }))
}

pub(super) fn set_src(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Result<Box<dyn Action>, Error> {
    parse(cx, args, What::SrcIp)
}

pub(super) fn set_src_port(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Result<Box<dyn Action>, Error> {
    parse(cx, args, What::SrcPort)
}

pub(super) fn set_dst(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Result<Box<dyn Action>, Error> {
    parse(cx, args, What::DstIp)
}

pub(super) fn set_dst_port(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Result<Box<dyn Action>, Error> {
    parse(cx, args, What::DstPort)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_half_is_kept_where_there_is_one() {
        let ip = |s: &str| Address::Ip(s.parse().unwrap());
        let unix = Address::Unix("/x".into());
        assert_eq!(with_ip(&ip("1.2.3.4:5"), "6.7.8.9".parse().unwrap()), ip("6.7.8.9:5"));
        assert_eq!(with_ip(&ip("1.2.3.4:5"), "::1".parse().unwrap()), ip("[::1]:5"));
        assert_eq!(with_ip(&unix, "::1".parse().unwrap()), ip("[::1]:0"));
        assert_eq!(with_port(&ip("[::1]:5"), 80), ip("[::1]:80"));
        assert_eq!(with_port(&unix, 80), ip("0.0.0.0:80"));
    }
}
