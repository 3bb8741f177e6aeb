//! What comes before the session: the PROXY header of `accept-proxy` listeners.

use crate::proxy_header::{HEADER_MAX, Header, Outcome, parse};
use hawser_proto::{AcceptSink, Incoming, Transport};
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::time::Duration;

/// Reads the header, then hands the connection up; one without a valid header is closed.
pub(crate) async fn accept_proxy(mut conn: Incoming, limit: Option<Duration>, sink: Rc<dyn AcceptSink>) {
    let header = read_header(&mut *conn.transport);
    let header = match limit {
        Some(time) => match tokio::time::timeout(time, header).await {
            Ok(h) => h,
            Err(_) => return,
        },
        None => header.await,
    };
    let Ok(header) = header else { return };
    if let Some((src, dst)) = header.addrs {
        conn.src = src;
        conn.dst = Some(dst);
    }
    sink.accept(conn);
}

/// Takes exactly the header off the stream: what follows belongs to the session.
async fn read_header(transport: &mut dyn Transport) -> io::Result<Header> {
    let mut buf = vec![0_u8; HEADER_MAX];
    // Readiness without new bytes: once may be an old report, twice is the end of the stream, which is
    // reported for ever.
    let (mut before, mut repeats) = (0, 0);
    loop {
        poll_fn(|cx| transport.poll_read_ready(cx)).await?;
        let seen = match transport.peek(&mut buf) {
            None => 0,
            Some(Ok(0)) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Some(n) => n?,
        };
        match parse(&buf[..seen]) {
            Outcome::Invalid(why) => return Err(io::Error::new(io::ErrorKind::InvalidData, why)),
            // Wait for the next arrival, not for what was peeked at.
            Outcome::Partial => {
                repeats = if seen == before { repeats + 1 } else { 0 };
                if repeats > 1 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                before = seen;
                transport.clear_ready(false);
            }
            Outcome::Complete(header) => {
                let mut left = header.len;
                while left > 0 {
                    left -= poll_fn(|cx| transport.poll_read(cx, &mut buf[..left])).await?;
                }
                return Ok(header);
            }
        }
    }
}
