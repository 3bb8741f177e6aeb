//! The `global` section (manual chapter 3).

mod cpu_map;
mod h2;
mod process;
mod stats;
mod tls;
mod tuning;
mod unix_bind;

use crate::keyword::Table;
use crate::model::Global;
use crate::parse::kw::Kw;

pub(crate) use process::joined;

/// All tables of the section.
pub(crate) static TABLES: &[&Table<Kw<Global>>] = &[
    &process::PROCESS,
    &process::ENVIRONMENT,
    &process::OTHERS,
    &tuning::LIMITS,
    &tuning::INTERNALS,
    &h2::H2,
    &tuning::EXTRAS,
    &tls::DEFAULTS,
    &tls::QUIC,
    &tls::DEVICES,
];

pub(crate) use stats::STATS;
