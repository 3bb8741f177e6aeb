//! Clients that ask again and again while something happens to who answers.

use crate::net::until;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::thread::JoinHandle;

/// Clients that ask until they are stopped.
#[derive(Debug)]
pub struct Load {
    shared: Arc<Shared>,
    clients: Vec<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    good: AtomicU32,
    bad: AtomicU32,
}

impl Load {
    /// Some clients, each of which asks in a loop. `ask` gets a number that grows and says whether all was well; a
    /// panic says that it was not.
    pub fn start(clients: usize, ask: impl Fn(usize) -> bool + Send + Sync + 'static) -> Self {
        let (shared, ask) = (Arc::<Shared>::default(), Arc::new(ask));
        let client = |n: usize| {
            let (shared, ask) = (Arc::clone(&shared), Arc::clone(&ask));
            std::thread::spawn(move || {
                for i in (n..).take_while(|_| !shared.stop.load(Relaxed)) {
                    let ask = std::panic::AssertUnwindSafe(|| ask(i));
                    let well = std::panic::catch_unwind(ask).unwrap_or(false);
                    if well { &shared.good } else { &shared.bad }.fetch_add(1, Relaxed);
                }
            })
        };
        let clients = (0..clients).map(client).collect();
        Self { shared, clients }
    }

    /// Waits until that many more were answered well; false if they are not.
    pub fn goes_on(&self, more: u32) -> bool {
        let enough = self.shared.good.load(Relaxed) + more;
        until(20_000, || self.shared.good.load(Relaxed) > enough)
    }

    /// Requests that were answered as they should, and the others.
    pub fn end(self) -> (u32, u32) {
        self.shared.stop.store(true, Relaxed);
        self.clients.into_iter().for_each(|c| c.join().unwrap());
        (self.shared.good.load(Relaxed), self.shared.bad.load(Relaxed))
    }
}
