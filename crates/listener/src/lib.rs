//! `bind` lines become receivers, receivers become accept loops.
//!
//! Three steps: [`compile`] expands addresses and port ranges into [`BindSpec`]s; [`Binder`] binds them, with
//! HAProxy's messages, while the process still may; [`ListenerSet`] accepts on one worker thread and hands
//! connections to an [`hawser_proto::AcceptSink`]. Limits that all threads share are in
//! [`hawser_proto::incoming`].

mod accept;
mod bind;
mod compile;
mod set;
mod threads;

pub use bind::{BindFailure, Binder, Bound, Dealt};
pub use compile::{BindSpec, CompileOptions, Compiled, compile, compile_cli, count};
pub use set::ListenerSet;
pub use threads::ThreadSet;

#[cfg(test)]
mod tests;
