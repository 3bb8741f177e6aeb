//! The options of servers (manual 5.2).

use crate::addr::{self, AddrUse};
use crate::keyword::{Row, Table};
use crate::model::{AddrKind, RareServerOpts, ServerOpts};
use crate::parse::ctx::Ctx;
use crate::parse::kw::{Kw, MANY, flag, int, run, word};
use crate::parse::line::Line;
use crate::parse::run::one_of;
use crate::units::TimeUnit;
use std::net::ToSocketAddrs as _;

type S = ServerOpts;

const MAX: u32 = u32::MAX;
const TLS: &str = "TLS";
const DNS: &str = "DNS";

const fn later(name: &'static str, args: u8, area: &'static str, help: &'static str) -> Row<Kw<S>> {
    word(name, help).words(args, args).later(area)
}

const fn tls(name: &'static str, args: u8, help: &'static str) -> Row<Kw<S>> {
    later(name, args, TLS, help)
}

/// A delay in ms that is not zero.
const fn delay(
    name: &'static str,
    set: fn(&mut Ctx<'_>, &mut S, &Line<'_>),
    help: &'static str,
) -> Row<Kw<S>> {
    run(name, (1, 1), "a delay as argument.", set, help)
}

/// Options that act.
#[rustfmt::skip]
pub(crate) static OPTIONS: Table<Kw<S>> = Table::new(&[
    run("weight", (1, 1), "an integer argument.", weight, "Share of the load."),
    int("maxconn", (0, MAX), |s| &mut s.maxconn, "Most connections; what exceeds them waits."),
    int("minconn", (0, MAX), |s| &mut s.minconn, "Connections allowed while the backend is quiet."),
    int("maxqueue", (0, MAX), |s| &mut s.maxqueue, "Most requests that wait for this server."),
    flag("strict-maxconn", |s: &mut S| &mut s.strict_maxconn, "No more connections than maxconn, idle ones included."),
    flag("backup", |s| &mut s.backup, "Used when no other server is up."),
    run("no-backup", (0, 0), "", |_, s, _| s.backup = false, "Undoes backup."),
    flag("check", |s| &mut s.check, "Checks the health of the server."),
    run("no-check", (0, 0), "", |_, s, _| s.check = false, "Undoes check."),
    delay("inter", |cx, s, l| positive(cx, l, &mut s.inter), "Time between two checks."),
    delay("fastinter", |cx, s, l| positive(cx, l, &mut s.fastinter), "Time between two checks while the state changes."),
    delay("downinter", |cx, s, l| positive(cx, l, &mut s.downinter), "Time between two checks while the server is down."),
    run("fall", (1, 1), "a number of failed checks as argument.", |cx, s, l| count(cx, l, &mut s.fall), "Failed checks until the server is down."),
    run("rise", (1, 1), "a number of successful checks as argument.", |cx, s, l| count(cx, l, &mut s.rise), "Successful checks until the server is up."),
    run("port", (1, 1), "a port number as argument.", port, "Port of checks."),
    run("addr", (1, 1), "<ipv4|ipv6> as argument.", check_addr, "Address of checks."),
    run("check-proto", (1, 1), "a protocol.", |cx, s, l| proto(cx, l, |s, p| s.check_proto = p, s), "Protocol of checks."),
    flag("check-send-proxy", |s| &mut s.check_send_proxy, "Checks send the PROXY protocol."),
    run("no-check-send-proxy", (0, 0), "", |_, s, _| s.check_send_proxy = false, "Undoes check-send-proxy."),
    run("slowstart", (1, 1), "a <delay> as argument.", |cx, s, l| s.slowstart = cx.time(l, 0), "Time over which a new server gets its full weight."),
    run("id", (1, 1), "an integer argument.", id, "Number of the server."),
    run("guid", (1, 1), ": expects an argument", guid, "Identifier of the server."),
    run("cookie", (1, 1), "<value> as argument.", |_, s, l| s.rare_mut().cookie = own(l), "Value of the persistence cookie."),
    run("disabled", (0, 0), "", |_, s, _| s.disabled = true, "Starts in maintenance."),
    run("enabled", (0, 0), "", |_, s, _| s.disabled = false, "Undoes disabled."),
    run("init-addr", (1, 1), "a list of methods.", init_addr, "How the address is found at start."),
    run("init-state", (1, 1), "a state.", init_state, "State at start."),
    run("proto", (1, 1), "a protocol.", |cx, s, l| proto(cx, l, |s, p| s.proto = p, s), "Protocol towards the server."),
    run("ws", (1, 1), "a value.", ws, "Protocol of WebSocket connections."),
    run("source", (1, MANY), "<addr>[:<port>[-<port>]], and optionally 'usesrc' <addr>, and 'interface' <name> as argument.", source, "Source of connections."),
    word("usesrc", "Only after source.").words(0, MANY).removed("", "it after a 'source' statement"),
    flag("send-proxy", |s| &mut s.send_proxy, "Sends the PROXY protocol."),
    run("no-send-proxy", (0, 0), "", |_, s, _| s.send_proxy = false, "Undoes send-proxy."),
    flag("send-proxy-v2", |s| &mut s.send_proxy_v2, "Sends the PROXY protocol, version 2."),
    run("no-send-proxy-v2", (0, 0), "", |_, s, _| s.send_proxy_v2 = false, "Undoes send-proxy-v2."),
    flag("non-stick", |s: &mut S| &mut s.non_stick, "Never stored in stick tables."),
    run("stick", (0, 0), "", |_, s, _| s.non_stick = false, "Undoes non-stick."),
    flag("tfo", |s| &mut s.tfo, "TCP fast open."),
    run("no-tfo", (0, 0), "", |_, s, _| s.tfo = false, "Undoes tfo."),
    run("tcp-ut", (1, 1), "a delay as argument.", |cx, s, l| s.rare_mut().tcp_ut = cx.time(l, 0), "Longest time that data may stay unacknowledged."),
    run("cc", (1, 1), "a congestion control algorithm.", |_, s, l| s.rare_mut().cc = own(l), "Congestion control algorithm."),
    run("namespace", (1, 1), "<name> as argument", |_, s, l| s.rare_mut().namespace = own(l), "Network namespace of connections; '*' for the client's."),
    run("track", (1, 1), "[<proxy>/]<server> as argument.", |_, s, l| s.rare_mut().track = Some((l.pos, l.arg(0).to_owned())), "Takes the state of another server."),
    run("redir", (1, 1), "<prefix> as argument.", |_, s: &mut S, l| s.rare_mut().redir = own(l), "Redirects instead of forwarding."),
    run("observe", (1, 1), "<mode> as argument.", |cx, s, l| one_word(cx, l, &["none", "layer4", "layer7"], |s| &mut s.observe, s), "Judges health by traffic."),
    run("error-limit", (1, 1), "an integer argument.", error_limit, "Errors until on-error acts."),
    run("on-error", (1, 1), "<mode> as argument.", |cx, s, l| one_word(cx, l, &["fastinter", "fail-check", "sudden-death", "mark-down"], |s| &mut s.on_error, s), "What errors of observed traffic do."),
    run("on-marked-down", (1, 1), "<mode> as argument.", |cx, s: &mut S, l| one_word(cx, l, &["shutdown-sessions"], |s| &mut s.on_marked_down, s), "What happens when the server goes down."),
    run("on-marked-up", (1, 1), "<mode> as argument.", |cx, s: &mut S, l| one_word(cx, l, &["shutdown-backup-sessions"], |s| &mut s.on_marked_up, s), "What happens when the server comes up."),
    run("pool-low-conn", (1, 1), "an integer argument.", |cx, s, l| s.rare_mut().pool_low_conn = cx.u32(l, 0, 0, MAX), "Idle connections that are not taken by other threads."),
    run("pool-max-conn", (1, 1), "an integer argument.", |cx, s, l| s.rare_mut().pool_max_conn = signed(cx, l, -1), "Most idle connections."),
    run("pool-purge-delay", (1, 1), "a delay as argument.", |cx, s, l| s.rare_mut().pool_purge_delay = cx.time(l, 0), "Time after which half of the idle connections are closed."),
    run("pool-conn-name", (1, 1), "<value> as argument", |_, s, l| s.rare_mut().pool_conn_name = Some(l.owned(0)), "Name of idle connections."),
    run("idle-ping", (1, 1), "an argument.", |cx, s, l| s.rare_mut().idle_ping = cx.time(l, 0).filter(|ms| *ms > 0), "Time after which an idle HTTP/2 connection is probed."),
    run("max-reuse", (1, 1), "an integer argument.", |cx, s, l| s.rare_mut().max_reuse = signed(cx, l, i64::from(i32::MIN)), "Requests after which a connection is closed."),
    run("check-reuse-pool", (0, 0), "", |_, s, _| s.rare_mut().check_reuse_pool = Some(true), "HTTP checks use idle connections."),
    run("no-check-reuse-pool", (0, 0), "", |_, s, _| s.rare_mut().check_reuse_pool = Some(false), "Undoes check-reuse-pool."),
    run("check-pool-conn-name", (1, 1), ": missing value", |_, s, l| s.rare_mut().check_pool_conn_name = own(l), "Name of the idle connections that checks use."),
    run("agent-check", (0, 0), "", |_, s, _| s.rare_mut().agent.check = true, "Asks an agent for the state."),
    run("no-agent-check", (0, 0), "", |_, s, _| s.rare_mut().agent.check = false, "Undoes agent-check."),
    run("agent-port", (1, 1), "a port number as argument.", |_, s, l| s.rare_mut().agent.port = agent_port(l.arg(0)), "Port of the agent."),
    run("agent-addr", (1, 1), "an address as argument.", agent_addr, "Address of the agent."),
    run("agent-inter", (1, 1), "a delay as argument.", agent_inter, "Time between two agent checks."),
    run("agent-send", (1, 1), "a string as argument.", |_, s, l| s.rare_mut().agent.send = own(l), "What is sent to the agent."),
    run("check-via-socks4", (0, 0), "", |_, s, _| s.rare_mut().check_via_socks4 = true, "Checks go through the SOCKS4 proxy."),
    run("socks4", (1, 1), "<addr>:<port> as argument.", socks4, "Goes through a SOCKS4 proxy."),
    run("proxy-v2-options", (1, 1), "a list of options.", proxy_v2_options, "Extra fields of PROXY v2."),
    run("set-proxy-v2-tlv-fmt", (0, 1), "a format.", proxy_v2_tlv, "A field of PROXY v2.").prefix(),
    run("tcp-md5sig", (1, 1), "a TCP MD5 signature password.", md5sig, "Secret of TCP MD5 signatures."),
    run("hash-key", (1, 1), "a key.", hash_key, "What places the server in a consistent hash."),
    run("shard", (1, 1), "an integer argument.", |cx, s: &mut S, l| s.rare_mut().shard = cx.u32(l, 0, 0, MAX), "Part of the stick table keys that a peer gets.").later("peers"),
    run("log-bufsize", (1, 1), "an integer argument.", |_, _, _| {}, "Buffer of a log server.").later("log balancing"),
    run("log-proto", (1, 1), "a protocol.", |_, _, _| {}, "Framing of a log server.").later("log balancing"),
]);

