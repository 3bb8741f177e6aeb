//! From results to states and lines, and the driver against real sockets.

use super::*;
use crate::probe::tests::backend;
use crate::script::tests::proxy;
use hawser_balance::resolve::Resolver;
use hawser_balance::{CompileEnv, EventSink, Observation, time};
use hawser_cfg::model::{self, Addr, AddrKind, ServerOpts};
use hawser_sample::facts::ProxyFacts;
use std::rc::Rc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::LocalSet;

#[derive(Default)]
struct Recorder(Mutex<Vec<String>>);

impl EventSink for Recorder {
    fn event(&self, e: &hawser_balance::event::Event<'_>) {
        self.0.lock().push(format!("{:?} {}", e.level, e.text));
    }
}

impl Recorder {
    /// Lines so far, durations cut out.
    fn take(&self) -> Vec<String> {
        let lines = std::mem::take(&mut *self.0.lock());
        lines.into_iter().map(|l| cut_duration(&l)).collect()
    }
}

fn cut_duration(line: &str) -> String {
    let Some((before, after)) = line.split_once(", check duration: ") else { return line.into() };
    let rest = after.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches("ms");
    format!("{before}{rest}")
}

/// One backend `be` with one checked server at `addr`.
fn world(
    addr: AddrKind,
    logs: bool,
    f: impl FnOnce(&mut ServerOpts),
) -> (Checks, Arc<Backend>, Arc<Recorder>) {
    let mut opts = ServerOpts::default();
    opts.check = true;
    f(&mut opts);
    let addr = Addr {
        kind: addr,
        port_offset: None,
        port_missing: false,
        port_high: 0,
        dgram: false,
        text: "".into(),
    };
    let mut p = proxy("", &[]);
    p.options.set = if logs { opt::LOG_HEALTH_CHECKS } else { 0 };
    p.servers = vec![model::Server { pos: Default::default(), name: "s1".into(), addr, opts }];
    let mut config = Config::default();
    let recorder = Arc::new(Recorder::default());
    let env = CompileEnv {
        config: &Config::default(),
        facts: Arc::new(ProxyFacts { name: "be".into(), ..ProxyFacts::default() }),
        threads: 1,
        default_fullconn: 1,
        resolver: &Resolver::libc(false),
        states: None,
        events: recorder.clone(),
        now: time::now(),
    };
    let mut diags = Diags::default();
    let be = hawser_balance::compile(&p, &env, &mut diags);
    config.proxies.push(p);
    let checks = compile(
        &config,
        |_| Some(be.clone()),
        &CheckEnv { node: "here".into(), h2: None, h1: None },
        &mut diags,
    );
    assert!(diags.list.is_empty(), "{:?}", diags.list);
    (checks, be, recorder)
}

fn nowhere() -> AddrKind {
    AddrKind::Ip(([127, 0, 0, 1], 1).into())
}

fn outcome(status: Status, info: &str) -> Outcome {
    Outcome { status, code: None, info: info.into(), duration: 3 }
}

const DOWN_TAIL: &str =
    "0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.";
const UP_TAIL: &str = "1 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.";

