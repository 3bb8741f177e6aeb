//! Checks of the whole configuration, and of sections.

use super::{check, listen, parsed, said};

const DEFAULTS: &str = "defaults\ntimeout client 1s\ntimeout server 1s\ntimeout connect 1s\n";

/// Sections after sound defaults of four lines.
#[track_caller]
fn after(text: &str, expected: &[&str]) {
    check(&format!("{DEFAULTS}{text}"), expected);
}

#[test]
fn backends_must_exist() {
    after(
        "frontend f\nbind :80\nuse_backend x if TRUE\nuse_backend %[src]\ndefault_backend y\n",
        &[
            "alert 9: Proxy 'f': unable to find required default_backend: 'y'.",
            "alert 7: Proxy 'f': unable to find required use_backend: 'x'.",
        ],
    );
    after(
        "frontend f\nbind :80\ndefault_backend g\nfrontend g\nbind :81\n",
        &["alert 7: Proxy 'f': unable to find required default_backend: 'g'."],
    );
    after(
        "listen l\nbind :80\nuse_backend l\n",
        &["alert 7: Proxy 'l': loop detected for use_backend: 'l'."],
    );
    after(
        "frontend f\nmode http\nbind :80\ndefault_backend b\nbackend b\n",
        &[
            "alert 8: http frontend 'f' (t:5) tries to use incompatible tcp backend 'b' (t:9) as its default backend \
           (see 'mode').",
        ],
    );
    after("frontend f\nbind :80\ndefault_backend b\nbackend b\nmode http\n", &[]);
    after("frontend f\ndisabled\ndefault_backend nowhere\n", &[]);
}

#[test]
fn names_and_numbers_are_unique() {
    after(
        "frontend f\nbind :80\nbackend f\n",
        &[
            "alert 7: backend 'f' has the same name as frontend 'f' declared at t:5. This is no longer supported as of \
           3.3. Please rename one or the other.",
        ],
    );
    after(
        "backend b\nserver s 1.1.1.1:1\nserver s 1.1.1.1:2\n",
        &[
            "alert 7: parsing [t:7] : backend 'b', another server named 's' was already defined at line 6, please use \
           distinct names.",
        ],
    );
    after(
        "backend b\nserver s 1.1.1.1:1 id 5\nserver t 1.1.1.1:2 id 5\n",
        &["alert 7: 'server b/t' : 'id' : custom id 5 already used at t:6 ('server s')."],
    );
    after(
        "backend b\nid 5\nbackend c\nid 5\n",
        &["alert 7: backend c reuses same custom id as backend b (declared at t:5)."],
    );
    after(
        "backend b\nguid x\nserver s 1.1.1.1:1 guid x\n",
        &["alert 7: 'server b/s' : 'guid': duplicate entry with backend b."],
    );
    let many: String = (0..40).map(|i| format!("server s{} 1.1.1.1:1\n", i % 39)).collect();
    assert_eq!(said(&format!("{DEFAULTS}backend b\n{many}")).len(), 1);
}

#[test]
fn incomplete_proxies() {
    let missing = |who: &str| {
        format!(
            "missing timeouts for {who}.\n   | While not properly invalid, you will certainly encounter various \
             problems\n   | with such a configuration. To fix this, please ensure that all following\n   | timeouts are \
             set to a non-zero value: 'client', 'connect', 'server'."
        )
    };
    check("frontend f\nbind :80\n", &[&format!("warning 1: {}", missing("frontend 'f'"))]);
    check("frontend f\nbind :80\ntimeout client 0\n", &[&format!("warning 1: {}", missing("frontend 'f'"))]);
    check("backend b\n", &[]);
    check("backend b\nserver s 1.1.1.1:1\n", &[&format!("warning 1: {}", missing("backend 'b'"))]);
    check("listen l\nbind :80\ntimeout client 1s\n", &[]);
    check("backend b\ntimeout connect 1s\ntimeout tunnel 1s\nserver s 1.1.1.1:1\n", &[]);
    after(
        "frontend f\n",
        &[
            "warning 5: frontend 'f' has no 'bind' directive. Please declare it as a backend if this was intended.",
        ],
    );
    check(
        &listen("timeout client 2s"),
        &["warning 7: overwriting 'timeout client' which was already specified"],
    );
}

