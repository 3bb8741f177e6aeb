//! Rule lines of proxies: kept as words, in the order in which they stand; the crates that own their actions
//! compile them (manual 4.2, 4.3 and 7).

use crate::model::{CheckKind, Proxy, RuleLine};
use crate::parse::ctx::{Ctx, SectKind};
use crate::parse::line::Line;

/// When the rules of a proxy run: a rule that stands below one that runs later still runs before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Rank {
    Session = 1,
    Content,
    MonitorFail,
    HttpRequest,
    Redirect,
    UseBackend,
    UseServer,
}

/// Warns when the proxy already has a rule of a rank above `own`.
fn order(cx: &mut Ctx<'_>, p: &Proxy, line: &Line<'_>, own: u8, name: &str) {
    let later = [
        (Rank::Session, !p.rules.tcp_req_sess.is_empty(), "a 'tcp-request session'"),
        (Rank::Content, !p.rules.tcp_req_cont.is_empty(), "a 'tcp-request content'"),
        (Rank::MonitorFail, !p.monitor_fail.is_empty(), "a 'monitor fail'"),
        (Rank::HttpRequest, !p.rules.http_req.is_empty(), "an 'http-request'"),
        (Rank::Redirect, !cx.st.redirects.is_empty(), "a 'redirect'"),
        (Rank::UseBackend, !p.use_backend.is_empty(), "a 'use_backend'"),
        (Rank::UseServer, !p.use_server.is_empty(), "a 'use-server'"),
    ];
    if let Some((.., what)) = later.into_iter().find(|(rank, present, _)| *present && *rank as u8 > own) {
        cx.warn(line, format!("a '{name}' rule placed after {what} rule will still be processed before."));
    }
}

/// A rule as it is written: its action is looked at where actions are known.
fn rule(cx: &mut Ctx<'_>, line: &Line<'_>) -> RuleLine {
    // Whether they may be used is for their compiler to say; that they are is for the check of the global option.
    cx.st.experimental_used |= matches!(line.arg(0), "normalize-uri" | "attach-srv");
    RuleLine { pos: line.pos, words: line.owned_from(0) }
}

/// `acl <name> <criterion> …`.
pub(crate) fn acl(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    let name = line.arg(0);
    if let Some(c) = super::bad_name_char(name) {
        cx.alert_arg(line, 0, format!("character '{c}' is not permitted in acl name '{name}'."));
        return;
    }
    if matches!(name, "or" | "||") {
        let text = format!(
            "acl name '{name}' will never match. 'or' is used to express a logical disjunction within a condition."
        );
        cx.alert_arg(line, 0, text);
        return;
    }
    if line.len() < 2 {
        let text =
            format!("error detected while parsing ACL '{name}' : missing fetch method in ACL expression ''.");
        cx.alert_arg(line, 0, text);
        return;
    }
    p.acls.push(rule(cx, line));
}

/// `use_backend <name> [if|unless <condition>]`.
pub(crate) fn use_backend(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    let next = line.arg(1);
    if !matches!(next, "" | "if" | "unless") {
        let text =
            format!("unexpected keyword '{next}' after switching rule, only 'if' and 'unless' are allowed.");
        cx.alert_arg(line, 1, text);
        return;
    }
    order(cx, p, line, Rank::UseBackend as u8, "use_backend");
    p.use_backend.push(rule(cx, line));
}

/// `use-server <name> if|unless <condition>`.
pub(crate) fn use_server(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    if conditional(cx, line, 1) {
        p.use_server.push(rule(cx, line));
    }
}

/// `default_backend <name>`.
pub(crate) fn default_backend(_: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    p.default_backend = Some((line.pos, line.owned(0)));
}

/// `redirect …`, which is `http-request redirect` that runs after all other request rules.
pub(crate) fn redirect(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    order(cx, p, line, Rank::Redirect as u8, "redirect");
    cx.st.redirects.push(RuleLine { pos: line.pos, words: line.words().into() });
}

/// `http-request <action> …`.
pub(crate) fn http_request(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    order(cx, p, line, Rank::HttpRequest as u8, "http-request");
    p.rules.http_req.push(rule(cx, line));
}

