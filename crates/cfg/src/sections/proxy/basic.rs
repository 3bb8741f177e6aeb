//! Keywords of proxies that set one thing each (manual 4.2).

use crate::addr::{self, AddrUse};
use crate::keyword::Table;
use crate::model::{KeepAlive, Mode, Proxy, Reuse, StateSource};
use crate::parse::ctx::Ctx;
use crate::parse::kw::{Kw, MANY, Scope, int, run, text};
use crate::parse::line::Line;
use crate::sections::global::joined;
use crate::units::TimeUnit;

type P = Proxy;

const MAX: u32 = i32::MAX as u32;
const PX: Scope = Scope::PX.and(Scope::DEF);
const FE: Scope = Scope::FE.and(Scope::DEF);
const BE: Scope = Scope::BE.and(Scope::DEF);
const WILL: Scope = Scope::WILL;

/// The keywords.
#[rustfmt::skip]
pub(crate) static BASIC: Table<Kw<P>> = Table::new(&[
    run("mode", (0, 1), "", mode, "What the proxy speaks.").scope(PX),
    run("disabled", (0, 0), "", |_, p: &mut P, _| p.disabled = true, "Does not start the proxy.").scope(PX),
    run("enabled", (0, 0), "", |_, p: &mut P, _| p.disabled = false, "Undoes disabled.").scope(PX),
    run("id", (1, 1), "an integer argument.", id, "Number of the proxy.").scope(Scope::PX),
    run("guid", (1, MANY), ": expects an argument", guid, "Identifier of the proxy.").scope(Scope::PX),
    run("description", (1, MANY), "a string argument.", |_, p: &mut P, l| p.description = Some(joined(l)), "Describes the proxy.").scope(Scope::PX),
    int("maxconn", (0, MAX), |p: &mut P| &mut p.maxconn, "Most connections of the frontend.").scope(FE),
    int("fullconn", (0, MAX), |p: &mut P| &mut p.fullconn, "Load of the backend at which servers reach their maxconn.").scope(BE),
    int("backlog", (0, MAX), |p: &mut P| &mut p.backlog, "Length of the queue of pending connections.").scope(FE),
    run("rate-limit", (0, MANY), "", rate_limit, "Most new sessions in a second.").scope(FE.and(WILL)),
    run("retries", (1, 1), "an integer argument (dispatch counts for one).", retries, "Connection attempts after the first.").scope(BE),
    run("retry-on", (0, MANY), "", retry_on, "What a request is repeated for.").scope(BE.and(Scope::STRICT)),
    run("cookie", (1, MANY), "<cookie_name> as argument.", super::cookie::parse, "Keeps clients on their server with a cookie.").scope(BE),
    run("dynamic-cookie-key", (1, 1), "argument.", |_, p: &mut P, l| p.dynamic_cookie_key = Some(l.arg(0).to_owned()), "Key of the cookies made of servers' addresses.").scope(BE),
    run("balance", (0, MANY), "", |_, p: &mut P, l| p.balance = Some((l.pos, l.owned_vec(0))), "Which server gets a request.").scope(BE),
    run("hash-type", (0, MANY), "", hash_type, "How hashes are mapped to servers.").scope(BE),
    run("hash-balance-factor", (1, 1), "an integer argument.", hash_balance_factor, "Most load of a server in percent of the average.").scope(BE),
    run("hash-preserve-affinity", (1, 1), "a keyword to specify when to preserve hash affinity", |_, _, _| {}, "When a full server keeps its requests.").scope(BE.and(Scope::STRICT)).later("consistent hashing"),
    run("stick-table", (0, MANY), "", super::stick::table, "Declares a stick table.").scope(PX),
    run("stick", (0, MANY), "", super::stick::rule, "Stores or matches a key in a stick table.").scope(Scope::BE),
    run("http-reuse", (0, MANY), "", http_reuse, "Which idle server connections may be used.").scope(BE),
    run("max-keep-alive-queue", (1, MANY), "an integer value (or -1 to disable)", max_keep_alive_queue, "Queue at which a request leaves its server.").scope(BE.and(WILL)),
    run("max-session-srv-conns", (1, MANY), "a number. Got no argument", max_session_srv_conns, "Most idle server connections that a client keeps for itself.").scope(FE),
    run("clitcpka-cnt", (1, MANY), "an integer value", keepalive, "Keep-alive probes to clients.").scope(FE.and(WILL)),
    run("clitcpka-idle", (1, MANY), "an integer value", keepalive, "Silence before the first probe to clients.").scope(FE.and(WILL)),
    run("clitcpka-intvl", (1, MANY), "an integer value", keepalive, "Time between two probes to clients.").scope(FE.and(WILL)),
    run("srvtcpka-cnt", (1, MANY), "an integer value", keepalive, "Keep-alive probes to servers.").scope(BE.and(WILL)),
    run("srvtcpka-idle", (1, MANY), "an integer value", keepalive, "Silence before the first probe to servers.").scope(BE.and(WILL)),
    run("srvtcpka-intvl", (1, MANY), "an integer value", keepalive, "Time between two probes to servers.").scope(BE.and(WILL)),
    run("source", (1, MANY), "<addr>[:<port>], and optionally 'usesrc' <addr>, and 'interface' <name>.", source, "Source of connections to servers.").scope(BE),
    run("dispatch", (0, 1), "", dispatch, "Address that all connections go to.").scope(Scope::BE),
    run("transparent", (0, 0), "", transparent, "Connects to the address that the client asked for.").scope(BE),
    run("capture", (0, MANY), "", super::capture::capture, "Keeps a header or a cookie for logs.").scope(Scope::FE),
    run("declare", (0, MANY), "", super::capture::declare, "Declares a slot for captures.").scope(Scope::FE.and(Scope::STRICT)),
    run("monitor-uri", (1, 1), "an URI.", |_, p: &mut P, l| p.monitor_uri = Some(l.owned(0)), "URI that is answered without a server.").scope(FE),
    run("http-send-name-header", (1, MANY), "a header string.", send_name_header, "Header that gets the server's name.").scope(BE),
    run("load-server-state-from-file", (0, MANY), "", load_server_state, "Where the state of servers is read from.").scope(BE),
    run("server-state-file-name", (0, 1), "", server_state_file, "File with the state of servers.").scope(BE),
    run("unique-id-format", (0, MANY), "", super::super::log::format, "Format of the unique identifier.").scope(PX),
    run("unique-id-header", (1, MANY), "an argument.", |_, p: &mut P, l| p.unique_id_header = Some(l.owned(0)), "Header that gets the unique identifier.").scope(PX),
    run("log-format", (0, MANY), "", super::super::log::format, "Format of the log line.").scope(PX),
    run("log-format-sd", (0, MANY), "", super::super::log::format, "Structured data of the log line.").scope(PX),
    run("error-log-format", (0, MANY), "", super::super::log::format, "Format of the log line of failed connections.").scope(PX),
    text("log-tag", "a tag for use in syslog.", |p: &mut P| &mut p.log_tag, "Tag in syslog headers.").words(1, MANY).scope(PX),
    run("log", (0, MANY), "", super::super::log::proxy, "Where logs go.").scope(PX).negatable(),
]);

