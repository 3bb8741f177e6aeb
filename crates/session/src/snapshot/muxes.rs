//! The muxes that a frontend's connections may be given to.

use hawser_proto::mux::{FrontMux, MuxConf, MuxRow};
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