/// `http-response <action> …`.
pub(crate) fn http_response(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    p.rules.http_res.push(rule(cx, line));
}

/// `http-after-response <action> …`.
pub(crate) fn http_after_response(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    p.rules.http_after_res.push(rule(cx, line));
}

/// `tcp-request connection|session|content|inspect-delay …`.
pub(crate) fn tcp_request(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    let place = place(cx);
    if line.len() == 0 {
        cx.alert(line, format!("missing argument for 'tcp-request' in {place}"));
        return;
    }
    let inner = line.deeper();
    match inner.word() {
        "inspect-delay" => {
            if let Some(ms) = inspect_delay(cx, &inner) {
                p.req_inspect_delay = Some(ms);
            }
        }
        "connection" => {
            if frontend_only(cx, &inner) {
                order(cx, p, line, 0, "tcp-request connection");
                p.rules.tcp_req_conn.push(rule(cx, &inner));
            }
        }
        "session" => {
            if frontend_only(cx, &inner) {
                order(cx, p, line, Rank::Session as u8, "tcp-request session");
                p.rules.tcp_req_sess.push(rule(cx, &inner));
            }
        }
        "content" => {
            if named_defaults(cx, &inner) {
                order(cx, p, line, Rank::Content as u8, "tcp-request content");
                p.rules.tcp_req_cont.push(rule(cx, &inner));
            }
        }
        other => {
            let text = format!(
                "'tcp-request' expects 'inspect-delay', 'connection', or 'content' in {place} (got '{other}')"
            );
            cx.alert_arg(line, 0, text);
            cx.suggest(other, ["inspect-delay", "connection", "session", "content"]);
        }
    }
}

/// `tcp-response content|inspect-delay …`.
pub(crate) fn tcp_response(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    let place = place(cx);
    if line.len() == 0 {
        cx.alert(line, format!("missing argument for 'tcp-response' in {place}"));
        return;
    }
    let inner = line.deeper();
    match inner.word() {
        "inspect-delay" if !cx.st.kind.is_be() => {
            let text = "tcp-response inspect-delay is only allowed in 'backend' sections or 'defaults' section with a name";
            cx.alert(&inner, text);
        }
        "inspect-delay" => {
            if let Some(ms) = inspect_delay(cx, &inner) {
                p.res_inspect_delay = Some(ms);
            }
        }
        "content" => {
            if !cx.st.kind.is_be() {
                let text = "tcp-response content is only allowed in 'backend' sections or 'defaults' section with a name";
                cx.alert(&inner, text);
            } else if named_defaults(cx, &inner) {
                if !p.rules.http_res.is_empty() {
                    let text = "a 'tcp-response content' rule placed after an 'http-response' rule will still be \
                                processed before.";
                    cx.warn(line, text);
                }
                p.rules.tcp_res_cont.push(rule(cx, &inner));
            }
        }
        other => {
            let text =
                format!("'tcp-response' expects 'inspect-delay' or 'content' in {place} (got '{other}')");
            cx.alert_arg(line, 0, text);
            cx.suggest(other, ["inspect-delay", "content"]);
        }
    }
}

fn place(cx: &Ctx<'_>) -> String {
    if cx.st.kind.is_defaults() { "defaults section".into() } else { cx.proxy_name() }
}

fn named_defaults(cx: &mut Ctx<'_>, line: &Line<'_>) -> bool {
    if cx.st.kind == SectKind::Defaults(false) {
        cx.alert(line, format!("{} is not allowed in anonymous 'defaults' sections", line.keyword()));
        return false;
    }
    true
}

fn frontend_only(cx: &mut Ctx<'_>, line: &Line<'_>) -> bool {
    if cx.st.kind.is_fe() {
        return named_defaults(cx, line);
    }
    let text = format!(
        "{} is not allowed because {} is not a frontend",
        line.keyword(),
        cx.proxy_name().replace('\'', "")
    );
    cx.alert(line, text);
    false
}

