//! Reuse modes, limits, purging, counts.

use super::*;
use crate::tests::{backend, srv};
use hawser_cfg::model::ServerOpts;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

#[derive(Debug)]
struct Fake {
    name: u32,
    dead: Rc<Cell<bool>>,
}

impl Idle for Fake {
    fn is_dead(&mut self) -> bool {
        self.dead.get()
    }
}

struct Bench {
    server: Arc<Server>,
    pool: IdlePool<Fake>,
    pressure: Arc<FdPressure>,
    fds: &'static AtomicU32,
    next: u32,
    dead: Rc<Cell<bool>>,
}

impl Bench {
    fn new(f: impl FnOnce(&mut ServerOpts)) -> Self {
        let fds = Box::leak(Box::default());
        let pressure = Arc::new(FdPressure::new(fds, 100, 20, 25));
        let be = backend("", vec![srv("s", f)]);
        Self {
            server: be.servers[0].clone(),
            pool: IdlePool::new(pressure.clone()),
            pressure,
            fds,
            next: 0,
            dead: Rc::default(),
        }
    }

    fn open(&mut self, hash: u64) -> Conn<Fake> {
        self.next += 1;
        let io = Fake { name: self.next, dead: self.dead.clone() };
        self.pool.opened(&self.server.clone(), hash, io)
    }

    /// Opens connections that carried `uses` further requests and lets them become idle one per millisecond.
    fn idle(&mut self, hash: u64, uses: &[u32], now: Ms) {
        let conns: Vec<_> = uses.iter().map(|u| (self.open(hash), *u)).collect();
        for (at, (mut c, uses)) in (now..).zip(conns) {
            c.uses = uses;
            assert!(self.pool.put(c, at).is_ok());
        }
    }

    fn take(&mut self, hash: u64, mode: Reuse, first: bool) -> Option<u32> {
        let c = self.pool.take(&self.server.clone(), hash, mode, first)?;
        Some(c.io.name)
    }

    /// (idle, safe, used, needed)
    fn counts(&self) -> (u32, u32, u32, u32) {
        let i = &self.server.idle;
        (i.at(Place::Idle), i.at(Place::Safe), i.at(Place::Used), i.needed.load(Relaxed))
    }
}

#[test]
fn modes_choose_lists() {
    use Reuse::*;
    // Connections 1 to 4: never reused, reused, never reused, reused.
    let cases: &[(Reuse, bool, &[u32])] = &[
        (Never, true, &[]),
        (Never, false, &[]),
        (Safe, true, &[]),
        (Safe, false, &[3, 1, 4, 2]),
        (Aggressive, true, &[4, 2]),
        (Aggressive, false, &[3, 1, 4, 2]),
        (Always, true, &[4, 2, 3, 1]),
        (Always, false, &[3, 1, 4, 2]),
    ];
    for (mode, first, want) in cases {
        let mut b = Bench::new(|_| ());
        b.idle(7, &[0, 1, 0, 1], 10);
        assert_eq!(b.take(8, *mode, *first), None, "another hash");
        let taken: Vec<u32> = std::iter::from_fn(|| b.take(7, *mode, *first)).collect();
        assert_eq!(taken, *want, "{mode:?} first={first}");
    }
}

#[test]
fn counts_follow_connections() {
    let mut b = Bench::new(|_| ());
    let (one, mut two) = (b.open(1), b.open(1));
    two.uses = 1;
    assert_eq!(b.counts(), (0, 0, 2, 2));
    b.pool.put(one, 1).unwrap();
    b.pool.put(two, 1).unwrap();
    assert_eq!(b.counts(), (1, 1, 0, 2));
    let again = b.pool.take(&b.server.clone(), 1, Reuse::Always, true).unwrap();
    assert_eq!((again.uses(), b.counts()), (2, (1, 0, 1, 2)));
    drop(again);
    assert_eq!((b.pool.len(), b.counts()), (1, (1, 0, 0, 2)));
    b.pool.clear(&b.server.clone());
    assert_eq!((b.pool.is_empty(), b.counts()), (true, (0, 0, 0, 2)));
}

