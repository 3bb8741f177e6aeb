//! Listeners end to end on one thread: limits, rates, closing, pausing.

use crate::{Binder, CompileOptions, ListenerSet, compile};
use hawser_cfg::diag::Diags;
use hawser_cfg::model::{Addr, AddrKind, Bind, BindOpts, Config, Proxy};
use hawser_cfg::pos::Pos;
use hawser_proto::{AcceptSink, Incoming, ListenerInfo, ListenerState, ProcessInfo};
use std::cell::RefCell;
use std::io::Read;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

#[derive(Default)]
struct Keep(RefCell<Vec<Incoming>>);

impl AcceptSink for Keep {
    fn accept(&self, conn: Incoming) {
        self.0.borrow_mut().push(conn);
    }
}

struct Bench {
    sink: Rc<Keep>,
    set: ListenerSet,
    info: Arc<ListenerInfo>,
    at: SocketAddr,
}

fn config(opts: BindOpts) -> Config {
    let addr = Addr {
        kind: AddrKind::Ip("127.0.0.1:0".parse().unwrap()),
        port_offset: None,
        port_missing: false,
        port_high: 0,
        dgram: false,
        text: "127.0.0.1:0".into(),
    };
    let binds = vec![Bind { pos: Pos::default(), addrs: vec![addr], opts }];
    let proxy = Proxy { name: "fe".into(), binds, ..Proxy::default() };
    Config { proxies: vec![proxy], ..Config::default() }
}

fn start(cfg: &Config, process: ProcessInfo) -> Bench {
    let process = Arc::new(process);
    let out = compile(cfg, &process, CompileOptions::default(), &mut Diags::default());
    let mut binder = Binder::new(out.binds);
    assert_eq!(binder.bind(&[]), []);
    let mut bound = binder.listen(&[]).unwrap();
    let first = bound.remove(0);
    let hawser_proto::Address::Ip(at) = first.local_addr() else { panic!("no port") };
    let sink = Rc::new(Keep::default());
    let set = ListenerSet::new(Rc::clone(&sink) as Rc<dyn AcceptSink>, None);
    let info = Arc::clone(&first.info);
    for (_, receiver) in first.deal(1, &[]).unwrap() {
        set.start(Arc::clone(&info), receiver).unwrap();
    }
    Bench { sink, set, info, at }
}

impl Bench {
    fn dial(&self) -> TcpStream {
        TcpStream::connect(self.at).unwrap()
    }

    fn count(&self) -> usize {
        self.sink.0.borrow().len()
    }

