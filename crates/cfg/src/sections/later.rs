//! Sections that are refused until they are built. Their keywords have rows, so that a file is checked to its
//! end and the list of supported keywords is complete.

use crate::keyword::{Row, Table};
use crate::parse::kw::{Kw, MANY, word};

/// A section that is not there yet.
#[derive(Debug)]
pub(crate) struct LaterSection {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its keywords.
    pub(crate) keywords: &'static Table<Kw<()>>,
}

const fn kw(name: &'static str, area: &'static str, help: &'static str) -> Row<Kw<()>> {
    word(name, help).words(0, MANY).later(area)
}

const PEERS: &str = "peers";
const DNS: &str = "DNS";
const MAIL: &str = "email alerts";
const RINGS: &str = "rings";
const PROFILES: &str = "log profiles";
const CACHE: &str = "cache";
const FCGI: &str = "FastCGI";
const TLS: &str = "TLS";
const ACME: &str = "ACME";
const CHECKS: &str = "health check sections";

/// The sections, by name.
#[rustfmt::skip]
pub(crate) static LATER: &[LaterSection] = &[
    LaterSection { name: "peers", keywords: &PEERS_KW },
    LaterSection { name: "resolvers", keywords: &RESOLVERS_KW },
    LaterSection { name: "mailers", keywords: &MAILERS_KW },
    LaterSection { name: "ring", keywords: &RING_KW },
    LaterSection { name: "log-profile", keywords: &LOG_PROFILE_KW },
    LaterSection { name: "cache", keywords: &CACHE_KW },
    LaterSection { name: "fcgi-app", keywords: &FCGI_KW },
    LaterSection { name: "crt-store", keywords: &CRT_STORE_KW },
    LaterSection { name: "acme", keywords: &ACME_KW },
    LaterSection { name: "traces", keywords: &TRACES_KW },
    LaterSection { name: "healthcheck", keywords: &HEALTHCHECK_KW },
    LaterSection { name: "program", keywords: &PROGRAM_KW },
];

#[rustfmt::skip]
static PEERS_KW: Table<Kw<()>> = Table::new(&[
    kw("bind", PEERS, "Address of this peer."),
    kw("default-bind", PEERS, "Options of the listener."),
    kw("default-server", PEERS, "Options of the peers that follow."),
    kw("disabled", PEERS, "Does not start the section."),
    kw("enabled", PEERS, "Undoes disabled."),
    kw("log", PEERS, "Where logs go."),
    kw("peer", PEERS, "A peer."),
    kw("server", PEERS, "A peer with server options."),
    kw("shards", PEERS, "Parts in which keys are spread over peers."),
    kw("table", PEERS, "A table of the section."),
]);

#[rustfmt::skip]
static RESOLVERS_KW: Table<Kw<()>> = Table::new(&[
    kw("accepted_payload_size", DNS, "Largest answer."),
    kw("hold", DNS, "How long an answer is kept."),
    kw("nameserver", DNS, "A name server."),
    kw("parse-resolv-conf", DNS, "Takes the system's name servers."),
    kw("resolve_retries", DNS, "Queries until a server is given up."),
    kw("timeout", DNS, "Time between queries."),
]);

#[rustfmt::skip]
static MAILERS_KW: Table<Kw<()>> = Table::new(&[
    kw("mailer", MAIL, "A mail server."),
    kw("timeout", MAIL, "Time to send a mail."),
]);

#[rustfmt::skip]
static RING_KW: Table<Kw<()>> = Table::new(&[
    kw("backing-file", RINGS, "File behind the ring."),
    kw("description", RINGS, "Describes the ring."),
    kw("format", RINGS, "Format of the messages."),
    kw("maxlen", RINGS, "Longest message."),
    kw("server", RINGS, "Where messages are sent."),
    kw("size", RINGS, "Size of the ring."),
    kw("timeout", RINGS, "A timeout of the servers."),
]);

#[rustfmt::skip]
static LOG_PROFILE_KW: Table<Kw<()>> = Table::new(&[
    kw("log-tag", PROFILES, "Tag of the logs."),
    kw("on", PROFILES, "Format of a step."),
]);

#[rustfmt::skip]
static CACHE_KW: Table<Kw<()>> = Table::new(&[
    kw("max-age", CACHE, "Longest life of an object."),
    kw("max-object-size", CACHE, "Largest object."),
    kw("max-secondary-entries", CACHE, "Most variants of an object."),
    kw("process-vary", CACHE, "Whether Vary is followed."),
    kw("total-max-size", CACHE, "Size of the cache."),
]);

