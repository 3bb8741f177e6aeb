//! Each algorithm as a backend uses it.

use crate::change::Cause;
use crate::server::{Admin, Oper};
use crate::tests::{assign, backend, proxy, ready, srv, try_backend, words};
use crate::{AssignOpts, Assignment, Backend, NoEvents, Slot};
use hawser_cfg::model::{self, AddrKind, ServerOpts};
use hawser_http::{Head, Version};
use hawser_sample::Ctx;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Servers `a`, `b`, … of these weights.
fn weighted(weights: &[u32]) -> Vec<model::Server> {
    ('a'..).zip(weights).map(|(n, w)| srv(&n.to_string(), |o| o.weight = Some(*w))).collect()
}

fn limited(n: usize, maxconn: u32) -> Vec<model::Server> {
    ('a'..).take(n).map(|c| srv(&c.to_string(), |o| o.maxconn = Some(maxconn))).collect()
}

/// Names of the servers that `n` requests get, one after the other.
fn turns(be: &Arc<Backend>, n: usize) -> String {
    (0..n).map(|_| ready(assign(be)).server().name.to_string()).collect()
}

/// The same for requests that stay.
fn held(be: &Arc<Backend>, n: usize) -> (String, Vec<Slot>) {
    let slots: Vec<Slot> = (0..n).map(|_| ready(assign(be))).collect();
    (slots.iter().map(|s| s.server().name.to_string()).collect(), slots)
}

fn counts(names: &str) -> BTreeMap<char, usize> {
    let mut n = BTreeMap::new();
    names.chars().for_each(|c| *n.entry(c).or_default() += 1);
    n
}

fn with_target(be: &Arc<Backend>, target: &str) -> Assignment {
    let req = Head::request(b"GET", target.as_bytes(), Version::H11);
    be.assign(&Ctx { req: Some(&req), ..Ctx::EMPTY }, &AssignOpts::default())
}

fn at(be: &Arc<Backend>, target: &str) -> String {
    ready(with_target(be, target)).server().name.to_string()
}

fn set(be: &Arc<Backend>, server: u32, to: Oper) {
    be.set_oper(server, to, Cause::Silent, 2);
}

#[test]
fn turns_follow_weights() {
    // (algorithm, weights, names)
    let cases: &[(&str, &[u32], &str)] = &[
        ("roundrobin", &[1, 1, 1], "abcabcabc"),
        ("roundrobin", &[10, 10], "abababab"),
        ("roundrobin", &[2, 1], "abaaba"),
        ("roundrobin", &[3, 1], "aabaaaba"),
        ("roundrobin", &[0, 1], "bbb"),
        ("static-rr", &[1, 1, 1], "abcabcabc"),
        ("static-rr", &[1, 3, 2], "abcbbcabcbbc"),
        ("leastconn", &[1, 1, 1], "abcabcabc"),
        ("first", &[1, 1, 1], "aaa"),
        ("sticky", &[1, 1, 1], "aaa"),
    ];
    for (balance, weights, want) in cases {
        let be = backend(balance, weighted(weights));
        assert_eq!(turns(&be, want.len()), *want, "{balance} {weights:?}");
    }
}

#[test]
fn long_runs_are_fair() {
    for balance in ["roundrobin", "static-rr", "random", "random(5)"] {
        let be = backend(balance, weighted(&[1, 2, 5]));
        let n = counts(&turns(&be, 8000));
        let slack = if balance.starts_with("random") { 300 } else { 1 };
        for (name, share) in [('a', 1000), ('b', 2000), ('c', 5000)] {
            assert!(n[&name].abs_diff(share) <= slack, "{balance} {n:?}");
        }
    }
}

#[test]
fn full_servers_are_passed_over() {
    for balance in ["roundrobin", "static-rr", "leastconn", "first", "random", "sticky"] {
        let mut servers = limited(3, 2);
        servers[1].opts.maxconn = None;
        let be = backend(balance, servers);
        let (names, slots) = held(&be, 40);
        let n = counts(&names);
        assert!(
            n.get(&'a').is_none_or(|n| *n <= 2) && n.get(&'c').is_none_or(|n| *n <= 2),
            "{balance} {n:?}"
        );
        assert!(n[&'b'] >= 36, "{balance} {n:?}");
        drop(slots);
        assert!(be.servers.iter().all(|s| s.served() == 0));
    }
}

