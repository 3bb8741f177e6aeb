use super::*;
use crate::compat;

/// The configuration keywords of HAProxy 3.4.0 without the actions, in the format of its `-dKcfg`.
const REFERENCE: &str = include_str!("../../../testdata/keywords-3.4.txt");

fn dumped(which: Which, actions: &[ActionRow<'_>]) -> String {
    let mut out = String::new();
    dump_config(&mut out, which, actions.iter().copied());
    out
}

/// Every line with the section that it stands in.
fn lines(text: &str) -> Vec<(&str, &str)> {
    let mut section = "";
    let mut out = Vec::new();
    for line in text.lines().filter(|l| !l.starts_with('#')) {
        match line.strip_prefix('\t') {
            Some(keyword) => out.push((section, keyword)),
            None => section = line,
        }
    }
    out
}

#[test]
fn lists_everything_that_haproxy_lists() {
    let ours = dumped(Which::Registered, &[]);
    let ours = lines(&ours);
    let missing: Vec<_> = lines(REFERENCE).into_iter().filter(|l| !ours.contains(l)).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn keeps_the_order_of_haproxy() {
    let ours = dumped(Which::Registered, &[]);
    let reference = lines(REFERENCE);
    let common: Vec<_> = lines(&ours).into_iter().filter(|l| reference.contains(l)).collect();
    let different = common.iter().zip(&reference).find(|(a, b)| a != b);
    assert_eq!(different, None);
    let sections =
        |t: &str| t.lines().filter(|l| !l.starts_with(['\t', '#'])).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(sections(&ours), sections(REFERENCE));
}

#[test]
fn refused_keywords_are_not_accepted_ones() {
    let text = dumped(Which::Accepted, &[]);
    assert!(text.contains("\n\tmaxconn\n") && !text.contains("\n\tlua-load\n"), "{text}");
    assert!(!text.contains("bind <addr> ssl"), "{text}");
}

#[test]
fn actions_go_to_their_rule_sets() {
    let set_var = Meta::new("set-var", "Sets a variable.").prefix();
    let allow = Meta::new("allow", "Ends the evaluation.");
    let actions = [
        ActionRow { rule_set: "http-request", meta: &set_var },
        ActionRow { rule_set: "tcp-request content", meta: &set_var },
        ActionRow { rule_set: "http-request", meta: &allow },
    ];
    let text = dumped(Which::Registered, &actions);
    let want = "\ttcp-request content set-var*\n\thttp-request allow\n\thttp-request set-var*\nuserlist\n";
    assert!(text.contains(want), "{text}");
}

#[test]
fn the_hand_coded_keywords_have_rows_too() {
    let rows = compat::rows();
    let has = |family: &str, name: &str| rows.iter().any(|r| r.family == family && r.name == name);
    let global = "busy-polling cluster-secret cpu-map description external-check fd-hard-limit gid group \
                  h2-workaround-bogus-websocket-clients insecure-fork-wanted insecure-setuid-wanted log \
                  log-send-hostname log-tag max-spread-checks maxcompcpuusage maxcomprate maxconn maxconnrate maxpipes \
                  maxsessrate maxsslrate maxzlibmem node nogetaddrinfo noreuseport nosplice numa-cpu-mapping \
                  profiling.memory server-state-base server-state-file set-dumpable spread-checks ssl-server-verify \
                  stats-file strict-limits uid ulimit-n unix-bind user";
    for name in global.split_ascii_whitespace() {
        assert!(has("global", name), "{name}");
    }
    let proxy = "acl backlog balance capture cookie default-server default_backend description disabled dispatch \
                 email-alert enabled error-log-format force-persist fullconn hash-balance-factor hash-type http-reuse \
                 http-send-name-header id ignore-persist load-server-state-from-file log log-format log-format-sd \
                 log-tag max-session-srv-conns maxconn mode monitor monitor-uri option persist quic-initial redirect \
                 retries server server-state-file-name server-template source stats stick stick-table transparent \
                 unique-id-format unique-id-header use-server use_backend bind crt http-request http-response \
                 http-after-response";
    for name in proxy.split_ascii_whitespace() {
        assert!(has("proxy", name), "{name}");
    }
}