#[rustfmt::skip]
static FCGI_KW: Table<Kw<()>> = Table::new(&[
    kw("acl", FCGI, "Names a condition."),
    kw("docroot", FCGI, "Document root."),
    kw("index", FCGI, "Script of directories."),
    kw("log-stderr", FCGI, "Where stderr goes."),
    kw("option", FCGI, "An option."),
    kw("pass-header", FCGI, "A header that is passed on."),
    kw("path-info", FCGI, "How the path is split."),
    kw("set-param", FCGI, "Sets a parameter."),
]);

#[rustfmt::skip]
static CRT_STORE_KW: Table<Kw<()>> = Table::new(&[
    kw("crt-base", TLS, "Directory of certificates."),
    kw("key-base", TLS, "Directory of keys."),
    kw("load", TLS, "Loads a certificate."),
]);

#[rustfmt::skip]
static ACME_KW: Table<Kw<()>> = Table::new(&[
    kw("account-key", ACME, "Key of the account."),
    kw("acme-vars", ACME, "Variables for the challenge."),
    kw("bits", ACME, "Size of RSA keys."),
    kw("challenge", ACME, "How control is proved."),
    kw("challenge-ready", ACME, "When the challenge is ready."),
    kw("contact", ACME, "Address of the account."),
    kw("curves", ACME, "Curve of EC keys."),
    kw("directory", ACME, "Directory of the authority."),
    kw("dns-delay", ACME, "Wait for DNS."),
    kw("dns-timeout", ACME, "Longest wait for DNS."),
    kw("eab-key-id", ACME, "External account."),
    kw("eab-mac-alg", ACME, "Algorithm of the external account."),
    kw("eab-mac-key", ACME, "Key of the external account."),
    kw("keytype", ACME, "Type of keys."),
    kw("map", ACME, "Map of challenges."),
    kw("profile", ACME, "Profile of certificates."),
    kw("provider-name", ACME, "Provider of DNS."),
    kw("reuse-key", ACME, "Whether keys are used again."),
]);

#[rustfmt::skip]
static TRACES_KW: Table<Kw<()>> = Table::new(&[
    kw("trace", "traces", "Configures a trace."),
]);

#[rustfmt::skip]
static HEALTHCHECK_KW: Table<Kw<()>> = Table::new(&[
    kw("http-check", CHECKS, "A step of an HTTP check."),
    kw("tcp-check", CHECKS, "A step of a TCP check."),
    kw("type", CHECKS, "What the check speaks."),
]);

#[rustfmt::skip]
static PROGRAM_KW: Table<Kw<()>> = Table::new(&[
    kw("command", "programs", "Command of the program."),
    kw("group", "programs", "Group of the program."),
    kw("option", "programs", "An option."),
    kw("user", "programs", "User of the program."),
]);

/// Options of a certificate in a `crt-list` file.
#[rustfmt::skip]
pub(crate) static CRT_LIST: Table<Kw<()>> = Table::new(&[
    kw("allow-0rtt", TLS, "Accepts early data."),
    kw("alpn", TLS, "Protocols that are offered.").words(1, 1),
    kw("ca-file", TLS, "Authorities of client certificates.").words(1, 1),
    kw("ca-verify-file", TLS, "Authorities that verify but are not announced.").words(1, 1),
    kw("ciphers", TLS, "Ciphers up to TLS 1.2.").words(1, 1),
    kw("ciphersuites", TLS, "Cipher suites of TLS 1.3.").words(1, 1),
    kw("client-sigalgs", TLS, "Signature algorithms accepted from clients.").words(1, 1),
    kw("crl-file", TLS, "Revoked client certificates.").words(1, 1),
    kw("curves", TLS, "Curves.").words(1, 1),
    kw("ecdhe", TLS, "Curve of ephemeral keys.").words(1, 1),
    kw("ktls", TLS, "Kernel TLS.").words(1, 1),
    kw("no-alpn", TLS, "Offers no protocol."),
    kw("no-ca-names", TLS, "Announces no authorities."),
    kw("npn", TLS, "Protocols offered by NPN.").words(1, 1),
    kw("sigalgs", TLS, "Signature algorithms.").words(1, 1),
    kw("ssl-max-ver", TLS, "Highest version.").words(1, 1),
    kw("ssl-min-ver", TLS, "Lowest version.").words(1, 1),
    kw("verify", TLS, "Whether clients must have certificates.").words(1, 1),
]);
