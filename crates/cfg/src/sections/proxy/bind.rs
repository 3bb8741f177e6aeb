//! `bind` lines and their options (manual 5.1); `stats socket` takes the same options.

use crate::accounts;
use crate::addr::{self, AddrUse};
use crate::diag::Layout;
use crate::keyword::{Row, Table};
use crate::model::{Addr, AddrKind, Bind, BindOpts, Proxy, UnixBind};
use crate::parse::ctx::Ctx;
use crate::parse::kw::{Kw, Scope, flag, run, word};
use crate::parse::line::Line;
use crate::parse::options::{self, Intro};
use crate::units::{TimeUnit, UnitError};

/// What the options of a bind line act on.
#[derive(Debug, Default)]
pub(crate) struct Target {
    /// Options of the listener.
    pub(crate) opts: BindOpts,
    /// `level`; 1 is operator.
    pub(crate) level: Option<u8>,
    /// `severity-output`.
    pub(crate) severity: Option<String>,
    /// The address is one of reverse HTTP.
    reverse: bool,
}

type T = Target;

const TLS: &str = "TLS";

/// Longest password of TCP MD5 signatures.
pub(super) const MD5SIG_MAX: usize = 80;

const fn tls(name: &'static str, args: u8, help: &'static str) -> Row<Kw<T>> {
    word(name, help).words(args, args).later(TLS)
}

/// Options that act on sockets.
#[rustfmt::skip]
pub(crate) static OPTIONS: Table<Kw<T>> = Table::new(&[
    run("accept-netscaler-cip", (1, 1), ": missing value", cip_magic, "Accepts NetScaler's client IP header."),
    flag("accept-proxy", |t| &mut t.opts.accept_proxy, "Accepts the PROXY protocol."),
    run("backlog", (1, 1), ": missing value", |cx, t, l| number(cx, l, &mut t.opts.backlog), "Length of the queue of pending connections."),
    run("cc", (1, 1), ": missing TCP congestion control algorithm", |_, t, l| t.opts.cc = own(l), "Congestion control algorithm."),
    flag("defer-accept", |t| &mut t.opts.defer_accept, "Waits for data before accepting."),
    run("expose-fd", (1, 1), ": missing fd type", expose_fd, "Lets the socket pass listeners on."),
    run("gid", (1, 1), ": missing value", |cx, t, l| number(cx, l, &mut t.opts.gid), "Group number of a UNIX socket."),
    run("group", (1, 1), ": missing group name", group, "Group of a UNIX socket."),
    run("guid-prefix", (1, 1), ": expects an argument", guid_prefix, "Prefix of the identifiers of listeners.").reverse(),
    run("id", (1, 1), ": missing value", id, "Number of the listener.").reverse(),
    run("idle-ping", (1, 1), "an argument.", idle_ping, "Time after which an idle HTTP/2 connection is probed.").reverse(),
    run("interface", (1, 1), ": missing interface name", |_, t, l| t.opts.interface = own(l), "Interface to listen on."),
    run("label", (1, 1), ": missing label", |_, t: &mut T, l| t.opts.label = own(l), "Label of the listener.").reverse(),
    run("level", (1, 1), ": missing level", level, "Rights of a command socket."),
    run("maxconn", (1, 1), ": missing value", |cx, t, l| number(cx, l, &mut t.opts.maxconn), "Most connections of the listener."),
    run("mode", (1, 1), ": missing or invalid mode '' (octal integer expected)", mode, "Access mode of a UNIX socket."),
    run("mss", (1, 1), ": missing MSS value", mss, "Maximum segment size."),
    run("name", (1, 1), ": missing name", |_, t: &mut T, l| t.opts.name = own(l), "Name of the listener.").reverse(),
    run("namespace", (1, 1), ": missing namespace id", |_, t, l| t.opts.namespace = own(l), "Network namespace to listen in."),
    run("nbconn", (1, 1), ": missing value.", nbconn, "Connections that a reverse listener keeps up.").reverse().experimental(),
    run("nice", (1, 1), ": missing value", nice, "Priority of the connections of the listener.").idle("connections have no priorities"),
    word("process", "Processes that listen.").words(0, 1).removed("2.5", "'thread'"),
    run("proto", (1, 1), ": missing value", proto, "Protocol of the connections."),
    run("retry-max", (1, 1), "a delay as argument.", retry_max, "Longest pause between two attempts of a reverse listener; not in HAProxy.").reverse().experimental(),
    run("severity-output", (1, 1), ": missing severity format", severity, "How a command socket writes severities."),
    run("shards", (1, 1), ": missing value", shards, "Number of sockets."),
    run("tcp-md5sig", (1, 1), ": missing TCP MD5 signature password", md5sig, "Secret of TCP MD5 signatures."),
    run("tcp-ss", (1, 1), ": TCP Save SYN option expects an integer argument from 0 to 2", tcp_ss, "Keeps the SYN packet."),
    run("tcp-ut", (1, 1), ": missing TCP User Timeout value", tcp_ut, "Longest time that data may stay unacknowledged."),
    flag("tfo", |t| &mut t.opts.tfo, "TCP fast open."),
    run("thread", (1, 1), ": missing value", thread, "Threads that listen.").reverse(),
    flag("transparent", |t| &mut t.opts.transparent, "Accepts connections to addresses of others."),
    run("uid", (1, 1), ": missing value", |cx, t, l| number(cx, l, &mut t.opts.uid), "User number of a UNIX socket."),
    run("user", (1, 1), ": missing user name", user, "User of a UNIX socket."),
    flag("v4v6", |t| &mut t.opts.v4v6, "An IPv6 listener accepts IPv4 too."),
    flag("v6only", |t| &mut t.opts.v6only, "An IPv6 listener accepts no IPv4."),
    word("quic-cc-algo", "Congestion control of QUIC.").words(1, 1).later("QUIC"),
    word("quic-force-retry", "Always sends QUIC Retry.").later("QUIC"),
    word("quic-socket", "How QUIC sockets are shared.").words(1, 1).later("QUIC"),
]);

