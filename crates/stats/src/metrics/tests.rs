//! Names and labels, piece by piece.

use super::*;
use crate::column::{COLUMNS, Col};
use crate::row::{Census, Object, Row};
use hawser_cli::info::Sheet;

/// Names and types of HAProxy 3.4's metrics, in its order: those of resolvers excepted.
const NAMES: &str = include_str!("names.txt");

/// One of each, in two proxies; as many times as asked.
struct Fake(usize);

fn row(object: Object, proxy: &str, name: &str, http: bool) -> Row {
    let mut row = Row::new(object, &proxy.into(), 2, name.to_owned(), 1);
    row.set(Col::Mode, if http { "http" } else { "tcp" });
    row.set(Col::Hrsp2xx, 7_u64);
    row.set(Col::Qtime, 1500_u32);
    row.state = "UP";
    row
}

impl Source for Fake {
    fn sheet(&self) -> Option<Sheet> {
        let mut sheet = Sheet::default();
        sheet.set("Version", "9.9");
        sheet.set("node", "here");
        sheet.set("description", "all \"of\" it");
        Some(sheet)
    }

    fn rows(&self, from: usize, _: usize, no_maint: bool) -> Option<(usize, Vec<Row>)> {
        if from >= self.0 {
            return None;
        }
        let mut server = row(Object::Server, "be", "s1", true);
        server.set(Col::CheckStatus, "L4OK");
        server.set(Col::CheckDuration, 12_u64);
        let mut backend = row(Object::Backend, "be", "BACKEND", true);
        backend.census = Some(Box::new(Census { states: [1, 2, 0, 0, 0], ..Census::default() }));
        let mut tcp = row(Object::Backend, "tbe", "BACKEND", false);
        tcp.description = Some("old".into());
        let mut listener = row(Object::Listener, "fe", "li", true);
        listener.state = "FULL";
        let mut rows = vec![row(Object::Frontend, "fe", "FRONTEND", true), listener, server, backend, tcp];
        if !no_maint {
            let mut server = row(Object::Server, "be", "s2", true);
            server.state = "MAINT";
            rows.push(server);
        }
        Some((from + 1, rows.into_iter().map(Row::finish).collect()))
    }

    fn tables(&self) -> Vec<Family> {
        let samples = vec![(Labels::new().with("name", "t").with("type", "ip"), 9.0)];
        let family = |name| Family { name, help: "Help", counter: false, samples: samples.clone() };
        ["haproxy_sticktable_size", "haproxy_sticktable_used", "haproxy_sticktable_local_updates"]
            .map(family)
            .into()
    }

    fn rhttp(&self) -> Vec<Family> {
        let samples = vec![(Labels::new().with("name", "a\\b\nc"), 3.0)];
        vec![
            Family { name: "hawser_a", help: "Help", counter: true, samples },
            Family { name: "hawser_none", help: "Help", counter: true, samples: Vec::new() },
        ]
    }
}

/// Text of a scrape, and its pieces.
fn scrape(target: &str, fake: Fake) -> (String, Vec<usize>) {
    let query = Query::parse(target.as_bytes()).unwrap();
    let mut dump = Dump::new(query, Box::new(fake));
    let (mut all, mut pieces) = (String::new(), Vec::new());
    loop {
        let mut piece = String::new();
        let more = dump.more(&mut piece);
        pieces.push(piece.len());
        all.push_str(&piece);
        if !more {
            return (all, pieces);
        }
    }
}

fn text(target: &str) -> String {
    scrape(target, Fake(1)).0
}

fn has(text: &str, line: &str) {
    assert!(text.lines().any(|l| l == line), "no {line} in {text}");
}

#[test]
fn names_types_and_order_are_those_of_haproxy() {
    let text = text("/metrics?scope=*&scope=global");
    let types = text.lines().filter_map(|l| l.strip_prefix("# TYPE "));
    let ours: Vec<&str> = types.filter(|l| l.starts_with("haproxy_")).collect();
    let theirs: Vec<&str> = NAMES.lines().collect();
    assert_eq!(ours, theirs);
}

