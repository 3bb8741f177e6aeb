//! The dialling side of reverse HTTP: connections through a server, for a frontend to serve (`bind rhttp@`).

use crate::snapshot::{Back, Dial, Front, Snapshot};
use hawser_balance::Server;
use hawser_proto::rhttp::Dialer;
use hawser_proto::{Address, Connecting};
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// The server that a line names, and the frontend that the line belongs to.
pub struct ReverseDialer {
    snapshot: Arc<Snapshot>,
    frontend: usize,
    backend: String,
    server: String,
}

impl ReverseDialer {
    /// For a line of a frontend (index of its proxy) that names a server of a backend.
    pub fn new(snapshot: Arc<Snapshot>, frontend: usize, backend: &str, server: &str) -> Self {
        Self { snapshot, frontend, backend: backend.into(), server: server.into() }
    }

    fn front(&self) -> Option<&Front> {
        self.snapshot.proxy(self.frontend)?.front.as_ref()
    }

    fn back(&self) -> Option<&Back> {
        let index = self.snapshot.find_backend(self.backend.as_bytes())?;
        self.snapshot.proxy(index)?.back.as_ref()
    }

    fn target(&self) -> Option<(&Arc<Server>, &Dial)> {
        let back = self.back()?;
        let index = back.backend.find(&self.server)? as usize;
        Some((back.backend.servers.get(index)?, back.dial.get(index)?))
    }
}

impl Dialer for ReverseDialer {
    fn find(&self) -> Result<(), String> {
        let (be, srv) = (&self.backend, &self.server);
        if srv.is_empty() {
            return Err(format!("Invalid server name: '{be}'"));
        }
        if self.back().is_none() {
            return Err(format!("No such backend: '{be}'"));
        }
        let Some((server, dial)) = self.target() else { return Err(format!("No such server: '{be}/{srv}'")) };
        if server.attached.is_some() {
            return Err(format!("Cannot use reverse HTTP server '{be}/{srv}' as target to a reverse bind"));
        }
        if server.is_transparent() {
            return Err(format!("Cannot use transparent server '{be}/{srv}' as target to a reverse bind"));
        }
        if server.opts.proto.as_deref() != Some("h2") {
            return Err(format!(
                "Cannot reverse connect with server '{be}/{srv}' unless HTTP/2 is activated on it with either proto or alpn \
                 keyword"
            ));
        }
        if dial.source.is_some() {
            return Err(format!(
                "Cannot reverse connect with server '{be}/{srv}' which uses dynamic source address setting"
            ));
        }
        Ok(())
    }

    fn dial(&self) -> io::Result<Box<dyn Connecting>> {
        let Some((server, dial)) = self.target() else { return Err(io::ErrorKind::NotFound.into()) };
        let mut to = dial.to.clone();
        to.dst = server.addr.load().addr.clone();
        if to.dst == Address::Unknown {
            return Err(io::Error::new(io::ErrorKind::AddrNotAvailable, "the server has no address yet"));
        }
        hawser_proto::dial(&to, dial.announce.as_ref().map(|a| a.local()))
    }

    fn connect_timeout(&self) -> Option<Duration> {
        let index = self.snapshot.find_backend(self.backend.as_bytes())?;
        self.snapshot.proxy(index)?.times.connect
    }

    fn greeting(&self) -> Vec<u8> {
        let mux = self.front().and_then(|f| f.muxes.of(Some("h2")));
        mux.map(|m| m.greeting()).unwrap_or_default()
    }

    fn log(&self, level: u8, text: &str) {
        if let Some(front) = self.front() {
            front.logger.logger().send(level, text.as_bytes());
        }
    }
}
