//! The connection of a check.

use hawser_proto::{Address, ConnectTo, Transport};
use std::future::poll_fn;
use std::io;

/// A connection.
pub(super) struct Conn(Box<dyn Transport>);

/// What reading brought.
pub(super) enum Got {
    Some,
    End,
    Fault(Fault),
}

/// An error of the socket.
#[derive(Debug)]
pub(super) struct Fault(Option<io::Error>);

impl Conn {
    pub(super) async fn open(to: &ConnectTo) -> Result<Self, Fault> {
        let mut connecting = hawser_proto::dial(to, None).map_err(Fault::of)?;
        let transport = poll_fn(|cx| connecting.poll_connect(cx)).await.map_err(Fault::of)?;
        Ok(Self(transport))
    }

    pub(super) async fn write(&mut self, mut bytes: &[u8]) -> Result<(), Fault> {
        while !bytes.is_empty() {
            let n = poll_fn(|cx| self.0.poll_write(cx, bytes, false)).await.map_err(Fault::of)?;
            bytes = bytes.get(n..).unwrap_or_default();
        }
        Ok(())
    }

    /// Appends what comes next to `data`, at most `room` bytes.
    pub(super) async fn read(&mut self, data: &mut Vec<u8>, room: usize) -> Got {
        let start = data.len();
        data.resize(start + room.min(4096), 0);
        let result = poll_fn(|cx| self.0.poll_read(cx, &mut data[start..])).await;
        data.truncate(start + result.as_ref().copied().unwrap_or(0));
        match result {
            Ok(0) => Got::End,
            Ok(_) => Got::Some,
            Err(e) => Got::Fault(Fault::of(e)),
        }
    }

    /// The connection, for a mux.
    pub(super) fn into_transport(self) -> Box<dyn Transport> {
        self.0
    }

    pub(super) fn local(&self) -> Address {
        self.0.get_dst()
    }

    pub(super) fn peer(&self) -> Address {
        self.0.get_src()
    }

    /// A reset frees the server's side at once and leaves no port in TIME_WAIT here; `linger` closes politely.
    pub(super) fn close(self, linger: bool) {
        if !linger {
            self.0.set_linger_zero();
        }
    }
}

impl Fault {
    pub(super) fn of(e: io::Error) -> Self {
        Self(Some(e))
    }

    /// Nothing the system could explain.
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// The network or the server refused; anything else is a problem of the socket itself.
    pub(super) fn is_connection_problem(&self) -> bool {
        self.name().is_some_and(|n| n != "EPIPE")
    }

    /// HAProxy's text, empty without an error.
    pub(super) fn text(&self) -> String {
        let Some(e) = &self.0 else { return String::new() };
        let text = e.to_string();
        let text = text.split(" (os error").next().unwrap_or_default();
        match self.name() {
            Some(name) => format!("{name} returned by OS ({text})"),
            None => format!("General socket error ({text})"),
        }
    }

    fn name(&self) -> Option<&'static str> {
        Some(match self.0.as_ref()?.kind() {
            io::ErrorKind::ConnectionRefused => "ECONNREFUSED",
            io::ErrorKind::ConnectionReset => "ECONNRESET",
            io::ErrorKind::ConnectionAborted => "ECONNABORTED",
            io::ErrorKind::HostUnreachable => "EHOSTUNREACH",
            io::ErrorKind::NetworkUnreachable => "ENETUNREACH",
            io::ErrorKind::TimedOut => "ETIMEDOUT",
            io::ErrorKind::BrokenPipe => "EPIPE",
            _ => return None,
        })
    }
}