#[test]
fn series_have_labels() {
    let text = text("/metrics");
    for line in [
        "haproxy_process_build_info{version=\"9.9\"} 1",
        "haproxy_process_node{node=\"here\"} 1",
        "haproxy_process_description{desc=\"all \\\"of\\\" it\"} 1",
        "haproxy_frontend_status{proxy=\"fe\",state=\"UP\"} 1",
        "haproxy_listener_status{proxy=\"fe\",listener=\"li\",state=\"FULL\"} 1",
        "haproxy_backend_http_responses_total{proxy=\"be\",code=\"2xx\"} 7",
        "haproxy_backend_queue_time_average_seconds{proxy=\"tbe\"} 1.500000",
        "haproxy_backend_agg_server_status{proxy=\"be\",state=\"UP\"} 2",
        "haproxy_server_status{proxy=\"be\",server=\"s1\",state=\"UP\"} 1",
        "haproxy_server_status{proxy=\"be\",server=\"s2\",state=\"MAINT\"} 1",
        "haproxy_server_check_status{proxy=\"be\",server=\"s1\",state=\"L4OK\"} 1",
        "haproxy_server_check_code{proxy=\"be\",server=\"s1\"} 0",
        "haproxy_server_check_duration_seconds{proxy=\"be\",server=\"s1\"} 0.012000",
        "haproxy_server_limit_sessions{proxy=\"be\",server=\"s1\"} NaN",
        "hawser_a{name=\"a\\\\b\\nc\"} 3",
    ] {
        has(&text, line);
    }
    for none in [
        "code=\"2xx\",proxy",
        "responses_total{proxy=\"tbe\"",
        "check_code{proxy=\"be\",server=\"s2\"",
        "hawser_none",
    ] {
        assert!(!text.contains(none), "{none} in {text}");
    }
    assert!(!text.contains("milliseconds") && !text.contains(", ms"), "{text}");
}

#[test]
fn scopes_are_chosen() {
    let scopes = |target: &str| {
        let text = text(target);
        let names = text.lines().filter(|l| !l.starts_with('#')).filter_map(|l| l.split('_').nth(1));
        let mut scopes: Vec<String> = names.map(|n| n.split('{').next().unwrap().to_owned()).collect();
        scopes.dedup();
        scopes.join(" ")
    };
    assert_eq!(scopes("/"), "process frontend listener backend server sticktable a");
    assert_eq!(scopes("/?scope=backend&scope=%66rontend"), "frontend backend");
    assert_eq!(scopes("/?scope=*&scope="), "");
    assert_eq!(scopes("/?scope=&scope=global"), "process");
    assert_eq!(scopes("/?scope=rhttp#x"), "a");
    assert_eq!(scopes("/?scope=sticktable&scope=resolver"), "sticktable");
    for bad in ["/?scope", "/?scope=x", "/?metrics", "/?a=b=c", "/?scope=%4", "/?scope=%zz"] {
        assert_eq!(Query::parse(bad.as_bytes()), Err(BadQuery), "{bad}");
    }
}

#[test]
fn metrics_are_chosen_by_name() {
    let names = |target: &str| {
        let text = text(target);
        text.lines().filter_map(|l| l.strip_prefix("# TYPE ")?.split(' ').next().map(str::to_owned)).collect()
    };
    let some: Vec<String> = names("/?metrics=haproxy_frontend_status,haproxy_server_status&metrics=hawser_a");
    assert_eq!(some, ["haproxy_frontend_status", "haproxy_server_status", "hawser_a"]);
    let rest: Vec<String> = names("/?metrics=-haproxy_backend_http_responses_total");
    assert_eq!(rest.len(), NAMES.lines().count());
    assert!(!text("/?no-maint").contains("\"s2\""));
}

#[test]
fn descriptions_and_modules_are_extra() {
    let text = text("/?desc-labels&extra-counters");
    has(&text, "haproxy_process_jobs{desc=\"all \\\"of\\\" it\"} 0");
    has(&text, "haproxy_backend_weight{proxy=\"tbe\",desc=\"old\"} NaN");
    has(&text, "haproxy_frontend_h2_open_connections{proxy=\"fe\",mod=\"h2\"} NaN");
    has(&text, "haproxy_server_ssl_sess{proxy=\"be\",server=\"s1\",mod=\"ssl\"} NaN");
    assert!(!text.contains("haproxy_server_h1_"));
}

#[test]
fn much_comes_in_pieces() {
    let (text, pieces) = scrape("/", Fake(300));
    assert!(text.len() > 1_000_000 && pieces.iter().all(|n| *n < 40_000), "{pieces:?}");
    let heads = text.lines().filter(|l| l.starts_with("# TYPE")).count();
    assert_eq!(heads, NAMES.lines().count() + 1);
}

#[test]
fn columns_say_who_has_the_metric() {
    for c in COLUMNS {
        let Some(m) = c.metric else { continue };
        assert!(!m.of.is_empty() && m.of.chars().all(|l| "FLBS".contains(l)), "{}", c.name);
        assert!(m.name.ends_with("_total") == (c.tags.as_bytes()[1] == b'C'), "{}", c.name);
    }
}
