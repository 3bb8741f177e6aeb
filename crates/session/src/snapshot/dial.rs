//! How to reach a server, beyond its address: what is fixed, and what depends on the request.

use super::ServerMux;
use hawser_cfg::diag::Diags;
use hawser_cfg::model::{Config, ProxyV2Options, Server, UseSrc};
use hawser_proto::mux::BackMux;
use hawser_proto::{ConnectTo, pp};
use hawser_sample::{Checkpoint, CompileCx, Expr, Flavor, LogFormat};
use std::sync::Arc;
use std::time::Duration;

/// How to reach a server.
#[derive(Clone)]
pub struct Dial {
    /// Connection parameters; the address is filled in for each connection.
    pub to: ConnectTo,
    /// `pool-conn-name`: requests share a connection only where its value is the same.
    pub name: Option<Arc<Expr>>,
    /// Turns connections around that are attached to it; only for a server that is never dialed (`rhttp@`).
    pub adopts: Option<Arc<dyn BackMux>>,
    /// `idle-ping`.
    pub idle_ping: Option<Duration>,
    /// `proto` and `ws`.
    pub mux: ServerMux,
    /// `usesrc`, where it depends on the request.
    pub source: Option<FromClient>,
    /// `namespace *`: connections are made in the client's network namespace.
    pub client_namespace: bool,
    /// `send-proxy`, `send-proxy-v2`.
    pub announce: Option<Arc<Announce>>,
}

/// A source address that a request determines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FromClient {
    /// The client's address and port.
    Client,
    /// The client's address.
    Ip,
    /// An address in a header: its name and the occurrence, from 1, or from -1 backwards.
    Header(Box<[u8]>, i32),
}

impl Dial {
    /// Requests go to the server over HTTP/2.
    pub fn speaks_h2(&self) -> bool {
        self.adopts.is_some() || self.mux.of(false).multiplexes
    }

    pub(super) fn use_source(&mut self, usesrc: &UseSrc) {
        self.source = match usesrc {
            UseSrc::Addr(_) => None,
            UseSrc::Client => Some(FromClient::Client),
            UseSrc::ClientIp => Some(FromClient::Ip),
            // Occurrence 0 turns it off.
            UseSrc::HdrIp(_, 0) => return,
            UseSrc::HdrIp(name, occ) => {
                // Where there is no such header, nothing is bound.
                self.to.src = None;
                self.to.src_ports = None;
                Some(FromClient::Header(name.as_bytes().into(), *occ))
            }
        };
        self.to.use_source(usesrc);
    }
}

/// The PROXY header that a server gets in front of each connection.
#[derive(Debug)]
pub struct Announce {
    /// Version 2.
    pub v2: bool,
    /// `proxy-v2-options`.
    pub options: ProxyV2Options,
    /// `set-proxy-v2-tlv-fmt`; without a format the value is empty.
    pub tlvs: Vec<(u8, Option<LogFormat>)>,
}

impl Announce {
    /// The header of a connection that no client asked for.
    pub fn local(&self) -> Vec<u8> {
        if self.v2 { pp::v2(None, &[], self.options.crc32c) } else { pp::v1(None) }
    }

    /// Of a server of proxy number `index`; its errors are alerts.
    pub(super) fn compile(cfg: &Config, diags: &mut Diags, index: usize, s: &Server) -> Option<Self> {
        let mut tlvs = Vec::new();
        for (kind, word) in &s.opts.proxy_v2_tlvs {
            let Some(word) = word else {
                tlvs.push((*kind, None));
                continue;
            };
            let mut cx = CompileCx::new(cfg, diags);
            (cx.pos, cx.proxy, cx.at) = (s.pos, Some(index), Some(Checkpoint::ServerSource));
            "set-proxy-v2-tlv-fmt".clone_into(&mut cx.what);
            match LogFormat::parse(&mut cx, word, Flavor::Value) {
                Ok(f) => tlvs.push((*kind, Some(f))),
                Err(e) => {
                    let name = cfg.proxies.get(index).map_or("", |p| &*p.name);
                    let text = format!("'server {name}/{}' : 'set-proxy-v2-tlv-fmt' : {e}.", s.name);
                    diags.alert_at(s.pos, word, text).suggestion = e.suggestion;
                    return None;
                }
            }
        }
        Some(Self { v2: s.opts.send_proxy_v2, options: s.opts.proxy_v2_options, tlvs })
    }
}
