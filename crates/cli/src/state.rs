//! What commands act on, by type.

use hawser_proto::handover::Listening;
use hawser_proto::{FrontendInfo, FrontendStatus, ProcessInfo};
use parking_lot::{Mutex, RwLock};
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

/// A map from types to values: whoever owns something that commands need puts it here at boot.
#[derive(Default)]
pub struct State {
    items: RwLock<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

impl State {
    /// Puts a value; it replaces one of the same type.
    pub fn insert<T: Any + Send + Sync>(&self, value: T) {
        self.items.write().insert(TypeId::of::<T>(), Arc::new(value));
    }

    /// The value of a type, if there is one.
    pub fn get<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        let item = self.items.read().get(&TypeId::of::<T>()).cloned()?;
        item.downcast().ok()
    }
}

/// The environment as the configuration left it, sorted, for `show env`.
#[derive(Debug, Default)]
pub struct Environment(pub Vec<(String, String)>);

/// What was printed while starting, for `show startup-logs`.
#[derive(Debug, Default, Clone)]
pub struct StartupLogs(pub Arc<Mutex<String>>);

/// The sockets of the runtime API: address, level; for `show cli sockets`.
#[derive(Debug, Default)]
pub struct SocketList(pub Vec<(String, crate::Level)>);

/// Duplicates of the listening sockets, each with the index of its frontend, for `_getsocks`. Whoever stops listening
/// takes them out.
#[derive(Debug, Default, Clone)]
pub struct Exports(pub Arc<Mutex<Vec<Exported>>>);

/// The index of a frontend and a duplicate of one of its sockets.
pub type Exported = (usize, Arc<Listening>);

/// Tells all threads what the listeners of a frontend (its index) have to do.
pub struct Listeners(pub Box<dyn Fn(usize, FrontendStatus) + Send + Sync>);

/// What the process is.
#[derive(Debug)]
pub struct Process {
    /// Version as `show version` prints it.
    pub version: &'static str,
    /// Date of the release, `YYYY/MM/DD`.
    pub release_date: &'static str,
    /// Process id.
    pub pid: u32,
    /// `nbthread`.
    pub threads: u32,
    /// When it started.
    pub started: Instant,
    /// The same by the wall clock.
    pub started_date: SystemTime,
    /// Milliseconds from the start to serving.
    pub boot_ms: u64,
    /// `-m`, in MB, 0 for none.
    pub memmax_mb: u64,
    /// Limit of descriptors.
    pub ulimit_n: u64,
    /// Descriptors that the configuration may need.
    pub maxsock: u64,
    /// The largest `maxconn` that the limits allow.
    pub hard_maxconn: u32,
    /// `maxpipes`.
    pub maxpipes: u32,
    /// `node`.
    pub node: String,
    /// `description`.
    pub description: Option<String>,
    /// Sockets that accept, the runtime API's included.
    pub listeners: u32,
    /// Limits and counters of connections.
    pub conns: Arc<ProcessInfo>,
    /// Frontends by index of their proxy; `None` for pure backends.
    pub frontends: Vec<Option<Arc<FrontendInfo>>>,
}

impl Process {
    /// The frontend of a name.
    pub fn frontend(&self, name: &str) -> Option<&Arc<FrontendInfo>> {
        self.frontends.iter().flatten().find(|f| &*f.name == name)
    }
}
