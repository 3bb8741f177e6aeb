//! Cost of choosing a server, taking a place on it and giving it back, and of compiling a large farm. Run with
//! `cargo bench -p hawser-balance`.
#![expect(clippy::print_stdout, reason = "a benchmark reports on its output")]
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a benchmark may stop")]

use hawser_balance::resolve::Resolver;
use hawser_balance::{
    AssignOpts, Assignment, Backend, CompileEnv, FdPressure, Idle, IdlePool, NoEvents, compile,
};
use hawser_cfg::diag::Diags;
use hawser_cfg::model::{Addr, AddrKind, Config, Mode, Proxy, ProxyKind, Reuse, Server, ServerOpts};
use hawser_cfg::pos::{Pos, Word};
use hawser_http::{Head, Version};
use hawser_sample::Ctx;
use hawser_sample::facts::ProxyFacts;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

fn bench(name: &str, mut f: impl FnMut()) {
    const CALLS: u32 = 2_000;
    let best = (0..200).map(|_| {
        let start = Instant::now();
        (0..CALLS).for_each(|_| f());
        start.elapsed()
    });
    let best = best.min().unwrap_or(Duration::ZERO).as_secs_f64() * 1e9 / f64::from(CALLS);
    println!("{name:<44} {best:8.1} ns");
}

fn proxy(balance: &str, servers: usize, maxconn: Option<u32>) -> Proxy {
    let server = |i: usize| {
        let addr = Addr {
            kind: AddrKind::Ip(([192, 0, 2, 1], 80).into()),
            port_offset: None,
            port_missing: false,
            port_high: 80,
            dgram: false,
            text: "192.0.2.1:80".into(),
        };
        let mut opts = ServerOpts::default();
        opts.maxconn = maxconn;
        Server { pos: Pos::default(), name: format!("s{i}").into(), addr, opts }
    };
    Proxy {
        name: "be".into(),
        kind: ProxyKind::Backend,
        mode: Mode::Http,
        balance: Some((Pos::default(), balance.split(' ').map(Word::synthetic).collect())),
        servers: (0..servers).map(server).collect(),
        ..Proxy::default()
    }
}

fn backend(p: &Proxy) -> Arc<Backend> {
    let env = CompileEnv {
        config: &Config::default(),
        facts: Arc::new(ProxyFacts { http: true, ..ProxyFacts::default() }),
        threads: 2,
        default_fullconn: 20,
        resolver: &Resolver::libc(false),
        states: None,
        events: Arc::new(NoEvents),
        now: 1,
    };
    compile(p, &env, &mut Diags::default())
}

fn once(be: &Arc<Backend>, ctx: &Ctx<'_>, opts: &AssignOpts) {
    let guard = be.begin(0, 1);
    let Assignment::Ready(slot) = be.assign(ctx, opts) else { panic!("queued") };
    drop(black_box((slot, guard)));
}

struct Never;

impl Idle for Never {
    fn is_dead(&mut self) -> bool {
        false
    }
}

fn main() {
    let req = Head::request(b"GET", b"/en/products/list?page=2", Version::H11);
    let ctx = Ctx { req: Some(&req), ..Ctx::EMPTY };
    let opts = AssignOpts::default();
    for balance in ["roundrobin", "static-rr", "leastconn", "random", "first", "uri"] {
        for (servers, maxconn) in [(2, None), (10, Some(100)), (1000, None)] {
            let be = backend(&proxy(balance, servers, maxconn));
            let limit = maxconn.map(|m| format!(" maxconn {m}")).unwrap_or_default();
            bench(&format!("{balance}, {servers} servers{limit}"), || once(&be, &ctx, &opts));
        }
    }
    let be = backend(&proxy("roundrobin", 2, None));
    let shared = be.clone();
    let stop = AtomicBool::new(false);
    std::thread::scope(|s| {
        s.spawn(|| {
            while !stop.load(Relaxed) {
                once(&shared, &Ctx::EMPTY, &AssignOpts { thread: 1, ..AssignOpts::default() });
            }
        });
        bench("roundrobin, 2 servers, another thread busy", || once(&be, &ctx, &opts));
        stop.store(true, Relaxed);
    });
    let mut pool = IdlePool::new(Arc::new(FdPressure::none()));
    let conn = pool.opened(&be.servers[0], 7, Never);
    assert!(pool.put(conn, 1).is_ok());
    bench("pool: take and put", || {
        let conn = pool.take(&be.servers[0], 7, Reuse::Always, true).unwrap();
        assert!(pool.put(conn, 1).is_ok());
    });
    let large = proxy("leastconn", 16_000, None);
    let start = Instant::now();
    let be = black_box(backend(&large));
    println!("{:<44} {:8.2} ms", "compile 16000 servers", start.elapsed().as_secs_f64() * 1e3);
    println!("{:<44} {:8} bytes", "one server", size_of_val(&*be.servers[0]));
}
