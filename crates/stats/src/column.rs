//! The columns: names, order, types, and what they say (management guide 9.1).
//!
//! Names, order and tags are an interface that tools parse; a column is never moved. Everything that is printed
//! comes from this table.

use Kind::{S32, Str, U32, U64};

/// Type of a column's values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Text.
    Str,
    /// 32 bits.
    U32,
    /// 32 bits with a sign.
    S32,
    /// 64 bits.
    U64,
}

impl Kind {
    /// The word in the typed formats.
    pub fn word(self) -> &'static str {
        match self {
            Str => "str",
            U32 => "u32",
            S32 => "s32",
            U64 => "u64",
        }
    }
}

/// One column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// Origin, nature, scope, persistence: one letter each.
    pub tags: &'static str,
    /// The type of its values.
    pub kind: Kind,
    /// What it says.
    pub help: &'static str,
    /// What it is among the metrics, if it is one.
    pub metric: Option<Metric>,
}

/// A column as a metric.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name, behind what tells the kind of object.
    pub name: &'static str,
    /// The objects that have it, by [`crate::Object::letter`].
    pub of: &'static str,
}

macro_rules! columns {
    (@metric) => { None };
    (@metric $name:literal $of:literal) => { Some(Metric { name: $name, of: $of }) };
    ($($id:ident $name:literal $tags:literal $kind:ident $help:literal $(=> $metric:literal $of:literal)?;)*) => {
        /// A column, by name.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        #[repr(u8)]
        pub enum Col { $(#[doc = $help] $id,)* }

        /// All columns in HAProxy's order; the position is part of the typed formats.
        pub static COLUMNS: &[Column] =
            &[$(Column { name: $name, tags: $tags, kind: $kind, help: $help, metric: columns!(@metric $($metric $of)?) },)*];
    };
}

/// The first column that a module brings and the proxies do not; a column of `-` stands before it in CSV.
pub const FIRST_OF_MODULES: Col = Col::SslSess;

#[rustfmt::skip]
columns! {
    Pxname "pxname" "KNSV" Str "Name of the proxy";
    Svname "svname" "KNSV" Str "FRONTEND, BACKEND, or the name of the server or listener";
    Qcur "qcur" "MGPV" U32 "Requests that wait now" => "current_queue" "BS";
    Qmax "qmax" "MMPV" U32 "Most requests that ever waited" => "max_queue" "BS";
    Scur "scur" "MGPV" U32 "Sessions now" => "current_sessions" "FLBS";
    Smax "smax" "MMPV" U32 "Most sessions there ever were" => "max_sessions" "FLBS";
    Slim "slim" "CLPV" U32 "Limit of sessions: maxconn, or fullconn of a backend" => "limit_sessions" "FLBS";
    Stot "stot" "MCPP" U64 "Sessions so far" => "sessions_total" "FLBS";
    Bin "bin" "MCPP" U64 "Bytes of requests" => "bytes_in_total" "FLBS";
    Bout "bout" "MCPP" U64 "Bytes of responses" => "bytes_out_total" "FLBS";
    Dreq "dreq" "MCPP" U64 "Requests that rules denied" => "requests_denied_total" "FLB";
    Dresp "dresp" "MCPP" U64 "Responses that rules denied" => "responses_denied_total" "FLBS";
    Ereq "ereq" "MCPP" U64 "Invalid or incomplete requests" => "request_errors_total" "FL";
    Econ "econ" "MCPP" U64 "Failed attempts to connect to a server" => "connection_errors_total" "BS";
    Eresp "eresp" "MCPP" U64 "Invalid or broken responses" => "response_errors_total" "BS";
    Wretr "wretr" "MCPP" U64 "Connections tried again" => "retry_warnings_total" "BS";
    Wredis "wredis" "MCPP" U64 "Requests sent to another server after a failure" => "redispatch_warnings_total" "BS";
    Status "status" "SGPV" Str "State of the object" => "status" "FLBS";
    Weight "weight" "MaPV" U32 "Weight in force; of a backend, the sum" => "weight" "BS";
    Act "act" "SGPV" U32 "Active servers; 1 for a server that is one" => "active_servers" "BS";
    Bck "bck" "SGPV" U32 "Backup servers; 1 for a server that is one" => "backup_servers" "BS";
    Chkfail "chkfail" "MCPP" U64 "Checks that failed while the server was up" => "check_failures_total" "S";
    Chkdown "chkdown" "MCPP" U64 "Times that it went down" => "check_up_down_total" "BS";
    Lastchg "lastchg" "MAPP" U32 "Seconds since it last went up or down" => "check_last_change_seconds" "BS";
    Downtime "downtime" "MCPV" U32 "Seconds that it was down in all" => "downtime_seconds_total" "BS";
    Qlimit "qlimit" "CGSV" U32 "Limit of the server's queue (maxqueue)" => "queue_limit" "S";
    Pid "pid" "KGPV" U32 "Number of the worker process, always 1";
    Iid "iid" "KGSV" U32 "Id of the proxy";
    Sid "sid" "KGSV" U32 "Id of the server or listener within the proxy";
    Throttle "throttle" "SGPV" U32 "Share of its weight that slow start allows, percent" => "current_throttle" "S";
    Lbtot "lbtot" "MCPP" U64 "Times that load balancing chose a server" => "loadbalanced_total" "BS";
    Tracked "tracked" "CNSV" Str "The server whose state it follows";
    Type "type" "CGSV" U32 "0 frontend, 1 backend, 2 server, 3 listener";
    Rate "rate" "MRPP" U32 "Sessions in the last second" => "current_session_rate" "FBS";
    RateLim "rate_lim" "CLPV" U32 "Limit of sessions per second" => "limit_session_rate" "F";
    RateMax "rate_max" "MMPV" U32 "Most sessions in one second" => "max_session_rate" "FBS";
    CheckStatus "check_status" "MOPV" Str "Result of the last check" => "check_status" "S";
    CheckCode "check_code" "MOPV" U32 "Status that the last check got" => "check_code" "S";
    CheckDuration "check_duration" "MDPV" U64 "Milliseconds that the last check took" => "check_duration_seconds" "S";
    Hrsp1xx "hrsp_1xx" "MCPP" U64 "Responses with status 1xx" => "http_responses_total" "FBS";
    Hrsp2xx "hrsp_2xx" "MCPP" U64 "Responses with status 2xx" => "http_responses_total" "FBS";
    Hrsp3xx "hrsp_3xx" "MCPP" U64 "Responses with status 3xx" => "http_responses_total" "FBS";
    Hrsp4xx "hrsp_4xx" "MCPP" U64 "Responses with status 4xx" => "http_responses_total" "FBS";
    Hrsp5xx "hrsp_5xx" "MCPP" U64 "Responses with status 5xx" => "http_responses_total" "FBS";
    HrspOther "hrsp_other" "MCPP" U64 "Responses with another status" => "http_responses_total" "FBS";
    Hanafail "hanafail" "MCPP" U64 "Failures that observed traffic showed";
    ReqRate "req_rate" "MRPP" U32 "Requests in the last second";
    ReqRateMax "req_rate_max" "MMPV" U32 "Most requests in one second" => "http_requests_rate_max" "F";
    ReqTot "req_tot" "MCPP" U64 "Requests so far" => "http_requests_total" "FBS";
    CliAbrt "cli_abrt" "MCPP" U64 "Transfers that the client broke off" => "client_aborts_total" "BS";
    SrvAbrt "srv_abrt" "MCPP" U64 "Transfers that the server broke off" => "server_aborts_total" "BS";
    CompIn "comp_in" "MCPP" U64 "Bytes given to compression" => "http_comp_bytes_in_total" "FB";
    CompOut "comp_out" "MCPP" U64 "Bytes that compression made of them" => "http_comp_bytes_out_total" "FB";
    CompByp "comp_byp" "MCPP" U64 "Bytes that passed uncompressed because a limit was reached" => "http_comp_bytes_bypassed_total" "FB";
    CompRsp "comp_rsp" "MCPP" U64 "Responses that were compressed" => "http_comp_responses_total" "FB";
    Lastsess "lastsess" "MAPP" S32 "Seconds since the last session, -1 if there was none" => "last_session_seconds" "BS";
    LastChk "last_chk" "MOPV" Str "What the last check got, in words";
    LastAgt "last_agt" "MOPV" Str "What the last agent check got, in words";
    Qtime "qtime" "MaPV" U32 "Average time in queues, ms" => "queue_time_average_seconds" "BS";
    Ctime "ctime" "MaPV" U32 "Average time to connect, ms" => "connect_time_average_seconds" "BS";
    Rtime "rtime" "MaPV" U32 "Average time to respond, ms" => "response_time_average_seconds" "BS";
    Ttime "ttime" "MaPV" U32 "Average time of a session, ms" => "total_time_average_seconds" "BS";
    AgentStatus "agent_status" "MOPV" Str "Result of the last agent check" => "agent_status" "S";
    AgentCode "agent_code" "MOPV" U32 "Unused" => "agent_code" "S";
    AgentDuration "agent_duration" "MDPV" U64 "Milliseconds that the last agent check took" => "agent_duration_seconds" "S";
    CheckDesc "check_desc" "MOPV" Str "Result of the last check, spelled out";
    AgentDesc "agent_desc" "MOPV" Str "Result of the last agent check, spelled out";
    CheckRise "check_rise" "CGSV" U32 "Good checks that bring the server up (rise)";
    CheckFall "check_fall" "CGSV" U32 "Failed checks that take the server down (fall)";
    CheckHealth "check_health" "CGSV" U32 "Health between 0 and rise+fall-1";
    AgentRise "agent_rise" "CGSV" U32 "The same as check_rise, for the agent";
    AgentFall "agent_fall" "CGSV" U32 "The same as check_fall, for the agent";
    AgentHealth "agent_health" "CGSV" U32 "The same as check_health, for the agent";
    Addr "addr" "CGSV" Str "Address, for operators and administrators";
    Cookie "cookie" "CNSV" Str "Value of the server's cookie, or name of the backend's";
    Mode "mode" "CGSV" Str "Mode of the proxy";
    Algo "algo" "CGSV" Str "Load balancing algorithm";
    ConnRate "conn_rate" "MRPP" U32 "Connections in the last second";
    ConnRateMax "conn_rate_max" "MMPV" U32 "Most connections in one second" => "connections_rate_max" "F";
    ConnTot "conn_tot" "MCPP" U64 "Connections so far" => "connections_total" "FL";
    Intercepted "intercepted" "MCPP" U64 "Requests that were answered without a server" => "intercepted_requests_total" "F";
    Dcon "dcon" "MCPP" U64 "Connections that tcp-request connection rules refused" => "denied_connections_total" "FL";
    Dses "dses" "MCPP" U64 "Connections that tcp-request session rules refused" => "denied_sessions_total" "FL";
    Wrew "wrew" "MCPP" U64 "Rewrites that failed" => "failed_header_rewriting_total" "FLBS";
    Connect "connect" "MCPP" U64 "Connections made to servers" => "connection_attempts_total" "BS";
    Reuse "reuse" "MCPP" U64 "Requests sent over a connection that was there" => "connection_reuses_total" "BS";
    CacheLookups "cache_lookups" "MCPP" U64 "Requests looked up in the cache" => "http_cache_lookups_total" "FB";
    CacheHits "cache_hits" "MCPP" U64 "Requests that the cache answered" => "http_cache_hits_total" "FB";
    SrvIcur "srv_icur" "MGPV" U32 "Idle connections that may be shared" => "idle_connections_current" "S";
    SrcIlim "src_ilim" "CLPV" U32 "Limit of idle connections (pool-max-conn)" => "idle_connections_limit" "S";
    QtimeMax "qtime_max" "MMPV" U32 "Longest time in queues, ms" => "max_queue_time_seconds" "BS";
    CtimeMax "ctime_max" "MMPV" U32 "Longest time to connect, ms" => "max_connect_time_seconds" "BS";
    RtimeMax "rtime_max" "MMPV" U32 "Longest time to respond, ms" => "max_response_time_seconds" "BS";
    TtimeMax "ttime_max" "MMPV" U32 "Longest time of a session, ms" => "max_total_time_seconds" "BS";
    Eint "eint" "MCPP" U64 "Internal errors" => "internal_errors_total" "FLBS";
    IdleConnCur "idle_conn_cur" "MGPV" U32 "Idle connections that were never reused" => "unsafe_idle_connections_current" "S";
    SafeConnCur "safe_conn_cur" "MGPV" U32 "Idle connections that were reused" => "safe_idle_connections_current" "S";
    UsedConnCur "used_conn_cur" "MGPV" U32 "Connections in use" => "used_connections_current" "S";
    NeedConnEst "need_conn_est" "MGPV" U32 "Connections that the load is thought to need" => "need_connections_current" "S";
    Uweight "uweight" "MaPV" U32 "Weight before slow start; of a backend, the sum" => "uweight" "BS";
    AggServerStatus "agg_server_status" "MGPV" U32 "Servers by state, for metrics only" => "agg_server_status" "B";
    AggServerCheckStatus "agg_server_check_status" "MGPV" U32 "Older name of agg_server_status" => "agg_server_check_status" "B";
    AggCheckStatus "agg_check_status" "MGPV" U32 "Servers by check result, for metrics only" => "agg_check_status" "B";
    Srid "srid" "MCPV" U32 "Number that tells servers with the same id apart";
    SessOther "sess_other" "MCPV" U64 "Sessions that are not HTTP";
    H1sess "h1sess" "MCPP" U64 "Sessions over HTTP/1";
    H2sess "h2sess" "MCPP" U64 "Sessions over HTTP/2";
    H3sess "h3sess" "MCPP" U64 "Sessions over HTTP/3";
    ReqOther "req_other" "MCPP" U64 "Requests that are not HTTP";
    H1req "h1req" "MCPP" U64 "Requests over HTTP/1";
    H2req "h2req" "MCPP" U64 "Requests over HTTP/2";
    H3req "h3req" "MCPP" U64 "Requests over HTTP/3";
    Proto "proto" "SGPV" Str "Protocol of the listener";
    PrivIdleCur "priv_idle_cur" "MGPV" U32 "Idle connections that belong to one client" => "private_idle_connections_current" "S";
    Reqbin "reqbin" "MCPP" U64 "Bytes of requests received" => "req_bytes_in_total" "FLBS";
    Reqbout "reqbout" "MCPP" U64 "Bytes of requests sent" => "req_bytes_out_total" "FLBS";
    Resbin "resbin" "MCPP" U64 "Bytes of responses received" => "res_bytes_in_total" "FLBS";
    Resbout "resbout" "MCPP" U64 "Bytes of responses sent" => "res_bytes_out_total" "FLBS";
    SslSess "ssl_sess" "MCPV" U64 "TLS sessions";
    SslReusedSess "ssl_reused_sess" "MCPV" U64 "TLS sessions that were resumed";
    SslFailedHandshake "ssl_failed_handshake" "MCPV" U64 "TLS handshakes that failed";
    SslOcspStaple "ssl_ocsp_staple" "MCPV" U64 "OCSP answers sent along";
    SslFailedOcspStaple "ssl_failed_ocsp_staple" "MCPV" U64 "OCSP answers that could not be sent along";
    H2HeadersRcvd "h2_headers_rcvd" "MCPV" U64 "HEADERS frames received";
    H2DataRcvd "h2_data_rcvd" "MCPV" U64 "DATA frames received";
    H2SettingsRcvd "h2_settings_rcvd" "MCPV" U64 "SETTINGS frames received";
    H2RstStreamRcvd "h2_rst_stream_rcvd" "MCPV" U64 "RST_STREAM frames received";
    H2GoawayRcvd "h2_goaway_rcvd" "MCPV" U64 "GOAWAY frames received";
    H2ConnErrors "h2_detected_conn_protocol_errors" "MCPV" U64 "HTTP/2 connections that broke the protocol";
    H2StrmErrors "h2_detected_strm_protocol_errors" "MCPV" U64 "HTTP/2 streams that broke the protocol";
    H2RstStreamResp "h2_rst_stream_resp" "MCPV" U64 "RST_STREAM frames sent for errors";
    H2GoawayResp "h2_goaway_resp" "MCPV" U64 "GOAWAY frames sent for errors";
    H2OpenConns "h2_open_connections" "MGPV" U64 "HTTP/2 connections now";
    H2OpenStreams "h2_backend_open_streams" "MGPV" U64 "HTTP/2 streams now";
    H2TotalConns "h2_total_connections" "MCPV" U64 "HTTP/2 connections so far";
    H2TotalStreams "h2_backend_total_streams" "MCPV" U64 "HTTP/2 streams so far";
    H1OpenConns "h1_open_connections" "MGPV" U64 "HTTP/1 connections now";
    H1OpenStreams "h1_open_streams" "MGPV" U64 "HTTP/1 exchanges now";
    H1TotalConns "h1_total_connections" "MCPV" U64 "HTTP/1 connections so far";
    H1TotalStreams "h1_total_streams" "MCPV" U64 "HTTP/1 exchanges so far";
    H1BytesIn "h1_bytes_in" "MCPV" U64 "Bytes received in HTTP/1 messages";
    H1BytesOut "h1_bytes_out" "MCPV" U64 "Bytes sent in HTTP/1 messages";
    H1SplicedBytesIn "h1_spliced_bytes_in" "MCPV" U64 "Bytes of them received by splicing";
    H1SplicedBytesOut "h1_spliced_bytes_out" "MCPV" U64 "Bytes of them sent by splicing";
}

/// Tags of the few columns that mean something else for a backend.
pub(crate) fn backend_tags(col: Col) -> Option<&'static str> {
    match col {
        Col::Act | Col::Bck | Col::RateMax => Some("MGPV"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn columns_are_unique_and_tagged() {
        let names: HashSet<_> = COLUMNS.iter().map(|c| c.name).collect();
        assert_eq!((names.len(), COLUMNS.len()), (144, 144));
        assert_eq!(COLUMNS[Col::H1SplicedBytesOut as usize].name, "h1_spliced_bytes_out");
        assert_eq!(FIRST_OF_MODULES as usize, 118);
        for c in COLUMNS {
            assert_eq!(c.tags.len(), 4, "{}", c.name);
            assert!(!c.help.is_empty() && !c.help.contains('"'), "{}", c.name);
        }
    }
}
