//! `defaults` sections: names, `from`, rules, and what is inherited.

use super::{check, config, said};
use crate::model::{CheckKind, ConnMode, LogFormatDecl, Mode};

#[test]
fn settings_go_to_the_side_that_they_are_for() {
    let c = config(
        "defaults\nmode http\ntimeout client 1s\ntimeout connect 2s\ntimeout server 3s\nmaxconn 9\nfullconn 8\n\
         retries 5\noption httpclose\noption forwardfor\nbalance leastconn\ndefault-server inter 7s weight 5\n\
         log 127.0.0.1 local0\noption httplog\n\
         frontend f\nbind :80\n\
         backend b\nserver s 1.2.3.4:80 weight 6\n",
    );
    let (f, b) = (&c.proxies[0], &c.proxies[1]);
    assert_eq!((f.mode, b.mode, f.conn_mode), (Mode::Http, Mode::Http, ConnMode::Close));
    assert_eq!(
        (f.timeouts.client, f.timeouts.server, f.maxconn, f.retries),
        (Some(1000), None, Some(9), None)
    );
    assert_eq!(
        (b.timeouts.client, b.timeouts.server, b.maxconn, b.retries),
        (None, Some(3000), None, Some(5))
    );
    assert!(f.balance.is_none() && b.balance.is_some() && f.fullconn.is_none() && b.fullconn == Some(8));
    assert!(matches!(f.log_format, Some(LogFormatDecl::Http { clf: false })) && b.log_format.is_none());
    assert!(f.forwardfor.is_some() && b.forwardfor.is_some() && f.logs.len() == 1);
    let s = &b.servers[0];
    assert_eq!((s.opts.inter, s.opts.weight), (Some(7000), Some(6)));
}

#[test]
fn a_proxy_changes_what_it_inherits() {
    let c = config(
        "defaults\nmode http\ntimeout client 1s\noption dontlognull\noption httpclose\ndisabled\nlog 127.0.0.1 local0\n\
         frontend f\nbind :80\nno option dontlognull\nno option httpclose\nenabled\nno log\n",
    );
    let f = &c.proxies[0];
    assert_eq!((f.options.set, f.conn_mode, f.disabled), (0, ConnMode::KeepAlive, false));
    assert!(f.logs.is_empty());
}

#[test]
fn steps_of_checks_take_the_place_of_inherited_ones() {
    let t = "timeout connect 1s\ntimeout server 1s\n";
    let backend = |lines: &str| {
        let text = format!(
            "defaults\nmode http\n{t}option httpchk GET /up\nhttp-check send hdr host d\nhttp-check expect status 200\n\
             backend b\n{lines}\nserver s 1.2.3.4:80 check\n"
        );
        let p = config(&text).proxies.remove(0);
        let CheckKind::Http(request) = p.check_kind else { panic!("no HTTP check") };
        let steps = p.check_rules.iter().map(|r| r.words[1].as_str().to_owned()).collect::<Vec<_>>();
        (request.len(), steps.join(" "))
    };
    for (lines, request, steps) in [
        ("", 2, "send expect"),
        ("http-check disable-on-404", 2, "send expect disable-on-404"),
        ("http-check send hdr a b", 0, "send"),
        ("http-check expect status 204", 2, "send expect"),
        ("http-check expect status 204\nhttp-check send hdr a b", 0, "expect send"),
        ("http-check send hdr a b\noption httpchk GET /own HTTP/1.1", 3, "send"),
        ("option httpchk\nhttp-check expect status 204", 0, "expect"),
    ] {
        assert_eq!(backend(lines), (request, steps.to_owned()), "{lines}");
    }
}

#[test]
fn the_last_section_or_the_named_one() {
    let c = config(
        "defaults a\nmaxconn 1\ntimeout client 1s\ndefaults b from a\nretries 7\ndefaults\nmaxconn 3\ntimeout client 1s\n\
         frontend f\nbind :80\nfrontend g from b\nbind :81\n",
    );
    assert_eq!((c.proxies[0].maxconn, c.proxies[1].maxconn), (Some(3), Some(1)));
}

