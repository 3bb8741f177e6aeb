//! The table of all actions.

use super::{
    addr, attach, capture, flow, header, headers_bin, normalize, redirect, reply, service, start_line,
    stream, track, vars,
};
use crate::row::{Row, Sets, action, later};
use crate::txn::RuleSet;
use hawser_cfg::keyword::ActionRow;

const MAPS: &str = "maps and ACLs that rules change";
const LUA: &str = "Lua";

/// All actions. The order is that in which HAProxy's messages list them.
#[rustfmt::skip]
pub static ACTIONS: &[Row] = &[
    // Outside of HAProxy's lists: other places of its messages name these.
    action("accept",              Sets::TCP,          flow::allow,            "Lets the connection pass and skips the rest of the rule set.").unlisted(Sets::TCP),
    action("close",               Sets::TCP_RES_CONT, flow::close,            "Closes the connection to the server.").unlisted(Sets::TCP),
    action("expect-proxy",        Sets::TCP_REQ_CONN, flow::expect_proxy,     "Expects a PROXY protocol header on the connection.").unlisted(Sets::TCP),
    action("expect-netscaler-cip", Sets::TCP_REQ_CONN, flow::expect_cip,      "Expects a NetScaler CIP header on the connection.").unlisted(Sets::TCP),
    later("lua.",                 Sets::TCP_REQ.or(Sets::TCP_RES_CONT).or(Sets::HTTP_ALL), LUA, "Runs an action registered by Lua.").prefix().unlisted(Sets::TCP.or(Sets::HTTP_ALL)),

    action("wait-for-handshake",  Sets::HTTP_REQ,     flow::wait_for_handshake, "Waits for the end of the TLS handshake.").no_effect("requests are read only once the handshake is over"),
    action("set-retries",         Sets::CONTENT_REQ,  stream::set_retries,    "Sets the number of connection retries of this stream."),
    action("set-log-level",       Sets::CONTENT.or(Sets::HTTP_AFTER), stream::set_log_level, "Sets the level of this stream's log line, or silences it."),
    action("set-nice",            Sets::CONTENT,      flow::set_nice,         "Sets the scheduling priority of this stream.").no_effect("streams are scheduled fairly; there is no niceness to set"),
    action("switch-mode",         Sets::TCP_REQ_CONT, flow::switch_mode,      "Goes on with this connection in HTTP mode."),
    action("use-service",         Sets::CONTENT_REQ,  service::use_service,   "Lets an internal service answer."),
    action("sc-add-gpc",          Sets::TCP.or(Sets::HTTP_ALL), track::add_gpc,   "Adds to a general purpose counter of a tracked entry.").prefix(),
    action("sc-inc-gpc",          Sets::TCP.or(Sets::HTTP_ALL), track::inc_gpc,   "Increments a general purpose counter of a tracked entry.").prefix(),
    action("sc-inc-gpc0",         Sets::TCP.or(Sets::HTTP_ALL), track::inc_gpc0,  "Increments the first general purpose counter of a tracked entry.").prefix(),
    action("sc-inc-gpc1",         Sets::TCP.or(Sets::HTTP_ALL), track::inc_gpc1,  "Increments the second general purpose counter of a tracked entry.").prefix(),
    action("sc-set-gpt",          Sets::TCP.or(Sets::HTTP_ALL), track::set_gpt,   "Sets a general purpose tag of a tracked entry.").prefix(),
    action("sc-set-gpt0",         Sets::TCP.or(Sets::HTTP_ALL), track::set_gpt0,  "Sets the first general purpose tag of a tracked entry.").prefix(),
    later("do-resolve",           Sets::CONTENT_REQ,  "DNS resolvers",        "Resolves a name into a variable.").prefix(),
    later("cache-use",            Sets::HTTP_REQ,     "the cache",            "Answers from the cache if it can."),
    later("cache-store",          Sets::HTTP_RES,     "the cache",            "Stores the response in the cache."),
    later("send-spoe-group",      Sets::CONTENT,      "SPOE",                 "Sends a group of SPOE messages."),
    later("add-acl",              Sets::HTTP,         MAPS,                   "Adds an entry to an ACL.").prefix(),
    action("add-header",          Sets::HTTP_ALL,     header::add_header,     "Appends a header field."),
    action("add-headers-bin",     Sets::HTTP_ALL,     headers_bin::add,       "Appends header fields from a binary sample."),
    action("allow",               Sets::HTTP_ALL,     flow::allow,            "Lets the message pass and skips the rest of the rule set."),
    action("auth",                Sets::HTTP_REQ,     reply::auth,            "Asks the client for a user name and a password."),
    action("capture",             Sets::HTTP_ALL,     capture::http_capture,  "Captures a sample for the log."),
    action("capture",             Sets::TCP_REQ,      capture::tcp_capture,   "Captures a sample for the log.").unlisted(Sets::TCP),
    later("del-acl",              Sets::HTTP_ALL,     MAPS,                   "Deletes an entry of an ACL.").prefix(),
    action("del-header",          Sets::HTTP_ALL,     header::del_header,     "Removes header fields by name."),
    action("del-headers-bin",     Sets::HTTP_ALL,     headers_bin::del,       "Removes header fields named by a binary sample."),
    later("del-map",              Sets::HTTP_ALL,     MAPS,                   "Deletes an entry of a map.").prefix(),
    action("deny",                Sets::HTTP,         reply::deny,            "Refuses the message with an error reply."),
    action("disable-l7-retry",    Sets::HTTP_REQ,     flow::disable_l7_retry, "Keeps a failed request from being sent again."),
    later("do-log",               Sets::HTTP_ALL,     "log profiles",         "Writes a log line at once."),
    action("early-hint",          Sets::HTTP_REQ,     header::early_hint,     "Adds a field to a 103 Early Hints response."),
    action("normalize-uri",       Sets::HTTP_REQ,     normalize::parse,       "Normalizes the URI.").experimental(),
    action("pause",               Sets::HTTP,         flow::pause,            "Suspends the message for some time."),
    action("redirect",            Sets::HTTP,         redirect::parse,        "Answers with a redirection."),
    action("reject",              Sets::TCP.or(Sets::HTTP_REQ), flow::reject, "Closes the connection without a response.").unlisted(Sets::TCP),
    action("replace-header",      Sets::HTTP_ALL,     header::replace_header, "Rewrites whole values of header fields by a regular expression."),
    action("replace-path",        Sets::HTTP_REQ,     start_line::replace_path,  "Rewrites the path by a regular expression."),
    action("replace-pathq",       Sets::HTTP_REQ,     start_line::replace_pathq, "Rewrites path and query by a regular expression."),
    action("replace-uri",         Sets::HTTP_REQ,     start_line::replace_uri,   "Rewrites the URI by a regular expression."),
    action("replace-value",       Sets::HTTP_ALL,     header::replace_value,  "Rewrites comma-separated values of header fields by a regular expression."),
    action("return",              Sets::HTTP,         reply::returns,         "Answers with a response described by the rule."),
    action("set-header",          Sets::HTTP_ALL,     header::set_header,     "Sets a header field."),
    action("set-headers-bin",     Sets::HTTP_ALL,     headers_bin::set,       "Sets header fields from a binary sample."),
    later("set-map",              Sets::HTTP_ALL,     MAPS,                   "Sets an entry of a map.").prefix(),
    action("set-method",          Sets::HTTP_REQ,     start_line::set_method, "Sets the method."),
    action("set-path",            Sets::HTTP_REQ,     start_line::set_path,   "Sets the path."),
    action("set-pathq",           Sets::HTTP_REQ,     start_line::set_pathq,  "Sets path and query."),
    action("set-query",           Sets::HTTP_REQ,     start_line::set_query,  "Sets the query."),
    action("set-uri",             Sets::HTTP_REQ,     start_line::set_uri,    "Sets the whole URI."),
    action("set-status",          Sets::HTTP_RES.or(Sets::HTTP_AFTER), start_line::set_status, "Sets the status of the response."),
    action("strict-mode",         Sets::HTTP_ALL,     flow::strict_mode,      "Says whether failed rewrites are errors."),
    action("tarpit",              Sets::HTTP_REQ,     reply::tarpit,          "Refuses the request after a delay."),
    action("track-sc",            Sets::TCP_REQ.or(Sets::HTTP), track::track_sc,  "Tracks an entry of a stick table.").prefix().unlisted(Sets::TCP),
    action("set-timeout",         Sets::HTTP,         stream::set_timeout,    "Sets a timeout of this stream."),
    action("wait-for-body",       Sets::HTTP,         flow::wait_for_body,    "Waits until the body, or enough of it, has come."),
    action("set-var-fmt",         Sets::TCP.or(Sets::HTTP_ALL), vars::set_var_fmt, "Sets a variable to a formatted string.").prefix(),
    action("set-var",             Sets::TCP.or(Sets::HTTP_ALL), vars::set_var,     "Sets a variable to a sample.").prefix(),
    action("unset-var",           Sets::TCP.or(Sets::HTTP_ALL), vars::unset_var,   "Unsets a variable.").prefix(),
    action("attach-srv",          Sets::TCP_REQ_SESS, attach::attach_srv,     "Turns the connection around and gives it to a server.").experimental(),
    later("do-log",               Sets::TCP,          "log profiles",         "Writes a log line at once."),
    action("set-bc-mark",         Sets::CONTENT_REQ,  stream::set_bc_mark,    "Sets the mark of packets to the server."),
    action("set-bc-tos",          Sets::CONTENT_REQ,  stream::set_bc_tos,     "Sets the TOS field of packets to the server."),
    action("set-dst",             Sets::TCP_REQ.or(Sets::HTTP_REQ), addr::set_dst,      "Sets the destination address."),
    action("set-dst-port",        Sets::TCP_REQ.or(Sets::HTTP_REQ), addr::set_dst_port, "Sets the destination port."),
    action("set-fc-mark",         Sets::TCP.or(Sets::HTTP), stream::set_fc_mark, "Sets the mark of packets to the client."),
    action("set-fc-tos",          Sets::TCP.or(Sets::HTTP), stream::set_fc_tos,  "Sets the TOS field of packets to the client."),
    action("set-mark",            Sets::TCP.or(Sets::HTTP), stream::set_fc_mark, "Sets the mark of packets to the client (set-fc-mark)."),
    action("set-src",             Sets::TCP_REQ.or(Sets::HTTP_REQ), addr::set_src,      "Sets the source address."),
    action("set-src-port",        Sets::TCP_REQ.or(Sets::HTTP_REQ), addr::set_src_port, "Sets the source port."),
    action("set-tos",             Sets::TCP.or(Sets::HTTP), stream::set_fc_tos,  "Sets the TOS field of packets to the client (set-fc-tos)."),
    action("silent-drop",         Sets::TCP.or(Sets::HTTP), flow::silent_drop,   "Makes the client's connection disappear."),
    later("set-bandwidth-limit",  Sets::CONTENT,      "bandwidth limits",     "Enables a bandwidth limitation filter."),
    action("set-priority-class",  Sets::CONTENT_REQ,  stream::set_priority_class,  "Sets the priority class of the request in queues."),
    action("set-priority-offset", Sets::CONTENT_REQ,  stream::set_priority_offset, "Sets the time offset of the request in queues."),
];

