//! HTTP checks by way of a mux: of servers that speak HTTP/2, and over connections of traffic.

use super::response::Response;
use crate::script::Request;
use hawser_http::{BodyLen, Head, Version};
use hawser_proto::mux::{BackMux, BackStream, Fill, MessageInfo, StreamError};
use hawser_proto::{Connecting, Transport};
use hawser_sample::Ctx;
use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};

/// An established connection, for a mux that expects one to come.
struct Made(Option<Box<dyn Transport>>);

impl Connecting for Made {
    fn poll_connect(&mut self, _: &mut Context<'_>) -> Poll<io::Result<Box<dyn Transport>>> {
        Poll::Ready(self.0.take().ok_or_else(|| io::ErrorKind::NotConnected.into()))
    }
}

/// Has a mux speak on a connection.
pub(super) fn stream_on(mux: &dyn BackMux, transport: Box<dyn Transport>) -> Box<dyn BackStream> {
    mux.connect(Box::new(Made(Some(transport))))
}

/// A request as a mux takes it.
pub(super) struct Message {
    head: Head,
    body: Vec<u8>,
    close: bool,
}

impl Message {
    pub(super) fn of(r: &Request, state: Option<&str>) -> Self {
        let (head, body) = r.message(state, &Ctx::EMPTY);
        Self { close: r.closes() || head.version() == Version::H10, head, body }
    }
}

/// Sends a request, and establishes the connection if that is still to do.
pub(super) async fn send(stream: &mut dyn BackStream, m: &Message) -> Result<(), StreamError> {
    let len = if m.body.is_empty() { BodyLen::None } else { BodyLen::Length(m.body.len() as u64) };
    stream.send_request(&m.head, &MessageInfo { body: len, ..MessageInfo::default() }, m.close);
    poll_fn(|cx| stream.poll_connected(cx)).await
}

/// The rest of the exchange. At most `room` bytes of the response's body are looked at.
pub(super) async fn respond(
    stream: &mut dyn BackStream,
    m: &Message,
    room: usize,
) -> Result<Response, StreamError> {
    let mut body = m.body.as_slice();
    while !body.is_empty() {
        let n = poll_fn(|cx| stream.poll_data(cx, body)).await?;
        body = body.get(n..).unwrap_or_default();
    }
    stream.end(None);
    poll_fn(|cx| stream.poll_flush(cx)).await?;
    let mut head = Head::default();
    loop {
        poll_fn(|cx| stream.poll_response(cx, &mut head)).await?;
        if head.status() >= 200 {
            break;
        }
        head.clear();
    }
    let mut body = Vec::new();
    while body.len() < room && poll_fn(|cx| stream.poll_fill(cx)).await? == Fill::Data {
        let n = stream.data().len().min(room - body.len());
        body.extend_from_slice(stream.data().get(..n).unwrap_or_default());
        stream.consume(n);
    }
    Ok(Response::whole(head, body))
}