#[test]
fn not_worth_keeping() {
    type Change = fn(&mut Bench, &mut Conn<Fake>);
    let max = |n| move |o: &mut ServerOpts| o.rare_mut().pool_max_conn = Some(n);
    let reuse = |n| move |o: &mut ServerOpts| o.rare_mut().max_reuse = Some(n);
    let delay = |n| move |o: &mut ServerOpts| o.rare_mut().pool_purge_delay = Some(n);
    let check = |name: &str, mut b: Bench, change: Change, want: bool| {
        let mut c = b.open(1);
        change(&mut b, &mut c);
        assert_eq!(b.pool.put(c, 1).is_ok(), want, "{name}");
    };
    let nothing: Change = |_, _| ();
    check("plain", Bench::new(|_| ()), nothing, true);
    check("private", Bench::new(|_| ()), |_, c| c.private = true, false);
    check("dead", Bench::new(|_| ()), |b, _| b.dead.set(true), false);
    check("no pool", Bench::new(max(0)), nothing, false);
    check("unlimited", Bench::new(max(-1)), nothing, true);
    check("room", Bench::new(max(1)), nothing, true);
    check("no delay", Bench::new(delay(0)), nothing, false);
    check("never reuse", Bench::new(reuse(0)), nothing, false);
    check("worn out", Bench::new(reuse(2)), |_, c| c.uses = 2, false);
    check("not worn out", Bench::new(reuse(2)), |_, c| c.uses = 1, true);
    check("any reuse", Bench::new(reuse(-1)), |_, c| c.uses = 9999, true);
    check("descriptors", Bench::new(|_| ()), |b, _| b.fds.store(25, Relaxed), false);
    check("few descriptors left", Bench::new(|_| ()), |b, _| b.fds.store(24, Relaxed), true);
    let second = |fds: u32, kept| {
        let mut b = Bench::new(|o| o.rare_mut().pool_low_conn = Some(9));
        let (one, two) = (b.open(1), b.open(1));
        b.fds.store(fds, Relaxed);
        b.pool.put(one, 1).unwrap();
        assert_eq!(b.pool.put(two, 1).is_ok(), kept, "{fds} descriptors");
    };
    second(19, true);
    second(20, false);
}

#[test]
fn the_maximum_counts_all_threads() {
    let mut b = Bench::new(|o| o.rare_mut().pool_max_conn = Some(2));
    let mut other = IdlePool::new(Arc::new(FdPressure::none()));
    let c = other.opened(&b.server, 1, Fake { name: 9, dead: Rc::default() });
    other.put(c, 1).unwrap();
    let (one, two) = (b.open(1), b.open(1));
    assert!(b.pool.put(one, 1).is_ok());
    assert!(b.pool.put(two, 1).is_err());
}

#[test]
fn dead_ones_are_skipped() {
    let mut b = Bench::new(|o| o.rare_mut().pool_low_conn = Some(9));
    b.idle(1, &[0], 1);
    b.dead = Rc::default();
    b.idle(1, &[0, 0], 2);
    b.dead.set(true);
    assert_eq!(b.take(1, Reuse::Always, true), Some(1));
    assert_eq!((b.take(1, Reuse::Always, true), b.counts()), (None, (0, 0, 0, 2)));
}

#[test]
fn purging_halves_what_is_not_needed() {
    let mut b = Bench::new(|_| ());
    b.idle(1, &[0; 16], 100);
    assert_eq!(b.pool.next_purge(), Some(5100));
    b.pool.purge(5099);
    assert_eq!(b.pool.len(), 16);
    // The first period saw all 16 in use; then the need halves, and half of the excess goes each time.
    let mut left = Vec::new();
    let mut now = 5100;
    while let Some(next) = b.pool.next_purge() {
        assert_eq!(next, now);
        b.pool.purge(now);
        left.push(b.pool.len());
        now += 5000;
        assert!(left.len() < 20, "{left:?}");
    }
    assert_eq!(left, [16, 12, 8, 5, 3, 1, 0]);
    assert_eq!(b.counts(), (0, 0, 0, 0));
}