/// What `-dKcfg` and the table of supported keywords show: an action once for each of its rule sets. `all` adds those
/// that HAProxy's own list leaves out.
pub fn rows(all: bool) -> impl Iterator<Item = ActionRow<'static>> {
    let shown = move |r: &&Row, set| if all { r.sets.has(set) } else { r.listed().has(set) };
    RuleSet::ALL.into_iter().flat_map(move |set| {
        let rows = ACTIONS.iter().filter(move |r| shown(r, set));
        rows.map(move |r| ActionRow { rule_set: set.keyword(), meta: &r.meta })
    })
}

/// The actions of a rule set as HAProxy's messages list them.
pub(crate) fn list(set: RuleSet) -> String {
    let mut out = String::from(match set {
        RuleSet::TcpReqConn | RuleSet::TcpReqSess | RuleSet::TcpReqCont => {
            "'accept', 'reject', 'capture', 'expect-proxy', 'expect-netscaler-cip', 'track-sc0' ... 'track-sc2'"
        }
        RuleSet::TcpResCont => "'accept', 'close', 'reject'",
        RuleSet::HttpReq | RuleSet::HttpRes | RuleSet::HttpAfterRes => "",
    });
    for row in ACTIONS.iter().filter(|r| r.listed().has(set)) {
        let comma = if out.is_empty() { "" } else { ", " };
        let any = if row.meta.prefix { "(*)" } else { "" };
        out.push_str(&format!("{comma}'{}{any}'", row.meta.name));
    }
    out
}

#[cfg(test)]
mod tests;
