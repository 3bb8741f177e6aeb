//! HTTP checks of servers that speak HTTP/2.

use super::response::Response;
use hawser_http::{BodyLen, Head};
use hawser_proto::mux::{BackMux, BackStream, Fill, MessageInfo, StreamError};
use hawser_proto::{Connecting, Transport};
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

/// A request on a connection, of whose response at most `room` bytes of body are looked at. The connection ends
/// with it.
pub(super) async fn exchange(
    mux: &dyn BackMux,
    transport: Box<dyn Transport>,
    (head, body): (&Head, &[u8]),
    room: usize,
) -> Result<Response, StreamError> {
    let mut stream = mux.connect(Box::new(Made(Some(transport))));
    let len = if body.is_empty() { BodyLen::None } else { BodyLen::Length(body.len() as u64) };
    stream.send_request(head, &MessageInfo { body: len, ..MessageInfo::default() }, true);
    poll_fn(|cx| stream.poll_connected(cx)).await?;
    let conn = stream.conn();
    let response = respond(&mut *stream, body, room).await;
    drop(stream);
    if let Some(conn) = conn {
        conn.drain();
    }
    response
}

async fn respond(stream: &mut dyn BackStream, mut body: &[u8], room: usize) -> Result<Response, StreamError> {
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
