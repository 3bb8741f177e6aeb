//! What rows are made of: each object's counters, in its columns.

mod back;
mod front;

pub use back::{Backend, Server, backend, server};
pub use front::{Frontend, frontend, listener};

use crate::column::Col;
use crate::row::Row;
use hawser_balance::{Counters, Ms, Stat, Timer};
use hawser_proto::mux::{H2Event, H2Stats};

/// The columns of responses by class.
const HRSP: [(Col, Stat); 6] = [
    (Col::Hrsp1xx, Stat::Hrsp1xx),
    (Col::Hrsp2xx, Stat::Hrsp2xx),
    (Col::Hrsp3xx, Stat::Hrsp3xx),
    (Col::Hrsp4xx, Stat::Hrsp4xx),
    (Col::Hrsp5xx, Stat::Hrsp5xx),
    (Col::HrspOther, Stat::HrspOther),
];

fn counted(row: &mut Row, c: &Counters, columns: &[(Col, Stat)]) {
    columns.iter().for_each(|(col, stat)| row.set(*col, c.get(*stat)));
}

/// Frames and errors of HTTP/2.
fn frames(row: &mut Row, h2: &H2Stats) {
    let columns = [
        (Col::H2HeadersRcvd, H2Event::Headers),
        (Col::H2DataRcvd, H2Event::Data),
        (Col::H2SettingsRcvd, H2Event::Settings),
        (Col::H2RstStreamRcvd, H2Event::Reset),
        (Col::H2GoawayRcvd, H2Event::Goaway),
        (Col::H2ConnErrors, H2Event::ConnError),
        (Col::H2StrmErrors, H2Event::StreamError),
        (Col::H2RstStreamResp, H2Event::ResetSent),
        (Col::H2GoawayResp, H2Event::GoawaySent),
    ];
    columns.iter().for_each(|(col, event)| row.set(*col, h2.get(*event)));
}

/// Columns that stand for something Hawser does not do yet: what never happened was counted right.
fn zeros(row: &mut Row, columns: &[Col]) {
    columns.iter().for_each(|col| row.set(*col, 0_u64));
}

const TLS: [Col; 5] =
    [Col::SslSess, Col::SslReusedSess, Col::SslFailedHandshake, Col::SslOcspStaple, Col::SslFailedOcspStaple];

const COMPRESSION: [Col; 4] = [Col::CompIn, Col::CompOut, Col::CompByp, Col::CompRsp];

const CACHE: [Col; 2] = [Col::CacheLookups, Col::CacheHits];

fn timers(row: &mut Row, c: &Counters) {
    use Timer::{Connect, Queue, Response, Total};
    let columns = [
        (Col::Qtime, Col::QtimeMax, Queue),
        (Col::Ctime, Col::CtimeMax, Connect),
        (Col::Rtime, Col::RtimeMax, Response),
        (Col::Ttime, Col::TtimeMax, Total),
    ];
    for (average, maximum, timer) in columns {
        row.set(average, c.average(timer));
        row.set(maximum, c.maximum(timer));
    }
}

/// Bytes of both directions. What crosses the proxy is counted once, on the client's side; `own` is what the proxy
/// answered by itself.
fn bytes(row: &mut Row, bytes_in: u64, bytes_out: u64, own: u64) {
    let columns = [
        (Col::Bin, bytes_in),
        (Col::Bout, bytes_out),
        (Col::Reqbin, bytes_in),
        (Col::Reqbout, bytes_in),
        (Col::Resbin, bytes_out),
        (Col::Resbout, bytes_out + own),
    ];
    row.numbers(&columns);
}

/// Whole seconds since a moment.
fn seconds(now: Ms, since: Ms) -> u32 {
    whole(now.saturating_sub(since))
}

/// Milliseconds as whole seconds.
fn whole(ms: u64) -> u32 {
    u32::try_from(ms / 1000).unwrap_or(u32::MAX)
}

/// `lastsess`.
fn last_session(now: Ms, last: Option<Ms>) -> i32 {
    last.map_or(-1, |at| i32::try_from(seconds(now, at)).unwrap_or(i32::MAX))
}

fn mode(http: bool) -> &'static str {
    if http { "http" } else { "tcp" }
}
