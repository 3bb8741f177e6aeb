//! Health checks: what a check does, what its result does to the server, and when the next one is due.
//!
//! ```text
//!  compile ──> Check { script, settings }            one per server with `check`
//!                 │
//!   Schedule ─────┤ due(now)                          which checks start now; no clock, no socket
//!                 v
//!   probe::run(script) ──> Outcome                    the only part that opens sockets
//!                 │
//!                 v
//!   Health::apply ──> Backend::set_oper, event lines  rise, fall, texts
//! ```
//!
//! All checks of a process run on one thread ([`Checks::run`]); traffic observed by workers (`observe`) reaches
//! the same health through [`hawser_balance::Observer`].

mod agent;
mod check;
mod driver;
mod health;
mod observe;
mod pool;
mod probe;
mod protocol;
mod schedule;
mod script;
mod settings;
mod status;

pub use check::{CheckEnv, Checks, compile};
pub use health::{Applied, Health};
pub use pool::{Lent, NoPool, Pool, Target};
pub use probe::Outcome;
pub use schedule::Schedule;
pub use script::Script;
pub use settings::Settings;
pub use status::{Status, Verdict};
