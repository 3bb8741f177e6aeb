//! The rows of `option …` (manual 4.2).

use super::option::{self, Opt};
use super::service_check;
use crate::keyword::{Meta, Row, Table};
use crate::model::opt;
use crate::parse::kw::Scope;

const FE: Scope = Scope::FE;
const BE: Scope = Scope::BE;
const PX: Scope = Scope::PX;

/// A yes/no option.
const fn bit(name: &'static str, scope: Scope, bit: u64, help: &'static str) -> Row<Opt> {
    Row { meta: Meta::new(name, help), x: Opt { scope, bit, http: false, run: None, negatable: true } }
}

/// A yes/no option that only HTTP proxies have.
const fn http(name: &'static str, scope: Scope, bit: u64, help: &'static str) -> Row<Opt> {
    Row { meta: Meta::new(name, help), x: Opt { scope, bit, http: true, run: None, negatable: true } }
}

/// An option with a parser.
const fn run(
    name: &'static str,
    scope: Scope,
    negatable: bool,
    f: option::Run,
    help: &'static str,
) -> Row<Opt> {
    Row { meta: Meta::new(name, help), x: Opt { scope, bit: 0, http: false, run: Some(f), negatable } }
}

const fn gone(name: &'static str, since: &'static str, instead: &'static str) -> Row<Opt> {
    bit(name, PX, 0, "An option of earlier versions.").removed(since, instead)
}

const ACKS: &str = "the kernel decides when to acknowledge";

