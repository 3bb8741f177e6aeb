//! Keywords of `defaults`, `frontend`, `backend` and `listen` (manual chapter 4).

mod basic;
pub(crate) mod bind;
mod capture;
mod cookie;
mod errors;
mod forwarded;
mod later;
pub(crate) mod option;
mod option_table;
mod rules;
mod server;
mod server_options;
mod service_check;
mod source;
mod stats;
mod stick;
pub(crate) mod timeout;

use crate::keyword::Table;
use crate::model::{Proxy, ServerOpts};
use crate::parse::ctx::Ctx;
use crate::parse::kw::{Kw, MANY, Scope, run};
use crate::parse::line::Line;

pub(crate) use basic::bad_name_char;
pub(crate) use bind::TLS_OPTIONS as BIND_TLS;
pub(crate) use errors::file as errorfile;
pub(crate) use later::REMOVED;
pub(crate) use option_table::OPTIONS;
pub(crate) use stats::{STATS, finish as finish_stats};
pub(crate) use timeout::TIMEOUTS;

type P = Proxy;

const PX: Scope = Scope::PX.and(Scope::DEF);
const NAMED: Scope = Scope::PX.and(Scope::NAMED);
const CONDITION: &str = "a condition.";

/// Rules, listeners, servers and families of keywords.
#[rustfmt::skip]
static LINES: Table<Kw<P>> = Table::new(&[
    run("bind", (1, MANY), "{<path>|[addr1]:port1[-end1]}{,[addr]:port[-end]}... as arguments.", bind::bind, "Listens on addresses.").scope(Scope::FE),
    run("server", (0, MANY), "", server::server, "A server."),
    run("default-server", (0, MANY), "", server::default_server, "Options of the servers that follow."),
    run("server-template", (0, MANY), "", server::server_template, "Several servers with the same options."),
    run("acl", (1, MANY), "a name and a criterion.", rules::acl, "Names a condition.").scope(NAMED),
    run("use_backend", (1, MANY), "a backend name.", rules::use_backend, "Picks a backend on a condition.").scope(Scope::FE),
    run("default_backend", (1, 1), "a backend name.", rules::default_backend, "Backend of all other requests.").scope(Scope::FE.and(Scope::DEF)),
    run("use-server", (1, MANY), "a server name.", rules::use_server, "Picks a server on a condition.").scope(Scope::BE),
    run("redirect", (1, MANY), "a redirection type.", rules::redirect, "Redirects on a condition.").scope(Scope::PX),
    run("http-request", (0, MANY), "", rules::http_request, "A rule for requests.").scope(NAMED),
    run("http-response", (0, MANY), "", rules::http_response, "A rule for responses.").scope(NAMED),
    run("http-after-response", (0, MANY), "", rules::http_after_response, "A rule for all responses, errors included.").scope(NAMED),
    run("tcp-request", (0, MANY), "", rules::tcp_request, "A rule for connections, sessions or contents."),
    run("tcp-response", (0, MANY), "", rules::tcp_response, "A rule for contents of servers."),
    run("monitor", (0, MANY), "", rules::monitor, "When monitor-uri answers an error.").scope(Scope::FE),
    run("force-persist", (0, MANY), CONDITION, rules::persist_rule, "Uses a server although it is down.").scope(Scope::BE),
    run("ignore-persist", (0, MANY), CONDITION, rules::persist_rule, "Ignores persistence on a condition.").scope(Scope::BE),
    run("http-check", (0, MANY), "", rules::check_rule, "A step of HTTP health checks.").scope(Scope::BE.and(Scope::DEF)),
    run("tcp-check", (0, MANY), "", rules::check_rule, "A step of TCP health checks.").scope(Scope::BE.and(Scope::DEF)),
    run("timeout", (0, MANY), "", timeout::parse, "A timeout."),
    run("option", (0, MANY), "", option::parse, "An option.").negatable(),
    run("stats", (0, MANY), "", stats::parse, "The statistics page.").scope(PX),
    run("errorfile", (0, MANY), "", errors::errorfile, "File with an error document.").scope(PX),
    run("errorfiles", (0, MANY), "", errors::errorfiles, "Error documents of an http-errors section.").scope(PX),
    run("errorloc", (0, MANY), "", errors::errorloc, "Redirects instead of an error, with 302.").scope(PX),
    run("errorloc302", (0, MANY), "", errors::errorloc, "Redirects instead of an error, with 302.").scope(PX),
    run("errorloc303", (0, MANY), "", errors::errorloc, "Redirects instead of an error, with 303.").scope(PX),
    run("http-error", (0, MANY), "", errors::http_error, "An error document in the configuration.").scope(PX),
]);

/// All tables of the sections.
pub(crate) static TABLES: &[&Table<Kw<P>>] = &[&LINES, &basic::BASIC, &later::LATER, &REMOVED];

/// All tables of bind options.
pub(crate) static BIND: &[&Table<Kw<bind::Target>>] = &[&bind::OPTIONS, &bind::TLS_OPTIONS];

/// All tables of server options.
pub(crate) static SERVER: &[&Table<Kw<ServerOpts>>] =
    &[&server_options::OPTIONS, &server_options::LATER, &server_options::TLS_OPTIONS];

/// Refuses a value of a keyword until its area is built.
pub(crate) fn later_value(cx: &mut Ctx<'_>, line: &Line<'_>, area: &str) {
    let text = format!("'{} {}' is not supported by Hawser yet (area: {area}).", line.keyword(), line.arg(0));
    cx.alert_arg(line, 0, text);
}
