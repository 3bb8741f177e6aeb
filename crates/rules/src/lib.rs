//! Rule sets: compiled actions and conditions, evaluated on a transaction.
//!
//! A rule line compiles once into a condition and an action; a [`RuleList`] is evaluated on a [`Txn`], the mutable
//! view of a session and its messages, and ends with a [`Verdict`]. Nothing here does input or output: what a rule
//! asks of the connection or of time is left in [`Asks`] or returned as [`Verdict::Wait`].

pub mod action;
pub mod args;
pub mod compile;
mod expand;
pub mod list;
pub mod replies;
mod rewrite;
pub mod row;
pub mod service;
mod slots;
pub mod switching;
#[cfg(test)]
mod testing;
pub mod txn;

pub use compile::RuleCx;
pub use hawser_http::Reply;
pub use list::{ProxyRules, RuleList};
pub use replies::{ErrorReplies, Errors};
pub use service::Service;
pub use switching::{Choice, SwitchKind, Switching};
pub use txn::{Asks, Attach, Room, RuleSet, Txn, Verdict, WaitFor};