/// Options of TLS.
#[rustfmt::skip]
pub(crate) static TLS_OPTIONS: Table<Kw<T>> = Table::new(&[
    tls("ssl", 0, "Speaks TLS."),
    tls("allow-0rtt", 0, "Accepts early data."),
    tls("alpn", 1, "Protocols that are offered."),
    tls("ca-file", 1, "Authorities of client certificates."),
    tls("ca-ignore-err", 1, "Errors of authorities that are ignored."),
    tls("ca-sign-file", 1, "Authority that signs generated certificates."),
    tls("ca-sign-pass", 1, "Pass phrase of that authority."),
    tls("ca-verify-file", 1, "Authorities that verify but are not announced."),
    tls("ciphers", 1, "Ciphers up to TLS 1.2."),
    tls("ciphersuites", 1, "Cipher suites of TLS 1.3."),
    tls("client-sigalgs", 1, "Signature algorithms accepted from clients."),
    tls("crl-file", 1, "Revoked client certificates."),
    tls("crt", 1, "Certificate."),
    tls("crt-ignore-err", 1, "Errors of certificates that are ignored."),
    tls("crt-list", 1, "List of certificates."),
    tls("curves", 1, "Curves."),
    tls("default-crt", 1, "Certificate without a name."),
    tls("ecdhe", 1, "Curve of ephemeral keys."),
    tls("ech", 1, "Keys of encrypted client hellos."),
    tls("force-sslv3", 0, "Only SSL 3."),
    tls("force-tlsv10", 0, "Only TLS 1.0."),
    tls("force-tlsv11", 0, "Only TLS 1.1."),
    tls("force-tlsv12", 0, "Only TLS 1.2."),
    tls("force-tlsv13", 0, "Only TLS 1.3."),
    tls("generate-certificates", 0, "Generates certificates."),
    tls("ktls", 1, "Kernel TLS."),
    tls("no-alpn", 0, "Offers no protocol."),
    tls("no-ca-names", 0, "Announces no authorities."),
    tls("no-sslv3", 0, "No SSL 3."),
    tls("no-strict-sni", 0, "Accepts unknown names."),
    tls("no-tls-tickets", 0, "No session tickets."),
    tls("no-tlsv10", 0, "No TLS 1.0."),
    tls("no-tlsv11", 0, "No TLS 1.1."),
    tls("no-tlsv12", 0, "No TLS 1.2."),
    tls("no-tlsv13", 0, "No TLS 1.3."),
    tls("npn", 1, "Protocols offered by NPN."),
    tls("prefer-client-ciphers", 0, "The client's order of ciphers wins."),
    tls("sigalgs", 1, "Signature algorithms."),
    tls("ssl-max-ver", 1, "Highest version."),
    tls("ssl-min-ver", 1, "Lowest version."),
    tls("strict-sni", 0, "Refuses unknown names."),
    tls("tls-ticket-keys", 1, "Keys of session tickets."),
    tls("tls-tickets", 0, "Session tickets."),
    tls("verify", 1, "Whether clients must have certificates."),
]);

/// `bind <address>[, …] [options]`.
pub(crate) fn bind(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    let section = cx.st.kind.word();
    bind_in(cx, &mut p.binds, line, AddrUse::Bind, section);
}

