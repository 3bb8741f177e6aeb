//! The runtime API (management guide 9.3): commands, levels, framing, and the loop that serves a connection.
//!
//! Commands are rows of static tables; the crate that owns some state may bring its own table. What commands
//! act on comes from a [`State`], a map by type, so that this crate knows nothing of proxies or servers.

pub mod command;
pub mod commands;
pub mod conversation;
pub mod info;
mod line;
pub mod schema;
mod serve;
mod state;
mod suggest;

pub use command::{Call, Command, Level, Registry, Reply, Severity, Status};
pub use conversation::{Conversation, SeverityOutput};
pub use serve::{DEFAULT_TIMEOUT, Socket, serve};
pub use state::{Environment, Exported, Exports, Listeners, Process, SocketList, StartupLogs, State};
