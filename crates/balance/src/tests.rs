//! What the modules do together: assigning, queueing, changing states.

use crate::change::Cause;
use crate::resolve::Resolver;
use crate::server::{Admin, CheckView, Oper};
use crate::*;
use hawser_cfg::diag::Diags;
use hawser_cfg::model::{self, Addr, AddrKind, Proxy, ProxyKind, ServerOpts};
use hawser_cfg::pos::Word;
use hawser_sample::Ctx;
use hawser_sample::facts::ProxyFacts;
use parking_lot::Mutex;
use std::sync::Arc;

/// Remembers events as `level text`.
#[derive(Default)]
pub(crate) struct Recorder(pub(crate) Mutex<Vec<String>>);

impl EventSink for Recorder {
    fn event(&self, e: &event::Event<'_>) {
        self.0.lock().push(format!("{:?} {}", e.level, e.text));
    }
}

impl Recorder {
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock())
    }
}

/// A configured server: `opts` is changed by `f`.
pub(crate) fn srv(name: &str, f: impl FnOnce(&mut ServerOpts)) -> model::Server {
    let mut opts = ServerOpts::default();
    f(&mut opts);
    let addr = Addr {
        kind: AddrKind::Ip("192.0.2.1:80".parse().unwrap()),
        port_offset: None,
        port_missing: false,
        port_high: 80,
        dgram: false,
        text: "192.0.2.1:80".into(),
    };
    model::Server { pos: Default::default(), name: name.into(), addr, opts }
}

pub(crate) fn words(text: &str) -> Vec<Word> {
    text.split_whitespace().map(Word::synthetic).collect()
}

pub(crate) fn proxy(balance: &str, servers: Vec<model::Server>) -> Proxy {
    let balance = (!balance.is_empty()).then(|| (Default::default(), words(balance)));
    Proxy {
        name: "be".into(),
        kind: ProxyKind::Backend,
        mode: model::Mode::Http,
        balance,
        servers,
        ..Proxy::default()
    }
}

pub(crate) fn try_backend(proxy: &Proxy, events: Arc<dyn EventSink>) -> (Arc<Backend>, Diags) {
    let mut diags = Diags::default();
    let facts = Arc::new(ProxyFacts {
        name: proxy.name.clone(),
        id: 1,
        index: 0,
        http: proxy.mode == model::Mode::Http,
        timeouts: proxy.timeouts,
        default_backend: None,
        log_counter: Default::default(),
    });
    let resolver = Resolver::new(false, |name| name.strip_prefix("ip-")?.parse().ok());
    let config = model::Config::default();
    let env = CompileEnv {
        config: &config,
        facts,
        threads: 2,
        default_fullconn: 10,
        resolver: &resolver,
        states: None,
        events,
        now: 1,
    };
    let be = compile(proxy, &env, &mut diags);
    (be, diags)
}

pub(crate) fn backend(balance: &str, servers: Vec<model::Server>) -> Arc<Backend> {
    let (be, diags) = try_backend(&proxy(balance, servers), Arc::new(NoEvents));
    assert!(diags.list.is_empty(), "{:?}", diags.list);
    be
}

pub(crate) fn assign(be: &Arc<Backend>) -> Assignment {
    be.assign(&Ctx::EMPTY, &AssignOpts::default())
}

pub(crate) fn ready(a: Assignment) -> Slot {
    match a {
        Assignment::Ready(slot) => slot,
        other => panic!("{other:?}"),
    }
}

fn queued(a: Assignment) -> QueueTicket {
    match a {
        Assignment::Queued(t) => t,
        other => panic!("{other:?}"),
    }
}

fn forced(server: u32) -> AssignOpts {
    AssignOpts { forced: Some(Forced { server, even_down: false }), ..AssignOpts::default() }
}

fn grant(t: &mut QueueTicket) -> Option<Granted> {
    t.try_slot()
}