/// Options of areas that are not there yet.
#[rustfmt::skip]
pub(crate) static LATER: Table<Kw<S>> = Table::new(&[
    later("healthcheck", 1, "health check sections", "Named health check."),
    later("send-proxy-v2-ssl", 0, TLS, "Sends PROXY v2 with TLS facts."),
    later("send-proxy-v2-ssl-cn", 0, TLS, "Sends PROXY v2 with the client's certificate name."),
    word("no-send-proxy-v2-ssl", "Undoes send-proxy-v2-ssl.").idle("it is refused, so that there is nothing to undo"),
    word("no-send-proxy-v2-ssl-cn", "Undoes send-proxy-v2-ssl-cn.").idle("it is refused, so that there is nothing to undo"),
    later("resolve-net", 1, DNS, "Networks that are preferred in answers."),
    later("resolve-opts", 1, DNS, "How answers are used."),
    later("resolve-prefer", 1, DNS, "Address family that is preferred in answers."),
    later("resolvers", 1, DNS, "Name servers that resolve the address at run time."),
    later("quic-cc-algo", 1, "QUIC", "Congestion control of QUIC."),
]);

/// Options of TLS.
#[rustfmt::skip]
pub(crate) static TLS_OPTIONS: Table<Kw<S>> = Table::new(&[
    tls("ssl", 0, "Speaks TLS."),
    tls("allow-0rtt", 0, "Sends early data."),
    tls("alpn", 1, "Protocols that are offered."),
    tls("ca-file", 1, "Authorities of server certificates."),
    tls("check-alpn", 1, "Protocols that checks offer."),
    tls("check-sni", 1, "Name that checks ask for."),
    tls("check-sni-auto", 0, "Checks ask for the name of the server."),
    tls("check-ssl", 0, "Checks speak TLS."),
    tls("ciphers", 1, "Ciphers up to TLS 1.2."),
    tls("ciphersuites", 1, "Cipher suites of TLS 1.3."),
    tls("client-sigalgs", 1, "Signature algorithms of client certificates."),
    tls("crl-file", 1, "Revoked server certificates."),
    tls("crt", 1, "Client certificate."),
    tls("curves", 1, "Curves."),
    tls("ech", 1, "Encrypted client hello."),
    tls("force-sslv3", 0, "Only SSL 3."),
    tls("force-tlsv10", 0, "Only TLS 1.0."),
    tls("force-tlsv11", 0, "Only TLS 1.1."),
    tls("force-tlsv12", 0, "Only TLS 1.2."),
    tls("force-tlsv13", 0, "Only TLS 1.3."),
    tls("ktls", 1, "Kernel TLS."),
    word("no-check-sni-auto", "Undoes check-sni-auto.").idle("TLS is refused, so that there is nothing to undo"),
    word("no-check-ssl", "Undoes check-ssl.").idle("TLS is refused, so that there is nothing to undo"),
    tls("no-renegotiate", 0, "No renegotiation."),
    word("no-sni-auto", "Undoes sni-auto.").idle("TLS is refused, so that there is nothing to undo"),
    word("no-ssl", "Undoes ssl.").idle("TLS is refused, so that there is nothing to undo"),
    tls("no-ssl-reuse", 0, "No session reuse."),
    tls("no-sslv3", 0, "No SSL 3."),
    tls("no-tls-tickets", 0, "No session tickets."),
    tls("no-tlsv10", 0, "No TLS 1.0."),
    tls("no-tlsv11", 0, "No TLS 1.1."),
    tls("no-tlsv12", 0, "No TLS 1.2."),
    tls("no-tlsv13", 0, "No TLS 1.3."),
    tls("npn", 1, "Protocols offered by NPN."),
    tls("renegotiate", 0, "Allows renegotiation."),
    tls("sigalgs", 1, "Signature algorithms."),
    tls("sni", 1, "Name that is asked for."),
    tls("sni-auto", 0, "Asks for the name in the request."),
    tls("ssl-max-ver", 1, "Highest version."),
    tls("ssl-min-ver", 1, "Lowest version."),
    tls("ssl-reuse", 0, "Session reuse."),
    tls("tls-tickets", 0, "Session tickets."),
    tls("verify", 1, "Whether the server's certificate is verified."),
    tls("verifyhost", 1, "Name that the certificate must have."),
]);

