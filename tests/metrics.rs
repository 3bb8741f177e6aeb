//! The Prometheus exporter: the format, the series of HAProxy's exporter, the tunnels of reverse HTTP.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use hawser_testkit::h2client::H2;
use hawser_testkit::wire::{Response, ask, get};
use hawser_testkit::{Client, Hawser, LogSink, Origin, binary, free_port, until};
use std::collections::{HashMap, HashSet};

fn bin() -> &'static str {
    binary(env!("CARGO_BIN_EXE_hawser"))
}

/// Series that HAProxy 3.4 has with [`config`], those of its resolvers excepted: names and labels.
const GOLDEN: &str = include_str!("golden/metrics.txt");

const DEFAULTS: &str =
    "defaults\n  mode http\n  timeout connect 2s\n  timeout client 8s\n  timeout server 8s\n";

fn config(port: u16, log: u16, origin: u16) -> String {
    let (tcp, nobody) = (free_port(), free_port());
    format!(
        "global\n  node n1\n  description all\n{DEFAULTS}\
         frontend fe\n  bind 127.0.0.1:{port} name li\n  option socket-stats\n  description front\n\
         \x20 log 127.0.0.1:{log} local0\n  option httplog\n\
         \x20 http-request use-service prometheus-exporter if {{ path /metrics }}\n  default_backend be\n\
         frontend tfe\n  mode tcp\n  bind 127.0.0.1:{tcp}\n  default_backend tbe\n\
         backend be\n  option httpchk\n  server s1 127.0.0.1:{nobody} check inter 100ms fall 1\n\
         \x20 server s2 127.0.0.1:{origin} weight 10 backup\n  server s3 127.0.0.1:{nobody} disabled\n\
         backend tbe\n  mode tcp\n  server t1 127.0.0.1:{nobody}\n\
         backend empty\n"
    )
}

struct Setup {
    _h: Hawser,
    port: u16,
    log: LogSink,
    _o: Origin,
}

fn setup() -> Setup {
    let (port, log, o) = (free_port(), LogSink::new(), Origin::fixed("a", "hello"));
    let h = Hawser::start(bin(), &config(port, log.port(), o.port()), &[port]);
    // The first check is over.
    let down = "haproxy_server_status{proxy=\"be\",server=\"s1\",state=\"DOWN\"}";
    assert!(until(20_000, || scrape(port, "")[down] > 0.0), "{}", h.stderr());
    Setup { _h: h, port, log, _o: o }
}

/// Samples by series: what is between the start of the line and the value.
type Samples = HashMap<String, f64>;

/// Reads the text format, and panics for whatever is wrong with it.
fn parse(text: &str) -> Samples {
    let (mut samples, mut seen) = (Samples::new(), HashSet::new());
    let (mut help, mut family) = (String::new(), String::new());
    assert!(text.is_empty() || text.ends_with('\n'));
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, text) = rest.split_once(' ').unwrap();
            assert!(!text.is_empty() && seen.insert(name.to_owned()), "{line}");
            name.clone_into(&mut help);
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(name == help && matches!(kind, "counter" | "gauge"), "{line}");
            name.clone_into(&mut family);
        } else {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let (name, labels) = series.split_once('{').map_or((series, None), |(n, l)| (n, Some(l)));
            assert!(
                name == family && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_')),
                "{line}"
            );
            if let Some(labels) = labels {
                check_labels(labels.strip_suffix('}').unwrap());
            }
            let value = value.parse().unwrap_or_else(|_| panic!("{line}"));
            assert!(samples.insert(series.to_owned(), value).is_none(), "twice: {line}");
        }
    }
    samples
}

