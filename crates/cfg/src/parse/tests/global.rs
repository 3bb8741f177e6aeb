//! The `global` section.

use super::{check, config, said};
use std::path::PathBuf;

/// Each line stands alone in a `global` section.
#[track_caller]
fn line(text: &str, expected: &[&str]) {
    let with_line: Vec<String> = expected.iter().map(|e| e.replacen(':', " 2:", 1)).collect();
    let refs: Vec<&str> = with_line.iter().map(String::as_str).collect();
    check(&format!("global\n{text}\n"), &refs);
}

#[test]
fn values() {
    for (text, alert) in [
        ("maxconn", "alert: 'maxconn' expects an integer argument."),
        ("maxconn abc", "alert: cannot parse 'maxconn' value 'abc', an integer is expected."),
        ("maxconn 1 2", "alert: 'maxconn' cannot handle unexpected argument '2'."),
        ("foo bar", "alert: unknown keyword 'foo' in 'global' section"),
        ("nbthread 0", "alert: 'nbthread' value must be between 1 and 1024 (was 0)"),
        ("nbthread x", "alert: 'nbthread' passed a missing or unparsable integer value in 'x'"),
        ("daemon x", "alert: 'daemon' cannot handle unexpected argument 'x'."),
        ("hard-stop-after", "alert: 'hard-stop-after' expects <time> as argument."),
        ("hard-stop-after x", "alert: unexpected character 'x' in argument to <hard-stop-after>."),
        (
            "hard-stop-after 30d",
            "alert: timer overflow in argument '30d' to 'hard-stop-after' (maximum value is 2147483647 ms or ~24.8 days)",
        ),
        ("cpu-map 1 a", "alert: cpu-map : 'a' is not a CPU range."),
        (
            "cpu-map 65 1",
            "alert: cpu-map : '65' is not a valid number/range. It supports numbers from 1 to 64.",
        ),
        (
            "cpu-map auto:1-4 0",
            "alert: cpu-map : TGROUP/THREAD range and CPU sets must have the same size to be automatically bound",
        ),
        ("unix-bind prefix", "alert: unix_bind 'prefix' expects a path as an argument."),
        ("unix-bind user no-such-user", "alert: 'unix-bind' : 'no-such-user' unknown user."),
        ("tune.bufsize 0", "alert: 'tune.bufsize' expects a positive integer argument."),
        ("tune.bufsize 2147483647", "alert: 'tune.bufsize' expects a size in bytes from 0 to 2147483631."),
        ("tune.maxrewrite 2147483648", "alert: 'tune.maxrewrite' expects a positive integer argument."),
        (
            "tune.sndbuf.backend 0",
            "alert: 'tune.sndbuf.backend' value must be between 1 and 2147483647 (was 0)",
        ),
        ("tune.idletimer 66s", "alert: 'tune.idletimer' value must be between 0 and 65535 ms (was 66s)"),
        ("tune.vars.proc-max-size 1k", "alert: tune.vars.proc-max-size: '1k' is an invalid size"),
        (
            "tune.epoll.mask-events err,hup,x",
            "alert: 'tune.epoll.mask-events' expects a list of 'err', 'hup' or 'rdhup' but got 'x'.",
        ),
        (
            "tune.streams-elasticity 99",
            "alert: 'tune.streams-elasticity' expects 0 or a positive percentage value of 100 or above",
        ),
        (
            "thread-hard-limit 10x",
            "alert: cannot parse 'thread-hard-limit' value '10x', an integer is expected.",
        ),
        ("tune.bufsize 1x", "alert: unexpected 'x' after size passed to 'tune.bufsize'"),
        ("spread-checks 51", "alert: 'spread-checks' needs a positive value in range 0..50."),
        ("h1-case-adjust a b", "alert: <from> and <to> must not differ except the case"),
        ("log 127.0.0.1", "alert: log : expects <address> and <facility>  as arguments"),
        ("log 127.0.0.1 local9", "alert: log : unknown log facility 'local9'"),
        ("log 127.0.0.1 len 10 local0", "alert: log : invalid log length '10', must be between 80 and 65535"),
        ("log 127.0.0.1 local0 info debug x", "alert: log : cannot handle unexpected argument 'x'"),
        ("no log x", "alert: log : 'no log' does not expect arguments"),
        (
            "set-var sess.x int(1)",
            "alert: 'set-var': cannot set variable 'sess.x', only scope 'proc' is permitted in the global section.",
        ),
        ("lua-load x", "alert: 'lua-load' is not supported by Hawser yet (area: Lua)."),
        (
            "nbproc 4",
            "alert: The 'nbproc' directive is not supported anymore since HAProxy 2.5. Use 'nbthread' instead.",
        ),
        (
            "ssl-default-bind-options foo",
            "alert: unknown option 'foo' on global statement 'ssl-default-bind-options'.",
        ),
        (
            "tune.fd.edge-triggered on",
            "alert: 'tune.fd.edge-triggered' directive is experimental, must be allowed via a global \
             'expose-experimental-directives'",
        ),
    ] {
        line(text, &[alert]);
    }
    let negation = "alert: negation/default currently supported only for options, log, busy-polling, set-dumpable, \
                    strict-limits, insecure-fork-wanted and numa-cpu-mapping.";
    line("no maxconn 5", &[negation]);
    line("default daemon", &[negation]);
}

#[test]
fn what_may_be_said_once_keeps_its_first_value() {
    let text = "global\nmaxconn 5\nmaxconn 6\nuser root\nuid 1\nchroot /a\nchroot /b\n";
    check(
        text,
        &[
            "alert 3: 'maxconn' already specified. Continuing.",
            "alert 5: user/uid already specified. Continuing.",
            "alert 7: 'chroot' is already specified. Continuing.",
        ],
    );
    let g = config(text).global;
    assert_eq!((g.maxconn, g.uid, g.chroot), (Some(5), None, Some(PathBuf::from("/a"))));
}