#[test]
fn full_servers_queue_and_release_in_order() {
    let be =
        backend("roundrobin", vec![srv("a", |o| o.maxconn = Some(1)), srv("b", |o| o.maxconn = Some(1))]);
    let (a, b) = (ready(assign(&be)), ready(assign(&be)));
    assert_eq!((&*a.server().name, &*b.server().name), ("a", "b"));
    let (mut first, mut second) = (queued(assign(&be)), queued(assign(&be)));
    assert_eq!((be.queued(), be.queued_total()), (2, 2));
    assert!(grant(&mut first).is_none());
    drop(b);
    let Some(Granted::Slot(slot)) = grant(&mut first) else { panic!() };
    assert_eq!((&*slot.server().name, slot.position()), ("b", QueuePos { server: 0, backend: 1 }));
    assert!(grant(&mut second).is_none());
    assert_eq!(second.position(), QueuePos { server: 0, backend: 2 });
    drop(slot);
    assert!(matches!(grant(&mut second), Some(Granted::Slot(_))));
    drop((a, first, second));
    assert_eq!((be.queued_total(), be.servers[0].served(), be.servers[1].served()), (0, 0, 0));
}

#[test]
fn a_left_queue_passes_its_place_on() {
    let be = backend("roundrobin", vec![srv("a", |o| o.maxconn = Some(1))]);
    let slot = ready(assign(&be));
    let (first, mut second, third) = (queued(assign(&be)), queued(assign(&be)), queued(assign(&be)));
    drop(first);
    drop(slot);
    // The grant sits in the channel of `second` when it leaves.
    assert_eq!(be.queued(), 1);
    let Some(Granted::Slot(slot)) = grant(&mut second) else { panic!() };
    drop((slot, second, third));
    assert_eq!((be.queued(), be.servers[0].served()), (0, 0));

    let slot = ready(assign(&be));
    let (first, mut second) = (queued(assign(&be)), queued(assign(&be)));
    drop(slot);
    drop(first);
    assert!(matches!(grant(&mut second), Some(Granted::Slot(_))));
}

#[test]
fn priorities_order_the_queue() {
    let be = backend("roundrobin", vec![srv("a", |o| o.maxconn = Some(1))]);
    let slot = ready(assign(&be));
    // (arrival, class, offset), expected rank
    let cases = [(100, 0, 0, 2), (101, 0, -50, 1), (102, -1, 1000, 0), (103, 0, 0, 3), (50, 1, -40, 4)];
    let mut tickets: Vec<_> = cases
        .iter()
        .map(|&(now, class, offset, rank)| {
            let opts = AssignOpts { now, priority: Priority { class, offset }, ..AssignOpts::default() };
            (rank, queued(be.assign(&Ctx::EMPTY, &opts)))
        })
        .collect();
    tickets.sort_by_key(|t| t.0);
    drop(slot);
    for (rank, mut t) in tickets {
        assert!(matches!(grant(&mut t), Some(Granted::Slot(_))), "rank {rank}");
    }
}

#[test]
fn server_and_backend_queues_share_a_server_by_age() {
    let be = backend("roundrobin", vec![srv("a", |o| o.maxconn = Some(1))]);
    let slot = ready(assign(&be));
    let mut any = queued(assign(&be));
    let mut own = queued(be.assign(&Ctx::EMPTY, &forced(0)));
    assert_eq!((be.queued(), be.servers[0].queued()), (1, 1));
    drop(slot);
    let first = grant(&mut any);
    assert!(matches!(first, Some(Granted::Slot(_))));
    assert!(grant(&mut own).is_none());
    drop(first);
    assert!(matches!(grant(&mut own), Some(Granted::Slot(_))));
}

#[test]
fn full_queue_of_a_designated_server_goes_elsewhere() {
    let one = |o: &mut ServerOpts| (o.maxconn, o.maxqueue) = (Some(1), Some(1));
    let be = backend("roundrobin", vec![srv("a", one), srv("b", one)]);
    let _slot = ready(be.assign(&Ctx::EMPTY, &forced(0)));
    let _waits = queued(be.assign(&Ctx::EMPTY, &forced(0)));
    assert_eq!(&*ready(be.assign(&Ctx::EMPTY, &forced(0))).server().name, "b");
}