#[test]
fn purging_closes_the_oldest_and_spares_the_needed() {
    let mut b = Bench::new(|o| o.rare_mut().pool_low_conn = Some(9));
    b.idle(1, &[0; 4], 100);
    b.idle(2, &[1; 4], 200);
    let used = b.open(3);
    b.pool.purge(5100);
    assert_eq!(b.pool.len(), 8 - 3, "4 are needed, of which 1 is in use: half of the other 5 goes");
    assert_eq!(std::iter::from_fn(|| b.take(1, Reuse::Always, true)).collect::<Vec<_>>(), [4]);
    drop(used);
}

#[test]
fn low_water_keeps_more() {
    for (low, kept) in [(0, false), (1, true)] {
        let mut b = Bench::new(|o| o.rare_mut().pool_low_conn = Some(low));
        b.idle(1, &[0], 1);
        // One was in use at any time: one is needed, a second one only with pool-low-conn.
        let other = b.open(2);
        assert_eq!(b.pool.put(other, 2).is_ok(), kept, "{low}");
    }
}

#[test]
fn room_is_made_under_pressure() {
    let mut b = Bench::new(|o| o.rare_mut().pool_low_conn = Some(9));
    b.idle(1, &[0; 2], 100);
    b.idle(2, &[0; 2], 50);
    b.fds.store(24, Relaxed);
    b.pool.make_room();
    assert_eq!(b.pool.len(), 4);
    b.fds.store(25, Relaxed);
    b.pool.make_room();
    assert_eq!(std::iter::from_fn(|| b.take(2, Reuse::Always, true)).collect::<Vec<_>>(), [4]);
}

#[test]
fn servers_in_maintenance_lose_their_connections() {
    let mut b = Bench::new(|o| o.rare_mut().pool_low_conn = Some(9));
    b.idle(1, &[0; 4], 100);
    let c = b.open(1);
    // Its checks need a connection still.
    b.server.oper.store(crate::server::Oper::Down as u8, Relaxed);
    let another = b.open(1);
    b.pool.put(c, 200).unwrap();
    let c = another;
    b.server.admin.store(Admin::FMAINT.0, Relaxed);
    assert!(b.pool.put(c, 200).is_err());
    b.pool.purge(5100);
    assert!(b.pool.is_empty());
}

#[test]
fn another_thread_takes_one_over() {
    let mut b = Bench::new(|o| o.rare_mut().pool_low_conn = Some(2));
    let mut other = IdlePool::new(Arc::new(FdPressure::none()));
    let s = b.server.clone();
    assert!(!other.misses(&s), "nobody has any");
    b.idle(1, &[1], 100);
    assert!(!other.misses(&s), "too few");
    b.idle(1, &[1, 0], 200);
    assert!(other.misses(&s));
    assert!(!b.pool.misses(&s), "they are its own");
    assert!(b.pool.give_away(&s, 1, Reuse::Aggressive, true).is_some_and(|c| c.io.name == 2));
    assert_eq!(b.counts(), (1, 1, 0, 2), "what was given away and dropped is no more");
    let conn = b.pool.give_away(&s, 1, Reuse::Always, false).unwrap();
    let conn: Conn<Fake> = other.receive(conn);
    assert_eq!((conn.io.name, conn.uses()), (3, 1));
    assert_eq!(b.counts(), (0, 1, 1, 3), "needed by both");
    other.put(conn, 300).unwrap();
    assert_eq!(b.counts(), (0, 2, 0, 3));
    assert_eq!((b.pool.len(), other.len()), (1, 1));
    assert!(b.pool.misses(&s) && other.misses(&s));
}

#[test]
fn some_protocols_need_no_proof() {
    #[derive(Debug)]
    struct Proven;
    impl Idle for Proven {
        fn is_proven(&self) -> bool {
            true
        }
        fn is_dead(&mut self) -> bool {
            false
        }
    }
    let b = Bench::new(|_| ());
    let mut pool = IdlePool::new(b.pressure.clone());
    let c = pool.opened(&b.server, 1, Proven);
    pool.put(c, 1).unwrap();
    assert_eq!(b.counts(), (0, 1, 0, 1));
    assert!(pool.take(&b.server, 1, Reuse::Aggressive, true).is_some());
}
