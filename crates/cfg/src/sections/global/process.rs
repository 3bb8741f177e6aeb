//! Process management and security keywords of `global` (manual 3.1).

use crate::diag::Severity;
use crate::keyword::Table;
use crate::model::{Global, SetVar, StatusSet};
use crate::parse::ctx::{Ctx, DefaultPath};
use crate::parse::kw::{Kind, Kw, MANY, check, flag, int, run, text, time, word};
use crate::parse::line::{Line, Prefix};
use std::path::PathBuf;

type G = Global;

const MAX: u32 = i32::MAX as u32;
const GROUPS: &str = "every thread has its own listeners and connections, without groups of threads";
const POLICIES: &[&str] = &[
    "none",
    "performance",
    "efficiency",
    "resource",
    "first-usable-node",
    "group-by-ccx",
    "group-by-2-ccx",
    "group-by-3-ccx",
    "group-by-4-ccx",
    "group-by-cluster",
    "group-by-2-clusters",
    "group-by-3-clusters",
    "group-by-4-clusters",
];
const CPU_SETS: &[&str] = &[
    "reset",
    "only-cpu",
    "drop-cpu",
    "only-node",
    "drop-node",
    "only-cluster",
    "drop-cluster",
    "only-core",
    "drop-core",
    "only-thread",
    "drop-thread",
];
const PLACEMENT: &str = "the kernel places threads, within what 'cpu-map' allows";

/// Identity, privileges, limits and life of the process.
#[rustfmt::skip]
pub(crate) static PROCESS: Table<Kw<G>> = Table::new(&[
    flag("daemon", |g| &mut g.daemon, "Runs in the background."),
    run("master-worker", (0, 1), "", master_worker, "Runs workers under a master process."),
    flag("quiet", |g| &mut g.quiet, "Prints nothing while starting."),
    flag("zero-warning", |g| &mut g.zero_warning, "Refuses a configuration that has warnings."),
    run("nbthread", (1, 1), "an integer argument.", nbthread, "Number of threads."),
    run("thread-hard-limit", (1, 1), "an integer argument.", thread_hard_limit, "Most threads that are started by default."),
    run("ulimit-n", (1, 1), "an integer argument.", |cx, g, l| once(cx, l, &mut g.ulimit_n), "Most descriptors of the process."),
    int("fd-hard-limit", (0, MAX), |g| &mut g.fd_hard_limit, "Most descriptors that the process tries to get."),
    run("user", (1, 1), "a user name.", user, "User to run as."),
    run("group", (1, 1), "a group name.", group, "Group to run as."),
    run("uid", (1, 1), "an integer argument.", uid, "Number of the user to run as."),
    run("gid", (1, 1), "an integer argument.", gid, "Number of the group to run as."),
    run("chroot", (1, 1), "a directory as an argument.", chroot, "Directory to be confined to."),
    run("pidfile", (1, 1), "a file name as an argument.", pidfile, "File that gets the process number."),
    run("node", (1, 1), "a node name.", node, "Name of this node in statistics."),
    run("description", (1, MANY), "a string argument.", description, "Describes this instance."),
    run("localpeer", (1, 1), "a name as an argument.", localpeer, "Name of this process among its peers."),
    time("hard-stop-after", |g| &mut g.hard_stop_after, "Longest time that a soft stop may take."),
    time("grace", |g| &mut g.grace, "Time between a soft stop and the closing of listeners."),
    run("close-spread-time", (1, 1), "<time> as argument.", close_spread_time, "Time over which connections are closed in a soft stop."),
    run("cpu-map", (2, MANY), "a thread set and CPU sets.", super::cpu_map::parse, "CPUs that threads may use."),
    run("strict-limits", (0, 0), "", |_, g: &mut G, l| g.strict_limits = Some(l.prefix != Prefix::No), "Refuses to start when limits cannot be set.").negatable(),
    run("set-dumpable", (0, 1), "", set_dumpable, "Allows core dumps after privileges were dropped.").negatable(),
    flag("insecure-fork-wanted", |g: &mut G| &mut g.insecure_fork_wanted, "Lets the process create others after its start.").negatable().idle("Hawser executes no other program"),
    word("insecure-setuid-wanted", "Lets children gain privileges.").idle("Hawser executes no other program"),
    int("mworker-max-reloads", (0, MAX), |g: &mut G| &mut g.mworker_max_reloads, "Reloads that a worker survives."),
    run("default-path", (1, 2), "a mode.", default_path, "Directory that file names are relative to."),
    run("expose-experimental-directives", (0, 0), "", experimental, "Allows experimental keywords."),
    run("expose-deprecated-directives", (0, 0), "", deprecated, "Silences warnings about deprecated keywords."),
    flag("h1-accept-payload-with-any-method", |g| &mut g.h1_accept_payload_with_any_method, "Accepts bodies with GET, HEAD and DELETE of HTTP/1.0."),
    flag("h1-do-not-close-on-insecure-transfer-encoding", |g| &mut g.h1_do_not_close_on_insecure_te, "Keeps connections open that gave both Transfer-Encoding and Content-Length."),
    run("h1-case-adjust", (2, 2), "<from> and <to> as argument.", h1_case_adjust, "Case of a header name for peers that insist on it."),
    run("h1-case-adjust-file", (1, 1), "<file> as argument.", h1_case_adjust_file, "File with header names and their case."),
    run("http-err-codes", (0, MANY), "", http_codes, "Status codes that count as errors."),
    run("http-fail-codes", (0, MANY), "", http_codes, "Status codes that count as failures."),
    run("set-var", (2, MANY), "a process-wide variable name ('proc.<name>') and a sample expression.", set_var, "Sets a process variable from an expression."),
    run("set-var-fmt", (2, MANY), "a process-wide variable name ('proc.<name>') and a format string.", set_var, "Sets a process variable from a format."),
    run("unix-bind", (0, MANY), "", super::unix_bind::parse, "Prefix, owner and mode of UNIX sockets."),
    run("stats", (0, MANY), "", super::stats::parse, "Command sockets and their limits."),
    run("log", (0, MANY), "", crate::sections::log::global, "Where logs go.").negatable(),
    run("log-send-hostname", (0, MANY), "", log_send_hostname, "Puts a host name into syslog headers."),
    text("log-tag", "a tag for use in syslog.", |g| &mut g.log_tag, "Tag in syslog headers."),
]);

