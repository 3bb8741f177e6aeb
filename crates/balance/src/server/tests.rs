//! Limits, addresses and status words.

use super::*;

fn server(minconn: u32, maxconn: u32) -> Server {
    let conf = crate::tests::srv("s", |o| (o.minconn, o.maxconn) = (Some(minconn), Some(maxconn)));
    Server::new(&conf, 0, 1, ServerAddr::default(), false, Counters::new(1))
}

#[test]
fn dynamic_limit() {
    // (minconn, maxconn, be_conn, fullconn, throttle, limit)
    let cases = [
        (0, 0, 5, 100, 0, None),
        (0, 10, 5, 100, 0, Some(10)),
        (100, 1000, 0, 10_000, 0, Some(100)),
        (100, 1000, 900, 10_000, 0, Some(100)),
        (100, 1000, 5_000, 10_000, 0, Some(500)),
        (100, 1000, 9_999, 10_000, 0, Some(999)),
        (100, 1000, 10_000, 10_000, 0, Some(1000)),
        (100, 1000, 99_999, 10_000, 0, Some(1000)),
        (5, 0, 0, 100, 0, Some(5)),
        (7, 3, 0, 100, 0, Some(7)),
        (0, 100, 0, 100, 25, Some(25)),
        (0, 10, 0, 100, 1, Some(1)),
        (10, 100, 1000, 100, 50, Some(50)),
        (0, 10, 0, 0, 0, Some(10)),
        (2, 10, 0, 0, 0, Some(10)),
    ];
    for (minconn, maxconn, be, full, throttle, want) in cases {
        let s = server(minconn, maxconn);
        s.set_throttle(throttle);
        assert_eq!(s.limit(be, full), want, "min {minconn} max {maxconn} be {be}/{full} throttle {throttle}");
    }
}

#[test]
fn taking_stops_at_the_limit() {
    let s = server(0, 2);
    assert!(s.try_take(s.limit(0, 1)) && s.try_take(s.limit(0, 1)));
    assert!(!s.try_take(s.limit(0, 1)));
    assert_eq!((s.served(), s.served_max()), (2, 2));
}

#[test]
fn ports_of_targets() {
    let at = |addr: &str| Address::Ip(addr.parse().unwrap());
    let base = ServerAddr { addr: at("192.0.2.1:80"), ..ServerAddr::default() };
    let cases = [
        (base.clone(), "192.0.2.1:80"),
        (ServerAddr { port_missing: true, ..base.clone() }, "192.0.2.1:8080"),
        (ServerAddr { port_offset: Some(1000), ..base.clone() }, "192.0.2.1:9080"),
        (ServerAddr { port_offset: Some(-8081), ..base.clone() }, "192.0.2.1:65535"),
    ];
    for (addr, want) in cases {
        assert_eq!(addr.target(8080), at(want), "{addr:?}");
    }
}

#[test]
fn status_words() {
    let up = |health: u32| (Oper::Up, Admin::NONE, true, health);
    // rise 2, fall 3: health from 0 to 4, up from 2.
    let cases = [
        (up(4), None, "UP"),
        (up(3), None, "UP 2/3"),
        (up(2), None, "UP 1/3"),
        ((Oper::Up, Admin::NONE, false, 0), None, "no check"),
        ((Oper::Down, Admin::NONE, true, 0), None, "DOWN"),
        ((Oper::Down, Admin::NONE, true, 1), None, "DOWN 1/2"),
        // Not checked yet, once checked.
        ((Oper::Up, Admin::NONE, true, 0), None, "UP -1/3"),
        ((Oper::Up, Admin::NONE, true, 1), None, "UP 0/3"),
        ((Oper::Stopping, Admin::NONE, true, 4), None, "NOLB"),
        ((Oper::Stopping, Admin::NONE, false, 0), None, "NOLB"),
        ((Oper::Up, Admin::FDRAIN, true, 4), None, "DRAIN"),
        ((Oper::Up, Admin::FMAINT, true, 4), None, "MAINT"),
        ((Oper::Down, Admin::IMAINT, true, 4), Some("b/s"), "MAINT (via b/s)"),
        ((Oper::Up, Admin::RMAINT, true, 4), None, "MAINT (resolution)"),
    ];
    for ((oper, admin, enabled, health), tracked, want) in cases {
        let s = server(0, 0);
        s.oper.store(oper as u8, Relaxed);
        s.admin.store(admin.0, Relaxed);
        *s.check.lock() = CheckView { enabled, health, rise: 2, fall: 3, ..CheckView::default() };
        assert_eq!(s.status_word(tracked), want);
    }
}
