//! Many threads against one backend: no server ever exceeds its limit, no waiter is ever forgotten, and nothing
//! is left when all are gone. Seeded; interleavings are the scheduler's.

use hawser_balance::change::Cause;
use hawser_balance::resolve::Resolver;
use hawser_balance::server::{Admin, Oper};
use hawser_balance::{
    AssignOpts, Assignment, Backend, CompileEnv, Forced, Granted, NoEvents, Priority, QueueTicket, Slot,
    compile,
};
use hawser_cfg::diag::Diags;
use hawser_cfg::model::{Addr, AddrKind, Config, Mode, Proxy, ProxyKind, Server, ServerOpts};
use hawser_cfg::pos::{Pos, Word};
use hawser_http::{Head, Version};
use hawser_sample::Ctx;
use hawser_sample::facts::ProxyFacts;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

/// A waiter that hears nothing for this long was forgotten: queues here are a few dozen requests long, and
/// requests last microseconds.
const FORGOTTEN: Duration = Duration::from_secs(10);

struct Rng(u64);

impl Rng {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

struct Unpark(Thread, AtomicBool);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.1.store(true, SeqCst);
        self.0.unpark();
    }
}

/// Waits for a ticket, at most `polls` times woken or not; `None` when patience ran out first.
fn wait(ticket: QueueTicket, patience: Option<u32>) -> Option<Granted> {
    let unpark = Arc::new(Unpark(thread::current(), AtomicBool::new(false)));
    let waker = Waker::from(unpark.clone());
    let mut cx = Context::from_waker(&waker);
    let mut ticket = pin!(ticket);
    let mut looks = 0;
    loop {
        if let Poll::Ready(granted) = ticket.as_mut().poll(&mut cx) {
            return Some(granted);
        }
        if let Some(patience) = patience {
            looks += 1;
            if looks > patience {
                return None;
            }
            thread::yield_now();
            continue;
        }
        // Only a wake-up counts: polling again after the time-out would hide a lost one.
        let mut waited = Duration::ZERO;
        while !unpark.1.swap(false, SeqCst) {
            assert!(waited < FORGOTTEN, "a waiter was forgotten");
            thread::park_timeout(Duration::from_millis(100));
            waited += Duration::from_millis(100);
        }
    }
}

fn server(name: &str, opts: ServerOpts) -> Server {
    let addr = Addr {
        kind: AddrKind::Ip(([192, 0, 2, 1], 80).into()),
        port_offset: None,
        port_missing: false,
        port_high: 80,
        dgram: false,
        text: "192.0.2.1:80".into(),
    };
    Server { pos: Pos::default(), name: name.into(), addr, opts }
}

fn backend(balance: &str, servers: Vec<Server>) -> Arc<Backend> {
    let words = balance.split(' ').map(Word::synthetic).collect();
    let proxy = Proxy {
        name: "be".into(),
        kind: ProxyKind::Backend,
        mode: Mode::Http,
        balance: Some((Pos::default(), words)),
        servers,
        redispatch: -1,
        ..Proxy::default()
    };
    let facts = ProxyFacts {
        name: "be".into(),
        id: 1,
        index: 0,
        http: true,
        timeouts: Default::default(),
        default_backend: None,
        log_counter: Default::default(),
    };
    let mut diags = Diags::default();
    let env = CompileEnv {
        config: &Config::default(),
        facts: Arc::new(facts),
        threads: 4,
        default_fullconn: 20,
        resolver: &Resolver::libc(false),
        states: None,
        events: Arc::new(NoEvents),
        now: 1,
    };
    let be = compile(&proxy, &env, &mut diags);
    assert!(diags.list.is_empty(), "{:?}", diags.list);
    be
}

#[derive(Default)]
struct Seen {
    /// Requests on each server, counted from outside.
    on: [AtomicU32; 4],
    served: AtomicU64,
    queued: AtomicU64,
    left: AtomicU64,
    refused: AtomicU64,
    requeued: AtomicU64,
}

struct World {
    be: Arc<Backend>,
    maxconn: [u32; 4],
    seen: Seen,
}

impl World {
    fn serve(&self, slot: Slot, rng: &mut Rng) {
        let i = slot.index() as usize;
        let n = self.seen.on[i].fetch_add(1, SeqCst) + 1;
        assert!(n <= self.maxconn[i], "server {i} has {n} requests");
        for _ in 0..rng.next(4) {
            thread::yield_now();
        }
        self.seen.on[i].fetch_sub(1, SeqCst);
        self.seen.served.fetch_add(1, SeqCst);
        drop(slot);
    }

    fn request(&self, rng: &mut Rng, now: u64) {
        let target = format!("/{}", rng.next(50));
        let head = Head::request(b"GET", target.as_bytes(), Version::H11);
        let ctx = Ctx { req: Some(&head), ..Ctx::EMPTY };
        let forced = (rng.next(4) == 0).then(|| Forced { server: rng.next(4) as u32, even_down: false });
        let priority = Priority { class: rng.next(3) as i32 - 1, offset: rng.next(100) as i32 };
        let opts =
            AssignOpts { now, forced, priority, thread: rng.next(4) as usize, ..AssignOpts::default() };
        let _count = self.be.begin(opts.thread, now);
        loop {
            match self.be.assign(&ctx, &opts) {
                Assignment::Ready(slot) => return self.serve(slot, rng),
                Assignment::NoServer => {
                    self.seen.refused.fetch_add(1, SeqCst);
                    return;
                }
                Assignment::Queued(ticket) => {
                    self.seen.queued.fetch_add(1, SeqCst);
                    let patience = (rng.next(8) == 0).then(|| rng.next(6) as u32);
                    match wait(ticket, patience) {
                        Some(Granted::Slot(slot)) => return self.serve(slot, rng),
                        Some(Granted::Requeue) => _ = self.seen.requeued.fetch_add(1, SeqCst),
                        Some(Granted::NoServer) => {
                            self.seen.refused.fetch_add(1, SeqCst);
                            return;
                        }
                        None => {
                            self.seen.left.fetch_add(1, SeqCst);
                            return;
                        }
                    }
                }
            }
        }
    }
}