/// The environment, which later lines see.
#[rustfmt::skip]
pub(crate) static ENVIRONMENT: Table<Kw<G>> = Table::new(&[
    run("setenv", (2, 2), "environment variable name and value.", |cx, _, l| cx.env.set(l.arg(0), l.arg(1)), "Sets an environment variable."),
    run("presetenv", (2, 2), "environment variable name and value.", |cx, _, l| cx.env.preset(l.arg(0), l.arg(1)), "Sets an environment variable unless it exists."),
    run("unsetenv", (1, MANY), "at least one variable name.", |cx, _, l| l.args().iter().for_each(|w| cx.env.unset(w)), "Removes environment variables."),
    run("resetenv", (0, MANY), "", |cx, _, l| cx.env.reset(&names(l)), "Removes all environment variables but some."),
]);

/// What is checked here and has its effect elsewhere, or none.
#[rustfmt::skip]
pub(crate) static OTHERS: Table<Kw<G>> = Table::new(&[
    word("nbproc", "Number of processes.").removed("2.5", "'nbthread'"),
    check("max-threads-per-group", Kind::Exact(1, 64), "Most threads of a group.").idle(GROUPS),
    check("thread-group", Kind::Exact(1, 32), "Threads of a group.").words(1, 2).idle(GROUPS),
    check("thread-groups", Kind::Exact(1, 32), "Number of groups of threads.").idle(GROUPS),
    check("cpu-affinity", Kind::OneOf(&["per-core", "per-group", "per-thread", "per-ccx", "auto"]), "How threads are bound within their group.").words(1, 2).idle(PLACEMENT),
    check("cpu-policy", Kind::OneOf(POLICIES), "How threads are laid out over the CPUs.").words(1, MANY).idle(PLACEMENT),
    check("cpu-set", Kind::OneOf(CPU_SETS), "CPUs that may be used.").words(1, 2).idle(PLACEMENT),
    run("numa-cpu-mapping", (0, MANY), "", |_, _, _| {}, "Binds the process to one NUMA node.").negatable().idle(PLACEMENT),
    word("dns-accept-family", "Address families accepted from resolvers.").later("DNS"),
    word("external-check", "Allows external programs as health checks.").later("external checks"),
    word("harden.reject-privileged-ports.tcp", "Refuses connections from privileged ports.").later("hardening"),
    flag("pp2-never-send-local", |g| &mut g.pp2_never_send_local, "Never sends LOCAL in PROXY v2 headers."),
    word("setcap", "Capabilities to keep.").later("capabilities"),
    run("server-state-base", (1, 1), "one argument: a directory path.", |cx, g, l| state_path(cx, &mut g.server_state_base, l), "Directory of server state files."),
    run("server-state-file", (1, 1), "one argument: a file path.", |cx, g, l| state_path(cx, &mut g.server_state_file, l), "File with the state of servers."),
    word("shm-stats-file", "File with shared statistics.").later("shared statistics"),
    word("shm-stats-file-max-objects", "Most objects with shared statistics.").later("shared statistics"),
    word("stats-file", "File with statistics to start from.").later("statistics files"),
]);

