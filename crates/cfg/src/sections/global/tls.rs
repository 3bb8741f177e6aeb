//! TLS, QUIC, ACME and device detection keywords of `global`.
//!
//! Listeners and servers refuse TLS until it is built, so that its global defaults apply to nothing: they are
//! accepted, because configurations carry them whether or not they use TLS.

use crate::keyword::{Row, Table};
use crate::model::Global;
use crate::parse::ctx::Ctx;
use crate::parse::kw::{Kind, Kw, MANY, check, run, word};
use crate::parse::line::Line;
use crate::units::TimeUnit;

type G = Global;

const NO_TLS: &str = "nothing can use TLS yet, so that this setting applies to nothing";
const DETECTION: &str = "device detection";

const fn tls(name: &'static str, expects: &'static str, help: &'static str) -> Row<Kw<G>> {
    run(name, (1, 1), expects, accept, help).idle(NO_TLS)
}

const fn tune(name: &'static str, kind: Kind, help: &'static str) -> Row<Kw<G>> {
    check(name, kind, help).idle(NO_TLS)
}

const fn any(name: &'static str, words: (u8, u8), help: &'static str) -> Row<Kw<G>> {
    run(name, words, "an argument.", accept, help).idle(NO_TLS)
}

const N: Kind = Kind::Int(0, i64::MAX);
const P: Kind = Kind::Int(0, i32::MAX as i64);

/// TLS defaults.
#[rustfmt::skip]
pub(crate) static DEFAULTS: Table<Kw<G>> = Table::new(&[
    tls("ca-base", "a directory path as an argument.", "Directory of relative CA and CRL files."),
    tls("crt-base", "a directory path as an argument.", "Directory of relative certificate files."),
    tls("key-base", "a directory path as an argument.", "Directory of relative key files."),
    tls("issuers-chain-path", "a directory path as an argument.", "Directory of issuer certificates that complete chains."),
    tls("ssl-default-bind-ciphers", "a cipher suite as an argument.", "Ciphers of listeners up to TLS 1.2."),
    tls("ssl-default-bind-ciphersuites", "a cipher suite as an argument.", "Cipher suites of listeners in TLS 1.3."),
    tls("ssl-default-bind-client-sigalgs", "signature algorithms as an arguments.", "Signature algorithms that listeners accept from clients."),
    tls("ssl-default-bind-curves", "a curves suite as an arguments.", "Curves of listeners."),
    run("ssl-default-bind-options", (1, MANY), "an option as an argument.", options, "Options of all listeners.").idle(NO_TLS),
    tls("ssl-default-bind-sigalgs", "a curves suite as an arguments.", "Signature algorithms of listeners."),
    tls("ssl-default-server-ciphers", "a cipher suite as an argument.", "Ciphers towards servers up to TLS 1.2."),
    tls("ssl-default-server-ciphersuites", "a cipher suite as an argument.", "Cipher suites towards servers in TLS 1.3."),
    tls("ssl-default-server-client-sigalgs", "signature algorithms as an arguments.", "Signature algorithms of client certificates towards servers."),
    tls("ssl-default-server-curves", "a curves suite as an arguments.", "Curves towards servers."),
    run("ssl-default-server-options", (1, MANY), "an option as an argument.", options, "Options of all servers.").idle(NO_TLS),
    tls("ssl-default-server-sigalgs", "a curves suite as an arguments.", "Signature algorithms towards servers."),
    tls("ssl-dh-param-file", "a file path as an argument.", "File with Diffie-Hellman parameters."),
    word("ssl-engine", "Loads an OpenSSL engine.").later("OpenSSL engines"),
    any("ssl-load-extra-del-ext", (0, MANY), "Replaces the extension of a certificate to find its key."),
    tune("ssl-load-extra-files", Kind::OneOf(&["none", "all", "bundle", "sctl", "ocsp", "issuer", "key"]), "Files that are loaded beside a certificate.").words(1, MANY),
    any("ssl-mode-async", (0, MANY), "Asynchronous TLS."),
    word("ssl-passphrase-cmd", "A command that gives the pass phrase of keys.").later("TLS"),
    tls("ssl-propquery", "a property string as an argument.", "Property query of OpenSSL."),
    word("ssl-provider", "Loads an OpenSSL provider.").later("OpenSSL providers"),
    any("ssl-provider-path", (1, MANY), "Directory of OpenSSL providers."),
    tune("ssl-security-level", Kind::Exact(0, 5), "Security level of OpenSSL."),
    tune("ssl-server-verify", Kind::OneOf(&["none", "required"]), "Whether servers are verified by default."),
    any("ssl-skip-self-issued-ca", (0, MANY), "Leaves self-issued authorities out of chains."),
    word("noktls", "Does not use kernel TLS.").idle(NO_TLS),
    tune("maxsslconn", P, "Most TLS connections."),
    tune("maxsslrate", N, "Most TLS handshakes in a second."),
    tune("tune.ssl.cachesize", P, "Entries of the TLS session cache."),
    tune("tune.ssl.capture-buffer-size", N, "Bytes of a client hello that are kept."),
    tune("tune.ssl.capture-cipherlist-size", N, "Bytes of a client's cipher list that are kept."),
    any("tune.ssl.certificate-compression", (1, MANY), "Compression of certificates."),
    tune("tune.ssl.default-dh-param", Kind::Exact(1024, i64::MAX), "Largest Diffie-Hellman size by default."),
    any("tune.ssl.force-private-cache", (0, 0), "Gives each process its own session cache."),
    tune("tune.ssl.hard-maxrecord", P, "Largest TLS record ever."),
    tune("tune.ssl.keylog", Kind::OnOff, "Keeps session secrets for debugging."),
    run("tune.ssl.lifetime", (1, 1), "ssl sessions <lifetime> in seconds as argument.", seconds, "Life of a cached TLS session.").idle(NO_TLS),
    tune("tune.ssl.maxrecord", P, "Largest TLS record while a stream is interactive."),
    tune("tune.ssl.ssl-ctx-cache-size", P, "Entries of the cache of generated certificates."),
    tune("tune.ssl.ocsp-update.maxdelay", N, "Longest time between two OCSP updates."),
    tune("tune.ssl.ocsp-update.mindelay", N, "Shortest time between two OCSP updates."),
    tune("ocsp-update.disable", Kind::OnOff, "Disables OCSP updates."),
    any("ocsp-update.httpproxy", (1, 1), "Proxy of OCSP updates."),
    tune("ocsp-update.maxdelay", N, "Longest time between two OCSP updates."),
    tune("ocsp-update.mindelay", N, "Shortest time between two OCSP updates."),
    tune("ocsp-update.mode", Kind::OnOff, "Whether certificates get OCSP updates by default."),
    any("jwt.decrypt_alg_list", (0, MANY), "Algorithms that decrypt JWT keys."),
    any("jwt.decrypt_enc_list", (0, MANY), "Encodings that decrypt JWT content."),
    word("acme.scheduler", "Whether ACME certificates are renewed by themselves.").later("ACME"),
]);

