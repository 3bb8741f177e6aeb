//! The sections of a configuration: each module holds the keyword rows of one section and what they set.

pub(crate) mod global;
pub(crate) mod http_errors;
pub(crate) mod later;
pub(crate) mod log;
pub(crate) mod log_forward;
pub(crate) mod proxy;
mod registry;
pub(crate) mod userlist;

pub(crate) use registry::registry;

use crate::keyword::{Meta, Row, Table};

/// What a section line starts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Section {
    /// `global`.
    Global,
    /// `defaults`.
    Defaults,
    /// `frontend`.
    Frontend,
    /// `backend`.
    Backend,
    /// `listen`.
    Listen,
    /// `http-errors`.
    HttpErrors,
    /// `userlist`.
    Userlist,
    /// `log-forward`.
    LogForward,
    /// A section whose keywords are known, but that is refused until it is built.
    Later,
}

const fn section(name: &'static str, what: Section, help: &'static str) -> Row<Section> {
    Row { meta: Meta::new(name, help), x: what }
}

/// All section names.
#[rustfmt::skip]
pub(crate) static SECTIONS: Table<Section> = Table::new(&[
    section("global", Section::Global, "Settings of the whole process."),
    section("defaults", Section::Defaults, "Initial settings of the proxies that follow."),
    section("frontend", Section::Frontend, "A set of listeners and the rules that pick a backend."),
    section("backend", Section::Backend, "A set of servers."),
    section("listen", Section::Listen, "A frontend and a backend in one section."),
    section("http-errors", Section::HttpErrors, "A named set of error documents."),
    section("userlist", Section::Userlist, "Users and groups for HTTP authentication."),
    section("peers", Section::Later, "Processes that exchange stick tables.").later("peers"),
    section("resolvers", Section::Later, "Name servers for run-time resolution.").later("DNS"),
    section("mailers", Section::Later, "Mail servers for alerts.").later("email alerts"),
    section("ring", Section::Later, "A ring buffer for logs and traces.").later("rings"),
    section("log-forward", Section::LogForward, "Receives logs and sends them on."),
    section("log-profile", Section::Later, "Log formats for each step of a stream.").later("log profiles"),
    section("cache", Section::Later, "A cache for HTTP objects.").later("cache"),
    section("fcgi-app", Section::Later, "A FastCGI application.").later("FastCGI"),
    section("crt-store", Section::Later, "Certificates and where they are.").later("TLS"),
    section("acme", Section::Later, "A certificate authority to order certificates from.").later("ACME").experimental(),
    section("traces", Section::Later, "Debugging traces.").later("traces"),
    section("healthcheck", Section::Later, "A named health check.").later("health checks"),
    section("program", Section::Later, "A program to run beside the master.").removed("3.3", "a service manager"),
]);