fn master_worker(cx: &mut Ctx<'_>, g: &mut Global, line: &Line<'_>) {
    if !matches!(line.arg(0), "" | "no-exit-on-failure") {
        cx.alert_arg(line, 0, "'master-worker' only supports 'no-exit-on-failure' option");
        return;
    }
    if !cx.st.deprecated {
        let text = "The 'master-worker' keyword is deprecated in 3.3 and will be removed in 3.5. Use -W or -Ws in the \
                    startup script instead.";
        cx.diags.push(Severity::Warning, None, text);
    }
    g.master_worker = true;
    g.no_exit_on_failure |= line.arg(0) == "no-exit-on-failure";
}

fn nbthread(cx: &mut Ctx<'_>, g: &mut Global, line: &Line<'_>) {
    let arg = line.arg(0);
    let why = match arg.parse::<i64>() {
        Ok(n @ 1..=1024) => {
            g.nbthread = u32::try_from(n).ok();
            return;
        }
        Ok(_) => format!("'nbthread' value must be between 1 and 1024 (was {arg})"),
        Err(_) => format!("'nbthread' passed a missing or unparsable integer value in '{arg}'"),
    };
    cx.alert_arg(line, 0, why);
}

/// An integer that keeps its first value.
pub(super) fn once(cx: &mut Ctx<'_>, line: &Line<'_>, slot: &mut Option<u32>) {
    let Some(n) = cx.exact_int(line, 0, i64::MIN, i64::MAX) else { return };
    if slot.is_some() {
        cx.harmless(line, format!("'{}' already specified. Continuing.", line.word()));
    } else {
        // Zero and less mean no limit of ours.
        *slot = (n > 0).then(|| u32::try_from(n).unwrap_or(u32::MAX));
    }
}

fn thread_hard_limit(cx: &mut Ctx<'_>, g: &mut Global, line: &Line<'_>) {
    if let Some(n) = cx.exact_int(line, 0, 1, 4096) {
        g.thread_hard_limit = u32::try_from(n).ok();
    }
}

fn user(cx: &mut Ctx<'_>, g: &mut Global, line: &Line<'_>) {
    if first(cx, line, g.user.is_none() && g.uid.is_none(), "user/uid") {
        g.user = Some((line.pos, line.owned(0)));
    }
}

fn group(cx: &mut Ctx<'_>, g: &mut Global, line: &Line<'_>) {
    if first(cx, line, g.group.is_none() && g.gid.is_none(), "group/gid") {
        g.group = Some((line.pos, line.owned(0)));
    }
}

fn uid(cx: &mut Ctx<'_>, g: &mut Global, line: &Line<'_>) {
    if first(cx, line, g.user.is_none() && g.uid.is_none(), "user/uid") {
        g.uid = id(cx, line, "user");
    }
}

fn gid(cx: &mut Ctx<'_>, g: &mut Global, line: &Line<'_>) {
    if first(cx, line, g.group.is_none() && g.gid.is_none(), "group/gid") {
        g.gid = id(cx, line, "group");
    }
}

fn state_path(cx: &mut Ctx<'_>, slot: &mut Option<crate::pos::Word>, line: &Line<'_>) {
    if first(cx, line, slot.is_none(), &format!("'{}'", line.word())) {
        *slot = Some(line.owned(0));
    }
}

/// Whether a setting that keeps its first value is free; says so when not.
fn first(cx: &mut Ctx<'_>, line: &Line<'_>, free: bool, what: &str) -> bool {
    if !free {
        cx.harmless(line, format!("{what} already specified. Continuing."));
    }
    free
}

fn id(cx: &mut Ctx<'_>, line: &Line<'_>, name: &str) -> Option<u32> {
    let n = line.arg(0).parse().ok();
    if n.is_none() {
        let (kw, arg) = (line.word(), line.arg(0));
        let text = format!(
            "{kw}: string '{arg}' is not a number.\n   | You might want to use the '{name}' parameter to use a \
             system {name} name."
        );
        cx.alert_arg(line, 0, text);
    }
    n
}