const fn quic(name: &'static str, help: &'static str) -> Row<Kw<G>> {
    word(name, help).later("QUIC")
}

/// QUIC. The reference build of HAProxy lacks it; these are the names of the manual.
#[rustfmt::skip]
pub(crate) static QUIC: Table<Kw<G>> = Table::new(&[
    word("limited-quic", "Allows QUIC on libraries that limit it.").idle("there is no QUIC listener that it could allow"),
    check("harden.reject-privileged-ports.quic", Kind::OnOff, "Ignores QUIC packets from privileged ports.").idle("there is no QUIC listener that it could protect"),
    run("cluster-secret", (1, 1), "an ASCII string argument.", accept, "Secret from which QUIC tokens are derived.").idle("there is no QUIC listener that could use it"),
    quic("tune.quic.be.cc.cubic-min-losses", "Losses until cubic slows down towards servers."),
    quic("tune.quic.be.cc.hystart", "HyStart++ towards servers."),
    quic("tune.quic.be.cc.max-frame-loss", "Losses of a frame until a server connection is closed."),
    quic("tune.quic.be.cc.max-win-size", "Largest congestion window towards servers."),
    quic("tune.quic.be.cc.reorder-ratio", "Tolerated reordering towards servers."),
    quic("tune.quic.be.max-idle-timeout", "Idle time of server connections."),
    quic("tune.quic.be.sec.glitches-threshold", "Glitches until a server connection is closed."),
    quic("tune.quic.be.stream.data-ratio", "Share of the window of one stream towards servers."),
    quic("tune.quic.be.stream.max-concurrent", "Streams of a server connection."),
    quic("tune.quic.be.stream.rxbuf", "Receive buffer of a stream towards servers."),
    quic("tune.quic.be.tx.pacing", "Pacing towards servers."),
    quic("tune.quic.be.tx.udp-gso", "Segmentation offload towards servers."),
    quic("tune.quic.cc.cubic.min-losses", "Older name of a setting of cubic."),
    quic("tune.quic.cc-hystart", "Older name of a setting of HyStart++."),
    quic("tune.quic.disable-tx-pacing", "Disables pacing."),
    quic("tune.quic.disable-udp-gso", "Disables segmentation offload."),
    quic("tune.quic.fe.cc.cubic-min-losses", "Losses until cubic slows down towards clients."),
    quic("tune.quic.fe.cc.hystart", "HyStart++ towards clients."),
    quic("tune.quic.fe.cc.max-frame-loss", "Losses of a frame until a client connection is closed."),
    quic("tune.quic.fe.cc.max-win-size", "Largest congestion window towards clients."),
    quic("tune.quic.fe.cc.reorder-ratio", "Tolerated reordering towards clients."),
    quic("tune.quic.fe.max-idle-timeout", "Idle time of client connections."),
    quic("tune.quic.fe.sec.glitches-threshold", "Glitches until a client connection is closed."),
    quic("tune.quic.fe.sec.retry-threshold", "Half-open connections from which Retry is sent."),
    quic("tune.quic.fe.sock-per-conn", "Whether a client connection has its own socket."),
    quic("tune.quic.fe.stream.data-ratio", "Share of the window of one stream towards clients."),
    quic("tune.quic.fe.stream.max-concurrent", "Streams of a client connection."),
    quic("tune.quic.fe.stream.max-total", "Streams after which a client connection is closed."),
    quic("tune.quic.fe.stream.rxbuf", "Receive buffer of a stream towards clients."),
    quic("tune.quic.fe.tx.pacing", "Pacing towards clients."),
    quic("tune.quic.fe.tx.udp-gso", "Segmentation offload towards clients."),
    quic("tune.quic.frontend.max-data-size", "Older name of a receive buffer."),
    quic("tune.quic.frontend.max-idle-timeout", "Older name of an idle timeout."),
    quic("tune.quic.frontend.max-streams-bidi", "Older name of a limit of streams."),
    quic("tune.quic.frontend.max-tx-mem", "Older name of a memory limit."),
    quic("tune.quic.frontend.stream-data-ratio", "Older name of a share of the window."),
    quic("tune.quic.frontend.default-max-window-size", "Older name of a window limit."),
    quic("tune.quic.listen", "Whether QUIC listeners start."),
    quic("tune.quic.max-frame-loss", "Older name of a limit of losses."),
    quic("tune.quic.mem.tx-max", "Most memory for sending."),
    quic("tune.quic.reorder-ratio", "Older name of a reordering limit."),
    quic("tune.quic.retry-threshold", "Older name of a Retry threshold."),
    quic("tune.quic.socket-owner", "Older name of a socket mode."),
    quic("tune.quic.zero-copy-fwd-send", "Sends without a copy."),
]);