#[test]
fn settings_reach_the_model() {
    let g = config(
        "global\nnbthread 3\ndaemon\nno strict-limits\nset-dumpable\nstats timeout 2m\nstats maxconn 7\n\
         tune.bufsize 32k\ntune.maxaccept -1\ngrace 5s\nnode a.b\ndescription two words\n\
         h1-case-adjust host Host\nset-var proc.a int(1)\nset-var-fmt proc.b %[int(1)]\ncpu-map auto:1-2 0-1\n\
         log-send-hostname\nunix-bind prefix /run mode 660\n",
    )
    .global;
    assert_eq!(
        (g.nbthread, g.daemon, g.strict_limits, g.set_dumpable),
        (Some(3), true, Some(false), Some(true))
    );
    assert_eq!((g.stats_timeout, g.stats_maxconn, g.bufsize), (Some(120_000), Some(7), Some(32768)));
    assert_eq!((g.maxaccept, g.grace), (Some(-1), Some(5000)));
    assert_eq!((g.node.as_deref(), g.description.as_deref()), (Some("a.b"), Some("two words")));
    assert_eq!(g.h1_case_adjust, [("host".to_owned(), "Host".to_owned())]);
    assert_eq!(g.set_vars.iter().map(|v| v.fmt).collect::<Vec<_>>(), [false, true]);
    assert_eq!((g.cpu_map.len(), g.log_send_hostname.as_deref()), (1, Some("")));
    assert_eq!((g.unix_bind.prefix.as_deref(), g.unix_bind.mode), (Some("/run"), Some(0o660)));
}

#[test]
fn command_sockets() {
    let g = config(
        "global\nstats socket /run/x.sock mode 600 level admin expose-fd listeners\nstats socket /run/y\n",
    );
    let sockets = &g.global.stats_sockets;
    assert_eq!(sockets.iter().map(|s| (s.level, s.expose_fd)).collect::<Vec<_>>(), [(2, true), (1, false)]);
    assert_eq!(sockets[0].bind.opts.mode, Some(0o600));
    for (text, alert) in [
        (
            "stats",
            "alert: 'stats' only supports 'socket', 'maxconn', 'bind-process', 'calculate-max-counters'  and 'timeout' (got '')",
        ),
        (
            "stats socket",
            "alert: 'stats socket' in global section expects an address or a path to a UNIX socket",
        ),
        ("stats socket /x level", "alert: 'stats socket' : 'level' : missing level"),
        (
            "stats socket /x level foo",
            "alert: 'stats socket' : 'level' only supports 'user', 'operator', and 'admin' (got 'foo')",
        ),
        ("stats maxconn 0", "alert: 'stats maxconn' expects a positive value"),
    ] {
        line(text, &[alert]);
    }
}

#[test]
fn the_environment_changes_for_later_lines() {
    let g =
        config("global\nsetenv A \"x y\"\npresetenv NAME other\nnode \"$NAME\"\nlocalpeer \"${A}\"\n").global;
    assert_eq!((g.node.as_deref(), g.localpeer.as_deref()), (Some("value"), Some("x y")));
    let g = config("global\nunsetenv NAME\nlocalpeer \"${NAME-none}\"\n").global;
    assert_eq!(g.localpeer.as_deref(), Some("none"));
    let g = config("global\nresetenv PORT\nlocalpeer \"${NAME-none}${PORT}\"\n").global;
    assert_eq!(g.localpeer.as_deref(), Some("none8080"));
}

#[test]
fn tls_defaults_are_accepted_without_effect() {
    check(
        "global\nca-base /etc/ssl\nssl-default-bind-ciphers A:B\nssl-default-bind-options ssl-min-ver TLSv1.2 \
         no-tls-tickets\ntune.ssl.default-dh-param 2048\ntune.ssl.lifetime 300\n",
        &[],
    );
}

#[test]
fn unused_permission_for_experiments() {
    let warnings = said("global\nexpose-experimental-directives\n");
    assert!(warnings.len() == 1 && warnings[0].starts_with("warning: Option 'expose-exp"), "{warnings:?}");
    check("global\nexpose-experimental-directives\ntune.fd.edge-triggered on\n", &[]);
}

#[test]
fn status_codes_that_count() {
    let sets = |text: &str| {
        let c = config(&format!("global\nhttp-err-codes {text}\n")).global.http_codes.errors;
        (0..1000).filter(|code| c.has(*code)).map(|c| c.to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(sets("400,402-404,490"), "400 402 403 404 490");
    assert_eq!(sets("220 +300-302 -301 -599"), "220 300 302");
    let form = "Ranges must be in the form [+-]{low[-{high}]}[,...].";
    for (word, at) in [("x", 0), ("400,", 4), ("400-", 4), ("+", 1)] {
        let text = format!(
            "alert: Invalid status codes range '{word}' in 'http-err-codes' at position {at}. {form}"
        );
        line(&format!("http-err-codes {word}"), &[&text]);
    }
    line("http-fail-codes", &["alert: Missing status codes range for 'http-fail-codes'."]);
    for bad in ["99", "600", "300-200"] {
        let text = format!(
            "alert: Invalid status codes range '{bad}' in 'http-fail-codes'.\n Codes must be between 100 and 599 and \
             ranges in ascending order."
        );
        line(&format!("http-fail-codes {bad}"), &[&text]);
    }
}
