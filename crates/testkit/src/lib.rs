//! Helpers for integration tests: the real binary on real sockets, mock origins, raw clients, log receivers.
//!
//! Helpers panic on failure: a test that cannot set up its world has failed.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test helper fails by panicking"
)]
#![expect(clippy::print_stdout, reason = "tests say why they skip")]

pub mod api;
pub mod h2;
pub mod h2client;
pub mod load;
pub mod logs;
pub mod net;
pub mod origin;
pub mod process;
pub mod tools;
pub mod wire;

pub use logs::LogSink;
pub use net::{free_port, pause, until};
pub use origin::Origin;
pub use process::{Hawser, Run, binary};
pub use wire::{Client, Response};