    /// Lets the reactor run until `n` connections arrived, and a little longer.
    async fn settle(&self, n: usize) {
        for _ in 0..1000 {
            if self.count() >= n {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(self.count(), n);
    }
}

fn run(f: impl AsyncFnOnce()) {
    let rt = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&rt, async {
        tokio::time::timeout(Duration::from_secs(20), f()).await.unwrap();
    });
}

#[test]
fn excess_connections_wait_in_the_backlog() {
    let with = |f: fn(&mut Config)| {
        let mut cfg = config(BindOpts::default());
        f(&mut cfg);
        cfg
    };
    let cases = [
        (
            config(BindOpts { maxconn: Some(2), backlog: Some(9), ..BindOpts::default() }),
            0,
            ListenerState::Full,
        ),
        (
            with(|c| (c.proxies[0].maxconn, c.proxies[0].backlog) = (Some(2), Some(9))),
            0,
            ListenerState::Limited,
        ),
        (with(|c| c.proxies[0].backlog = Some(9)), 2, ListenerState::Limited),
    ];
    for (cfg, maxconn, state) in cases {
        run(async || {
            let b = start(&cfg, ProcessInfo::new(maxconn));
            let _clients: Vec<_> = (0..4).map(|_| b.dial()).collect();
            b.settle(2).await;
            assert_eq!(b.info.state(), state);
            b.sink.0.borrow_mut().remove(0);
            b.settle(2).await;
            b.sink.0.borrow_mut().clear();
            b.settle(1).await;
            assert_eq!(b.info.state(), ListenerState::Ready);
            assert_eq!((b.info.conns.inside(), b.info.conns.peak(), b.info.conns.total()), (1, 2, 4));
            let tries =
                b.info.conns.reached() + b.info.frontend.conns.reached() + b.info.process.conns.reached();
            assert!(tries < 10, "the loop spins: {tries}");
        });
    }
}

#[test]
fn rates_are_limited() {
    run(async || {
        let mut cfg = config(BindOpts::default());
        cfg.proxies[0].rate_limit_sessions = Some(5);
        let b = start(&cfg, ProcessInfo::new(0));
        let begin = hawser_proto::clock::now();
        let _clients: Vec<_> = (0..12).map(|_| b.dial()).collect();
        b.settle(12).await;
        let took = begin.elapsed();
        assert!(took > Duration::from_millis(900), "12 connections at 5 per second took {took:?}");
    });
}

#[test]
fn closing_serves_who_is_in_the_queue_and_frees_the_port() {
    run(async || {
        let b = start(&config(BindOpts::default()), ProcessInfo::new(0));
        // The reactor has not run since: these are in the kernel's queue only.
        let mut clients: Vec<_> = (0..3).map(|_| b.dial()).collect();
        b.set.stop(None);
        assert_eq!(b.count(), 3);
        assert!(b.set.is_empty());
        TcpListener::bind(b.at).unwrap();
        b.sink.0.borrow_mut().clear();
        for c in &mut clients {
            assert_eq!(c.read(&mut [0; 1]).unwrap(), 0);
        }
    });
}

#[test]
fn only_the_named_frontend_stops() {
    run(async || {
        let b = start(&config(BindOpts::default()), ProcessInfo::new(0));
        b.set.stop(Some(1));
        assert_eq!(b.set.len(), 1);
        b.set.stop(Some(0));
        assert_eq!(b.set.len(), 0);
    });
}

#[test]
fn a_paused_listener_comes_back() {
    run(async || {
        // A port that the kernel chose would not survive the pause.
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut cfg = config(BindOpts::default());
        cfg.proxies[0].binds[0].addrs[0].kind = AddrKind::Ip(free);
        cfg.proxies[0].binds[0].addrs[0].port_high = free.port();
        let b = start(&cfg, ProcessInfo::new(0));
        assert!(b.set.pause(None));
        assert_eq!(b.info.state(), ListenerState::Paused);
        assert!(TcpStream::connect(b.at).is_err());
        assert!(b.set.resume(None));
        let _c = b.dial();
        b.settle(1).await;
    });
}

#[test]
fn a_taken_port_reads_like_haproxy_s_alert() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut cfg = config(BindOpts::default());
    cfg.files = vec!["a.cfg".into()];
    cfg.proxies[0].binds[0].pos = Pos { line: 6, ..Pos::default() };
    cfg.proxies[0].binds[0].addrs[0].kind = AddrKind::Ip(taken.local_addr().unwrap());
    let process = Arc::new(ProcessInfo::new(0));
    let out = compile(&cfg, &process, CompileOptions::default(), &mut Diags::default());
    let mut binder = Binder::new(out.binds);
    let failures = binder.bind(&cfg.files);
    let at = taken.local_addr().unwrap();
    assert_eq!(failures.len(), 1);
    assert!(failures[0].in_use);
    assert_eq!(
        failures[0].text,
        format!(
            "Binding [a.cfg:6] for frontend fe: protocol tcpv4: cannot bind socket (Address already in use) for [{at}]."
        )
    );
    drop(taken);
    assert_eq!(binder.bind(&cfg.files), [], "a second try succeeds once the port is free");
}

/// The kernel's numbers of the sockets that threads got.
fn inodes(shards: Option<&str>, threads: u32) -> Vec<u64> {
    let opts = BindOpts { shards: shards.map(Into::into), ..BindOpts::default() };
    let cfg = config(opts);
    let process = Arc::new(ProcessInfo::new(0));
    let out = compile(&cfg, &process, CompileOptions::default(), &mut Diags::default());
    let mut binder = Binder::new(out.binds);
    assert_eq!(binder.bind(&[]), []);
    let mut bound = binder.listen(&[]).unwrap();
    let dealt = bound.remove(0).deal(threads, &[]).unwrap();
    dealt
        .iter()
        .map(|(_, r)| {
            let link = std::fs::read_link(format!("/proc/self/fd/{}", r.fd().unwrap())).unwrap();
            let digits: String = link.to_str().unwrap().chars().filter(char::is_ascii_digit).collect();
            digits.parse().unwrap()
        })
        .collect()
}

#[test]
fn shards_say_how_many_sockets_there_are() {
    for (shards, sockets) in
        [(None, 5), (Some("by-thread"), 5), (Some("1"), 1), (Some("2"), 2), (Some("9"), 5)]
    {
        let got = inodes(shards, 5);
        let mut distinct = got.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!((got.len(), distinct.len()), (5, sockets), "{shards:?}: {got:?}");
    }
}