#[test]
fn designated_servers() {
    let be =
        backend("roundrobin", vec![srv("a", |_| ()), srv("b", |_| ()), srv("z", |o| o.weight = Some(0))]);
    let at = |forced, prefer, avoid| {
        let opts = AssignOpts { forced, prefer, avoid, ..AssignOpts::default() };
        ready(be.assign(&Ctx::EMPTY, &opts)).server().name.to_string()
    };
    let f = |server, even_down| Some(Forced { server, even_down });
    assert_eq!(at(f(1, false), None, None), "b");
    assert_eq!(at(f(2, false), None, None), "z", "weight 0 still serves who is bound to it");
    assert_eq!(at(None, Some(0), None), "a");
    assert_eq!(at(None, Some(1), None), "b");
    assert_ne!(at(None, Some(2), None), "z");
    assert_eq!(at(None, Some(1), Some(1)), "a");
    be.set_oper(1, Oper::Down, Cause::Cli, 2);
    assert_eq!(at(f(1, false), None, None), "a");
    assert_eq!(at(f(1, true), None, None), "b");
    assert_eq!(at(None, Some(1), None), "a");
    assert_eq!(at(None, None, Some(0)), "a", "nobody else is left");
}

#[test]
fn losing_servers_tells_waiters() {
    let conf = |redispatch| {
        let mut p =
            proxy("roundrobin", vec![srv("a", |o| o.maxconn = Some(1)), srv("b", |o| o.maxconn = Some(1))]);
        p.redispatch = redispatch;
        try_backend(&p, Arc::new(NoEvents)).0
    };
    for (redispatch, admin) in [(-1, false), (0, false), (0, true)] {
        let be = conf(redispatch);
        let (_a, _b) = (ready(assign(&be)), ready(assign(&be)));
        let (mut any, mut own) = (queued(assign(&be)), queued(be.assign(&Ctx::EMPTY, &forced(0))));
        if admin {
            be.set_admin(0, Admin::FMAINT, Admin::NONE, 2);
        } else {
            be.set_oper(0, Oper::Down, Cause::Cli, 2);
        }
        assert_eq!(matches!(grant(&mut own), Some(Granted::Requeue)), redispatch != 0 || admin);
        assert!(grant(&mut any).is_none());
        be.set_oper(1, Oper::Down, Cause::Cli, 3);
        assert!(matches!(grant(&mut any), Some(Granted::NoServer)));
        assert!(matches!(assign(&be), Assignment::NoServer));
    }
}

#[test]
fn a_server_that_comes_up_serves_the_queue() {
    let be =
        backend("roundrobin", vec![srv("a", |o| o.maxconn = Some(1)), srv("b", |o| o.maxconn = Some(2))]);
    be.set_oper(1, Oper::Down, Cause::Cli, 2);
    let _a = ready(assign(&be));
    let mut waiters: Vec<_> = (0..3).map(|_| queued(assign(&be))).collect();
    be.set_oper(1, Oper::Up, Cause::Cli, 3);
    let granted: Vec<_> = waiters.iter_mut().map(grant).collect();
    assert_eq!(granted.iter().map(Option::is_some).collect::<Vec<_>>(), [true, true, false]);
    be.set_maxconn(1, 3);
    assert!(matches!(grant(&mut waiters[2]), Some(Granted::Slot(_))));
}

#[test]
fn minconn_ramps_with_the_backend() {
    let be = backend("roundrobin", vec![srv("a", |o| (o.minconn, o.maxconn) = (Some(1), Some(10)))]);
    let _g: Vec<_> = (0..2).map(|_| be.begin(0, 1)).collect();
    let _slots: Vec<_> = (0..2).map(|_| ready(assign(&be))).collect();
    let mut first = queued(assign(&be));
    // fullconn is 10: each further connection on the backend is one more place, for the oldest waiter.
    let _more = be.begin(0, 1);
    let mut second = queued(assign(&be));
    let granted = grant(&mut first);
    assert!(matches!(granted, Some(Granted::Slot(_))));
    assert!(grant(&mut second).is_none());
}