/// The same, for listeners of a section that is no proxy (its name), streams or datagrams.
pub(crate) fn bind_in(
    cx: &mut Ctx<'_>,
    binds: &mut Vec<Bind>,
    line: &Line<'_>,
    usage: AddrUse,
    section: &str,
) {
    let word = line.word();
    let mut addrs = match addr::parse_list(&cx.address(line.arg(0)), usage) {
        Ok(addrs) => addrs,
        Err(why) => {
            let what =
                if usage == AddrUse::Bind { word.to_owned() } else { format!("{word} {}", line.arg(0)) };
            cx.alert_arg(line, 0, format!("'{what}' : {why}"));
            Vec::new()
        }
    };
    if addrs.iter().any(|a| matches!(a.kind, AddrKind::Quic(_))) {
        let text = format!("'{word}' : '{}' is not supported by Hawser yet (area: QUIC).", line.arg(0));
        cx.alert_arg(line, 0, text);
    }
    let mut target = Target::default();
    if reverse(cx, line, &addrs) {
        target.reverse = true;
        target.opts.proto = Some("h2".to_owned());
    }
    let intro = || format!("'{word} {}' in section '{section}'", line.arg(0));
    if !target.reverse || takes_all(cx, line) {
        parse_options(cx, &mut target, line, 2, &intro);
    }
    unix_defaults(&cx.st.unix_bind, &mut addrs, &mut target.opts);
    // A line with a bad address stays, so that the proxy does not seem to have no listener.
    binds.push(Bind { pos: line.pos, addrs, opts: target.opts });
}

/// Whether the line is one of reverse HTTP; alerts where that is not allowed.
fn reverse(cx: &mut Ctx<'_>, line: &Line<'_>, addrs: &[Addr]) -> bool {
    let count = addrs.iter().filter(|a| matches!(a.kind, AddrKind::Rhttp(_))).count();
    if count == 0 {
        return false;
    }
    let mut verdict = cx.experimental_address(line.arg(0));
    if count < addrs.len() {
        verdict = verdict.and(Err("Cannot mix reverse HTTP bind with others.".into()));
    }
    if let Err(why) = verdict {
        cx.alert_arg(line, 0, format!("'bind' : {why}"));
    }
    true
}

/// Whether every option is one that a reverse HTTP listener has.
fn takes_all(cx: &mut Ctx<'_>, line: &Line<'_>) -> bool {
    let index = &super::super::registry().bind;
    let mut at = 1;
    while at < line.len() {
        // Unknown words are reported by those who parse them.
        let Some(row) = index.get(line.arg(at)) else { return true };
        if !row.x.scope.has(Scope::REVERSE) {
            let text = format!("'{}' option is not accepted for reverse HTTP", line.arg(at));
            cx.alert_arg(line, at, text).layout = Layout::Located;
            return false;
        }
        at += 1 + usize::from(row.x.max);
    }
    true
}

/// What `unix-bind` says about the sockets of a line that does not say it itself.
fn unix_defaults(unix: &UnixBind, addrs: &mut [Addr], opts: &mut BindOpts) {
    let mut any = false;
    for addr in addrs {
        if let AddrKind::Unix(path) = &mut addr.kind {
            any = true;
            if let (Some(prefix), Some(text)) = (&unix.prefix, path.to_str()) {
                *path = format!("{prefix}{text}").into();
            }
        }
    }
    if any {
        opts.mode = opts.mode.or(unix.mode);
        opts.uid = opts.uid.or(unix.uid);
        opts.gid = opts.gid.or(unix.gid);
    }
}

/// Parses options from word `at` on.
pub(crate) fn parse_options(
    cx: &mut Ctx<'_>,
    target: &mut Target,
    line: &Line<'_>,
    at: usize,
    intro: &dyn Fn() -> String,
) {
    let intro = Intro { text: intro, layout: Layout::Spaced, hint: "" };
    let index = &super::super::registry().bind;
    options::walk(cx, index, target, line.pos, line.words(), at, &intro);
}

fn own(line: &Line<'_>) -> Option<String> {
    Some(line.arg(0).to_owned())
}

fn number(cx: &mut Ctx<'_>, line: &Line<'_>, slot: &mut Option<u32>) {
    match cx.loose::<i64>(line, 0) {
        Some(n @ 0..=0x7fff_ffff) => *slot = u32::try_from(n).ok(),
        _ => {
            let text = format!("'{}' : invalid value {}, must be >= 0", line.word(), line.arg(0));
            cx.alert_arg(line, 0, text);
        }
    }
}