fn inspect_delay(cx: &mut Ctx<'_>, line: &Line<'_>) -> Option<u32> {
    if !named_defaults(cx, line) {
        return None;
    }
    let (value, place) = (line.arg(0), place(cx));
    let why = match crate::units::parse_time(value, crate::units::TimeUnit::Ms) {
        Ok(ms) if !value.is_empty() => return Some(ms),
        Err(crate::units::UnitError::Unexpected(_, Some(c))) => format!(" (unexpected character '{c}')"),
        _ => String::new(),
    };
    let text = format!("'{}' expects a positive delay in milliseconds, in {place}{why}", line.keyword());
    cx.alert_arg(line, 0, text);
    None
}

/// Whether argument `at` starts a condition; alerts when not.
fn conditional(cx: &mut Ctx<'_>, line: &Line<'_>, at: usize) -> bool {
    if matches!(line.arg(at), "if" | "unless") {
        return true;
    }
    let text = format!("'{}' requires either 'if' or 'unless' followed by a condition.", line.keyword());
    cx.alert_arg(line, at, text);
    false
}

/// `monitor fail if|unless <condition>`.
pub(crate) fn monitor(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    if line.arg(0) != "fail" {
        cx.alert_arg(line, 0, "'monitor' only supports 'fail'.");
        return;
    }
    let inner = line.deeper();
    if conditional(cx, &inner, 0) {
        order(cx, p, line, Rank::MonitorFail as u8, "monitor fail");
        p.monitor_fail.push(rule(cx, &inner));
    }
}

/// `force-persist` and `ignore-persist`.
pub(crate) fn persist_rule(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    if conditional(cx, line, 0) {
        p.persist_rules.push((line.word() == "force-persist", rule(cx, line)));
    }
}

/// `http-check …` and `tcp-check …`, with the keyword as first word.
pub(crate) fn check_rule(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    let (http, known): (bool, &[&str]) = match line.word() {
        "http-check" => (true, &["disable-on-404", "send-state", "comment", "connect", "send", "expect"]),
        _ => (false, &["comment", "connect", "send", "send-lf", "send-binary", "send-binary-lf", "expect"]),
    };
    let action = line.arg(0);
    let var = ["set-var(", "set-var-fmt(", "unset-var("].iter().any(|v| action.starts_with(v));
    if !var && !known.contains(&action) {
        let list = if http {
            "'disable-on-404', 'send-state', 'comment', 'connect', 'send', 'expect'"
        } else {
            "'comment', 'connect', 'send', 'send-binary', 'expect'"
        };
        let text = format!(
            "'{}' only supports {list}, 'set-var-fmt(*)', 'set-var(*)', 'unset-var(*)'. but got '{action}'",
            line.word()
        );
        cx.alert_arg(line, 0, text);
        cx.suggest(action, known.iter().copied());
        return;
    }
    replace_inherited(cx, p, action);
    p.check_rules.push(RuleLine { pos: line.pos, words: line.words().into() });
}

/// A section's own steps take the place of inherited ones. Where none of them is a request, HAProxy would send
/// nothing and find every server down; we keep the request that was inherited.
fn replace_inherited(cx: &mut Ctx<'_>, p: &mut Proxy, action: &str) {
    let requests = ["connect", "send", "send-lf", "send-binary", "send-binary-lf"];
    if matches!(action, "disable-on-404" | "send-state") {
        return;
    }
    if requests.contains(&action)
        && own_checks(cx, p)
        && let CheckKind::Http(request) = &mut p.check_kind
    {
        request.clear();
    }
    if cx.st.once("steps of checks") {
        let own = own_lines(p);
        let is_request = |r: &RuleLine| r.words.get(1).is_some_and(|w| requests.contains(&w.as_str()));
        p.check_rules.retain(|r| own(r) || is_request(r));
    }
}

/// The section says itself what its checks send: forgets the steps that it has from its defaults. True the first
/// time.
pub(crate) fn own_checks(cx: &mut Ctx<'_>, p: &mut Proxy) -> bool {
    let first = cx.st.once("request of checks");
    if first {
        let own = own_lines(p);
        p.check_rules.retain(own);
    }
    first
}

/// Whether a line stands in the section itself.
fn own_lines(p: &Proxy) -> impl Fn(&RuleLine) -> bool + use<> {
    let start = p.pos;
    move |r| r.pos.file == start.file && r.pos.line > start.line
}
