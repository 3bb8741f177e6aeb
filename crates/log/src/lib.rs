//! Log targets and formats (manual chapter 8): where lines go, and the lines of streams and events.
//!
//! A [`Logger`] is an immutable set of targets, shared by all threads. Sockets and buffers belong to the thread
//! that logs. Logging never waits: what a target cannot take at once is dropped and counted.

mod clock;
pub mod event;
mod format;
pub mod forward;
pub mod logger;
mod sink;
pub mod stream;
pub mod terminal;

pub use forward::{Forwarder, received_logs};
pub use logger::{Logger, dropped_logs, program_name, set_program_name};
pub use stream::StreamLogger;