/// All options.
#[rustfmt::skip]
pub(crate) static OPTIONS: Table<Opt> = Table::new(&[
    bit("abortonclose", PX, opt::ABORTONCLOSE, "Drops queued requests of clients that left."),
    http("accept-unsafe-violations-in-http-request", FE, opt::UNSAFE_REQUEST, "Accepts some forbidden characters in requests."),
    http("accept-unsafe-violations-in-http-response", BE, opt::UNSAFE_RESPONSE, "Accepts some forbidden characters in responses."),
    bit("allbackups", BE, opt::ALLBACKUPS, "Uses all backup servers at once."),
    http("checkcache", BE, opt::CHECKCACHE, "Blocks cacheable responses with cookies."),
    bit("clitcpka", FE, opt::CLITCPKA, "TCP keep-alive towards clients."),
    bit("contstats", FE, opt::CONTSTATS, "Counts bytes while they pass."),
    http("disable-h2-upgrade", FE, opt::DISABLE_H2_UPGRADE, "Never upgrades to HTTP/2."),
    bit("dontlog-normal", FE, opt::DONTLOG_NORMAL, "Logs only what went wrong."),
    bit("dontlognull", FE, opt::DONTLOGNULL, "Does not log connections without data."),
    bit("h1-case-adjust-bogus-client", FE, opt::H1_CASE_CLIENT, "Adjusts the case of header names for clients."),
    bit("h1-case-adjust-bogus-server", BE, opt::H1_CASE_SERVER, "Adjusts the case of header names for servers."),
    http("http-buffer-request", PX, opt::HTTP_BUFFER_REQUEST, "Waits for the body before a server is chosen."),
    http("http-drop-request-trailers", BE, opt::DROP_REQ_TRAILERS, "Drops trailers of requests."),
    http("http-drop-response-trailers", FE, opt::DROP_RES_TRAILERS, "Drops trailers of responses."),
    http("http-ignore-probes", FE, opt::HTTP_IGNORE_PROBES, "Does not answer connections without a request."),
    http("http-no-delay", PX, opt::HTTP_NO_DELAY, "Sends small pieces at once.").idle("nothing is ever held back"),
    http("http-pretend-keepalive", BE, opt::HTTP_PRETEND_KEEPALIVE, "Announces keep-alive to servers that are closed anyway."),
    http("http-use-proxy-header", FE, opt::HTTP_USE_PROXY_HEADER, "Understands Proxy-Connection."),
    http("idle-close-on-response", FE, opt::IDLE_CLOSE_ON_RESPONSE, "Closes idle clients only after a response while stopping."),
    bit("independent-streams", PX, opt::INDEPENDENT_STREAMS, "A side of a tunnel that is only sent to times out."),
    bit("log-health-checks", BE, opt::LOG_HEALTH_CHECKS, "Logs every change of a check's result."),
    bit("log-separate-errors", FE, opt::LOG_SEPARATE_ERRORS, "Logs errors at a higher level."),
    bit("logasap", FE, opt::LOGASAP, "Logs before the transfer ends."),
    bit("nolinger", PX, opt::NOLINGER, "Resets connections instead of closing them."),
    bit("persist", BE, opt::PERSIST, "Persists to servers that are down."),
    http("prefer-last-server", BE, opt::PREFER_LAST_SERVER, "Keeps the server of the previous request."),
    bit("socket-stats", FE, opt::SOCKET_STATS, "Statistics per socket."),
    bit("splice-auto", PX, opt::SPLICE_AUTO, "Splices when it pays."),
    bit("splice-request", PX, opt::SPLICE_REQUEST, "Splices requests."),
    bit("splice-response", PX, opt::SPLICE_RESPONSE, "Splices responses."),
    bit("srvtcpka", BE, opt::SRVTCPKA, "TCP keep-alive towards servers."),
    bit("tcp-smart-accept", FE, opt::TCP_SMART_ACCEPT, "Saves an ACK when accepting.").idle(ACKS),
    bit("tcp-smart-connect", BE, opt::TCP_SMART_CONNECT, "Saves an ACK when connecting.").idle(ACKS),
    run("transparent", BE, true, option::transparent, "Connects to the address that the client asked for."),
    run("http-keep-alive", PX, true, option::conn_mode, "Keeps connections open on both sides."),
    run("http-server-close", PX, true, option::conn_mode, "Closes server connections after each response."),
    run("httpclose", PX, true, option::conn_mode, "Closes both sides after each response."),
    run("http-restrict-req-hdr-names", PX, false, option::restrict_names, "What happens to unusual header names."),
    run("tcpka", PX, false, option::tcpka, "TCP keep-alive on both sides."),
    run("redispatch", BE, true, option::redispatch, "Retries on another server."),
    run("forwardfor", PX, false, option::forwardfor, "Adds X-Forwarded-For."),
    run("originalto", PX, false, option::originalto, "Adds X-Original-To."),
    run("forwarded", BE, true, super::forwarded::parse, "Adds Forwarded."),
    run("tcplog", PX, false, option::log_format, "Logs in the TCP format."),
    run("httplog", PX, false, option::log_format, "Logs in the HTTP format."),
    run("httpslog", PX, false, option::log_format, "Logs in the HTTPS format."),
    run("httpchk", BE, false, option::httpchk, "Checks servers with HTTP requests."),
    run("tcp-check", BE, false, option::tcp_check, "Checks servers with a TCP script."),
    run("use-small-buffers", BE, true, option::nothing, "Small buffers for queued requests.").idle("requests in the queue own only what they need"),
    bit("external-check", BE, 0, "Checks servers with a program.").later("health checks by programs"),
    run("ldap-check", BE, false, service_check::ldap, "Checks LDAP servers."),
    run("mysql-check", BE, false, service_check::mysql, "Checks MySQL servers."),
    run("pgsql-check", BE, false, service_check::pgsql, "Checks PostgreSQL servers."),
    run("redis-check", BE, false, service_check::redis, "Checks Redis servers."),
    run("smtpchk", BE, false, service_check::smtp, "Checks SMTP servers."),
    run("spop-check", BE, false, service_check::spop, "Checks SPOA servers."),
    run("ssl-hello-chk", BE, false, service_check::ssl_hello, "Checks servers with a client hello."),
    run("accept-invalid-http-request", FE, false, option::accept_invalid, "Older name of accept-unsafe-violations-in-http-request."),
    run("accept-invalid-http-response", BE, false, option::accept_invalid, "Older name of accept-unsafe-violations-in-http-response."),
    gone("forceclose", "2.0", "'option httpclose'"),
    gone("http-tunnel", "2.1", ""),
    gone("http_proxy", "2.5", "'http-request set-dst' and 'http-request set-uri'"),
]);
