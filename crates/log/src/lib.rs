//! Log targets and formats.