fn storm(balance: &str, threads: u64, requests: u64, chaos: bool) {
    let maxconn = [1, 2, 3, 5];
    let mut servers = Vec::new();
    for (i, max) in maxconn.into_iter().enumerate() {
        let mut o = ServerOpts::default();
        o.maxconn = Some(max);
        if i == 3 {
            o.minconn = Some(1);
        }
        if i == 2 {
            o.maxqueue = Some(2);
        }
        servers.push(server(&format!("s{i}"), o));
    }
    let world = World { be: backend(balance, servers), maxconn, seen: Seen::default() };
    let running = AtomicU32::new(threads as u32);
    thread::scope(|scope| {
        for t in 0..threads {
            let (world, running) = (&world, &running);
            scope.spawn(move || {
                let mut rng = Rng(0x5eed_0000 + t * 7919);
                (0..requests).for_each(|i| world.request(&mut rng, 1000 + i));
                running.fetch_sub(1, SeqCst);
            });
        }
        if chaos {
            let (be, running) = (&world.be, &running);
            scope.spawn(move || {
                let mut rng = Rng(0xc4a0_5000);
                while running.load(SeqCst) > 0 {
                    let server = rng.next(4) as u32;
                    match rng.next(6) {
                        0 | 1 => _ = be.set_oper(server, Oper::Down, Cause::Cli, 5),
                        2 => _ = be.set_admin(server, Admin::FMAINT, Admin::NONE, 5),
                        3 => _ = be.set_admin(server, Admin::FDRAIN, Admin::NONE, 5),
                        4 => be.set_weight(server, rng.next(3) as u32, 5),
                        _ => {}
                    }
                    for _ in 0..20 {
                        thread::yield_now();
                    }
                    for s in 0..4 {
                        be.set_admin(s, Admin::NONE, Admin::FMAINT.with(Admin::FDRAIN), 6);
                        be.set_oper(s, Oper::Up, Cause::Cli, 6);
                        be.set_weight(s, 1, 6);
                    }
                }
            });
        }
    });
    let s = &world.seen;
    let count = |a: &AtomicU64| a.load(SeqCst);
    assert_eq!(count(&s.served) + count(&s.left) + count(&s.refused), threads * requests);
    assert!(count(&s.queued) > 0, "the test must queue to mean anything");
    assert!(chaos || count(&s.refused) == 0);
    assert_eq!((world.be.queued_total(), world.be.queued(), world.be.conns()), (0, 0, 0));
    for s in &world.be.servers {
        assert_eq!((s.served(), s.queued()), (0, 0), "{}", s.name);
        assert!(s.served_max() <= s.maxconn(), "{}", s.name);
    }
}

#[test]
fn steady_storm() {
    for balance in ["roundrobin", "leastconn", "random", "static-rr", "first", "uri"] {
        storm(balance, 24, 150, false);
    }
}

#[test]
fn storm_with_servers_coming_and_going() {
    for balance in ["roundrobin", "leastconn", "uri", "random"] {
        storm(balance, 24, 150, true);
    }
}

#[test]
fn the_queue_is_fair() {
    // Each release serves the oldest waiter, whichever server it happens on.
    let opts = |maxconn| {
        let mut o = ServerOpts::default();
        o.maxconn = Some(maxconn);
        o
    };
    let be = backend("roundrobin", vec![server("a", opts(2)), server("b", opts(3))]);
    let mut rng = Rng(42);
    let at = |now| AssignOpts { now, ..AssignOpts::default() };
    let mut held: Vec<Slot> = Vec::new();
    let mut waiting = std::collections::VecDeque::new();
    let mut arrived = 0u64;
    let mut granted = 0u64;
    let waker = Waker::noop();
    for step in 0..5000 {
        if rng.next(2) == 0 && waiting.len() < 50 {
            match be.assign(&Ctx::EMPTY, &at(step)) {
                Assignment::Ready(slot) => {
                    assert!(waiting.is_empty(), "an arrival overtook {} waiters", waiting.len());
                    held.push(slot);
                }
                Assignment::Queued(t) => {
                    waiting.push_back((arrived, Box::pin(t)));
                    arrived += 1;
                }
                Assignment::NoServer => panic!(),
            }
        } else if !held.is_empty() {
            let i = rng.next(held.len() as u64) as usize;
            drop(held.swap_remove(i));
            if let Some((no, mut t)) = waiting.pop_front() {
                match t.as_mut().poll(&mut Context::from_waker(waker)) {
                    Poll::Ready(Granted::Slot(slot)) => {
                        assert_eq!(no, granted);
                        granted += 1;
                        held.push(slot);
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
        assert!(held.len() <= 5);
    }
    assert!(granted > 500, "{granted}");
}
