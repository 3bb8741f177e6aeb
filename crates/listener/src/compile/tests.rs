//! Expansion of `bind` lines.

use super::*;
use hawser_cfg::model::{BindOpts, ProxyKind};
use std::os::fd::AsRawFd;

fn addr(text: &str, high: u16) -> Addr {
    Addr {
        kind: AddrKind::Ip(text.parse().unwrap()),
        port_offset: None,
        port_missing: false,
        port_high: high,
        dgram: false,
        text: text.into(),
    }
}

fn frontend_with(binds: Vec<Bind>) -> Config {
    let proxy = Proxy { name: "fe".into(), kind: ProxyKind::Frontend, binds, ..Proxy::default() };
    Config { proxies: vec![proxy], ..Config::default() }
}

fn bind(addrs: Vec<Addr>, opts: BindOpts) -> Bind {
    Bind { pos: Pos::default(), addrs, opts }
}

fn compiled(cfg: &Config) -> (Compiled, Diags) {
    let mut diags = Diags::default();
    let out = compile(cfg, &Arc::new(ProcessInfo::new(1000)), CompileOptions::default(), &mut diags);
    (out, diags)
}

#[test]
fn lists_and_ranges_make_one_socket_each() {
    let line = bind(vec![addr("127.0.0.1:80", 82), addr("[::1]:80", 80)], BindOpts::default());
    let (out, diags) = compiled(&frontend_with(vec![line]));
    assert!(diags.list.is_empty());
    let seen: Vec<String> = out.binds.iter().map(|b| b.info.addr.to_string()).collect();
    assert_eq!(seen, ["127.0.0.1:80", "127.0.0.1:81", "127.0.0.1:82", "[::1]:80"]);
    assert_eq!(out.binds.iter().map(|b| b.info.id).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(out.binds[3].info.protocol, "tcpv6");
    assert!(out.binds.iter().all(|b| b.cfg.reuseport));
}

#[test]
fn written_ids_are_kept_and_avoided() {
    let with_id = BindOpts { id: Some(2), name: Some("main".into()), ..BindOpts::default() };
    let lines = vec![
        bind(vec![addr("127.0.0.1:1", 1)], BindOpts::default()),
        bind(vec![addr("127.0.0.1:2", 2)], with_id),
        bind(vec![addr("127.0.0.1:3", 3)], BindOpts::default()),
    ];
    let (out, _) = compiled(&frontend_with(lines));
    let seen: Vec<_> = out.binds.iter().map(|b| (b.info.id, b.info.name.to_string(), b.info.named)).collect();
    assert_eq!(seen, [(1, "sock-1".into(), false), (2, "main".into(), true), (3, "sock-3".into(), false)]);
}

#[test]
fn limits_come_from_the_nearest_place() {
    let line = |opts| vec![bind(vec![addr("127.0.0.1:1", 1)], opts)];
    let mut cfg = frontend_with(line(BindOpts::default()));
    let (out, _) = compiled(&cfg);
    assert_eq!((out.binds[0].cfg.backlog, out.binds[0].info.frontend.conns.limit()), (1000, 1000));
    cfg.proxies[0].maxconn = Some(50);
    assert_eq!(compiled(&cfg).0.binds[0].cfg.backlog, 50);
    cfg.proxies[0].backlog = Some(60);
    assert_eq!(compiled(&cfg).0.binds[0].cfg.backlog, 60);
    let own = BindOpts { backlog: Some(70), maxconn: Some(5), ..BindOpts::default() };
    cfg.proxies[0].binds = line(own);
    let (out, _) = compiled(&cfg);
    assert_eq!((out.binds[0].cfg.backlog, out.binds[0].info.conns.limit()), (70, 5));
    assert_eq!(out.frontends[0].as_ref().unwrap().conns.limit(), 50);
}

#[test]
fn backends_and_disabled_proxies_do_not_listen() {
    let mut cfg = frontend_with(vec![bind(vec![addr("127.0.0.1:1", 1)], BindOpts::default())]);
    cfg.proxies[0].disabled = true;
    cfg.proxies.push(Proxy { name: "be".into(), kind: ProxyKind::Backend, ..Proxy::default() });
    let (out, _) = compiled(&cfg);
    assert!(out.binds.is_empty());
    assert!(out.frontends[0].is_some() && out.frontends[1].is_none());
}

#[test]
fn what_cannot_work_is_an_alert() {
    for opts in [
        BindOpts { thread: Some("9-1".into()), ..BindOpts::default() },
        BindOpts { namespace: Some("ns".into()), ..BindOpts::default() },
    ] {
        let (out, diags) = compiled(&frontend_with(vec![bind(vec![addr("127.0.0.1:1", 1)], opts)]));
        assert!(diags.has_alert());
        assert!(out.binds.is_empty());
    }
}

#[test]
fn ids_that_are_not_written_follow_the_one_before() {
    let with_id = |id| BindOpts { id: Some(id), ..BindOpts::default() };
    let line = |port: u16, opts| bind(vec![addr(&format!("127.0.0.1:{port}"), port)], opts);
    let lines = vec![
        line(1, BindOpts::default()),
        line(2, with_id(10)),
        line(3, BindOpts::default()),
        line(4, with_id(4)),
        line(5, BindOpts::default()),
    ];
    let (out, _) = compiled(&frontend_with(lines));
    assert_eq!(out.binds.iter().map(|b| b.info.id).collect::<Vec<_>>(), [1, 10, 11, 4, 5]);
}

#[test]
fn threads_and_descriptors_have_to_be_there() {
    let texts = |kind: AddrKind, thread: &str| {
        let opts = BindOpts { thread: Some(thread.into()), ..BindOpts::default() };
        let cfg = frontend_with(vec![bind(vec![Addr { kind, ..addr("127.0.0.1:1", 1) }], opts)]);
        let options = CompileOptions { threads: 4, ..CompileOptions::default() };
        let mut diags = Diags::default();
        compile(&cfg, &Arc::new(ProcessInfo::new(1000)), options, &mut diags);
        diags.list.iter().map(|d| d.text.to_string()).collect::<Vec<_>>()
    };
    let ip = || AddrKind::Ip("127.0.0.1:1".parse().unwrap());
    assert!(texts(ip(), "4").is_empty() && texts(ip(), "3-9").is_empty() && texts(ip(), "1/2").is_empty());
    let at = "in 'bind 127.0.0.1:1' at [:0].";
    let missing = format!("frontend 'fe': 'thread' directive only references non-existing threads {at}");
    assert_eq!(texts(ip(), "5"), [missing]);
    let group = format!("frontend 'fe': 'thread' directive references non-existing thread group 2 {at}");
    assert_eq!(texts(ip(), "2/1"), [group]);
    let closed = "'bind' : cannot use file descriptor '9999' : Bad file descriptor.";
    assert_eq!(texts(AddrKind::Fd(9999), "1"), [closed]);
    assert_eq!(texts(AddrKind::Sockpair(9999), "1"), [closed]);
    let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a socket");
    assert_eq!(texts(AddrKind::Fd(socket.as_raw_fd()), "1"), [""; 0]);
}