#[test]
fn lines_are_haproxys() {
    let (ok, bad) = (outcome(Status::L4Ok, ""), outcome(Status::L4Con, "why"));
    let bad_reason = "reason: Layer4 connection problem, info: \"why\"";
    let run = |logs| {
        let (checks, be, recorder) = world(nowhere(), logs, |o| (o.rise, o.fall) = (Some(2), Some(2)));
        for o in [&ok, &ok, &ok, &bad, &bad, &bad, &ok, &ok] {
            checks.list[0].finish(o, 5);
        }
        be.set_admin(0, Admin::FMAINT, Admin::NONE, 6);
        checks.list[0].finish(&bad, 6);
        be.set_admin(0, Admin::NONE, Admin::FMAINT, 6);
        checks.list[0].finish(&bad, 7);
        recorder.take()
    };
    let failed =
        |status| format!("Notice Health check for server be/s1 failed, {bad_reason}, status: {status}.");
    let passed = |status| {
        format!(
            "Notice Health check for server be/s1 succeeded, reason: Layer4 check passed, status: {status}."
        )
    };
    let none = "Emerg backend be has no server available!".to_owned();
    let admin = [
        format!("Alert Server be/s1 is going DOWN for maintenance. {DOWN_TAIL}"),
        none.clone(),
        "Notice Server be/s1 is UP/READY (leaving forced maintenance).".into(),
    ];
    let [maint, empty, ready] = admin;
    let plain = [
        format!("Alert Server be/s1 is DOWN, {bad_reason}. {DOWN_TAIL}"),
        none.clone(),
        format!("Notice Server be/s1 is UP, reason: Layer4 check passed. {UP_TAIL}"),
        maint.clone(),
        empty.clone(),
        ready.clone(),
        format!("Alert Server be/s1 is DOWN, {bad_reason}. {DOWN_TAIL}"),
        none.clone(),
    ];
    assert_eq!(run(false), plain);
    let logged = [
        passed("1/2 DOWN"),
        passed("2/2 UP"),
        failed("1/2 UP"),
        failed("0/2 DOWN"),
        format!("Alert Server be/s1 is DOWN. {DOWN_TAIL}"),
        none.clone(),
        passed("1/2 DOWN"),
        passed("2/2 UP"),
        format!("Notice Server be/s1 is UP. {UP_TAIL}"),
        maint,
        empty,
        ready,
        failed("0/2 DOWN"),
        format!("Alert Server be/s1 is DOWN. {DOWN_TAIL}"),
        none,
    ];
    assert_eq!(run(true), logged);
}

#[test]
fn statistics_follow() {
    let (checks, be, _) = world(nowhere(), false, |o| (o.rise, o.fall) = (Some(1), Some(2)));
    let view = || be.servers[0].check.lock().clone();
    assert_eq!((view().enabled, view().status, view().duration), (true, "INI", None));
    for status in [Status::L4Ok, Status::L7Sts, Status::L7Sts, Status::L7Sts] {
        let o = Outcome { status, code: Some(500), info: "Oops".into(), duration: 3 };
        checks.list[0].finish(&o, 5);
    }
    let v = view();
    assert_eq!((v.status, v.desc, v.code, v.last.as_str()), ("L7STS", "Layer7 wrong status", 500, "Oops"));
    assert_eq!((v.health, v.rise, v.fall, v.failed, v.duration), (0, 1, 2, 2, Some(3)));
    assert_eq!(be.servers[0].status_word(None), "DOWN");
}

#[test]
fn traffic_can_take_a_server_down() {
    // (on-error, status of the check after each pair of errors)
    let hana = "reason: Health analyze, info: \"Detected 2 consecutive errors, last one was: L4 unsuccessful connection\"";
    let cases: &[(&str, &[&str])] = &[
        ("fastinter", &[]),
        ("fail-check", &["2/3 UP", "1/3 UP", "0/2 DOWN"]),
        ("sudden-death", &["1/3 UP", "0/2 DOWN"]),
        ("mark-down", &["0/2 DOWN"]),
    ];
    for (on_error, want) in cases {
        let (mut checks, be, recorder) = world(nowhere(), true, |o| {
            (o.rise, o.fall, o.fastinter) = (Some(2), Some(3), Some(300));
            let rare = o.rare_mut();
            rare.observe = Some("layer4".into());
            rare.on_error = Some((*on_error).into());
            rare.error_limit = Some(2);
        });
        (0..2).for_each(|_| checks.list[0].finish(&outcome(Status::L4Ok, ""), 5));
        recorder.take();
        let s = &be.servers[0];
        let report = |what| s.report(what, 10);
        // An error now and then does not count.
        for what in [Observation::L4Err, Observation::L4Ok, Observation::L4Err, Observation::L4Ok] {
            report(what);
        }
        assert_eq!(recorder.take(), [] as [&str; 0]);
        (0..6).for_each(|_| report(Observation::L4Err));
        let lines = recorder.take();
        let health: Vec<&String> = lines.iter().filter(|l| l.contains("Health check")).collect();
        let expected: Vec<String> = want
            .iter()
            .map(|w| format!("Notice Health check for server be/s1 failed, {hana}, status: {w}."))
            .collect();
        assert_eq!(health, expected.iter().collect::<Vec<_>>(), "{on_error}");
        assert_eq!(lines.iter().any(|l| l.contains("is DOWN.")), !want.is_empty(), "{on_error}");
        assert_eq!(checks.wakes.try_recv().map(|w| (w.check, w.at)).ok(), Some((0, 310)), "{on_error}");
    }
}

