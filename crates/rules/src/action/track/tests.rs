use crate::testing::{compile, config, message};
use hawser_cfg::model::{KeyType, ProxyKind, StickTable};

/// The message of a line in a proxy that has a table of addresses.
fn with_table(line: &str) -> Vec<String> {
    let mut config = config(ProxyKind::Listen, &[line]);
    config.proxies[0].stick_table = Some(0);
    config.proxy_names.insert(config.proxies[0].name.clone(), 0);
    config.stick_tables.push(StickTable { key: KeyType::Ipv4, size: 10, ..StickTable::default() });
    compile(&config).1
}

#[test]
fn counters_have_their_numbers() {
    for line in
        ["tcp-request connection track-sc0 src", "http-request track-sc2 src", "http-response track-sc1 src"]
    {
        assert_eq!(with_table(line), [""; 0], "{line}");
    }
    let text = message("http-request track-sc3 src");
    assert!(text.ends_with("3 track-sc number exceeding 2 (tune.stick-counters-1) value."), "{text}");
    assert_eq!(
        message("tcp-request connection track-scx src"),
        "!'tcp-request connection track-scx' : Wrong track-sc number 'x'"
    );
}

#[test]
fn tables_are_looked_up_by_name() {
    assert!(
        message("http-request track-sc0 src").ends_with("unable to find table 'p' referenced by track-sc0.")
    );
    assert_eq!(
        with_table("tcp-request session track-sc1 src table other"),
        ["!Proxy 'p': unable to find table 'other' referenced by track-sc1."]
    );
    let text = with_table("http-request track-sc1 method");
    assert_eq!(text, ["!Proxy 'p': stick-table 'p' uses a type incompatible with the 'track-sc1' rule."]);
}

#[test]
fn arguments_of_counters() {
    let ok = [
        "sc-inc-gpc(3,0)",
        "sc-inc-gpc0",
        "sc-inc-gpc1(2)",
        "sc-add-gpc(0,1) 7",
        "sc-set-gpt0(1) 3",
        "sc-set-gpt(1,1) rand(7)",
    ];
    for action in ok {
        assert_eq!(with_table(&format!("http-request {action}")), [""; 0], "{action}");
    }
    let of = |action: &str| {
        let text = message(&format!("http-request {action}"));
        text.split_once("' rule : ").map(|t| t.1.to_owned()).unwrap_or(text)
    };
    assert_eq!(
        of("sc-inc-gpc(3)"),
        "Missing gpc ID 'sc-inc-gpc(3)'. Expects sc-inc-gpc(<GPC ID>,<Track ID>)."
    );
    assert_eq!(of("sc-inc-gpc9"), "invalid gpc ID 'sc-inc-gpc9'. Expects sc-inc-gpc(<GPC ID>,<Track ID>).");
    assert_eq!(
        of("sc-inc-gpc0(4)"),
        "invalid stick table track ID. The max allowed ID is 2 (tune.stick-counters)."
    );
    assert_eq!(
        of("sc-set-gpt0(x) 3"),
        "invalid stick table track ID 'sc-set-gpt0(x)'. Expects sc-set-gpt0(<Track ID>)."
    );
}
