//! Addresses of servers at start (manual 5.2 `init-addr`).

use crate::server::ServerAddr;
use hawser_cfg::model::{Addr, AddrKind, Server};
use hawser_proto::Address;
use std::cell::RefCell;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;

/// What the alert after all [`Resolver::address`] failures of a configuration says.
pub const FAILED: &str = "Failed to initialize server(s) addr.";

type Lookup<'a> = Box<dyn Fn(&str) -> Option<IpAddr> + 'a>;

/// Resolves host names, each once.
pub struct Resolver<'a> {
    lookup: Lookup<'a>,
    /// `-dr`: failures leave the server without address instead of being errors.
    ignore_failures: bool,
    seen: RefCell<HashMap<String, Option<IpAddr>>>,
}

/// How a server starts.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) addr: ServerAddr,
    /// Without address: it starts in maintenance.
    pub(crate) unresolved: bool,
}

impl Resolver<'static> {
    /// With the C library's resolver, as `init-addr libc` says.
    pub fn libc(ignore_failures: bool) -> Self {
        Self::new(ignore_failures, |name| (name, 0).to_socket_addrs().ok()?.next().map(|a| a.ip()))
    }
}

impl<'a> Resolver<'a> {
    /// With any other look-up, for tests.
    pub fn new(ignore_failures: bool, lookup: impl Fn(&str) -> Option<IpAddr> + 'a) -> Self {
        Self { lookup: Box::new(lookup), ignore_failures, seen: RefCell::default() }
    }

    /// The address of a server.
    ///
    /// # Errors
    /// The text of the alert, without its position.
    pub(crate) fn address(
        &self,
        backend: &str,
        s: &Server,
        last: Option<IpAddr>,
    ) -> Result<Resolved, String> {
        let fixed = |addr: Address| Ok(Resolved { addr: with_ports(&s.addr, addr, None), unresolved: false });
        let (name, port) = match &s.addr.kind {
            AddrKind::Name(name, port) => (name, *port),
            _ => return fixed(Address::of(&s.addr)),
        };
        let at = |ip| with_ports(&s.addr, Address::Ip(SocketAddr::new(ip, port)), Some(name));
        let methods = s.opts.init_addr.as_deref().unwrap_or("last,libc");
        for method in methods.split(',') {
            let ip = match method {
                // That of the state file.
                "last" => last,
                "libc" => self.resolve(name),
                "none" => {
                    let addr = with_ports(&s.addr, Address::Unknown, Some(name));
                    return Ok(Resolved { addr, unresolved: true });
                }
                ip => ip.parse().ok(),
            };
            if let Some(ip) = ip {
                return Ok(Resolved { addr: at(ip), unresolved: false });
            }
        }
        if self.ignore_failures {
            let addr = with_ports(&s.addr, Address::Unknown, Some(name));
            return Ok(Resolved { addr, unresolved: true });
        }
        Err(format!("'server {backend}/{}' : could not resolve address '{name}'.", s.name))
    }

    fn resolve(&self, name: &str) -> Option<IpAddr> {
        if let Some(known) = self.seen.borrow().get(name) {
            return *known;
        }
        let ip = (self.lookup)(name);
        self.seen.borrow_mut().insert(name.into(), ip);
        ip
    }
}

fn with_ports(addr: &Addr, to: Address, name: Option<&str>) -> ServerAddr {
    // Port 0 is no port either.
    let port_missing =
        addr.port_missing || (to.ip().is_some() && to.port() == 0 && addr.port_offset.is_none());
    let named_port = match &addr.kind {
        AddrKind::Name(_, port) => *port,
        _ => 0,
    };
    ServerAddr {
        addr: to,
        hostname: name.map(Arc::from),
        named_port,
        port_offset: addr.port_offset,
        port_missing,
    }
}
