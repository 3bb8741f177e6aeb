//! HTTP/2: connections that carry many streams, over the `h2` crate.
//!
//! `h2` does the states of streams, flow control and what is sent. What is here stands on both sides of it: towards the
//! session layer, the streams of `hawser_proto::mux`; towards the transport, an adapter through which every byte
//! passes ([`wire`]), so that output is gathered into few system calls, what is received is checked and decoded, and
//! abuse that `h2` itself does not bound is seen.
//!
//! | module | what |
//! | --- | --- |
//! | [`front`] | connections of clients |
//! | [`back`] | connections to servers, swapped roles among them |
//! | [`wire`], [`frames`] | the adapter, and what it sees of the frames |
//! | [`inbound`], [`streams`] | what is checked and decoded of what a peer sends, before `h2` sees it |
//! | [`outbound`] | heads in the place of those that `h2` writes |
//! | [`hpack`], [`rules`], [`carry`] | field blocks: decoded, judged, and in the form in which they pass through `h2`; encoded |
//! | [`watch`] | glitches and floods |
//! | [`head`] | heads and trailers, both ways |
//! | [`body`], [`chunk`] | bodies, both ways, and what a connection holds of them |
//! | [`conf`] | settings |

pub mod back;
mod body;
mod carry;
mod chunk;
mod conf;
mod frames;
pub mod front;
mod head;
mod hpack;
mod inbound;
mod outbound;
mod rules;
mod streams;
mod watch;
mod wire;

use hawser_proto::mux::MuxRow;

/// HTTP/2 in the table of muxes.
pub static H2: MuxRow = MuxRow { token: "h2", alpn: "h2", front: Some(front::mux), back: Some(back::mux) };
