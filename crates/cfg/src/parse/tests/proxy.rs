//! Keywords of proxies, one line at a time.

use super::{check, listen, said};

/// Each line stands at the end of a sound `listen` section.
#[track_caller]
fn line(text: &str, expected: &[&str]) {
    let with_line: Vec<String> = expected.iter().map(|e| e.replacen(':', " 7:", 1)).collect();
    let refs: Vec<&str> = with_line.iter().map(String::as_str).collect();
    check(&listen(text), &refs);
}

#[test]
fn wrong_values() {
    for (text, alert) in [
        ("mode foo", "alert: unknown proxy mode 'foo'."),
        ("mode tcp x", "alert: 'mode' cannot handle unexpected argument 'x'."),
        ("id abc", "alert: custom id has to be > 0."),
        ("retry-on 999", "alert: 'retry-on': unknown keyword '999'"),
        ("retry-on none 503", "alert: 'retry-on' 'none' keyword only usable alone"),
        ("retry-on", "alert: 'retry-on' needs at least one keyword to specify when to retry"),
        ("http-reuse foo", "alert: 'http-reuse' only supports 'never', 'safe', 'aggressive', 'always'."),
        ("rate-limit foo", "alert: 'rate-limit' only supports 'sessions' (got 'foo')"),
        ("hash-type foo", "alert: 'hash-type' only supports 'consistent' and 'map-based'."),
        ("hash-balance-factor 50", "alert: 'hash-balance-factor' must be 0 or greater than 100."),
        ("clitcpka-cnt x", "alert: 'clitcpka-cnt' : unexpected character 'x' in integer value 'x'"),
        ("clitcpka-idle x", "alert: unexpected character 'x' in argument to <clitcpka-idle>."),
        (
            "timeout",
            "alert: 'timeout' supports 'client', 'server', 'connect', 'check', 'queue', 'handshake', 'http-keep-alive', 'http-request', 'tunnel', 'tarpit', 'client-fin' and 'server-fin' (got '')",
        ),
        ("timeout check", "alert: 'timeout check' expects an integer value (in milliseconds)"),
        ("timeout check 5x", "alert: unexpected character 'x' in 'timeout check'"),
        ("timeout check 5s 6s", "alert: 'timeout check' : unexpected extra argument '6s' after value '5s'."),
        (
            "clitimeout 5",
            "alert: The 'clitimeout' directive is not supported anymore since HAProxy 2.1. Use 'timeout client' instead.",
        ),
        (
            "reqrep a b",
            "alert: The 'reqrep' directive is not supported anymore since HAProxy 2.1. Use 'http-request replace-path', 'http-request replace-uri' or 'http-request replace-header' instead.",
        ),
        ("capture foo", "alert: 'capture' expects 'cookie' or 'request header' or 'response header'."),
        (
            "capture request header x len 5 6",
            "alert: 'capture request' cannot handle unexpected argument '6'.",
        ),
        ("declare capture request len 0", "alert: length must be > 0"),
        ("monitor foo", "alert: 'monitor' only supports 'fail'."),
        ("monitor fail x", "alert: 'monitor fail' requires either 'if' or 'unless' followed by a condition."),
        ("errorfile 503", "alert: errorfile : expects <status_code> and <file> as arguments."),
        ("errorfile 503 /no/such/file", "alert: errorfile : error opening file '/no/such/file'."),
        ("errorfile 999 /dev/null", "alert: errorfile : status code '999' not handled."),
        ("errorloc 503 a b", "alert: errorloc : expects exactly two arguments."),
        ("errorfiles x 999", "alert: errorfiles : status code '999' not handled."),
        ("http-error status 418 x", "alert: http-error: status code '418' not handled."),
        (
            "tcp-request foo",
            "alert: 'tcp-request' expects 'inspect-delay', 'connection', or 'content' in proxy 'l' (got 'foo')",
        ),
        (
            "tcp-request inspect-delay x",
            "alert: 'tcp-request inspect-delay' expects a positive delay in milliseconds, in proxy 'l' (unexpected character 'x')",
        ),
        ("tcp-response", "alert: missing argument for 'tcp-response' in proxy 'l'"),
        (
            "http-check foo",
            "alert: 'http-check' only supports 'disable-on-404', 'send-state', 'comment', 'connect', 'send', 'expect', 'set-var-fmt(*)', 'set-var(*)', 'unset-var(*)'. but got 'foo'",
        ),
        ("acl a/b src", "alert: character '/' is not permitted in acl name 'a/b'."),
        (
            "acl or src",
            "alert: acl name 'or' will never match. 'or' is used to express a logical disjunction within a condition.",
        ),
        (
            "use_backend x foo",
            "alert: unexpected keyword 'foo' after switching rule, only 'if' and 'unless' are allowed.",
        ),
        ("use-server s x", "alert: 'use-server' requires either 'if' or 'unless' followed by a condition."),
        ("log global x", "alert: log : unknown log facility 'x'"),
        ("log-format a b", "alert: log-format expects only one argument, don't forget to escape spaces!"),
        ("dispatch 10", "alert: 'dispatch' : missing port specification in '10'"),
        (
            "load-server-state-from-file X",
            "alert: 'load-server-state-from-file' expects 'global', 'local' or 'none'. Got 'X'",
        ),
        ("cookie x insert rewrite", "alert: cookie 'rewrite', 'insert' and 'prefix' modes are incompatible."),
        ("cookie x preserve", "alert: cookie 'preserve' requires at least 'insert' or 'indirect'."),
        ("cookie x attr a;b", "alert: character '%x3B' is not permitted in attribute value."),
        ("compression algo gzip", "alert: 'compression' is not supported by Hawser yet (area: compression)."),
    ] {
        line(text, &[alert]);
    }
}