#[test]
fn a_long_full_server_does_not_catch_up() {
    let mut servers = limited(1, 1);
    servers.extend(weighted(&[1, 1]).into_iter().skip(1));
    let be = backend("roundrobin", servers);
    let slot = ready(assign(&be));
    assert_eq!(turns(&be, 50), "b".repeat(50));
    drop(slot);
    let n = counts(&turns(&be, 40));
    assert!(n[&'a'] <= 21, "{n:?}");
}

#[test]
fn the_server_to_avoid_is_the_last_resort() {
    for balance in ["roundrobin", "static-rr", "leastconn", "first", "random", "sticky"] {
        let be = backend(balance, weighted(&[1, 1]));
        let avoid = AssignOpts { avoid: Some(0), ..AssignOpts::default() };
        let next = || ready(be.assign(&Ctx::EMPTY, &avoid)).server().name.to_string();
        assert_eq!((0..4).map(|_| next()).collect::<String>(), "bbbb", "{balance}");
        set(&be, 1, Oper::Down);
        assert_eq!(next(), "a", "{balance}");
    }
}

#[test]
fn leastconn_evens_out_loads() {
    let be = backend("leastconn", weighted(&[1, 2]));
    let (names, mut slots) = held(&be, 6);
    assert_eq!(counts(&names), [('a', 2), ('b', 4)].into());
    slots.retain(|s| &*s.server().name == "b");
    assert_eq!(turns(&be, 2), "aa");
    let (names, _more) = held(&be, 2);
    assert_eq!(names, "aa");
    drop(slots);
    assert_eq!(turns(&be, 1), "b");
}

