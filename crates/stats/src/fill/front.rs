//! Rows of frontends and their listeners.

use super::{CACHE, COMPRESSION, HRSP, TLS, bytes, counted, frames, mode, zeros};
use crate::column::Col;
use crate::row::{Object, Row};
use hawser_balance::traffic::{Event, Traffic};
use hawser_balance::{Counters, Stat};
use hawser_proto::freq::{FreqCtr, now_ms};
use hawser_proto::mux::H2Stats;
use hawser_proto::{Address, FrontendInfo, FrontendStatus, ListenerEvent, ListenerInfo, ListenerState};
use std::sync::atomic::Ordering::Relaxed;

/// A frontend's parts.
#[derive(Debug)]
pub struct Frontend<'a> {
    /// Id of the proxy.
    pub iid: u32,
    /// Limits and rates.
    pub info: &'a FrontendInfo,
    /// Counters.
    pub counters: &'a Counters,
    /// Counters by protocol.
    pub traffic: &'a Traffic,
    /// Counters of HTTP/2 connections.
    pub h2: &'a H2Stats,
    /// Requests per second.
    pub req_rate: &'a FreqCtr,
    /// `mode http`.
    pub http: bool,
    /// It has stopped listening.
    pub stopped: bool,
    /// `maxconn` of the process, which is that of a frontend without its own.
    pub default_maxconn: u32,
}

/// The row of a frontend.
pub fn frontend(f: &Frontend<'_>) -> Row {
    let mut row = Row::new(Object::Frontend, &f.info.name, f.iid, "FRONTEND", 0);
    let status = match f.info.status() {
        _ if f.stopped => "STOP",
        FrontendStatus::Stopped => "STOP",
        FrontendStatus::Paused => "PAUSED",
        FrontendStatus::Open => "OPEN",
    };
    row.set(Col::Status, status);
    row.set(Col::Mode, mode(f.http));
    row.state = if status == "STOP" { "DOWN" } else { "UP" };
    connections(&mut row, f);
    requests(&mut row, f);
    by_protocol(&mut row, f.traffic);
    frames(&mut row, f.h2);
    let own = f.traffic.get(Event::OwnOut);
    bytes(&mut row, f.counters.get(Stat::BytesIn), f.counters.get(Stat::BytesOut), own);
    zeros(&mut row, &TLS);
    row.finish()
}

fn connections(row: &mut Row, f: &Frontend<'_>) {
    let (now, info) = (now_ms(), f.info);
    let own = info.conns.limit();
    row.numbers(&[
        (Col::Scur, info.conns.inside()),
        (Col::Smax, info.conns.peak()),
        (Col::Slim, if own == 0 { f.default_maxconn } else { own }),
        (Col::Rate, info.sess_rate.read(now)),
        (Col::RateMax, info.sess_rate.max()),
        (Col::RateLim, info.max_sess_rate.load(Relaxed)),
        (Col::ConnRate, info.conn_rate.read(now)),
        (Col::ConnRateMax, info.conn_rate.max()),
        (Col::ReqRate, f.req_rate.read(now)),
        (Col::ReqRateMax, f.req_rate.max()),
    ]);
    row.set(Col::ConnTot, info.conns.total());
}

fn requests(row: &mut Row, f: &Frontend<'_>) {
    let t = |event| f.traffic.get(event);
    let sessions = t(Event::SessOther) + t(Event::H1Sess) + t(Event::H2Sess);
    row.numbers(&[
        (Col::Stot, sessions),
        (Col::Ereq, t(Event::FailedReq)),
        (Col::Dcon, t(Event::DeniedConn)),
        (Col::Dses, t(Event::DeniedSess)),
        (Col::ReqTot, t(Event::H1Req) + t(Event::H2Req)),
    ]);
    let columns = [
        (Col::Dreq, Stat::DeniedReq),
        (Col::Dresp, Stat::DeniedResp),
        (Col::Wrew, Stat::FailedRewrites),
        (Col::Eint, Stat::InternalErrors),
    ];
    counted(row, f.counters, &columns);
    zeros(row, &COMPRESSION);
    if f.http {
        counted(row, f.counters, &HRSP);
        row.set(Col::Intercepted, t(Event::Intercepted));
        zeros(row, &CACHE);
    }
}

fn by_protocol(row: &mut Row, t: &Traffic) {
    let columns = [
        (Col::SessOther, Event::SessOther),
        (Col::H1sess, Event::H1Sess),
        (Col::H2sess, Event::H2Sess),
        (Col::ReqOther, Event::ReqOther),
        (Col::H1req, Event::H1Req),
        (Col::H2req, Event::H2Req),
        (Col::H1TotalConns, Event::H1Sess),
        (Col::H1TotalStreams, Event::H1Req),
        (Col::H1BytesIn, Event::H1In),
        (Col::H1BytesOut, Event::H1Out),
        (Col::H1SplicedBytesIn, Event::SplicedIn),
        (Col::H1SplicedBytesOut, Event::SplicedOut),
        (Col::H2TotalConns, Event::H2Sess),
        (Col::H2TotalStreams, Event::H2Req),
    ];
    columns.iter().for_each(|(col, event)| row.set(*col, t.get(*event)));
    row.set(Col::H1OpenConns, t.open(Event::H1Sess, Event::H1Closed));
    row.set(Col::H1OpenStreams, t.open(Event::H1Req, Event::H1ReqDone));
    row.set(Col::H2OpenConns, t.open(Event::H2Sess, Event::H2Closed));
    row.set(Col::H2OpenStreams, t.open(Event::H2Req, Event::H2ReqDone));
    zeros(row, &[Col::H3sess, Col::H3req]);
}

/// The row of a listener (`option socket-stats`); operators see its address.
pub fn listener(l: &ListenerInfo, iid: u32, http: bool, address: bool) -> Row {
    let mut row = Row::new(Object::Listener, &l.frontend.name, iid, &l.name, l.id);
    let status = match l.state() {
        ListenerState::Full => "FULL",
        ListenerState::Limited => "WAITING",
        ListenerState::Paused => "PAUSED",
        _ => "OPEN",
    };
    row.set(Col::Status, status);
    row.state = status;
    row.set(Col::Mode, mode(http));
    row.set(Col::Proto, l.protocol);
    if address {
        row.set(Col::Addr, shown(&l.addr));
    }
    let limits = [(Col::Scur, l.conns.inside()), (Col::Smax, l.conns.peak()), (Col::Slim, l.conns.limit())];
    row.numbers(&limits);
    row.set(Col::ConnTot, l.conns.total());
    let counts = [
        (Col::Stot, ListenerEvent::Session),
        (Col::Dreq, ListenerEvent::DeniedReq),
        (Col::Dresp, ListenerEvent::DeniedResp),
        (Col::Ereq, ListenerEvent::FailedReq),
        (Col::Dcon, ListenerEvent::DeniedConn),
        (Col::Dses, ListenerEvent::DeniedSess),
        (Col::Wrew, ListenerEvent::FailedRewrite),
        (Col::Eint, ListenerEvent::InternalError),
    ];
    counts.iter().for_each(|(col, event)| row.set(*col, l.counts.get(*event)));
    bytes(&mut row, l.bytes_in.load(Relaxed), l.bytes_out.load(Relaxed), 0);
    zeros(&mut row, &TLS);
    row.finish()
}

/// An address as the statistics show it: paths are nobody's business.
pub(super) fn shown(addr: &Address) -> String {
    match addr {
        Address::Ip(a) => a.to_string(),
        Address::Unknown => "unknown".into(),
        _ => "unix".into(),
    }
}