fn chroot(cx: &mut Ctx<'_>, g: &mut Global, line: &Line<'_>) {
    if first(cx, line, g.chroot.is_none(), "'chroot' is") {
        g.chroot = Some(PathBuf::from(line.arg(0)));
    }
}

fn pidfile(cx: &mut Ctx<'_>, g: &mut Global, line: &Line<'_>) {
    if first(cx, line, g.pidfile.is_none(), "'pidfile'") {
        g.pidfile = Some(PathBuf::from(line.arg(0)));
    }
}

fn node(cx: &mut Ctx<'_>, g: &mut Global, line: &Line<'_>) {
    let name = line.arg(0);
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
    {
        let text = "'node' requires valid node name - non-empty string with digits(0-9), letters(A-Z, a-z), \
                    dot(.), hyphen(-) or underscode(_).";
        cx.alert_arg(line, 0, text);
        return;
    }
    g.node = Some(name.to_owned());
}

fn localpeer(cx: &mut Ctx<'_>, g: &mut Global, line: &Line<'_>) {
    cx.env.set("HAPROXY_LOCALPEER", line.arg(0));
    g.localpeer = Some(line.arg(0).to_owned());
}

fn description(_: &mut Ctx<'_>, g: &mut Global, line: &Line<'_>) {
    g.description = Some(joined(line));
}

/// All arguments with single spaces.
pub(crate) fn joined(line: &Line<'_>) -> String {
    let words: Vec<&str> = line.args().iter().map(|w| w.as_str()).collect();
    words.join(" ")
}

fn close_spread_time(cx: &mut Ctx<'_>, g: &mut Global, line: &Line<'_>) {
    if line.arg(0) == "infinite" {
        g.close_spread_time = Some(u32::MAX);
    } else if let Some(ms) = cx.time(line, 0) {
        g.close_spread_time = Some(ms);
    }
}

fn set_dumpable(cx: &mut Ctx<'_>, g: &mut Global, line: &Line<'_>) {
    g.set_dumpable = Some(match line.arg(0) {
        "" | "on" => line.prefix != Prefix::No,
        "off" => false,
        other => {
            let text =
                format!("'set-dumpable' only supports 'on' and 'off' as an argument, found '{other}'.");
            cx.alert_arg(line, 0, text);
            return;
        }
    });
}

fn default_path(cx: &mut Ctx<'_>, g: &mut Global, line: &Line<'_>) {
    cx.st.default_path = match (line.arg(0), line.arg(1)) {
        ("current", _) => DefaultPath::Current,
        ("config", _) => DefaultPath::Config,
        ("parent", _) => DefaultPath::Parent,
        ("origin", "") => {
            cx.alert(line, "'default-path origin' expects a directory as an argument.");
            return;
        }
        ("origin", dir) => {
            if !PathBuf::from(dir).is_dir() {
                let text = format!("couldn't set 'default-path' to origin '{dir}': No such directory.");
                cx.alert_arg(line, 1, text);
                return;
            }
            DefaultPath::Origin(dir.into())
        }
        (mode, _) => {
            let text = format!(
                "unsupported default-path mode '{mode}' for 'default-path', supported modes include 'current', \
                 'config', 'parent', and 'origin'."
            );
            cx.alert_arg(line, 0, text);
            return;
        }
    };
    g.default_path = Some(line.owned_vec(0));
}

fn experimental(cx: &mut Ctx<'_>, g: &mut Global, _: &Line<'_>) {
    cx.st.experimental = true;
    g.expose_experimental = true;
}

fn deprecated(cx: &mut Ctx<'_>, g: &mut Global, _: &Line<'_>) {
    cx.st.deprecated = true;
    g.expose_deprecated = true;
}

fn h1_case_adjust(cx: &mut Ctx<'_>, g: &mut Global, line: &Line<'_>) {
    if let Err(why) = case_pair(g, line.arg(0), line.arg(1)) {
        cx.alert_arg(line, 1, why);
    }
}

fn case_pair(g: &mut Global, from: &str, to: &str) -> Result<(), String> {
    if !from.eq_ignore_ascii_case(to) {
        return Err("<from> and <to> must not differ except the case".into());
    }
    if from.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err("<from> must not contain upper case characters".into());
    }
    if g.h1_case_adjust.iter().any(|(f, _)| f == from) {
        return Err(format!("duplicate entry '{from}'"));
    }
    g.h1_case_adjust.push((from.to_owned(), to.to_owned()));
    Ok(())
}