#[test]
fn http_settings_in_tcp_mode() {
    after(
        "listen l\nbind :80\nmonitor-uri /x\nhttp-request deny\nredirect location /\noption forwardfor\n\
         option http-no-delay\noption httplog\nlog 127.0.0.1 local0\nbalance uri\n",
        &[
            "warning 14: Layer 7 hash not possible for proxy 'l' (needs 'mode http'). Falling back to round robin.",
            "warning 12: parsing [t:12] : 'option httplog' not usable with proxy 'l' (needs 'mode http'). Falling back \
             to 'option tcplog'.",
            "warning 5: 'monitor-uri' statement ignored for proxy 'l' as it requires HTTP mode.",
            "warning 5: 'http-request' rules ignored for proxy 'l' as they require HTTP mode.",
            "warning 5: 'redirect' rules ignored for proxy 'l' as they require HTTP mode.",
            "warning 5: 'option forwardfor' ignored for proxy 'l' as it requires HTTP mode.",
            "warning 5: 'option http-no-delay' ignored for proxy 'l' as it requires HTTP mode.",
        ],
    );
    check(
        &listen("option httplog"),
        &["warning 7: log format ignored for proxy 'l' since it has no log address."],
    );
    check(
        &listen("option httplog\nlog global"),
        &["warning 7: log format ignored for proxy 'l' since it has no log address."],
    );
    check(&format!("global\nlog 127.0.0.1 local0\n{}", listen("option httplog\nlog global")), &[]);
}

#[test]
fn health_checks_and_tracking() {
    for (lines, message) in [
        (
            "server s 1.1.1.1 check",
            "alert 6: config: backend 'b': server 's' has neither service port nor check port.",
        ),
        (
            "server s 1.1.1.1:1 check track t",
            "alert 6: 'server b/s' : unable to enable checks and tracking at the same time!",
        ),
        (
            "server s 1.1.1.1:1 track t",
            "alert 6: [t:6] : 'server b/s' : unable to find required server 't' for tracking.",
        ),
        (
            "server s 1.1.1.1:1 track x/t",
            "alert 6: [t:6] : 'server b/s' : unable to find required proxy 'x' for tracking.",
        ),
        (
            "server s 1.1.1.1:1 track t\nserver t 1.1.1.1:1",
            "alert 6: [t:6] : 'server b/s' : unable to use b/t for tracking as it does not have any check nor agent enabled.",
        ),
        (
            "http-check expect status 200",
            "warning 6: backend 'b' uses http-check rules without 'option httpchk', so the rules are ignored.",
        ),
    ] {
        let got = said(&format!("{DEFAULTS}backend b\n{lines}\n"));
        assert_eq!(got.first().map(String::as_str), Some(message), "{lines}");
    }
    for ok in [
        "server s 1.1.1.1 check port 80",
        "server s /tmp/x check",
        "server s 1.1.1.1:1 track t\nserver t 1.1.1.1:1 check",
        "option tcp-check\ntcp-check connect port 80\nserver s 1.1.1.1 check",
    ] {
        after(&format!("backend b\n{ok}\n"), &[]);
    }
    let chain = "backend b\nserver s 1.1.1.1:1 track t\nserver t 1.1.1.1:1 track s\n";
    assert!(said(&format!("{DEFAULTS}{chain}")).iter().all(|m| m.contains("looping back")));
}

