//! Metrics of tunnels: agents by name on the side that they attach to, connections on the side that dials.

use super::{Tunnels, visible};
use hawser_balance::Agent;
use hawser_proto::clock;
use hawser_stats::metrics::{Family, Labels};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Names of agents that get series of their own, the oldest ones first. A name is the peer's choice, and every series
/// costs whoever collects them.
const NAMES: usize = 1000;

/// The name of all others together.
const OTHER: &str = "(other)";

/// Backend, server and name of agents.
type Who = (Arc<str>, Arc<str>, String);

/// What is known of the connections of one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sum {
    connections: u64,
    since: Instant,
    streams: u64,
    opened: u64,
    bytes_in: u64,
    bytes_out: u64,
}

impl Sum {
    fn of(agent: &Agent) -> Self {
        let (what, conn) = (&agent.what, &agent.what.conn);
        let (bytes_in, bytes_out) = conn.bytes();
        Self {
            connections: 1,
            since: what.since,
            streams: u64::from(conn.streams()),
            opened: conn.opened(),
            bytes_in,
            bytes_out,
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            connections: self.connections + other.connections,
            since: self.since.min(other.since),
            streams: self.streams + other.streams,
            opened: self.opened + other.opened,
            bytes_in: self.bytes_in + other.bytes_in,
            bytes_out: self.bytes_out + other.bytes_out,
        }
    }
}

impl Tunnels {
    /// What the exporter tells of them.
    pub(crate) fn metrics(&self) -> Vec<Family> {
        let now = clock::now();
        let mut sums: HashMap<Who, Sum> = HashMap::new();
        for (backend, server, agent) in self.engine.attached() {
            let name = agent.what.name.as_deref().map_or_else(String::new, label);
            add(&mut sums, (backend, server, name), Sum::of(&agent));
        }
        let mut families = agents(within(sums, NAMES), now);
        families.extend(self.dialling());
        families
    }

    fn dialling(&self) -> Vec<Family> {
        // Several lines of a frontend may dial the same server.
        let mut sums: BTreeMap<Labels, [u64; 4]> = BTreeMap::new();
        for s in self.plans.iter().map(|p| p.status()) {
            let labels = Labels::new().with("proxy", &s.frontend).with("server", &s.server);
            let sum = sums.entry(labels).or_default();
            let values = [s.total().into(), s.wanted.into(), s.opened, s.failures.into()];
            sum.iter_mut().zip(values).for_each(|(sum, n): (&mut u64, u64)| *sum += n);
        }
        #[rustfmt::skip]
        let metrics = [
            ("hawser_rhttp_connections", "Connections to the other end that are up", false),
            ("hawser_rhttp_connections_wanted", "Connections to the other end that there should be (nbconn)", false),
            ("hawser_rhttp_connections_opened_total", "Connections to the other end that came up so far", true),
            ("hawser_rhttp_connection_failures", "Attempts to connect to the other end that failed since one came up", false),
        ];
        let family = |(i, (name, help, counter))| {
            let samples = sums.iter().map(|(l, s): (_, &[u64; 4])| (l.clone(), float(s[i])));
            Family { name, help, counter, samples: samples.collect() }
        };
        metrics.into_iter().enumerate().map(family).collect()
    }
}

fn add(sums: &mut HashMap<Who, Sum>, who: Who, more: Sum) {
    sums.entry(who).and_modify(|sum| *sum = sum.and(more)).or_insert(more);
}

/// The same with no more names than that, sorted.
fn within(sums: HashMap<Who, Sum>, most: usize) -> BTreeMap<Who, Sum> {
    let mut all: Vec<_> = sums.into_iter().collect();
    // The oldest ones keep their series from one scrape to the next.
    all.sort_unstable_by(|(a, x), (b, y)| (x.since, a).cmp(&(y.since, b)));
    let mut kept = HashMap::with_capacity(all.len().min(most));
    for (i, ((backend, server, name), sum)) in all.into_iter().enumerate() {
        let name = if i < most { name } else { OTHER.to_owned() };
        add(&mut kept, (backend, server, name), sum);
    }
    kept.into_iter().collect()
}

