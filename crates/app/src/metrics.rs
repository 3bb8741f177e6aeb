//! `http-request use-service prometheus-exporter`: the metrics of HAProxy's exporter, and those of reverse HTTP.

use crate::commands::Statistics;
use crate::engine::SharedEngine;
use crate::reverse::Tunnels;
use crate::running::Running;
use hawser_cli::State;
use hawser_cli::info::Sheet;
use hawser_http::{Head, Version};
use hawser_proto::freq::now_ms;
use hawser_rules::service::{Served, Service, Text};
use hawser_stats::metrics::{BadQuery, Dump, Family, Labels, Query, Source};
use hawser_stats::{Row, Selection};
use hawser_stick::Table;
use std::sync::Arc;

/// What `use-service` calls it.
pub(crate) const NAME: &str = "prometheus-exporter";

/// The exporter. It answers once the process is ready.
#[derive(Debug)]
pub(crate) struct Exporter(pub(crate) Arc<Running>);

impl Exporter {
    fn source(&self) -> Option<Sources> {
        let state = self.0.state()?;
        let engine = state.get::<Statistics>().map(|s| s.0.clone())?;
        let tunnels = Arc::clone(&*state.get::<Arc<Tunnels>>()?);
        Some(Sources { state, engine, tunnels })
    }
}

impl Service for Exporter {
    fn name(&self) -> &'static str {
        NAME
    }

    fn log_name(&self) -> &'static str {
        "<PROMEX>"
    }

    fn answer(&self, req: &Head) -> Result<Served, u16> {
        let query = Query::parse(req.target()).map_err(|BadQuery| 400_u16)?;
        let source = self.source().ok_or(503_u16)?;
        let mut head = Head::response(Version::H11, 200, b"OK");
        head.add(b"cache-control", b"no-cache");
        head.add(b"content-type", b"text/plain; version=0.0.4");
        let mut dump = Dump::new(query, Box::new(source));
        Ok(Served { head, body: Text::body(move |out| dump.more(out)) })
    }
}

struct Sources {
    state: Arc<State>,
    engine: SharedEngine,
    tunnels: Arc<Tunnels>,
}

impl Source for Sources {
    fn sheet(&self) -> Option<Sheet> {
        hawser_cli::commands::sheet(&self.state)
    }

    fn rows(&self, from: usize, most: usize, no_maint: bool) -> Option<(usize, Vec<Row>)> {
        self.engine.metrics(from, most, &Selection { no_maint, ..Selection::default() })
    }

    fn tables(&self) -> Vec<Family> {
        tables(&self.engine.tables())
    }

    fn rhttp(&self) -> Vec<Family> {
        self.tunnels.metrics()
    }
}

/// What is told of stick tables. The last one declared comes first.
fn tables(tables: &[Arc<Table>]) -> Vec<Family> {
    let now = now_ms();
    let family = |name, help, value: &dyn Fn(&Table) -> u32| {
        let labels = |t: &Table| Labels::new().with("name", t.name()).with("type", t.key_type().word());
        let samples = tables.iter().rev().map(|t| (labels(t), value(t).into())).collect();
        Family { name, help, counter: false, samples }
    };
    vec![
        family("haproxy_sticktable_size", "Most entries of the stick table", &Table::size),
        family("haproxy_sticktable_used", "Entries in the stick table", &|t| t.used(now)),
        // Updates are counted for peers, to whom none are sent.
        family(
            "haproxy_sticktable_local_updates",
            "Updates of the stick table that peers are told of",
            &|_| 0,
        ),
    ]
}
