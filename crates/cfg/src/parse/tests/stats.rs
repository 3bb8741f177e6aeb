//! `stats …` in proxies.

use super::{check, config, listen};
use crate::model::{Proxy, StatsPage};

fn proxy(lines: &str) -> Proxy {
    config(&listen(lines)).proxies.pop().unwrap()
}

fn words(lines: &[crate::model::RuleLine]) -> Vec<String> {
    let text = |l: &crate::model::RuleLine| l.words.iter().map(|w| w.as_str()).collect::<Vec<_>>().join(" ");
    lines.iter().map(text).collect()
}

#[test]
fn mistakes() {
    const EXPECTS: &str = "expects 'admin', 'uri', 'realm', 'auth', 'scope', 'enable', 'hide-version', 'show-node', \
                           'show-desc' , 'show-legends' or 'show-version'.";
    for (text, alert) in [
        ("stats", format!("missing keyword in 'stats', {EXPECTS}")),
        ("stats foo", format!("unknown stats parameter 'foo', {EXPECTS}")),
        ("stats uri", "'uri' needs an URI prefix.".into()),
        ("stats realm", "'realm' needs an realm name.".into()),
        ("stats auth", "'auth' needs a user:password account.".into()),
        ("stats scope", "'scope' needs a proxy name.".into()),
        ("stats refresh 5x", "unexpected character 'x' in argument to stats refresh interval.".into()),
        (
            "stats refresh 99999999999",
            "timer overflow in argument <99999999999> to stats refresh interval, maximum value is 2147483647 s (~68 \
             years)."
                .into(),
        ),
        ("stats admin", "'stats admin' requires either 'if' or 'unless' followed by a condition.".into()),
        (
            "stats show-node a/b",
            "'stats show-node' invalid node name - should be a string with digits(0-9), letters(A-Z, a-z), hyphen(-) \
             or underscode(_)."
                .into(),
        ),
    ] {
        check(&listen(text), &[&format!("alert 7: {alert}")]);
    }
}

#[test]
fn warnings() {
    for (text, line, warning) in [
        (
            "stats http-request allow\nstats http-request deny",
            8,
            "previous 'stats' action has no condition attached, further entries are NOOP.",
        ),
        ("stats show-desc", 7, "'show-desc' requires a parameter or 'desc' to be set in the global section."),
        ("stats auth a:b\nstats auth a:c", 8, "config : uri auth: ignoring duplicated user 'a'."),
    ] {
        check(&listen(text), &[&format!("warning {line}: {warning}")]);
    }
}

#[test]
fn what_does_not_fit_together() {
    let text = "proxy 'l': stats 'auth'/'realm' and 'http-request' can't be used at the same time.";
    for lines in ["stats auth u\nstats http-request deny", "stats http-request deny\nstats realm x"] {
        check(&listen(lines), &[&format!("alert 7: {text}")]);
    }
    check(
        "defaults\nstats admin if TRUE\nstats http-request deny\n",
        &[
            "alert 2: 'stats admin' not allowed in 'defaults' section.",
            "alert 3: 'stats' not allowed in 'defaults' section.",
        ],
    );
}

#[test]
fn settings_reach_the_model() {
    let p = proxy(
        "stats uri /s x\nstats refresh 2m\nstats scope .\nstats scope b\nstats show-version\nstats show-legends\n\
         stats show-modules\nstats show-node\nstats show-desc a  b\nstats admin if TRUE\nstats admin unless { src ::1 }",
    );
    let s = p.stats.unwrap();
    assert_eq!((s.uri.as_str(), s.refresh, s.scopes.len()), ("/s", 120, 2));
    assert!(s.show_version && s.show_legends && s.show_modules);
    assert_eq!((s.show_node, s.show_desc.unwrap().1.as_deref()), (Some(None), Some("a b")));
    assert_eq!(words(&s.admin), ["if TRUE", "unless { src ::1 }"]);
    let s = proxy("stats show-version\nstats hide-version").stats.unwrap();
    assert!(!s.show_version && s.uri.as_str() == StatsPage::URI);
    assert!(proxy("stats hide-version").stats.is_none());
}

#[test]
fn users_become_a_list_and_a_rule() {
    let c = config(&listen("stats auth a:b:c\nstats auth d\nstats realm x"));
    let page = c.proxies.last().unwrap().stats.as_ref().unwrap();
    let list = c.userlists.last().unwrap();
    assert_eq!(words(&page.rules), [format!("auth realm x unless {{ http_auth({}) }}", list.name)]);
    assert_eq!(words(&list.lines), ["user a insecure-password b:c", "user d insecure-password "]);
    assert!(page.users.is_empty() && page.realm.is_none());
    let page = proxy("stats http-request auth\nstats http-request auth realm x if TRUE").stats.unwrap();
    assert_eq!(words(&page.rules), ["auth realm HAProxy Statistics", "auth realm x if TRUE"]);
}

#[test]
fn a_proxy_replaces_what_it_inherits() {
    let page = |lines: &str| {
        let text = format!("defaults\nmode http\nstats uri /d\nstats auth a:b\nbackend b\n{lines}\n");
        config(&text).proxies.pop().unwrap().stats
    };
    let s = page("").unwrap();
    assert_eq!((s.uri.as_str(), s.rules.len()), ("/d", 1));
    let s = page("stats scope x\nstats refresh 3").unwrap();
    assert_eq!((s.uri.as_str(), s.rules.len(), s.refresh, s.scopes.len()), (StatsPage::URI, 0, 3, 1));
    assert!(page("stats hide-version").is_none());
    let text = "defaults d\nmode http\nstats uri /d\ndefaults e from d\nstats refresh 3\nbackend b from e\n";
    let s = config(text).proxies.pop().unwrap().stats.unwrap();
    assert_eq!((s.uri.as_str(), s.refresh), ("/d", 3));
}

#[test]
fn tcp_mode_has_no_page() {
    let c = config(
        "defaults\ntimeout client 1s\ntimeout server 1s\ntimeout connect 1s\nbackend b\nmode tcp\nstats enable\n",
    );
    assert!(c.proxies[0].stats.is_none());
}