#[test]
fn stick_tables() {
    for (text, why) in [
        ("type ip", "missing size."),
        ("size 10", "missing type."),
        ("type foo size 10", "unknown type 'foo'."),
        ("type ip size 10x", "unexpected character 'x' in argument of 'size'."),
        ("type ip size 10 expire 5x", "unexpected character 'x' in argument of 'expire'."),
        ("type ip size 10 foo", "unknown argument 'foo'."),
        ("type ip size 10 store foo", "unknown store option 'foo'."),
        ("type ip size 10 store gpc", "missing argument to store option 'gpc'."),
        (
            "type ip size 10 store gpc(101)",
            "array size is out of allowed range (1-100) for store option 'gpc'.",
        ),
        ("type ip size 10 store gpc(3", "missing closing parenthesis after store option 'gpc'."),
        ("type ip size 10 store conn_rate", "missing argument to store option 'conn_rate'."),
        ("type ip size 10 store conn_cnt(3)", "unexpected argument to store option 'conn_cnt'."),
        (
            "type ip size 10 store gpt(3) store gpt0",
            "simultaneous usage of 'gpt' and 'gpt0' in a same table is not permitted as 'gpt' overrides 'gpt0'.",
        ),
        (
            "type ip size 10 brates-factor 2000",
            "argument 'brates-factor' must be greater than 0 and lower or equal than 1024.",
        ),
    ] {
        line(&format!("stick-table {text}"), &[&format!("alert: stick-table: {why}")]);
    }
    line(
        "stick-table type ip size 10 peers p",
        &["alert: 'stick-table peers' is not supported by Hawser yet (area: peers)."],
    );
    line(
        "stick-table type ip size 10 store gpc0,gpc0",
        &["warning: stick-table: store option 'gpc0' already enabled, ignored."],
    );
    line("stick foo src", &["alert: 'stick' expects 'on', 'match', or 'store'."]);
    line(
        "stick-table type string len 5 size 1k expire 1m nopurge srvkey addr store gpc0,gpc_rate(2,10s) store gpt(1)",
        &[],
    );
}

