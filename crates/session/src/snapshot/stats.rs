//! The snapshot's rows of the statistics.

use super::{Back, Dial, Front, Proxy, Snapshot};
use crate::http::cookie::Policy;
use hawser_balance::time;
use hawser_cfg::model::opt;
use hawser_proto::ListenerInfo;
use hawser_stats::page::{Ask, Place, Section};
use hawser_stats::{Object, Row, Selection};
use std::ops::Range;
use std::sync::Arc;

/// What the statistics need beside the snapshot.
#[derive(Clone, Copy, Debug)]
pub struct StatsEnv<'a> {
    /// All listeners, in the order of the configuration.
    pub listeners: &'a [Arc<ListenerInfo>],
    /// `maxconn` of the process.
    pub maxconn: u32,
    /// The listeners are closed.
    pub stopped: bool,
    /// Show addresses: to operators and administrators.
    pub addresses: bool,
    /// Count servers by state and tell the proxies' descriptions: for metrics.
    pub metrics: bool,
}

impl Snapshot {
    /// The rows that are asked for; `None` when there is no such proxy.
    pub fn stats(&self, sel: &Selection, env: &StatsEnv<'_>) -> Option<Vec<Row>> {
        let mut rows = Vec::new();
        let named = matches!(sel.proxy, Some(hawser_stats::Which::Name(_)));
        let wanted = |p: &&Arc<Proxy>| sel.wants_proxy(p.facts.id, &p.facts.name);
        if named && !self.proxies.iter().any(|p| wanted(&p)) {
            return None;
        }
        for px in self.proxies.iter().filter(|p| !p.disabled).filter(wanted) {
            px.rows(sel, env, &mut rows);
        }
        Some(rows)
    }

    /// Forgets the maxima of the counters, or all counters (`clear counters`, `clear counters all`).
    pub fn clear(&self, all: bool) {
        for px in &self.proxies {
            if let Some(front) = &px.front {
                front.clear(all);
            }
            if let Some(back) = &px.back {
                back.backend.clear(all);
                if all {
                    back.traffic.clear();
                    back.h2_stats.clear();
                }
            }
        }
    }

    /// The rows of up to `most` proxies from the one at an index, and the index that goes on; `None` beyond the last
    /// one.
    pub fn stats_from(
        &self,
        from: usize,
        most: usize,
        sel: &Selection,
        env: &StatsEnv<'_>,
    ) -> Option<(usize, Vec<Row>)> {
        let next = (from + most).min(self.proxies.len());
        let some = self.proxies.get(from..next).filter(|some| !some.is_empty())?;
        let mut rows = Vec::new();
        some.iter().filter(|p| !p.disabled).for_each(|px| px.rows(sel, env, &mut rows));
        Some((next, rows))
    }

    /// The sections of a statistics page from a place on, up to about so many rows or proxies, and the place that goes
    /// on; `None` beyond the last proxy.
    pub fn sections(
        &self,
        from: Place,
        most: usize,
        ask: &Ask<'_>,
        env: &StatsEnv<'_>,
    ) -> Option<(Place, Vec<Section>)> {
        let env = StatsEnv { addresses: ask.legends, ..*env };
        self.proxies.get(from.proxy)?;
        let (mut place, mut out, mut left) = (from, Vec::new(), most);
        while let Some(px) = self.proxies.get(place.proxy).filter(|_| left > 0) {
            left -= 1;
            let mut last = true;
            if !px.disabled && (ask.wanted)(&px.facts.name) {
                let servers = place.server..place.server + left.max(1);
                let section = px.section(servers.clone(), ask.selection, &env);
                left = left.saturating_sub(section.rows.len());
                (last, place.server) = (section.ends[1], servers.end);
                out.push(section);
            }
            if last {
                place = Place { proxy: place.proxy + 1, server: 0 };
            }
        }
        Some((place, out))
    }
}

impl Front {
    fn clear(&self, all: bool) {
        self.counters.clear(all);
        self.req_rate.clear_max();
        if all {
            self.traffic.clear();
            self.h2_stats.clear();
        }
        let Some(info) = &self.info else { return };
        info.conns.clear_peak();
        info.conn_rate.clear_max();
        info.sess_rate.clear_max();
        if all {
            info.conns.clear_total();
        }
    }
}

