//! Versions, build information and the usage, in the form that tools expect of HAProxy.

use crate::args::Part;
use hawser_cfg::features;
use std::fmt::Write;

/// The version of HAProxy whose interface this is, marked as ours.
pub const VERSION: &str = "3.4.0-hawser";
/// Date of the release.
pub const RELEASE_DATE: &str = "2026/11/23";

/// What `-vq` and relatives print.
pub fn only(part: Part) -> &'static str {
    match part {
        Part::Full => VERSION,
        Part::Short => features::VERSION,
        Part::Branch => "3.4",
    }
}

/// `-v`: the first line is for parsers of HAProxy's, the second says what this is.
pub fn short() -> String {
    format!(
        "HAProxy version {VERSION} {RELEASE_DATE} - {}\nThis is Hawser {}, which runs HAProxy's configurations; it is not HAProxy.\nRunning on: {}\n",
        env!("CARGO_PKG_REPOSITORY"),
        env!("CARGO_PKG_VERSION"),
        system()
    )
}

/// `-vv`: what this build can do, section by section as tools look for them. `facts` come from the layers.
pub fn long(facts: &BuildFacts<'_>) -> String {
    let mut out = short();
    let _ = write!(
        out,
        "Build options :\n  TARGET  = linux-rust\n  CC      = rustc\n\nFeature list : {}\nDetected feature list : {}\n\n\
         Default settings :\n  bufsize = {}, maxrewrite = {}, maxpollevents = {}\n\n\
         Built with multi-threading support (MAX_TGROUPS=1, MAX_THREADS={}, default={}).\n\
         Built without TLS support.\nBuilt without Lua support.\nBuilt without compression support.\n\
         Built with transparent proxy support using: IP_TRANSPARENT IPV6_TRANSPARENT\n\
         Built with the regex crate as regular expression library\n\n\
         Available polling systems :\n      epoll : pref=300,  test result OK\n\
         Total: 1 (1 usable), will use epoll.\n\n",
        feature_list(),
        detected_list(),
        facts.bufsize,
        facts.maxrewrite,
        facts.maxpollevents,
        crate::limits::MAX_THREADS,
        crate::limits::default_threads(),
    );
    out.push_str(
        "Available multiplexer protocols :\n(protocols marked as <default> cannot be specified using 'proto' keyword)\n",
    );
    for m in facts.muxes {
        let _ = writeln!(
            out,
            "{:>11} : mode={:<4}  side={:<5}  mux={:<4}  flags={}",
            m.token, m.mode, m.side, m.name, m.flags
        );
    }
    let list = |names: &[&str]| if names.is_empty() { "none".to_owned() } else { names.join(" ") };
    let _ = write!(out, "\nAvailable services : {}\nAvailable filters :\n", list(facts.services));
    if facts.filters.is_empty() {
        out.push_str("\tnone\n");
    }
    for f in facts.filters {
        let _ = writeln!(out, "\t{f}");
    }
    out.push('\n');
    out
}

/// What `-vv` lists of the layers above.
#[derive(Clone, Copy, Debug)]
pub struct BuildFacts<'a> {
    /// `tune.bufsize` by default.
    pub bufsize: u32,
    /// `tune.maxrewrite` by default.
    pub maxrewrite: u32,
    /// Events per turn of the reactor.
    pub maxpollevents: u32,
    /// Muxes.
    pub muxes: &'a [MuxFacts],
    /// Services of `use-service`.
    pub services: &'a [&'a str],
    /// Filters.
    pub filters: &'a [&'a str],
}

/// One line of the multiplexer table.
#[derive(Clone, Copy, Debug)]
pub struct MuxFacts {
    /// What `proto` takes, or `<default>`.
    pub token: &'static str,
    /// `HTTP` or `TCP`.
    pub mode: &'static str,
    /// `FE`, `BE` or `FE|BE`.
    pub side: &'static str,
    /// Its name.
    pub name: &'static str,
    /// HAProxy's flags.
    pub flags: &'static str,
}

/// What exists today.
pub const BUILD: BuildFacts<'static> = BuildFacts {
    bufsize: 16384,
    maxrewrite: 1024,
    maxpollevents: 1024,
    #[rustfmt::skip]
    muxes: &[
        MuxFacts { token: "h2", mode: "HTTP", side: "FE|BE", name: "H2", flags: "HTX|HOL_RISK|NO_UPG" },
        MuxFacts { token: "<default>", mode: "HTTP", side: "FE|BE", name: "H1", flags: "HTX" },
        MuxFacts { token: "h1", mode: "HTTP", side: "FE|BE", name: "H1", flags: "HTX|NO_UPG" },
        MuxFacts { token: "<default>", mode: "TCP", side: "FE|BE", name: "PASS", flags: "" },
        MuxFacts { token: "none", mode: "TCP", side: "FE|BE", name: "PASS", flags: "NO_UPG" },
    ],
    services: &[crate::metrics::NAME],
    filters: &[],
};

