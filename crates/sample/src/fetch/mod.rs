//! Sample fetches, one file per source of data.

mod auth;
mod cookie;
mod header;
mod hello;
mod internal;
mod l4;
mod later;
mod message;
mod payload;
mod proxy;
mod stick;
#[cfg(test)]
mod tests;
mod timing;
mod tls;
mod url;
mod vars;

use crate::row::Fetch;

pub use l4::error as connection_error;
pub use timing::{Timers, accept_date, request_date};

pub(crate) use internal::{hostname, named_acl};
pub(crate) use url::path;

/// All tables of this crate.
pub(crate) static TABLES: &[&[Fetch]] = &[
    auth::FETCHES,
    cookie::FETCHES,
    header::FETCHES,
    hello::FETCHES,
    internal::FETCHES,
    l4::FETCHES,
    later::FETCHES,
    message::FETCHES,
    payload::FETCHES,
    proxy::FETCHES,
    stick::FETCHES,
    timing::FETCHES,
    tls::FETCHES,
    url::FETCHES,
    vars::FETCHES,
];