/// A number in C's notation.
fn cip_magic(cx: &mut Ctx<'_>, t: &mut Target, line: &Line<'_>) {
    let arg = line.arg(0);
    let parsed = match arg.strip_prefix("0x").or_else(|| arg.strip_prefix("0X")) {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => arg.parse(),
    };
    match parsed {
        Ok(n) if n > 0 => t.opts.cip_magic = Some(n),
        _ => {
            let text = format!("'accept-netscaler-cip' : invalid value {arg}, must be a number above 0");
            cx.alert_arg(line, 0, text);
        }
    }
}

/// Options of reverse HTTP listeners make no sense on others.
fn needs_reverse(cx: &mut Ctx<'_>, t: &Target, line: &Line<'_>) -> bool {
    if !t.reverse {
        let text = format!("'{}' : only valid for reverse HTTP listeners.", line.word());
        cx.alert(line, text);
    }
    t.reverse
}

fn nbconn(cx: &mut Ctx<'_>, t: &mut Target, line: &Line<'_>) {
    if !needs_reverse(cx, t, line) {
        return;
    }
    match line.arg(0).parse() {
        Ok(n) if n > 0 => t.opts.nbconn = Some(n),
        _ => {
            let text = format!("'nbconn' : invalid value {}, must be > 0.", line.arg(0));
            cx.alert_arg(line, 0, text);
        }
    }
}

fn retry_max(cx: &mut Ctx<'_>, t: &mut Target, line: &Line<'_>) {
    if needs_reverse(cx, t, line) {
        t.opts.retry_max = cx.time(line, 0);
    }
}

fn idle_ping(cx: &mut Ctx<'_>, t: &mut Target, line: &Line<'_>) {
    match crate::units::parse_time(line.arg(0), TimeUnit::Ms) {
        Ok(ms) => t.opts.idle_ping = Some(ms).filter(|ms| *ms > 0),
        Err(UnitError::Unexpected(_, Some(c))) => {
            let text = format!("unexpected character '{c}' in 'idle-ping' argument on bind line.");
            cx.alert_arg(line, 0, text);
        }
        Err(_) => drop(cx.time(line, 0)),
    }
}

fn expose_fd(cx: &mut Ctx<'_>, t: &mut Target, line: &Line<'_>) {
    if line.arg(0) == "listeners" {
        t.opts.expose_fd = true;
    } else {
        let text = format!("'expose-fd' only supports 'listeners' (got '{}')", line.arg(0));
        cx.alert_arg(line, 0, text);
    }
}

fn user(cx: &mut Ctx<'_>, t: &mut Target, line: &Line<'_>) {
    t.opts.uid = accounts::user(line.arg(0));
    if t.opts.uid.is_none() {
        cx.alert_arg(line, 0, format!("'user' : unknown user name '{}'", line.arg(0)));
    }
}

fn group(cx: &mut Ctx<'_>, t: &mut Target, line: &Line<'_>) {
    t.opts.gid = accounts::group(line.arg(0));
    if t.opts.gid.is_none() {
        cx.alert_arg(line, 0, format!("'group' : unknown group name '{}'", line.arg(0)));
    }
}

fn guid_prefix(cx: &mut Ctx<'_>, t: &mut Target, line: &Line<'_>) {
    if let Some(c) = super::bad_name_char(line.arg(0)) {
        let text = format!(
            "error on GUID generation : invalid character '{c}'. You may fix it by adjusting guid-prefix."
        );
        cx.alert_arg(line, 0, text);
        return;
    }
    t.opts.guid_prefix = own(line);
}

fn id(cx: &mut Ctx<'_>, t: &mut Target, line: &Line<'_>) {
    let text = match line.arg(0).parse::<i64>() {
        Err(_) => format!("'id' : expects an integer argument, found '{}'", line.arg(0)),
        Ok(n) => match i32::try_from(n).map(i32::unsigned_abs) {
            Ok(id) if n > 0 => {
                t.opts.id = Some(id);
                return;
            }
            _ => "'id' : custom id has to be > 0".to_owned(),
        },
    };
    cx.alert_arg(line, 0, text);
}

fn level(cx: &mut Ctx<'_>, t: &mut Target, line: &Line<'_>) {
    t.level = match line.arg(0) {
        "user" => Some(0),
        "operator" => Some(1),
        "admin" => Some(2),
        other => {
            let text = format!("'level' only supports 'user', 'operator', and 'admin' (got '{other}')");
            cx.alert_arg(line, 0, text);
            None
        }
    };
}