fn own(line: &Line<'_>) -> Option<String> {
    Some(line.arg(0).to_owned())
}

fn positive(cx: &mut Ctx<'_>, line: &Line<'_>, slot: &mut Option<u32>) {
    let Some(ms) = cx.time_in(line, 0, TimeUnit::Ms) else { return };
    if ms == 0 {
        let text = format!("invalid value 0 for argument '{}' of server {}.", line.word(), cx.st.server);
        cx.alert_arg(line, 0, text);
        return;
    }
    super::timeout::small(cx, line, line.arg(0), ms, |cx| format!("server '{}'", cx.st.server));
    *slot = Some(ms);
}

fn weight(cx: &mut Ctx<'_>, s: &mut ServerOpts, line: &Line<'_>) {
    let arg = line.arg(0);
    match cx.loose::<u32>(line, 0) {
        Some(n) if n <= 256 => s.weight = Some(n),
        _ => {
            let text = format!("weight of server {} is not within 0 and 256 ({arg}).", cx.st.server);
            cx.alert_arg(line, 0, text);
        }
    }
}

fn count(cx: &mut Ctx<'_>, line: &Line<'_>, slot: &mut Option<u32>) {
    match cx.loose::<u32>(line, 0) {
        Some(n) if n > 0 && i32::try_from(n).is_ok() => *slot = Some(n),
        _ => {
            cx.alert_arg(line, 0, format!("'{}' has to be > 0.", line.word()));
        }
    }
}