#[test]
fn leastconn_counts_queues() {
    let with_queue = |o: &mut ServerOpts| (o.maxconn, o.maxqueue) = (Some(1), Some(2));
    let be = backend("leastconn", vec![srv("a", with_queue), srv("b", with_queue)]);
    let (names, _slots) = held(&be, 2);
    assert_eq!(names, "ab");
    let tickets: Vec<_> = (0..4).map(|_| assign(&be)).collect();
    let lanes: Vec<_> = tickets
        .iter()
        .map(|t| match t {
            Assignment::Queued(t) => t.server().map(|s| s.name.to_string()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(lanes, ["a", "b", "a", "b"].map(|n| Some(n.to_owned())));
    assert!(matches!(assign(&be), Assignment::Queued(t) if t.server().is_none()));
}

#[test]
fn first_fills_by_id() {
    let mut servers = limited(3, 2);
    servers[0].opts.id = Some(9);
    let be = backend("first", servers);
    let (names, mut slots) = held(&be, 5);
    assert_eq!(names, "bbcca");
    drop(slots.remove(0));
    assert_eq!(held(&be, 1).0, "b");
}

#[test]
fn sticky_sticks_until_down_and_does_not_return() {
    let be = backend("sticky", weighted(&[1, 1, 1]));
    assert_eq!(turns(&be, 2), "aa");
    set(&be, 0, Oper::Down);
    assert_eq!(turns(&be, 2), "bb");
    set(&be, 0, Oper::Up);
    assert_eq!(turns(&be, 2), "bb");
    set(&be, 1, Oper::Down);
    assert_eq!(turns(&be, 2), "cc");
    set(&be, 2, Oper::Down);
    assert_eq!(turns(&be, 2), "aa");
}

#[test]
fn dynamic_weights_act_at_once_and_static_ones_never() {
    let n = |balance| {
        let be = backend(balance, weighted(&[10, 10]));
        be.set_weight(0, 30, 2);
        counts(&turns(&be, 400))[&'a']
    };
    assert!(n("roundrobin").abs_diff(300) <= 1);
    assert_eq!(n("static-rr"), 200);
    assert!(n("random").abs_diff(300) <= 60);
}

#[test]
fn backups_take_over() {
    let conf = |all| {
        let mut servers = weighted(&[1, 1, 1]);
        servers[1].opts.backup = true;
        servers[2].opts.backup = true;
        let mut p = proxy("roundrobin", servers);
        p.options.set = if all { model::opt::ALLBACKUPS } else { 0 };
        try_backend(&p, Arc::new(NoEvents)).0
    };
    for (all, want) in [(false, "bbbb"), (true, "bcbc")] {
        let be = conf(all);
        assert_eq!(turns(&be, 3), "aaa");
        be.set_admin(0, Admin::FDRAIN, Admin::NONE, 2);
        assert_eq!(turns(&be, 4), want);
        assert_eq!((be.active_servers(), be.backup_servers()), (0, 2));
        be.set_admin(0, Admin::NONE, Admin::FDRAIN, 3);
        assert_eq!(turns(&be, 3), "aaa");
    }
}

#[test]
fn hashes_go_where_haproxy_sends_them() {
    // Keys and servers as HAProxy 3.4 answered, weights 1 3 2.
    let keys = ["/k0", "/k1", "/k2", "/k3", "/k4", "/k5", "/k6", "/k7", "/index.html", "/favicon.ico"];
    let run = |hash_type: &str| -> String {
        let mut p = proxy("uri", weighted(&[1, 3, 2]));
        p.hash_type = Some((p.pos, words(hash_type)));
        let (be, diags) = try_backend(&p, Arc::new(NoEvents));
        assert!(diags.list.is_empty());
        keys.map(|k| at(&be, k)).concat()
    };
    for (hash_type, want) in REFERENCE {
        assert_eq!(run(hash_type), *want, "{hash_type}");
    }
}

const REFERENCE: &[(&str, &str)] = &[
    ("map-based", "cbbcabcbab"),
    ("map-based djb2", "bbcabcbbbb"),
    ("map-based crc32", "cbbbcababb"),
    ("map-based sdbm avalanche", "bccacbbbab"),
    ("map-based djb2 avalanche", "cbbcbbbbac"),
    ("consistent", "acbccbbcba"),
    ("consistent djb2", "bbbbbbbbbb"),
    ("consistent crc32 avalanche", "cccbbbccba"),
];

#[test]
fn hashes_stick_to_full_servers() {
    for hash_type in ["map-based", "consistent"] {
        let mut p = proxy("uri", limited(3, 1));
        p.hash_type = Some((p.pos, words(hash_type)));
        let be = try_backend(&p, Arc::new(NoEvents)).0;
        let slot = ready(with_target(&be, "/x"));
        let Assignment::Queued(t) = with_target(&be, "/x") else { panic!() };
        assert_eq!(t.server().map(|s| s.index), Some(slot.index()));
        // No key: any server with room.
        assert_ne!(ready(assign(&be)).index(), slot.index());
    }
}

#[test]
fn full_queues_of_hashed_servers_spill_over() {
    let mut servers = limited(2, 1);
    servers.iter_mut().for_each(|s| s.opts.maxqueue = Some(1));
    let be = backend("uri", servers);
    let same = || with_target(&be, "/x");
    let first = ready(same());
    let Assignment::Queued(second) = same() else { panic!() };
    let third = ready(same());
    assert_ne!(third.index(), first.index());
    let Assignment::Queued(fourth) = same() else { panic!() };
    assert!(second.server().is_some() && fourth.server().is_none());
}

#[test]
fn bounded_loads_spill_over() {
    let mut p = proxy("uri", weighted(&[1, 1, 1, 1]));
    p.hash_type = Some((p.pos, words("consistent")));
    p.hash_balance_factor = Some(150);
    let be = try_backend(&p, Arc::new(NoEvents)).0;
    let slots: Vec<Slot> = (0..40).map(|_| ready(with_target(&be, "/same"))).collect();
    let most = be.servers.iter().map(|s| s.served()).max();
    assert_eq!(most, Some(15), "{:?}", be.servers.iter().map(|s| s.served()).collect::<Vec<_>>());
    drop(slots);
    assert_eq!(at(&be, "/same"), at(&be, "/same"));
}

#[test]
fn words_are_checked() {
    // (balance, mode http, alert or warning that contains this, name)
    let cases = [
        ("", true, None, "random"),
        ("roundrobin ignored", true, None, "roundrobin"),
        ("roundrobbin", true, Some("balance only supports 'roundrobin', 'static-rr'"), "roundrobin"),
        ("hdr", true, Some("balance only supports 'roundrobin'"), "roundrobin"),
        ("hdr()", true, Some("balance hdr requires an http header field name."), "roundrobin"),
        (
            "hdr(a) b",
            true,
            Some("balance hdr(a) only accepts 'use_domain_only' modifier (got 'b')."),
            "roundrobin",
        ),
        ("hdr(Host) use_domain_only", true, None, "hdr"),
        ("uri len 8 depth 2 whole path-only", true, None, "uri"),
        ("uri len 0", true, Some("balance uri : 'len' expects a positive integer (got '0')."), "roundrobin"),
        ("uri depth", true, Some("balance uri : 'depth' expects a positive integer (got '')."), "roundrobin"),
        (
            "uri x",
            true,
            Some("balance uri only accepts parameters 'len', 'depth', 'path-only', and 'whole' (got 'x')."),
            "roundrobin",
        ),
        ("url_param", true, Some("balance url_param requires an URL parameter name."), "roundrobin"),
        ("url_param a check_post 64", true, None, "url_param"),
        (
            "url_param a b",
            true,
            Some("balance url_param only accepts 'check_post' modifier (got 'b')."),
            "roundrobin",
        ),
        ("random(0)", true, Some("balance random : number of draws must be at least 1."), "roundrobin"),
        ("random(3", true, Some("balance random : missing closing parenthesis."), "roundrobin"),
        ("random(x)", true, Some("balance random : unexpected character 'x' after argument."), "roundrobin"),
        ("random()", true, None, "random"),
        ("hash", true, Some("balance hash requires a sample expression."), "roundrobin"),
        ("hash src b", true, Some("balance hash takes no other argument (got 'b')."), "roundrobin"),
        (
            "hash nothing",
            true,
            Some("failed to parse 'balance hash' expression 'nothing' in : unknown fetch method"),
            "roundrobin",
        ),
        ("hash src", false, None, "hash"),
        // The check of the configuration warns.
        ("uri", false, None, "roundrobin"),
        (
            "log-hash lower",
            false,
            Some("Unusable balance algorithm for backend 'be' (needs 'mode log')."),
            "roundrobin",
        ),
    ];
    for (balance, http, message, name) in cases {
        let mut p = proxy(balance, weighted(&[1]));
        p.mode = if http { model::Mode::Http } else { model::Mode::Tcp };
        let (be, diags) = try_backend(&p, Arc::new(NoEvents));
        assert_eq!(be.algorithm(), name, "{balance}");
        match (message, &diags.list[..]) {
            (None, []) => {}
            (Some(m), [d]) if d.text.contains(m) => {}
            other => panic!("{balance}: {other:?}"),
        }
    }
}

#[test]
fn rows_have_help_and_unique_names() {
    let names: Vec<_> = super::keywords().map(|m| m.name).collect();
    let unique: std::collections::BTreeSet<_> = names.iter().collect();
    assert_eq!(unique.len(), names.len());
    assert!(super::keywords().all(|m| m.help.ends_with('.')));
}

/// Servers 127.0.0.1 to 127.0.0.5 on port 18099, asked for `/a` to `/l`: what HAProxy 3.4 chooses.
#[test]
fn servers_are_placed_by_their_keys_as_haproxy_places_them() {
    let cases = [
        ("consistent", "id", "421551215553"),
        ("consistent", "id32", "535325351252"),
        ("consistent", "guid", "215241232553"),
        ("consistent", "addr", "152543332322"),
        ("consistent", "addr-port", "453531353351"),
        ("map-based wt6", "id", "151232134312"),
    ];
    for (hash_type, key, want) in cases {
        let servers = (1..=5).map(|i| {
            let mut s = srv(&i.to_string(), |o| {
                o.rare_mut().hash_key = Some(key.to_owned());
                o.rare_mut().guid = Some(format!("g{i}guid"));
            });
            s.addr.kind = AddrKind::Ip(format!("127.0.0.{i}:18099").parse().unwrap());
            s
        });
        let mut p = proxy("uri", servers.collect());
        p.hash_type = Some((p.pos, words(hash_type)));
        let (be, _) = try_backend(&p, Arc::new(NoEvents));
        let got: String = ('a'..='l').map(|c| at(&be, &format!("/{c}"))).collect();
        assert_eq!(got, want, "{hash_type} {key}");
    }
}
