//! The seams between layers: the protocol vtable, receivers, transports, and the clock; and the protocols over
//! kernel stream sockets.
//!
//! Nothing above this crate and `listener` knows which protocol a connection came from.

pub mod addr;
mod announce;
pub mod buf;
pub mod clock;
mod connect;
mod connect_to;
mod dgram;
pub mod freq;
pub mod gate;
pub mod handover;
pub mod incoming;
mod inherited;
mod later;
pub mod md5sig;
pub mod memory;
pub mod mux;
pub mod netns;
pub mod pp;
pub mod reactor;
mod receiver;
mod reuseport;
pub mod rhttp;
mod sock;
pub mod sockpair;
mod socks4;
pub mod splice;
pub mod sysopt;
mod table;
mod tcp;
pub mod transport;
mod unix;
pub mod vtable;

pub use addr::Address;
pub use connect::{PortRange, dial};
pub use incoming::{
    AcceptSink, ConnSlot, FrontendInfo, FrontendStatus, Incoming, ListenerCounts, ListenerEvent,
    ListenerInfo, ProcessInfo,
};
pub use inherited::{probe as probe_inherited, take as take_inherited};
pub use receiver::errno_text;
pub use sock::{OPEN_SOCKETS, Sock};
pub use table::{PROTOCOLS, protocol_for, protocol_of};
pub use transport::{SockOpt, Transport};
pub use vtable::{
    Accepted, BindError, ConnectTo, Connecting, GIVE_WAY, ListenerState, Protocol, ProtocolInfo, Receiver,
    RxConfig,
};

#[cfg(test)]
mod options_tests;
#[cfg(test)]
mod tests;