fn signed(cx: &mut Ctx<'_>, line: &Line<'_>, lo: i64) -> Option<i32> {
    match cx.loose::<i32>(line, 0) {
        Some(n) if i64::from(n) >= lo => Some(n),
        _ => {
            cx.alert_arg(line, 0, format!("'{}' must be >= {lo}", line.word()));
            None
        }
    }
}

fn port(cx: &mut Ctx<'_>, s: &mut ServerOpts, line: &Line<'_>) {
    if let Some(n) = cx.u32(line, 0, 0, 65535) {
        s.check_port = u16::try_from(n).ok();
    }
}

fn agent_inter(cx: &mut Ctx<'_>, s: &mut ServerOpts, line: &Line<'_>) {
    positive(cx, line, &mut s.rare_mut().agent.inter);
}

/// A port that is no number is as good as none, which is an error where there is an agent.
fn agent_port(word: &str) -> Option<u16> {
    word.parse().ok().filter(|port| *port != 0)
}

fn agent_addr(cx: &mut Ctx<'_>, s: &mut ServerOpts, line: &Line<'_>) {
    let name = line.arg(0);
    let ip = name.parse().ok().or_else(|| {
        // As a server's own address, it is looked up once.
        (name, 0).to_socket_addrs().ok()?.next().map(|a| a.ip())
    });
    match ip {
        Some(ip) => s.rare_mut().agent.addr = Some(ip),
        None => {
            let text = format!("parsing agent-addr failed. Check if '{name}' is correct address.");
            cx.alert_arg(line, 0, text);
        }
    }
}

