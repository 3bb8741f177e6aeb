//! Connections that their peer opened, to be served requests on (reverse HTTP).

use crate::back::driver::Driver;
use crate::chunk::Chunk;
use crate::conf::Side;
use crate::wire::Wire;
use h2::client::SendRequest;
use hawser_proto::Transport;
use hawser_proto::buf::Buf;
use hawser_proto::mux::{Adopting, BackConn, StreamError};
use std::io::ErrorKind;
use std::sync::Arc;
use std::task::{Context, Poll};

/// A connection whose roles are being swapped. Its peer starts like a client, with the preface; from its SETTINGS
/// on, it is the server.
pub(crate) struct Adoption {
    side: Arc<Side>,
    started: Option<(SendRequest<Chunk>, Driver)>,
}

impl Adoption {
    pub(crate) fn new(side: Arc<Side>, transport: Box<dyn Transport>, early: Option<Buf>) -> Self {
        let started = Driver::start(&side, Wire::adopted(&side, transport, early)).ok();
        Self { side, started }
    }
}

impl Adopting for Adoption {
    fn poll_adopted(&mut self, cx: &mut Context<'_>) -> Poll<Result<Arc<dyn BackConn>, StreamError>> {
        let closed = || StreamError::Io(ErrorKind::NotConnected.into());
        let Some((_, driver)) = &mut self.started else { return Poll::Ready(Err(closed())) };
        let over = driver.poll_on(cx).is_ready();
        if !driver.is_settled() {
            return match over {
                true => Poll::Ready(Err(StreamError::Bad { status: 400, why: "no HTTP/2 preface" })),
                false => Poll::Pending,
            };
        }
        match self.started.take() {
            Some((send, driver)) => Poll::Ready(Ok(driver.spawn(self.side.clone(), send))),
            None => Poll::Ready(Err(closed())),
        }
    }
}