fn agents(sums: BTreeMap<Who, Sum>, now: Instant) -> Vec<Family> {
    let age = |s: &Sum| now.saturating_duration_since(s.since);
    let labelled: Vec<(Labels, Sum)> = sums
        .into_iter()
        .map(|((backend, server, name), sum)| {
            let labels = Labels::new().with("proxy", &backend).with("server", &server);
            (labels.with("name", &name), sum)
        })
        .collect();
    let family = |name, help, counter, value: &dyn Fn(&Sum) -> f64| Family {
        name,
        help,
        counter,
        samples: labelled.iter().map(|(labels, sum)| (labels.clone(), value(sum))).collect(),
    };
    #[rustfmt::skip]
    let all = vec![
        family("hawser_rhttp_agent_connections", "Connections of agents of this name", false, &|s| float(s.connections)),
        family("hawser_rhttp_agent_streams", "Streams open on them now", false, &|s| float(s.streams)),
        family("hawser_rhttp_agent_streams_total", "Streams opened on them so far", true, &|s| float(s.opened)),
        family("hawser_rhttp_agent_age_seconds", "Seconds since the oldest of them was attached", false, &|s| whole(age(s))),
        family("hawser_rhttp_agent_bytes_in_total", "Bytes received on them so far", true, &|s| float(s.bytes_in)),
        family("hawser_rhttp_agent_bytes_out_total", "Bytes sent on them so far", true, &|s| float(s.bytes_out)),
    ];
    all
}

fn whole(d: Duration) -> f64 {
    d.as_secs_f64().trunc()
}

#[expect(clippy::cast_precision_loss, reason = "samples are of this type")]
fn float(n: u64) -> f64 {
    n as f64
}

/// A name as the value of a label: text as it is, anything else in a form that can be read.
fn label(name: &[u8]) -> String {
    match std::str::from_utf8(name) {
        Ok(text) if !text.chars().any(char::is_control) => text.to_owned(),
        _ => visible(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(age: u64) -> Sum {
        let since = clock::now().checked_sub(Duration::from_secs(age)).unwrap();
        Sum { connections: 1, since, streams: 2, opened: 3, bytes_in: 4, bytes_out: 5 }
    }

    fn who(server: &str, name: &str) -> Who {
        ("be".into(), server.into(), name.into())
    }

    #[test]
    fn the_oldest_names_are_kept() {
        let sums = [("a", 1), ("b", 9), ("c", 5), ("(other)", 8), ("d", 2)];
        let sums: HashMap<_, _> = sums.map(|(name, age)| (who("s", name), sum(age))).into();
        let kept = within(sums, 3);
        let names: Vec<&str> = kept.keys().map(|w| &*w.2).collect();
        assert_eq!(names, ["(other)", "b", "c"]);
        let other = kept[&who("s", OTHER)];
        assert_eq!((other.connections, other.streams, other.bytes_out), (3, 6, 15));
        assert_eq!(within(HashMap::new(), 3).len(), 0);
    }

    #[test]
    fn names_are_text() {
        assert_eq!(label("größe 7".as_bytes()), "größe 7");
        assert_eq!(label(b"a\nb"), "a\\x0ab");
        assert_eq!(label(b"\xff"), "\\xff");
        let series = agents(within([(who("s", "a\"b"), sum(7))].into(), 9), clock::now());
        let age = series.iter().find(|f| f.name.ends_with("age_seconds")).unwrap();
        assert!(age.samples[0].1 >= 7.0);
        let labels = Labels::new().with("proxy", "be").with("server", "s").with("name", "a\"b");
        assert_eq!(age.samples[0].0, labels);
    }
}
