//! Actions: what a rule does when its condition holds.

mod addr;
mod attach;
mod capture;
mod flow;
mod header;
mod headers_bin;
mod normalize;
mod redirect;
mod reply;
mod service;
mod start_line;
mod stream;
pub mod table;
mod track;
mod vars;

use crate::txn::{Txn, Verdict, WaitFor};
use std::fmt::Debug;

/// A compiled action. It lives in the configuration snapshot, which all threads share.
pub trait Action: Debug + Send + Sync {
    /// Does it.
    fn run(&self, txn: &mut Txn<'_>) -> Step;
}

/// What an action ends with.
#[derive(Debug)]
pub enum Step {
    /// The next rule is due.
    Next,
    /// The evaluation of the rule set ends.
    End(Verdict),
    /// The next rule is due once something has happened.
    After(WaitFor),
    /// This rule is due again once there is more input.
    Again,
    /// A message could not be rewritten: an error or not, as `strict-mode` says.
    Failed,
}