fn detected_list() -> String {
    features::detected().iter().map(|name| format!("+{name}")).collect::<Vec<_>>().join(" ")
}

fn feature_list() -> String {
    let sign = |f: &features::Feature| format!("{}{}", if f.on { '+' } else { '-' }, f.name);
    features::FEATURES.iter().map(sign).collect::<Vec<_>>().join(" ")
}

fn system() -> String {
    let u = rustix::system::uname();
    let text = |s: &std::ffi::CStr| s.to_string_lossy().into_owned();
    [text(u.sysname()), text(u.release()), text(u.version()), text(u.machine())].join(" ")
}

/// The usage; `name` is what the program was called by.
pub fn usage(name: &str) -> String {
    let mut out = short();
    let _ =
        writeln!(out, "Usage : {name} [-f <cfgfile|cfgdir>]* [ -vdVD ] [ -n <maxconn> ] [ -N <maxpconn> ]");
    out.push_str("        [ -p <pidfile> ] [ -m <max megs> ] [ -C <dir> ] [-- <cfgfile>*]\n");
    for (option, help) in OPTIONS {
        let _ = writeln!(out, "        {option} {help}");
    }
    out
}

#[rustfmt::skip]
const OPTIONS: &[(&str, &str)] = &[
    ("-v", "print the version ; -vv what this build can do"),
    ("-vq/-vqs/-vqb", "print only the version, the short version, the branch"),
    ("-d", "debug mode ; -db stay in the foreground"),
    ("-V", "say more ; -q print no messages"),
    ("-D", "go to the background ; -C change to <dir> before loading files"),
    ("-c", "check the configuration and exit ; -cc evaluate a condition and exit"),
    ("-4", "resolve names to IPv4 addresses only"),
    ("-n", "limit of connections ; -N default limit of each proxy"),
    ("-m", "limit of memory (MB)"),
    ("-L", "name of the local peer (default: hostname)"),
    ("-p", "write the pid into this file (with -D)"),
    ("-dS", "do not use splice ; -dR do not use SO_REUSEPORT"),
    ("-dK{class[,...]}", "dump keywords (help lists the classes)"),
    ("-dr", "ignore server names that do not resolve"),
    ("-dV", "do not verify certificates of servers"),
    ("-dW", "treat warnings as errors ; -dD diagnose suspicious statements"),
    ("-de -dp -dG -dM -dc -dF -dI -dZ -dT", "accepted"),
    ("-sf/-st [pid ]*", "tell old processes to finish/terminate once this one serves"),
    ("--diagnostics={auto|classic|pretty|json}", "how to print what is wrong with a configuration"),
    ("-dC", "print the configuration as it is understood ; -dL list the files that the program is made of"),
    ("-W", "run workers under a master ; -Ws tell systemd ; -S address of the master's command line"),
    ("-x", "take listening sockets over from the process behind this address"),
    ("-dC<key> -dA<file> -dt -Ex", "not supported yet"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parsers_of_haproxy_s_version_are_satisfied() {
        let first = short().lines().next().unwrap_or_default().to_owned();
        let words: Vec<&str> = first.split(' ').collect();
        assert_eq!(&words[..2], ["HAProxy", "version"]);
        assert_eq!(words[2], VERSION);
        assert_eq!(words[3].split('/').map(str::len).collect::<Vec<_>>(), [4, 2, 2]);
        assert_eq!(words[4], "-");
        assert!(short().contains("Hawser"));
        assert!(only(Part::Full).starts_with(only(Part::Short)));
        assert!(only(Part::Short).starts_with(only(Part::Branch)));
    }

    #[test]
    fn the_long_version_has_the_sections_that_tools_look_for() {
        let text = long(&BUILD);
        for section in [
            "\nFeature list : ",
            "\nAvailable polling systems :\n",
            "will use epoll.",
            "\nAvailable multiplexer protocols :\n",
            "\n         h1 : mode=HTTP  side=FE|BE  mux=H1    flags=HTX|NO_UPG\n",
            "\nAvailable services : prometheus-exporter\n",
            "\nAvailable filters :\n",
        ] {
            assert!(text.contains(section), "{section}\n{text}");
        }
    }

    #[test]
    fn the_usage_names_the_program() {
        assert!(usage("haproxy").contains("\nUsage : haproxy [-f"));
    }
}
