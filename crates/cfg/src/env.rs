//! The environment as the configuration sees it (manual 2.3).

use crate::features;
use crate::octets;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// The default log formats, which a configuration can build upon. `log` compiles the same texts.
pub mod formats {
    /// `option tcplog`.
    pub const TCP: &str = "%ci:%cp [%t] %ft %b/%s %Tw/%Tc/%Tt %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq";
    /// `option tcplog clf`.
    pub const TCP_CLF: &str = "%{+Q}o %{-Q}ci - - [%T] \"TCP \" 000 %B \"\" \"\" %cp %ms %ft %b %s %Th %Tw %Tc %Tt %U \
         %ts-- %ac %fc %bc %sc %rc %sq %bq \"\" \"\" ";
    /// `option httplog`.
    pub const HTTP: &str = "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc \
         %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r";
    /// `option httplog clf`.
    pub const HTTP_CLF: &str = "%{+Q}o %{-Q}ci - - [%trg] %r %ST %B \"\" \"\" %cp %ms %ft %b %s %TR %Tw %Tc %Tr %Ta \
         %tsc %ac %fc %bc %sc %rc %sq %bq %CC %CS %hrl %hsl";
    /// `option httpslog`.
    pub const HTTPS: &str = "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc \
         %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r \
         %[fc_err]/%[ssl_fc_err,hex]/%[ssl_c_err]/%[ssl_c_ca_err]/%[ssl_fc_is_resumed] %[ssl_fc_sni]/%sslv/%sslc";
}

/// A snapshot of environment variables, with the changes that `setenv` and its relatives make.
///
/// The process environment itself is never changed: what a child process or Lua must see is [`Env::to_os`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Env {
    vars: BTreeMap<String, String>,
}

impl Env {
    /// No variables.
    pub fn empty() -> Self {
        Self::default()
    }

    /// The variables of this process; the only place that reads them.
    pub fn from_process() -> Self {
        let text = |s: OsString| octets::encode(&s.into_vec()).into_owned();
        Self { vars: std::env::vars_os().map(|(k, v)| (text(k), text(v))).collect() }
    }

    /// Sets the variables that HAProxy defines before it reads a configuration: versions, the name of the local
    /// peer, the default log formats. Loading sets `HAPROXY_CFGFILES` and removes the log formats when it is done.
    pub fn define_builtin(&mut self, local_peer: &str) {
        self.set("HAPROXY_STARTUP_VERSION", features::VERSION);
        self.set("HAPROXY_BRANCH", features::BRANCH);
        self.set("HAPROXY_LOCALPEER", local_peer);
        for (name, format) in log_formats() {
            self.set(name, &format);
        }
    }

    /// Removes the log formats, which exist only while a configuration is read.
    pub fn forget_formats(&mut self) {
        for (name, _) in log_formats() {
            self.unset(name);
        }
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.vars.get(name).map(String::as_str)
    }

    /// `setenv`: sets or replaces a variable.
    pub fn set(&mut self, name: &str, value: &str) {
        self.vars.insert(name.to_owned(), value.to_owned());
    }

    /// `presetenv`: sets a variable unless it exists.
    pub fn preset(&mut self, name: &str, value: &str) {
        if !self.vars.contains_key(name) {
            self.set(name, value);
        }
    }

    /// `unsetenv`: removes a variable.
    pub fn unset(&mut self, name: &str) {
        self.vars.remove(name);
    }

    /// `resetenv`: removes every variable that is not in `keep`.
    pub fn reset<S: AsRef<str>>(&mut self, keep: &[S]) {
        self.vars.retain(|name, _| keep.iter().any(|k| k.as_ref() == name));
    }

    /// All variables, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.vars.iter().map(|(k, v)| (k.as_str(), v.as_str()))
    }

    /// All variables as the kernel takes them, for child processes.
    pub fn to_os(&self) -> Vec<(OsString, OsString)> {
        let os = |s: &str| OsStr::from_bytes(&octets::decode(s)).to_owned();
        self.iter().map(|(k, v)| (os(k), os(v))).collect()
    }
}

fn log_formats() -> [(&'static str, String); 7] {
    [
        ("HAPROXY_TCP_LOG_FMT", formats::TCP.to_owned()),
        ("HAPROXY_TCP_CLF_LOG_FMT", formats::TCP_CLF.to_owned()),
        ("HAPROXY_HTTP_LOG_FMT", formats::HTTP.to_owned()),
        ("HAPROXY_HTTP_CLF_LOG_FMT", formats::HTTP_CLF.to_owned()),
        ("HAPROXY_HTTPS_LOG_FMT", formats::HTTPS.to_owned()),
        ("HAPROXY_KEYLOG_FC_LOG_FMT", keylog("fc")),
        ("HAPROXY_KEYLOG_BC_LOG_FMT", keylog("bc")),
    ]
}

/// The key log of one side of TLS 1.2 and 1.3: a label, the client's random, the secret.
fn keylog(side: &str) -> String {
    let secret =
        |label: &str, fetch: &str| format!("{label} %[ssl_{side}_client_random,hex] %[ssl_{side}_{fetch}]");
    [
        secret("CLIENT_RANDOM", "session_key,hex"),
        secret("CLIENT_EARLY_TRAFFIC_SECRET", "client_early_traffic_secret"),
        secret("CLIENT_HANDSHAKE_TRAFFIC_SECRET", "client_handshake_traffic_secret"),
        secret("SERVER_HANDSHAKE_TRAFFIC_SECRET", "server_handshake_traffic_secret"),
        secret("CLIENT_TRAFFIC_SECRET_0", "client_traffic_secret_0"),
        secret("SERVER_TRAFFIC_SECRET_0", "server_traffic_secret_0"),
        secret("EXPORTER_SECRET", "exporter_secret"),
        secret("EARLY_EXPORTER_SECRET", "early_exporter_secret"),
    ]
    .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes() {
        let mut env = Env::empty();
        env.set("A", "1");
        env.preset("A", "2");
        env.preset("B", "3");
        assert_eq!((env.get("A"), env.get("B")), (Some("1"), Some("3")));
        env.set("C", "4");
        env.unset("A");
        env.reset(&["C", "X"]);
        assert_eq!(env.iter().collect::<Vec<_>>(), [("C", "4")]);
    }

    #[test]
    fn builtin() {
        let mut env = Env::empty();
        env.define_builtin("me");
        assert_eq!(env.get("HAPROXY_BRANCH"), Some("3.4"));
        assert_eq!(env.get("HAPROXY_LOCALPEER"), Some("me"));
        assert!(env.get("HAPROXY_TCP_LOG_FMT").unwrap().ends_with(" %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq"));
        assert!(
            env.get("HAPROXY_KEYLOG_BC_LOG_FMT")
                .unwrap()
                .starts_with("CLIENT_RANDOM %[ssl_bc_client_random,hex] ")
        );
        env.forget_formats();
        let names: Vec<_> = env.iter().map(|(k, _)| k).collect();
        assert_eq!(names, ["HAPROXY_BRANCH", "HAPROXY_LOCALPEER", "HAPROXY_STARTUP_VERSION"]);
    }

    #[test]
    fn octets_come_back() {
        let mut env = Env::empty();
        env.set("X", &octets::encode(b"a\xff"));
        assert_eq!(env.to_os(), [("X".into(), OsStr::from_bytes(b"a\xff").to_owned())]);
    }
}
