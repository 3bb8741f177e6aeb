use crate::testing::{World, message};
use crate::txn::{Verdict, WaitFor};

#[test]
fn final_actions_end_the_rule_set() {
    type Is = fn(&Verdict) -> bool;
    let cases: &[(&str, Is)] = &[
        ("tcp-request connection accept", |v| matches!(v, Verdict::Allow)),
        ("tcp-request session reject", |v| matches!(v, Verdict::Reject)),
        ("tcp-request content reject", |v| matches!(v, Verdict::Reject)),
        ("tcp-response content close", |v| matches!(v, Verdict::CloseServer)),
        ("tcp-request content switch-mode http", |v| matches!(v, Verdict::SwitchHttp { proto: None })),
        ("tcp-request content switch-mode http proto h1", |v| {
            matches!(v, Verdict::SwitchHttp { proto: Some("h1") })
        }),
        ("tcp-request content switch-mode http proto h2", |v| {
            matches!(v, Verdict::SwitchHttp { proto: Some("h2") })
        }),
        ("http-request allow", |v| matches!(v, Verdict::Allow)),
        ("http-request reject", |v| matches!(v, Verdict::Reject)),
        ("http-request silent-drop", |v| matches!(v, Verdict::SilentDrop { rst_ttl: None })),
        ("http-response silent-drop rst-ttl 9", |v| matches!(v, Verdict::SilentDrop { rst_ttl: Some(9) })),
        ("http-request pause 2s", |v| matches!(v, Verdict::Wait { until: WaitFor::Pause(2000), .. })),
        ("http-request pause int(30)", |v| matches!(v, Verdict::Wait { until: WaitFor::Pause(30), .. })),
        ("http-request pause int(0)", |v| matches!(v, Verdict::Continue)),
        ("http-request wait-for-body time 1s", |v| {
            matches!(v, Verdict::Wait { until: WaitFor::Body(1000, 0), .. })
        }),
        ("http-request wait-for-body time 10 at-least 1k", |v| {
            matches!(v, Verdict::Wait { until: WaitFor::Body(10, 1024), .. })
        }),
        ("http-request wait-for-handshake", |v| matches!(v, Verdict::Continue)),
        ("http-request set-nice 5", |v| matches!(v, Verdict::Continue)),
    ];
    for (rule, is) in cases {
        let v = World::default().run(&[rule]);
        assert!(is(&v), "{rule}: {v:?}");
    }
}

#[test]
fn what_is_asked_of_the_connection_is_left_there() {
    let mut w = World::default();
    w.run(&["http-request disable-l7-retry"]);
    assert!(w.asks.no_l7_retry);
}

#[test]
fn conditions_that_cannot_tell_yet_wait() {
    for (partial, wait) in [(true, true), (false, false)] {
        let mut w = World::default();
        w.partial = partial;
        let v =
            w.run(&["tcp-request content set-var(txn.x) int(1)", "tcp-request content accept if WAIT_END"]);
        match v {
            Verdict::Wait { rule: 0, until: WaitFor::Input } => assert!(wait),
            Verdict::Allow => assert!(!wait),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn arguments_are_checked() {
    for (rule, text) in [
        ("strict-mode", "expects exactly 1 arguments"),
        ("strict-mode foo", "Unexpected value 'foo'. Only 'on' and 'off' are supported"),
        ("silent-drop rst-ttl", "missing rst-ttl value"),
        ("silent-drop rst-ttl 0", "valid rst-ttl values are [1-255]"),
        ("silent-drop rst-ttl 256", "valid rst-ttl values are [1-255]"),
        ("set-nice", "expects exactly 1 argument (integer value)"),
        ("pause foo", "unexpected character 'f' in rule 'pause'"),
        ("pause 0", "null value is not valid for a 'pause' rule"),
        (
            "pause 100d",
            "timer overflow in argument '100d' to rule 'pause' (maximum value is 2147483647 ms or ~24.8 days)",
        ),
        ("wait-for-body", "expects time <time> [ at-least <bytes> ]"),
        ("wait-for-body time", "missing argument for 'time'"),
        ("wait-for-body time abc", "unexpected character 'a'"),
        ("wait-for-body time 1s at-least", "missing argument for 'at-least'"),
        ("wait-for-body time 1s at-least abc", "unexpected character 'a'"),
        ("wait-for-body time 1s use-large-buffer", "'use-large-buffer' is not supported yet (large buffers)"),
    ] {
        let name = rule.split(' ').next().unwrap_or_default();
        let want = format!("!error detected in proxy 'p' while parsing 'http-request {name}' rule : {text}.");
        assert_eq!(message(&format!("http-request {rule}")), want);
    }
    for (rule, text) in [
        ("content switch-mode", "'tcp-request switch-mode' expects a mode as argument."),
        ("content switch-mode tcp", "'tcp-request switch-mode' expects a valid mode (got 'tcp')."),
        (
            "content switch-mode http proto x",
            "'tcp-request switch-mode': 'proto' expects a valid MUX protocol, if specified (got 'x')",
        ),
    ] {
        assert_eq!(message(&format!("tcp-request {rule}")), format!("!{text}"));
    }
}