/// Names may be made of letters, digits and four signs; the first other character.
pub(crate) fn bad_name_char(name: &str) -> Option<char> {
    name.chars().find(|c| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.' | ':'))
}

fn mode(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    p.mode = match line.arg(0) {
        "tcp" => Mode::Tcp,
        "http" => Mode::Http,
        "log" | "spop" | "haterm" => return super::later_value(cx, line, "other modes"),
        "health" => {
            let text =
                "'mode health' doesn't exist anymore. Please use 'http-request return status 200' instead.";
            cx.alert_arg(line, 0, text);
            return;
        }
        other => {
            cx.alert_arg(line, 0, format!("unknown proxy mode '{other}'."));
            cx.suggest(other, ["tcp", "http", "log", "spop"]);
            return;
        }
    };
}

fn id(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    match line.arg(0).parse::<u32>() {
        Ok(n) if n > 0 => p.id = Some(n),
        _ => {
            cx.alert_arg(line, 0, "custom id has to be > 0.");
        }
    }
}

fn guid(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    match bad_name_char(line.arg(0)) {
        Some(c) => {
            cx.alert_arg(line, 0, format!("'guid': invalid character '{c}'"));
        }
        None => p.guid = Some(line.arg(0).to_owned()),
    }
}

fn rate_limit(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    let inner = line.deeper();
    if inner.word() != "sessions" || line.len() == 0 {
        cx.alert_arg(line, 0, format!("'rate-limit' only supports 'sessions' (got '{}')", line.arg(0)));
    } else if inner.len() == 0 {
        cx.alert(&inner, "'rate-limit sessions' expects expects an integer value (in sessions/second)");
    } else if let Some(n) = integer(cx, &inner) {
        p.rate_limit_sessions = u32::try_from(n).ok();
    }
}

/// An integer, with the message of HAProxy's registered proxy keywords.
fn integer(cx: &mut Ctx<'_>, line: &Line<'_>) -> Option<i64> {
    let value = line.arg(0);
    let number = value.parse().ok();
    if number.is_none() {
        let bad = value.chars().enumerate().find(|(i, c)| !(c.is_ascii_digit() || *i == 0 && *c == '-'));
        let bad = bad.map_or(' ', |(_, c)| c);
        let text = format!("'{}' : unexpected character '{bad}' in integer value '{value}'", line.keyword());
        cx.alert_arg(line, 0, text);
    }
    number
}

fn retries(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    if let Some(n) = cx.loose::<i64>(line, 0) {
        // A negative number means none, as in HAProxy.
        p.retries = Some(u32::try_from(n.max(0)).unwrap_or(u32::MAX));
    }
}

fn retry_on(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    const WORDS: &[&str] = &[
        "none",
        "conn-failure",
        "empty-response",
        "junk-response",
        "response-timeout",
        "0rtt-rejected",
        "all-retryable-errors",
        "401",
        "403",
        "404",
        "408",
        "421",
        "425",
        "429",
        "500",
        "501",
        "502",
        "503",
        "504",
    ];
    if line.len() == 0 {
        cx.alert(line, "'retry-on' needs at least one keyword to specify when to retry");
        return;
    }
    for (i, word) in line.args().iter().enumerate() {
        if !WORDS.contains(&word.as_str()) {
            cx.alert_arg(line, i, format!("'retry-on': unknown keyword '{word}'"));
            cx.suggest(word, WORDS.iter().copied());
            return;
        }
        if word.as_str() == "none" && line.len() > 1 {
            cx.alert_arg(line, i, "'retry-on' 'none' keyword only usable alone");
            return;
        }
    }
    p.retry_on = line.owned_vec(0);
}

fn hash_type(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    let why = match (line.arg(0), line.arg(1), line.arg(2)) {
        ("consistent" | "map-based", "" | "sdbm" | "djb2" | "crc32" | "wt6" | "none", "" | "avalanche") => {
            p.hash_type = Some((line.pos, line.owned_vec(0)));
            return;
        }
        ("consistent" | "map-based", "" | "sdbm" | "djb2" | "crc32" | "wt6" | "none", _) => {
            (2, "'hash-type' only supports 'avalanche' as a modifier for hash functions.")
        }
        ("consistent" | "map-based", "avalanche", "") => {
            p.hash_type = Some((line.pos, line.owned_vec(0)));
            return;
        }
        ("consistent" | "map-based", ..) => {
            (1, "'hash-type' only supports 'sdbm', 'djb2', 'crc32', or 'wt6' hash functions.")
        }
        _ => (0, "'hash-type' only supports 'consistent' and 'map-based'."),
    };
    cx.alert_arg(line, why.0, why.1);
}

fn hash_balance_factor(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    match line.arg(0).parse::<u32>() {
        Ok(n) if n == 0 || (n > 100 && n <= MAX) => p.hash_balance_factor = Some(n),
        _ => {
            cx.alert_arg(line, 0, "'hash-balance-factor' must be 0 or greater than 100.");
        }
    }
}

fn http_reuse(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    p.reuse = Some(match line.arg(0) {
        "never" => Reuse::Never,
        "safe" => Reuse::Safe,
        "aggressive" => Reuse::Aggressive,
        "always" => Reuse::Always,
        _ => {
            cx.alert_arg(line, 0, "'http-reuse' only supports 'never', 'safe', 'aggressive', 'always'.");
            return;
        }
    });
    cx.at_most(&line.deeper(), 0);
}

fn load_server_state(cx: &mut Ctx<'_>, p: &mut P, line: &Line<'_>) {
    p.load_server_state = match line.arg(0) {
        "none" => StateSource::None,
        "global" => StateSource::Global,
        "local" => StateSource::Local,
        other => {
            let text = format!("'{}' expects 'global', 'local' or 'none'. Got '{other}'", line.word());
            cx.alert_arg(line, 0, text);
            return;
        }
    };
}

fn server_state_file(_: &mut Ctx<'_>, p: &mut P, line: &Line<'_>) {
    p.server_state_file =
        Some(line.owned(0)).filter(|name| !matches!(name.as_str(), "" | "use-backend-name"));
}

fn max_keep_alive_queue(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    if let Some(n) = integer(cx, line) {
        p.max_keep_alive_queue = i32::try_from(n).ok();
    }
}

fn max_session_srv_conns(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    if let Some(n) = cx.loose::<i64>(line, 0) {
        p.max_session_srv_conns = Some(u32::try_from(n.max(0)).unwrap_or(u32::MAX));
    }
}

fn keepalive(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    let word = line.word();
    let value = if word.ends_with("-cnt") {
        integer(cx, line).and_then(|n| u32::try_from(n).ok())
    } else {
        cx.time_in(line, 0, TimeUnit::S)
    };
    let set = |k: &mut KeepAlive| match word.rsplit('-').next() {
        Some("cnt") => k.cnt = value,
        Some("idle") => k.idle = value,
        _ => k.intvl = value,
    };
    if word.starts_with("cli") { set(&mut p.clitcpka) } else { set(&mut p.srvtcpka) }
}

fn source(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    match super::source::parse(cx, line, AddrUse::Source) {
        Ok((source, taken)) if taken >= line.len() => p.source = Some(source),
        Ok((_, taken)) => {
            let text = "'source' only supports optional keywords 'interface' and 'usesrc'.";
            cx.alert_arg(line, taken, text);
        }
        Err((at, why)) => {
            cx.alert_arg(line, at, why);
        }
    }
}

fn dispatch(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    let addr = match addr::parse(&cx.address(line.arg(0)), AddrUse::Plain) {
        Ok(addr) if addr.port_missing => {
            cx.alert_arg(line, 0, format!("'dispatch' : missing port specification in '{}'", line.arg(0)));
            return;
        }
        Ok(addr) => addr,
        Err(why) => {
            cx.alert_arg(line, 0, format!("'dispatch' : {why}"));
            return;
        }
    };
    if !cx.st.deprecated {
        let text = format!(
            "'dispatch' is deprecated in 3.3 and will be removed in 3.5. The modern way to do the same is to create \
             a server with the same address, and possibly to assign any extra server a weight of zero if any:\n    \
             server dispatch {}\nNote that it is still possible to silence this warning by setting \
             'expose-deprecated-directives' in the 'global' section, but do not wait to fix your configuration!",
            line.arg(0)
        );
        cx.warn(line, text);
    }
    p.dispatch = Some((line.pos, addr));
}

fn transparent(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    super::option::deprecated_transparent(cx, line, "'transparent'");
    p.options.set |= crate::model::opt::TRANSPARENT;
}

fn send_name_header(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    let name = line.arg(0);
    let forbidden = ["connection", "content-length", "host", "transfer-encoding"];
    if forbidden.iter().any(|f| name.eq_ignore_ascii_case(f)) {
        let text = format!("'{name}' cannot be used as header name for 'http-send-name-header' directive.");
        cx.alert_arg(line, 0, text);
        return;
    }
    p.send_name_header = Some(line.owned(0));
}
