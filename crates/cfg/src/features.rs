//! What this build can do, under HAProxy's names: for `feature()`, `enabled()` and `-vv`.

use std::sync::OnceLock;

/// The version of HAProxy whose behaviour this is.
pub const VERSION: &str = "3.4.0";

/// Its branch: the value of `HAPROXY_BRANCH`.
pub const BRANCH: &str = "3.4";

/// A row of the feature list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Feature {
    /// HAProxy's name.
    pub name: &'static str,
    /// Whether this build has it.
    pub on: bool,
}

const fn on(name: &'static str) -> Feature {
    Feature { name, on: true }
}

const fn off(name: &'static str) -> Feature {
    Feature { name, on: false }
}

/// Every feature that HAProxy 3.4 lists, sorted by name. One is on if what a user expects of it works here, not
/// because a library happens to be linked.
pub const FEATURES: &[Feature] = &[
    off("51DEGREES"),
    on("ACCEPT4"),
    off("ACME"),
    off("BACKTRACE"),
    off("CLOSEFROM"),
    on("CPU_AFFINITY"),
    off("CRYPT_H"),
    off("DEVICEATLAS"),
    off("DL"),
    off("ECH"),
    off("ENGINE"),
    on("EPOLL"),
    off("EVPORTS"),
    on("GETADDRINFO"),
    on("HAVE_TCP_MD5SIG"),
    off("KQUEUE"),
    off("KTLS"),
    off("LIBATOMIC"),
    off("LIBCRYPT"),
    off("LINUX_CAP"),
    on("LINUX_SPLICE"),
    on("LINUX_TPROXY"),
    off("LUA"),
    off("MATH"),
    off("MEMORY_PROFILING"),
    on("NETFILTER"),
    on("NS"),
    off("OBSOLETE_LINKER"),
    off("OPENSSL"),
    off("OPENSSL_AWSLC"),
    off("OPENSSL_WOLFSSL"),
    off("OT"),
    off("PCRE"),
    off("PCRE2"),
    off("PCRE2_JIT"),
    off("PCRE_JIT"),
    on("POLL"),
    on("PRCTL"),
    off("PROCCTL"),
    on("PROMEX"),
    off("PTHREAD_EMULATION"),
    off("QUIC"),
    off("QUIC_OPENSSL_COMPAT"),
    on("RT"),
    off("SHM_OPEN"),
    off("SLZ"),
    off("SSL"),
    off("STATIC_PCRE"),
    off("STATIC_PCRE2"),
    on("TFO"),
    on("THREAD"),
    off("THREAD_DUMP"),
    on("TPROXY"),
    off("TRACE"),
    off("WURFL"),
    off("ZLIB"),
];

/// What `enabled()` knows, with what it says unless the command line or the configuration changes it.
pub const DEFAULT_ENABLED: &[&str] = &["EPOLL", "POLL", "GETADDRINFO", "REUSEPORT", "FAST-FORWARD", "SPLICE"];

/// The TLS library, for the predicates that ask about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SslLib {
    /// Its name, as `ssllib_name_startswith()` compares it.
    pub name: &'static str,
    /// The OpenSSL version whose interface it offers: major, minor, patch.
    pub openssl_version: [u8; 3],
}

/// The TLS library of this build.
pub const SSL_LIB: Option<SslLib> = None;

static DETECTED: OnceLock<Vec<&'static str>> = OnceLock::new();

/// Notes what the running kernel was found to have: works once, and boot does it.
pub fn set_detected(names: Vec<&'static str>) {
    let _ = DETECTED.set(names);
}

/// What the running kernel was found to have.
pub fn detected() -> &'static [&'static str] {
    DETECTED.get().map_or(&[], Vec::as_slice)
}

/// Whether [`FEATURES`] has `name`, and has it on, or the kernel was found to have it.
pub fn has(features: &[Feature], name: &str) -> bool {
    features.iter().any(|f| f.on && f.name == name) || detected().contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorted_and_unique() {
        assert!(FEATURES.windows(2).all(|w| w[0].name < w[1].name));
        assert!(VERSION.starts_with(BRANCH));
    }

    #[test]
    fn listed_is_not_present() {
        assert!(has(FEATURES, "THREAD"));
        assert!(!has(FEATURES, "thread"));
        assert!(!has(FEATURES, "PCRE"), "listed, but off");
        assert!(!has(FEATURES, "NOPE"));
    }
}
