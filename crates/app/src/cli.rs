//! The runtime API's sockets on the control thread.

use hawser_cfg::model::{Global, StatsSocket};
use hawser_cli::{DEFAULT_TIMEOUT, Level, Registry, SeverityOutput, Socket, State};
use hawser_proto::freq::FreqCtr;
use hawser_proto::gate::Gate;
use hawser_proto::{AcceptSink, FrontendInfo, Incoming, ListenerInfo, pp};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32};
use std::time::Duration;

/// `stats maxconn` by default.
const MAXCONN: u32 = 10;

/// Takes connections to the runtime API.
pub(crate) struct CliSink {
    state: Arc<State>,
    registry: Arc<Registry>,
    /// Which listener is which `stats socket` line.
    sockets: Vec<(Arc<ListenerInfo>, Socket)>,
}

impl CliSink {
    pub(crate) fn new(
        state: Arc<State>,
        registry: Arc<Registry>,
        sockets: Vec<(Arc<ListenerInfo>, Socket)>,
    ) -> Self {
        Self { state, registry, sockets }
    }
}

impl AcceptSink for CliSink {
    fn accept(&self, conn: Incoming) {
        let listener = conn.slot.listener();
        let Some((_, socket)) = self.sockets.iter().find(|(info, _)| Arc::ptr_eq(info, listener)) else {
            return;
        };
        let (expect, limit) = (listener.expect, Some(socket.timeout));
        let (state, registry, socket) = (Arc::clone(&self.state), Arc::clone(&self.registry), *socket);
        tokio::task::spawn_local(async move {
            let mut conn = conn;
            if !expect.is_none() && pp::receive(&mut *conn.transport, expect, limit).await.is_err() {
                return;
            }
            // Whatever ends the connection ends it; there is nobody to tell.
            let _ = hawser_cli::serve(conn.transport, socket, &state, &registry).await;
            drop(conn.slot);
        });
    }
}

/// The frontend behind the runtime API's listeners.
pub(crate) fn frontend(g: &Global) -> Arc<FrontendInfo> {
    Arc::new(FrontendInfo {
        name: "GLOBAL".into(),
        index: usize::MAX,
        conns: Gate::new(g.stats_maxconn.unwrap_or(MAXCONN)),
        conn_rate: FreqCtr::new(),
        sess_rate: FreqCtr::new(),
        max_sess_rate: AtomicU32::new(0),
        status: AtomicU8::new(0),
    })
}

/// What a `stats socket` line gives its connections.
pub(crate) fn socket(line: &StatsSocket, g: &Global) -> Socket {
    let severity = line.severity_output.as_deref().and_then(SeverityOutput::parse).unwrap_or_default();
    let timeout = g.stats_timeout.map_or(DEFAULT_TIMEOUT, |ms| Duration::from_millis(u64::from(ms)));
    Socket { level: Level::from_number(line.level), severity, timeout, expose_fd: line.expose_fd }
}
