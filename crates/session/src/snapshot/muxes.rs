//! The muxes that connections of clients, and those to servers, may be given to.

use crate::raw::PassThrough;
use hawser_cfg::model::ServerOpts;
use hawser_proto::mux::{BackMux, FrontMux, MuxConf, MuxRow};
use std::sync::Arc;

/// Muxes set up for one frontend.
#[derive(Clone)]
pub struct FrontMuxes {
    /// HTTP/1 that knows when a client goes on in HTTP/2.
    default: Arc<dyn FrontMux>,
    named: Vec<(&'static str, Arc<dyn FrontMux>)>,
}

impl FrontMuxes {
    /// Sets up all muxes that have a client side; none where there is no such mux.
    pub(super) fn new(rows: &[&'static MuxRow], conf: &MuxConf) -> Option<Self> {
        let strict = MuxConf { h2_upgrade: false, ..conf.clone() };
        let make = rows.iter().find_map(|m| m.front)?;
        let named = rows.iter().filter_map(|m| Some((m.token, m.front?(&strict)))).collect();
        Some(Self { default: make(conf), named })
    }

    /// The mux that `bind … proto` names, or the default one.
    pub(crate) fn of(&self, token: Option<&str>) -> Option<&Arc<dyn FrontMux>> {
        let Some(token) = token else { return Some(&self.default) };
        self.named.iter().find(|m| m.0 == token).map(|m| &m.1)
    }
}

/// Muxes for the servers of one backend.
pub(super) struct BackMuxes {
    h1: Arc<dyn BackMux>,
    h2: Option<Arc<dyn BackMux>>,
}

impl BackMuxes {
    /// Sets those up that some server may need; in TCP mode, that is none.
    pub(super) fn new(rows: &[&'static MuxRow], conf: &MuxConf, http: bool) -> Self {
        let back = |token: Option<&str>| {
            rows.iter().filter(|m| http && token.is_none_or(|t| m.token == t)).find_map(|m| m.back)
        };
        let h1 = back(None).map_or_else(|| Arc::new(PassThrough) as Arc<dyn BackMux>, |make| make(conf));
        Self { h1, h2: back(Some("h2")).map(|make| make(conf)) }
    }

    fn of(&self, token: Option<&str>) -> Lane {
        match &self.h2 {
            Some(h2) if token == Some("h2") => Lane { mux: h2.clone(), multiplexes: true },
            _ => Lane { mux: self.h1.clone(), multiplexes: false },
        }
    }

    /// What connections to a server speak.
    pub(super) fn server(&self, opts: &ServerOpts) -> ServerMux {
        let main = self.of(opts.proto.as_deref());
        let ws = opts.ws.as_deref().map(|t| self.of(Some(t)));
        ServerMux { ws: ws.filter(|w| w.multiplexes != main.multiplexes), main }
    }
}

/// A way to speak with a server.
#[derive(Clone)]
pub struct Lane {
    /// Makes streams of connections.
    pub mux: Arc<dyn BackMux>,
    /// One connection carries many streams at once.
    pub multiplexes: bool,
}

/// What connections to a server speak (`proto`, `ws`).
#[derive(Clone)]
pub struct ServerMux {
    main: Lane,
    /// For WebSocket, where that is something else.
    ws: Option<Lane>,
}

impl ServerMux {
    /// For a request; `websocket` tells that it asks for an upgrade to that.
    pub fn of(&self, websocket: bool) -> &Lane {
        self.ws.as_ref().filter(|_| websocket).unwrap_or(&self.main)
    }

    /// Whether such a request may use a pooled connection: those speak the server's main protocol.
    pub fn is_main(&self, websocket: bool) -> bool {
        !websocket || self.ws.is_none()
    }
}

impl std::fmt::Debug for ServerMux {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerMux").field("multiplexes", &self.main.multiplexes).finish_non_exhaustive()
    }
}
