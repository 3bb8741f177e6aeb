//! Keywords of proxies that are refused: their area is not built yet, or HAProxy removed them.

use crate::keyword::{Row, Table};
use crate::model::Proxy;
use crate::parse::kw::{Kw, MANY, Scope, word};

type P = Proxy;

const fn later(name: &'static str, scope: Scope, area: &'static str, help: &'static str) -> Row<Kw<P>> {
    word(name, help).words(0, MANY).scope(scope).later(area)
}

const PX: Scope = Scope::PX.and(Scope::DEF);
const BE: Scope = Scope::BE.and(Scope::DEF);
const FE: Scope = Scope::FE.and(Scope::DEF);

/// Not built yet.
#[rustfmt::skip]
pub(crate) static LATER: Table<Kw<P>> = Table::new(&[
    later("compression", PX, "compression", "Compresses responses."),
    later("email-alert", PX, "email alerts", "Sends mails about servers."),
    later("external-check", BE, "external checks", "Program that checks servers."),
    later("filter", Scope::PX, "filters", "Adds a filter."),
    later("filter-sequence", Scope::PX, "filters", "Order of filters."),
    later("force-be-switch", Scope::FE.and(Scope::STRICT), "persistence", "Uses a backend although it is disabled."),
    later("log-steps", FE.and(Scope::WILL), "log steps", "Steps of a stream that are logged."),
    later("persist", BE, "persistence", "Persistence by RDP cookies."),
    later("quic-initial", Scope::FE.and(Scope::NAMED), "QUIC", "A rule for QUIC packets."),
    later("ssl-f-use", Scope::FE, "TLS", "Certificate of the TLS listeners."),
    later("crt", Scope::FE, "TLS", "Certificate of the TLS listeners."),
    gone("clitimeout", "2.1", "'timeout client'"),
    gone("contimeout", "2.1", "'timeout connect'"),
    gone("srvtimeout", "2.1", "'timeout server'"),
    later("use-fcgi-app", Scope::BE.and(Scope::STRICT), "FastCGI", "The FastCGI application behind the backend."),
]);

const fn gone(name: &'static str, since: &'static str, instead: &'static str) -> Row<Kw<P>> {
    word(name, "A keyword of earlier versions.").words(0, MANY).removed(since, instead)
}

const DENY: &str = "'http-request deny'";
const REPLACE: &str =
    "'http-request replace-path', 'http-request replace-uri' or 'http-request replace-header'";
const RESPONSE: &str = "'http-response replace-header'";

/// Removed by HAProxy, and not in its lists any more.
#[rustfmt::skip]
pub(crate) static REMOVED: Table<Kw<P>> = Table::new(&[
    gone("appsession", "1.6", "'stick'"),
    gone("block", "2.1", DENY),
    gone("bind-process", "2.5", ""),
    gone("grace", "2.5", ""),
    gone("monitor-net", "2.3", "'http-request return status 200' with a condition on 'src'"),
    gone("redisp", "2.1", "'option redispatch'"),
    gone("redispatch", "2.1", "'option redispatch'"),
    gone("reqadd", "2.1", "'http-request add-header'"),
    gone("reqallow", "2.1", "'http-request allow'"),
    gone("reqdel", "2.1", "'http-request del-header'"),
    gone("reqdeny", "2.1", DENY),
    gone("reqiallow", "2.1", "'http-request allow'"),
    gone("reqidel", "2.1", "'http-request del-header'"),
    gone("reqideny", "2.1", DENY),
    gone("reqipass", "2.1", ""),
    gone("reqirep", "2.1", "'http-request replace-header'"),
    gone("reqitarpit", "2.1", "'http-request tarpit'"),
    gone("reqpass", "2.1", ""),
    gone("reqrep", "2.1", REPLACE),
    gone("reqtarpit", "2.1", "'http-request tarpit'"),
    gone("rspadd", "2.1", "'http-response add-header'"),
    gone("rspdel", "2.1", "'http-response del-header'"),
    gone("rspdeny", "2.1", "'http-response deny'"),
    gone("rspidel", "2.1", "'http-response del-header'"),
    gone("rspideny", "2.1", "'http-response deny'"),
    gone("rspirep", "2.1", RESPONSE),
    gone("rsprep", "2.1", RESPONSE),
]);
