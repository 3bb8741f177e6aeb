//! Samples: fetches, converters, patterns, ACLs and log-formats, compiled once and evaluated by borrowing.
//!
//! A sample expression compiles at load to fetch + typed arguments + converter chain. ACLs, rules, log-formats,
//! `balance` and `sni` all use the same compiled [`expr::Expr`].

pub mod ctx;
pub mod facts;
pub mod value;
pub mod vars;

pub use ctx::{Ctx, Runtime};
pub use value::Value;