/// `name="value"`, one after the other, each name once.
fn check_labels(mut text: &str) {
    let mut names = HashSet::new();
    loop {
        let (name, rest) = text.split_once("=\"").unwrap();
        assert!(!name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{name}");
        assert!(names.insert(name), "{name} twice");
        let mut escaped = false;
        let end = rest.bytes().position(|b| {
            let ends = b == b'"' && !escaped;
            escaped = b == b'\\' && !escaped;
            ends
        });
        match rest.get(end.unwrap() + 1..).unwrap().strip_prefix(',') {
            Some(more) => text = more,
            None => return assert_eq!(end.unwrap() + 1, rest.len()),
        }
    }
}

fn scrape(port: u16, query: &str) -> Samples {
    let r = get(port, &format!("/metrics{query}"));
    assert_eq!((r.status, r.field("content-type")), (200, Some("text/plain; version=0.0.4")), "{}", r.head);
    assert!(r.complete && r.field("cache-control") == Some("no-cache"));
    parse(&r.text())
}

/// The series, with what differs between programs left out.
fn series(samples: &Samples) -> HashSet<String> {
    let kept = samples.keys().filter(|s| !s.starts_with("haproxy_resolver_"));
    let named = |s: &String| match s.split_once("{version=") {
        Some((name, _)) => name.to_owned(),
        None => s.clone(),
    };
    kept.map(named).collect()
}

#[test]
fn every_series_of_haproxy_is_there() {
    let s = setup();
    let ours = series(&scrape(s.port, ""));
    let theirs: HashSet<String> = GOLDEN.lines().map(str::to_owned).collect();
    let missing: Vec<_> = theirs.difference(&ours).collect();
    let more: Vec<_> = ours.difference(&theirs).collect();
    assert!(missing.is_empty() && more.is_empty(), "missing: {missing:#?}\nmore: {more:#?}");
}

#[test]
fn values_are_those_of_the_statistics() {
    let s = setup();
    let before = scrape(s.port, "");
    for _ in 0..3 {
        assert_eq!(get(s.port, "/").status, 200);
    }
    let m = scrape(s.port, "");
    for (series, more) in [
        ("haproxy_frontend_http_requests_total{proxy=\"fe\"}", 4.0),
        ("haproxy_frontend_intercepted_requests_total{proxy=\"fe\"}", 1.0),
        ("haproxy_process_requests_total", 4.0),
    ] {
        assert_eq!(m[series] - before[series], more, "{series}");
    }
    for (series, value) in [
        ("haproxy_process_nbproc", 1.0),
        ("haproxy_backend_check_up_down_total{proxy=\"empty\"}", 0.0),
        ("haproxy_process_node{node=\"n1\"}", 1.0),
        ("haproxy_process_description{desc=\"all\"}", 1.0),
        ("haproxy_frontend_status{proxy=\"fe\",state=\"UP\"}", 1.0),
        ("haproxy_frontend_status{proxy=\"fe\",state=\"DOWN\"}", 0.0),
        ("haproxy_listener_status{proxy=\"fe\",listener=\"li\",state=\"OPEN\"}", 1.0),
        ("haproxy_backend_http_responses_total{proxy=\"be\",code=\"2xx\"}", 3.0),
        ("haproxy_backend_status{proxy=\"empty\",state=\"UP\"}", 1.0),
        ("haproxy_backend_agg_server_status{proxy=\"be\",state=\"MAINT\"}", 1.0),
        ("haproxy_server_sessions_total{proxy=\"be\",server=\"s2\"}", 3.0),
        ("haproxy_server_weight{proxy=\"be\",server=\"s2\"}", 10.0),
        ("haproxy_server_backup{proxy=\"be\",server=\"s2\"}", 1.0),
        ("haproxy_server_status{proxy=\"be\",server=\"s3\",state=\"MAINT\"}", 1.0),
    ] {
        assert_eq!(m.get(series), Some(&value), "{series}");
    }
    // A process that does next to nothing is idle.
    assert!(m["haproxy_process_idle_time_percent"] > 0.0);
    assert!(m["haproxy_server_limit_sessions{proxy=\"be\",server=\"s2\"}"].is_nan());
}

#[test]
fn parameters_choose() {
    let s = setup();
    let prefixes = |query: &str| {
        let mut all: Vec<String> = scrape(s.port, query)
            .into_keys()
            .map(|k| k.split(['_', '{']).nth(1).unwrap().to_owned())
            .collect();
        all.sort();
        all.dedup();
        all.join(" ")
    };
    assert_eq!(prefixes("?scope=frontend&scope=server"), "frontend server");
    assert_eq!(prefixes("?scope=*&scope="), "");
    assert_eq!(prefixes("?scope=global"), "process");
    let one = scrape(s.port, "?metrics=haproxy_backend_status,haproxy_process_jobs");
    assert_eq!(one.len(), 7, "{one:?}");
    let without = scrape(s.port, "?scope=server&no-maint");
    assert!(without.keys().any(|k| k.contains("s2")) && !without.keys().any(|k| k.contains("s3")));
    let described = scrape(s.port, "?scope=frontend&desc-labels&extra-counters");
    assert!(described.contains_key("haproxy_frontend_max_sessions{proxy=\"fe\",desc=\"front\"}"));
    assert!(described.contains_key("haproxy_frontend_h1_open_streams{proxy=\"tfe\",mod=\"h1\"}"));
    for bad in ["?scope=nothing", "?scope", "?metrics", "?a=b=c"] {
        assert_eq!(get(s.port, &format!("/metrics{bad}")).status, 400, "{bad}");
    }
}

#[test]
fn any_method_is_answered_and_logged() {
    let s = setup();
    let request = |method: &str| format!("{method} /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
    let mut c = Client::connect(s.port);
    // The connection goes on.
    for method in ["HEAD", "GET", "POST", "HEAD"] {
        let r: Response = c.send(request(method)).recv_for(method);
        assert_eq!((r.status, r.field("content-type")), (200, Some("text/plain; version=0.0.4")), "{method}");
        assert_eq!(r.body.is_empty(), method == "HEAD", "{method}");
    }
    let line = s.log.wait_for("GET /metrics");
    assert!(line.contains(" fe fe/<PROMEX> 0/0/0/0/") && line.contains(" 200 "), "{line}");
    assert!(line.contains(" - - LR-- "), "{line}");
    let old = ask(s.port, "GET /metrics HTTP/1.0\r\n\r\n");
    assert_eq!((old.status, old.field("transfer-encoding")), (200, None));
    parse(&old.text());
}

#[test]
fn http2_clients_are_answered() {
    let s = setup();
    let mut c = H2::connect(s.port);
    c.get(1, "/metrics");
    let o = c.outcome(1);
    assert_eq!(o.status(), 200);
    let text = String::from_utf8(o.body).unwrap();
    assert!(parse(&text).contains_key("haproxy_process_uptime_seconds"));
}

#[test]
fn many_backends_are_told_in_pieces() {
    let port = free_port();
    let mut cfg = format!(
        "{DEFAULTS}frontend fe\n  bind 127.0.0.1:{port}\n  http-request use-service prometheus-exporter\n"
    );
    for i in 0..1000 {
        cfg.push_str(&format!("backend b{i}\n  server s 127.0.0.1:1\n"));
    }
    let h = Hawser::start(bin(), &cfg, &[port]);
    let m = scrape(port, "");
    for scope in ["backend", "server"] {
        let all = m.keys().filter(|k| k.starts_with(&format!("haproxy_{scope}_weight")));
        assert_eq!(all.count(), 1000);
    }
    // Who reads nothing makes nothing.
    let mut lazy = Client::connect(port);
    lazy.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(scrape(port, "?scope=global").contains_key("haproxy_process_jobs"));
    drop(lazy);
    drop(h);
}

/// HAProxy knows nothing of these.
#[test]
fn tunnels_are_told_by_name() {
    const HEAD: &str = "global\n  expose-experimental-directives\n";
    let [public, private, device, wrong] = [free_port(), free_port(), free_port(), free_port()];
    let exporter = "http-request use-service prometheus-exporter if { path /metrics }";
    let edge = format!(
        "{HEAD}{DEFAULTS}frontend pub\n  bind 127.0.0.1:{public}\n  {exporter}\n  use_backend rev\n\
         frontend priv\n  bind 127.0.0.1:{private} proto h2\n\
         \x20 tcp-request session attach-srv rev/dev name str(agent\\ 7)\n\
         backend rev\n  server dev rhttp@ pool-conn-name str(agent\\ 7)\n"
    );
    let o = Origin::fixed("a", "hello");
    let device_cfg = format!(
        "{HEAD}{DEFAULTS}frontend tun\n  bind rhttp@be/srv nbconn 2\n  bind rhttp@be/none\n  use_backend origin\n\
         frontend own\n  bind 127.0.0.1:{device}\n  {exporter}\n\
         backend be\n  server srv 127.0.0.1:{private} proto h2\n  server none 127.0.0.1:{wrong} proto h2\n\
         backend origin\n  server o 127.0.0.1:{}\n",
        o.port()
    );
    let _edge = Hawser::start(bin(), &edge, &[public, private]);
    let _device = Hawser::start(bin(), &device_cfg, &[device]);
    let agent = |m: &Samples, what: &str| {
        let labels = "{proxy=\"rev\",server=\"dev\",name=\"agent 7\"}";
        m.get(&format!("hawser_rhttp_agent_{what}{labels}")).copied()
    };
    let connections = || agent(&scrape(public, "?scope=rhttp"), "connections");
    assert!(until(20_000, || connections() == Some(2.0)), "{:?}", connections());
    for _ in 0..4 {
        assert_eq!(get(public, "/").text(), "hello");
    }
    let m = scrape(public, "");
    assert_eq!((agent(&m, "streams"), agent(&m, "streams_total")), (Some(0.0), Some(4.0)));
    assert!(agent(&m, "age_seconds").is_some_and(|age| age < 60.0));
    assert!(agent(&m, "bytes_in_total").is_some_and(|n| n > 0.0));
    assert!(agent(&m, "bytes_out_total").is_some_and(|n| n > 0.0));
    let m = scrape(device, "?scope=rhttp");
    let dialling = |what: &str, server: &str| {
        m.get(&format!("hawser_rhttp_connection{what}{{proxy=\"tun\",server=\"be/{server}\"}}")).copied()
    };
    assert_eq!((dialling("s", "srv"), dialling("s_wanted", "srv")), (Some(2.0), Some(2.0)));
    assert_eq!(dialling("s_opened_total", "srv"), Some(2.0));
    assert_eq!((dialling("s", "none"), dialling("s_wanted", "none")), (Some(0.0), Some(1.0)));
    assert!(dialling("_failures", "none").is_some_and(|n| n > 0.0));
}