fn check_addr(cx: &mut Ctx<'_>, s: &mut ServerOpts, line: &Line<'_>) {
    match addr::parse(&cx.address(line.arg(0)), AddrUse::Plain).map(|a| a.kind) {
        Ok(AddrKind::Ip(sa)) => {
            s.rare_mut().check_addr = Some(sa.ip());
            if sa.port() != 0 {
                s.check_port = Some(sa.port());
            }
        }
        Ok(_) => {
            cx.alert_arg(line, 0, format!("'addr' : '{}' is not an IP address.", line.arg(0)));
        }
        Err(why) => {
            cx.alert_arg(line, 0, format!("'addr' : {why}."));
        }
    }
}

fn proto(
    cx: &mut Ctx<'_>,
    line: &Line<'_>,
    set: fn(&mut RareServerOpts, Option<String>),
    s: &mut ServerOpts,
) {
    match line.arg(0) {
        "none" => set(s.rare_mut(), None),
        "h1" | "h2" => set(s.rare_mut(), own(line)),
        "fcgi" => super::later_value(cx, line, "FastCGI"),
        "spop" => super::later_value(cx, line, "SPOE"),
        "quic" => super::later_value(cx, line, "QUIC"),
        other => {
            cx.alert_arg(line, 0, format!("'{}' :  unknown MUX protocol '{other}'.", line.word()));
        }
    }
}

fn ws(cx: &mut Ctx<'_>, s: &mut ServerOpts, line: &Line<'_>) {
    match line.arg(0) {
        "auto" => s.rare_mut().ws = None,
        "h1" | "h2" => s.rare_mut().ws = own(line),
        _ => {
            cx.alert_arg(line, 0, "'ws' has to be 'auto', 'h1' or 'h2'.");
        }
    }
}

fn id(cx: &mut Ctx<'_>, s: &mut ServerOpts, line: &Line<'_>) {
    match cx.loose::<u32>(line, 0) {
        Some(n) if n > 0 => s.id = Some(n),
        _ => {
            cx.alert_arg(line, 0, "'id' : custom id has to be between 1 and 4294967295.");
        }
    }
}

fn guid(cx: &mut Ctx<'_>, s: &mut ServerOpts, line: &Line<'_>) {
    match super::bad_name_char(line.arg(0)) {
        Some(c) => {
            cx.alert_arg(line, 0, format!("'guid': invalid character '{c}'."));
        }
        None => s.rare_mut().guid = own(line),
    }
}

fn init_addr(cx: &mut Ctx<'_>, s: &mut ServerOpts, line: &Line<'_>) {
    for method in line.arg(0).split(',') {
        if !matches!(method, "last" | "libc" | "none") && method.parse::<std::net::IpAddr>().is_err() {
            let text = format!(
                "'init-addr' : unknown init-addr method '{method}', supported methods are 'libc', 'last', 'none'."
            );
            cx.alert_arg(line, 0, text);
            return;
        }
    }
    s.rare_mut().init_addr = own(line);
}

fn init_state(cx: &mut Ctx<'_>, s: &mut ServerOpts, line: &Line<'_>) {
    let states = ["none", "fully-up", "up", "down", "fully-down"];
    if states.contains(&line.arg(0)) {
        s.rare_mut().init_state = own(line);
        return;
    }
    let text = format!(
        "'init-state' expects one of 'none', 'fully-up', 'up', 'down', or 'fully-down' but got '{}'",
        line.arg(0)
    );
    cx.alert_arg(line, 0, text);
}

