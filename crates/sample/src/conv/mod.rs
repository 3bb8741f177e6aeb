//! Converters, one file per kind.

mod string;

use crate::row::Converter;

/// All tables of this crate.
pub(crate) static TABLES: &[&[Converter]] = &[string::CONVERTERS];
