//! What the words of a command stand for.

use super::Statistics;
use hawser_balance::{Backend, Server};
use hawser_cli::{Call, Reply};
use hawser_session::Snapshot;
use std::sync::Arc;

/// A server that a command is about.
pub(super) struct Target {
    pub(super) backend: Arc<Backend>,
    pub(super) server: Arc<Server>,
    /// The section is disabled.
    pub(super) disabled: bool,
}

/// The configuration in force.
pub(super) fn snapshot(call: &Call<'_>) -> Result<Arc<Snapshot>, Reply> {
    let found = call.state.get::<Statistics>().map(|s| s.0.snapshot());
    found.ok_or_else(|| Reply::err("The process is not ready."))
}

/// The server of `backend/server`, either by name or by id.
pub(super) fn server(call: &Call<'_>, path: &str) -> Result<Target, Reply> {
    let snapshot = snapshot(call)?;
    let parts = path.split_once('/').filter(|(_, server)| !server.is_empty());
    let Some((bk, sv)) = parts else { return Err(Reply::err("Require 'backend/server'.")) };
    let px = snapshot.backend(bk).ok_or_else(|| Reply::err("No such backend."))?;
    let back = px.back.as_ref().ok_or_else(|| Reply::err("No such backend."))?;
    let servers = &back.backend.servers;
    let found = match sv.strip_prefix('#') {
        Some(id) => id.parse().ok().and_then(|id: u32| servers.iter().find(|s| s.id == id)),
        None => servers.iter().find(|s| *s.name == *sv),
    };
    let server = found.ok_or_else(|| Reply::err("No such server."))?;
    Ok(Target { backend: Arc::clone(&back.backend), server: Arc::clone(server), disabled: px.disabled })
}

/// As [`server`], for commands that change something: sections that are disabled have nothing to change.
pub(super) fn changeable(call: &Call<'_>, path: &str) -> Result<Target, Reply> {
    let target = server(call, path)?;
    if target.disabled { Err(Reply::err("Proxy is disabled.")) } else { Ok(target) }
}

/// The answer of a command that may have been refused on the way.
pub(super) fn answer(result: Result<Reply, Reply>) -> Reply {
    result.unwrap_or_else(|refusal| refusal)
}