#[test]
fn options() {
    for (text, alert) in [
        ("option", "alert: 'option' expects an option name."),
        ("option qqq", "alert: unknown option 'qqq'."),
        ("option contstats x", "alert: 'option contstats' cannot handle unexpected argument 'x'."),
        ("no option httplog", "alert: negation/default is not supported for option 'httplog'."),
        ("default option httpclose", "alert: negation/default is not supported for option 'httpclose'."),
        ("option httplog foo", "alert: keyword 'httplog' only supports option 'clf'."),
        (
            "option forwardfor foo",
            "alert: 'option forwardfor' only supports optional values: 'except', 'header' and 'if-none'.",
        ),
        (
            "option forwardfor except x",
            "alert: 'option forwardfor except' expects <address>[/mask] as argument.",
        ),
        (
            "option originalto if-none",
            "alert: 'option originalto' only supports optional values: 'except' and 'header'.",
        ),
        (
            "option httpchk GET / HTTP/1.0\\r\\nA:\\ b",
            "alert: 'option httpchk' : hiding headers or body at the end of the version string is unsupported. Use 'http-check send' directive instead.",
        ),
        (
            "option forceclose",
            "alert: The 'option forceclose' directive is not supported anymore since HAProxy 2.0. Use 'option httpclose' instead.",
        ),
        (
            "option external-check",
            "alert: 'option external-check' is not supported by Hawser yet (area: health checks by programs).",
        ),
        (
            "option mysql-check foo",
            "alert: 'option mysql-check' only supports optional values: 'user' (got 'foo').",
        ),
        ("option mysql-check user", "alert: 'option mysql-check user' expects <username> as argument."),
        (
            "option mysql-check user bob xx",
            "alert: keyword 'user' only supports 'post-41', 'pre-41' and 'post-80' (got 'xx').",
        ),
        (
            "option mysql-check user bob post-41 z",
            "alert: 'option mysql-check' cannot handle unexpected argument 'z'.",
        ),
        ("option pgsql-check user", "alert: 'option pgsql-check' expects 'user <username>' as argument."),
        ("option pgsql-check foo bar", "alert: 'option pgsql-check' only supports optional values: 'user'."),
        ("option pgsql-check user a b", "alert: 'option pgsql-check' cannot handle unexpected argument 'b'."),
        ("option smtpchk EHLO a b", "alert: 'option smtpchk' cannot handle unexpected argument 'b'."),
        ("option redis-check x", "alert: 'option redis-check' cannot handle unexpected argument 'x'."),
    ] {
        let got = said(&listen(text));
        assert!(got.first().is_some_and(|g| *g == alert.replacen(':', " 7:", 1)), "{text}: {got:?}");
    }
    line(
        "option accept-invalid-http-request",
        &[
            "warning: option 'accept-invalid-http-request' is deprecated. please use 'option accept-unsafe-violations-in-http-request' if absolutely needed.",
        ],
    );
    for ok in [
        "no option dontlognull",
        "option tcpka",
        "option redispatch 2",
        "no option redispatch",
        "option httpchk GET /health",
    ] {
        line(ok, &[]);
    }
}

#[test]
fn listeners() {
    for (text, alert) in [
        ("bind", "alert: 'bind' expects {<path>|[addr1]:port1[-end1]}{,[addr]:port[-end]}... as arguments."),
        ("bind :81 foo", "alert: 'bind :81' in section 'listen': unknown keyword 'foo'."),
        ("bind :81 maxconn", "alert: 'bind :81' in section 'listen' : 'maxconn' : missing value"),
        (
            "bind :81 mode 9",
            "alert: 'bind :81' in section 'listen' : 'mode' : missing or invalid mode '9' (octal integer expected)",
        ),
        ("bind :81 id 0", "alert: 'bind :81' in section 'listen' : 'id' : custom id has to be > 0"),
        (
            "bind :81 nice 2000",
            "alert: 'bind :81' in section 'listen' : 'nice' : invalid value 2000, allowed range is -1024..1024",
        ),
        (
            "bind :81 proto foo",
            "alert: 'bind :81' in section 'listen' : 'proto' :  unknown MUX protocol 'foo'",
        ),
        (
            "bind :81 proto none",
            "alert: proxy 'l' : MUX protocol 'none' is not usable for 'bind :81' at [t:7].",
        ),
        (
            "bind :81 ssl crt x alpn h2",
            "alert: 'bind :81' in section 'listen' : 'ssl' is not supported by Hawser yet (area: TLS).",
        ),
        (
            "bind :81 shards 0",
            "alert: 'bind :81' in section 'listen' : 'shards' : invalid value 0, allowed range is 1..1024 or 'by-thread'",
        ),
        (
            "bind :81 thread x",
            "alert: 'bind :81' in section 'listen' : invalid first thread number 'x', permitted range is 1..1024, or 'all', 'odd', 'even'.",
        ),
    ] {
        line(text, &[alert]);
    }
}

#[test]
fn servers() {
    for (text, alert) in [
        ("server", "alert: 'server' expects <name> and <addr>[:<port>] as arguments."),
        ("server s", "alert: 'server' expects <name> and <addr>[:<port>] as arguments."),
        ("server a/b 1.2.3.4:80", "alert: character '/' is not permitted in server name 'a/b'."),
        ("server s 1.2.3.4:80 foo", "alert: 'server l/s' : unknown keyword 'foo'."),
        (
            "server s 1.2.3.4:80 weight 257",
            "alert: 'server l/s' : weight of server s is not within 0 and 256 (257).",
        ),
        ("server s 1.2.3.4:80 check inter", "alert: 'server l/s' : 'inter' expects a delay as argument."),
        (
            "server s 1.2.3.4:80 inter 0",
            "alert: 'server l/s' : invalid value 0 for argument 'inter' of server s.",
        ),
        ("server s 1.2.3.4:80 fall 0", "alert: 'server l/s' : 'fall' has to be > 0."),
        (
            "server s 1.2.3.4:80 ssl verify none",
            "alert: 'server l/s' : 'ssl' is not supported by Hawser yet (area: TLS).",
        ),
        (
            "server s 1.2.3.4:80 init-addr x",
            "alert: 'server l/s' : 'init-addr' : unknown init-addr method 'x', supported methods are 'libc', 'last', 'none'.",
        ),
        ("server s 1.2.3.4:80 source 1.1.1.1 foo", "alert: 'server l/s' : unknown keyword 'foo'."),
        (
            "default-server foo",
            "alert: unknown keyword 'foo'. Hint: no address was expected for this server.",
        ),
        ("server-template s x 1.2.3.4:80", "alert: Wrong server-template number or range arg 'x'."),
    ] {
        line(text, &[alert]);
    }
    line(
        "server s 1.2.3.4:80 check inter 99",
        &[
            "warning: 'server l/s' : 'inter 99' in server 's' is suspiciously small for a value in milliseconds. Please use an explicit unit ('99ms') if that was the intent.",
        ],
    );
}