fn severity(cx: &mut Ctx<'_>, t: &mut Target, line: &Line<'_>) {
    if matches!(line.arg(0), "none" | "number" | "string") {
        t.severity = own(line);
    } else {
        let text =
            format!("'severity-output' only supports 'none', 'number', and 'string' (got '{}')", line.arg(0));
        cx.alert_arg(line, 0, text);
    }
}

fn mode(cx: &mut Ctx<'_>, t: &mut Target, line: &Line<'_>) {
    match u32::from_str_radix(line.arg(0), 8) {
        Ok(m) if m <= 0o7777 => t.opts.mode = Some(m),
        _ => {
            let text = format!("'mode' : missing or invalid mode '{}' (octal integer expected)", line.arg(0));
            cx.alert_arg(line, 0, text);
        }
    }
}

fn mss(cx: &mut Ctx<'_>, t: &mut Target, line: &Line<'_>) {
    match cx.loose::<i32>(line, 0) {
        Some(n) if n != 0 && n.unsigned_abs() <= 65535 => t.opts.mss = Some(n),
        _ => {
            cx.alert_arg(line, 0, "'mss' : expects an MSS with and absolute value between 1 and 65535");
        }
    }
}

fn nice(cx: &mut Ctx<'_>, t: &mut Target, line: &Line<'_>) {
    match cx.loose::<i32>(line, 0) {
        Some(n) if (-1024..=1024).contains(&n) => t.opts.nice = Some(n),
        _ => {
            let text = format!("'nice' : invalid value {}, allowed range is -1024..1024", line.arg(0));
            cx.alert_arg(line, 0, text);
        }
    }
}

fn proto(cx: &mut Ctx<'_>, t: &mut Target, line: &Line<'_>) {
    match line.arg(0) {
        "none" | "h1" | "h2" => t.opts.proto = own(line),
        "fcgi" | "quic" | "spop" => super::later_value(cx, line, "other protocols on listeners"),
        other => {
            cx.alert_arg(line, 0, format!("'proto' :  unknown MUX protocol '{other}'"));
        }
    }
}

fn shards(cx: &mut Ctx<'_>, t: &mut Target, line: &Line<'_>) {
    let arg = line.arg(0);
    let number = arg.parse::<u32>().is_ok_and(|n| (1..=1024).contains(&n));
    if number || matches!(arg, "by-process" | "by-thread" | "by-group") {
        t.opts.shards = own(line);
    } else {
        let text = format!("'shards' : invalid value {arg}, allowed range is 1..1024 or 'by-thread'");
        cx.alert_arg(line, 0, text);
    }
}

fn tcp_ut(cx: &mut Ctx<'_>, t: &mut Target, line: &Line<'_>) {
    match crate::units::parse_time(line.arg(0), TimeUnit::Ms) {
        Ok(ms) => t.opts.tcp_ut = Some(ms),
        Err(_) => {
            cx.alert_arg(line, 0, "'tcp-ut' : expects a positive delay in milliseconds");
        }
    }
}

fn tcp_ss(cx: &mut Ctx<'_>, t: &mut Target, line: &Line<'_>) {
    match line.arg(0).parse::<u8>() {
        Ok(n) if n <= 2 => t.opts.tcp_ss = Some(n),
        _ => {
            cx.alert_arg(line, 0, "'tcp-ss' : TCP Save SYN option expects an integer argument from 0 to 2");
        }
    }
}

fn md5sig(cx: &mut Ctx<'_>, t: &mut Target, line: &Line<'_>) {
    if line.arg(0).len() > MD5SIG_MAX {
        let text = format!("'tcp-md5sig' : password too long (at most {MD5SIG_MAX} characters expected)");
        cx.alert_arg(line, 0, text);
        return;
    }
    t.opts.tcp_md5sig = own(line);
}

fn thread(cx: &mut Ctx<'_>, t: &mut Target, line: &Line<'_>) {
    let set = line.arg(0);
    let sets = set.split(',').all(|s| {
        let ids = s.split_once('/').map_or(s, |(_, ids)| ids);
        let group = s.split_once('/').map_or("all", |(g, _)| g);
        [group, ids].into_iter().all(|part| {
            let (lo, hi) = part.split_once('-').unwrap_or((part, part));
            let ok = |s: &str| s.parse::<u32>().is_ok_and(|n| (1..=1024).contains(&n));
            matches!(part, "all" | "odd" | "even") || (ok(lo) && (hi.is_empty() || ok(hi)))
        })
    });
    if sets {
        t.opts.thread = own(line);
    } else {
        let text = format!(
            "invalid first thread number '{set}', permitted range is 1..1024, or 'all', 'odd', 'even'."
        );
        cx.alert_arg(line, 0, text);
    }
}