#[test]
fn state_headers() {
    let (checks, be, _) = world(nowhere(), false, |o| o.weight = Some(3));
    let Job::Health(check) = &checks.list[0] else { panic!() };
    let header = || check.state_header(&be.servers[0]);
    assert_eq!(
        header(),
        "UP -1/3; address=127.0.0.1; port=1; name=be/s1; node=here; weight=3/3; scur=0/0; qcur=0"
    );
    checks.list[0].finish(&outcome(Status::L4Con, ""), 5);
    checks.list[0].finish(&outcome(Status::L4Ok, ""), 5);
    assert!(header().starts_with("DOWN 1/2; "), "{}", header());
}

#[test]
fn settings() {
    let t = |check, connect| model::Timeouts { check, connect, ..Default::default() };
    let of = |f: fn(&mut ServerOpts), t| Settings::new(&backend(nowhere(), f).servers[0], &t);
    let d = of(|_| (), t(None, Some(500)));
    assert_eq!((d.inter, d.fastinter, d.downinter, d.rise, d.fall), (2000, 2000, 2000, 2, 3));
    assert_eq!((d.connect_timeout, d.read_timeout), (2000, None));
    let s = of(
        |o| (o.inter, o.fastinter, o.downinter) = (Some(700), Some(50), Some(9000)),
        t(Some(300), Some(500)),
    );
    assert_eq!((s.inter, s.fastinter, s.downinter), (700, 50, 9000));
    assert_eq!((s.connect_timeout, s.read_timeout), (500, Some(300)));
    assert_eq!(of(|o| o.inter = Some(200), t(Some(300), Some(500))).connect_timeout, 200);
    let proxy = |f| of(f, t(None, None)).send_proxy;
    assert_eq!(proxy(|o| o.send_proxy = true), 1);
    assert_eq!(proxy(|o| o.send_proxy_v2 = true), 2);
    assert_eq!(proxy(|o| (o.send_proxy, o.check_port) = (true, Some(81))), 0);
    assert_eq!(proxy(|o| (o.check_send_proxy, o.check_port) = (true, Some(81))), 1);
}

#[test]
fn targets() {
    let be = backend(nowhere(), |o| o.check_port = Some(81));
    let s = Settings::new(&be.servers[0], &Default::default());
    let at = |ip: Option<&str>, port| match s.target(&be.servers[0], ip.map(|a| a.parse().unwrap()), port) {
        hawser_proto::Address::Ip(a) => a.to_string(),
        other => format!("{other:?}"),
    };
    assert_eq!(at(None, None), "127.0.0.1:81");
    assert_eq!(at(None, Some(82)), "127.0.0.1:82");
    assert_eq!(at(Some("192.0.2.1"), None), "192.0.2.1:81");
}

/// Waits until the recorder has as many lines.
async fn lines(recorder: &Recorder, n: usize) -> Vec<String> {
    for _ in 0..500 {
        if recorder.0.lock().len() >= n {
            return recorder.take();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("only {:?}", recorder.take());
}

#[test]
fn the_driver_follows_a_server() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (checks, be, recorder) = world(AddrKind::Ip(addr), true, |o| {
            (o.inter, o.rise, o.fall, o.slowstart) = (Some(20), Some(2), Some(1), Some(60));
        });
        assert_eq!((checks.len(), checks.is_empty()), (1, false));
        let driver = tokio::task::spawn_local(checks.run(Rc::new(NoPool)));
        let ok = |s| {
            format!(
                "Notice Health check for server be/s1 succeeded, reason: Layer4 check passed, status: {s}."
            )
        };
        assert_eq!(lines(&recorder, 2).await, [ok("1/2 DOWN"), ok("1/1 UP")]);
        drop(listener);
        let down = lines(&recorder, 3).await;
        assert!(down[0].contains("failed, reason: Layer4 connection problem"), "{down:?}");
        assert_eq!(
            down[1..],
            [
                format!("Alert Server be/s1 is DOWN. {DOWN_TAIL}"),
                "Emerg backend be has no server available!".into()
            ]
        );
        let _again = TcpListener::bind(addr).await.unwrap();
        let up = [ok("1/2 DOWN"), ok("1/1 UP"), format!("Notice Server be/s1 is UP. {UP_TAIL}")];
        assert_eq!(lines(&recorder, 3).await, up);
        for _ in 0..200 {
            if be.servers[0].throttle().is_none() {
                driver.abort();
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("slow start never ended");
    });
}
