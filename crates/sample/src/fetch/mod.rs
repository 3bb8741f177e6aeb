//! Sample fetches, one file per source of data.

mod internal;
mod l4;
mod l7;

use crate::row::Fetch;

/// All tables of this crate.
pub(crate) static TABLES: &[&[Fetch]] = &[internal::FETCHES, l4::FETCHES, l7::FETCHES];
