//! The seams between layers: the protocol vtable, receivers, transports, and the clock.
//!
//! Nothing above this crate and `listener` knows which protocol a connection came from.

pub mod addr;
pub mod clock;
pub mod transport;
pub mod vtable;

pub use addr::Address;
pub use transport::Transport;
pub use vtable::{Accepted, ConnectTo, ListenerState, Protocol, ProtocolInfo, Receiver, RxConfig};
