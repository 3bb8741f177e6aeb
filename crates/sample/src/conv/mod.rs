//! Converters, one file per kind.

mod digest;
mod encode;
mod hash;
mod http;
mod json;
mod jsonpath;
mod later;
mod logic;
mod map;
mod net;
mod num;
mod regsub;
mod rfc7239;
mod stick;
mod string;
mod time;
mod words;

use crate::row::Converter;

pub use logic::SetConditions;

pub(crate) use encode::hex_into;
pub(crate) use regsub::{Part, expand, parts};
pub(crate) use time::{check_unit, unit};

/// All tables of this crate.
pub(crate) static TABLES: &[&[&[Converter]]] = &[
    &[
        digest::CONVERTERS,
        encode::CONVERTERS,
        hash::CONVERTERS,
        http::CONVERTERS,
        json::CONVERTERS,
        jsonpath::CONVERTERS,
        later::CONVERTERS,
        logic::CONVERTERS,
        net::CONVERTERS,
        num::CONVERTERS,
        regsub::CONVERTERS,
        rfc7239::CONVERTERS,
        stick::CONVERTERS,
        string::CONVERTERS,
        time::CONVERTERS,
        words::CONVERTERS,
    ],
    map::CONVERTERS,
];