#[test]
fn sections() {
    for (text, expected) in [
        ("foo\n", vec!["alert 1: unknown keyword 'foo' out of section."]),
        ("global x\n", vec!["alert 1: 'global' cannot handle unexpected argument 'x'."]),
        ("frontend\n", vec!["alert 1: 'frontend' expects an <id> argument"]),
        (
            "peers p\nfoo\npeer x 1.1.1.1:1\n",
            vec![
                "alert 1: 'peers' is not supported by Hawser yet (area: peers).",
                "alert 2: unknown keyword 'foo' in 'peers' section",
            ],
        ),
        (
            "program x\ncommand y\n",
            vec![
                "alert 1: The 'program' directive is not supported anymore since HAProxy 3.3. Use a service manager instead.",
            ],
        ),
        ("http-errors\n", vec!["alert 1: missing name for http-errors section."]),
        (
            "http-errors e\nhttp-errors e\n",
            vec!["alert 2: http-errors section 'e' already exists (declared at t:1)."],
        ),
        ("http-errors e\nfoo\n", vec!["alert 2: unknown keyword 'foo' in 'http-errors' section"]),
        ("userlist u\nuserlist u\n", vec!["warning 2: ignoring duplicated userlist 'u'."]),
        (
            "userlist u\nuser a foo x\n",
            vec![
                "alert 2: 'user' only supports 'password', 'insecure-password' and 'groups' options (got 'foo').",
            ],
        ),
    ] {
        let got = said(text);
        let got: Vec<&str> = got
            .iter()
            .map(String::as_str)
            .filter(|m| !m.contains("missing timeouts") && !m.contains("no 'bind'"))
            .collect();
        assert_eq!(got, expected, "{text}");
    }
    after(
        "listen l\nbind :80\nerrorfiles e\n",
        &["alert 7: proxy 'l': unknown http-errors section 'e' (at t:7)."],
    );
}

#[test]
fn users_and_groups_exist() {
    check("userlist u\ngroup g users a\ngroup h\nuser a insecure-password x groups h\n", &[]);
    check(
        "userlist u\ngroup g users a,b\nuser a insecure-password x groups g,k\n",
        &[
            "alert 2: userlist 'u': no such user 'b' specified in group 'g'",
            "alert 3: userlist 'u': no such group 'k' specified in user 'a'",
        ],
    );
}

#[test]
fn stops_after_fifty_alerts() {
    let text = format!("global\n{}", "foo\n".repeat(200));
    let got = said(&text);
    assert_eq!(got.len(), 51);
    assert_eq!(got[50], "alert 51: too many fatal errors (50), stopping now.");
}

#[test]
fn alerts_point_at_the_wrong_word() {
    let p = parsed("listen l\n  bind :80 nice 9999\n  maxconn 1 2\n");
    let spans: Vec<_> = p.diags.list.iter().filter_map(|d| d.span).collect();
    assert_eq!(spans[..2], [(16, 4), (12, 1)]);
}

#[test]
fn messages_come_in_the_order_of_the_lines() {
    let text = "frontend f\n use_backend b\n foo\nglobal\n maxconn 1\n maxconn 2\n";
    let mut p = parsed(text);
    let pos = crate::pos::Pos { file: crate::pos::FileId(0), line: 2 };
    p.diags.alert(pos, "late");
    p.diags.settle(&p.config.files);
    let lines: Vec<_> = p.diags.list.iter().map(|d| (d.pos.map_or(0, |p| p.line), d.fatal())).collect();
    // What is said of the whole, that `b` and the `bind` line are missing, waits until the lines are right.
    assert_eq!(lines, [(2, true), (3, true), (6, false), (0, true)]);
    let mut p = parsed("frontend f\n use_backend b\n");
    p.diags.settle(&p.config.files);
    assert!(p.diags.has_alert() && !p.diags.wants_summary());
}

#[test]
fn a_file_ends_its_section() {
    let source = |name: &str, data: &str| crate::load::Source::Text { name: name.into(), data: data.into() };
    let sources = [source("a", "global\n maxconn 1\n"), source("b", " maxconn 1\n")];
    let p = super::super::parse(&sources, &crate::cond::CondCx::default(), &mut crate::env::Env::empty());
    let texts: Vec<_> = p.diags.list.iter().map(|d| d.text.as_str()).collect();
    assert_eq!(texts, ["unknown keyword 'maxconn' out of section."]);
}

#[test]
fn checks_that_never_find_an_idle_connection() {
    let server = |options: &str| listen(&format!("{options}\nserver s 1.2.3.4:80 check check-reuse-pool"));
    let diag = |line: u32, why: &str| {
        format!("diag {line}: parsing [t:{line}] : 'server s': check-reuse-pool is ineffective {why}.")
    };
    check(&server("option httpchk"), &[&diag(8, "due to http-reuse policy")]);
    check(&server("http-reuse aggressive"), &[&diag(8, "for non http-check rulesets")]);
    check(&server("option httpchk\nhttp-reuse always"), &[]);
    check(&server("option httpchk").replace(" check ", " "), &[]);
}