#[test]
fn events_use_the_known_words() {
    let recorder = Arc::new(Recorder::default());
    let servers = vec![srv("s1", |_| ()), srv("s2", |_| ()), srv("b1", |o| o.backup = true)];
    let (be, _) = try_backend(&proxy("", servers), recorder.clone());
    let check = |idx, to, cause| _ = be.set_oper(idx, to, cause, 9);
    let steps: [(&dyn Fn(), &[&str]); _] = [
        (
            &|| check(0, Oper::Down, Cause::Check("")),
            &[
                "Alert Server be/s1 is DOWN. 1 active and 1 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.",
            ],
        ),
        (
            &|| check(1, Oper::Down, Cause::Check("Layer4 timeout, check duration: 3ms")),
            &[
                "Alert Server be/s2 is DOWN, reason: Layer4 timeout, check duration: 3ms. 0 active and 1 backup servers left. Running on backup. 0 sessions active, 0 requeued, 0 remaining in queue.",
            ],
        ),
        (
            &|| check(2, Oper::Down, Cause::Cli),
            &[
                "Alert Backup Server be/b1 is DOWN, changed from CLI. 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.",
                "Emerg backend be has no server available!",
            ],
        ),
        (&|| check(2, Oper::Down, Cause::Cli), &[]),
        (
            &|| check(0, Oper::Up, Cause::Check("")),
            &[
                "Notice Server be/s1 is UP. 1 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.",
            ],
        ),
        (
            &|| _ = be.set_admin(0, Admin::FMAINT, Admin::NONE, 9),
            &[
                "Alert Server be/s1 is going DOWN for maintenance. 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.",
                "Emerg backend be has no server available!",
            ],
        ),
        (
            &|| _ = be.set_admin(0, Admin::NONE, Admin::FMAINT, 9),
            &["Notice Server be/s1 is UP/READY (leaving forced maintenance)."],
        ),
        (&|| check(1, Oper::Up, Cause::Silent), &[]),
        (
            &|| _ = be.set_admin(1, Admin::FDRAIN, Admin::NONE, 9),
            &[
                "Notice Server be/s2 enters drain state. 1 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.",
            ],
        ),
        (
            &|| _ = be.set_admin(1, Admin::NONE, Admin::FDRAIN, 9),
            &["Notice Server be/s2 is UP (leaving forced drain)."],
        ),
        (
            &|| check(0, Oper::Stopping, Cause::Cli),
            &[
                "Notice Server be/s1 is stopping, changed from CLI. 1 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.",
            ],
        ),
        (
            &|| check(0, Oper::Down, Cause::Cli),
            &[
                "Alert Server be/s1 is DOWN, changed from CLI. 1 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.",
            ],
        ),
        (
            &|| _ = be.set_admin(0, Admin::FDRAIN, Admin::NONE, 9),
            &[
                "Notice Server be/s1 enters drain state. 1 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.",
            ],
        ),
        (
            &|| _ = be.set_admin(0, Admin::FMAINT, Admin::FDRAIN, 9),
            &["Notice Server be/s1 was DOWN and now enters maintenance."],
        ),
        (&|| check(0, Oper::Up, Cause::Check("")), &[]),
        (
            &|| _ = be.set_admin(0, Admin::FDRAIN, Admin::FMAINT, 9),
            &[
                "Notice Server be/s1 is UP/DRAIN (leaving forced maintenance).",
                "Notice Server be/s1 remains in forced drain mode.",
            ],
        ),
        (&|| be.set_weight(1, 0, 9), &["Emerg backend be has no server available!"]),
    ];
    for (i, (step, want)) in steps.into_iter().enumerate() {
        step();
        assert_eq!(recorder.take(), *want, "step {i}");
    }
}

#[test]
fn sessions_end_when_servers_change() {
    let rare = |f: fn(&mut model::RareServerOpts)| move |o: &mut ServerOpts| f(o.rare_mut());
    let backup = srv("b", |o| o.backup = true);
    let up = srv("u", rare(|o| o.on_marked_up = Some("shutdown-backup-sessions".into())));
    let down = srv("d", rare(|o| o.on_marked_down = Some("shutdown-sessions".into())));
    let be = backend("", vec![up, down, backup]);
    let ended = |server: usize, step: &dyn Fn()| {
        let mut end = std::pin::pin!(be.servers[server].session_end()?);
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(end.as_mut().poll(&mut cx).is_pending());
        step();
        match end.as_mut().poll(&mut cx) {
            std::task::Poll::Ready(cause) => Some(Some(cause)),
            std::task::Poll::Pending => Some(None),
        }
    };
    let set = |i, to| _ = be.set_oper(i, to, Cause::Cli, 2);
    assert_eq!(ended(0, &|| ()), None);
    assert_eq!(ended(1, &|| set(0, Oper::Down)), Some(None));
    assert_eq!(ended(2, &|| set(1, Oper::Down)), Some(None));
    assert_eq!(ended(2, &|| set(0, Oper::Up)), Some(Some(EndCause::Up)));
    assert_eq!(ended(2, &|| set(1, Oper::Up)), Some(None));
    let maintain = || _ = be.set_admin(1, Admin::FMAINT, Admin::NONE, 2);
    assert_eq!(ended(1, &maintain), Some(Some(EndCause::Down)));
    assert_eq!(ended(1, &|| be.servers[1].end_sessions(EndCause::Killed)), Some(Some(EndCause::Killed)));
}

