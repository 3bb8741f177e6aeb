use crate::testing::{World, compile, config, message};
use hawser_cfg::model::ProxyKind;
use hawser_sample::facts::LogLevel;

#[test]
fn settings_go_to_the_stream_or_to_the_session() {
    let mut w = World::default();
    w.run(&["http-request set-log-level silent"]);
    assert_eq!(w.strm.log_level, Some(LogLevel::Silent));
    w.run(&["http-response set-log-level err"]);
    assert_eq!(w.strm.log_level, Some(LogLevel::Level(3)));
    w.run(&["http-request set-timeout server 2s", "http-request set-timeout client int(70)"]);
    w.run(&["http-request set-timeout tunnel int(0)", "http-request set-timeout queue str(x)"]);
    let t = w.strm.set_timeouts;
    assert_eq!((t.server, t.client, t.tunnel, t.queue), (Some(2000), Some(70), None, None));
    w.run(&["tcp-request content set-priority-class int(-9999)", "http-request set-retries 7"]);
    w.run(&["http-request set-priority-offset int(12)"]);
    assert_eq!((w.strm.priority_class, w.strm.priority_offset), (-2047, 12));
}

#[test]
fn marks_and_numbers_are_asked_for() {
    let mut w = World::default();
    w.run(&[
        "http-request set-retries 7",
        "http-request set-fc-mark 0xffffffff",
        "http-request set-fc-tos 0x10",
    ]);
    assert_eq!((w.asks.retries, w.asks.fc_mark, w.asks.fc_tos), (Some(7), Some(u32::MAX), Some(16)));
    w.run(&["http-request set-retries int(101)"]);
    assert_eq!(w.asks.retries, Some(7));
    w.run(&["http-request set-bc-mark int(5)", "http-request set-bc-tos 256"]);
    assert_eq!((w.asks.bc_mark, w.asks.bc_tos), (Some(5), Some(0)));
    w.run(&["tcp-request connection set-mark 3", "tcp-request connection set-tos 4"]);
    assert_eq!((w.asks.fc_mark, w.asks.fc_tos), (Some(3), Some(4)));
}

#[test]
fn arguments_are_checked() {
    for (rule, text) in [
        ("set-log-level", "expects exactly 1 argument (log level name or 'silent')"),
        ("set-log-level foo", "expects exactly 1 argument (log level name or 'silent')"),
        ("set-timeout server", "expects exactly 2 arguments"),
        (
            "set-timeout foo 1s",
            "'set-timeout' rule supports 'client'/'connect'/'queue'/'server'/'tarpit'/'tunnel' (got 'foo')",
        ),
        ("set-timeout server foo", "unexpected character 'f' in rule 'set-timeout server'"),
        ("set-timeout server 0", "null value is not valid for a 'set-timeout server' rule"),
        ("set-retries", "expects exactly 1 argument (an expression or an integer between 1 and 100)"),
        ("set-retries foo", "unknown fetch method 'foo'"),
        ("set-retries 101", "expects an expression or an integer between 1 and 100"),
        ("set-retries -1", "expects an expression or an integer between 1 and 100"),
        ("set-fc-tos", "expects an argument"),
        ("set-bc-mark foo", "unknown fetch method 'foo'"),
        ("set-priority-class", "missing fetch method"),
        ("set-src", "missing fetch method"),
        ("set-dst-port foo", "unknown fetch method 'foo'"),
    ] {
        let name = rule.split(' ').next().unwrap_or_default();
        let want = format!("!error detected in proxy 'p' while parsing 'http-request {name}' rule : {text}.");
        assert_eq!(message(&format!("http-request {rule}")), want);
    }
}

#[test]
fn some_settings_need_a_side() {
    for (kind, rule, text) in [
        (ProxyKind::Frontend, "set-timeout server 1s", "'p' has no backend capability"),
        (ProxyKind::Frontend, "set-timeout tarpit 1s", ""),
        (ProxyKind::Backend, "set-timeout client 1s", "'p' has no frontend capability"),
        (ProxyKind::Frontend, "set-retries 1", "'set-retries' only available in backend or listen section"),
        (ProxyKind::Backend, "set-retries 1", ""),
        (ProxyKind::Backend, "capture path len 1", "proxy 'p' has no frontend capability"),
        (ProxyKind::Backend, "capture path id 9", ""),
    ] {
        let texts = compile(&config(kind, &[&format!("http-request {rule}")])).1;
        match text {
            "" => assert!(texts.is_empty(), "{texts:?}"),
            _ => assert!(texts.len() == 1 && texts[0].contains(text), "{rule}: {texts:?}"),
        }
    }
}