fn one_word(
    cx: &mut Ctx<'_>,
    line: &Line<'_>,
    words: &[&str],
    slot: fn(&mut RareServerOpts) -> &mut Option<String>,
    s: &mut ServerOpts,
) {
    if words.contains(&line.arg(0)) {
        *slot(s.rare_mut()) = own(line);
        return;
    }
    let which = if words.len() == 1 { one_of(words) } else { format!("one of {}", one_of(words)) };
    let text = format!("'{}' expects {which} but got '{}'", line.word(), line.arg(0));
    cx.alert_arg(line, 0, text);
}

fn error_limit(cx: &mut Ctx<'_>, s: &mut ServerOpts, line: &Line<'_>) {
    match cx.loose::<u32>(line, 0) {
        Some(n) if n > 0 && i32::try_from(n).is_ok() => s.rare_mut().error_limit = Some(n),
        _ => {
            cx.alert_arg(line, 0, "error-limit has to be > 0.");
        }
    }
}

fn hash_key(cx: &mut Ctx<'_>, s: &mut ServerOpts, line: &Line<'_>) {
    if matches!(line.arg(0), "id" | "id32" | "guid" | "addr" | "addr-port") {
        s.rare_mut().hash_key = own(line);
    } else {
        cx.alert_arg(line, 0, "'hash-key' has to be 'id', 'id32', 'guid', 'addr', or 'addr-port'.");
    }
}

fn socks4(cx: &mut Ctx<'_>, s: &mut ServerOpts, line: &Line<'_>) {
    match addr::parse(&cx.address(line.arg(0)), AddrUse::Peer).map(|a| a.kind) {
        Ok(AddrKind::Ip(proxy)) => s.rare_mut().socks4 = Some(proxy),
        Ok(_) => {
            cx.alert_arg(line, 0, format!("'socks4 {}' : not an IP address.", line.arg(0)));
        }
        Err(why) => {
            cx.alert_arg(line, 0, format!("'socks4 {}' : {why}.", line.arg(0)));
        }
    }
}

fn proxy_v2_options(cx: &mut Ctx<'_>, s: &mut ServerOpts, line: &Line<'_>) {
    let mut found = s.proxy_v2_options;
    for name in line.arg(0).split(',') {
        match name {
            "authority" => found.authority = true,
            "crc32c" => found.crc32c = true,
            "unique-id" => found.unique_id = true,
            "ssl" | "cert-cn" | "cert-key" | "cert-sig" | "ssl-cipher" => {
                super::later_value(cx, line, TLS);
                return;
            }
            other => {
                let text = format!("'{other}' : proxy v2 option not implemented");
                cx.alert_arg(line, 0, text);
                return;
            }
        }
    }
    s.rare_mut().proxy_v2_options = found;
}

/// `set-proxy-v2-tlv-fmt(<id>) [<fmt>]`.
fn proxy_v2_tlv(cx: &mut Ctx<'_>, s: &mut ServerOpts, line: &Line<'_>) {
    let inside = line.word().split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    let kind = match inside {
        // HAProxy takes this for the type 0.
        None if !line.word().contains('(') => Some(0),
        None => None,
        Some(text) => match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None => text.parse().ok(),
        },
    };
    let why = match kind {
        None => "could not convert TLV ID",
        Some(n) => match u8::try_from(n) {
            Ok(n) => {
                let format = line.args().first().filter(|w| !w.as_str().is_empty()).cloned();
                s.rare_mut().proxy_v2_tlvs.push((n, format));
                return;
            }
            Err(_) => "the maximum allowed TLV ID is 255",
        },
    };
    cx.alert(line, format!("'{}' : {why}", line.word()));
}

fn md5sig(cx: &mut Ctx<'_>, s: &mut ServerOpts, line: &Line<'_>) {
    let most = super::bind::MD5SIG_MAX;
    if line.arg(0).len() > most {
        let text = format!("'tcp-md5sig' : password too long (at most {most} characters expected)");
        cx.alert_arg(line, 0, text);
        return;
    }
    s.rare_mut().tcp_md5sig = own(line);
}

/// Takes only the words that belong to it.
fn source(cx: &mut Ctx<'_>, s: &mut ServerOpts, line: &Line<'_>) {
    match super::source::parse(cx, line, AddrUse::ServerSource) {
        Ok((source, taken)) => {
            cx.st.taken = taken.min(line.len());
            s.rare_mut().source = Some(source);
        }
        Err((at, why)) => {
            cx.alert_arg(line, at, why);
        }
    }
}
