//! The configuration language: text in, typed data and diagnostics out.
//!
//! Nothing here opens a socket, starts a thread or knows how a keyword behaves at run time. Parsing returns a
//! [`model::Config`] together with [`diag::Diags`]; it never stops at the first error that it can survive.

pub mod diag;
pub mod keyword;
pub mod model;
pub mod pos;
