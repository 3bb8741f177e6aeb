//! Protocols whose names are known and that are not built yet: they refuse clearly.

use crate::vtable::{BindError, ConnectTo, Connecting, Protocol, ProtocolInfo, Receiver, RxConfig};
use std::io;

/// A protocol to come.
pub(crate) struct Later {
    info: &'static ProtocolInfo,
}

/// QUIC.
pub(crate) static QUIC: Later = Later { info: &ProtocolInfo { name: "quic", reuseport: true, dgram: false } };
/// What is no address (`ring@`, `backend@`): nothing binds it.
pub(crate) static NONE: Later =
    Later { info: &ProtocolInfo { name: "none", reuseport: false, dgram: false } };

impl Protocol for Later {
    fn info(&self) -> &'static ProtocolInfo {
        self.info
    }

    fn bind(&self, cfg: &RxConfig, _warnings: &mut Vec<String>) -> Result<Box<dyn Receiver>, BindError> {
        let name = self.info.name;
        let text = format!("protocol '{name}' is not supported by Hawser yet [{}]", cfg.addr.text);
        Err(BindError { text, in_use: false })
    }

    fn connect(&self, _to: &ConnectTo) -> io::Result<Box<dyn Connecting>> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "this protocol is not supported by Hawser yet"))
    }
}
