//! Samples: fetches, converters, patterns, ACLs and log-formats, compiled once and evaluated by borrowing.
//!
//! A sample expression compiles at load to fetch + typed arguments + converter chain. ACLs, rules, log-formats,
//! `balance` and `sni` all use the same compiled [`Expr`]. Files are read and names resolved at load only.

mod acls;
pub mod args;
pub mod checkpoint;
pub mod compile;
pub mod cond;
mod conv;
pub mod ctx;
pub mod date;
mod dump;
pub mod expr;
pub mod facts;
mod fetch;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod fuzz;
pub mod globals;
pub mod hash;
pub mod logformat;
pub mod pattern;
pub mod registry;
pub mod row;
pub mod stick;
pub mod types;
mod userlist;
pub mod value;
pub mod vars;

pub use checkpoint::Checkpoint;
pub use compile::{CompileCx, Error};
pub use cond::{Acls, Cond};
pub use conv::SetConditions;
pub use ctx::{Ctx, Runtime};
pub use expr::{Expr, Needs};
pub use fetch::{Timers, accept_date, connection_error, request_date};
pub use logformat::{Flavor, LogFormat};
pub use registry::Registry;
pub use types::Type;
pub use value::Value;

/// The keyword tables of this crate.
pub static TABLES: registry::Tables =
    registry::Tables { fetches: fetch::TABLES, converters: conv::TABLES, acls: acls::ALIASES };
