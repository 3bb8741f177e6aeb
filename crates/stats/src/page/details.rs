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

/// Lines that tell columns as they are.
type Counts<'a> = &'a [(&'static str, Col)];

fn counts(row: &Row, columns: Counts<'_>) -> impl Iterator<Item = Detail> {
    columns.iter().map(|(label, col)| detail(label, Grouped(num(row, *col))))
}

/// Connections, sessions and requests of a frontend by protocol.
const BY_PROTOCOL: Counts<'_> = &[
    ("- HTTP/1 sessions:", Col::H1sess),
    ("- HTTP/2 sessions:", Col::H2sess),
    ("- HTTP/3 sessions:", Col::H3sess),
    ("- other sessions:", Col::SessOther),
    ("Cum. HTTP requests:", Col::ReqTot),
    ("- HTTP/1 requests:", Col::H1req),
    ("- HTTP/2 requests:", Col::H2req),
    ("- HTTP/3 requests:", Col::H3req),
    ("- other requests:", Col::ReqOther),
];

/// Connections of a server.
const CONNECTIONS: Counts<'_> = &[
    ("Current active connections:", Col::Scur),
    ("Current used connections:", Col::UsedConnCur),
    ("Current idle connections:", Col::SrvIcur),
    ("- unsafe:", Col::IdleConnCur),
    ("- safe:", Col::SafeConnCur),
    ("Estimated need of connections:", Col::NeedConnEst),
    ("Private idle connections:", Col::PrivIdleCur),
];

const SESSIONS: Counts<'_> = &[("Cum. sessions:", Col::Stot)];
const REQUESTS: Counts<'_> = &[("Cum. HTTP requests:", Col::ReqTot)];
/// Of proxies.
const ERRORS: Counts<'_> = &[("Failed hdr rewrites:", Col::Wrew), ("Internal errors:", Col::Eint)];
/// Of servers.
const ERROR: Counts<'_> = &[("Failed hdr rewrites:", Col::Wrew), ("Internal error:", Col::Eint)];

pub(super) fn frontend_sessions(row: &Row) -> Vec<Detail> {
    let mut all = Vec::new();
    all.extend(counts(row, &[("Cum. connections:", Col::ConnTot)]));
    all.extend(counts(row, SESSIONS));
    if is_http(row) {
        all.extend(counts(row, BY_PROTOCOL));
        all.extend(responses(row));
        all.extend(counts(row, &[("Intercepted requests:", Col::Intercepted)]));
        all.extend(cache(row));
        all.extend(counts(row, ERRORS));
    }
    all
}

/// Responses of a proxy by class, and how many were compressed.
fn responses(row: &Row) -> Vec<Detail> {
    let mut all: Vec<Detail> = counts(row, &CLASSES).collect();
    let compressed = share("&nbsp;&nbsp;Compressed 2xx:", num(row, Col::CompRsp), num(row, Col::Hrsp2xx));
    all.insert(2, compressed);
    all
}

fn cache(row: &Row) -> [Detail; 2] {
    let lookups = num(row, Col::CacheLookups);
    [detail("Cache lookups:", Grouped(lookups)), share("Cache hits:", num(row, Col::CacheHits), lookups)]
}

pub(super) fn server_connections(row: &Row) -> Vec<Detail> {
    let mut all: Vec<Detail> = counts(row, CONNECTIONS).collect();
    all.push(detail("Active connections limit:", Limit(num(row, Col::Slim))));
    all.push(match row.number(Col::SrcIlim) {
        Some(n) => detail("Idle connections limit:", Grouped(n)),
        None => detail("Idle connections limit:", "-"),
    });
    all
}

/// Sessions of a server or a backend, and over which connections they went.
fn sessions(row: &Row) -> Vec<Detail> {
    let mut all: Vec<Detail> = counts(row, SESSIONS).collect();
    if is_http(row) {
        let (new, reused) = (num(row, Col::Connect), num(row, Col::Reuse));
        all.push(detail("New connections:", Grouped(new)));
        all.push(share("Reused connections:", reused, new + reused));
        all.extend(counts(row, REQUESTS));
    }
    all
}

pub(super) fn server_sessions(row: &Row) -> Vec<Detail> {
    let mut all = sessions(row);
    if is_http(row) {
        let total = num(row, Col::ReqTot);
        all.extend(CLASSES.map(|(label, col)| share(label, num(row, col), total)));
        all.extend(counts(row, ERROR));
    }
    all.extend(times(row));
    all
}

pub(super) fn backend_sessions(row: &Row) -> Vec<Detail> {
    let mut all = sessions(row);
    if is_http(row) {
        all.extend(responses(row));
        all.extend(cache(row));
        all.extend(counts(row, ERRORS));
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