#[test]
fn slow_start_ramps() {
    let be = backend(
        "roundrobin",
        vec![
            srv("a", |_| ()),
            srv("b", |o| (o.slowstart, o.maxconn, o.weight) = (Some(10_000), Some(100), Some(10))),
        ],
    );
    let b = &be.servers[1];
    let state = |b: &Server| (b.throttle(), be.limit(b), b.effective_weight());
    assert_eq!(state(b), (None, Some(100), 160), "never at start");
    be.set_oper(1, Oper::Down, Cause::Cli, 1000);
    be.set_oper(1, Oper::Up, Cause::Cli, 2000);
    // (now, throttle, limit, weight, goes on)
    let cases = [
        (2000, Some(1), Some(1), 2, true),
        (2500, Some(5), Some(5), 8, true),
        (7000, Some(50), Some(50), 80, true),
        (11_990, Some(99), Some(99), 159, true),
        (12_000, None, Some(100), 160, false),
    ];
    for (now, throttle, limit, weight, goes_on) in cases {
        assert_eq!(be.advance_slowstart(now), goes_on, "{now}");
        assert_eq!(state(b), (throttle, limit, weight), "{now}");
    }
    assert_eq!(b.state().oper, Oper::Up);
}

#[test]
fn trackers_follow() {
    let recorder = Arc::new(Recorder::default());
    let track = |o: &mut ServerOpts| o.rare_mut().track = Some((Default::default(), "s1".into()));
    let (be, _) = try_backend(&proxy("", vec![srv("s1", |_| ()), srv("t1", track)]), recorder.clone());
    compile::link_tracking(std::slice::from_ref(&be), 1);
    let down = "0 sessions active, 0 requeued, 0 remaining in queue.";
    type Step<'a> = (&'a dyn Fn(), &'a [String], Oper);
    let steps: [Step<'_>; _] = [
        (&|| _ = be.set_oper(0, Oper::Down, Cause::Cli, 9), &[
            format!("Alert Server be/s1 is DOWN, changed from CLI. 1 active and 0 backup servers left. {down}"),
            format!("Alert Server be/t1 is DOWN via be/s1. 0 active and 0 backup servers left. {down}"),
            "Emerg backend be has no server available!".into(),
        ], Oper::Down),
        (&|| _ = be.set_oper(0, Oper::Up, Cause::Cli, 9), &[
            "Notice Server be/s1 is UP, changed from CLI. 1 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.".into(),
            "Notice Server be/t1 is UP via be/s1. 2 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.".into(),
        ], Oper::Up),
        (&|| _ = be.set_admin(0, Admin::FMAINT, Admin::NONE, 9), &[
            format!("Alert Server be/s1 is going DOWN for maintenance. 1 active and 0 backup servers left. {down}"),
            format!("Alert Server be/t1 is going DOWN for maintenance via be/s1. 0 active and 0 backup servers left. {down}"),
            "Emerg backend be has no server available!".into(),
        ], Oper::Up),
        (&|| _ = be.set_admin(0, Admin::NONE, Admin::FMAINT, 9), &[
            "Notice Server be/s1 is UP/READY (leaving forced maintenance).".into(),
            "Notice Server be/t1 is UP/READY (leaving maintenance).".into(),
        ], Oper::Up),
    ];
    for (step, want, oper) in steps {
        step();
        assert_eq!(recorder.take(), want);
        assert_eq!(be.servers[1].state().oper, oper);
    }
    let word = || be.servers[1].status_word(Some("be/s1"));
    assert_eq!(word(), "no check");
    *be.servers[0].check.lock() =
        CheckView { enabled: true, health: 2, rise: 2, fall: 3, ..CheckView::default() };
    assert_eq!(word(), "UP 1/3", "that of the server that it follows");
    be.set_admin(0, Admin::FMAINT, Admin::NONE, 9);
    assert_eq!(be.servers[0].check.lock().health, 0);
    be.set_admin(0, Admin::NONE, Admin::FMAINT, 9);
    assert_eq!(be.servers[0].check.lock().health, 2);
}