const fn detect(name: &'static str, help: &'static str) -> Row<Kw<G>> {
    word(name, help).later(DETECTION)
}

/// Device detection by commercial databases.
#[rustfmt::skip]
pub(crate) static DEVICES: Table<Kw<G>> = Table::new(&[
    detect("51degrees-allow-unmatched", "Accepts approximate answers of 51Degrees."),
    detect("51degrees-cache-size", "Cache of 51Degrees."),
    detect("51degrees-data-file", "Database of 51Degrees."),
    detect("51degrees-difference", "Difference that 51Degrees tolerates."),
    detect("51degrees-drift", "Drift that 51Degrees tolerates."),
    detect("51degrees-property-name-list", "Properties that 51Degrees gives."),
    detect("51degrees-property-separator", "Separator between properties of 51Degrees."),
    detect("51degrees-use-performance-graph", "Performance graph of 51Degrees."),
    detect("51degrees-use-predictive-graph", "Predictive graph of 51Degrees."),
    detect("deviceatlas-json-file", "Database of DeviceAtlas."),
    detect("deviceatlas-log-level", "Log level of DeviceAtlas."),
    detect("deviceatlas-properties-cookie", "Cookie of DeviceAtlas."),
    detect("deviceatlas-separator", "Separator between properties of DeviceAtlas."),
    detect("wurfl-cache-size", "Cache of WURFL."),
    detect("wurfl-data-file", "Database of WURFL."),
    detect("wurfl-information-list", "Properties that WURFL gives."),
    detect("wurfl-information-list-separator", "Separator between properties of WURFL."),
    detect("wurfl-patch-file", "Patches of the database of WURFL."),
]);

fn accept(_: &mut Ctx<'_>, _: &mut Global, _: &Line<'_>) {}

fn seconds(cx: &mut Ctx<'_>, _: &mut Global, line: &Line<'_>) {
    cx.time_in(line, 0, TimeUnit::S);
}

/// The options of all listeners or of all servers; only their names are checked.
fn options(cx: &mut Ctx<'_>, _: &mut Global, line: &Line<'_>) {
    const BOTH: &[&str] = &[
        "no-sslv3",
        "no-tlsv10",
        "no-tlsv11",
        "no-tlsv12",
        "no-tlsv13",
        "force-sslv3",
        "force-tlsv10",
        "force-tlsv11",
        "force-tlsv12",
        "force-tlsv13",
        "no-tls-tickets",
    ];
    const BIND: &[&str] = &["tls-tickets", "prefer-client-ciphers", "strict-sni", "no-strict-sni"];
    const SERVER: &[&str] = &["no-renegotiate", "renegotiate"];
    const VERSIONS: &[&str] = &["SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"];
    let own = if line.word() == "ssl-default-bind-options" { BIND } else { SERVER };
    let mut i = 0;
    while i < line.len() {
        match line.arg(i) {
            "ssl-min-ver" | "ssl-max-ver" if VERSIONS.contains(&line.arg(i + 1)) => i += 2,
            name if BOTH.contains(&name) || own.contains(&name) => i += 1,
            name => {
                cx.alert_arg(
                    line,
                    i,
                    format!("unknown option '{name}' on global statement '{}'.", line.word()),
                );
                cx.suggest(name, BOTH.iter().chain(own).copied());
                return;
            }
        }
    }
}