impl Proxy {
    /// What a page shows of it, with those of its servers that are in a range.
    fn section(&self, servers: Range<usize>, sel: &Selection, env: &StatsEnv<'_>) -> Section {
        let back = self.back.as_ref();
        let count = back.map_or(0, |b| b.backend.servers.len());
        let ends = [servers.start == 0, servers.end >= count];
        let mut rows = Vec::new();
        if let Some(front) = self.front.as_ref().filter(|_| ends[0]) {
            self.front_rows(front, sel, env, &mut rows);
        }
        if let Some(back) = back {
            server_rows(back, servers, sel, env, &mut rows);
            rows.extend(Some(back).filter(|_| ends[1]).map(|b| backend_row(b, sel, env)));
        }
        Section {
            ends,
            name: self.facts.name.clone(),
            id: self.facts.id,
            kind: self.kind.word(),
            mode: self.mode.word(),
            description: self.description.clone(),
            servers: count > 0,
            rows,
        }
    }

    fn rows(&self, sel: &Selection, env: &StatsEnv<'_>, rows: &mut Vec<Row>) {
        let first = rows.len();
        if let Some(front) = &self.front {
            self.front_rows(front, sel, env, rows);
        }
        if let Some(back) = &self.back {
            server_rows(back, 0..back.backend.servers.len(), sel, env, rows);
            rows.extend(sel.wants(Object::Backend).then(|| backend_row(back, sel, env)));
        }
        if env.metrics {
            rows.iter_mut().skip(first).for_each(|r| r.description.clone_from(&self.description));
        }
    }

    fn front_rows(&self, front: &Front, sel: &Selection, env: &StatsEnv<'_>, rows: &mut Vec<Row>) {
        let Some(info) = &front.info else { return };
        if sel.wants(Object::Frontend) {
            rows.push(hawser_stats::frontend(&hawser_stats::Frontend {
                iid: self.facts.id,
                info,
                counters: &front.counters,
                traffic: &front.traffic,
                h2: &front.h2_stats,
                req_rate: &front.req_rate,
                http: self.is_http(),
                stopped: env.stopped,
                default_maxconn: env.maxconn,
            }));
        }
        if !sel.wants(Object::Listener) || !self.options.has(opt::SOCKET_STATS) {
            return;
        }
        let own = env.listeners.iter().filter(|l| l.frontend.index == info.index && sel.wants_sid(l.id));
        rows.extend(own.map(|l| hawser_stats::listener(l, self.facts.id, self.is_http(), env.addresses)));
    }
}

/// Rows of the servers in a range.
fn server_rows(back: &Back, range: Range<usize>, sel: &Selection, env: &StatsEnv<'_>, rows: &mut Vec<Row>) {
    if !sel.wants(Object::Server) {
        return;
    }
    let (now, backend) = (time::now(), &*back.backend);
    let hidden = |s: &hawser_balance::Server| {
        let state = s.state();
        (sel.up && state.is_down()) || (sel.no_maint && state.admin.any(hawser_balance::server::Admin::MAINT))
    };
    let servers = backend.servers.get(range.start..range.end.min(backend.servers.len())).unwrap_or_default();
    let servers = servers.iter().filter(|s| sel.wants_sid(s.id) && !hidden(s));
    let view = |s| hawser_stats::Server { server: s, backend, address: env.addresses, now };
    rows.extend(servers.map(|s| hawser_stats::server(&view(s))));
}

fn backend_row(back: &Back, sel: &Selection, env: &StatsEnv<'_>) -> Row {
    hawser_stats::backend(&hawser_stats::Backend {
        backend: &back.backend,
        traffic: &back.traffic,
        h2: &back.h2_stats,
        speaks_h2: &|i| back.dial.get(i).is_some_and(Dial::speaks_h2),
        cookie: back.cookie.as_ref().map(Policy::name),
        address: env.addresses,
        tell_servers: sel.hides(),
        census: env.metrics,
        now: time::now(),
    })
}
