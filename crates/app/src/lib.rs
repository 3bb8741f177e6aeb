//! The process: command line, boot order, worker threads, signals, the end.

mod affinity;
pub mod alloc;
pub mod args;
mod bind;
mod boot;
mod check;
mod cli;
mod commands;
mod compat;
mod control;
mod daemon;
mod diagnostics;
mod dump;
mod engine;
mod events;
mod facts;
mod idle;
pub mod limits;
mod master;
mod memory;
mod messages;
mod metrics;
mod oldpids;
mod page;
mod privileges;
mod report;
mod reverse;
mod running;
mod sigmask;
mod start;
pub mod version;
mod worker;

pub use boot::run;
pub use compat::compatibility;

/// How the process ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// With this status.
    Status(u8),
    /// By this signal, so that the parent sees what killed it.
    Signal(i32),
}
