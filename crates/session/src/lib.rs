//! Sessions and streams: from an accepted connection to the server's answer and the log line.
//!
//! [`compile`] turns a configuration into an immutable [`Snapshot`]; a [`Worker`] per thread serves connections
//! with it, each in one task. Muxes, transports and listeners are reached through `proto`'s traits only.

mod assigned;
mod attach;
mod attached;
mod client;
mod conn;
mod connect;
mod dial;
mod dialing;
mod establish;
mod handshake;
mod held;
mod http;
mod link;
mod log;
mod persist;
mod pool;
mod pump;
mod raw;
mod reverse;
mod route;
mod runner;
pub mod snapshot;
mod stick;
mod stop;
mod stream;
mod target;
mod tcp;
mod timers;
mod tracking;
mod tunnel;
pub mod worker;

pub use pool::Loan;
pub use reverse::ReverseDialer;
pub use snapshot::{CompileOpts, Snapshot, StatsEnv, compile};
pub use worker::{Shared, Worker};