fn h1_case_adjust_file(cx: &mut Ctx<'_>, g: &mut Global, line: &Line<'_>) {
    let name = line.arg(0);
    let Ok(data) = std::fs::read_to_string(cx.path(name)) else {
        cx.alert_arg(line, 0, format!("h1-headers-case-adjust-file '{name}': failed to open file."));
        return;
    };
    for (n, l) in (1..).zip(data.lines()) {
        let mut words = l.split('#').next().unwrap_or_default().split_ascii_whitespace();
        let why = match (words.next(), words.next(), words.next()) {
            (None, ..) => continue,
            (Some(_), None, _) => "expect <to>".to_owned(),
            (Some(_), Some(_), Some(extra)) => format!("cannot handle unexpected argument '{extra}'"),
            (Some(from), Some(to), None) => match case_pair(g, from, to) {
                Ok(()) => continue,
                Err(why) => why,
            },
        };
        cx.alert_arg(line, 0, format!("h1-headers-case-adjust-file '{name}' : {why} at line {n}."));
        return;
    }
}

/// `http-err-codes` and `http-fail-codes`: each word replaces, extends (`+`) or reduces (`-`) the set.
fn http_codes(cx: &mut Ctx<'_>, g: &mut Global, line: &Line<'_>) {
    if line.len() == 0 {
        cx.alert(line, format!("Missing status codes range for '{}'.", line.word()));
        return;
    }
    let codes = &mut g.http_codes;
    let set = if line.word() == "http-err-codes" { &mut codes.errors } else { &mut codes.failures };
    for (i, word) in line.args().iter().enumerate() {
        let member = !word.starts_with('-');
        let list = word.strip_prefix(['+', '-']).unwrap_or(word);
        if list.len() == word.len() {
            *set = StatusSet::default();
        }
        let mut rest = list;
        loop {
            let (range, after) = rest.split_once(',').map_or((rest, None), |(r, after)| (r, Some(after)));
            let (low, high) = range.split_once('-').unwrap_or((range, range));
            let (Ok(low), Ok(high)) = (low.parse::<u32>(), high.parse::<u32>()) else {
                // Behind what is a number.
                let bad = if low.parse::<u32>().is_ok() { high } else { low };
                let at = bad.as_ptr().addr() - word.as_str().as_ptr().addr();
                let text = format!(
                    "Invalid status codes range '{word}' in '{}' at position {at}. Ranges must be in the form \
                     [+-]{{low[-{{high}}]}}[,...].",
                    line.word()
                );
                cx.alert_arg(line, i, text);
                return;
            };
            if low > high || low < 100 || high > 599 {
                let text = format!(
                    "Invalid status codes range '{word}' in '{}'.\n Codes must be between 100 and 599 and ranges \
                     in ascending order.",
                    line.word()
                );
                cx.alert_arg(line, i, text);
                return;
            }
            // Both are below 600.
            set.put(low as u16..=high as u16, member);
            let Some(after) = after else { break };
            rest = after;
        }
    }
}

fn set_var(cx: &mut Ctx<'_>, g: &mut Global, line: &Line<'_>) {
    let (kw, name) = (line.word(), line.arg(0));
    let scope = name.split('.').next().unwrap_or_default();
    let known = ["proc", "sess", "psess", "txn", "ptxn", "req", "preq", "res", "pres", "check"];
    if !name.contains('.') || !known.contains(&scope) {
        let text = format!(
            "invalid variable name '{name}'. A variable name must start with its scope. The scope can be 'proc', \
             '(p)sess', '(p)txn', '(p)req', '(p)res' or 'check'"
        );
        cx.alert_arg(line, 0, text);
        return;
    }
    if scope != "proc" {
        let text = format!(
            "'{kw}': cannot set variable '{name}', only scope 'proc' is permitted in the global section."
        );
        cx.alert_arg(line, 0, text);
        return;
    }
    g.set_vars.push(SetVar {
        pos: line.pos,
        name: line.owned(0),
        args: line.owned_vec(1),
        fmt: kw == "set-var-fmt",
    });
}

fn names<'a>(line: &Line<'a>) -> Vec<&'a str> {
    line.args().iter().map(|w| w.as_str()).collect()
}

fn log_send_hostname(_: &mut Ctx<'_>, g: &mut Global, line: &Line<'_>) {
    g.log_send_hostname = Some(line.arg(0).to_owned());
}
