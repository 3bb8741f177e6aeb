//! The running process, for those who are made before it runs.

use hawser_cli::State;
use std::fmt;
use std::sync::{Arc, OnceLock, Weak};

/// The state of the process once it is ready.
#[derive(Default)]
pub(crate) struct Running(OnceLock<Weak<State>>);

impl Running {
    /// The process is ready.
    pub(crate) fn set(&self, state: &Arc<State>) {
        let _ = self.0.set(Arc::downgrade(state));
    }

    /// Its state, if it is ready.
    pub(crate) fn state(&self) -> Option<Arc<State>> {
        self.0.get()?.upgrade()
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Running")
    }
}
