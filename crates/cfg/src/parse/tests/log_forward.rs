//! `log-forward` sections.

use super::{check, config};
use crate::model::{AddrKind, HostStrategy, LogForward};

fn one(lines: &str) -> LogForward {
    let mut c = config(&format!("log-forward f\n{lines}"));
    assert_eq!(c.log_forwards.len(), 1);
    c.log_forwards.remove(0)
}

#[test]
fn a_whole_section() {
    let f = one(
        "dgram-bind 127.0.0.1:5514,[::1]:5514\nbind 127.0.0.1:5514\nlog 127.0.0.1:1 format rfc5424 local0\n\
                 maxconn 7\nbacklog 9\ntimeout client 5s\noption dont-parse-log\noption assume-rfc6587-ntf\noption host append\n",
    );
    assert_eq!((f.proxy.binds.len(), f.dgram_binds[0].addrs.len(), f.proxy.logs.len()), (1, 2, 1));
    assert!(f.dgram_binds[0].addrs.iter().all(|a| a.dgram && matches!(a.kind, AddrKind::Ip(_))));
    assert_eq!((f.proxy.maxconn, f.proxy.backlog, f.proxy.timeouts.client), (Some(7), Some(9), Some(5000)));
    assert!(f.dont_parse && f.assume_ntf);
    assert_eq!(f.host, HostStrategy::Append);
}

#[test]
fn defaults() {
    let f = one("dgram-bind :5514\n");
    assert_eq!((f.proxy.maxconn, f.proxy.timeouts.client), (Some(10), None));
    assert!(!f.dont_parse && !f.assume_ntf);
    assert_eq!(f.host, HostStrategy::Fill);
    assert_eq!(one("dgram-bind :5514\nno option host fill\n").host, HostStrategy::Keep);
    assert!(!one("dgram-bind :5514\noption dont-parse-log\nno option dont-parse-log\n").dont_parse);
}

#[test]
fn mistakes() {
    for (lines, want) in [
        ("dgram-bind :1 foo\n", "alert 2: 'dgram-bind :1' in section 'log-forward': unknown keyword 'foo'."),
        (
            "dgram-bind tcp@:1\n",
            "alert 2: 'dgram-bind tcp@:1' : stream-type address not acceptable in 'tcp@:1'",
        ),
        ("bind udp@:1\n", "alert 2: 'bind' : dgram-type address not acceptable in 'udp@:1'"),
        ("bind :1\nmaxconn\n", "alert 3: 'maxconn' expects an integer argument."),
        ("bind :1\noption\n", "alert 3: 'option' expects an option name."),
        ("bind :1\noption foo\n", "alert 3: unknown option 'foo' in log-forward section."),
        ("bind :1\noption host\n", "alert 3: option 'host' expects {replace|fill|keep|append}."),
        (
            "bind :1\noption dont-parse-log x\n",
            "alert 3: 'option dont-parse-log' cannot handle unexpected argument 'x'.",
        ),
        ("bind :1\ntimeout server 1s\n", "alert 3: unknown keyword 'timeout server' in log-forward section."),
        ("bind :1\ntimeout client\n", "alert 3: missing timeout client value."),
        (
            "",
            "warning 1: frontend 'f' has no 'bind' directive. Please declare it as a backend if this was intended.",
        ),
        (
            "bind :1\nlog-forward f\nbind :2\n",
            "alert 3: log-forward section 'f' has the same name as another log-forward section declared at t:1.",
        ),
    ] {
        check(&format!("log-forward f\n{lines}"), &[want]);
    }
}
