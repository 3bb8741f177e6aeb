//! Connections to servers.
//!
//! A task of the thread that made a connection moves it on ([`driver`]); everybody else holds a handle
//! ([`conn`]) or a stream, from any thread. The connection ends once neither is left.

mod adopt;
mod conn;
mod driver;
mod stream;

use crate::conf::Side;
use hawser_proto::buf::Buf;
use hawser_proto::mux::{Adopting, BackMux, BackStream, MuxConf};
use hawser_proto::{Connecting, Transport};
use std::sync::Arc;

/// Sets the mux up for a proxy.
pub fn mux(conf: &MuxConf) -> Arc<dyn BackMux> {
    Arc::new(Mux { side: Arc::new(Side::new(conf, conf.unsafe_response)) })
}

struct Mux {
    side: Arc<Side>,
}

impl BackMux for Mux {
    fn connect(&self, line: Box<dyn Connecting>) -> Box<dyn BackStream> {
        Box::new(stream::Stream::dialing(self.side.clone(), line))
    }

    fn adopt(&self, transport: Box<dyn Transport>, early: Option<Buf>) -> Option<Box<dyn Adopting>> {
        Some(Box::new(adopt::Adoption::new(self.side.clone(), transport, early)))
    }
}