#[test]
fn misplaced_keywords() {
    let fe = "frontend f\nbind :80\ntimeout client 1s\n";
    let be = "backend b\n";
    for (section, text, message) in [
        (
            fe,
            "server s 1.2.3.4:80",
            "alert: 'server' not allowed because frontend 'f' has no backend capability.",
        ),
        (
            fe,
            "balance roundrobin",
            "warning: 'balance' ignored because frontend 'f' has no backend capability.",
        ),
        (
            fe,
            "fullconn 5",
            "warning: 'fullconn' ignored because frontend 'f' has no backend capability. Maybe you want 'maxconn' instead ?",
        ),
        (
            fe,
            "timeout server 5s",
            "warning: 'timeout server' will be ignored because frontend 'f' has no backend capability",
        ),
        (
            fe,
            "srvtcpka-cnt 5",
            "warning: srvtcpka-cnt will be ignored because frontend 'f' has no backend capability",
        ),
        (fe, "retry-on 503", "alert: 'retry-on' only available in backend or listen section"),
        (
            fe,
            "option redispatch",
            "warning: 'redispatch' ignored because frontend 'f' has no backend capability.",
        ),
        (
            be,
            "maxconn 5",
            "warning: 'maxconn' ignored because backend 'b' has no frontend capability. Maybe you want 'fullconn' instead ?",
        ),
        (be, "log-format x", "warning: backend 'b' : 'log-format' directive is ignored in backends."),
        (
            be,
            "declare capture request len 5",
            "alert: 'declare' only available in frontend or listen section",
        ),
        (
            be,
            "tcp-request connection accept",
            "alert: tcp-request connection is not allowed because backend b is not a frontend",
        ),
        ("defaults\n", "bind :80", "alert: 'bind' not allowed in 'defaults' section."),
        ("defaults\n", "server s 1.2.3.4:80", "alert: 'server' not allowed in 'defaults' section."),
        (
            "defaults\n",
            "http-request deny",
            "alert: 'http-request' not allowed in anonymous 'defaults' section.",
        ),
        ("defaults\n", "acl a src 1.1.1.1", "alert: 'acl' not allowed in anonymous 'defaults' section."),
        (
            "defaults\n",
            "tcp-request inspect-delay 5s",
            "alert: tcp-request inspect-delay is not allowed in anonymous 'defaults' sections",
        ),
        ("defaults d\n", "description x", "alert: 'description' not allowed in 'defaults' section."),
    ] {
        let n = section.lines().count() + 1;
        check(&format!("{section}{text}\n"), &[&message.replacen(':', &format!(" {n}:"), 1)]);
    }
}

#[test]
fn rules_that_run_earlier_than_they_stand() {
    for (first, second, warning) in [
        (
            "http-request allow",
            "tcp-request content accept",
            "a 'tcp-request content' rule placed after an 'http-request' rule",
        ),
        ("redirect location /", "http-request allow", "a 'http-request' rule placed after a 'redirect' rule"),
        (
            "tcp-request content accept",
            "tcp-request connection accept",
            "a 'tcp-request connection' rule placed after a 'tcp-request content' rule",
        ),
        (
            "http-response allow",
            "tcp-response content accept",
            "a 'tcp-response content' rule placed after an 'http-response' rule",
        ),
        (
            "use_backend %[src]",
            "monitor fail if TRUE",
            "a 'monitor fail' rule placed after a 'use_backend' rule",
        ),
    ] {
        let want = format!("warning 8: {warning} will still be processed before.");
        check(&listen(&format!("{first}\n{second}")), &[&want]);
        check(&listen(&format!("{second}\n{first}")), &[]);
    }
}
