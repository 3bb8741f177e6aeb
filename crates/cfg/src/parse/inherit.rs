//! What a proxy takes from its `defaults` section (manual chapter 4).

use crate::model::{Proxy, ProxyKind, StatsPage};

/// A proxy of that kind with the settings of `defaults`. Listeners, servers, conditions and rules are not
/// inherited; settings of a side that the proxy does not have are left out.
pub(crate) fn proxy(defaults: &Proxy, kind: ProxyKind) -> Proxy {
    let d = defaults;
    let mut p = Proxy {
        kind,
        mode: d.mode,
        disabled: d.disabled,
        timeouts: d.timeouts,
        options: d.options,
        conn_mode: d.conn_mode,
        errors: d.errors.clone(),
        logs: d.logs.clone(),
        log_tag: d.log_tag.clone(),
        unique_id_format: d.unique_id_format.clone(),
        forwardfor: d.forwardfor.clone(),
        originalto: d.originalto.clone(),
        restrict_req_hdr_names: d.restrict_req_hdr_names.clone(),
        req_inspect_delay: d.req_inspect_delay,
        stats: d.stats.clone().map(|s| Box::new(StatsPage { inherited: true, ..*s })),
        ..Proxy::default()
    };
    if kind.is_fe() {
        frontend(d, &mut p);
    } else {
        let t = &mut p.timeouts;
        (t.client, t.client_fin, t.client_hs) = (None, None, None);
    }
    if kind.is_be() {
        backend(d, &mut p);
    } else {
        let t = &mut p.timeouts;
        (t.check, t.connect, t.queue, t.server, t.server_fin, t.tunnel) =
            (None, None, None, None, None, None);
    }
    p
}

/// Settings of the frontend side.
fn frontend(d: &Proxy, p: &mut Proxy) {
    p.maxconn = d.maxconn;
    p.backlog = d.backlog;
    p.rate_limit_sessions = d.rate_limit_sessions;
    p.default_backend.clone_from(&d.default_backend);
    p.log_format.clone_from(&d.log_format);
    p.log_format_pos = d.log_format_pos;
    p.error_log_format.clone_from(&d.error_log_format);
    p.log_format_sd.clone_from(&d.log_format_sd);
    p.unique_id_header.clone_from(&d.unique_id_header);
    p.monitor_uri.clone_from(&d.monitor_uri);
    p.max_session_srv_conns = d.max_session_srv_conns;
    p.clitcpka = d.clitcpka;
}

/// Settings of the backend side.
fn backend(d: &Proxy, p: &mut Proxy) {
    p.fullconn = d.fullconn;
    p.reuse = d.reuse;
    p.retries = d.retries;
    p.redispatch = d.redispatch;
    p.retry_on.clone_from(&d.retry_on);
    p.balance.clone_from(&d.balance);
    p.hash_type.clone_from(&d.hash_type);
    p.hash_balance_factor = d.hash_balance_factor;
    p.source.clone_from(&d.source);
    p.cookie.clone_from(&d.cookie);
    p.dynamic_cookie_key.clone_from(&d.dynamic_cookie_key);
    p.check_kind = d.check_kind.clone();
    p.check_rules.clone_from(&d.check_rules);
    p.srvtcpka = d.srvtcpka;
    p.max_keep_alive_queue = d.max_keep_alive_queue;
    p.forwarded.clone_from(&d.forwarded);
    p.send_name_header.clone_from(&d.send_name_header);
    p.load_server_state = d.load_server_state;
    p.res_inspect_delay = d.res_inspect_delay;
}

/// A `defaults` section that starts from another one.
pub(crate) fn defaults(from: &Proxy) -> Proxy {
    // Rules cannot be inherited this way, and conditions are of no use without them.
    Proxy { acls: Vec::new(), rules: crate::model::RuleLines::default(), default_rules: None, ..from.clone() }
}
