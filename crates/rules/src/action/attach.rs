//! `attach-srv`: a connection that will carry requests to its peer (reverse HTTP, manual 4.4).

use super::{Action, Step};
use crate::args::Args;
use crate::compile::RuleCx;
use crate::txn::{Attach, Txn};
use hawser_cfg::diag::{Layout, Severity};
use hawser_cfg::model::{AddrKind, Mode, Server};
use hawser_sample::{Error, Expr};

#[derive(Debug)]
struct AttachSrv {
    /// Index of the backend among the proxies, and of the server in it.
    server: (usize, usize),
    name: Option<Expr>,
}

impl Action for AttachSrv {
    fn run(&self, txn: &mut Txn<'_>) -> Step {
        let name = self.name.as_ref().and_then(|e| txn.sample(e, |v| Some(v.into_str().into_owned())));
        let (backend, server) = self.server;
        txn.asks.attach = Some(Attach { backend, server, name: name.map(Into::into) });
        Step::Next
    }
}

/// `attach-srv <backend>/<server> [name <expr>]`.
pub(super) fn attach_srv(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Result<Box<dyn Action>, Error> {
    let target = args.peek_arg().unwrap_or_default();
    if !target.is_empty() {
        args.advance();
    }
    let mut name = None;
    if args.eat("name") {
        if args.peek().is_none() {
            return Err(Error::new("missing name value"));
        }
        name = Some(args.expr(cx.cx)?);
    }
    let server = match find(cx, target, name.is_some()) {
        Ok(server) => server,
        Err(why) => {
            // HAProxy finds these out after parsing, and has forgotten the line by then: its message comes without.
            let text = format!("Proxy '{}': attach-srv rule{why}.", cx.proxy.name);
            let pos = cx.cx.pos;
            cx.cx.diags.push(Severity::Alert, Some(pos), text).layout = Layout::Located;
            Default::default()
        }
    };
    Ok(Box::new(AttachSrv { server, name }))
}

/// Looks the server up: indexes of its backend and of it.
fn find(cx: &RuleCx<'_, '_>, target: &str, named: bool) -> Result<(usize, usize), String> {
    if cx.proxy.mode != Mode::Http {
        return Err(" requires HTTP proxy mode".into());
    }
    let (backend, server) = target.split_once('/').unwrap_or((target, ""));
    if server.is_empty() {
        return Err(format!(": invalid server name '{target}'"));
    }
    let config = cx.cx.config;
    let index = config.proxy_names.get(backend).copied();
    let index = index.filter(|i| config.proxies.get(*i).is_some_and(|p| p.kind.is_be()));
    let Some(index) = index else { return Err(format!(": no such backend '{target}'")) };
    let servers = &config.proxies[index].servers;
    let Some(at) = servers.iter().position(|s| *s.name == *server) else {
        return Err(format!(": no such server '{target}'"));
    };
    suits(&servers[at], target, named).map(|()| (index, at))
}

/// Whether connections may be attached to it, with or without a name.
fn suits(server: &Server, target: &str, named: bool) -> Result<(), String> {
    if !matches!(server.addr.kind, AddrKind::Rhttp(_)) {
        return Err(format!(": server '{target}' has no 'rhttp@' address"));
    }
    match (named, server.opts.pool_conn_name.is_some()) {
        (true, false) => Err(format!(
            " has a name argument while server '{target}' does not use pool-conn-name; either reconfigure the server or \
             remove the name argument from this attach-srv rule"
        )),
        (false, true) => Err(format!(
            " has no name argument while server '{target}' uses pool-conn-name; either add a name argument to the \
             attach-srv rule or reconfigure the server"
        )),
        _ => Ok(()),
    }
}
