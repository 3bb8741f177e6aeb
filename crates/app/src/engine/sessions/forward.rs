//! `log-forward` sections: listeners whose index is beyond the proxies' are theirs.

use hawser_cfg::diag::Diags;
use hawser_cfg::model::Config;
use hawser_log::Forwarder;
use hawser_log::event::proxy_stopped;
use hawser_proto::{Address, Incoming, ListenerInfo};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// The sections, shared by all threads.
pub(super) struct Forwarders {
    /// The index of the first.
    first: usize,
    all: Vec<Forwarder>,
    datagram_max: usize,
}

/// Compiles the sections.
pub(super) fn compile(config: &Config, diags: &mut Diags) -> Arc<Forwarders> {
    let one = |section| Forwarder::compile(diags, &config.global, section);
    let all: Vec<Forwarder> = config.log_forwards.iter().map(one).collect();
    let datagram_max = all.iter().map(Forwarder::max).max().unwrap_or(1);
    Arc::new(Forwarders { first: config.proxies.len(), all, datagram_max })
}

impl Forwarders {
    /// Tells that the sections have stopped.
    pub(super) fn tell_stopped(&self, listeners: &[Arc<ListenerInfo>]) {
        for (n, section) in self.all.iter().enumerate() {
            let frontend = listeners.iter().map(|l| &l.frontend).find(|f| f.index == self.first + n);
            if let Some(f) = frontend {
                proxy_stopped(section.logger(), &f.name, f.conns.total(), 0);
            }
        }
    }

    fn of(&self, listener: &ListenerInfo) -> Option<&Forwarder> {
        self.all.get(listener.frontend.index.checked_sub(self.first)?)
    }
}

/// Connections of a thread, for those who wait for the last to end.
#[derive(Default)]
struct Live {
    count: Cell<usize>,
    ended: RefCell<Option<Waker>>,
}

/// A connection.
struct Place(Rc<Live>);

impl Place {
    fn take(live: &Rc<Live>) -> Self {
        live.count.set(live.count.get() + 1);
        Self(Rc::clone(live))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.count.set(self.0.count.get() - 1);
        if self.0.count.get() == 0
            && let Some(waker) = self.0.ended.take()
        {
            waker.wake();
        }
    }
}

/// The part of one thread.
pub(super) struct Forwards {
    shared: Arc<Forwarders>,
    live: Rc<Live>,
}

impl Forwards {
    pub(super) fn new(shared: Arc<Forwarders>) -> Self {
        Self { shared, live: Rc::default() }
    }

    /// Serves a connection of a section; gives back one of a proxy.
    pub(super) fn accept(&self, conn: Incoming) -> Option<Incoming> {
        if self.shared.of(conn.slot.listener()).is_none() {
            return Some(conn);
        }
        let (shared, place) = (Arc::clone(&self.shared), Place::take(&self.live));
        tokio::task::spawn_local(async move {
            let _place = place;
            let listener = Arc::clone(conn.slot.listener());
            if let Some(forwarder) = shared.of(&listener) {
                forwarder.serve(conn).await;
            }
        });
        None
    }

    /// Sends a datagram on.
    pub(super) fn datagram(&self, listener: &ListenerInfo, from: &Address, bytes: &[u8]) {
        if let Some(forwarder) = self.shared.of(listener) {
            forwarder.message(bytes, from);
        }
    }

    /// `tune.bufsize`.
    pub(super) fn datagram_max(&self) -> usize {
        self.shared.datagram_max
    }

    /// Ready when no connection is left. One task may wait.
    pub(super) fn poll_ended(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.live.count.get() == 0 {
            return Poll::Ready(());
        }
        *self.live.ended.borrow_mut() = Some(cx.waker().clone());
        Poll::Pending
    }
}
