//! Taking a header off a connection.

use super::{Expect, Failure, HEADER_MAX, Header, Outcome, cip, parse};
use crate::Transport;
use std::future::poll_fn;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// Bytes looked at first, on the stack: most headers fit.
const GLANCE: usize = 256;

/// Waits for the headers and takes exactly them off the stream: what follows belongs to the session. A connection
/// that waits here owns no buffer.
///
/// # Errors
/// Why the connection has to be closed; `limit` bounds the wait.
pub async fn receive(
    transport: &mut dyn Transport,
    expect: Expect,
    limit: Option<Duration>,
) -> Result<Header, Failure> {
    let Some(limit) = limit else { return headers(transport, expect).await };
    match tokio::time::timeout(limit, headers(transport, expect)).await {
        Ok(outcome) => outcome,
        Err(_) if expect.proxy => Err(Failure::PrxTimeout),
        Err(_) => Err(Failure::CipTimeout),
    }
}

async fn headers(transport: &mut dyn Transport, expect: Expect) -> Result<Header, Failure> {
    let mut found = Header::default();
    if expect.proxy {
        found = take(transport, &PROXY, &parse).await?;
    }
    if let Some(magic) = expect.cip {
        let inner = take(transport, &CIP, &|b| cip::parse(b, magic)).await?;
        found.addrs = inner.addrs;
    }
    Ok(found)
}

/// What the ways to fail are called.
struct Names {
    empty: Failure,
    abort: Failure,
    truncated: Failure,
}

const PROXY: Names =
    Names { empty: Failure::PrxEmpty, abort: Failure::PrxAbort, truncated: Failure::PrxTruncated };
const CIP: Names =
    Names { empty: Failure::CipEmpty, abort: Failure::CipAbort, truncated: Failure::CipTruncated };

type Parse<'a> = &'a dyn Fn(&[u8]) -> Outcome;

async fn take(transport: &mut dyn Transport, names: &Names, parse: Parse<'_>) -> Result<Header, Failure> {
    // Readiness without new bytes: once may be an old report, twice is the end of the stream, which is
    // reported for ever.
    let (mut before, mut repeats) = (usize::MAX, 0);
    loop {
        let (seen, outcome) = look(transport, names, parse)?;
        match outcome {
            Outcome::Invalid(why) => return Err(why),
            Outcome::Partial => {
                repeats = if seen == before { repeats + 1 } else { 0 };
                if repeats > 2 {
                    return Err(if seen == 0 { names.abort } else { names.truncated });
                }
                before = seen;
                // Wait for the next arrival, not for what was peeked at.
                transport.clear_ready(false);
                poll_fn(|cx| transport.poll_read_ready(cx)).await.map_err(|_| names.abort)?;
            }
            Outcome::Complete(header) => {
                let mut left = header.len;
                poll_fn(|cx| poll_discard(transport, cx, &mut left)).await.map_err(|()| names.abort)?;
                return Ok(header);
            }
        }
    }
}

/// What has arrived so far, and what it is.
fn look(t: &mut dyn Transport, names: &Names, parse: Parse<'_>) -> Result<(usize, Outcome), Failure> {
    let mut glance = [0_u8; GLANCE];
    let seen = match t.peek(&mut glance) {
        None => return Ok((0, Outcome::Partial)),
        Some(Ok(0)) => return Err(names.empty),
        Some(n) => n.map_err(|_| names.abort)?,
    };
    let outcome = parse(&glance[..seen]);
    if outcome != Outcome::Partial || seen < GLANCE {
        return Ok((seen, outcome));
    }
    let mut all = vec![0_u8; HEADER_MAX];
    let seen = match t.peek(&mut all) {
        Some(n) => n.map_err(|_| names.abort)?,
        None => seen,
    };
    Ok((seen, parse(&all[..seen])))
}

fn poll_discard(t: &mut dyn Transport, cx: &mut Context<'_>, left: &mut usize) -> Poll<Result<(), ()>> {
    let mut scratch = [0_u8; GLANCE];
    while *left > 0 {
        let want = GLANCE.min(*left);
        match ready!(t.poll_read(cx, &mut scratch[..want])) {
            Ok(n) if n > 0 => *left -= n,
            _ => return Poll::Ready(Err(())),
        }
    }
    Poll::Ready(Ok(()))
}

#[cfg(test)]
#[path = "receive_tests.rs"]
mod tests;
