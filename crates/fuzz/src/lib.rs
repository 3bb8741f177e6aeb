//! Checks that the targets share with tests.

pub mod config;