#[test]
fn trackers_start_in_the_maintenance_of_their_server() {
    let recorder = Arc::new(Recorder::default());
    let track = |of: &'static str| {
        move |o: &mut ServerOpts| o.rare_mut().track = Some((Default::default(), of.into()))
    };
    // The tracker of a tracker stands first, so that the order does not matter.
    let servers = vec![srv("t2", track("t1")), srv("t1", track("s1")), srv("s1", |o| o.disabled = true)];
    let (be, _) = try_backend(&proxy("", servers), recorder.clone());
    compile::link_tracking(std::slice::from_ref(&be), 1);
    let maint = || be.servers.iter().map(|s| s.state().admin.any(Admin::MAINT)).collect::<Vec<_>>();
    assert_eq!((maint(), be.usable_servers()), (vec![true; 3], 0));
    assert_eq!(recorder.take(), [""; 0], "nobody needs to be told");
    be.set_admin(2, Admin::NONE, Admin::FMAINT.with(Admin::CMAINT), 9);
    assert_eq!((maint(), be.usable_servers()), (vec![false; 3], 3));
}

#[test]
fn init_states() {
    let with = |state: &'static str, check| {
        move |o: &mut ServerOpts| {
            o.check = check;
            o.rare_mut().init_state = Some(state.into());
        }
    };
    let cases = [
        ("none", true, 1),
        ("up", true, 1),
        ("fully-up", true, 1),
        ("down", true, 0),
        ("fully-down", true, 0),
        ("down", false, 1),
    ];
    for (state, check, usable) in cases {
        let be = backend("", vec![srv("a", with(state, check))]);
        assert_eq!(be.usable_servers(), usable, "{state}");
        be.set_admin(0, Admin::FMAINT, Admin::NONE, 2);
        be.set_admin(0, Admin::NONE, Admin::FMAINT, 2);
        assert_eq!(be.usable_servers(), usable, "{state} after maintenance");
    }
}

#[test]
fn unresolved_servers() {
    let named = |name: &str, init: Option<&str>| {
        let mut s = srv("s1", |o| o.rare_mut().init_addr = init.map(str::to_owned));
        s.addr.kind = AddrKind::Name(name.into(), 8080);
        s
    };
    // (name, init-addr, address or alert)
    let cases = [
        ("ip-192.0.2.9", None, Ok("192.0.2.9:8080")),
        ("nowhere", None, Err("'server be/s1' : could not resolve address 'nowhere'.")),
        ("nowhere", Some("last,libc,none"), Ok("")),
        ("nowhere", Some("libc,192.0.2.7"), Ok("192.0.2.7:8080")),
        ("ip-192.0.2.9", Some("192.0.2.7,libc"), Ok("192.0.2.7:8080")),
    ];
    for (name, init, want) in cases {
        let (be, diags) = try_backend(&proxy("", vec![named(name, init)]), Arc::new(NoEvents));
        let s = &be.servers[0];
        match want {
            Ok("") => {
                assert_eq!((s.status_word(None).as_str(), be.usable_servers()), ("MAINT (resolution)", 0))
            }
            Ok(addr) => assert_eq!(s.addr.load().target(1), hawser_proto::Address::Ip(addr.parse().unwrap())),
            Err(text) => assert_eq!(diags.list.iter().map(|d| &*d.text).collect::<Vec<_>>(), [text]),
        }
        assert_eq!(diags.has_alert(), want.is_err());
    }
}

#[test]
fn ids_skip_those_that_are_taken() {
    let be = backend(
        "",
        vec![
            srv("a", |_| ()),
            srv("b", |o| o.id = Some(2)),
            srv("c", |_| ()),
            srv("d", |o| o.id = Some(1000)),
        ],
    );
    assert_eq!(be.servers.iter().map(|s| s.id).collect::<Vec<_>>(), [1, 2, 3, 1000]);
}
