//! Connections of clients.

mod conn;
mod farewell;
mod stream;

use crate::conf::Side;
use hawser_proto::Transport;
use hawser_proto::buf::Buf;
use hawser_proto::mux::{FrontMux, Fronted, MuxConf};
use std::sync::Arc;

/// Sets the mux up for a proxy.
pub fn mux(conf: &MuxConf) -> Arc<dyn FrontMux> {
    Arc::new(Mux { side: Arc::new(Side::new(conf, conf.unsafe_request)) })
}

struct Mux {
    side: Arc<Side>,
}

impl FrontMux for Mux {
    fn accept(&self, transport: Box<dyn Transport>, early: Option<Buf>) -> Fronted {
        Fronted::Multi(Box::new(conn::Conn::new(self.side.clone(), transport, early)))
    }

    fn greeting(&self) -> Vec<u8> {
        conn::greeting(&self.side)
    }
}
