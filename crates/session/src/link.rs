//! A stream's connection to a server.

use crate::pool::{Ride, Seat};
use hawser_balance::Server;
use hawser_proto::Address;
use hawser_proto::mux::{BackStream, MessageInfo};
use std::sync::Arc;

/// A connection to a server that carries the stream.
pub(crate) struct Link {
    stream: Box<dyn BackStream>,
    hold: Hold,
    /// What the mux said of the response.
    pub(crate) info: MessageInfo,
    /// It carried other requests before.
    pub(crate) reused: bool,
}

/// What the stream has of the connection.
pub(crate) enum Hold {
    /// All of it.
    Alone(Seat),
    /// All of it, for one exchange: it does not speak what other requests to the server expect.
    Once(Seat),
    /// One stream of many.
    Shared(Ride),
    /// One stream of many, on a connection that the server opened.
    Attached(AttachedSeat),
}

/// A stream on an attached connection. Dropped after the stream, it tells that there is room for another one.
pub(crate) struct AttachedSeat(pub(crate) Arc<Server>);

impl Drop for AttachedSeat {
    fn drop(&mut self) {
        if let Some(attached) = &self.0.attached {
            attached.freed();
        }
    }
}

impl Link {
    /// A stream on a connection.
    pub(crate) fn new(stream: Box<dyn BackStream>, hold: Hold, reused: bool) -> Self {
        Self { stream, hold, info: MessageInfo::default(), reused }
    }

    /// The stream.
    pub(crate) fn stream(&mut self) -> &mut dyn BackStream {
        &mut *self.stream
    }

    /// The server.
    pub(crate) fn server(&self) -> &Arc<Server> {
        match &self.hold {
            Hold::Alone(seat) | Hold::Once(seat) => seat.server(),
            Hold::Shared(ride) => ride.server(),
            Hold::Attached(seat) => &seat.0,
        }
    }

    /// The local address of the connection.
    pub(crate) fn local(&mut self) -> Address {
        if let Some(t) = self.stream.transport() {
            return t.get_dst();
        }
        self.stream.conn().map(|c| c.addresses().1).unwrap_or_default()
    }

    /// The connection carries other streams beside this one.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self.hold, Hold::Shared(_) | Hold::Attached(_))
    }

    /// What it has of the connection.
    pub(crate) fn hold(&mut self) -> &mut Hold {
        &mut self.hold
    }

    /// The stream, and what it has of the connection.
    pub(crate) fn into_parts(self) -> (Box<dyn BackStream>, Hold) {
        (self.stream, self.hold)
    }
}
