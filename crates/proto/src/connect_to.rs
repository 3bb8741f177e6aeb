//! How the configuration says that a server is reached.

use crate::netns::{self, Netns};
use crate::{Address, ConnectTo, PortRange};
use hawser_cfg::model::{AddrKind, Global, Proxy, Server, Source, UseSrc, opt};
use std::sync::Arc;

impl ConnectTo {
    /// What a server's options and its proxy say of connections to it, all but the address of the server. `usesrc`
    /// is left out: checks go without, and traffic may depend on the client for it.
    ///
    /// # Errors
    /// What is wrong, for a message about the server.
    pub fn of(global: &Global, proxy: &Proxy, server: &Server) -> Result<Self, String> {
        let o = &server.opts;
        let ka = &proxy.srvtcpka;
        let keepalive = (ka.cnt.unwrap_or(0), ka.idle.unwrap_or(0), ka.intvl.unwrap_or(0));
        let mut to = Self {
            tcp_ut: o.tcp_ut.unwrap_or(0),
            tfo: o.tfo,
            rcvbuf: global.rcvbuf_server.unwrap_or(0),
            sndbuf: global.sndbuf_server.unwrap_or(0),
            keepalive: proxy.options.has(opt::SRVTCPKA).then_some(keepalive),
            namespace: o.namespace.as_deref().filter(|n| *n != netns::OF_CLIENT).map(open).transpose()?,
            socks4: o.socks4,
            md5sig: o.tcp_md5sig.as_deref().map(Into::into),
            cc: o.cc.as_deref().map(Into::into),
            mptcp: server.addr.is_mptcp(),
            ..Self::default()
        };
        if let Some(source) = o.source.as_ref().or(proxy.source.as_ref()) {
            to.come_from(source);
        }
        Ok(to)
    }

    fn come_from(&mut self, source: &Source) {
        self.interface = source.interface.as_deref().map(Into::into);
        match &source.addr.kind {
            AddrKind::Ip(a) if a.ip().is_unspecified() && a.port() == 0 => {}
            AddrKind::Ip(a) => {
                self.src = Some(Address::Ip(*a));
                if source.addr.port_high > a.port() {
                    self.src_ports = Some(Arc::new(PortRange::new(a.port(), source.addr.port_high)));
                }
            }
            _ => self.src = Some(Address::of(&source.addr)),
        }
    }

    /// Takes the address of `usesrc` for the source, where it is a fixed one.
    pub fn use_source(&mut self, usesrc: &UseSrc) {
        self.transparent = true;
        if let UseSrc::Addr(a) = usesrc {
            self.src = Some(Address::Ip(*a));
            self.src_ports = None;
        }
    }
}

fn open(name: &str) -> Result<Arc<Netns>, String> {
    Netns::open(name).map(Arc::new).map_err(|_| format!("Cannot open namespace '{name}'"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hawser_cfg::model::{Addr, ServerOpts};

    fn addr(text: &str, high: u16) -> Addr {
        Addr {
            kind: AddrKind::Ip(text.parse().unwrap()),
            port_offset: None,
            port_missing: false,
            port_high: high,
            dgram: false,
            text: text.into(),
        }
    }

    fn server(source: Option<Source>) -> Server {
        let mut opts = ServerOpts::default();
        opts.rare_mut().source = source;
        Server { pos: Default::default(), name: "s".into(), addr: addr("1.2.3.4:1", 1), opts }
    }

    #[test]
    fn sources() {
        let of = |p: &Proxy, s: Option<Source>| ConnectTo::of(&Global::default(), p, &server(s)).unwrap();
        let source =
            |a: &str, high, usesrc| Source { addr: addr(a, high), usesrc, interface: Some("lo".into()) };
        let mut px = Proxy::default();
        assert_eq!(of(&px, None).src, None);
        px.source = Some(source("0.0.0.0:0", 0, Some(UseSrc::Client)));
        let to = of(&px, None);
        assert_eq!((to.src, to.interface.as_deref(), to.transparent), (None, Some("lo"), false));
        let mut to = of(&px, Some(source("127.0.0.9:1000", 1010, None)));
        assert_eq!(to.src.as_ref().unwrap().to_string(), "127.0.0.9:1000");
        assert!(to.src_ports.is_some());
        to.use_source(&UseSrc::Addr("9.9.9.9:0".parse().unwrap()));
        assert_eq!((to.src.unwrap().to_string(), to.transparent), ("9.9.9.9:0".into(), true));
    }

    #[test]
    fn an_unknown_namespace_is_told_at_once() {
        let mut s = server(None);
        s.opts.rare_mut().namespace = Some("surely-not-there".into());
        let e = ConnectTo::of(&Global::default(), &Proxy::default(), &s).unwrap_err();
        assert_eq!(e, "Cannot open namespace 'surely-not-there'");
    }
}
