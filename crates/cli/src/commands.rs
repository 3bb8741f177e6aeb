//! The commands of this crate, by what they concern.

mod connection;
mod frontend;
mod later;
mod process;

pub use process::sheet;

use crate::command::Command;

/// The tables of this crate, in the order in which [`crate::Registry::new`] wants them: commands that are not
/// built first, for the real ones to replace.
pub const TABLES: &[&[Command]] =
    &[later::COMMANDS, connection::COMMANDS, frontend::COMMANDS, process::COMMANDS];

#[cfg(test)]
mod tests;
