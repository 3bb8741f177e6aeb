//! Servers, load balancing, queues and idle connection pools.
//!
//! A [`Backend`] is compiled once from the configuration and shared by all worker threads: everything that
//! changes in it is an atomic, a lock that is only taken when requests queue or servers change state, or a
//! snapshot behind an `ArcSwap`. Its life on the request path is:
//!
//! ```text
//!  Backend::begin ──> Backend::assign ──> Ready(Slot) ─────────────┐
//!                        │                                         ├──> connection, response, drop(Slot)
//!                        ├──────────────> Queued(QueueTicket) ─────┘          │
//!                        └──────────────> NoServer (503)                      └──> next waiter gets the place
//! ```
//!
//! Invariants:
//! - A server's `served` count never exceeds its dynamic limit at the moment of taking, whatever the threads do.
//! - A waiter is granted a slot, told to choose again, or told that no server is left: never forgotten.
//! - No time is read here: callers pass [`Ms`].

pub mod agent;
pub mod algo;
pub mod assign;
pub mod backend;
pub mod change;
pub mod compile;
pub mod counters;
pub mod end;
pub mod event;
pub mod facts;
pub mod observe;
pub mod pool;
pub mod queue;
pub mod resolve;
pub mod retry;
pub mod server;
pub mod state_file;
pub mod time;
pub mod traffic;

#[cfg(test)]
mod tests;

pub use assign::{AssignOpts, Assignment, Forced, Priority, Slot};
pub use backend::{Backend, BackendGuard};
pub use compile::{CompileEnv, compile};
pub use counters::{Counters, Stat, Timer};
pub use end::{EndCause, SessionEnd};
pub use event::{EventSink, Level, NoEvents};
pub use observe::{Observation, Observer};
pub use pool::{
    Agent, Attached, Attachment, Berth, Conn, FdPressure, Idle, IdlePool, Scope, Shared, Sharing,
};
pub use queue::{Granted, QueuePos, QueueTicket};
pub use retry::{Circumstances, Decision, Failure, RetryPolicy};
pub use server::{Place, Server, ServerState};
pub use time::Ms;
pub use traffic::{Event as TrafficEvent, Traffic};
