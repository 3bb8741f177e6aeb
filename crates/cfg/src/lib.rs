//! The configuration language: text in, typed data and diagnostics out.
//!
//! Nothing here opens a socket, starts a thread or knows how a keyword behaves at run time; the system's resolver
//! is asked for the names on `bind` and similar lines, as these must be known to accept a file. Parsing returns a
//! [`model::Config`] together with [`diag::Diags`]; it never stops at the first error that it can survive.

mod accounts;
pub mod addr;
pub mod compat;
pub mod cond;
pub mod diag;
pub mod env;
pub mod features;
pub mod keyword;
pub mod lexer;
pub mod load;
pub mod model;
pub mod octets;
pub mod parse;
pub mod pos;
pub mod render;
mod sections;
pub mod suggest;
pub mod text;
pub mod units;
