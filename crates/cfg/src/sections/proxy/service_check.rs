//! Health checks that speak the protocol of a service (manual 4.2 `option mysql-check` and relatives).

use crate::model::{CheckKind, MysqlDialect, MysqlLogin, Proxy, ServiceCheck};
use crate::parse::ctx::Ctx;
use crate::parse::line::Line;

fn set(cx: &mut Ctx<'_>, p: &mut Proxy, check: ServiceCheck) {
    if cx.st.kind.is_be() {
        super::rules::own_checks(cx, p);
        p.check_kind = CheckKind::Service(check);
    }
}

fn plain(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>, check: ServiceCheck) {
    if cx.at_most(line, 0) {
        set(cx, p, check);
    }
}

pub(crate) fn ldap(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    plain(cx, p, line, ServiceCheck::Ldap);
}

pub(crate) fn redis(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    plain(cx, p, line, ServiceCheck::Redis);
}

pub(crate) fn spop(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    plain(cx, p, line, ServiceCheck::Spop);
}

pub(crate) fn ssl_hello(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    plain(cx, p, line, ServiceCheck::Tls);
}

/// `smtpchk [HELO|EHLO <domain>]`. Another command is as good as none.
pub(crate) fn smtp(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    if !cx.at_most(line, 2) {
        return;
    }
    let hello = match (line.arg(0), line.arg(1)) {
        (command @ ("HELO" | "EHLO"), domain) if !domain.is_empty() => format!("{command} {domain}"),
        _ => "HELO localhost".to_owned(),
    };
    set(cx, p, ServiceCheck::Smtp(hello));
}

/// `pgsql-check user <username>`.
pub(crate) fn pgsql(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    if line.len() < 2 {
        cx.alert(line, "'option pgsql-check' expects 'user <username>' as argument.");
    } else if line.arg(0) != "user" {
        cx.alert_arg(line, 0, "'option pgsql-check' only supports optional values: 'user'.");
    } else if cx.at_most(line, 2) {
        set(cx, p, ServiceCheck::Pgsql(line.arg(1).to_owned()));
    }
}

/// `mysql-check [user <username> [pre-41|post-41|post-80]]`.
pub(crate) fn mysql(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    match (line.len(), line.arg(0)) {
        (0, _) => return set(cx, p, ServiceCheck::Mysql(None)),
        (1, "user") => {
            cx.alert(line, "'option mysql-check user' expects <username> as argument.");
            return;
        }
        (_, "user") => {}
        (_, other) => {
            let text = format!("'option mysql-check' only supports optional values: 'user' (got '{other}').");
            cx.alert_arg(line, 0, text);
            return;
        }
    }
    let dialect = match (line.len(), line.arg(2)) {
        (2, _) | (_, "post-41") => MysqlDialect::Post41,
        (_, "pre-41") => MysqlDialect::Pre41,
        (_, "post-80") => MysqlDialect::Post80,
        (_, other) => {
            let text =
                format!("keyword 'user' only supports 'post-41', 'pre-41' and 'post-80' (got '{other}').");
            cx.alert_arg(line, 2, text);
            return;
        }
    };
    if cx.at_most(line, 3) {
        let login = MysqlLogin { user: line.arg(1).to_owned(), dialect };
        set(cx, p, ServiceCheck::Mysql(Some(login)));
    }
}
