//! What cells tell when one points at them, and how they read rows.

use super::text::{Grouped, Limit, percent};
use crate::column::Col;
use crate::row::Row;
use std::fmt::Display;

/// A line of details: what it is, its value, and what follows that.
pub(super) type Detail = (&'static str, String, String);

pub(super) fn detail(label: &'static str, value: impl Display) -> Detail {
    (label, value.to_string(), String::new())
}

pub(super) fn share(label: &'static str, part: u64, whole: u64) -> Detail {
    (label, Grouped(part).to_string(), format!("({}%)", percent(part, whole)))
}

/// Classes of statuses, with their columns.
const CLASSES: [(&str, Col); 6] = [
    ("- HTTP 1xx responses:", Col::Hrsp1xx),
    ("- HTTP 2xx responses:", Col::Hrsp2xx),
    ("- HTTP 3xx responses:", Col::Hrsp3xx),
    ("- HTTP 4xx responses:", Col::Hrsp4xx),
    ("- HTTP 5xx responses:", Col::Hrsp5xx),
    ("- other responses:", Col::HrspOther),
];

pub(super) fn num(row: &Row, col: Col) -> u64 {
    row.number(col).unwrap_or(0)
}

pub(super) fn signed(row: &Row, col: Col) -> i64 {
    row.signed(col).unwrap_or(0)
}

pub(super) fn text(row: &Row, col: Col) -> &str {
    row.text(col)
}

pub(super) fn is_http(row: &Row) -> bool {
    text(row, Col::Mode) == "http"
}

pub(super) fn frontend_sessions(row: &Row) -> Vec<Detail> {
    let n = |label, col| detail(label, Grouped(num(row, col)));
    let mut all = vec![n("Cum. connections:", Col::ConnTot), n("Cum. sessions:", Col::Stot)];
    if !is_http(row) {
        return all;
    }
    all.extend([
        n("- HTTP/1 sessions:", Col::H1sess),
        n("- HTTP/2 sessions:", Col::H2sess),
        n("- HTTP/3 sessions:", Col::H3sess),
        n("- other sessions:", Col::SessOther),
        n("Cum. HTTP requests:", Col::ReqTot),
        n("- HTTP/1 requests:", Col::H1req),
        n("- HTTP/2 requests:", Col::H2req),
        n("- HTTP/3 requests:", Col::H3req),
        n("- other requests:", Col::ReqOther),
    ]);
    all.extend(responses(row));
    all.push(n("Intercepted requests:", Col::Intercepted));
    all.extend(cache_and_errors(row));
    all
}

/// Responses of a proxy by class, and how many were compressed.
fn responses(row: &Row) -> Vec<Detail> {
    let n = |(label, col): (&'static str, Col)| detail(label, Grouped(num(row, col)));
    let mut all: Vec<Detail> = CLASSES.into_iter().map(n).collect();
    let compressed = share("&nbsp;&nbsp;Compressed 2xx:", num(row, Col::CompRsp), num(row, Col::Hrsp2xx));
    all.insert(2, compressed);
    all
}

fn cache_and_errors(row: &Row) -> [Detail; 4] {
    let n = |label, col| detail(label, Grouped(num(row, col)));
    [
        n("Cache lookups:", Col::CacheLookups),
        share("Cache hits:", num(row, Col::CacheHits), num(row, Col::CacheLookups)),
        n("Failed hdr rewrites:", Col::Wrew),
        n("Internal errors:", Col::Eint),
    ]
}

pub(super) fn server_connections(row: &Row) -> Vec<Detail> {
    let n = |label, col| detail(label, Grouped(num(row, col)));
    let idle_limit =
        row.get(Col::SrcIlim).map_or("-".into(), |_| Grouped(num(row, Col::SrcIlim)).to_string());
    vec![
        n("Current active connections:", Col::Scur),
        n("Current used connections:", Col::UsedConnCur),
        n("Current idle connections:", Col::SrvIcur),
        n("- unsafe:", Col::IdleConnCur),
        n("- safe:", Col::SafeConnCur),
        n("Estimated need of connections:", Col::NeedConnEst),
        n("Private idle connections:", Col::PrivIdleCur),
        detail("Active connections limit:", Limit(num(row, Col::Slim))),
        detail("Idle connections limit:", idle_limit),
    ]
}

fn connections(row: &Row) -> [Detail; 2] {
    let (new, reused) = (num(row, Col::Connect), num(row, Col::Reuse));
    [detail("New connections:", Grouped(new)), share("Reused connections:", reused, new + reused)]
}

pub(super) fn server_sessions(row: &Row) -> Vec<Detail> {
    let n = |label, col| detail(label, Grouped(num(row, col)));
    let mut all = vec![n("Cum. sessions:", Col::Stot)];
    if is_http(row) {
        all.extend(connections(row));
        all.push(n("Cum. HTTP requests:", Col::ReqTot));
        let total = num(row, Col::ReqTot);
        all.extend(CLASSES.map(|(label, col)| share(label, num(row, col), total)));
        all.extend([n("Failed hdr rewrites:", Col::Wrew), n("Internal error:", Col::Eint)]);
    }
    all.extend(times(row));
    all
}

pub(super) fn backend_sessions(row: &Row) -> Vec<Detail> {
    let n = |label, col| detail(label, Grouped(num(row, col)));
    let mut all = vec![n("Cum. sessions:", Col::Stot)];
    if is_http(row) {
        all.extend(connections(row));
        all.push(n("Cum. HTTP requests:", Col::ReqTot));
        all.extend(responses(row));
        all.extend(cache_and_errors(row));
    }
    all.extend(times(row));
    all
}

fn times(row: &Row) -> Vec<Detail> {
    let mut all = vec![("Max / Avg over last 1024 success. conn.", String::new(), String::new())];
    let columns = [
        ("- Queue time:", Col::QtimeMax, Col::Qtime),
        ("- Connect time:", Col::CtimeMax, Col::Ctime),
        ("- Responses time:", Col::RtimeMax, Col::Rtime),
        ("- Total time:", Col::TtimeMax, Col::Ttime),
    ];
    for (label, most, average) in columns {
        if average != Col::Rtime || is_http(row) {
            let value = format!("{} / {}", Grouped(num(row, most)), Grouped(num(row, average)));
            all.push((label, value, "ms".into()));
        }
    }
    all
}