#[test]
fn names() {
    let t = "timeout client 1s\n";
    for (text, message) in [
        (
            format!("frontend f from x\nbind :80\n{t}"),
            "alert 1: defaults section 'x' not found for frontend 'f'.",
        ),
        (
            format!("defaults a\n{t}defaults a\n{t}frontend f from a\nbind :80\n"),
            "alert 5: ambiguous defaults section name 'a' referenced by frontend 'f' exists at least at t:3 and t:1.",
        ),
        (
            format!("defaults a/b\n{t}frontend f from a/b\nbind :80\n"),
            "alert 3: character '/' is not permitted in defaults section name 'a/b' when designated by its name \
             (section found at t:1).",
        ),
        (
            format!("defaults a\n{t}frontend f from a\nbind :80\nfrontend g\nbind :81\n"),
            "warning 5: defaults section 'a' (declared at t:1) is explicitly referenced by another proxy and \
             implicitly used here. To avoid any ambiguity don't mix both usage. Add a last defaults section not \
             explicitly used or always use explicit references.",
        ),
        (
            format!("frontend f :80\nbind :80\n{t}"),
            "alert 1: please use the 'bind' keyword for listening addresses.",
        ),
        (
            format!("frontend f/g\nbind :80\n{t}"),
            "alert 1: character '/' is not permitted in 'frontend' name 'f/g'.",
        ),
        ("defaults x from y\n".into(), "alert 1: defaults section 'y' not found for defaults 'x'."),
    ] {
        check(&text, &[message]);
    }
}

/// The scenarios of HAProxy's own test of defaults with rules.
#[test]
fn rules_in_defaults() {
    let fe = |from: &str| format!("frontend f{from}\nbind :80\ntimeout client 1s\n");
    let li = "listen l from d\nbind :80\ntimeout client 1s\n".to_owned();
    for (rules, proxies, alert) in [
        (
            "http-request deny",
            "defaults from d\n".to_owned(),
            "a defaults section cannot inherit from a defaults section defining TCP/HTTP rules (defaults section at t:1).",
        ),
        (
            "http-request deny",
            li.clone(),
            "a listen section cannot inherit from a defaults section defining TCP/HTTP rules.",
        ),
        (
            "http-request deny",
            format!("{}backend b from d\n", fe(" from d")),
            "frontends and backends cannot inherit from the same defaults section if it defines TCP/HTTP rules (defaults section at t:1).",
        ),
        (
            "http-request deny",
            format!("{}backend b\n", fe("")),
            "frontends and backends cannot inherit from the same defaults section if it defines TCP/HTTP rules (defaults section at t:1).",
        ),
        (
            "tcp-request connection accept",
            "backend b from d\n".to_owned(),
            "a backend section cannot inherit from a defaults section defining 'tcp-request connection' or 'tcp-request session' rules (defaults section at t:1).",
        ),
        (
            "tcp-request session accept",
            "backend b from d\n".to_owned(),
            "a backend section cannot inherit from a defaults section defining 'tcp-request connection' or 'tcp-request session' rules (defaults section at t:1).",
        ),
        (
            "tcp-response content accept",
            fe(" from d"),
            "a frontend section cannot inherit from a defaults section defining 'tcp-response content' rules (defaults section at t:1).",
        ),
    ] {
        let got = said(&format!("defaults d\nmode http\n{rules}\n{proxies}"));
        assert!(got.len() == 1 && got[0].ends_with(alert), "{rules} {proxies}: {got:?}");
    }
    check(&format!("defaults d\nacl a src 1.1.1.1\n{li}"), &[]);
}

#[test]
fn rules_of_defaults_are_shared_not_copied() {
    let c = config(
        "defaults d\nmode http\ntimeout client 1s\nacl a src 1.1.1.1\nhttp-request deny if a\n\
         frontend f from d\nbind :80\nhttp-request allow\nfrontend g from d\nbind :81\n",
    );
    let (f, g) = (&c.proxies[0], &c.proxies[1]);
    assert_eq!((f.rules.http_req.len(), f.acls.len(), g.rules.http_req.len()), (1, 0, 0));
    let rules = f.default_rules.as_ref().unwrap();
    assert_eq!((rules.rules.http_req.len(), rules.acls.len(), &*rules.name), (1, 1, "d"));
    assert!(std::sync::Arc::ptr_eq(rules, g.default_rules.as_ref().unwrap()));
}
