//! The runtime API: stats socket commands.
